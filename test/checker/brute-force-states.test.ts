/** What invariants and `finally` get to see, against the states and outcomes that the oracle finds. */

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { explore, replay } from '../../checker/index.ts'
import { compareStates, reduce } from '../oracle/compare.ts'
import { print, profiles, type Sketch, sketches } from '../oracle/generate.ts'
import { seed } from '../seed.ts'

const programs = Math.ceil(Number(process.env.HEDDLE_PROGRAMS ?? 4000) / 4)

function wrongOrThrown(sketch: Sketch): string | undefined {
  try {
    return compareStates(sketch, explore, replay)
  } catch (error) {
    return `the explorer throws: ${(error as Error).stack}`
  }
}

describe(`always and finally agree with brute force (HEDDLE_SEED=${seed}, HEDDLE_PROGRAMS=${4 * programs})`, () => {
  it.each(profiles)('on random programs of profile %s', { timeout: 600_000 }, (profile) => {
    const property = fc.property(sketches(profile), (sketch) => {
      const reason = wrongOrThrown(sketch)
      if (reason !== undefined) throw new Error(reason)
    })
    const details = fc.check(property, { numRuns: Math.ceil(programs / profiles.length), seed })
    if (!details.failed) return
    const [found] = details.counterexample as [Sketch]
    const smallest = reduce(found, (candidate) => wrongOrThrown(candidate) !== undefined)
    expect.fail(`${wrongOrThrown(smallest)}\n\nHEDDLE_SEED=${seed}, profile ${profile}\n\n${print(smallest)}`)
  })
})
