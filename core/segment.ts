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
 *   96       durable       up to where everything is on the disk, three times: word, sequence and epoch there, checksum. The first
 *                          by whoever has flushed, the others in turn by recoveries, which flush them, too
 *   128 ..   records
 * ```
 */
const kind = fourLetters('QSEG')
const parameters = 5
/** Where the tail is, the consumer's place, and up to where everything is on the disk. */
export const tailAt: number = lineWords
export const acknowledgedAt: number = 2 * lineWords
export const durableAt: number = 3 * lineWords
const durableWords = 4

/** Where the first record of a segment begins. */
export const recordsAt: number = 4 * lineWords

/** No page of a disk's cache is shorter. */
const pageWords = 1024

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
    const [signed, sequence, epoch, owner, sum] = found as [number, number, number, number, number]
    const foundNumber = signed >>> 0
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

  /** Puts the tail where a recovery found the end. */
  publishFound(word: number): void {
    this.memory.store(tailAt, 4 * word)
  }

  /** Brings the tail to the disk: of a segment that is complete, for a recovery may not look at its records. */
  flushTail(): void {
    this.memory.durability.flush(4 * tailAt, 4)
  }

  /** How far the consumer is. The lesser reading may be given to it again; beyond it may be what it has not seen. */
  get acknowledged(): Twin {
    return loadTwin(this.memory, acknowledgedAt)
  }

  acknowledge(word: number): void {
    // Safety: queue/kept, queue/once
    storeTwin(this.memory, acknowledgedAt, word)
  }

  /**
   * Writes words from `from` to `to` again, one of each page, so that the kernel brings the page to the disk, also if it could not
   * before and takes it for written since. For a recovery.
   */
  writeAgain(from: number, to: number): void {
    const { memory } = this
    for (let word = from; word < to; word = (word | (pageWords - 1)) + 1) {
      // Safety: queue/durable
      memory.store(word, memory.load(word))
    }
  }

  /** Brings what the consumer has acknowledged to the disk. */
  flushAcknowledged(): void {
    this.memory.durability.flush(4 * acknowledgedAt, 8)
  }

  /** Up to where everything is on the disk; undefined when that is not known. */
  get durable(): Durable | undefined {
    return this.durables().reduce((best, one) => (isFarther(one, best) ? one : best), undefined)
  }

  /** Everything up to there is on the disk. */
  flushed(durable: Durable): void {
    // After the flush has returned, so that who finds this on a disk finds what it promises.
    // Safety: queue/durable
    this.storeDurable(0, durable)
  }

  /**
   * A recovery has found the end there, everything before it is on the disk, and records behind it will have this epoch. On the
   * disk when this returns: before the first of these records. What an older one has left there may come to look whole when a
   * newer one is written over it by halves; but not with the newer one's epoch.
   */
  foundEnd(durable: Durable): void {
    const [, one, other] = this.durables()
    // One of the two always stands while the other is written.
    // Safety: queue/recovers
    const slot = isFarther(one, other) ? 2 : 1
    this.storeDurable(slot, durable)
    this.memory.durability.flush(4 * (durableAt + durableWords * slot), 4 * durableWords)
  }

  private durables(): readonly (Durable | undefined)[] {
    const { memory } = this
    return [0, 1, 2].map((slot) => {
      const at = durableAt + durableWords * slot
      const [word, sequence, epoch] = [memory.load(at), memory.load(at + 1), memory.load(at + 2)]
      const durable = { word, sequence, epoch }
      const fits = word >= recordsAt && word <= memory.words
      return fits && memory.load(at + 3) === this.sumOfDurable(durable) ? durable : undefined
    })
  }

  private storeDurable(slot: number, durable: Durable): void {
    const { memory } = this
    const at = durableAt + durableWords * slot
    memory.store(at, durable.word)
    memory.store(at + 1, durable.sequence)
    memory.store(at + 2, durable.epoch)
    memory.store(at + 3, this.sumOfDurable(durable))
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

function isFarther(one: Durable | undefined, other: Durable | undefined): boolean {
  if (one === undefined || other === undefined) return other === undefined
  return one.word > other.word || (one.word === other.word && one.epoch > other.epoch)
}

/** The word that a position stands for. */
function wordAt(position: number): number {
  return positionIn(position) >>> 2
}
