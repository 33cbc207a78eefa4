import { fourLetters, lineWords, publishHeader, readHeader, requirePlace, requireWords, writeHeader } from './layout.ts'
import type { Memory } from './memory.ts'
import { asleep, Patience, type Waiting, type WaitOptions, waitingOf } from './patience.ts'
import { requireInteger, requireTimeout } from './require.ts'

/**
 * A barrier: threads wait for one another until so many have come, then all of them go on, and the next can come.
 *
 * One word counts arrivals, and the generation is what it counts to, divided by the number of parties: what would be two
 * counters that have to agree (a sense-reversing barrier) is one, so that also more threads than parties may use it. The
 * count wraps where a generation ends.
 *
 * ```
 *   word
 *   0       header; parameter: the parties
 *   32      twice the arrivals, modulo the largest multiple of the parties up to 2^30; in bit 0 whether somebody sleeps
 * ```
 *
 * No count comes back while a thread waits, but after about 2^30 arrivals of others.
 *
 * A barrier does not know who is to come, and so cannot tell that one of them has died: let its partners wait with a
 * time-out. One that came and died has come.
 */
export interface BarrierOptions extends WaitOptions {
  /** How many threads wait for one another, from 1 to 65536. */
  readonly parties: number
}

/**
 * - `'last'`: all have come, and the caller was the last: exactly one of them is.
 * - `'passed'`: all have come.
 * - `'timed-out'`: too few had come; the caller has left, and counts no longer.
 */
export type BarrierResult = 'last' | 'passed' | 'timed-out'

const kind = fourLetters('BARR')
const arrivalsAt = lineWords
const wordsAll = 2 * lineWords
const partiesMax = 65536
const arrivalsMax = 2 ** 30
/** One arrival in the word. */
const arrival = 2

/**
 * The barrier as one thread sees it.
 *
 * ```ts
 * fill(mine)
 * barrier.wait()
 * read(theirs)
 * ```
 */
export class Barrier {
  /** How many threads wait for one another. */
  readonly parties: number
  private readonly memory: Memory
  private readonly at: number
  private readonly waiting: Waiting

  private constructor(memory: Memory, at: number, parties: number, waiting: Waiting) {
    this.memory = memory
    this.at = at + arrivalsAt
    this.parties = parties
    this.waiting = waiting
  }

  /** How many words a barrier takes: a multiple of `lineWords`. */
  static words(): number {
    return wordsAll
  }

  /**
   * Makes a barrier. One thread does this, before any other attaches.
   *
   * @param at the word where the barrier begins, a multiple of `lineWords` (32); whatever these words held is overwritten
   * @throws RangeError when an option is out of its range, or the memory too short
   */
  static create(memory: Memory, options: BarrierOptions, at = 0): Barrier {
    const { parties } = options
    requireInteger('Barrier: parties', parties, 1, partiesMax)
    const waiting = waitingOf('Barrier.create', options)
    requirePlace('Barrier.create', memory, at, wordsAll)
    writeHeader(memory, at, kind, wordsAll, [parties])
    // Plain, for `publishHeader` publishes it.
    // Safety: barrier/attaches
    memory.write(at + arrivalsAt, 0)
    publishHeader(memory, at)
    return new Barrier(memory, at, parties, waiting)
  }

  /**
   * Joins a barrier that another thread created. Any number of threads may.
   *
   * @throws Error when no barrier stands there
   */
  static attach(memory: Memory, at = 0, options: WaitOptions = {}): Barrier {
    const { words, parameters } = readHeader('Barrier.attach', memory, at, kind, 1)
    requireWords('Barrier.attach', words, wordsAll)
    const [parties] = parameters as [number]
    requireInteger('Barrier: parties', parties, 1, partiesMax)
    return new Barrier(memory, at, parties, waitingOf('Barrier.attach', options))
  }

  /**
   * Arrives, and waits until as many as there are parties have, spinning and then sleeping. Blocking. Whatever each of them
   * did before it came is visible to all of them afterwards.
   *
   * @param timeoutMs give up after so many milliseconds (0 or less: at once, unless the caller is the last); default: never
   */
  wait(timeoutMs: number = Infinity): BarrierResult {
    requireTimeout('Barrier.wait', timeoutMs)
    const { memory, at } = this
    let seen = memory.load(at)
    for (;;) {
      const next = this.after(seen)
      // Counts this thread, which has read what those before it wrote. The last one starts the next generation and takes
      // the announcements along; the others leave them.
      // Safety: barrier/together, barrier/wraps
      const last = this.generationOf(next) !== this.generationOf(seen)
      const found = memory.compareExchange(at, seen, last ? next : next | (seen & asleep))
      if (found === seen) {
        if (!last) return this.waitForOthers(seen, timeoutMs)
        // Safety: barrier/wakes, barrier/notifies-sleepers-only
        if ((seen & asleep) !== 0) memory.notify(at)
        return 'last'
      }
      seen = found
    }
  }

  private waitForOthers(arrived: number, timeoutMs: number): BarrierResult {
    const { memory, at } = this
    const generation = this.generationOf(arrived)
    const patience = new Patience(memory, timeoutMs, this.waiting)
    for (;;) {
      // Another generation: all of this one have come, and what they wrote is visible.
      // Safety: barrier/together
      const seen = memory.load(at)
      if (this.generationOf(seen) !== generation) return 'passed'
      if (patience.over) {
        // Takes back an arrival, this thread's, while the generation is not complete: at least this one is counted.
        // Safety: barrier/together, barrier/times-out
        if (memory.compareExchange(at, seen, seen - arrival) === seen) return 'timed-out'
      } else {
        // Safety: barrier/wakes, barrier/times-out
        patience.sleep(at, seen)
      }
    }
  }

  private generationOf(word: number): number {
    return Math.floor((word >> 1) / this.parties)
  }

  /** The word after one more arrival, without an announcement. */
  private after(word: number): number {
    const arrivals = (word >> 1) + 1
    // Safety: barrier/wraps
    return arrivals === arrivalsMax - (arrivalsMax % this.parties) ? 0 : arrivals * arrival
  }
}
