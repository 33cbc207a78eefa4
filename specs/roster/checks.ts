import type { Check } from '../../checker/check.ts'
import { type Counted, enumerated, formula } from '../counted.ts'
import { attachWhileCreated } from '../creation.ts'
import { equivalents, mutants } from './mutants.ts'
import { comingAndGoing, creation, entering, leaving, refusing, strikingTwice, usingUp } from './programs.ts'

/** Programs that hold, smallest first. */
export const counted: readonly Counted[] = [
  enumerated(3, attachWhileCreated(creation)),
  formula('one thread', 1, refusing()),
  enumerated(2, leaving(true)),
  enumerated(2, leaving(false)),
  enumerated(5, strikingTwice()),
  enumerated(8, usingUp()),
  enumerated(4, entering(2, 1)),
  enumerated(4, entering(2, 2)),
  enumerated(48, entering(3, 2)),
  enumerated(48, entering(3, 3)),
  enumerated(576, comingAndGoing()),
]

/** All checks of the roster: programs that hold, mistakes that are refuted, mistakes that change nothing. */
export const checks: readonly Check[] = [
  ...counted.map(({ program, executions }): Check => ({ program, expect: { verdict: 'holds', executions } })),
  ...mutants,
  ...equivalents.map(({ check }) => check),
]
