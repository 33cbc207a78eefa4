import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  AsyncMemory,
  ForwardingMemory,
  LossyRing,
  type LossyRingOptions,
  lineWords,
  type Memory,
  SharedMemory,
} from '../../core/index.ts'

/** A ring over a memory of just its size. Ends do not spin: here nobody else moves. */
function ringOf(options: LossyRingOptions) {
  const memory = new SharedMemory(LossyRing.words(options))
  return { memory, ring: LossyRing.create(memory, options) }
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

/** Positions around every point where a word looks different. */
const starts = [0, 2 ** 29, 2 ** 30, 2 ** 31, 2 ** 32, 2 ** 33, 2 ** 51].flatMap((point) =>
  [-33, -5, -1, 0, 1].map((offset) => point + offset).filter((start) => start >= 0),
)

/** What a reader should have, by plain counting. */
class Expected {
  next: number
  lost = 0
  private readonly shape: Required<LossyRingOptions>
  private readonly state: { pushed: number; entered: number }

  /** @param state how many items were pushed, and up to where slots have been given up for them */
  constructor(shape: Required<LossyRingOptions>, state: { pushed: number; entered: number }, next: number) {
    this.shape = shape
    this.state = state
    this.next = next
  }

  /** Whether an item is there: counted from the start, as all here. */
  isThere(n: number): boolean {
    const { capacity, block, start } = this.shape
    const firstOfBlock = Math.floor((start + n) / block) * block - start
    return n < this.state.pushed && firstOfBlock + capacity >= this.state.entered
  }

  /** Goes to the next item that is there, if there is one. */
  find(): boolean {
    const { block, start } = this.shape
    const { pushed } = this.state
    this.follow()
    const half = this.newerHalf
    while (this.next < pushed && !this.isThere(this.next)) {
      const blockAfter = (Math.floor((start + this.next) / block) + 1) * block - start
      this.loseTo(Math.min(pushed, Math.max(blockAfter, half)))
    }
    return this.next < pushed
  }

  /** Who is further behind than the ring is long need not look to know that. */
  follow(): void {
    if (this.state.pushed - this.next > this.shape.capacity) this.loseTo(this.newerHalf)
  }

  private get newerHalf(): number {
    return this.state.pushed - Math.max(1, this.shape.capacity / 2)
  }

  private loseTo(n: number): void {
    this.lost += n - this.next
    this.next = n
  }
}

describe('LossyRing against a plain count', () => {
  const shape = fc
    .record({
      capacity: fc.constantFrom(1, 2, 4, 8),
      blocks: fc.constantFrom(1, 2, 4, 8),
      itemBytes: fc.oneof(fc.constantFrom(1, 3, 4, 8), fc.integer({ min: 1, max: 70 })),
      start: fc.constantFrom(...starts),
    })
    .map(({ blocks, ...options }) => ({ ...options, block: Math.max(1, options.capacity / blocks) }))
  const reader = fc.nat(1)
  const count = fc.nat(20)
  const command = fc.oneof(
    fc.record({ kind: fc.constantFrom('push' as const) }),
    fc.record({ kind: fc.constantFrom('pushBatch' as const), count }),
    fc.record({ kind: fc.constantFrom('claim' as const), count: fc.integer({ min: 1, max: 8 }), committed: count }),
    fc.record({ kind: fc.constantFrom('tryPop' as const, 'pop' as const, 'join' as const, 'rejoin' as const), reader }),
    fc.record({ kind: fc.constantFrom('tryPopBatch' as const, 'popBatch' as const, 'skip' as const), reader, count }),
  )

  it('gives every reader what is still there, whole and in order, and counts the others', () => {
    fc.assert(
      fc.property(shape, fc.array(command, { maxLength: 80 }), (options, commands) => {
        const { capacity, itemBytes, block, start } = options
        const { ring } = ringOf(options)
        const sink = ring.sink()
        const state = { pushed: 0, entered: Math.ceil(start / block) * block - start }
        const enter = (items: number) => {
          while (state.entered < state.pushed + items) state.entered += block
        }
        const readers = [0, 1].map(() => ({ source: ring.source({ spins: 0 }), expected: new Expected(options, state, 0) }))
        for (const step of commands) {
          if (step.kind === 'push') {
            enter(1)
            sink.push(itemOf(state.pushed++, itemBytes))
          } else if (step.kind === 'pushBatch') {
            const items = itemsOf(state.pushed, step.count, itemBytes)
            sink.pushBatch(items)
            items.fill(0xee)
            enter(step.count)
            state.pushed += step.count
          } else if (step.kind === 'claim') {
            const claimed = Math.min(step.count, sink.batchMax)
            sink.claim(claimed)
            enter(claimed)
            for (let i = 0; i < claimed; i++) {
              const item = itemOf(state.pushed + i, itemBytes)
              const half = itemBytes >> 1
              sink.put(i, item.subarray(half), half)
              sink.put(i, item.subarray(0, half))
            }
            const committed = Math.min(step.committed, claimed)
            if (committed === 0) sink.abort()
            else sink.commit(committed)
            state.pushed += committed
          } else {
            const who = readers[step.reader] as (typeof readers)[number]
            const { source, expected } = who
            if (step.kind === 'join') {
              const oldest = Math.max(0, state.pushed - capacity)
              const there = Array.from({ length: state.pushed - oldest }, (_, i) => oldest + i)
              const first = there.find((n) => expected.isThere(n)) ?? state.pushed
              who.source = ring.source({ spins: 0, from: 'oldest' })
              who.expected = new Expected(options, state, first)
            } else if (step.kind === 'rejoin') {
              who.source = ring.source({ spins: 0, from: source.position })
              who.expected = new Expected(options, state, expected.next)
            } else if (step.kind === 'skip') {
              expected.follow()
              const { next } = expected
              expected.next = Math.max(next, state.pushed - step.count)
              expect(source.skip(step.count)).toBe(expected.next - next)
            } else if (!('count' in step)) {
              const target = new Uint8Array(itemBytes)
              const found = expected.find()
              expect(step.kind === 'pop' ? source.pop(target, 0) : source.tryPop(target)).toBe(found)
              if (found) expect(target).toEqual(itemOf(expected.next++, itemBytes))
            } else {
              const target = new Uint8Array(step.count * itemBytes)
              const got = step.kind === 'popBatch' ? source.popBatch(target, 0) : source.tryPopBatch(target)
              // What is lost is noticed by a call that has room for an item.
              const most = step.count > 0 && expected.find() ? state.pushed - expected.next : 0
              let there = 0
              while (there < Math.min(most, step.count) && expected.isThere(expected.next + there)) there++
              expect(got).toBe(there)
              expect(target.subarray(0, got * itemBytes)).toEqual(itemsOf(expected.next, got, itemBytes))
              expected.next += got
            }
            if (step.kind !== 'rejoin') {
              expect([who.source.position - start, who.source.lost]).toEqual([who.expected.next, who.expected.lost])
            } else {
              expect(who.source.position - start - who.source.lost).toBe(expected.next)
              who.expected.lost = who.source.lost
              who.expected.next = who.source.position - start
            }
          }
          expect(sink.position).toBe(start + state.pushed)
        }
      }),
      { numRuns: 400 },
    )
  })
})

/** A memory that a participant sees, and a list of those that are dead. */
class PeerMemory extends ForwardingMemory {
  override readonly liveness: NonNullable<Memory['liveness']>

  constructor(memory: Memory, self: number, dead: ReadonlySet<number>) {
    super(memory)
    this.liveness = { self, alive: (participant) => !dead.has(participant) }
  }
}

const byte = (value = 0): Uint8Array => Uint8Array.of(value)

describe('a lossy ring', () => {
  it('says what it is made for', () => {
    const { memory, ring } = ringOf({ capacity: 64, itemBytes: 3 })
    const attached = LossyRing.attach(memory)
    for (const one of [ring, attached]) expect([one.capacity, one.itemBytes, one.block]).toEqual([64, 3, 8])
    expect(LossyRing.words({ capacity: 4, itemBytes: 3 }) % lineWords).toBe(0)
    expect([ringOf({ capacity: 1, itemBytes: 1 }).ring.block, ringOf({ capacity: 4, itemBytes: 1 }).ring.block]).toEqual([1, 1])
    expect(ring.sink().batchMax).toBe(57)
  })

  it.each<[string, LossyRingOptions]>([
    ['capacity: expected a power of two', { capacity: 3, itemBytes: 1 }],
    ['capacity: expected an integer', { capacity: 2 ** 29, itemBytes: 1 }],
    ['itemBytes: expected an integer', { capacity: 1, itemBytes: 0 }],
    ['block: expected an integer', { capacity: 4, itemBytes: 1, block: 8 }],
    ['block: expected a power of two', { capacity: 4, itemBytes: 1, block: 3 }],
    ['start: expected an integer', { capacity: 1, itemBytes: 1, start: -1 }],
    ['start: expected an integer', { capacity: 1, itemBytes: 1, start: 2 ** 53 }],
  ])('refuses what cannot be: %s', (message, options) => {
    expect(() => LossyRing.words(options)).toThrow(RangeError)
    expect(() => LossyRing.create(new SharedMemory(1000), options)).toThrow(`LossyRing: ${message}`)
  })

  it('stands where it was created and nowhere else', () => {
    const options = { capacity: 2, itemBytes: 4 }
    const words = LossyRing.words(options)
    const memory = new SharedMemory(words + lineWords)
    expect(() => LossyRing.create(memory, options, 2 * lineWords)).toThrow(/make the memory at least/)
    expect(() => LossyRing.create(memory, options, 5)).toThrow(/multiple of 32 words/)
    expect(() => LossyRing.attach(memory, lineWords)).toThrow(/found nothing/)
    LossyRing.create(memory, options, lineWords).sink().push(itemOf(1, 4))
    expect(memory.load(0)).toBe(0)
    expect(LossyRing.attach(memory, lineWords).source({ from: 'oldest' }).available()).toBe(1)
    memory.store(lineWords + 4, 4)
    expect(() => LossyRing.attach(memory, lineWords)).toThrow(/the memory was overwritten/)
  })

  it('hands its sink out once', () => {
    const { memory, ring } = ringOf({ capacity: 1, itemBytes: 1 })
    const sink = ring.sink()
    expect(() => LossyRing.attach(memory).sink()).toThrow(/LossyRing.sink: the sink was handed out before/)
    sink.close()
    sink.close()
    expect(() => sink.push(byte())).toThrow('LossySink: the stream was closed')
    expect(() => sink.pushBatch(byte())).toThrow('LossySink: the stream was closed')
    expect(() => sink.claim()).toThrow('LossySink: the stream was closed')
  })

  it('refuses items and targets of another length, and claims that are none', () => {
    const { ring } = ringOf({ capacity: 4, itemBytes: 2, block: 2 })
    const [sink, source] = [ring.sink(), ring.source()]
    expect(() => sink.push(byte())).toThrow('LossySink: expected an item of 2 bytes, found 1')
    expect(() => sink.pushBatch(byte())).toThrow(/LossySink.pushBatch: expected a multiple of 2 bytes/)
    for (const count of [0, 4, 1.5]) expect(() => sink.claim(count)).toThrow(/from 1 to 3, found/)
    expect(() => source.tryPop(byte())).toThrow('LossySource: expected a target of 2 bytes, found 1')
    expect(() => source.tryPopBatch(byte())).toThrow(/LossySource: expected a multiple of 2 bytes/)
    for (const timed of [() => source.pop(new Uint8Array(2), NaN), () => source.popBatch(byte(), NaN), () => source.wait(NaN)]) {
      expect(timed).toThrow(/expected timeoutMs to be a number/)
    }
    for (const keep of [-1, 0.5]) expect(() => source.skip(keep)).toThrow(/LossySource.skip: keep/)
    sink.claim(2)
    expect(() => sink.push(new Uint8Array(2))).toThrow('LossySink: 2 items are claimed; commit or abort them first')
    expect(() => sink.pushBatch(new Uint8Array(0))).toThrow(/2 items are claimed/)
    expect(() => sink.claim()).toThrow(/2 items are claimed/)
    expect(() => sink.put(2, byte())).toThrow(/one of 2 claimed items, found 2/)
    expect(() => sink.put(0, byte(), 2)).toThrow(/a part of 2 bytes, found 1 from byte 2/)
    expect(() => sink.commit(3)).toThrow(/LossySink.commit: count/)
    sink.abort()
    sink.abort()
    expect(source.available()).toBe(0)
  })

  it('refuses positions that no source has had', () => {
    const { ring } = ringOf({ capacity: 2, itemBytes: 1, start: 10 })
    ring.sink().pushBatch(new Uint8Array(5))
    expect(ring.source({ from: 10 }).lost).toBe(4)
    expect(ring.source({ from: 15 }).available()).toBe(0)
    for (const from of [9, 16, 10.5, NaN])
      expect(() => ring.source({ from })).toThrow(/LossyRing.source: from: expected an integer/)
    expect(() => ring.source({ from: 'newest' as 'latest' })).toThrow(/'latest', 'oldest' or a position, found 'newest'/)
  })

  it.each([2 ** 29 + 3, 2 ** 30, 2 ** 30 + 1, 2 ** 31 + 5, 2 ** 32, 2 ** 32 + 2, 5 * 2 ** 30 + 4])(
    'counts right for a reader that looked away for %i items',
    (items) => {
      const shape = { capacity: 4, itemBytes: 1, start: 2 ** 30 - 2 }
      const { memory, ring } = ringOf(shape)
      const source = ring.source({ spins: 0 })
      // What is there when so many have been pushed is what is there in a ring that began two before, when two were pushed.
      const later = ringOf({ ...shape, start: shape.start + items - 2 })
      later.ring.sink().pushBatch(Uint8Array.of(8, 9))
      for (let word = 0; word < memory.words; word++) memory.store(word, later.memory.load(word))
      const target = byte()
      const got: number[] = []
      while (source.tryPop(target)) got.push(target[0] as number)
      expect(got).toEqual([8, 9])
      expect([source.lost, source.position]).toEqual([items - 2, shape.start + items])
    },
  )

  it('ends for every reader, however many it lost', () => {
    const { ring } = ringOf({ capacity: 2, itemBytes: 1 })
    const [first, second, late] = [ring.source(), ring.source(), () => ring.source({ from: 'oldest' })]
    const sink = ring.sink()
    expect([first.end(), first.wait(0), first.popBatch(new Uint8Array(0))]).toEqual([undefined, 0, 0])
    sink.push(byte(1))
    expect(first.pop(byte())).toBe(true)
    sink.pushBatch(Uint8Array.of(2, 3, 4))
    sink.close()
    expect([first.end(), first.wait()]).toEqual([undefined, 1])
    const target = new Uint8Array(8)
    expect([first.popBatch(target), target[0], first.end(), first.pop(byte()), first.popBatch(target)]).toEqual([
      1,
      4,
      'closed',
      false,
      0,
    ])
    expect([second.skip(), second.pop(target.subarray(0, 1)), target[0], second.pop(byte())]).toEqual([0, true, 4, false])
    expect([first.lost, second.lost, second.end(), late().available()]).toEqual([2, 3, 'closed', 2])
  })

  it('is read on an event loop, to the end', async () => {
    const { memory, ring } = ringOf({ capacity: 8, itemBytes: 1 })
    const looping = new AsyncMemory(new SharedMemory(memory.buffer))
    const source = LossyRing.attach(looping).source({ spins: 0 })
    const sink = ring.sink()
    const read = (async () => {
      const items: number[] = []
      for await (const item of looping.items(source)) items.push(item[0] as number)
      return items
    })()
    for (let n = 1; n <= 3; n++) {
      await new Promise((resolve) => setTimeout(resolve, 1))
      sink.push(byte(n))
    }
    await new Promise((resolve) => setTimeout(resolve, 1))
    sink.close()
    expect(await read).toEqual([1, 2, 3])
    expect(source.lost).toBe(0)
  })

  it('goes on when its writer dies, with the next one that asks', () => {
    const { memory } = ringOf({ capacity: 4, itemBytes: 1, block: 2 })
    const dead = new Set<number>()
    const rings = [0, 1].map((self) => LossyRing.attach(new PeerMemory(memory, self, dead)))
    const [first, second] = rings as [LossyRing, LossyRing]
    const doomed = first.sink()
    const source = second.source({ spins: 0 })
    doomed.push(byte(1))
    doomed.claim(2)
    doomed.put(0, byte(77))
    expect(() => second.sink()).toThrow(/handed out before/)
    expect(source.end()).toBeUndefined()
    dead.add(0)
    const target = byte()
    expect([source.pop(target), target[0], source.pop(target), source.end()]).toEqual([true, 1, false, 'abandoned'])
    const sink = second.sink()
    expect([sink.position, source.end()]).toEqual([1, undefined])
    sink.push(byte(2))
    expect([source.pop(target), target[0], source.lost]).toEqual([true, 2, 0])
  })

  it('calls nobody who does not sleep, and looks at nobody', () => {
    const calls: string[] = []
    const note = <T>(call: string, answer: T): T => {
      calls.push(call)
      return answer
    }
    class Recording extends ForwardingMemory {
      override load = (word: number) => note('load', super.load(word))
      override add = (word: number, value: number) => note('add', super.add(word, value))
      override exchange = (word: number, value: number) => note('exchange', super.exchange(word, value))
      override notify = (word: number, count?: number) => note('notify', super.notify(word, count))
      override compareExchange = (word: number, old: number, now: number) =>
        note('compareExchange', super.compareExchange(word, old, now))
      override writeBytes = (at: number, source: Uint8Array) => note('writeBytes', super.writeBytes(at, source))
      override guessBytes = (at: number, target: Uint8Array) => note('guessBytes', super.guessBytes(at, target))
    }
    const ring = LossyRing.attach(new Recording(ringOf({ capacity: 4, itemBytes: 1, block: 2 }).memory))
    const [sink, source] = [ring.sink(), ring.source({ spins: 0 })]
    const during = (body: () => unknown): string => {
      calls.length = 0
      body()
      return calls.join(' ')
    }
    expect(during(() => sink.push(byte()))).toBe('exchange writeBytes exchange')
    expect(during(() => sink.push(byte()))).toBe('writeBytes exchange')
    expect(during(() => source.tryPop(byte()))).toBe('load load guessBytes add')
    expect(during(() => source.tryPop(byte()))).toBe('guessBytes add')
    expect(during(() => sink.pushBatch(new Uint8Array(3)))).toBe('exchange exchange writeBytes writeBytes exchange')
    expect(during(() => source.tryPopBatch(new Uint8Array(3)))).toBe('load load guessBytes add guessBytes add')
  })
})
