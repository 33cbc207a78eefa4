import type { Memory } from './memory.ts'

/**
 * A position: a counter in one shared word that one owner moves forward and that others read and may sleep on.
 *
 * ```
 *   bit   31 ................... 1   0
 *         position, modulo 2^31      asleep: somebody sleeps, or is about to, until the position moves
 * ```
 *
 * Sleeping works as in Drepper's mutex ("Futexes are tricky", mutex 2), where the word that is waited for also says
 * whether anybody waits. One exchange publishes a position *and* takes the announcements of all sleepers: half the shared
 * operations of a store followed by a load of a separate flag (Dekker's way, as in an event count), and nothing to get
 * out of step. A notify is called exactly when an announcement was taken.
 *
 * No wake-up is lost. A sleeper announces itself by a compare-exchange of the very value that showed it nothing to do, and
 * sleeps only while the word still holds that value with the announcement. The owner's next exchange therefore comes
 * either before the compare-exchange, which then fails; or between it and the wait, which then returns at once; or after
 * the sleeper is in the list, and then it takes the announcement and notifies.
 *
 * No value comes back while a thread stands still between its load and its wait: it would take 2^31 moves, and a
 * position on which somebody waits stays within one capacity (at most 2^29) of that somebody's own.
 *
 * In code a position keeps its place in the word, one item being `positionStep`, so that bit 0 is free and
 * differences wrap by themselves.
 */
export const positionStep = 2

const asleep = 1

/** The word without its announcement. */
export function positionIn(word: number): number {
  return word & ~asleep
}

/** How many items `to` is ahead of `from`, by wrapped difference: from -2^30 to 2^30 - 1. */
export function distance(from: number, to: number): number {
  // The difference of two words wraps as the words do, so that a position may pass the greatest number any time.
  // Safety: ring/wraps
  return ((to - from) | 0) >> 1
}

/**
 * Moves a position. Only its owner may call this. Wait-free. One exchange, and one notify if somebody announced that it
 * sleeps since the last move.
 *
 * @param position the new position, bit 0 clear
 */
export function publishPosition(memory: Memory, word: number, position: number): void {
  // Takes the announcements made on the old position: they belong to this thread now, and the notify pays for them.
  // The partner is the compare-exchange in `sleepUntilMoved`; only the owner clears the bit.
  // Safety: ring/wakes, ring/notifies-sleepers-only
  const old = memory.exchange(word, position)
  if ((old & asleep) !== 0) memory.notify(word)
}

/**
 * Spins, then sleeps, until a position is no longer the one in `seen`. Anybody may call this but the owner. Blocking.
 *
 * @param seen the whole word as the caller last loaded it
 * @param spins how many times to look again before sleeping
 * @param deadline when to give up, on the clock of `memory.now()`; `Infinity` for never
 * @returns false when the time is over. After true the caller looks again: the word changed, or the futex woke by itself
 */
export function sleepUntilMoved(memory: Memory, word: number, seen: number, spins: number, deadline: number): boolean {
  if (timeLeft(memory, deadline) <= 0) return false
  for (let spin = 0; spin < spins; spin++) {
    memory.pause()
    // A hint only: the caller looks again, by the load that its safety rests on.
    if (positionIn(memory.load(word)) !== positionIn(seen)) return true
  }
  const timeoutMs = timeLeft(memory, deadline)
  if (timeoutMs <= 0) return false
  const announced = seen | asleep
  // Announces a sleeper on the position that was seen, or finds that it is no longer there. Another sleeper may have
  // announced itself: one bit speaks for all, since the notify wakes all.
  // Safety: ring/wakes, ring/notifies-sleepers-only
  if (seen !== announced && memory.compareExchange(word, seen, announced) !== seen) return true
  // Sleeps only on the announced position, so that an exchange that has already taken the bit is never slept through.
  // Safety: ring/wakes, ring/times-out
  return memory.wait(word, announced, timeoutMs) !== 'timed-out'
}

/**
 * @param timeoutMs milliseconds from now, `Infinity` for never
 * @returns the deadline for `sleepUntilMoved`
 */
export function deadlineAfter(memory: Memory, timeoutMs: number): number {
  return timeoutMs === Infinity ? Infinity : memory.now() + timeoutMs
}

function timeLeft(memory: Memory, deadline: number): number {
  return deadline === Infinity ? Infinity : deadline - memory.now()
}
