import { lostWord } from './holder.ts'
import { requireCapacity } from './items.ts'
import { fourLetters, lineWords, wholeLines } from './layout.ts'
import type { Memory } from './memory.ts'
import { Mutex } from './mutex.ts'
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
 *   99 + 32 r          turn       reader r        likewise: counts them
 *   96 + 32 readers    groups     see below       their members; the writer sets bit 0 before it sleeps
 *   ...                locks      -               who comes to a group, leaves it or lets go of it (`mutex.ts`)
 *   ...                items      see below       the writer
 *
 *   word of a group    owner           written by
 *   0       cursor     the group       the member that claims the item there
 *   2       began      the group       whoever begins it anew
 *   3       turn       the group       likewise: counts them
 *   32 + 32 m          position   member m        member m
 *   33 + 32 m          seat       member m        whoever sits down there
 *   34 + 32 m          end        member m        member m: where the claim ends that begins at its position
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
 *
 * A group holds what its cursor has not passed, and what its members have claimed: a member's position is open from before
 * the cursor passes what it claims until it is done with it, and closed otherwise. (`ring-group.ts`, `ring-member.ts`.)
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
  /** How many readers there can be at a time, from 1 to 65536; default 1. From 0, and by default none, where there are groups. */
  readonly readers?: number
  /** How many groups there can be, each of which shares all items among its members; from 0 to 65536, default none. */
  readonly groups?: number
  /** How many members a group can have at a time, from 1 to 65536; default 8. */
  readonly members?: number
  /**
   * Whether items wait for readers, and groups, that have not come yet; default true: a writer that comes first, fills the ring
   * and goes has lost nothing. If not, who never comes holds nobody back; who comes gets what is pushed from then on, or asks for
   * what is still there (`from`).
   */
  readonly awaitReaders?: boolean
  /** Position of the first item, any 32-bit integer, counted modulo 2^30; default 0. Specs begin just below the wrap. */
  readonly start?: number
}

export const ringKind: number = fourLetters('RING')
/** How many parameters the header has: the capacity, the bytes of an item, the readers, the groups, and the members of each. */
export const ringParameters = 5

const itemBytesMax = 2 ** 31 - 1
const endsMax = 65536

const writtenAt = lineWords
const limitAt = 2 * lineWords
const readersAt = 3 * lineWords
/** From a position to the seat of its owner. */
export const seatFromPosition = 1

/** From a reader's position, or a cursor, to the one where it began, or the first of those who went on from one another. */
export const beganFromPosition = 2
/** Somebody is about to begin; or, of a group, is to. */
export const unknown = 1

/** From a reader's position, or a cursor, to the count of those who began anew. It wraps. */
export const turnFromPosition = 3

/** From a member's position to the end of what it has claimed. */
export const endFromPosition = 2

/** A reader's seat, or a member's, in which nobody sits any more: what a reader's position says has no meaning. */
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
  readonly groups: number
  readonly members: number
  readonly writtenAt: number
  readonly limitAt: number
  readonly readersAt: number
  /** The first cursor. */
  readonly groupsAt: number
  /** Where the positions end: those of the readers, and of each group the cursor, and its members' positions after it. */
  readonly readersEnd: number
  readonly itemsByte: number
  /** Words from one cursor to the next. */
  private readonly groupWords: number

  constructor(memory: Memory, at: number, shape: Required<RingOptions>) {
    const { capacity, itemBytes, readers, groups, members } = shape
    this.memory = memory
    this.capacity = capacity
    this.itemBytes = itemBytes
    this.readers = readers
    this.groups = groups
    this.members = members
    this.groupWords = groupWordsOf(shape)
    this.writtenAt = at + writtenAt
    this.limitAt = at + limitAt
    this.readersAt = at + readersAt
    this.groupsAt = this.readAt(readers)
    this.readersEnd = this.cursorAt(groups)
    this.itemsByte = 4 * this.lockAt(groups)
  }

  /** The position of a reader. */
  readAt(reader: number): number {
    return this.readersAt + reader * lineWords
  }

  /** The cursor of a group. */
  cursorAt(group: number): number {
    return this.groupsAt + group * this.groupWords
  }

  /** The group whose cursor, or member's position, this is. */
  groupAt(positionAt: number): number {
    return Math.floor((positionAt - this.groupsAt) / this.groupWords)
  }

  /** The lock of a group. */
  lockAt(group: number): number {
    return this.readersEnd + group * Mutex.words()
  }
}

/** @throws RangeError when an option is out of its range */
export function requireShape(options: RingOptions): Required<RingOptions> {
  const { capacity, itemBytes, groups = 0, members = 8, awaitReaders = true, start = 0 } = options
  requireCapacity('Ring', capacity)
  requireInteger('Ring: itemBytes', itemBytes, 1, itemBytesMax)
  requireInteger('Ring: groups', groups, 0, endsMax)
  requireInteger('Ring: members', members, 1, endsMax)
  const readersMin = groups > 0 ? 0 : 1
  const { readers = readersMin } = options
  requireInteger('Ring: readers', readers, readersMin, endsMax)
  requireInteger('Ring: start', start, -(2 ** 31), 2 ** 32 - 1)
  return { capacity, itemBytes, readers, groups, members, awaitReaders, start }
}

/** How many words a ring takes. */
export function wordsOf(shape: Required<RingOptions>): number {
  const { capacity, itemBytes, readers, groups } = shape
  const ends = readersAt + readers * lineWords + groups * (groupWordsOf(shape) + Mutex.words())
  return ends + wholeLines(Math.ceil((capacity * itemBytes) / 4))
}

function groupWordsOf({ members }: Required<RingOptions>): number {
  return (1 + members) * lineWords
}
