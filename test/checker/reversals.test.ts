/**
 * The search by reversals is exact: the same executions as theory counts and as brute force finds, nothing explored twice.
 */

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { initialMemory } from '../../checker/run.ts'
import { threadsOf } from '../../model/history.ts'
import type { Program } from '../../model/program.ts'
import { Unsupported } from '../bench/interleavings.ts'
import { type Ending, Reversals } from '../bench/reversals.ts'
import { oracle } from '../oracle/compare.ts'
import { print, programOf, sketches } from '../oracle/generate.ts'
import { families, reordered } from '../programs/index.ts'
import { counted } from '../programs/structures.ts'
import { seed } from '../seed.ts'

/** How often each ending was met; `undefined` for a program that sleeps. */
function endings(program: Program): Record<Ending, number> | undefined {
  const found: Record<Ending, number> = { complete: 0, blocked: 0, stuck: 0 }
  try {
    const search = new Reversals(threadsOf(program, 1000), initialMemory(program))
    for (let ending = search.advance(); ending !== undefined; ending = search.advance()) found[ending]++
  } catch (error) {
    if (error instanceof Unsupported) return undefined
    throw error
  }
  return found
}

function hasExactly(program: Program, executions: number): void {
  const expected = { complete: executions, stuck: 0 }
  expect(endings(program)).toMatchObject(expected)
  const reversed = [...Object.keys(program.threads).keys()].reverse()
  expect(endings(reordered(program, reversed)), 'threads in reverse').toMatchObject(expected)
}

describe('executions are counted as theory counts them', () => {
  const small = families
    .flatMap(({ program, executions, sizes }) =>
      sizes.map((size) => [program(...size), executions(...size)] as const).filter(([, count]) => count <= 10_000),
    )
    .filter(([program]) => program.faults === undefined && endings(program) !== undefined)
  it.each(small.map(([program, count]) => [program.name, count, program] as const))('%s: %i', (_, count, program) => {
    hasExactly(program, count)
  })
})

describe('executions of known structures are as many as another search found', () => {
  const awake = counted.filter(({ program }) => !program.name.startsWith('sleeping'))
  it.each(awake.map(({ program, executions }) => [program.name, executions, program] as const))('%s: %i', (_, count, program) => {
    hasExactly(program, count)
  })
})

describe('executions are as many as brute force finds', () => {
  const programs = Number(process.env.HEDDLE_PROGRAMS ?? 4000)

  it.each(['atomics', 'pauses'] as const)(`on random programs of profile %s (HEDDLE_SEED=${seed})`, (profile) => {
    let compared = 0
    const property = fc.property(sketches(profile), (sketch) => {
      const truth = oracle(sketch)
      if (truth.limited || truth.failures.size > 0) return
      const found = endings(programOf(sketch))
      if (found === undefined) return
      compared++
      expect(found, print(sketch)).toMatchObject({ complete: truth.executions.size, stuck: 0 })
    })
    const runs = Math.ceil(programs / 10)
    fc.assert(property, { numRuns: runs, seed })
    expect(compared).toBeGreaterThan(runs / 4)
  })
})
