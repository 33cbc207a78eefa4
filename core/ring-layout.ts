import { lostWord } from './holder.ts'
import { requireCapacity } from './items.ts'
import { fourLetters, lineWords, wholeLines } from './layout.ts'
import type { Memory } from './memory.ts'
import { requireInteger } from './require.ts'

/**
 * What a broadcast ring looks like in shared memory.
 *
 * ```
 *   word                          owner           written by
 *   0                  header     -               create
 *   32                 written    the writer      the writer; readers set bit 0 before they sleep
 *   33                 seat       the writer      whoever takes the sink
 *   64                 limit      the writer      the writer; readers set bit 0 when they join
 *   96 + 32 r          read       reader r        reader r; the writer sets bit 0 before it sleeps
 *   97 + 32 r          seat       reader r        whoever takes source r; the writer, when that one is dead
 *   98 + 32 r          began      reader r        whoever begins anew there
 *   96 + 32 readers    items      see below       the writer
 * ```
 *
 * The item at position p lies in slot p mod capacity. Its bytes are the writer's from the moment that every reader's
 * position is past p - capacity until `written` is past p; and from then on the readers', each until its own position is
 * past p. Both ways they change hands by an exchange of the position and a load that sees it.
 *
 * A seat is a holder (`holder.ts`): nobody at first, then the thread that sits there. What the dead leave behind is their
 * position, and it is true, for positions move by one exchange. So whoever finds that a holder is dead may sit down in its
 * place and go on from there. A reader's seat that was closed, or whose owner the writer found dead and in its way, is
 * vacant: its position no longer holds the writer back, and whoever sits down begins anew.
 *
 * Before the writer writes beyond the limit it says so, there: an item stays as it is until the limit is more than a whole ring
 * past it. Who joins first says where, in its own position, and then sets a bit in the limit, which shows it what is gone. So
 * either the writer finds the bit when it raises the limit, and then the position; or the reader finds the limit raised. The
 * limit is raised by a quarter of the ring at a time, if nobody pushes more at once: for who joins, the rest stays.
 */

/** What a ring is made for. */
export interface RingOptions {
  /** How many items fit: a power of two from 1 to 2^28, so that slots go on in order where positions wrap. */
  readonly capacity: number
  /**
   * Bytes of an item, from 1 to 2^31 - 1. Items lie side by side without padding. (Items of no bytes are refused: a batch
   * could not tell how many it has.)
   */
  readonly itemBytes: number
  /** How many readers there can be at a time, from 1 to 65536; default 1. */
  readonly readers?: number
  /**
   * Whether items wait for readers that have not come yet; default true: a writer that comes first, fills the ring and goes has
   * lost nothing. If not, who never comes holds nobody back; who comes gets what is pushed from then on, or asks for what is
   * still there (`from`).
   */
  readonly awaitReaders?: boolean
  /** Position of the first item, any 32-bit integer, counted modulo 2^30; default 0. Specs begin just below the wrap. */
  readonly start?: number
}

export const ringKind: number = fourLetters('RING')
/** How many parameters the header has: the capacity, the bytes of an item, and the readers. */
export const ringParameters = 3

const itemBytesMax = 2 ** 31 - 1
const readersMax = 65536

const writtenAt = lineWords
const limitAt = 2 * lineWords
const readersAt = 3 * lineWords
/** From a position to the seat of its owner. */
export const seatFromPosition = 1

/** From a reader's position to the one where it began, or the first of those who went on from one another. */
export const beganFromPosition = 2
/** Somebody is about to begin. */
export const unknown = 1

/** A reader's seat in which nobody sits any more: what its position says has no meaning. */
export const vacant: number = lostWord

/** Set in a reader's seat while its owner joins, or leaves: nobody can go on from its position. */
export const unsettled = 1

/** A reader's seat that the writer has cleared; its position the writer closes then. */
export const letGo: number = vacant | unsettled

/** Set in the limit by readers that join. */
export const joined = 1

/** Where the words of a ring are. */
export class RingLayout {
  readonly memory: Memory
  readonly capacity: number
  readonly itemBytes: number
  readonly readers: number
  readonly writtenAt: number
  readonly limitAt: number
  readonly readersAt: number
  readonly readersEnd: number
  readonly itemsByte: number

  constructor(memory: Memory, at: number, { capacity, itemBytes, readers }: Required<RingOptions>) {
    this.memory = memory
    this.capacity = capacity
    this.itemBytes = itemBytes
    this.readers = readers
    this.writtenAt = at + writtenAt
    this.limitAt = at + limitAt
    this.readersAt = at + readersAt
    this.readersEnd = this.readAt(readers)
    this.itemsByte = 4 * this.readersEnd
  }

  /** The position of a reader. */
  readAt(reader: number): number {
    return this.readersAt + reader * lineWords
  }
}

/** @throws RangeError when an option is out of its range */
export function requireShape(options: RingOptions): Required<RingOptions> {
  const { capacity, itemBytes, readers = 1, awaitReaders = true, start = 0 } = options
  requireCapacity('Ring', capacity)
  requireInteger('Ring: itemBytes', itemBytes, 1, itemBytesMax)
  requireInteger('Ring: readers', readers, 1, readersMax)
  requireInteger('Ring: start', start, -(2 ** 31), 2 ** 32 - 1)
  return { capacity, itemBytes, readers, awaitReaders, start }
}

/** How many words a ring takes. */
export function wordsOf({ capacity, itemBytes, readers }: Required<RingOptions>): number {
  return readersAt + readers * lineWords + wholeLines(Math.ceil((capacity * itemBytes) / 4))
}
