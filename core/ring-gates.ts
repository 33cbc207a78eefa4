import { lineWords } from './layout.ts'
import type { Memory } from './memory.ts'
import { distance, isClosed, positionIn } from './position.ts'
import { beganFromPosition, type RingLayout, turnFromPosition, unknown } from './ring-layout.ts'
import { isForsaken, lookAround } from './ring-seats.ts'

/** Somebody to stand behind: a reader by its number, or a group by its own. */
export type Ahead = number | { readonly group: number }

/** The positions of one that is ahead: a reader's, or a group's cursor and then its members'. */
interface Gate {
  readonly from: number
  readonly to: number
  /** Where its seats begin: those that say whether anybody is there. */
  readonly seatsFrom: number
}

/**
 * The readers and groups that a reader, or a member of a group, stands behind: it sees an item once all of them are done with
 * it. (The Disruptor's dependency graph: pipelines, diamonds.)
 *
 * Each is a gate, open up to its reader's position, or to the first item that its group has not claimed or is not done with.
 * Who has left, or is dead, holds nobody up; and as nobody knows whether it was done, what comes after its position counts as not
 * attended, unless the next one in its seat went on from there.
 */
export class Gates {
  /** The word that kept the last look from going further, and what it held. */
  at = 0
  seen = 0
  private readonly memory: Memory
  private readonly writtenAt: number
  private readonly gates: readonly Gate[]
  /** Up to where each is known to have read everything that this reader still has to; undefined before the first look. */
  private readonly attended: (number | undefined)[]

  constructor(layout: RingLayout, ahead: readonly Ahead[]) {
    this.memory = layout.memory
    this.writtenAt = layout.writtenAt
    this.gates = ahead.map((one) => gateOf(layout, one))
    this.attended = ahead.map(() => undefined)
  }

  /** Whoever stands behind these goes on elsewhere, perhaps with earlier items: nothing is known of who has attended to those. */
  forget(): void {
    this.attended.fill(undefined)
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
    this.gates.forEach((gate, index) => {
      let at = gate.from
      // Safety: ring/attended
      const turn = memory.load(gate.from + turnFromPosition)
      // Who begins makes it unknown, and then counts a turn: if it is known, it is where this turn began, or a later one.
      // Safety: ring/attended
      const began = memory.load(gate.from + beganFromPosition)
      // Whatever its reader did before it came to this position has become visible to who looks here. It never goes back; who
      // takes its place may begin before, and then attends to the same items again.
      // Safety: ring/gated
      let seen = memory.load(at)
      if (!isClosed(seen)) {
        for (let memberAt = gate.from + lineWords; memberAt < gate.to; memberAt += lineWords) {
          // A member said what it claims before the cursor passed that, and the cursor was looked at first.
          // Safety: ring/gated
          const member = memory.load(memberAt)
          if (isClosed(member) || distance(positionIn(seen), positionIn(member)) >= 0) continue
          at = memberAt
          seen = member
        }
        if (gate.seatsFrom !== gate.from) {
          // Who clears a group that is gone moves the cursor back first, to what its members were not done with, and then closes
          // their positions. Those that were found closed may have been so for that.
          // Safety: ring/attended
          const after = memory.load(gate.from)
          if (isClosed(after)) seen = after
        }
      }
      const position = positionIn(seen)
      // Whoever moves the position of another turn has counted that before: none has, so that everything from where this one
      // began up to the position was read.
      // Safety: ring/attended
      const isSameTurn = memory.load(gate.from + turnFromPosition) === turn
      this.attend(index, next, isSameTurn ? began : unknown, position)
      if (isClosed(seen) || distance(position, to) <= 0) return
      if (distance(next, position) <= 0 && this.isGone(gate)) return
      to = position
      this.at = at
      this.seen = seen
    })
    return to
  }

  /** How many items from the position on all gates are known to have attended to. */
  attendedFrom(next: number): number {
    return Math.max(0, Math.min(...this.attended.map((attended = next) => distance(next, attended))))
  }

  /** @param began where the one began that came to the position, or unknown */
  private attend(index: number, next: number, began: number, position: number): void {
    const attended = this.attended[index] ?? next
    const known = distance(attended, next) > 0 ? next : attended
    const isUnbroken = began !== unknown && distance(began, known) >= 0
    this.attended[index] = isUnbroken && distance(known, position) > 0 ? position : known
  }

  /** Whether the reader there is dead, or all of the group. */
  private isGone({ seatsFrom, to }: Gate): boolean {
    const { memory } = this
    return memory.liveness !== undefined && isForsaken(lookAround(memory, seatsFrom, to))
  }
}

function gateOf(layout: RingLayout, ahead: Ahead): Gate {
  if (typeof ahead === 'number') {
    const from = layout.readAt(ahead)
    return { from, to: from + lineWords, seatsFrom: from }
  }
  const from = layout.cursorAt(ahead.group)
  return { from, to: layout.cursorAt(ahead.group + 1), seatsFrom: from + lineWords }
}
