import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  AsyncMemory,
  ForwardingMemory,
  lineWords,
  RecordRing,
  type RecordRingOptions,
  type RecordSink,
  type RecordSource,
  SharedMemory,
} from '../../core/index.ts'

const spins = { spins: 0 }

function ringOf(options: RecordRingOptions) {
  const memory = new SharedMemory(RecordRing.words(options))
  return { memory, ring: RecordRing.create(memory, options) }
}

/** The n-th record: bytes that differ from record to record and from byte to byte. */
function recordOf(n: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (n * 37 + i * 11 + (n >> 3)) & 0xff)
}

/** Positions around every point where a 30-bit position, its word or its era changes its look. */
const starts = [0, 2 ** 28, 2 ** 29, 2 ** 30, 2 ** 31, 2 ** 32, -(2 ** 31) + 40].flatMap((point) =>
  [-9, -2, -1, 0].map((offset) => point + offset).filter((start) => start >= -(2 ** 31) && start < 2 ** 32),
)

/** What must happen, as a plain list of entries, each with the slots it takes. */
class Model {
  readonly slots: number
  readonly max: number
  readonly entries: { readonly record?: Uint8Array; readonly slots: number; isPublished: boolean }[] = []
  tail: number

  constructor({ bytes, start = 0 }: RecordRingOptions) {
    this.slots = bytes / 64
    this.max = this.slots === 1 ? 64 : bytes / 2
    this.tail = ((start % this.slots) + this.slots) % this.slots
  }

  slotsFor(length: number): number {
    return Math.max(1, Math.ceil(length / 64))
  }

  get used(): number {
    return this.entries.reduce((sum, { slots }) => sum + slots, 0)
  }

  /** Claims for records: one entry for each, and for padding before it; undefined when they do not fit. */
  claim(records: readonly Uint8Array[]): Model['entries'] | undefined {
    const claimed: Model['entries'] = []
    let at = this.tail
    for (const record of records) {
      const slots = this.slotsFor(record.length)
      if (at + slots > this.slots) {
        claimed.push({ slots: this.slots - at, isPublished: false })
        at = 0
      }
      claimed.push({ record, slots, isPublished: false })
      at = (at + slots) % this.slots
    }
    if (this.used + claimed.reduce((sum, { slots }) => sum + slots, 0) > this.slots) return undefined
    this.entries.push(...claimed)
    this.tail = at
    return claimed
  }

  /** The records that can be read. Padding at the front is gone as soon as anybody looks. */
  readable(): Uint8Array[] {
    const until = this.entries.findIndex(({ isPublished }) => !isPublished)
    const published = until < 0 ? this.entries : this.entries.slice(0, until)
    return published.flatMap(({ record }) => record ?? [])
  }

  passPadding(): void {
    while (this.entries[0]?.isPublished === true && this.entries[0].record === undefined) this.entries.shift()
  }

  pop(): void {
    this.passPadding()
    this.entries.shift()
  }
}

describe('RecordRing against a plain list', () => {
  const shape = fc.record({
    bytes: fc.constantFrom(64, 128, 256, 512, 1024),
    sinks: fc.constant(3),
    start: fc.constantFrom(...starts),
  })
  const command = fc.constantFrom(
    'tryPush',
    'push',
    'batch',
    'claim',
    'commit',
    'commit less',
    'abort',
    'pop',
    'pop into',
    'drain',
    'look',
    'advance',
  ) satisfies fc.Arbitrary<string>
  const size = fc.oneof(fc.constantFrom(0, 1, 63, 64, 65, 128, 256, 512), fc.nat(512))

  it('is a queue of records, whoever pushes and however', () => {
    fc.assert(
      fc.property(shape, fc.array(fc.tuple(command, fc.nat(2), size), { maxLength: 100 }), (options, commands) => {
        const { memory, ring } = ringOf(options)
        const source = ring.source(spins)
        const sinks = [ring.sink(spins), RecordRing.attach(memory).sink(spins), ring.sink()]
        const claims = new Map<RecordSink, Model['entries']>()
        const model = new Model(options)
        expect([ring.recordBytesMax, source.recordBytesMax]).toEqual([model.max, model.max])
        commands.forEach(([kind, who, length], n) => {
          const sink = sinks[who] as RecordSink
          const claimed = claims.get(sink)
          const record = recordOf(n, length)
          const publish = (entries: Model['entries'] | undefined) => {
            for (const entry of entries ?? []) entry.isPublished = true
          }
          if (kind === 'pop' || kind === 'pop into' || kind === 'drain' || kind === 'look' || kind === 'advance') {
            const readable = model.readable()
            model.passPadding()
            if (kind === 'look') {
              readable.forEach((expected, i) => {
                expect([source.peek(i), source.length(i)]).toEqual([true, expected.length])
                const target = new Uint8Array(expected.length)
                expect([source.readInto(target, i), target]).toEqual([expected.length, expected])
                memory.readBytes(source.byteOf(i), target)
                expect([source.byteOf(i) % 64, target]).toEqual([0, expected])
              })
              expect(source.peek(readable.length)).toBe(false)
            } else if (kind === 'advance') {
              const count = Math.min(readable.length, who)
              source.advance(count)
              for (let i = 0; i < count; i++) model.pop()
              expect(() => source.advance(readable.length - count + 1)).toThrow(RangeError)
            } else if (kind === 'drain') {
              const seen: Uint8Array[] = []
              const count = source.drain((byte, bytes) => {
                const target = new Uint8Array(bytes)
                memory.readBytes(byte, target)
                seen.push(target)
              }, who)
              expect([count, seen]).toEqual([Math.min(who, readable.length), readable.slice(0, who)])
              for (let i = 0; i < count; i++) model.pop()
            } else if (kind === 'pop') {
              expect(n % 2 === 0 ? source.tryPop() : source.pop(0)).toEqual(readable[0])
              if (readable.length > 0) model.pop()
            } else {
              const target = new Uint8Array(512).fill(0xee)
              const got = n % 2 === 0 ? source.tryPopInto(target) : source.popInto(target, 0)
              expect(got).toBe(readable[0]?.length ?? -1)
              expect(target.subarray(Math.max(got, 0))).toEqual(new Uint8Array(512 - Math.max(got, 0)).fill(0xee))
              if (got >= 0) expect(target.subarray(0, got)).toEqual(readable[0])
              if (readable.length > 0) model.pop()
            }
            // What is known to be padding now is passed over with the next look.
            source.peek()
            model.passPadding()
          } else if (kind === 'abort' || kind === 'commit' || kind === 'commit less') {
            if (claimed === undefined) {
              sink.abort()
              expect(() => sink.commit()).toThrow('RecordSink.commit: no record is claimed')
              return
            }
            claims.delete(sink)
            if (kind === 'abort') {
              sink.abort()
              for (const entry of claimed) model.entries[model.entries.indexOf(entry)] = { slots: entry.slots, isPublished: true }
              return
            }
            const last = claimed.at(-1) as Model['entries'][number]
            const whole = last.record as Uint8Array
            const half = kind === 'commit' ? whole.length : whole.length >> 1
            sink.put(whole.subarray(half >> 1, half), half >> 1)
            sink.put(whole.subarray(0, half >> 1))
            if (kind === 'commit') sink.commit()
            else sink.commit(half)
            publish(claimed)
            const used = model.slotsFor(half)
            const entries = [{ record: whole.slice(0, half), slots: used, isPublished: true }]
            if (used < last.slots) entries.push({ slots: last.slots - used, isPublished: true } as (typeof entries)[number])
            model.entries.splice(model.entries.indexOf(last), 1, ...entries)
          } else if (claimed !== undefined) {
            expect(() => sink.tryPush(recordOf(0, 1))).toThrow(/a record of \d+ bytes is claimed/)
          } else if (length > model.max) {
            const error = `RecordSink: expected a record of 0 to ${model.max} bytes, found ${length}`
            expect(() => sink.tryPush(record)).toThrow(error)
            expect(() => sink.tryPushBatch([recordOf(0, 1), record])).toThrow(error)
            expect(() => sink.tryClaim(length)).toThrow(error)
          } else if (kind === 'batch') {
            const batch = [record, ...[1, 2, 3].map((i) => recordOf(n + i, i === 2 ? 0 : Math.min(length * i, model.max)))]
            let count = batch.length
            let entries = model.claim(batch)
            while (entries === undefined) entries = model.claim(batch.slice(0, --count))
            expect(n % 2 === 0 ? sink.tryPushBatch(batch) : sink.pushBatch(batch, 0)).toBe(count)
            publish(entries)
          } else {
            const entries = model.claim([record])
            if (kind === 'claim') {
              expect(n % 2 === 0 ? sink.tryClaim(length) : sink.claim(length, 0)).toBe(entries !== undefined)
              if (entries !== undefined) claims.set(sink, entries)
            } else {
              expect(kind === 'push' ? sink.push(record, 0) : sink.tryPush(record)).toBe(entries !== undefined)
              publish(entries)
            }
          }
        })
      }),
      { numRuns: 500 },
    )
  })

  it.each(starts)('goes on in order where positions wrap, from %s', (start) => {
    const { ring } = ringOf({ bytes: 256, start })
    const [sink, source] = [ring.sink(), ring.source()]
    for (let n = 0; n < 40; n += 4) {
      for (let i = 0; i < 4; i++) expect(sink.tryPush(recordOf(n + i, 5))).toBe(true)
      expect(sink.tryPush(recordOf(0, 5))).toBe(false)
      for (let i = 0; i < 4; i++) expect(source.tryPop()).toEqual(recordOf(n + i, 5))
      expect(source.tryPop()).toBe(undefined)
    }
  })
})

describe('RecordRing', () => {
  it('uses the words that it asked for and no others', () => {
    for (const options of [
      { bytes: 64, sinks: 1 },
      { bytes: 4096, sinks: 3 },
    ]) {
      const words = RecordRing.words(options)
      expect(words % lineWords).toBe(0)
      const memory = new SharedMemory(words + 2 * lineWords)
      for (let word = 0; word < memory.words; word++) memory.store(word, 0x55555555)
      RecordRing.create(memory, options, lineWords)
      const ring = RecordRing.attach(memory, lineWords)
      expect([ring.bytes, ring.sinks]).toEqual([options.bytes, options.sinks])
      const sinks = Array.from({ length: options.sinks }, () => ring.sink())
      for (let i = 0; i < options.bytes; i += 64) expect(sinks[0]?.tryPush(new Uint8Array(64).fill(0xff))).toBe(true)
      const source = ring.source()
      for (const sink of sinks) sink.close()
      expect(source.drain(() => {})).toBe(options.bytes / 64)
      expect(source.end()).toBe('closed')
      source.close()
      for (let word = 0; word < lineWords; word++) {
        expect(memory.load(word)).toBe(0x55555555)
        expect(memory.load(lineWords + words + word)).toBe(0x55555555)
      }
    }
  })

  it('ends when the last sink has closed, with everything that was pushed before', () => {
    const { ring } = ringOf({ bytes: 256, sinks: 2 })
    const source = ring.source(spins)
    expect([source.end(), source.pop(2)]).toEqual([undefined, undefined])
    const [first, second] = [ring.sink(), ring.sink()]
    first.push(recordOf(1, 3))
    first.tryClaim(100)
    first.close()
    first.close()
    expect(() => first.tryPush(recordOf(1, 3))).toThrow('RecordSink: it was closed')
    expect(() => first.commit()).toThrow('no record is claimed')
    const third = ring.sink()
    second.close()
    third.push(recordOf(2, 3))
    expect([source.end(), source.pop()]).toEqual([undefined, recordOf(1, 3)])
    third.close()
    expect([source.end(), source.pop(), source.end(), source.pop()]).toEqual([undefined, recordOf(2, 3), 'closed', undefined])
    expect(() => ring.sink()).toThrow('RecordRing.sink: the stream has ended; create another ring')
    source.close()
  })

  it('a long record waits for as long as short ones take the room, and no longer', () => {
    const { ring } = ringOf({ bytes: 256 })
    const [long, short, source] = [ring.sink(spins), ring.sink(spins), ring.source(spins)]
    while (short.tryPush(recordOf(1, 64)));
    for (let round = 0; round < 20; round++) {
      expect(source.tryPop()).toEqual(recordOf(1, 64))
      expect(long.push(recordOf(2, 128), 0.01)).toBe(false)
      expect(short.tryPush(recordOf(1, 64))).toBe(true)
    }
    expect([source.tryPop(), source.tryPop()]).toEqual([recordOf(1, 64), recordOf(1, 64)])
    expect(long.push(recordOf(2, 128), 0.01)).toBe(true)
  })

  it('lets nobody push when the source has closed', () => {
    const { ring } = ringOf({ bytes: 64 })
    const [sink, source] = [ring.sink(spins), ring.source()]
    expect(() => ring.source()).toThrow('RecordRing.source: the source was handed out before')
    sink.push(recordOf(1, 1))
    source.close()
    source.close()
    for (const call of [() => sink.tryPush(recordOf(1, 1)), () => sink.push(recordOf(1, 1)), () => sink.tryClaim(1)]) {
      expect(call).toThrow('RecordSink: the source was closed; nobody reads any more')
    }
    expect(() => source.tryPop()).toThrow('RecordSource: it was closed')
    sink.close()
  })

  it('consumes what a function was given before it threw', () => {
    const { ring } = ringOf({ bytes: 512 })
    const [sink, source] = [ring.sink(), ring.source()]
    sink.pushBatch([1, 2, 3].map((n) => recordOf(n, n)))
    const seen: number[] = []
    const each = (_: number, length: number) => {
      if (length === 2 && seen.length === 1) throw new Error('no')
      seen.push(length)
    }
    expect(() => source.drain(each)).toThrow('no')
    seen.push(0)
    expect([source.drain(each), seen]).toEqual([2, [1, 0, 2, 3]])
  })

  it('keeps a record for which the target is too short', () => {
    const { ring } = ringOf({ bytes: 512 })
    const [sink, source] = [ring.sink(), ring.source()]
    sink.push(recordOf(1, 10))
    expect(() => source.tryPopInto(new Uint8Array(9))).toThrow('expected a target of at least 10 bytes (the record), found 9')
    expect(() => source.readInto(new Uint8Array(9))).toThrow(RangeError)
    expect(source.tryPop()).toEqual(recordOf(1, 10))
  })

  it('gives up in time', () => {
    const { ring } = ringOf({ bytes: 64 })
    const [sink, source] = [ring.sink(), ring.source()]
    const one = recordOf(1, 1)
    expect([source.wait(2), source.pop(2), source.popInto(one, 2)]).toEqual([false, undefined, -1])
    expect([sink.push(one, 2), sink.push(one, 2), sink.claim(1, 2), sink.pushBatch([one, one], 2)]).toEqual([
      true,
      false,
      false,
      0,
    ])
    expect([source.pop(2), sink.pushBatch([one, one], 2), sink.pushBatch([])]).toEqual([one, 1, 0])
  })

  it('refuses what makes no sense', () => {
    for (const bytes of [0, 63, -64, 64.5, Number.NaN, 2 ** 33]) {
      expect(() => RecordRing.words({ bytes })).toThrow(/RecordRing: bytes: expected an integer from 64 to 4294967296/)
    }
    expect(() => RecordRing.words({ bytes: 65 })).toThrow('RecordRing: bytes: expected a power of two, found 65; take 64 or 128')
    expect(() => RecordRing.words({ bytes: 192 })).toThrow('expected a power of two, found 192; take 128 or 256')
    for (const sinks of [0, 65537]) {
      expect(() => RecordRing.words({ bytes: 64, sinks })).toThrow(/RecordRing: sinks: expected an integer/)
    }
    expect(() => RecordRing.words({ bytes: 64, start: 0.5 })).toThrow(/RecordRing: start: expected an integer/)
    const memory = new SharedMemory(1024)
    expect(() => RecordRing.create(memory, { bytes: 4096 })).toThrow(/RecordRing.create: expected \d+ words/)
    expect(() => RecordRing.attach(memory)).toThrow(/RecordRing.attach: expected a structure at word 0, found nothing/)
    const ring = RecordRing.create(memory, { bytes: 256, sinks: 1 })
    const [sink, source] = [ring.sink(), ring.source()]
    expect(() => ring.sink()).toThrow("living threads have all 1 sinks; create the ring with more 'sinks', or close()")
    for (const length of [129, -1, 0.5]) expect(() => sink.tryClaim(length)).toThrow(/expected a record of 0 to 128 bytes, found/)
    for (const timeout of [Number.NaN, '5' as unknown as number]) {
      for (const call of [
        () => sink.push(recordOf(1, 1), timeout),
        () => sink.pushBatch([], timeout),
        () => sink.claim(1, timeout),
        () => source.pop(timeout),
        () => source.popInto(recordOf(1, 1), timeout),
      ]) {
        expect(call).toThrow(/expected timeoutMs/)
      }
    }
    for (const index of [-1, 0.5]) {
      expect(() => source.peek(index)).toThrow(/RecordSource.peek: expected an integer/)
      expect(() => source.advance(index)).toThrow(/RecordSource.advance: expected an integer/)
      expect(() => source.drain(() => {}, index)).toThrow(/RecordSource.drain: limit: expected an integer/)
    }
    expect(() => source.length()).toThrow('RecordSource.length: expected an index below the 0 records that there are, found 0')
    expect(() => source.byteOf(0)).toThrow(/RecordSource.byteOf/)
    expect(() => source.advance(1)).toThrow('RecordSource.advance: expected 0 to 0 (the records that there are), found 1')
    expect(() => sink.byteOf()).toThrow('RecordSink: no record is claimed')
    expect(() => sink.put(recordOf(1, 1))).toThrow('RecordSink.put: expected a part of 0 claimed bytes, found 1 from byte 0 on')
    sink.claim(10)
    expect(sink.byteOf() % 64).toBe(0)
    expect(() => sink.put(recordOf(1, 1), 10)).toThrow('expected a part of 10 claimed bytes, found 1 from byte 10 on')
    expect(() => sink.commit(11)).toThrow(/RecordSink.commit: length: expected an integer from 0 to 10/)
    expect(() => ring.sink({ spins: -1 })).toThrow(/RecordRing.sink: spins: expected an integer/)
    expect(() => ring.source({ spins: -1 })).toThrow(/RecordRing.source: spins: expected an integer/)
    memory.store(4, 8)
    expect(() => RecordRing.attach(memory)).toThrow(/the memory was overwritten/)
  })

  it('does not touch shared memory more often than it must', () => {
    const calls: string[] = []
    const recorded = ['load', 'store', 'add', 'exchange', 'compareExchange', 'notify', 'read', 'write', 'readBytes', 'writeBytes']
    const { memory, ring } = ringOf({ bytes: 4096 })
    const recording = new ForwardingMemory(memory)
    for (const name of recorded) {
      const call = (recording as unknown as Record<string, (...args: unknown[]) => unknown>)[name]!
      Object.assign(recording, {
        [name]: (...args: unknown[]) => {
          calls.push(name)
          return call.apply(recording, args)
        },
      })
    }
    const same = RecordRing.attach(recording)
    const [sink, source] = [same.sink(), same.source()]
    ring.sink()
    const record = recordOf(1, 60)
    sink.push(record)
    calls.length = 0
    sink.push(record)
    expect(calls.splice(0)).toEqual(['load', 'load', 'compareExchange', 'write', 'writeBytes', 'exchange'])
    sink.pushBatch([record, record])
    expect(calls.splice(0)).toEqual(['load', 'load', 'compareExchange', 'write', 'writeBytes', 'write', 'writeBytes', 'exchange'])
    source.popInto(record)
    expect(calls.splice(0)).toEqual(['load', 'read', 'readBytes', 'read', 'write', 'exchange'])
    source.drain(() => {})
    expect(calls.filter((name) => name === 'exchange').length).toBe(1)
  })

  it('goes on where all positions went by while a sink stood idle', () => {
    const { memory, ring } = ringOf({ bytes: 128 })
    const [idle, source] = [ring.sink(), ring.source()]
    idle.push(recordOf(1, 1))
    source.tryPop()
    idle.push(recordOf(2, 1))
    source.tryPop()
    idle.push(recordOf(3, 1))
    source.tryPop()
    // 2^30 slots less one later, the ring is full: as the idle sink remembers the head, there would be room for one.
    const [tail, head] = [lineWords, 2 * lineWords]
    memory.store(tail, 4 * 3)
    memory.store(head, 4 * 1)
    expect(idle.tryPush(recordOf(4, 1))).toBe(true)
    memory.store(tail, 4 * 3)
    memory.store(tail + 1, 4)
    expect(idle.tryPush(recordOf(5, 1))).toBe(false)
  })
})

describe('where it is known who lives', () => {
  class Died extends Error {}

  /** The same words as a participant sees them, which dies before one of its operations. */
  class PeerMemory extends ForwardingMemory {
    /** How many operations it has left. */
    left = Infinity
    private readonly self: number
    private readonly dead: Set<number>

    constructor(memory: SharedMemory, self: number, dead: Set<number>) {
      super(memory)
      this.self = self
      this.dead = dead
      Object.assign(this, { liveness: { self, alive: (participant: number) => !dead.has(participant) } })
    }

    private live(): void {
      if (this.left-- > 0) return
      this.dead.add(this.self)
      throw new Died()
    }
    override load(word: number): number {
      this.live()
      return super.load(word)
    }
    override store(word: number, value: number): void {
      this.live()
      super.store(word, value)
    }
    override add(word: number, value: number): number {
      this.live()
      return super.add(word, value)
    }
    override exchange(word: number, value: number): number {
      this.live()
      return super.exchange(word, value)
    }
    override compareExchange(word: number, expected: number, replacement: number): number {
      this.live()
      return super.compareExchange(word, expected, replacement)
    }
    override write(word: number, value: number): void {
      this.live()
      super.write(word, value)
    }
    override writeBytes(byte: number, source: Uint8Array): void {
      this.live()
      super.writeBytes(byte, source.subarray(0, source.length >> 1))
      this.live()
      super.writeBytes(byte, source)
    }
  }

  /** Makes a call on behalf of a participant; says whether that died in it. */
  function dies(peer: PeerMemory, after: number, call: () => void): boolean {
    peer.left = after
    try {
      call()
      peer.left = Infinity
      return false
    } catch (error) {
      if (error instanceof Died) return true
      throw error
    }
  }

  /** The n-th record, of two bytes at least, which say its number. */
  const numbered = (n: number, length: number) =>
    Uint8Array.from({ length: Math.max(length, 2) }, (_, i) => (i === 0 ? n : i === 1 ? n >> 8 : n + i) & 0xff)
  const numberOf = (record: Uint8Array): number => {
    const n = (record[0] as number) + 256 * (record[1] as number)
    expect(record).toEqual(numbered(n, record.length))
    return n
  }

  const shape = fc.record({ bytes: fc.constantFrom(64, 128, 256, 512, 1024), start: fc.constantFrom(...starts) })
  const call = fc.record({
    kind: fc.constantFrom('push', 'batch', 'abort', 'pop', 'drain', 'wait') satisfies fc.Arbitrary<string>,
    who: fc.nat(2),
    length: fc.nat(300),
    /** How many operations before the death. */
    after: fc.oneof(fc.nat(14), fc.constant(Infinity)),
  })

  it('nothing is lost, nothing comes twice and nobody is held up, wherever anybody dies', () => {
    fc.assert(
      fc.property(shape, fc.array(call, { maxLength: 80 }), ({ bytes, start }, calls) => {
        const { memory } = ringOf({ bytes, start, sinks: 4 })
        const dead = new Set<number>()
        let participants = 0
        const newPeer = () => new PeerMemory(memory, participants++, dead)
        const sinks = new Map<number, { readonly peer: PeerMemory; readonly sink: RecordSink }>()
        let sinksDied = false
        let reader: { readonly peer: PeerMemory; readonly source: RecordSource } | undefined
        /** In order. Of what one was pushing who died, the first ones may be there. */
        const pushed: { readonly batch: readonly number[]; readonly isCertain: boolean }[] = []
        const popped: number[] = []
        let next = 0

        function read(kind: string, after: number): void {
          if (reader === undefined) {
            const peer = newPeer()
            reader = { peer, source: RecordRing.attach(peer).source(spins) }
          }
          const { peer, source } = reader
          const came: number[] = []
          const take = (record: Uint8Array | undefined) => {
            if (record !== undefined) came.push(numberOf(record))
          }
          const takeAt = (byte: number, length: number) => {
            const record = new Uint8Array(length)
            memory.readBytes(byte, record)
            take(record)
          }
          // What it consumes last, it consumes in its last operation.
          if (
            dies(peer, after, () => {
              if (kind === 'wait') source.wait(0)
              else if (kind === 'drain') source.drain(takeAt)
              else take(source.tryPop())
            })
          ) {
            reader = undefined
          } else popped.push(...came)
        }

        function write(kind: string, who: number, length: number, after: number): void {
          let one = sinks.get(who)
          if (one === undefined) {
            const peer = newPeer()
            const joined = () => sinks.set(who, { peer, sink: RecordRing.attach(peer).sink(spins) })
            // Some die while they come.
            sinksDied ||= dies(peer, after === 14 ? 5 : Infinity, joined)
            one = sinks.get(who)
            if (one === undefined) return
          }
          const { peer, sink } = one
          const max = sink.recordBytesMax
          const batch = kind === 'batch' ? [next++, next++, next++] : [next++]
          const records = batch.map((n, i) => numbered(n, Math.min(max, length >> i)))
          let count = 0
          const died = dies(peer, after, () => {
            if (kind === 'batch') count = sink.tryPushBatch(records)
            else if (kind === 'push') count = Number(sink.tryPush(records[0] as Uint8Array))
            else if (sink.tryClaim(length % (max + 1))) sink.abort()
          })
          sinksDied ||= died
          if (died) sinks.delete(who)
          if (kind !== 'abort') pushed.push({ batch: died ? batch : batch.slice(0, count), isCertain: !died })
        }

        for (const { kind, who, length, after } of calls) {
          if (['pop', 'drain', 'wait'].includes(kind)) read(kind, after)
          else write(kind, who, length, after)
        }
        for (const { sink } of sinks.values()) sink.close()
        read('drain', Infinity)
        let at = 0
        for (const { batch, isCertain } of pushed) {
          const before = at
          while (at < popped.length && popped[at] === batch[at - before]) at++
          if (isCertain) expect(at - before).toBe(batch.length)
        }
        expect(at).toBe(popped.length)
        const ends = sinksDied ? ['abandoned', 'closed', undefined] : [pushed.length > 0 ? 'closed' : reader?.source.end()]
        expect(ends).toContain(reader?.source.end())
      }),
      { numRuns: 1000 },
    )
  })

  it('one end follows another one that is dead', () => {
    const { memory } = ringOf({ bytes: 128, sinks: 1 })
    const dead = new Set<number>()
    const [first, second, third] = [0, 1, 2].map((self) => RecordRing.attach(new PeerMemory(memory, self, dead)))
    const [sink, source] = [first!.sink(spins), second!.source(spins)]
    sink.push(recordOf(1, 1))
    expect(() => third?.sink()).toThrow(/living threads have all 1 sinks/)
    expect(() => third?.source()).toThrow(/the source was handed out before/)
    dead.add(0)
    expect([source.end(), source.pop(), source.end(), source.pop()]).toEqual([undefined, recordOf(1, 1), 'abandoned', undefined])
    const heir = third?.sink(spins)
    expect(source.end()).toBe(undefined)
    heir?.push(recordOf(2, 1))
    dead.add(1)
    const last = third?.source(spins)
    expect([last?.pop(), last?.end()]).toEqual([recordOf(2, 1), undefined])
    heir?.close()
    expect(last?.end()).toBe('closed')
  })

  it('who lives and has claimed something is waited for, however long', () => {
    const { memory } = ringOf({ bytes: 256 })
    const dead = new Set<number>()
    const [slow, other, reader] = [0, 1, 2].map((self) => RecordRing.attach(new PeerMemory(memory, self, dead)))
    const [claiming, pushing, source] = [slow!.sink(spins), other!.sink(spins), reader!.source(spins)]
    claiming.tryClaim(1)
    pushing.push(recordOf(2, 2))
    expect([source.tryPop(), source.pop(60)]).toEqual([undefined, undefined])
    claiming.put(recordOf(1, 1))
    claiming.commit()
    expect([source.tryPop(), source.tryPop(), source.tryPop()]).toEqual([recordOf(1, 1), recordOf(2, 2), undefined])
  })
})

describe('on an event loop', () => {
  it('records come without blocking, to the end', async () => {
    const { memory } = ringOf({ bytes: 64 })
    const waiting = new AsyncMemory(memory)
    const ring = RecordRing.attach(waiting)
    const [sink, source] = [ring.sink(spins), ring.source(spins)]
    const came: Uint8Array[] = []
    const reads = (async () => {
      for await (const record of waiting.items(source)) came.push(record)
    })()
    const records = [0, 1, 64, 7].map((length, n) => recordOf(n, length))
    for (const record of records) expect(await waiting.call((timeoutMs) => sink.push(record, timeoutMs))).toBe(true)
    sink.close()
    await reads
    expect(came).toEqual(records)
  })
})
