/** The test of the test: every mistake seeded in the explorer is found by some random program. */

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { BruteForceResult } from '../oracle/brute-force.ts'
import { compare, type Explore, oracle } from '../oracle/compare.ts'
import { profiles, type Sketch, sketches } from '../oracle/generate.ts'

interface Explorer {
  readonly explore: (
    program: Parameters<Explore>[0],
    options?: Parameters<Explore>[1] & { mistake?: string },
  ) => ReturnType<Explore>
  readonly seededMistakes: readonly string[]
}

/** At most this many programs of each profile. */
const programs = 400
const explorer = (await import('../../checker/explore.ts' as string)) as Explorer | Omit<Explorer, 'seededMistakes'>
const { explore } = explorer
const seededMistakes = 'seededMistakes' in explorer ? explorer.seededMistakes : []

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

/** How many programs it takes to notice; `undefined` when none does. */
function noticedAfter(mistake: string | undefined): number | undefined {
  const mistaken: Explore = (program, options) =>
    explore(program, mistake === undefined ? options : { ...options, seconds: 2, mistake })
  let tried = 0
  for (const sketch of samples) {
    const truth = truthOf(sketch)
    if (truth.limited) continue
    tried++
    try {
      if (compare(sketch, truth, mistaken) !== undefined) return tried
    } catch {
      return tried
    }
  }
  return undefined
}

describe.skipIf(!('seededMistakes' in explorer))('mistakes seeded in the explorer', () => {
  it('there are some', () => {
    expect(seededMistakes.length).toBeGreaterThan(0)
    expect(new Set(seededMistakes).size).toBe(seededMistakes.length)
  })

  it.each([...seededMistakes])('%s is noticed', { timeout: 120_000 }, (mistake) => {
    expect(noticedAfter(mistake)).toBeLessThanOrEqual(programs * profiles.length)
  })

  it('no mistake, nothing to notice', { timeout: 120_000 }, () => {
    expect(noticedAfter(undefined)).toBeUndefined()
  })
})
