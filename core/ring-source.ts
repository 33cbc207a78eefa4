import { isAbandoned, wordOfSelf } from './holder.ts'
import { byteOfItem, readItems, requireItem, requireWholeItems, type Slots } from './items.ts'
import type { Memory } from './memory.ts'
import { Patience, type Waiting } from './patience.ts'
import { distance, isClosed, itemAt, positionAfter, positionIn, publishPosition } from './position.ts'
import { requireTimeout, show } from './require.ts'
import type { Gates } from './ring-gates.ts'
import { type RingLayout, seatFromPosition, unsettled } from './ring-layout.ts'
import { vacate } from './ring-seats.ts'

/** How a stream ended: its writer closed it, or died. */
export type StreamEnd = 'closed' | 'abandoned'

/**
 * A reading end of a ring. One thread has it and no other may call it.
 *
 * Reading costs one copy, and one exchange for each `advance`; one load each time the items known of are used up. A notify
 * is called only for a writer that announced that it sleeps.
 */
export class Source {
  /** Which reader this is, from 0. */
  readonly reader: number
  /** How many items fit. */
  readonly capacity: number
  /** Bytes of an item. */
  readonly itemBytes: number
  private readonly memory: Memory
  private readonly slots: Slots
  private readonly waiting: Waiting
  private readonly writtenAt: number
  private readonly readAt: number
  /** The next item to read: always what the shared word says, without its flags. */
  private next: number
  private isOpen = true
  /** So many items are there for certain: the writer only ever adds, so that a stale count errs on the safe side. */
  private ready = 0
  /** `written` as it was at the last `refresh`, with its flags. */
  private seen = 0
  /** The readers that this one stands behind, if it does. */
  private readonly gates: Gates | undefined

  /** Use `Ring.source`. */
  constructor(layout: RingLayout, reader: number, waiting: Waiting, position: number, gates: Gates | undefined) {
    this.memory = layout.memory
    this.slots = layout
    this.capacity = layout.capacity
    this.itemBytes = layout.itemBytes
    this.reader = reader
    this.waiting = waiting
    this.writtenAt = layout.writtenAt
    this.readAt = layout.readAt(reader)
    this.next = position
    this.gates = gates
  }

  /** How many items were pushed before the next one to read, since the ring was created at position 0, modulo 2^30. */
  get position(): number {
    return itemAt(this.next)
  }

  /**
   * How many items can be read now: at least this many, and not 0 unless there was none at the call. Wait-free; costs one
   * shared load only when no item is known of.
   */
  available(): number {
    return this.ready > 0 ? this.ready : this.refresh()
  }

  /**
   * How many items can be read, as `available`, but sleeps while there is none. Blocking: needs the writer to push.
   *
   * @param timeoutMs give up after so many milliseconds (0 or less: at once); default: never
   * @returns 0 when there was still no item at a last look after that time, or the stream has ended
   * @throws RangeError when the time-out is not a number
   */
  wait(timeoutMs: number = Infinity): number {
    requireTimeout('Source.wait', timeoutMs)
    if (this.available() === 0) this.waitForItems(timeoutMs)
    return this.ready
  }

  /**
   * How many of the available items, from the oldest on, the readers that this one stands behind are known to have advanced past:
   * all, unless one of these left or died. What comes then nobody may have attended to, or only in part. Wait-free.
   */
  attended(): number {
    const available = this.available()
    const { gates, next, seen } = this
    if (gates === undefined) return available
    if (gates.attendedFrom(next) < available) gates.look(next, seen)
    return Math.min(available, gates.attendedFrom(next))
  }

  /**
   * Copies an item out without consuming it. Wait-free; touches no position unless the item is beyond those known of.
   *
   * @param index 0 for the oldest unread item, at most the number of items available minus 1
   * @param target `itemBytes` bytes to copy into; default: new ones
   * @returns the target
   * @throws RangeError when there is no such item yet, or the target has another length
   */
  get(index: number, target: Uint8Array = new Uint8Array(this.itemBytes)): Uint8Array {
    requireItem('Source', 'a target', target, this.itemBytes)
    this.requireAvailable('Source.get', index)
    this.readOne(index, target)
    return target
  }

  /**
   * Where in the memory the bytes of an item begin, for whoever reads them through a view of its own. They stay as they are
   * until `advance` goes past the item. Wait-free, as `get`.
   *
   * @param index 0 for the oldest unread item, at most the number of items available minus 1
   * @throws RangeError when there is no such item yet
   */
  byteOf(index: number): number {
    this.requireAvailable('Source.byteOf', index)
    return this.byteAt(index)
  }

  /**
   * Consumes items: they can no longer be read here, and are the writer's again once all readers consumed them. Wait-free.
   *
   * @param count from 0 to the number of items available
   * @throws RangeError when it is not
   */
  advance(count: number): void {
    if (!(count >= 0 && count <= this.ready)) this.refresh()
    if (!Number.isInteger(count) || count < 0 || count > this.ready) {
      throw new RangeError(`Source.advance: expected 0 to ${this.ready} (the items available), found ${show(count)}`)
    }
    if (count > 0) this.consume(count)
  }

  /**
   * Reads and consumes one item, or returns false when there is none. Wait-free. Takes effect at the load of `written`
   * that showed the item.
   *
   * @param target `itemBytes` bytes to copy into
   * @throws RangeError when the target has another length
   */
  tryPop(target: Uint8Array): boolean {
    requireItem('Source', 'a target', target, this.itemBytes)
    if (this.ready === 0 && this.refresh() === 0) return false
    this.readOne(0, target)
    this.consume(1)
    return true
  }

  /**
   * Reads and consumes one item, sleeping while there is none. Blocking: needs the writer to push.
   *
   * @param target `itemBytes` bytes to copy into
   * @param timeoutMs give up after so many milliseconds (0 or less: at once); default: never
   * @returns false when there was still no item at a last look after that time
   * @throws RangeError when the target has another length or the time-out is not a number
   */
  pop(target: Uint8Array, timeoutMs: number = Infinity): boolean {
    requireItem('Source', 'a target', target, this.itemBytes)
    requireTimeout('Source.pop', timeoutMs)
    if (this.ready === 0 && this.refresh() === 0 && !this.waitForItems(timeoutMs)) return false
    this.readOne(0, target)
    this.consume(1)
    return true
  }

  /**
   * Reads and consumes as many items as there are and fit, with one exchange for all of them. Wait-free.
   *
   * @param target a multiple of `itemBytes` bytes; items are copied end to end by at most two copies
   * @returns how many items; 0 when there is none
   * @throws RangeError when the length is not a multiple of `itemBytes`
   */
  tryPopBatch(target: Uint8Array): number {
    const wanted = requireWholeItems('Source', target, this.itemBytes)
    if (this.ready < wanted) this.refresh()
    const count = Math.min(wanted, this.ready)
    if (count > 0) this.readMany(target, count)
    return count
  }

  /**
   * Reads and consumes items as `tryPopBatch` does, but sleeps while there is none at all. Blocking.
   *
   * @param target a multiple of `itemBytes` bytes
   * @param timeoutMs give up after so many milliseconds (0 or less: at once); default: never
   * @returns how many items: at least 1, unless the time was over or the target is empty
   * @throws RangeError when the length is not a multiple of `itemBytes` or the time-out is not a number
   */
  popBatch(target: Uint8Array, timeoutMs: number = Infinity): number {
    requireTimeout('Source.popBatch', timeoutMs)
    const popped = this.tryPopBatch(target)
    if (popped > 0 || target.length === 0) return popped
    if (!this.waitForItems(timeoutMs)) return 0
    const count = Math.min(target.length / this.itemBytes, this.ready)
    this.readMany(target, count)
    return count
  }

  /**
   * Whether the stream has ended: everything was read, and nobody will push more. Wait-free. Tells why `pop` returned false.
   *
   * - `'closed'`: the writer closed it.
   * - `'abandoned'`: the writer died. Another one may take its place, and then the stream goes on.
   */
  end(): StreamEnd | undefined {
    if (this.available() > 0 || !this.isAtEnd()) return undefined
    // As in `waitForItems`.
    // Safety: ring/ends, ring/survives-writer
    if (!isClosed(this.seen) && (!this.isAbandoned() || this.refresh() > 0 || !this.isAtEnd())) return undefined
    return isClosed(this.seen) ? 'closed' : 'abandoned'
  }

  /**
   * Leaves the ring: from now on this reader holds nobody back, and another thread can take its place. Wait-free. Every later
   * call throws; closing again does nothing.
   */
  close(): void {
    if (!this.isOpen) return
    this.isOpen = false
    this.ready = 0
    const { memory, readAt } = this
    // Who takes the place of a thread that dies while it leaves does not go on from a position that holds nobody back.
    // Safety: ring/joins
    memory.store(readAt + seatFromPosition, wordOfSelf('Source', memory) | unsettled)
    vacate(memory, readAt, this.next)
  }

  private requireAvailable(who: string, index: number): void {
    if (!(index >= 0 && index < this.ready)) this.refresh()
    if (!Number.isInteger(index) || index < 0 || index >= this.ready) {
      throw new RangeError(`${who}: expected an index below the ${this.ready} available items, found ${show(index)}`)
    }
  }

  private readOne(index: number, target: Uint8Array): void {
    // The item is published, as `ready` says, and this reader is not past it: nobody writes these bytes.
    // Safety: ring/whole-items, ring/back-pressure
    this.memory.readBytes(this.byteAt(index), target)
  }

  private byteAt(index: number): number {
    return byteOfItem(this.slots, itemAt(this.next) + index)
  }

  private readMany(target: Uint8Array, count: number): void {
    // As in `readOne`, for `count` slots.
    // Safety: ring/whole-items, ring/back-pressure
    readItems(this.slots, itemAt(this.next), count, target)
    this.consume(count)
  }

  private consume(count: number): void {
    this.ready -= count
    this.next = positionAfter(this.next, count)
    // The bytes of these items are this reader's until this exchange and, once all readers are past them, the writer's.
    // Observed by the load in `Sink.look`. Nobody else moves this position; a writer that sleeps on it is woken.
    // Safety: ring/back-pressure, ring/in-order
    publishPosition(this.memory, this.readAt, this.next)
  }

  /** Looks where the writer is; returns how many items there are. */
  private refresh(): number {
    if (!this.isOpen) throw new Error('Source: it was closed')
    // Every item before this position was written whole, and is this reader's to read until it moves its own position.
    // Written by the exchange in `Sink.publish`, or on top of it by a reader that announced itself, which read it too.
    // Safety: ring/publishes, ring/in-order
    this.seen = this.memory.load(this.writtenAt)
    const { gates, next, seen } = this
    if (gates === undefined) this.ready = distance(next, positionIn(seen))
    // A reader ahead that comes later may begin before this one: what was seen stays.
    else this.ready = Math.max(this.ready, distance(next, gates.look(next, seen)))
    return this.ready
  }

  /** Called when a `refresh` found no item. */
  private waitForItems(timeoutMs: number): boolean {
    const patience = new Patience(this.memory, timeoutMs, this.waiting)
    while (!patience.over) {
      if (this.isAtEnd() && isClosed(this.seen)) return false
      if (!patience.spin(this.sleepAt, this.sleepSeen)) {
        // Whatever a dead writer has pushed is seen by a look after its death; then there is nothing to wait for but the readers
        // ahead.
        // Safety: ring/survives-writer
        if (this.isAtEnd() && this.isAbandoned()) {
          if (this.refresh() > 0) return true
          if (this.isAtEnd()) return false
        }
        // Sleeps on the very position that showed nothing: whatever is pushed moves it, the end of the stream changes it too,
        // and both wake all that sleep on it. There is one look after the time is over: an item that came in time is never
        // missed.
        // Safety: ring/wakes, ring/times-out
        patience.rest(this.sleepAt, this.sleepSeen)
      }
      if (this.refresh() > 0) return true
    }
    return false
  }

  /** The word that kept the last `refresh` from finding an item, and what it held. */
  private get sleepAt(): number {
    return this.gates?.at ?? this.writtenAt
  }

  private get sleepSeen(): number {
    return this.gates?.seen ?? this.seen
  }

  /** Whether this reader has come to where the writer was at the last `refresh`. */
  private isAtEnd(): boolean {
    return positionIn(this.seen) === this.next
  }

  /** Whether there was a writer, and it is dead. */
  private isAbandoned(): boolean {
    return isAbandoned(this.memory, this.writtenAt + seatFromPosition)
  }
}
