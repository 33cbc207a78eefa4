import type { Checksum } from './crc32.ts'
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

/** Reads and writes records of a memory. */
export class Records {
  private readonly checksum: Checksum
  private readonly words = new Int32Array(3)
  private readonly bytes = new Uint8Array(this.words.buffer)
  private readonly slab = new Slab()

  constructor(checksum: Checksum) {
    this.checksum = checksum
  }

  /** Writes a record, Unordered: it is nobody's but the caller's until the caller publishes it. */
  write(memory: Memory, at: number, payload: Uint8Array, tag: number, sequence: number, epoch: number): void {
    const length = payload.length | (tag << 30)
    memory.write(at, length)
    memory.write(at + 1, sequence)
    memory.write(at + 2, epoch)
    memory.write(at + 3, this.sum(length, sequence, epoch, payload))
    memory.writeBytes(4 * (at + recordHeaderWords), payload)
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
    const payload = this.slab.take(length)
    memory.readBytes(4 * (at + recordHeaderWords), payload)
    const sum = this.sum(length | (tag << 30), sequence, epoch, payload)
    return memory.read(at + 3) === sum ? { length, tag, sequence, epoch, payload } : undefined
  }

  /** The record at `at`, if it is the one that must stand there. */
  readExpected(memory: Memory, at: number, end: number, expected: Expected): Record | undefined {
    // The two words that most often tell, first.
    if (at + recordHeaderWords > end || memory.read(at + 1) !== expected.sequence) return undefined
    if (memory.read(at + 2) >>> 0 < expected.epoch >>> 0) return undefined
    return this.read(memory, at, end)
  }

  private sum(length: number, sequence: number, epoch: number, payload: Uint8Array): number {
    const { words, bytes, checksum } = this
    words[0] = length
    words[1] = sequence
    words[2] = epoch
    return checksum(payload, checksum(bytes)) | 0
  }
}
