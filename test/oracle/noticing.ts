/** Whether random programs notice that an explorer is wrong: the test of the tests. */

import * as fc from 'fast-check'
import type { BruteForceResult } from './brute-force.ts'
import { compare, type Explore, oracle } from './compare.ts'
import { type FaultProfile, type Profile, type Sketch, sketches } from './generate.ts'

export class Samples {
  readonly #sketches: readonly Sketch[]
  readonly #truths = new Map<Sketch, BruteForceResult>()

  /** Programs of all profiles in turn, so many of each; the same for every explorer. */
  constructor(profiles: readonly (Profile | FaultProfile)[], each: number) {
    const lists = profiles.map((profile) => fc.sample(sketches(profile), { numRuns: each, seed: 42 }))
    this.#sketches = Array.from({ length: each }, (_, index) => lists.map((list) => list[index])).flat()
  }

  /** The first program about which the explorer is wrong. */
  foundBy(explore: Explore): Sketch | undefined {
    // A mistake may make the search endless.
    const bounded: Explore = (program, options) => explore(program, { ...options, seconds: 2 })
    return this.#sketches.find((sketch) => this.isWrong(sketch, bounded))
  }

  isWrong(sketch: Sketch, explore: Explore): boolean {
    const truth = this.#truths.get(sketch) ?? oracle(sketch)
    this.#truths.set(sketch, truth)
    return !truth.limited && compare(sketch, truth, explore) !== undefined
  }
}
