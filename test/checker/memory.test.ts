import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { Exploration } from '../../checker/exploration.ts'
import { explore, makeSearch } from '../../checker/explore.ts'
import { wholeParcel } from '../../checker/parcel.ts'
import { RandomRuns } from '../../checker/random.ts'
import type { Memory } from '../../core/memory.ts'
import { withGuards } from '../../model/guards.ts'
import { type Program, program } from '../../model/program.ts'
import { family } from '../programs/index.ts'

const slow = process.env.HEDDLE_SLOW === '1'

setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')

/** How many megabytes are in use, after all that nobody needs is gone. */
function megabytes(): number {
  collect()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return (heapUsed + arrayBuffers) / 1e6
}

/** What must hold of three threads that add so often each. */
const judges: Readonly<Record<string, (times: number) => Partial<Program>>> = {
  nothing: () => ({}),
  always: (times) => ({ always: (memory) => expectThat(memory.load(0) <= 3 * times) }),
  sometimes: () => ({ sometimes: { never: () => false } }),
  finally: (times) => ({ finally: (memory) => expectThat(memory.load(0) === 3 * times) }),
}

// What Vitest is told to expect is remembered by it.
function expectThat(condition: boolean): void {
  if (!condition) throw new Error('broken')
}

describe('memory', () => {
  const times = slow ? 5 : 4

  it.each(Object.keys(judges))(`stays flat while a search goes on and %s is judged`, (judge) => {
    const { program, executions } = family('repeated-adds')
    const samples: number[] = []
    const exploration = withGuards(() => {
      const exploration = new Exploration(makeSearch, { ...program(3, times), ...judges[judge](times) }, {})
      exploration.enter([wholeParcel])
      while (exploration.run(() => true, undefined, 2048) === 'asked') samples.push(megabytes())
      return exploration
    })
    // 12! / 4!^3 executions; with HEDDLE_SLOW 15! / 5!^3.
    expect(exploration.tally.executions).toBe(executions(3, times))
    // What is learned of the threads is learned soon. States that were judged are remembered until they are too many.
    const late = samples.slice(samples.length >> 1)
    expect(Math.max(...late) - samples[1]).toBeLessThan(judge === 'always' ? 15 : 2)
    expect(late.length).toBeGreaterThanOrEqual(8)
  })

  it('stays bounded while runs are made at random, in which threads meet ever other values', () => {
    const adder = (memory: Memory): number[] => Array.from({ length: 12 }, () => memory.add(0, 1))
    const adders: Program = program({ name: 'adders', words: 1, threads: { a: adder, b: adder, c: adder } })
    const samples = withGuards(() => {
      const random = new RandomRuns(adders, { seed: 1 }, 2000)
      return Array.from({ length: 12 }, () => {
        for (let run = 0; run < 100; run++) random.run()
        return megabytes()
      })
    })
    // Histories that are kept for all 1200 runs would be 40 thousand for each thread, about 10 megabytes.
    expect(Math.max(...samples.slice(6)) - Math.max(...samples.slice(0, 6))).toBeLessThan(2)
  })
})

describe('a program with more than 10^9 executions', () => {
  /** 60! / 20!^3, about 5.8e26. */
  const twenties = family('repeated-adds').program(3, 20)

  it('gets an estimate at once, and says what was covered when its time is over', () => {
    expect(family('repeated-adds').executions(3, 20)).toBeGreaterThan(1e26)
    const { verdict, bound, executions, covered } = explore(twenties, { seconds: 0.3 })
    expect({ verdict, bound }).toEqual({ verdict: 'inconclusive', bound: 'seconds' })
    expect(executions).toBeGreaterThan(0)
    expect(covered?.share).toBeGreaterThan(0)
    expect(covered?.share).toBeLessThan(0.01)
    // Random walks through a tree of which a few branches hold nearly everything: far too small, but no small number.
    expect(covered?.estimate).toBeGreaterThan(1e9)
  })
})
