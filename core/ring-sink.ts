import { isLost } from './holder.ts'
import { byteOfItem, requireClaimed, requireItem, requirePart, requireWholeItems, writeItems } from './items.ts'
import { lineWords } from './layout.ts'
import type { Memory } from './memory.ts'
import { Patience, type Waiting } from './patience.ts'
import { distance, isClosed, itemAt, positionAfter, positionIn, publishPosition, withClosed } from './position.ts'
import { requireInteger, requireTimeout } from './require.ts'
import { Group } from './ring-group.ts'
import { joined, letGo, type RingLayout, seatFromPosition } from './ring-layout.ts'

/**
 * The writing end of a ring. One thread has it and no other may call it.
 *
 * Pushing costs one copy and one exchange while there is known to be room; each time the known room is used up, one load
 * for each reader, and for each group and its seats, and each quarter of the ring an exchange. (An exchange is about 9 ns, a load
 * 6.) A notify is called only when a reader announced that it sleeps.
 */
export class Sink {
  /** How many items fit. */
  readonly capacity: number
  /** Bytes of an item. */
  readonly itemBytes: number
  private readonly memory: Memory
  private readonly layout: RingLayout
  private readonly waiting: Waiting
  private readonly writtenAt: number
  private readonly limitAt: number
  private readonly readersAt: number
  private readonly readersEnd: number
  /** The next item to write: always what `written` says, without its flags. */
  private next: number
  private isOpen = true
  /**
   * So many items may be written: up to the limit, and readers allow it. These only ever make room, so that a stale count errs on
   * the safe side. None while items are claimed.
   */
  private room = 0
  /** Up to here readers allowed to write at the last `look`; who joins goes by the limit, up to which it holds nothing. */
  private allowed: number
  /** The limit. */
  private limit: number
  /** How far the limit goes at a time, for items pushed one by one. */
  private readonly stride: number
  /** How many items are claimed, and the room for them and others. */
  private claimed = 0
  private roomWithClaimed = 0
  /** The reader that was furthest behind at the last `look`, as the index of its position, and what it held. */
  private slowestAt = 0
  private slowestSeen = 0

  /** Use `Ring.sink`. */
  constructor(layout: RingLayout, waiting: Waiting, position: number, limit: number) {
    this.memory = layout.memory
    this.layout = layout
    this.capacity = layout.capacity
    this.itemBytes = layout.itemBytes
    this.waiting = waiting
    this.writtenAt = layout.writtenAt
    this.limitAt = layout.limitAt
    this.readersAt = layout.readersAt
    this.readersEnd = layout.readersEnd
    this.next = position
    this.allowed = position
    this.limit = limit
    this.stride = Math.max(1, layout.capacity >> 2)
  }

  /** How many items were pushed since the ring was created at position 0, by whichever writer, modulo 2^30. */
  get position(): number {
    return itemAt(this.next)
  }

  /**
   * How many items can be pushed now: at least this many, and not 0 unless the ring was full at the call, or a member of a group
   * was just about to claim what another one had claimed meanwhile. Wait-free; costs shared loads only when no room is known of.
   *
   * @throws Error when items are claimed, or the stream was closed; so does every push and claim
   */
  free(): number {
    return this.room > 0 ? this.room : this.makeRoom()
  }

  /**
   * Pushes one item, or returns false when the slowest reader, or group, is a whole ring behind, or seems to be (`free`).
   * Wait-free. Takes effect at the exchange of `written`: every reader sees the item from then on.
   *
   * @param item `itemBytes` bytes, copied
   * @throws RangeError when the item has another length
   */
  tryPush(item: Uint8Array): boolean {
    requireItem('Sink', 'an item', item, this.itemBytes)
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
    requireItem('Sink', 'an item', item, this.itemBytes)
    requireTimeout('Sink.push', timeoutMs)
    if (this.room === 0 && this.findRoom() === 0 && !this.waitForRoom(this.patience(timeoutMs))) return false
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
    if (this.room < count) this.makeRoom(count)
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
      if (this.room < count - pushed) this.findRoom(count - pushed)
      if (this.room === 0) {
        patience ??= this.patience(timeoutMs)
        if (!this.waitForRoom(patience, count - pushed)) break
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
    if (this.room < count) this.makeRoom(count)
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
    if (this.room < count && this.findRoom(count) === 0) this.waitForRoom(this.patience(timeoutMs), count)
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
    requirePart('Sink.put', bytes, from, this.itemBytes)
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
    requireClaimed('Sink', index, this.claimed)
    return byteOfItem(this.layout, itemAt(this.next) + index)
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
    this.memory.writeBytes(byteOfItem(this.layout, itemAt(this.next)), item)
    this.publish(1)
  }

  private writeMany(items: Uint8Array, from: number, count: number): void {
    // As in `writeOne`, for `count` slots.
    // Safety: ring/back-pressure, ring/whole-items
    writeItems(this.layout, itemAt(this.next), items, from, count)
    // All of them at once: `written` passes the whole batch in one exchange.
    // Safety: ring/batch-at-once
    this.publish(count)
  }

  private publish(count: number): void {
    this.room -= count
    this.next = positionAfter(this.next, count)
    // The bytes written are the writer's until this exchange and the readers' after it. Observed by the load in
    // `Source.refresh`. Nobody else moves `written`; who sleeps on it is woken.
    // Safety: ring/publishes, ring/in-order
    publishPosition(this.memory, this.writtenAt, this.next)
  }

  /** As `findRoom`; lets go of readers that died where they are in the way. */
  private makeRoom(wanted = 1): number {
    while (this.findRoom(wanted) === 0 && this.evictSlowest());
    return this.room
  }

  /** Finds room for so many items, or less. Returns the room. */
  private findRoom(wanted = 1): number {
    if (!this.isOpen) throw new Error('Sink: the stream was closed')
    if (this.claimed > 0) throw new Error(`Sink: ${this.claimed} items are claimed; commit or abort them first`)
    if (distance(this.next, this.allowed) < wanted) this.look()
    this.raiseLimit(wanted)
    return this.room
  }

  /** Looks how far the readers allow to write. */
  private look(): void {
    let room = this.capacity
    for (let positionAt = this.readersAt; positionAt < this.readersEnd; positionAt += lineWords) {
      // The reader is done with every item before this position: their bytes are the writer's again, once all readers
      // are. Written by the exchange in `Source.consume`; the reader never goes back. A closed one reads no more, and
      // whoever takes its place says so, and goes by the limit. Of a group the cursor comes first: what is claimed before it,
      // members have said. What a member says at a cursor that has moved on is too early: then there is no room until it takes
      // that back.
      // Safety: ring/back-pressure, ring/leaves
      const seen = this.memory.load(positionAt)
      const behind = distance(positionIn(seen), this.next)
      if (this.capacity - behind < room && !isClosed(seen)) {
        room = this.capacity - behind
        this.slowestAt = positionAt
        this.slowestSeen = seen
      }
    }
    this.allowed = positionAfter(this.next, room)
  }

  /** Lets the room be that for so many items, or less. */
  private raiseLimit(wanted: number): void {
    const limit = positionAfter(this.next, Math.min(this.fitting(), Math.max(wanted, this.stride)))
    if (distance(this.limit, limit) > 0) {
      this.limit = limit
      // What lies a whole ring before the limit, or earlier, is nobody's from here on but the writer's. Who joined before this,
      // and may ask for it, has said so in its position and set the bit; who joins after this finds the limit.
      // Safety: ring/joins, ring/keeps
      if ((this.memory.exchange(this.limitAt, limit) & joined) !== 0) this.look()
    }
    this.room = Math.min(this.fitting(), distance(this.next, this.limit))
  }

  /** How many items fit, as far as readers are known. Who joins may ask for more than was held: there is no room then. */
  private fitting(): number {
    return Math.max(0, distance(this.next, this.allowed))
  }

  /** Called when the ring is full. Returns whether it is worth another look. */
  private evictSlowest(): boolean {
    const { memory, slowestAt, slowestSeen } = this
    if (memory.liveness === undefined) return false
    if (slowestAt >= this.layout.groupsAt) return this.evictGroup(slowestAt)
    const seatAt = slowestAt + seatFromPosition
    const seat = memory.load(seatAt)
    if (!isLost(memory, seat)) return false
    // The seat is cleared first. Who takes the dead reader's place before this goes on from its position, and then this fails;
    // who takes it after this begins at a position of its own.
    // Safety: ring/survives-reader
    if (seat !== letGo && memory.compareExchange(seatAt, seat, letGo) !== seat) return true
    // The position is still the one at which the ring is full, or a new reader's, which is a later one: that stays.
    // If this writer dies before it comes to this, the next one finds a cleared seat in its way and gets here, too.
    // Safety: ring/survives-reader, ring/joins
    memory.compareExchange(slowestAt, slowestSeen, withClosed(slowestSeen))
    return true
  }

  /** As before, where the slowest is a group, or a member of it. */
  private evictGroup(positionAt: number): boolean {
    const { layout } = this
    return new Group(layout, layout.groupAt(positionAt), {}).letGo()
  }

  /** Called when the ring is full, or seems to be, as `findRoom` says. */
  private waitForRoom(patience: Patience, wanted = 1): boolean {
    // The slowest reader alone decides: sleeping on any other's position would wake up for nothing. There is one look after
    // the time is over: room that came in time is never refused.
    // Safety: ring/wakes, ring/times-out
    for (;;) {
      if (!patience.spin(this.slowestAt, this.slowestSeen) && !this.evictSlowest()) {
        if (patience.over) return false
        patience.rest(this.slowestAt, this.slowestSeen)
      }
      if (this.findRoom(wanted) > 0) return true
    }
  }

  private patience(timeoutMs: number): Patience {
    return new Patience(this.memory, timeoutMs, this.waiting)
  }

  private countOf(items: Uint8Array): number {
    return requireWholeItems('Sink', items, this.itemBytes)
  }
}
