import type { Check } from '../../checker/check.ts'
import { type Counted, enumerated, enumeratedOnce } from '../counted.ts'
import { equivalents, mutants } from './mutants.ts'
import { dying, locking, passing, sharing, timesOut, wokenTooLate } from './programs.ts'

/**
 * Two items pass through a ring, and a work ring, for one: how one end waits, and the other, and the executions. (Both park in the
 * programs of these structures.)
 */
const passed = [
  ['park', 'yield', 28, 115],
  ['park', 'spin', 42, 245],
  ['yield', 'park', 78, 474],
  ['yield', 'yield', 15, 53],
  ['yield', 'spin', 27, 125],
  ['spin', 'park', 78, 456],
  ['spin', 'yield', 15, 45],
  ['spin', 'spin', 27, 125],
] as const

/** Programs that hold, smallest first. */
export const counted: readonly Counted[] = [
  // A lock that two want: who does not park has nothing to announce, and so there is one way less for each.
  enumerated(7, locking('park', 'yield')),
  enumerated(7, locking('yield', 'park')),
  enumerated(7, locking('park', 'spin')),
  enumerated(6, locking('yield', 'yield')),
  enumerated(6, locking('yield', 'spin')),
  enumerated(6, locking('spin', 'spin')),
  enumerated(814, locking('park', 'spin', 'park')),
  enumerated(996, locking('park', 'yield', 'park')),

  ...passed.flatMap(([giver, taker, ring, workRing]) => [
    enumerated(ring, passing(2, giver, taker)),
    enumerated(workRing, sharing(2, giver, taker)),
  ]),
  enumerated(50, passing(1, 'park', 'park', 'yield')),
  enumerated(50, passing(1, 'yield', 'park', 'yield')),
  enumerated(9, passing(1, 'spin', 'yield', 'spin')),

  enumerated(10, timesOut('yield')),
  enumerated(11, timesOut('spin')),
  enumerated(351, wokenTooLate(1)),
  enumeratedOnce(9616, wokenTooLate(2)),

  enumerated(36, dying('yield')),
  enumerated(36, dying('spin')),
]

/** All checks of the ways to wait: programs that hold, mistakes that are refuted, mistakes that change nothing. */
export const checks: readonly Check[] = [
  ...counted.map(({ program, executions }): Check => ({ program, expect: { verdict: 'holds', executions } })),
  ...mutants,
  ...equivalents.map(({ check }) => check),
]
