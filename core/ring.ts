import { nobody } from './holder.ts'
import { lineWords, publishHeader, readHeader, requirePlace, requireWords, writeHeader } from './layout.ts'
import type { Memory } from './memory.ts'
import { Mutex } from './mutex.ts'
import { type Waiting, type WaitOptions, waitingOf } from './patience.ts'
import { distance, isClosed, itemAt, positionAfter, positionIn, withClosed } from './position.ts'
import { requireInteger } from './require.ts'
import { type Ahead, Gates } from './ring-gates.ts'
import { Group } from './ring-group.ts'
import {
  beganFromPosition,
  RingLayout,
  type RingOptions,
  requireShape,
  ringKind,
  ringParameters,
  seatFromPosition,
  vacant,
  wordsOf,
} from './ring-layout.ts'
import { Member } from './ring-member.ts'
import { type From, join, leavesNothing, oldest, resume, sitDown } from './ring-seats.ts'
import { Sink } from './ring-sink.ts'
import { Source } from './ring-source.ts'

/**
 * A broadcast ring: one writer, a fixed number of readers, each of which gets every item, whole and in order; and groups of
 * members, each item going to one member of each group.
 *
 * After Neobuffer (fixed-size items copied in, the slowest reader holds the writer back, consumption is local) and the
 * LMAX Disruptor (Thompson, Farley, Barker, Gee and Stewart, 2011: positions instead of head and tail, a power of two of
 * slots, private copies of other threads' positions, batches that publish once). Lamport's single-producer queue is the
 * case of one reader. We depart from them in that threads sleep on the positions themselves (`position.ts`), that the seats
 * are handed out in the shared memory itself and outlive their owners, and that positions are 30 bits wide and wrap.
 * `ring-layout.ts` says what it looks like in shared memory.
 */

/** Which reader to be, and how to wait. */
export interface SourceOptions extends WaitOptions {
  /** From 0 to `readers - 1`; default: the first that nobody living has. */
  readonly reader?: number
  /**
   * Where to begin: at the `'oldest'` item that is still there, at the next one that is pushed (`'latest'`), or at this position
   * (`Source.position`). Default: with the items that wait for this reader, as for one that is expected or took the place of one
   * that died; otherwise at the latest.
   */
  readonly from?: 'oldest' | 'latest' | number
  /**
   * Readers, of lower numbers, and groups that this one stands behind: it sees an item once they have all advanced past it. Who
   * has not come, left or died is not waited for, unless the ring awaits it; `Source.attended` tells. Default: none.
   *
   * A group must not stand behind a reader, by way of others or not, that stands behind the group: they would wait for ever.
   */
  readonly after?: readonly Ahead[]
}

/** Which group to be in, and how to wait. */
export interface MemberOptions extends WaitOptions {
  /** From 0 to `groups - 1`; default: 0. */
  readonly group?: number
  /**
   * Where the group begins if nobody living is in it: anew, whatever it has left, at the `'oldest'` item that is still there, at
   * the next one that is pushed (`'latest'`), or at this position. Default: where the group stopped, or with the items that wait
   * for it; if there are none, at the latest. Who comes to others goes on with them.
   */
  readonly from?: 'oldest' | 'latest' | number
  /**
   * Readers, and groups of lower numbers, that this member stands behind: it claims what they have all advanced past. The members
   * of a group should all stand behind the same. As for readers, who is not there is not waited for; `Member.attended` tells.
   * Default: none.
   */
  readonly after?: readonly Ahead[]
}

/**
 * The ring as one thread sees it. `create` makes one, `attach` joins it from another thread, and `sink` and `source` hand
 * out its ends.
 *
 * ```ts
 * const shape = { capacity: 1024, itemBytes: 8, readers: 2 }
 * const memory = new SharedMemory(Ring.words(shape))
 * const sink = Ring.create(memory, shape).sink()              // the writer
 * const source = Ring.attach(new SharedMemory(buffer)).source()   // each reader, in a thread of its own
 * ```
 *
 * A reader that goes without closing its source holds the writer back for ever; so does, as a rule, one that never comes.
 * Where the memory has `liveness`, the dead hold nobody back: a full ring lets go of readers that died, the readers of a
 * dead writer get what it pushed and then the end of the stream, and another thread may take either end over.
 */
export class Ring {
  /** How many items fit. */
  readonly capacity: number
  /** Bytes of an item. */
  readonly itemBytes: number
  /** How many sources there are. */
  readonly readers: number
  /** How many groups there are. */
  readonly groups: number
  /** How many members a group can have at a time. */
  readonly members: number
  private readonly memory: Memory
  private readonly layout: RingLayout

  private constructor(memory: Memory, at: number, shape: Required<RingOptions>) {
    this.memory = memory
    this.layout = new RingLayout(memory, at, shape)
    this.capacity = shape.capacity
    this.itemBytes = shape.itemBytes
    this.readers = shape.readers
    this.groups = shape.groups
    this.members = shape.members
  }

  /**
   * How many words a ring takes: a multiple of `lineWords`, so that another structure can begin right after it.
   *
   * @throws RangeError when an option is out of its range
   */
  static words(options: RingOptions): number {
    return wordsOf(requireShape(options))
  }

  /**
   * Makes a ring. One thread does this, before any other attaches; nobody else may use these words meanwhile.
   *
   * @param at the word where the ring begins, a multiple of `lineWords` (32); whatever these words held is overwritten
   * @throws RangeError when an option is out of its range, or the memory too short
   */
  static create(memory: Memory, options: RingOptions, at = 0): Ring {
    const shape = requireShape(options)
    const { capacity, itemBytes, readers, groups, members, awaitReaders } = shape
    const words = wordsOf(shape)
    requirePlace('Ring.create', memory, at, words)
    writeHeader(memory, at, ringKind, words, [capacity, itemBytes, readers, groups, members])
    const ring = new Ring(memory, at, shape)
    // Everything begins at the same position: the ring is empty, and nothing can be written over. Plain, for `publishHeader`
    // publishes it.
    // Safety: ring/attaches
    const start = positionAfter(0, shape.start)
    for (let end = 0; end <= readers; end++) {
      const awaited = end === 0 || awaitReaders
      const positionAt = end === 0 ? ring.layout.writtenAt : ring.layout.readAt(end - 1)
      memory.write(positionAt, awaited ? start : withClosed(start))
      memory.write(positionAt + seatFromPosition, awaited ? nobody : vacant)
      memory.write(positionAt + beganFromPosition, start)
    }
    memory.write(ring.layout.limitAt, positionAfter(start, capacity))
    for (let group = 0; group < groups; group++) ring.createGroup(group, awaitReaders ? start : withClosed(start), start)
    publishHeader(memory, at)
    return ring
  }

  /**
   * Joins a ring that another thread created; everything about it is read from its header. Any number of threads may.
   *
   * @param at the word where the ring was created
   * @throws RangeError when `at` is not a multiple of `lineWords` or the memory is shorter than the ring
   * @throws Error when no ring stands there, or one of another layout version
   */
  static attach(memory: Memory, at = 0): Ring {
    const { words, parameters } = readHeader('Ring.attach', memory, at, ringKind, ringParameters)
    const [capacity, itemBytes, readers, groups, members] = parameters as [number, number, number, number, number]
    const shape = requireShape({ capacity, itemBytes, readers, groups, members })
    requireWords('Ring.attach', words, wordsOf(shape))
    return new Ring(memory, at, shape)
  }

  /**
   * The writing end, for one thread. Handed out once, whoever asks from wherever; and once more when the thread that had it
   * is dead, which goes on where that one stopped. Wait-free.
   *
   * @throws Error when another living thread has it, or the stream was closed
   */
  sink(options: WaitOptions = {}): Sink {
    const waiting = waitingOf('Ring.sink', options)
    const { memory } = this
    const positionAt = this.layout.writtenAt
    if (sitDown('Ring.sink', memory, positionAt) === undefined) {
      throw new Error('Ring.sink: the sink was handed out before; a ring has one writer, which must keep its sink')
    }
    // A load, not a plain read: readers may be announcing themselves in bit 0 already. All that was ever pushed is before
    // this position. What a dead writer left half-written lies behind it, and will be written over.
    // Safety: ring/in-order, ring/survives-writer
    const written = memory.load(positionAt)
    if (isClosed(written)) throw new Error('Ring.sink: the stream was closed; create another ring')
    // As far as this, whoever died here may have written.
    // Safety: ring/joins, ring/survives-writer
    return new Sink(this.layout, waiting, positionIn(written), positionIn(memory.load(this.layout.limitAt)))
  }

  /**
   * A reading end, for one thread; each of the `readers` ends is handed out to one living thread at a time. Wait-free.
   *
   * Who takes the place of a dead reader goes on where that one stopped, unless the writer needed the room meanwhile. Then,
   * and in the place of a reader that closed its source, it begins with the next item that is pushed. With `from` it begins
   * there in any case:
   *
   * ```ts
   * const late = ring.source({ from: 'oldest' })
   * const again = ring.source({ from: position })   // where another one stopped, if that is still there
   * ```
   *
   * Readers can stand behind others. Here 2 sees what 0 and 1 are both done with, and what they wrote before they advanced:
   *
   * ```ts
   * const parsed = ring.source({ reader: 0 })
   * const checked = ring.source({ reader: 1 })
   * const joint = ring.source({ reader: 2, after: [0, 1] })
   * ```
   *
   * A ring keeps what nobody needed the room for: all items but those of the last quarter before the next one, if no larger batch
   * was pushed.
   *
   * @throws Error when other living threads have this end, or every end
   * @throws RangeError when there is no such reader, or the item to begin with is gone or not yet written
   */
  source(options: SourceOptions = {}): Source {
    const waiting = waitingOf('Ring.source', options)
    const { reader, from, after = [] } = options
    this.requireFrom('Ring.source', from)
    this.requireAhead('Ring.source: after', after, (reader ?? this.readers - 1) - 1, this.groups - 1)
    if (reader !== undefined) {
      requireInteger('Ring.source: reader', reader, 0, this.readers - 1)
      const source = this.sourceAt(reader, waiting, after, from)
      if (source === undefined) throw new Error(`Ring.source: source ${reader} was handed out before; its thread must keep it`)
      return source
    }
    const readersAhead = after.filter((ahead) => typeof ahead === 'number')
    for (let free = Math.max(-1, ...readersAhead) + 1; free < this.readers; free++) {
      const source = this.sourceAt(free, waiting, after, from)
      if (source !== undefined) return source
    }
    throw new Error(`Ring.source: all ${this.readers} sources were handed out before; create the ring with a larger 'readers'`)
  }

  /**
   * A seat in a group, for one thread: each item goes to one of the group's members. Waits for nobody but one that comes or goes
   * at the same time.
   *
   * ```ts
   * const member = ring.member({ group: 0 })
   * while (member.pop(target)) work(target)
   * ```
   *
   * A group holds the writer back as a reader does: by the first item that none of its members has claimed, or that one has and
   * is not done with. Who comes to a group of which nobody lives goes on where it stopped, unless the writer needed the room
   * meanwhile, or its last member closed; then it begins with the next item that is pushed, or `from` where it is told.
   *
   * Where the memory has `liveness`, what a dead member had claimed and was not done with comes to another one: to one that finds
   * nothing else to do, or that takes its seat. (`Member.redelivered`.)
   *
   * @throws Error when the group has no seat left, or the ring no groups
   * @throws RangeError when there is no such group, or the item to begin with is gone or not yet written
   */
  member(options: MemberOptions = {}): Member {
    const waiting = waitingOf('Ring.member', options)
    const { group = 0, from, after = [] } = options
    if (this.groups === 0) throw new Error("Ring.member: this ring has no groups; create it with 'groups'")
    requireInteger('Ring.member: group', group, 0, this.groups - 1)
    this.requireAhead('Ring.member: after', after, this.readers - 1, group - 1)
    this.requireFrom('Ring.member', from)
    const { layout } = this
    const seats = new Group(layout, group, options)
    const positionAt = seats.enter(from)
    if (positionAt === 'full') {
      throw new Error(
        `Ring.member: all ${this.members} seats of group ${group} are taken by living threads; create the ring with more 'members'`,
      )
    }
    if (positionAt === 'gone') throw this.itemIsGone('Ring.member', from)
    return new Member(layout, group, seats, positionAt, waiting, gatesOf(layout, after))
  }

  private sourceAt(reader: number, waiting: Waiting, after: readonly Ahead[], from?: From): Source | undefined {
    const { memory, layout } = this
    const positionAt = layout.readAt(reader)
    const before = sitDown('Ring.source', memory, positionAt, from !== undefined)
    if (before === undefined) return undefined
    const heldForIt = from === undefined && !leavesNothing(before)
    const position = heldForIt ? resume(memory, positionAt) : join(layout, positionAt, before, from ?? 'latest')
    if (position === undefined) throw this.itemIsGone('Ring.source', from)
    return new Source(layout, reader, waiting, position, gatesOf(layout, after))
  }

  /** What `create` writes of a group. */
  private createGroup(group: number, cursor: number, start: number): void {
    const { memory, layout } = this
    const cursorAt = layout.cursorAt(group)
    // Nothing is claimed, and nobody is there. Plain, as the rest.
    // Safety: ring/attaches
    memory.write(cursorAt, cursor)
    memory.write(cursorAt + beganFromPosition, start)
    for (let positionAt = cursorAt + lineWords; positionAt < layout.cursorAt(group + 1); positionAt += lineWords) {
      memory.write(positionAt, withClosed(start))
      memory.write(positionAt + seatFromPosition, nobody)
    }
    Mutex.create(memory, {}, layout.lockAt(group))
  }

  private requireAhead(who: string, after: readonly Ahead[], readerMax: number, groupMax: number): void {
    for (const ahead of after) {
      if (typeof ahead === 'object' && ahead !== null) requireInteger(`${who}: group`, ahead.group, 0, groupMax)
      else requireInteger(who, ahead, 0, readerMax)
    }
  }

  private requireFrom(who: string, from: From | undefined): void {
    if (from === undefined || from === 'oldest' || from === 'latest') return
    requireInteger(`${who}: from`, from, 0, 2 ** 30 - 1)
    // It has been written, for good, or has not.
    // Safety: ring/joins
    const written = positionIn(this.memory.load(this.layout.writtenAt))
    if (distance(positionAfter(0, from), written) >= 0) return
    throw new RangeError(`${who}: from: item ${from} is not written yet; the next one is ${itemAt(written)}`)
  }

  private itemIsGone(who: string, from: From | undefined): RangeError {
    return new RangeError(`${who}: from: item ${from} is gone; the oldest that is still there is ${itemAt(oldest(this.layout))}`)
  }
}

function gatesOf(layout: RingLayout, after: readonly Ahead[]): Gates | undefined {
  return after.length === 0 ? undefined : new Gates(layout, after)
}
