import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkedProgram } from '../../checker/check.ts'
import { explore } from '../../checker/explore.ts'
import { exploreFewPreemptions } from '../../checker/few-preemptions.ts'
import { guarantee } from '../../checker/guarantee.ts'
import { replay } from '../../checker/replay.ts'
import type { Memory } from '../../core/memory.ts'
import { type Mark, type Program, program } from '../../model/program.ts'
import { sequential } from '../../model/sequential.ts'
import { checks as mutexChecks } from '../../specs/mutex/checks.ts'
import { profiles, sketches } from '../oracle/generate.ts'
import { programOf } from '../oracle/sketch.ts'
import { seed } from '../seed.ts'

/** All orders of so many steps of each thread, as the threads of the steps, and how many preemptions each has. */
function* orders(left: readonly number[], last = -1, preemptions = 0): Generator<number> {
  if (left.every((count) => count === 0)) yield preemptions
  for (const [thread, count] of left.entries()) {
    if (count === 0) continue
    const preempts = last >= 0 && last !== thread && left[last] > 0 ? 1 : 0
    yield* orders(left.with(thread, count - 1), thread, preemptions + preempts)
  }
}

const adds = (times: readonly number[]): Program =>
  program({
    name: 'adds',
    words: 1,
    threads: Object.fromEntries(
      times.map((count, thread) => [`t${thread}`, (memory: Memory) => Array.from({ length: count }, () => memory.add(0, 1))]),
    ),
  })

describe('exploring with few preemptions', () => {
  it.each([{ times: [3, 3] }, { times: [2, 2, 2] }, { times: [1, 2, 3] }, { times: [5, 4] }])(
    'sees exactly the orders of $times additions that need no more',
    ({ times }) => {
      const needed = [...orders(times)]
      const most = Math.max(...needed)
      for (let preemptions = 0; preemptions <= most + 1; preemptions++) {
        const report = exploreFewPreemptions(adds(times), { preemptions })
        expect(report.executions).toBe(needed.filter((count) => count <= preemptions).length)
        expect(report).toMatchObject({
          verdict: 'inconclusive',
          bound: 'preemptions',
          preemptions: { most: preemptions, covered: Math.min(preemptions, most), all: preemptions >= most },
        })
      }
      expect(explore(adds(times)).executions).toBe(needed.length)
    },
  )

  /** A bug that needs so many preemptions: one thread must see each step of the other one. */
  const seesEach = (steps: number): Program =>
    program({
      name: 'sees-each',
      words: 1,
      threads: {
        writer: (memory) => {
          for (let i = 1; i <= steps; i++) memory.store(0, i)
        },
        reader: (memory) => {
          const seen = Array.from({ length: steps }, () => memory.load(0))
          guarantee('few/unlikely', !seen.every((value, i) => value === i + 1), 'saw each step')
        },
      },
    })

  it.each([2, 3, 4])('finds a bug of %i steps with as many preemptions as it needs, and not with fewer', (steps) => {
    // From the writer to the reader and back, each time, but for the last step of the writer.
    const needed = 2 * (steps - 1)
    expect(exploreFewPreemptions(seesEach(steps), { preemptions: needed - 1 }).verdict).toBe('inconclusive')
    const report = exploreFewPreemptions(seesEach(steps), { preemptions: 100 })
    expect(report).toMatchObject({
      verdict: 'refuted',
      preemptions: { covered: needed - 1 },
      failure: { kind: 'assertion', guarantee: 'few/unlikely' },
    })
    expect(replay(seesEach(steps), report.failure?.schedule as string).failure?.guarantee).toBe('few/unlikely')
  })

  it('finds a deadlock of two locks behind one preemption', () => {
    const lock = (memory: Memory, word: number): void => {
      while (memory.compareExchange(word, 0, 1) !== 0) memory.wait(word, 1)
    }
    const both = (first: number, second: number) => (memory: Memory) => {
      lock(memory, first)
      lock(memory, second)
      for (const word of [second, first]) {
        memory.store(word, 0)
        memory.notify(word)
      }
    }
    const crossed = program({ name: 'crossed', words: 2, threads: { a: both(0, 1), b: both(1, 0) } })
    expect(exploreFewPreemptions(crossed, { preemptions: 0 }).verdict).toBe('inconclusive')
    expect(exploreFewPreemptions(crossed, { preemptions: 1 })).toMatchObject({
      verdict: 'refuted',
      failure: { kind: 'deadlock' },
    })
  })

  it('tells histories apart that lead to the same state', () => {
    const comes = (name: string) => (before: string) => ({ state: before + name })
    const does = (name: string, word: number) => (memory: Memory, mark: Mark) => {
      mark('call', name)
      memory.load(word)
      mark('return', name)
    }
    const told = program({
      name: 'order',
      words: 3,
      threads: {
        b: does('b', 1),
        a: does('a', 0),
        // Wrong where b had returned before a was called, and both before this.
        c: (memory, mark) => {
          mark('call', 'look')
          memory.load(2)
          mark('return', 'look', 'right')
        },
      },
      history: {
        specification: sequential<string>({
          initial: '',
          operations: { a: comes('a'), b: comes('b'), look: (state) => ({ state, result: state === 'ba' ? 'wrong' : 'right' }) },
        }),
      },
    })
    const failure = { kind: 'assertion', guarantee: 'linearizable' }
    expect(explore(told).failure).toMatchObject(failure)
    expect(exploreFewPreemptions(told, { preemptions: 0 }).failure).toMatchObject(failure)
  })

  it('says what it covered where time or room is over', () => {
    const big = adds([9, 9, 9])
    expect(exploreFewPreemptions(big, { preemptions: 9, states: 1000 })).toMatchObject({
      verdict: 'inconclusive',
      bound: 'states',
      preemptions: { all: false, states: 1001 },
    })
    const late = exploreFewPreemptions(big, { preemptions: 30, seconds: 0.05 })
    expect(late).toMatchObject({ verdict: 'inconclusive', bound: 'seconds' })
    expect(late.preemptions?.covered).toBeLessThan(26)
    const cut = exploreFewPreemptions(adds([3, 3]), { preemptions: 9, events: 2 })
    expect(cut.discarded).toBeGreaterThan(0)
    expect(cut.preemptions?.all).toBe(false)
  })

  it.each([{ preemptions: -1 }, { preemptions: 1.5 }, { preemptions: 1, states: 0 }, { preemptions: 1, seconds: 0 }])(
    'refuses %o',
    (options) => {
      expect(() => exploreFewPreemptions(adds([1, 1]), options)).toThrow(/expected/)
    },
  )

  it('finds every mistake in the mutex that the search finds, most of them with two preemptions', () => {
    const refuted = mutexChecks.filter(({ expect, mutant }) => mutant !== undefined && expect.verdict === 'refuted')
    expect(refuted.length).toBeGreaterThan(10)
    let few = 0
    for (const check of refuted) {
      if (check.expect.failure === 'unwitnessed') continue
      const report = exploreFewPreemptions(checkedProgram(check), { preemptions: 100 })
      expect(report.verdict, check.mutant?.name).toBe('refuted')
      if ((report.preemptions?.covered ?? 0) < 2) few++
    }
    expect(few).toBeGreaterThan(refuted.length / 2)
  })

  it('finds, without a bound, what the search finds in random programs', () => {
    for (const profile of profiles) {
      for (const sketch of fc.sample(sketches(profile), { numRuns: 30, seed })) {
        const tried = programOf(sketch)
        // Where somebody goes round for ever, both find what they come to first. And the bound decides what counts as for ever.
        const searched = explore(tried, { events: 20 })
        if (searched.verdict === 'inconclusive' || searched.failure?.kind === 'unwitnessed') continue
        const bounded = exploreFewPreemptions(tried, { preemptions: 1000, events: 20 })
        expect(bounded.verdict, JSON.stringify(sketch)).toBe(searched.verdict === 'refuted' ? 'refuted' : 'inconclusive')
        if (searched.verdict === 'holds') expect(bounded.preemptions?.all).toBe(true)
      }
    }
  })
})
