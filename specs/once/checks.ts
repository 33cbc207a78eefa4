import type { Check } from '../../checker/check.ts'
import { type Counted, enumerated, enumeratedOnce, formula } from '../counted.ts'
import { attachWhileCreated } from '../creation.ts'
import { equivalents, mutants } from './mutants.ts'
import { creation, dying, givesUpAlone, running, throwing, timesOut, trying } from './programs.ts'

/** Programs that hold, smallest first. */
export const counted: readonly Counted[] = [
  // A thread that comes too early, or in time, or between creation and its announcement.
  enumerated(3, attachWhileCreated(creation)),

  enumerated(18, running(2)),
  enumerated(22, running(2, { spins: 1 })),
  enumerated(18, running(2, { plain: true })),
  enumerated(30, running(2, { spurious: true })),
  enumeratedOnce(567, running(3)),
  enumerated(18, trying(2)),
  enumerated(243, trying(3)),
  enumerated(18, throwing()),

  // Time-outs.
  enumerated(24, timesOut()),
  formula('one thread', 1, givesUpAlone()),

  // Threads that may die, wherever they are.
  enumerated(70, dying(2, ['first'], 1)),
  enumerated(633, dying(2, ['first', 'second'], 2)),
  enumeratedOnce(3050, dying(3, ['first'], 1)),
  enumerated(84, timesOut(true)),
]

/** All checks of the once: programs that hold, mistakes that are refuted, mistakes that change nothing. */
export const checks: readonly Check[] = [
  ...counted.map(({ program, executions }): Check => ({ program, expect: { verdict: 'holds', executions } })),
  ...mutants,
  ...equivalents.map(({ check }) => check),
]
