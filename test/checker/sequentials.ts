/** Sequential specifications that tests share. */

import { type Sequential, sequential } from '../../model/sequential.ts'

export const queue: Sequential<readonly number[]> = sequential<readonly number[]>({
  initial: [],
  operations: {
    enqueue: (items, item: number) => ({ state: [...items, item] }),
    dequeue: (items) => ({ state: items.slice(1), result: items[0] }),
  },
})

export const stack: Sequential<readonly number[]> = sequential<readonly number[]>({
  initial: [],
  operations: {
    push: (items, item: number) => ({ state: [item, ...items] }),
    pop: (items) => ({ state: items.slice(1), result: items[0] }),
  },
})

export const register: Sequential<number> = sequential<number>({
  initial: 0,
  operations: {
    write: (_, value: number) => ({ state: value }),
    read: (value) => ({ state: value, result: value }),
    increment: (value) => ({ state: value + 1, result: value }),
  },
})

/** A queue of two places: who comes when it is full, or empty, waits or gives up. */
export const bounded: Sequential<readonly number[]> = sequential<readonly number[]>({
  initial: [],
  operations: {
    put: (items, item: number) =>
      items.length < 2 ? [{ state: [...items, item], result: true }] : [{ state: items, result: false }],
    take: (items) => (items.length === 0 ? [] : [{ state: items.slice(1), result: items[0] }]),
    poll: (items) => [
      { state: items, result: 'timed out' },
      ...(items.length === 0 ? [] : [{ state: items.slice(1), result: items[0] }]),
    ],
  },
})

/** A queue that one thread alone may read; what another one calls never comes back. */
export const ownedByFirst: Sequential<readonly number[]> = sequential<readonly number[]>({
  initial: [],
  operations: {
    enqueue: queue.operations.enqueue,
    dequeue: (items, _, thread) => (thread === 't0' ? { state: items.slice(1), result: items[0] } : []),
  },
})

/** Many registers, each under a key of its own. */
export const store: Sequential<Readonly<Record<string, string>>> = sequential<Readonly<Record<string, string>>>({
  initial: {},
  operations: {
    get: (values, { key }: { key: string }) => ({ state: values, result: values[key] ?? '' }),
    put: (values, { key, value }: { key: string; value: string }) => ({ state: { ...values, [key]: value } }),
    append: (values, { key, value }: { key: string; value: string }) => ({
      state: { ...values, [key]: (values[key] ?? '') + value },
    }),
  },
  key: ({ key }: { key: string }) => key,
})
