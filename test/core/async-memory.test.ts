import { afterAll, describe, expect, it } from 'vitest'
import { AsyncMemory, type AsyncWaiting, type Memory, Ring, SharedMemory, WorkRing } from '../../core/index.ts'
import { MappedMemory } from '../../core/node-index.ts'
import { readNumber } from './numbered.ts'
import { canMap, endPeers, newFiles, startProcess, until } from './peers.ts'
import { inThreads } from './stress.ts'

const shape = { capacity: 2, itemBytes: 1 }
const byte = (value = 0) => Uint8Array.of(value)

function ringOn(shared: Memory & AsyncWaiting) {
  Ring.create(shared, shape)
  const memory = new AsyncMemory(shared)
  const ring = Ring.attach(memory)
  return { memory, shared, sink: ring.sink({ spins: 0 }), source: ring.source({ spins: 0 }) }
}

const ringOf = () => ringOn(new SharedMemory(Ring.words(shape)))

/** Lets the event loop go round a few times, and says whether the work is done by then. */
async function isDoneSoon(work: Promise<unknown>): Promise<boolean> {
  let isDone = false
  void work.then(() => {
    isDone = true
  })
  for (let round = 0; round < 20; round++) await new Promise((resolve) => setImmediate(resolve))
  return isDone
}

describe('AsyncMemory', () => {
  it('makes calls that need not wait at once', async () => {
    const { memory, sink, source } = ringOf()
    const target = byte()
    expect(await memory.call(() => sink.push(byte(7)))).toBe(true)
    expect(await memory.call((timeoutMs) => source.pop(target, timeoutMs))).toBe(true)
    expect(target).toEqual(byte(7))
  })

  it('leaves the event loop free while a call waits, at either end', async () => {
    const { memory, sink, source } = ringOf()
    const target = byte()
    const pop = memory.call((timeoutMs) => source.pop(target, timeoutMs))
    expect(await isDoneSoon(pop)).toBe(false)
    sink.tryPush(byte(5))
    expect([await pop, target]).toEqual([true, byte(5)])

    sink.tryPushBatch(Uint8Array.of(1, 2))
    const push = memory.call((timeoutMs) => sink.push(byte(3), timeoutMs))
    expect(await isDoneSoon(push)).toBe(false)
    source.tryPop(target)
    expect(await push).toBe(true)
    expect(source.available()).toBeGreaterThan(0)
    expect([source.tryPop(target), source.tryPop(target), target]).toEqual([true, true, byte(3)])
  })

  it('pops a batch of a work ring as soon as there is one item, on a WebAssembly.Memory too', async () => {
    const { WebAssembly } = globalThis as unknown as {
      WebAssembly: { Memory: new (options: object) => { readonly buffer: SharedArrayBuffer; grow(pages: number): number } }
    }
    const shared = new SharedMemory(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }))
    const pusher = WorkRing.create(shared, { capacity: 4, itemBytes: 1 })
    const memory = new AsyncMemory(shared)
    const popper = WorkRing.attach(memory, 0, { spins: 0 })
    const target = new Uint8Array(3)
    const pop = memory.call((timeoutMs) => popper.popBatch(target, timeoutMs))
    expect(await isDoneSoon(pop)).toBe(false)
    expect(pusher.tryPushBatch(Uint8Array.of(4, 5))).toBe(2)
    expect(await pop).toBe(2)
    expect([...target]).toEqual([4, 5, 0])
  })

  it('lets several calls of one end wait at once: each gets an item of its own', async () => {
    const { memory, sink, source } = ringOf()
    const pops = [byte(), byte(), byte()].map((target) => memory.call((ms) => source.pop(target, ms)).then(() => target[0]))
    for (const item of [1, 2, 3]) await memory.call((ms) => sink.push(byte(item), ms))
    expect((await Promise.all(pops)).sort()).toEqual([1, 2, 3])
  })

  it('gives up when the time is over, with a last look', async () => {
    const { memory, sink, source } = ringOf()
    for (const timeoutMs of [-1, 0, 1, 30]) {
      expect(await memory.call((ms) => source.pop(byte(), ms), { timeoutMs })).toBe(false)
    }
    sink.tryPush(byte(1))
    expect(await memory.call((ms) => source.pop(byte(), ms), { timeoutMs: 0 })).toBe(true)
    expect(await memory.call((ms) => source.popBatch(new Uint8Array(2), ms), { timeoutMs: 5 })).toBe(0)
    expect(await memory.call((ms) => sink.claim(1, ms), { timeoutMs: 5 })).toBe(1)
    await expect(memory.call((ms) => source.pop(byte(), ms), { timeoutMs: Number.NaN })).rejects.toThrow(
      'AsyncMemory.call: expected timeoutMs to be a number',
    )
  })

  it('ends with the reason of a signal, and nothing is lost', async () => {
    const { memory, sink, source } = ringOf()
    const controller = new AbortController()
    const { signal } = controller
    const pop = memory.call((ms) => source.pop(byte(), ms), { signal })
    setTimeout(() => controller.abort(new Error('enough')), 5)
    await expect(pop).rejects.toThrow('enough')
    await expect(memory.call(() => source.pop(byte()), { signal })).rejects.toThrow('enough')
    sink.tryPush(byte(9))
    const target = byte()
    expect([await memory.call((ms) => source.pop(target, ms)), target]).toEqual([true, byte(9)])
  })

  it('lets errors of the call through, and blocks outside of calls', async () => {
    const { memory, source } = ringOf()
    await expect(memory.call((ms) => source.pop(new Uint8Array(2), ms))).rejects.toThrow('expected a target of 1 bytes')
    expect(source.pop(byte(), 2)).toBe(false)
    expect(memory.attempt(() => source.pop(byte()))).toMatchObject({ word: 32, expected: 1, timeoutMs: Infinity })
  })

  it('gives all items to the end of the stream, of a ring and of a work ring', async () => {
    const { memory, sink, source } = ringOf()
    const numbers = Array.from({ length: 50 }, (_, i) => i)
    const writing = (async () => {
      for (const n of numbers) await memory.call((ms) => sink.push(byte(n), ms))
      sink.close()
    })()
    const items: number[] = []
    for await (const item of memory.items(source)) items.push(item[0] as number)
    await writing
    expect([items, source.end()]).toEqual([numbers, 'closed'])

    const shared = new SharedMemory(WorkRing.words(shape))
    WorkRing.create(shared, shape)
    const work = new AsyncMemory(shared)
    const ring = WorkRing.attach(work, 0, { spins: 0 })
    const consumers = [0, 1].map(async () => {
      const got: number[] = []
      for await (const item of work.items(ring)) got.push(item[0] as number)
      return got
    })
    for (const n of numbers) await work.call((ms) => ring.push(byte(n), ms))
    ring.close()
    expect((await Promise.all(consumers)).flat().sort((a, b) => a - b)).toEqual(numbers)
  })

  it('is woken from another thread', async () => {
    const items = 2000
    const options = { capacity: 4, itemBytes: 8 }
    const shared = new SharedMemory(Ring.words(options))
    Ring.create(shared, options)
    const memory = new AsyncMemory(shared)
    const source = Ring.attach(memory).source({ spins: 0 })
    const data = { items, batch: 0, spins: 0 }
    const buffer = shared.buffer as SharedArrayBuffer
    const written = inThreads([{ structure: 'ring', role: 'writer', thread: 'writer', buffer, data }])
    const target = new Uint8Array(8)
    for (let n = 0; n < items; n++) {
      expect(await memory.call((ms) => source.pop(target, ms))).toBe(true)
      expect(readNumber(target)).toBe(n)
    }
    expect(await written).toEqual([items])
  })
})

describe.runIf(canMap)('AsyncMemory on a mapped file', () => {
  const newFile = newFiles()
  afterAll(endPeers)

  it('is woken from another process, and learns of its death', async () => {
    const path = newFile()
    const options = { capacity: 4, itemBytes: 5 }
    const mapped = MappedMemory.create(path, { words: Ring.words(options) })
    Ring.create(mapped, options)
    const memory = new AsyncMemory(mapped)
    const source = Ring.attach(memory).source({ spins: 0 })
    const peer = await startProcess()
    await peer.ask('open', path)
    await peer.ask('attachRing')
    const first = memory.call((ms) => source.pop(new Uint8Array(5), ms))
    void peer.ask('write', 2 ** 30)
    expect(await first).toBe(true)
    let items = 1
    for await (const item of memory.items(source)) {
      expect(new DataView(item.buffer).getUint32(0, true)).toBe(items)
      items++
      if (items === 500) void peer.kill()
    }
    expect(items).toBeGreaterThanOrEqual(500)
    expect(source.end()).toBe('abandoned')
    mapped.close()
  })

  it('waits as the memory does: not for another value, not longer than its time, and not when it is closed', async () => {
    const mapped = MappedMemory.create(newFile(), { words: 4 })
    expect(await mapped.waitAsync(1, 5)).toBe('not-equal')
    for (const timeout of [0, 1, 60]) expect(await mapped.waitAsync(1, 0, timeout)).toBe('timed-out')
    expect(() => mapped.waitAsync(4, 0)).toThrow(RangeError)
    const woken = mapped.waitAsync(1, 0)
    let isWoken = false
    void woken.then(() => {
      isWoken = true
    })
    // The wait begins in another thread, at some time.
    await until(() => mapped.notify(1) > 0 || isWoken)
    expect(await woken).toBe('ok')
    const closed = mapped.waitAsync(1, 0)
    mapped.close()
    await expect(closed).rejects.toThrow('this memory was closed')
  })
})
