import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { ForwardingMemory, type Memory, SharedMemory } from '../../core/index.ts'
import { requireLittleEndian } from '../../core/shared-memory.ts'
import { madeBy, memoryContract } from './memory-contract.ts'

memoryContract(
  'SharedMemory',
  madeBy((words) => new SharedMemory(words)),
)
memoryContract(
  'SharedMemory in the middle of a buffer',
  madeBy((words) => new SharedMemory(new SharedArrayBuffer(4 * words + 24), 12, words)),
)
memoryContract(
  'ForwardingMemory',
  madeBy((words) => new ForwardingMemory(new SharedMemory(words))),
)

describe('SharedMemory', () => {
  it('stands on a buffer that others may stand on too', () => {
    const one = new SharedMemory(4)
    const two = new SharedMemory(one.buffer)
    expect(one.buffer).toBeInstanceOf(SharedArrayBuffer)
    expect(two.words).toBe(4)
    one.store(3, 9)
    expect(two.load(3)).toBe(9)
  })

  it('takes a part of a buffer, and touches nothing outside it', () => {
    const buffer = new SharedArrayBuffer(32)
    const memory = new SharedMemory(buffer, 8, 2)
    expect([memory.words, memory.byteOffset]).toEqual([2, 8])
    memory.store(0, -1)
    memory.writeBytes(4, new Uint8Array(4).fill(0xff))
    expect([...new Int32Array(buffer)]).toEqual([0, 0, -1, -1, 0, 0, 0, 0])
    expect(() => memory.writeBytes(5, new Uint8Array(4))).toThrow(RangeError)
  })

  it('takes whole words up to the end of the buffer', () => {
    expect(new SharedMemory(new SharedArrayBuffer(11)).words).toBe(2)
    expect(new SharedMemory(new SharedArrayBuffer(11), 4).words).toBe(1)
  })

  it('refuses parts that are not there', () => {
    const buffer = new SharedArrayBuffer(16)
    expect(() => new SharedMemory(buffer, 2)).toThrow(/multiple of 4/)
    expect(() => new SharedMemory(buffer, 16)).toThrow(/no word fits/)
    expect(() => new SharedMemory(buffer, 20)).toThrow(RangeError)
    expect(() => new SharedMemory(buffer, -4)).toThrow(RangeError)
    expect(() => new SharedMemory(buffer, Number.NaN)).toThrow(RangeError)
    expect(() => new SharedMemory(buffer, 4, 4)).toThrow('SharedMemory: words: expected an integer from 1 to 3, found 4')
    expect(() => new SharedMemory(buffer, 4, 0)).toThrow(RangeError)
    expect(() => new SharedMemory(new SharedArrayBuffer(0))).toThrow(/no word fits/)
  })

  it.each([0, -1, 1.5, Number.NaN, Infinity])('refuses to be made of %s words', (words) => {
    expect(() => new SharedMemory(words)).toThrow(/SharedMemory: words: expected an integer/)
  })

  it('refuses what is neither a number nor a shared buffer', () => {
    for (const wrong of [new ArrayBuffer(8), '8', null, undefined, {}]) {
      expect(() => new SharedMemory(wrong as unknown as number)).toThrow(/expected a number of words or a SharedArrayBuffer/)
    }
    expect(() => new SharedMemory(8, 4)).toThrow(/belong to a buffer that exists/)
  })

  it('says which index was wrong, and what would have been right', () => {
    const memory = new SharedMemory(16)
    expect(() => memory.load(1.5)).toThrow('memory: expected a word index from 0 to 15, found 1.5')
    expect(() => memory.store('3' as unknown as number, 1)).toThrow("found '3'")
    expect(() => memory.readBytes(60, new Uint8Array(8))).toThrow(
      'memory: expected a range of bytes between 0 and 64, found 8 bytes from 60 on',
    )
  })

  it('keeps to the length that a growable buffer had', () => {
    const buffer = new (SharedArrayBuffer as unknown as new (n: number, o: object) => SharedArrayBuffer)(8, {
      maxByteLength: 64,
    })
    const memory = new SharedMemory(buffer)
    ;(buffer as unknown as { grow(bytes: number): void }).grow(64)
    expect(memory.words).toBe(2)
    expect(() => memory.load(2)).toThrow(RangeError)
  })

  it('refuses a big-endian host', () => {
    expect(() => requireLittleEndian(false)).toThrow(/big-endian/)
    expect(() => requireLittleEndian(true)).not.toThrow()
  })

  it('copies byte by byte: two threads that write neighbouring bytes of one word undo nothing of each other', async () => {
    const memory = new SharedMemory(4)
    const worker = new Worker(new URL('./neighbour.mjs', import.meta.url), { workerData: { buffer: memory.buffer } })
    const answered = new Promise<number>((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
    })
    while (memory.load(1) === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    const seen = new Uint8Array(1)
    let undone = 0
    for (let round = 0; round < 200_000; round++) {
      const mine = Uint8Array.of(round)
      memory.writeBytes(0, mine)
      memory.writeBytes(2, mine)
      memory.readBytes(0, seen)
      if (seen[0] !== mine[0]) undone++
    }
    memory.store(2, 1)
    expect([undone, await answered]).toEqual([0, 0])
    await worker.terminate()
  }, 60_000)

  it('wakes a thread that sleeps, which then sees what was written before the notify', async () => {
    const rounds = 20
    const memory = new SharedMemory(new SharedArrayBuffer(64), 16)
    const worker = new Worker(new URL('./waiter.mjs', import.meta.url), {
      workerData: { buffer: memory.buffer, byteOffset: memory.byteOffset, rounds },
    })
    const answered = new Promise<{ result: string; payload: number }[]>((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
    })
    for (let round = 0; round < rounds; round++) {
      while (memory.load(1) <= round) await new Promise((resolve) => setTimeout(resolve, 1))
      memory.write(2, 1000 + round)
      if (round % 2 === 0) {
        // Asleep for certain once a notify with count 1 woke somebody; woken too early, it sleeps again.
        while (memory.notify(0, 1) === 0) await new Promise((resolve) => setTimeout(resolve, 1))
      }
      memory.store(0, round + 1)
      memory.notify(0)
      while (memory.load(3) === round) memory.wait(3, round, 1000)
    }
    const seen = await answered
    expect(seen.map(({ payload }) => payload)).toEqual(Array.from({ length: rounds }, (_, i) => 1000 + i))
    // Every second round it slept for certain; in the others it may have come too late to sleep.
    seen.forEach(({ result }, round) => {
      expect(round % 2 === 0 ? ['ok', 'not-equal'] : ['ok', 'not-equal', undefined]).toContain(result)
    })
    await worker.terminate()
  }, 60_000)
})

describe('ForwardingMemory', () => {
  it('forwards what is optional, where the memory has it', () => {
    const liveness = { self: 3, alive: (participant: number) => participant === 3 }
    const flushed: number[] = []
    const durability = { flush: (byte: number, length: number) => void flushed.push(byte, length) }
    const rich: Memory = Object.assign(new ForwardingMemory(new SharedMemory(1)), { liveness, durability })
    const wrapped = new ForwardingMemory(rich)
    expect(wrapped.liveness?.self).toBe(3)
    expect(wrapped.liveness?.alive(4)).toBe(false)
    wrapped.durability?.flush(4, 8)
    expect(flushed).toEqual([4, 8])
  })

  it('has nothing optional where the memory has not', () => {
    const wrapped = new ForwardingMemory(new SharedMemory(1))
    expect('liveness' in wrapped).toBe(false)
    expect('durability' in wrapped).toBe(false)
  })

  it('lets a wrapper change one operation and keep the others', () => {
    class Doubling extends ForwardingMemory {
      override load(word: number): number {
        return 2 * super.load(word)
      }
    }
    const memory = new Doubling(new SharedMemory(2))
    memory.store(1, 21)
    expect(memory.load(1)).toBe(42)
    expect(memory.read(1)).toBe(21)
  })

  it('has every operation that SharedMemory has', () => {
    const operations = (prototype: object) => Object.getOwnPropertyNames(prototype).filter((name) => !/^refuse/.test(name))
    for (const operation of operations(SharedMemory.prototype)) {
      expect(operations(ForwardingMemory.prototype)).toContain(operation)
    }
  })
})
