import { afterAll, describe, expect, it } from 'vitest'
import { lineWords, Ring, type RingOptions } from '../../core/index.ts'
import { MappedMemory } from '../../core/node-index.ts'
import { canMap, endPeers, newFiles, type Peer, startProcess, until } from './peers.ts'

describe.runIf(canMap)('a ring between processes', () => {
  const newFile = newFiles()
  afterAll(endPeers)

  /** A ring on a new file, and a line for each reader to say in how far it is. */
  function created(options: RingOptions) {
    const path = newFile()
    const words = Ring.words(options)
    const memory = MappedMemory.create(path, { words: words + 4 * lineWords })
    return { path, memory, ring: Ring.create(memory, options), progress: (reader: number) => words + reader * lineWords }
  }

  async function joined(path: string): Promise<Peer> {
    const peer = await startProcess()
    await peer.ask('open', path)
    await peer.ask('attachRing')
    return peer
  }

  const itemOf = (n: number): Uint8Array => Uint8Array.of(n, 0, 0, 0, n)

  it('takes everything from one to the others, whole and in order', async () => {
    const { path, memory, progress } = created({ capacity: 64, itemBytes: 45, readers: 2 })
    const [writer, first, second] = await Promise.all([joined(path), joined(path), joined(path)])
    const items = 30_000
    const reads = [first.ask('read', 0, progress(0)), second.ask('read', 1, progress(1))]
    expect(await writer.ask('write', items)).toBe(0)
    expect(await Promise.all(reads)).toEqual(Array(2).fill({ from: 0, to: items }))
    memory.close()
  })

  it('lets go of a reader that is killed, whose place another one takes', async () => {
    const { path, memory, ring } = created({ capacity: 2, itemBytes: 5 })
    const doomed = await joined(path)
    expect(await doomed.ask('takeSource', 0)).toBe(0)
    const sink = ring.sink()
    expect(sink.tryPushBatch(Uint8Array.of(...itemOf(0), ...itemOf(1), ...itemOf(2)))).toBe(2)
    expect(() => ring.source()).toThrow(/all 1 sources were handed out before/)
    await doomed.kill()
    const heir = ring.source()
    expect([heir.position, heir.get(0)]).toEqual([0, itemOf(0)])
    heir.close()

    const second = await joined(path)
    expect(await second.ask('takeSource', 0)).toBe(2)
    expect(sink.tryPushBatch(Uint8Array.of(...itemOf(2), ...itemOf(3), ...itemOf(4)))).toBe(2)
    await second.kill()
    // Full, and nobody is left to make room.
    expect(sink.push(itemOf(4))).toBe(true)
    const last = ring.source()
    expect([last.position, last.available()]).toEqual([5, 0])
    memory.close()
  })

  it('wakes a writer that waits for a reader that is killed meanwhile', async () => {
    const { path, memory, progress } = created({ capacity: 4, itemBytes: 5 })
    const [doomed, writer] = await Promise.all([joined(path), joined(path)])
    await doomed.ask('takeSource', 0)
    const write = writer.ask('write', 100)
    await until(() => memory.load(lineWords) >>> 2 === 4)
    await doomed.kill()
    expect(await write).toBe(0)
    expect(memory.load(progress(0))).toBe(0)
    memory.close()
  })

  it('gives the readers of a killed writer what it pushed, and then the end, until another one goes on', async () => {
    const { path, memory, ring } = created({ capacity: 1024, itemBytes: 5 })
    const source = ring.source({ spins: 0 })
    const target = new Uint8Array(5)
    const doomed = await joined(path)
    void doomed.ask('write', 2 ** 30)
    await until(() => memory.load(lineWords) >>> 2 === 1024)
    expect(() => ring.sink()).toThrow(/the sink was handed out before/)
    await doomed.kill()
    let read = 0
    while (source.pop(target)) {
      expect([...target]).toEqual([read & 0xff, read >> 8, 0, 0, read & 0xff])
      read++
    }
    expect(source.end()).toBe('abandoned')
    expect(read).toBe(1024)
    const sink = ring.sink()
    expect([sink.position, source.end()]).toEqual([read, undefined])
    sink.push(itemOf(7))
    expect([source.pop(target), target]).toEqual([true, itemOf(7)])
    sink.close()
    expect([source.pop(target), source.end()]).toEqual([false, 'closed'])
    memory.close()
  })

  it('gives who stands behind others everything, while these are killed, replaced, or begin anew', async () => {
    const { path, memory, ring, progress } = created({ capacity: 8, itemBytes: 61, readers: 3 })
    const behind = await joined(path)
    const whole = behind.ask('read', 2, progress(2), { after: [0, 1] })
    const kills = process.env.HEDDLE_SLOW === '1' ? 60 : 3
    const writer = await joined(path)
    const ends: Promise<unknown>[] = [writer.ask('write', 2 ** 30).catch((error: Error) => error.message)]
    const begin = async (reader: number, options: object): Promise<Peer> => {
      const peer = await joined(path)
      ends.push(peer.ask('read', reader, progress(reader), options).catch((error: Error) => error.message))
      return peer
    }
    const doomed = [await begin(0, {}), await begin(1, {})]
    for (let kill = 0; kill < kills; kill++) {
      const before = memory.load(progress(2))
      await until(() => memory.load(progress(2)) > before + 50)
      await doomed.shift()?.kill()
      doomed.push(await begin(kill % 2, kill % 3 === 2 ? {} : { from: 'oldest' }))
    }
    const before = memory.load(progress(2))
    await until(() => memory.load(progress(2)) > before + 50)
    await Promise.all([writer, ...doomed].map((peer) => peer.kill()))
    expect(await Promise.all(ends)).toEqual(Array(ends.length).fill('the process ended (SIGKILL)'))
    const last = ring.sink()
    const { position } = last
    last.close()
    expect(await whole).toEqual({ from: 0, to: position })
    memory.close()
  })

  // `HEDDLE_SLOW=1`: 300 kills.
  it(
    'loses nothing and tears nothing while writers and readers are killed at any moment',
    async () => {
      const { path, memory, ring, progress } = created({ capacity: 8, itemBytes: 61, readers: 2 })
      const kills = process.env.HEDDLE_SLOW === '1' ? 300 : 6
      const survivor = await joined(path)
      const whole = survivor.ask('read', 0, progress(0))
      const ends: Promise<unknown>[] = []
      const begin = async (task: string, ...args: readonly unknown[]): Promise<Peer> => {
        const peer = await joined(path)
        ends.push(peer.ask(task, ...args).catch((error: Error) => error.message))
        return peer
      }
      const writes = () => begin('write', 2 ** 30)
      const reads = () => begin('read', 1, progress(1))
      const doomed = { write: [await writes(), await writes()], read: [await reads(), await reads()] }
      for (let kill = 0; kill < kills; kill++) {
        const [list, again, reader] = kill % 2 === 0 ? [doomed.write, writes, 0] : [doomed.read, reads, 1]
        // Whoever took the place before has come to do its work.
        const before = memory.load(progress(reader))
        await until(() => memory.load(progress(reader)) > before + 50)
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 10))
        // One of the two does the work; the other one waits for its place, or for the first one's death.
        await list.shift()?.kill()
        list.push(await again())
      }
      await Promise.all(Object.values(doomed).flatMap((list) => list.map((peer) => peer.kill())))
      const messages = await Promise.all(ends)
      expect(messages).toEqual(Array(messages.length).fill('the process ended (SIGKILL)'))
      const last = ring.sink()
      expect(last.position).toBeGreaterThan(kills * 25)
      const { position } = last
      last.close()
      expect(await whole).toEqual({ from: 0, to: position })
      memory.close()
    },
    process.env.HEDDLE_SLOW === '1' ? 600_000 : undefined,
  )
})
