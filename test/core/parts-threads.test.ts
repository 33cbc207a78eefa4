import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  Barrier,
  Event,
  lineWords,
  Mutex,
  Once,
  ReadWriteLock,
  Semaphore,
  SharedMemory,
  type WaitOptions,
} from '../../core/index.ts'
import { endPeers, type Peer, startWorker } from './peers.ts'

/** Three worker threads on shared memory: more than processors, where there are two. */
describe('between threads', () => {
  let peers: readonly Peer[] = []
  beforeAll(async () => {
    const script = new URL('part-peer.mjs', import.meta.url)
    peers = await Promise.all([startWorker(script), startWorker(script), startWorker(script)])
  })
  afterAll(endPeers)

  /** A part with some words after it. */
  function memoryFor(partWords: number, create: (memory: SharedMemory) => unknown, free = lineWords) {
    const memory = new SharedMemory(partWords + free)
    create(memory)
    return memory
  }

  /** All of them, or the first so many, do it at the same time. */
  function together(task: string, memory: SharedMemory, free: number, times: number, spins: number, count = peers.length) {
    return apart(
      task,
      memory,
      free,
      times,
      peers.slice(0, count).map(() => ({ spins })),
    )
  }

  /** The same, each waiting in its own way. */
  function apart(task: string, memory: SharedMemory, free: number, times: number, ways: readonly WaitOptions[]) {
    return Promise.all(ways.map((way, self) => (peers[self] as Peer).ask(task, memory.buffer, free, times, way, self)))
  }

  it.each([0, 200])('a mutex excludes (%s spins)', async (spins) => {
    const times = spins === 0 ? 3000 : 10_000
    const memory = memoryFor(Mutex.words(), (made) => Mutex.create(made))
    await together('lock', memory, Mutex.words(), times, spins)
    expect([memory.read(Mutex.words()), memory.read(Mutex.words() + 1)]).toEqual([3 * times, 3 * times])
    expect(Mutex.attach(memory).tryLock()).toBe('acquired')
  })

  it('a mutex goes round among threads that wait in different ways', async () => {
    const times = 500
    const memory = memoryFor(Mutex.words(), (made) => Mutex.create(made))
    await apart('lock', memory, Mutex.words(), times, [{ wait: 'park', spins: 0 }, { wait: 'yield', spins: 0 }, { wait: 'spin' }])
    expect([memory.read(Mutex.words()), memory.read(Mutex.words() + 1)]).toEqual([3 * times, 3 * times])
    expect(Mutex.attach(memory).tryLock()).toBe('acquired')
  })

  it.each([
    ['yield', 'yield'],
    ['yield', 'park'],
    ['spin', 'spin'],
    ['spin', 'yield'],
  ] as const)('events carry a conversation (one waits by %s, the other by %s)', async (one, other) => {
    const both = 2 * Event.words()
    const memory = memoryFor(both, (made) => [Event.create(made), Event.create(made, {}, Event.words())])
    await apart('signal', memory, both, 300, [{ wait: one }, { wait: other }])
    expect([Event.attach(memory).isSet(), Event.attach(memory, Event.words()).isSet()]).toEqual([false, false])
  })

  it('a mutex excludes also those who give up', async () => {
    const memory = memoryFor(Mutex.words(), (made) => Mutex.create(made))
    const got = (await together('lockInTime', memory, Mutex.words(), 3000, 0)) as number[]
    expect(memory.read(Mutex.words())).toBe(got.reduce((sum, n) => sum + n))
    expect(Mutex.attach(memory).tryLock()).toBe('acquired')
  })

  it.each([
    { readers: 1, spins: 0 },
    { readers: 3, spins: 0 },
    { readers: 3, spins: 200 },
  ])('a read-write lock with $readers seats lets readers in, or one writer ($spins spins)', async ({ readers, spins }) => {
    const words = ReadWriteLock.words({ readers })
    const memory = memoryFor(words, (made) => ReadWriteLock.create(made, { readers }))
    await together('readAndWrite', memory, words, 2000, spins)
    expect([memory.read(words), memory.read(words + 1)]).toEqual([1500, 1500])
    expect(ReadWriteLock.attach(memory).tryWriteLock()).toBe('acquired')
  })

  it.each([0, 200])('a semaphore lets in as many as it has permits (%s spins)', async (spins) => {
    const memory = memoryFor(Semaphore.words(), (made) => Semaphore.create(made, { permits: 3, permitsMax: 3 }))
    await together('acquire', memory, Semaphore.words(), 3000, spins)
    expect([memory.load(Semaphore.words()), Semaphore.attach(memory).available()]).toEqual([0, 3])
  })

  it.each([0, 200])('a barrier brings them together, again and again (%s spins)', async (spins) => {
    const memory = memoryFor(Barrier.words(), (made) => Barrier.create(made, { parties: 3 }))
    const lasts = (await together('meet', memory, Barrier.words(), 1000, spins)) as number[]
    expect(lasts.reduce((sum, n) => sum + n)).toBe(2000)
  })

  it.each([0, 200])('events carry a conversation (%s spins)', async (spins) => {
    const both = 2 * Event.words()
    const memory = memoryFor(both, (made) => [Event.create(made), Event.create(made, {}, Event.words())])
    await together('signal', memory, both, 2000, spins, 2)
    expect([Event.attach(memory).isSet(), Event.attach(memory, Event.words()).isSet()]).toEqual([false, false])
  })

  it.each([0, 200])('a once is run by one of them (%s spins)', async (spins) => {
    const times = 1000
    const all = times * Once.words()
    const create = (made: SharedMemory) => {
      for (let i = 0; i < times; i++) Once.create(made, {}, i * Once.words())
    }
    const ran = (await together('runOnce', memoryFor(all, create, times), all, times, spins)) as number[]
    expect(ran.reduce((sum, n) => sum + n)).toBe(times)
  })
})
