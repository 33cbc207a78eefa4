import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { explore, type Operation, replay } from '../../checker/index.ts'
import type { Memory } from '../../core/memory.ts'
import { type Outcome, type Program, program, sequential } from '../../model/index.ts'
import { seed } from '../seed.ts'
import { choices, explainedByPermutation, inRealTime, permutations, respects } from './permutations.ts'

/**
 * Histories of threads that spin, sleep, wait for ever and are killed: random programs around a mailbox for one item, against
 * every order of their calls, steps and returns.
 */

const programs = Math.ceil(Number(process.env.HEDDLE_PROGRAMS ?? 4000) / 16)

/** What the operations should do: 0 is an empty mailbox, and who cannot go on waits. */
const mailbox = sequential<number>({
  initial: 0,
  operations: {
    put: (held, item: number) => (held === 0 ? { state: item } : []),
    take: (held) => (held === 0 ? [] : { state: 0, result: held }),
    peek: (held) => ({ state: held, result: held }),
    awaitItem: (held) => (held === 0 ? [] : { state: held }),
  },
})

/** A part of an operation. It works on one word and has seen one value, `seen`. */
type Part =
  /** Looks. */
  | 'load'
  /** Looks until the mailbox is empty, or full, with a pause in between. */
  | 'spin until empty'
  | 'spin until full'
  /** Puts the item in as soon as the mailbox is empty, with a pause in between. */
  | 'spin put'
  /** Puts the item in if the mailbox is empty; looks otherwise. */
  | 'try put'
  /** Takes out what was seen; if it is not there, begins again. */
  | 'try take'
  | 'store item'
  | 'store nothing'
  /** If what was seen is an item, or none, sleeps while that is so, and begins again. */
  | 'sleep while full'
  | 'sleep while empty'
  /** Sleeps if there is nothing, and then goes on. */
  | 'nap'
  | 'notify one'
  | 'notify all'

interface Way {
  readonly name: 'put' | 'take' | 'peek' | 'awaitItem'
  readonly parts: readonly Part[]
}

const ways: readonly Way[] = [
  { name: 'put', parts: ['spin put'] },
  { name: 'put', parts: ['spin put', 'notify all'] },
  { name: 'put', parts: ['spin until empty', 'store item'] },
  { name: 'put', parts: ['try put', 'sleep while full', 'notify all'] },
  { name: 'put', parts: ['try put', 'sleep while full', 'notify one'] },
  { name: 'put', parts: ['try put', 'sleep while full'] },
  // Waits until somebody has taken the item, and overlooks that it was.
  { name: 'put', parts: ['spin put', 'spin until empty'] },
  { name: 'take', parts: ['spin until full', 'try take'] },
  { name: 'take', parts: ['spin until full', 'try take', 'notify all'] },
  { name: 'take', parts: ['spin until full', 'store nothing', 'notify all'] },
  { name: 'take', parts: ['load', 'sleep while empty', 'try take', 'notify all'] },
  { name: 'take', parts: ['load', 'sleep while empty', 'try take', 'notify one'] },
  { name: 'take', parts: ['load', 'sleep while empty', 'try take'] },
  { name: 'peek', parts: ['load'] },
  { name: 'awaitItem', parts: ['spin until full'] },
  { name: 'awaitItem', parts: ['load', 'sleep while empty'] },
  { name: 'awaitItem', parts: ['nap'] },
]

interface Sketch {
  /** For each thread its operations: indices of `ways`. */
  readonly threads: readonly (readonly number[])[]
  readonly killed: boolean
  readonly mayWait: boolean
}

const names = ['anna', 'ben', 'carl']
/** No two calls put the same item. */
const itemOf = (thread: number, operation: number): number => 1 + 10 * thread + operation
const resultOf = ({ name }: Way, seen: number): number | undefined => (name === 'take' || name === 'peek' ? seen : undefined)

function runWay({ parts }: Way, item: number, memory: Memory): number {
  let seen = 0
  const spin = (look: () => number, isEnough: (value: number) => boolean): void => {
    for (seen = look(); !isEnough(seen); seen = look()) memory.pause()
  }
  const isEmpty = (value: number): boolean => value === 0
  const isFull = (value: number): boolean => value !== 0
  const load = (): number => memory.load(0)
  for (let at = 0; at < parts.length; at++) {
    switch (parts[at]) {
      case 'load':
        seen = load()
        break
      case 'spin until empty':
        spin(load, isEmpty)
        break
      case 'spin until full':
        spin(load, isFull)
        break
      case 'spin put':
        spin(() => memory.compareExchange(0, 0, item), isEmpty)
        break
      case 'try put':
        seen = memory.compareExchange(0, 0, item)
        break
      case 'try take':
        if (memory.compareExchange(0, seen, 0) !== seen) at = -1
        break
      case 'store item':
        memory.store(0, item)
        break
      case 'store nothing':
        memory.store(0, 0)
        break
      case 'sleep while full':
      case 'sleep while empty':
        if (isFull(seen) !== (parts[at] === 'sleep while full')) break
        memory.wait(0, seen)
        at = -1
        break
      case 'nap':
        memory.wait(0, 0)
        break
      case 'notify one':
        memory.notify(0, 1)
        break
      case 'notify all':
        memory.notify(0)
        break
    }
  }
  return seen
}

function programOf({ threads, killed, mayWait }: Sketch): Program {
  const bodies = threads.map((own, thread) => [
    names[thread],
    (memory: Memory, mark: (kind: 'call' | 'return', name: string, value?: unknown) => void) => {
      for (const [operation, index] of own.entries()) {
        const way = ways[index]
        const item = itemOf(thread, operation)
        mark('call', way.name, way.name === 'put' ? item : undefined)
        mark('return', way.name, resultOf(way, runWay(way, item, memory)))
      }
    },
  ])
  return program({
    name: 'mailbox',
    words: 1,
    threads: Object.fromEntries(bodies),
    history: { specification: mailbox, mayWait },
    ...(killed && { faults: { kill: [names[0]] } }),
  })
}

/** Where a thread is: before the call of an operation (`part` -1), before one of its parts, or before its return. */
interface Thread {
  readonly operation: number
  readonly part: number
  readonly seen: number
  readonly status: 'ready' | 'asleep' | 'killed'
}

interface State {
  readonly held: number
  readonly asleep: readonly number[]
  readonly threads: readonly Thread[]
  readonly history: readonly Operation[]
}

type Kind = 'assertion' | 'deadlock' | 'livelock'

/** Everything that can go wrong, by every order of calls, parts and returns. */
function oracle({ threads: sketch, killed, mayWait }: Sketch): ReadonlySet<Kind> {
  const kinds = new Set<Kind>()
  const known = new Set<string>()
  const isOver = (thread: Thread, index: number): boolean =>
    thread.status === 'killed' || thread.operation === sketch[index].length
  const start: Thread = { operation: 0, part: -1, seen: 0, status: 'ready' }
  const stack: State[] = [{ held: 0, asleep: [], threads: sketch.map(() => start), history: [] }]
  for (let state = stack.pop(); state !== undefined; state = stack.pop()) {
    const key = JSON.stringify(state)
    if (known.has(key)) continue
    known.add(key)
    const { threads, history } = state
    const next = threads.flatMap((_, index) => stepsOf(sketch, state as State, index))
    stack.push(...next)
    const [first] = threads
    if (killed && first.status === 'ready' && !isOver(first, 0)) {
      stack.push({ ...state, threads: threads.with(0, { ...first, status: 'killed' }) })
    }
    if (next.length > 0) continue
    const stuck = threads.flatMap((thread, index) => (isOver(thread, index) ? [] : [index]))
    if (!explainedByPermutation(mailbox, history, 'linearizable')) kinds.add('assertion')
    if (stuck.length === 0 || (mayWait && mustWait(history, stuck))) continue
    kinds.add(stuck.some((index) => threads[index].status === 'asleep') ? 'deadlock' : 'livelock')
  }
  return kinds
}

/** What may be after the next step of a thread: a call, a part or a return. Nothing where it cannot go on. */
function stepsOf(sketch: Sketch['threads'], state: State, index: number): State[] {
  const { held, asleep, threads, history } = state
  const thread = threads[index]
  const { operation, part, seen, status } = thread
  if (status !== 'ready' || operation === sketch[index].length) return []
  const way = ways[sketch[index][operation]]
  const item = itemOf(index, operation)
  const time = history.reduce((latest, { called, returned = called }) => Math.max(latest, called, returned), 0) + 1
  const to = (changes: Partial<Thread>, rest: Partial<State> = {}): State[] => [
    { ...state, threads: (rest.threads ?? threads).with(index, { ...thread, ...changes }), ...without(rest) },
  ]
  const goOn = (rest: Partial<State> = {}, nowSeen = seen): State[] => to({ part: part + 1, seen: nowSeen }, rest)
  const sleep = (): State[] => to({ status: 'asleep' }, { asleep: [...asleep, index] })
  const wake = (count: number): State[] => {
    const woken = threads.map((other, at): Thread => {
      if (!asleep.slice(0, count).includes(at)) return other
      const { parts } = ways[sketch[at][other.operation]]
      return { ...other, status: 'ready', part: parts[other.part] === 'nap' ? other.part + 1 : 0 }
    })
    return goOn({ threads: woken, asleep: asleep.slice(count) })
  }
  if (part < 0) {
    const called: Operation = {
      thread: names[index],
      name: way.name,
      ...(way.name === 'put' && { argument: item }),
      called: time,
    }
    return to({ part: 0, seen: 0 }, { history: [...history, called] })
  }
  switch (way.parts[part]) {
    case undefined: {
      const mine = history.findLastIndex((one) => one.thread === names[index])
      const returned = { ...history[mine], result: resultOf(way, seen), returned: time }
      return to({ operation: operation + 1, part: -1 }, { history: history.with(mine, returned) })
    }
    case 'load':
      return goOn({}, held)
    case 'spin until empty':
      return held === 0 ? goOn() : []
    case 'spin until full':
      return held === 0 ? [] : goOn({}, held)
    case 'spin put':
      return held === 0 ? goOn({ held: item }) : []
    case 'try put':
      return held === 0 ? goOn({ held: item }, 0) : goOn({}, held)
    case 'try take':
      return held === seen ? goOn({ held: 0 }) : to({ part: 0 })
    case 'store item':
      return goOn({ held: item })
    case 'store nothing':
      return goOn({ held: 0 })
    case 'sleep while full':
    case 'sleep while empty':
      if ((seen !== 0) !== (way.parts[part] === 'sleep while full')) return stepsOf(sketch, goOn()[0], index)
      return held === seen ? sleep() : to({ part: 0 })
    case 'nap':
      return held === 0 ? sleep() : goOn()
    case 'notify one':
      return wake(1)
    case 'notify all':
      return wake(asleep.length)
  }
}

function without({ threads: _, ...rest }: Partial<State>): Partial<State> {
  return rest
}

/** Whether the threads that are stuck may wait: some order of what the others did leaves none of them a way to take effect. */
function mustWait(history: readonly Operation[], stuck: readonly number[]): boolean {
  const waiting = history.filter(({ thread, returned }) => returned === undefined && stuck.includes(names.indexOf(thread)))
  const returned = history.filter((operation) => operation.returned !== undefined)
  const killed = history.filter((operation) => operation.returned === undefined && !waiting.includes(operation))
  for (const chosen of choices(killed)) {
    for (const order of permutations([...returned, ...chosen])) {
      if (!respects(order, inRealTime)) continue
      const end = stateAfter(order)
      if (end !== undefined && waiting.every(({ name, argument }) => outcomesOf(end, name, argument).length === 0)) return true
    }
  }
  return false
}

function outcomesOf(held: number, name: string, argument: unknown): readonly Outcome<number>[] {
  const outcome = mailbox.operations[name](held, argument, '')
  return 'length' in outcome ? outcome : [outcome]
}

/** What the mailbox holds after operations in this order; `undefined` where they do not explain one another. */
function stateAfter(order: readonly Operation[]): number | undefined {
  let held = mailbox.initial
  for (const { name, argument, result, returned } of order) {
    const [outcome] = outcomesOf(held, name, argument)
    if (outcome === undefined || (returned !== undefined && outcome.result !== result)) return undefined
    held = outcome.state
  }
  return held
}

const anyWay = fc.nat(ways.length - 1)
const sketches: fc.Arbitrary<Sketch> = fc.record({
  threads: fc
    .oneof(
      fc.tuple(...[3, 3].map((maxLength) => fc.array(anyWay, { minLength: 1, maxLength, size: 'max' }))),
      fc.tuple(...[2, 1, 1].map((maxLength) => fc.array(anyWay, { minLength: 1, maxLength, size: 'max' }))),
    )
    .filter((threads) => threads.flat().length <= 4),
  killed: fc.boolean(),
  mayWait: fc.constantFrom(true, true, false),
})

describe('histories in which threads wait', () => {
  it(`are judged as every order of calls, steps and returns says (HEDDLE_SEED=${seed}, HEDDLE_PROGRAMS=${16 * programs})`, () => {
    const found = { holds: 0, 'holds although some wait': 0, assertion: 0, deadlock: 0, livelock: 0 }
    fc.assert(
      fc.property(sketches, (sketch) => {
        const small = programOf(sketch)
        const kinds = oracle(sketch)
        const { verdict, failure } = explore(small)
        expect(verdict).toBe(kinds.size === 0 ? 'holds' : 'refuted')
        if (failure === undefined) {
          found.holds++
          if (oracle({ ...sketch, mayWait: false }).size > 0) found['holds although some wait']++
          return
        }
        const { kind } = failure as { readonly kind: Kind }
        found[kind]++
        expect([...kinds]).toContain(kind)
        const again = replay(small, failure.schedule).failure
        expect([again?.kind, again?.message]).toEqual([failure.kind, failure.message])
      }),
      { numRuns: programs },
    )
    for (const [what, count] of Object.entries(found)) expect(count, what).toBeGreaterThan(programs / 50)
  })
})
