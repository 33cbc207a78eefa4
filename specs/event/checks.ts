import type { Check } from '../../checker/check.ts'
import { type Counted, enumerated, formula } from '../counted.ts'
import { attachWhileCreated } from '../creation.ts'
import { equivalents, mutants } from './mutants.ts'
import {
  belowSignChange,
  belowWrap,
  changing,
  creation,
  dying,
  givesUpAlone,
  pulsing,
  setting,
  settingPlainly,
  timesOut,
} from './programs.ts'

/** Programs that hold, smallest first. */
export const counted: readonly Counted[] = [
  // A thread that comes too early, or in time, or between creation and its announcement.
  enumerated(3, attachWhileCreated(creation)),

  enumerated(6, setting(1)),
  enumerated(7, setting(1, { spins: 1 })),
  enumerated(12, setting(1, { spurious: true })),
  enumerated(68, setting(2)),
  enumerated(16, settingPlainly()),
  enumerated(20, changing()),
  enumerated(10, pulsing()),

  // Time-outs, and a setter that may die before it sets, before it notifies, or before it resets.
  enumerated(12, timesOut()),
  enumerated(27, timesOut({ pulse: true })),
  enumerated(25, timesOut({ mortal: true })),
  enumerated(64, timesOut({ pulse: true, mortal: true })),
  formula('one thread', 1, givesUpAlone()),
  enumerated(48, dying()),

  // Where the count wraps, and where the word changes its sign: the counts of the same programs that start at 0.
  ...[belowWrap, belowSignChange].flatMap((start) => [
    enumerated(6, setting(1, { start })),
    enumerated(20, changing(start)),
    enumerated(27, timesOut({ pulse: true, start })),
    enumerated(10, pulsing(start)),
  ]),
]

/** All checks of the event: programs that hold, mistakes that are refuted, mistakes that change nothing. */
export const checks: readonly Check[] = [
  ...counted.map(({ program, executions }): Check => ({ program, expect: { verdict: 'holds', executions } })),
  ...mutants,
  ...equivalents.map(({ check }) => check),
]
