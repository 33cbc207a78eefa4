import { isAbandoned } from './holder.ts'
import { byteOfItem, part, requireItem, requireWholeItems } from './items.ts'
import { type LossyRingLayout, positionOf, seatFromWritten } from './lossy-ring-layout.ts'
import type { Memory } from './memory.ts'
import { Patience, type Waiting } from './patience.ts'
import { isClosed } from './position.ts'
import { requireInteger, requireTimeout } from './require.ts'
import type { StreamEnd } from './ring-source.ts'

/**
 * A reading end of a lossy ring, for one thread.
 *
 * Reading costs one copy and one read-modify-write, for each item or for each block of a batch; two loads each time the items
 * known of are used up. A reader that falls behind by more than the ring holds goes on with the newer half of what is there:
 * to go on with the oldest would be to lose it again.
 *
 * Every item is received, or lost, or passed over by `skip`: `position` less where the source began is the sum.
 */
export class LossySource {
  /** How many items fit. */
  readonly capacity: number
  /** Bytes of an item. */
  readonly itemBytes: number
  private readonly layout: LossyRingLayout
  private readonly memory: Memory
  private readonly waiting: Waiting
  private readonly block: number
  private readonly writtenAt: number
  private readonly halvesAt: number
  /** The next item to read. */
  private next: number
  /** So many items were published for certain from there on; they may be gone by now. */
  private ready = 0
  private missed = 0
  /** `written` as it was at the last `refresh`, with its flags. */
  private seen = 0
  /** `halves` as it was then. */
  private halves: number

  /** Use `LossyRing.source`. */
  constructor(layout: LossyRingLayout, waiting: Waiting) {
    const { memory, capacity, itemBytes, block, writtenAt, halvesAt } = layout
    this.layout = layout
    this.memory = memory
    this.capacity = capacity
    this.itemBytes = itemBytes
    this.block = block
    this.waiting = waiting
    this.writtenAt = writtenAt
    this.halvesAt = halvesAt
    this.halves = memory.load(halvesAt)
    this.next = this.look()
  }

  /** How many items were pushed before the next one to read, since the ring was created at position 0. */
  get position(): number {
    return this.next
  }

  /** How many items this source has lost so far, as far as it has noticed: it does when it reads. */
  get lost(): number {
    return this.missed
  }

  /**
   * How many items can be tried to read now: at least this many were pushed, and not 0 unless there was none at the call.
   * Wait-free; costs shared loads only when no item is known of.
   */
  available(): number {
    return this.ready > 0 ? this.ready : this.refresh()
  }

  /**
   * How many items can be tried to read, as `available`, but sleeps while there is none. Blocking: needs the writer to push.
   *
   * @param timeoutMs give up after so many milliseconds (0 or less: at once); default: never
   * @returns 0 when there was still no item at a last look after that time, or the stream has ended
   * @throws RangeError when the time-out is not a number
   */
  wait(timeoutMs: number = Infinity): number {
    requireTimeout('LossySource.wait', timeoutMs)
    if (this.available() === 0) this.waitForItems(this.patience(timeoutMs))
    return this.ready
  }

  /**
   * Reads one item, or returns false when there is none. Lock-free: tries again only where the writer has gone on by half a ring
   * meanwhile.
   *
   * @param target `itemBytes` bytes to copy into; undefined when there was no item
   * @throws RangeError when the target has another length
   */
  tryPop(target: Uint8Array): boolean {
    requireItem('LossySource', 'a target', target, this.itemBytes)
    while (this.ready > 0 || this.refresh() > 0) {
      if (this.copy(target, 1)) return true
      this.lose()
    }
    return false
  }

  /**
   * Reads one item, sleeping while there is none. Blocking: needs the writer to push.
   *
   * @param target `itemBytes` bytes to copy into; undefined when there was no item
   * @param timeoutMs give up after so many milliseconds (0 or less: at once); default: never
   * @returns false when there was still no item at a last look after that time, or the stream has ended
   * @throws RangeError when the target has another length or the time-out is not a number
   */
  pop(target: Uint8Array, timeoutMs: number = Infinity): boolean {
    requireTimeout('LossySource.pop', timeoutMs)
    if (this.tryPop(target)) return true
    const patience = this.patience(timeoutMs)
    while (this.waitForItems(patience)) if (this.tryPop(target)) return true
    return false
  }

  /**
   * Reads as many items as there are and fit, one after the other: nothing was lost between them. Lock-free, as `tryPop`.
   *
   * @param target a multiple of `itemBytes` bytes; what is not filled is undefined
   * @returns how many items; 0 when there is none
   * @throws RangeError when the length is not a multiple of `itemBytes`
   */
  tryPopBatch(target: Uint8Array): number {
    const { itemBytes, block } = this
    const wanted = requireWholeItems('LossySource', target, itemBytes)
    if (this.ready < wanted) this.refresh()
    let count = 0
    while (count < wanted && this.ready > 0) {
      const fitting = Math.min(wanted - count, this.ready, block - (this.next & (block - 1)))
      if (this.copy(part(target, count * itemBytes, fitting * itemBytes), fitting)) count += fitting
      // What is lost behind the items that were read is noticed by the next call: `position` is where these end.
      else if (count > 0) break
      else this.lose()
    }
    return count
  }

  /**
   * Reads items as `tryPopBatch` does, but sleeps while there is none at all. Blocking.
   *
   * @param target a multiple of `itemBytes` bytes; what is not filled is undefined
   * @param timeoutMs give up after so many milliseconds (0 or less: at once); default: never
   * @returns how many items: at least 1, unless the time was over, the stream has ended, or the target is empty
   * @throws RangeError when the length is not a multiple of `itemBytes` or the time-out is not a number
   */
  popBatch(target: Uint8Array, timeoutMs: number = Infinity): number {
    requireTimeout('LossySource.popBatch', timeoutMs)
    let count = this.tryPopBatch(target)
    if (count > 0 || target.length === 0) return count
    const patience = this.patience(timeoutMs)
    while (count === 0 && this.waitForItems(patience)) count = this.tryPopBatch(target)
    return count
  }

  /**
   * Passes over all items but the newest ones. Wait-free.
   *
   * @param keep how many of the newest to leave to be read; default 1
   * @returns how many were passed over. They are not lost, nor received
   * @throws RangeError when `keep` is no number of items
   */
  skip(keep: number = 1): number {
    requireInteger('LossySource.skip: keep', keep, 0, 2 ** 31 - 1)
    const passed = Math.max(0, this.refresh() - keep)
    this.next += passed
    this.ready -= passed
    return passed
  }

  /**
   * Whether the stream has ended: everything was read or lost, and nobody will push more. Wait-free. Tells why `pop` returned
   * false.
   *
   * - `'closed'`: the writer closed it.
   * - `'abandoned'`: the writer died. Another one may take its place, and then the stream goes on.
   */
  end(): StreamEnd | undefined {
    if (this.available() > 0) return undefined
    // As in `waitForItems`.
    // Safety: lossy-ring/ends, lossy-ring/survives-writer
    if (!isClosed(this.seen) && (!this.isAbandoned() || this.refresh() > 0)) return undefined
    return isClosed(this.seen) ? 'closed' : 'abandoned'
  }

  /** For `LossyRing.source`: goes to the oldest item that is still there. Nothing has been lost by that. */
  seekOldest(): void {
    const { layout, memory } = this
    const written = this.next
    let oldest = Math.max(layout.start, written - this.capacity)
    // Whether it stays there will show when it is read.
    // Safety: lossy-ring/joins
    while (oldest < written && memory.load(layout.blockAt(oldest)) !== layout.numberOf(oldest)) {
      oldest = layout.blockFrom(oldest + 1)
    }
    this.next = Math.min(oldest, written)
    this.ready = written - this.next
  }

  /** For `LossyRing.source`: goes to a position that some source had. */
  seek(position: number): void {
    requireInteger('LossyRing.source: from', position, this.layout.start, this.next)
    const written = this.next
    this.next = position
    this.follow(written)
  }

  /** Copies items that lie in one block, if they are still there when that is done; else goes to where others may be. */
  private copy(target: Uint8Array, count: number): boolean {
    const { memory, layout, next } = this
    // The items were published, but their block may have been entered since, or be entered now: this may be a mixture.
    // Safety: lossy-ring/whole-items
    memory.guessBytes(byteOfItem(layout, next), target)
    // The number of what the place of the block holds. Adds nothing, and is no load nevertheless: the writer's next exchange
    // reads from here, so that it writes after this copy. If it came before, it shows.
    // Safety: lossy-ring/whole-items, lossy-ring/in-order
    const valid = memory.add(layout.blockAt(next), 0) === layout.numberOf(next)
    // Nobody has written these bytes since they were published.
    // Safety: lossy-ring/whole-items
    memory.settle(valid)
    if (valid) {
      this.next = next + count
      this.ready -= count
    }
    return valid
  }

  /** The next item is gone, and with it its block. Goes to where others may be, and always further than that. */
  private lose(): void {
    const written = this.look()
    // Never beyond the newest, unless that is gone: of what follows, something lies before the position at this look.
    // Safety: lossy-ring/newest
    const position = Math.max(this.layout.blockFrom(this.next + 1), written - this.kept)
    this.goTo(Math.min(position, written), written)
  }

  /** How many items are left to a reader that has lost some. */
  private get kept(): number {
    return Math.max(1, this.capacity / 2)
  }

  /** Loses the items up to a position. */
  private goTo(position: number, written: number): void {
    // Both are whole positions, not words: no difference between them is too far.
    // Safety: lossy-ring/counts
    this.missed += position - this.next
    this.next = position
    this.ready = written - position
  }

  /** Looks where the writer is; returns how many items there are. */
  private refresh(): number {
    this.follow(this.look())
    return this.ready
  }

  /** The writer is there now. */
  private follow(written: number): void {
    if (written - this.next > this.capacity) this.goTo(written - this.kept, written)
    else this.ready = written - this.next
  }

  /** Where the writer is. */
  private look(): number {
    const { memory } = this
    for (;;) {
      // Every item before this position was written whole. Written by the exchange in `LossySink.publish`, or on top of it by a
      // reader that announced itself, which read it too.
      // Safety: lossy-ring/publishes
      this.seen = memory.load(this.writtenAt)
      // If this is what it was at the last look, it was so in between.
      // Safety: lossy-ring/wraps
      const halves = memory.load(this.halvesAt)
      if (halves === this.halves) return positionOf(this.seen, halves)
      this.halves = halves
    }
  }

  private patience(timeoutMs: number): Patience {
    return new Patience(this.memory, timeoutMs, this.waiting)
  }

  /** Called when a `refresh` found no item. */
  private waitForItems(patience: Patience): boolean {
    while (!patience.over && !isClosed(this.seen)) {
      if (!patience.spin(this.writtenAt, this.seen)) {
        // Whatever a dead writer has pushed is seen by a look after its death; then there is nothing to wait for.
        // Safety: lossy-ring/survives-writer
        if (this.isAbandoned()) return this.refresh() > 0
        // Sleeps on the very word that showed nothing: whatever is pushed moves it, the end of the stream changes it too, and
        // both wake all that sleep on it. (It comes back after 2^30 items: who stood still for so long sleeps until the next
        // one.) There is one look after the time is over: an item that came in time is never missed.
        // Safety: lossy-ring/wakes, lossy-ring/times-out
        patience.rest(this.writtenAt, this.seen)
      }
      if (this.refresh() > 0) return true
    }
    return false
  }

  /** Whether there was a writer, and it is dead. */
  private isAbandoned(): boolean {
    return isAbandoned(this.memory, this.writtenAt + seatFromWritten)
  }
}
