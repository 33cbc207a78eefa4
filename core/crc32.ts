/**
 * CRC-32 (IEEE 802.3, the one of zlib and gzip): finds every error within 32 neighbouring bits, so any single word that is not
 * as it was written, and of all others all but one in 2^32.
 *
 * Not CRC-32C, which has its own processor instruction, but no function in Node: `zlib.crc32`, which is native, computes this one.
 */

/** A checksum of bytes; `seed` is the checksum of what comes before them. Unsigned. */
export type Checksum = (bytes: Uint8Array, seed?: number) => number

/** What a byte leaves when so many bytes come after it. */
function tableBefore(bytes: number): Int32Array {
  return Int32Array.from({ length: 256 }, (_, byte) => {
    let rest = byte
    for (let bit = 8 + 8 * bytes; bit > 0; bit--) rest = (rest & 1) !== 0 ? (rest >>> 1) ^ 0xedb88320 : rest >>> 1
    return rest
  })
}

const [last, third, second, first] = [tableBefore(0), tableBefore(1), tableBefore(2), tableBefore(3)]

/** For short arrays faster than a call of a native function. Four bytes in a step (Kounavis and Berry, "slicing"). */
export function crc32(bytes: Uint8Array, seed = 0): number {
  const { length } = bytes
  let rest = ~seed
  let i = 0
  for (; i + 3 < length; i += 4) {
    rest ^=
      (bytes[i] as number) | ((bytes[i + 1] as number) << 8) | ((bytes[i + 2] as number) << 16) | ((bytes[i + 3] as number) << 24)
    rest =
      (first[rest & 255] as number) ^
      (second[(rest >>> 8) & 255] as number) ^
      (third[(rest >>> 16) & 255] as number) ^
      (last[rest >>> 24] as number)
  }
  for (; i < length; i++) rest = (last[(rest ^ (bytes[i] as number)) & 255] as number) ^ (rest >>> 8)
  return ~rest >>> 0
}
