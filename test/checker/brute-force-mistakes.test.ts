/** The test of the test: every mistake seeded in the explorer is found by some random program. */

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { BruteForceResult } from '../oracle/brute-force.ts'
import { compare, type Explore, oracle } from '../oracle/compare.ts'
import { profiles, type Sketch, sketches } from '../oracle/generate.ts'
import { explorers } from './mistakes.ts'

/** At most this many programs of each profile. */
const programs = 400
const { none, ...mistakes } = explorers

/** Programs of all profiles in turn, with what is true of them; the same for every mistake. */
const samples: readonly Sketch[] = (() => {
  const lists = profiles.map((profile) => fc.sample(sketches(profile), { numRuns: programs, seed: 42 }))
  return Array.from({ length: programs }, (_, index) => lists.map((list) => list[index])).flat()
})()
const truths = new Map<Sketch, BruteForceResult>()

function truthOf(sketch: Sketch): BruteForceResult {
  const truth = truths.get(sketch) ?? oracle(sketch)
  truths.set(sketch, truth)
  return truth
}

/** How many programs it takes to notice a mistake; `undefined` when none does. */
function noticedAfter(explore: Explore): number | undefined {
  const bounded: Explore = (program, options) => explore(program, { ...options, seconds: 2 })
  let tried = 0
  for (const sketch of samples) {
    const truth = truthOf(sketch)
    if (truth.limited) continue
    tried++
    if (compare(sketch, truth, bounded) !== undefined) return tried
  }
  return undefined
}

describe('mistakes seeded in the search', () => {
  it.each(Object.entries(mistakes))('%s is noticed', { timeout: 120_000 }, (_, explore) => {
    expect(noticedAfter(explore)).toBeLessThanOrEqual(samples.length)
  })

  it('no mistake, nothing to notice', { timeout: 120_000 }, () => {
    expect(noticedAfter(none)).toBeUndefined()
  })
})
