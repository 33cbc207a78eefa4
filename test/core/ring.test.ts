import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ForwardingMemory, LossyRing, lineWords, type Memory, Ring, type RingOptions, SharedMemory } from '../../core/index.ts'

/** A ring and its ends over a memory of just its size. Ends do not spin: here nobody else moves. */
function ringOf(options: RingOptions) {
  const memory = new SharedMemory(Ring.words(options))
  const ring = Ring.create(memory, options)
  const sources = Array.from({ length: options.readers ?? 1 }, () => ring.source({ spins: 0 }))
  return { memory, ring, sink: ring.sink({ spins: 0 }), sources, source: sources[0] as (typeof sources)[number] }
}

/** The n-th item: bytes that differ from item to item and from byte to byte. */
function itemOf(n: number, itemBytes: number): Uint8Array {
  return Uint8Array.from({ length: itemBytes }, (_, i) => (n * 37 + i * 11 + (n >> 3)) & 0xff)
}

function itemsOf(from: number, count: number, itemBytes: number): Uint8Array {
  const bytes = new Uint8Array(count * itemBytes)
  for (let i = 0; i < count; i++) bytes.set(itemOf(from + i, itemBytes), i * itemBytes)
  return bytes
}

/** Positions around every point where a 31-bit or 32-bit counter, signed or not, changes its look. */
const starts = [0, 2 ** 29, 2 ** 30, 2 ** 31, 2 ** 32, -(2 ** 31) + 40].flatMap((point) =>
  [-33, -5, -2, -1, 0, 1].map((offset) => point + offset).filter((start) => start >= -(2 ** 31) && start < 2 ** 32),
)

describe('Ring against a plain array', () => {
  const shape = fc.record({
    capacity: fc.constantFrom(1, 2, 4, 8),
    itemBytes: fc.oneof(fc.constantFrom(1, 3, 4, 8, 16), fc.integer({ min: 1, max: 70 })),
    readers: fc.integer({ min: 1, max: 3 }),
    start: fc.constantFrom(...starts),
  })
  const reader = fc.nat(2)
  const count = fc.nat(10)
  const some = fc.integer({ min: 1, max: 10 })
  const command = fc.oneof(
    fc.record({ kind: fc.constantFrom('tryPush' as const, 'push' as const, 'free' as const) }),
    fc.record({ kind: fc.constantFrom('tryPushBatch' as const, 'pushBatch' as const), count }),
    fc.record({ kind: fc.constantFrom('tryClaim' as const, 'claim' as const), count: some, committed: count }),
    fc.record({ kind: fc.constantFrom('tryPop' as const, 'pop' as const, 'available' as const), reader }),
    fc.record({ kind: fc.constantFrom('tryPopBatch' as const, 'popBatch' as const), reader, count }),
    fc.record({ kind: fc.constantFrom('get' as const, 'advance' as const), reader, count }),
  )

  it('gives every reader every item, whole and in order, and refuses exactly when full or empty', () => {
    fc.assert(
      fc.property(shape, fc.array(command, { maxLength: 80 }), (options, commands) => {
        const { capacity, itemBytes, readers } = options
        const { sink, sources } = ringOf(options)
        let pushed = 0
        const popped = sources.map(() => 0)
        const free = () => capacity - (pushed - Math.min(...popped))
        for (const step of commands) {
          if ('reader' in step) {
            const who = step.reader % readers
            const source = sources[who] as (typeof sources)[number]
            const next = popped[who] as number
            const there = pushed - next
            const found = source.available()
            expect(found).toBeLessThanOrEqual(there)
            expect(found > 0).toBe(there > 0)
            if (step.kind === 'tryPop' || step.kind === 'pop') {
              const target = new Uint8Array(itemBytes)
              expect(step.kind === 'pop' ? source.pop(target, 0) : source.tryPop(target)).toBe(there > 0)
              expect(target).toEqual(there > 0 ? itemOf(next, itemBytes) : new Uint8Array(itemBytes))
              if (there > 0) popped[who] = next + 1
            } else if (step.kind === 'tryPopBatch' || step.kind === 'popBatch') {
              const target = new Uint8Array(step.count * itemBytes)
              const got = step.kind === 'popBatch' ? source.popBatch(target, 0) : source.tryPopBatch(target)
              expect(got).toBe(Math.min(step.count, there))
              expect(target.subarray(0, got * itemBytes)).toEqual(itemsOf(next, got, itemBytes))
              expect(target.subarray(got * itemBytes).every((byte) => byte === 0)).toBe(true)
              popped[who] = next + got
            } else if (step.kind === 'get') {
              if (step.count < there) expect(source.get(step.count)).toEqual(itemOf(next + step.count, itemBytes))
              else expect(() => source.get(step.count)).toThrow(RangeError)
            } else if (step.kind === 'advance') {
              if (step.count > there) {
                expect(() => source.advance(step.count)).toThrow(RangeError)
              } else {
                source.advance(step.count)
                popped[who] = next + step.count
              }
            }
          } else if (step.kind === 'tryPush' || step.kind === 'push') {
            const item = itemOf(pushed, itemBytes)
            const fits = free() > 0
            expect(step.kind === 'push' ? sink.push(item, 0) : sink.tryPush(item)).toBe(fits)
            item.fill(0xee)
            if (fits) pushed++
          } else if (step.kind === 'tryPushBatch' || step.kind === 'pushBatch') {
            const items = itemsOf(pushed, step.count, itemBytes)
            const fit = Math.min(step.count, free())
            expect(step.kind === 'pushBatch' ? sink.pushBatch(items, 0) : sink.tryPushBatch(items)).toBe(fit)
            items.fill(0xee)
            pushed += fit
          } else if (step.kind === 'tryClaim' || step.kind === 'claim') {
            const claimed = step.kind === 'claim' ? sink.claim(step.count, 0) : sink.tryClaim(step.count)
            expect(claimed).toBeLessThanOrEqual(Math.min(step.count, free()))
            expect(claimed > 0).toBe(free() > 0)
            for (let i = 0; i < claimed; i++) {
              const item = itemOf(pushed + i, itemBytes)
              const half = itemBytes >> 1
              sink.put(i, item.subarray(half), half)
              sink.put(i, item.subarray(0, half))
            }
            const committed = Math.min(step.committed, claimed)
            if (committed === 0) sink.abort()
            else sink.commit(committed)
            pushed += committed
          } else {
            const found = sink.free()
            expect(found).toBeLessThanOrEqual(free())
            expect(found > 0).toBe(free() > 0)
          }
        }
      }),
      { numRuns: 600 },
    )
  })

  it.each(starts)('goes on in order where positions wrap, from %s', (start) => {
    const { sink, source } = ringOf({ capacity: 4, itemBytes: 5, start })
    const target = new Uint8Array(5)
    for (let n = 0; n < 80; n += 4) {
      for (let i = 0; i < 4; i++) expect(sink.tryPush(itemOf(n + i, 5))).toBe(true)
      expect(sink.tryPush(itemOf(0, 5))).toBe(false)
      for (let i = 0; i < 4; i++) {
        expect(source.tryPop(target)).toBe(true)
        expect(target).toEqual(itemOf(n + i, 5))
      }
      expect(source.tryPop(target)).toBe(false)
    }
  })
})

describe('Ring', () => {
  it('can be joined by whoever knows where it stands', () => {
    const options = { capacity: 2, itemBytes: 3, readers: 2 }
    const words = Ring.words(options)
    expect(words % lineWords).toBe(0)
    const memory = new SharedMemory(lineWords + 2 * words)
    const first = Ring.create(memory, options, lineWords)
    Ring.create(memory, { capacity: 4, itemBytes: 3 }, lineWords + words)
    const ring = Ring.attach(memory, lineWords)
    expect([ring.capacity, ring.itemBytes, ring.readers]).toEqual([2, 3, 2])
    expect(Ring.attach(memory, lineWords + words).capacity).toBe(4)
    const source = ring.source()
    first.sink().tryPush(Uint8Array.of(1, 2, 3))
    expect(source.get(0)).toEqual(Uint8Array.of(1, 2, 3))
  })

  it('uses the words that it asked for and no others', () => {
    for (const options of [
      { capacity: 1, itemBytes: 1 },
      { capacity: 8, itemBytes: 33, readers: 3 },
    ]) {
      const words = Ring.words(options)
      const memory = new SharedMemory(words + 2 * lineWords)
      for (let word = 0; word < memory.words; word++) memory.store(word, 0x55555555)
      const ring = Ring.create(memory, options, lineWords)
      const sink = ring.sink()
      const sources = Array.from({ length: ring.readers }, () => ring.source())
      const items = new Uint8Array(options.capacity * options.itemBytes).fill(0xff)
      expect(sink.tryPushBatch(items)).toBe(options.capacity)
      for (const source of sources) expect(source.tryPopBatch(items)).toBe(options.capacity)
      for (let word = 0; word < lineWords; word++) {
        expect(memory.load(word)).toBe(0x55555555)
        expect(memory.load(lineWords + words + word)).toBe(0x55555555)
      }
    }
  })

  it('keeps words of different owners at least 128 bytes apart', () => {
    // Whatever a push or a pop changes, found by comparing the memory before and after.
    const options = { capacity: 1, itemBytes: 4, readers: 2 }
    const { memory, sink, sources } = ringOf(options)
    const snapshot = () => Array.from({ length: memory.words }, (_, word) => memory.load(word))
    const changedBy = (body: () => void) => {
      const before = snapshot()
      body()
      return snapshot().flatMap((value, word) => (value === before[word] ? [] : [word]))
    }
    const changes = [
      changedBy(() => sink.tryPush(Uint8Array.of(1, 2, 3, 4))),
      ...sources.map((source) => changedBy(() => source.advance(1))),
    ]
    expect(changes.map((words) => words.length)).toEqual([2, 1, 1])
    for (const [i, one] of changes.entries()) {
      for (const other of changes.slice(i + 1)) {
        for (const a of one) for (const b of other) expect(Math.abs(a - b)).toBeGreaterThanOrEqual(32)
      }
    }
  })

  it('hands out the sink once, also to threads that attached by themselves', () => {
    const { memory, ring } = ringOf({ capacity: 2, itemBytes: 1 })
    expect(() => ring.sink()).toThrow(/the sink was handed out before/)
    expect(() => Ring.attach(memory).sink()).toThrow(/the sink was handed out before/)
  })

  it('hands out each source once', () => {
    const options = { capacity: 2, itemBytes: 1, readers: 3 }
    const memory = new SharedMemory(Ring.words(options))
    const ring = Ring.create(memory, options)
    expect(ring.source({ reader: 1 }).reader).toBe(1)
    expect(() => ring.source({ reader: 1 })).toThrow(/source 1 was handed out before/)
    expect(ring.source().reader).toBe(0)
    expect(Ring.attach(memory).source().reader).toBe(2)
    expect(() => ring.source()).toThrow(/all 3 sources were handed out before/)
    for (const reader of [-1, 3, 0.5, Number.NaN]) expect(() => ring.source({ reader })).toThrow(RangeError)
  })

  it('starts afresh when it is created again', () => {
    const options = { capacity: 2, itemBytes: 1 }
    const { memory, sink } = ringOf(options)
    sink.tryPush(Uint8Array.of(1))
    const again = Ring.create(memory, options)
    expect(again.source().available()).toBe(0)
    expect(again.sink().free()).toBe(2)
  })

  it('holds back for a reader that nobody has taken yet', () => {
    const options = { capacity: 2, itemBytes: 1, readers: 2 }
    const ring = Ring.create(new SharedMemory(Ring.words(options)), options)
    const sink = ring.sink()
    ring.source().available()
    expect(sink.tryPushBatch(Uint8Array.of(1, 2, 3))).toBe(2)
    expect(ring.source().get(1)).toEqual(Uint8Array.of(2))
  })

  it('reads in place without consuming, and consumes without reading', () => {
    const { sink, source } = ringOf({ capacity: 4, itemBytes: 2 })
    sink.tryPushBatch(Uint8Array.of(1, 2, 3, 4, 5, 6))
    expect(source.available()).toBe(3)
    expect(source.get(2)).toEqual(Uint8Array.of(5, 6))
    const target = new Uint8Array(2)
    expect(source.get(0, target)).toBe(target)
    expect(target).toEqual(Uint8Array.of(1, 2))
    source.advance(2)
    expect(source.available()).toBe(1)
    expect(source.get(0)).toEqual(Uint8Array.of(5, 6))
    expect(sink.free()).toBeGreaterThan(0)
    source.advance(0)
    source.advance(1)
    expect(source.available()).toBe(0)
  })

  it('can count items of one byte by the thousand', () => {
    const { sink, source } = ringOf({ capacity: 1024, itemBytes: 1 })
    const bytes = Uint8Array.from({ length: 3000 }, (_, i) => i & 0xff)
    expect(sink.tryPushBatch(bytes)).toBe(1024)
    const target = new Uint8Array(2000)
    expect(source.tryPopBatch(target)).toBe(1024)
    expect(target.subarray(0, 1024)).toEqual(bytes.subarray(0, 1024))
  })
})

describe('waiting for items that are read in place', () => {
  it('tells how many there are, or gives up', () => {
    const { sink, source } = ringOf({ capacity: 4, itemBytes: 1 })
    expect([source.wait(0), source.wait(2)]).toEqual([0, 0])
    sink.tryPushBatch(Uint8Array.of(1, 2))
    expect([source.wait(), source.get(1)]).toEqual([2, Uint8Array.of(2)])
    source.advance(2)
    sink.close()
    expect([source.wait(), source.end()]).toEqual([0, 'closed'])
    expect(() => source.wait(Number.NaN)).toThrow(/Source.wait: expected timeoutMs/)
    source.close()
    expect(() => source.wait()).toThrow('Source: it was closed')
  })
})

describe('claiming', () => {
  it('nothing is seen before it is committed, and nothing of what was not', () => {
    const { sink, source } = ringOf({ capacity: 4, itemBytes: 2 })
    expect(sink.tryClaim(9)).toBe(4)
    sink.put(2, Uint8Array.of(5, 6))
    sink.put(0, Uint8Array.of(2), 1)
    sink.put(0, Uint8Array.of(1))
    expect(source.available()).toBe(0)
    sink.commit(1)
    expect([source.available(), source.get(0)]).toEqual([1, Uint8Array.of(1, 2)])
    expect(sink.claim(2)).toBe(2)
    sink.abort()
    sink.abort()
    expect([source.available(), sink.free()]).toEqual([1, 3])
    expect(sink.tryPush(Uint8Array.of(3, 4))).toBe(true)
    expect(source.get(1)).toEqual(Uint8Array.of(3, 4))
    expect(sink.tryClaim(2)).toBe(2)
    sink.close()
    expect([source.tryPopBatch(new Uint8Array(8)), source.end()]).toEqual([2, 'closed'])
  })

  it('shows where items lie, at both ends, also across the end of the ring', () => {
    const { memory, sink, source } = ringOf({ capacity: 2, itemBytes: 8, start: 1 })
    const bytes = new Uint8Array(memory.buffer, memory.byteOffset)
    expect(sink.claim(2)).toBe(2)
    for (const i of [0, 1]) bytes.fill(i + 1, sink.byteOf(i), sink.byteOf(i) + 8)
    expect(sink.byteOf(1)).toBe(sink.byteOf(0) - 8)
    const places = [sink.byteOf(0), sink.byteOf(1)]
    sink.commit()
    expect([source.byteOf(0), source.byteOf(1)]).toEqual(places)
    expect([source.get(0), source.get(1)]).toEqual([new Uint8Array(8).fill(1), new Uint8Array(8).fill(2)])
    source.advance(1)
    expect(source.byteOf(0)).toBe(places[1])
    expect(() => source.byteOf(1)).toThrow('Source.byteOf: expected an index below the 1 available items, found 1')
  })

  it('goes on only after a commit or an abort', () => {
    const { sink, source } = ringOf({ capacity: 2, itemBytes: 1 })
    expect(sink.tryClaim()).toBe(1)
    for (const call of [
      () => sink.tryPush(Uint8Array.of(1)),
      () => sink.push(Uint8Array.of(1)),
      () => sink.tryPushBatch(Uint8Array.of(1)),
      () => sink.pushBatch(Uint8Array.of(1)),
      () => sink.tryClaim(),
      () => sink.claim(),
      () => sink.free(),
    ]) {
      expect(call).toThrow('Sink: 1 items are claimed; commit or abort them first')
    }
    sink.put(0, Uint8Array.of(7))
    sink.commit()
    sink.commit()
    expect([source.available(), source.get(0), sink.free()]).toEqual([1, Uint8Array.of(7), 1])
    sink.close()
    expect(() => sink.claim()).toThrow('Sink: the stream was closed')
  })

  it('refuses items that are not claimed, and bytes beyond an item', () => {
    const { sink } = ringOf({ capacity: 4, itemBytes: 3 })
    for (const count of [0, -1, 1.5, Number.NaN, Infinity]) {
      expect(() => sink.tryClaim(count)).toThrow(/Sink.tryClaim: count: expected an integer from 1/)
      expect(() => sink.claim(count)).toThrow(/Sink.claim: count: expected an integer from 1/)
    }
    expect(() => sink.claim(1, Number.NaN)).toThrow(/Sink.claim: expected timeoutMs/)
    expect(() => sink.put(0, new Uint8Array(1))).toThrow('Sink: expected the index of one of 0 claimed items, found 0')
    expect(() => sink.commit(1)).toThrow('Sink.commit: count: expected an integer from 0 to 0, found 1')
    sink.tryClaim(2)
    for (const index of [-1, 2, 0.5, Number.NaN]) {
      expect(() => sink.put(index, new Uint8Array(1))).toThrow(/Sink: expected the index of one of 2 claimed items/)
      expect(() => sink.byteOf(index)).toThrow(/Sink: expected the index of one of 2 claimed items/)
    }
    for (const [length, from] of [
      [4, 0],
      [1, 3],
      [1, -1],
      [1, 0.5],
      [1, Number.NaN],
    ] as const) {
      expect(() => sink.put(0, new Uint8Array(length), from)).toThrow(/Sink.put: expected a part of 3 bytes/)
    }
    for (const count of [-1, 3, 0.5, Number.NaN]) expect(() => sink.commit(count)).toThrow(/expected an integer from 0 to 2/)
    sink.put(1, new Uint8Array(0), 3)
    sink.abort()
    expect(sink.free()).toBe(4)
  })
})

describe('closing', () => {
  const byte = () => new Uint8Array(1)

  it('the sink ends the stream: readers get what was pushed, then the end, at once and for ever', () => {
    const { ring, sink, sources } = ringOf({ capacity: 4, itemBytes: 1, readers: 2 })
    sink.tryPushBatch(Uint8Array.of(1, 2))
    for (const source of sources) expect(source.end()).toBeUndefined()
    sink.close()
    sink.close()
    for (const source of sources) {
      expect(source.end()).toBeUndefined()
      expect([source.pop(byte()), source.popBatch(new Uint8Array(3))]).toEqual([true, 1])
      expect(source.end()).toBe('closed')
      expect([source.pop(byte()), source.tryPop(byte()), source.popBatch(byte()), source.available()]).toEqual([
        false,
        false,
        0,
        0,
      ])
      expect(source.end()).toBe('closed')
    }
    for (const push of [() => sink.tryPush(byte()), () => sink.push(byte()), () => sink.pushBatch(byte()), () => sink.free()]) {
      expect(push).toThrow('Sink: the stream was closed')
    }
    expect(() => ring.sink()).toThrow(/the sink was handed out before/)
  })

  it('a source holds nobody back, and its place can be taken by who begins with what comes', () => {
    const { ring, sink, sources } = ringOf({ capacity: 2, itemBytes: 1, readers: 2 })
    sink.tryPushBatch(Uint8Array.of(1, 2))
    expect(sink.tryPush(Uint8Array.of(3))).toBe(false)
    sources[0]?.close()
    sources[0]?.close()
    expect(sources[1]?.tryPop(byte())).toBe(true)
    expect(sink.tryPush(Uint8Array.of(3))).toBe(true)
    for (const read of [
      () => sources[0]?.tryPop(byte()),
      () => sources[0]?.pop(byte()),
      () => sources[0]?.popBatch(byte()),
      () => sources[0]?.get(0),
      () => sources[0]?.available(),
      () => sources[0]?.end(),
      () => sources[0]?.advance(1),
    ]) {
      expect(read).toThrow('Source: it was closed')
    }
    expect(() => ring.source({ reader: 1 })).toThrow(/source 1 was handed out before/)
    const heir = ring.source()
    expect([heir.reader, heir.position, heir.available()]).toEqual([0, 3, 0])
    expect(sources[1]?.tryPop(byte())).toBe(true)
    sink.tryPush(Uint8Array.of(4))
    expect(heir.get(0)).toEqual(Uint8Array.of(4))
    expect(sources[1]?.tryPop(byte())).toBe(true)
    expect(sink.tryPushBatch(Uint8Array.of(5, 6))).toBe(1)
  })

  it('all sources lets the writer push into the void', () => {
    const { sink, source } = ringOf({ capacity: 2, itemBytes: 1 })
    source.close()
    expect(sink.pushBatch(new Uint8Array(5))).toBe(5)
    expect(sink.position).toBe(5)
  })

  it('nobody is waited for where the ring was made so', () => {
    const options = { capacity: 2, itemBytes: 1, readers: 2, awaitReaders: false }
    const ring = Ring.create(new SharedMemory(Ring.words(options)), options)
    const sink = ring.sink()
    expect(sink.pushBatch(Uint8Array.of(1, 2, 3))).toBe(3)
    const late = ring.source()
    expect(late.available()).toBe(0)
    expect(sink.tryPushBatch(Uint8Array.of(4, 5, 6))).toBe(2)
    expect(late.get(1)).toEqual(Uint8Array.of(5))
    sink.close()
    const tooLate = ring.source()
    expect([tooLate.reader, tooLate.end(), late.end()]).toEqual([1, 'closed', undefined])
  })

  it.each(starts)('works where positions wrap, from %s', (start) => {
    const { ring, sink, source } = ringOf({ capacity: 2, itemBytes: 1, start })
    for (let n = 0; n < 40; n++) {
      expect(sink.tryPush(Uint8Array.of(n))).toBe(true)
      expect(source.tryPop(byte())).toBe(true)
    }
    expect([sink.position, source.position]).toEqual(Array(2).fill((((start + 40) % 2 ** 30) + 2 ** 30) % 2 ** 30))
    source.close()
    expect(sink.pushBatch(new Uint8Array(7))).toBe(7)
    const heir = ring.source()
    sink.close()
    expect([heir.available(), heir.end()]).toEqual([0, 'closed'])
  })
})

describe('where a reader begins', () => {
  const late = { capacity: 8, itemBytes: 1, readers: 3, awaitReaders: false }
  const lateRing = (options: Partial<RingOptions> = {}) => {
    const all = { ...late, ...options }
    return Ring.create(new SharedMemory(Ring.words(all)), all)
  }
  const push = (sink: ReturnType<Ring['sink']>, count: number) => {
    for (let i = 0; i < count; i++) expect(sink.tryPush(Uint8Array.of(sink.position))).toBe(true)
  }

  it.each(starts)('at the oldest item that is still there: what a writer that came first and went left, from %s', (start) => {
    const ring = lateRing({ start })
    const sink = ring.sink()
    for (let pushed = 1; pushed <= 40; pushed++) {
      push(sink, 1)
      const source = ring.source({ from: 'oldest' })
      // All but those of the quarter that the writer may be about to write over.
      expect(source.available()).toBeGreaterThanOrEqual(Math.min(pushed, 7))
      expect(source.available()).toBeLessThanOrEqual(8)
      for (let i = 0; i < source.available(); i++) expect(source.get(i)[0]).toBe((source.position + i) & 0xff)
      expect((source.position + source.available()) % 2 ** 30).toBe(sink.position)
      source.close()
    }
    sink.close()
    expect(ring.source({ from: 'oldest' }).available()).toBeGreaterThanOrEqual(7)
    expect(ring.source({ from: 'latest' }).end()).toBe('closed')
  })

  it('at a position that is still there, and nowhere else', () => {
    const ring = lateRing()
    const sink = ring.sink()
    push(sink, 20)
    const oldest = ring.source({ reader: 0, from: 'oldest' })
    for (let position = oldest.position; position <= 20; position++) {
      const source = ring.source({ reader: 1, from: position })
      expect([source.position, source.available()]).toEqual([position, 20 - position])
      source.close()
    }
    const gone = oldest.position - 1
    expect(() => ring.source({ reader: 1, from: gone })).toThrow(
      `Ring.source: from: item ${gone} is gone; the oldest that is still there is ${gone + 1}`,
    )
    expect(() => ring.source({ reader: 1, from: 21 })).toThrow(
      'Ring.source: from: item 21 is not written yet; the next one is 20',
    )
    for (const from of [-1, 0.5, Number.NaN, 2 ** 30]) expect(() => ring.source({ from })).toThrow(/Ring.source: from: expected/)
    // Who was refused holds nobody back, and another one can come.
    oldest.close()
    push(sink, 20)
    expect(ring.source({ reader: 1, from: 'latest' }).position).toBe(40)
  })

  it('holds what it asked for, and no more than there is', () => {
    const ring = lateRing({ readers: 2 })
    const sink = ring.sink()
    push(sink, 9)
    const source = ring.source({ from: 'oldest' })
    const there = source.available()
    expect(sink.tryPushBatch(new Uint8Array(9))).toBe(8 - there)
    expect(source.get(0)[0]).toBe(source.position)
    source.advance(1)
    expect(sink.tryPushBatch(new Uint8Array(9))).toBe(1)
  })

  it('anew, though items wait for it', () => {
    const ring = lateRing({ readers: 1, awaitReaders: true })
    const sink = ring.sink()
    push(sink, 8)
    expect(sink.tryPush(Uint8Array.of(0))).toBe(false)
    const source = ring.source({ from: 'latest' })
    expect([source.position, source.available()]).toEqual([8, 0])
    expect(sink.tryPushBatch(new Uint8Array(9))).toBe(8)
    source.close()
    expect(ring.source({ from: 'oldest' }).available()).toBe(8)
  })

  it('with all items, if a writer came, pushed and went before any reader', () => {
    for (const awaitReaders of [true, false]) {
      const ring = lateRing({ readers: 1, awaitReaders })
      const sink = ring.sink()
      push(sink, 5)
      sink.close()
      const source = awaitReaders ? ring.source() : ring.source({ from: 'oldest' })
      expect([source.available(), source.get(4)]).toEqual([5, Uint8Array.of(4)])
      source.advance(5)
      expect(source.end()).toBe('closed')
    }
  })
})

describe('standing behind other readers', () => {
  const ofThree = { capacity: 4, itemBytes: 1, readers: 3 }

  it('a reader sees what all of them are past, and the end after that', () => {
    const ring = Ring.create(new SharedMemory(Ring.words(ofThree)), ofThree)
    const sink = ring.sink()
    const joint = ring.source({ reader: 2, after: [0, 1], spins: 0 })
    expect(sink.tryPushBatch(Uint8Array.of(1, 2, 3))).toBe(3)
    sink.close()
    // Those ahead have not come, and are awaited.
    expect([joint.available(), joint.attended(), joint.wait(1), joint.end()]).toEqual([0, 0, 0, undefined])
    const [first, second] = [ring.source(), ring.source()]
    first.advance(first.available())
    expect(joint.available()).toBe(0)
    second.advance(second.available() - 1)
    expect([joint.available(), joint.attended(), joint.end()]).toEqual([2, 2, undefined])
    joint.advance(2)
    expect([joint.available(), joint.end()]).toEqual([0, undefined])
    second.advance(1)
    expect([joint.available(), joint.get(0)]).toEqual([1, Uint8Array.of(3)])
    joint.advance(1)
    expect([joint.wait(), joint.end()]).toEqual([0, 'closed'])
  })

  it('the writer waits for the last', () => {
    const ring = Ring.create(new SharedMemory(Ring.words(ofThree)), ofThree)
    const sink = ring.sink()
    const [first, second, last] = [ring.source(), ring.source(), ring.source({ after: [0, 1] })]
    sink.tryPushBatch(new Uint8Array(4))
    first.advance(first.available())
    second.advance(second.available())
    expect(sink.tryPush(new Uint8Array(1))).toBe(false)
    last.advance(last.available())
    expect(sink.tryPush(new Uint8Array(1))).toBe(true)
  })

  it('who left holds nobody up, and it is known what it had not read', () => {
    const two = { ...ofThree, readers: 2 }
    const ring = Ring.create(new SharedMemory(Ring.words(two)), two)
    const sink = ring.sink()
    const ahead = ring.source()
    const behind = ring.source({ after: [0] })
    sink.tryPushBatch(Uint8Array.of(1, 2, 3))
    ahead.advance(ahead.available() - 2)
    ahead.close()
    expect([behind.available(), behind.attended()]).toEqual([3, 1])
    sink.tryPush(Uint8Array.of(4))
    // Who comes next begins with what comes: between the two there is a gap.
    const heir = ring.source({ reader: 0 })
    expect([heir.position, behind.attended()]).toEqual([4, 1])
    behind.advance(3)
    sink.tryPushBatch(Uint8Array.of(5, 6))
    heir.advance(heir.available() - 1)
    expect([behind.available(), behind.attended()]).toEqual([2, 0])
    behind.advance(1)
    expect([behind.available(), behind.attended()]).toEqual([1, 1])
  })

  it('is refused behind oneself, or in a circle', () => {
    const ring = Ring.create(new SharedMemory(Ring.words(ofThree)), ofThree)
    for (const after of [[1], [0, 2], [-1], [0.5], [3]]) {
      expect(() => ring.source({ reader: 1, after })).toThrow(/Ring.source: after: expected an integer from 0 to 0/)
    }
    expect(() => ring.source({ after: [2] })).toThrow(/from 0 to 1/)
    expect(ring.source({ after: [0] }).reader).toBe(1)
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

  function peersOf(options: RingOptions) {
    const memory = new SharedMemory(Ring.words(options))
    Ring.create(memory, options)
    const dead = new Set<number>()
    return { dead, ring: (self: number) => Ring.attach(new PeerMemory(memory, self, dead)) }
  }

  const byte = () => new Uint8Array(1)

  it('a full ring lets go of readers that died, and of no others', () => {
    const { dead, ring } = peersOf({ capacity: 2, itemBytes: 1, readers: 3 })
    const sink = ring(0).sink()
    const [first, second, third] = [1, 2, 3].map((self) => ring(self).source({ spins: 0 }))
    expect(sink.tryPushBatch(new Uint8Array(3))).toBe(2)
    dead.add(1).add(3)
    expect(sink.tryPush(byte())).toBe(false)
    expect(second?.tryPop(byte())).toBe(true)
    expect([first?.reader, third?.reader]).toEqual([0, 2])
    expect(sink.push(byte())).toBe(true)
    expect(sink.push(byte(), 120)).toBe(false)
    expect(second?.tryPopBatch(new Uint8Array(5))).toBe(2)
  })

  it('who takes the place of a dead reader goes on where that one stopped', () => {
    const { dead, ring } = peersOf({ capacity: 4, itemBytes: 1 })
    const sink = ring(0).sink()
    const source = ring(1).source()
    sink.tryPushBatch(Uint8Array.of(1, 2, 3))
    source.advance(1)
    expect(() => ring(2).source()).toThrow(/all 1 sources were handed out before/)
    dead.add(1)
    const heir = ring(2).source()
    expect([heir.position, heir.get(0)]).toEqual([1, Uint8Array.of(2)])
    expect(() => ring(3).source({ reader: 0 })).toThrow(/source 0 was handed out before/)
  })

  it('or begins with what comes, when the writer needed the room', () => {
    const { dead, ring } = peersOf({ capacity: 2, itemBytes: 1 })
    const sink = ring(0).sink()
    ring(1).source()
    dead.add(1)
    expect(sink.pushBatch(Uint8Array.of(1, 2, 3))).toBe(3)
    const heir = ring(2).source()
    expect([heir.position, heir.available(), sink.free()]).toEqual([3, 0, 1])
  })

  it('the readers of a dead writer get what it pushed, and then the end, until another one takes its place', () => {
    const { dead, ring } = peersOf({ capacity: 2, itemBytes: 1 })
    const sink = ring(0).sink()
    const source = ring(1).source({ spins: 0 })
    sink.tryPush(Uint8Array.of(1))
    expect(() => ring(2).sink()).toThrow(/the sink was handed out before/)
    dead.add(0)
    const target = byte()
    expect([source.pop(target), target[0], source.pop(target), source.popBatch(target)]).toEqual([true, 1, false, 0])
    expect(source.end()).toBe('abandoned')
    const heir = ring(2).sink()
    expect([source.end(), heir.position]).toEqual([undefined, 1])
    heir.push(Uint8Array.of(2))
    heir.close()
    expect([source.pop(target), target[0], source.pop(target), source.end()]).toEqual([true, 2, false, 'closed'])
    dead.add(2)
    expect(() => ring(3).sink()).toThrow('Ring.sink: the stream was closed; create another ring')
    expect(source.end()).toBe('closed')
  })

  it('who waits learns of a death that nobody tells of', () => {
    const dead = new Set<number>()
    class DyingMemory extends PeerMemory {
      override wait(...args: Parameters<ForwardingMemory['wait']>) {
        dead.add(0)
        return super.wait(...args)
      }
    }
    const memory = new SharedMemory(Ring.words({ capacity: 1, itemBytes: 1 }))
    Ring.create(memory, { capacity: 1, itemBytes: 1 })
    Ring.attach(new PeerMemory(memory, 0, dead)).sink()
    const source = Ring.attach(new DyingMemory(memory, 1, dead)).source({ spins: 0 })
    expect(source.pop(byte())).toBe(false)
    expect(source.end()).toBe('abandoned')
  })
})

describe('who waits where it is known who lives', () => {
  const shape = { capacity: 1, itemBytes: 1 }
  const byte = Uint8Array.of(1)

  /** Does something when it pauses, and counts how often it asks who lives: all do. */
  class Pausing extends ForwardingMemory {
    asked = 0
    atPause = () => {}
    override readonly liveness: NonNullable<Memory['liveness']>

    constructor(memory: Memory, self: number) {
      super(memory)
      const alive = (): boolean => {
        this.asked++
        return true
      }
      this.liveness = { self, alive }
    }

    override pause(): void {
      this.atPause()
    }
  }

  /** What the waiting end does, and what the other one does for it. */
  type Ends = readonly [wait: (timeoutMs?: number) => boolean, serve: () => void]

  const ringOn = (memory: Memory) => Ring.create(memory, { ...shape, readers: 1, groups: 1, awaitReaders: false })
  const ends: readonly (readonly [string, number, (memory: Memory, other: Memory) => Ends])[] = [
    [
      'a source',
      Ring.words({ ...shape, readers: 1, groups: 1 }),
      (memory, other) => {
        const sink = ringOn(other).sink()
        const source = Ring.attach(memory).source({ spins: 2 })
        return [(timeoutMs) => source.pop(Uint8Array.of(0), timeoutMs), () => void sink.push(byte)]
      },
    ],
    [
      'a member',
      Ring.words({ ...shape, readers: 1, groups: 1 }),
      (memory, other) => {
        const sink = ringOn(other).sink()
        const member = Ring.attach(memory).member({ spins: 2 })
        return [(timeoutMs) => member.pop(Uint8Array.of(0), timeoutMs), () => void sink.push(byte)]
      },
    ],
    [
      'a sink',
      Ring.words({ ...shape, readers: 1, groups: 1 }),
      (memory, other) => {
        const source = ringOn(other).source()
        const sink = Ring.attach(memory).sink({ spins: 2 })
        sink.push(byte)
        return [(timeoutMs) => sink.push(byte, timeoutMs), () => void source.pop(Uint8Array.of(0))]
      },
    ],
    [
      'a lossy source',
      LossyRing.words(shape),
      (memory, other) => {
        const sink = LossyRing.create(other, shape).sink()
        const source = LossyRing.attach(memory).source({ spins: 2 })
        return [(timeoutMs) => source.pop(Uint8Array.of(0), timeoutMs), () => sink.push(byte)]
      },
    ],
  ]

  it.each(ends)('%s spins first, and asks then', (_, words, endsOf) => {
    const shared = new SharedMemory(words)
    const memory = new Pausing(shared, 1)
    const [wait, serve] = endsOf(memory, new Pausing(shared, 0))
    memory.atPause = () => {
      memory.atPause = () => {}
      serve()
    }
    memory.asked = 0
    expect([wait(), memory.asked]).toEqual([true, 0])
    expect(wait(2)).toBe(false)
    expect(memory.asked).toBeGreaterThan(0)
  })
})

describe('Ring refuses', () => {
  const memory = new SharedMemory(1024)

  it.each([0, -2, 1.5, Number.NaN, 2 ** 30, Infinity])('a capacity of %s', (capacity) => {
    expect(() => Ring.words({ capacity, itemBytes: 1 })).toThrow(/Ring: capacity: expected an integer from 1 to 268435456/)
  })

  it('a capacity that is not a power of two, and names its neighbours', () => {
    expect(() => Ring.create(memory, { capacity: 6, itemBytes: 1 })).toThrow(
      'Ring: capacity: expected a power of two, found 6; take 4 or 8',
    )
  })

  it.each([0, -1, 0.5, Number.NaN, 2 ** 31])('items of %s bytes', (itemBytes) => {
    expect(() => Ring.words({ capacity: 1, itemBytes })).toThrow(/Ring: itemBytes: expected an integer/)
  })

  it.each([0, -1, 1.5, 65537])('%s readers', (readers) => {
    expect(() => Ring.words({ capacity: 1, itemBytes: 1, readers })).toThrow(/Ring: readers: expected an integer/)
  })

  it.each([0.5, Number.NaN, 2 ** 32, -(2 ** 31) - 1])('to start at %s', (start) => {
    expect(() => Ring.words({ capacity: 1, itemBytes: 1, start })).toThrow(/Ring: start: expected an integer/)
  })

  it('a memory that is too short', () => {
    const options = { capacity: 4, itemBytes: 8 }
    const words = Ring.words(options)
    expect(() => Ring.create(new SharedMemory(words - 1), options)).toThrow(
      `Ring.create: expected ${words} words from word 0 on, found a memory of ${words - 1} words; ` +
        `make the memory at least ${words} words long`,
    )
    expect(() => Ring.create(new SharedMemory(words), options, lineWords)).toThrow(RangeError)
  })

  it('a ring that no memory could hold', () => {
    expect(() => Ring.create(memory, { capacity: 2 ** 28, itemBytes: 2 ** 31 - 1 })).toThrow(/make it smaller/)
  })

  it.each([1, 16, 33, -32, 0.5, Number.NaN])('to stand at word %s', (at) => {
    expect(() => Ring.create(memory, { capacity: 1, itemBytes: 1 }, at)).toThrow(/multiple of 32 words/)
    expect(() => Ring.attach(memory, at)).toThrow(/multiple of 32 words/)
  })

  it('to attach where nothing stands', () => {
    expect(() => Ring.attach(new SharedMemory(64))).toThrow(
      "Ring.attach: expected a structure at word 0, found nothing; create it first, or pass its own 'at'",
    )
    expect(() => Ring.attach(new SharedMemory(8))).toThrow(RangeError)
  })

  it('to attach to anything else', () => {
    const options = { capacity: 2, itemBytes: 4, readers: 1 }
    const spoilt = (word: number, value: number) => {
      const copy = new SharedMemory(Ring.words(options))
      Ring.create(copy, options)
      copy.store(word, value)
      return () => Ring.attach(copy)
    }
    expect(spoilt(0, 0x12345678)).toThrow(/found the foreign word 0x12345678/)
    expect(spoilt(1, 7)).toThrow(/expected layout version 1, found 7/)
    expect(spoilt(2, 0x4e494843)).toThrow(/expected a structure of kind RING at word 0, found CHIN/)
    expect(spoilt(2, 1)).toThrow(/kind RING at word 0, found 0x00000001/)
    expect(spoilt(3, 1000)).toThrow(/expected 1000 words from word 0 on/)
    expect(spoilt(3, 64)).toThrow(/found 64 in the header/)
    expect(spoilt(4, 3)).toThrow(/expected a power of two/)
    expect(spoilt(5, -1)).toThrow(/Ring: itemBytes/)
    expect(spoilt(6, 2)).toThrow(/the memory was overwritten/)
  })

  it('to attach to a part of a ring', () => {
    const options = { capacity: 4, itemBytes: 4 }
    const whole = new SharedMemory(Ring.words(options))
    Ring.create(whole, options)
    const partial = new SharedMemory(whole.buffer, 0, whole.words - 1)
    expect(() => Ring.attach(partial)).toThrow(/expected 160 words from word 0 on, found a memory of 159 words/)
  })

  it('items and targets of another length', () => {
    const { sink, source } = ringOf({ capacity: 2, itemBytes: 4 })
    for (const length of [0, 3, 5, 8]) {
      const bytes = new Uint8Array(length)
      expect(() => sink.tryPush(bytes)).toThrow(`Sink: expected an item of 4 bytes, found ${length}`)
      expect(() => sink.push(bytes)).toThrow(RangeError)
      expect(() => source.tryPop(bytes)).toThrow(`Source: expected a target of 4 bytes, found ${length}`)
      expect(() => source.pop(bytes)).toThrow(RangeError)
      expect(() => source.get(0, bytes)).toThrow(RangeError)
    }
    for (const length of [3, 5]) {
      const bytes = new Uint8Array(length)
      expect(() => sink.tryPushBatch(bytes)).toThrow(/expected a multiple of 4 bytes/)
      expect(() => sink.pushBatch(bytes)).toThrow(RangeError)
      expect(() => source.tryPopBatch(bytes)).toThrow(/expected a multiple of 4 bytes/)
      expect(() => source.popBatch(bytes)).toThrow(RangeError)
    }
    expect(sink.free()).toBe(2)
    expect(source.available()).toBe(0)
  })

  it('indices and counts beyond what is there', () => {
    const { sink, source } = ringOf({ capacity: 4, itemBytes: 1 })
    sink.tryPushBatch(Uint8Array.of(1, 2))
    for (const index of [-1, 2, 0.5, Number.NaN, Infinity]) {
      expect(() => source.get(index)).toThrow(`Source.get: expected an index below the 2 available items, found ${index}`)
    }
    for (const count of [-1, 3, 0.5, Number.NaN, Infinity]) {
      expect(() => source.advance(count)).toThrow(`Source.advance: expected 0 to 2 (the items available), found ${count}`)
    }
    expect(source.tryPopBatch(new Uint8Array(4))).toBe(2)
  })

  it('time-outs and spins that are no numbers', () => {
    const { ring, sink, source } = ringOf({ capacity: 1, itemBytes: 1 })
    const byte = new Uint8Array(1)
    for (const timeout of [Number.NaN, '5' as unknown as number, null as unknown as number]) {
      expect(() => sink.push(byte, timeout)).toThrow(/Sink.push: expected timeoutMs to be a number of milliseconds/)
      expect(() => sink.pushBatch(byte, timeout)).toThrow(/Sink.pushBatch: expected timeoutMs/)
      expect(() => source.pop(byte, timeout)).toThrow(/Source.pop: expected timeoutMs/)
      expect(() => source.popBatch(byte, timeout)).toThrow(/Source.popBatch: expected timeoutMs/)
    }
    for (const spins of [-1, 0.5, Number.NaN]) {
      expect(() => ring.sink({ spins })).toThrow(/Ring.sink: spins: expected an integer/)
      expect(() => ring.source({ spins })).toThrow(/Ring.source: spins: expected an integer/)
    }
  })
})

describe('waiting', () => {
  it('gives up when the time is over, and goes on as if nothing had been', () => {
    const { sink, source } = ringOf({ capacity: 1, itemBytes: 1 })
    const byte = Uint8Array.of(1)
    expect(source.pop(byte, 2)).toBe(false)
    expect(source.popBatch(byte, 2)).toBe(0)
    expect(sink.push(byte, 2)).toBe(true)
    expect(sink.push(byte, 2)).toBe(false)
    expect(sink.push(byte, -1)).toBe(false)
    expect(sink.pushBatch(Uint8Array.of(2, 3), 2)).toBe(0)
    expect(source.pop(byte, 2)).toBe(true)
    expect(source.pop(byte, 2)).toBe(false)
    expect(sink.pushBatch(Uint8Array.of(2, 3), 2)).toBe(1)
    expect(source.pop(byte)).toBe(true)
    expect([...byte]).toEqual([2])
  })

  it('does not touch shared memory more often than it must', () => {
    const calls: string[] = []
    class Recording extends ForwardingMemory {
      override load(word: number): number {
        calls.push('load')
        return super.load(word)
      }
      override exchange(word: number, value: number): number {
        calls.push('exchange')
        return super.exchange(word, value)
      }
      override notify(word: number, count?: number): number {
        calls.push('notify')
        return super.notify(word, count)
      }
      override writeBytes(byte: number, source: Uint8Array): void {
        calls.push('writeBytes')
        super.writeBytes(byte, source)
      }
      override readBytes(byte: number, target: Uint8Array): void {
        calls.push('readBytes')
        super.readBytes(byte, target)
      }
    }
    const during = (body: () => void) => {
      calls.length = 0
      body()
      return calls.join(' ')
    }
    const options = { capacity: 8, itemBytes: 1, readers: 2 }
    const ring = Ring.create(new Recording(new SharedMemory(Ring.words(options))), options)
    const sink = ring.sink()
    const source = ring.source()
    const byte = new Uint8Array(1)
    expect(during(() => sink.tryPush(byte))).toBe('load load writeBytes exchange')
    expect(during(() => sink.push(byte))).toBe('writeBytes exchange')
    expect(during(() => sink.tryPushBatch(new Uint8Array(5)))).toBe('writeBytes exchange')
    expect(during(() => source.tryPop(byte))).toBe('load readBytes exchange')
    expect(during(() => [sink.tryClaim(), sink.put(0, byte)])).toBe('writeBytes')
    expect(during(() => sink.commit())).toBe('exchange')
    expect(during(() => source.pop(byte))).toBe('readBytes exchange')
    expect(during(() => [source.available(), source.get(3), source.get(4)])).toBe('readBytes readBytes')
    expect(during(() => source.advance(2))).toBe('exchange')
    expect(during(() => source.tryPopBatch(new Uint8Array(3)))).toBe('readBytes exchange')
  })
})
