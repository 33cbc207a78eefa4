import { isLost, lostWord, nobody, wordOfSelf } from './holder.ts'
import {
  fourLetters,
  lineWords,
  publishHeader,
  readHeader,
  requirePlace,
  requireWords,
  wholeLines,
  writeHeader,
} from './layout.ts'
import type { Memory } from './memory.ts'
import { Patience, spinsOf, type WaitOptions } from './patience.ts'
import { distance, isClosed, itemAt, positionIn, positionStep, publishPosition, withClosed } from './position.ts'
import { requireInteger, requireTimeout, show } from './require.ts'

/**
 * A broadcast ring: one writer, a fixed number of readers, each of which gets every item, whole and in order.
 *
 * After Neobuffer (fixed-size items copied in, the slowest reader holds the writer back, consumption is local) and the
 * LMAX Disruptor (Thompson, Farley, Barker, Gee and Stewart, 2011: positions instead of head and tail, a power of two of
 * slots, private copies of other threads' positions, batches that publish once). Lamport's single-producer queue is the
 * case of one reader. We depart from them in that threads sleep on the positions themselves (`position.ts`), that the seats
 * are handed out in the shared memory itself and outlive their owners, and that positions are 30 bits wide and wrap.
 *
 * ```
 *   word                          owner           written by
 *   0                  header     -               create
 *   32                 written    the writer      the writer; readers set bit 0 before they sleep
 *   33                 seat       the writer      whoever takes the sink
 *   64 + 32 r          read       reader r        reader r; the writer sets bit 0 before it sleeps
 *   65 + 32 r          seat       reader r        whoever takes source r; the writer, when that one is dead
 *   64 + 32 readers    items      see below       the writer
 * ```
 *
 * The item at position p lies in slot p mod capacity. Its bytes are the writer's from the moment that every reader's
 * position is past p - capacity until `written` is past p; and from then on the readers', each until its own position is
 * past p. Both ways they change hands by an exchange of the position and a load that sees it.
 *
 * A seat is a holder (`holder.ts`): nobody at first, then the thread that sits there. What the dead leave behind is their
 * position, and it is true, for positions move by one exchange. So whoever finds that a holder is dead may sit down in its
 * place and go on from there. A reader's seat that was closed, or whose owner the writer found dead and in its way, is
 * vacant: its position no longer holds the writer back, and whoever sits down begins with what is pushed from then on.
 */

/** What a ring is made for. */
export interface RingOptions {
  /** How many items fit: a power of two from 1 to 2^28, so that slots go on in order where positions wrap. */
  readonly capacity: number
  /**
   * Bytes of an item, from 1 to 2^31 - 1. Items lie side by side without padding. (Items of no bytes are refused: a batch
   * could not tell how many it has.)
   */
  readonly itemBytes: number
  /** How many readers there can be at a time, from 1 to 65536; default 1. */
  readonly readers?: number
  /**
   * Whether items wait for readers that have not come yet; default true. If not, a reader gets what is pushed after it came,
   * and one that never comes holds nobody back.
   */
  readonly awaitReaders?: boolean
  /** Position of the first item, any 32-bit integer, counted modulo 2^30; default 0. Specs begin just below the wrap. */
  readonly start?: number
}

/** Which reader to be, and how to wait. */
export interface SourceOptions extends WaitOptions {
  /** From 0 to `readers - 1`; default: the first that nobody living has. */
  readonly reader?: number
}

const kind = fourLetters('RING')
const capacityMax = 2 ** 28
const itemBytesMax = 2 ** 31 - 1
const readersMax = 65536
const parameterCount = 3

const writtenAt = lineWords
const readersAt = 2 * lineWords
/** From a position to the seat of its owner. */
const seatFromPosition = 1

/** A reader's seat in which nobody sits any more: what its position says has no meaning. */
const vacant = lostWord

/** Set in a reader's seat while its owner joins, or leaves: nobody can go on from its position. */
const unsettled = 1

/** How a stream ended: its writer closed it, or died. */
export type StreamEnd = 'closed' | 'abandoned'

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
 * A reader that goes without closing its source holds the writer back for ever; so does, as a rule, one that never comes.
 * Where the memory has `liveness`, the dead hold nobody back: a full ring lets go of readers that died, the readers of a
 * dead writer get what it pushed and then the end of the stream, and another thread may take either end over.
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
    const { capacity, itemBytes, readers, awaitReaders } = shape
    const words = wordsOf(capacity, itemBytes, readers)
    requirePlace('Ring.create', memory, at, words)
    writeHeader(memory, at, kind, words, [capacity, itemBytes, readers])
    // Everything begins at the same position: the ring is empty. Plain, for `publishHeader` publishes it.
    // Safety: ring/attaches
    const start = shape.start * positionStep
    for (let end = 0; end <= readers; end++) {
      const awaited = end === 0 || awaitReaders
      const positionAt = at + writtenAt + end * lineWords
      memory.write(positionAt, awaited ? start : withClosed(start))
      memory.write(positionAt + seatFromPosition, awaited ? nobody : vacant)
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
    requireWords('Ring.attach', words, wordsOf(capacity, itemBytes, readers))
    return new Ring(memory, at, shape)
  }

  /**
   * The writing end, for one thread. Handed out once, whoever asks from wherever; and once more when the thread that had it
   * is dead, which goes on where that one stopped. Wait-free.
   *
   * @throws Error when another living thread has it, or the stream was closed
   */
  sink(options: WaitOptions = {}): Sink {
    const spins = spinsOf('Ring.sink', options)
    const { memory } = this
    const positionAt = this.at + writtenAt
    if (this.sitDown('Ring.sink', positionAt) === undefined) {
      throw new Error('Ring.sink: the sink was handed out before; a ring has one writer, which must keep its sink')
    }
    // A load, not a plain read: readers may be announcing themselves in bit 0 already. All that was ever pushed is before
    // this position. What a dead writer left half-written lies behind it, and will be written over.
    // Safety: ring/in-order, ring/survives-writer
    const written = memory.load(positionAt)
    if (isClosed(written)) throw new Error('Ring.sink: the stream was closed; create another ring')
    return new Sink(memory, this.at, this.capacity, this.itemBytes, this.readers, spins, positionIn(written))
  }

  /**
   * A reading end, for one thread; each of the `readers` ends is handed out to one living thread at a time. Wait-free.
   *
   * Who takes the place of a dead reader goes on where that one stopped, unless the writer needed the room meanwhile. Then,
   * and in the place of a reader that closed its source, it begins with the next item that is pushed.
   *
   * @throws Error when other living threads have this end, or every end
   * @throws RangeError when there is no such reader
   */
  source(options: SourceOptions = {}): Source {
    const spins = spinsOf('Ring.source', options)
    const { reader } = options
    if (reader !== undefined) {
      requireInteger('Ring.source: reader', reader, 0, this.readers - 1)
      const source = this.sourceAt(reader, spins)
      if (source === undefined) throw new Error(`Ring.source: source ${reader} was handed out before; its thread must keep it`)
      return source
    }
    for (let free = 0; free < this.readers; free++) {
      const source = this.sourceAt(free, spins)
      if (source !== undefined) return source
    }
    throw new Error(`Ring.source: all ${this.readers} sources were handed out before; create the ring with a larger 'readers'`)
  }

  private sourceAt(reader: number, spins: number): Source | undefined {
    const positionAt = this.at + readersAt + reader * lineWords
    const before = this.sitDown('Ring.source', positionAt)
    if (before === undefined) return undefined
    const position = leavesNothing(before) ? this.join(positionAt) : this.resume(positionAt)
    return new Source(this.memory, this.at, this.capacity, this.itemBytes, this.readers, reader, spins, position)
  }

  /** Takes the seat beside a position, if nobody living has it: returns what it held, or undefined. */
  private sitDown(who: string, positionAt: number): number | undefined {
    const { memory } = this
    const self = wordOfSelf(who, memory)
    for (let seen = nobody; ; ) {
      // The seat is this thread's when it turned nobody, or whoever is not coming back, into itself. Every other taker finds
      // this thread there, and so does the writer that was about to clear the seat.
      // Safety: ring/handed-out-once
      const found = memory.compareExchange(positionAt + seatFromPosition, seen, leavesNothing(seen) ? self | unsettled : self)
      if (found === seen) return found
      if (!isLost(memory, found)) return undefined
      seen = found
    }
  }

  /** Goes on where the reader before stopped, or at the first item. */
  private resume(positionAt: number): number {
    // A load, not a plain read: the writer may be announcing itself in bit 0 already. The items from this position on are
    // held for whoever sits here.
    // Safety: ring/in-order, ring/survives-reader
    return positionIn(this.memory.load(positionAt))
  }

  /** Begins with what is pushed from now on. The seat is unsettled. */
  private join(positionAt: number): number {
    const { memory } = this
    const first = positionIn(memory.load(this.at + writtenAt))
    // From here on the writer holds everything from `first` on for this reader: it sees that when it next looks. The writer
    // does not sleep on this position, which holds nobody back, unless a thread died here while it joined; then it sleeps in
    // slices.
    // Safety: ring/joins
    memory.store(positionAt, first)
    // When the writer last looked without seeing that, it stood at this position or before, and found at most a whole ring of
    // room. So it writes over nothing that comes after this position. Now it may sleep on `first`, and is woken.
    // Safety: ring/joins, ring/wakes
    const latest = positionIn(memory.load(this.at + writtenAt))
    if (latest !== first) publishPosition(memory, positionAt, latest)
    // Until here the items from the position on may have been written over. Whoever takes the place of a thread that died
    // before this joins anew.
    // Safety: ring/survives-reader
    memory.store(positionAt + seatFromPosition, wordOfSelf('Ring.source', memory))
    return latest
  }
}

/** Whether the one who sat in a reader's seat has left no position from which another one could go on. */
function leavesNothing(seat: number): boolean {
  return seat === vacant || (seat & unsettled) !== 0
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
  /** The next item to write: always what `written` says, without its flags. */
  private next: number
  private isOpen = true
  /**
   * So many items fit for certain: readers only ever make room, so that a stale count errs on the safe side. None while items
   * are claimed.
   */
  private room = 0
  /** How many items are claimed, and the room for them and others. */
  private claimed = 0
  private roomWithClaimed = 0
  /** The reader that was furthest behind at the last `refresh`, as the index of its position, and what it held. */
  private slowestAt = 0
  private slowestSeen = 0

  /** Use `Ring.sink`. */
  constructor(memory: Memory, at: number, capacity: number, itemBytes: number, readers: number, spins: number, position: number) {
    this.memory = memory
    this.capacity = capacity
    this.itemBytes = itemBytes
    this.spins = spins
    this.writtenAt = at + writtenAt
    this.readersAt = at + readersAt
    this.readersEnd = this.readersAt + readers * lineWords
    this.itemsByte = 4 * this.readersEnd
    this.next = position
  }

  /** How many items were pushed since the ring was created at position 0, by whichever writer, modulo 2^30. */
  get position(): number {
    return itemAt(this.next)
  }

  /**
   * How many items can be pushed now: at least this many, and not 0 unless the ring was full at the call. Wait-free; costs
   * shared loads only when no room is known of.
   *
   * @throws Error when items are claimed, or the stream was closed; so does every push and claim
   */
  free(): number {
    return this.room > 0 ? this.room : this.makeRoom()
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
    if (this.room === 0 && this.makeRoom() === 0) return false
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
    if (this.room === 0 && this.makeRoom() === 0 && !this.waitForRoom(this.patience(timeoutMs))) return false
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
    if (this.room < count) this.makeRoom()
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
    let patience: Patience | undefined
    let pushed = 0
    while (pushed < count) {
      if (this.room < count - pushed) this.makeRoom()
      if (this.room === 0) {
        patience ??= this.patience(timeoutMs)
        if (!this.waitForRoom(patience)) break
      }
      const fitting = Math.min(count - pushed, this.room)
      this.writeMany(items, pushed, fitting)
      pushed += fitting
    }
    return pushed
  }

  /**
   * Claims the slots of the next items, so that these can be written in place. Wait-free. Touches nothing that readers see.
   *
   * ```ts
   * if (sink.tryClaim() === 1) {
   *   sink.put(0, head)                  // any number of parts, in any order
   *   sink.put(0, body, head.length)
   *   sink.commit()                      // or sink.abort()
   * }
   * ```
   *
   * @param count how many items to claim, from 1 on
   * @returns how many were claimed: as many as fit; 0 when the ring is full
   * @throws RangeError when `count` is no number of items
   */
  tryClaim(count: number = 1): number {
    requireInteger('Sink.tryClaim: count', count, 1, 2 ** 31 - 1)
    if (this.room < count) this.makeRoom()
    return this.hold(count)
  }

  /**
   * Claims slots as `tryClaim` does, but sleeps while there is no room at all. Blocking: needs each reader to advance.
   *
   * @param count how many items to claim, from 1 on
   * @param timeoutMs give up after so many milliseconds (0 or less: at once); default: never
   * @returns how many were claimed: at least 1, unless the time was over
   * @throws RangeError when `count` is no number of items or the time-out is not a number
   */
  claim(count: number = 1, timeoutMs: number = Infinity): number {
    requireInteger('Sink.claim: count', count, 1, 2 ** 31 - 1)
    requireTimeout('Sink.claim', timeoutMs)
    if (this.room < count && this.makeRoom() === 0) this.waitForRoom(this.patience(timeoutMs))
    return this.hold(count)
  }

  /**
   * Writes a part of a claimed item in place. Wait-free. What is not written is what was in the slot before.
   *
   * @param index which of the claimed items, from 0
   * @param bytes copied
   * @param from the byte of the item at which they begin
   * @throws RangeError when there is no such item, or the bytes go beyond its end
   */
  put(index: number, bytes: Uint8Array, from: number = 0): void {
    const { itemBytes } = this
    if (!Number.isInteger(from) || from < 0 || from + bytes.length > itemBytes) {
      throw new RangeError(`Sink.put: expected a part of ${itemBytes} bytes, found ${bytes.length} from byte ${show(from)} on`)
    }
    // As in `writeOne`: claimed slots are slots with room.
    // Safety: ring/back-pressure, ring/claims
    this.memory.writeBytes(this.byteOf(index) + from, bytes)
  }

  /**
   * Where in the memory the bytes of a claimed item begin, for whoever writes them through a view of its own. The bytes are the
   * caller's until `commit` or `abort`.
   *
   * @param index which of the claimed items, from 0
   * @throws RangeError when there is no such item
   */
  byteOf(index: number): number {
    if (!Number.isInteger(index) || index < 0 || index >= this.claimed) {
      throw new RangeError(`Sink: expected the index of one of ${this.claimed} claimed items, found ${show(index)}`)
    }
    return this.slotByte(index)
  }

  /**
   * Publishes claimed items, all at once, and gives the others back. Wait-free. Takes effect as `tryPushBatch`.
   *
   * @param count how many, from the first one on; default: all
   * @throws RangeError when so many are not claimed
   */
  commit(count: number = this.claimed): void {
    requireInteger('Sink.commit: count', count, 0, this.claimed)
    if (this.claimed === 0) return
    this.room = this.roomWithClaimed
    this.roomWithClaimed = 0
    this.claimed = 0
    // Before this exchange nobody but the writer knows of a claim. If the writer dies, whoever takes its place begins with the
    // same slots.
    // Safety: ring/claims, ring/batch-at-once
    if (count > 0) this.publish(count)
  }

  /** Gives all claimed items back: nobody has seen anything of them. Wait-free. */
  abort(): void {
    this.commit(0)
  }

  /**
   * Ends the stream: readers get what was pushed, then the end. Wait-free. Items that are claimed are aborted. Every later push
   * and claim throws; closing again does nothing.
   */
  close(): void {
    if (!this.isOpen) return
    this.abort()
    this.isOpen = false
    this.room = 0
    // The end of the stream lies where the last item ends, and is seen by whoever sees that.
    // Safety: ring/ends
    publishPosition(this.memory, this.writtenAt, withClosed(this.next))
  }

  /** Claims up to so many of the items that are known to fit. */
  private hold(count: number): number {
    const { room } = this
    if (room === 0) return 0
    this.claimed = Math.min(count, room)
    this.roomWithClaimed = room
    this.room = 0
    return this.claimed
  }

  private writeOne(item: Uint8Array): void {
    // Every reader is past the item that stood in this slot, as `room` says: the bytes are the writer's.
    // Safety: ring/back-pressure, ring/whole-items
    this.memory.writeBytes(this.slotByte(0), item)
    this.publish(1)
  }

  private writeMany(items: Uint8Array, from: number, count: number): void {
    const { itemBytes } = this
    const slot = itemAt(this.next) & (this.capacity - 1)
    const first = Math.min(count, this.capacity - slot)
    // As in `writeOne`, for `count` slots: up to the end of the ring, and the rest at its beginning.
    // Safety: ring/back-pressure, ring/whole-items
    this.memory.writeBytes(this.slotByte(0), part(items, from * itemBytes, first * itemBytes))
    if (first < count) {
      this.memory.writeBytes(this.itemsByte, part(items, (from + first) * itemBytes, (count - first) * itemBytes))
    }
    // All of them at once: `written` passes the whole batch in one exchange.
    // Safety: ring/batch-at-once
    this.publish(count)
  }

  private publish(count: number): void {
    this.room -= count
    this.next = (this.next + count * positionStep) | 0
    // The bytes written are the writer's until this exchange and the readers' after it. Observed by the load in
    // `Source.refresh`. Nobody else moves `written`; who sleeps on it is woken.
    // Safety: ring/publishes, ring/in-order
    publishPosition(this.memory, this.writtenAt, this.next)
  }

  private slotByte(index: number): number {
    // A power of two divides the range of positions, so that slots go on in order where positions wrap.
    // Safety: ring/wraps
    return this.itemsByte + ((itemAt(this.next) + index) & (this.capacity - 1)) * this.itemBytes
  }

  /** Looks where the readers are, and lets go of those that died where they are in the way; returns how many items fit. */
  private makeRoom(): number {
    if (!this.isOpen) throw new Error('Sink: the stream was closed')
    if (this.claimed > 0) throw new Error(`Sink: ${this.claimed} items are claimed; commit or abort them first`)
    do this.refresh()
    while (this.room === 0 && this.evictSlowest())
    return this.room
  }

  private refresh(): void {
    let room = this.capacity
    for (let positionAt = this.readersAt; positionAt < this.readersEnd; positionAt += lineWords) {
      // The reader is done with every item before this position: their bytes are the writer's again, once all readers
      // are. Written by the exchange in `Source.consume`; the reader never goes back. A closed one reads no more, and
      // whoever takes its place asks for no item that was pushed before.
      // Safety: ring/back-pressure, ring/leaves
      const seen = this.memory.load(positionAt)
      const behind = distance(positionIn(seen), this.next)
      if (this.capacity - behind < room && !isClosed(seen)) {
        room = this.capacity - behind
        this.slowestAt = positionAt
        this.slowestSeen = seen
      }
    }
    // A reader that joins asks for items that were not held for it, for a moment: there is no room then, and not less.
    // Safety: ring/joins
    this.room = Math.max(room, 0)
  }

  /** Called when the ring is full. Returns whether it is worth another look. */
  private evictSlowest(): boolean {
    const { memory, slowestAt, slowestSeen } = this
    if (memory.liveness === undefined) return false
    const seatAt = slowestAt + seatFromPosition
    const seat = memory.load(seatAt)
    if (!isLost(memory, seat)) return false
    // The seat is cleared first. Who takes the dead reader's place before this goes on from its position, and then this fails;
    // who takes it after this begins at a position of its own.
    // Safety: ring/survives-reader
    if (seat !== vacant && memory.compareExchange(seatAt, seat, vacant) !== seat) return true
    // The position is still the one at which the ring is full, or a new reader's, which is a different one: that stays.
    // If this writer dies before it comes to this, the next one finds a vacant seat in its way and gets here, too.
    // Safety: ring/survives-reader, ring/joins
    memory.compareExchange(slowestAt, slowestSeen, withClosed(slowestSeen))
    return true
  }

  /** Called when the ring is full. */
  private waitForRoom(patience: Patience): boolean {
    // The slowest reader alone decides: sleeping on any other's position would wake up for nothing. There is one look after
    // the time is over: room that came in time is never refused.
    // Safety: ring/wakes, ring/times-out
    while (!patience.over) {
      patience.sleep(this.slowestAt, this.slowestSeen)
      if (this.makeRoom() > 0) return true
    }
    return false
  }

  private patience(timeoutMs: number): Patience {
    return new Patience(this.memory, timeoutMs, this.spins)
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
  /** The next item to read: always what the shared word says, without its flags. */
  private next: number
  private isOpen = true
  /** So many items are there for certain: the writer only ever adds, so that a stale count errs on the safe side. */
  private ready = 0
  /** `written` as it was at the last `refresh`, with its flags. */
  private seen = 0

  /** Use `Ring.source`. */
  constructor(
    memory: Memory,
    at: number,
    capacity: number,
    itemBytes: number,
    readers: number,
    reader: number,
    spins: number,
    position: number,
  ) {
    this.memory = memory
    this.capacity = capacity
    this.itemBytes = itemBytes
    this.reader = reader
    this.spins = spins
    this.writtenAt = at + writtenAt
    this.readAt = at + readersAt + reader * lineWords
    this.itemsByte = 4 * (at + readersAt + readers * lineWords)
    this.next = position
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
   * Copies an item out without consuming it. Wait-free; touches no position unless the item is beyond those known of.
   *
   * @param index 0 for the oldest unread item, at most the number of items available minus 1
   * @param target `itemBytes` bytes to copy into; default: new ones
   * @returns the target
   * @throws RangeError when there is no such item yet, or the target has another length
   */
  get(index: number, target: Uint8Array = new Uint8Array(this.itemBytes)): Uint8Array {
    if (target.length !== this.itemBytes) this.refuseTarget(target)
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
    return this.slotByte(index)
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
    if (this.available() > 0) return undefined
    // As in `waitForItems`.
    // Safety: ring/ends, ring/survives-writer
    if (!isClosed(this.seen) && (!this.isAbandoned() || this.refresh() > 0)) return undefined
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
    // The writer no longer waits for this reader, which reads nothing any more; if it sleeps, it is woken.
    // Safety: ring/leaves
    publishPosition(memory, readAt, withClosed(this.next))
    // Until here the seat was this thread's: nobody else has moved the position.
    // Safety: ring/leaves
    memory.store(readAt + seatFromPosition, vacant)
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
    this.memory.readBytes(this.slotByte(index), target)
  }

  private slotByte(index: number): number {
    return this.itemsByte + ((itemAt(this.next) + index) & (this.capacity - 1)) * this.itemBytes
  }

  private readMany(target: Uint8Array, count: number): void {
    const { itemBytes } = this
    const slot = itemAt(this.next) & (this.capacity - 1)
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
    this.next = (this.next + count * positionStep) | 0
    // The bytes of these items are this reader's until this exchange and, once all readers are past them, the writer's.
    // Observed by the load in `Sink.refresh`. Nobody else moves this position; a writer that sleeps on it is woken.
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
    this.ready = distance(this.next, positionIn(this.seen))
    return this.ready
  }

  /** Called when a `refresh` found no item. */
  private waitForItems(timeoutMs: number): boolean {
    const patience = new Patience(this.memory, timeoutMs, this.spins)
    while (!patience.over && !isClosed(this.seen)) {
      // Whatever a dead writer has pushed is seen by a look after its death; then there is nothing to wait for.
      // Safety: ring/survives-writer
      if (this.isAbandoned()) return this.refresh() > 0
      // Sleeps on the very position that showed nothing: whatever is pushed moves it, the end of the stream changes it too,
      // and both wake all that sleep on it. There is one look after the time is over: an item that came in time is never missed.
      // Safety: ring/wakes, ring/times-out
      patience.sleep(this.writtenAt, this.seen)
      if (this.refresh() > 0) return true
    }
    return false
  }

  /** Whether there was a writer, and it is dead. */
  private isAbandoned(): boolean {
    const { memory } = this
    return memory.liveness !== undefined && isLost(memory, memory.load(this.writtenAt + seatFromPosition))
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
  const { capacity, itemBytes, readers = 1, awaitReaders = true, start = 0 } = options
  requireInteger('Ring: capacity', capacity, 1, capacityMax)
  if ((capacity & (capacity - 1)) !== 0) {
    const above = 2 ** Math.ceil(Math.log2(capacity))
    throw new RangeError(`Ring: capacity: expected a power of two, found ${capacity}; take ${above / 2} or ${above}`)
  }
  requireInteger('Ring: itemBytes', itemBytes, 1, itemBytesMax)
  requireInteger('Ring: readers', readers, 1, readersMax)
  requireInteger('Ring: start', start, -(2 ** 31), 2 ** 32 - 1)
  return { capacity, itemBytes, readers, awaitReaders, start }
}

function wordsOf(capacity: number, itemBytes: number, readers: number): number {
  return readersAt + readers * lineWords + wholeLines(Math.ceil((capacity * itemBytes) / 4))
}
