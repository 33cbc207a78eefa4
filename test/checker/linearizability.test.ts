import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { drawHistory } from '../../checker/history-text.ts'
import { explainHistory, type Operation } from '../../checker/linearizability.ts'
import type { Condition, HistoryPromise, Sequential } from '../../model/sequential.ts'
import { ProgramError } from '../../model/validate.ts'
import { explainedByPermutation, isExplanation } from './permutations.ts'
import { bounded, ownedByFirst, queue, register, stack, store } from './sequentials.ts'

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
  'single-reader queue': {
    specification: ownedByFirst,
    calls: [['enqueue', 1], ['enqueue', 2], ['dequeue']],
    results: [undefined, 1, 2],
  },
  store: { specification: store, calls: keyed, results: [undefined, '', 'a', 'b', 'ab'] },
}

/** How a random history comes about: who does what next, and what is then spoilt. */
interface Plan {
  readonly moves: readonly { readonly thread: number; readonly call: number; readonly choice: number }[]
  /** Operations that return something else. */
  readonly spoilt: readonly { readonly operation: number; readonly result: number }[]
  /** Operations that return what a later one of their kind does, which returns what they did. */
  readonly swapped: readonly number[]
  /** Threads for which all comes so much earlier or later. */
  readonly shifted: readonly { readonly thread: number; readonly by: number }[]
}

const plans: fc.Arbitrary<Plan> = fc.record({
  moves: fc.array(fc.record({ thread: fc.nat(2), call: fc.nat(11), choice: fc.nat(3) }), {
    minLength: 6,
    maxLength: 24,
    size: 'max',
  }),
  spoilt: fc.array(fc.record({ operation: fc.nat(5), result: fc.nat(4) }), { maxLength: 1 }),
  swapped: fc.array(fc.nat(5), { maxLength: 2 }),
  shifted: fc.array(fc.record({ thread: fc.nat(2), by: fc.integer({ min: -9, max: 9 }) }), { maxLength: 1 }),
})

/**
 * A history that a right structure has had, but for what is spoilt: each thread calls, takes effect and returns in turn. Some
 * operations never return.
 */
function historyOf({ specification, calls, results }: Calls, most: number, plan: Plan): Operation[] {
  const { moves, spoilt, swapped, shifted } = plan
  const history: { -readonly [K in keyof Operation]: Operation[K] }[] = []
  const busy = new Map<number, { readonly at: number; readonly effect: boolean }>()
  let state = specification.initial
  for (const [time, { thread, call, choice }] of moves.entries()) {
    const on = busy.get(thread)
    if (on === undefined) {
      if (history.length === most) continue
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
  for (const choice of swapped) {
    const pairs = history.flatMap((first) => {
      const next = history.find(({ name, called, result }) => {
        return name === first.name && called > first.called && result !== first.result
      })
      return next === undefined ? [] : [[first, next]]
    })
    if (pairs.length === 0) continue
    const [one, other] = pairs[choice % pairs.length]
    ;[one.result, other.result] = [other.result, one.result]
  }
  for (const { thread, by } of shifted) {
    for (const operation of history) {
      if (operation.thread !== `t${thread}`) continue
      operation.called += by
      if (operation.returned !== undefined) operation.returned += by
    }
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
  'quasi-linearizable by 0': (of) => quasi(of, { dequeue: 0, pop: 0, read: 0, poll: 0 }),
  'quasi-linearizable by 1': (of) => quasi(of, { dequeue: 1, pop: 1, read: 1, poll: 1 }),
  'quasi-linearizable by 2 and 1': (of) =>
    quasi(of, { dequeue: 2, enqueue: 1, pop: 2, push: 1, write: 1, increment: 2, poll: 2 }),
}

describe('the verdict on a history is that of brute force', () => {
  /** Of each condition, how many histories it explains that are not linearizable, of how many. */
  const weaker = new Map<string, { explained: number; all: number }>()

  for (const [name, conditionOf] of Object.entries(conditions)) {
    const tally = { explained: 0, all: 0 }
    weaker.set(name, tally)
    for (const [kind, calls] of Object.entries(kinds)) {
      const { specification } = calls
      const condition = conditionOf(specification)
      if (kind === 'store' && name !== 'linearizable') continue
      it(`${kind}, ${name}`, () => {
        const seen = { true: 0, false: 0 }
        const numRuns = condition === 'linearizable' ? 1000 : 300
        fc.assert(
          fc.property(plans, (plan) => {
            const history = historyOf(calls, typeof condition === 'string' ? 6 : 5, plan)
            const truth = explainedByPermutation(specification, history, condition)
            const found = explainHistory({ specification, condition }, history)
            seen[`${truth}`]++
            tally.all++
            if (condition !== 'linearizable' && truth && !explainedByPermutation(specification, history, 'linearizable'))
              tally.explained++
            expect(found.explained).toBe(truth)
            if (condition !== 'linearizable') return
            if (truth) expect(isExplanation(specification, history, found.order)).toBe(true)
            else expect(found.stuck.length).toBeGreaterThan(0)
          }),
          { numRuns },
        )
        // Both verdicts came up, so that agreement means something.
        expect(Math.min(seen.true, seen.false)).toBeGreaterThan(numRuns / 50)
      })
    }
  }

  it('and the conditions are not the same', () => {
    for (const [name, { explained, all }] of weaker) {
      if (name === 'quasi-linearizable by 0') expect(explained).toBe(0)
      else if (name !== 'linearizable') expect(explained / all, name).toBeGreaterThan(0.01)
    }
  })
})

describe('what is no history, or no promise, is refused', () => {
  const call = (changes: object = {}): Operation => ({ thread: 'anna', name: 'enqueue', argument: 1, called: 0, ...changes })
  const histories: readonly (readonly [string, readonly Operation[]])[] = [
    ['anna called enqueue at 2, before its enqueue had returned', [call(), call({ called: 2 })]],
    ['anna called enqueue at 2, before its enqueue had returned', [call({ returned: 2 }), call({ called: 2 })]],
    ['enqueue of anna was called at 3 and returned at 2', [call({ called: 3, returned: 2 })]],
    ['enqueue of anna was called at NaN', [call({ called: Number.NaN })]],
    ['an operation put, but the specification only knows enqueue, dequeue', [call({ name: 'put' })]],
    ['an operation toString', [call({ name: 'toString' })]],
  ]
  it.each(histories)('%s', (message, history) => {
    expect(() => explainHistory(queue, history)).toThrow(ProgramError)
    expect(() => explainHistory(queue, history)).toThrow(message)
  })

  const promises: readonly (readonly [string, HistoryPromise])[] = [
    ['only for linearizability: remove the key', { specification: store, condition: 'sequentially-consistent' }],
    ['only for linearizability: remove the key', { specification: store, condition: { quasi: { get: 1 } } }],
    ['quasi: expected operations of the specification', { specification: queue, condition: { quasi: { pop: 1 } } }],
    ['quasi: dequeue: expected an integer from 0', { specification: queue, condition: { quasi: { dequeue: -1 } } }],
    ['condition: expected', { specification: queue, condition: 'serializable' as Condition }],
    ['without keys: remove it', { specification: store, mayWait: true }],
  ]
  it.each(promises)('%s', (message, promise) => {
    expect(() => explainHistory(promise, [])).toThrow(ProgramError)
    expect(() => explainHistory(promise, [])).toThrow(message)
  })

  it('an outcome that is none', () => {
    const broken = { initial: [], operations: { enqueue: () => 'done' } } as unknown as Sequential
    expect(() => explainHistory(broken, [call({ returned: 1 })])).toThrow(
      'expected { state, result }, or a list of them, found done',
    )
  })
})

describe('a history on paper', () => {
  const history: readonly Operation[] = [
    { thread: 'anna', name: 'enqueue', argument: 1, called: 1, returned: 6 },
    { thread: 'ben', name: 'enqueue', argument: 2, called: 2, returned: 3 },
    { thread: 'ben', name: 'dequeue', result: 2, called: 4, returned: 5 },
    { thread: 'carl', name: 'dequeue', called: 7 },
  ]

  it('is intervals, in the order in which they begin and end; one that never ended has no end', () => {
    expect(`\n${drawHistory(history)}\n`).toBe(`
anna  |- enqueue(1) ------------------------|
ben     |- enqueue(2) -| |- dequeue() = 2 -|
carl                                          |- dequeue() -
`)
    expect(explainHistory(queue, history).explained).toBe(true)
  })
})
