import type { Check } from '../../checker/check.ts'
import { type Counted, enumerated, enumeratedOnce, formula } from '../counted.ts'
import { attachWhileCreated } from '../creation.ts'
import {
  bothSinksDie,
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
import { equivalents, mutants } from './mutants.ts'
import {
  aborting,
  batching,
  belowSignChange,
  belowWrap,
  blocking,
  blockingLong,
  blockingSinks,
  claiming,
  closing,
  closingBoth,
  closingClaimed,
  creation,
  fitting,
  givesUpAlone,
  popTimesOut,
  refusing,
  retrying,
  trying,
  tryingBatch,
  tryingLong,
  twoSinks,
} from './programs.ts'

const one = { slots: 1 }
const two = { slots: 2 }
const four = { slots: 4 }

/**
 * Programs that hold, smallest first. In all but those where somebody dies each execution is one of a plain queue. `cases.ts` says
 * where the cases are that are known from others' rings.
 */
export const counted: readonly Counted[] = [
  // A thread that comes too early, or in time, or between creation and its announcement.
  enumerated(3, attachWhileCreated(creation)),
  formula('one thread', 1, createdWithSeats()),

  // Nobody waits.
  enumerated(2, trying(one, 1)),
  enumerated(6, trying(one, 2)),
  enumerated(4, trying(two, 2)),
  enumerated(15, trying(two, 3)),
  enumerated(14, twoSinks(one, 1)),
  enumerated(12, twoSinks(two, 1)),
  enumerated(28, twoSinks(two, 2)),

  // Longer records, and padding where they do not fit before the end.
  enumerated(7, tryingLong(four)),
  enumerated(7, tryingLong({ ...four, start: 1 })),
  enumerated(7, tryingLong({ ...four, start: 2 })),

  // Records that fit to the last byte, those that are a byte over, and those without any.
  enumerated(6, fitting(one, ['tryPushEmpty', 'tryPushEmpty'], 2)),
  enumerated(7, fitting(two, ['tryPushEmpty', 'tryPushExact', 'tryPushEmpty'], 2)),
  enumerated(7, fitting(two, ['tryPushExact', 'tryPushExact', 'tryPushExact'], 2)),
  enumerated(7, fitting(four, ['tryPushOver', 'tryPushExact', 'tryPushOver'], 2)),
  enumerated(7, fitting(four, ['tryPushExactLong', 'tryPushExactLong', 'tryPushEmpty'], 2)),
  enumerated(7, fitting({ ...four, start: 1 }, ['tryPushExactLong', 'tryPushExact', 'tryPushExactLong'], 2)),
  enumerated(9, fitting({ ...four, start: 3 }, ['tryPushExactLong', 'tryPushExact', 'tryPushEmpty'], 2)),
  enumerated(7, fitting({ ...four, start: 3 }, ['tryPushEmpty', 'tryPushOver', 'tryPushExactLong'], 2)),

  // Room is claimed first, and filled or given back later.
  enumerated(12, claiming(two, 'commit', 1)),
  enumerated(28, claiming(two, 'commit', 2)),
  enumerated(16, claiming(two, 'abort', 1)),
  enumerated(36, claiming(two, 'abort', 2)),
  enumerated(18, claiming({ ...four, start: 3 }, 'abort', 1, 'tryClaimLong')),
  enumerated(8, aborting(one)),

  // Batches.
  enumerated(8, tryingBatch(two)),
  enumerated(5, tryingBatch(four)),
  enumerated(12, batching(four)),
  enumerated(12, batching({ ...four, start: 3 })),

  // Everybody waits.
  enumerated(4, blocking(one, 1)),
  enumerated(75, blocking(one, 2)),
  enumerated(276, blocking(two, 3)),
  enumerated(139, blocking(one, 2, 1)),
  enumerated(7, blocking(one, 1, 0, true)),
  enumerated(75, retrying(one, 2)),
  enumeratedOnce(520, blockingSinks(one)),
  enumerated(128, blockingSinks(two)),

  enumerated(128, blockingLong(four)),
  enumerated(160, blockingLong({ ...four, start: 3 })),

  // Time-outs.
  formula('one thread', 1, givesUpAlone()),
  formula('one thread', 1, givesUpAlone(1)),
  enumerated(7, popTimesOut()),

  // The end.
  enumerated(20, closing(one, 0)),
  enumerated(127, closing(one, 1)),
  enumeratedOnce(2411, closing(one, 2)),
  enumeratedOnce(4081, closingBoth(one)),
  enumerated(123, closingClaimed(one)),
  enumerated(37, joiningAtEnd()),
  enumerated(10, refusing(one)),
  enumerated(12, refusing(two)),

  // Sinks die.
  enumerated(29, sinkDies(one, 'tryPush', ['tryPop', 'tryPop'])),
  enumerated(29, sinkDies(two, 'tryBatch', ['tryPop', 'tryPop'])),
  enumerated(16, sinkDies({ ...four, start: 3 }, 'tryPushLong', ['tryPop'])),
  enumerated(172, oneSinkDies(one, 'tryPush', ['tryPush'], ['tryPop'])),
  enumeratedOnce(286, oneSinkDies(two, 'tryPush', ['tryPush'], ['tryPop'])),
  enumeratedOnce(294, oneSinkDies({ ...four, start: 3 }, 'tryPushLong', ['tryPush'], ['tryPop'])),
  enumeratedOnce(1149, oneSinkDies(one, 'tryPush', ['push'], ['pop'])),
  enumeratedOnce(1094, bothSinksDie(two, ['tryPush', 'tryPush'])),
  enumeratedOnce(1094, bothSinksDie(four, ['tryPushLong', 'tryPush'])),
  enumeratedOnce(127, holding()),
  enumerated(46, seatOfDead(two)),
  enumerated(72, seats()),
  enumeratedOnce(1195, closingDies({ doomed: ['push', 'close'], source: [] })),
  enumeratedOnce(2543, closingDies({ doomed: ['close'], other: ['close'], source: [] })),

  // The source dies.
  enumerated(23, oneSource()),
  enumerated(158, sourceDies(two, ['tryPush', 'tryPush'], ['tryPop'])),
  enumerated(97, sourceDies(one, ['tryPush', 'tryPush'], ['tryPop'])),
  enumerated(61, sourceDies(two, ['tryBatch'], ['tryPop'])),
  enumerated(61, sourceDies(two, ['tryBatch'], ['tryTwo'], 2)),
  enumerated(97, sourceDies(two, ['tryBatch', 'tryPush'], ['tryTwo'], 2)),

  // Where positions wrap, and where they change their sign; there an era ends, too, which costs one operation more.
  formula('one thread', 1, idleForLong()),
  ...[belowWrap, belowSignChange].flatMap((start) => [
    enumerated(46, trying({ ...two, start }, 3)),
    enumerated(33, tryingLong({ ...four, start })),
    enumerated(64, twoSinks({ ...two, start }, 2)),
    enumerated(139, blocking({ ...one, start }, 2)),
    enumeratedOnce(418, oneSinkDies({ ...two, start }, 'tryPush', ['tryPush'], ['tryPop'])),
    enumerated(252, sourceDies({ ...two, start }, ['tryPush', 'tryPush'], ['tryPop'])),
  ]),
]

/** All checks of the record ring: programs that hold, mistakes that are refuted, mistakes that change nothing. */
export const checks: readonly Check[] = [
  ...counted.map(({ program, executions }): Check => ({ program, expect: { verdict: 'holds', executions } })),
  ...mutants,
  ...equivalents.map(({ check }) => check),
]
