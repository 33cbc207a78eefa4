import { fourLetters, lineWords, publishHeader, readHeader, requirePlace, wholeLines, writeHeader } from './layout.ts'
import type { Memory } from './memory.ts'
import { deadlineAfter, distance, positionIn, positionStep, publishPosition, sleepUntilMoved } from './position.ts'
import { requireInteger, requireTimeout, show } from './require.ts'

/**
 * A broadcast ring: one writer, a fixed number of readers, each of which gets every item, whole and in order.
 *
 * After Neobuffer (fixed-size items copied in, the slowest reader holds the writer back, consumption is local) and the
 * LMAX Disruptor (Thompson, Farley, Barker, Gee and Stewart, 2011: positions instead of head and tail, a power of two of
 * slots, private copies of other threads' positions, batches that publish once). Lamport's single-producer queue is the
 * case of one reader. We depart from them in that threads sleep on the positions themselves (`position.ts`), that the roles
 * are handed out in the shared memory itself, and that positions are 31 bits wide and wrap.
 *
 * ```
 *   word                          owner           written by
 *   0                  header     -               create
 *   32                 written    the writer      the writer; readers set bit 0 before they sleep
 *   33                 taken      the writer      whoever calls sink() first
 *   64 + 32 r          read       reader r        reader r; the writer sets bit 0 before it sleeps
 *   65 + 32 r          taken      reader r        whoever takes source r first
 *   64 + 32 readers    items      see below       the writer
 * ```
 *
 * The item at position p lies in slot p mod capacity. Its bytes are the writer's from the moment that every reader's
 * position is past p - capacity until `written` is past p; and from then on the readers', each until its own position is
 * past p. Both ways they change hands by an exchange of the position and a load that sees it.
 */

/** What a ring is made for. */
export interface RingOptions {
  /** How many items fit: a power of two from 1 to 2^29, so that slots go on in order where positions wrap. */
  readonly capacity: number
  /**
   * Bytes of an item, from 1 to 2^31 - 1. Items lie side by side without padding. (Items of no bytes are refused: a batch
   * could not tell how many it has.)
   */
  readonly itemBytes: number
  /** How many readers there are, from 1 to 65536; default 1. Items wait for a reader that has not come yet. */
  readonly readers?: number
  /** Position of the first item, any 32-bit integer, counted modulo 2^31; default 0. Specs begin just below the wrap. */
  readonly start?: number
}

/** How the two ends wait. */
export interface WaitOptions {
  /**
   * How many times `push` and `pop` look again before they sleep, from 0 on; default 2000. Two thousand looks take about
   * 15 us (more where the engine has `Atomics.pause`), and a sleep with its wake-up 5 to 80 us. Choose 0 where there are
   * more threads than processors.
   */
  readonly spins?: number
}

/** Which reader to be, and how to wait. */
export interface SourceOptions extends WaitOptions {
  /** From 0 to `readers - 1`; default: the first that nobody has taken. */
  readonly reader?: number
}

const kind = fourLetters('RING')
const capacityMax = 2 ** 29
const itemBytesMax = 2 ** 31 - 1
const readersMax = 65536
const spinsDefault = 2000
const parameterCount = 3

const writtenAt = lineWords
const readersAt = 2 * lineWords
/** From a position to the word that says whether its owner has been found. */
const takenFromPosition = 1

/**
 * The ring as one thread sees it. `create` makes one, `attach` joins it from another thread, and `sink` and `source` hand
 * out its ends.
 *
 * ```ts
 * const shape = { capacity: 1024, itemBytes: 8, readers: 2 }
 * const memory = new SharedMemory(Ring.words(shape))
 * const sink = Ring.create(memory, shape).sink()              // the writer
 * const source = Ring.attach(new SharedMemory(buffer)).source()   // each reader, in a thread of its own
 * ```
 *
 * A thread that ends without consuming what is there holds the writer back for ever, and so does a reader that never comes.
 */
export class Ring {
  /** How many items fit. */
  readonly capacity: number
  /** Bytes of an item. */
  readonly itemBytes: number
  /** How many sources there are. */
  readonly readers: number
  private readonly memory: Memory
  private readonly at: number

  private constructor(memory: Memory, at: number, shape: Required<RingOptions>) {
    this.memory = memory
    this.at = at
    this.capacity = shape.capacity
    this.itemBytes = shape.itemBytes
    this.readers = shape.readers
  }

  /**
   * How many words a ring takes: a multiple of `lineWords`, so that another structure can begin right after it.
   *
   * @throws RangeError when an option is out of its range
   */
  static words(options: RingOptions): number {
    const { capacity, itemBytes, readers } = requireShape(options)
    return wordsOf(capacity, itemBytes, readers)
  }

  /**
   * Makes a ring. One thread does this, before any other attaches; nobody else may use these words meanwhile.
   *
   * @param at the word where the ring begins, a multiple of `lineWords` (32); whatever these words held is overwritten
   * @throws RangeError when an option is out of its range, or the memory too short
   */
  static create(memory: Memory, options: RingOptions, at = 0): Ring {
    const shape = requireShape(options)
    const { capacity, itemBytes, readers } = shape
    const words = wordsOf(capacity, itemBytes, readers)
    requirePlace('Ring.create', memory, at, words)
    writeHeader(memory, at, kind, words, [capacity, itemBytes, readers])
    // Everything begins at the same position and untaken: the ring is empty. Plain, for `publishHeader` publishes it.
    // Safety: ring/attaches
    const start = shape.start * positionStep
    for (let end = 0; end <= readers; end++) {
      const positionAt = at + writtenAt + end * lineWords
      memory.write(positionAt, start)
      memory.write(positionAt + takenFromPosition, 0)
    }
    publishHeader(memory, at)
    return new Ring(memory, at, shape)
  }

  /**
   * Joins a ring that another thread created; everything about it is read from its header. Any number of threads may.
   *
   * @param at the word where the ring was created
   * @throws RangeError when `at` is not a multiple of `lineWords` or the memory is shorter than the ring
   * @throws Error when no ring stands there, or one of another layout version
   */
  static attach(memory: Memory, at = 0): Ring {
    const { words, parameters } = readHeader('Ring.attach', memory, at, kind, parameterCount)
    const [capacity, itemBytes, readers] = parameters as [number, number, number]
    const shape = requireShape({ capacity, itemBytes, readers })
    if (words !== wordsOf(capacity, itemBytes, readers)) {
      throw new Error(
        `Ring.attach: expected ${wordsOf(capacity, itemBytes, readers)} words for this shape, ` +
          `found ${words} in the header; the memory was overwritten`,
      )
    }
    return new Ring(memory, at, shape)
  }

  /**
   * The writing end, for one thread. Handed out once in the life of a ring, whoever asks from wherever. Wait-free.
   *
   * @throws Error when it was taken before
   */
  sink(options: WaitOptions = {}): Sink {
    const spins = spinsOf('Ring.sink', options)
    const positionAt = this.at + writtenAt
    if (!this.take(positionAt)) {
      throw new Error('Ring.sink: the sink was handed out before; a ring has one writer, which must keep its sink')
    }
    return new Sink(this.memory, this.at, this.capacity, this.itemBytes, this.readers, spins)
  }

  /**
   * A reading end, for one thread; each of the `readers` ends is handed out once in the life of a ring. Wait-free.
   *
   * @throws Error when this end, or every end, was taken before
   * @throws RangeError when there is no such reader
   */
  source(options: SourceOptions = {}): Source {
    const spins = spinsOf('Ring.source', options)
    const { reader } = options
    if (reader !== undefined) {
      requireInteger('Ring.source: reader', reader, 0, this.readers - 1)
      if (!this.take(this.readerAt(reader))) {
        throw new Error(`Ring.source: source ${reader} was handed out before; its thread must keep it`)
      }
      return new Source(this.memory, this.at, this.capacity, this.itemBytes, this.readers, reader, spins)
    }
    for (let free = 0; free < this.readers; free++) {
      if (this.take(this.readerAt(free))) {
        return new Source(this.memory, this.at, this.capacity, this.itemBytes, this.readers, free, spins)
      }
    }
    throw new Error(`Ring.source: all ${this.readers} sources were handed out before; create the ring with a larger 'readers'`)
  }

  private readerAt(reader: number): number {
    return this.at + readersAt + reader * lineWords
  }

  private take(positionAt: number): boolean {
    // The role is this thread's when it turned 0 into 1. Every other taker, now or later, finds 1.
    // Safety: ring/handed-out-once
    return this.memory.compareExchange(positionAt + takenFromPosition, 0, 1) === 0
  }
}

/**
 * The writing end of a ring. One thread has it and no other may call it.
 *
 * Pushing costs one copy and one exchange while there is known to be room; each time the known room is used up, one load
 * for each reader. (An exchange is about 9 ns, a load 6.) A notify is called only when a reader announced that it sleeps.
 */
export class Sink {
  /** How many items fit. */
  readonly capacity: number
  /** Bytes of an item. */
  readonly itemBytes: number
  private readonly memory: Memory
  private readonly spins: number
  private readonly writtenAt: number
  private readonly readersAt: number
  private readonly readersEnd: number
  private readonly itemsByte: number
  /** The next item to write: always what `written` says, without the announcement. */
  private position: number
  /** So many items fit for certain: readers only ever make room, so that a stale count errs on the safe side. */
  private room = 0
  /** The reader that was furthest behind at the last `refresh`, as the index of its position, and what it held. */
  private slowestAt = 0
  private slowestSeen = 0

  /** Use `Ring.sink`. */
  constructor(memory: Memory, at: number, capacity: number, itemBytes: number, readers: number, spins: number) {
    this.memory = memory
    this.capacity = capacity
    this.itemBytes = itemBytes
    this.spins = spins
    this.writtenAt = at + writtenAt
    this.readersAt = at + readersAt
    this.readersEnd = this.readersAt + readers * lineWords
    this.itemsByte = 4 * this.readersEnd
    // A load, not a plain read: readers may be announcing themselves in bit 0 already.
    // Safety: ring/in-order
    this.position = positionIn(memory.load(this.writtenAt))
  }

  /**
   * How many items can be pushed now: at least this many, and not 0 unless the ring was full at the call. Wait-free; costs
   * shared loads only when no room is known of.
   */
  free(): number {
    return this.room > 0 ? this.room : this.refresh()
  }

  /**
   * Pushes one item, or returns false when the slowest reader is a whole ring behind. Wait-free. Takes effect at the
   * exchange of `written`: every reader sees the item from then on.
   *
   * @param item `itemBytes` bytes, copied
   * @throws RangeError when the item has another length
   */
  tryPush(item: Uint8Array): boolean {
    if (item.length !== this.itemBytes) this.refuseItem(item)
    if (this.room === 0 && this.refresh() === 0) return false
    this.writeOne(item)
    return true
  }

  /**
   * Pushes one item, sleeping while the ring is full. Blocking: needs each reader to advance.
   *
   * @param timeoutMs give up after so many milliseconds (0 or less: at once); default: never
   * @returns false when the ring was still full at a last look after that time
   * @throws RangeError when the item has another length or the time-out is not a number
   */
  push(item: Uint8Array, timeoutMs: number = Infinity): boolean {
    if (item.length !== this.itemBytes) this.refuseItem(item)
    requireTimeout('Sink.push', timeoutMs)
    if (this.room === 0 && this.refresh() === 0 && !this.waitForRoom(deadlineAfter(this.memory, timeoutMs))) return false
    this.writeOne(item)
    return true
  }

  /**
   * Pushes as many of the items as fit, in order, and publishes them at once. Wait-free. Readers see all of them or none.
   *
   * @param items any number of items end to end, copied by at most two copies
   * @returns how many were pushed; 0 when the ring is full
   * @throws RangeError when the length is not a multiple of `itemBytes`
   */
  tryPushBatch(items: Uint8Array): number {
    const count = this.countOf(items)
    if (this.room < count) this.refresh()
    const pushed = Math.min(count, this.room)
    if (pushed > 0) this.writeMany(items, 0, pushed)
    return pushed
  }

  /**
   * Pushes all of the items, in order, sleeping while the ring is full. Publishes as many as fit at a time. Blocking.
   *
   * @param items any number of items end to end; may be more than the ring holds
   * @param timeoutMs give up after so many milliseconds in all (0 or less: at once); default: never
   * @returns how many were pushed: all, unless the time was over
   * @throws RangeError when the length is not a multiple of `itemBytes` or the time-out is not a number
   */
  pushBatch(items: Uint8Array, timeoutMs: number = Infinity): number {
    requireTimeout('Sink.pushBatch', timeoutMs)
    const count = this.countOf(items)
    const deadline = deadlineAfter(this.memory, timeoutMs)
    let pushed = 0
    while (pushed < count) {
      if (this.room < count - pushed) this.refresh()
      if (this.room === 0 && !this.waitForRoom(deadline)) break
      const fitting = Math.min(count - pushed, this.room)
      this.writeMany(items, pushed, fitting)
      pushed += fitting
    }
    return pushed
  }

  private writeOne(item: Uint8Array): void {
    // Every reader is past the item that stood in this slot, as `room` says: the bytes are the writer's.
    // Safety: ring/back-pressure, ring/whole-items
    this.memory.writeBytes(this.slotByte(), item)
    this.publish(1)
  }

  private writeMany(items: Uint8Array, from: number, count: number): void {
    const { itemBytes } = this
    const slot = (this.position >>> 1) & (this.capacity - 1)
    const first = Math.min(count, this.capacity - slot)
    // As in `writeOne`, for `count` slots: up to the end of the ring, and the rest at its beginning.
    // Safety: ring/back-pressure, ring/whole-items
    this.memory.writeBytes(this.slotByte(), part(items, from * itemBytes, first * itemBytes))
    if (first < count) {
      this.memory.writeBytes(this.itemsByte, part(items, (from + first) * itemBytes, (count - first) * itemBytes))
    }
    // All of them at once: `written` passes the whole batch in one exchange.
    // Safety: ring/batch-at-once
    this.publish(count)
  }

  private publish(count: number): void {
    this.room -= count
    this.position = (this.position + count * positionStep) | 0
    // The bytes written are the writer's until this exchange and the readers' after it. Observed by the load in
    // `Source.refresh`. Nobody else moves `written`; who sleeps on it is woken.
    // Safety: ring/publishes, ring/in-order
    publishPosition(this.memory, this.writtenAt, this.position)
  }

  private slotByte(): number {
    // A power of two divides the range of positions, so that slots go on in order where positions wrap.
    // Safety: ring/wraps
    return this.itemsByte + ((this.position >>> 1) & (this.capacity - 1)) * this.itemBytes
  }

  /** Looks where the readers are; returns how many items fit. */
  private refresh(): number {
    let room = this.capacity
    for (let positionAt = this.readersAt; positionAt < this.readersEnd; positionAt += lineWords) {
      // The reader is done with every item before this position: their bytes are the writer's again, once all readers
      // are. Written by the exchange in `Source.consume`; the reader never goes back.
      // Safety: ring/back-pressure
      const seen = this.memory.load(positionAt)
      const behind = distance(positionIn(seen), this.position)
      if (this.capacity - behind < room) {
        room = this.capacity - behind
        this.slowestAt = positionAt
        this.slowestSeen = seen
      }
    }
    this.room = room
    return room
  }

  /** Called when a `refresh` found no room. */
  private waitForRoom(deadline: number): boolean {
    // The slowest reader alone decides: sleeping on any other's position would wake up for nothing.
    // Safety: ring/wakes
    while (sleepUntilMoved(this.memory, this.slowestAt, this.slowestSeen, this.spins, deadline)) {
      if (this.refresh() > 0) return true
    }
    // One look after the time is over: room that came in time is never refused.
    // Safety: ring/times-out
    return this.refresh() > 0
  }

  private countOf(items: Uint8Array): number {
    return requireWholeItems('Sink', items, this.itemBytes)
  }

  private refuseItem(item: Uint8Array): never {
    throw new RangeError(`Sink: expected an item of ${this.itemBytes} bytes, found ${item.length}`)
  }
}

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
  private readonly spins: number
  private readonly writtenAt: number
  private readonly readAt: number
  private readonly itemsByte: number
  /** The next item to read: always what the shared word says, without the announcement. */
  private position: number
  /** So many items are there for certain: the writer only ever adds, so that a stale count errs on the safe side. */
  private ready = 0
  /** `written` as it was at the last `refresh`, with the announcement. */
  private seen = 0

  /** Use `Ring.source`. */
  constructor(memory: Memory, at: number, capacity: number, itemBytes: number, readers: number, reader: number, spins: number) {
    this.memory = memory
    this.capacity = capacity
    this.itemBytes = itemBytes
    this.reader = reader
    this.spins = spins
    this.writtenAt = at + writtenAt
    this.readAt = at + readersAt + reader * lineWords
    this.itemsByte = 4 * (at + readersAt + readers * lineWords)
    // A load, not a plain read: the writer may be announcing itself in bit 0 already.
    // Safety: ring/in-order
    this.position = positionIn(memory.load(this.readAt))
  }

  /**
   * How many items can be read now: at least this many, and not 0 unless there was none at the call. Wait-free; costs one
   * shared load only when no item is known of.
   */
  available(): number {
    return this.ready > 0 ? this.ready : this.refresh()
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
    if (target.length !== this.itemBytes) this.refuseTarget(target)
    if (!(index >= 0 && index < this.ready)) this.refresh()
    if (!Number.isInteger(index) || index < 0 || index >= this.ready) {
      throw new RangeError(`Source.get: expected an index below the ${this.ready} available items, found ${show(index)}`)
    }
    this.readOne(index, target)
    return target
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
    if (target.length !== this.itemBytes) this.refuseTarget(target)
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
    if (target.length !== this.itemBytes) this.refuseTarget(target)
    requireTimeout('Source.pop', timeoutMs)
    if (this.ready === 0 && this.refresh() === 0 && !this.waitForItems(deadlineAfter(this.memory, timeoutMs))) return false
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
    if (!this.waitForItems(deadlineAfter(this.memory, timeoutMs))) return 0
    const count = Math.min(target.length / this.itemBytes, this.ready)
    this.readMany(target, count)
    return count
  }

  private readOne(index: number, target: Uint8Array): void {
    const slot = ((this.position >>> 1) + index) & (this.capacity - 1)
    // The item is published, as `ready` says, and this reader is not past it: nobody writes these bytes.
    // Safety: ring/whole-items, ring/back-pressure
    this.memory.readBytes(this.itemsByte + slot * this.itemBytes, target)
  }

  private readMany(target: Uint8Array, count: number): void {
    const { itemBytes } = this
    const slot = (this.position >>> 1) & (this.capacity - 1)
    const first = Math.min(count, this.capacity - slot)
    // As in `readOne`, for `count` slots: up to the end of the ring, and the rest from its beginning.
    // Safety: ring/whole-items, ring/back-pressure
    this.memory.readBytes(this.itemsByte + slot * itemBytes, part(target, 0, first * itemBytes))
    if (first < count) {
      this.memory.readBytes(this.itemsByte, part(target, first * itemBytes, (count - first) * itemBytes))
    }
    this.consume(count)
  }

  private consume(count: number): void {
    this.ready -= count
    this.position = (this.position + count * positionStep) | 0
    // The bytes of these items are this reader's until this exchange and, once all readers are past them, the writer's.
    // Observed by the load in `Sink.refresh`. Nobody else moves this position; a writer that sleeps on it is woken.
    // Safety: ring/back-pressure, ring/in-order
    publishPosition(this.memory, this.readAt, this.position)
  }

  /** Looks where the writer is; returns how many items there are. */
  private refresh(): number {
    // Every item before this position was written whole, and is this reader's to read until it moves its own position.
    // Written by the exchange in `Sink.publish`, or on top of it by a reader that announced itself, which read it too.
    // Safety: ring/publishes, ring/in-order
    this.seen = this.memory.load(this.writtenAt)
    this.ready = distance(this.position, positionIn(this.seen))
    return this.ready
  }

  /** Called when a `refresh` found no item. */
  private waitForItems(deadline: number): boolean {
    // Sleeps on the very position that showed nothing: whatever is pushed moves it, and wakes all that sleep on it.
    // Safety: ring/wakes
    while (sleepUntilMoved(this.memory, this.writtenAt, this.seen, this.spins, deadline)) {
      if (this.refresh() > 0) return true
    }
    // One look after the time is over: an item that came in time is never missed.
    // Safety: ring/times-out
    return this.refresh() > 0
  }

  private refuseTarget(target: Uint8Array): never {
    throw new RangeError(`Source: expected a target of ${this.itemBytes} bytes, found ${target.length}`)
  }
}

/** A part of some bytes; the bytes themselves where it is all of them, for a view costs more than a small copy. */
function part(bytes: Uint8Array, from: number, length: number): Uint8Array {
  return length === bytes.length ? bytes : bytes.subarray(from, from + length)
}

function requireWholeItems(who: string, bytes: Uint8Array, itemBytes: number): number {
  const count = bytes.length / itemBytes
  if (!Number.isInteger(count)) {
    throw new RangeError(`${who}: expected a multiple of ${itemBytes} bytes (the size of an item), found ${bytes.length}`)
  }
  return count
}

function requireShape(options: RingOptions): Required<RingOptions> {
  const { capacity, itemBytes, readers = 1, start = 0 } = options
  requireInteger('Ring: capacity', capacity, 1, capacityMax)
  if ((capacity & (capacity - 1)) !== 0) {
    const above = 2 ** Math.ceil(Math.log2(capacity))
    throw new RangeError(`Ring: capacity: expected a power of two, found ${capacity}; take ${above / 2} or ${above}`)
  }
  requireInteger('Ring: itemBytes', itemBytes, 1, itemBytesMax)
  requireInteger('Ring: readers', readers, 1, readersMax)
  requireInteger('Ring: start', start, -(2 ** 31), 2 ** 32 - 1)
  return { capacity, itemBytes, readers, start }
}

function wordsOf(capacity: number, itemBytes: number, readers: number): number {
  return readersAt + readers * lineWords + wholeLines(Math.ceil((capacity * itemBytes) / 4))
}

function spinsOf(who: string, options: WaitOptions): number {
  const { spins = spinsDefault } = options
  requireInteger(`${who}: spins`, spins, 0, 2 ** 31 - 1)
  return spins
}
