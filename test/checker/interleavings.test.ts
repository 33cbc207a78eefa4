/**
 * The search that ours is measured by is exact: the same executions as theory counts and as our search finds, and
 * nothing explored twice.
 */

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { explore } from '../../checker/index.ts'
import { initialMemory } from '../../checker/run.ts'
import { threadsOf } from '../../model/history.ts'
import type { Program } from '../../model/program.ts'
import { type Ending, Interleavings, Unsupported } from '../bench/interleavings.ts'
import { oracle } from '../oracle/compare.ts'
import { programOf, sketches } from '../oracle/generate.ts'
import { families, reordered } from '../programs/index.ts'
import { counted } from '../programs/structures.ts'
import { seed } from '../seed.ts'

/** How often each ending was met; `undefined` for a program that sleeps. */
function endings(program: Program): Record<Ending, number> | undefined {
  const found: Record<Ending, number> = { complete: 0, blocked: 0, stuck: 0, redundant: 0 }
  try {
    const search = new Interleavings(threadsOf(program, 1000), initialMemory(program))
    for (let ending = search.advance(); ending !== undefined; ending = search.advance()) found[ending]++
  } catch (error) {
    if (error instanceof Unsupported) return undefined
    throw error
  }
  return found
}

function hasExactly(program: Program, executions: number): void {
  const expected = { complete: executions, stuck: 0, redundant: 0 }
  expect(endings(program)).toMatchObject(expected)
  const reversed = [...Object.keys(program.threads).keys()].reverse()
  expect(endings(reordered(program, reversed)), 'threads in reverse').toMatchObject(expected)
}

describe('interleavings are counted as theory counts them', () => {
  const small = families.flatMap(({ program, executions, sizes }) =>
    sizes.map((size) => [program(...size), executions(...size)] as const).filter(([, count]) => count <= 10_000),
  )
  it.each(small.map(([program, count]) => [program.name, count, program] as const))('%s: %i', (_, count, program) => {
    hasExactly(program, count)
  })
})

describe('interleavings of known structures are as many as another search found', () => {
  const awake = counted.filter(({ program }) => !program.name.startsWith('sleeping'))
  it.each(awake.map(({ program, executions }) => [program.name, executions, program] as const))('%s: %i', (_, count, program) => {
    hasExactly(program, count)
  })
})

describe('interleavings are as many as the executions that our search finds', () => {
  const programs = Number(process.env.HEDDLE_PROGRAMS ?? 4000)

  it.each(['atomics', 'pauses'] as const)(`on random programs of profile %s (HEDDLE_SEED=${seed})`, (profile) => {
    let compared = 0
    const property = fc.property(sketches(profile), (sketch) => {
      // What fails need not have an end, and the two searches stop in different places.
      const { limited, failures } = oracle(sketch)
      if (limited || failures.size > 0) return
      const program = programOf(sketch)
      const { executions } = explore(program)
      const found = endings(program)
      if (found === undefined) return
      compared++
      expect(found).toMatchObject({ complete: executions, stuck: 0, redundant: 0 })
    })
    const runs = Math.ceil(programs / 10)
    fc.assert(property, { numRuns: runs, seed })
    expect(compared).toBeGreaterThan(runs / 4)
  })
})
