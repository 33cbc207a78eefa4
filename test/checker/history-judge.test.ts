import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { explore, type Operation, replay } from '../../checker/index.ts'
import type { Memory } from '../../core/memory.ts'
import { type Condition, type Program, program } from '../../model/index.ts'
import { explainedByPermutation } from './permutations.ts'
import { register } from './sequentials.ts'

/** A step of an operation on the memory; what it read last is `seen`. */
type Step = (memory: Pick<Memory, 'load' | 'store' | 'add'>, seen: number) => number

/** A way to do an operation: its steps, and what it returns of what it saw. */
interface Way {
  readonly name: 'write' | 'read' | 'increment'
  readonly argument?: number
  readonly steps: readonly Step[]
  result(seen: number): number | undefined
}

const load =
  (word: number): Step =>
  (memory) =>
    memory.load(word)
const store =
  (word: number, value: (seen: number) => number): Step =>
  (memory, seen) => {
    memory.store(word, value(seen))
    return seen
  }
const nothing = (): undefined => undefined
const same = (seen: number): number => seen

/** Right ways and wrong ones: the value is in word 0, a copy that is behind the times in word 1. */
const ways: readonly Way[] = [
  { name: 'write', argument: 1, steps: [store(0, () => 1)], result: nothing },
  { name: 'write', argument: 2, steps: [store(0, () => 2), store(1, () => 2)], result: nothing },
  { name: 'write', argument: 3, steps: [load(1), store(0, () => 3)], result: nothing },
  { name: 'read', steps: [load(0)], result: same },
  { name: 'read', steps: [load(0), load(1)], result: same },
  { name: 'read', steps: [load(1), load(0)], result: same },
  { name: 'read', steps: [], result: () => 0 },
  { name: 'read', steps: [load(1)], result: same },
  { name: 'increment', steps: [(memory) => memory.add(0, 1)], result: same },
  { name: 'increment', steps: [load(0), store(0, (seen) => seen + 1)], result: same },
  { name: 'increment', steps: [load(1), (memory) => memory.add(0, 1), load(1)], result: same },
]

type Sketch = readonly (readonly number[])[]

const names = ['anna', 'ben', 'carl']

function programOf(sketch: Sketch, condition: Condition, kill: readonly string[]): Program {
  const threads = sketch.map((own, index) => [
    names[index],
    (memory: Memory, mark: (kind: 'call' | 'return', name: string, value?: unknown) => void) => {
      for (const way of own) {
        const { name, argument, steps, result } = ways[way]
        mark('call', name, argument)
        mark('return', name, result(steps.reduce((seen, step) => step(memory, seen), 0)))
      }
    },
  ])
  return program({
    name: 'generated',
    words: 2,
    threads: Object.fromEntries(threads),
    history: { specification: register, condition },
    ...(kill.length > 0 && { faults: { kill } }),
  })
}

/** A state of the oracle: how far each thread is, what it saw, the memory, and the history so far. */
interface State {
  readonly at: readonly (readonly [operation: number, item: number, seen: number])[]
  readonly memory: readonly [number, number]
  readonly history: readonly Operation[]
}

/** Every history: each call, each step and each return is an item, and items come in every order; who is killed stops anywhere. */
function* histories(sketch: Sketch, kill: readonly string[]): Generator<readonly Operation[]> {
  const seen = new Set<string>()
  const stack: State[] = [{ at: sketch.map(() => [0, 0, 0]), memory: [0, 0], history: [] }]
  for (let state = stack.pop(); state !== undefined; state = stack.pop()) {
    const key = JSON.stringify(state)
    if (seen.has(key)) continue
    seen.add(key)
    const { at, memory, history } = state
    const going = sketch.flatMap((own, thread) => (at[thread][0] < own.length ? [thread] : []))
    if (going.length === 0 || (going.length === 1 && kill.includes(names[going[0]]))) yield history
    for (const thread of going) {
      const [operation, item, before] = at[thread]
      const { name, argument, steps, result } = ways[sketch[thread][operation]]
      const time = history.reduce((latest, { called, returned = called }) => Math.max(latest, called, returned), 0) + 1
      const go = (to: State['at'][number], rest: Partial<State>) => stack.push({ ...state, at: at.with(thread, to), ...rest })
      if (item === 0) {
        go([operation, 1, 0], {
          history: [...history, { thread: names[thread], name, ...(argument !== undefined && { argument }), called: time }],
        })
      } else if (item <= steps.length) {
        const words: [number, number] = [...memory]
        const view = {
          load: (word: number) => words[word],
          store: (word: number, value: number) => {
            words[word] = value
          },
          add: (word: number, value: number) => {
            words[word] += value
            return words[word] - value
          },
        }
        go([operation, item + 1, steps[item - 1](view, before)], { memory: words })
      } else {
        const mine = history.findLastIndex((one) => one.thread === names[thread])
        go([operation + 1, 0, 0], { history: history.with(mine, { ...history[mine], result: result(before), returned: time }) })
      }
    }
  }
}

const sketches: fc.Arbitrary<Sketch> = fc
  .array(fc.array(fc.nat(ways.length - 1), { minLength: 1, maxLength: 3, size: 'max' }), {
    minLength: 2,
    maxLength: 3,
    size: 'max',
  })
  .filter((sketch) => sketch.flat().reduce((items, way) => items + ways[way].steps.length + 2, 0) <= 15)

const conditions: Readonly<Record<string, Condition>> = {
  linearizable: 'linearizable',
  'sequentially-consistent': 'sequentially-consistent',
  'quasi-linearizable': { quasi: { read: 1, increment: 1, write: 1 } },
}

describe('the verdict on the histories of a program is that of every order of calls, steps and returns', () => {
  for (const [name, condition] of Object.entries(conditions)) {
    for (const kill of [[], ['anna']]) {
      it(`${name}${kill.length > 0 ? ', threads may be killed' : ''}`, () => {
        const judged = new Map<string, boolean>()
        const explained = (history: readonly Operation[]): boolean => {
          const key = JSON.stringify(history)
          const known = judged.get(key) ?? explainedByPermutation(register, history, condition)
          judged.set(key, known)
          return known
        }
        const found = { holds: 0, refuted: 0 }
        fc.assert(
          fc.property(sketches, (sketch) => {
            const small = programOf(sketch, condition, kill)
            let truth: 'holds' | 'refuted' = 'holds'
            for (const history of histories(sketch, kill)) {
              if (explained(history)) continue
              truth = 'refuted'
              break
            }
            found[truth]++
            const { verdict, failure } = explore(small)
            expect(verdict).toBe(truth)
            if (failure === undefined) return
            expect(failure.guarantee).toBe(name)
            const again = replay(small, failure.schedule).failure
            expect([again?.guarantee, again?.message]).toEqual([failure.guarantee, failure.message])
          }),
          { numRuns: 150 },
        )
        expect(Math.min(found.holds, found.refuted)).toBeGreaterThan(10)
      })
    }
  }
})
