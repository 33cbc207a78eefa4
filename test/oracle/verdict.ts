/** What both oracles say of a program, which must be the same. */

import { expect } from 'vitest'
import type { Memory } from '../../core/memory.ts'
import { type Program, program } from '../../model/program.ts'
import { bruteForce } from './brute-force.ts'
import { everyRun } from './every-run.ts'

export type Body = (memory: Memory) => unknown

/** A program of unnamed threads: `t0`, `t1` ... */
export function threads(words: number, bodies: readonly Body[], setup?: (memory: Memory) => void): Program {
  const named = Object.fromEntries(bodies.map((body, index) => [`t${index}`, body]))
  return program({ name: 'test', words, threads: named, ...(setup === undefined ? {} : { setup }) })
}

export interface Verdict {
  readonly executions: number
  readonly failures: readonly string[]
  readonly outcomes: readonly string[]
  /** The bytes that are torn at the end of some execution. */
  readonly torn: readonly number[]
}

function sorted<T>(set: ReadonlySet<T>): T[] {
  return [...set].sort()
}

/** What the oracle says, short enough to compare as a whole. The dumber oracle must say the same. */
export function verdict(tested: Program): Verdict {
  const result = bruteForce(tested)
  expect(result.limited).toBe(false)
  if (result.schedules <= 400) {
    const every = everyRun(tested, 400)
    expect(every.limited).toBe(false)
    expect(every.executions.size).toBe(result.executions.size)
    expect(every.outcomes).toEqual(result.outcomes)
    expect(every.failures).toEqual(result.failures)
    expect(every.torn).toEqual(result.torn)
    expect(every.runs).toBe(result.schedules)
  }
  const { executions, failures, outcomes, torn } = result
  return { executions: executions.size, failures: sorted(failures), outcomes: sorted(outcomes), torn: sorted(torn) }
}
