import type { Check } from '../../checker/check.ts'
import { creationMutants } from '../creation.ts'
import { type Equivalent, equivalent as equivalentFor, refuted as refutedBy } from '../mutants.ts'
import { answering, dropped, giving, mutate, saturatingAt, stale, swappedWithNext, torn } from '../mutate.ts'
import { type Sleeping, sleepingMutants, spinningEquivalents } from '../sleeping.ts'
import type { Guarantee } from './guarantees.ts'
import {
  batchesAlone,
  batchGivesUpAlone,
  batchPusherDies,
  belowSignChange,
  belowWrap,
  blocking,
  blockingPoppers,
  closing,
  closingEmpty,
  closingFull,
  createdWithSeats,
  creation,
  givesUpAlone,
  oneOfTwoPushersDies,
  pusherDies,
  seats,
  trying,
  twoBatchPoppers,
  twoPoppers,
  twoPushers,
  wordsOf,
} from './programs.ts'

/** Deliberate mistakes, at least one for every place where a work ring touches shared memory. None makes a data race. */

const refuted = refutedBy<Guarantee>
const equivalent = equivalentFor<Guarantee>

const one = { capacity: 1 }
const two = { capacity: 2 }
/** Begins where the zeros of a fresh memory stand for no position. */
const later = { capacity: 1, start: 1 }
const { tail, head, slot } = wordsOf(one)
const slot0 = slot(0)
/** With two seats. */
const dying = wordsOf({ capacity: 1, seats: 2 })

const step = 8
const closed = 4

/** Mistakes in claiming and finishing. */
const claiming: readonly Check[] = [
  refuted(
    'work-ring/each-once',
    'push writes nothing',
    trying(one, 1),
    mutate({ operation: 'writeBytes', thread: 'pusher' }, dropped),
  ),
  refuted(
    'work-ring/each-once',
    'pop reads nothing',
    trying(one, 1),
    mutate({ operation: 'readBytes', thread: 'popper' }, dropped),
  ),
  refuted(
    'work-ring/linearizable',
    'a push claims two slots',
    trying(two, 2),
    mutate(
      { operation: 'compareExchange', word: tail },
      giving((position: number) => position + step),
    ),
  ),
  refuted(
    'work-ring/linearizable',
    'an item is claimed in two steps',
    twoPoppers(two),
    mutate({ operation: 'compareExchange', word: head }, torn),
  ),
  refuted(
    'work-ring/wakes',
    'the exchange of a slot is torn',
    blocking(one, 1),
    mutate({ operation: 'exchange', word: slot0, thread: 'pusher' }, torn),
    'deadlock',
  ),
  refuted(
    'work-ring/notifies-sleepers-only',
    'a push notifies always',
    trying(one, 1),
    mutate(
      { operation: 'exchange', word: slot0 },
      answering((word) => word | 1),
    ),
  ),
  refuted(
    'work-ring/wakes',
    'a pop wakes one of those who sleep',
    blockingPoppers(two),
    mutate(
      { operation: 'notify', thread: 'pusher' },
      giving(() => 1),
    ),
    'deadlock',
  ),
]

/** Mistakes in looking. */
const looking: readonly Check[] = [
  refuted(
    'work-ring/linearizable',
    'a pusher takes the ring for closed',
    trying(one, 1),
    mutate(
      { operation: 'load', word: tail, thread: 'pusher' },
      answering((position) => position | closed),
    ),
  ),
  refuted(
    'work-ring/each-once',
    'a popper takes a free slot for a full one',
    closingEmpty(one),
    mutate(
      { operation: 'load', word: slot0, thread: 'first', nth: 1 },
      answering(() => 2),
    ),
  ),
  refuted(
    'work-ring/linearizable',
    'a pusher takes a full ring for one that is being emptied',
    trying(one, 2),
    mutate(
      { operation: 'load', word: head, thread: 'pusher' },
      answering((position) => position + step),
    ),
    'deadlock',
  ),
  refuted(
    'work-ring/linearizable',
    'a popper begins one item too late',
    trying(two, 2),
    mutate(
      { operation: 'load', word: head, thread: 'popper', nth: 1 },
      answering((position) => position + step),
    ),
  ),
  refuted(
    'work-ring/linearizable',
    'a popper takes a ring with an item that is being pushed for an empty one',
    twoPushers(two, 1),
    mutate(
      { operation: 'load', word: tail, thread: 'popper' },
      answering(() => 0),
    ),
  ),
]

/** The words of the ring of `batchPusherDies`. */
const dyingBatch = wordsOf({ capacity: 2, seats: 2 })
const countFromIntent = 1

/** Mistakes in batches. */
const batches: readonly Check[] = [
  refuted(
    'work-ring/linearizable',
    'a batch is claimed in two steps',
    twoBatchPoppers(two),
    mutate({ operation: 'compareExchange', word: head }, torn),
  ),
  refuted(
    'work-ring/linearizable',
    'a batch takes the second slot for one that is not free',
    batchesAlone(two),
    mutate(
      { operation: 'load', word: wordsOf(two).slot(1), nth: 1 },
      answering((word) => word + 2),
    ),
  ),
  refuted(
    'work-ring/linearizable',
    'a batch takes a slot that is full',
    batchesAlone(two),
    mutate(
      {
        operation: 'load',
        word: wordsOf(two).slot(1),
        when: ({ memory }) => memory.load(tail) === 2 * step && memory.load(head) === step,
      },
      answering(() => 3 * step),
    ),
  ),
  refuted(
    'work-ring/linearizable',
    'a batch takes an item that was popped before',
    batchesAlone(two),
    mutate(
      {
        operation: 'load',
        word: slot(0),
        when: ({ memory }) => memory.load(tail) === 4 * step && memory.load(head) === 3 * step,
      },
      answering((word) => word + 2),
    ),
  ),
  refuted(
    'work-ring/times-out',
    'the time of a batch ends later',
    batchGivesUpAlone(),
    mutate(
      { operation: 'now', nth: 5 },
      answering(() => Infinity),
    ),
    'deadlock',
  ),
  refuted(
    'work-ring/times-out',
    'what is left of the time of a batch is too long',
    batchGivesUpAlone(),
    mutate(
      { operation: 'now', nth: 6 },
      answering(() => -Infinity),
    ),
    'deadlock',
  ),
  refuted(
    'work-ring/each-once',
    'who pushes a batch does not say how many it claims',
    batchPusherDies(two, ['tryPop', 'tryPop']),
    mutate({ operation: 'store', thread: 'doomed', nth: 1 }, dropped),
  ),
  refuted(
    'work-ring/each-once',
    'how many are claimed as a batch is not seen',
    batchPusherDies(two, ['tryPop', 'tryPop']),
    mutate(
      {
        operation: 'load',
        thread: 'other',
        when: ({ word }) => [0, 1].some((seat) => word === dyingBatch.intent(seat) + countFromIntent),
      },
      answering(() => 0),
    ),
  ),
]

/** Mistakes in closing. */
const closings: readonly Check[] = [
  refuted(
    'work-ring/closes',
    'a popper does not see that the ring was closed',
    closingEmpty(one),
    mutate(
      { operation: 'load', word: tail, thread: 'first' },
      answering((position) => position & ~closed),
    ),
    'deadlock',
  ),
  refuted('work-ring/closes', 'who closes does not say so', closing(one, 1), mutate({ operation: 'or', word: tail }, dropped)),
  refuted(
    'work-ring/closes',
    'a closed ring is taken for an open one',
    closingFull(one),
    mutate(
      { operation: 'load', word: tail, thread: 'closer' },
      answering((position) => position & ~closed),
    ),
  ),
  refuted(
    'work-ring/wakes',
    'the mark of the end is torn',
    closingEmpty(one),
    mutate({ operation: 'compareExchange', word: slot0, thread: 'closer' }, torn),
    'deadlock',
  ),
  refuted(
    'work-ring/wakes',
    'a pusher that sleeps has seen the tail as it was before',
    closingFull(one),
    mutate({ operation: 'load', word: tail, thread: 'pusher' }, stale),
    'deadlock',
  ),
  refuted(
    'work-ring/wakes',
    'the end wakes nobody',
    closingEmpty(one),
    mutate({ operation: 'notify', thread: 'closer' }, dropped),
    'deadlock',
  ),
]

/** Mistakes about the dead, and about seats. */
const deaths: readonly Check[] = [
  refuted(
    'work-ring/each-once',
    'who pushes does not say what it claims',
    pusherDies(later, ['tryPop', 'tryPop']),
    mutate({ operation: 'store', thread: 'doomed', nth: 1 }, dropped),
  ),
  refuted(
    'work-ring/each-once',
    'who pushes says what it has claimed too late',
    pusherDies(later, ['tryPop', 'tryPop']),
    swappedWithNext({ operation: 'store', thread: 'doomed', nth: 1 }),
  ),
  refuted(
    'work-ring/survives',
    'who has lost a claim seems to have it',
    oneOfTwoPushersDies(one),
    mutate({ operation: 'store', thread: 'pusher', nth: 2 }, dropped),
    'livelock',
  ),
  refuted(
    'work-ring/each-once',
    'an intent is not seen',
    pusherDies(later, ['tryPop', 'tryPop']),
    mutate(
      { operation: 'load', thread: 'other', when: ({ word }) => [dying.intent(0), dying.intent(1)].includes(word) },
      answering(() => 1),
    ),
  ),
  refuted(
    'work-ring/each-once',
    'whose intent it is is not seen',
    pusherDies(later, ['tryPop', 'tryPop']),
    mutate(
      { operation: 'load', thread: 'other', when: ({ word }) => [dying.holder(0), dying.holder(1)].includes(word) },
      answering(() => 0),
    ),
  ),
  refuted(
    'work-ring/each-once',
    'the living are taken for dead',
    pusherDies(one, ['tryPop', 'tryPop']),
    mutate(
      { operation: 'alive', thread: 'other' },
      answering(() => false),
    ),
  ),
  refuted(
    'work-ring/survives',
    'the dead are taken for living',
    pusherDies(one, ['tryPop', 'tryPop']),
    mutate(
      { operation: 'alive', thread: 'other' },
      answering(() => true),
    ),
    'livelock',
  ),
  refuted(
    'work-ring/survives',
    'what is behind the slot of a dead one is passed over, too',
    pusherDies(two, ['tryPush', 'tryPop']),
    mutate(
      {
        operation: 'compareExchange',
        word: head,
        thread: 'other',
        // Not where the slot is full: then it is a claim.
        when: ({ memory, args }) => (memory.load(wordsOf({ ...two, seats: 2 }).slot(0)) & 2) === 0 && args[1] === 0,
      },
      giving((position: number) => position + step),
    ),
  ),
  refuted('work-ring/seats', 'a seat is taken in two steps', seats(), mutate({ operation: 'compareExchange' }, torn)),
  refuted(
    'work-ring/seats',
    'the seat of the living is taken',
    seats(),
    mutate(
      { operation: 'alive' },
      answering(() => false),
    ),
  ),
  refuted(
    'work-ring/seats',
    'who leaves keeps its seat',
    seats(),
    mutate({ operation: 'store', thread: 'first', when: ({ args }) => args[1] === 0 }, dropped),
  ),
  refuted(
    'work-ring/attaches',
    'create does not write that seats are free',
    createdWithSeats(),
    mutate({ operation: 'write', word: wordsOf({ capacity: 1, seats: 1 }).holder(0), thread: 'creator' }, dropped),
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
      'work-ring/wraps',
      `a slot stays at the greatest ${kind} word`,
      trying({ ...one, start }, 2),
      mutate({ operation: 'exchange', word: slot0, thread: 'popper' }, saturatingAt(greatest)),
    ),
  ),
]

const timing = { timing: givesUpAlone(), timed: 'alone', word: slot0 }
/** Who sleeps because the ring is empty, and who because it is full. */
const sleeping: readonly Sleeping[] = [
  {
    ...timing,
    structure: 'work-ring',
    what: 'a free slot',
    blocking: blocking(one, 1),
    sleeper: 'popper',
    waker: 'pusher',
    deadlineNow: 2,
    timedWait: 1,
    spinning: blocking(one, 1, 1),
    spinner: 'popper',
    spinLoad: 2,
  },
  {
    ...timing,
    structure: 'work-ring',
    what: 'a full slot',
    blocking: blocking(one, 2),
    sleeper: 'pusher',
    waker: 'popper',
    deadlineNow: 6,
    timedWait: 2,
    spinning: blocking(one, 2, 1),
    spinner: 'pusher',
    spinLoad: 3,
  },
]

/** Every mistake that must be refuted. */
export const mutants: readonly Check[] = [
  ...claiming,
  ...looking,
  ...batches,
  ...sleeping.flatMap(sleepingMutants),
  ...closings,
  ...deaths,
  ...creationMutants(creation),
  ...wrapping,
]

/** Places where no mistake shows. The checks hold. */
export const equivalents: readonly Equivalent[] = [
  ...sleeping.slice(0, 1).flatMap(spinningEquivalents),
  equivalent(
    'a compare-exchange follows, which fails when the look was wrong; then there is another look',
    'work-ring/wakes',
    'who closes looks at the slot, and sees another word',
    closingEmpty(one),
    mutate(
      { operation: 'load', word: slot0, thread: 'closer', nth: 1 },
      answering((word) => word + step),
    ),
  ),
]
