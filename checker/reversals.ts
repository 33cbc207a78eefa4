import type { History, Thread } from '../model/history.ts'
import { COMPARE_EXCHANGE, LOAD, WAIT } from '../model/operation.ts'
import { spuriousOf } from '../model/step.ts'
import type { Entry } from './entry.ts'
import { Sequence } from './sequence.ts'
import { actOf, KILL, NORMAL, SPURIOUS, TEST } from './step-kinds.ts'
import { Work } from './work.ts'

/**
 * What could have come in another order: finds, when a step has been done, which earlier turns it could have come before. Says why
 * each is found once: `search.ts`.
 */

// How an entry came to be where it is.
export const IN_TURN = 0
/** Brought forward, and others follow. */
export const BROUGHT = 1
/** Brought forward, the last of them. */
export const HEAD = 2

// To what a thread can be bound, besides nothing: the next step it does.
export const TO_NORMAL = 1
export const TO_KILL = 2
export const TO_SPURIOUS = 3
/** It is not killed where it stands; but it may still wake up for no reason. */
export const TO_LIVE = 4

/** In place of what a step would have done, where a thread chose instead what to do. */
export const nothingDone = -1

/** The numbers of what is brought forward before its steps: whose turn it is, bound to what before and after, and what it would do. */
export const beforeActs = 4

export abstract class Reversals {
  readonly threads: readonly Thread[]
  readonly sequence: Sequence
  protected readonly work: Work = new Work()
  /** To what each thread is bound. */
  protected readonly bound: number[]
  protected readonly spurious: boolean
  readonly #known: Int32Array

  constructor(threads: readonly Thread[], initial: Int32Array) {
    this.threads = threads
    this.sequence = new Sequence(threads, initial)
    this.bound = threads.map(() => 0)
    this.spurious = threads.some(({ faults }) => faults.spurious)
    this.#known = new Int32Array(threads.length)
  }

  // Races.

  /** Reverses each race of the last step that can be reversed. */
  protected reverseRaces(step: Entry): void {
    const { racing, races, tested } = this.sequence
    if (tested) {
      this.#reverseTested(step)
      return
    }
    const foreign = this.lastForeign(step)
    for (let i = 0; i < races; i++) {
      const earlier = racing[i]
      if (earlier.place > foreign.place && earlier.how === IN_TURN) this.reverse(earlier, step)
    }
  }

  /**
   * The same for a write of a word that sleepers have read: it comes after they fell asleep. Who fell asleep after whom is
   * no matter when it comes before one of them.
   */
  #reverseTested(step: Entry): void {
    const { sequence } = this
    const { racing, races, clock, count } = sequence
    const { at } = step
    const known = this.#known
    for (let t = 0; t < count; t++) known[t] = clock[at + t]
    for (let i = 0; i < races; i++) {
      const earlier = racing[i]
      if (earlier.how !== IN_TURN) continue
      const from = step.previous.at
      for (let t = 0; t < count; t++) clock[at + t] = clock[from + t]
      clock[at + step.thread] = step.position
      for (let j = 0; j < races; j++) if (j !== i) sequence.join(clock, step, this.endOf(racing[j]))
      if (sequence.happensBefore(earlier, step)) continue
      sequence.join(clock, step, earlier)
      if (earlier.place > this.lastForeign(step).place) this.reverse(earlier, step)
    }
    clock.set(known, at)
  }

  /** The step by which a `wait` fell asleep that had read, and any other step itself. */
  protected endOf(step: Entry): Entry {
    return this.sequence.endOf(step)
  }

  /** The last entry before a step that was brought forward, or was a choice, and does not happen before it. */
  protected lastForeign(step: Entry): Entry {
    let { foreign } = step
    while (foreign.place >= 0 && this.isCause(foreign, step)) foreign = foreign.foreign
    return foreign
  }

  /** Whether an entry is there because a later one needs it. */
  protected isCause(entry: Entry, later: Entry): boolean {
    return this.sequence.happensBefore(entry, later)
  }

  /** Finds that a step may come before an earlier one, if it can. */
  protected reverse(earlier: Entry, step: Entry): void {
    const { sequence } = this
    const { thread, what, node } = step
    let { op } = step
    if ((what === NORMAL && (node.kind === LOAD || node.kind >= COMPARE_EXCHANGE)) || what === TEST) {
      const value = valueBefore(earlier, step)
      if (!sequence.passes(thread, node, value)) return
      op = sequence.opOf(node, value)
    } else if (what === SPURIOUS && valueBefore(earlier, step) !== node.a) return
    if (this.isFirst(earlier, thread, step.previous, op)) this.#find(earlier, step, step.place, actOf(thread, what))
  }

  /** Whether nothing that was brought before a step already should have waited for one that touches the same location. */
  protected isFirst(step: Entry, thread: number, previous: Entry, op: number): boolean {
    const { sequence } = this
    for (let { chain: head } = step; head.place >= 0 && head.turn === step.thread; head = head.from.chain) {
      if (sequence.happensBefore(head, previous) || clash(head.op, op)) return true
      if (head.thread > thread && clash(head.turnOp, op)) return false
    }
    return true
  }

  // What a write stops.

  /** A write may have stopped threads that could have gone before. */
  protected findStopped(write: Entry): void {
    const { sequence } = this
    const location = write.op >> 1
    const { standing } = sequence.locations[location]
    const value = sequence.memory[location]
    const { old } = write
    for (let rest = standing & ~(1 << write.thread); rest !== 0; rest &= rest - 1) {
      const thread = 31 - Math.clz32(rest & -rest)
      const node = sequence.next[thread]
      const bound = this.bound[thread]
      const previous = sequence.tip[thread]
      if (previous.place > write.place) continue // It was woken by this step.
      const free = bound !== TO_KILL && bound !== TO_SPURIOUS
      if (free && !sequence.passes(thread, node, value) && sequence.passes(thread, node, old)) {
        if (this.isFirst(write, thread, previous, sequence.opOf(node, old))) this.#findAt(write, thread)
      }
      if (!this.spurious || node.kind !== WAIT || old !== node.a || value === node.a) continue
      if (bound === TO_SPURIOUS || this.mayStartle(thread, node)) {
        if (this.isFirst(write, thread, previous, 2 * location)) this.#findAt(write, spuriousOf(thread))
      }
    }
  }

  protected findMissedNext(entry: Entry): void {
    const { sequence } = this
    const node = sequence.next[entry.thread]
    if (!sequence.looks(node)) return
    const { lastWrite } = sequence.locations[sequence.locationOf(node)]
    if (!sequence.happensBefore(lastWrite, entry)) this.findMissed(entry, node)
  }

  /** A thread may have come too late for a write that stops it. */
  protected findMissed(entry: Entry, node: History): void {
    const { sequence } = this
    const location = sequence.locationOf(node)
    let write = sequence.locations[location].lastWrite
    const { thread } = entry
    const startles = this.spurious && this.mayStartle(thread, node)
    let foreign: Entry | undefined
    let value = sequence.memory[location]
    while (!sequence.happensBefore(write, entry)) {
      const { old } = write
      if (write.how === IN_TURN) {
        const stops = !sequence.passes(thread, node, value) && sequence.passes(thread, node, old)
        const calms = startles && old === node.a && value !== node.a
        if (stops || calms) {
          foreign ??= this.lastForeign(entry)
          if (write.place < foreign.place) return
          if (stops && this.isFirst(write, thread, entry, sequence.opOf(node, old)))
            this.#find(write, entry, entry.place + 1, thread)
          if (calms && this.isFirst(write, thread, entry, 2 * location)) {
            this.#find(write, entry, entry.place + 1, spuriousOf(thread))
          }
        }
      }
      value = old
      write = write.writeBefore
    }
  }

  /** The time of a sleeper that is woken could have been over. */
  protected findExpired(notify: Entry, woken: Entry): void {
    if (woken.node.b === Number.POSITIVE_INFINITY) return
    if (this.isFirst(notify, woken.thread, woken.previous, notify.op)) this.#findAt(notify, woken.thread)
  }

  /** Whether a thread may wake up for no reason, now or later, if its word holds what it expects. */
  protected mayStartle(thread: number, node: History): boolean {
    const { sleeping, startled, holding } = this.sequence
    const bound = this.bound[thread]
    if (node.kind !== WAIT || (bound !== 0 && bound !== TO_LIVE)) return false
    return ((sleeping | startled | holding) >> thread) % 2 === 0 && this.threads[thread].faults.spurious
  }

  // What is found.

  /** What happens before `cause`, between a step and the place `end`, and then an act, may come before that step. */
  #find(step: Entry, cause: Entry, end: number, act: number): void {
    const { work, sequence } = this
    const { entries } = sequence
    this.#begin(step, weightOf(step, cause.previous), end - step.place)
    for (let place = step.place + 1; place < end; place++) {
      const other = entries[place]
      if (other.op >= 0 && sequence.happensBefore(other, cause)) work.add(actOf(other.thread, other.what))
    }
    work.add(act)
    work.finish()
  }

  /** An act may come before a step. */
  #findAt(step: Entry, act: number): void {
    this.#begin(step, 1, 1)
    this.work.add(act)
    this.work.finish()
  }

  #begin({ place, thread, boundBefore, what, choice, op }: Entry, weight: number, acts: number): void {
    const { work } = this
    work.begin(place, weight, beforeActs + acts)
    work.add(thread)
    work.add(boundBefore)
    work.add(this.boundBy(what, choice))
    work.add(op)
  }

  /** To what a thread is bound that chose a step, if others come before that. */
  protected boundBy(what: number, choice: number): number {
    return what === KILL ? TO_KILL : what === SPURIOUS ? TO_SPURIOUS : choice
  }

  /** What else a thread may do in its turn. */
  protected findChoice(place: number, thread: number, act: number): void {
    const { work } = this
    work.begin(place, 1, beforeActs + 1)
    work.add(thread)
    work.add(this.bound[thread])
    work.add(0)
    work.add(nothingDone)
    work.add(act)
    work.finish()
  }
}

/** What a later step would find before an earlier one. */
function valueBefore(step: Entry, later: Entry): number {
  return step.op % 2 === 1 ? step.old : later.old
}

/** How much of the tree a reversal is thought to be: the later step can be brought before all writes that its thread has not seen. */
function weightOf({ writeBefore }: Entry, seen: Entry): number {
  let weight = 1
  for (let write = writeBefore; write.place > seen.place; write = write.writeBefore) weight++
  return weight
}

/** Whether two steps touch one location, and one of them writes it. */
function clash(one: number, other: number): boolean {
  return one >> 1 === other >> 1 && ((one | other) & 1) === 1
}
