/** Structures as scenarios use them: right ones, and some with mistakes that are known. */

import { role, type Subject } from '../../checker/scenario.ts'
import type { Memory } from '../../core/memory.ts'
import { type Sequential, sequential } from '../../model/index.ts'
import { chaseLevDeque, michaelScottQueue, ringOfTwo } from '../programs/queues.ts'
import { treiberStack } from '../programs/treiber-stack.ts'
import { queue, stack } from './sequentials.ts'

/** Nodes that a thread has for itself, each given out once. */
function nodesOf(index: number, first: number, each: number): () => number {
  let next = first + index * each
  return () => next++
}

const eachThread = 3

interface Queue {
  enqueue(item: number): void
  dequeue(): number | undefined
}

const queueOperations = {
  enqueue: { call: (own: Queue, item: number) => own.enqueue(item), arguments: 'numbered' },
  dequeue: { call: (own: Queue) => own.dequeue() },
} as const

export const michaelScott: Subject = {
  name: 'michael-scott',
  words: michaelScottQueue.words(1 + 3 * eachThread),
  setup: michaelScottQueue.create,
  history: { specification: queue },
  roles: {
    user: role<Queue>({
      attach: (memory, { index }) => {
        const node = nodesOf(index, 2, eachThread)
        const { enqueue, dequeue } = michaelScottQueue.attach(memory)
        return { enqueue: (item) => enqueue(node(), item), dequeue }
      },
      operations: queueOperations,
    }),
  },
}

/** Each producer has a lane of its own, the consumer looks into one after the other: no order among producers. */
const lanes = {
  words: 2 * (1 + eachThread),
  attach(memory: Memory, lane: number): Queue {
    const read = [0, 0]
    const count = (of: number): number => of * (1 + eachThread)
    return {
      enqueue(item) {
        const at = memory.load(count(lane))
        memory.write(count(lane) + 1 + at, item)
        memory.store(count(lane), at + 1)
      },
      dequeue() {
        for (const of of [0, 1]) {
          if (memory.load(count(of)) > read[of]) return memory.read(count(of) + 1 + read[of]++)
        }
        return undefined
      },
    }
  },
}

const { enqueue, dequeue } = queueOperations

export const queueOfLanes: Subject = {
  name: 'lanes',
  words: lanes.words,
  history: { specification: queue },
  roles: {
    producer: role<Queue>({ most: 2, attach: (memory, { index }) => lanes.attach(memory, index), operations: { enqueue } }),
    consumer: role<Queue>({ most: 1, attach: (memory) => lanes.attach(memory, 0), operations: { dequeue } }),
  },
}

/**
 * Vyukov's queue of many producers: a producer takes the end with one exchange and then links its node. Until it has, nodes
 * behind it are not to be found, and the consumer says that the queue is empty.
 */
const linkedLate = {
  words: 1 + 2 * (1 + 2 * eachThread),
  attach(memory: Memory, index: number): Queue {
    const tail = 0
    const next = (node: number): number => 1 + 2 * node
    const payload = (node: number): number => 2 + 2 * node
    const fresh = nodesOf(index, 1, eachThread)
    let head = 0
    return {
      enqueue(item) {
        const node = fresh()
        memory.write(payload(node), item)
        memory.store(next(memory.exchange(tail, node)), node)
      },
      dequeue() {
        const node = memory.load(next(head))
        if (node === 0) return undefined
        head = node
        return memory.read(payload(node))
      },
    }
  },
}

export const vyukov: Subject = {
  name: 'vyukov',
  words: linkedLate.words,
  history: { specification: queue },
  roles: {
    producer: role<Queue>({ most: 2, attach: (memory, { index }) => linkedLate.attach(memory, index), operations: { enqueue } }),
    consumer: role<Queue>({ most: 1, attach: (memory) => linkedLate.attach(memory, 0), operations: { dequeue } }),
  },
}

/**
 * A relaxed queue under a lock: where there are two items or more, the second one comes out first, but the next time the
 * first one does.
 */
const overtaking = {
  words: 4 + 3 * eachThread,
  attach(memory: Memory): Queue {
    const [lock, head, tail, overtaken] = [0, 1, 2, 3]
    const slot = (position: number): number => 4 + position
    const locked = <T>(body: () => T): T => {
      while (memory.compareExchange(lock, 0, 1) !== 0) memory.pause()
      const result = body()
      memory.store(lock, 0)
      return result
    }
    const add = (word: number, change: number): number => {
      const old = memory.read(word)
      memory.write(word, old + change)
      return old
    }
    return {
      enqueue: (item) => locked(() => memory.write(slot(add(tail, 1)), item)),
      dequeue: () =>
        locked(() => {
          const first = memory.read(head)
          const count = memory.read(tail) - first
          if (memory.read(overtaken) === 1) {
            memory.write(overtaken, 0)
            memory.write(head, first + 2)
            return memory.read(slot(first))
          }
          if (count === 0) return undefined
          if (count === 1) return memory.read(slot(add(head, 1)))
          memory.write(overtaken, 1)
          return memory.read(slot(first + 1))
        }),
    }
  },
}

export const relaxed: Subject = {
  name: 'relaxed',
  words: overtaking.words,
  history: { specification: queue, condition: { quasi: { dequeue: 1 } } },
  roles: { user: role<Queue>({ attach: (memory) => overtaking.attach(memory), operations: queueOperations }) },
}

/** A queue of two whose full and empty ring say so, between one producer and one consumer. */
const fullOrEmpty: Sequential<readonly number[]> = sequential<readonly number[]>({
  initial: [],
  operations: {
    tryPush: (items, item: number) =>
      items.length < 2 ? { state: [...items, item], result: true } : { state: items, result: false },
    tryPop: (items) => ({ state: items.slice(1), result: items[0] }),
  },
})

type RingOfTwo = ReturnType<typeof ringOfTwo.attach>

export const lamport: Subject = {
  name: 'lamport',
  words: ringOfTwo.words,
  history: { specification: fullOrEmpty },
  roles: {
    producer: role<RingOfTwo>({
      most: 1,
      attach: (memory) => ringOfTwo.attach(memory),
      operations: { tryPush: { call: (ring, item: number) => ring.tryPush(item), arguments: 'numbered' } },
    }),
    consumer: role<RingOfTwo>({
      most: 1,
      attach: (memory) => ringOfTwo.attach(memory),
      operations: { tryPop: { call: (ring) => ring.tryPop() } },
    }),
  },
}

interface Stack {
  push(item: number): void
  pop(): number | undefined
}

const stackOperations = {
  push: { call: (own: Stack, item: number) => own.push(item), arguments: 'numbered' },
  pop: { call: (own: Stack) => own.pop() },
} as const

export const treiber: Subject = {
  name: 'treiber',
  words: treiberStack.words(3 * eachThread),
  history: { specification: stack },
  roles: {
    user: role<Stack>({
      attach: (memory, { index }) => {
        const node = nodesOf(index, 1, eachThread)
        const { push, pop } = treiberStack.attach(memory)
        return { push: (item) => push(node(), item), pop }
      },
      operations: stackOperations,
    }),
  },
}

/** Treiber's stack whose threads push the nodes that they popped again: a node on top may not be what it was (ABA). */
const reusing = {
  words: 1 + 2 * (2 + 3 * eachThread),
  link: (node: number): number => 2 * node - 1,
  payload: (node: number): number => 2 * node,
  /** Two items to begin with: 91 on top of 92. */
  create(memory: Memory): void {
    memory.store(0, 1)
    memory.store(reusing.link(1), 2)
    memory.store(reusing.payload(1), 91)
    memory.store(reusing.payload(2), 92)
  },
  attach(memory: Memory, index: number): Stack {
    const fresh = nodesOf(index, 3, eachThread)
    const free: number[] = []
    return {
      push(item) {
        const node = free.shift() ?? fresh()
        memory.store(reusing.payload(node), item)
        for (;;) {
          const below = memory.load(0)
          memory.store(reusing.link(node), below)
          if (memory.compareExchange(0, below, node) === below) return
        }
      },
      pop() {
        for (;;) {
          const node = memory.load(0)
          if (node === 0) return undefined
          const below = memory.load(reusing.link(node))
          if (memory.compareExchange(0, node, below) === node) {
            free.push(node)
            return memory.load(reusing.payload(node))
          }
        }
      },
    }
  },
}

export const treiberReusing: Subject = {
  name: 'treiber-reusing-nodes',
  words: reusing.words,
  setup: reusing.create,
  history: { specification: { ...stack, initial: [91, 92] } },
  roles: {
    user: role<Stack>({
      attach: (memory, { index }) => reusing.attach(memory, index),
      operations: stackOperations,
    }),
  },
}

const two: Sequential<readonly number[]> = sequential<readonly number[]>({
  initial: [0, 0],
  operations: {
    first: ([, second], value: number) => ({ state: [value, second] }),
    second: ([first], value: number) => ({ state: [first, value] }),
    snapshot: (both) => ({ state: both, result: both }),
  },
})

/** Two words that anybody writes, and a snapshot of both. */
function twoWords(name: string, snapshot: (memory: Memory) => number[]): Subject {
  return {
    name,
    words: 2,
    history: { specification: two },
    roles: {
      user: role<Memory>({
        attach: (memory) => memory,
        operations: {
          first: { call: (memory, value: number) => memory.store(0, value), arguments: 'numbered' },
          second: { call: (memory, value: number) => memory.store(1, value), arguments: 'numbered' },
          snapshot: { call: snapshot },
        },
      }),
    },
  }
}

/** Reads one word after the other. */
export const tornSnapshot: Subject = twoWords('torn-snapshot', (memory) => [memory.load(0), memory.load(1)])

/** Reads both until they are twice the same; no value is ever written twice. */
export const doubleCollect: Subject = twoWords('double-collect', (memory) => {
  let last = [memory.load(0), memory.load(1)]
  for (;;) {
    const now = [memory.load(0), memory.load(1)]
    if (now.join() === last.join()) return now
    last = now
  }
})

interface Deque {
  push(item: number): void
  take(): number | undefined
  steal(): number | undefined
}

/** Only the owner pushes and takes; a thief that meets another one may go away with nothing. */
const deque: Sequential<readonly number[]> = sequential<readonly number[]>({
  initial: [],
  operations: {
    push: (items, item: number, thread) => (thread === 'owner' ? { state: [...items, item] } : []),
    take: (items) => ({ state: items.slice(0, -1), result: items.at(-1) }),
    steal: (items) => [{ state: items }, { state: items.slice(1), result: items[0] }],
  },
})

function dequeOf(name: string, attach: (memory: Memory) => Deque): Subject {
  return {
    name,
    words: chaseLevDeque.words(4),
    history: { specification: deque },
    roles: {
      owner: role<Deque>({
        most: 1,
        attach,
        operations: {
          push: { call: (own, item: number) => own.push(item), arguments: 'numbered' },
          take: { call: (own) => own.take() },
        },
      }),
      thief: role<Deque>({ attach, operations: { steal: { call: (own) => own.steal() } } }),
    },
  }
}

export const chaseLev: Subject = dequeOf('chase-lev', chaseLevDeque.attach)

const slot = (position: number): number => 2 + position

/**
 * With unsigned positions, as in many a translation (crossbeam-rs/crossbeam#33 tells): who takes from a deque that never had
 * an item goes below zero, which is a large number.
 */
export const chaseLevUnsigned: Subject = dequeOf('chase-lev-unsigned', (memory) => ({
  ...chaseLevDeque.attach(memory),
  take() {
    const at = (memory.load(1) - 1) >>> 0
    memory.store(1, at)
    const oldest = memory.load(0)
    if (oldest < at) return memory.read(slot(at % 4))
    const won = oldest === at && memory.compareExchange(0, at, at + 1) === at
    memory.store(1, at + 1)
    return won ? memory.read(slot(at)) : undefined
  },
}))

/** The owner does not compete for the last item. */
export const chaseLevCarefree: Subject = dequeOf('chase-lev-carefree', (memory) => ({
  ...chaseLevDeque.attach(memory),
  take() {
    const at = memory.load(1) - 1
    memory.store(1, at)
    if (memory.load(0) <= at) return memory.read(slot(at))
    memory.store(1, at + 1)
    return undefined
  },
}))

/** A thief looks at the bottom before it looks at the top. */
export const chaseLevBottomFirst: Subject = dequeOf('chase-lev-bottom-first', (memory) => ({
  ...chaseLevDeque.attach(memory),
  steal() {
    const bottom = memory.load(1)
    const oldest = memory.load(0)
    if (bottom <= oldest) return undefined
    const item = memory.read(slot(oldest))
    return memory.compareExchange(0, oldest, oldest + 1) === oldest ? item : undefined
  },
}))
