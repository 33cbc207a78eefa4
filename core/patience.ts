import type { Memory } from './memory.ts'
import { requireInteger } from './require.ts'

/** How to wait. */
export interface WaitOptions {
  /**
   * How many times to look again before sleeping, from 0 on; default 300. They take about 60 us, and a sleep with its wake-up
   * 5 to 80 us: who sleeps earlier than the other one wakes makes both sleep each time. Choose 0 where there are more threads
   * than processors.
   */
  readonly spins?: number
}

/** How an end waits, all told. */
export type Waiting = Required<WaitOptions>

/**
 * @param who the first words of errors: `Ring.sink`
 * @throws RangeError when `spins` is no number of looks
 */
export function waitingOf(who: string, options: WaitOptions): Waiting {
  const { spins = 300 } = options
  requireInteger(`${who}: spins`, spins, 0, 2 ** 31 - 1)
  return { spins }
}

/**
 * Bit 0 of a word that threads sleep on: somebody sleeps, or is about to, until the word changes. Whoever makes the change
 * looks at this bit, and calls a notify for it, and otherwise none ("Futexes are tricky", Drepper 2011).
 */
export const asleep = 1

/** How long a sleeper sleeps at most before it looks again, in ms, where threads may die: see `Patience`. */
const sliceMs = 50

/**
 * How one call waits: for how long, and how. Made when the first look showed that there is something to wait for.
 *
 * ```ts
 * const patience = new Patience(memory, timeoutMs, waiting)
 * for (let seen = memory.load(at); !fine(seen); seen = memory.load(at)) {
 *   if (patience.over) return false
 *   patience.sleep(at, seen)
 * }
 * ```
 *
 * After the time is over the caller so looks once more: what came in time is never missed.
 *
 * No wake-up is lost. A sleeper announces itself by a compare-exchange of the very word that showed it nothing to do, and
 * sleeps only while the word still holds that with the announcement. So a change comes before the compare-exchange, which then
 * fails; or before the wait, which then returns at once; or it finds the announcement, and notifies.
 *
 * Where the memory has `liveness`, a thread may die between its change and its notify, and who would change the word may die
 * before it does. Nobody is told. So there sleep goes in slices: after each one the caller looks again, at the word and,
 * where a thread is named in it (`holder.ts`), at whether that one lives.
 */
export class Patience {
  /** The time is over: look once more, then give up. */
  over: boolean
  private readonly memory: Memory
  private readonly waiting: Waiting
  private readonly sliceMs: number
  private readonly deadline: number

  /** @param timeoutMs milliseconds; zero and less mean "do not wait", `Infinity` means "for ever" */
  constructor(memory: Memory, timeoutMs: number, waiting: Waiting) {
    this.memory = memory
    this.waiting = waiting
    // What was changed by one that died before its notify, or will not be changed by one that is dead, is seen a slice later.
    // Safety: barrier/robust, event/robust, semaphore/robust
    this.sliceMs = memory.liveness === undefined ? Infinity : sliceMs
    this.over = timeoutMs <= 0
    this.deadline = timeoutMs === Infinity || this.over ? timeoutMs : memory.now() + timeoutMs
  }

  /**
   * Spins, then sleeps, while the word stays as it was seen; looks up earlier for no reason. Blocking.
   *
   * @param seen the whole word as the caller last saw it
   */
  sleep(word: number, seen: number): void {
    const { memory } = this
    for (let spin = 0; spin < this.waiting.spins; spin++) {
      memory.pause()
      // A hint only: the caller looks again, by the load that its safety rests on.
      if (((memory.load(word) ^ seen) & ~asleep) !== 0) return
    }
    const announced = seen | asleep
    // One bit speaks for all sleepers. It is set before the clock is asked, for where a notify wakes only one, that one must
    // leave the others announced when it gives up.
    // Safety: mutex/wakes
    if (seen !== announced && memory.compareExchange(word, seen, announced) !== seen) return
    const left = this.deadline === Infinity ? Infinity : this.deadline - memory.now()
    if (left > 0) {
      const slice = Math.min(left, this.sliceMs)
      // Sleeps only on the announced word, so that a change which has already taken the bit is never slept through.
      // Safety: mutex/wakes, mutex/times-out
      if (memory.wait(word, announced, slice) !== 'timed-out' || slice < left) return
    }
    this.over = true
  }
}
