import { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AsyncMemory, ForwardingMemory, lineWords, type Member, Ring, type RingOptions, SharedMemory } from '../../core/index.ts'

/** A ring with groups over a memory of just its size. Ends do not spin: here nobody else moves. */
function ringOf(options: RingOptions) {
  const memory = new SharedMemory(Ring.words(options))
  const ring = Ring.create(memory, options)
  const member = (group = 0): Member => ring.member({ group, spins: 0 })
  return { memory, ring, sink: ring.sink({ spins: 0 }), member }
}

const itemOf = (n: number, itemBytes: number): Uint8Array =>
  Uint8Array.from({ length: itemBytes }, (_, i) => (n * 37 + i * 11 + (n >> 3)) & 0xff)

function itemsOf(from: number, count: number, itemBytes: number): Uint8Array {
  const bytes = new Uint8Array(count * itemBytes)
  for (let i = 0; i < count; i++) bytes.set(itemOf(from + i, itemBytes), i * itemBytes)
  return bytes
}

describe('groups against a plain array', () => {
  const shape = fc.record({
    capacity: fc.constantFrom(1, 2, 4, 8),
    itemBytes: fc.integer({ min: 1, max: 9 }),
    groups: fc.integer({ min: 1, max: 2 }),
    members: fc.integer({ min: 1, max: 3 }),
    readers: fc.integer({ min: 0, max: 1 }),
    start: fc.constantFrom(0, 2 ** 29 - 5, 2 ** 30 - 5, 2 ** 31 - 5, -3),
  })
  const count = fc.integer({ min: 1, max: 9 })
  const who = fc.record({ group: fc.nat(1), member: fc.nat(2) })
  const command = fc.oneof(
    fc.record({ kind: fc.constant('push' as const), count }),
    fc.record({ kind: fc.constant('read' as const) }),
    fc.record({ kind: fc.constantFrom('claim' as const, 'pop' as const, 'popBatch' as const), who, count }),
    fc.record({ kind: fc.constantFrom('advance' as const, 'get' as const), who, count }),
  )

  it('give each item to one member of each, whole and in order, and hold back what is not done with', () => {
    fc.assert(
      fc.property(shape, fc.array(command, { maxLength: 60 }), (options, commands) => {
        const { capacity, itemBytes, groups, members, readers } = options
        const { ring, sink, member } = ringOf(options)
        const seats = Array.from({ length: groups }, (_, group) => Array.from({ length: members }, () => member(group)))
        const source = readers === 1 ? ring.source({ spins: 0 }) : undefined
        let pushed = 0
        let read = 0
        /** Of each group the next item, and of each of its members what it has claimed: the first, and how many. */
        const cursors = seats.map(() => 0)
        const claims = seats.map((group) => group.map(() => ({ first: 0, count: 0 })))
        const free = (): number => {
          const held = claims.flat().flatMap(({ first, count: held }) => (held > 0 ? [first] : []))
          return capacity - (pushed - Math.min(...cursors, ...held, ...(source === undefined ? [] : [read])))
        }
        for (const step of commands) {
          if (step.kind === 'push') {
            const fit = Math.min(step.count, free())
            expect(sink.tryPushBatch(itemsOf(pushed, step.count, itemBytes))).toBe(fit)
            pushed += fit
          } else if (step.kind === 'read') {
            read += source?.tryPopBatch(new Uint8Array(itemBytes * capacity)) ?? 0
          } else {
            const group = step.who.group % groups
            const index = step.who.member % members
            const one = (seats[group] as Member[])[index] as Member
            const claim = (claims[group] as { first: number; count: number }[])[index] as { first: number; count: number }
            const cursor = cursors[group] as number
            const there = Math.min(step.count, pushed - cursor)
            if (step.kind === 'get') {
              if (step.count <= claim.count)
                expect(one.get(step.count - 1)).toEqual(itemOf(claim.first + step.count - 1, itemBytes))
              else expect(() => one.get(step.count - 1)).toThrow(RangeError)
            } else if (step.kind === 'advance') {
              if (step.count > claim.count) expect(() => one.advance(step.count)).toThrow(RangeError)
              else {
                one.advance(step.count)
                claim.first += step.count
                claim.count -= step.count
              }
            } else if (claim.count > 0) {
              expect(() => one.tryClaim()).toThrow(`${claim.count} items are claimed`)
            } else if (step.kind === 'claim') {
              expect(one.claim(step.count, 0)).toBe(there)
              if (there > 0) expect(one.position).toBe((cursor + (options.start >>> 0)) % 2 ** 30)
              claim.first = cursor
              claim.count = there
              cursors[group] = cursor + there
            } else {
              const wanted = step.kind === 'pop' ? 1 : step.count
              const got = Math.min(wanted, there)
              const target = new Uint8Array(wanted * itemBytes)
              expect(step.kind === 'pop' ? Number(one.tryPop(target)) : one.tryPopBatch(target)).toBe(got)
              expect(target.subarray(0, got * itemBytes)).toEqual(itemsOf(cursor, got, itemBytes))
              cursors[group] = cursor + got
            }
          }
        }
      }),
      { numRuns: 300 },
    )
  })
})

describe('a group', () => {
  const shape = { capacity: 4, itemBytes: 1, groups: 1, members: 2 }

  it('is found by whoever attaches, and uses the words that the ring asked for', () => {
    const options = { ...shape, groups: 2, readers: 1 }
    const words = Ring.words(options)
    const memory = new SharedMemory(words + 2 * lineWords)
    for (let word = 0; word < memory.words; word++) memory.store(word, 0x55555555)
    Ring.create(memory, options, lineWords)
    const ring = Ring.attach(memory, lineWords)
    expect([ring.readers, ring.groups, ring.members]).toEqual([1, 2, 2])
    const sink = ring.sink()
    const members = [0, 0, 1, 1].map((group) => ring.member({ group }))
    const source = ring.source()
    expect(sink.tryPushBatch(Uint8Array.of(1, 2, 3, 4))).toBe(4)
    expect(members.map((member) => member.tryPopBatch(new Uint8Array(2)))).toEqual([2, 2, 2, 2])
    expect([sink.tryPush(Uint8Array.of(5)), source.tryPopBatch(new Uint8Array(4)), sink.free() > 0]).toEqual([false, 4, true])
    for (const member of members) member.close()
    for (let word = 0; word < lineWords; word++) {
      expect(memory.load(word)).toBe(0x55555555)
      expect(memory.load(lineWords + words + word)).toBe(0x55555555)
    }
  })

  it('needs no reader, and has no more seats than it was made with', () => {
    const { ring, member } = ringOf(shape)
    expect(ring.readers).toBe(0)
    const [first] = [member(), member()]
    expect(() => member()).toThrow("all 2 seats of group 0 are taken by living threads; create the ring with more 'members'")
    first.close()
    first.close()
    expect(member().end()).toBeUndefined()
    expect(() => ring.source()).toThrow(/all 0 sources/)
  })

  it('is refused where it cannot be', () => {
    const { ring } = ringOf(shape)
    for (const bad of [-1, 1, 0.5, Number.NaN]) expect(() => ring.member({ group: bad })).toThrow(RangeError)
    expect(() => ring.member({ after: [0] })).toThrow('Ring.member: after: expected an integer from 0 to -1, found 0')
    expect(() => ring.member({ after: [{ group: 0 }] })).toThrow('Ring.member: after: group: expected')
    expect(() => ring.member({ from: 1 })).toThrow('Ring.member: from: item 1 is not written yet; the next one is 0')
    expect(() => ring.member({ spins: -1 })).toThrow(/Ring.member: spins/)
    const options = { capacity: 1, itemBytes: 1 }
    const plain = Ring.create(new SharedMemory(Ring.words(options)), options)
    expect(() => plain.member()).toThrow("Ring.member: this ring has no groups; create it with 'groups'")
    expect(() => plain.source({ after: [{ group: 0 }] })).toThrow('Ring.source: after: group: expected')
    for (const groups of [-1, 0.5, 65537]) expect(() => Ring.words({ ...options, groups })).toThrow(/Ring: groups/)
    for (const members of [0, 0.5, 65537]) expect(() => Ring.words({ ...options, groups: 1, members })).toThrow(/Ring: members/)
    expect(() => Ring.words({ ...options, readers: 0 })).toThrow(/Ring: readers/)
  })

  it('is the same as before for a ring without one', () => {
    expect(Ring.words({ capacity: 4, itemBytes: 4, readers: 2 })).toBe(3 * lineWords + 2 * lineWords + lineWords)
  })

  it('holds its items for members that have not come, unless it is told not to', () => {
    const { sink, member } = ringOf(shape)
    expect(sink.tryPushBatch(new Uint8Array(5))).toBe(4)
    expect(member().tryClaim(9)).toBe(4)
    const late = ringOf({ ...shape, awaitReaders: false })
    expect([late.sink.tryPushBatch(new Uint8Array(4)), late.sink.tryPushBatch(Uint8Array.of(4, 5, 6))]).toEqual([4, 3])
    const oldest = late.ring.member({ from: 'oldest' })
    // Others are there: it goes on with them.
    const other = late.ring.member({ from: 'latest' })
    const target = new Uint8Array(9)
    expect([oldest.tryPopBatch(target), target.subarray(0, 4)]).toEqual([4, Uint8Array.of(0, 4, 5, 6)])
    expect(other.tryClaim()).toBe(0)
  })

  it('begins anew after its last member has left: with what comes, or from where it is told', () => {
    const { ring, sink, member } = ringOf(shape)
    const [first, second] = [member(), member()]
    sink.tryPushBatch(Uint8Array.of(0, 1, 2, 3))
    expect([first.tryClaim(), second.tryClaim()]).toEqual([1, 1])
    first.close()
    expect(sink.free()).toBe(1)
    second.close()
    expect([sink.tryPushBatch(Uint8Array.of(4, 5, 6, 7)), sink.position]).toEqual([4, 8])
    const third = member()
    expect(third.tryClaim()).toBe(0)
    third.close()
    expect(() => ring.member({ from: 3 })).toThrow('Ring.member: from: item 3 is gone; the oldest that is still there is 4')
    const fourth = ring.member({ from: 5 })
    expect([fourth.tryClaim(2), fourth.position, fourth.get(1), fourth.redelivered]).toEqual([2, 5, Uint8Array.of(6), false])
  })

  it('can be told to begin anew, whatever it has left, by one who finds nobody there', () => {
    const options = { ...shape, members: 1 }
    const { ring, sink } = ringOf(options)
    sink.tryPushBatch(Uint8Array.of(0, 1, 2))
    const member = ring.member({ from: 2 })
    expect([member.tryClaim(4), member.get(0)]).toEqual([1, Uint8Array.of(2)])
  })

  it('ends when everything is done with', () => {
    const { sink, member } = ringOf(shape)
    const [first, second] = [member(), member()]
    sink.tryPushBatch(Uint8Array.of(1, 2))
    expect([first.tryClaim(), first.end()]).toEqual([1, undefined])
    sink.close()
    expect([second.end(), second.pop(new Uint8Array(1))]).toEqual([undefined, true])
    expect([second.end(), second.claim(1, 0), second.pop(new Uint8Array(1), 2)]).toEqual([undefined, 0, false])
    first.advance()
    expect([
      second.end(),
      first.end(),
      second.pop(new Uint8Array(1)),
      second.claim(),
      second.popBatch(new Uint8Array(2)),
    ]).toEqual(['closed', 'closed', false, 0, 0])
  })

  it('stands behind a reader, and before one', () => {
    const { ring, sink } = ringOf({ ...shape, readers: 2 })
    const ahead = ring.source({ reader: 0 })
    const member = ring.member({ after: [0], spins: 0 })
    const behind = ring.source({ after: [{ group: 0 }] })
    expect(behind.reader).toBe(0 + 1)
    sink.tryPushBatch(Uint8Array.of(1, 2, 3))
    expect([member.tryClaim(), behind.available()]).toEqual([0, 0])
    ahead.advance(2)
    expect([member.claim(9), behind.available()]).toEqual([2, 0])
    member.advance(1)
    expect([behind.available(), behind.attended()]).toEqual([1, 1])
    member.advance()
    ahead.close()
    behind.advance(2)
    expect([behind.available(), member.tryPop(new Uint8Array(1)), behind.available(), behind.attended()]).toEqual([0, true, 1, 1])
    expect(behind.get(0)).toEqual(Uint8Array.of(3))
  })

  it.each([0, 2 ** 29 - 1, 2 ** 30 - 1])('tells how much of a claim was attended to by those ahead, from %i', (start) => {
    const { ring, sink } = ringOf({ ...shape, readers: 1, start })
    const ahead = ring.source()
    const member = ring.member({ after: [0], spins: 0 })
    sink.tryPushBatch(Uint8Array.of(1, 2, 3))
    expect([member.tryClaim(), member.attended()]).toEqual([0, 0])
    ahead.advance(1)
    expect([member.tryClaim(3), member.attended()]).toEqual([1, 1])
    member.advance()
    ahead.advance(1)
    ahead.close()
    expect([member.tryClaim(3), member.attended()]).toEqual([2, 1])
    member.advance(1)
    expect([member.attended(), ring.member({ spins: 0 }).attended()]).toEqual([0, 0])
  })

  it('takes over what nobody ahead has attended to, also when what comes later was', () => {
    const options = { ...shape, readers: 1, start: 2 ** 29 - 1 }
    const memory = new SharedMemory(Ring.words(options))
    Ring.create(memory, options)
    const dead = new Set<number>()
    const ringOfPeer = (self: number): Ring => {
      const own = new SharedMemory(memory.buffer)
      own.liveness = { self, alive: (participant) => !dead.has(participant) }
      return Ring.attach(own)
    }
    const sink = ringOfPeer(0).sink()
    ringOfPeer(1).source()
    const [first, second] = [2, 3].map((self) => ringOfPeer(self).member({ after: [0], spins: 0 })) as [Member, Member]
    sink.push(Uint8Array.of(1))
    dead.add(1)
    expect([first.tryClaim(), first.attended()]).toEqual([1, 0])
    const heir = ringOfPeer(4).source({ from: 'latest' })
    sink.push(Uint8Array.of(2))
    heir.advance(1)
    expect([second.tryClaim(), second.get(0)[0], second.attended()]).toEqual([1, 2, 1])
    second.advance()
    dead.add(2)
    expect([second.tryClaim(), second.get(0)[0], second.redelivered, second.attended()]).toEqual([1, 1, true, 0])
  })

  it('refuses what is no item, and what is not claimed', () => {
    const { memory, sink, member } = ringOf({ ...shape, itemBytes: 8 })
    const one = member()
    for (const count of [0, -1, 0.5, Number.NaN]) {
      expect(() => one.tryClaim(count)).toThrow(/Member.tryClaim: count/)
      expect(() => one.claim(count)).toThrow(/Member.claim: count/)
    }
    expect(() => one.claim(1, Number.NaN)).toThrow(/Member.claim: expected timeoutMs/)
    for (const length of [0, 7, 9]) {
      expect(() => one.tryPop(new Uint8Array(length))).toThrow(RangeError)
      expect(() => one.pop(new Uint8Array(length))).toThrow(RangeError)
    }
    expect(() => one.tryPopBatch(new Uint8Array(9))).toThrow(RangeError)
    expect(() => one.popBatch(new Uint8Array(9))).toThrow(RangeError)
    expect([one.tryPopBatch(new Uint8Array(0)), one.popBatch(new Uint8Array(0))]).toEqual([0, 0])
    expect(() => one.get(0)).toThrow('Member.get: expected the index of one of 0 claimed items, found 0')
    sink.tryPushBatch(itemsOf(0, 4, 8))
    expect(one.tryClaim(2)).toBe(2)
    expect(() => one.tryPop(new Uint8Array(8))).toThrow('Member: 2 items are claimed; advance past them first')
    for (const index of [-1, 2, 0.5]) {
      expect(() => one.get(index)).toThrow(RangeError)
      expect(() => one.byteOf(index)).toThrow(RangeError)
    }
    expect(() => one.get(0, new Uint8Array(7))).toThrow(RangeError)
    expect(new Uint8Array(memory.buffer, memory.byteOffset + one.byteOf(1), 8)).toEqual(itemOf(1, 8))
    for (const count of [-1, 3, 0.5])
      expect(() => one.advance(count)).toThrow(/Member.advance: count: expected an integer from 0 to 2/)
    one.advance(0)
    expect(one.get(1)).toEqual(itemOf(1, 8))
    one.close()
    for (const call of [() => one.tryClaim(), () => one.pop(new Uint8Array(8)), () => one.end()]) {
      expect(call).toThrow('Member: it was closed')
    }
    expect(() => one.get(0)).toThrow(RangeError)
    one.advance()
  })

  it('does not touch shared memory more often than it must', () => {
    const calls: string[] = []
    class Recording extends ForwardingMemory {
      override load(word: number): number {
        calls.push('load')
        return super.load(word)
      }
      override store(word: number, value: number): void {
        calls.push('store')
        super.store(word, value)
      }
      override exchange(word: number, value: number): number {
        calls.push('exchange')
        return super.exchange(word, value)
      }
      override compareExchange(word: number, expected: number, value: number): number {
        calls.push('compareExchange')
        return super.compareExchange(word, expected, value)
      }
    }
    const during = (body: () => void): string => {
      calls.length = 0
      body()
      return calls.join(' ')
    }
    const ring = Ring.create(new Recording(new SharedMemory(Ring.words(shape))), shape)
    const sink = ring.sink()
    const member = ring.member()
    sink.tryPushBatch(new Uint8Array(4))
    expect(during(() => member.tryPop(new Uint8Array(1)))).toBe('load load exchange load compareExchange exchange')
    expect(during(() => member.tryClaim(3))).toBe('load exchange load compareExchange')
    expect(during(() => member.get(2))).toBe('')
    expect(during(() => member.advance())).toBe('exchange')
    expect(during(() => member.tryClaim())).toBe('load load')
  })

  it('gives items to event loops', async () => {
    const options = { ...shape, members: 1 }
    const shared = new SharedMemory(Ring.words(options))
    const { buffer } = shared
    const sink = Ring.create(shared, options).sink()
    const memory = new AsyncMemory(new SharedMemory(buffer))
    const member = Ring.attach(memory).member()
    const target = new Uint8Array(1)
    const popped = memory.call(() => member.pop(target))
    sink.push(Uint8Array.of(7))
    expect([await popped, target[0]]).toEqual([true, 7])
    member.close()
  })
})

describe('a group of threads', () => {
  const run = (data: object) => {
    const worker = new Worker(new URL('./ring-group-worker.mjs', import.meta.url), { workerData: data })
    return new Promise<{ count: number; sum: number; inOrder: boolean }>((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
    }).finally(() => worker.terminate())
  }

  it.each([
    { capacity: 1, itemBytes: 4, batch: 1, spins: 0, items: 2000 },
    { capacity: 64, itemBytes: 13, batch: 1, spins: 200, items: 30_000 },
    { capacity: 64, itemBytes: 40, batch: 7, spins: 200, items: 50_000, start: 2 ** 30 - 20_000 },
  ])(
    'gets each item once, whoever comes and goes: $capacity slots, batches of $batch',
    async ({ items, batch, spins, ...shape }) => {
      const options = { ...shape, groups: 1, members: 4, readers: 1 }
      const memory = new SharedMemory(Ring.words(options))
      // An idle member, so that somebody is there when the visitor leaves.
      Ring.create(memory, options).member()
      const common = { buffer: memory.buffer, items, batch, spins }
      const members = [0, 1].map(() => run({ ...common, role: 'member' }))
      const visitor = run({ ...common, role: 'visitor' })
      const reader = run({ ...common, role: 'behind' })
      await run({ ...common, role: 'writer' })
      const sum = (items * (items - 1)) / 2
      expect(await reader).toEqual({ count: items, sum, inOrder: true })
      const parts = await Promise.all([...members, visitor])
      expect(parts.every(({ inOrder }) => inOrder)).toBe(true)
      expect(parts.reduce((all, part) => [all[0] + part.count, all[1] + part.sum], [0, 0])).toEqual([items, sum])
    },
  )
})
