import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { explore } from '../../checker/explore.ts'
import { guarantee } from '../../checker/guarantee.ts'
import { exploreAtRandom } from '../../checker/random.ts'
import { replay } from '../../checker/replay.ts'
import type { Report } from '../../checker/report.ts'
import { chanceOf, type Pick, prioritized, type Scheduler, uniform } from '../../checker/scheduler.ts'
import type { Memory } from '../../core/memory.ts'
import { type Program, program } from '../../model/program.ts'
import { oracle } from '../oracle/compare.ts'
import { profiles, sketches } from '../oracle/generate.ts'
import { programOf } from '../oracle/sketch.ts'
import { family } from '../programs/index.ts'
import { chaseLev, michaelScott, sleeping, treiberPushPop } from '../programs/structures.ts'
import { seed } from '../seed.ts'

/** What comes out for every way that chance can go, with its probability. */
function everyChance(run: (pick: Pick) => string): Map<string, number> {
  const found = new Map<string, number>()
  const choices: { at: number; readonly of: number }[] = []
  do {
    let asked = 0
    const result = run((of) => {
      choices[asked] ??= { at: 0, of }
      return choices[asked++].at
    })
    const probability = choices.reduce((product, choice) => product / choice.of, 1)
    found.set(result, (found.get(result) ?? 0) + probability)
    while (choices.length > 0 && choices[choices.length - 1].at + 1 === choices[choices.length - 1].of) choices.pop()
    if (choices.length > 0) choices[choices.length - 1].at++
  } while (choices.length > 0)
  return found
}

/** Runs threads that do so many steps each and never wait: the step of each turn, as `a0`. */
function interleaving(lengths: readonly number[], scheduler: Scheduler): string {
  const done = lengths.map(() => 0)
  const steps: string[] = []
  for (;;) {
    const able = [...lengths.keys()].filter((thread) => done[thread] < lengths[thread])
    if (able.length === 0) return steps.join(' ')
    const thread = scheduler.choose(able)
    steps.push(`${'abc'[thread]}${done[thread]++}`)
  }
}

const sum = (numbers: Iterable<number>): number => [...numbers].reduce((a, b) => a + b, 0)

describe('the uniform scheduler', () => {
  it.each([
    { lengths: [3, 3], interleavings: 20 },
    { lengths: [2, 2, 2], interleavings: 90 },
    { lengths: [1, 2, 3], interleavings: 60 },
  ])('takes each interleaving of $lengths steps with the same probability', ({ lengths, interleavings }) => {
    const found = everyChance((pick) => interleaving(lengths, uniform(lengths, pick)))
    expect(found.size).toBe(interleavings)
    for (const probability of found.values()) expect(probability).toBeCloseTo(1 / interleavings, 12)
  })

  it('leaves none out where the lengths are not known', () => {
    expect(everyChance((pick) => interleaving([2, 2, 1], uniform([1, 1, 1], pick))).size).toBe(30)
  })
})

describe('the scheduler with priorities', () => {
  const before = (trace: string, first: string, second: string): boolean => trace.indexOf(first) < trace.indexOf(second)
  const bugs: readonly { readonly lengths: readonly number[]; readonly pairs: readonly (readonly [string, string])[] }[] = [
    { lengths: [3, 2], pairs: [['b1', 'a0']] },
    { lengths: [3, 2], pairs: [['a2', 'b0']] },
    { lengths: [2, 2, 2], pairs: [['c1', 'a0']] },
    {
      lengths: [3, 2],
      pairs: [
        ['a1', 'b0'],
        ['b0', 'a2'],
      ],
    },
    {
      lengths: [2, 2, 2],
      pairs: [
        ['a0', 'b1'],
        ['b1', 'a1'],
      ],
    },
    {
      lengths: [2, 2, 2],
      pairs: [
        ['a0', 'b0'],
        ['b1', 'c1'],
        ['c1', 'a1'],
      ],
    },
    {
      lengths: [3, 3],
      pairs: [
        ['a0', 'b0'],
        ['b0', 'a1'],
        ['a1', 'b1'],
      ],
    },
  ]

  it.each(bugs)('finds what needs $pairs among $lengths steps as often as it promises', ({ lengths, pairs }) => {
    const steps = sum(lengths)
    const depth = pairs.length
    const found = everyChance((pick) => interleaving(lengths, prioritized(lengths.length, steps, depth, pick)))
    expect(sum(found.values())).toBeCloseTo(1, 12)
    const shown = [...found].filter(([trace]) => pairs.every(([first, second]) => before(trace, first, second)))
    expect(sum(shown.map(([, probability]) => probability))).toBeGreaterThanOrEqual(chanceOf(lengths.length, steps, depth))
  })
})

const of = (name: string, ...size: readonly number[]): Program => family(name).program(...size)

/** Two threads add without an atomic addition: found where one comes between the load and the store of the other. */
const lossy = program({
  name: 'lossy',
  words: 1,
  threads: Object.fromEntries(
    ['a', 'b'].map((name) => [
      name,
      (memory) => {
        for (let i = 0; i < 20; i++) memory.add(0, 0)
        memory.store(0, memory.load(0) + 1)
      },
    ]),
  ),
  finally: (memory) => guarantee('lossy/all', memory.load(0) === 2, 'an addition was lost'),
})

const untimed = ({ seconds: _, ...report }: Report) => report

describe('exploring at random', () => {
  it.each([undefined, 2])('finds a bug far in, of which the schedule is replayed (depth %s)', (depth) => {
    const report = exploreAtRandom(lossy, { seed: 1, runs: 10_000, ...(depth === undefined ? {} : { depth }) })
    expect(report).toMatchObject({
      verdict: 'refuted',
      failure: { kind: 'assertion', guarantee: 'lossy/all' },
      random: { seed: 1 },
    })
    expect(replay(lossy, report.failure?.schedule as string).failure).toMatchObject({ guarantee: 'lossy/all' })
  })

  it('does the same again for the same seed, and other things for another one', () => {
    const [first, second, third] = [7, 7, 8].map((seed) => untimed(exploreAtRandom(lossy, { seed, runs: 10_000, depth: 2 })))
    expect(second).toEqual(first)
    expect(third.random).not.toEqual(first.random)
    const free = exploreAtRandom(of('adds', 2), { runs: 1 })
    expect(free.random?.seed).toBeGreaterThanOrEqual(0)
  })

  it('takes the executions of a program evenly', () => {
    const seen = new Map<string, number>()
    const twice = (memory: Memory): number[] => [memory.add(0, 1), memory.add(0, 1)]
    const counting: Program = {
      name: 'counting',
      words: 1,
      threads: { a: twice, b: twice, c: twice },
      finally(_, results) {
        const key = JSON.stringify(results)
        seen.set(key, (seen.get(key) ?? 0) + 1)
      },
    }
    const report = exploreAtRandom(counting, { seed: 3, runs: 9001 })
    expect(report).toMatchObject({ verdict: 'inconclusive', bound: 'runs', executions: 9001, blocked: 0 })
    // 6! / 2!^3 executions, 100 times each but for chance: the sum of squares has 89 degrees of freedom.
    const times = [...seen.values()]
    expect(sum(times.map((n) => (n - 100) ** 2 / 100)) + 100 * (90 - times.length)).toBeLessThan(140)
  })

  it('says how surely a bug would have been found', () => {
    const two = of('repeated-adds', 2, 3)
    const { random } = exploreAtRandom(two, { seed: 5, runs: 101, depth: 2 })
    // The first run tells how many steps there are.
    expect(random).toMatchObject({ runs: 101, steps: 6, depth: 2 })
    expect(random?.found).toBeCloseTo(1 - (1 - 1 / (2 * 6)) ** 100, 12)
    expect(exploreAtRandom(two, { seed: 5, runs: 101 }).random).toEqual({ seed: 5, runs: 101, steps: 6 })
  })

  it('kills threads and wakes them for no reason, in every second run', () => {
    const pair = program({
      name: 'pair',
      words: 2,
      faults: { kill: ['a'] },
      threads: {
        a(memory) {
          memory.add(0, 1)
          memory.add(1, 1)
        },
        b: (memory) => memory.load(0),
      },
      finally: (memory) => guarantee('pair/whole', memory.load(0) === memory.load(1), 'half of it'),
    })
    const killed = exploreAtRandom(pair, { seed: 1 })
    expect(killed.failure).toMatchObject({ guarantee: 'pair/whole', schedule: expect.stringContaining('~a') })
    expect(replay(pair, killed.failure?.schedule as string).verdict).toBe('refuted')
    const sleeper = program({
      name: 'sleeper',
      words: 1,
      faults: { spurious: true },
      threads: {
        sleeper(memory) {
          memory.wait(0, 0)
          return memory.load(0)
        },
        waker(memory) {
          memory.store(0, 1)
          memory.notify(0)
        },
      },
      finally: (_, { sleeper }) => guarantee('sleeper/woken', sleeper === 1, 'woken too early'),
    })
    expect(exploreAtRandom(sleeper, { seed: 1 }).failure).toMatchObject({ guarantee: 'sleeper/woken' })
    expect(exploreAtRandom({ ...sleeper, faults: {} }, { seed: 1 }).verdict).toBe('inconclusive')
  })

  it.each([of('ttas-lock', 4), sleeping(3), michaelScott(2, 1, 1), chaseLev(3, 2, 2), treiberPushPop(2)])(
    'finds nothing in $name, which holds',
    (program) => {
      for (const options of [{}, { depth: 1 }, { depth: 3 }]) {
        expect(exploreAtRandom(program, { seed, runs: 200, ...options })).toMatchObject({ verdict: 'inconclusive' })
      }
    },
  )

  it('lets nobody spin in vain: whoever would park waits until there is something new', () => {
    const lock = (memory: Memory): void => {
      while (memory.compareExchange(0, 0, 1) !== 0) memory.pause()
      memory.store(0, 0)
    }
    const locks: Program = { name: 'locks', words: 1, threads: { a: lock, b: lock, c: lock } }
    const waking = program({
      name: 'waking',
      words: 1,
      threads: {
        sleeper: (memory) => memory.wait(0, 0),
        waker(memory) {
          while (memory.notify(0) === 0) memory.pause()
        },
      },
    })
    for (const spinning of [locks, waking]) {
      expect(explore(spinning).verdict).toBe('holds')
      const report = exploreAtRandom(spinning, { seed: 1, runs: 100, depth: 2 })
      expect(report).toMatchObject({ verdict: 'inconclusive', executions: 100, blocked: 0, discarded: 0 })
    }
  })

  it(`refutes only what the search refutes (HEDDLE_SEED=${seed})`, () => {
    let refuted = 0
    const events = 60
    for (const profile of profiles) {
      const property = fc.property(sketches(profile), fc.integer({ min: 0, max: 3 }), (sketch, depth) => {
        if (oracle(sketch).limited) return
        const random = programOf(sketch)
        const report = exploreAtRandom(random, { seed, runs: 20, events, ...(depth === 0 ? {} : { depth }) })
        if (report.verdict !== 'refuted') return
        refuted++
        expect(explore(random, { events }).verdict).toBe('refuted')
        expect(replay(random, report.failure?.schedule as string).failure).toMatchObject({ kind: report.failure?.kind })
      })
      fc.assert(property, { numRuns: 50, seed })
    }
    expect(refuted).toBeGreaterThan(0)
  })

  it('says what is broken before the first step, and refuses what is no option', () => {
    const stray = program({ name: 'stray', words: 1, setup: (memory) => memory.store(1, 1), threads: { a: () => 1 } })
    expect(exploreAtRandom(stray).failure).toMatchObject({ kind: 'out-of-range', message: expect.stringMatching(/^setup: /) })
    for (const options of [{ runs: 0 }, { depth: 1.5 }, { seed: -1 }, { seed: 2 ** 32 }, { seconds: 0 }]) {
      expect(() => exploreAtRandom(lossy, options)).toThrow(/^option \w+: expected/)
    }
  })

  it('stops when its time is over', () => {
    const report = exploreAtRandom(of('adds', 2), { runs: 1e9, seconds: 0.01 })
    expect(report).toMatchObject({ verdict: 'inconclusive', bound: 'seconds' })
  })
})
