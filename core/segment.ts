import type { Checksum } from './crc32.ts'
import type { FileMemory } from './folder.ts'
import { fourLetters, lineWords, publishHeader, readHeader, writeHeader } from './layout.ts'
import { isClosed, positionIn, publishPosition, withClosed } from './position.ts'
import { QueueError } from './queue-error.ts'
import { loadTwin, storeTwin, type Twin } from './twin.ts'

/**
 * A segment: one file of the log, filled from its front to its back and then never changed.
 *
 * ```
 *   word
 *   0        header        parameters: number, sequence and epoch of its first record, whose queue it is, checksum of these
 *   32       tail          a position (position.ts): the word up to which records are published; closed when the next segment is
 *   64       acknowledged  a twin: the word up to which the consumer is done
 *   96       durable       up to where everything is on the disk: word, sequence and epoch there, checksum
 *   128 ..   records
 * ```
 */
const kind = fourLetters('QSEG')
const parameters = 5
const tailAt = lineWords
const acknowledgedAt = 2 * lineWords
const durableAt = 3 * lineWords

/** Where the first record of a segment begins. */
export const recordsAt: number = 4 * lineWords

/** The most words that a segment can have: a position counts to 2^30. */
export const segmentWordsMax: number = 2 ** 28

/** What is settled when a segment is made. */
export interface SegmentStart {
  readonly number: number
  /** The sequence and the epoch of the first record. */
  readonly sequence: number
  readonly epoch: number
  /** Whose segment it is. */
  readonly identity: number
}

/** A place in the segment up to which everything is on the disk. */
export interface Durable {
  readonly word: number
  readonly sequence: number
  readonly epoch: number
}

export class Segment {
  readonly memory: FileMemory
  readonly start: SegmentStart
  private readonly checksum: Checksum

  private constructor(memory: FileMemory, start: SegmentStart, checksum: Checksum) {
    this.memory = memory
    this.start = start
    this.checksum = checksum
  }

  /** Makes a segment of a new file. It is on the disk when this returns. */
  static create(memory: FileMemory, start: SegmentStart, checksum: Checksum): Segment {
    const segment = new Segment(memory, start, checksum)
    const { number, sequence, epoch, identity } = start
    writeHeader(memory, 0, kind, memory.words, [number, sequence, epoch, identity, segment.sum()])
    memory.write(tailAt, 4 * recordsAt)
    memory.write(acknowledgedAt, recordsAt)
    memory.write(acknowledgedAt + 1, ~recordsAt)
    publishHeader(memory, 0)
    // A segment that `last` leads to is whole, whatever happens to the power.
    // Safety: queue/recovers
    memory.durability.flush(0, 4 * recordsAt)
    return segment
  }

  /**
   * @throws Error when this is no segment
   * @throws QueueError when it is another one, or not what it was
   */
  static attach(memory: FileMemory, number: number, identity: number, checksum: Checksum): Segment {
    const { words, parameters: found } = readHeader('Queue', memory, 0, kind, parameters)
    const [foundNumber, sequence, epoch, owner, sum] = found as [number, number, number, number, number]
    const segment = new Segment(memory, { number: foundNumber, sequence, epoch, identity: owner }, checksum)
    if (sum !== segment.sum() || words !== memory.words) {
      throw new QueueError('damaged', `segment ${number} has a header that contradicts itself; restore it from a copy`)
    }
    if (foundNumber !== number || owner !== identity) {
      const whose = owner === identity ? `segment ${foundNumber}` : 'a segment of another queue'
      throw new QueueError('damaged', `expected segment ${number}, found ${whose} in its file; put the files back`)
    }
    return segment
  }

  /** The word up to which records are published. Everything before it may be read. */
  get tail(): number {
    // Records before the tail are everybody's to read: they were written before the tail went past them, and never change.
    // Safety: queue/whole
    return wordAt(this.memory.load(tailAt))
  }

  /** The whole word that `Patience` sleeps on. */
  get tailWord(): number {
    return this.memory.load(tailAt)
  }

  readonly tailAt: number = tailAt

  /** Publishes all records up to a word. For the holder of the lock. */
  publish(word: number): void {
    // The records up to here were the sender's until this exchange, and are everybody's after it. Nobody else writes beyond the
    // tail, for that takes the lock.
    // Safety: queue/whole, queue/order
    publishPosition(this.memory, tailAt, 4 * word)
  }

  /** Says that the next segment is there. Wakes who sleeps on the tail. For the holder of the lock. */
  seal(): void {
    const word = this.memory.load(tailAt)
    // Only wakes: that there is a next segment, `last` says.
    // Safety: queue/wakes
    if (!isClosed(word)) publishPosition(this.memory, tailAt, withClosed(positionIn(word)))
  }

  /** Puts the tail where recovery found the end. */
  cut(word: number): void {
    this.memory.store(tailAt, 4 * word)
  }

  /** How far the consumer is. The lesser reading may be given to it again; beyond it may be what it has not seen. */
  get acknowledged(): Twin {
    return loadTwin(this.memory, acknowledgedAt)
  }

  acknowledge(word: number): void {
    // Safety: queue/kept, queue/once
    storeTwin(this.memory, acknowledgedAt, word)
  }

  /** Brings what the consumer has acknowledged to the disk. */
  flushAcknowledged(): void {
    this.memory.durability.flush(4 * acknowledgedAt, 8)
  }

  /** Up to where everything is on the disk; undefined when that is not known. */
  get durable(): Durable | undefined {
    const { memory } = this
    const [word, sequence, epoch, sum] = [0, 1, 2, 3].map((i) => memory.load(durableAt + i)) as [number, number, number, number]
    const durable = { word, sequence, epoch }
    const fits = word >= recordsAt && word <= memory.words
    return fits && sum === this.sumOfDurable(durable) ? durable : undefined
  }

  /** Everything up to there is on the disk. */
  flushed(durable: Durable): void {
    const { memory } = this
    // After the flush has returned, so that who finds this on a disk finds what it promises.
    // Safety: queue/durable
    memory.store(durableAt, durable.word)
    memory.store(durableAt + 1, durable.sequence)
    memory.store(durableAt + 2, durable.epoch)
    memory.store(durableAt + 3, this.sumOfDurable(durable))
  }

  close(): void {
    this.memory.close()
  }

  private sum(): number {
    const { number, sequence, epoch, identity } = this.start
    return this.checksum(bytesOf(number, sequence, epoch, identity)) | 0
  }

  private sumOfDurable({ word, sequence, epoch }: Durable): number {
    return this.checksum(bytesOf(this.start.number, word, sequence, epoch)) | 0
  }
}

function bytesOf(...words: readonly number[]): Uint8Array {
  return new Uint8Array(Int32Array.from(words).buffer)
}

/** The word that a position stands for. */
function wordAt(position: number): number {
  return positionIn(position) >>> 2
}
