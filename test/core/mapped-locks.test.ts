import { afterAll, describe, expect, it } from 'vitest'
import { lineWords, Mutex } from '../../core/index.ts'
import { MappedMemory } from '../../core/node-index.ts'
import { canMap, endPeers, newFiles, type Peer, startProcess, until } from './peers.ts'

describe.runIf(canMap)('a mutex between processes', () => {
  const newFile = newFiles()
  afterAll(endPeers)

  function created(): { readonly path: string; readonly memory: MappedMemory; readonly mutex: Mutex } {
    const path = newFile()
    const memory = MappedMemory.create(path, { words: Mutex.words() + 2 * lineWords })
    return { path, memory, mutex: Mutex.create(memory) }
  }

  async function joined(path: string): Promise<Peer> {
    const peer = await startProcess()
    await peer.ask('open', path)
    await peer.ask('attach')
    return peer
  }

  it('excludes: nothing is lost of what they do one after the other', async () => {
    const { path, memory, mutex } = created()
    const peers = await Promise.all([joined(path), joined(path), joined(path)])
    expect(await Promise.all(peers.map((peer) => peer.ask('change', 2000)))).toEqual([0, 0, 0])
    expect(mutex.lock()).toBe('acquired')
    expect([memory.read(64), memory.read(96)]).toEqual([6000, 6000])
    mutex.unlock()
    memory.close()
  })

  it('goes to one that waits when its holder is killed, which learns of it', async () => {
    const { path, memory, mutex } = created()
    const [doomed, waiter] = await Promise.all([joined(path), joined(path)])
    expect(await doomed.ask('lock')).toBe('acquired')
    const lock = waiter.ask('lock')
    expect(mutex.tryLock()).toBe('busy')
    await doomed.kill()
    expect(await lock).toBe('abandoned')
    expect(mutex.tryLock()).toBe('busy')
    await waiter.ask('unlock')
    expect(mutex.lock()).toBe('acquired')
    mutex.unlock()
    memory.close()
  })

  it('keeps what it protects whole while its users are killed at any moment', async () => {
    const { path, memory, mutex } = created()
    const forever = 2 ** 31
    const ends: Promise<unknown>[] = []
    const begin = async (): Promise<Peer> => {
      const peer = await joined(path)
      ends.push(peer.ask('change', forever).catch((error: Error) => error.message))
      return peer
    }
    const peers = [await begin(), await begin()]
    for (let kill = 0; kill < 4; kill++) {
      const before = memory.load(64)
      await until(() => memory.load(64) > before + 50)
      await peers.shift()?.kill()
      peers.push(await begin())
    }
    for (const peer of peers) await peer.kill()
    // Each was killed; none found the two words different where the lock had not been abandoned.
    expect(await Promise.all(ends)).toEqual(Array(6).fill('the process ended (SIGKILL)'))
    const result = mutex.lock()
    expect(result === 'abandoned' || memory.read(64) === memory.read(96)).toBe(true)
    expect(memory.read(64)).toBeGreaterThan(200)
    mutex.unlock()
    memory.close()
  })
})
