/**
 * Room for arrays of bytes, many of which come out of one allocation: to allocate an array costs as much as to copy hundreds of
 * bytes. Arrays from here may share their `buffer` with others, as those from `Buffer.from` do.
 */
const slabBytes = 65536
/** So that at most an eighth of a slab stays empty. */
const longBytes = slabBytes / 8

export class Slab {
  /** The slab that arrays are taken from, as words. */
  words: Int32Array = new Int32Array(0)
  /** None of the slab is free, for there is none yet. */
  private used = slabBytes + 1

  /** At which of the `words` the next array begins, if it has so many bytes, and not more than 8192. */
  next(length: number): number {
    if (this.used + length > slabBytes) {
      this.words = new Int32Array(slabBytes / 4)
      this.used = 0
    }
    return this.used >>> 2
  }

  /** An array of so many bytes, which may hold anything. */
  take(length: number): Uint8Array {
    if (length > longBytes) return new Uint8Array(length)
    const at = this.next(length)
    const bytes = new Uint8Array(this.words.buffer, 4 * at, length)
    this.used += (length + 7) & -8
    return bytes
  }
}
