import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { program } from '../../model/program.ts'
import { seed } from '../seed.ts'
import { bruteForce } from './brute-force.ts'
import { oracle, reduce } from './compare.ts'
import { everyRun } from './every-run.ts'
import { faultProfiles, print, profiles, programOf, type Sketch, sketches } from './generate.ts'

describe.each([...profiles, ...faultProfiles])('random programs of profile %s', (profile) => {
  it('are judged alike by both oracles', () => {
    const numRuns = Math.ceil(Number(process.env.HEDDLE_PROGRAMS ?? 4000) / 80)
    let compared = 0
    fc.assert(
      fc.property(sketches(profile), (sketch) => {
        const tested = programOf(sketch)
        const result = bruteForce(tested, { states: 400, operations: 60 })
        if (result.limited || result.schedules > 150) return
        const every = everyRun(tested, 150)
        compared++
        expect(every.failures).toEqual(result.failures)
        expect(every.runs).toBe(result.schedules)
        expect(every.executions.size).toBe(result.executions.size)
        expect(every.outcomes).toEqual(result.outcomes)
        expect(every.torn).toEqual(result.torn)
      }),
      { numRuns, seed },
    )
    expect(compared).toBeGreaterThan(numRuns / 10)
  })

  it('are judged alike in every order of their threads', () => {
    fc.assert(
      fc.property(sketches(profile), (sketch) => {
        const result = oracle(sketch)
        const reversed = bruteForce(programOf(sketch, [...sketch.threads.keys()].reverse()), { states: 4000, operations: 60 })
        if (result.limited || reversed.limited) return
        expect(reversed.outcomes).toEqual(result.outcomes)
        expect(reversed.failures).toEqual(result.failures)
        expect(reversed.executions.size).toBe(result.executions.size)
        expect(reversed.torn).toEqual(result.torn)
      }),
      { numRuns: 60, seed },
    )
  })

  it('print as code that does the same', () => {
    fc.assert(
      fc.property(sketches(profile), (sketch) => {
        const pasted = new Function('program', print(sketch).replace('program({', 'return program({'))(program)
        expect(bruteForce(pasted, { states: 400, operations: 60 })).toEqual(
          bruteForce(programOf(sketch), { states: 400, operations: 60 }),
        )
      }),
      { numRuns: 60, seed },
    )
  })
})

describe('reduce', () => {
  it('finds the core of a failing program', () => {
    const sketch: Sketch = {
      words: 6,
      setup: [{ word: 1, value: 1 }],
      threads: [
        [
          { do: 'store', word: 0, value: 2 },
          { do: 'block', body: [{ do: 'write', word: 4, value: 2 }] },
        ],
        [{ do: 'if', condition: { which: 'last', equals: 1, not: true }, yes: [{ do: 'read', word: 4 }], no: [] }],
        [{ do: 'load', word: 1 }],
      ],
    }
    const reduced = reduce(sketch, (candidate) => oracle(candidate).failures.has('data-race'))
    expect(reduced.setup).toEqual([])
    expect(reduced.threads).toEqual([[{ do: 'write', word: 4, value: 0 }], [{ do: 'read', word: 4 }]])
  })
})
