import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { defaultEvents } from '../../checker/bounds.ts'
import { explore, exploreWith } from '../../checker/explore.ts'
import type { ExploreOptions, Report } from '../../checker/report.ts'
import { initialMemory } from '../../checker/run.ts'
import { Search } from '../../checker/search.ts'
import { type Subtree, wholeTree } from '../../checker/subtree.ts'
import { threadsOf } from '../../model/history.ts'
import type { Program } from '../../model/program.ts'
import { compare, oracle } from '../oracle/compare.ts'
import { faultProfiles, print, profiles, sketches } from '../oracle/generate.ts'
import { family } from '../programs/index.ts'
import { chaseLev, michaelScott, sleeping, treiberPushPop } from '../programs/structures.ts'
import { seed } from '../seed.ts'
import { ScatteredSearch } from './scattered.ts'

const programs = Number(process.env.HEDDLE_PROGRAMS ?? 4000)

const of = (name: string, ...size: readonly number[]): Program => family(name).program(...size)

const examples: readonly Program[] = [
  of('repeated-adds', 3, 3),
  of('casrot', 7),
  of('ttas-lock', 4),
  of('indexer', 13),
  sleeping(3),
  michaelScott(2, 1, 2),
  chaseLev(3, 2, 2),
  treiberPushPop(2),
]

/** Explores with a search that is taken apart after every so many ends of paths. */
function scattered(every: number): (program: Program, options?: ExploreOptions) => Report {
  return (program, options = {}) => exploreWith((...of) => new ScatteredSearch(every, ...of), program, options)
}

/** One search of a program that shares nothing with any other. */
function searchOf(program: Program): Search {
  return new Search(threadsOf(program, defaultEvents), initialMemory(program), defaultEvents)
}

describe('subtrees', () => {
  it.each(examples)('of $name, together, are the tree: each explored by a search of its own', (program) => {
    const whole = explore(program)
    expect(whole.verdict).toBe('holds')
    let executions = 0
    let share = 0
    let pieces = 0
    const left: Subtree[] = [wholeTree]
    for (let subtree = left.pop(); subtree !== undefined; subtree = left.pop()) {
      const search = searchOf(program)
      search.enter(JSON.parse(JSON.stringify(subtree)))
      // A few paths, and the rest is for others.
      for (let paths = 0; paths < 10; paths++) {
        const leaf = search.advance()
        if (leaf === undefined) break
        if (leaf === 'complete') executions++
      }
      const rest = search.drain()
      pieces += rest.length
      left.push(...rest)
      share += search.share
    }
    expect(pieces).toBeGreaterThan(1)
    expect(executions).toBe(whole.executions)
    expect(share).toBeCloseTo(1)
  })

  it.each(examples)('of $name, in turn, find what the search would have found', (program) => {
    const { executions, verdict, outcomes } = explore(program, { outcomes: true })
    expect(scattered(7)(program, { outcomes: true })).toMatchObject({ executions, verdict, outcomes })
  })

  it('cannot be entered by a search that has work left', () => {
    const search = searchOf(of('repeated-adds', 2, 2))
    search.advance()
    expect(() => search.enter(wholeTree)).toThrow('a search that has work left cannot enter another subtree')
    const rest = search.drain()
    search.enter(rest[0])
    expect(search.advance()).toBe('complete')
  })

  it('are none when nothing is left', () => {
    const search = searchOf(of('repeated-adds', 1, 1))
    expect(search.advance()).toBe('complete')
    expect(search.drain()).toEqual([])
    expect(search.advance()).toBeUndefined()
  })

  it.each([...profiles, ...faultProfiles])(
    `agree with brute force on random programs of profile %s (HEDDLE_SEED=${seed})`,
    (profile) => {
      const property = fc.property(sketches(profile), fc.integer({ min: 1, max: 5 }), (sketch, every) => {
        const truth = oracle(sketch)
        if (truth.limited) return
        const order = [...sketch.threads.keys()]
        const reason = compare(sketch, truth, scattered(every), undefined, order)
        if (reason !== undefined) throw new Error(`${reason}\n${print(sketch)}`)
      })
      fc.assert(property, { numRuns: Math.ceil(programs / 40), seed })
    },
  )
})
