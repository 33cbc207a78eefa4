/** The shapes of the litmus literature, drawn out to any number of threads: SB, LB, 2+2W, IRIW, MP. */

import { crowd, type Family, upTo } from './family.ts'

const table = (row: number): string => `exploration.md section 6, row ${row}`
const measured = 'measurements.md, counts under SC (GenMC, brute force and a prototype agreed)'

// In a ring each thread touches its own word and its neighbour's. Each of the N pairs of accesses to one word can stand
// in two orders; only the orders that all point the same way round make a cycle, and one of the two is impossible.
const ring = (n: number): number => 2 ** n - 1

const storeBuffering: Family = {
  name: 'store-buffering',
  parameters: 'threads in the ring',
  program: (n) => ({
    name: `store-buffering(${n})`,
    words: n,
    threads: crowd(n, 'thread', (m, i) => {
      m.store(i, 1)
      return m.load((i + 1) % n)
    }),
  }),
  executions: ring,
  source: table(8),
  sizes: [[2], [3], [4], [6], [9]],
}

const loadBuffering: Family = {
  name: 'load-buffering',
  parameters: 'threads in the ring',
  program: (n) => ({
    name: `load-buffering(${n})`,
    words: n,
    threads: crowd(n, 'thread', (m, i) => {
      const seen = m.load(i)
      m.store((i + 1) % n, 1)
      return seen
    }),
  }),
  executions: ring,
  source: table(9),
  sizes: [[2], [3], [4], [6], [9]],
}

const twoPlusTwoWrites: Family = {
  name: '2+2w',
  parameters: 'threads in the ring',
  program: (n) => ({
    name: `2+2w(${n})`,
    words: n,
    threads: crowd(n, 'thread', (m, i) => {
      m.store(i, 1)
      m.store((i + 1) % n, 2)
    }),
  }),
  executions: ring,
  source: table(10),
  sizes: [[2], [3], [4], [6], [9]],
}

const independentReads: Family = {
  name: 'iriw',
  parameters: 'writers, each of a word of its own; two readers read all words in opposite orders',
  program: (n) => ({
    name: `iriw(${n})`,
    words: n,
    threads: {
      ...crowd(n, 'writer', (m, i) => m.store(i, 1)),
      upwards: (m) => upTo(n).map((word) => m.load(word)),
      downwards: (m) => upTo(n).map((word) => m.load(n - 1 - word)),
    },
  }),
  executions: (n) => 3 ** (n - 1) * (n + 3),
  source: `${table(11)} (15 for two writers); ${measured}`,
  sizes: [[2], [3], [4], [5], [6], [7]],
}

const messagePassingReversed: Family = {
  name: 'message-passing-reversed',
  parameters: 'words, read in the reverse of the order in which they are written',
  program: (n) => ({
    name: `message-passing-reversed(${n})`,
    words: n,
    threads: {
      writer: (m) => {
        for (let word = 0; word < n; word++) m.store(word, 1)
      },
      reader: (m) => upTo(n).map((word) => m.load(n - 1 - word)),
    },
  }),
  // Once the reader has seen one word written, it sees all that it reads after.
  executions: (n) => n + 1,
  source: table(12),
  sizes: [[1], [2], [3], [8]],
}

const messagePassingInOrder: Family = {
  name: 'message-passing-in-order',
  parameters: 'words, read in the order in which they are written',
  program: (n) => ({
    name: `message-passing-in-order(${n})`,
    words: n,
    threads: {
      writer: (m) => {
        for (let word = 0; word < n; word++) m.store(word, 1)
      },
      reader: (m) => upTo(n).map((word) => m.load(word)),
    },
  }),
  executions: (n) => 2 ** n,
  source: table(13),
  sizes: [[1], [2], [5], [9]],
}

const messagePassingToMany: Family = {
  name: 'message-passing-to-many',
  parameters: 'readers of a flag and of what it guards',
  program: (n) => ({
    name: `message-passing-to-many(${n})`,
    words: 2,
    threads: {
      writer: (m) => {
        m.store(0, 1)
        m.store(1, 1)
      },
      ...crowd(n, 'reader', (m) => [m.load(1), m.load(0)]),
    },
  }),
  executions: (n) => 3 ** n,
  source: measured,
  sizes: [[1], [2], [4], [6]],
}

export const shapes: readonly Family[] = [
  storeBuffering,
  loadBuffering,
  twoPlusTwoWrites,
  independentReads,
  messagePassingReversed,
  messagePassingInOrder,
  messagePassingToMany,
]
