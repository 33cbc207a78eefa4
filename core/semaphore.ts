import { fourLetters, lineWords, publishHeader, readHeader, requirePlace, requireWords, writeHeader } from './layout.ts'
import type { Memory } from './memory.ts'
import { asleep, Patience, type Waiting, type WaitOptions, waitingOf } from './patience.ts'
import { requireInteger, requireTimeout } from './require.ts'

/**
 * A number of permits that threads take and give back.
 *
 * Dijkstra's semaphore (1962), counting, and bounded above. Permits belong to nobody, as in POSIX: any thread may give back
 * what another one took, or more, and what a thread held when it died is gone until somebody who knows gives it back. Where
 * that matters use a `Mutex`, or a `ReadWriteLock`.
 *
 * ```
 *   word
 *   0       header; parameter: the most permits
 *   32      twice the permits there are, and in bit 0 whether somebody sleeps
 * ```
 */
export interface SemaphoreOptions extends WaitOptions {
  /** How many permits there are at first, from 0 to `permitsMax`. */
  readonly permits: number
  /** How many permits there are at most, from 1 on; default, and no more than, 2^30 - 1. */
  readonly permitsMax?: number
}

const kind = fourLetters('SEMA')
const permitsAt = lineWords
const wordsAll = 2 * lineWords
const permitsMaxMax = 2 ** 30 - 1
/** One permit in the word. */
const permit = 2

/**
 * The semaphore as one thread sees it.
 *
 * ```ts
 * if (semaphore.acquire(1, 100)) {
 *   use()
 *   semaphore.release()
 * }
 * ```
 *
 * Not fair: whoever asks for few may go past one that sleeps until there are many.
 */
export class Semaphore {
  /** How many permits there are at most. */
  readonly permitsMax: number
  private readonly memory: Memory
  private readonly at: number
  private readonly waiting: Waiting

  private constructor(memory: Memory, at: number, permitsMax: number, waiting: Waiting) {
    this.memory = memory
    this.at = at + permitsAt
    this.permitsMax = permitsMax
    this.waiting = waiting
  }

  /** How many words a semaphore takes: a multiple of `lineWords`. */
  static words(): number {
    return wordsAll
  }

  /**
   * Makes a semaphore. One thread does this, before any other attaches.
   *
   * @param at the word where the semaphore begins, a multiple of `lineWords` (32); whatever these words held is overwritten
   * @throws RangeError when an option is out of its range, or the memory too short
   */
  static create(memory: Memory, options: SemaphoreOptions, at = 0): Semaphore {
    const { permits, permitsMax = permitsMaxMax } = options
    requireInteger('Semaphore: permitsMax', permitsMax, 1, permitsMaxMax)
    requireInteger('Semaphore: permits', permits, 0, permitsMax)
    const waiting = waitingOf('Semaphore.create', options)
    requirePlace('Semaphore.create', memory, at, wordsAll)
    writeHeader(memory, at, kind, wordsAll, [permitsMax])
    // Plain, for `publishHeader` publishes it.
    // Safety: semaphore/attaches
    memory.write(at + permitsAt, permits * permit)
    publishHeader(memory, at)
    return new Semaphore(memory, at, permitsMax, waiting)
  }

  /**
   * Joins a semaphore that another thread created. Any number of threads may.
   *
   * @throws Error when no semaphore stands there
   */
  static attach(memory: Memory, at = 0, options: WaitOptions = {}): Semaphore {
    const { words, parameters } = readHeader('Semaphore.attach', memory, at, kind, 1)
    requireWords('Semaphore.attach', words, wordsAll)
    const [permitsMax] = parameters as [number]
    requireInteger('Semaphore: permitsMax', permitsMax, 1, permitsMaxMax)
    return new Semaphore(memory, at, permitsMax, waitingOf('Semaphore.attach', options))
  }

  /** How many permits there are now. Wait-free; others may take them at any time. */
  available(): number {
    // Safety: semaphore/bounded
    return this.memory.load(this.at) >>> 1
  }

  /**
   * Takes permits if there are so many. Lock-free.
   *
   * @param count all or nothing, from 1 to `permitsMax`
   */
  tryAcquire(count = 1): boolean {
    return this.acquire(count, 0)
  }

  /**
   * Takes permits, spinning and then sleeping until there are so many. Blocking. Takes effect at the compare-exchange:
   * whatever was done before the releases that led to it is visible from then on.
   *
   * @param count all or nothing, from 1 to `permitsMax`
   * @param timeoutMs give up after so many milliseconds (0 or less: at once); default: never
   * @returns false when there were too few at a last look after that time
   * @throws RangeError when there can never be so many
   */
  acquire(count = 1, timeoutMs: number = Infinity): boolean {
    this.requireCount('Semaphore.acquire', count)
    requireTimeout('Semaphore.acquire', timeoutMs)
    const { memory, at } = this
    let patience: Patience | undefined
    // Safety: semaphore/bounded
    for (let seen = memory.load(at); ; ) {
      if (seen >>> 1 >= count) {
        // As many as were seen are still there: they are this thread's. Sleepers that want more stay announced.
        // Safety: semaphore/bounded, semaphore/wakes
        const found = memory.compareExchange(at, seen, seen - count * permit)
        if (found === seen) return true
        seen = found
        continue
      }
      patience ??= new Patience(memory, timeoutMs, this.waiting)
      if (patience.over) return false
      // Safety: semaphore/wakes, semaphore/times-out
      patience.sleep(at, seen)
      seen = memory.load(at)
    }
  }

  /**
   * Gives permits, also such as nobody took. Lock-free. A notify is called only when a sleeper is announced; it wakes all,
   * since who sleeps longest may want more than there is.
   *
   * @param count from 1 on
   * @throws RangeError when there would be more than `permitsMax`; then none is given
   */
  release(count = 1): void {
    this.requireCount('Semaphore.release', count)
    const { memory, at, permitsMax } = this
    for (let seen = memory.load(at); ; ) {
      const permits = (seen >>> 1) + count
      if (permits > permitsMax) {
        throw new RangeError(
          `Semaphore.release: expected at most ${permitsMax} permits, found ${seen >>> 1} and ${count} more; ` +
            `give back what was taken, or create the semaphore with a larger 'permitsMax'`,
        )
      }
      // What this thread did is visible to whoever gets one of these. Takes the announcements along: they are woken, and
      // those who still get too few announce themselves again.
      // Safety: semaphore/bounded, semaphore/notifies-sleepers-only
      const found = memory.compareExchange(at, seen, permits * permit)
      if (found === seen) {
        if ((seen & asleep) !== 0) memory.notify(at)
        return
      }
      seen = found
    }
  }

  private requireCount(who: string, count: number): void {
    requireInteger(`${who}: count`, count, 1, this.permitsMax)
  }
}
