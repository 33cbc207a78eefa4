import type { Memory } from './memory.ts'
import { asleep } from './patience.ts'
import { requireInteger } from './require.ts'

/**
 * A word that says which thread holds something.
 *
 * ```
 *   bit   31 ................... 1   0
 *         holder                     asleep: see `patience.ts`
 * ```
 *
 * The holder is 0 for nobody; 1 + the participant's number, where the memory has `liveness`; anonymous where it has none;
 * and lost where whoever held it last said that it could not finish.
 *
 * A holder that is lost, or that has died, is replaced by a compare-exchange of the word that names it: by exactly one
 * thread, for a participant that is dead never comes back, and neither does its number. The one that replaces it is the
 * holder from then on, and can be replaced in turn if it dies as well. (As robust mutexes: POSIX.1-2008,
 * `pthread_mutexattr_setrobust`.)
 */
export const nobody = 0

const anonymous = 0x7fffffff
const lost = 0x7ffffffe
const done = 0x7ffffffd
const participantMax = done - 2

/** The word in which the holder is lost, and nobody sleeps. */
export const lostWord: number = lost << 1

/** A word that names no holder and never will: what was to be done is done. */
export const doneWord: number = done << 1

/**
 * The word in which the calling thread is the holder and nobody sleeps.
 *
 * @param who the first words of errors
 * @throws RangeError when the number of the participant does not fit
 */
export function wordOfSelf(who: string, memory: Memory): number {
  const self = memory.liveness?.self
  if (self === undefined) return anonymous << 1
  requireInteger(`${who}: participant`, self, 0, participantMax)
  return (self + 1) << 1
}

/** Whether there is a holder, and it will never finish. Costs one look at a life, where the word names one. */
export function isLost(memory: Memory, word: number): boolean {
  const holder = word >>> 1
  const { liveness } = memory
  if (holder === nobody || holder >= done || liveness === undefined) return holder === lost
  // False is final, and everything that the dead one did is visible to whoever sees it.
  // Safety: mutex/robust
  return !liveness.alive(holder - 1)
}

/** Whether the word names a holder that is dead. Costs no look at the word where the memory cannot tell who lives. */
export function isAbandoned(memory: Memory, at: number): boolean {
  if (memory.liveness === undefined) return false
  const word = memory.load(at)
  return isLost(memory, word)
}

/**
 * Makes the calling thread the holder, unless somebody living is. Lock-free.
 *
 * @param self the word to put there: `wordOfSelf`, with or without the announcement
 * @returns whose place it took: nobody's (`'acquired'`), or that of one that is lost (`'abandoned'`); else the word as it
 * was found, held by somebody living
 */
export function take(memory: Memory, at: number, self: number): 'acquired' | 'abandoned' | number {
  // A guess, and the likeliest: the compare-exchange is the look.
  let word = nobody
  while (word === nobody || isLost(memory, word)) {
    // What is held is the thread's that turned this very word into its own. Who is lost never changes its word; sleepers may
    // announce themselves in it, and stay announced.
    // Safety: mutex/excludes, mutex/robust, mutex/wakes
    const found = memory.compareExchange(at, word, self | (word & asleep))
    if (found === word) return word === nobody ? 'acquired' : 'abandoned'
    word = found
  }
  return word
}
