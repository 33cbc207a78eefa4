import type { Memory, WaitResult } from './memory.ts'
import { requireInteger, show } from './require.ts'

/** How to wait. */
export interface WaitOptions {
  /**
   * How many times to look again before sleeping, from 0 on; default 300. They take about 60 us, twice that where the memory
   * gives way (`SharedMemory.giveWay`), and a sleep with its wake-up 5 to 80 us: who sleeps earlier than the other one wakes makes
   * both sleep each time. Where there are more threads than processors, let the memory give way, or choose 0. Whether others
   * live is asked after these looks; who spins asks that, and the clock, after each so many, at least 1.
   */
  readonly spins?: number
  /**
   * What to do then; threads that wait for each other may choose differently.
   *
   * - `'park'` (default): sleep until woken. Costs nothing meanwhile, and the other side a system call for each wake-up.
   * - `'yield'`: sleep for short moments, of 0.1 ms at first and 1 ms later, without telling anybody. The other side does not pay
   *   for it, and what it does is seen a moment later. Costs a few hundredths of a processor.
   * - `'spin'`: look all the time. What the other side does is seen at once. Costs a processor, and so needs one for each thread
   *   that spins: where there are fewer, it keeps the very thread that it waits for from going on.
   */
  readonly wait?: 'park' | 'yield' | 'spin'
}

/** How an end waits, all told. */
export type Waiting = Required<WaitOptions>

const waits: readonly Waiting['wait'][] = ['park', 'yield', 'spin']

/**
 * @param who the first words of errors: `Ring.sink`
 * @throws RangeError when `spins` is no number of looks, or there is no such way to wait
 */
export function waitingOf(who: string, options: WaitOptions): Waiting {
  const { spins = 300, wait = 'park' } = options
  if (!waits.includes(wait)) throw new RangeError(`${who}: wait: expected 'park', 'yield' or 'spin', found ${show(wait)}`)
  requireInteger(`${who}: spins`, spins, wait === 'spin' ? 1 : 0, 2 ** 31 - 1)
  return { spins, wait }
}

/**
 * Bit 0 of a word that threads sleep on: somebody sleeps, or is about to, until the word changes. Whoever makes the change
 * looks at this bit, and calls a notify for it, and otherwise none ("Futexes are tricky", Drepper 2011).
 */
export const asleep = 1

/** How long a sleeper sleeps at most before it looks again, in ms, where threads may die: see `Patience`. */
const sliceMs = 50

/**
 * How long who yields sleeps, in ms: at first, and at most. A sleep of 0.05 ms takes 0.12, since the kernel rounds up, and 0.02
 * of them on a processor, however long it is.
 */
const napMs = 0.05
const napMostMs = 1

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
 * Who yields or spins needs no wake-up. Who yields stands among the sleepers all the same, and where a notify wakes one only
 * may be woken in the place of one that had announced itself. It is one of these from then on, to the end of the call.
 *
 * Where the memory has `liveness`, a thread may die between its change and its notify, and who would change the word may die
 * before it does. Nobody is told. So there sleep goes in slices: after each one the caller looks again, at the word and,
 * where a thread is named in it (`holder.ts`), at whether that one lives.
 */
export class Patience {
  /** The time is over: look once more, then give up. */
  over: boolean
  /** Whether this call announces that it sleeps: it may then be woken alone, in the place of all who have. */
  announces: boolean
  private readonly memory: Memory
  private readonly deadline: number
  private readonly sleepMs: number
  private spins: number
  /** How long the next sleep is at most: 0 for who spins. */
  private sliceMs: number

  /**
   * @param timeoutMs milliseconds; zero and less mean "do not wait", `Infinity` means "for ever"
   * @throws Error when an event loop would be held up
   */
  constructor(memory: Memory, timeoutMs: number, { spins, wait }: Waiting) {
    this.memory = memory
    this.spins = spins
    this.announces = wait === 'park'
    // What was changed by one that died before its notify, or will not be changed by one that is dead, is seen a slice later.
    // Safety: barrier/robust, event/robust, semaphore/robust, waiting/robust
    this.sleepMs = memory.liveness === undefined ? Infinity : sliceMs
    this.sliceMs = wait === 'park' ? this.sleepMs : wait === 'yield' ? napMs : 0
    this.over = timeoutMs <= 0
    this.deadline = timeoutMs === Infinity || this.over ? timeoutMs : memory.now() + timeoutMs
    if (wait !== 'park' && memory.onEventLoop === true) refuseLoop(wait)
  }

  /**
   * Spins, then sleeps, while the word stays as it was seen; looks up earlier for no reason. Blocking.
   *
   * @param seen the whole word as the caller last saw it
   */
  sleep(word: number, seen: number): void {
    if (this.spin(word, seen)) return
    this.rest(word, seen)
  }

  /**
   * The first half of `sleep`, for who has something to ask before it sleeps that costs more than a look: whether somebody lives.
   *
   * @returns whether the word has changed. A hint only: the caller looks again, by the load that its safety rests on
   */
  spin(word: number, seen: number): boolean {
    const { memory } = this
    const looks = this.over ? 0 : this.spins
    for (let look = 0; look < looks; look++) {
      memory.pause()
      if (((memory.load(word) ^ seen) & ~asleep) !== 0) return true
    }
    return false
  }

  /** The second half of `sleep`. */
  rest(word: number, seen: number): void {
    const { memory } = this
    const announced = this.announces ? seen | asleep : seen
    // One bit speaks for all sleepers. It is set before the clock is asked, for where a notify wakes only one, that one must
    // leave the others announced when it gives up.
    // Safety: mutex/wakes, waiting/silent
    if (seen !== announced && memory.compareExchange(word, seen, announced) !== seen) return
    // Safety: waiting/times-out
    const left = this.deadline === Infinity ? Infinity : this.deadline - memory.now()
    if (left > 0) {
      if (this.sliceMs === 0) return // Spins: the caller looks again, at all that it waits for.
      const slice = Math.min(left, this.sliceMs)
      // Sleeps only on the announced word, so that a change which has already taken the bit is never slept through.
      // Safety: mutex/wakes, mutex/times-out
      const result = memory.wait(word, announced, slice)
      if (!this.announces) this.napped(result)
      if (result !== 'timed-out' || slice < left) return
    }
    this.over = true
  }

  /** Called by who yields, after each sleep. */
  private napped(result: WaitResult): void {
    this.spins = 0
    if (result === 'timed-out') this.sliceMs = Math.min(2 * this.sliceMs, napMostMs)
    if (result !== 'ok') return
    // A notify was meant for one that had announced itself, and took the announcements of all along: now they rely on this
    // thread.
    // Safety: waiting/wakes
    this.announces = true
    this.sliceMs = this.sleepMs
  }
}

function refuseLoop(wait: Waiting['wait']): never {
  throw new Error(`wait: '${wait}' would hold up the event loop of this memory; give the end the default, 'park'`)
}
