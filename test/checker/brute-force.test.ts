/**
 * The explorer against the oracle: the same executions, outcomes, races and deadlocks on thousands of random programs.
 *
 * `HEDDLE_PROGRAMS` sets how many, `HEDDLE_SEED` which. A mismatch is shrunk, and printed as a program to paste.
 */

import { describe, expect, it } from 'vitest'
import { oracle } from '../oracle/compare.ts'
import { profiles } from '../oracle/generate.ts'
import { disagreement, hunt, Tally } from '../oracle/hunt.ts'
import { seed } from '../seed.ts'

const programs = Number(process.env.HEDDLE_PROGRAMS ?? 4000)
/** Parts of them of each profile: chosen so that no kind of program below is rare. */
const parts = { atomics: 2, pauses: 5, waits: 5, plain: 7, guesses: 6, mixed: 5 } as const
const allParts = profiles.reduce((sum, profile) => sum + parts[profile], 0)

const tally = new Tally({
  'hold, and their executions are compared': ({ failures }) => failures.size === 0,
  'wait: some thread sleeps': ({ slept }) => slept,
  'pause: some thread parks': ({ parked }) => parked,
  'have a data race': ({ failures }) => failures.has('data-race'),
  'have a deadlock or a livelock': ({ failures }) => failures.has('deadlock') || failures.has('livelock'),
  'have a deadlock': ({ failures }) => failures.has('deadlock'),
  'have a livelock': ({ failures }) => failures.has('livelock'),
  'hold although some thread sleeps': ({ failures, slept }) => failures.size === 0 && slept,
  'hold although some thread parks': ({ failures, parked }) => failures.size === 0 && parked,
  'settle guesses as valid and hold': ({ failures, guessed }) => failures.size === 0 && guessed,
  'settle guesses as valid and have a data race': ({ failures, guessed }) => failures.has('data-race') && guessed,
  'hold and use plain data': ({ failures, plain }) => failures.size === 0 && plain,
})

describe(`the explorer agrees with brute force (HEDDLE_SEED=${seed}, HEDDLE_PROGRAMS=${programs})`, () => {
  it.each(profiles)('on random programs of profile %s', { timeout: 600_000 }, (profile) => {
    hunt(profile, Math.ceil((programs * parts[profile]) / allParts), (sketch) => {
      const truth = oracle(sketch)
      tally.count(truth)
      return disagreement(sketch, truth)
    })
  })

  it('on programs of every kind', () => {
    console.info(`programs, seed ${seed}:\n${tally}`)
    // Of few programs the shares are left to chance.
    if (programs < 1000) return
    for (const [kind, share] of tally.shares) expect(share, kind).toBeGreaterThan(0.03)
    expect(tally.leftOut).toBeLessThan(0.2)
  })
})
