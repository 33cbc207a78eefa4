import { doneWord, lostWord, nobody, take, wordOfSelf } from './holder.ts'
import { fourLetters, lineWords, publishHeader, readHeader, requirePlace, requireWords, writeHeader } from './layout.ts'
import type { Memory } from './memory.ts'
import { asleep, Patience, type Waiting, type WaitOptions, waitingOf } from './patience.ts'
import { requireTimeout } from './require.ts'

/**
 * Something that is done once, by whoever comes first, while the others wait for it.
 *
 * As `pthread_once` and Rust's `Once::call_once_force`: one word, which names the thread that runs (`holder.ts`) and at last
 * says that it is done. If the runner throws or dies, the next one runs again and is told.
 *
 * ```
 *   word
 *   0       header
 *   32      the runner, or done; and whether somebody sleeps
 * ```
 */

/**
 * - `'ran'`: the caller did it.
 * - `'done'`: it is done; somebody else did it, now or long ago.
 * - `'timed-out'`: somebody else is at it.
 */
export type OnceResult = 'ran' | 'done' | 'timed-out'

const kind = fourLetters('ONCE')
const runnerAt = lineWords
const wordsAll = 2 * lineWords

/**
 * The once as one thread sees it.
 *
 * ```ts
 * once.run(() => fill(table))
 * use(table)
 * ```
 */
export class Once {
  private readonly memory: Memory
  private readonly at: number
  private readonly self: number
  private readonly waiting: Waiting
  private running = false

  private constructor(who: string, memory: Memory, at: number, options: WaitOptions) {
    this.memory = memory
    this.at = at + runnerAt
    this.self = wordOfSelf(who, memory)
    this.waiting = waitingOf(who, options)
  }

  /** How many words a once takes: a multiple of `lineWords`. */
  static words(): number {
    return wordsAll
  }

  /**
   * Makes a once that is not done. One thread does this, before any other attaches.
   *
   * @param at the word where the once begins, a multiple of `lineWords` (32); whatever these words held is overwritten
   * @throws RangeError when the memory is too short
   */
  static create(memory: Memory, options: WaitOptions = {}, at = 0): Once {
    requirePlace('Once.create', memory, at, wordsAll)
    const once = new Once('Once.create', memory, at, options)
    writeHeader(memory, at, kind, wordsAll, [])
    // Plain, for `publishHeader` publishes it.
    // Safety: once/attaches
    memory.write(once.at, nobody)
    publishHeader(memory, at)
    return once
  }

  /**
   * Joins a once that another thread created. Any number of threads may.
   *
   * @throws Error when no once stands there
   */
  static attach(memory: Memory, at = 0, options: WaitOptions = {}): Once {
    const { words } = readHeader('Once.attach', memory, at, kind, 0)
    requireWords('Once.attach', words, wordsAll)
    return new Once('Once.attach', memory, at, options)
  }

  /** Whether it is done. Wait-free. What the runner did is visible to whoever finds it so. */
  isDone(): boolean {
    // Safety: once/runs-once
    return this.memory.load(this.at) === doneWord
  }

  /** Runs the body if it is not done and nobody living is at it. Does not wait for others. */
  tryRun(body: (again: boolean) => void): 'ran' | 'done' | 'busy' {
    const result = this.run(body, 0)
    return result === 'timed-out' ? 'busy' : result
  }

  /**
   * Sees to it that the body has been run: by this thread, or by another one, for which this one waits, spinning and then
   * sleeping. Blocking. One load where it is done.
   *
   * What the body throws, this throws, and the next thread runs the body.
   *
   * @param body synchronous; is told whether an earlier run did not finish (its thread died, or it threw): then what it should do may be
   * half-done, or done, for its thread may have died just before it could say so
   * @param timeoutMs wait for others so many milliseconds at most (0 or less: not at all); default: for ever
   * @throws Error when called by the body
   */
  run(body: (again: boolean) => void, timeoutMs: number = Infinity): OnceResult {
    requireTimeout('Once.run', timeoutMs)
    if (this.running) throw new Error('Once.run: called by the body that it runs')
    const { memory, at, self } = this
    let patience: Patience | undefined
    // Safety: once/runs-once
    if (memory.load(at) === doneWord) return 'done'
    for (;;) {
      // One thread at a time runs the body: who came first, or who replaces it. Done stays done.
      // Safety: once/runs-once, once/robust
      const taken = take(memory, at, self)
      if (typeof taken === 'string') {
        this.perform(body, taken === 'abandoned')
        return 'ran'
      }
      if (taken === doneWord) return 'done'
      patience ??= new Patience(memory, timeoutMs, this.waiting)
      if (patience.over) return 'timed-out'
      // Safety: once/wakes, once/times-out
      patience.sleep(at, taken)
    }
  }

  private perform(body: (again: boolean) => void, again: boolean): void {
    let next = lostWord
    this.running = true
    try {
      body(again)
      next = doneWord
    } finally {
      this.running = false
      // What the body did is visible to whoever sees this. Takes the announcements along: all are woken.
      // Safety: once/runs-once, once/wakes, once/notifies-sleepers-only
      const old = this.memory.exchange(this.at, next)
      if ((old & asleep) !== 0) this.memory.notify(this.at)
    }
  }
}
