/// <reference lib="esnext.disposable" preserve="true" />
import { closeSync, fsyncSync, ftruncateSync } from 'node:fs'
import { resolve } from 'node:path'
import { ArrayWords } from './atomic-words.ts'
import type { Memory, WaitResult } from './memory.ts'
import { sleep, sleepAsync, wake } from './node-bells.ts'
import { libc } from './node-libc.ts'
import {
  controlBytes,
  createFile,
  fileWordsMax,
  type MappedFile,
  openFile,
  presentAt,
  requireLength,
} from './node-mapped-file.ts'
import { MappedFileError, onFile } from './node-mapped-file-error.ts'
import { growTo, mapForWasm, mapOver, syncRange, unmap } from './node-mapping.ts'
import { type Participant, Participants, seatsMax } from './node-participants.ts'
import { requireInteger } from './require.ts'
import { SharedMemory } from './shared-memory.ts'
import { type WasmMemory, type WasmWords, wasmWords } from './wasm-words.ts'

/** What a new file is like. */
export interface MappedOptions {
  /** How many words it has at first. */
  readonly words: number
  /** To how many words it may grow, default `words`. Costs addresses at once, and disk only as it grows. */
  readonly wordsMax?: number
  /** Who may use it, as for `chmod`, less what the umask takes away; default `0o600`, its owner alone. */
  readonly mode?: number
  /** How many threads, of all processes together, can have it open at a time: 1 to 1024, default 256. */
  readonly seats?: number
  /**
   * Whether all of a new file is written, with zeros, not only given room. That takes as long as the disk takes to write it; then a
   * flush brings nothing but data to the disk, and a block that the disk has refused once can be brought there later. ext4 does not
   * note of a block that it could not write the first time that it was written later, so that it would be empty after a power
   * failure. Default false.
   */
  readonly written?: boolean
}

/** What another thread of this process needs to stand on the same memory: post it there, and call `MappedMemory.from`. */
export interface MappedShare {
  readonly path: string
  readonly identity: string
  readonly control: SharedArrayBuffer
  readonly buffer: SharedArrayBuffer
  /** The same bytes for operations that are faster, where there is WebAssembly and addresses are left. */
  readonly wasm: WasmMemory | undefined
  /** How many threads stand on it. */
  readonly references: SharedArrayBuffer
}

/**
 * `Memory` on a file, which processes share by its path. Linux on x64 or arm64, with the package koffi.
 *
 * ```ts
 * const memory = MappedMemory.openOrCreate('counters', { words: 1024 })      // in each process
 * worker.postMessage(memory.share())                                         // in the worker: MappedMemory.from(share)
 * ```
 *
 * What is stored is in the file at once, for whoever maps it, also when the process is killed right after. It is on the disk,
 * safe from a power failure, when `durability.flush` has returned. Room on the disk is taken when the file is created or
 * grows: a full disk is an error then, and not later. Each thread that opens the file has a seat in it until it closes it,
 * ends or dies; `liveness` tells who is alive.
 *
 * The file has to lie on a local file system, and must not be cut while it is mapped: the next access beyond its end
 * kills the process (SIGBUS), which no program can catch. Opening and growing notice that it was cut before.
 *
 * An operation costs what it costs on a `SharedMemory` on a `WebAssembly.Memory`, whose methods these are, but `wait`, and
 * `notify` when somebody sleeps, are system calls. `Atomics.wait` and `Atomics.notify` on `buffer` reach only the threads of this
 * process that use these. A file is mapped twice: in `buffer`, which grows as the file does, and in a `WebAssembly.Memory`, which
 * takes addresses (10 GiB of some 128 TiB, and none of the machine's memory). Where these are limited (`ulimit -v`), and for
 * files that may grow beyond 4 GiB, there is only `buffer`, and operations cost as on a `SharedArrayBuffer`.
 *
 * Through `buffer`, frames can be written and read where they lie. Give every array over it a length: one without follows the
 * length of the buffer, and costs ten times as much.
 */
export class MappedMemory extends SharedMemory {
  /** To how many words this memory may grow. */
  readonly wordsMax: number
  override readonly liveness: NonNullable<Memory['liveness']>
  readonly durability: NonNullable<Memory['durability']>
  private readonly file: MappedFile
  private readonly mapping: MappedShare
  private readonly wasmWords: WasmWords | undefined
  private readonly control: Int32Array
  /** Where word 0 lies. */
  private readonly address: number
  private readonly seat: Participants
  private isOpen = true

  /** Stands on a file that is mapped. */
  private constructor(file: MappedFile, mapping: MappedShare) {
    super(mapping.buffer)
    this.wordsMax = file.header.wordsMax
    this.file = file
    this.mapping = mapping
    this.control = new Int32Array(mapping.control)
    this.address = libc().addressOf(mapping.buffer)
    this.giveWay = libc().giveWay
    if (mapping.wasm !== undefined) {
      // One file, so that a flush, a futex or an access through either mapping means the same bytes.
      this.plain = mapping.wasm.buffer as SharedArrayBuffer
      this.wasmWords = wasmWords(mapping.wasm)
      this.cover(this.words)
    }
    const seat = new Participants(file, this.control)
    this.seat = seat
    this.syncControl()
    this.liveness = {
      self: seat.self,
      alive: (participant) => {
        this.requireOpen()
        return seat.alive(participant)
      },
    }
    this.durability = { flush: (byte, length) => this.flush(byte, length) }
  }

  /**
   * Creates the file and opens it.
   *
   * @param at where it is made, if another path leads there more surely than the one that people know
   * @throws MappedFileError when there is a file already, or it cannot be created
   */
  static create(path: string, options: MappedOptions, at: string = resolve(path)): MappedMemory {
    const { words, wordsMax, seats, ...making } = requireOptions(options)
    return MappedMemory.over(createFile(resolve(path), words, { wordsMax, seats }, making, at))
  }

  /**
   * Opens a file that exists.
   *
   * @param mappings that the caller keeps: where the file is among them, it is not mapped once more
   * @param at where it is, as in `create`
   * @throws MappedFileError when there is none, or it is not what it should be
   */
  static open(path: string, mappings: readonly MappedShare[] = [], at: string = resolve(path)): MappedMemory {
    const file = openFile(resolve(path), at)
    const mapping = mappings.find(({ identity }) => identity === file.identity)
    if (mapping === undefined) return MappedMemory.over(file)
    addReference(mapping)
    try {
      return MappedMemory.over(file, mapping)
    } catch (error) {
      removeReference(mapping)
      throw error
    }
  }

  /**
   * Opens the file, or creates it where there is none. Of several processes that call this at once, one creates the file and
   * the others open it. A file that exists keeps its mode, seats and maximum, and grows where it has fewer words.
   */
  static openOrCreate(path: string, options: MappedOptions): MappedMemory {
    requireOptions(options)
    // The second look is for a file that somebody created in between.
    const memory =
      unless('missing', () => MappedMemory.open(path)) ??
      unless('exists', () => MappedMemory.create(path, options)) ??
      MappedMemory.open(path)
    try {
      memory.grow(options.words)
    } catch (error) {
      memory.close()
      throw error
    }
    return memory
  }

  /**
   * Stands on the memory that another thread of this process has shared: on the same buffer, with a seat of its own.
   *
   * @throws MappedFileError when all threads have closed it by now, or another file has its path
   */
  static from(share: MappedShare): MappedMemory {
    addReference(share)
    try {
      return MappedMemory.over(openFile(share.path), share)
    } catch (error) {
      removeReference(share)
      throw error
    }
  }

  private static over(file: MappedFile, share?: MappedShare): MappedMemory {
    const { path, identity } = file
    try {
      if (share !== undefined && share.identity !== identity) {
        throw new MappedFileError(path, 'replaced', 'is another file than the one that was shared; open it anew')
      }
      return onFile(path, () => {
        if (share !== undefined) requireLength(path, file.fd, share.buffer.byteLength / 4)
        return new MappedMemory(file, share ?? mapFile(file))
      })
    } catch (error) {
      closeSync(file.fd)
      throw error
    }
  }

  /** For another thread of this process, which calls `MappedMemory.from`. This thread must not close before that. */
  share(): MappedShare {
    this.requireOpen()
    return this.mapping
  }

  /**
   * Makes the memory at least so many words long, in place: all who have it open may go on meanwhile. The new words are 0.
   *
   * `words` is what this thread knows of. It learns how far others have grown the file when it calls `grow` itself, and when
   * it uses an index beyond `words`.
   *
   * @throws MappedFileError when there is no room on the disk; the memory is as before then
   */
  grow(words: number): void {
    const { path, fd } = this.file
    this.requireOpen()
    requireInteger(`MappedMemory: ${path}: words`, words, 1, this.wordsMax)
    onFile(path, () => {
      if (words > this.present()) {
        this.alone(() => {
          const present = this.present()
          if (words <= present) return
          requireLength(path, fd, present)
          const end = controlBytes + 4 * present
          try {
            libc().allocate(fd, end, 4 * (words - present))
            fsyncSync(fd)
          } catch (error) {
            ftruncateSync(fd, end)
            throw error
          }
          // The file reaches so far, on the disk too, before anybody is told.
          Atomics.store(this.control, presentAt, words)
        })
      }
      this.follow()
    })
  }

  /**
   * As `Memory.wait`, for a notify in whatever process. With a `participant`, the wait also ends (with `'ok'`) when that one
   * is dead. A thread that sleeps can be terminated: it looks up every 50 ms.
   */
  override wait(word: number, expected: number, timeoutMs?: number, participant?: number): WaitResult {
    if (word >>> 0 !== word || word >= this.words) this.refuseWord(word)
    const isOver = () => participant !== undefined && !this.seat.alive(participant)
    return sleep(this.control, this.int32, this.address, word, expected, timeoutMs, isOver)
  }

  /** As `wait`, but does not block, and answers later. Ends with an error when the memory is closed meanwhile. */
  override waitAsync(word: number, expected: number, timeoutMs?: number): Promise<WaitResult> {
    if (word >>> 0 !== word || word >= this.words) this.refuseWord(word)
    const isOver = () => {
      this.requireOpen()
      return false
    }
    return sleepAsync(this.control, this.int32, this.address, word, expected, timeoutMs, isOver)
  }

  /**
   * As `Memory.notify`, in all processes; but who looks up goes to the end of the queue, and one that looks up at this very
   * moment is woken as well, and not counted.
   */
  override notify(word: number, count?: number): number {
    if (word >>> 0 !== word || word >= this.words) this.refuseWord(word)
    return wake(this.control, this.address, word, count)
  }

  /** Who has the memory open, for people to read. */
  participants(): readonly Participant[] {
    this.requireOpen()
    return this.seat.living()
  }

  /** Whether nobody else who lives has the memory open, and this thread only once. */
  get isAlone(): boolean {
    const { self } = this.seat
    return this.participants().every(({ participant }) => participant === self)
  }

  /**
   * Gives up the seat; every operation throws from now on. When all threads of this process that share the mapping have
   * closed it, the file is unmapped: who still holds `buffer` finds zeros in it, and what it writes goes nowhere. Closing
   * twice is fine.
   */
  close(): void {
    if (!this.isOpen) return
    this.isOpen = false
    this.seat.standUp()
    closeSync(this.file.fd)
    this.cover(0)
    removeReference(this.mapping)
  }

  [Symbol.dispose](): void {
    this.close()
  }

  private flush(byte: number, length: number): void {
    this.requireOpen()
    if (!this.hasBytes(byte, length)) this.refuseBytes(byte, length)
    onFile(this.file.path, () => syncRange(this.address + byte, length))
  }

  /** How many words the file has now. */
  private present(): number {
    return Atomics.load(this.control, presentAt) >>> 0
  }

  /** Takes the words in that others have added. */
  private follow(): void {
    const present = this.present()
    if (present <= this.words) return
    requireLength(this.file.path, this.file.fd, present)
    this.syncControl()
    growTo(this.buffer, 4 * present)
    this.cover(present)
  }

  /**
   * Brings the control part to the disk: whenever this thread has taken a seat or seen the file grow. Then a participant that
   * stands somewhere in the file is not given again after a power failure, and words that were flushed are not beyond the end.
   */
  private syncControl(): void {
    syncRange(libc().addressOf(this.mapping.control), controlBytes)
  }

  private hasBytes(byte: number, length: number): boolean {
    return Number.isInteger(byte) && Number.isInteger(length) && byte >= 0 && length >= 0 && byte + length <= 4 * this.words
  }

  /** Runs `work` while no other thread of any process does so. The lock of one that dies is released by the kernel. */
  private alone(work: () => void): void {
    const { fd } = this.file
    const nobody = new Int32Array(new SharedArrayBuffer(4))
    while (!libc().lock(fd, 4 * presentAt)) Atomics.wait(nobody, 0, 0, 1)
    try {
      work()
    } finally {
      libc().unlock(fd, 4 * presentAt)
    }
  }

  private cover(words: number): void {
    ;(this as { words: number }).words = words
    this.int32 = new Int32Array(this.plain, 0, words)
    this.bytes = new Uint8Array(this.plain, 0, 4 * words)
    this.atomics = this.wasmWords ?? new ArrayWords(this.int32)
  }

  private requireOpen(): void {
    if (!this.isOpen) throw new MappedFileError(this.file.path, 'closed', 'this memory was closed; open the file again')
  }

  protected override refuseWord(word: number): void {
    this.requireOpen()
    this.follow()
    if (word >>> 0 !== word || word >= this.words) super.refuseWord(word)
  }

  protected override refuseBytes(byte: number, length: number): void {
    this.requireOpen()
    this.follow()
    if (!this.hasBytes(byte, length)) super.refuseBytes(byte, length)
  }
}

function requireOptions(options: MappedOptions): Required<MappedOptions> {
  const { words, wordsMax = words, mode = 0o600, seats = 256, written = false } = options
  requireInteger('MappedMemory: wordsMax', wordsMax, 1, fileWordsMax)
  requireInteger('MappedMemory: words', words, 1, wordsMax)
  requireInteger('MappedMemory: mode', mode, 0, 0o777)
  requireInteger('MappedMemory: seats', seats, 1, seatsMax)
  return { words, wordsMax, mode, seats, written }
}

/** What the work gives, or undefined when it failed for this reason. */
function unless<T>(reason: MappedFileError['reason'], work: () => T): T | undefined {
  try {
    return work()
  } catch (error) {
    if (error instanceof MappedFileError && error.reason === reason) return undefined
    throw error
  }
}

/** Maps both parts of the file, for one thread. */
function mapFile({ path, fd, header, identity }: MappedFile): MappedShare {
  const { wordsMax } = header
  try {
    const control = mapOver(fd, 0, controlBytes, controlBytes)
    const present = Atomics.load(new Int32Array(control), presentAt) >>> 0
    if (present < 1 || present > wordsMax) {
      throw new MappedFileError(
        path,
        'damaged',
        `says that it has ${present} words of at most ${wordsMax}; restore it from a copy`,
      )
    }
    requireLength(path, fd, present)
    const buffer = mapOver(fd, controlBytes, 4 * present, 4 * wordsMax)
    const wasm = mapForWasm(fd, controlBytes, 4 * wordsMax)
    const references = new SharedArrayBuffer(4)
    Atomics.store(new Int32Array(references), 0, 1)
    return { path, identity, control, buffer, wasm, references }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new MappedFileError(path, 'too-large', `this Node cannot map ${4 * wordsMax} bytes; ask for a smaller wordsMax`, {
      cause: error,
    })
  }
}

/** Keeps a mapping, as if somebody more had it open. */
export function addReference({ path, references }: MappedShare): void {
  const count = new Int32Array(references)
  let now: number
  do {
    now = Atomics.load(count, 0)
    if (now === 0) throw new MappedFileError(path, 'closed', 'was closed before this thread took it over; close it later')
  } while (Atomics.compareExchange(count, 0, now, now + 1) !== now)
}

/** Takes the file out of memory with the last reference. */
export function removeReference({ references, control, buffer, wasm }: MappedShare): void {
  if (Atomics.sub(new Int32Array(references), 0, 1) > 1) return
  unmap(control)
  unmap(buffer)
  if (wasm !== undefined) unmap(wasm.buffer as SharedArrayBuffer)
}
