import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type DiskQueueOptions, openQueue, receiveAll } from '../../core/node-queue.ts'
import { recordWords } from '../../core/record.ts'
import { recordsAt } from '../../core/segment.ts'
import { seed } from '../seed.ts'
import { canMap } from './peers.ts'

/**
 * The properties that hopper's own tests ask for, with their parameters: what is sent comes back, exactly, from one sender or many,
 * through memory and files of any size, however tiny.
 */

// In memory where there is such a place: thousands of files are made.
const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'heddle-queue-hopper-'))
let count = 0
const newPath = (): string => join(folder, `queue-${count++}`)

type Options = Pick<DiskQueueOptions<Uint8Array>, 'segmentBytes' | 'limits'>

/** The smallest file that an item of so many bytes fits into. */
const smallest = (bytes: number): number => 4 * (recordsAt + recordWords(bytes))
/** A limit of hopper as one of ours: no file can be smaller than its headers and an item. */
const files = (diskBytes: number, itemBytes = 8): Options => ({ segmentBytes: Math.max(diskBytes, smallest(itemBytes)) })

/** Item `n` of a sender, and something behind it. */
function itemOf(sender: number, n: number, bytes = 8): Uint8Array {
  const item = new Uint8Array(Math.max(8, bytes)).fill(n)
  item.set(new Uint8Array(Int32Array.of(sender, n).buffer))
  return item
}
const lists = (senders: number, items: number, bytes?: number): Uint8Array[][] =>
  Array.from({ length: senders }, (_, sender) => Array.from({ length: items }, (_, n) => itemOf(sender, n, bytes)))

/** Threads that send. */
const threads: Worker[] = []
const answer = (thread: Worker): Promise<unknown> => once(thread, 'message')

beforeAll(async () => {
  if (!canMap) return
  for (let n = 0; n < 2; n++) threads.push(new Worker(new URL('queue-sender.mjs', import.meta.url), { execArgv: [] }))
  await Promise.all(threads.map(answer))
})

afterAll(async () => {
  await Promise.all(threads.map((thread) => thread.terminate()))
  rmSync(folder, { recursive: true, force: true })
})

/** Each of these lists is sent by a producer of its own, on both threads, while this one receives: each comes whole and in order. */
async function sentByThreads(all: readonly (readonly Uint8Array[])[], options: Options): Promise<void> {
  const path = newPath()
  using queue = openQueue(path, { ...options, mode: 'new' })
  const own = queue.producer()
  const done = threads.map((thread, t) => {
    thread.postMessage({ path, options, lists: all.filter((_, i) => i % threads.length === t) })
    return answer(thread)
  })
  const sent = Promise.all(done).finally(() => own.close())
  // Whoever could not send is told of below.
  sent.catch(() => {})
  const received = all.map((): number => 0)
  for await (const { item } of receiveAll(queue.consumer())) {
    const [sender, n] = new Int32Array(item.slice(0, 8).buffer) as unknown as [number, number]
    if (n !== received[sender]) expect({ sender, n }).toEqual({ sender, n: received[sender] })
    if (item.length !== all[sender]?.[n]?.length || item.some((byte, i) => byte !== all[sender]?.[n]?.[i])) {
      expect([...item]).toEqual([...(all[sender]?.[n] ?? [])])
    }
    received[sender] = n + 1
  }
  await sent
  expect(received).toEqual(all.map((items) => items.length))
  rmSync(path, { recursive: true })
}

describe.runIf(canMap)(`what hopper promises (HEDDLE_SEED=${seed})`, () => {
  it('round trip: all is sent, one is received, it is brought to the disk, and the rest is received', () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 99 }), { maxLength: 99 })
    const limit = fc.integer({ min: smallest(99), max: 2 * smallest(99) })
    const property = fc.property(sizes, limit, (lengths, segmentBytes) => {
      const path = newPath()
      using queue = openQueue(path, { segmentBytes, mode: 'new' })
      const [producer, consumer] = [queue.producer(), queue.consumer()]
      const items = lengths.map((length, n) => new Uint8Array(length).fill(n))
      for (const item of items) expect(producer.trySend(item)).toBe('sent')
      const first = consumer.tryReceive()?.item
      producer.sync()
      const received = first === undefined ? [] : [first]
      for (let next = consumer.tryReceive(); next !== undefined; next = consumer.tryReceive()) received.push(next.item)
      expect(received.map((item) => [...item])).toEqual(items.map((item) => [...item]))
      rmSync(path, { recursive: true, force: true })
    })
    fc.assert(property, { numRuns: 10 })
  })

  it.each([0, 1, 1022, 1024, 2048, 4048])('%i items of one sender, in files of 1024 bytes', async (items) => {
    await sentByThreads(lists(1, items), files(1024))
  })

  it('exact return: 58 items of each of 38 senders, in files of 14 bytes or as few as there can be', async () => {
    await sentByThreads(lists(38, 58), files(14))
  })

  it('concurrent senders and a receiver: 32 senders of 1000 items', async () => {
    await sentByThreads(lists(32, 1000), files(65_536))
  })

  // Items of all senders together, senders, bytes of a file: what a fuzzer found to crash hopper.
  it.each([
    [10_000, 9, 10_000],
    [40_000, 8, 10_000],
    [10_000, 9, 90_000],
    [1000, 9, 0],
  ])('%i items of %i senders, in files of %i bytes', async (items, senders, bytes) => {
    await sentByThreads(lists(senders, Math.ceil(items / senders)), files(bytes))
  })

  it('any number of senders, items, and bytes', async () => {
    const numbers = fc.tuple(fc.integer({ min: 1, max: 10 }), fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 300 }))
    const property = fc.asyncProperty(numbers, fc.integer({ min: 0, max: 5000 }), async ([senders, items, bytes], limit) => {
      await sentByThreads(lists(senders, items, bytes), files(limit, Math.max(8, bytes)))
    })
    await fc.assert(property, { numRuns: 5 })
  })

  it('an item larger than a file can be is refused, and those before and after it come', () => {
    using queue = openQueue(newPath(), { segmentBytes: smallest(128) })
    const [producer, consumer] = [queue.producer(), queue.consumer()]
    producer.send(itemOf(0, 0))
    expect(() => producer.send(new Uint8Array(129))).toThrow('at most 128 bytes')
    producer.send(itemOf(0, 1, 128))
    expect([consumer.tryReceive()?.item.length, consumer.tryReceive()?.item.length, consumer.tryReceive()]).toEqual([
      8,
      128,
      undefined,
    ])
  })

  it('ingress is shed when there is no room, and all that was taken comes, in order', () => {
    using queue = openQueue(newPath(), { segmentBytes: 4096, limits: { segments: 2 } })
    const [producer, consumer] = [queue.producer(), queue.consumer()]
    const taken: number[] = []
    const received: number[] = []
    for (let n = 0; n < 5000; n++) {
      if (producer.trySend(itemOf(0, n)) === 'sent') taken.push(n)
      if (n % 1000 === 999) {
        for (let next = consumer.tryReceive(); next !== undefined; next = consumer.tryReceive()) {
          received.push(new Int32Array(next.item.slice().buffer)[1] as number)
        }
      }
    }
    expect(received).toEqual(taken)
    expect(taken.length).toBeGreaterThan(500)
    expect(taken.length).toBeLessThan(5000)
  })
})
