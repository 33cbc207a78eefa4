import { isLost, nobody, wordOfSelf } from './holder.ts'
import { lineWords } from './layout.ts'
import type { Memory } from './memory.ts'
import { distance, positionAfter, positionIn, publishPosition, withClosed } from './position.ts'
import {
  beganFromPosition,
  joined,
  letGo,
  type RingLayout,
  seatFromPosition,
  turnFromPosition,
  unknown,
  unsettled,
  vacant,
} from './ring-layout.ts'

/** Taking a seat at a ring, and giving it back. A seat is meant by the position that it stands beside. */

/** Where a reader begins: at the oldest item that is still there, at the next one that is pushed, or at this position. */
export type From = 'oldest' | 'latest' | number

/**
 * Sits down, if nobody living has the seat. Wait-free but for others who sit down there.
 *
 * @param who the first words of errors
 * @param anew whether to begin anew, whatever the one before has left
 * @returns what the seat held, or undefined
 */
export function sitDown(who: string, memory: Memory, positionAt: number, anew = false): number | undefined {
  const self = wordOfSelf(who, memory)
  for (let seen = nobody; ; ) {
    // The seat is this thread's when it turned nobody, or whoever is not coming back, into itself. Every other taker finds
    // this thread there, and so does the writer that was about to clear the seat.
    // Safety: ring/handed-out-once
    const found = memory.compareExchange(
      positionAt + seatFromPosition,
      seen,
      anew || leavesNothing(seen) ? self | unsettled : self,
    )
    if (found === seen) return found
    if (!isLost(memory, found)) return undefined
    seen = found
  }
}

/** Whether the one who sat in a reader's seat has left no position from which another one could go on. */
export function leavesNothing(seat: number): boolean {
  return seat === vacant || (seat & unsettled) !== 0
}

/** Goes on where the reader before stopped, or at the first item. */
export function resume(memory: Memory, positionAt: number): number {
  // A load, not a plain read: the writer may be announcing itself in bit 0 already. The items from this position on are
  // held for whoever sits here.
  // Safety: ring/in-order, ring/survives-reader
  return positionIn(memory.load(positionAt))
}

/**
 * A reader begins anew. The seat is this thread's and unsettled. Wait-free.
 *
 * @param before what the seat held
 * @returns where; undefined when it was to be at a position whose item is gone. Then the seat is vacant.
 */
export function join(layout: RingLayout, positionAt: number, before: number, from: From): number | undefined {
  const { memory } = layout
  const wanted = wantedBy(layout, from)
  // The item at which the writer found a dead reader in its way, in this seat, is as good as gone.
  const isGone = before === letGo && isBeingClosed(layout, wanted)
  const settled = begin(layout, positionAt, isGone ? positionAfter(wanted, 1) : wanted, from)
  if (settled === undefined || (typeof from === 'number' && isGone)) {
    vacate(memory, positionAt, wanted)
    return undefined
  }
  // Until here items from the position on may have been written over. Whoever takes the place of a thread that died before this
  // joins anew.
  // Safety: ring/survives-reader
  memory.store(positionAt + seatFromPosition, wordOfSelf('Ring.source', memory))
  return settled
}

/** The position for this, as things are. */
export function wantedBy(layout: RingLayout, from: From): number {
  if (from === 'latest') return positionIn(layout.memory.load(layout.writtenAt))
  return from === 'oldest' ? oldest(layout) : positionAfter(0, from)
}

/**
 * Begins to read: at a position that the calling thread alone may move. Wait-free.
 *
 * @param wanted where
 * @param from what that stands for
 * @returns where it begins, which may be later; undefined when its item is gone, and no other one was asked for
 */
export function begin(layout: RingLayout, positionAt: number, wanted: number, from: From): number | undefined {
  const { memory, limitAt, writtenAt } = layout
  // What the position says from here on is nothing that the one before has read: first nobody knows where this one began, and
  // then whoever still holds on to where that one did finds another turn.
  // Safety: ring/attended
  memory.store(positionAt + beganFromPosition, unknown)
  // Safety: ring/attended
  memory.add(positionAt + turnFromPosition, 1)
  // From here on the writer holds everything from `wanted` on for this reader: it sees that when it next looks.
  // Safety: ring/joins, ring/wakes
  publishPosition(memory, positionAt, wanted)
  // And it looks before it next says that it writes further. What it may not write over by now is held, if it is asked for.
  // Safety: ring/joins
  const held = heldFrom(layout, memory.or(limitAt, joined))
  let settled = wanted
  // Whatever was written by now is not asked for, and what comes is held.
  // Safety: ring/joins
  if (from === 'latest') settled = positionIn(memory.load(writtenAt))
  else if (distance(wanted, held) > 0) settled = held
  if (typeof from === 'number' && settled !== wanted) return undefined
  // Nobody asks for what comes before any more: the writer may sleep on this position, and is woken.
  // Safety: ring/joins, ring/wakes
  if (settled !== wanted) publishPosition(memory, positionAt, settled)
  // Safety: ring/attended
  memory.store(positionAt + beganFromPosition, settled)
  return settled
}

/** Whether the writer may be about to close a position, for the one that had the seat before. */
function isBeingClosed({ memory, capacity, writtenAt }: RingLayout, position: number): boolean {
  // It does that only while the ring is full from there on, so that it is no later position that this reader comes to.
  // Safety: ring/joins
  return distance(position, positionIn(memory.load(writtenAt))) === capacity
}

/** The oldest item that is certainly there. */
export function oldest(layout: RingLayout): number {
  // Safety: ring/keeps
  return heldFrom(layout, layout.memory.load(layout.limitAt))
}

/** What stands a whole ring before the limit may be written over. */
export function heldFrom({ capacity }: RingLayout, limit: number): number {
  return positionAfter(positionIn(limit), -capacity)
}

/** Gives a seat back that is this thread's and unsettled: its position holds nobody back any more. Wait-free. */
export function vacate(memory: Memory, positionAt: number, position: number): void {
  // Whoever sleeps on the position is woken.
  // Safety: ring/leaves, ring/survives-reader
  publishPosition(memory, positionAt, withClosed(position))
  // Until here the seat was this thread's: nobody else has moved the position.
  // Safety: ring/leaves, ring/joins
  memory.store(positionAt + seatFromPosition, vacant)
}

/** Who sits in a row of seats. */
export interface Seated {
  /** How many that live. */
  readonly living: number
  /** How many that are dead, or went. */
  readonly lost: number
  /** The position beside the first seat that nobody living has, or -1; and what that seat holds. */
  readonly free: number
  readonly freeSeat: number
}

/** Looks who sits beside the positions from one to before another. */
export function lookAround(memory: Memory, from: number, to: number): Seated {
  let living = 0
  let lost = 0
  let free = -1
  let freeSeat = nobody
  for (let positionAt = from; positionAt < to; positionAt += lineWords) {
    // Safety: ring/gated, ring/survives-member
    const seat = memory.load(positionAt + seatFromPosition)
    const isFree = seat === nobody || isLost(memory, seat)
    if (!isFree) living++
    else if (seat !== nobody) lost++
    if (!isFree || free >= 0) continue
    free = positionAt
    freeSeat = seat
  }
  return { living, lost, free, freeSeat }
}

/** Whether somebody came and nobody living is left. */
export function isForsaken({ living, lost }: Seated): boolean {
  return living === 0 && lost > 0
}
