import { afterAll, describe, expect, it } from 'vitest'
import { lineWords, Mutex, Once, ReadWriteLock } from '../../core/index.ts'
import { MappedMemory } from '../../core/node-index.ts'
import { canMap, endPeers, newFiles, type Peer, startProcess, until } from './peers.ts'

describe.runIf(canMap)('between processes', () => {
  const newFile = newFiles()
  /** Processes that a test has done with, and that live. */
  const idle: Peer[] = []
  afterAll(endPeers)

  /** Processes that have joined the part at word 0 of a file. */
  function joined(path: string, kind: string, count: number): Promise<Peer[]> {
    const peers = Array.from({ length: count }, async () => {
      const peer = idle.pop() ?? (await startProcess())
      await peer.ask('open', path)
      await peer.ask('join', kind)
      return peer
    })
    return Promise.all(peers)
  }

  function createdMutex(): { readonly path: string; readonly memory: MappedMemory; readonly mutex: Mutex } {
    const path = newFile()
    const memory = MappedMemory.create(path, { words: Mutex.words() + 2 * lineWords })
    return { path, memory, mutex: Mutex.create(memory) }
  }

  it('a mutex excludes: nothing is lost of what they do one after the other', async () => {
    const { path, memory, mutex } = createdMutex()
    const peers = await joined(path, 'Mutex', 3)
    expect(await Promise.all(peers.map((peer) => peer.ask('change', 2000)))).toEqual([0, 0, 0])
    expect(mutex.lock()).toBe('acquired')
    expect([memory.read(64), memory.read(96)]).toEqual([6000, 6000])
    mutex.unlock()
    memory.close()
    idle.push(...peers)
  })

  it('a mutex goes to one that waits when its holder is killed, which learns of it', async () => {
    const { path, memory, mutex } = createdMutex()
    const [doomed, waiter] = (await joined(path, 'Mutex', 2)) as [Peer, Peer]
    expect(await doomed.ask('do', 'lock')).toBe('acquired')
    const lock = waiter.ask('do', 'lock')
    expect(mutex.tryLock()).toBe('busy')
    await doomed.kill()
    expect(await lock).toBe('abandoned')
    expect(mutex.tryLock()).toBe('busy')
    await waiter.ask('do', 'unlock')
    expect(mutex.lock()).toBe('acquired')
    mutex.unlock()
    memory.close()
    idle.push(waiter)
  })

  it('a mutex keeps what it protects whole while its users are killed at any moment', async () => {
    const { path, memory, mutex } = createdMutex()
    const forever = 2 ** 31
    const waiting = await joined(path, 'Mutex', 5)
    const working: Peer[] = []
    const ends: Promise<unknown>[] = []
    const begin = (): void => {
      const peer = waiting.pop() as Peer
      working.push(peer)
      ends.push(peer.ask('change', forever).catch((error: Error) => error.message))
    }
    begin()
    while (waiting.length > 0) {
      begin()
      const before = memory.load(64)
      await until(() => memory.load(64) > before + 50)
      await working.shift()?.kill()
    }
    await working.shift()?.kill()
    // Each was killed; none found the two words different where the lock had not been abandoned.
    expect(await Promise.all(ends)).toEqual(Array(5).fill('the process ended (SIGKILL)'))
    const result = mutex.lock()
    expect(result === 'abandoned' || memory.read(64) === memory.read(96)).toBe(true)
    expect(memory.read(64)).toBeGreaterThan(200)
    mutex.unlock()
    memory.close()
  })

  it('a read-write lock forgets a reader that is killed, and tells a reader that a writer was', async () => {
    const path = newFile()
    const memory = MappedMemory.create(path, { words: ReadWriteLock.words({ readers: 2 }) })
    const lock = ReadWriteLock.create(memory, { readers: 2 })
    const [reader, writer, next] = (await joined(path, 'ReadWriteLock', 3)) as [Peer, Peer, Peer]
    expect(await reader.ask('do', 'readLock')).toBe('acquired')
    const written = writer.ask('do', 'writeLock')
    // It has come, and waits: nobody else gets in.
    await until(() => memory.load(lineWords) !== 0)
    expect([lock.tryReadLock(), lock.tryWriteLock()]).toEqual(['busy', 'busy'])
    await reader.kill()
    expect(await written).toBe('acquired')
    const read = next.ask('do', 'readLock')
    await writer.kill()
    expect(await read).toBe('abandoned')
    expect(lock.tryReadLock()).toBe('busy')
    await next.ask('do', 'unlock')
    expect(lock.tryReadLock()).toBe('acquired')
    lock.unlock()
    memory.close()
    idle.push(next)
  })

  it('a once goes from a runner that is killed to one that waits, and its body is told', async () => {
    const path = newFile()
    const told = Once.words()
    const memory = MappedMemory.create(path, { words: told + lineWords })
    const once = Once.create(memory)
    const [doomed, heir] = (await joined(path, 'Once', 2)) as [Peer, Peer]
    const lost = doomed.ask('runAndSleep', told).catch((error: Error) => error.message)
    await until(() => memory.load(told) === 1)
    const ran = heir.ask('runAndSleep', told)
    expect(once.tryRun(() => {})).toBe('busy')
    await doomed.kill()
    expect(await lost).toBe('the process ended (SIGKILL)')
    await until(() => memory.load(told) === 2)
    expect(once.isDone()).toBe(false)
    await until(() => memory.notify(told) === 1)
    expect([await ran, once.run(() => {})]).toEqual(['ran', 'done'])
    memory.close()
  })
})
