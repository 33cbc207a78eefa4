/** Threads that wait for each other by `pause`: an iteration that only repeats itself belongs to no execution. */

import { guarantee } from '../../checker/guarantee.ts'
import type { Memory } from '../../core/memory.ts'
import type { Program } from '../../model/program.ts'
import { crowd, type Family, factorial, listed } from './family.ts'
import { type Lock, spinLock, testAndTestAndSetLock, ticketLock } from './locks.ts'
import { ringOfTwo } from './queues.ts'

const table = (row: number): string => `exploration.md section 6, row ${row}`
const measured = 'measurements.md, counts under SC (GenMC, brute force and a prototype agreed)'

const COUNTER = 0
const LOCK = 1

/** `n` threads count to `n` under a lock, with plain reads and writes that only the lock keeps from racing. */
export function countingUnder(name: string, n: number, lockOf: (memory: Memory, at: number, self: number) => Lock): Program {
  return {
    name: `${name}(${n})`,
    words: 4,
    threads: crowd(n, 'thread', (memory, self) => {
      const lock = lockOf(memory, LOCK, self)
      lock.lock()
      const count = memory.read(COUNTER)
      memory.write(COUNTER, count + 1)
      lock.unlock()
      return count
    }),
    finally: (memory) => guarantee('mutual-exclusion', memory.load(COUNTER) === n),
  }
}

const spinLocked: Family = {
  name: 'spin-lock',
  parameters: 'threads',
  program: (n) => countingUnder('spin-lock', n, spinLock),
  executions: (n) => factorial(n),
  source: table(21),
  sizes: [[1], [2], [3], [4], [5], [6]],
}

const ticketLocked: Family = {
  name: 'ticket-lock',
  parameters: 'threads',
  program: (n) => countingUnder('ticket-lock', n, ticketLock),
  // The order of the adds decides everything: each ticket is served by one store, the only one that its holder can see.
  executions: (n) => factorial(n),
  source: 'the order of the tickets is the execution',
  sizes: [[1], [2], [3], [4], [5], [6]],
}

const lookingLocked: Family = {
  name: 'ttas-lock',
  parameters: 'threads',
  program: (n) => countingUnder('ttas-lock', n, testAndTestAndSetLock),
  // The thread that enters k-th saw the lock free after any of the k - 1 earlier releases or at the start: k choices of
  // what its load read, for each of the N! orders of entering. An attempt that failed is repeated, and is in no execution.
  executions: (n) => factorial(n) ** 2,
  source: 'N! orders of entering, and N! choices of the release that each successful look had seen',
  sizes: [[1], [2], [3], [4], [5]],
}

const barrier: Family = {
  name: 'barrier',
  parameters: 'threads',
  program: (n) => ({
    name: `barrier(${n})`,
    words: 1,
    threads: crowd(n, 'thread', (m) => {
      const arrived = m.add(0, 1)
      while (m.load(0) !== n) m.pause()
      return arrived
    }),
  }),
  executions: (n) => factorial(n),
  source: table(22),
  sizes: [[1], [2], [3], [4], [5], [6], [7]],
}

const oneSlot: Family = {
  name: 'one-slot',
  parameters: 'items handed over through one slot',
  program: (n) => ({
    name: `one-slot(${n})`,
    words: 2,
    threads: {
      producer: (m) => {
        for (let item = 1; item <= n; item++) {
          while (m.load(0) !== 0) m.pause()
          m.write(1, item)
          m.store(0, 1)
        }
      },
      consumer: (m) => {
        const items: number[] = []
        while (items.length < n) {
          while (m.load(0) !== 1) m.pause()
          items.push(m.read(1))
          m.store(0, 0)
        }
        return items
      },
    },
    finally: (_, { consumer }) =>
      guarantee(
        'in-order',
        (consumer as number[]).every((item, i) => item === i + 1),
      ),
  }),
  executions: () => 1,
  source: table(27),
  sizes: [[1], [2], [4], [10]],
}

const treiberPushes: Family = {
  name: 'treiber-pushes',
  parameters: 'threads that push once onto a Treiber stack and wait where they fail',
  program: (n) => ({
    name: `treiber-pushes(${n})`,
    words: 1,
    // What a push would write as its link it returns here: a write would make each attempt different from the last one,
    // and attempts that fail would count.
    threads: crowd(n, 'pusher', (m, i) => {
      for (;;) {
        const top = m.load(0)
        if (m.compareExchange(0, top, i + 1) === top) return top
        m.pause()
      }
    }),
  }),
  executions: (n) => factorial(n),
  source: table(23),
  sizes: [[1], [2], [3], [4], [5], [6]],
}

const boundedRing: Family = {
  name: 'spsc-ring',
  parameters: 'tries of the producer and of the consumer, at a ring of capacity 2',
  program: (n) => ({
    name: `spsc-ring(${n})`,
    words: ringOfTwo.words,
    threads: {
      producer: (m) => {
        const ring = ringOfTwo.attach(m)
        let pushed = 0
        for (let i = 0; i < n; i++) if (ring.tryPush(pushed + 1)) pushed++
        return pushed
      },
      consumer: (m) => {
        const ring = ringOfTwo.attach(m)
        const items: number[] = []
        for (let i = 0; i < n; i++) {
          const item = ring.tryPop()
          if (item !== undefined) items.push(item)
        }
        return items
      },
    },
    finally: (_, { consumer }) =>
      guarantee(
        'in-order',
        (consumer as number[]).every((item, i) => item === i + 1),
      ),
  }),
  executions: listed(1, [2, 9, 44, 225, 1182, 6321, 34232]),
  source: measured,
  sizes: [[1], [2], [3], [4], [5], [6], [7]],
}

export const waiting: readonly Family[] = [spinLocked, ticketLocked, lookingLocked, barrier, oneSlot, treiberPushes, boundedRing]
