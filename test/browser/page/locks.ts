// Locks between workers. The page can try them; it must not block.
import { Barrier, Mutex, SharedMemory } from '../../../core/index.ts'
import { type Shared, sharedOf } from './memories.ts'
import { inWorker } from './threads.ts'

interface Adding {
  readonly shared: Shared
  readonly rounds: number
}
const barrierAt = Mutex.words()
const countAt = barrierAt + Barrier.words()

/** What a call threw. */
function thrownBy(call: () => unknown): string {
  try {
    return `nothing; it returned ${call()}`
  } catch (error) {
    return (error as Error).name
  }
}

export const lockTasks = {
  /** Two workers begin together and add to a plain word under a mutex. */
  async mutex({ rounds }: Adding): Promise<number> {
    const shared = sharedOf(countAt + 1)
    const memory = new SharedMemory(shared)
    Mutex.create(memory)
    Barrier.create(memory, { parties: 2 }, barrierAt)
    await Promise.all([0, 1].map(() => inWorker('addLocked', { shared, rounds })))
    return memory.read(countAt)
  },

  addLocked({ shared, rounds }: Adding): void {
    const memory = new SharedMemory(shared)
    const mutex = Mutex.attach(memory)
    Barrier.attach(memory, barrierAt).wait()
    for (let round = 0; round < rounds; round++) {
      mutex.lock()
      memory.write(countAt, memory.read(countAt) + 1)
      mutex.unlock()
    }
  },

  /** What happens to a thread that comes to a lock which is held. */
  heldLock(): { tried: string; blocked: string; after: string } {
    const memory = new SharedMemory(Mutex.words())
    const held = Mutex.create(memory)
    const other = Mutex.attach(memory, 0, { spins: 0 })
    held.lock()
    const tried = other.tryLock()
    const blocked = thrownBy(() => other.lock(1))
    held.unlock()
    return { tried, blocked, after: other.lock() }
  },
}
