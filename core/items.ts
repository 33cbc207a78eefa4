import type { Memory } from './memory.ts'
import { requireInteger, show } from './require.ts'

/** Items of one size that lie side by side, in a power of two of slots: item n in slot n mod capacity. */
export interface Slots {
  readonly memory: Memory
  readonly capacity: number
  readonly itemBytes: number
  /** Where slot 0 begins. */
  readonly itemsByte: number
}

const capacityMax = 2 ** 28

/** Where the bytes of an item begin. */
export function byteOfItem({ capacity, itemBytes, itemsByte }: Slots, item: number): number {
  // A power of two divides the range of positions, so that slots go on in order where positions wrap.
  // Safety: ring/wraps, lossy-ring/wraps
  return itemsByte + (item & (capacity - 1)) * itemBytes
}

/** Copies so many items out, from one on. The caller knows that nobody writes there. */
export function readItems(slots: Slots, item: number, count: number, target: Uint8Array): void {
  const { memory, itemBytes, itemsByte } = slots
  const first = countToEnd(slots, item, count)
  memory.readBytes(byteOfItem(slots, item), part(target, 0, first * itemBytes))
  if (first < count) memory.readBytes(itemsByte, part(target, first * itemBytes, (count - first) * itemBytes))
}

/**
 * Copies so many items in, of those that lie end to end in `items` the ones from `from` on. The caller knows that nobody reads
 * there.
 */
export function writeItems(slots: Slots, item: number, items: Uint8Array, from: number, count: number): void {
  const { memory, itemBytes, itemsByte } = slots
  const first = countToEnd(slots, item, count)
  memory.writeBytes(byteOfItem(slots, item), part(items, from * itemBytes, first * itemBytes))
  if (first < count) memory.writeBytes(itemsByte, part(items, (from + first) * itemBytes, (count - first) * itemBytes))
}

/** How many of so many items lie in the slots up to the last one; the others lie from slot 0 on. */
function countToEnd({ capacity }: Slots, item: number, count: number): number {
  return Math.min(count, capacity - (item & (capacity - 1)))
}

/**
 * Checks how many items fit: a power of two divides the range of positions, so that slots go on in order where positions wrap.
 *
 * @param who the first words of errors: `Ring`
 * @throws RangeError when it is no power of two from 1 to 2^28
 */
export function requireCapacity(who: string, capacity: number): void {
  requireInteger(`${who}: capacity`, capacity, 1, capacityMax)
  if ((capacity & (capacity - 1)) === 0) return
  const above = 2 ** Math.ceil(Math.log2(capacity))
  throw new RangeError(`${who}: capacity: expected a power of two, found ${capacity}; take ${above / 2} or ${above}`)
}

/**
 * How many items there are in some bytes.
 *
 * @param who the first words of the error: `Sink`
 * @throws RangeError when an item is cut off
 */
export function requireWholeItems(who: string, bytes: Uint8Array, itemBytes: number): number {
  const count = bytes.length / itemBytes
  if (!Number.isInteger(count)) {
    throw new RangeError(`${who}: expected a multiple of ${itemBytes} bytes (the size of an item), found ${bytes.length}`)
  }
  return count
}

/** @throws RangeError when the bytes, an item or a target for one, have another length than an item */
export function requireItem(who: string, what: 'an item' | 'a target', bytes: Uint8Array, itemBytes: number): void {
  if (bytes.length === itemBytes) return
  throw new RangeError(`${who}: expected ${what} of ${itemBytes} bytes, found ${bytes.length}`)
}

/** @throws RangeError when the bytes go beyond the end of an item, if they begin at its byte `from` */
export function requirePart(who: string, bytes: Uint8Array, from: number, itemBytes: number): void {
  if (Number.isInteger(from) && from >= 0 && from + bytes.length <= itemBytes) return
  throw new RangeError(`${who}: expected a part of ${itemBytes} bytes, found ${bytes.length} from byte ${show(from)} on`)
}

/** @throws RangeError when it is no index of so many claimed items */
export function requireClaimed(who: string, index: number, claimed: number): void {
  if (Number.isInteger(index) && index >= 0 && index < claimed) return
  throw new RangeError(`${who}: expected the index of one of ${claimed} claimed items, found ${show(index)}`)
}

/** A part of some bytes; the bytes themselves where it is all of them, for a view costs more than a small copy. */
export function part(bytes: Uint8Array, from: number, length: number): Uint8Array {
  return length === bytes.length ? bytes : bytes.subarray(from, from + length)
}
