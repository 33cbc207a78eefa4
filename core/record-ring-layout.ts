import { isLost, nobody } from './holder.ts'
import { fourLetters, lineWords, wholeLines } from './layout.ts'
import type { Memory } from './memory.ts'
import { asleep } from './patience.ts'
import { itemAt, positionIn, positionStep } from './position.ts'
import { requireInteger } from './require.ts'
import type { StreamEnd } from './ring-source.ts'

/**
 * What a record ring looks like in shared memory.
 *
 * ```
 *   word                            written by
 *   0                   header      create
 *   32                  tail        sinks: the first slot that nobody has claimed; the source sets bit 1 when it closes
 *   33                  era         the source, which adds one each time that head comes past a multiple of 2^28 slots
 *   64                  head        the source: the first slot that is not free yet; sinks set bit 0 before they sleep
 *   65                  known       the source: all before this is published
 *   66                  seat        whoever takes the source (`holder.ts`)
 *   96                  joins       sinks: four times how often one came; bit 1: the stream has ended
 *   128 + 32 s          seat s      whoever takes a sink
 *   129 + 32 s          intent      whoever sits there: where the slots begin that it is about to claim, or has claimed
 *   128 + 32 sinks      entries     two words for each slot: its frame, and its length
 *   after these         slots       64 bytes each
 * ```
 *
 * Slots are claimed from tail on, and freed at head. What is claimed at once is a **frame**, and is published at once, by the
 * frame word of its first slot. In a frame stand one or more **entries** side by side: a record, whose length is that of its
 * first slot; or padding of n slots, where the length is -n. A record never goes on at the other end of the ring; where that
 * would happen there is padding before it.
 *
 * ```
 *   frame word
 *   bit   31 ..................... 2   1       0
 *         how many slots, or 0         ended   asleep: see `patience.ts`
 * ```
 *
 * It is 0 slots from the moment that the source frees the frame, and whoever claims the slots next has seen that they are free.
 * So no old word is taken for a frame, and no bytes of a record for a word.
 */

/** What a record ring is made for. */
export interface RecordRingOptions {
  /** How many bytes of records fit: a power of two from 64 to 2^32. A record takes as many slots of 64 bytes as it needs, or one. */
  readonly bytes: number
  /** How many sinks there can be at a time, from 1 to 65536; default 16. */
  readonly sinks?: number
  /** Position of the first slot, any 32-bit integer, counted modulo 2^30; default 0. Specs begin just below the wrap. */
  readonly start?: number
}

export const recordRingKind: number = fourLetters('RECO')
/** How many parameters the header has: the slots, and the sinks. */
export const recordRingParameters = 2

const slotBytes = 64
const bytesMax = 2 ** 32
const sinksMax = 65536

const tailAt = lineWords
const headAt = 2 * lineWords
const joinsAt = 3 * lineWords
const seatsAt = 4 * lineWords
/** From the tail to the era. */
const eraFromTail = 1
/** From the head to what is known. */
const knownFromHead = 1
/** From the head to the seat of the source. */
const seatFromHead = 2
/** From a seat to its intent. */
export const intentFromSeat = 1
/** From a frame word to the length. */
export const lengthFromFrame = 1

/** An intent that no position is like. */
export const noIntent = 1
/** In `joins`: the last sink has closed. */
export const ended = 2
/** One more sink in `joins`. */
export const oneJoin = 4
/** A frame word without a frame: this is where the stream ends. Only so that the word changes when it does. */
const endedFrame = 2

/** Where one era ends and the next begins, in a position. */
const eraStep = 2 ** 28 * positionStep

/** Whether the head comes into another era. */
export function isOtherEra(from: number, to: number): boolean {
  return ((from ^ to) & -eraStep) !== 0
}

/** Where the words of a record ring are. */
export class RecordRingLayout {
  readonly memory: Memory
  /** How many slots there are. */
  readonly slots: number
  readonly sinks: number
  readonly tailAt: number
  readonly eraAt: number
  readonly headAt: number
  readonly knownAt: number
  readonly sourceSeatAt: number
  readonly joinsAt: number
  readonly seatsAt: number
  readonly seatsEnd: number
  private readonly mask: number
  private readonly slotsByte: number

  constructor(memory: Memory, at: number, { slots, sinks }: Shape) {
    this.memory = memory
    this.slots = slots
    this.sinks = sinks
    this.tailAt = at + tailAt
    this.eraAt = this.tailAt + eraFromTail
    this.headAt = at + headAt
    this.knownAt = this.headAt + knownFromHead
    this.sourceSeatAt = this.headAt + seatFromHead
    this.joinsAt = at + joinsAt
    this.seatsAt = at + seatsAt
    this.seatsEnd = this.seatsAt + sinks * lineWords
    this.mask = slots - 1
    this.slotsByte = 4 * (this.seatsEnd + wholeLines(2 * slots))
  }

  /** The longest record: so many slots fit together wherever the ring is empty. */
  get recordBytesMax(): number {
    return Math.min(slotBytes * Math.max(1, this.slots / 2), 2 ** 31 - slotBytes)
  }

  /** Which slot a position stands for. */
  slotAt(position: number): number {
    // A power of two divides the range of positions, so that slots go on in order where positions wrap.
    // Safety: record-ring/wraps
    return itemAt(position) & this.mask
  }

  /** The frame word of a position, after which its length stands. */
  frameAt(position: number): number {
    return this.seatsEnd + 2 * this.slotAt(position)
  }

  /** The first byte of a position. */
  byteAt(position: number): number {
    return this.slotsByte + slotBytes * this.slotAt(position)
  }

  /** How the stream has ended, if it has: then nobody claims anything any more, as long as nobody takes the place of a dead one. */
  end(): StreamEnd | undefined {
    const { memory, joinsAt } = this
    for (;;) {
      const joins = memory.load(joinsAt)
      if ((joins & ended) !== 0) return 'closed'
      let abandoned = false
      for (let seatAt = this.seatsAt; seatAt < this.seatsEnd; seatAt += lineWords) {
        const seat = memory.load(seatAt)
        if (seat === nobody) continue
        if (!isLost(memory, seat)) return undefined
        abandoned = true
      }
      if (abandoned) return 'abandoned'
      if (joins === 0) return undefined
      // Whoever had come has left, and nobody came while this looked: there was a moment when nobody was there. Who sits down
      // from now on finds that the stream has ended, and leaves. It is said by whoever comes to it: the last sink may have died
      // just before.
      // Safety: record-ring/ends
      if (memory.compareExchange(joinsAt, joins, joins | ended) === joins) return 'closed'
    }
  }

  /** Wakes a source that sleeps where the stream has ended. Nobody claims anything any more. */
  wakeAtEnd(): void {
    const { memory } = this
    const tail = positionIn(memory.load(this.tailAt))
    // A source that has not come to the end yet finds it there: before it sleeps it looks whether the stream has ended.
    // Safety: record-ring/wakes
    if (positionIn(memory.load(this.headAt)) !== tail) return
    const frameAt = this.frameAt(tail)
    // The source is at this very word: if it has not seen that the stream has ended, it finds the word changed when it is about
    // to sleep, or sleeps, and is woken.
    // Safety: record-ring/wakes
    const old = memory.exchange(frameAt, endedFrame)
    if ((old & asleep) !== 0) memory.notify(frameAt)
  }
}

/** How many slots a record takes. */
export function slotsOf(length: number): number {
  return length === 0 ? 1 : Math.ceil(length / slotBytes)
}

export interface Shape {
  readonly slots: number
  readonly sinks: number
  readonly start: number
}

/** @throws RangeError when an option is out of its range */
export function requireShape(options: RecordRingOptions): Shape {
  const { bytes, sinks = 16, start = 0 } = options
  requireInteger('RecordRing: bytes', bytes, slotBytes, bytesMax)
  const slots = bytes / slotBytes
  if (!Number.isInteger(Math.log2(slots))) {
    const above = slotBytes * 2 ** Math.ceil(Math.log2(slots))
    throw new RangeError(`RecordRing: bytes: expected a power of two, found ${bytes}; take ${above / 2} or ${above}`)
  }
  requireInteger('RecordRing: sinks', sinks, 1, sinksMax)
  requireInteger('RecordRing: start', start, -(2 ** 31), 2 ** 32 - 1)
  return { slots, sinks, start }
}

/** How many words a ring takes. */
export function wordsOf({ slots, sinks }: Shape): number {
  return seatsAt + sinks * lineWords + wholeLines(2 * slots) + wholeLines((slots * slotBytes) / 4)
}
