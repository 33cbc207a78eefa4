/** Items of stress tests that say which they are: the number first, and its low byte in all the rest, so that a torn one shows. */

export function writeNumber(item: Uint8Array, n: number): void {
  item.fill(n)
  new DataView(item.buffer, item.byteOffset).setUint32(0, n, true)
}

/** @throws Error when the bytes are not of one item */
export function readNumber(item: Uint8Array): number {
  const n = new DataView(item.buffer, item.byteOffset).getUint32(0, true)
  if (item.subarray(4).every((byte) => byte === (n & 0xff))) return n
  throw new Error(`item ${n} is torn: ${item.subarray(0, 100)}`)
}

/** @throws Error when it is not the one that was to come */
export function readNext(item: Uint8Array, next: number): void {
  const n = readNumber(item)
  if (n !== next >>> 0) throw new Error(`item ${n} came where ${next} was next`)
}
