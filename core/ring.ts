import { isLost, nobody, wordOfSelf } from './holder.ts'
import { lineWords, publishHeader, readHeader, requirePlace, requireWords, writeHeader } from './layout.ts'
import type { Memory } from './memory.ts'
import { spinsOf, type WaitOptions } from './patience.ts'
import { isClosed, positionIn, positionStep, publishPosition, withClosed } from './position.ts'
import { requireInteger } from './require.ts'
import {
  RingLayout,
  type RingOptions,
  requireShape,
  ringKind,
  ringParameters,
  seatFromPosition,
  unsettled,
  vacant,
  wordsOf,
} from './ring-layout.ts'
import { Sink } from './ring-sink.ts'
import { Source } from './ring-source.ts'

/**
 * A broadcast ring: one writer, a fixed number of readers, each of which gets every item, whole and in order.
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
  private readonly memory: Memory
  private readonly layout: RingLayout

  private constructor(memory: Memory, at: number, shape: Required<RingOptions>) {
    this.memory = memory
    this.layout = new RingLayout(memory, at, shape)
    this.capacity = shape.capacity
    this.itemBytes = shape.itemBytes
    this.readers = shape.readers
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
    const { capacity, itemBytes, readers, awaitReaders } = shape
    const words = wordsOf(shape)
    requirePlace('Ring.create', memory, at, words)
    writeHeader(memory, at, ringKind, words, [capacity, itemBytes, readers])
    const ring = new Ring(memory, at, shape)
    // Everything begins at the same position: the ring is empty. Plain, for `publishHeader` publishes it.
    // Safety: ring/attaches
    const start = shape.start * positionStep
    for (let end = 0; end <= readers; end++) {
      const awaited = end === 0 || awaitReaders
      const positionAt = ring.layout.writtenAt + end * lineWords
      memory.write(positionAt, awaited ? start : withClosed(start))
      memory.write(positionAt + seatFromPosition, awaited ? nobody : vacant)
    }
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
    const [capacity, itemBytes, readers] = parameters as [number, number, number]
    const shape = requireShape({ capacity, itemBytes, readers })
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
    const spins = spinsOf('Ring.sink', options)
    const { memory } = this
    const positionAt = this.layout.writtenAt
    if (this.sitDown('Ring.sink', positionAt) === undefined) {
      throw new Error('Ring.sink: the sink was handed out before; a ring has one writer, which must keep its sink')
    }
    // A load, not a plain read: readers may be announcing themselves in bit 0 already. All that was ever pushed is before
    // this position. What a dead writer left half-written lies behind it, and will be written over.
    // Safety: ring/in-order, ring/survives-writer
    const written = memory.load(positionAt)
    if (isClosed(written)) throw new Error('Ring.sink: the stream was closed; create another ring')
    return new Sink(this.layout, spins, positionIn(written))
  }

  /**
   * A reading end, for one thread; each of the `readers` ends is handed out to one living thread at a time. Wait-free.
   *
   * Who takes the place of a dead reader goes on where that one stopped, unless the writer needed the room meanwhile. Then,
   * and in the place of a reader that closed its source, it begins with the next item that is pushed.
   *
   * @throws Error when other living threads have this end, or every end
   * @throws RangeError when there is no such reader
   */
  source(options: SourceOptions = {}): Source {
    const spins = spinsOf('Ring.source', options)
    const { reader } = options
    if (reader !== undefined) {
      requireInteger('Ring.source: reader', reader, 0, this.readers - 1)
      const source = this.sourceAt(reader, spins)
      if (source === undefined) throw new Error(`Ring.source: source ${reader} was handed out before; its thread must keep it`)
      return source
    }
    for (let free = 0; free < this.readers; free++) {
      const source = this.sourceAt(free, spins)
      if (source !== undefined) return source
    }
    throw new Error(`Ring.source: all ${this.readers} sources were handed out before; create the ring with a larger 'readers'`)
  }

  private sourceAt(reader: number, spins: number): Source | undefined {
    const positionAt = this.layout.readAt(reader)
    const before = this.sitDown('Ring.source', positionAt)
    if (before === undefined) return undefined
    const position = leavesNothing(before) ? this.join(positionAt) : this.resume(positionAt)
    return new Source(this.layout, reader, spins, position)
  }

  /** Takes the seat beside a position, if nobody living has it: returns what it held, or undefined. */
  private sitDown(who: string, positionAt: number): number | undefined {
    const { memory } = this
    const self = wordOfSelf(who, memory)
    for (let seen = nobody; ; ) {
      // The seat is this thread's when it turned nobody, or whoever is not coming back, into itself. Every other taker finds
      // this thread there, and so does the writer that was about to clear the seat.
      // Safety: ring/handed-out-once
      const found = memory.compareExchange(positionAt + seatFromPosition, seen, leavesNothing(seen) ? self | unsettled : self)
      if (found === seen) return found
      if (!isLost(memory, found)) return undefined
      seen = found
    }
  }

  /** Goes on where the reader before stopped, or at the first item. */
  private resume(positionAt: number): number {
    // A load, not a plain read: the writer may be announcing itself in bit 0 already. The items from this position on are
    // held for whoever sits here.
    // Safety: ring/in-order, ring/survives-reader
    return positionIn(this.memory.load(positionAt))
  }

  /** Begins with what is pushed from now on. The seat is unsettled. */
  private join(positionAt: number): number {
    const { memory } = this
    const first = positionIn(memory.load(this.layout.writtenAt))
    // From here on the writer holds everything from `first` on for this reader: it sees that when it next looks. The writer
    // does not sleep on this position, which holds nobody back, unless a thread died here while it joined; then it sleeps in
    // slices.
    // Safety: ring/joins
    memory.store(positionAt, first)
    // When the writer last looked without seeing that, it stood at this position or before, and found at most a whole ring of
    // room. So it writes over nothing that comes after this position. Now it may sleep on `first`, and is woken.
    // Safety: ring/joins, ring/wakes
    const latest = positionIn(memory.load(this.layout.writtenAt))
    if (latest !== first) publishPosition(memory, positionAt, latest)
    // Until here the items from the position on may have been written over. Whoever takes the place of a thread that died
    // before this joins anew.
    // Safety: ring/survives-reader
    memory.store(positionAt + seatFromPosition, wordOfSelf('Ring.source', memory))
    return latest
  }
}

/** Whether the one who sat in a reader's seat has left no position from which another one could go on. */
function leavesNothing(seat: number): boolean {
  return seat === vacant || (seat & unsettled) !== 0
}
