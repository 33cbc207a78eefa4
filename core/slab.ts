/**
 * Room for arrays of bytes, many of which come out of one allocation: to allocate an array costs as much as to copy hundreds of
 * bytes. Arrays from here may share their `buffer` with others, as those from `Buffer.from` do.
 *
 * A slab that lends gives the same bytes again and again, and an array from it holds what was put there only until the next one is
 * taken: the pages of new memory cost the kernel more than a long copy into them costs.
 */
const slabBytes = 65536
/** So that at most an eighth of a slab stays empty. */
const longBytes = slabBytes / 8

export class Slab {
  /** The slab that arrays are taken from, as words. */
  words: Int32Array = new Int32Array(0)
  private readonly lends: boolean
  private used = 0
  /** What a slab that lends takes long arrays from. */
  private long: Uint8Array = new Uint8Array(0)

  constructor(lends = false) {
    this.lends = lends
  }

  /** At which of the `words` the next array begins, if it has so many bytes, and not more than 8192. */
  next(length: number): number {
    // A slab that was transferred to another thread has no bytes here any more.
    if (this.used + length > this.words.byteLength) {
      if (!this.lends || this.words.length === 0) this.words = new Int32Array(slabBytes / 4)
      this.used = 0
    }
    return this.used >>> 2
  }

  /** An array of so many bytes, which may hold anything. */
  take(length: number): Uint8Array {
    if (length > longBytes) return this.lends ? this.lend(length) : new Uint8Array(length)
    const at = this.next(length)
    const bytes = new Uint8Array(this.words.buffer, 4 * at, length)
    this.used += (length + 7) & -8
    return bytes
  }

  private lend(length: number): Uint8Array {
    if (this.long.length < length) this.long = new Uint8Array(Math.max(length, 2 * this.long.length))
    return new Uint8Array(this.long.buffer, 0, length)
  }
}
