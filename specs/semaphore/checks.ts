import type { Check } from '../../checker/check.ts'
import { type Counted, enumerated, formula } from '../counted.ts'
import { attachWhileCreated } from '../creation.ts'
import { equivalents, mutants } from './mutants.ts'
import { creation, dying, givesUpAlone, givingTooMany, handing, sharing, timesOut, trying, wantingMore } from './programs.ts'

/** Programs that hold, smallest first. */
export const counted: readonly Counted[] = [
  // A thread that comes too early, or in time, or between creation and its announcement.
  enumerated(3, attachWhileCreated(creation)),

  enumerated(6, handing()),
  enumerated(7, handing(1)),
  enumerated(12, handing(0, true)),
  enumerated(64, sharing(2, 1)),
  enumerated(1824, sharing(3, 2)),
  enumerated(328, wantingMore()),
  enumerated(14, trying(2)),
  enumerated(507, trying(3)),
  enumerated(4, givingTooMany()),

  // Time-outs, and a giver that may die before it gives, or before it notifies.
  enumerated(12, timesOut()),
  enumerated(25, timesOut(true)),
  formula('one thread', 1, givesUpAlone()),
  enumerated(180, dying()),
]

/** All checks of the semaphore: programs that hold, mistakes that are refuted, mistakes that change nothing. */
export const checks: readonly Check[] = [
  ...counted.map(({ program, executions }): Check => ({ program, expect: { verdict: 'holds', executions } })),
  ...mutants,
  ...equivalents.map(({ check }) => check),
]
