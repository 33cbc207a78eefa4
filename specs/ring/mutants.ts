import type { Check } from '../../checker/check.ts'
import type { Program } from '../../model/program.ts'
import { type Equivalent, equivalent as equivalentFor, refuted as refutedBy } from '../mutants.ts'
import { answering, dropped, giving, instead, mutate, saturatingAt, stale, swappedWithNext, torn } from '../mutate.ts'
import { groupEquivalents } from './group-mutants.ts'
import type { Guarantee } from './guarantees.ts'
import {
  advanceOnly,
  attachWhileCreated,
  batchAtOnce,
  belowSignChange,
  belowWrap,
  blocking,
  claimGivesUpAlone,
  claiming,
  claimsUnseen,
  givesUpAlone,
  inPlace,
  oneSink,
  popTimesOut,
  pushTimesOut,
  trying,
  twoSources,
  visible,
  words,
} from './programs.ts'

/**
 * Deliberate mistakes, at least one for every place where a ring touches shared memory. None makes a data race: each must
 * be refuted by the guarantee that it breaks, and not by the race detector.
 */

const refuted = refutedBy<Guarantee>
const equivalent = equivalentFor<Guarantee>

const one = (capacity: number, start = 0) => ({ capacity, readers: 1, start })
const two = (capacity: number) => ({ capacity, readers: 2 })

const { written } = words
const read0 = words.read(0)

/** The distance between two neighbouring positions in a word. */
const step = 4

/** Mistakes in publishing what was written. */
const publishing: readonly Check[] = [
  refuted(
    'ring/publishes',
    'the exchange of written is dropped',
    visible(one(1)),
    mutate({ operation: 'exchange', word: written, thread: 'writer', nth: 1 }, dropped),
  ),
  refuted(
    'ring/publishes',
    'the exchange of written changes places with what the writer does next',
    visible(one(1)),
    swappedWithNext({ operation: 'exchange', word: written, thread: 'writer', nth: 1 }),
  ),
  refuted(
    'ring/wakes',
    'the exchange of written is torn',
    blocking(one(1), 1),
    mutate({ operation: 'exchange', word: written, thread: 'writer' }, torn),
    'deadlock',
  ),
  refuted(
    'ring/in-order',
    'written goes one item too far',
    advanceOnly(one(2), 1),
    mutate(
      { operation: 'exchange', word: written, thread: 'writer' },
      giving((position: number) => position + step),
    ),
  ),
  refuted(
    'ring/notifies-sleepers-only',
    'the exchange of written keeps an announcement in the word',
    trying(one(2), 2),
    mutate(
      { operation: 'exchange', word: written, thread: 'writer' },
      giving((position: number) => position | 1),
    ),
  ),
  refuted(
    'ring/batch-at-once',
    'written moves item by item',
    batchAtOnce(one(2)),
    mutate(
      { operation: 'exchange', word: written, thread: 'writer' },
      instead(({ memory, word, args }) => {
        const old = memory.exchange(word, (args[1] as number) - step)
        return old | memory.exchange(word, args[1] as number)
      }),
    ),
  ),
  refuted(
    'ring/publishes',
    'a reader sees written as it was before',
    visible(one(1)),
    mutate({ operation: 'load', word: written, thread: 'reader0' }, stale),
  ),
  refuted(
    'ring/whole-items',
    'a reader sees written one item further than it is',
    inPlace(one(2), 1),
    mutate(
      { operation: 'load', word: written, thread: 'reader0' },
      answering((position) => (position === 0 ? 0 : position + step)),
    ),
  ),
  refuted(
    'ring/in-order',
    'the sink begins one item too far',
    advanceOnly(one(2), 1),
    mutate(
      { operation: 'load', word: written, thread: 'writer', nth: 1 },
      answering((position) => position + step),
    ),
  ),
  refuted(
    'ring/whole-items',
    'a source begins one item too early',
    inPlace(one(2), 1),
    mutate(
      { operation: 'load', word: read0, thread: 'reader0', nth: 1 },
      answering((position) => position - step),
    ),
  ),
]

/** Mistakes in making room again. */
const consuming: readonly Check[] = [
  refuted(
    'ring/publishes',
    'the exchange of read is dropped',
    visible(one(1)),
    mutate({ operation: 'exchange', word: read0, thread: 'reader0', nth: 1 }, dropped),
  ),
  refuted(
    'ring/publishes',
    'the exchange of read changes places with what the reader does next',
    visible(one(1)),
    swappedWithNext({ operation: 'exchange', word: read0, thread: 'reader0', nth: 1 }),
  ),
  refuted(
    'ring/wakes',
    'the exchange of read is torn',
    blocking(one(1), 2),
    mutate({ operation: 'exchange', word: read0, thread: 'reader0' }, torn),
    'deadlock',
  ),
  refuted(
    'ring/back-pressure',
    'read goes one item too far',
    advanceOnly(one(2), 1),
    mutate(
      { operation: 'exchange', word: read0, thread: 'reader0' },
      giving((position: number) => position + step),
    ),
  ),
  refuted(
    'ring/notifies-sleepers-only',
    'the exchange of read keeps an announcement in the word',
    trying(one(2), 2),
    mutate(
      { operation: 'exchange', word: read0, thread: 'reader0' },
      giving((position: number) => position | 1),
    ),
  ),
  refuted(
    'ring/publishes',
    'the writer sees read as it was before',
    visible(one(1)),
    mutate({ operation: 'load', word: read0, thread: 'writer' }, stale),
  ),
  refuted(
    'ring/back-pressure',
    'the writer sees read one item further than it is',
    advanceOnly(one(1), 2),
    mutate(
      { operation: 'load', word: read0, thread: 'writer' },
      answering((position) => position + step),
    ),
  ),
  refuted(
    'ring/back-pressure',
    'the writer does not look at the second reader',
    advanceOnly(two(1), 2),
    mutate(
      { operation: 'load', word: words.read(1), thread: 'writer' },
      instead(({ memory }) => memory.load(read0)),
    ),
  ),
]

/** Mistakes in waiting and waking. The search finds most of them: somebody sleeps for ever. */
const waiting: readonly Check[] = [
  refuted(
    'ring/wakes',
    'the writer does not notify',
    blocking(one(1), 1),
    mutate({ operation: 'notify', word: written, thread: 'writer' }, dropped),
    'deadlock',
  ),
  refuted(
    'ring/wakes',
    'a reader does not notify',
    blocking(one(1), 2),
    mutate({ operation: 'notify', word: read0, thread: 'reader0' }, dropped),
    'deadlock',
  ),
  refuted(
    'ring/wakes',
    'the writer notifies one of two readers',
    blocking(two(1), 1),
    mutate(
      { operation: 'notify', word: written, thread: 'writer' },
      instead(({ memory, word }) => memory.notify(word, 1)),
    ),
    'deadlock',
  ),
  refuted(
    'ring/notifies-sleepers-only',
    'the writer notifies always',
    trying(one(1), 1),
    mutate(
      { operation: 'exchange', word: written, thread: 'writer' },
      answering((old) => old | 1),
    ),
  ),
  refuted(
    'ring/notifies-sleepers-only',
    'a reader notifies always',
    trying(one(1), 1),
    mutate(
      { operation: 'exchange', word: read0, thread: 'reader0' },
      answering((old) => old | 1),
    ),
  ),
  refuted(
    'ring/wakes',
    'the announcement of a reader is torn',
    blocking(one(1), 1),
    mutate({ operation: 'compareExchange', word: written, thread: 'reader0' }, torn),
    'deadlock',
  ),
  refuted(
    'ring/wakes',
    'the announcement of the writer is torn',
    blocking(one(1), 2),
    mutate({ operation: 'compareExchange', word: read0, thread: 'writer' }, torn),
    'deadlock',
  ),
  refuted(
    'ring/wakes',
    'a reader sleeps on whatever the word holds',
    blocking(one(1), 1),
    mutate(
      { operation: 'wait', word: written, thread: 'reader0' },
      instead(({ memory, word, args }) => memory.wait(word, memory.load(word), args[2] as number)),
    ),
    'deadlock',
  ),
  refuted(
    'ring/wakes',
    'the writer sleeps on whatever the word holds',
    blocking(one(1), 2),
    mutate(
      { operation: 'wait', word: read0, thread: 'writer' },
      instead(({ memory, word, args }) => memory.wait(word, memory.load(word), args[2] as number)),
    ),
    'deadlock',
  ),
  ...(['pop', 'popBatch', 'push', 'pushBatch'] as const).map((method, i) =>
    refuted(
      'ring/times-out',
      `${method} sleeps without its time-out`,
      givesUpAlone(),
      mutate(
        { operation: 'wait', nth: i + 1 },
        giving(() => Infinity),
      ),
      'deadlock',
    ),
  ),
  // Each blocking call reads the clock twice: for the deadline, and before sleeping. The program reads it once before every
  // call, and there is a push in between that need not wait.
  ...(
    [
      ['pop', 2, givesUpAlone()],
      ['popBatch', 5, givesUpAlone()],
      ['push', 9, givesUpAlone()],
      ['pushBatch', 2, pushTimesOut(one(1), true)],
      ['claim', 2, claimGivesUpAlone()],
    ] as const
  ).flatMap(([method, nth, program]) => [
    refuted(
      'ring/times-out',
      `${method} has a deadline that never comes`,
      program,
      mutate(
        { operation: 'now', nth },
        answering(() => Infinity),
      ),
      'deadlock',
    ),
    refuted(
      'ring/times-out',
      `${method} gives up before it slept`,
      program,
      mutate(
        { operation: 'now', nth: nth + 1 },
        answering((now) => now + 6),
      ),
    ),
  ]),
  refuted(
    'ring/times-out',
    'claim sleeps without its time-out',
    claimGivesUpAlone(),
    mutate(
      { operation: 'wait' },
      giving(() => Infinity),
    ),
    'deadlock',
  ),
  refuted(
    'ring/times-out',
    'a reader takes the last look from before its time was over',
    popTimesOut(one(1)),
    mutate({ operation: 'load', word: written, thread: 'reader0' }, stale),
  ),
  refuted(
    'ring/times-out',
    'a writer takes the last look from before its time was over',
    pushTimesOut(one(1)),
    mutate({ operation: 'load', word: read0, thread: 'writer' }, stale),
  ),
]

/** Mistakes in copying. */
const copying: readonly Check[] = [
  refuted(
    'ring/whole-items',
    'push writes nothing',
    trying(one(1), 1),
    mutate({ operation: 'writeBytes', thread: 'writer' }, dropped),
  ),
  refuted(
    'ring/whole-items',
    'push writes two of three bytes',
    trying(one(1), 1),
    mutate(
      { operation: 'writeBytes', thread: 'writer' },
      giving((bytes: Uint8Array) => bytes.subarray(0, 2)),
    ),
  ),
  refuted(
    'ring/whole-items',
    'a batch writes nothing',
    batchAtOnce(one(2)),
    mutate({ operation: 'writeBytes', thread: 'writer' }, dropped),
  ),
  refuted(
    'ring/whole-items',
    'a batch does not write its part at the beginning of the ring',
    batchAtOnce(one(2, 1)),
    mutate({ operation: 'writeBytes', thread: 'writer', nth: 2 }, dropped),
  ),
  refuted(
    'ring/whole-items',
    'an item is not written in place',
    claiming(one(1), 1),
    mutate({ operation: 'writeBytes', thread: 'writer', nth: 3 }, dropped),
  ),
  refuted(
    'ring/claims',
    'what is claimed and given back is committed',
    claimsUnseen(one(2)),
    mutate(
      { operation: 'exchange', word: written, thread: 'writer' },
      giving((position: number) => position + step),
    ),
  ),
  refuted(
    'ring/whole-items',
    'pop reads nothing',
    trying(one(1), 1),
    mutate({ operation: 'readBytes', thread: 'reader0' }, dropped),
  ),
  refuted(
    'ring/whole-items',
    'a batch reads nothing',
    batchAtOnce(one(2)),
    mutate({ operation: 'readBytes', thread: 'reader0' }, dropped),
  ),
  refuted(
    'ring/whole-items',
    'a batch does not read its part at the beginning of the ring',
    batchAtOnce(one(2, 1)),
    mutate({ operation: 'readBytes', thread: 'reader0', nth: 2 }, dropped),
  ),
]

/** Mistakes in handing out the ends. */
const handingOut: readonly Check[] = [
  refuted(
    'ring/handed-out-once',
    'the sink is taken in two steps',
    oneSink(),
    mutate({ operation: 'compareExchange', word: words.sinkSeat }, torn),
  ),
  refuted(
    'ring/handed-out-once',
    'a source is taken in two steps',
    twoSources(),
    mutate({ operation: 'compareExchange', word: words.sourceSeat(0) }, torn),
  ),
]

const headerWords = ['version', 'kind', 'size', 'capacity', 'itemBytes', 'readers'] as const

/** Mistakes in creating a ring and in joining it. The words held something before: what is not written shows. */
const creating: readonly Check[] = [
  refuted(
    'ring/attaches',
    'create does not publish the header',
    attachWhileCreated(),
    mutate({ operation: 'store', word: words.magic, thread: 'creator' }, dropped),
  ),
  refuted(
    'ring/attaches',
    'create publishes the header after it returned',
    attachWhileCreated(),
    swappedWithNext({ operation: 'store', word: words.magic, thread: 'creator' }),
  ),
  refuted(
    'ring/attaches',
    'attach sees no header',
    attachWhileCreated(),
    mutate(
      { operation: 'load', word: words.magic, thread: 'joiner' },
      answering(() => 0),
    ),
  ),
  ...headerWords.flatMap((name) => [
    refuted(
      'ring/attaches',
      `create does not write the ${name}`,
      attachWhileCreated(),
      mutate({ operation: 'write', word: words[name], thread: 'creator' }, dropped),
    ),
    refuted(
      'ring/attaches',
      `attach does not see the ${name}`,
      attachWhileCreated(),
      mutate(
        { operation: 'read', word: words[name], thread: 'joiner' },
        answering(() => 0),
      ),
    ),
  ]),
  ...[
    ['where writing begins', written],
    ['where reading begins', read0],
    ['how far the writer may go', words.limit],
    ['that the sink is free', words.sinkSeat],
    ['where the first reader began', words.began(0)],
    ['that the source is free', words.sourceSeat(0)],
  ].map(([what, word]) =>
    refuted(
      'ring/attaches',
      `create does not write ${what}`,
      attachWhileCreated(),
      mutate({ operation: 'write', word: word as number, thread: 'creator' }, dropped),
    ),
  ),
]

/** Mistakes where positions wrap, and where they change their sign. */
const wrapping: readonly Check[] = (['written', 'read'] as const).flatMap((name) => {
  const where = { operation: 'exchange', word: name === 'written' ? written : read0 } as const
  return [
    refuted(
      'ring/wraps',
      `${name} stays at the greatest signed word`,
      trying(one(1, belowSignChange), 2),
      mutate(where, saturatingAt(2 ** 31 - step)),
    ),
    refuted(
      'ring/wraps',
      `${name} stays at the greatest unsigned word`,
      trying(one(1, belowWrap), 2),
      mutate(where, saturatingAt(-step)),
    ),
  ]
})

/** Every mistake that must be refuted. */
export const mutants: readonly Check[] = [
  ...publishing,
  ...consuming,
  ...waiting,
  ...copying,
  ...handingOut,
  ...creating,
  ...wrapping,
]

const spinning1: Program = blocking(one(1), 1, { spins: 1 })
const spinning2: Program = blocking(one(1), 2, { spins: 1 })
const hint = 'a look while spinning is a hint: whatever it says, the caller loads the position again and decides by that'
const processor = 'pause says nothing to other threads; it spares the processor'

/** Places where no mistake shows: the guarantees do not rest on them. The checks hold. */
export const equivalents: readonly Equivalent[] = [
  equivalent(
    hint,
    'ring/wakes',
    'a reader that spins misses a move',
    spinning1,
    mutate(
      { operation: 'load', word: written, thread: 'reader0', nth: 2 },
      answering(() => 0),
    ),
  ),
  equivalent(
    hint,
    'ring/wakes',
    'a reader that spins sees a move that was not',
    spinning1,
    mutate(
      { operation: 'load', word: written, thread: 'reader0', nth: 2 },
      answering(() => step),
    ),
  ),
  equivalent(
    hint,
    'ring/wakes',
    'a writer that spins misses a move',
    spinning2,
    mutate(
      { operation: 'load', word: read0, thread: 'writer', nth: 3 },
      answering(() => 0),
    ),
  ),
  equivalent(
    hint,
    'ring/wakes',
    'a writer that spins sees a move that was not',
    spinning2,
    mutate(
      { operation: 'load', word: read0, thread: 'writer', nth: 3 },
      answering(() => step),
    ),
  ),
  equivalent(
    processor,
    'ring/wakes',
    'a reader does not pause',
    spinning1,
    mutate({ operation: 'pause', thread: 'reader0' }, dropped),
  ),
  equivalent(
    processor,
    'ring/wakes',
    'the writer does not pause',
    spinning2,
    mutate({ operation: 'pause', thread: 'writer' }, dropped),
  ),
  ...groupEquivalents,
]
