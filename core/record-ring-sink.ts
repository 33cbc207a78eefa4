import { nobody } from './holder.ts'
import type { Memory } from './memory.ts'
import { asleep, Patience, type Waiting } from './patience.ts'
import { distance, isClosed, positionIn, positionStep } from './position.ts'
import { intentFromSeat, lengthFromFrame, noIntent, type RecordRingLayout, slotsOf } from './record-ring-layout.ts'
import { requireInteger, requireTimeout, show } from './require.ts'

/** What `claimed` says when there is no claim. */
const unclaimed = -1
const shut = -2

/**
 * A writing end of a record ring. One thread has it and no other may call it; other threads have sinks of their own.
 *
 * Pushing costs two loads, a compare-exchange of the tail that all sinks share, one copy, and one exchange; where the memory
 * tells who is alive, two stores more. Each time that the known room is used up, one load of the head. A notify is called
 * only when the source announced that it sleeps.
 */
export class RecordSink {
  /** The longest record that can be pushed: half of the ring (all of it, where it has 64 bytes). */
  readonly recordBytesMax: number
  private readonly memory: Memory
  private readonly layout: RecordRingLayout
  private readonly waiting: Waiting
  private readonly seatAt: number
  /** How long the claimed record may be; or `unclaimed`, or `shut`. */
  private claimed = unclaimed
  /** Where the frame begins that this thread has claimed, how many slots it has, and where its record begins. */
  private first = 0
  private size = 0
  private record = 0
  /** Where the head was, in which era, and the whole word. It only moves on, so that an old one errs on the safe side. */
  private head: number
  private era: number
  private headSeen = 0
  private hasIntent = false
  /** What `measure` found. */
  private fitting = 0

  /** Use `RecordRing.sink`. */
  constructor(layout: RecordRingLayout, seatAt: number, waiting: Waiting) {
    this.layout = layout
    this.memory = layout.memory
    this.recordBytesMax = layout.recordBytesMax
    this.seatAt = seatAt
    this.waiting = waiting
    // One that no era is like: the first look finds the true ones.
    this.head = 0
    this.era = Number.NaN
  }

  /**
   * Pushes one record, or returns false when there is no room. Lock-free. Its place among the records of all sinks is that of
   * the compare-exchange of the tail; the source sees it from the exchange of its frame word on, and after all before it.
   *
   * @param record from 0 to `recordBytesMax` bytes, copied
   * @throws RangeError when it is longer
   * @throws Error when a record is claimed, this sink was closed, or the source was; so does every push and claim
   */
  tryPush(record: Uint8Array): boolean {
    return this.pushWithin(record, 0)
  }

  /**
   * Pushes one record, sleeping while there is no room. Blocking: needs the source to advance. Not fair: room goes to whoever claims
   * it first, and a long record may wait for as long as others take what becomes free for shorter ones.
   *
   * @param record from 0 to `recordBytesMax` bytes, copied
   * @param timeoutMs give up after so many milliseconds (0 or less: at once); default: never
   * @returns false when there was still no room at a last look after that time
   * @throws RangeError when the record is longer or the time-out is not a number
   */
  push(record: Uint8Array, timeoutMs: number = Infinity): boolean {
    requireTimeout('RecordSink.push', timeoutMs)
    return this.pushWithin(record, timeoutMs)
  }

  /**
   * Pushes as many of the records as fit, in order, by one claim, and publishes them at once. Lock-free. No record of another
   * sink comes between them, and if this thread dies all of them are there or none.
   *
   * @returns how many were pushed; 0 when the first does not fit
   * @throws RangeError when one is longer than `recordBytesMax`: then none is pushed
   */
  tryPushBatch(records: readonly Uint8Array[]): number {
    for (const record of records) this.requireLength(record.length)
    return this.pushSome(records, 0)
  }

  /**
   * Pushes all of the records, in order, sleeping while there is no room. Publishes as many as fit at a time, in between which
   * those of others may come. Blocking.
   *
   * @param timeoutMs give up after so many milliseconds in all (0 or less: at once); default: never
   * @returns how many were pushed: all, unless the time was over
   * @throws RangeError when one is longer than `recordBytesMax` or the time-out is not a number: then none is pushed
   */
  pushBatch(records: readonly Uint8Array[], timeoutMs: number = Infinity): number {
    requireTimeout('RecordSink.pushBatch', timeoutMs)
    for (const record of records) this.requireLength(record.length)
    let pushed = this.pushSome(records, 0)
    if (pushed === records.length) return pushed
    const patience = this.patience(timeoutMs)
    while (pushed < records.length && !patience.over) {
      this.sleep(patience)
      pushed += this.pushSome(records, pushed)
    }
    return pushed
  }

  /**
   * Claims room for a record, so that it can be written in place. Lock-free. Records that other sinks push from now on come
   * after it, and are not seen before it is committed or aborted: do that soon.
   *
   * ```ts
   * if (sink.tryClaim(head.length + body.length)) {
   *   sink.put(head)                     // any number of parts, in any order
   *   sink.put(body, head.length)
   *   sink.commit()                      // or sink.abort()
   * }
   * ```
   *
   * @param length how long the record will be at most, from 0 to `recordBytesMax` bytes
   * @returns false when there is no room
   * @throws RangeError when it is longer
   */
  tryClaim(length: number): boolean {
    this.requireLength(length)
    return this.hold(length, 0)
  }

  /**
   * Claims as `tryClaim` does, but sleeps while there is no room. Blocking: needs the source to advance. Not fair, as `push`.
   *
   * @param length how long the record will be at most, from 0 to `recordBytesMax` bytes
   * @param timeoutMs give up after so many milliseconds (0 or less: at once); default: never
   * @returns false when there was still no room at a last look after that time
   * @throws RangeError when the record is longer or the time-out is not a number
   */
  claim(length: number, timeoutMs: number = Infinity): boolean {
    requireTimeout('RecordSink.claim', timeoutMs)
    this.requireLength(length)
    return this.hold(length, timeoutMs)
  }

  /**
   * Writes a part of the claimed record in place. Wait-free. What is not written may hold anything.
   *
   * @param bytes copied
   * @param from the byte of the record at which they begin
   * @throws RangeError when nothing is claimed, or the bytes go beyond the end of the claim
   */
  put(bytes: Uint8Array, from: number = 0): void {
    if (!Number.isInteger(from) || from < 0 || from + bytes.length > this.claimed) {
      throw new RangeError(
        `RecordSink.put: expected a part of ${Math.max(this.claimed, 0)} claimed bytes, found ${bytes.length} from byte ${show(from)} on`,
      )
    }
    // As in `lay`.
    // Safety: record-ring/whole
    this.memory.writeBytes(this.byteOf() + from, bytes)
  }

  /**
   * Where in the memory the bytes of the claimed record begin, a multiple of 64, for whoever writes them through a view of its
   * own. They are the caller's until `commit` or `abort`.
   *
   * @throws RangeError when nothing is claimed
   */
  byteOf(): number {
    if (this.claimed < 0) throw new RangeError('RecordSink: no record is claimed')
    return this.layout.byteAt(this.record)
  }

  /**
   * Publishes the claimed record. Wait-free.
   *
   * @param length how long it has become, at most as long as it was claimed; default: that long
   * @throws RangeError when nothing is claimed, or less
   */
  commit(length: number = this.claimed): void {
    const { claimed, record } = this
    if (claimed < 0) throw new RangeError('RecordSink.commit: no record is claimed')
    requireInteger('RecordSink.commit: length', length, 0, claimed)
    this.claimed = unclaimed
    const used = slotsOf(length)
    this.measureOut(record, length)
    if (used < slotsOf(claimed)) this.measureOut((record + used * positionStep) | 0, used - slotsOf(claimed))
    this.publish()
  }

  /** Gives the claimed room back: nobody sees anything of it. Wait-free. Without a claim it does nothing. */
  abort(): void {
    if (this.claimed < 0) return
    this.claimed = unclaimed
    // The source passes over all of the frame.
    // Safety: record-ring/linearizable
    this.measureOut(this.first, -this.size)
    this.publish()
  }

  /**
   * Leaves the ring; what is claimed is aborted. The last sink that leaves ends the stream, for good: the source gets what was
   * pushed, then the end. Wait-free but for other sinks that come or go. Every later push and claim throws; closing again does nothing.
   */
  close(): void {
    if (this.claimed === shut) return
    this.abort()
    this.claimed = shut
    // All that this sink has claimed is published. Who looks whether there are sinks, and finds none here, then looks at the
    // records.
    // Safety: record-ring/ends
    this.memory.store(this.seatAt, nobody)
    if (this.layout.end() === 'closed') this.layout.wakeAtEnd()
  }

  private pushWithin(record: Uint8Array, timeoutMs: number): boolean {
    const { length } = record
    if (length > this.recordBytesMax) this.requireLength(length)
    if (!this.reserveWithin(slotsOf(length), timeoutMs)) return false
    this.lay(this.record, record)
    this.publish()
    return true
  }

  private pushSome(records: readonly Uint8Array[], from: number): number {
    const count = this.reserveSome(records, from)
    if (count === 0) return 0
    let position = this.first
    for (let i = from; i < from + count; i++) {
      const record = records[i] as Uint8Array
      const slots = slotsOf(record.length)
      const padding = this.paddingAt(position, slots)
      if (padding > 0) this.measureOut(position, -padding)
      position = (position + padding * positionStep) | 0
      this.lay(position, record)
      position = (position + slots * positionStep) | 0
    }
    // All of them at once, by one word.
    // Safety: record-ring/batch-at-once
    this.publish()
    return count
  }

  private hold(length: number, timeoutMs: number): boolean {
    if (!this.reserveWithin(slotsOf(length), timeoutMs)) return false
    this.claimed = length
    return true
  }

  private reserveWithin(slots: number, timeoutMs: number): boolean {
    if (this.reserve(slots)) return true
    const patience = this.patience(timeoutMs)
    while (!patience.over) {
      this.sleep(patience)
      if (this.reserve(slots)) return true
    }
    return false
  }

  private patience(timeoutMs: number): Patience {
    return new Patience(this.memory, timeoutMs, this.waiting)
  }

  private sleep(patience: Patience): void {
    // Only the source makes room, and then it moves the head. There is one look after the time is over.
    // Safety: record-ring/wakes, record-ring/times-out
    patience.sleep(this.layout.headAt, this.headSeen)
  }

  /** Claims slots for one record, and padding before it where it would go beyond the end of the ring. */
  private reserve(slots: number): boolean {
    for (;;) {
      const tail = this.lookForTail()
      const padding = this.paddingAt(tail, slots)
      const size = padding + slots
      if (this.roomAt(tail, size) < size) break
      if (!this.take(tail, size)) continue
      this.record = (tail + padding * positionStep) | 0
      if (padding > 0) this.measureOut(tail, -padding)
      return true
    }
    this.retract()
    return false
  }

  /** Claims slots for as many records as fit. */
  private reserveSome(records: readonly Uint8Array[], from: number): number {
    if (from === records.length) return 0
    for (;;) {
      const tail = this.lookForTail()
      let size = this.measure(tail, records, from, Infinity)
      const room = this.roomAt(tail, size)
      if (room < size) size = this.measure(tail, records, from, room)
      if (size === 0) break
      if (this.take(tail, size)) return this.fitting
    }
    this.retract()
    return 0
  }

  /** How many slots as many records take, from a position on, as fit into some room. */
  private measure(tail: number, records: readonly Uint8Array[], from: number, room: number): number {
    let size = 0
    let index = from
    for (; index < records.length; index++) {
      const slots = slotsOf((records[index] as Uint8Array).length)
      const more = slots + this.paddingAt((tail + size * positionStep) | 0, slots)
      if (size + more > room) break
      size += more
    }
    this.fitting = index - from
    return size
  }

  private lookForTail(): number {
    if (this.claimed !== unclaimed) this.refuse()
    const tail = this.memory.load(this.layout.tailAt)
    if (isClosed(tail)) this.giveUp()
    return tail
  }

  /** How many slots are left empty before a record of so many. */
  private paddingAt(position: number, slots: number): number {
    const left = this.layout.slots - this.layout.slotAt(position)
    return slots > left ? left : 0
  }

  /** How many slots are free from the tail on: for certain, and all that there are if these are less than wanted. */
  private roomAt(tail: number, wanted: number): number {
    const { memory, layout } = this
    // A head that is behind by all positions would seem to have come nearer. In the same era it is not.
    // Safety: record-ring/wraps
    const era = memory.load(layout.eraAt)
    const room = layout.slots - distance(this.head, tail)
    if (era === this.era && room >= wanted) return room
    // The source is done with all that stands before it. When it moves on, it says so in the era first.
    // Safety: record-ring/whole
    this.headSeen = memory.load(layout.headAt)
    // A source that closes says so in the tail first, and then here: who sleeps on this word has not missed it.
    // Safety: record-ring/refuses
    if (isClosed(this.headSeen)) this.giveUp()
    this.head = positionIn(this.headSeen)
    this.era = era
    return layout.slots - distance(this.head, tail)
  }

  /** Claims slots, unless the tail has moved. */
  private take(tail: number, size: number): boolean {
    const { memory, layout } = this
    if (memory.liveness !== undefined) {
      // Before the claim: who finds the slots claimed finds this, until they are published. And nobody needs to know how many
      // they are.
      // Safety: record-ring/survives-sink
      memory.store(this.seatAt + intentFromSeat, tail)
      this.hasIntent = true
    }
    // Whoever moves the tail past the slots has claimed them; all others find it moved.
    // Safety: record-ring/in-order, record-ring/linearizable, record-ring/whole
    if (memory.compareExchange(layout.tailAt, tail, (tail + size * positionStep) | 0) !== tail) return false
    this.first = tail
    this.size = size
    return true
  }

  /** Writes a record into claimed slots. */
  private lay(position: number, record: Uint8Array): void {
    this.measureOut(position, record.length)
    // The slots were free when they were claimed, and nobody else has claimed them since.
    // Safety: record-ring/whole
    this.memory.writeBytes(this.layout.byteAt(position), record)
  }

  /** Says how long the record is that begins at a position; or, as a negative number, of how many slots the padding is. */
  private measureOut(position: number, length: number): void {
    // As in `lay`.
    // Safety: record-ring/whole
    this.memory.write(this.layout.frameAt(position) + lengthFromFrame, length)
  }

  /** Ends the claim. */
  private publish(): void {
    const { memory } = this
    const frameAt = this.layout.frameAt(this.first)
    // The slots are this thread's until this exchange and the source's after it. Nobody else changes the word, but for the
    // source that announces itself on it, and is woken.
    // Safety: record-ring/whole, record-ring/wakes, record-ring/notifies-sleepers-only
    const old = memory.exchange(frameAt, this.size * positionStep)
    if ((old & asleep) !== 0) memory.notify(frameAt)
    this.retract()
  }

  /** Says that this thread has claimed nothing, if it said anything else. */
  private retract(): void {
    if (!this.hasIntent) return
    this.hasIntent = false
    // A thread that is alive, and lost a claim to one that died, would seem to have it.
    // Safety: record-ring/survives-sink
    this.memory.store(this.seatAt + intentFromSeat, noIntent)
  }

  private requireLength(length: number): void {
    const { recordBytesMax } = this
    if (Number.isInteger(length) && length >= 0 && length <= recordBytesMax) return
    throw new RangeError(
      `RecordSink: expected a record of 0 to ${recordBytesMax} bytes, found ${show(length)}; make the ring larger`,
    )
  }

  private giveUp(): never {
    this.retract()
    throw new Error('RecordSink: the source was closed; nobody reads any more')
  }

  private refuse(): never {
    if (this.claimed === shut) throw new Error('RecordSink: it was closed')
    throw new Error(`RecordSink: a record of ${this.claimed} bytes is claimed; commit or abort it first`)
  }
}
