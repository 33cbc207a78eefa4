import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { ForwardingMemory, type Memory, SharedMemory } from '../../core/index.ts'
import { requireLittleEndian } from '../../core/shared-memory.ts'
import { addAll } from './adding.ts'
import { madeBy, memoryContract } from './memory-contract.ts'

/** What is used here of `WebAssembly.Memory`, of which the types of Node do not know. */
interface WasmMemory {
  readonly buffer: SharedArrayBuffer
  grow(pages: number): number
}
const { WebAssembly } = globalThis as unknown as {
  WebAssembly: { Memory: new (descriptor: { initial: number; maximum: number; shared: boolean }) => WasmMemory }
}
const wasmMemory = (maximum = 1): WasmMemory => new WebAssembly.Memory({ initial: 1, maximum, shared: true })
const wasmWords = 16384

memoryContract(
  'SharedMemory',
  madeBy((words) => new SharedMemory(words)),
)
memoryContract(
  'SharedMemory in the middle of a buffer',
  madeBy((words) => new SharedMemory(new SharedArrayBuffer(4 * words + 24), 12, words)),
)
memoryContract(
  'SharedMemory on a WebAssembly.Memory',
  madeBy((words) => new SharedMemory(wasmMemory(), 0, words)),
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

  it('copies as many bytes as an array has now, whatever it had when it came before', () => {
    const memory = new SharedMemory(8)
    const buffer = new (ArrayBuffer as unknown as new (n: number, o: object) => ArrayBuffer)(16, { maxByteLength: 32 })
    const resize = (bytes: number): void => (buffer as unknown as { resize(bytes: number): void }).resize(bytes)
    const tracking = new Uint8Array(buffer)
    const fixed = new Uint8Array(buffer, 8, 8)
    const stored = (): number[] => {
      const all = new Uint8Array(32)
      memory.readBytes(0, all)
      return [...all]
    }
    const filled = (from: number, to: number): number[] => Array.from({ length: 32 }, (_, i) => (i >= from && i < to ? 7 : 0))
    for (const { bytes, array, from, to } of [
      { bytes: 16, array: tracking, from: 0, to: 16 },
      { bytes: 32, array: tracking, from: 0, to: 32 },
      { bytes: 4, array: tracking, from: 0, to: 4 },
      { bytes: 16, array: fixed, from: 8, to: 16 },
      { bytes: 12, array: fixed, from: 8, to: 8 },
      { bytes: 24, array: fixed, from: 8, to: 16 },
    ]) {
      resize(bytes)
      new Uint8Array(buffer).fill(7)
      for (let time = 0; time < 3; time++) {
        for (let word = 0; word < 8; word++) memory.store(word, 0)
        memory.writeBytes(from, array)
        expect(stored()).toEqual(filled(from, to))
      }
      for (let time = 0; time < 3; time++) {
        new Uint8Array(buffer).fill(0)
        memory.readBytes(from, array)
        // Not by its iterator, which an array that is out of its buffer refuses.
        const read = Array.from({ length: array.length }, (_, i) => array[i])
        expect(read).toEqual(Array(to - from).fill(7))
      }
    }
  })

  it('copies nothing to or from an array whose buffer went to another thread', () => {
    const memory = new SharedMemory(2)
    const array = new Uint8Array(8).fill(7)
    for (let time = 0; time < 3; time++) {
      memory.writeBytes(0, array)
      memory.readBytes(0, array)
    }
    structuredClone(array.buffer, { transfer: [array.buffer] })
    memory.store(0, 1)
    memory.writeBytes(0, array)
    memory.readBytes(0, array)
    expect([array.length, memory.load(0), memory.load(1)]).toEqual([0, 1, 0x07070707])
  })

  it('cuts elements that are wider than a byte down to one, each time that they come', () => {
    const memory = new SharedMemory(2)
    const wide = new Uint16Array([0x101, 0x202, 0x303, 0x404]) as unknown as Uint8Array
    for (let time = 0; time < 3; time++) {
      memory.writeBytes(0, wide)
      expect([memory.load(0), memory.load(1)]).toEqual([0x04030201, 0])
      memory.readBytes(0, wide)
      expect([...wide]).toEqual([1, 2, 3, 4])
    }
  })

  it('refuses a big-endian host', () => {
    expect(() => requireLittleEndian(false)).toThrow(/big-endian/)
    expect(() => requireLittleEndian(true)).not.toThrow()
  })

  it('lets others run at every pause, where it can', () => {
    const memory = new SharedMemory(1)
    memory.pause()
    let given = 0
    memory.giveWay = () => void given++
    for (let pauses = 1; pauses <= 3; pauses++) {
      memory.pause()
      expect(given).toBe(pauses)
    }
  })

  it('stands on a WebAssembly.Memory as on its buffer', async () => {
    const shared = wasmMemory(2)
    const fast = new SharedMemory(shared)
    const plain = new SharedMemory(fast.buffer)
    expect([fast.words, plain.words, fast.byteOffset]).toEqual([wasmWords, wasmWords, 0])
    fast.add(wasmWords - 1, 5)
    expect(plain.compareExchange(wasmWords - 1, 5, 6)).toBe(5)
    expect(fast.load(wasmWords - 1)).toBe(6)
    const woken = [fast.waitAsync(0, 0), plain.waitAsync(0, 0)]
    expect([plain.notify(0, 1), fast.notify(0)]).toEqual([1, 1])
    expect(await Promise.all(woken)).toEqual(['ok', 'ok'])
    shared.grow(1)
    expect([new SharedMemory(shared).words, fast.words]).toEqual([2 * wasmWords, wasmWords])
    expect(() => fast.load(wasmWords)).toThrow(RangeError)
    new SharedMemory(shared).store(3, 7)
    expect(fast.load(3)).toBe(7)
  })

  it('refuses a WebAssembly.Memory that no other thread could share, or of which it cannot take a part', () => {
    const own = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: false })
    expect(() => new SharedMemory(own)).toThrow(/found a WebAssembly.Memory that is not shared/)
    expect(() => new SharedMemory(wasmMemory(), 4)).toThrow('SharedMemory: byteOffset: expected an integer from 0 to 0, found 4')
    expect(() => new SharedMemory(wasmMemory(), 0, wasmWords + 1)).toThrow(RangeError)
    expect(() => new SharedMemory(new WebAssembly.Memory({ initial: 0, maximum: 1, shared: true }))).toThrow(/no word fits/)
  })

  it('adds what two threads add, one of them through WebAssembly and one through Atomics', async () => {
    const shared = wasmMemory()
    const times = 50_000
    const worker = new Worker(new URL('./adder.mjs', import.meta.url), { workerData: { source: shared, times } })
    const said = (word: string) =>
      new Promise<void>((resolve, reject) => {
        worker.on('message', (found) => found === word && resolve())
        worker.once('error', reject)
      })
    const done = said('done')
    await said('ready')
    const memory = new SharedMemory(shared.buffer)
    addAll(memory, times)
    await done
    expect([1, 2, 3, 4].map((word) => memory.load(word))).toEqual([6 * times, 4 * times, 2 * times, 2 * times])
    await worker.terminate()
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
  })

  const onPart = () => ({ source: new SharedArrayBuffer(64), byteOffset: 16 })
  const onWasm = () => {
    const source = wasmMemory()
    return { source, byteOffset: 0, other: source }
  }
  const onBoth = () => {
    const other = wasmMemory()
    return { source: other.buffer, byteOffset: 0, other }
  }
  it.each([
    { which: 'on part of a buffer', made: onPart },
    { which: 'on a WebAssembly.Memory', made: onWasm },
    { which: 'on a WebAssembly.Memory of which the other thread has the buffer', made: onBoth },
  ])('wakes a thread that sleeps, which then sees what was written before the notify, $which', async ({ made }) => {
    const rounds = 20
    const { source, byteOffset, other = source } = made() as ReturnType<typeof onPart> & { other?: WasmMemory }
    const memory = new SharedMemory(other, byteOffset)
    const worker = new Worker(new URL('./waiter.mjs', import.meta.url), { workerData: { source, byteOffset, rounds } })
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
  })
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

  it('has every operation of a memory that SharedMemory has', () => {
    // Waiting without blocking is no operation of a `Memory`: `AsyncMemory` makes use of it.
    const operations = (prototype: object) =>
      Object.getOwnPropertyNames(prototype).filter((name) => !/^(refuse|waitAsync)/.test(name))
    for (const operation of operations(SharedMemory.prototype)) {
      expect(operations(ForwardingMemory.prototype)).toContain(operation)
    }
  })
})
