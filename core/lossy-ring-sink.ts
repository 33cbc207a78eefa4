import { byteOfItem, requireClaimed, requireItem, requirePart, requireWholeItems, writeItems } from './items.ts'
import { halfOf, type LossyRingLayout, wordOf } from './lossy-ring-layout.ts'
import type { Memory } from './memory.ts'
import { publishPosition, withClosed } from './position.ts'
import { requireInteger } from './require.ts'

/**
 * The writing end of a lossy ring. One thread has it and no other may call it.
 *
 * Every call is wait-free, whatever the readers do. Pushing costs one copy and one exchange, and one more exchange for each
 * block. A notify is called only when a reader announced that it sleeps.
 */
export class LossySink {
  /** How many items fit. */
  readonly capacity: number
  /** Bytes of an item. */
  readonly itemBytes: number
  /** How many items can be claimed, or become readable at once. */
  readonly batchMax: number
  private readonly layout: LossyRingLayout
  private readonly memory: Memory
  private readonly writtenAt: number
  private readonly block: number
  /** The next item to write: always what `written` says. */
  private next: number
  private isOpen = true
  /** Up to here all blocks have been entered: their bytes are the writer's. Hides behind `next` while items are claimed. */
  private entered: number
  private enteredWithClaimed = 0
  private claimed = 0

  /** Use `LossyRing.sink`. */
  constructor(layout: LossyRingLayout, position: number) {
    const { memory, capacity, itemBytes, block, writtenAt } = layout
    this.layout = layout
    this.memory = memory
    this.capacity = capacity
    this.itemBytes = itemBytes
    this.block = block
    this.batchMax = capacity - block + 1
    this.writtenAt = writtenAt
    this.next = position
    // Where an item of a block was published, the block was entered; what may have been entered beyond, is entered anew.
    // Safety: lossy-ring/survives-writer
    this.entered = layout.blockFrom(position)
  }

  /** How many items were pushed since the ring was created at position 0, by whichever writer. */
  get position(): number {
    return this.next
  }

  /**
   * Pushes one item. Wait-free. Takes effect at the exchange of `written`: every reader sees the item from then on.
   *
   * @param item `itemBytes` bytes, copied
   * @throws RangeError when the item has another length
   * @throws Error when items are claimed, or the stream was closed; so does every push and claim
   */
  push(item: Uint8Array): void {
    requireItem('LossySink', 'an item', item, this.itemBytes)
    if (this.next === this.entered) this.enter(1)
    // No reader takes these bytes for an item of before: their block was entered. Nor for this one, before it is published.
    // Safety: lossy-ring/whole-items
    this.memory.writeBytes(byteOfItem(this.layout, this.next), item)
    this.publish(1)
  }

  /**
   * Pushes items, in order. Wait-free. Up to `batchMax` of them become readable at once, more of them so many at a time.
   *
   * @param items any number of items end to end; copied
   * @throws RangeError when the length is not a multiple of `itemBytes`
   */
  pushBatch(items: Uint8Array): void {
    const count = requireWholeItems('LossySink.pushBatch', items, this.itemBytes)
    if (count === 0) this.requireFree()
    for (let pushed = 0; pushed < count; ) {
      const fitting = Math.min(count - pushed, this.batchMax)
      if (this.next + fitting > this.entered) this.enter(fitting)
      // As in `push`, for so many slots.
      // Safety: lossy-ring/whole-items
      writeItems(this.layout, this.next, items, pushed, fitting)
      this.publish(fitting)
      pushed += fitting
    }
  }

  /**
   * Claims the slots of the next items, so that these can be written in place. Wait-free. The items that stood there are lost to
   * those who have not read them.
   *
   * ```ts
   * sink.claim()
   * sink.put(0, head)                    // any number of parts, in any order
   * sink.put(0, body, head.length)
   * sink.commit()                        // or sink.abort()
   * ```
   *
   * @param count how many items, from 1 to `batchMax`
   * @throws RangeError when it is not
   */
  claim(count: number = 1): void {
    requireInteger('LossySink.claim: count', count, 1, this.batchMax)
    this.requireFree()
    this.enter(count)
    this.claimed = count
    this.enteredWithClaimed = this.entered
    this.entered = this.next
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
    requirePart('LossySink.put', bytes, from, this.itemBytes)
    // As in `push`: blocks of claimed slots have been entered.
    // Safety: lossy-ring/whole-items, lossy-ring/claims
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
    requireClaimed('LossySink', index, this.claimed)
    return byteOfItem(this.layout, this.next + index)
  }

  /**
   * Publishes claimed items, all at once, and gives the others back. Wait-free.
   *
   * @param count how many, from the first one on; default: all
   * @throws RangeError when so many are not claimed
   */
  commit(count: number = this.claimed): void {
    requireInteger('LossySink.commit: count', count, 0, this.claimed)
    if (this.claimed === 0) return
    this.claimed = 0
    this.entered = this.enteredWithClaimed
    // What is given back is not published, and will be written over.
    // Safety: lossy-ring/claims
    if (count > 0) this.publish(count)
  }

  /** Gives all claimed items back: nobody has seen anything of them. Wait-free. */
  abort(): void {
    this.commit(0)
  }

  /**
   * Ends the stream: readers get what is still there, then the end. Wait-free. Items that are claimed are aborted. Every later
   * push and claim throws; closing again does nothing.
   */
  close(): void {
    if (!this.isOpen) return
    this.abort()
    this.isOpen = false
    this.entered = this.next
    // The end of the stream lies where the last item ends, and is seen by whoever sees that.
    // Safety: lossy-ring/ends
    publishPosition(this.memory, this.writtenAt, withClosed(wordOf(this.next)))
  }

  /** Takes the blocks of the next items for itself. */
  private enter(count: number): void {
    this.requireFree()
    for (; this.entered < this.next + count; this.entered += this.block) {
      // A read-modify-write, for it comes after what readers have done that validated before it: they have copied what stood
      // here. Who validates after it finds this number. Nobody else writes here. Blocks are entered when there is something to
      // put into them, and not before; and nobody is asked.
      // Safety: lossy-ring/whole-items, lossy-ring/in-order, lossy-ring/keeps, lossy-ring/never-waits
      this.memory.exchange(this.layout.blockAt(this.entered), this.layout.numberOf(this.entered))
    }
  }

  private requireFree(): void {
    if (!this.isOpen) throw new Error('LossySink: the stream was closed')
    if (this.claimed > 0) throw new Error(`LossySink: ${this.claimed} items are claimed; commit or abort them first`)
  }

  private publish(count: number): void {
    const next = this.next + count
    const halves = halfOf(next)
    // Before the position comes to another half. Who looks before and afterwards, and finds the same, knows which half it is.
    // Safety: lossy-ring/wraps
    if (halves !== halfOf(this.next)) this.memory.store(this.layout.halvesAt, halves)
    this.next = next
    // The items become readable by this exchange, all of them at once. Observed by the load in `LossySource.refresh`. Nobody else
    // moves `written`; who sleeps on it is woken.
    // Safety: lossy-ring/publishes, lossy-ring/batch-at-once, lossy-ring/notifies-sleepers-only
    publishPosition(this.memory, this.writtenAt, wordOf(next))
  }
}
