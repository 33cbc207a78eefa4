/// <reference lib="esnext.disposable" preserve="true" />
import { reasonOf } from './folder.ts'
import type { Log } from './log.ts'
import type { Durability, Later, Packed, Packing } from './queue.ts'
import { QueueError } from './queue-error.ts'
import { recordWords } from './record.ts'
import { requireInteger, requireTimeout } from './require.ts'
import { recordsAt, type Segment } from './segment.ts'

/** How much may wait in a queue. */
export interface Limits {
  /** Items that the consumer is not done with. */
  readonly items?: number
  /** Bytes of these in the files, what belongs to each record included. */
  readonly bytes?: number
  /** Files. */
  readonly segments?: number
}

/**
 * What happens to an item for which there is no room.
 *
 * - `'refuse'`: `trySend` says `'full'`; `send` waits.
 * - `'drop-newest'`: it is dropped, and the answer says so.
 * - `'drop-oldest'`: the oldest segment is dropped, whether the consumer is done with it or not, which learns how many
 *   items it has missed. Needs a limit of segments.
 */
export type Overflow = 'refuse' | 'drop-newest' | 'drop-oldest'

/** What became of an item. */
export type Sent = 'sent' | 'full' | 'dropped'

export interface ProducerOptions {
  readonly limits: Limits
  readonly overflow: Overflow
  readonly durability: Durability
  readonly ahead: boolean
  readonly later: Later
}

/** An end of a queue that sends. Any number of them, in any number of threads and processes; each for one thread. */
export class Producer<T> {
  private readonly log: Log
  private readonly packing: Packing<T>
  private readonly options: ProducerOptions
  /** After how many items, or how many ms since the first of them, this brings them to the disk. */
  private readonly itemsMost: number
  private readonly msMost: number
  /** How many items this has sent since the last flush, and when they are due. */
  private unflushed = 0
  private due = Infinity
  private cancelLater: (() => void) | undefined
  private isOpen = true
  /** Whether the last records went past the middle of their segment. */
  private isPastMiddle = false
  /** Made once, and not for each item. */
  private readonly appending = (items: readonly Packed[]): number => this.append(items)

  constructor(log: Log, packing: Packing<T>, options: ProducerOptions) {
    if (options.overflow === 'drop-oldest' && options.limits.segments === undefined) {
      throw new RangeError('Queue: expected limits: segments beside overflow: drop-oldest, found none')
    }
    this.log = log
    this.packing = packing
    this.options = options
    const { durability } = options
    const { items = Infinity, milliseconds = Infinity } =
      durability === 'each' ? { items: 1 } : durability === 'none' ? {} : durability
    if (items !== Infinity) requireInteger('Queue: durability: items', items, 1, 2 ** 31 - 1)
    if (milliseconds !== Infinity) requireInteger('Queue: durability: milliseconds', milliseconds, 1, 2 ** 31 - 1)
    this.itemsMost = items
    this.msMost = milliseconds
    log.addProducer()
  }

  /**
   * Sends an item if there is room now. It has been sent when the tail of its segment goes past it: from then on it
   * survives the death of this process; with durability `'each'` it is on the disk when this returns. When this throws, the item has
   * not been sent, unless the reason is `'failed'`.
   *
   * @throws QueueError `'too-long'`, `'cancelled'`, `'failed'`
   */
  trySend(item: T): Sent {
    return this.add(this.packed(item))
  }

  /**
   * Sends an item; waits while there is no room, if the overflow is `'refuse'`. Blocking.
   *
   * @param timeoutMs give up after so many milliseconds, with `'full'`; default: never
   */
  send(item: T, timeoutMs: number = Infinity): Sent {
    requireTimeout('Queue.send', timeoutMs)
    const packed = this.packed(item)
    const sent = this.add(packed)
    return sent === 'full' ? this.addLater(packed, timeoutMs) : sent
  }

  private addLater(packed: Packed, timeoutMs: number): Sent {
    const { control } = this.log
    const patience = control.patience(control.memory, timeoutMs)
    for (;;) {
      // Before the look: who makes room after it has changed this word.
      // Safety: queue/wakes
      const seen = control.acknowledgedWord
      const sent = this.add(packed)
      if (sent !== 'full' || patience.over) return sent
      patience.sleep(control.acknowledgedAt, seen)
    }
  }

  /** Sends the first of these items that there is room for, together: they become visible at once. Returns how many. */
  trySendBatch(items: readonly T[]): number {
    const packed = items.map((item) => this.packed(item))
    return this.addAll(packed)
  }

  /** Returns when everything that was sent before, by whomever, is on the disk. */
  sync(): void {
    this.requireOpen()
    this.flush()
  }

  /** Sends no more. When the last producer has closed, the stream ends after its last item. Closing twice is fine. */
  close(): void {
    if (!this.isOpen) return
    this.isOpen = false
    try {
      if (this.unflushed > 0 && this.options.durability !== 'none') this.flush()
    } finally {
      this.cancelLater?.()
      this.log.removeProducer()
    }
  }

  [Symbol.dispose](): void {
    this.close()
  }

  private packed(item: T): Packed {
    this.requireOpen()
    const packed = this.packing.pack(item)
    const { length } = packed.bytes
    if (length <= this.log.lengthMax) return packed
    throw new QueueError(
      'too-long',
      `expected items of at most ${this.log.lengthMax} bytes, found one of ${length}; make a queue with greater segmentBytes`,
    )
  }

  private add(packed: Packed): Sent {
    const count = this.addAll([packed])
    if (count === 1) return 'sent'
    if (this.options.overflow !== 'drop-newest') return 'full'
    this.log.control.dropNewest()
    return 'dropped'
  }

  private addAll(items: readonly Packed[]): number {
    this.isPastMiddle = false
    const count = this.log.locked(this.appending, items)
    if (this.isPastMiddle) this.prepare()
    this.unflushed += count
    if (this.unflushed >= this.itemsMost) this.flush()
    else if (this.msMost !== Infinity && this.unflushed > 0) this.flushInTime()
    return count
  }

  private flush(): void {
    this.log.flush()
    this.unflushed = 0
    this.due = Infinity
    this.cancelLater?.()
    this.cancelLater = undefined
  }

  private flushInTime(): void {
    const now = this.log.control.memory.now()
    if (now >= this.due) this.flush()
    if (this.due !== Infinity || this.unflushed === 0) return
    this.due = now + this.msMost
    this.cancelLater = this.options.later(() => this.flushLate(), this.msMost)
  }

  /** What fails here, the next call tries again and says. */
  private flushLate(): void {
    try {
      this.flush()
    } catch (error) {
      if (!(error instanceof Error)) throw error
    }
  }

  /** For the holder of the lock. Returns how many there was room for. */
  private append(items: readonly Packed[]): number {
    const { log } = this
    const { control, records } = log
    log.requireNotFailed()
    // Safety: queue/cancels
    if (control.cancelled) throw new QueueError('cancelled', 'the consumer wants no more')
    const { epoch } = log
    let sequence = control.sequence
    let segment = log.lastSegment()
    let at = segment.tail
    let from = at
    let count = 0
    for (const { bytes, tag } of items) {
      const words = recordWords(bytes.length)
      if (!this.hasRoom(segment, at, words, sequence)) break
      if (at + words > control.shape.segmentWords) {
        if (count > 0) this.publish(segment, at, sequence)
        const next = this.next(count > 0)
        if (next === undefined) return count
        segment = next
        from = at = recordsAt
      }
      records.write(segment.memory, at, bytes, tag, sequence, epoch)
      at += words
      sequence = (sequence + 1) | 0
      count++
    }
    if (count > 0) this.publish(segment, at, sequence)
    const middle = (recordsAt + control.shape.segmentWords) >>> 1
    this.isPastMiddle = from < middle && at >= middle
    return count
  }

  /** The file of the next segment is made when this one is half full, if there may be one. */
  private prepare(): void {
    const { options, log } = this
    if (options.ahead && log.count < (options.limits.segments ?? Infinity)) log.prepare()
  }

  /** Publishes the records before this word and this sequence. */
  private publish(segment: Segment, word: number, sequence: number): void {
    segment.publish(word)
    // After the records, so that a number is never given twice: who takes the lock from a dead one counts again.
    // Safety: queue/survives
    this.log.control.sequence = sequence
  }

  /** Whether the limits of items and bytes allow for one more record. */
  private hasRoom(segment: Segment, at: number, words: number, sequence: number): boolean {
    const { limits } = this.options
    const { control } = this.log
    // What the consumer is done with only grows: there may be more room than this finds, never less.
    // Safety: queue/bounded
    if (limits.items !== undefined && control.backlog(sequence) >= limits.items) return false
    if (limits.bytes === undefined) return true
    const place = control.consumerPlace
    const segmentWords = control.shape.segmentWords - recordsAt
    const waiting = (segment.start.number - place.segment) * segmentWords + at - place.word
    return 4 * (waiting + words) <= limits.bytes
  }

  /**
   * The next segment, if there may be one.
   *
   * @param some whether something was sent by now: then an error can wait for the next call
   */
  private next(some: boolean): Segment | undefined {
    const { limits, overflow } = this.options
    const { log } = this
    const { control } = log
    if (limits.segments !== undefined && log.count >= limits.segments) {
      if (overflow !== 'drop-oldest') return undefined
      log.drop(control.last.least + 2 - limits.segments)
    }
    try {
      return log.roll()
    } catch (error) {
      // No room on the disk is no room.
      if (reasonOf(error) === 'full' || (some && error instanceof Error)) return undefined
      throw error
    }
  }

  private requireOpen(): void {
    this.log.requireOpen()
    if (!this.isOpen) throw new QueueError('closed', 'this producer was closed; make another one')
  }
}
