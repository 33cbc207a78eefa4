import { lineWords } from './layout.ts'
import type { WaitResult } from './memory.ts'
import { libc } from './node-libc.ts'
import { bellsAt } from './node-mapped-file.ts'

/**
 * Sleeping on a word of a mapped file until somebody notifies, in whatever process.
 *
 * The kernel keeps the sleepers (a futex on the shared page). A thread inside a system call can be neither ended nor told
 * that somebody died, so nobody sleeps longer than a slice, and a notify that comes between two slices would be lost.
 * Therefore each word has a bell in the control part of the file: who finds that its bell was rung since it came does not
 * sleep again. Many words share one bell, so that a wait may end for no reason, as with any futex.
 *
 * Beside each bell stands how many sleep: where nobody does, a notify is one load and no system call. A sleeper that was
 * killed stays counted; later notifies then make the system call for nothing, and that is all.
 */
const bells = 64
const bellOf = (word: number): number => bellsAt + lineWords * ((word ^ (word >>> 5) ^ (word >>> 11)) & (bells - 1))
const sleepersOf = (bell: number): number => bell + 1

/** No longer than this does a thread stay in the kernel. */
const sliceMs = 50

const countMax = 2 ** 31 - 1

/**
 * As `Memory.wait`.
 *
 * @param control the control part of the file
 * @param words the words of the memory, the first of which lies at `address`
 * @param isOver asked between slices: true ends the wait with `'ok'`
 */
export function sleep(
  control: Int32Array,
  words: Int32Array,
  address: number,
  word: number,
  expected: number,
  timeoutMs: number | undefined,
  isOver: () => boolean,
): WaitResult {
  const value = expected | 0
  if (Atomics.load(words, word) !== value) return 'not-equal'
  // As `Atomics.wait` reads it: not a number means for ever.
  const timeout = Number.isNaN(Number(timeoutMs)) ? Infinity : Number(timeoutMs)
  if (timeout <= 0) return 'timed-out'
  const deadline = performance.now() + timeout
  const bell = bellOf(word)
  const rung = Atomics.load(control, bell)
  // Who notifies after this addition sees a sleeper; who did before has stored its value before, and the kernel, which
  // compares the word while nobody can notify, sees that one.
  Atomics.add(control, sleepersOf(bell), 1)
  try {
    for (let result: WaitResult = 'not-equal', left = timeout; left > 0; result = 'ok', left = deadline - performance.now()) {
      const how = libc().futexWait(address + 4 * word, value, Math.min(left, sliceMs))
      if (how === 'woken') return 'ok'
      if (how === 'different') return result
      if (Atomics.load(control, bell) !== rung || isOver()) return 'ok'
    }
    return 'timed-out'
  } finally {
    Atomics.sub(control, sleepersOf(bell), 1)
  }
}

/** As `sleep`, but the thread goes on: another one sleeps, of the few that Node has for files and the like. */
export async function sleepAsync(
  control: Int32Array,
  words: Int32Array,
  address: number,
  word: number,
  expected: number,
  timeoutMs: number | undefined,
  isOver: () => boolean,
): Promise<WaitResult> {
  const value = expected | 0
  if (Atomics.load(words, word) !== value) return 'not-equal'
  const timeout = Number.isNaN(Number(timeoutMs)) ? Infinity : Number(timeoutMs)
  const deadline = performance.now() + timeout
  const bell = bellOf(word)
  const rung = Atomics.load(control, bell)
  // As in `sleep`.
  Atomics.add(control, sleepersOf(bell), 1)
  try {
    for (let left = timeout; left > 0; left = deadline - performance.now()) {
      if (await libc().futexWaitAsync(address + 4 * word, value, Math.min(left, sliceMs))) return 'ok'
      if (isOver() || Atomics.load(control, bell) !== rung || Atomics.load(words, word) !== value) return 'ok'
    }
    return 'timed-out'
  } finally {
    Atomics.sub(control, sleepersOf(bell), 1)
  }
}

/** As `Memory.notify`. */
export function wake(control: Int32Array, address: number, word: number, count: number = Infinity): number {
  const most = Math.min(Math.max(Math.trunc(count) || 0, 0), countMax)
  const bell = bellOf(word)
  if (most === 0 || Atomics.load(control, sleepersOf(bell)) === 0) return 0
  Atomics.add(control, bell, 1)
  return libc().futexWake(address + 4 * word, most)
}
