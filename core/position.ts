import type { Memory } from './memory.ts'
import { asleep } from './patience.ts'

/**
 * A position: a counter in one shared word that one owner moves forward and that others read and may sleep on
 * (`patience.ts`).
 *
 * ```
 *   bit   31 ................... 2   1        0
 *         position, modulo 2^30      closed   asleep: somebody sleeps, or is about to, until the word changes
 * ```
 *
 * One exchange publishes a position *and* takes the announcements of all sleepers: half the shared operations of a store
 * followed by a load of a separate flag (Dekker's way, as in an event count), and nothing to get out of step. A notify is
 * called exactly when an announcement was taken. That the owner is done, and where, is in the same word, so that nobody
 * sees the one without the other.
 *
 * No value comes back while a thread stands still between its load and its wait: it would take 2^30 moves, and a
 * position on which somebody waits stays within one capacity (at most 2^28) of that somebody's own.
 *
 * In code a position keeps its place in the word, one item being `positionStep`, so that the two flags are free and
 * differences wrap by themselves.
 */
export const positionStep = 4

const closed = 2

/** The word without its flags. */
export function positionIn(word: number): number {
  return word & -positionStep
}

/** Whether the owner closed its end, or somebody did that for an owner who died. */
export function isClosed(word: number): boolean {
  return (word & closed) !== 0
}

/** The word with the flag that says so. */
export function withClosed(word: number): number {
  return word | closed
}

/** Which item a position stands for, counted from 0, modulo 2^30. */
export function itemAt(position: number): number {
  return position >>> 2
}

/** The position so many items later, or earlier where that is negative. */
export function positionAfter(position: number, items: number): number {
  return (position + items * positionStep) | 0
}

/** How many items `to` is ahead of `from`, by wrapped difference: from -2^29 to 2^29 - 1. */
export function distance(from: number, to: number): number {
  // The difference of two words wraps as the words do, so that a position may pass the greatest number any time.
  // Safety: ring/wraps
  return ((to - from) | 0) >> 2
}

/**
 * Moves a position. Only its owner may call this. Wait-free. One exchange, and one notify if somebody announced that it
 * sleeps since the last move.
 *
 * @param position the new position; `withClosed` if it is the owner's last
 */
export function publishPosition(memory: Memory, word: number, position: number): void {
  // Takes the announcements made on the old position: they belong to this thread now, and the notify pays for them.
  // The partner is the compare-exchange in `Patience.rest`; only the owner clears the bit.
  // Safety: ring/wakes, ring/notifies-sleepers-only
  const old = memory.exchange(word, position)
  if ((old & asleep) !== 0) memory.notify(word)
}
