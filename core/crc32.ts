/**
 * CRC-32 (IEEE 802.3, the one of zlib and gzip): finds every error within 32 neighbouring bits, so any single word that is not
 * as it was written, and of all others all but one in 2^32.
 *
 * Not CRC-32C, which has its own processor instruction, but no function in Node: `zlib.crc32`, which is native, computes this one.
 *
 * Eight bytes in a step, each looked up in a table of what it leaves when so many others come after it (Kounavis and Berry,
 * "slicing-by-8"). While it goes on, the checksum is its complement, the register.
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

const [t0, t1, t2, t3, t4, t5, t6, t7] = [0, 1, 2, 3, 4, 5, 6, 7].map(tableBefore) as [
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
]

/** The register after one more byte. */
function afterByte(register: number, byte: number): number {
  return (t0[(register ^ byte) & 255] as number) ^ (register >>> 8)
}

/** The register after one more word, whose lowest byte comes first. */
export function afterWord(register: number, word: number): number {
  const rest = register ^ word
  return (
    (t3[rest & 255] as number) ^
    (t2[(rest >>> 8) & 255] as number) ^
    (t1[(rest >>> 16) & 255] as number) ^
    (t0[rest >>> 24] as number)
  )
}

/** The same for two words. */
export function afterWords(register: number, word: number, next: number): number {
  const rest = register ^ word
  return (
    (t7[rest & 255] as number) ^
    (t6[(rest >>> 8) & 255] as number) ^
    (t5[(rest >>> 16) & 255] as number) ^
    (t4[rest >>> 24] as number) ^
    (t3[next & 255] as number) ^
    (t2[(next >>> 8) & 255] as number) ^
    (t1[(next >>> 16) & 255] as number) ^
    (t0[next >>> 24] as number)
  )
}

/** The register after so many bytes more, which begin with a word. */
export function afterBytes(register: number, words: Int32Array, from: number, length: number): number {
  const end = from + (length >>> 2)
  let rest = register
  let at = from
  for (; at + 1 < end; at += 2) rest = afterWords(rest, words[at] as number, words[at + 1] as number)
  if (at < end) rest = afterWord(rest, words[at] as number)
  for (let bit = 0; bit < 8 * (length & 3); bit += 8) rest = afterByte(rest, (words[end] as number) >>> bit)
  return rest
}

/** The checksum of bytes. */
export function crc32(bytes: Uint8Array, seed = 0): number {
  const { length } = bytes
  let register = ~seed
  let i = 0
  for (; i + 7 < length; i += 8) register = afterWords(register, wordOf(bytes, i), wordOf(bytes, i + 4))
  for (; i < length; i++) register = afterByte(register, bytes[i] as number)
  return ~register >>> 0
}

function wordOf(bytes: Uint8Array, i: number): number {
  return (
    (bytes[i] as number) | ((bytes[i + 1] as number) << 8) | ((bytes[i + 2] as number) << 16) | ((bytes[i + 3] as number) << 24)
  )
}
