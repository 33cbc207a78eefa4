import { afterAll, describe, expect, it } from 'vitest'
import { LossyRing, type LossyRingOptions, lineWords } from '../../core/index.ts'
import { MappedMemory } from '../../core/node-index.ts'
import { canMap, endPeers, newFiles, type Peer, startProcess, until } from './peers.ts'

describe.runIf(canMap)('a lossy ring between processes', () => {
  const newFile = newFiles()
  afterAll(endPeers)

  /** A ring on a new file, and a line for each reader to say in how far it is. */
  function created(options: LossyRingOptions) {
    const path = newFile()
    const words = LossyRing.words(options)
    const memory = MappedMemory.create(path, { words: words + 4 * lineWords })
    return { path, memory, ring: LossyRing.create(memory, options), progress: (reader: number) => words + reader * lineWords }
  }

  async function joined(path: string): Promise<Peer> {
    const peer = await startProcess()
    await peer.ask('open', path)
    await peer.ask('attachLossyRing')
    return peer
  }

  interface Read {
    readonly received: number
    readonly missing: number
    readonly lost: number
    readonly position: number
  }

  // `HEDDLE_SLOW=1`: 300 kills, and others in the place of those that are killed.
  const slow = process.env.HEDDLE_SLOW === '1'
  it(
    'tears nothing and counts all while writers and readers are killed at any moment',
    async () => {
      const { path, memory, ring, progress } = created({ capacity: 8, itemBytes: 61, block: 2 })
      const kills = slow ? 300 : 2
      const survivor = await joined(path)
      const whole = survivor.ask('readLossy', 0, progress(0)) as Promise<Read>
      const ends: Promise<unknown>[] = []
      const begin = async (task: string, ...args: readonly unknown[]): Promise<Peer> => {
        const peer = await joined(path)
        ends.push(peer.ask(task, ...args).catch((error: Error) => error.message))
        return peer
      }
      const writes = () => begin('write', 2 ** 30)
      const reads = () => begin('readLossy', 'latest', progress(1))
      const doomed = { write: [await writes(), await writes()], read: [await reads()] }
      for (let kill = 0; kill < kills; kill++) {
        const [list, again, reader] = kill % 2 === 0 ? [doomed.write, writes, 0] : [doomed.read, reads, 1]
        // Whoever took the place before has come to do its work.
        const before = memory.load(progress(reader))
        await until(() => memory.load(progress(reader)) > before)
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 10))
        // One of two writers does the work; the other one waits for its place, or for the first one's death.
        await list.shift()?.kill()
        if (slow) list.push(await again())
      }
      await Promise.all(Object.values(doomed).flatMap((list) => list.map((peer) => peer.kill())))
      expect(await Promise.all(ends)).toEqual(ends.map(() => 'the process ended (SIGKILL)'))
      // Nobody lives who has it.
      const last = ring.sink()
      const { position } = last
      last.close()
      const { received, missing, lost, position: end } = await whole
      expect([missing, received + lost, end]).toEqual([0, position, position])
      expect(received).toBeGreaterThan(kills)
      memory.close()
    },
    slow ? 600_000 : undefined,
  )
})
