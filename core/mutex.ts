import { lostWord, nobody, take, wordOfSelf } from './holder.ts'
import { fourLetters, lineWords, publishHeader, readHeader, requirePlace, requireWords, writeHeader } from './layout.ts'
import type { Memory } from './memory.ts'
import { asleep, Patience, type Waiting, type WaitOptions, waitingOf } from './patience.ts'
import { requireTimeout } from './require.ts'

/**
 * A lock that one thread holds at a time.
 *
 * After Drepper's third mutex ("Futexes are tricky", 2011): one word, which says whether anybody sleeps, so that an unlock
 * that nobody waits for makes no system call, and an unlock wakes one sleeper. A thread that has slept takes the lock with
 * the announcement left in the word, for it does not know whether others sleep. We depart from it in that the word names the
 * holder: a holder that died is replaced (`holder.ts`).
 *
 * ```
 *   word
 *   0       header
 *   32      the holder, and whether somebody sleeps
 * ```
 */

/**
 * - `'acquired'`: the lock is the caller's.
 * - `'abandoned'`: the lock is the caller's, and whoever held it before did not finish: what the lock protects may be
 *   half-changed. Repair it and go on; `unlock` says that it is whole again. If the repairer dies too, the next one is told.
 * - `'timed-out'`: the lock is somebody else's.
 */
export type LockResult = 'acquired' | 'abandoned' | 'timed-out'

const kind = fourLetters('MUTX')
const holderAt = lineWords
const wordsAll = 2 * lineWords

/**
 * The mutex as one thread sees it.
 *
 * ```ts
 * if (mutex.lock() === 'abandoned') repair()
 * change()
 * mutex.unlock()
 * ```
 *
 * Not fair: whoever comes in time takes a free lock, also past those who sleep. Not for locking twice: that throws.
 */
export class Mutex {
  private readonly memory: Memory
  private readonly at: number
  private readonly self: number
  private readonly waiting: Waiting
  private held = false

  private constructor(who: string, memory: Memory, at: number, options: WaitOptions) {
    this.memory = memory
    this.at = at + holderAt
    this.self = wordOfSelf(who, memory)
    this.waiting = waitingOf(who, options)
  }

  /** How many words a mutex takes: a multiple of `lineWords`. */
  static words(): number {
    return wordsAll
  }

  /**
   * Makes a mutex that nobody holds. One thread does this, before any other attaches.
   *
   * @param at the word where the mutex begins, a multiple of `lineWords` (32); whatever these words held is overwritten
   * @throws RangeError when the memory is too short
   */
  static create(memory: Memory, options: WaitOptions = {}, at = 0): Mutex {
    requirePlace('Mutex.create', memory, at, wordsAll)
    const mutex = new Mutex('Mutex.create', memory, at, options)
    writeHeader(memory, at, kind, wordsAll, [])
    // Plain, for `publishHeader` publishes it.
    // Safety: mutex/attaches
    memory.write(mutex.at, nobody)
    publishHeader(memory, at)
    return mutex
  }

  /**
   * Joins a mutex that another thread created. Any number of threads may.
   *
   * @throws Error when no mutex stands there
   */
  static attach(memory: Memory, at = 0, options: WaitOptions = {}): Mutex {
    const { words } = readHeader('Mutex.attach', memory, at, kind, 0)
    requireWords('Mutex.attach', words, wordsAll)
    return new Mutex('Mutex.attach', memory, at, options)
  }

  /** Takes the lock if nobody living holds it. Lock-free; one compare-exchange where the lock is free. */
  tryLock(): 'acquired' | 'abandoned' | 'busy' {
    const result = this.lock(0)
    return result === 'timed-out' ? 'busy' : result
  }

  /**
   * Takes the lock, spinning and then sleeping while somebody living holds it. Blocking. Takes effect at the
   * compare-exchange: everything that earlier holders did is visible from then on. One compare-exchange where the lock is
   * free.
   *
   * @param timeoutMs give up after so many milliseconds (0 or less: at once); default: never
   * @throws Error when this thread holds it already
   */
  lock(timeoutMs: number = Infinity): LockResult {
    requireTimeout('Mutex.lock', timeoutMs)
    if (this.held) throw new Error('Mutex.lock: this thread holds the lock already; unlock it first')
    const { memory, at } = this
    let patience: Patience | undefined
    let self = this.self
    for (;;) {
      // What the lock protects is this thread's, once it is the holder; what earlier holders did is visible.
      // Safety: mutex/excludes, mutex/robust
      const taken = take(memory, at, self)
      if (typeof taken === 'string') {
        this.held = true
        return taken
      }
      patience ??= new Patience(memory, timeoutMs, this.waiting)
      if (patience.over) return 'timed-out'
      // Safety: mutex/wakes, mutex/times-out
      patience.sleep(at, taken)
      // It may have been woken alone, by a notify that took the announcement: others that sleep rely on this thread to
      // announce them again, by its next sleep or by how it takes the lock.
      // Safety: mutex/wakes
      if (patience.announces) self = this.self | asleep
    }
  }

  /**
   * Lets go. Wait-free. A notify is called only when a sleeper is announced.
   *
   * @throws Error when this thread does not hold the lock
   */
  unlock(): void {
    this.release('Mutex.unlock', nobody)
  }

  /**
   * Lets go of a lock whose work could not be finished, as if this thread had died: whoever takes the lock next is told.
   * For a thread whose change, or repair, failed half-way. Wait-free.
   *
   * @throws Error when this thread does not hold the lock
   */
  abandon(): void {
    this.release('Mutex.abandon', lostWord)
  }

  private release(who: string, next: number): void {
    if (!this.held) throw new Error(`${who}: this thread does not hold the lock`)
    this.held = false
    // What this thread did is visible to whoever takes the lock after this. Takes the announcements along: the notify pays
    // for all of them, for the one it wakes announces the others again.
    // Safety: mutex/excludes, mutex/wakes, mutex/notifies-sleepers-only
    const old = this.memory.exchange(this.at, next)
    if ((old & asleep) !== 0) this.memory.notify(this.at, 1)
  }
}
