import { afterBytes, afterWord, afterWords, type Checksum } from './crc32.ts'
import type { Memory } from './memory.ts'
import { Slab } from './slab.ts'

/**
 * A record: one item as it lies in a segment. It proves itself: a record that validates is one that was written, whole, at this
 * place of the order.
 *
 * ```
 *   word
 *   0     length     bytes of the payload, and 2 bits that belong to whoever sends
 *   1     sequence   how many records came before it in the life of the queue, modulo 2^32
 *   2     epoch      which session wrote it: rises at each recovery
 *   3     checksum   over the three words and the payload
 *   4 ..  payload    and up to 3 bytes that mean nothing
 * ```
 *
 * A checksum alone would not do. After a power failure a record can be torn and the one behind it whole. The torn one is cut
 * and replaced, perhaps by one as long, and then the old one behind it has a good checksum and the right sequence. Its epoch
 * tells: along the log epochs never fall. Zeros do not validate.
 */
export const recordHeaderWords = 4

/** The most bytes that a record can have, whatever the segment. */
export const lengthMax: number = 2 ** 30 - 1

/** How many words a record of so many bytes takes. */
export function recordWords(length: number): number {
  return recordHeaderWords + Math.ceil(length / 4)
}

/** What a record says of itself. */
export interface RecordHeader {
  readonly length: number
  readonly tag: number
  readonly sequence: number
  readonly epoch: number
}

export interface Record extends RecordHeader {
  readonly payload: Uint8Array
}

/** What a record must be like to stand where it stands. */
export interface Expected {
  readonly sequence: number
  /** The epoch of the record before, at least. */
  readonly epoch: number
}

/** Payloads of so many bytes cost less word by word, checksum included, than with copies and a native checksum. */
const shortBytes = 256

/** Reads and writes records of a memory. */
export class Records {
  private readonly checksum: Checksum
  private readonly words = new Int32Array(shortBytes / 4 + 1)
  private readonly bytes = new Uint8Array(this.words.buffer)
  private readonly slab: Slab

  /**
   * @param checksum CRC-32, as fast as can be for long arrays
   * @param lends whether a payload is there only until the next one is read
   */
  constructor(checksum: Checksum, lends = false) {
    this.checksum = checksum
    this.slab = new Slab(lends)
  }

  /** Writes a record, Unordered: it is nobody's but the caller's until the caller publishes it. */
  write(memory: Memory, at: number, payload: Uint8Array, tag: number, sequence: number, epoch: number): void {
    const bytes = payload.length
    const length = bytes | (tag << 30)
    const register = afterHeader(length, sequence, epoch)
    const payloadAt = at + recordHeaderWords
    memory.write(at, length)
    memory.write(at + 1, sequence)
    memory.write(at + 2, epoch)
    const sum =
      bytes <= shortBytes
        ? this.writeShort(memory, payloadAt, payload, register)
        : this.writeLong(memory, payloadAt, payload, register)
    memory.write(at + 3, sum)
  }

  /** Writes a payload and returns its checksum. */
  private writeShort(memory: Memory, at: number, payload: Uint8Array, header: number): number {
    const { words, bytes } = this
    const { length } = payload
    words[length >>> 2] = 0
    bytes.set(payload)
    for (let i = 0; 4 * i < length; i++) memory.write(at + i, words[i] as number)
    return ~afterBytes(header, words, 0, length)
  }

  private writeLong(memory: Memory, at: number, payload: Uint8Array, header: number): number {
    memory.writeBytes(4 * at, payload)
    return this.checksum(payload, ~header >>> 0)
  }

  /** What the header says, believing it. */
  header(memory: Memory, at: number): RecordHeader {
    const length = memory.read(at)
    return { length: length & lengthMax, tag: length >>> 30, sequence: memory.read(at + 1), epoch: memory.read(at + 2) }
  }

  /**
   * The record at `at`, if one stands there that is whole.
   *
   * @param end the word where it must have ended
   */
  read(memory: Memory, at: number, end: number): Record | undefined {
    if (at + recordHeaderWords > end) return undefined
    const { length, tag, sequence, epoch } = this.header(memory, at)
    if (at + recordWords(length) > end) return undefined
    const register = afterHeader(length | (tag << 30), sequence, epoch)
    const sum = memory.read(at + 3)
    const payloadAt = at + recordHeaderWords
    const payload =
      length <= shortBytes
        ? this.readShort(memory, payloadAt, length, register, sum)
        : this.readLong(memory, payloadAt, length, register, sum)
    return payload && { length, tag, sequence, epoch, payload }
  }

  /** A payload, if this is its checksum. */
  private readShort(memory: Memory, at: number, length: number, header: number, sum: number): Uint8Array | undefined {
    const { slab } = this
    const from = slab.next(length)
    const { words } = slab
    for (let i = 0; 4 * i < length; i++) words[from + i] = memory.read(at + i)
    return ~afterBytes(header, words, from, length) === sum ? slab.take(length) : undefined
  }

  private readLong(memory: Memory, at: number, length: number, header: number, sum: number): Uint8Array | undefined {
    const payload = this.slab.take(length)
    memory.readBytes(4 * at, payload)
    return (this.checksum(payload, ~header >>> 0) | 0) === sum ? payload : undefined
  }

  /** The record at `at`, if it is the one that must stand there. */
  readExpected(memory: Memory, at: number, end: number, expected: Expected): Record | undefined {
    // The two words that most often tell, first.
    if (at + recordHeaderWords > end || memory.read(at + 1) !== expected.sequence) return undefined
    if (memory.read(at + 2) >>> 0 < expected.epoch >>> 0) return undefined
    return this.read(memory, at, end)
  }
}

function afterHeader(length: number, sequence: number, epoch: number): number {
  return afterWord(afterWords(~0, length, sequence), epoch)
}
