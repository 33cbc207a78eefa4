import { describe, expect, it } from 'vitest'
import { ForwardingMemory } from '../../core/forwarding-memory.ts'
import type { Memory, WaitResult } from '../../core/memory.ts'
import { SharedMemory } from '../../core/shared-memory.ts'
import { folderWords, open } from '../../specs/queue/folder.ts'

const sliceMs = 50

/** A memory in whose time nothing happens but sleep: nobody wakes anybody, each slice of 50 ms goes by at once. */
class SleepyMemory extends ForwardingMemory {
  override readonly liveness: NonNullable<Memory['liveness']> = { self: 1, alive: (participant) => participant === 1 }
  slices = 0
  looks = 0
  private time = 0

  override compareExchange(word: number, expected: number, replacement: number): number {
    this.looks++
    return super.compareExchange(word, expected, replacement)
  }

  override wait(_: number, __: number, timeoutMs = Infinity): WaitResult {
    this.slices++
    this.time += Math.min(timeoutMs, sliceMs)
    return 'timed-out'
  }

  override now(): number {
    return this.time
  }
}

describe('who waits for a queue', () => {
  it('for room or for an item, sleeps all the time, and looks up every 50 ms', () => {
    const memory = new SleepyMemory(new SharedMemory(folderWords))
    const queue = open(memory, { limits: { items: 1 } })
    const [producer, consumer] = [queue.producer(), queue.consumer({ acknowledge: 'manual' })]
    const during = (work: () => unknown): readonly [slices: number, looks: number] => {
      const { slices, looks } = memory
      work()
      return [memory.slices - slices, memory.looks - looks]
    }
    // Before each slice and at the end it takes the lock; once it announces itself.
    expect(during(() => consumer.receive(1000))).toEqual([20, 1])
    expect(producer.trySend(1)).toBe('sent')
    expect(during(() => expect(producer.send(2, 1000)).toBe('full'))).toEqual([20, 20 + 1 + 1 + 1])
  })
})
