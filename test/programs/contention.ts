/** Threads that meet at one word, or at a few words that have nothing to do with each other. */

import { binomial, crowd, type Family, factorial, listed, upTo } from './family.ts'

const table = (row: number): string => `exploration.md section 6, row ${row}`
const measured = 'measurements.md, counts under SC (GenMC, brute force and a prototype agreed)'

const X = 0
const Y = 1

const adds: Family = {
  name: 'adds',
  parameters: 'threads',
  program: (n) => ({ name: `adds(${n})`, words: 1, threads: crowd(n, 'adder', (m) => m.add(X, 1)) }),
  executions: (n) => factorial(n),
  source: table(1),
  sizes: [[1], [2], [3], [4], [5], [6], [7], [8]],
}

const exchanges: Family = {
  name: 'exchanges',
  parameters: 'threads',
  program: (n) => ({ name: `exchanges(${n})`, words: 1, threads: crowd(n, 'swapper', (m, i) => m.exchange(X, i + 1)) }),
  executions: (n) => factorial(n),
  source: table(2),
  sizes: [[2], [3], [4], [5], [6]],
}

const repeatedAdds: Family = {
  name: 'repeated-adds',
  parameters: 'threads, adds of each',
  program: (n, k) => ({
    name: `repeated-adds(${n}, ${k})`,
    words: 1,
    threads: crowd(n, 'adder', (m) => {
      for (let i = 0; i < k; i++) m.add(X, 1)
    }),
  }),
  executions: (n, k) => Math.round(factorial(n * k) / factorial(k) ** n),
  source: table(3),
  sizes: [
    [2, 2],
    [2, 3],
    [2, 4],
    [3, 2],
    [3, 3],
    [3, 4],
    [4, 2],
  ],
}

const stores: Family = {
  name: 'stores',
  parameters: 'threads',
  program: (n) => ({ name: `stores(${n})`, words: 1, threads: crowd(n, 'writer', (m, i) => m.store(X, i + 1)) }),
  executions: (n) => factorial(n),
  source: table(4),
  sizes: [[1], [2], [3], [4], [5], [6], [7], [8]],
}

const writersAndReaders: Family = {
  name: 'writers-and-readers',
  parameters: 'writers, readers that read once',
  program: (n, k) => ({
    name: `writers-and-readers(${n}, ${k})`,
    words: 1,
    threads: { ...crowd(n, 'writer', (m, i) => m.store(X, i + 1)), ...crowd(k, 'reader', (m) => m.load(X)) },
  }),
  executions: (n, k) => factorial(n) * (n + 1) ** k,
  source: table(5),
  sizes: [
    [1, 1],
    [2, 2],
    [3, 2],
    [2, 4],
    [3, 3],
    [4, 2],
  ],
}

const writersAndOneReader: Family = {
  name: 'writers-and-one-reader',
  parameters: 'writers, reads of the one reader',
  program: (n, k) => ({
    name: `writers-and-one-reader(${n}, ${k})`,
    words: 1,
    threads: { ...crowd(n, 'writer', (m, i) => m.store(X, i + 1)), reader: (m) => upTo(k).map(() => m.load(X)) },
  }),
  executions: (n, k) => factorial(n) * binomial(n + k, k),
  source: table(6),
  sizes: [
    [1, 3],
    [2, 2],
    [3, 3],
    [4, 3],
    [5, 2],
  ],
}

const twoWriters: Family = {
  name: 'two-writers',
  parameters: 'stores of the one, stores of the other',
  program: (n, k) => ({
    name: `two-writers(${n}, ${k})`,
    words: 1,
    threads: {
      one: (m) => {
        for (let i = 1; i <= n; i++) m.store(X, i)
      },
      other: (m) => {
        for (let i = 1; i <= k; i++) m.store(X, -i)
      },
    },
  }),
  executions: (n, k) => binomial(n + k, n),
  source: table(7),
  sizes: [
    [1, 4],
    [2, 2],
    [3, 3],
    [5, 4],
    [6, 6],
  ],
}

const oneWriterOneReader: Family = {
  name: 'one-writer-one-reader',
  parameters: 'stores, loads',
  program: (k, n) => ({
    name: `one-writer-one-reader(${k}, ${n})`,
    words: 1,
    threads: {
      writer: (m) => {
        for (let i = 1; i <= k; i++) m.store(X, i)
      },
      reader: (m) => upTo(n).map(() => m.load(X)),
    },
  }),
  executions: (k, n) => binomial(k + n, n),
  source: measured,
  sizes: [
    [1, 1],
    [3, 2],
    [4, 4],
    [6, 6],
  ],
}

const readers: Family = {
  name: 'readers',
  parameters: 'readers of one writer',
  program: (n) => ({
    name: `readers(${n})`,
    words: 1,
    threads: { writer: (m) => m.store(X, 1), ...crowd(n, 'reader', (m) => m.load(X)) },
  }),
  executions: (n) => 2 ** n,
  source: table(14),
  sizes: [[1], [2], [5], [8], [11]],
}

const firstCompareExchange: Family = {
  name: 'first-compare-exchange',
  parameters: 'threads',
  program: (n) => ({
    name: `first-compare-exchange(${n})`,
    words: 1,
    threads: crowd(n, 'taker', (m, i) => m.compareExchange(X, 0, i + 1)),
  }),
  // Who comes first wins; all others fail alike, and failing is reading.
  executions: (n) => n,
  source: table(15),
  sizes: [[1], [2], [3], [6], [9]],
}

const storeThenLoad: Family = {
  name: 'store-then-load',
  parameters: 'threads',
  program: (n) => ({
    name: `store-then-load(${n})`,
    words: 1,
    threads: crowd(n, 'thread', (m, i) => {
      m.store(X, i + 1)
      return m.load(X)
    }),
  }),
  executions: (n) => factorial(n) ** 2,
  source: table(16),
  sizes: [[2], [3], [4], [5]],
}

const loadThenStore: Family = {
  name: 'load-then-store',
  parameters: 'threads',
  program: (n) => ({
    name: `load-then-store(${n})`,
    words: 1,
    threads: crowd(n, 'thread', (m, i) => {
      const seen = m.load(X)
      m.store(X, i + 1)
      return seen
    }),
  }),
  executions: (n) => factorial(n) ** 2,
  source: table(17),
  sizes: [[2], [3], [4], [5]],
}

const addThenLoad: Family = {
  name: 'add-then-load',
  parameters: 'threads',
  program: (n) => ({
    name: `add-then-load(${n})`,
    words: 1,
    threads: crowd(n, 'thread', (m) => {
      m.add(X, 1)
      return m.load(X)
    }),
  }),
  executions: (n) => factorial(n) ** 2,
  source: table(18),
  sizes: [[2], [3], [4], [5]],
}

const addTwoWords: Family = {
  name: 'add-two-words',
  parameters: 'threads',
  program: (n) => ({
    name: `add-two-words(${n})`,
    words: 2,
    threads: crowd(n, 'thread', (m) => [m.add(X, 1), m.add(Y, 1)]),
  }),
  executions: (n) => factorial(n) ** 2,
  source: measured,
  sizes: [[2], [3], [4], [5]],
}

const writersOfManyWords: Family = {
  name: 'writers-of-many-words',
  parameters: 'words, writers of each',
  program: (words, n) => ({
    name: `writers-of-many-words(${words}, ${n})`,
    words,
    threads: crowd(words * n, 'writer', (m, i) => m.store(i % words, i + 1)),
  }),
  executions: (words, n) => factorial(n) ** words,
  source: table(19),
  sizes: [
    [2, 2],
    [3, 2],
    [2, 3],
    [5, 2],
    [3, 3],
  ],
}

const disjoint: Family = {
  name: 'disjoint',
  parameters: 'threads, each with a word of its own',
  program: (n) => ({
    name: `disjoint(${n})`,
    words: n,
    threads: crowd(n, 'thread', (m, i) => {
      m.store(i, 1)
      m.add(i, 1)
      return m.load(i)
    }),
  }),
  executions: () => 1,
  source: table(20),
  sizes: [[1], [2], [5], [9]],
}

const casrot: Family = {
  name: 'casrot',
  parameters: 'threads',
  program: (n) => ({
    name: `casrot(${n})`,
    words: 1,
    threads: crowd(n, 'thread', (m, i) => m.compareExchange(X, i, i + 1)),
  }),
  executions: listed(2, [2, 5, 14, 43, 144, 523, 2048, 8597]),
  source: measured,
  sizes: [[2], [3], [4], [5], [6], [7], [8], [9]],
}

export const contention: readonly Family[] = [
  adds,
  exchanges,
  repeatedAdds,
  stores,
  writersAndReaders,
  writersAndOneReader,
  twoWriters,
  oneWriterOneReader,
  readers,
  firstCompareExchange,
  storeThenLoad,
  loadThenStore,
  addThenLoad,
  addTwoWords,
  writersOfManyWords,
  disjoint,
  casrot,
]
