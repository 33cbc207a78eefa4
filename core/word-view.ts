/** No words: of bytes that cannot be seen as words, and of those that have not come twice. */
const none = new Int32Array(0)

/**
 * The bytes that a caller passes again and again, seen as 32-bit words: copying words takes a quarter of the steps that
 * copying bytes takes.
 *
 * Making a view costs more than a small copy, so that one is made only for the array that has come twice in a row, as
 * happens in a loop that pushes or pops into one array. The last array is kept, and with it its buffer.
 */
export class WordView {
  private bytes: Uint8Array | undefined
  private words: Int32Array = none

  /**
   * The bytes as words where there is such a view, otherwise no words. The bytes may have changed their length since (over
   * a buffer that was resized or transferred): compare the lengths before relying on it.
   */
  over(bytes: Uint8Array): Int32Array {
    if (bytes !== this.bytes) {
      this.bytes = bytes
      this.words = none
    } else if (this.words === none) {
      this.see(bytes)
    }
    return this.words
  }

  private see(bytes: Uint8Array): void {
    const { length, byteLength, byteOffset } = bytes
    // JavaScript passes arrays of other types as well: their elements go one by one, each cut down to a byte.
    if (length === 0 || byteLength !== length || length % 4 !== 0 || byteOffset % 4 !== 0) return
    this.words = new Int32Array(bytes.buffer, byteOffset, length / 4)
  }
}

/** Copies `count` words: four in a step, for each step of a loop costs as much as a word. */
export function copyWords(source: Int32Array, from: number, target: Int32Array, to: number, count: number): void {
  let i = 0
  for (; i + 3 < count; i += 4) {
    target[to + i] = source[from + i] as number
    target[to + i + 1] = source[from + i + 1] as number
    target[to + i + 2] = source[from + i + 2] as number
    target[to + i + 3] = source[from + i + 3] as number
  }
  for (; i < count; i++) target[to + i] = source[from + i] as number
}
