import { grown } from './grown.ts'

const fewRows = 64

/**
 * A set of rows of numbers, all of one width. A row is drafted in place and then `admit`ted; when there is no more room
 * all are forgotten.
 */
export class RowSet {
  readonly #width: number
  readonly #most: number
  /** How many rows there is room for: a power of two. */
  #room = fewRows
  /** The rows, one behind the other; behind the last one there is room for a draft. */
  #rows: Int32Array
  #count = 0
  /** For each hash the row that has it or one before it, from 1; 0: none. At most half of them are taken. */
  #slots: Int32Array = new Int32Array(2 * fewRows)

  /** @param numbers how many there may be in all */
  constructor(width: number, numbers: number) {
    this.#width = width
    this.#most = numbers / width
    this.#rows = new Int32Array(fewRows * width)
  }

  /** Where a row may be drafted: at `start`. */
  get rows(): Int32Array {
    return this.#rows
  }

  get start(): number {
    return this.#count * this.#width
  }

  clear(): void {
    this.#count = 0
    this.#slots.fill(0)
  }

  /** Takes the draft in. False: the set has it already. */
  admit(): boolean {
    const slots = this.#slots
    const mask = slots.length - 1
    let slot = this.#hash(this.#count) & mask
    for (; slots[slot] !== 0; slot = (slot + 1) & mask) if (this.#isDraft(slots[slot] - 1)) return false
    slots[slot] = ++this.#count
    if (this.#count === this.#room) this.#grow()
    return true
  }

  #hash(row: number): number {
    const rows = this.#rows
    let hash = 0
    for (let i = row * this.#width, end = i + this.#width; i < end; i++) {
      hash = Math.imul(hash ^ rows[i], 0x9e3779b1)
      hash ^= hash >>> 15
    }
    return hash
  }

  #isDraft(row: number): boolean {
    const rows = this.#rows
    const width = this.#width
    for (let i = 0, at = row * width, draft = this.#count * width; i < width; i++)
      if (rows[at + i] !== rows[draft + i]) return false
    return true
  }

  #grow(): void {
    if (2 * this.#room > this.#most) {
      this.clear()
      return
    }
    this.#room *= 2
    this.#rows = grown(this.#rows, this.#room * this.#width)
    const slots = new Int32Array(2 * this.#room)
    const mask = slots.length - 1
    for (let row = 0; row < this.#count; row++) {
      let slot = this.#hash(row) & mask
      while (slots[slot] !== 0) slot = (slot + 1) & mask
      slots[slot] = row + 1
    }
    this.#slots = slots
  }
}
