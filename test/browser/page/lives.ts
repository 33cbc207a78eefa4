// Threads that end before their work is done. A browser does not say when a worker has ended; a Web Lock that it held does.
import { AsyncMemory, Mutex, Ring, Roster, SharedMemory } from '../../../core/index.ts'
import { type Shared, sharedOf } from './memories.ts'
import { itemOf, numberOf, requireNumber, shape } from './streams.ts'
import { startWorker } from './threads.ts'

/** What is used here of Web Locks, of which the types of Node do not know. */
interface Locks {
  request<T>(name: string, whileHeld: () => T | Promise<T>): Promise<T>
}
const { navigator } = globalThis as unknown as { readonly navigator: { readonly locks: Locks } }

const mutexAt = Roster.words()
const ringAt = mutexAt + Mutex.words()

interface Victim {
  readonly shared: Shared
  readonly participant: number
  readonly life: string
}

/** A memory on which the calling thread is that participant. */
function memoryOf(shared: Shared, participant: number): SharedMemory {
  const memory = new SharedMemory(shared)
  memory.liveness = Roster.attach(memory).livenessOf(participant)
  return memory
}

export const lifeTasks = {
  /** The page reads what a worker writes without end, and terminates it after so many items; the worker held a mutex, too. */
  async survivesWorker({ items }: { readonly items: number }): Promise<object> {
    const shared = sharedOf(ringAt + Ring.words(shape))
    const roster = Roster.create(new SharedMemory(shared))
    const own = memoryOf(shared, roster.enter())
    const mutex = Mutex.create(own, {}, mutexAt)
    const memory = new AsyncMemory(own)
    const source = Ring.create(memory, shape, ringAt).source({ spins: 0 })
    const participant = roster.enter()
    const life = `heddle ${participant}`
    const { answer, end } = startWorker<void>('writeForEver', { shared, participant, life })
    answer.catch(() => {})
    let read = 0
    const lock: string[] = []
    for await (const item of memory.items(source)) {
      requireNumber(numberOf(item), read++)
      if (read !== items) continue
      lock.push(mutex.tryLock())
      end()
      await navigator.locks.request(life, () => roster.strike(participant))
      lock.push(mutex.tryLock())
    }
    return { read, end: source.end(), lock }
  },

  async writeForEver({ shared, participant, life }: Victim): Promise<void> {
    await navigator.locks.request(life, () => {
      const memory = memoryOf(shared, participant)
      Mutex.attach(memory, mutexAt).lock()
      const sink = Ring.attach(memory, ringAt).sink()
      for (let n = 0; ; n++) sink.push(itemOf(n))
    })
  },
}
