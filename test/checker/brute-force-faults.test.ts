/**
 * The explorer against the oracle where threads are killed, look who lives, and wake up for no reason.
 *
 * `HEDDLE_PROGRAMS` sets how many programs, `HEDDLE_SEED` which. A mismatch is shrunk, and printed as a program to paste.
 */

import { describe, expect, it } from 'vitest'
import { oracle } from '../oracle/compare.ts'
import { faultProfiles } from '../oracle/generate.ts'
import { disagreement, hunt, huntStates, Tally } from '../oracle/hunt.ts'
import { seed } from '../seed.ts'

const all = Number(process.env.HEDDLE_PROGRAMS ?? 1000)
/** Of each profile: so many are compared by their executions, and so many by their states. */
const programs = Math.ceil(all / faultProfiles.length)
const watched = Math.ceil(programs / 10)

const tally = new Tally({
  'hold, and their executions are compared': ({ failures }) => failures.size === 0,
  'hold although somebody is killed': ({ failures, killed }) => failures.size === 0 && killed,
  'hold although somebody sees a death': ({ failures, mourned }) => failures.size === 0 && mourned,
  'hold although a wait comes back for no reason': ({ failures, spurious }) => failures.size === 0 && spurious,
  'hold although torn bytes are left': ({ failures, torn }) => failures.size === 0 && torn.size > 0,
  'somebody is killed, and some thread parks': ({ killed, parked }) => killed && parked,
  'somebody is killed, and some thread sleeps': ({ killed, slept }) => killed && slept,
  'have a data race': ({ failures }) => failures.has('data-race'),
  'have a deadlock or a livelock': ({ failures }) => failures.has('deadlock') || failures.has('livelock'),
})

describe(`the explorer agrees with brute force on faults (HEDDLE_SEED=${seed}, HEDDLE_PROGRAMS=${all})`, () => {
  it.each(faultProfiles)('in random programs of profile %s', { timeout: 600_000 }, (profile) => {
    hunt(profile, programs, (sketch) => {
      const truth = oracle(sketch)
      tally.count(truth)
      return disagreement(sketch, truth)
    })
  })

  it('in programs of every kind', () => {
    console.info(`programs with faults, seed ${seed}:\n${tally}`)
    // Of few programs the shares are left to chance.
    if (programs < 200) return
    for (const [kind, share] of tally.shares) expect(share, kind).toBeGreaterThan(0.015)
    expect(tally.leftOut).toBeLessThan(0.2)
  })

  it.each(faultProfiles)('in what always and finally see, profile %s', { timeout: 600_000 }, (profile) => {
    expect(huntStates(profile, watched)).toBeGreaterThan(watched / 10)
  })
})
