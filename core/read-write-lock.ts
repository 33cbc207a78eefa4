import { isLost, lostWord, nobody, take, wordOfSelf } from './holder.ts'
import { fourLetters, lineWords, publishHeader, readHeader, requirePlace, requireWords, writeHeader } from './layout.ts'
import type { Memory } from './memory.ts'
import type { LockResult } from './mutex.ts'
import { asleep, Patience, type Waiting, type WaitOptions, waitingOf } from './patience.ts'
import { requireInteger, requireTimeout } from './require.ts'

/**
 * A lock that many threads hold for reading, or one for writing.
 *
 * Each reader sits down in a seat, a word of its own on a line of its own, so that readers do not slow each other down, and a
 * reader that died can be told from those that live. A writer first takes the writer's word and then looks at every seat. So
 * either the writer sees the reader, and waits for it; or the reader, which looks at the writer's word after it has sat down,
 * sees the writer, and gives way. (Dekker's way, one against many: Linux's big-reader lock, and BRAVO, Dice and Kogan 2019.)
 *
 * Writers come first: a writer that waits for readers holds off those that come later. Between two writers, readers and
 * writers have an equal chance. So readers keep no writer away for ever, but writers that come without a pause can keep
 * readers away.
 *
 * A reader that died has changed nothing: writers take no notice of it, and its seat goes to the next reader. If a writer
 * died, whoever comes next, for reading or writing, takes its place as a writer, and is told.
 *
 * ```
 *   word
 *   0            header; parameter: the seats
 *   32           the writer, and whether somebody sleeps until it goes
 *   64 + 32 i    the reader in seat i, and whether somebody sleeps until it goes
 * ```
 */
export interface ReadWriteLockOptions extends WaitOptions {
  /**
   * How many threads may read at once, from 1 to 65536; best as many as there are. One more waits for one of them to leave, and
   * does not notice if another one leaves earlier. A writer looks at every seat.
   */
  readonly readers: number
}

const kind = fourLetters('RWLK')
const writerAt = lineWords
const seatsAt = 2 * lineWords
const readersMax = 65536

/**
 * The lock as one thread sees it.
 *
 * ```ts
 * if (lock.readLock() === 'abandoned') repair()    // a writer died: the lock is held for writing
 * read()
 * lock.unlock()
 * ```
 */
export class ReadWriteLock {
  /** How many threads may read at once. */
  readonly readers: number
  private readonly memory: Memory
  private readonly writerAt: number
  private readonly seatsAt: number
  private readonly self: number
  private readonly waiting: Waiting
  /** Where this thread sits, or sat last, or begins to look. */
  private seatAt: number
  private held: 'no' | 'reading' | 'writing' = 'no'

  private constructor(who: string, memory: Memory, at: number, readers: number, options: WaitOptions) {
    this.memory = memory
    this.writerAt = at + writerAt
    this.seatsAt = at + seatsAt
    this.readers = readers
    this.self = wordOfSelf(who, memory)
    this.waiting = waitingOf(who, options)
    // Threads begin apart from each other, where they can be told apart.
    this.seatAt = this.seatsAt + ((memory.liveness?.self ?? 0) % readers) * lineWords
  }

  /**
   * How many words a lock takes: a multiple of `lineWords`.
   *
   * @throws RangeError when an option is out of its range
   */
  static words(options: ReadWriteLockOptions): number {
    const { readers } = options
    requireInteger('ReadWriteLock: readers', readers, 1, readersMax)
    return seatsAt + readers * lineWords
  }

  /**
   * Makes a lock that nobody holds. One thread does this, before any other attaches.
   *
   * @param at the word where the lock begins, a multiple of `lineWords` (32); whatever these words held is overwritten
   * @throws RangeError when an option is out of its range, or the memory too short
   */
  static create(memory: Memory, options: ReadWriteLockOptions, at = 0): ReadWriteLock {
    const words = ReadWriteLock.words(options)
    const { readers } = options
    requirePlace('ReadWriteLock.create', memory, at, words)
    const lock = new ReadWriteLock('ReadWriteLock.create', memory, at, readers, options)
    writeHeader(memory, at, kind, words, [readers])
    // The writer's word and the seats. Plain, for `publishHeader` publishes them.
    // Safety: read-write-lock/attaches
    for (let place = at + writerAt; place < at + words; place += lineWords) memory.write(place, nobody)
    publishHeader(memory, at)
    return lock
  }

  /**
   * Joins a lock that another thread created. Any number of threads may.
   *
   * @throws Error when no lock stands there
   */
  static attach(memory: Memory, at = 0, options: WaitOptions = {}): ReadWriteLock {
    const { words, parameters } = readHeader('ReadWriteLock.attach', memory, at, kind, 1)
    const [readers] = parameters as [number]
    requireWords('ReadWriteLock.attach', words, ReadWriteLock.words({ readers }))
    return new ReadWriteLock('ReadWriteLock.attach', memory, at, readers, options)
  }

  /**
   * Takes the lock for reading if no living writer has it, waits for it or looks whether it can have it, and a seat is free. Does
   * not wait. A reader and a writer that try at the same time may both find it busy.
   */
  tryReadLock(): 'acquired' | 'abandoned' | 'busy' {
    return busy(this.readLock(0))
  }

  /** Takes the lock for writing if nobody living has it, or looks whether it can have it. Does not wait. */
  tryWriteLock(): 'acquired' | 'abandoned' | 'busy' {
    return busy(this.writeLock(0))
  }

  /**
   * Takes the lock for reading, spinning and then sleeping while a living writer has it or waits for it. Blocking. Takes
   * effect at the load of the writer's word: everything that earlier writers did is visible from then on. One
   * compare-exchange and one load where no writer comes.
   *
   * @param timeoutMs give up after so many milliseconds (0 or less: at once); default: never
   * @returns `'abandoned'`: a writer died, and the lock is held for WRITING: repair, and then read and unlock
   * @throws Error when this thread holds the lock already
   */
  readLock(timeoutMs: number = Infinity): LockResult {
    requireTimeout('ReadWriteLock.readLock', timeoutMs)
    this.requireFree('ReadWriteLock.readLock')
    const { memory, writerAt } = this
    const patience = new Patience(memory, timeoutMs, this.waiting)
    // A guess, and the likeliest: no writer.
    let seen = nobody
    for (;;) {
      if (seen === nobody) {
        if (!this.sitDown(patience)) return 'timed-out'
        // No writer: any that comes after this load finds the seat taken. What earlier writers did is visible.
        // Safety: read-write-lock/excludes, read-write-lock/shares
        seen = memory.load(writerAt)
        if (seen === nobody) {
          this.held = 'reading'
          return 'acquired'
        }
        // A writer has the lock, or waits for it: it comes first.
        // Safety: read-write-lock/writers-first, read-write-lock/wakes
        this.leave(this.seatAt, nobody)
      }
      if (isLost(memory, seen)) {
        // The writer may have died half-way through a change: who comes next repairs it, and does so as a writer.
        // Safety: read-write-lock/robust
        const found = memory.compareExchange(writerAt, seen, this.self | (seen & asleep))
        if (found === seen) return this.waitForReaders(patience, 'abandoned')
        seen = found
      } else {
        if (patience.over) return 'timed-out'
        // Safety: read-write-lock/wakes, read-write-lock/times-out
        patience.sleep(writerAt, seen)
        seen = memory.load(writerAt)
      }
    }
  }

  /**
   * Takes the lock for writing, spinning and then sleeping while others that live have it. Blocking. Takes effect when the
   * last reader has been seen to leave: everything that earlier writers did is visible from then on. One compare-exchange,
   * and a load for each seat, where nobody else comes.
   *
   * @param timeoutMs give up after so many milliseconds (0 or less: at once); default: never
   * @throws Error when this thread holds the lock already
   */
  writeLock(timeoutMs: number = Infinity): LockResult {
    requireTimeout('ReadWriteLock.writeLock', timeoutMs)
    this.requireFree('ReadWriteLock.writeLock')
    const { memory, writerAt, self } = this
    const patience = new Patience(memory, timeoutMs, this.waiting)
    for (;;) {
      // One writer at a time; and every reader that comes from now on finds that there is one.
      // Safety: read-write-lock/excludes, read-write-lock/robust
      const taken = take(memory, writerAt, self)
      if (typeof taken === 'string') return this.waitForReaders(patience, taken)
      if (patience.over) return 'timed-out'
      // Safety: read-write-lock/wakes, read-write-lock/times-out
      patience.sleep(writerAt, taken)
    }
  }

  /**
   * Lets go, of whichever it was. Wait-free. A notify is called only when a sleeper is announced.
   *
   * @throws Error when this thread does not hold the lock
   */
  unlock(): void {
    if (this.held === 'no') throw new Error('ReadWriteLock.unlock: this thread does not hold the lock')
    // Readers are past, or whatever the writer did is visible to whoever takes the lock after this.
    // Safety: read-write-lock/excludes
    this.leave(this.held === 'reading' ? this.seatAt : this.writerAt, nobody)
    this.held = 'no'
  }

  /**
   * Lets go of a lock for writing whose work could not be finished, as if this thread had died: whoever takes the lock next
   * is told. Wait-free.
   *
   * @throws Error when this thread does not hold the lock for writing
   */
  abandon(): void {
    if (this.held !== 'writing') throw new Error('ReadWriteLock.abandon: this thread does not hold the lock for writing')
    this.leave(this.writerAt, lostWord)
    this.held = 'no'
  }

  /** Takes a free seat, or that of a reader that died; `seatAt` says which. False when the time is over. */
  private sitDown(patience: Patience): boolean {
    const { memory, readers, seatsAt } = this
    for (;;) {
      for (let looked = 1; ; looked++) {
        // The seat is this reader's until it stands up: other readers find it taken, and writers wait for it.
        // Safety: read-write-lock/excludes, read-write-lock/robust
        const taken = take(memory, this.seatAt, this.self)
        if (typeof taken === 'string') return true
        if (looked === readers) {
          if (patience.over) return false
          // Any seat will do, but one can sleep only on one.
          // Safety: read-write-lock/wakes, read-write-lock/times-out
          patience.sleep(this.seatAt, taken)
          break
        }
        const next = this.seatAt + lineWords
        this.seatAt = next === seatsAt + readers * lineWords ? seatsAt : next
      }
    }
  }

  /** Called by the writer, to be sure that nobody reads. */
  private waitForReaders(patience: Patience, taken: 'acquired' | 'abandoned'): LockResult {
    const { memory, seatsAt, readers } = this
    for (let seatAt = seatsAt; seatAt < seatsAt + readers * lineWords; seatAt += lineWords) {
      for (;;) {
        // Nobody reads here, or one that died, which has changed nothing; and who sits down from now on finds the writer and
        // stands up again without reading.
        // Safety: read-write-lock/excludes, read-write-lock/robust
        const seen = memory.load(seatAt)
        if (seen === nobody || isLost(memory, seen)) break
        if (patience.over) {
          // What was abandoned is so still: the next one is told.
          // Safety: read-write-lock/robust, read-write-lock/times-out
          this.leave(this.writerAt, taken === 'abandoned' ? lostWord : nobody)
          return 'timed-out'
        }
        // Safety: read-write-lock/wakes, read-write-lock/times-out
        patience.sleep(seatAt, seen)
      }
    }
    this.held = 'writing'
    return taken
  }

  private leave(at: number, next: number): void {
    // Takes the announcements along: all are woken.
    // Safety: read-write-lock/wakes, read-write-lock/notifies-sleepers-only
    const old = this.memory.exchange(at, next)
    if ((old & asleep) !== 0) this.memory.notify(at)
  }

  private requireFree(who: string): void {
    if (this.held !== 'no') throw new Error(`${who}: this thread holds the lock already; unlock it first`)
  }
}

function busy(result: LockResult): 'acquired' | 'abandoned' | 'busy' {
  return result === 'timed-out' ? 'busy' : result
}
