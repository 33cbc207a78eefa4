/**
 * CRC-32 (IEEE 802.3, the one of zlib and gzip): finds every error within 32 neighbouring bits, so any single word that is not
 * as it was written, and of all others all but one in 2^32.
 *
 * Not CRC-32C, which has its own processor instruction, but no function in Node: `zlib.crc32`, which is native, computes this one.
 */

/** A checksum of bytes; `seed` is the checksum of what comes before them. Unsigned. */
export type Checksum = (bytes: Uint8Array, seed?: number) => number

const table: Int32Array = Int32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte
  for (let bit = 0; bit < 8; bit++) rest = (rest & 1) !== 0 ? (rest >>> 1) ^ 0xedb88320 : rest >>> 1
  return rest
})

/** For short arrays as fast as a call of a native function. */
export function crc32(bytes: Uint8Array, seed = 0): number {
  let rest = ~seed
  for (let i = 0; i < bytes.length; i++) rest = (table[(rest ^ (bytes[i] as number)) & 255] as number) ^ (rest >>> 8)
  return ~rest >>> 0
}
