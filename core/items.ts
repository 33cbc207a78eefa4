import { requireInteger } from './require.ts'

/** Items of one size that lie side by side, in a power of two of slots. */

const capacityMax = 2 ** 28

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

/** A part of some bytes; the bytes themselves where it is all of them, for a view costs more than a small copy. */
export function part(bytes: Uint8Array, from: number, length: number): Uint8Array {
  return length === bytes.length ? bytes : bytes.subarray(from, from + length)
}
