import type { Check } from '../../checker/check.ts'
import { type Counted, enumerated, enumeratedOnce, formula } from '../counted.ts'
import { attachWhileCreated } from '../creation.ts'
import { equivalents, mutants } from './mutants.ts'
import {
  batchAtOnce,
  batches,
  belowSignChange,
  belowWrap,
  blocking,
  claiming,
  claimingAll,
  closedSink,
  creation,
  givesUpAlone,
  joining,
  oneSink,
  popTimesOut,
  readerDies,
  retrying,
  type Shape,
  skipping,
  trying,
  visible,
  waiting,
  writerDies,
  writerReplaced,
} from './programs.ts'

const one = (start = 0): Shape => ({ capacity: 1, start })
const two = (start = 0): Shape => ({ capacity: 2, start })
const blocks = (start = 0): Shape => ({ capacity: 4, block: 2, start })

/** Programs that hold, smallest first. */
export const counted: readonly Counted[] = [
  // Handing out and joining: of two that compare and exchange 0 for something, one wins. A thread that comes too early, or in
  // time, or between creation and its announcement: 3.
  formula('N winners, N = 2', 2, oneSink()),
  enumerated(9, oneSink({ kill: ['first'] })),
  formula('one thread', 1, closedSink()),
  enumerated(3, attachWhileCreated(creation)),

  // Nobody waits. Each try is two looks and a read-modify-write of a block.
  enumerated(3, trying(one(), 1, 1)),
  enumerated(11, trying(one(), 2, 1)),
  enumerated(20, trying(one(), 2, 2)),
  enumerated(98, trying(one(), 3, 2)),
  enumerated(9, trying(two(), 2, 2)),
  enumerated(30, trying(two(), 3, 2)),
  enumerated(79, trying(two(), 4, 2)),
  enumerated(13, trying(one(), 1, 1, 2)),
  enumerated(237, trying(one(), 2, 1, 2)),
  enumerated(72, trying(blocks(), 5, 2)),

  // Batches and claims.
  enumerated(32, batches(two(), 4, 2, 2)),
  enumerated(17, batches(blocks(), 6, 3, 2)),
  enumerated(34, batchAtOnce(two(), 1, 2)),
  enumerated(22, batchAtOnce(blocks(), 1, 3)),
  enumerated(3, claiming(two(), 1, 0)),
  enumerated(28, claiming(two(), 2, 2)),
  enumerated(46, claiming(blocks(), 3, 3)),
  enumerated(20, claimingAll(two(), 1, 2)),
  enumerated(48, claimingAll(blocks(), 2, 2)),

  // What is found by whom, and when.
  enumerated(7, visible(one(), 1)),
  enumerated(37, visible(one(), 2)),
  enumerated(63, visible(two(), 3)),
  enumerated(11, joining(one(), 2, 'latest')),
  enumerated(16, joining(one(), 2, 'oldest')),
  enumerated(33, joining(two(), 3, 'oldest')),
  enumerated(136, joining(blocks(), 5, 'oldest')),
  enumerated(37, skipping(one(), 2)),
  enumerated(65, skipping(two(), 3)),

  // Readers wait.
  enumerated(44, blocking(one(), 1)),
  enumerated(482, blocking(one(), 2)),
  enumerated(272, blocking(two(), 2)),
  enumeratedOnce(2186, blocking(two(), 3)),
  enumerated(60, blocking(one(), 1, { spins: 1 })),
  enumerated(8, waiting(one(), 1, 1, 1)),
  enumerated(121, blocking(one(), 1, { faults: { spurious: true } })),
  enumerated(7, waiting(one(), 1)),
  enumeratedOnce(218, waiting(one(), 1, 2)),
  enumerated(51, waiting(two(), 2)),
  enumeratedOnce(461, waiting(two(), 3)),
  enumerated(44, retrying(one(), 1)),
  enumerated(272, retrying(two(), 2)),

  // Time-outs.
  enumerated(13, popTimesOut(one())),
  enumerated(13, popTimesOut(one(), true)),
  formula('one thread', 1, givesUpAlone()),
  formula('one thread', 1, givesUpAlone(1)),

  // Threads die, and others take their place.
  enumerated(224, readerDies(one(), 1, 0)),
  enumeratedOnce(1848, readerDies(one(), 2, 0)),
  enumeratedOnce(2196, readerDies(one(), 1, 1)),
  enumerated(123, writerDies(one(), 1)),
  enumeratedOnce(819, writerDies(one(), 2)),
  enumeratedOnce(459, writerDies(two(), 2)),
  enumerated(116, writerReplaced(one(), 2, 1)),
  enumerated(50, writerReplaced(two(), 2, 1)),
  enumerated(77, writerReplaced(blocks(), 3, 1)),

  // Where positions wrap, and where they change their sign.
  ...[belowWrap, belowSignChange].flatMap((start) => [
    enumerated(143, visible(one(start), 2)),
    enumerated(40, joining(one(start), 2, 'latest')),
    enumerated(82, trying(one(start), 2, 2)),
    enumerated(134, trying(two(start), 3, 2)),
    enumerated(127, joining(two(start), 3, 'oldest')),
    enumeratedOnce(1469, blocking(one(start), 2)),
    enumeratedOnce(515, writerReplaced(one(start), 2, 1)),
  ]),
]

/** All checks of the lossy ring: programs that hold, mistakes that are refuted, mistakes that change nothing. */
export const checks: readonly Check[] = [
  ...counted.map(({ program, executions }): Check => ({ program, expect: { verdict: 'holds', executions } })),
  ...mutants,
  ...equivalents.map(({ check }) => check),
]
