import type { Check } from '../../checker/check.ts'
import { type Counted, enumerated, enumeratedOnce, formula } from '../counted.ts'
import { attachWhileCreated } from '../creation.ts'
import { equivalents, mutants } from './mutants.ts'
import {
  abandoning,
  creation,
  dying,
  dyingWhileWaiting,
  givesUpAlone,
  locking,
  timesOut,
  trying,
  waitingForASeat,
  writerWaits,
} from './programs.ts'

/** Programs that hold, smallest first. */
export const counted: readonly Counted[] = [
  // A thread that comes too early, or in time, or between creation and its announcement.
  enumerated(3, attachWhileCreated(creation)),

  enumerated(20, locking(1, 1, 1)),
  enumerated(30, locking(1, 1, 1, { spins: 1 })),
  enumerated(20, locking(1, 1, 1, { plain: true })),
  enumerated(56, locking(1, 1, 1, { spurious: true })),
  enumerated(20, locking(1, 1, 2)),
  enumerated(8, locking(0, 2, 1)),
  enumeratedOnce(9612, locking(2, 1, 2)),
  enumerated(8, waitingForASeat()),
  enumerated(10, waitingForASeat(1)),
  enumerated(7, trying(1, 1, 1)),
  enumerated(54, trying(1, 2, 1)),
  enumerated(106, trying(2, 1, 2)),
  enumeratedOnce(2307, writerWaits()),

  // Time-outs.
  enumerated(30, timesOut('reading', 'writing')),
  enumerated(35, timesOut('writing', 'reading')),
  enumerated(11, timesOut('writing', 'writing')),
  ...([1, 2] as const).map((seats) => formula('one thread', 1, givesUpAlone(seats))),
  formula('one thread', 1, abandoning()),

  // Threads that may die: before each of their operations, and so also before they have locked, and after they have unlocked.
  enumerated(117, dying('Wr', 1)),
  enumerated(101, dying('Rw', 1)),
  enumerated(55, dying('Ww', 1)),
  enumerated(35, dying('Rr', 1)),
  enumerated(997, dying('WR', 1, 2)),
  enumeratedOnce(12_987, dying('Wrw', 1)),
  enumerated(140, dyingWhileWaiting('reading', 'writing')),
  enumerated(100, dyingWhileWaiting('writing', 'reading')),
  enumerated(42, dyingWhileWaiting('writing', 'writing')),
]

/** All checks of the read-write lock: programs that hold, mistakes that are refuted, mistakes that change nothing. */
export const checks: readonly Check[] = [
  ...counted.map(({ program, executions }): Check => ({ program, expect: { verdict: 'holds', executions } })),
  ...mutants,
  ...equivalents.map(({ check }) => check),
]
