import type { Check } from '../../checker/check.ts'
import { type Counted, enumerated, enumeratedOnce, formula, smaller } from '../counted.ts'
import { attachWhileCreated } from '../creation.ts'
import { equivalents, mutants } from './mutants.ts'
import { belowWrap, comingAndGoing, creation, dying, givesUpAlone, meeting, timesOut } from './programs.ts'

/** Programs that hold, smallest first. */
export const counted: readonly Counted[] = [
  // A thread that comes too early, or in time, or between creation and its announcement.
  enumerated(3, attachWhileCreated(creation)),

  enumerated(24, meeting(2, 1)),
  enumerated(28, meeting(2, 1, { spins: 1 })),
  enumerated(24, meeting(2, 1, { plain: true })),
  enumerated(48, meeting(2, 1, { spurious: true })),
  enumeratedOnce(2064, meeting(2, 2)),
  enumerated(16, comingAndGoing(2)),
  enumerated(1056, comingAndGoing(3)),

  // Time-outs, and a thread that may die before it comes, while it waits, or before it notifies.
  enumerated(64, timesOut(2)),
  enumerated(175, timesOut(2, true)),
  formula('one thread', 1, givesUpAlone()),
  enumerated(325, dying()),

  // Where the count wraps: the counts of the same programs that start at 0. (Three do not divide the range of the word.)
  enumerated(24, meeting(2, 1, { start: belowWrap(2) })),
  enumerated(1056, comingAndGoing(3, belowWrap(2))),
  smaller(meeting(2, 1, { start: belowWrap(2) }), 10_560, meeting(3, 1, { start: belowWrap(3) })),
]

/** All checks of the barrier: programs that hold, mistakes that are refuted, mistakes that change nothing. */
export const checks: readonly Check[] = [
  ...counted.map(({ program, executions }): Check => ({ program, expect: { verdict: 'holds', executions } })),
  ...mutants,
  ...equivalents.map(({ check }) => check),
]
