import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { explainHistory, type Operation } from '../../checker/linearizability.ts'
import type { Condition, Sequential } from '../../model/sequential.ts'
import { ProgramError } from '../../model/validate.ts'
import { explainedByPermutation, isExplanation } from './permutations.ts'
import { bounded, queue, register, stack, store } from './sequentials.ts'

/** What is called in a random history, and with which arguments; what else it might have returned. */
interface Calls {
  readonly specification: Sequential
  readonly calls: readonly (readonly [name: string, argument?: unknown])[]
  readonly results: readonly unknown[]
}

const keyed = ['x', 'y'].flatMap(
  (key) =>
    [
      ['get', { key }],
      ['put', { key, value: 'a' }],
      ['append', { key, value: 'b' }],
    ] as const,
)

const kinds: Readonly<Record<string, Calls>> = {
  queue: { specification: queue, calls: [['enqueue', 1], ['enqueue', 2], ['dequeue']], results: [undefined, 1, 2] },
  stack: { specification: stack, calls: [['push', 1], ['push', 2], ['pop']], results: [undefined, 1, 2] },
  register: { specification: register, calls: [['write', 1], ['write', 2], ['read'], ['increment']], results: [0, 1, 2, 3] },
  bounded: {
    specification: bounded,
    calls: [['put', 1], ['put', 2], ['take'], ['poll']],
    results: [1, 2, true, false, 'timed out'],
  },
  store: { specification: store, calls: keyed, results: [undefined, '', 'a', 'b', 'ab'] },
}

/** How a random history comes about: who does what next, and which outcomes are spoilt. */
interface Plan {
  readonly moves: readonly { readonly thread: number; readonly call: number; readonly choice: number }[]
  readonly spoilt: readonly { readonly operation: number; readonly result: number }[]
}

const plans: fc.Arbitrary<Plan> = fc.record({
  moves: fc.array(fc.record({ thread: fc.nat(3), call: fc.nat(11), choice: fc.nat(3) }), {
    minLength: 6,
    maxLength: 22,
    size: 'max',
  }),
  spoilt: fc.array(fc.record({ operation: fc.nat(5), result: fc.nat(4) }), { maxLength: 2 }),
})

/**
 * A history that a right structure has had, but for what is spoilt: each thread calls, takes effect and returns in turn. At
 * most six operations, some of which never return.
 */
function historyOf({ specification, calls, results }: Calls, { moves, spoilt }: Plan): Operation[] {
  const history: { -readonly [K in keyof Operation]: Operation[K] }[] = []
  const busy = new Map<number, { readonly at: number; readonly effect: boolean }>()
  let state = specification.initial
  for (const [time, { thread, call, choice }] of moves.entries()) {
    const on = busy.get(thread)
    if (on === undefined) {
      if (history.length === 6) continue
      const [name, argument] = calls[call % calls.length]
      busy.set(thread, { at: history.length, effect: false })
      history.push({ thread: `t${thread}`, name, argument, called: time })
    } else if (!on.effect) {
      const operation = history[on.at]
      const answer = specification.operations[operation.name](state, operation.argument, operation.thread)
      const outcomes = Array.isArray(answer) ? answer : [answer]
      if (outcomes.length === 0) continue
      const outcome = outcomes[choice % outcomes.length]
      state = outcome.state
      operation.result = outcome.result
      busy.set(thread, { at: on.at, effect: true })
    } else {
      history[on.at].returned = time
      busy.delete(thread)
    }
  }
  for (const { operation, result } of spoilt) {
    if (operation < history.length) history[operation].result = results[result % results.length]
  }
  return history
}

/** The condition that lets operations move by so many places, as far as the specification has them. */
function quasi({ operations }: Sequential, most: Readonly<Record<string, number>>): Condition {
  return { quasi: Object.fromEntries(Object.entries(most).filter(([name]) => name in operations)) }
}

const conditions: Readonly<Record<string, (specification: Sequential) => Condition>> = {
  linearizable: () => 'linearizable',
  'sequentially-consistent': () => 'sequentially-consistent',
  'quasi-linearizable by 0': (of) => quasi(of, { dequeue: 0, pop: 0, read: 0, take: 0 }),
  'quasi-linearizable by 1': (of) => quasi(of, { dequeue: 1, pop: 1, read: 1, take: 1 }),
  'quasi-linearizable by 2 and 1': (of) =>
    quasi(of, { dequeue: 2, enqueue: 1, pop: 2, push: 1, write: 1, increment: 2, poll: 2 }),
}

describe('the verdict on a history is that of brute force', () => {
  for (const [kind, calls] of Object.entries(kinds)) {
    for (const [name, conditionOf] of Object.entries(conditions)) {
      const condition = conditionOf(calls.specification)
      if (kind === 'store' && name !== 'linearizable') continue
      it(`${kind}, ${name}`, () => {
        const seen = { true: 0, false: 0 }
        const numRuns = condition === 'linearizable' ? 1000 : 200
        fc.assert(
          fc.property(plans, (plan) => {
            const history = historyOf(calls, plan)
            const truth = explainedByPermutation(calls.specification, history, condition)
            const found = explainHistory({ specification: calls.specification, condition }, history)
            seen[`${truth}`]++
            expect(found.explained).toBe(truth)
            if (condition !== 'linearizable') return
            if (truth) expect(isExplanation(calls.specification, history, found.order)).toBe(true)
            else expect(found.stuck.length).toBeGreaterThan(0)
          }),
          { numRuns },
        )
        // Both verdicts came up, so that agreement means something.
        expect(Math.min(seen.true, seen.false)).toBeGreaterThan(numRuns / 50)
      })
    }
  }
})
void ProgramError
