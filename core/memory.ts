/**
 * The one door to shared state.
 *
 * Every structure in Heddle is ordinary synchronous code written against `Memory` and nothing else, so that the very
 * same compiled functions run on a real `SharedArrayBuffer` in production and in the checker, which answers each call
 * from a simulated memory and takes the calling threads through every distinct interleaving.
 */

/** What a blocked `wait` came back with. A caller re-tests its condition after `'ok'`: a futex may wake for no reason. */
export type WaitResult = 'ok' | 'not-equal' | 'timed-out'

/**
 * Shared 32-bit words.
 *
 * Values are signed 32-bit integers; operands are converted as `Int32Array` converts them. `word` is a word index (not a
 * byte offset) from 0 to `words - 1`; `byte` is a byte offset from 0 to `4 * words`. An index that is not an integer in
 * that range throws a `RangeError`, in production too: a stray index must never touch a neighbour.
 *
 * Any thread may call anything. Every operation but `wait` is wait-free. Wrappers extend `ForwardingMemory`.
 */
export interface Memory {
  /** How many 32-bit words there are. */
  readonly words: number

  // SeqCst operations: each takes effect at once, in one order that all threads agree on, as `Atomics` on an `Int32Array`.

  load(word: number): number
  store(word: number, value: number): void
  /** Adds, wrapping at 32 bits, and returns the old value; so do the five operations that follow. */
  add(word: number, value: number): number
  sub(word: number, value: number): number
  and(word: number, value: number): number
  or(word: number, value: number): number
  xor(word: number, value: number): number
  exchange(word: number, value: number): number
  /** Stores `replacement` if the word holds `expected`. Returns the old value: it equals `expected` when the store happened. */
  compareExchange(word: number, expected: number, replacement: number): number

  /**
   * Sleeps while the word holds `expected`, until a `notify` of that word or until `timeoutMs` milliseconds are over
   * (default: for ever). `'not-equal'` when the word held another value at the call. Blocks the calling thread; the main
   * thread of a browser page may not block, and gets a `TypeError`.
   */
  wait(word: number, expected: number, timeoutMs?: number): WaitResult
  /** Wakes up to `count` (default: all) threads that sleep on the word, in the order they fell asleep. Returns how many. */
  notify(word: number, count?: number): number
  /** Ends a spin iteration: a hint in production; in the checker the place where a thread that can only spin parks. */
  pause(): void

  // Unordered operations: plain accesses. They must be free of data races, and the checker proves that they are.

  read(word: number): number
  write(word: number, value: number): void
  /**
   * Copies `target.length` bytes out, starting at offset `byte`. Bytes are little-endian with the words. `target` must not
   * lie in the memory itself.
   */
  readBytes(byte: number, target: Uint8Array): void
  /** Copies all of `source` in, starting at offset `byte`. `source` must not lie in the memory itself. */
  writeBytes(byte: number, source: Uint8Array): void

  // Guesses: plain reads that others may write under. What was copied is nothing, until it is known that nobody did.

  /**
   * Copies as `readBytes` does, but may race with writers. What is in `target` then is undefined, and it must be left alone,
   * until `settle`. Several guesses may be settled at once.
   */
  guessBytes(byte: number, target: Uint8Array): void
  /**
   * Ends all guesses that this thread has made since it last settled. `settle(true)` claims that each write to those bytes
   * happens before the guess or after it, which the checker proves: the targets now hold what was written before. After
   * `settle(false)` they hold nothing.
   *
   * To have found a version unchanged by a `load` proves nothing: a read is not ordered before what a later writer does. By a
   * read-modify-write it does, if who writes the bytes first does a read-modify-write of the same word: that one reads from
   * the guesser's, or the guesser's shows it.
   *
   * ```ts
   * const version = memory.load(at)                       // the writer: memory.exchange(at, writing)
   * memory.guessBytes(byte, target)                       //             memory.writeBytes(byte, item)
   * const valid = memory.add(at, 0) === version           //             memory.store(at, version + 1)
   * memory.settle(valid)
   * ```
   */
  settle(valid: boolean): void

  /** Milliseconds from an arbitrary start, never going back. Only for computing timeouts; constant in the checker. */
  now(): number

  /** Set where the thread has an event loop that must not be held up: ends that yield or spin are refused (`WaitOptions.wait`). */
  readonly onEventLoop?: boolean
  /** Who else is alive, where the memory can tell. `alive` returning false is final. */
  readonly liveness?: { readonly self: number; alive(participant: number): boolean }
  /** How to make bytes durable, where the memory is on a disk. `flush` returns when they are there. */
  readonly durability?: { flush(byte: number, length: number): void }
}
