import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { ForwardingMemory } from '../../core/forwarding-memory.ts'
import type { Memory } from '../../core/memory.ts'
import { MappedMemory } from '../../core/node-mapped-memory.ts'
import { openQueue } from '../../core/node-queue.ts'
import { acknowledgedAt, recordsAt } from '../../core/segment.ts'
import { SharedMemory } from '../../core/shared-memory.ts'
import { folderWords, open, places } from '../../specs/queue/folder.ts'
import { canMap } from './peers.ts'

/** When a queue brings what to the disk, and what it says when the disk refuses. */

/** A memory with a clock and a disk that tests can watch and break. */
class TestMemory extends ForwardingMemory {
  time = 0
  /** From which word on each flush was that has been asked for. */
  readonly flushed: number[] = []
  refuses: (word: number) => boolean = () => false
  override readonly durability: NonNullable<Memory['durability']> = {
    flush: (byte) => {
      this.flushed.push(byte >>> 2)
      if (this.refuses(byte >>> 2)) throw new Error('EIO')
    },
  }

  constructor() {
    super(new SharedMemory(folderWords))
  }

  override now(): number {
    return this.time
  }

  /** How often records of the first segment were brought to the disk. */
  get records(): number {
    return this.flushed.filter((word) => word >= places.segment(1, recordsAt) && word < places.segment(2, 0)).length
  }
}

const failed = expect.objectContaining({ name: 'QueueError', reason: 'failed' })

describe('a queue that brings items to the disk in time', () => {
  it('does so with the first call that comes after it', () => {
    const memory = new TestMemory()
    const producer = open(memory, { durability: { milliseconds: 100 }, segmentBytes: 1320 }).producer()
    const seen: number[] = []
    for (const time of [1000, 1050, 1099, 1100, 1101, 1200, 1201]) {
      memory.time = time
      producer.trySend(time)
      seen.push(memory.records)
    }
    // The first of those that were not brought there by the flush at 1100 is the one of 1101.
    expect(seen).toEqual([0, 0, 0, 1, 1, 1, 2])
  })

  it('does so later by itself, once for all, and not when there is nothing to do', () => {
    const memory = new TestMemory()
    const asked: { work: () => void; ms: number; cancelled: boolean }[] = []
    const later = (work: () => void, ms: number) => {
      const one = { work, ms, cancelled: false }
      asked.push(one)
      return () => {
        one.cancelled = true
      }
    }
    const queue = open(memory, { durability: { milliseconds: 100, items: 3 }, later, segmentBytes: 1320 })
    const producer = queue.producer()
    for (const n of [1, 2]) producer.trySend(n)
    expect([asked.length, asked[0]?.ms, memory.records]).toEqual([1, 100, 0])
    asked[0]?.work()
    expect(memory.records).toBe(1)
    for (const n of [3, 4, 5]) producer.trySend(n)
    expect([asked.length, asked[1]?.cancelled, memory.records]).toEqual([2, true, 2])
    producer.trySend(6)
    queue.close()
    expect([asked.length, asked[2]?.cancelled, memory.records]).toEqual([3, true, 3])
  })

  it('says with the next call what failed meanwhile', () => {
    const memory = new TestMemory()
    let work = (): void => {}
    const later = (one: () => void) => {
      work = one
      return () => {}
    }
    const producer = open(memory, { durability: { milliseconds: 100 }, later }).producer()
    producer.trySend(1)
    memory.refuses = (word) => word >= places.segment(1, recordsAt)
    work()
    memory.refuses = () => false
    expect(() => producer.trySend(2)).toThrow(failed)
    expect(() => producer.close()).toThrow(failed)
  })

  it.runIf(canMap)('does so while its process does something else', async () => {
    const path = mkdtempSync(join(tmpdir(), 'heddle-queue-durability-'))
    afterAll(() => rmSync(path, { recursive: true, force: true }))
    const flush = vi.spyOn(MappedMemory.prototype as unknown as { flush(byte: number, length: number): void }, 'flush')
    using queue = openQueue(path, { durability: { milliseconds: 1 }, segmentBytes: 4096 })
    const producer = queue.producer()
    flush.mockClear()
    producer.trySend(new Uint8Array(8))
    await vi.waitFor(() => expect(flush).toHaveBeenCalledWith(4 * recordsAt, 24), { timeout: 20_000 })
    flush.mockRestore()
  })

  it('refuses what is no number of items, or of milliseconds', () => {
    for (const durability of [{ items: 0 }, { milliseconds: 0 }, { items: 1.5 }, { milliseconds: -1 }]) {
      expect(() => open(new TestMemory(), { durability }).producer()).toThrow(RangeError)
    }
  })
})

describe('a queue whose disk refuses', () => {
  it('what the consumer is done with never says that it is there, until the queue is opened anew', () => {
    const memory = new TestMemory()
    const queue = open(memory)
    queue.producer().trySend(1)
    const consumer = queue.consumer({ acknowledge: 'manual' })
    consumer.tryReceive()
    consumer.acknowledge()
    memory.refuses = (word) => word === places.segment(1, acknowledgedAt)
    expect(() => consumer.sync()).toThrow(failed)
    memory.refuses = () => false
    expect(() => consumer.sync()).toThrow(failed)
    expect(() => queue.producer().trySend(2)).toThrow(failed)
    queue.close()
    const anew = open(memory)
    expect(anew.producer().trySend(2)).toBe('sent')
    anew.consumer().sync()
  })

  it('that a producer came refuses the producer, which is not waited for', () => {
    const memory = new TestMemory()
    const queue = open(memory)
    const before = memory.flushed.length
    memory.refuses = () => memory.flushed.length > before
    expect(() => queue.producer()).toThrow(failed)
    expect(queue.consumer().ended).toBe(true)
  })

  it('when a producer closes is closed all the same', () => {
    const memory = new TestMemory()
    const queue = open(memory, { durability: { items: 9 } })
    const [one, two] = [queue.producer(), queue.producer()]
    one.trySend(1)
    two.trySend(2)
    memory.refuses = (word) => word >= places.segment(1, recordsAt)
    expect(() => queue.close()).toThrow(failed)
    queue.close()
    memory.refuses = () => false
    const consumer = open(memory, { mode: 'existing' }).consumer()
    expect([consumer.receive()?.item, consumer.receive()?.item, consumer.receive()]).toEqual([1, 2, undefined])
  })
})

describe('the figures of a queue', () => {
  it('say how much of what waits is in the middle, where nobody is', () => {
    const queue = open(new TestMemory())
    const producer = queue.producer()
    const consumer = queue.consumer()
    const seen: number[][] = []
    const look = (): void => {
      const { depth, bytes, spilled, lag, segments } = queue.metrics()
      seen.push([depth, bytes, spilled, lag, segments])
    }
    // Two records of 20 bytes to a segment.
    for (let n = 1; n <= 7; n++) {
      producer.trySend(n)
      if (n % 2 === 1) look()
    }
    for (let n = 1; n <= 6; n++) consumer.tryReceive()
    look()
    expect(seen).toEqual([
      [1, 20, 0, 0, 1],
      [3, 60, 0, 1, 2],
      [5, 100, 40, 2, 3],
      [7, 140, 80, 3, 4],
      [2, 40, 0, 1, 2],
    ])
  })
})
