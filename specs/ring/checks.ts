import type { Check } from '../../checker/check.ts'
import { type Counted, choose, enumerated, enumeratedOnce, formula, smaller } from '../counted.ts'
import { gateMutants } from './gate-mutants.ts'
import { gated, gatedTried, gateJoinedTried, gateReplacedTried } from './gate-programs.ts'
import { joinMutants } from './join-mutants.ts'
import { claimantReplacedJoined, joiningFrom, joiningFromTried, keepingTried, skipping } from './join-programs.ts'
import { lifeMutants } from './life-mutants.ts'
import {
  claimantReplacedTried,
  closing,
  closingTried,
  joinerReplacedTried,
  joining,
  joiningTried,
  leaving,
  oneSinkLeft,
  readerDies,
  readerDiesTried,
  readerReplaced,
  readerReplacedTried,
  rejoining,
  rejoiningTried,
  writerDies,
  writerDiesTried,
  writerReplaced,
} from './life-programs.ts'
import { equivalents, mutants } from './mutants.ts'
import {
  advanceOnly,
  attachWhileCreated,
  batchAtOnce,
  belowSignChange,
  belowWrap,
  blocking,
  blockingBatches,
  claimGivesUpAlone,
  claiming,
  claimingBlocks,
  claimsUnseen,
  givesUpAlone,
  inPlace,
  inPlaceBlocking,
  oneSink,
  popTimesOut,
  pushTimesOut,
  retrying,
  type Shape,
  splitBatch,
  spurious,
  trying,
  twoSources,
  visible,
  zeroTimeOut,
} from './programs.ts'

const one = (capacity: number, start = 0): Shape => ({ capacity, readers: 1, start })
const two = (capacity: number, start = 0): Shape => ({ capacity, readers: 2, start })

/** Programs that hold, smallest first. */
export const counted: readonly Counted[] = [
  // Handing out and joining. N threads that compare-and-exchange 0 for something: N executions, one for each winner; where
  // losers go on to the next word, N!. A thread that comes too early, or in time, or between creation and its announcement: 3.
  formula('N winners, N = 2', 2, oneSink()),
  formula('N!, N = 3', 6, twoSources()),
  enumerated(3, attachWhileCreated()),

  // Nobody waits. With one slot every try looks at the other's position, and tries follow one another as if each were one
  // step: C(2m, m) ways for m tries each. With two slots each side knows of room that it need not look for: 28 ways for
  // m = 3 where a ring that looks at every try has 44 (2, 9, 44, 225 ...: `measurements.md` of the design).
  ...[1, 2, 3, 4].map((m) => formula(`C(2m, m), m = ${m}`, choose(2 * m, m), trying(one(1), m))),
  enumerated(2, trying(one(2), 1)),
  enumerated(6, trying(one(2), 2)),
  enumerated(28, trying(one(2), 3)),
  enumerated(128, trying(one(2), 4)),
  enumerated(605, trying(one(2), 5)),
  enumerated(30, trying(two(1), 2)),
  enumerated(260, trying(two(1), 3)),
  enumerated(36, trying(two(2), 2)),
  enumerated(686, trying(two(2), 3)),
  enumerated(6, advanceOnly(one(1), 2)),
  enumerated(36, advanceOnly(two(2), 2)),
  formula('2^N, N = 1 reader', 2, advanceOnly(one(2), 1)),
  formula('2^N, N = 2 readers', 4, advanceOnly(two(1), 1)),
  enumerated(3, inPlace(one(2), 1)),
  enumerated(13, inPlace(one(2), 3)),
  enumerated(149, inPlace(two(2), 3)),
  enumerated(16, visible(one(1))),
  enumerated(26, visible(one(2))),
  enumerated(373, visible(two(1))),

  // Batches. N readers that look twice at a position that moves once: 3^N. A batch that fits is one publication, so that
  // batches count as so many single items in a ring of so much less capacity.
  formula('3^N, N = 1', 3, batchAtOnce(one(2))),
  formula('3^N, N = 2', 9, batchAtOnce(two(2))),
  formula('3^N, N = 1', 3, batchAtOnce(one(2, 1))),
  enumerated(110, blockingBatches(one(1), 2)),
  enumerated(110, blockingBatches(one(2), 3)),
  enumerated(68, blockingBatches(two(2), 2)),
  enumerated(904, splitBatch(one(2))),

  // Claims are the writer's own. Claimed or not, items are published alike, so that blocks count as batches do. A reader that
  // looks twice at a position that moves once: 3, as for batches.
  formula('3^N, N = 1', 3, claimsUnseen(one(2))),
  enumerated(44, claiming(one(1), 3)),
  enumerated(12, claiming(one(2), 2)),
  enumerated(87, claiming(one(2), 3)),
  enumerated(144, claiming(two(2), 2)),
  enumerated(110, claimingBlocks(one(2), 3)),
  enumerated(68, claimingBlocks(two(2), 2)),

  // Everybody waits.
  enumerated(6, blocking(one(1), 1)),
  enumerated(110, blocking(one(1), 2)),
  enumeratedOnce(1934, blocking(one(1), 3)),
  enumerated(904, blocking(one(2), 3)),
  enumeratedOnce(12_639, blocking(one(2), 4)),
  enumerated(68, blocking(two(1), 1)),
  enumeratedOnce(1404, blocking(two(1), 2, {}, [1, 1])),
  enumeratedOnce(7817, blocking(two(2), 3, {}, [1, 1])),
  enumeratedOnce(9980, blocking(two(1), 2, {}, [2, 1])),
  smaller(blocking(two(1), 1), 78_012, blocking(two(1), 2)),
  enumeratedOnce(11_229, blocking(two(2), 2)),
  enumerated(110, inPlaceBlocking(one(1), 2)),
  enumerated(39, inPlaceBlocking(one(2), 2)),
  enumerated(68, inPlaceBlocking(two(1), 1)),
  // On an event loop a call that would sleep is made again: the same steps.
  enumerated(110, retrying(one(1), 2)),
  enumerated(904, retrying(one(2), 3)),
  enumerated(68, retrying(two(1), 1)),
  enumerated(193, blocking(one(1), 2, { spins: 1 })),
  enumerated(141, blocking(two(1), 1, { spins: 1 })),
  enumerated(527, spurious(one(1), 2)),
  enumerated(296, spurious(two(1), 1)),

  // Time-outs.
  enumerated(12, popTimesOut(one(1))),
  enumerated(12, popTimesOut(one(1), true)),
  enumerated(13, pushTimesOut(one(1))),
  enumerated(13, pushTimesOut(one(1), true)),
  enumerated(13, pushTimesOut(one(2))),
  formula('one thread', 1, zeroTimeOut()),
  formula('one thread', 1, givesUpAlone()),
  formula('one thread', 1, givesUpAlone(1)),
  formula('one thread', 1, claimGivesUpAlone()),

  // Ends close, leave and join. N readers that look for the end by themselves: the N-th power of what one does.
  enumerated(39, closing(one(1), 1)),
  enumerated(694, closing(one(1), 2)),
  enumeratedOnce(11_229, closing(two(1), 1)),
  enumerated(113, closing(one(1), 1, { spurious: true })),
  enumerated(30, closingTried(one(2), 2, 2)),
  enumerated(70, closingTried(one(2), 2, 3)),
  formula('x^N, x = 30 for one reader, N = 2', 900, closingTried(two(2), 2, 2)),
  enumerated(7, leaving(one(1), 2, 0)),
  enumerated(65, leaving(one(1), 2, 1)),
  enumerated(110, joining(one(1), 1)),
  enumeratedOnce(2044, joining(one(1), 2)),
  enumerated(106, joiningTried(one(1), 3)),
  enumerated(396, joiningTried(one(2), 5)),
  enumerated(192, rejoining(one(1), 1)),
  enumeratedOnce(23_056, rejoining(one(1), 2)),
  enumerated(88, rejoiningTried(one(1), 2)),
  enumerated(221, rejoiningTried(one(1), 3)),

  // Readers say where they begin.
  enumeratedOnce(1894, joiningFrom(one(1), 2, 'oldest')),
  enumeratedOnce(19_806, joiningFrom(one(2), 3, 'oldest')),
  enumerated(59, joiningFromTried(one(1), 3, 'oldest')),
  enumerated(60, joiningFromTried(one(2), 4, 'oldest')),
  enumerated(25, joiningFromTried(one(2), 2, 'oldest', 2)),
  enumerated(45, joiningFromTried(one(1), 3, 1)),
  enumerated(51, joiningFromTried(one(2), 3, 1)),
  enumerated(12, keepingTried(one(1), 2)),
  enumerated(15, keepingTried(one(2), 3)),
  enumeratedOnce(2643, skipping(one(1), 2)),

  // Readers stand behind readers.
  enumerated(298, gated(two(1), 1)),
  enumerated(50, gated(two(1), 1, 0)),
  smaller(gated(two(1), 1, 0), 20_681, gated(two(2), 2, 1)),
  enumerated(105, gatedTried(two(1), 1)),
  enumerated(350, gatedTried(two(2), 2)),
  enumeratedOnce(791, gatedTried({ capacity: 1, readers: 3 }, 1)),
  enumerated(659, gatedTried(two(1), 1, { kill: ['reader0'] })),
  enumeratedOnce(1654, gateReplacedTried(two(1), 1)),
  enumerated(410, gateJoinedTried(two(1), 1)),

  // Ends die, and others take their place.
  enumerated(120, writerDies(one(1), 1)),
  enumerated(1204, writerDies(one(1), 2)),
  enumerated(52, writerDiesTried(one(1), 2)),
  enumerated(34, writerDiesTried(one(2), 2)),
  smaller(writerDies(one(1), 1), 12_532, writerDies(two(1), 1)),
  enumerated(1006, writerDies(one(1), 1, { kill: ['writer', 'reader0'], kills: 2 })),
  enumeratedOnce(5849, writerReplaced(one(1), 1)),
  enumerated(254, readerDies(one(1), 1)),
  enumerated(2520, readerDies(one(1), 2)),
  smaller(readerDies(one(1), 2), 22_692, readerDies(one(1), 3)),
  enumerated(12, readerDiesTried(one(1), 1)),
  enumerated(23, readerDiesTried(one(1), 2)),
  enumerated(28, readerDiesTried(one(2), 3)),
  enumeratedOnce(2934, readerReplaced(one(1), 1)),
  enumerated(1943, readerReplacedTried(one(1), 2)),
  enumeratedOnce(10_241, readerReplacedTried(one(1), 3)),
  enumeratedOnce(4966, joinerReplacedTried(one(1), 2)),
  enumerated(785, joinerReplacedTried(one(2), 2)),
  enumerated(68, claimantReplacedTried(one(1))),
  enumerated(82, claimantReplacedTried(one(2))),
  enumerated(23, oneSinkLeft()),
  enumeratedOnce(2002, claimantReplacedJoined(one(2))),
  enumerated(890, readerReplacedTried(one(1), 2, 'oldest')),
  enumerated(284, joinerReplacedTried(one(2), 2, 'oldest')),

  // Where positions wrap, and where they change their sign: the counts of the same programs that start at 0.
  ...[belowWrap, belowSignChange].flatMap((start) => [
    formula('C(2m, m), m = 3', choose(6, 3), trying(one(1, start), 3)),
    enumerated(128, trying(one(2, start), 4)),
    enumerated(36, trying(two(2, start), 2)),
    enumerated(13, inPlace(one(2, start), 3)),
    enumerated(904, splitBatch(one(2, start))),
    enumerated(87, claiming(one(2, start), 3)),
    enumerated(110, blocking(one(1, start), 2)),
    enumerated(904, blocking(one(2, start), 3)),
    enumerated(68, blocking(two(1, start), 1)),
    enumerated(39, closing(one(1, start), 1)),
    enumerated(110, joining(one(1, start), 1)),
    enumerated(106, joiningTried(one(1, start), 3)),
    enumerated(59, joiningFromTried(one(1, start), 3, 'oldest')),
    enumerated(51, joiningFromTried(one(2, start), 3, 1)),
    enumerated(120, writerDies(one(1, start), 1)),
    enumerated(23, readerDiesTried(one(1, start), 2)),
    enumeratedOnce(1943, readerReplacedTried(one(1, start), 2)),
  ]),
]

/** All checks of the ring: programs that hold, mistakes that are refuted, mistakes that change nothing. */
export const checks: readonly Check[] = [
  ...counted.map(({ program, executions }): Check => ({ program, expect: { verdict: 'holds', executions } })),
  ...mutants,
  ...lifeMutants,
  ...joinMutants,
  ...gateMutants,
  ...equivalents.map(({ check }) => check),
]
