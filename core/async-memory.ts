import { ForwardingMemory } from './forwarding-memory.ts'
import type { Memory, WaitResult } from './memory.ts'
import { requireTimeout } from './require.ts'

/** A memory whose words can be waited for without blocking the thread, as `SharedMemory` and `MappedMemory` are. */
export interface AsyncWaiting {
  /** As `wait`, but answers later. */
  waitAsync(word: number, expected: number, timeoutMs?: number): Promise<WaitResult>
}

/** How long to wait for the outcome of a call, and who may end it. */
export interface CallOptions {
  /** Milliseconds; zero and less mean "do not wait"; default: for ever. */
  readonly timeoutMs?: number
  /** Ends the wait: the promise is rejected with the reason of the signal, and nothing has been done. */
  readonly signal?: AbortSignal
}

/** Where items of one size come from. */
interface Items {
  readonly itemBytes: number
  pop(target: Uint8Array, timeoutMs?: number): boolean
}

/** Where records of any length come from. */
interface Records {
  pop(timeoutMs?: number): Uint8Array | undefined
}

/** Where a call would have slept: on a word, while it holds a value, for so many milliseconds. */
export interface Sleep {
  readonly word: number
  readonly expected: number
  readonly timeoutMs: number
}

/** After so long a call looks again, so that those that were aborted do not stay in the list of sleepers for ever. */
const sliceMs = 1000

/** Thrown through a call where it would sleep. */
class WouldSleep implements Sleep {
  readonly word: number
  readonly expected: number
  readonly timeoutMs: number

  constructor(word: number, expected: number, timeoutMs: number) {
    this.word = word
    this.expected = expected
    this.timeoutMs = timeoutMs
  }
}

/**
 * A memory for the thread of an event loop, which must not block: calls that would sleep are made again when there is something
 * to see.
 *
 * ```ts
 * const memory = new AsyncMemory(new SharedMemory(buffer))
 * const source = Ring.attach(memory).source({ spins: 0 })
 * const found = await memory.call((timeoutMs) => source.pop(item, timeoutMs), { timeoutMs: 1000, signal })
 * for await (const item of memory.items(source)) work(item)        // to the end of the stream
 * ```
 *
 * The structures are as they are: a call runs up to where it would sleep. By then it has announced that it sleeps, so that it
 * will be woken, and has done nothing else, so that it can begin anew. That is so for `push`, `pop` and `popBatch` of `Ring`,
 * `LossyRing` and `WorkRing`, and for `claim`. It is not so for `pushBatch`, which may have pushed a part, nor for the locks: of
 * those that sleep for one, an unlock wakes one only, which must not be one that has given up.
 *
 * Give ends `spins: 0`: who spins on an event loop holds it up. Ends that yield or spin (`WaitOptions.wait`) throw when they would.
 */
export class AsyncMemory extends ForwardingMemory {
  override readonly onEventLoop = true
  private readonly sleeper: AsyncWaiting
  private isCalling = false

  constructor(memory: Memory & AsyncWaiting) {
    super(memory)
    this.sleeper = memory
  }

  /** Blocks the thread, as ever, but not within a call. */
  override wait(word: number, expected: number, timeoutMs: number = Infinity): WaitResult {
    if (!this.isCalling) return super.wait(word, expected, timeoutMs)
    throw new WouldSleep(word, expected, timeoutMs)
  }

  /** Makes a call up to where it would sleep: its result, or that place. */
  attempt<T>(operation: () => T): { readonly result: T } | Sleep {
    this.isCalling = true
    try {
      return { result: operation() }
    } catch (error) {
      if (error instanceof WouldSleep) return error
      throw error
    } finally {
      this.isCalling = false
    }
  }

  /**
   * Makes a call that may sleep, without blocking the thread. The process stays alive until it is done.
   *
   * @param operation a call of a structure on this memory, with the time-out that it is given
   * @returns what the call returned: when the time is over, what it returns then
   * @throws RangeError when the time-out is not a number
   */
  async call<T>(operation: (timeoutMs: number) => T, options: CallOptions = {}): Promise<T> {
    const { timeoutMs = Infinity, signal } = options
    requireTimeout('AsyncMemory.call', timeoutMs)
    const deadline = this.now() + timeoutMs
    for (let left = timeoutMs; ; left = deadline - this.now()) {
      signal?.throwIfAborted()
      // The last look after the time is over is the call's own.
      const outcome = this.attempt(() => operation(left > 0 ? Infinity : 0))
      if ('result' in outcome) return outcome.result
      await this.sleep(outcome, left, signal)
    }
  }

  /**
   * The items that come, to the end of the stream: each in an array of its own. An abort ends it with the signal's reason; no
   * item is lost then.
   *
   * @param from the end of a ring, a work ring, or a record ring, on this memory
   */
  async *items(from: Items | Records, options: Pick<CallOptions, 'signal'> = {}): AsyncGenerator<Uint8Array, void, undefined> {
    if (!('itemBytes' in from)) {
      for (;;) {
        const record = await this.call((timeoutMs) => from.pop(timeoutMs), options)
        if (record === undefined) return
        yield record
      }
    }
    for (;;) {
      const item = new Uint8Array(from.itemBytes)
      if (!(await this.call((timeoutMs) => from.pop(item, timeoutMs), options))) return
      yield item
    }
  }

  private async sleep({ word, expected, timeoutMs }: Sleep, left: number, signal: AbortSignal | undefined): Promise<void> {
    const woken = this.sleeper.waitAsync(word, expected, Math.min(timeoutMs, left, sliceMs))
    // A wait alone does not keep the process alive.
    const alive = setInterval(() => {}, 2 ** 30)
    let abort = () => {}
    const aborted = new Promise<never>((_, reject) => {
      abort = () => reject(signal?.reason)
    })
    signal?.addEventListener('abort', abort)
    try {
      await Promise.race([woken, aborted])
    } finally {
      signal?.removeEventListener('abort', abort)
      clearInterval(alive)
    }
  }
}
