import { describe, expect, it } from 'vitest'
import { explore } from '../../checker/index.ts'
import type { Report } from '../../checker/report.ts'
import type { Program } from '../../model/program.ts'
import { families, reordered } from '../programs/index.ts'
import { counted } from '../programs/structures.ts'

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
  for (const { name, parameters, program, executions, source, sizes } of families) {
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
