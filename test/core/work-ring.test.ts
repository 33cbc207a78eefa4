import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ForwardingMemory, lineWords, SharedMemory, WorkRing, type WorkRingOptions } from '../../core/index.ts'

function ringOf(options: WorkRingOptions) {
  const memory = new SharedMemory(WorkRing.words(options))
  return { memory, ring: WorkRing.create(memory, options, 0, { spins: 0 }) }
}

/** The n-th item: bytes that differ from item to item and from byte to byte. */
function itemOf(n: number, itemBytes: number): Uint8Array {
  return Uint8Array.from({ length: itemBytes }, (_, i) => (n * 37 + i * 11 + (n >> 3)) & 0xff)
}

/** Positions around every point where a 29-bit position or its word changes its look. */
const starts = [0, 2 ** 28, 2 ** 29, 2 ** 30, 2 ** 31, 2 ** 32, -(2 ** 31) + 40].flatMap((point) =>
  [-9, -2, -1, 0].map((offset) => point + offset).filter((start) => start >= -(2 ** 31) && start < 2 ** 32),
)

describe('WorkRing against a plain array', () => {
  const shape = fc.record({
    capacity: fc.constantFrom(1, 2, 4, 8),
    itemBytes: fc.oneof(fc.constantFrom(1, 4, 124, 125), fc.integer({ min: 1, max: 300 })),
    start: fc.constantFrom(...starts),
  })
  const one = fc.constantFrom('tryPush', 'push', 'tryPop', 'pop', 'close') satisfies fc.Arbitrary<string>
  const batch = fc.constantFrom('tryPushBatch', 'pushBatch', 'tryPopBatch', 'popBatch') satisfies fc.Arbitrary<string>
  const command = fc.oneof({ weight: 2, arbitrary: one }, batch)

  it('is a queue, whoever of those who share it calls', () => {
    fc.assert(
      fc.property(shape, fc.array(fc.tuple(command, fc.nat(2), fc.nat(5)), { maxLength: 80 }), (options, commands) => {
        const { memory, ring } = ringOf(options)
        const rings = [ring, WorkRing.attach(memory, 0, { spins: 0 }), WorkRing.attach(memory)]
        const { capacity, itemBytes } = options
        const items: number[] = []
        let next = 0
        let isClosed = false
        commands.forEach(([kind, who, size], i) => {
          const one = rings[who] as WorkRing
          if (kind === 'close') {
            // Late, so that there is something before it.
            if (i < 40) return
            one.close()
            isClosed = true
          } else if (kind === 'push' || kind === 'tryPush') {
            const fits = items.length < capacity && !isClosed
            const item = itemOf(next, itemBytes)
            expect(kind === 'push' ? one.push(item, 0) : one.tryPush(item)).toBe(fits)
            item.fill(0xee)
            if (fits) items.push(next++)
          } else if (kind === 'pushBatch' || kind === 'tryPushBatch') {
            const fitting = isClosed ? 0 : Math.min(size, capacity - items.length)
            const batch = Uint8Array.from(Array.from({ length: size }, (_, j) => [...itemOf(next + j, itemBytes)]).flat())
            expect(kind === 'pushBatch' ? one.pushBatch(batch, 0) : one.tryPushBatch(batch)).toBe(fitting)
            batch.fill(0xee)
            for (let j = 0; j < fitting; j++) items.push(next++)
          } else if (kind === 'popBatch' || kind === 'tryPopBatch') {
            const targets = new Uint8Array(size * itemBytes)
            const found = items.splice(0, size)
            expect(kind === 'popBatch' ? one.popBatch(targets, 0) : one.tryPopBatch(targets)).toBe(found.length)
            const expected = new Uint8Array(size * itemBytes)
            found.forEach((n, j) => void expected.set(itemOf(n, itemBytes), j * itemBytes))
            expect(targets).toEqual(expected)
          } else {
            const target = new Uint8Array(itemBytes)
            const first = items.shift()
            expect(kind === 'pop' ? one.pop(target, 0) : one.tryPop(target)).toBe(first !== undefined)
            expect(target).toEqual(first === undefined ? new Uint8Array(itemBytes) : itemOf(first, itemBytes))
          }
          expect([one.isClosed(), one.isEnded()]).toEqual([isClosed, isClosed && items.length === 0])
        })
      }),
      { numRuns: 300 },
    )
  })

  it.each(starts)('goes on in order where positions wrap, from %s', (start) => {
    const { ring } = ringOf({ capacity: 4, itemBytes: 5, start })
    const target = new Uint8Array(5)
    for (let n = 0; n < 40; n += 4) {
      for (let i = 0; i < 4; i++) expect(ring.tryPush(itemOf(n + i, 5))).toBe(true)
      expect(ring.tryPush(itemOf(0, 5))).toBe(false)
      for (let i = 0; i < 4; i++) {
        expect(ring.tryPop(target)).toBe(true)
        expect(target).toEqual(itemOf(n + i, 5))
      }
      expect(ring.tryPop(target)).toBe(false)
    }
  })
})

describe('WorkRing', () => {
  it('uses the words that it asked for and no others', () => {
    for (const options of [
      { capacity: 1, itemBytes: 1, seats: 1 },
      { capacity: 8, itemBytes: 133, seats: 3 },
    ]) {
      const words = WorkRing.words(options)
      expect(words % lineWords).toBe(0)
      const memory = new SharedMemory(words + 2 * lineWords)
      for (let word = 0; word < memory.words; word++) memory.store(word, 0x55555555)
      WorkRing.create(memory, options, lineWords)
      const ring = WorkRing.attach(memory, lineWords)
      for (let i = 0; i < options.capacity; i++) ring.push(new Uint8Array(options.itemBytes).fill(0xff))
      ring.close()
      for (let word = 0; word < lineWords; word++) {
        expect(memory.load(word)).toBe(0x55555555)
        expect(memory.load(lineWords + words + word)).toBe(0x55555555)
      }
      expect([ring.capacity, ring.itemBytes, ring.seats]).toEqual([options.capacity, options.itemBytes, options.seats])
    }
  })

  it('gives up in time, and never pushes into a closed ring', () => {
    const { ring } = ringOf({ capacity: 1, itemBytes: 1 })
    const byte = Uint8Array.of(1)
    expect([ring.pop(byte, 2), ring.push(byte, 2), ring.push(byte, 2), ring.push(byte, -1)]).toEqual([false, true, false, false])
    ring.close()
    ring.close()
    expect([ring.push(byte), ring.tryPush(byte), ring.isEnded()]).toEqual([false, false, false])
    expect([ring.pop(byte), ring.pop(byte), ring.tryPop(byte), ring.isEnded()]).toEqual([true, false, false, true])
  })

  it('pushes of a batch what fits in time, and pops of it what is there', () => {
    const { ring } = ringOf({ capacity: 2, itemBytes: 2 })
    const target = new Uint8Array(8)
    expect([ring.popBatch(target, 2), ring.popBatch(new Uint8Array(0)), ring.tryPushBatch(new Uint8Array(0))]).toEqual([0, 0, 0])
    expect(ring.pushBatch(Uint8Array.of(1, 2, 3, 4, 5, 6), 2)).toBe(2)
    expect([ring.tryPushBatch(Uint8Array.of(7, 8)), ring.pushBatch(Uint8Array.of(7, 8), -1)]).toEqual([0, 0])
    ring.close()
    expect([ring.pushBatch(Uint8Array.of(7, 8)), ring.popBatch(target), ring.popBatch(target)]).toEqual([0, 2, 0])
    expect([[...target], ring.isEnded()]).toEqual([[1, 2, 3, 4, 0, 0, 0, 0], true])
  })

  it('refuses what makes no sense', () => {
    const memory = new SharedMemory(1024)
    for (const capacity of [0, -2, 1.5, Number.NaN, 2 ** 28]) {
      expect(() => WorkRing.words({ capacity, itemBytes: 1 })).toThrow(
        /WorkRing: capacity: expected an integer from 1 to 134217728/,
      )
    }
    expect(() => WorkRing.create(memory, { capacity: 6, itemBytes: 1 })).toThrow(
      'WorkRing: capacity: expected a power of two, found 6; take 4 or 8',
    )
    for (const itemBytes of [0, 0.5, 2 ** 31]) {
      expect(() => WorkRing.words({ capacity: 1, itemBytes })).toThrow(/WorkRing: itemBytes: expected an integer/)
    }
    for (const seats of [0, 65537]) {
      expect(() => WorkRing.words({ capacity: 1, itemBytes: 1, seats })).toThrow(/WorkRing: seats: expected an integer/)
    }
    expect(() => WorkRing.words({ capacity: 1, itemBytes: 1, start: 0.5 })).toThrow(/WorkRing: start: expected an integer/)
    expect(() => WorkRing.create(memory, { capacity: 1024, itemBytes: 8 })).toThrow(/WorkRing.create: expected \d+ words/)
    expect(() => WorkRing.attach(memory)).toThrow(/WorkRing.attach: expected a structure at word 0, found nothing/)
    const ring = WorkRing.create(memory, { capacity: 2, itemBytes: 4, seats: 1 })
    for (const length of [0, 3, 5]) {
      expect(() => ring.push(new Uint8Array(length))).toThrow(`WorkRing: expected an item of 4 bytes, found ${length}`)
      expect(() => ring.tryPop(new Uint8Array(length))).toThrow(`WorkRing: expected a target of 4 bytes, found ${length}`)
    }
    for (const call of ['tryPushBatch', 'pushBatch', 'tryPopBatch', 'popBatch'] as const) {
      expect(() => ring[call](new Uint8Array(6))).toThrow(
        'WorkRing: expected a multiple of 4 bytes (the size of an item), found 6',
      )
    }
    for (const timeout of [Number.NaN, '5' as unknown as number]) {
      expect(() => ring.pushBatch(new Uint8Array(4), timeout)).toThrow(/WorkRing.pushBatch: expected timeoutMs/)
      expect(() => ring.popBatch(new Uint8Array(4), timeout)).toThrow(/WorkRing.popBatch: expected timeoutMs/)
      expect(() => ring.push(new Uint8Array(4), timeout)).toThrow(/WorkRing.push: expected timeoutMs/)
      expect(() => ring.pop(new Uint8Array(4), timeout)).toThrow(/WorkRing.pop: expected timeoutMs/)
    }
    expect(() => WorkRing.attach(memory, 0, { spins: -1 })).toThrow(/WorkRing.attach: spins: expected an integer/)
    memory.store(4, 4)
    expect(() => WorkRing.attach(memory)).toThrow(/the memory was overwritten/)
  })

  it('does not touch shared memory more often than it must', () => {
    const calls: string[] = []
    class Recording extends ForwardingMemory {
      override load(word: number): number {
        calls.push('load')
        return super.load(word)
      }
      override compareExchange(word: number, expected: number, replacement: number): number {
        calls.push('compareExchange')
        return super.compareExchange(word, expected, replacement)
      }
      override exchange(word: number, value: number): number {
        calls.push('exchange')
        return super.exchange(word, value)
      }
      override store(word: number, value: number): void {
        calls.push('store')
        super.store(word, value)
      }
      override notify(word: number, count?: number): number {
        calls.push('notify')
        return super.notify(word, count)
      }
    }
    const { memory } = ringOf({ capacity: 8, itemBytes: 1 })
    const ring = WorkRing.attach(new Recording(memory))
    const byte = new Uint8Array(1)
    calls.length = 0
    ring.push(byte)
    expect(calls.splice(0)).toEqual(['load', 'load', 'compareExchange', 'exchange'])
    ring.pop(byte)
    expect(calls.splice(0)).toEqual(['load', 'load', 'compareExchange', 'exchange'])
    // One claim for all.
    const batch = ['load', 'load', 'load', 'load', 'compareExchange', 'exchange', 'exchange', 'exchange']
    ring.pushBatch(new Uint8Array(3))
    expect(calls.splice(0)).toEqual(batch)
    ring.popBatch(new Uint8Array(3))
    expect(calls.splice(0)).toEqual(batch)
  })
})

describe('where it is known who lives', () => {
  /** The same words as participants see them: whoever is not in `dead` lives. */
  class PeerMemory extends ForwardingMemory {
    constructor(memory: SharedMemory, self: number, dead: ReadonlySet<number>) {
      super(memory)
      Object.assign(this, { liveness: { self, alive: (participant: number) => !dead.has(participant) } })
    }
  }

  /** A memory whose thread dies in its next copy: after the claim, and before it is finished. */
  class DoomedMemory extends PeerMemory {
    override writeBytes(): void {
      throw new Error('died')
    }
    override readBytes(): void {
      throw new Error('died')
    }
  }

  const options = { capacity: 2, itemBytes: 1, seats: 2 }
  const byte = (value = 0) => Uint8Array.of(value)

  it('who dies in a push holds nobody up: neither those who push nor those who pop', () => {
    const { memory } = ringOf(options)
    const dead = new Set<number>()
    const ring = WorkRing.attach(new PeerMemory(memory, 1, dead), 0, { spins: 0 })
    const target = byte()
    expect(() => WorkRing.attach(new DoomedMemory(memory, 0, dead)).push(byte(1))).toThrow('died')
    expect([ring.tryPush(byte(2)), ring.tryPush(byte(3))]).toEqual([true, false])
    dead.add(0)
    // The slot of the dead one is found at the end of the ring, and given to the next lap; then there is room for one more.
    expect([ring.tryPush(byte(3)), ring.tryPush(byte(4))]).toEqual([true, false])
    expect([ring.pop(target), target[0], ring.pop(target), target[0], ring.tryPop(target)]).toEqual([true, 2, true, 3, false])
  })

  it('who dies in a pop takes the item along, and nothing else', () => {
    const { memory } = ringOf(options)
    const dead = new Set<number>()
    const ring = WorkRing.attach(new PeerMemory(memory, 1, dead), 0, { spins: 0 })
    const target = byte()
    ring.push(byte(1))
    ring.push(byte(2))
    expect(() => WorkRing.attach(new DoomedMemory(memory, 0, dead)).pop(target)).toThrow('died')
    dead.add(0)
    expect([ring.tryPush(byte(3)), ring.tryPush(byte(4))]).toEqual([true, false])
    expect([ring.pop(target), target[0], ring.pop(target), target[0], ring.tryPop(target)]).toEqual([true, 2, true, 3, false])
  })

  /** A memory whose thread dies when it copies for the second time. */
  class LaterDoomedMemory extends PeerMemory {
    private copies = 0

    override writeBytes(byte: number, source: Uint8Array): void {
      if (this.copies++ > 0) throw new Error('died')
      super.writeBytes(byte, source)
    }
    override readBytes(byte: number, target: Uint8Array): void {
      if (this.copies++ > 0) throw new Error('died')
      super.readBytes(byte, target)
    }
  }

  it('of a batch that a dead one was pushing, there is what it had copied', () => {
    const { memory } = ringOf({ ...options, capacity: 4 })
    const dead = new Set<number>()
    const ring = WorkRing.attach(new PeerMemory(memory, 1, dead), 0, { spins: 0 })
    const target = new Uint8Array(4)
    expect(() => WorkRing.attach(new LaterDoomedMemory(memory, 0, dead)).pushBatch(Uint8Array.of(1, 2, 3))).toThrow('died')
    expect([ring.tryPush(byte(4)), ring.tryPush(byte(5))]).toEqual([true, false])
    expect([ring.tryPopBatch(target), [...target]]).toEqual([1, [1, 0, 0, 0]])
    dead.add(0)
    expect([ring.tryPop(target.subarray(0, 1)), [...target]]).toEqual([true, [4, 0, 0, 0]])
    // All slots are free again.
    expect([ring.tryPushBatch(Uint8Array.of(6, 7, 8, 9)), ring.tryPopBatch(target), [...target]]).toEqual([4, 4, [6, 7, 8, 9]])
  })

  it('a batch that a dead one was popping is gone, and nothing else', () => {
    const { memory } = ringOf({ ...options, capacity: 4 })
    const dead = new Set<number>()
    const ring = WorkRing.attach(new PeerMemory(memory, 1, dead), 0, { spins: 0 })
    const target = new Uint8Array(4)
    expect(ring.tryPushBatch(Uint8Array.of(1, 2, 3, 4))).toBe(4)
    expect(() => WorkRing.attach(new LaterDoomedMemory(memory, 0, dead)).popBatch(new Uint8Array(3))).toThrow('died')
    expect(ring.tryPushBatch(Uint8Array.of(5, 6))).toBe(1)
    dead.add(0)
    expect(ring.pushBatch(Uint8Array.of(6, 7, 8), 0)).toBe(2)
    expect([ring.tryPopBatch(target), [...target]]).toEqual([4, [4, 5, 6, 7]])
  })

  it('each has a seat; those of the dead, and of who left, are given to others', () => {
    const { memory } = ringOf(options)
    const dead = new Set<number>()
    const [first, second, third, fourth] = [0, 1, 2, 3].map((self) => WorkRing.attach(new PeerMemory(memory, self, dead)))
    expect([first?.tryPush(byte(1)), second?.tryPush(byte(2))]).toEqual([true, true])
    expect(() => third?.tryPop(byte())).toThrow(
      'WorkRing: all 2 seats are taken by living threads; create the ring with more, or leave()',
    )
    first?.leave()
    first?.leave()
    expect(third?.tryPop(byte())).toBe(true)
    expect(() => first?.tryPop(byte())).toThrow(/all 2 seats are taken/)
    dead.add(1)
    expect(fourth?.tryPop(byte())).toBe(true)
  })
})
