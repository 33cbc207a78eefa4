import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { explore, type Operation, replay } from '../../checker/index.ts'
import type { Memory } from '../../core/memory.ts'
import { type HistoryPromise, type Program, program, type Sequential, sequential } from '../../model/index.ts'
import { explainedByPermutation } from './permutations.ts'
import { register } from './sequentials.ts'

/** A step of an operation on the memory; what it read last is `seen`. */
type Step = (memory: Pick<Memory, 'load' | 'store' | 'add'>, seen: number) => number

/** A way to do an operation: its steps, and what it returns of what it saw. */
interface Way {
  readonly name: 'write' | 'read' | 'increment'
  readonly argument?: unknown
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
const waysOfOne: readonly Way[] = [
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

interface Argument {
  readonly key: number
  readonly value: number
}

/** Two such registers, each under a key. */
const registers: Sequential<readonly number[]> = sequential<readonly number[]>({
  initial: [0, 0],
  operations: {
    write: (values, { key, value }: Argument) => ({ state: values.with(key, value) }),
    read: (values, { key }: Argument) => ({ state: values, result: values[key] }),
    increment: (values, { key }: Argument) => ({ state: values.with(key, values[key] + 1), result: values[key] }),
  },
  key: ({ key }: Argument) => key,
})

/** The second register is in words 2 and 3. */
function shifted(key: number, step: Step): Step {
  return (memory, seen) => {
    const at = (word: number): number => word + 2 * key
    return step(
      {
        load: (word) => memory.load(at(word)),
        store: (word, value) => memory.store(at(word), value),
        add: (word, value) => memory.add(at(word), value),
      },
      seen,
    )
  }
}

const waysOfTwo: readonly Way[] = [0, 1].flatMap((key) =>
  waysOfOne.map((way) => ({
    ...way,
    argument: { key, value: way.argument },
    steps: way.steps.map((step) => shifted(key, step)),
  })),
)
/** Those of one register, then those of two. */
const ways: readonly Way[] = [...waysOfOne, ...waysOfTwo]

type Sketch = readonly (readonly number[])[]

const names = ['anna', 'ben', 'carl']

function programOf(sketch: Sketch, history: HistoryPromise, kill: readonly string[]): Program {
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
    words: 4,
    threads: Object.fromEntries(threads),
    history,
    ...(kill.length > 0 && { faults: { kill } }),
  })
}

/** A state of the oracle: how far each thread is, what it saw, the memory, and the history so far. */
interface State {
  readonly at: readonly (readonly [operation: number, item: number, seen: number])[]
  readonly memory: readonly number[]
  readonly history: readonly Operation[]
}

/** Every history: each call, each step and each return is an item, and items come in every order; who is killed stops anywhere. */
function* histories(sketch: Sketch, kill: readonly string[]): Generator<readonly Operation[]> {
  const seen = new Set<string>()
  const stack: State[] = [{ at: sketch.map(() => [0, 0, 0]), memory: [0, 0, 0, 0], history: [] }]
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
        const words = [...memory]
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

/** Sketches of some of the ways. */
function sketches(from: number, count: number): fc.Arbitrary<Sketch> {
  const way = fc.integer({ min: from, max: from + count - 1 })
  return fc
    .array(fc.array(way, { minLength: 1, maxLength: 3, size: 'max' }), { minLength: 2, maxLength: 3, size: 'max' })
    .filter((sketch) => sketch.flat().reduce((items, index) => items + ways[index].steps.length + 2, 0) <= 15)
}

const ofOne = sketches(0, waysOfOne.length)
const ofTwo = sketches(waysOfOne.length, waysOfTwo.length)
const promises: Readonly<Record<string, readonly [HistoryPromise, fc.Arbitrary<Sketch>]>> = {
  linearizable: [{ specification: register }, ofOne],
  'linearizable key by key': [{ specification: registers, guarantee: 'linearizable key by key' }, ofTwo],
  'sequentially-consistent': [{ specification: register, condition: 'sequentially-consistent' }, ofOne],
  'quasi-linearizable': [{ specification: register, condition: { quasi: { read: 1, increment: 1, write: 1 } } }, ofOne],
}

describe('the verdict on the histories of a program is that of every order of calls, steps and returns', () => {
  for (const [name, [promise, ofPromise]] of Object.entries(promises)) {
    const { specification, condition = 'linearizable' } = promise
    for (const kill of [[], ['anna']]) {
      it(`${name}${kill.length > 0 ? ', threads may be killed' : ''}`, () => {
        const judged = new Map<string, boolean>()
        const explained = (history: readonly Operation[]): boolean => {
          const key = JSON.stringify(history)
          const known = judged.get(key) ?? explainedByPermutation(specification, history, condition)
          judged.set(key, known)
          return known
        }
        const found = { holds: 0, refuted: 0 }
        fc.assert(
          fc.property(ofPromise, (sketch) => {
            const small = programOf(sketch, promise, kill)
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

it('an order that breaks what is said of one key is shown with the operations on others', () => {
  const of = (key: number, way: number): number => waysOfOne.length * (1 + key) + way
  const [write, readOfValue, readOfCopy] = [0, 3, 7]
  // Broken only when ben has written before anna reads the copy, which ben does not write.
  const small = programOf([[of(1, readOfCopy)], [of(0, readOfValue), of(1, write)]], { specification: registers }, [])
  const { failure } = explore(small)
  expect(failure?.message).toContain('read({"key":1}) = 0 of anna cannot be placed')
  expect(failure?.message).toContain('read({"key":0}) = 0')
  expect(replay(small, failure?.schedule as string).failure?.message).toBe(failure?.message)
})
