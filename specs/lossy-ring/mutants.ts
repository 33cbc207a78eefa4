import type { Check } from '../../checker/check.ts'
import { creationMutants } from '../creation.ts'
import { type Equivalent, equivalent as equivalentFor, refuted as refutedBy } from '../mutants.ts'
import {
  answering,
  type Call,
  dropped,
  giving,
  instead,
  type MistakeMaker,
  mutate,
  saturatingAt,
  stale,
  swappedWithNext,
  torn,
} from '../mutate.ts'
import { itemBytes } from '../ring/programs.ts'
import { type Sleeping, sleepingMutants, spinningEquivalents } from '../sleeping.ts'
import type { Guarantee } from './guarantees.ts'
import {
  batchAtOnce,
  batches,
  belowSignChange,
  belowWrap,
  blocking,
  claiming,
  closedSink,
  creation,
  givesUpAlone,
  joining,
  oneSink,
  type Shape,
  trying,
  visible,
  waiting,
  words,
  writerDies,
  writerReplaced,
} from './programs.ts'

/**
 * Deliberate mistakes, at least one for every place where a lossy ring touches shared memory. None of these makes a data race;
 * those that do are in `test/specs/lossy-ring.test.ts`.
 */

const refuted = refutedBy<Guarantee>
const equivalent = equivalentFor<Guarantee>

const one: Shape = { capacity: 1 }
const two: Shape = { capacity: 2 }
const blocks: Shape = { capacity: 4, block: 2 }
const { written, seat, halves } = words
const place0 = words.block(0)
const step = 4
const closed = 2

/** Mistakes in writing and publishing. */
const writing: readonly Check[] = [
  refuted(
    'lossy-ring/whole-items',
    'push writes nothing',
    trying(one, 1, 1),
    mutate({ operation: 'writeBytes', thread: 'writer' }, dropped),
  ),
  refuted(
    'lossy-ring/whole-items',
    'a batch does not write its part at the end of the ring',
    batchAtOnce(two, 1, 2),
    mutate({ operation: 'writeBytes', thread: 'writer', nth: 2 }, dropped),
  ),
  refuted(
    'lossy-ring/counts',
    'a batch does not write its part at the beginning of the ring',
    batchAtOnce(two, 1, 2),
    mutate({ operation: 'writeBytes', thread: 'writer', nth: 3 }, dropped),
  ),
  refuted(
    'lossy-ring/counts',
    'a batch writes its first item twice',
    batches(two, 4, 2, 2),
    mutate(
      { operation: 'writeBytes', thread: 'writer' },
      giving((bytes: Uint8Array) => {
        const twice = bytes.slice()
        twice.copyWithin(itemBytes, 0, itemBytes)
        return twice
      }),
    ),
  ),
  refuted(
    'lossy-ring/whole-items',
    'an item is not written in place',
    claiming(two, 1, 1),
    mutate({ operation: 'writeBytes', thread: 'writer', nth: 3 }, dropped),
  ),
  refuted(
    'lossy-ring/publishes',
    'a push is not published',
    visible(one, 1),
    mutate({ operation: 'exchange', word: written, thread: 'writer' }, dropped),
  ),
  refuted(
    'lossy-ring/newest',
    'the last push is not published',
    trying(one, 2, 1),
    mutate({ operation: 'exchange', word: written, thread: 'writer', nth: 2 }, dropped),
  ),
  refuted(
    'lossy-ring/in-order',
    'a push is published as two, where the second slot holds an older item',
    trying(blocks, 5, 2),
    mutate(
      { operation: 'exchange', word: written, thread: 'writer', nth: 5 },
      giving((position: number) => position + step),
    ),
  ),
  refuted(
    'lossy-ring/batch-at-once',
    'a batch is published item by item',
    batchAtOnce(two, 1, 2),
    mutate(
      { operation: 'exchange', word: written, thread: 'writer', nth: 2 },
      instead(({ memory, args, perform }) => {
        memory.exchange(written, (args[1] as number) - step)
        return perform(...args)
      }),
    ),
  ),
  refuted(
    'lossy-ring/claims',
    'what is claimed and given back is committed',
    claiming(two, 1, 0),
    mutate(
      { operation: 'exchange', word: written, thread: 'writer' },
      giving((position: number) => position + step),
    ),
  ),
  refuted(
    'lossy-ring/newest',
    'the writer does not enter a block',
    trying(one, 2, 1),
    mutate({ operation: 'exchange', word: place0, thread: 'writer' }, dropped),
  ),
  refuted(
    'lossy-ring/never-waits',
    'the writer sleeps before it enters a block again',
    trying(one, 2, 1),
    mutate(
      { operation: 'exchange', word: place0, thread: 'writer', nth: 2 },
      instead(({ memory, args, perform }) => {
        memory.wait(written, memory.load(written))
        return perform(...args)
      }),
    ),
    'deadlock',
  ),
  refuted(
    'lossy-ring/wakes',
    'the exchange of the position is torn',
    waiting(one, 1),
    mutate({ operation: 'exchange', word: written, thread: 'writer' }, torn),
    'deadlock',
  ),
  refuted(
    'lossy-ring/notifies-sleepers-only',
    'a push notifies always',
    trying(one, 1, 1),
    mutate(
      { operation: 'exchange', word: written, thread: 'writer' },
      answering((position) => position | 1),
    ),
  ),
]

/** Mistakes in reading. */
const reading: readonly Check[] = [
  refuted(
    'lossy-ring/whole-items',
    'a reader copies nothing',
    trying(one, 1, 1),
    mutate({ operation: 'guessBytes', thread: 'reader0' }, dropped),
  ),
  refuted(
    'lossy-ring/whole-items',
    'a reader uses what it copied before it is settled',
    trying(one, 1, 1),
    mutate({ operation: 'settle', thread: 'reader0' }, dropped),
  ),
  refuted(
    'lossy-ring/keeps',
    'a reader takes a block for entered that was not',
    trying(one, 1, 1),
    mutate(
      { operation: 'add', thread: 'reader0' },
      answering((number) => number + 1),
    ),
  ),
  refuted(
    'lossy-ring/publishes',
    'a reader sees the position as it was before',
    visible(one, 2),
    mutate({ operation: 'load', word: written, thread: 'reader0' }, stale),
  ),
  refuted(
    'lossy-ring/joins',
    'who joins takes the oldest block for entered',
    joining(two, 3, 'oldest'),
    mutate(
      { operation: 'load', thread: 'reader0', when: ({ word }) => word === words.block(0) || word === words.block(1) },
      answering((number) => number + 1),
    ),
  ),
]

const isEnd = ({ args }: Call): boolean => ((args[1] as number) & closed) !== 0

/** Mistakes in closing. */
const closing: readonly Check[] = [
  refuted(
    'lossy-ring/ends',
    'the end of the stream is not published',
    blocking(one, 1),
    mutate({ operation: 'exchange', word: written, thread: 'writer', when: isEnd }, dropped),
    'deadlock',
  ),
  refuted(
    'lossy-ring/ends',
    'the stream ends one item too early',
    blocking(two, 2),
    mutate(
      { operation: 'exchange', word: written, thread: 'writer', when: isEnd },
      giving((position: number) => position - step),
    ),
  ),
  refuted(
    'lossy-ring/wakes',
    'the end of the stream wakes nobody',
    blocking(one, 1),
    mutate({ operation: 'notify', thread: 'writer', when: ({ memory }) => (memory.load(written) & closed) !== 0 }, dropped),
    'deadlock',
  ),
  refuted(
    'lossy-ring/ends',
    'who asks for the sink does not see the end',
    closedSink(),
    mutate(
      { operation: 'load', word: written },
      answering((position) => position & ~closed),
    ),
  ),
]

/** Nobody sits in the seat, for all that the ring sees; the program itself looks there first. */
const emptyForTheRing: MistakeMaker = () => {
  let taken = 0
  return ({ perform, args }) => {
    const found = perform(...args)
    return found !== 0 && taken++ > 0 ? 0 : found
  }
}

/** Mistakes about who has the sink, and about the dead. */
const holding: readonly Check[] = [
  refuted(
    'lossy-ring/handed-out-once',
    'the sink is taken in two steps',
    oneSink(),
    mutate({ operation: 'compareExchange', word: seat }, torn),
  ),
  refuted(
    'lossy-ring/handed-out-once',
    'the sink of the living is taken',
    oneSink({ kill: ['first'] }),
    mutate(
      { operation: 'alive', thread: 'second' },
      answering(() => false),
    ),
  ),
  refuted(
    'lossy-ring/survives-writer',
    'a living writer is taken for dead',
    writerDies(one, 1),
    mutate(
      { operation: 'alive', thread: 'reader0' },
      answering(() => false),
    ),
  ),
  refuted(
    'lossy-ring/survives-writer',
    'it is not seen who had the sink',
    writerDies(one, 1),
    mutate({ operation: 'load', word: seat, thread: 'reader0' }, emptyForTheRing),
    'livelock',
  ),
  refuted(
    'lossy-ring/survives-writer',
    'who takes the place of a dead writer begins one item too late',
    writerReplaced(one, 2, 1),
    mutate(
      { operation: 'load', word: written, thread: 'successor' },
      answering((position) => position + step),
    ),
  ),
  refuted(
    'lossy-ring/survives-writer',
    'who takes the place of a dead writer takes it to be in another half',
    writerReplaced(one, 2, 1),
    mutate(
      { operation: 'load', word: halves, thread: 'successor' },
      answering((half) => half + 2),
    ),
  ),
]

/** Mistakes where positions wrap, and where they change their sign. */
const wrapping: readonly Check[] = (
  [
    ['unsigned', belowWrap, -step],
    ['signed', belowSignChange, 2 ** 31 - step],
  ] as const
).flatMap(([kind, start, greatest]) => {
  const shape = { ...one, start }
  return [
    refuted(
      'lossy-ring/wraps',
      `the position stays at the greatest ${kind} word`,
      trying(shape, 2, 2),
      mutate({ operation: 'exchange', word: written, thread: 'writer' }, saturatingAt(greatest)),
    ),
    refuted(
      'lossy-ring/wraps',
      `another half is not announced (${kind})`,
      visible(shape, 2),
      mutate({ operation: 'store', word: halves, thread: 'writer' }, dropped),
    ),
    refuted(
      'lossy-ring/wraps',
      `another half is announced too late (${kind})`,
      joining(shape, 2, 'latest'),
      swappedWithNext({ operation: 'store', word: halves, thread: 'writer' }),
    ),
    refuted(
      'lossy-ring/wraps',
      `a reader does not see that it is another half (${kind})`,
      visible(shape, 2),
      mutate(
        { operation: 'load', word: halves, thread: 'reader0' },
        answering(() => Math.floor(start / 2 ** 29)),
      ),
    ),
  ]
})

const sleeping: Sleeping = {
  structure: 'lossy-ring',
  what: 'the position',
  word: written,
  blocking: waiting(one, 1),
  sleeper: 'reader0',
  waker: 'writer',
  timing: givesUpAlone(),
  timed: 'alone',
  deadlineNow: 2,
  timedWait: 1,
  spinning: waiting(one, 1, 1, 1),
  spinner: 'reader0',
  spinLoad: 3,
}

/** Every mistake that must be refuted. */
export const mutants: readonly Check[] = [
  ...writing,
  ...reading,
  ...sleepingMutants(sleeping),
  ...closing,
  ...holding,
  ...creationMutants(creation),
  ...wrapping,
]

/** Places where no mistake shows. The checks hold. */
export const equivalents: readonly Equivalent[] = [
  ...spinningEquivalents(sleeping),
  equivalent(
    'a reader looks at the half before and after the position, and again when they differ: the first look is a guess',
    'lossy-ring/wraps',
    'a reader first takes it to be in another half',
    trying(one, 1, 1),
    mutate(
      { operation: 'load', word: halves, thread: 'reader0', nth: 1 },
      answering((half) => half + 1),
    ),
  ),
]
