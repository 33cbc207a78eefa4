import { isLost, nobody } from './holder.ts'
import { lineWords } from './layout.ts'
import type { Memory } from './memory.ts'
import { Patience, type Waiting } from './patience.ts'
import { distance, isClosed, positionIn, positionStep, publishPosition, withClosed } from './position.ts'
import { intentFromSeat, isOtherEra, lengthFromFrame, noIntent, type RecordRingLayout, slotsOf } from './record-ring-layout.ts'
import { requireInteger, requireTimeout, show } from './require.ts'
import type { StreamEnd } from './ring-source.ts'

/** What `length` says when no record is found yet. */
const unknown = -1

/**
 * The reading end of a record ring. One thread has it and no other may call it.
 *
 * Reading costs one load for each frame, and one copy for each record; one exchange for each `advance`, of however many
 * records; and one store for it where the memory tells who is alive. A notify is called only when a sink announced that it
 * sleeps.
 */
export class RecordSource {
  /** The longest record that can come. */
  readonly recordBytesMax: number
  private readonly memory: Memory
  private readonly layout: RecordRingLayout
  private readonly waiting: Waiting
  private isOpen = true
  /** The first entry that is not free: always what the head says, without its flags. */
  private next: number
  /** All before this is published. */
  private known: number
  /** What the shared word says of that, at most. */
  private said: number
  /** The frame word at `known`, when that was the last thing looked at. */
  private seen = 0
  /** The entry that was looked for last, how many records are before it, and the length of its record. */
  private place: number
  private index = 0
  private found = unknown

  /** Use `RecordRing.source`. */
  constructor(layout: RecordRingLayout, waiting: Waiting) {
    const { memory } = layout
    this.layout = layout
    this.memory = memory
    this.recordBytesMax = layout.recordBytesMax
    this.waiting = waiting
    // All before the head was advanced over, by whoever had the source.
    // Safety: record-ring/survives-source
    const head = memory.load(layout.headAt)
    if (isClosed(head)) throw new Error('RecordRing.source: the source was closed; create another ring')
    this.next = positionIn(head)
    this.place = this.next
    // Frame words before this may have been cleared by one who died before it moved the head.
    // Safety: record-ring/survives-source
    const known = memory.load(layout.knownAt)
    this.known = distance(this.next, known) > 0 ? known : this.next
    this.said = this.known
  }

  /**
   * Whether there is a record: the oldest one that was not advanced over, or another one behind it. Wait-free; costs shared
   * loads only beyond what is known of.
   *
   * @param index 0 for the oldest
   */
  peek(index: number = 0): boolean {
    this.requireIndex('RecordSource.peek', index)
    return this.seek(index)
  }

  /**
   * Whether there is a record, but sleeps while there is none. Blocking: needs somebody to push.
   *
   * @param timeoutMs give up after so many milliseconds (0 or less: at once); default: never
   * @returns false when there was still no record at a last look after that time, or the stream has ended
   * @throws RangeError when the time-out is not a number
   */
  wait(timeoutMs: number = Infinity): boolean {
    requireTimeout('RecordSource.wait', timeoutMs)
    return this.seek(0) || this.waitForRecord(timeoutMs)
  }

  /**
   * How many bytes a record has.
   *
   * @param index 0 for the oldest that was not advanced over
   * @throws RangeError when there is no such record yet
   */
  length(index: number = 0): number {
    this.requireRecord('RecordSource.length', index)
    return this.found
  }

  /**
   * Where in the memory the bytes of a record begin, a multiple of 64, for whoever reads them through a view of its own. They
   * stay as they are until `advance` goes past the record.
   *
   * @param index 0 for the oldest that was not advanced over
   * @throws RangeError when there is no such record yet
   */
  byteOf(index: number = 0): number {
    this.requireRecord('RecordSource.byteOf', index)
    return this.layout.byteAt(this.place)
  }

  /**
   * Copies a record out without consuming it.
   *
   * @param target at least as many bytes as the record has
   * @param index 0 for the oldest that was not advanced over
   * @returns how many bytes the record has
   * @throws RangeError when there is no such record yet, or the target is shorter
   */
  readInto(target: Uint8Array, index: number = 0): number {
    this.requireRecord('RecordSource.readInto', index)
    this.copy(target)
    return this.found
  }

  /**
   * Consumes records: they can no longer be read here, and their room is the sinks' again. Wait-free.
   *
   * @param count from 0 to the number of records that there are
   * @throws RangeError when it is not
   */
  advance(count: number = 1): void {
    this.requireIndex('RecordSource.advance', count)
    if (count === 0) return
    if (!this.seek(count - 1)) {
      throw new RangeError(`RecordSource.advance: expected 0 to ${this.index} (the records that there are), found ${count}`)
    }
    this.consume()
  }

  /**
   * Reads and consumes one record: a new array with its bytes, or undefined when there is none. Wait-free. A record counts as
   * there from the moment that it and all that were claimed before it are published.
   */
  tryPop(): Uint8Array | undefined {
    return this.seek(0) ? this.take() : undefined
  }

  /**
   * Reads and consumes one record, sleeping while there is none. Blocking: needs somebody to push.
   *
   * @param timeoutMs give up after so many milliseconds (0 or less: at once); default: never
   * @returns a new array with its bytes; undefined when there was still none at a last look after that time, or the stream has
   * ended
   * @throws RangeError when the time-out is not a number
   */
  pop(timeoutMs: number = Infinity): Uint8Array | undefined {
    return this.wait(timeoutMs) ? this.take() : undefined
  }

  /**
   * Reads and consumes one record, as `tryPop`, into an array that is there already.
   *
   * @returns how many bytes the record has; -1 when there is none
   * @throws RangeError when the target is shorter than the record, which stays
   */
  tryPopInto(target: Uint8Array): number {
    return this.seek(0) ? this.takeInto(target) : -1
  }

  /**
   * Reads and consumes one record, as `pop`, into an array that is there already.
   *
   * @param timeoutMs give up after so many milliseconds (0 or less: at once); default: never
   * @returns how many bytes the record has; -1 when there was still none at a last look after that time, or the stream has ended
   * @throws RangeError when the target is shorter than the record, which stays, or the time-out is not a number
   */
  popInto(target: Uint8Array, timeoutMs: number = Infinity): number {
    return this.wait(timeoutMs) ? this.takeInto(target) : -1
  }

  /**
   * Calls a function with each record that is there, in order, and consumes all of them at once. Wait-free but for the function.
   * When that throws, those before are consumed, and the error goes on.
   *
   * @param each is given where in the memory the record begins, and how many bytes it has
   * @param limit how many records at most; default: all that there are
   * @returns how many
   */
  drain(each: (byte: number, length: number) => void, limit: number = Infinity): number {
    if (limit !== Infinity) this.requireIndex('RecordSource.drain: limit', limit)
    let count = 0
    try {
      for (; count < limit && this.seek(count); count++) each(this.layout.byteAt(this.place), this.found)
    } finally {
      this.advance(count)
    }
    return count
  }

  /**
   * Whether the stream has ended: everything was read, and nobody will push more. Tells why `pop` returned nothing.
   *
   * - `'closed'`: all sinks closed.
   * - `'abandoned'`: all sinks closed or died, and one died. Another one may take its place, and then the stream goes on.
   */
  end(): StreamEnd | undefined {
    if (this.seek(0)) return undefined
    const end = this.lookForEnd()
    // All that was pushed before is seen by a look after it.
    // Safety: record-ring/ends, record-ring/survives-sink
    return end === undefined || this.seek(0) ? undefined : end
  }

  /**
   * Ends everything: nobody reads any more, and every push and claim of whatever sink throws. Wait-free. Every later call
   * throws; closing again does nothing. (A source that is to be another thread's is not closed: its thread has to end.)
   */
  close(): void {
    if (!this.isOpen) return
    this.isOpen = false
    const { memory, layout } = this
    // Nobody claims anything from here on.
    // Safety: record-ring/refuses
    memory.or(layout.tailAt, withClosed(0))
    // Who waits for room looks again, and finds that.
    // Safety: record-ring/refuses
    publishPosition(memory, layout.headAt, withClosed(this.next))
  }

  private take(): Uint8Array {
    const record = new Uint8Array(this.found)
    this.takeInto(record)
    return record
  }

  private takeInto(target: Uint8Array): number {
    const length = this.found
    this.copy(target)
    this.consume()
    return length
  }

  private copy(target: Uint8Array): void {
    const length = this.found
    if (target.length < length) {
      throw new RangeError(`RecordSource: expected a target of at least ${length} bytes (the record), found ${target.length}`)
    }
    // The record is published, and the head is not past it: nobody writes these bytes.
    // Safety: record-ring/whole
    this.memory.readBytes(this.layout.byteAt(this.place), target.length === length ? target : target.subarray(0, length))
  }

  /** Looks for a record. If there is none, `index` says how many there are. */
  private seek(index: number): boolean {
    if (!this.isOpen) throw new Error('RecordSource: it was closed')
    if (index < this.index) this.rewind()
    while (this.index < index || this.found === unknown) {
      if (this.found !== unknown) {
        this.place = this.behindRecord()
        this.found = unknown
        this.index++
      }
      if (this.place === this.known && !this.learn()) return false
      const length = this.lengthAt(this.place)
      if (length >= 0) this.found = length
      // Padding is passed over; and room again, where no record is before it.
      else if (this.place === this.next) this.free((this.place - length * positionStep) | 0)
      else this.place = (this.place - length * positionStep) | 0
    }
    return true
  }

  private rewind(): void {
    this.place = this.next
    this.index = 0
    this.found = unknown
  }

  private behindRecord(): number {
    return (this.place + slotsOf(this.found) * positionStep) | 0
  }

  private lengthAt(position: number): number {
    // The frame is published, as `known` says.
    // Safety: record-ring/whole
    return this.memory.read(this.layout.frameAt(position) + lengthFromFrame)
  }

  /** Looks for a frame behind those that are known. */
  private learn(): boolean {
    // Where the ring is full up to there, the word is that of the oldest record.
    // Safety: record-ring/in-order
    if (distance(this.next, this.known) === this.layout.slots) return false
    for (;;) {
      // A frame word of some slots was written after all of the frame; none is that of an earlier lap, for the words of what was
      // freed are cleared.
      // Safety: record-ring/whole, record-ring/in-order
      this.seen = this.memory.load(this.layout.frameAt(this.known))
      const size = positionIn(this.seen)
      if (size > 0) {
        this.known = (this.known + size) | 0
        return true
      }
      if (this.memory.liveness === undefined || !this.padOver()) return false
    }
  }

  /** Makes padding of the slots at `known` that the dead have claimed. Returns whether there is a frame now. */
  private padOver(): boolean {
    const { memory, layout, known } = this
    const tail = positionIn(memory.load(layout.tailAt))
    if (tail === known) return false
    const limit = this.claimsUpTo(tail)
    let size = 0
    // Whoever is alive has nothing here, or has published it by now; then the word is seen, for this looks after that.
    // Safety: record-ring/survives-sink
    while (size < limit && positionIn(memory.load(layout.frameAt((known + size * positionStep) | 0))) === 0) size++
    if (size > 0) {
      const frameAt = layout.frameAt(known)
      // Nobody else touches them: they belong to the dead. How many slots each of these had claimed does not matter.
      // Safety: record-ring/survives-sink
      memory.write(frameAt + lengthFromFrame, -size)
      memory.store(frameAt, size * positionStep)
    }
    // Unless there is nothing but what a living one has claimed.
    return limit > 0
  }

  /** How many slots from `known` on are claimed, up to those of the first one who is alive. */
  private claimsUpTo(tail: number): number {
    const { memory, layout, known } = this
    let limit = distance(known, tail)
    for (let seatAt = layout.seatsAt; seatAt < layout.seatsEnd; seatAt += lineWords) {
      // Whoever claimed slots before the tail was there said so first, and says so until they are published.
      // Safety: record-ring/survives-sink
      const intent = memory.load(seatAt + intentFromSeat)
      const ahead = distance(known, intent)
      if (intent === noIntent || ahead < 0 || ahead >= limit) continue
      const seat = memory.load(seatAt)
      if (seat !== nobody && !isLost(memory, seat)) limit = ahead
    }
    return limit
  }

  /** Consumes all up to the record that was looked for last. */
  private consume(): void {
    this.free(this.behindRecord())
  }

  /** Moves the head. */
  private free(to: number): void {
    const { memory, layout } = this
    if (memory.liveness !== undefined && distance(this.said, to) > 0) {
      // If this thread dies from here on, the next one does not need the words that are cleared.
      // Safety: record-ring/survives-source
      memory.store(layout.knownAt, this.known)
      this.said = this.known
    }
    for (let position = this.next; position !== to; ) {
      const length = this.lengthAt(position)
      // Who claims the slot next lap finds no frame there, nor does who reads it.
      // Safety: record-ring/whole
      memory.write(layout.frameAt(position), 0)
      position = (position + (length < 0 ? -length : slotsOf(length)) * positionStep) | 0
    }
    if (isOtherEra(this.next, to)) {
      // Before the head: a sink that sees this era has not seen the head before the one that was.
      // Safety: record-ring/wraps
      memory.add(layout.eraAt, 1)
    }
    this.next = to
    this.rewind()
    // The slots are the source's until this exchange, and free after it. Nobody else moves the head; who sleeps on it is woken.
    // Safety: record-ring/whole, record-ring/in-order
    publishPosition(memory, layout.headAt, to)
  }

  /** Called when no record was found. */
  private waitForRecord(timeoutMs: number): boolean {
    const patience = new Patience(this.memory, timeoutMs, this.waiting)
    while (!patience.over) {
      // All that was pushed before the end is seen by a look after it.
      // Safety: record-ring/ends
      if (this.lookForEnd() !== undefined) return this.seek(0)
      // Whatever is published next, or the end, changes this word. There is one look after the time is over.
      // Safety: record-ring/wakes, record-ring/times-out
      patience.sleep(this.layout.frameAt(this.known), this.seen)
      if (this.seek(0)) return true
    }
    return false
  }

  private lookForEnd(): StreamEnd | undefined {
    return this.layout.end()
  }

  private requireIndex(who: string, index: number): void {
    requireInteger(who, index, 0, 2 ** 31 - 1)
  }

  private requireRecord(who: string, index: number): void {
    this.requireIndex(who, index)
    if (this.seek(index)) return
    throw new RangeError(`${who}: expected an index below the ${this.index} records that there are, found ${show(index)}`)
  }
}
