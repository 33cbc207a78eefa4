/// <reference lib="esnext.disposable" preserve="true" />
import type { Log } from './log.ts'
import type { Memory } from './memory.ts'
import type { Patience } from './patience.ts'
import type { Packing } from './queue.ts'
import { Cursor } from './queue-cursor.ts'
import { type Place, QueueError } from './queue-error.ts'
import { type Record, Records } from './record.ts'
import { consumerPlace } from './recovery.ts'
import { requireInteger, requireTimeout } from './require.ts'

export interface ConsumerOptions {
  /**
   * - `'next'` (default): whoever asks for the next items is done with those that it had.
   * - `'manual'`: only `acknowledge` says so.
   */
  readonly acknowledge?: 'next' | 'manual'
  /**
   * Whether the bytes of an item that comes alone are only lent: they are there until the next item is asked for, or looked at, and
   * are overwritten then. Default false. Long items then come two to three times as fast, for no new memory is needed for them. For
   * consumers that copy or use up what they get, and for codecs that keep nothing of the bytes, as `jsonCodec`.
   */
  readonly lend?: boolean
}

/** An item, and where in the queue it stands. */
export interface Received<T> {
  readonly item: T
  readonly place: Place
}

/**
 * The end of a queue that receives: one at a time, of all threads and processes. Each item comes once, in order. Items that
 * were not acknowledged come again when the consumer has died, or has left, and another one comes.
 */
export class Consumer<T> {
  private readonly log: Log
  private readonly packing: Packing<T>
  private readonly retain: number
  private readonly manual: boolean
  private readonly cursor: Cursor
  private readonly records: Records
  /** Whether something was received and not acknowledged. */
  private unacknowledged = false
  private isOpen = true

  constructor(log: Log, packing: Packing<T>, retain: number, options: ConsumerOptions) {
    requireInteger('Queue: retain', retain, 0, 2 ** 31 - 1)
    this.log = log
    this.packing = packing
    this.retain = retain
    this.manual = options.acknowledge === 'manual'
    this.records = options.lend === true ? new Records(log.checksum, true) : log.records
    this.cursor = log.locked(() => {
      const { control } = log
      if (!control.becomeConsumer()) {
        throw new QueueError('in-use', 'there is a consumer already; wait until it has closed, or make a reader')
      }
      try {
        return this.begin()
      } catch (error) {
        if (error instanceof Error) control.leaveConsumer()
        throw error
      }
    })
  }

  /** Begins where the last consumer has left off. For the holder of the lock. */
  private begin(): Cursor {
    const { log } = this
    const { control } = log
    control.cancelled = false
    log.lastSegment()
    const { segment, word, sequence } = consumerPlace(log, control.first.least)
    const cursor = new Cursor(log, segment, word, sequence)
    if (sequence === undefined) return cursor
    // Files went that no consumer was done with.
    // Safety: queue/counted
    cursor.lost = control.backlogBefore(sequence)
    // The last one died before it could say that there is room.
    // Safety: queue/wakes
    if (control.backlog(sequence) > 0) control.acknowledge(segment, word, sequence)
    return cursor
  }

  /**
   * How many items this consumer has missed: dropped by producers, or skipped. Those that were dropped before it came are among
   * them, from the last one on that any consumer had acknowledged: so a loss is told once for each item, or to the next one again
   * where a consumer ends, or dies, before it acknowledges an item behind it. After a power failure items may be counted that were
   * acknowledged since a file was last retired.
   */
  get lost(): number {
    return this.cursor.lost
  }

  /**
   * The next item, if there is one now.
   *
   * @throws QueueError `'corrupt'` when what stands there is not what was sent: `skip` goes on behind it
   */
  tryReceive(): Received<T> | undefined {
    this.before()
    const record = this.cursor.take(this.records)
    return record && this.received(record)
  }

  /**
   * The next item. Blocking while there is none, until the time is over or the stream has ended.
   *
   * @param timeoutMs give up after so many milliseconds; default: never
   */
  receive(timeoutMs: number = Infinity): Received<T> | undefined {
    requireTimeout('Queue.receive', timeoutMs)
    this.before()
    const record = this.cursor.take(this.records) ?? this.takeLater(timeoutMs)
    return record && this.received(record)
  }

  private takeLater(timeoutMs: number): Record | undefined {
    const { cursor, log, records } = this
    const { control } = log
    const isTimed = timeoutMs > 0 && timeoutMs < Infinity
    const deadline = isTimed ? control.memory.now() + timeoutMs : 0
    let patience: Patience | undefined
    let sleepsOn: Memory | undefined
    for (;;) {
      // The word that it sleeps on, before it looks whether there is anything.
      // Safety: queue/wakes
      const { memory, seen } = cursor
      const record = cursor.take(records)
      if (record !== undefined || patience?.over || this.ended) return record
      // It went on to another segment, and sleeps there if anywhere.
      if (cursor.memory !== memory) continue
      if (patience === undefined || sleepsOn !== memory) {
        patience = control.patience(memory, isTimed ? deadline - control.memory.now() : timeoutMs)
        sleepsOn = memory
        if (patience.over) return undefined
      }
      // It looks up in slices, so that the end, and a producer that died before it could wake anybody, are noticed.
      // Safety: queue/wakes, queue/ends, queue/times-out
      cursor.sleep(patience, seen)
    }
  }

  /** The next items, at most so many, if there are any now. */
  tryReceiveBatch(most: number): Received<T>[] {
    requireInteger('Queue.tryReceiveBatch: most', most, 1, 2 ** 31 - 1)
    this.before()
    const batch: Received<T>[] = []
    while (batch.length < most) {
      const record = this.cursor.take()
      if (record === undefined) break
      batch.push(this.received(record))
    }
    return batch
  }

  /** The next item, which stays the next. */
  peek(): Received<T> | undefined {
    this.requireOpen()
    const record = this.cursor.peek(this.records)
    return record && { item: this.packing.unpack(record.payload, record.tag), place: this.cursor.place }
  }

  /**
   * Whether the stream has ended: there have been producers, all of them have closed or are dead, and all that they sent was
   * received. A producer that comes later begins it anew.
   */
  get ended(): boolean {
    this.requireOpen()
    // Before the last look: what producers sent was published before they left.
    // Safety: queue/ends
    return this.log.control.hasEnded && !this.cursor.isThere()
  }

  /** Says that everything that was received is done, and need not come again. Files that hold nothing else go. */
  acknowledge(): void {
    this.requireOpen()
    if (this.unacknowledged) this.acknowledgeAll()
  }

  private acknowledgeAll(): void {
    this.unacknowledged = false
    const { cursor, log } = this
    const { segment, byte } = cursor.place
    const goneOn = cursor.hasPassed
    // Before the segments say so, which may be dropped at any time: what they say, this has said.
    // Safety: queue/counted
    log.control.done = cursor.next
    cursor.acknowledge()
    try {
      if (goneOn) log.retire(segment - this.retain)
    } finally {
      // After that, for who waits for room for a segment looks again now.
      // Safety: queue/wakes
      log.control.acknowledge(segment, byte >>> 2, cursor.next)
    }
  }

  /**
   * Returns when what was acknowledged is on the disk.
   *
   * @throws QueueError `'failed'`
   */
  sync(): void {
    this.requireOpen()
    this.log.requireNotFailed()
    this.log.flushing(() => this.cursor.flushAcknowledged())
  }

  /**
   * Goes on behind a record that is corrupt. What was received before is acknowledged.
   *
   * @returns how many bytes of the queue were skipped
   */
  skip(): number {
    this.requireOpen()
    const skipped = this.cursor.skip()
    this.unacknowledged = true
    return skipped
  }

  /** Wants no more: producers are refused from now on, until there is another consumer. */
  cancel(): void {
    this.requireOpen()
    // Safety: queue/cancels
    this.log.control.cancelled = true
    this.close()
  }

  /** Lets another consumer take over; it gets what was not acknowledged. Closing twice is fine. */
  close(): void {
    if (!this.isOpen) return
    if (!this.manual) this.acknowledge()
    this.isOpen = false
    this.cursor.close()
    this.log.control.leaveConsumer()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  private before(): void {
    this.requireOpen()
    if (this.unacknowledged && !this.manual) this.acknowledgeAll()
  }

  private received(record: Record): Received<T> {
    this.unacknowledged = true
    return { item: this.packing.unpack(record.payload, record.tag), place: this.cursor.place }
  }

  private requireOpen(): void {
    this.log.requireOpen()
    if (!this.isOpen) throw new QueueError('closed', 'this consumer was closed; make another one')
  }
}
