/// <reference lib="esnext.disposable" preserve="true" />
import type { Log } from './log.ts'
import type { Packing } from './queue.ts'
import type { Received } from './queue-consumer.ts'
import { Cursor } from './queue-cursor.ts'
import { type Place, QueueError } from './queue-error.ts'
import { recordsAt } from './segment.ts'

/** Where a reader begins: with the oldest item that is kept, with the next one that is sent, or where another one stood. */
export type ReaderStart = 'oldest' | 'latest' | Place

/** Reads a queue and leaves no trace: nothing is kept for it, and nothing waits for it. Any number of them. */
export class Reader<T> {
  private readonly log: Log
  private readonly packing: Packing<T>
  private readonly cursor: Cursor
  private isOpen = true

  constructor(log: Log, packing: Packing<T>, from: ReaderStart) {
    this.log = log
    this.packing = packing
    this.cursor = log.locked(() => {
      const end = log.lastSegment()
      const [first, last] = [log.control.first.least, end.start.number]
      if (from === 'oldest') return new Cursor(log, first, recordsAt)
      if (from === 'latest') return new Cursor(log, last, end.tail, log.control.sequence)
      const { segment, byte } = from
      if (segment < first || segment > last) {
        throw new QueueError('retired', `segment ${segment} is not there; there are ${first} to ${last}`, { place: from })
      }
      if (byte % 4 !== 0 || byte < 4 * recordsAt || byte > 4 * log.control.shape.segmentWords) {
        throw new RangeError(`Queue.reader: expected a place that an item came with, found byte ${byte}`)
      }
      return new Cursor(log, segment, byte >>> 2)
    })
  }

  /** How many items were retired before this reader came to them, or skipped. */
  get lost(): number {
    return this.cursor.lost
  }

  /** Where this reader is: what the next one needs who goes on from here. */
  get place(): Place {
    return this.cursor.place
  }

  /**
   * The next item, if there is one now.
   *
   * @throws QueueError `'corrupt'` when what stands there is not what was sent: `skip` goes on behind it
   */
  tryRead(): Received<T> | undefined {
    this.log.requireOpen()
    if (!this.isOpen) throw new QueueError('closed', 'this reader was closed; make another one')
    const record = this.cursor.take()
    this.cursor.letGo()
    return record && { item: this.packing.unpack(record.payload, record.tag), place: this.cursor.place }
  }

  /** Goes on behind a record that is corrupt. Returns how many bytes of the queue were skipped. */
  skip(): number {
    this.log.requireOpen()
    return this.cursor.skip()
  }

  /** Closing twice is fine. */
  close(): void {
    if (!this.isOpen) return
    this.isOpen = false
    this.cursor.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }
}
