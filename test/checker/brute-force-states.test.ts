/** What invariants and `finally` get to see, against the states and outcomes that the oracle finds. */

import { describe, expect, it } from 'vitest'
import { profiles } from '../oracle/generate.ts'
import { huntStates } from '../oracle/hunt.ts'
import { seed } from '../seed.ts'

const programs = Math.ceil(Number(process.env.HEDDLE_PROGRAMS ?? 4000) / 4)
const ofProfile = Math.ceil(programs / profiles.length)

describe(`always and finally agree with brute force (HEDDLE_SEED=${seed}, HEDDLE_PROGRAMS=${4 * programs})`, () => {
  it.each(profiles)('on random programs of profile %s', { timeout: 600_000 }, (profile) => {
    expect(huntStates(profile, ofProfile)).toBeGreaterThan(ofProfile / 10)
  })
})
