import { isLost } from './holder.ts'
import type { Memory } from './memory.ts'
import { distance, isClosed, positionIn } from './position.ts'
import { beganFromPosition, type RingLayout, seatFromPosition, unknown } from './ring-layout.ts'

/**
 * The readers that another reader stands behind: it sees an item once they have all advanced past it. (The Disruptor's
 * dependency graph: pipelines, diamonds.)
 *
 * Each is a gate, open up to its reader's position. Who has left, or is dead, holds nobody up; and as nobody knows whether it
 * was done, what comes after its position counts as not attended, unless the next one in its seat went on from there.
 */
export class Gates {
  /** The word that kept the last look from going further, and what it held. */
  at = 0
  seen = 0
  private readonly memory: Memory
  private readonly writtenAt: number
  private readonly gates: readonly number[]
  /** Up to where each is known to have read everything that this reader still has to. */
  private readonly attended: number[]

  /** @param position where the reader begins that stands behind these */
  constructor(layout: RingLayout, readers: readonly number[], position: number) {
    this.memory = layout.memory
    this.writtenAt = layout.writtenAt
    this.gates = readers.map((reader) => layout.readAt(reader))
    this.attended = readers.map(() => position)
  }

  /**
   * Looks where the gates are.
   *
   * @param next the position of the reader behind
   * @param written as it was just now
   * @returns the position up to which it may read, which may be before its own
   */
  look(next: number, written: number): number {
    const { memory } = this
    let to = positionIn(written)
    this.at = this.writtenAt
    this.seen = written
    this.gates.forEach((gateAt, gate) => {
      // Whatever its reader did before it came to this position has become visible to who looks here. It never goes back; who
      // takes its place may begin before, and then attends to the same items again.
      // Safety: ring/gated
      const seen = memory.load(gateAt)
      const position = positionIn(seen)
      this.attend(gate, gateAt, next, position)
      if (isClosed(seen) || distance(position, to) <= 0) return
      if (distance(next, position) <= 0 && this.isGone(gateAt)) return
      to = position
      this.at = gateAt
      this.seen = seen
    })
    return to
  }

  /** How many items from the position on all gates are known to have attended to. */
  attendedFrom(next: number): number {
    return Math.max(0, Math.min(...this.attended.map((attended) => distance(next, attended))))
  }

  private attend(gate: number, gateAt: number, next: number, position: number): void {
    const attended = this.attended[gate] as number
    const known = distance(attended, next) > 0 ? next : attended
    // Where the one who sits there began, or a later one: who comes first makes it unknown, and then moves the position. So
    // everything from there to the position was read.
    // Safety: ring/attended
    const began = this.memory.load(gateAt + beganFromPosition)
    const isUnbroken = began !== unknown && distance(began, known) >= 0
    this.attended[gate] = isUnbroken && distance(known, position) > 0 ? position : known
  }

  /** Whether the reader there is dead. */
  private isGone(gateAt: number): boolean {
    const { memory } = this
    // Safety: ring/gated
    return memory.liveness !== undefined && isLost(memory, memory.load(gateAt + seatFromPosition))
  }
}
