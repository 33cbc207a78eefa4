import { role, type ScenarioBounds, type Subject } from '../../checker/scenario.ts'
import { type LockResult, Mutex } from '../../core/mutex.ts'
import { type Outcome, sequential } from '../../model/sequential.ts'
import { AnonymousMemory } from '../memories.ts'

/** What a mutex does when its operations come one after the other, and the mutex as scenarios use it. */

/** Who holds the lock, and whether it was abandoned. */
interface Lock {
  readonly holder?: string
  readonly lost: boolean
}

/** Takes the lock if it is free. A thread that has it does not ask. */
function take({ holder, lost }: Lock, thread: string): Outcome<Lock> | undefined {
  if (holder === thread) return { state: { holder, lost }, result: 'mine' }
  return holder === undefined ? { state: { holder: thread, lost: false }, result: lost ? 'abandoned' : 'acquired' } : undefined
}

const specification = sequential<Lock>({
  initial: { lost: false },
  operations: {
    lock: (lock, _, thread) => take(lock, thread) ?? [],
    tryLock: (lock, _, thread) => take(lock, thread) ?? { state: lock, result: 'busy' },
    lockOrGiveUp: (lock, _, thread) => take(lock, thread) ?? { state: lock, result: 'timed-out' },
    unlock: (lock, _, thread) =>
      lock.holder === thread ? { state: { lost: false }, result: true } : { state: lock, result: false },
    abandon: (lock, _, thread) =>
      lock.holder === thread ? { state: { lost: true }, result: true } : { state: lock, result: false },
  },
})

/** A thread that knows whether it has the lock. */
class User {
  private readonly mutex: Mutex
  private has = false

  constructor(mutex: Mutex) {
    this.mutex = mutex
  }

  take(how: (mutex: Mutex) => LockResult | 'busy'): LockResult | 'busy' | 'mine' {
    if (this.has) return 'mine'
    const result = how(this.mutex)
    this.has = result === 'acquired' || result === 'abandoned'
    return result
  }

  leave(how: (mutex: Mutex) => void): boolean {
    if (!this.has) return false
    how(this.mutex)
    this.has = false
    return true
  }
}

const operations = {
  lock: { call: (user: User) => user.take((mutex) => mutex.lock()) },
  tryLock: { call: (user: User) => user.take((mutex) => mutex.tryLock()) },
  lockOrGiveUp: { call: (user: User) => user.take((mutex) => mutex.lock(5)) },
  unlock: { call: (user: User) => user.leave((mutex) => mutex.unlock()) },
  abandon: { call: (user: User) => user.leave((mutex) => mutex.abandon()) },
} as const

function mutex(name: string, chosen: readonly (keyof typeof operations)[]): Subject {
  return {
    name: `mutex/${name}`,
    words: Mutex.words(),
    setup: (memory) => void Mutex.create(memory),
    history: { specification, mayWait: true },
    roles: {
      user: role<User>({
        attach: (memory) => new User(Mutex.attach(new AnonymousMemory(memory), 0, { spins: 0 })),
        operations: Object.fromEntries(chosen.map((key) => [key, operations[key]])),
      }),
    },
  }
}

/** The mutex in all the ways in which scenarios use it, and how large they are to be. */
export const subjects: readonly (readonly [Subject, ScenarioBounds])[] = [
  [mutex('tries', ['tryLock', 'unlock', 'abandon']), { threads: 2, operations: 3, total: 5 }],
  [mutex('waits', ['lock', 'unlock']), { threads: 3, operations: 2, total: 5 }],
  [mutex('gives-up', ['lockOrGiveUp', 'unlock']), { threads: 2, operations: 3, total: 5 }],
  [mutex('abandons', ['lock', 'unlock', 'abandon']), { threads: 2, operations: 3, total: 4 }],
]
