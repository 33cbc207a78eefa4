import { describe, expect, it } from 'vitest'
import { explore } from '../../checker/index.ts'
import type { Report } from '../../checker/report.ts'
import { ForwardingMemory } from '../../core/index.ts'
import type { Memory } from '../../core/memory.ts'
import type { Program } from '../../model/program.ts'
import { faults } from '../programs/faults.ts'
import { families, family, reordered } from '../programs/index.ts'
import {
  chaseLev,
  counted,
  dekker,
  michaelScott,
  peterson,
  readersAndWriters,
  semaphored,
  sleeping,
  treiberPushes,
  treiberPushPop,
} from '../programs/structures.ts'

/** Outcomes are compared only where there are few enough executions for it to cost nothing. */
const FEW = 1000

/** What must not depend on the order in which the threads are listed. */
function essence(program: Program, outcomes: boolean): Pick<Report, 'verdict' | 'executions' | 'outcomes'> {
  const { verdict, executions, outcomes: seen, failure } = explore(program, { outcomes })
  expect(failure, program.name).toBeUndefined()
  return { verdict, executions, ...(seen === undefined ? {} : { outcomes: [...seen].sort() }) }
}

/** The threads as they are, reversed, and turned round by one. */
function orders(program: Program): readonly (readonly number[])[] {
  const inOrder = Object.keys(program.threads).map((_, i) => i)
  const turned = [...inOrder.slice(1), ...inOrder.slice(0, 1)]
  return [[...inOrder].reverse(), turned].filter((order) => order.some((old, i) => old !== i))
}

function hasExactly(program: Program, executions: number): void {
  const outcomes = executions <= FEW
  const inOrder = essence(program, outcomes)
  expect(inOrder).toMatchObject({ verdict: 'holds', executions })
  for (const order of orders(program)) {
    expect(essence(reordered(program, order), outcomes), `threads in the order ${order}`).toEqual(inOrder)
  }
}

describe('executions are counted as theory counts them, whatever the order of the threads', () => {
  for (const { name, parameters, program, executions, source, sizes } of [...families, ...faults]) {
    describe(`${name} (${parameters}); ${source}`, () => {
      it.each(sizes.map((size) => [size, executions(...size)] as const))('%j: %i', (size, expected) => {
        hasExactly(program(...size), expected)
      })
    })
  }
})

describe('executions of known structures are as many as another search found', () => {
  it.each(counted.map(({ program, executions }) => [program.name, executions, program] as const))('%s: %i', (...check) => {
    const [, executions, program] = check
    hasExactly(program, executions)
  })
})

/** A compare-exchange that another thread can come into the middle of. */
class Torn extends ForwardingMemory {
  override compareExchange(word: number, expected: number, replacement: number): number {
    const old = this.load(word)
    if (old === expected) this.store(word, replacement)
    return old
  }
}

/** The first store of the thread gets lost. */
class Forgetful extends ForwardingMemory {
  #forgot = false

  override store(word: number, value: number): void {
    if (this.#forgot) super.store(word, value)
    this.#forgot = true
  }
}

function through(wrap: (memory: Memory) => Memory, program: Program): Program {
  const threads = Object.entries(program.threads).map(([name, body]) => [
    name,
    (memory: Memory, mark: never) => (body as (memory: Memory, mark: never) => unknown)(wrap(memory), mark),
  ])
  return { ...program, threads: Object.fromEntries(threads) }
}

describe('what these programs judge has teeth', () => {
  const named = (programs: readonly Program[]): [string, Program][] => programs.map((program) => [program.name, program])
  const compareExchanging = [
    family('spin-lock').program(2),
    family('ttas-lock').program(2),
    treiberPushes(2),
    treiberPushPop(2),
    michaelScott(2, 1, 1),
    chaseLev(1, 1, 1),
    semaphored(2, 1),
    readersAndWriters(1, 1),
    sleeping(2),
  ]

  it.each(named(compareExchanging))('%s is refuted with a torn compare-exchange', (_, program) => {
    expect(explore(through((memory) => new Torn(memory), program)).verdict).toBe('refuted')
  })

  it.each(named([peterson(1), dekker(1)]))('%s is refuted where each thread forgets that it wants in', (_, program) => {
    expect(explore(through((memory) => new Forgetful(memory), program)).verdict).toBe('refuted')
  })
})
