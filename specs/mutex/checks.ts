import type { Check } from '../../checker/check.ts'
import { type Counted, enumerated, enumeratedOnce, formula, smaller } from '../counted.ts'
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
  wokenTooLate,
} from './programs.ts'

/** Programs that hold, smallest first. */
export const counted: readonly Counted[] = [
  // A thread that comes too early, or in time, or between creation and its announcement.
  enumerated(3, attachWhileCreated(creation)),

  enumerated(8, locking(2, 1)),
  enumerated(10, locking(2, 1, { spins: 1 })),
  enumerated(14, locking(2, 1, { spurious: true })),
  enumerated(284, locking(2, 2)),
  enumerated(284, locking(2, 2, { plain: true })),
  enumeratedOnce(1260, locking(3, 1)),
  enumerated(4, trying(2, 1)),
  enumerated(26, trying(2, 2)),
  enumerated(21, trying(3, 1)),
  enumerated(8, abandoning()),

  // Time-outs.
  enumerated(11, timesOut()),
  enumeratedOnce(472, wokenTooLate(1)),
  smaller(wokenTooLate(1), 24_274, wokenTooLate(2)),
  ...([0, 1] as const).map((spins) => formula('one thread', 1, givesUpAlone(spins))),

  // Threads that may die: before each of their operations, and so also before they have locked, and after they have unlocked.
  enumerated(52, dying(2, ['first'], 1)),
  enumerated(98, dying(2, ['first', 'second'], 1)),
  enumerated(464, dying(2, ['first', 'second'], 2)),
  enumeratedOnce(2176, dying(3, ['first'], 1)),
  enumerated(58, dyingWhileWaiting()),
]

/** All checks of the mutex: programs that hold, mistakes that are refuted, mistakes that change nothing. */
export const checks: readonly Check[] = [
  ...counted.map(({ program, executions }): Check => ({ program, expect: { verdict: 'holds', executions } })),
  ...mutants,
  ...equivalents.map(({ check }) => check),
]
