import type { Check } from '../../checker/check.ts'
import { creationMutants } from '../creation.ts'
import { type Equivalent, refuted as refutedBy } from '../mutants.ts'
import { answering, dropped, giving, mutate, saturatingAt, swappedWithNext, torn } from '../mutate.ts'
import { type Sleeping, sleepingMutants, spinningEquivalents } from '../sleeping.ts'
import type { Guarantee } from './guarantees.ts'
import {
  closingDies,
  createdWithSeats,
  holding,
  idleForLong,
  joiningAtEnd,
  oneSinkDies,
  oneSource,
  seatOfDead,
  seats,
  sinkDies,
  sourceDies,
} from './life-programs.ts'
import {
  batching,
  belowSignChange,
  belowWrap,
  blocking,
  claiming,
  closing,
  creation,
  fitting,
  givesUpAlone,
  refusing,
  trying,
  wordsOf,
} from './programs.ts'

/** Deliberate mistakes, at least one for every place where a record ring touches shared memory. None makes a data race. */

const refuted = refutedBy<Guarantee>

const one = { slots: 1 }
const two = { slots: 2 }
const { tail, era, head, joins, seat, intent, frame, length } = wordsOf(one)
/** With two sinks. */
const pair = wordsOf({ slots: 2, sinks: 2 })
/** Of the last frame word that a program with one slot has. */
const frame0 = frame(0)

const step = 4
const closed = 2
const behind = (position: number): number => position + step

/** Mistakes in claiming, writing and publishing. */
const pushing: readonly Check[] = [
  refuted(
    'record-ring/linearizable',
    'a sink takes the source for closed',
    trying(one, 1),
    mutate(
      { operation: 'load', word: tail, thread: 'sink' },
      answering((position) => position | closed),
    ),
  ),
  refuted(
    'record-ring/linearizable',
    'a sink takes a full ring for one with room',
    refusing(one),
    mutate({ operation: 'load', word: head, thread: 'sink' }, answering(behind)),
  ),
  refuted(
    'record-ring/linearizable',
    'a sink takes the last free slot for taken',
    fitting(two, ['tryPushExact', 'tryPushExact', 'tryPushExact'], 2),
    mutate(
      { operation: 'load', word: head, thread: 'sink' },
      answering((position) => position - step),
    ),
  ),
  refuted(
    'record-ring/linearizable',
    'a push claims a slot too many',
    trying(two, 2),
    mutate({ operation: 'compareExchange', word: tail, thread: 'sink' }, giving(behind)),
  ),
  refuted(
    'record-ring/whole',
    'push writes nothing',
    trying(one, 1),
    mutate({ operation: 'writeBytes', thread: 'sink' }, dropped),
  ),
  refuted(
    'record-ring/whole',
    'put writes nothing',
    claiming(two, 'commit', 1),
    mutate({ operation: 'writeBytes', thread: 'first' }, dropped),
  ),
  refuted(
    'record-ring/whole',
    'push does not write the length',
    trying(one, 1),
    mutate({ operation: 'write', word: length(0), thread: 'sink' }, dropped),
  ),
  refuted(
    'record-ring/wakes',
    'the exchange of a frame word is torn',
    blocking(one, 1),
    mutate({ operation: 'exchange', word: frame0, thread: 'sink' }, torn),
    'deadlock',
  ),
  refuted(
    'record-ring/notifies-sleepers-only',
    'a push notifies always',
    trying(one, 1),
    mutate(
      { operation: 'exchange', word: frame0, thread: 'sink' },
      answering((word) => word | 1),
    ),
  ),
  {
    program: batching({ slots: 4 }, 'tryTwice'),
    mutant: { name: 'a batch is two pushes', guarantee: 'record-ring/batch-at-once' },
    expect: { verdict: 'refuted' },
  },
]

/** Mistakes in reading and freeing. */
const reading: readonly Check[] = [
  refuted(
    'record-ring/whole',
    'pop reads nothing',
    trying(one, 1),
    mutate({ operation: 'readBytes', thread: 'source' }, dropped),
  ),
  refuted(
    'record-ring/whole',
    'the length is read as one more',
    trying(one, 1),
    mutate(
      { operation: 'read', word: length(0), thread: 'source' },
      answering((bytes) => bytes + 1),
    ),
  ),
  refuted(
    'record-ring/linearizable',
    'a record without bytes is taken for padding',
    fitting(one, ['tryPushEmpty', 'tryPushEmpty'], 2),
    mutate(
      { operation: 'read', word: length(0), thread: 'source' },
      answering((bytes) => (bytes === 0 ? -1 : bytes)),
    ),
  ),
  refuted(
    'record-ring/whole',
    'a source takes an empty slot for a frame',
    closing(one, 0),
    mutate(
      { operation: 'load', word: frame0, thread: 'source', nth: 1 },
      answering(() => step),
    ),
  ),
  refuted(
    'record-ring/linearizable',
    'a source does not clear what it frees',
    closing(one, 1),
    mutate({ operation: 'write', word: frame0, thread: 'source' }, dropped),
  ),
  refuted(
    'record-ring/in-order',
    'a source frees a record more than it read',
    trying(two, 2),
    mutate({ operation: 'exchange', word: head, thread: 'source' }, giving(behind)),
  ),
  refuted(
    'record-ring/wakes',
    'the exchange of the head is torn',
    blocking(one, 2),
    mutate({ operation: 'exchange', word: head, thread: 'source' }, torn),
    'deadlock',
  ),
]

/** Mistakes at the end. */
const ending: readonly Check[] = [
  refuted(
    'record-ring/ends',
    'who closes keeps its seat',
    closing(one, 1),
    mutate({ operation: 'store', word: seat(0), thread: 'sink' }, dropped),
    'deadlock',
  ),
  refuted(
    'record-ring/ends',
    'who closes does not see that anybody came',
    closing(one, 1),
    mutate(
      { operation: 'load', word: joins, thread: 'sink' },
      answering(() => 0),
    ),
    'deadlock',
  ),
  refuted(
    'record-ring/linearizable',
    'the source does not see that there is a sink',
    closing(one, 1),
    mutate(
      { operation: 'load', word: seat(0), thread: 'source' },
      answering(() => 0),
    ),
  ),
  refuted(
    'record-ring/ends',
    'the end is said in two steps',
    joiningAtEnd(),
    mutate({ operation: 'compareExchange', word: pair.joins, thread: 'last' }, torn),
  ),
  refuted('record-ring/ends', 'who comes is not counted', joiningAtEnd(), mutate({ operation: 'add', thread: 'late' }, dropped)),
  refuted(
    'record-ring/ends',
    'who is refused keeps its seat',
    joiningAtEnd(),
    mutate(
      {
        operation: 'store',
        thread: 'late',
        when: ({ memory, args }) => args[1] === 0 && (memory.load(pair.joins) & 2) !== 0,
      },
      dropped,
    ),
  ),
  refuted(
    'record-ring/wakes',
    'who closes looks for the end elsewhere',
    closing(one, 0),
    mutate({ operation: 'load', word: tail, thread: 'sink' }, answering(behind)),
    'deadlock',
  ),
  refuted(
    'record-ring/wakes',
    'who closes takes the source for farther',
    closing(one, 0),
    mutate({ operation: 'load', word: head, thread: 'sink' }, answering(behind)),
    'deadlock',
  ),
  refuted(
    'record-ring/wakes',
    'the mark of the end is torn',
    closing(one, 0),
    mutate({ operation: 'exchange', word: frame0, thread: 'sink' }, torn),
    'deadlock',
  ),
  refuted(
    'record-ring/wakes',
    'the end wakes nobody',
    closing(one, 0),
    mutate({ operation: 'notify', thread: 'sink' }, dropped),
    'deadlock',
  ),
  refuted(
    'record-ring/ends',
    'a living sink is taken for dead at the end',
    closingDies({ doomed: ['push', 'close'], source: [] }),
    mutate(
      { operation: 'alive', thread: 'source' },
      answering(() => false),
    ),
  ),
  refuted(
    'record-ring/ends',
    'a dead sink is taken for living at the end',
    closingDies({ doomed: ['close'], other: ['close'], source: [] }),
    mutate(
      { operation: 'alive', thread: 'source' },
      answering(() => true),
    ),
    'livelock',
  ),
  refuted(
    'record-ring/linearizable',
    'a source that closes does not say so to those who push',
    refusing(two),
    mutate({ operation: 'or', thread: 'source' }, dropped),
  ),
  refuted(
    'record-ring/refuses',
    'a source that closes does not say so to those who wait',
    refusing(one),
    mutate({ operation: 'exchange', word: head, thread: 'source' }, dropped),
    'deadlock',
  ),
  refuted(
    'record-ring/refuses',
    'a source that closes wakes nobody',
    refusing(one),
    mutate({ operation: 'notify', thread: 'source' }, dropped),
    'deadlock',
  ),
]

/** Mistakes about the dead. */
const deaths: readonly Check[] = [
  refuted(
    'record-ring/survives-sink',
    'who pushes does not say where it claims',
    holding(),
    mutate({ operation: 'store', word: pair.intent(0), thread: 'holder' }, dropped),
  ),
  refuted(
    'record-ring/survives-sink',
    'who pushes says too late where it claims',
    holding(),
    swappedWithNext({ operation: 'store', word: pair.intent(0), thread: 'holder' }),
  ),
  refuted(
    'record-ring/survives-sink',
    'who has lost a claim seems to have it',
    oneSinkDies(one, 'tryPush', ['push'], ['pop']),
    mutate({ operation: 'store', thread: 'other', when: ({ args }) => args[1] === 1 }, dropped),
  ),
  refuted(
    'record-ring/survives-sink',
    'who has pushed seems to claim something',
    sinkDies(one, 'tryPush', ['tryPop', 'tryPop']),
    mutate({ operation: 'store', word: intent(0), when: ({ args }) => args[1] === 1 }, dropped),
  ),
  refuted(
    'record-ring/survives-sink',
    'an intent is not seen',
    holding(),
    mutate(
      { operation: 'load', word: pair.intent(0), thread: 'source' },
      answering(() => 1),
    ),
  ),
  refuted(
    'record-ring/survives-sink',
    'whose intent it is is not seen',
    holding(),
    mutate(
      { operation: 'load', word: pair.seat(0), thread: 'source' },
      answering(() => 0),
    ),
  ),
  refuted(
    'record-ring/survives-sink',
    'the living are taken for dead',
    holding(),
    mutate(
      { operation: 'alive', thread: 'source' },
      answering(() => false),
    ),
  ),
  refuted(
    'record-ring/survives-sink',
    'the dead are taken for living',
    oneSinkDies(one, 'tryPush', ['push'], ['pop']),
    mutate(
      { operation: 'alive', thread: 'source' },
      answering(() => true),
    ),
    'livelock',
  ),
  refuted(
    'record-ring/survives-sink',
    'the source does not see that something was claimed',
    oneSinkDies(one, 'tryPush', ['push'], ['pop']),
    mutate(
      { operation: 'load', word: tail, thread: 'source' },
      answering(() => 0),
    ),
    'livelock',
  ),
  refuted(
    'record-ring/survives-sink',
    'what was published behind the dead is passed over, too',
    oneSinkDies(two, 'tryPush', ['tryPush'], ['tryPop']),
    mutate(
      { operation: 'load', word: pair.frame(1), thread: 'source', nth: 1 },
      answering(() => 0),
    ),
  ),
  refuted(
    'record-ring/whole',
    'what the dead had claimed is no padding',
    sinkDies(one, 'tryPush', ['tryPop', 'tryPop']),
    mutate(
      { operation: 'write', thread: 'source', when: ({ args }) => (args[1] as number) < 0 },
      giving(() => 0),
    ),
  ),
  refuted(
    'record-ring/whole',
    'the frame is longer than what the dead had claimed',
    sinkDies(two, 'tryPush', ['tryPop', 'tryPop']),
    mutate({ operation: 'store', word: wordsOf(two).frame(0), thread: 'source' }, giving(behind)),
  ),
  refuted(
    'record-ring/survives-source',
    'who follows a dead source begins one record too late',
    sourceDies(two, ['tryPush', 'tryPush'], ['tryPop']),
    mutate({ operation: 'load', word: wordsOf(two).head, thread: 'heir', nth: 1 }, answering(behind)),
  ),
  refuted(
    'record-ring/survives-source',
    'who follows a dead source does not see what is known',
    sourceDies(two, ['tryBatch'], ['tryPop']),
    mutate(
      { operation: 'load', word: wordsOf(two).known, thread: 'heir' },
      answering(() => 0),
    ),
  ),
  refuted(
    'record-ring/survives-source',
    'a source does not say what is known',
    sourceDies(two, ['tryBatch'], ['tryPop']),
    mutate({ operation: 'store', word: wordsOf(two).known, thread: 'source' }, dropped),
  ),
  refuted(
    'record-ring/survives-sink',
    'who takes the seat of a dead one seems to claim what that had claimed',
    seatOfDead(two),
    mutate({ operation: 'store', thread: 'heir', when: ({ args }) => args[1] === 1 }, dropped),
  ),
  refuted('record-ring/handed-out-once', 'a seat is taken in two steps', seats(), mutate({ operation: 'compareExchange' }, torn)),
  refuted(
    'record-ring/handed-out-once',
    'the seat of the living is taken',
    seats(),
    mutate(
      { operation: 'alive' },
      answering(() => false),
    ),
  ),
  refuted(
    'record-ring/handed-out-once',
    'the source is taken in two steps',
    oneSource(),
    mutate({ operation: 'compareExchange' }, torn),
  ),
  refuted(
    'record-ring/handed-out-once',
    'the source of the living is taken',
    oneSource(),
    mutate(
      { operation: 'alive' },
      answering(() => false),
    ),
  ),
  refuted(
    'record-ring/attaches',
    'create does not write that seats are free',
    createdWithSeats(),
    mutate({ operation: 'write', word: seat(0), thread: 'creator' }, dropped),
  ),
]

/** Mistakes where positions wrap, and where they change their sign. */
const wrapping: readonly Check[] = [
  ...(
    [
      ['unsigned', belowWrap, -step],
      ['signed', belowSignChange, 2 ** 31 - step],
    ] as const
  ).map(([kind, start, greatest]) =>
    refuted(
      'record-ring/wraps',
      `the head stays at the greatest ${kind} word`,
      trying({ ...one, start }, 2),
      mutate({ operation: 'exchange', word: head, thread: 'source' }, saturatingAt(greatest)),
    ),
  ),
  refuted(
    'record-ring/wraps',
    'a sink does not see that an era went by',
    idleForLong(),
    mutate(
      { operation: 'load', word: era, thread: 'alone', nth: 7 },
      answering(() => 1),
    ),
  ),
  refuted('record-ring/wraps', 'a new era is not said', idleForLong(), mutate({ operation: 'add', word: era }, dropped)),
]

const timing = { timing: givesUpAlone(), timed: 'alone' }
/** Who sleeps because the ring is empty, and who because it is full. */
const sleeping: readonly Sleeping[] = [
  {
    ...timing,
    structure: 'record-ring',
    what: 'a frame word',
    word: frame0,
    blocking: blocking(one, 1),
    sleeper: 'source',
    waker: 'sink',
    deadlineNow: 2,
    timedWait: 1,
    spinning: blocking(one, 1, 1),
    spinner: 'source',
    spinLoad: 2,
  },
  {
    ...timing,
    structure: 'record-ring',
    what: 'the head',
    word: head,
    blocking: blocking(one, 2),
    sleeper: 'sink',
    waker: 'source',
    deadlineNow: 6,
    timedWait: 1,
    spinning: blocking(one, 2, 1),
    spinner: 'sink',
    spinLoad: 3,
  },
]

/** Every mistake that must be refuted. */
export const mutants: readonly Check[] = [
  ...pushing,
  ...reading,
  ...sleeping.flatMap(sleepingMutants),
  ...ending,
  ...deaths,
  ...creationMutants(creation),
  ...wrapping,
]

/** Places where no mistake shows. The checks hold. */
export const equivalents: readonly Equivalent[] = [...sleeping.flatMap(spinningEquivalents)]
