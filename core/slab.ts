/**
 * Room for arrays of bytes, many of which come out of one allocation: an array of more than 64 bytes costs as much to allocate as
 * hundreds of bytes cost to copy. Arrays from here may share their `buffer` with others, as those from `Buffer.from` do.
 */
const slabBytes = 65536
/** The engine keeps such short ones in its own heap. */
const shortBytes = 64
/** So that at most an eighth of a slab stays empty. */
const longBytes = slabBytes / 8

export class Slab {
  private buffer: ArrayBuffer | undefined
  private used = slabBytes

  /** An array of so many bytes, which may hold anything. */
  take(length: number): Uint8Array {
    if (length <= shortBytes || length > longBytes) return new Uint8Array(length)
    if (this.buffer === undefined || this.used + length > slabBytes) {
      this.buffer = new ArrayBuffer(slabBytes)
      this.used = 0
    }
    const bytes = new Uint8Array(this.buffer, this.used, length)
    this.used += (length + 7) & -8
    return bytes
  }
}
