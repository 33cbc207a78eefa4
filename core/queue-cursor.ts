import type { Log } from './log.ts'
import type { Patience } from './patience.ts'
import { type Place, QueueError } from './queue-error.ts'
import { type Record, type Records, recordHeaderWords, recordWords } from './record.ts'
import { recordsAt, type Segment } from './segment.ts'

/** A way through the log, record by record. For one thread. */
export class Cursor {
  /** How many records were lost on the way: skipped, dropped or retired before this got there. */
  lost = 0
  private readonly log: Log
  private segment: Segment
  private at: number
  /** Records up to here are known to be published. */
  private tail = 0
  /** The sequence of the record at `at`; where that is not sure, a lesser one. */
  private sequence: number
  private unsure: boolean
  /** Whether it is known how many records came before the first one of this way, so that a gap is a loss. */
  private hasBegun: boolean
  /** Segments that this came past, which it still holds. */
  private readonly passed: Segment[] = []

  /** @param sequence of the first record, if that is known */
  constructor(log: Log, segment: number, word: number, sequence?: number) {
    this.log = log
    this.segment = log.openSegment(segment)
    this.at = word
    this.unsure = sequence === undefined
    this.hasBegun = !this.unsure
    this.sequence = sequence ?? this.segment.start.sequence
  }

  get place(): Place {
    return { segment: this.segment.start.number, byte: 4 * this.at }
  }

  /** The sequence of the next record, as far as it is known. */
  get next(): number {
    return this.sequence
  }

  /**
   * The next record, if there is one now; goes past it.
   *
   * @param records who reads it
   * @throws QueueError `'corrupt'` when what stands there is not what was sent; goes past nothing
   */
  take(records: Records = this.log.records): Record | undefined {
    const record = this.peek(records)
    if (record !== undefined) {
      this.at += recordWords(record.length)
      this.sequence = (record.sequence + 1) | 0
    }
    return record
  }

  /** The next record, if there is one now. */
  peek(records: Records = this.log.records): Record | undefined {
    if (!this.isThere()) return undefined
    const { segment, at, tail, sequence } = this
    const record = records.read(segment.memory, at, tail)
    if (record !== undefined && (this.unsure ? this.isFromNowOn(record.sequence) : record.sequence === sequence)) {
      this.found(record.sequence)
      return record
    }
    const { place } = this
    throw new QueueError(
      'corrupt',
      `the record at byte ${place.byte} of segment ${place.segment} is not what was sent; skip it, or restore the file from a copy`,
      { place },
    )
  }

  /**
   * Goes on behind a record that is corrupt: with the next one that proves itself. Adds to `lost` how many are missing.
   *
   * @returns how many bytes were skipped
   */
  skip(): number {
    if (!this.isThere()) return 0
    const { log, segment, tail, at: from } = this
    for (this.at++; this.at + recordHeaderWords <= tail; this.at++) {
      const record = log.records.read(segment.memory, this.at, tail)
      if (record === undefined || !this.isFromNowOn(record.sequence)) continue
      this.found(record.sequence)
      return 4 * (this.at - from)
    }
    // None in this segment: the next one says how many there have been.
    this.at = tail
    this.lost++
    this.sequence = (this.sequence + 1) | 0
    this.unsure = true
    return 4 * (tail - from)
  }

  private isFromNowOn(sequence: number): boolean {
    return ((sequence - this.sequence) | 0) >= 0
  }

  private found(sequence: number): void {
    if (this.hasBegun) this.lost += (sequence - this.sequence) >>> 0
    this.sequence = sequence
    this.unsure = false
    this.hasBegun = true
  }

  /** Whether a record is published at `at`. Goes to the next segment when this one is done. */
  isThere(): boolean {
    for (;;) {
      if (this.at < this.tail) break
      this.tail = this.tailNow
      if (this.at < this.tail) break
      const { number } = this.segment.start
      // After the tail: when there is a next segment, this one is complete, and its tail is looked at once more.
      // Safety: queue/order, queue/whole
      if (this.log.control.last.least <= number) return false
      this.tail = this.tailNow
      if (this.at < this.tail) break
      const next = this.open(number + 1)
      if (next === undefined) return false
      this.enter(next)
    }
    return true
  }

  private get tailNow(): number {
    return Math.min(this.segment.tail, this.segment.memory.words)
  }

  /** A segment, or if that is retired, the first one that is not; undefined when all are, and the next one is not there yet. */
  private open(number: number): Segment | undefined {
    const { log } = this
    for (let wanted = number; wanted <= log.control.last.least; wanted = log.control.first.least) {
      const segment = log.openUnlessRetired(wanted)
      if (segment !== undefined) return segment
    }
    return undefined
  }

  private enter(segment: Segment): void {
    this.passed.push(this.segment)
    this.segment = segment
    this.at = recordsAt
    this.tail = 0
    this.found(segment.start.sequence)
  }

  /** Sleeps until there may be more, or the time is over. True: it may be worth while to look. */
  sleep(patience: Patience, seen: number): void {
    patience.sleep(this.segment.tailAt, seen)
  }

  /** What `sleep` wants, taken before looking for a record. */
  get seen(): number {
    return this.segment.tailWord
  }

  get memory(): Segment['memory'] {
    return this.segment.memory
  }

  /** Whether this came to another segment since the last `acknowledge`. */
  get hasPassed(): boolean {
    return this.passed.length > 0
  }

  /** Says in the segments that everything up to here is done. */
  acknowledge(): void {
    for (const segment of this.passed) segment.acknowledge(segment.tail)
    this.letGo()
    this.segment.acknowledge(this.at)
  }

  /** Brings that to the disk. */
  flushAcknowledged(): void {
    this.segment.flushAcknowledged()
  }

  /** Closes the segments that this came past. */
  letGo(): void {
    if (this.passed.length === 0) return
    for (const segment of this.passed.splice(0)) segment.close()
  }

  close(): void {
    this.letGo()
    this.segment.close()
  }
}
