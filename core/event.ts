import { fourLetters, lineWords, publishHeader, readHeader, requirePlace, requireWords, writeHeader } from './layout.ts'
import type { Memory } from './memory.ts'
import { asleep, Patience, type Waiting, type WaitOptions, waitingOf } from './patience.ts'
import { requireTimeout } from './require.ts'

/**
 * An event that threads wait for, and that stays until somebody takes it back (a manual-reset event, as Windows has).
 *
 * How often it was set and reset is counted, so that a `set` lets everybody go who waited for it, also when a `reset` follows
 * at once: one who wakes late finds that the count has moved. (A flag alone would send it back to sleep: the known fault of
 * `PulseEvent`.) A reset while nobody has yet come is seen by nobody, as it should be.
 *
 * ```
 *   word
 *   0       header
 *   32      bit 0 whether somebody sleeps, bit 1 whether it is set, bits 31..1 how often it changed, modulo 2^31
 * ```
 *
 * No count comes back while a thread stands still between its look and its sleep, but after 2^31 changes: minutes of nothing
 * but `set` and `reset`.
 */
export interface EventOptions extends WaitOptions {
  /** Whether it begins as set; default false. */
  readonly set?: boolean
}

const kind = fourLetters('EVNT')
const changesAt = lineWords
const wordsAll = 2 * lineWords
/** One change in the word; in a word with this bit the event is set. */
const change = 2

/**
 * The event as one thread sees it.
 *
 * ```ts
 * event.set()                    // in one thread
 * if (event.wait(100)) go()      // in others
 * ```
 */
export class Event {
  private readonly memory: Memory
  private readonly at: number
  private readonly waiting: Waiting

  private constructor(memory: Memory, at: number, waiting: Waiting) {
    this.memory = memory
    this.at = at + changesAt
    this.waiting = waiting
  }

  /** How many words an event takes: a multiple of `lineWords`. */
  static words(): number {
    return wordsAll
  }

  /**
   * Makes an event. One thread does this, before any other attaches.
   *
   * @param at the word where the event begins, a multiple of `lineWords` (32); whatever these words held is overwritten
   * @throws RangeError when the memory is too short
   */
  static create(memory: Memory, options: EventOptions = {}, at = 0): Event {
    const { set = false } = options
    const waiting = waitingOf('Event.create', options)
    requirePlace('Event.create', memory, at, wordsAll)
    writeHeader(memory, at, kind, wordsAll, [])
    // Plain, for `publishHeader` publishes it.
    // Safety: event/attaches
    memory.write(at + changesAt, set ? change : 0)
    publishHeader(memory, at)
    return new Event(memory, at, waiting)
  }

  /**
   * Joins an event that another thread created. Any number of threads may.
   *
   * @throws Error when no event stands there
   */
  static attach(memory: Memory, at = 0, options: WaitOptions = {}): Event {
    const { words } = readHeader('Event.attach', memory, at, kind, 0)
    requireWords('Event.attach', words, wordsAll)
    return new Event(memory, at, waitingOf('Event.attach', options))
  }

  /** Whether it is set now. Wait-free. What was done before the `set` is visible to whoever finds it so. */
  isSet(): boolean {
    // Safety: event/releases
    return (this.memory.load(this.at) & change) !== 0
  }

  /**
   * Sets it: everybody who waits goes on, and nobody need wait until it is reset. Changes nothing if it is set already.
   * Lock-free. A notify is called only when a sleeper is announced.
   *
   * @returns whether this call set it
   */
  set(): boolean {
    return this.changeFrom(0)
  }

  /**
   * Takes it back: from now on threads wait. Changes nothing if it is not set. Lock-free.
   *
   * @returns whether this call took it back
   */
  reset(): boolean {
    return this.changeFrom(change)
  }

  private changeFrom(state: number): boolean {
    const { memory, at } = this
    for (let seen = memory.load(at); (seen & change) === state; ) {
      // What this thread did is visible to whoever sees the change. Takes the announcements along: their threads are woken.
      // The count wraps as the word does.
      // Safety: event/releases, event/notifies-sleepers-only, event/wraps
      const found = memory.compareExchange(at, seen, (seen & ~asleep) + change)
      if (found === seen) {
        if ((seen & asleep) !== 0) memory.notify(at)
        return true
      }
      seen = found
    }
    return false
  }

  /**
   * Waits until it is set, spinning and then sleeping. Blocking. Returns at once where it is set.
   *
   * @param timeoutMs give up after so many milliseconds (0 or less: at once); default: never
   * @returns false when nobody had set it at a last look after that time
   */
  wait(timeoutMs: number = Infinity): boolean {
    requireTimeout('Event.wait', timeoutMs)
    const { memory, at } = this
    // Safety: event/releases
    const first = memory.load(at)
    if ((first & change) !== 0) return true
    const patience = new Patience(memory, timeoutMs, this.waiting)
    // Any change since the first look begins with a `set`, for then it was not set.
    // Safety: event/releases, event/wraps
    for (let seen = first; ((seen ^ first) & ~asleep) === 0; seen = memory.load(at)) {
      if (patience.over) return false
      // Safety: event/wakes, event/times-out
      patience.sleep(at, seen)
    }
    return true
  }
}
