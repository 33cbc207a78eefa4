import { nobody, take, wordOfSelf } from './holder.ts'
import { publishHeader, readHeader, requirePlace, requireWords, writeHeader } from './layout.ts'
import {
  halfOf,
  LossyRingLayout,
  type LossyRingOptions,
  lossyRingKind,
  lossyRingParameters,
  lossyWordsOf,
  positionOf,
  requireLossyShape,
  seatFromWritten,
  wordOf,
} from './lossy-ring-layout.ts'
import { LossySink } from './lossy-ring-sink.ts'
import { LossySource } from './lossy-ring-source.ts'
import type { Memory } from './memory.ts'
import { type WaitOptions, waitingOf } from './patience.ts'
import { isClosed } from './position.ts'
import { show } from './require.ts'

/**
 * A lossy broadcast ring: the writer never waits, and readers, any number of them, are not known to it. Who falls behind by more
 * than the ring holds loses items, and learns how many.
 *
 * After Agrona's broadcast buffer (the receiver copies, and then validates that it was not lapped). We depart from it in that
 * validating is a read-modify-write of a word that the writer exchanges before it writes, not a fence and a load: JavaScript has
 * no fences, and a load orders nothing before what a writer does next (`Memory.settle`). And in that what was lost is counted
 * exactly, however long a reader looks away. `lossy-ring-layout.ts` says what it looks like in shared memory.
 */

/** Where to begin, and how to wait. */
export interface LossySourceOptions extends WaitOptions {
  /**
   * - `'latest'` (the default): with the next item that is pushed.
   * - `'oldest'`: with the oldest item that is still there.
   * - a position that this or another source had: what is gone since then counts as lost.
   */
  readonly from?: 'latest' | 'oldest' | number
}

/**
 * The ring as one thread sees it. `create` makes one, `attach` joins it from another thread, and `sink` and `source` give its
 * ends.
 *
 * ```ts
 * const shape = { capacity: 1024, itemBytes: 8 }
 * const memory = new SharedMemory(LossyRing.words(shape))
 * const sink = LossyRing.create(memory, shape).sink()                   // the writer
 * const source = LossyRing.attach(new SharedMemory(buffer)).source()    // each reader, in a thread of its own
 *
 * while (source.pop(item)) use(item, source.lost)                       // to the end of the stream
 * ```
 *
 * Readers need no seats and leave without a word; what they do, and whether they die, makes no difference to anybody. Where
 * the memory has `liveness`, the readers of a dead writer get what it pushed and then the end of the stream, and another thread
 * may take the sink over.
 */
export class LossyRing {
  /** How many items fit. */
  readonly capacity: number
  /** Bytes of an item. */
  readonly itemBytes: number
  /** How many items are given up together. */
  readonly block: number
  private readonly memory: Memory
  private readonly layout: LossyRingLayout

  private constructor(memory: Memory, at: number, shape: Required<LossyRingOptions>) {
    this.memory = memory
    this.layout = new LossyRingLayout(memory, at, shape)
    this.capacity = shape.capacity
    this.itemBytes = shape.itemBytes
    this.block = shape.block
  }

  /**
   * How many words a ring takes: a multiple of `lineWords`, so that another structure can begin right after it.
   *
   * @throws RangeError when an option is out of its range
   */
  static words(options: LossyRingOptions): number {
    return lossyWordsOf(requireLossyShape(options))
  }

  /**
   * Makes a ring. One thread does this, before any other attaches; nobody else may use these words meanwhile.
   *
   * @param at the word where the ring begins, a multiple of `lineWords` (32); whatever these words held is overwritten
   * @throws RangeError when an option is out of its range, or the memory too short
   */
  static create(memory: Memory, options: LossyRingOptions, at = 0): LossyRing {
    const shape = requireLossyShape(options)
    const { capacity, itemBytes, block, start } = shape
    const words = lossyWordsOf(shape)
    requirePlace('LossyRing.create', memory, at, words)
    writeHeader(memory, at, lossyRingKind, words, [capacity, itemBytes, block, start | 0, Math.floor(start / 2 ** 32)])
    const ring = new LossyRing(memory, at, shape)
    const { layout } = ring
    // Plain, for `publishHeader` publishes it. A start within a block is as if somebody had written the items before it; other
    // blocks are entered before anybody asks for them.
    // Safety: lossy-ring/attaches
    memory.write(layout.writtenAt, wordOf(start))
    memory.write(layout.writtenAt + seatFromWritten, nobody)
    memory.write(layout.halvesAt, halfOf(start))
    memory.write(layout.blockAt(start), layout.numberOf(start))
    publishHeader(memory, at)
    return ring
  }

  /**
   * Joins a ring that another thread created; everything about it is read from its header. Any number of threads may.
   *
   * @param at the word where the ring was created
   * @throws RangeError when `at` is not a multiple of `lineWords` or the memory is shorter than the ring
   * @throws Error when no such ring stands there, or one of another layout version
   */
  static attach(memory: Memory, at = 0): LossyRing {
    const { words, parameters } = readHeader('LossyRing.attach', memory, at, lossyRingKind, lossyRingParameters)
    const [capacity, itemBytes, block, low, high] = parameters as [number, number, number, number, number]
    const shape = requireLossyShape({ capacity, itemBytes, block, start: high * 2 ** 32 + (low >>> 0) })
    requireWords('LossyRing.attach', words, lossyWordsOf(shape))
    return new LossyRing(memory, at, shape)
  }

  /**
   * The writing end, for one thread. Handed out once, whoever asks from wherever; and once more when the thread that had it
   * is dead, which goes on where that one stopped. Lock-free.
   *
   * @throws Error when another living thread has it, or the stream was closed
   */
  sink(): LossySink {
    const { memory, layout } = this
    // Safety: lossy-ring/handed-out-once
    const taken = take(memory, layout.writtenAt + seatFromWritten, wordOfSelf('LossyRing.sink', memory))
    if (typeof taken === 'number') {
      throw new Error('LossyRing.sink: the sink was handed out before; a ring has one writer, which must keep its sink')
    }
    // Nobody writes these but the one that is dead, and readers who announce that they sleep. All that was ever pushed is before
    // this position. What a dead writer left half-written lies behind it, and will be written over before it is published.
    // Safety: lossy-ring/survives-writer
    const written = memory.load(layout.writtenAt)
    if (isClosed(written)) throw new Error('LossyRing.sink: the stream was closed; create another ring')
    // Safety: lossy-ring/survives-writer, lossy-ring/wraps
    return new LossySink(layout, positionOf(written, memory.load(layout.halvesAt)))
  }

  /**
   * A reading end. There can be any number of them, in any threads, and nobody else learns of it. Wait-free, but for `'oldest'`,
   * which is lock-free.
   *
   * @throws RangeError when `from` is a position that no source has had
   */
  source(options: LossySourceOptions = {}): LossySource {
    const waiting = waitingOf('LossyRing.source', options)
    const { from = 'latest' } = options
    const source = new LossySource(this.layout, waiting)
    if (from === 'oldest') source.seekOldest()
    else if (typeof from === 'number') source.seek(from)
    else if (from !== 'latest') {
      throw new RangeError(`LossyRing.source: from: expected 'latest', 'oldest' or a position, found ${show(from)}`)
    }
    return source
  }
}
