/** Looks for random programs on which the explorer and the oracle disagree. */

import * as fc from 'fast-check'
import { expect } from 'vitest'
import { explore, replay } from '../../checker/index.ts'
import { seed } from '../seed.ts'
import type { BruteForceResult } from './brute-force.ts'
import { compare, compareStates, oracle, reduce } from './compare.ts'
import { type FaultProfile, type Profile, sketches } from './generate.ts'
import { print, type Sketch } from './sketch.ts'

/** What is wrong with the explorer on a program, in one sentence; `undefined` when nothing is. */
export type Judge = (sketch: Sketch) => string | undefined

/** What is wrong with the explorer on this program: as listed, and with its threads listed the other way round. */
export function disagreement(sketch: Sketch, truth: BruteForceResult): string | undefined {
  if (truth.limited) return undefined
  const forth = [...sketch.threads.keys()]
  const reason = compare(sketch, truth, explore, replay, forth)
  if (reason !== undefined) return reason
  const reversed = compare(sketch, truth, explore, undefined, forth.reverse())
  return reversed === undefined ? undefined : `with the threads listed in reverse: ${reversed}`
}

/** Fails with the smallest program on which something is wrong, among so many of a profile. */
export function hunt(profile: Profile | FaultProfile, programs: number, judge: Judge): void {
  const wrong: Judge = (sketch) => {
    try {
      return judge(sketch)
    } catch (error) {
      return `the explorer throws: ${(error as Error).stack}`
    }
  }
  const property = fc.property(sketches(profile), (sketch) => {
    const reason = wrong(sketch)
    if (reason !== undefined) throw new Error(reason)
  })
  const details = fc.check(property, { numRuns: programs, seed })
  if (!details.failed) return
  const [found] = details.counterexample as [Sketch]
  const smallest = reduce(found, (candidate) => wrong(candidate) !== undefined)
  expect.fail(`${wrong(smallest)}\n\nHEDDLE_SEED=${seed}, profile ${profile}\n\n${print(smallest)}`)
}

/** The same for what `always` and `finally` see. Returns how many programs it could compare: those that hold. */
export function huntStates(profile: Profile | FaultProfile, programs: number): number {
  let compared = 0
  hunt(profile, programs, (sketch) => {
    const truth = oracle(sketch)
    if (truth.limited || truth.failures.size > 0) return undefined
    compared++
    return compareStates(sketch, truth, explore, replay)
  })
  return compared
}

type Kinds = Readonly<Record<string, (truth: BruteForceResult) => boolean>>

/** How many programs of each kind there were. Kinds overlap. */
export class Tally {
  readonly #kinds: Kinds
  readonly #counts: Map<string, number>
  #all = 0
  #tooBig = 0
  #executions = 0

  constructor(kinds: Kinds) {
    this.#kinds = kinds
    this.#counts = new Map(Object.keys(kinds).map((kind) => [kind, 0]))
  }

  count(truth: BruteForceResult): void {
    if (truth.limited) {
      this.#tooBig++
      return
    }
    this.#all++
    this.#executions += truth.failures.size === 0 ? truth.executions.size : 0
    for (const [kind, is] of Object.entries(this.#kinds)) {
      if (is(truth)) this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1)
    }
  }

  /** For each kind its share of the programs that brute force could judge. */
  get shares(): ReadonlyMap<string, number> {
    return new Map([...this.#counts].map(([kind, count]) => [kind, count / this.#all]))
  }

  /** How many programs brute force had to leave out, for each that it could judge. */
  get leftOut(): number {
    return this.#tooBig / this.#all
  }

  toString(): string {
    const line = (count: number, what: string): string => `${String(count).padStart(8)}  ${what}\n`
    const kinds = [...this.#counts].map(([kind, count]) => line(count, kind))
    const rest = line(this.#tooBig, 'left out: too big for brute force')
    return `${line(this.#all, 'in all')}${kinds.join('')}${rest}${this.#executions} executions compared`
  }
}
