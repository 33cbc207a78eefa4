import { isLost, wordOfSelf } from './holder.ts'
import { lineWords } from './layout.ts'
import type { Memory } from './memory.ts'
import { Mutex } from './mutex.ts'
import type { WaitOptions } from './patience.ts'
import { distance, isClosed, positionIn, publishPosition, withClosed } from './position.ts'
import { beganFromPosition, type RingLayout, seatFromPosition, unknown, vacant } from './ring-layout.ts'
import { begin, type From, isForsaken, lookAround, wantedBy } from './ring-seats.ts'

/**
 * The seats of a group: members come and go, and go on with what others have left.
 *
 * Who comes, goes, or lets go of the whole group does that under the group's lock (`mutex.ts`); claims do not. A member that died
 * under the lock leaves nothing that the next one must know of: it had sat down before, or still sits there, and is dead. A group
 * whose members are all dead waits for an heir until the writer needs the room, and one that its last member left is there no
 * more: then its cursor is closed, and who comes next begins it anew.
 */
export class Group {
  readonly cursorAt: number
  private readonly memory: Memory
  private readonly layout: RingLayout
  private readonly membersAt: number
  private readonly membersEnd: number
  private readonly lock: Mutex

  constructor(layout: RingLayout, group: number, waiting: WaitOptions) {
    this.memory = layout.memory
    this.layout = layout
    this.cursorAt = layout.cursorAt(group)
    this.membersAt = this.cursorAt + lineWords
    this.membersEnd = layout.cursorAt(group + 1)
    this.lock = Mutex.attach(layout.memory, layout.lockAt(group), waiting)
  }

  /**
   * Sits down. Waits for nobody but one that comes or goes.
   *
   * @param from where the group begins anew, if nobody living is in it; default: where it stopped, if it is there at all
   * @returns the position beside the seat; or why there is none
   */
  enter(from: From | undefined): number | 'full' | 'gone' {
    const { lock } = this
    lock.lock()
    const entered = this.sitDown(from)
    lock.unlock()
    return entered
  }

  private sitDown(from: From | undefined): number | 'full' | 'gone' {
    const { memory, layout, cursorAt } = this
    for (;;) {
      const { living, free, freeSeat } = lookAround(memory, this.membersAt, this.membersEnd)
      if (free < 0) return 'full'
      // Whoever finds that all are gone from here on finds this thread there, alive or dead. A living member may have gone on in
      // that place with what is claimed there.
      // Safety: ring/handed-out-once, ring/survives-member
      const self = wordOfSelf('Ring.member', memory)
      if (memory.compareExchange(free + seatFromPosition, freeSeat, self) !== freeSeat) continue
      if (living > 0 || (from === undefined && this.isThere())) return free
      this.clear(free)
      // Nobody else moves the cursor before this thread has left the lock.
      if (begin(layout, cursorAt, wantedBy(layout, from ?? 'latest'), from ?? 'latest') !== undefined) return free
      this.clear()
      return 'gone'
    }
  }

  /** Whether who comes goes on with what the group has left. Nobody living is in it. */
  private isThere(): boolean {
    const { memory, cursorAt } = this
    // One that died while it began the group anew has not said where.
    // Safety: ring/leaves, ring/survives-member
    return !isClosed(memory.load(cursorAt)) && memory.load(cursorAt + beganFromPosition) !== unknown
  }

  /**
   * Leaves. What the position beside a seat still holds is for the others; if there are none, the group is there no more.
   *
   * @param positions those beside the seats that this thread has
   */
  leave(positions: readonly number[]): void {
    const { memory, lock } = this
    lock.lock()
    const { living } = lookAround(memory, this.membersAt, this.membersEnd)
    if (living === positions.length) this.clear()
    else for (const positionAt of positions) memory.store(positionAt + seatFromPosition, vacant)
    lock.unlock()
  }

  /** For the writer: lets go of a group in which nobody lives any more. Wait-free. Returns whether it did. */
  letGo(): boolean {
    const { lock } = this
    if (!this.isForsaken() || lock.lock(0) === 'timed-out') return false
    const forsaken = this.isForsaken()
    if (forsaken) this.clear()
    lock.unlock()
    return forsaken
  }

  /**
   * Finds a member that has claimed something and is not done with it.
   *
   * @param visit told of each; returns whether to stop there
   */
  claims(visit: (positionAt: number, seen: number) => boolean): boolean {
    for (let positionAt = this.membersAt; positionAt < this.membersEnd; positionAt += lineWords) {
      // Open from before the cursor passed the claim until its items are done with.
      // Safety: ring/ends, ring/survives-member
      const seen = this.memory.load(positionAt)
      if (!isClosed(seen) && visit(positionAt, seen)) return true
    }
    return false
  }

  /** Sits down in the place of a member that is gone. Returns whether it was gone, and nobody else came first. */
  replace(positionAt: number): boolean {
    const { memory } = this
    const seatAt = positionAt + seatFromPosition
    // Safety: ring/survives-member
    const seat = memory.load(seatAt)
    // Exactly one turns what names the dead one into itself.
    // Safety: ring/shares, ring/survives-member
    return isLost(memory, seat) && memory.compareExchange(seatAt, seat, wordOfSelf('Ring.member', memory)) === seat
  }

  /** The group is there no more. Nobody living is in it but this thread, which has the lock. */
  private clear(except = 0): void {
    const { memory, cursorAt } = this
    // Only members move the cursor, and none is left.
    let done = positionIn(memory.load(cursorAt))
    this.claims((_, seen) => {
      if (distance(positionIn(seen), done) > 0) done = positionIn(seen)
      return false
    })
    // The cursor first: if this thread dies before the rest, whoever comes next finds that the group is to begin anew.
    for (let positionAt = cursorAt; positionAt < this.membersEnd; positionAt += lineWords) {
      // Safety: ring/leaves, ring/survives-member
      publishPosition(memory, positionAt, withClosed(done))
      // One sat there that is dead, or went, or nobody, or this thread.
      // Safety: ring/leaves, ring/survives-member
      if (positionAt !== except) memory.store(positionAt + seatFromPosition, vacant)
    }
  }

  private isForsaken(): boolean {
    return isForsaken(lookAround(this.memory, this.membersAt, this.membersEnd))
  }
}
