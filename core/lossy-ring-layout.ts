import { requireCapacity } from './items.ts'
import { fourLetters, lineWords, wholeLines } from './layout.ts'
import type { Memory } from './memory.ts'
import { itemAt, positionStep } from './position.ts'
import { requireInteger, show } from './require.ts'

/**
 * What a lossy ring looks like in shared memory.
 *
 * ```
 *   word                          owner           written by
 *   0                  header     -               create
 *   32                 written    the writer      the writer; readers set bit 0 before they sleep
 *   33                 seat       the writer      whoever takes the sink
 *   34                 halves     the writer      the writer, before it pushes item n * 2^29: n
 *   64 + 32 b          block b    the writer      the writer, before it writes there: the number of the block
 *   64 + 32 blocks     items      see below       the writer
 * ```
 *
 * The item at position p lies in slot p mod capacity. Slots are given up in blocks of a power of two: block number n holds the
 * items from n * block on, in the place of block n - blocks. By an exchange that puts n into the word of its place the writer
 * *enters* it, and from then on its bytes are the writer's. An item can be read when `written` is past it, until its block's
 * place is entered again. Nobody asks readers: who copies an item finds out afterwards whether its place has been entered.
 *
 * The word `written` counts modulo 2^30, and readers may look away for longer. With `halves` it is the whole position: the
 * half that `halves` names has begun or is about to, and bit 29 of the position tells which.
 */

/** What a lossy ring is made for. */
export interface LossyRingOptions {
  /** How many items fit: a power of two from 1 to 2^28, so that slots go on in order where positions wrap. */
  readonly capacity: number
  /** Bytes of an item, from 1 to 2^31 - 1. Items lie side by side without padding. */
  readonly itemBytes: number
  /**
   * How many items are given up together, when there is something new to be put in the place of the oldest of them: a power of
   * two up to `capacity`; default an eighth of it. At least `capacity - block` items can be read at any time, also when the
   * writer dies: with a single block, one that dies just after it has given that up leaves nothing to be read. The writer pays
   * one exchange for each block, and readers one for each block that they read from.
   */
  readonly block?: number
  /** Position of the first item, an integer from 0 to 2^52; default 0. Specs begin just below the wrap. */
  readonly start?: number
}

export const lossyRingKind: number = fourLetters('LOSS')
/** How many parameters the header has: the capacity, the bytes of an item, the block, and two words of the start. */
export const lossyRingParameters = 5

const itemBytesMax = 2 ** 31 - 1
const startMax = 2 ** 52
/** Half the range of a position in a word. */
const half = 2 ** 29

const writtenAt = lineWords
/** From `written` to the seat of the writer. */
export const seatFromWritten = 1
const halvesFromWritten = 2
const blocksAt = 2 * lineWords

/** Where the words of a lossy ring are. Positions are whole numbers here, not words. */
export class LossyRingLayout {
  readonly memory: Memory
  readonly capacity: number
  readonly itemBytes: number
  readonly block: number
  readonly start: number
  readonly writtenAt: number
  readonly halvesAt: number
  readonly itemsByte: number
  private readonly blocksAt: number
  private readonly blocksMask: number

  constructor(memory: Memory, at: number, { capacity, itemBytes, block, start }: Required<LossyRingOptions>) {
    this.memory = memory
    this.capacity = capacity
    this.itemBytes = itemBytes
    this.block = block
    this.start = start
    this.writtenAt = at + writtenAt
    this.halvesAt = this.writtenAt + halvesFromWritten
    this.blocksAt = at + blocksAt
    this.blocksMask = capacity / block - 1
    this.itemsByte = 4 * (this.blocksAt + (capacity / block) * lineWords)
  }

  /** The number of the block of an item, as words hold it: modulo 2^32. */
  numberOf(position: number): number {
    return (position / this.block) | 0
  }

  /** The word of the place where the block of an item lies. */
  blockAt(position: number): number {
    return this.blocksAt + (this.numberOf(position) & this.blocksMask) * lineWords
  }

  /** The first position of the block after the one in which a position is; the position itself where it begins a block. */
  blockFrom(position: number): number {
    return Math.ceil(position / this.block) * this.block
  }
}

/** The word `written` for a position. */
export function wordOf(position: number): number {
  return (position * positionStep) | 0
}

/** What `halves` holds when a position has been written. */
export function halfOf(position: number): number {
  return (position / half) | 0
}

/** The position that two words stand for, of which `halves` was there before `written` was looked at, and afterwards. */
export function positionOf(written: number, halves: number): number {
  // `halves` is stored before the position comes to that half, and so is right, or one too far; halves are even and odd in turn.
  // Safety: lossy-ring/wraps
  const begun = ((written >>> 31) ^ halves) & 1 ? halves - 1 : halves
  return (begun >>> 0) * half + (itemAt(written) & (half - 1))
}

/** @throws RangeError when an option is out of its range */
export function requireLossyShape(options: LossyRingOptions): Required<LossyRingOptions> {
  const { capacity, itemBytes, block = Math.max(1, capacity / 8), start = 0 } = options
  requireCapacity('LossyRing', capacity)
  requireInteger('LossyRing: itemBytes', itemBytes, 1, itemBytesMax)
  requireInteger('LossyRing: block', block, 1, capacity)
  if ((block & (block - 1)) !== 0) throw new RangeError(`LossyRing: block: expected a power of two, found ${show(block)}`)
  requireInteger('LossyRing: start', start, 0, startMax)
  return { capacity, itemBytes, block, start }
}

/** How many words a lossy ring takes. */
export function lossyWordsOf({ capacity, itemBytes, block }: Required<LossyRingOptions>): number {
  return blocksAt + (capacity / block) * lineWords + wholeLines(Math.ceil((capacity * itemBytes) / 4))
}
