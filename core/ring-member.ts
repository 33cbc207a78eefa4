import { isAbandoned } from './holder.ts'
import { byteOfItem, part, readItems, requireClaimed, requireItem, requireWholeItems } from './items.ts'
import type { Memory } from './memory.ts'
import { asleep, Patience, type Waiting } from './patience.ts'
import { distance, isClosed, itemAt, positionAfter, positionIn, publishPosition, withClosed } from './position.ts'
import { requireInteger, requireTimeout } from './require.ts'
import type { Gates } from './ring-gates.ts'
import type { Group } from './ring-group.ts'
import { endFromPosition, joined, type RingLayout, seatFromPosition, vacant } from './ring-layout.ts'
import { heldFrom } from './ring-seats.ts'
import type { StreamEnd } from './ring-source.ts'

const countMax = 2 ** 31 - 1

/**
 * A member of a group: each item goes to one member, in order. One thread has it and no other may call it.
 *
 * ```ts
 * const count = member.claim(8)            // or tryClaim; or pop, popBatch: claim, copy and let go in one
 * for (let i = 0; i < count; i++) work(member.get(i))
 * member.advance()                         // done with them: until here they come again if this thread dies
 * ```
 *
 * After the LMAX Disruptor's worker pool (a sequence that all workers share, and one of each that holds the writer back) and
 * Kafka's consumer groups (who dies leaves what it had not committed to the others). We depart from the former in that an idle
 * member holds nobody back, and that members come and go.
 *
 * A member first says where its claim begins, in its position, and then moves the cursor of the group past it. So whoever sees
 * the cursor there sees the position, too: the writer, and whoever stands behind the group, look at the cursor first. What is
 * said at a cursor that has moved meanwhile holds them up for a moment, and is taken back.
 *
 * Claiming costs an exchange, a compare-exchange and two or three loads, whatever its size, and letting go an exchange; one
 * store more where the memory has `liveness`. Lock-free: who has to begin again does so because another member has claimed.
 */
export class Member {
  /** Which group this is a member of, from 0. */
  readonly group: number
  /** How many items fit into the ring. */
  readonly capacity: number
  /** Bytes of an item. */
  readonly itemBytes: number
  private readonly memory: Memory
  private readonly layout: RingLayout
  private readonly seats: Group
  private readonly waiting: Waiting
  private readonly gates: Gates | undefined
  private readonly writtenAt: number
  private readonly cursorAt: number
  /** The position beside this member's seat; and the one that holds what it has claimed: that one, or another's that is gone. */
  private readonly ownAt: number
  private heldAt: number
  private isOpen = true
  /** The first item that is held, how many are, and how many of these the caller knows of. */
  private next = 0
  private held = 0
  private claimed = 0
  private again = false
  /** Of the last look: the cursor, and then `written`, with its flags. */
  private cursor = 0
  private seen = 0
  /** Up to here items can be claimed, as far as it is known. */
  private known: number | undefined
  /** Up to here the members are done with everything, if that was ever found. */
  private done: number | undefined
  /** A word that changes when there may be something to do, and what it held. */
  private sleepAt = 0
  private sleepSeen = 0

  /** Use `Ring.member`. */
  constructor(layout: RingLayout, group: number, seats: Group, positionAt: number, waiting: Waiting, gates: Gates | undefined) {
    this.memory = layout.memory
    this.layout = layout
    this.capacity = layout.capacity
    this.itemBytes = layout.itemBytes
    this.group = group
    this.seats = seats
    this.waiting = waiting
    this.gates = gates
    this.writtenAt = layout.writtenAt
    this.cursorAt = seats.cursorAt
    this.ownAt = positionAt
    this.heldAt = positionAt
    this.adopt()
  }

  /**
   * How many items were pushed before the next one, since the ring was created at position 0, modulo 2^30. The next one is the
   * first that is claimed; if none is, the one after the last that was, or where the group stood at a later look.
   */
  get position(): number {
    return itemAt(this.next)
  }

  /**
   * Whether the items that were claimed, or popped, last may have come to another member before, one that died or left before
   * it was done with them.
   */
  get redelivered(): boolean {
    return this.again
  }

  /**
   * Claims the next items of the group: no other member gets them. Lock-free. Takes effect at the compare-exchange of the
   * group's cursor. They hold the writer back until `advance`.
   *
   * @param count how many items to claim at most, from 1 on
   * @returns how many were claimed: as many as there are; 0 when there is none
   * @throws RangeError when `count` is no number of items
   * @throws Error when items are claimed already, or the member was closed; so does every claim and pop
   */
  tryClaim(count: number = 1): number {
    requireInteger('Member.tryClaim: count', count, 1, countMax)
    return this.take(count)
  }

  /**
   * Claims items as `tryClaim` does, but sleeps while there is none at all. Blocking: needs the writer to push.
   *
   * @param count how many items to claim at most, from 1 on
   * @param timeoutMs give up after so many milliseconds (0 or less: at once); default: never
   * @returns how many were claimed: at least 1, unless the time was over or the stream has ended
   * @throws RangeError when `count` is no number of items or the time-out is not a number
   */
  claim(count: number = 1, timeoutMs: number = Infinity): number {
    requireInteger('Member.claim: count', count, 1, countMax)
    requireTimeout('Member.claim', timeoutMs)
    return this.takeWithin(count, timeoutMs)
  }

  /**
   * Copies a claimed item out. Wait-free; touches no position.
   *
   * @param index which of the claimed items, from 0
   * @param target `itemBytes` bytes to copy into; default: new ones
   * @returns the target
   * @throws RangeError when there is no such item, or the target has another length
   */
  get(index: number, target: Uint8Array = new Uint8Array(this.itemBytes)): Uint8Array {
    requireItem('Member', 'a target', target, this.itemBytes)
    requireClaimed('Member.get', index, this.claimed)
    this.read(index, 1, target)
    return target
  }

  /**
   * Where in the memory the bytes of a claimed item begin, for whoever reads them through a view of its own. They stay as they
   * are until `advance` goes past the item.
   *
   * @param index which of the claimed items, from 0
   * @throws RangeError when there is no such item
   */
  byteOf(index: number): number {
    requireClaimed('Member.byteOf', index, this.claimed)
    return byteOfItem(this.layout, itemAt(this.next) + index)
  }

  /**
   * How many of the claimed items, from the first one on, the readers and groups that this member stands behind are known to have
   * advanced past: all, unless one of these left or died. What comes then nobody may have attended to, or only in part.
   * Wait-free.
   */
  attended(): number {
    const { gates, claimed, next, seen } = this
    if (gates === undefined) return claimed
    if (gates.attendedFrom(next) < claimed) gates.look(next, seen)
    return Math.min(claimed, gates.attendedFrom(next))
  }

  /**
   * Lets go of claimed items: they were attended to, and will not come again. Wait-free.
   *
   * @param count how many, from the first one on; default: all
   * @throws RangeError when so many are not claimed
   */
  advance(count: number = this.claimed): void {
    requireInteger('Member.advance: count', count, 0, this.claimed)
    if (count === 0) return
    this.claimed -= count
    this.finish(count)
  }

  /**
   * Claims one item, copies it out and lets go of it, or returns false when there is none. Lock-free, as `tryClaim`.
   *
   * @param target `itemBytes` bytes to copy into
   * @throws RangeError when the target has another length
   */
  tryPop(target: Uint8Array): boolean {
    requireItem('Member', 'a target', target, this.itemBytes)
    return this.popTaken(this.take(1), target) === 1
  }

  /**
   * Pops one item as `tryPop` does, sleeping while there is none. Blocking: needs the writer to push.
   *
   * @param target `itemBytes` bytes to copy into
   * @param timeoutMs give up after so many milliseconds (0 or less: at once); default: never
   * @returns false when there was still no item at a last look after that time, or the stream has ended
   * @throws RangeError when the target has another length or the time-out is not a number
   */
  pop(target: Uint8Array, timeoutMs: number = Infinity): boolean {
    requireItem('Member', 'a target', target, this.itemBytes)
    requireTimeout('Member.pop', timeoutMs)
    return this.popTaken(this.takeWithin(1, timeoutMs), target) === 1
  }

  /**
   * Claims as many items as there are and fit, copies them out and lets go of them. Lock-free, as `tryClaim`.
   *
   * @param target a multiple of `itemBytes` bytes; items are copied end to end by at most two copies
   * @returns how many items; 0 when there is none
   * @throws RangeError when the length is not a multiple of `itemBytes`
   */
  tryPopBatch(target: Uint8Array): number {
    const count = requireWholeItems('Member', target, this.itemBytes)
    return count === 0 ? 0 : this.popTaken(this.take(count), target)
  }

  /**
   * Pops items as `tryPopBatch` does, but sleeps while there is none at all. Blocking.
   *
   * @param target a multiple of `itemBytes` bytes
   * @param timeoutMs give up after so many milliseconds (0 or less: at once); default: never
   * @returns how many items: at least 1, unless the time was over, the stream has ended or the target is empty
   * @throws RangeError when the length is not a multiple of `itemBytes` or the time-out is not a number
   */
  popBatch(target: Uint8Array, timeoutMs: number = Infinity): number {
    requireTimeout('Member.popBatch', timeoutMs)
    const count = requireWholeItems('Member', target, this.itemBytes)
    return count === 0 ? 0 : this.popTaken(this.takeWithin(count, timeoutMs), target)
  }

  /**
   * Whether the stream has ended for this group: nobody will push more, and every item was claimed by a member that is done with
   * it. While another member is not, this is undefined, and `pop` and `claim` wait: what that one leaves comes to this one.
   * Lock-free. Tells why `pop` returned false.
   *
   * - `'closed'`: the writer closed it.
   * - `'abandoned'`: the writer died. Another one may take its place, and then the stream goes on.
   */
  end(): StreamEnd | undefined {
    this.requireOpen()
    if (this.held > 0) return undefined
    // Safety: ring/ends
    const cursor = positionIn(this.memory.load(this.cursorAt))
    return this.refresh(cursor) > 0 || this.takeOver() ? undefined : this.ending()
  }

  /**
   * Leaves the group. What this member has claimed and is not done with comes to another one, where the memory has `liveness`;
   * elsewhere nobody would look for it, and it is let go of. Where no other one is, the group is there no more: it holds nobody
   * back, and who comes next begins it anew. Waits for nobody but one that comes or goes. Every later call throws; closing again
   * does nothing.
   */
  close(): void {
    if (!this.isOpen) return
    this.claimed = 0
    if (this.held > 0 && this.memory.liveness === undefined) this.finish(this.held)
    this.seats.leave(this.heldAt === this.ownAt ? [this.ownAt] : [this.ownAt, this.heldAt])
    this.held = 0
    this.isOpen = false
  }

  /** Makes up to so many items the caller's. */
  private take(count: number): number {
    this.requireOpen()
    if (this.claimed > 0) throw new Error(`Member: ${this.claimed} items are claimed; advance past them first`)
    if (this.held === 0 && !this.claimNext(count)) this.takeOver()
    this.claimed = Math.min(count, this.held)
    return this.claimed
  }

  private takeWithin(count: number, timeoutMs: number): number {
    if (this.take(count) > 0) return this.claimed
    const patience = new Patience(this.memory, timeoutMs, this.waiting)
    while (!patience.over) {
      // Nothing is pushed any more where the stream is closed: what is waited for then, only `ending` knows.
      if (isClosed(this.seen) || !patience.spin(this.sleepAt, this.sleepSeen)) {
        if (this.ending() !== undefined) return 0
        // Sleeps on the very word that showed nothing. There is one look after the time is over: an item that came in time is
        // never missed.
        // Safety: ring/wakes, ring/times-out
        patience.rest(this.sleepAt, this.sleepSeen)
      }
      if (this.take(count) > 0) break
    }
    return this.claimed
  }

  private popTaken(count: number, target: Uint8Array): number {
    if (count === 0) return 0
    this.read(0, count, part(target, 0, count * this.itemBytes))
    this.advance()
    return count
  }

  /** Claims up to so many of the items that nobody has claimed. */
  private claimNext(count: number): boolean {
    const { memory, cursorAt, ownAt } = this
    for (let isDeclared = false; ; ) {
      // Every item before it is somebody's, or was.
      // Safety: ring/shares, ring/in-order
      const found = memory.load(cursorAt)
      const cursor = positionIn(found)
      this.next = cursor
      let there = distance(cursor, this.known ?? cursor)
      if (there <= 0) there = this.refresh(cursor)
      if (there <= 0) {
        if (isDeclared) this.finish(0)
        this.sleepAt = this.gates?.at ?? this.writtenAt
        this.sleepSeen = this.gates?.seen ?? this.seen
        return false
      }
      this.hold(cursor)
      isDeclared = true
      // Looked at after that: the writer is held now, so that the cursor does not come here a second time, all the way round.
      // There are more than fit where it has moved on before.
      there = this.refresh(cursor)
      if (there <= 0 || there > this.capacity) continue
      const taken = Math.min(count, there)
      const end = positionAfter(cursor, taken)
      // If this thread dies from here on, whoever goes on knows how much it may have claimed.
      // Safety: ring/survives-member
      if (memory.liveness !== undefined) memory.store(ownAt + endFromPosition, end)
      // These are this member's, if nobody else has claimed any of them.
      // Safety: ring/shares
      if (memory.compareExchange(cursorAt, found, end) !== found) continue
      // Safety: ring/wakes
      if ((found & asleep) !== 0) memory.notify(cursorAt)
      this.held = taken
      this.again = false
      return true
    }
  }

  /** Says that the items from the cursor on are to be held for this member. */
  private hold(cursor: number): void {
    // From here on they are, if this is still the cursor. If it is not, and somebody sleeps because of what was said before, that
    // one is woken.
    // Safety: ring/back-pressure, ring/shares, ring/wakes
    publishPosition(this.memory, this.ownAt, cursor)
  }

  /** Goes on with what a member has claimed that is gone. */
  private takeOver(): boolean {
    if (this.memory.liveness === undefined) return false
    return this.seats.claims((positionAt) => {
      if (!this.seats.replace(positionAt)) return false
      this.heldAt = positionAt
      this.adopt()
      return this.held > 0
    })
  }

  /** Takes what was claimed by the one that had the place before, and is not done with. */
  private adopt(): void {
    const { memory, layout, heldAt, ownAt } = this
    // Nobody else moves it any more.
    // Safety: ring/shares, ring/survives-member
    const seen = memory.load(heldAt)
    const position = positionIn(seen)
    this.next = position
    // It may lie before what was last looked for.
    // Safety: ring/attended
    this.gates?.forget()
    if (isClosed(seen)) {
      if (heldAt !== ownAt) this.finish(0)
      return
    }
    // Safety: ring/survives-member
    const end = positionIn(memory.load(heldAt + endFromPosition))
    // What was claimed, the cursor is past. If it was not, as others came first, the items may be gone by now; else they are
    // held, from when the writer looks again.
    // Safety: ring/survives-member
    const isGone = distance(position, heldFrom(layout, memory.or(layout.limitAt, joined))) > 0
    // Safety: ring/survives-member
    const passed = distance(position, positionIn(memory.load(this.cursorAt)))
    this.held = isGone ? 0 : Math.max(0, Math.min(passed, distance(position, end)))
    this.again = true
    if (this.held === 0) this.finish(0)
  }

  /** Says that this member is done with so many of the items that it holds. */
  private finish(count: number): void {
    const { memory, heldAt, ownAt } = this
    this.next = positionAfter(this.next, count)
    this.held -= count
    // The bytes of these items are this member's until this exchange and, once all others are past them, the writer's. Nobody
    // else moves this position; who sleeps on it is woken.
    // Safety: ring/back-pressure, ring/wakes
    publishPosition(memory, heldAt, this.held > 0 ? this.next : withClosed(this.next))
    if (this.held > 0 || heldAt === ownAt) return
    // What was there is done with: the place is for whoever comes.
    // Safety: ring/survives-member
    memory.store(heldAt + seatFromPosition, vacant)
    this.heldAt = ownAt
  }

  /** How the stream has ended, if it has. The last look showed nothing. */
  private ending(): StreamEnd | undefined {
    const { cursor } = this
    if (!this.isAtEnd()) return undefined
    if (!isClosed(this.seen)) {
      if (!this.isAbandoned()) return undefined
      // Whatever a dead writer has pushed is seen by a look after its death. Who would sleep now finds the word changed.
      // Safety: ring/survives-writer
      this.refresh(cursor)
      if (!this.isAtEnd()) return undefined
    }
    if (this.isBusyBefore(cursor)) return undefined
    return isClosed(this.seen) ? 'closed' : 'abandoned'
  }

  /** Whether everything was claimed that the writer had pushed at the last look. */
  private isAtEnd(): boolean {
    return positionIn(this.seen) === this.cursor
  }

  /** Whether a member is not done with something that it has claimed. All items before this position were claimed. */
  private isBusyBefore(cursor: number): boolean {
    // What a member says later, it says at a cursor that has moved on since it looked there.
    if (this.done === cursor) return false
    // Whatever is not done with shows in the position of who has it, or went.
    // Safety: ring/ends
    const isBusy = this.seats.claims((positionAt, seen) => {
      this.sleepAt = positionAt
      this.sleepSeen = seen
      return true
    })
    if (!isBusy) this.done = cursor
    return isBusy
  }

  /** Looks where the writer is, and who is ahead; returns how many items nobody has claimed, if the cursor is there. */
  private refresh(cursor: number): number {
    const { memory, gates } = this
    this.cursor = cursor
    // Every item before this position was written whole.
    // Safety: ring/publishes, ring/shares
    this.seen = memory.load(this.writtenAt)
    this.known = gates === undefined ? positionIn(this.seen) : gates.look(cursor, this.seen)
    return distance(cursor, this.known)
  }

  /** Whether there was a writer, and it is dead. */
  private isAbandoned(): boolean {
    return isAbandoned(this.memory, this.writtenAt + seatFromPosition)
  }

  private read(index: number, count: number, target: Uint8Array): void {
    // The items are published, and this member's position holds them: nobody writes these bytes.
    // Safety: ring/whole-items, ring/back-pressure
    readItems(this.layout, itemAt(this.next) + index, count, target)
  }

  private requireOpen(): void {
    if (!this.isOpen) throw new Error('Member: it was closed')
  }
}
