import { ArrayWords, type AtomicWords } from './atomic-words.ts'
import type { Memory, WaitResult } from './memory.ts'
import { requireInteger, show } from './require.ts'
import { type WasmMemory, wasmWords } from './wasm-words.ts'
import { copyWords, WordView } from './word-view.ts'

/**
 * Where copying changes its way, in bytes; `test/bench/memory.ts` shows the costs about these sizes (chosen on Node 20). A
 * loop is the cheapest for few words or bytes. `TypedArray.prototype.set` costs the same for all small sizes, but reading
 * needs a view of the part that is read, which costs as much again.
 */
const wordReadBytes = 128
const wordWriteBytes = 64
const byteReadBytes = 32
const byteWriteBytes = 23

const wordsMax = 2 ** 32

/** ECMAScript 2024. */
type WaitAsync = (
  words: Int32Array,
  word: number,
  expected: number,
  timeoutMs?: number,
) => { readonly value: WaitResult | Promise<WaitResult> }
const waitAsync: WaitAsync =
  (Atomics as { waitAsync?: WaitAsync }).waitAsync ??
  (() => {
    throw new Error('SharedMemory: this host has no Atomics.waitAsync; block in a worker instead')
  })

/** `Atomics.pause` where the engine has it (2025 and later), nothing elsewhere. */
const atomicsPause = (Atomics as { pause?: () => void }).pause
const pauseHint: () => void = atomicsPause ?? (() => {})

/**
 * So many make a pause of about 200 ns. Who looks at a word all the time takes its line away, each time, from the processor that
 * is about to change it: two threads that hand single items over, and wait for each other, are half as fast again with this.
 */
const hints = atomicsPause === undefined ? 200 : 6

/**
 * `Memory` over a `SharedArrayBuffer`: what the threads of one process use in production.
 *
 * ```ts
 * const memory = new SharedMemory(1024)                    // 1024 words, all zero
 * worker.postMessage(memory.buffer)                        // in the worker: new SharedMemory(buffer)
 * ```
 *
 * Any number of threads may stand on one buffer, each with a `SharedMemory` of its own. Every operation is wait-free,
 * except `wait`. The last array that was copied from, and the last that was copied to, are kept: copying is faster for an
 * array that comes again. There is one class over a `SharedArrayBuffer`, and `MappedMemory`, which inherits its methods:
 * engines inline them only while one class is seen at a call, and cost is then that of the bare `Atomics`.
 *
 * On a `WebAssembly.Memory` atomic operations are faster than `Atomics`, those of a lock about 1.4 times:
 *
 * ```ts
 * const pages = Math.ceil(words / 16384)                   // of 64 KiB
 * const shared = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true })
 * const memory = new SharedMemory(shared)
 * worker.postMessage(shared)                               // in the worker: new SharedMemory(shared)
 * ```
 *
 * Each such memory reserves gigabytes of addresses (not of memory): have a few in a process, not hundreds. In a page whose
 * Content-Security-Policy lacks `'wasm-unsafe-eval'` it is as fast as a buffer. Threads on the plain `shared.buffer` may be among
 * them.
 */
export class SharedMemory implements Memory {
  /** The buffer underneath: post this one to other threads. */
  readonly buffer: SharedArrayBuffer
  /** Where word 0 lies in the buffer, in bytes. */
  readonly byteOffset: number
  readonly words: number
  /** Who is alive, where somebody keeps a `Roster`: set it before anything attaches to this memory. */
  liveness?: NonNullable<Memory['liveness']>
  /**
   * Lets another thread run. Where it is set, `pause` is that: where there are more threads than processors, who spins so lets
   * those go on that it waits for. `heddle/node` has one (`sched_yield`, 0.4 us where nobody else wants the processor), and every
   * `MappedMemory`.
   */
  giveWay?: () => void
  // All replaced by `MappedMemory` when its file grows or is closed.
  /** The bytes of `buffer`, perhaps at other addresses: what the arrays are made over. */
  protected plain: SharedArrayBuffer
  protected int32: Int32Array
  protected bytes: Uint8Array
  protected atomics: AtomicWords
  private readonly targetWords = new WordView()
  private readonly sourceWords = new WordView()

  /**
   * @param source the number of 32-bit words of a new buffer (a positive integer), or a buffer or shared `WebAssembly.Memory`
   * that exists, such as one that another thread posted. What can grow is taken at its present length
   * @param byteOffset where to begin in a buffer that exists: a multiple of 4, default 0, and 0 in a `WebAssembly.Memory`
   * @param words how many words of it to use, default as many whole words as there are
   * @throws RangeError when the part lies outside the buffer or is not aligned
   */
  constructor(source: number | SharedArrayBuffer | WasmMemory, byteOffset = 0, words?: number) {
    requireLittleEndian(hostIsLittleEndian)
    if (typeof SharedArrayBuffer === 'undefined') {
      throw new Error(
        'SharedMemory: this host has no SharedArrayBuffer; in a browser, serve the page with the headers ' +
          'Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp',
      )
    }
    if (typeof source === 'number') {
      requireInteger('SharedMemory: words', source, 1, wordsMax)
      if (byteOffset !== 0 || words !== undefined) {
        throw new TypeError('SharedMemory: byteOffset and words belong to a buffer that exists, not to a new one')
      }
      this.buffer = new SharedArrayBuffer(4 * source)
      this.words = source
    } else {
      const buffer = isWasmMemory(source) ? source.buffer : source
      // By tag and not by `instanceof`: a buffer of another realm (a frame, a `node:vm` context) is as good.
      if (tagOf(buffer) !== 'SharedArrayBuffer') {
        const what = buffer === source ? show(source) : 'a WebAssembly.Memory that is not shared'
        throw new TypeError(`SharedMemory: expected a number of words or a SharedArrayBuffer, found ${what}`)
      }
      const { byteLength } = buffer
      requireInteger('SharedMemory: byteOffset', byteOffset, 0, buffer === source ? byteLength : 0)
      if (byteOffset % 4 !== 0) throw new RangeError(`SharedMemory: byteOffset ${byteOffset} is not a multiple of 4`)
      const wordsThere = Math.floor((byteLength - byteOffset) / 4)
      if (wordsThere === 0) {
        throw new RangeError(`SharedMemory: no word fits into ${byteLength} bytes from byteOffset ${byteOffset} on`)
      }
      this.words = words ?? wordsThere
      requireInteger('SharedMemory: words', this.words, 1, wordsThere)
      this.buffer = buffer as SharedArrayBuffer
    }
    this.byteOffset = byteOffset
    this.plain = this.buffer
    // Views of explicit length: those that track the length of a growable buffer are several times slower.
    this.int32 = new Int32Array(this.buffer, byteOffset, this.words)
    this.bytes = new Uint8Array(this.buffer, byteOffset, 4 * this.words)
    this.atomics = (isWasmMemory(source) ? wasmWords(source) : undefined) ?? new ArrayWords(this.int32)
  }

  load(word: number): number {
    if (word >>> 0 !== word || word >= this.words) this.refuseWord(word)
    return this.atomics.load(word)
  }

  store(word: number, value: number): void {
    if (word >>> 0 !== word || word >= this.words) this.refuseWord(word)
    this.atomics.store(word, value)
  }

  add(word: number, value: number): number {
    if (word >>> 0 !== word || word >= this.words) this.refuseWord(word)
    return this.atomics.add(word, value)
  }

  sub(word: number, value: number): number {
    if (word >>> 0 !== word || word >= this.words) this.refuseWord(word)
    return this.atomics.sub(word, value)
  }

  and(word: number, value: number): number {
    if (word >>> 0 !== word || word >= this.words) this.refuseWord(word)
    return this.atomics.and(word, value)
  }

  or(word: number, value: number): number {
    if (word >>> 0 !== word || word >= this.words) this.refuseWord(word)
    return this.atomics.or(word, value)
  }

  xor(word: number, value: number): number {
    if (word >>> 0 !== word || word >= this.words) this.refuseWord(word)
    return this.atomics.xor(word, value)
  }

  exchange(word: number, value: number): number {
    if (word >>> 0 !== word || word >= this.words) this.refuseWord(word)
    return this.atomics.exchange(word, value)
  }

  compareExchange(word: number, expected: number, replacement: number): number {
    if (word >>> 0 !== word || word >= this.words) this.refuseWord(word)
    return this.atomics.compareExchange(word, expected, replacement)
  }

  /**
   * Blocks the calling thread. The main thread of a browser page may not block: there this throws a `TypeError`, whatever
   * the word holds (so do service workers and worklets). Workers may, and so may Node's main thread, whose event loop
   * then stands still.
   */
  wait(word: number, expected: number, timeoutMs?: number): WaitResult {
    if (word >>> 0 !== word || word >= this.words) this.refuseWord(word)
    return Atomics.wait(this.int32, word, expected, timeoutMs)
  }

  /** As `wait`, but does not block, and answers later. Does not keep a process alive. */
  waitAsync(word: number, expected: number, timeoutMs?: number): Promise<WaitResult> {
    if (word >>> 0 !== word || word >= this.words) this.refuseWord(word)
    return Promise.resolve(waitAsync(this.int32, word, expected, timeoutMs).value)
  }

  notify(word: number, count?: number): number {
    if (word >>> 0 !== word || word >= this.words) this.refuseWord(word)
    return Atomics.notify(this.int32, word, count)
  }

  pause(): void {
    if (this.giveWay !== undefined) this.giveWay()
    else for (let hint = 0; hint < hints; hint++) pauseHint()
  }

  read(word: number): number {
    if (word >>> 0 !== word || word >= this.words) this.refuseWord(word)
    return this.int32[word] as number
  }

  write(word: number, value: number): void {
    if (word >>> 0 !== word || word >= this.words) this.refuseWord(word)
    this.int32[word] = value
  }

  readBytes(byte: number, target: Uint8Array): void {
    const length = target.length
    if (!Number.isInteger(byte) || byte < 0 || byte + length > this.bytes.length) this.refuseBytes(byte, length)
    const word = byte >>> 2
    // Not so for an unaligned offset, nor for one of 2^32 and more.
    if (length <= wordReadBytes && 4 * word === byte) {
      const words = this.targetWords.over(target)
      if (4 * words.length === length) {
        copyWords(this.int32, word, words, 0, words.length)
        return
      }
    }
    if (length > byteReadBytes) {
      // Costs less than `subarray`, which looks for a species.
      target.set(new Uint8Array(this.plain, this.byteOffset + byte, length))
    } else {
      const { bytes } = this
      for (let i = 0; i < length; i++) target[i] = bytes[byte + i] as number
    }
  }

  writeBytes(byte: number, source: Uint8Array): void {
    const length = source.length
    if (!Number.isInteger(byte) || byte < 0 || byte + length > this.bytes.length) this.refuseBytes(byte, length)
    const { bytes } = this
    const word = byte >>> 2
    if (length <= wordWriteBytes && 4 * word === byte) {
      const words = this.sourceWords.over(source)
      if (4 * words.length === length) {
        copyWords(words, 0, this.int32, word, words.length)
        return
      }
    }
    if (length > byteWriteBytes) {
      bytes.set(source, byte)
    } else {
      for (let i = 0; i < length; i++) bytes[byte + i] = source[i] as number
    }
  }

  guessBytes(byte: number, target: Uint8Array): void {
    this.readBytes(byte, target)
  }

  /** Nothing is left to do: the bytes were copied, and the read-modify-write that came between is a barrier. */
  settle(_valid: boolean): void {}

  now(): number {
    return globalThis.performance.now()
  }

  /** Returns only where the memory has grown meanwhile, so that the word is there. */
  protected refuseWord(word: number): void {
    throw new RangeError(`memory: expected a word index from 0 to ${this.words - 1}, found ${show(word)}`)
  }

  /** Likewise. */
  protected refuseBytes(byte: number, length: number): void {
    throw new RangeError(
      `memory: expected a range of bytes between 0 and ${4 * this.words}, found ${length} bytes from ${show(byte)} on`,
    )
  }
}

function isWasmMemory(source: number | SharedArrayBuffer | WasmMemory): source is WasmMemory {
  return tagOf(source) === 'WebAssembly.Memory'
}

function tagOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice('[object '.length, -1)
}

const hostIsLittleEndian = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1

/**
 * Byte offsets and words agree only where the lowest byte of a word comes first.
 *
 * @param littleEndian whether the host is so
 * @throws Error on a host that is not
 */
export function requireLittleEndian(littleEndian: boolean): void {
  if (!littleEndian) {
    throw new Error('SharedMemory: this host is big-endian; Heddle lays bytes out for little-endian hosts only')
  }
}
