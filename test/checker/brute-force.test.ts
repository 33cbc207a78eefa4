/**
 * The explorer against the oracle: the same executions, outcomes, races and deadlocks on thousands of random programs.
 *
 * `HEDDLE_PROGRAMS` sets how many, `HEDDLE_SEED` which. A mismatch is shrunk, and printed as a program to paste.
 */

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { explore, replay } from '../../checker/index.ts'
import type { BruteForceResult } from '../oracle/brute-force.ts'
import { compare, oracle, reduce } from '../oracle/compare.ts'
import { print, profiles, type Sketch, sketches } from '../oracle/generate.ts'
import { seed } from '../seed.ts'

const programs = Number(process.env.HEDDLE_PROGRAMS ?? 4000)
/** Parts of them of each profile: chosen so that no kind of program below is rare. */
const parts = { atomics: 2, pauses: 5, waits: 5, plain: 8, mixed: 5 } as const
const allParts = profiles.reduce((sum, profile) => sum + parts[profile], 0)

/** How many programs of each kind there were. Kinds overlap. */
const kinds = {
  'in all': () => true,
  'hold, and their executions are compared': ({ failures }) => failures.size === 0,
  'wait: some thread sleeps': ({ slept }) => slept,
  'pause: some thread parks': ({ parked }) => parked,
  'have a data race': ({ failures }) => failures.has('data-race'),
  'have a deadlock or a livelock': ({ failures }) => failures.has('deadlock') || failures.has('livelock'),
  'have a deadlock': ({ failures }) => failures.has('deadlock'),
  'have a livelock': ({ failures }) => failures.has('livelock'),
  'hold although some thread sleeps': ({ failures, slept }) => failures.size === 0 && slept,
  'hold although some thread parks': ({ failures, parked }) => failures.size === 0 && parked,
  'hold and use plain data': ({ failures, plain }) => failures.size === 0 && plain,
} as const satisfies Record<string, (truth: BruteForceResult) => boolean>

const shares = new Map<string, number>(Object.keys(kinds).map((kind) => [kind, 0]))
let tooBig = 0
let executions = 0

function tally(truth: BruteForceResult): void {
  if (truth.limited) {
    tooBig++
    return
  }
  executions += truth.failures.size === 0 ? truth.executions.size : 0
  for (const [kind, is] of Object.entries(kinds)) {
    if (is(truth)) shares.set(kind, (shares.get(kind) ?? 0) + 1)
  }
}

/** What is wrong with the explorer on this program: as listed, and with its threads listed the other way round. */
function wrong(sketch: Sketch, truth: BruteForceResult): string | undefined {
  if (truth.limited) return undefined
  const forth = [...sketch.threads.keys()]
  try {
    const reason = compare(sketch, truth, explore, replay, forth)
    if (reason !== undefined) return reason
    const reversed = compare(sketch, truth, explore, undefined, forth.reverse())
    return reversed === undefined ? undefined : `with the threads listed in reverse: ${reversed}`
  } catch (error) {
    return `the explorer throws: ${(error as Error).stack}`
  }
}

describe(`the explorer agrees with brute force (HEDDLE_SEED=${seed}, HEDDLE_PROGRAMS=${programs})`, () => {
  it.each(profiles)('on random programs of profile %s', { timeout: 600_000 }, (profile) => {
    let failed = false
    const property = fc.property(sketches(profile), (sketch) => {
      const truth = oracle(sketch)
      if (!failed) tally(truth)
      const reason = wrong(sketch, truth)
      failed ||= reason !== undefined
      if (reason !== undefined) throw new Error(reason)
    })
    const details = fc.check(property, { numRuns: Math.ceil((programs * parts[profile]) / allParts), seed })
    if (!details.failed) return
    const [found] = details.counterexample as [Sketch]
    const smallest = reduce(found, (candidate) => wrong(candidate, oracle(candidate)) !== undefined)
    expect.fail(`${wrong(smallest, oracle(smallest))}\n\nHEDDLE_SEED=${seed}, profile ${profile}\n\n${print(smallest)}`)
  })

  it('on programs of every kind', () => {
    const all = shares.get('in all') as number
    const lines = [...shares].map(([kind, count]) => `${String(count).padStart(8)}  ${kind}`)
    console.info(`programs, seed ${seed}:\n${lines.join('\n')}\n${String(tooBig).padStart(8)}  left out: too big for brute force`)
    console.info(`${executions} executions compared`)
    // Of few programs the shares are left to chance.
    if (programs < 1000) return
    for (const kind of Object.keys(kinds).slice(1, 6)) {
      expect((shares.get(kind) as number) / all, kind).toBeGreaterThanOrEqual(0.1)
    }
    expect(tooBig / all).toBeLessThan(0.2)
  })
})
