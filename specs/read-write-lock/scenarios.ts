import { role, type ScenarioBounds, type Subject } from '../../checker/scenario.ts'
import type { LockResult } from '../../core/mutex.ts'
import { ReadWriteLock } from '../../core/read-write-lock.ts'
import { type Outcome, type Sequential, sequential } from '../../model/sequential.ts'
import { AnonymousMemory } from '../memories.ts'

/**
 * What a read-write lock does when its operations come one after the other, and the lock as scenarios use it.
 *
 * Who comes, looks and gives way again is in the way of others meanwhile: so each that does not wait may find the lock busy
 * where nobody has it. That waiting comes to an end the programs of the spec show: who waits behind a waiting writer waits for
 * a good reason, which no specification of single operations can tell.
 */

/** Who holds the lock. */
interface Lock {
  readonly writer?: string
  readonly readers: readonly string[]
  readonly lost: boolean
}

const has = ({ writer, readers }: Lock, thread: string) => writer === thread || readers.includes(thread)

type Take = (lock: Lock, thread: string) => Outcome<Lock> | undefined

function write({ writer, readers, lost }: Lock, thread: string): Outcome<Lock> | undefined {
  if (writer !== undefined || readers.length > 0) return undefined
  return { state: { writer: thread, readers, lost: false }, result: lost ? 'abandoned' : 'acquired' }
}

function read(lock: Lock, thread: string): Outcome<Lock> | undefined {
  if (lock.lost) return write(lock, thread)
  if (lock.writer !== undefined) return undefined
  return { state: { ...lock, readers: [...lock.readers, thread].sort() }, result: 'acquired' }
}

function leave({ readers }: Lock, thread: string): Lock {
  return { readers: readers.filter((reader) => reader !== thread), lost: false }
}

/** @param alone whether nobody else can be in the way */
function specificationOf(alone: boolean): Sequential<Lock> {
  const taking = (takes: Take, refused: 'busy' | 'timed-out') => (lock: Lock, _: unknown, thread: string) => {
    if (has(lock, thread)) return { state: lock, result: 'mine' }
    const taken = takes(lock, thread)
    const notTaken = { state: lock, result: refused }
    return taken === undefined ? notTaken : alone ? taken : [taken, notTaken]
  }
  return sequential<Lock>({
    initial: { readers: [], lost: false },
    operations: {
      tryReadLock: taking(read, 'busy'),
      tryWriteLock: taking(write, 'busy'),
      readLockOrGiveUp: taking(read, 'timed-out'),
      writeLockOrGiveUp: taking(write, 'timed-out'),
      unlock: (lock, _, thread) =>
        has(lock, thread) ? { state: leave(lock, thread), result: true } : { state: lock, result: false },
      abandon: (lock, _, thread) =>
        lock.writer === thread ? { state: { readers: [], lost: true }, result: true } : { state: lock, result: false },
    },
  })
}

/** A thread that knows how it has the lock. */
class User {
  private readonly lock: ReadWriteLock
  private has: 'no' | 'reading' | 'writing' = 'no'

  constructor(lock: ReadWriteLock) {
    this.lock = lock
  }

  take(as: 'reading' | 'writing', how: (lock: ReadWriteLock) => LockResult | 'busy'): LockResult | 'busy' | 'mine' {
    if (this.has !== 'no') return 'mine'
    const result = how(this.lock)
    if (result === 'abandoned') this.has = 'writing'
    if (result === 'acquired') this.has = as
    return result
  }

  unlock(): boolean {
    if (this.has === 'no') return false
    this.has = 'no'
    this.lock.unlock()
    return true
  }

  abandon(): boolean {
    if (this.has !== 'writing') return false
    this.has = 'no'
    this.lock.abandon()
    return true
  }
}

const operations = {
  tryReadLock: { call: (user: User) => user.take('reading', (lock) => lock.tryReadLock()) },
  tryWriteLock: { call: (user: User) => user.take('writing', (lock) => lock.tryWriteLock()) },
  readLockOrGiveUp: { call: (user: User) => user.take('reading', (lock) => lock.readLock(5)) },
  writeLockOrGiveUp: { call: (user: User) => user.take('writing', (lock) => lock.writeLock(5)) },
  unlock: { call: (user: User) => user.unlock() },
  abandon: { call: (user: User) => user.abandon() },
} as const

function readWriteLock(name: string, chosen: readonly (keyof typeof operations)[], alone = false): Subject {
  const options = { readers: 2 }
  return {
    name: `read-write-lock/${name}`,
    words: ReadWriteLock.words(options),
    setup: (memory) => void ReadWriteLock.create(memory, options),
    history: { specification: specificationOf(alone) },
    roles: {
      user: role<User>({
        ...(alone && { most: 1 }),
        attach: (memory) => new User(ReadWriteLock.attach(new AnonymousMemory(memory), 0, { spins: 0 })),
        operations: Object.fromEntries(chosen.map((key) => [key, operations[key]])),
      }),
    },
  }
}

/** The lock in all the ways in which scenarios use it, and how large they are to be. */
export const subjects: readonly (readonly [Subject, ScenarioBounds])[] = [
  [readWriteLock('tries', ['tryReadLock', 'tryWriteLock', 'unlock']), { threads: 2, operations: 3, total: 5 }],
  [readWriteLock('alone', ['tryReadLock', 'tryWriteLock', 'unlock', 'abandon'], true), { threads: 1, operations: 4 }],
  [readWriteLock('three', ['tryReadLock', 'tryWriteLock']), { threads: 3, operations: 1 }],
  [readWriteLock('abandons', ['tryReadLock', 'tryWriteLock', 'abandon']), { threads: 2, operations: 2 }],
  [readWriteLock('gives-up', ['readLockOrGiveUp', 'writeLockOrGiveUp', 'unlock']), { threads: 2, operations: 2 }],
]
