import { role, type ScenarioBounds, type Subject } from '../../checker/scenario.ts'
import { Semaphore } from '../../core/semaphore.ts'
import { type Outcome, sequential } from '../../model/sequential.ts'
import { AnonymousMemory } from '../memories.ts'

/** What a semaphore does when its operations come one after the other, and the semaphore as scenarios use it. */

const permitsMax = 2

function take(permits: number, count: number): Outcome<number> | undefined {
  return permits >= count ? { state: permits - count, result: true } : undefined
}

const specification = sequential<number>({
  initial: 1,
  operations: {
    acquire: (permits, count) => take(permits, count) ?? [],
    tryAcquire: (permits, count) => take(permits, count) ?? { state: permits, result: false },
    acquireOrGiveUp: (permits, count) => take(permits, count) ?? { state: permits, result: false },
    release: (permits, count) =>
      permits + count > permitsMax ? { state: permits, result: 'too many' } : { state: permits + count, result: 'given' },
    available: (permits) => ({ state: permits, result: permits }),
  },
})

function release(semaphore: Semaphore, count: number): string {
  try {
    semaphore.release(count)
    return 'given'
  } catch (error) {
    if (!(error instanceof RangeError && error.message.startsWith('Semaphore.release'))) throw error
    return 'too many'
  }
}

const counts = [1, 2]
const operations = {
  acquire: { call: (semaphore: Semaphore, count: number) => semaphore.acquire(count), arguments: counts },
  tryAcquire: { call: (semaphore: Semaphore, count: number) => semaphore.tryAcquire(count), arguments: counts },
  acquireOrGiveUp: { call: (semaphore: Semaphore, count: number) => semaphore.acquire(count, 5), arguments: counts },
  release: { call: release, arguments: counts },
  available: { call: (semaphore: Semaphore) => semaphore.available() },
} as const

function semaphore(name: string, chosen: readonly (keyof typeof operations)[]): Subject {
  return {
    name: `semaphore/${name}`,
    words: Semaphore.words(),
    setup: (memory) => void Semaphore.create(memory, { permits: specification.initial, permitsMax }),
    history: { specification, mayWait: true },
    roles: {
      user: role<Semaphore>({
        attach: (memory) => Semaphore.attach(new AnonymousMemory(memory), 0, { spins: 0 }),
        operations: Object.fromEntries(chosen.map((key) => [key, operations[key]])),
      }),
    },
  }
}

/** The semaphore in all the ways in which scenarios use it, and how large they are to be. */
export const subjects: readonly (readonly [Subject, ScenarioBounds])[] = [
  [semaphore('tries', ['tryAcquire', 'release', 'available']), { threads: 2, operations: 2 }],
  [semaphore('waits', ['acquire', 'release']), { threads: 3, operations: 2, total: 3 }],
  [semaphore('gives-up', ['acquireOrGiveUp', 'release']), { threads: 2, operations: 2 }],
]
