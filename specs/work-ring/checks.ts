import type { Check } from '../../checker/check.ts'
import { type Counted, enumerated, enumeratedOnce, formula } from '../counted.ts'
import { attachWhileCreated } from '../creation.ts'
import { equivalents, mutants } from './mutants.ts'
import {
  batchAndSingle,
  batchesAlone,
  batchGivesUpAlone,
  batchPopperDies,
  batchPusherDies,
  belowSignChange,
  belowWrap,
  blocking,
  blockingBatches,
  blockingPoppers,
  blockingPushers,
  closing,
  closingBatch,
  closingBatches,
  closingEmpty,
  closingFull,
  closingTwoPushers,
  createdWithSeats,
  creation,
  givesUpAlone,
  oneOfTwoPushersDies,
  popperDies,
  popTimesOut,
  pusherDies,
  retrying,
  retryingBatch,
  seats,
  trying,
  tryingBatches,
  twoBatchPoppers,
  twoBatchPushers,
  twoPoppers,
  twoPushers,
} from './programs.ts'

const one = { capacity: 1 }
const two = { capacity: 2 }
const four = { capacity: 4 }

/** Programs that hold, smallest first. In all but those where somebody dies each execution is one of a plain queue. */
export const counted: readonly Counted[] = [
  // A thread that comes too early, or in time, or between creation and its announcement.
  enumerated(3, attachWhileCreated(creation)),
  formula('one thread', 1, createdWithSeats()),

  // Nobody waits, but for those who are copying.
  enumerated(5, trying(one, 1)),
  enumerated(105, trying(one, 2)),
  enumerated(30, trying(two, 2)),
  enumerated(329, trying(two, 3)),
  enumerated(218, twoPushers(one, 1)),
  enumerated(56, twoPushers(two, 1)),
  enumerated(292, twoPushers(two, 2)),
  enumeratedOnce(1753, twoPoppers(two)),

  // Everybody waits.
  enumerated(9, blocking(one, 1)),
  enumerated(934, blocking(one, 2)),
  enumeratedOnce(1855, blocking(two, 3)),
  enumeratedOnce(1674, blocking(one, 2, 1)),
  enumerated(22, blocking(one, 1, 0, { spurious: true })),
  enumeratedOnce(934, retrying(one, 2)),
  enumeratedOnce(13_932, blockingPoppers(two)),
  enumeratedOnce(812, blockingPushers(two)),

  // Batches, of two items.
  formula('one thread', 1, batchesAlone(two)),
  enumerated(12, twoBatchPushers(two)),
  enumerated(8, twoBatchPushers(four)),
  enumeratedOnce(2327, twoBatchPoppers(two)),
  enumeratedOnce(294, batchAndSingle(two)),
  enumerated(102, batchAndSingle(four)),
  enumerated(9, tryingBatches(two, 1)),
  enumeratedOnce(389, tryingBatches(two, 2)),
  enumeratedOnce(1361, blockingBatches(one, 2)),
  enumerated(248, closingBatches(two, 2)),
  enumerated(14, closingBatch(one)),
  enumerated(20, retryingBatch(two)),
  enumerated(109, retryingBatch(one)),

  // Time-outs.
  formula('one thread', 1, givesUpAlone()),
  formula('one thread', 1, givesUpAlone(1)),
  enumerated(19, popTimesOut()),
  formula('one thread', 1, batchGivesUpAlone()),

  // The end.
  enumerated(146, closing(one, 1)),
  enumerated(13, closingFull(one)),
  enumerated(14, closingFull(two)),
  enumerated(333, closingTwoPushers(one)),
  enumerated(116, closingEmpty(one)),

  // Threads die.
  enumerated(112, seats()),
  enumerated(246, popperDies(one, 2)),
  enumerated(386, popperDies(one, 3)),
  enumerated(602, popperDies(two, 3)),
  enumerated(80, pusherDies(one, ['tryPop', 'tryPop'])),
  enumerated(132, pusherDies(two, ['tryPush', 'tryPop'])),
  enumerated(160, pusherDies(one, ['tryPush', 'tryPush'])),
  enumerated(132, pusherDies(two, ['push', 'pop'])),
  enumeratedOnce(5021, oneOfTwoPushersDies(two)),
  enumerated(177, batchPusherDies(two, ['tryPop', 'tryPop'])),
  enumerated(83, batchPusherDies(two, ['tryPopBatch'])),
  enumerated(263, batchPusherDies(two, ['tryPush', 'tryPop'])),
  enumeratedOnce(504, batchPopperDies(two)),

  // Where positions wrap, and where they change their sign: the counts of the same programs that start at 0.
  ...[belowWrap, belowSignChange].flatMap((start) => [
    enumerated(30, trying({ ...two, start }, 2)),
    enumerated(56, twoPushers({ ...two, start }, 1)),
    enumerated(12, twoBatchPushers({ ...two, start })),
    enumerated(9, tryingBatches({ ...two, start }, 1)),
    enumerated(177, batchPusherDies({ ...two, start }, ['tryPop', 'tryPop'])),
    enumeratedOnce(934, blocking({ ...one, start }, 2)),
    enumerated(146, closing({ ...one, start }, 1)),
    enumerated(132, pusherDies({ ...two, start }, ['tryPush', 'tryPop'])),
  ]),
]

/** All checks of the work ring: programs that hold, mistakes that are refuted, mistakes that change nothing. */
export const checks: readonly Check[] = [
  ...counted.map(({ program, executions }): Check => ({ program, expect: { verdict: 'holds', executions } })),
  ...mutants,
  ...equivalents.map(({ check }) => check),
]
