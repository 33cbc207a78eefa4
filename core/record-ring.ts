import { nobody, take, wordOfSelf } from './holder.ts'
import { lineWords, publishHeader, readHeader, requirePlace, requireWords, writeHeader } from './layout.ts'
import type { Memory } from './memory.ts'
import { type WaitOptions, waitingOf } from './patience.ts'
import { positionStep } from './position.ts'
import {
  ended,
  intentFromSeat,
  noIntent,
  oneJoin,
  RecordRingLayout,
  type RecordRingOptions,
  recordRingKind,
  recordRingParameters,
  requireShape,
  type Shape,
  wordsOf,
} from './record-ring-layout.ts'
import { RecordSink } from './record-ring-sink.ts'
import { RecordSource } from './record-ring-source.ts'

/**
 * A record ring: any number of threads push records of any length, one reads them, in the order in which their room was claimed.
 *
 * After Agrona's many-to-one ring and Aeron's term appenders (Thompson, Montgomery): room is claimed by moving a tail that all
 * share, the record is written in place, and a word before the others publishes it; what does not fit before the end leaves
 * padding there. We depart from them in what happens when a thread dies. There the length of a claim stands in the claim
 * itself, so that one who dies before writing it leaves a hole of which nobody knows how long it is. Here the ring consists of
 * slots whose words are cleared when they are freed, and each thread says in a seat of its own where it is about to claim; then
 * a slot that no living thread has is passed over by itself. Only the dead are: a thread that is slow loses nothing, and nothing
 * depends on time. `record-ring-layout.ts` says what it looks like in shared memory.
 *
 * A compare-exchange of the tail would succeed by mistake only for a thread that stood still just there while exactly 2^30
 * slots (64 GiB), or a multiple, went through.
 */

/**
 * The ring as one thread sees it. `create` makes one, `attach` joins it from another thread, and `sink` and `source` hand out
 * its ends.
 *
 * ```ts
 * const shape = { bytes: 65536 }
 * const memory = new SharedMemory(RecordRing.words(shape))
 * const source = RecordRing.create(memory, shape).source()          // the reader
 * const sink = RecordRing.attach(new SharedMemory(memory.buffer)).sink()   // each writer, in a thread of its own
 * sink.push(new TextEncoder().encode('as long as it is'))
 * sink.close()
 * for (let record = source.pop(); record !== undefined; record = source.pop()) console.log(new TextDecoder().decode(record))
 * ```
 *
 * Where the memory has `liveness`, the dead hold nobody back: what a dead sink had claimed and not published is passed over; a
 * dead source is followed by another one, which goes on after the last record that was advanced over; and the stream ends when
 * no living sink is left. Where it has none, a thread that ends without closing its sink keeps the stream open, and what it has
 * claimed and not published holds everybody up.
 */
export class RecordRing {
  /** How many bytes of records fit. */
  readonly bytes: number
  /** How many sinks there can be at a time. */
  readonly sinks: number
  /** The longest record: half of the bytes (all of them, where they are 64), so that it fits wherever the ring is empty. */
  readonly recordBytesMax: number
  private readonly memory: Memory
  private readonly layout: RecordRingLayout

  private constructor(memory: Memory, at: number, shape: Shape) {
    this.memory = memory
    this.layout = new RecordRingLayout(memory, at, shape)
    this.bytes = 64 * shape.slots
    this.sinks = shape.sinks
    this.recordBytesMax = this.layout.recordBytesMax
  }

  /**
   * How many words a ring takes: a multiple of `lineWords`, so that another structure can begin right after it.
   *
   * @throws RangeError when an option is out of its range
   */
  static words(options: RecordRingOptions): number {
    return wordsOf(requireShape(options))
  }

  /**
   * Makes a ring. One thread does this, before any other attaches; nobody else may use these words meanwhile.
   *
   * @param at the word where the ring begins, a multiple of `lineWords` (32); whatever these words held is overwritten
   * @throws RangeError when an option is out of its range, or the memory too short
   */
  static create(memory: Memory, options: RecordRingOptions, at = 0): RecordRing {
    const shape = requireShape(options)
    const { slots, sinks } = shape
    const words = wordsOf(shape)
    requirePlace('RecordRing.create', memory, at, words)
    writeHeader(memory, at, recordRingKind, words, [slots, sinks])
    const ring = new RecordRing(memory, at, shape)
    const { layout } = ring
    // Everything begins at the same position: the ring is empty. Plain, for `publishHeader` publishes it.
    // Safety: record-ring/attaches
    const start = (shape.start * positionStep) | 0
    for (const positionAt of [layout.tailAt, layout.headAt, layout.knownAt]) memory.write(positionAt, start)
    for (const word of [layout.eraAt, layout.joinsAt, layout.sourceSeatAt]) memory.write(word, nobody)
    for (let seatAt = layout.seatsAt; seatAt < layout.seatsEnd; seatAt += lineWords) {
      memory.write(seatAt, nobody)
      memory.write(seatAt + intentFromSeat, noIntent)
    }
    for (let i = 0; i < slots; i++) memory.write(layout.frameAt(i * positionStep), 0)
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
  static attach(memory: Memory, at = 0): RecordRing {
    const { words, parameters } = readHeader('RecordRing.attach', memory, at, recordRingKind, recordRingParameters)
    const [slots, sinks] = parameters as [number, number]
    const shape = requireShape({ bytes: 64 * slots, sinks })
    requireWords('RecordRing.attach', words, wordsOf(shape))
    return new RecordRing(memory, at, shape)
  }

  /**
   * A writing end, for one thread. Others have their own: as many as the ring was created for, at a time. Wait-free but for
   * others that come or go.
   *
   * @throws Error when living threads have all of them, or the stream has ended
   */
  sink(options: WaitOptions = {}): RecordSink {
    const waiting = waitingOf('RecordRing.sink', options)
    const { memory, layout } = this
    const seatAt = this.sitDown()
    // The seat may still say what a dead one had claimed, as if this thread had.
    // Safety: record-ring/survives-sink
    memory.store(seatAt + intentFromSeat, noIntent)
    // Who finds no sink in the seats sees that one has come since it looked.
    // Safety: record-ring/ends
    if ((memory.add(layout.joinsAt, oneJoin) & ended) !== 0) {
      memory.store(seatAt, nobody)
      throw new Error('RecordRing.sink: the stream has ended; create another ring')
    }
    return new RecordSink(layout, seatAt, waiting)
  }

  /**
   * The reading end, for one thread. Handed out once, whoever asks from wherever; and once more when the thread that had it is
   * dead, and goes on after the last record that this one advanced over. Wait-free.
   *
   * @throws Error when another living thread has it, or it was closed
   */
  source(options: WaitOptions = {}): RecordSource {
    const waiting = waitingOf('RecordRing.source', options)
    const { memory, layout } = this
    // Safety: record-ring/handed-out-once
    if (typeof take(memory, layout.sourceSeatAt, wordOfSelf('RecordRing.source', memory)) === 'number') {
      throw new Error('RecordRing.source: the source was handed out before; a ring has one reader, which must keep its source')
    }
    return new RecordSource(layout, waiting)
  }

  private sitDown(): number {
    const { memory, layout } = this
    const self = wordOfSelf('RecordRing.sink', memory)
    for (let seatAt = layout.seatsAt; seatAt < layout.seatsEnd; seatAt += lineWords) {
      // Safety: record-ring/handed-out-once
      if (typeof take(memory, seatAt, self) !== 'number') return seatAt
    }
    throw new Error(
      `RecordRing.sink: living threads have all ${layout.sinks} sinks; create the ring with more 'sinks', or close()`,
    )
  }
}
