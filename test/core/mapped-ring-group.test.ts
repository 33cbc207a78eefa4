import { afterAll, describe, expect, it } from 'vitest'
import { lineWords, Ring } from '../../core/index.ts'
import { MappedMemory } from '../../core/node-index.ts'
import { canMap, endPeers, newFiles, type Peer, startProcess, until } from './peers.ts'

describe.runIf(canMap)('a group of processes', () => {
  const newFile = newFiles()
  afterAll(endPeers)

  /** A ring with a group on a new file, a line for the tests, and a word for each item. */
  function created(items: number, capacity: number) {
    const path = newFile()
    const options = { capacity, itemBytes: 21, groups: 1, members: 8 }
    const words = Ring.words(options)
    const memory = MappedMemory.create(path, { words: words + lineWords + items })
    const counts = words + lineWords
    return { path, memory, ring: Ring.create(memory, options), come: words, counts }
  }

  async function joined(path: string): Promise<Peer> {
    const peer = await startProcess()
    await peer.ask('open', path)
    await peer.ask('attachRing')
    return peer
  }

  const timesOf = (memory: MappedMemory, counts: number, items: number): number[] =>
    Array.from({ length: items }, (_, n) => memory.load(counts + n))

  it('gets each item exactly once where nobody dies', async () => {
    const items = 20_000
    const { path, memory, come, counts } = created(items, 64)
    const [writer, ...members] = await Promise.all([joined(path), joined(path), joined(path)])
    const shares = members.map((member) => member.ask('share', come, counts, 4)) as Promise<{ items: number; again: number }>[]
    expect(await writer.ask('write', items)).toBe(0)
    const got = await Promise.all(shares)
    expect(got.reduce((sum, one) => sum + one.items, 0)).toBe(items)
    expect(got.map((one) => one.again)).toEqual([0, 0])
    expect(timesOf(memory, counts, items).every((times) => times === 1)).toBe(true)
    memory.close()
  })

  // `HEDDLE_SLOW=1`: 200 kills.
  it(
    'loses nothing while members are killed at any moment, and little comes again',
    async () => {
      const kills = process.env.HEDDLE_SLOW === '1' ? 200 : 5
      const items = (kills + 1) * 4000
      const batch = 4
      const capacity = 16
      const { path, memory, come, counts } = created(items, capacity)
      const writer = await joined(path)
      const survivor = await joined(path)
      const whole = survivor.ask('share', come, counts, batch) as Promise<{ items: number; again: number }>
      const doomed: Peer[] = []
      const shares: Promise<unknown>[] = []
      const begin = async (): Promise<void> => {
        const peer = await joined(path)
        const before = memory.load(come)
        shares.push(peer.ask('share', come, counts, batch).catch((error: Error) => error.message))
        doomed.push(peer)
        await until(() => memory.load(come) > before)
      }
      await begin()
      const written = writer.ask('write', items)
      for (let kill = 0; kill < kills; kill++) {
        const before = memory.load(lineWords) >>> 2
        await until(() => memory.load(lineWords) >>> 2 > before + 500 || memory.load(counts + items - 1) > 0)
        await doomed.shift()?.kill()
        await begin()
      }
      expect(await written).toBe(0)
      expect((await whole).items).toBeGreaterThan(0)
      await Promise.all(shares)
      const times = timesOf(memory, counts, items)
      expect(times.filter((count) => count === 0)).toEqual([])
      // What comes again was claimed by one that died, or was about to be.
      const more = times.reduce((sum, count) => sum + count - 1, 0)
      expect(more).toBeLessThanOrEqual(kills * capacity)
      memory.close()
    },
    process.env.HEDDLE_SLOW === '1' ? 600_000 : undefined,
  )

  it('holds the writer back no more once all are killed; an heir goes on with what they were not done with', async () => {
    const { path, memory, ring } = created(8, 4)
    const sink = ring.sink()
    const itemOf = (n: number): Uint8Array => new Uint8Array(21).fill(n)
    const doomed = await joined(path)
    await doomed.ask('takeMember', 2)
    expect([1, 2, 3, 4, 5].map((n) => sink.tryPush(itemOf(n)))).toEqual([true, true, true, true, false])
    expect(await doomed.ask('claimMember')).toBe(2)
    await doomed.kill()
    const heir = ring.member()
    expect([heir.tryClaim(9), heir.redelivered, heir.get(1)]).toEqual([2, true, itemOf(2)])
    heir.advance()
    expect([heir.tryClaim(9), heir.redelivered, heir.position]).toEqual([2, false, 2])
    heir.close()
    const second = await joined(path)
    await second.ask('takeMember', 1)
    for (let n = 5; n <= 8; n++) sink.push(itemOf(n))
    expect(await second.ask('claimMember')).toBe(1)
    await second.kill()
    // Full, and nobody is left to make room.
    expect(sink.push(itemOf(9))).toBe(true)
    const last = ring.member({ from: 'oldest' })
    expect([last.tryClaim(9) > 0, last.redelivered]).toEqual([true, false])
    memory.close()
  })

  it('gets what a member leaves that closes before it is done', () => {
    const { memory, ring } = created(8, 4)
    const sink = ring.sink()
    const [first, second] = [ring.member(), ring.member({ spins: 0 })]
    for (let n = 1; n <= 3; n++) sink.push(new Uint8Array(21).fill(n))
    expect(first.tryClaim(2)).toBe(2)
    first.advance(1)
    first.close()
    sink.close()
    const target = new Uint8Array(21)
    expect([second.pop(target), target[0], second.redelivered]).toEqual([true, 3, false])
    expect([second.end(), second.pop(target), target[0], second.redelivered]).toEqual([undefined, true, 2, true])
    expect([second.pop(target), second.end(), sink.position]).toEqual([false, 'closed', 3])
    // Its seat is free again, too.
    expect(Array.from({ length: 7 }, () => ring.member().end())).toEqual(Array(7).fill('closed'))
    expect(() => ring.member()).toThrow(/all 8 seats/)
    memory.close()
  })
})
