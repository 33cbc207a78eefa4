import type { Answer, History, Thread } from '../../model/history.ts'
import {
  COMPARE_EXCHANGE,
  LOAD,
  NOTIFY,
  PAUSE,
  READ,
  READ_BYTES,
  STORE,
  THROWN,
  updated,
  WAIT,
  WRITE,
  WRITE_BYTES,
} from '../../model/operation.ts'
import { Unsupported } from './interleavings.ts'

/**
 * A search of interleavings without wakeup trees and without sleep sets: every interleaving of a program that differs in more
 * than the order of independent steps, each once, none begun in vain. What is left to do is a list of sequences to go on from; each
 * describes its part of the search wholly.
 *
 * After some steps it is the turn of one thread, and all that can follow falls into parts: its next step *e* comes at once;
 * or another step *f* comes before it, the first one that *e* depends on. (Of several, reads that nothing orders, the one of the
 * first thread.) To reach a part, what happens before *f* is done, *f* is *brought forward*, and it is the turn of the same
 * thread again. So nothing is ever done that is not wanted, and no two parts have an interleaving in common.
 *
 * Which *f* there are is found in the first part: where *f* comes right after *e* and its other causes, which is a race. That
 * race stands in many interleavings; it is reversed only where nothing between was brought forward but causes of *f*. There is
 * exactly one such place, as whose turn it is follows from the steps before. (After Parsimonious-Optimal DPOR: Abdulla, Atig,
 * Das, Jonsson, Sagonas, CAV 2024, and TruSt, whose test for maximality this is.)
 *
 * A step that would only make its thread park is not enabled. If *e* disables *f*, then *f* is found when the last step before
 * it in its thread is done, or *e* if that was earlier.
 */

export type Ending = 'complete' | 'blocked' | 'stuck'

const none = -1

export class Reversals {
  readonly #threads: readonly Thread[]
  readonly #count: number
  readonly #memory: Int32Array
  #started = false

  // For each thread.
  readonly #next: History[]
  readonly #tip: Int32Array
  #running = 0

  // For each word.
  readonly #lastWrite: Int32Array
  readonly #lastRead: Int32Array
  /** The threads that stand before a load or compareExchange of it. */
  readonly #standing: Int32Array

  // For each step.
  #depth = 0
  readonly #thread: Int32Array
  readonly #op: Int32Array
  readonly #position: Int32Array
  readonly #node: History[] = []
  readonly #previous: Int32Array
  readonly #old: Int32Array
  readonly #writeBefore: Int32Array
  readonly #readBefore: Int32Array
  readonly #runningBefore: Int32Array
  readonly #clock: Int32Array
  readonly #plain: Int32Array
  #plainWord: Int32Array = new Int32Array(1024)
  #plainOld: Int32Array = new Int32Array(1024)
  #plainTop = 0
  /** Whether it was brought forward, and is not there because it was its turn. */
  readonly #brought: Uint8Array
  /** The last step before that was brought forward. */
  readonly #broughtBefore: Int32Array
  /** For the last of those that were brought forward together: before which place, and for which thread. */
  readonly #from: Int32Array
  readonly #for: Int32Array

  // For each place between two steps: what is still to be brought forward to there.
  readonly #pending: Int32Array[]
  readonly #pendingTop: Int32Array
  /** Whose turn it is there. */
  readonly #turn: Int32Array

  readonly #racing: Int32Array
  readonly #steps: number

  constructor(threads: readonly Thread[], initial: Int32Array, steps = 4000) {
    if (threads.length > 31) throw new Unsupported(`${threads.length} threads`)
    const count = threads.length
    const array = (length: number): Int32Array => new Int32Array(length)
    this.#threads = threads
    this.#count = count
    this.#steps = steps
    this.#memory = initial.slice()
    this.#tip = array(count).fill(none)
    this.#lastWrite = array(initial.length).fill(none)
    this.#lastRead = array(initial.length).fill(none)
    this.#standing = array(initial.length)
    this.#thread = array(steps)
    this.#op = array(steps)
    this.#position = array(steps)
    this.#previous = array(steps)
    this.#old = array(steps)
    this.#writeBefore = array(steps)
    this.#readBefore = array(steps)
    this.#runningBefore = array(steps)
    this.#clock = array(steps * count)
    this.#plain = array(steps)
    this.#brought = new Uint8Array(steps)
    this.#broughtBefore = array(steps + 1).fill(none)
    this.#from = array(steps)
    this.#for = array(steps).fill(none)
    this.#pending = []
    this.#pendingTop = array(steps)
    this.#racing = array(steps)
    this.#turn = array(steps)
    const memory = this.#memory
    for (const thread of threads) thread.predict = (word) => memory[word]
    this.#next = []
    threads.forEach((thread, i) => {
      this.#next.push(this.#settle(i, thread.root))
      this.#stand(i, this.#next[i])
    })
  }

  advance(): Ending | undefined {
    if (this.#started && !this.#backtrack()) return undefined
    this.#started = true
    for (;;) {
      const thread = this.#choose()
      if (thread < 0) return this.#ending()
      this.#step(thread, 0)
    }
  }

  #choose(): number {
    const depth = this.#depth
    const running = this.#running
    if (depth > 0) {
      const turn = this.#for[depth - 1]
      if (turn >= 0 && (running >> turn) & 1 && this.#enabled(turn)) return turn
      const thread = this.#thread[depth - 1]
      if ((running >> thread) & 1 && this.#enabled(thread)) return thread
    }
    for (let rest = running; rest !== 0; rest &= rest - 1) {
      const thread = 31 - Math.clz32(rest & -rest)
      if (this.#enabled(thread)) return thread
    }
    return none
  }

  #enabled(thread: number): boolean {
    const node = this.#next[thread]
    const { kind } = node
    if (kind !== LOAD && kind !== COMPARE_EXCHANGE) return true
    return this.#passes(thread, node, this.#memory[node.word])
  }

  /** Whether a thread that finds a value does more than to park, to read again. */
  #passes(thread: number, node: History, value: number): boolean {
    return (node.kind === COMPARE_EXCHANGE && value === node.a) || !this.#retries(thread, node, value)
  }

  #retries(thread: number, node: History, value: number): boolean {
    let after = node.child(value) ?? this.#threads[thread].after(node, value)
    if (after.kind !== PAUSE) return false
    while (after.kind === PAUSE && !after.parks) after = this.#threads[thread].after(after, 0)
    return after.kind === PAUSE && after.iteration <= node.depth
  }

  #stand(thread: number, node: History): void {
    if (node.kind === LOAD || node.kind === COMPARE_EXCHANGE) this.#standing[node.word] |= 1 << thread
  }

  /** @param how 0: it is its turn; 1: brought forward, with others that follow; 2: the last of them */
  #step(thread: number, how: number): void {
    const depth = this.#depth
    if (depth >= this.#steps) throw new RangeError(`an interleaving of more than ${depth} steps`)
    const node = this.#next[thread]
    const { kind, word } = node
    const memory = this.#memory
    const old = memory[word]
    let answer = old
    let writes = 1
    if (kind === LOAD) {
      writes = 0
      this.#standing[word] &= ~(1 << thread)
    } else if (kind === STORE) {
      memory[word] = node.a
      answer = 0
    } else if (kind !== COMPARE_EXCHANGE) memory[word] = updated(kind, old, node.a, node.b)
    else {
      this.#standing[word] &= ~(1 << thread)
      if (old === node.a) memory[word] = node.b
      else writes = 0
    }
    this.#thread[depth] = thread
    this.#op[depth] = 2 * word + writes
    this.#node[depth] = node
    this.#old[depth] = old
    this.#runningBefore[depth] = this.#running
    this.#brought[depth] = how
    this.#for[depth] = none
    this.#broughtBefore[depth + 1] = how === 0 ? this.#broughtBefore[depth] : depth
    this.#order(depth, thread, 2 * word + writes, node, how !== 1)

    this.#plain[depth] = this.#plainTop
    this.#depth = depth + 1
    const next = node.child(answer) ?? this.#threads[thread].after(node, answer)
    const settled = next.kind < WAIT ? next : this.#settle(thread, next)
    this.#next[thread] = settled
    if (how === 0) this.#turn[depth] = thread
    if (how === 0 && writes === 1) {
      const standing = this.#standing[word]
      if (standing !== 0) this.#findStopped(depth, word, standing)
    }
    if (settled.kind === LOAD || settled.kind === COMPARE_EXCHANGE) {
      this.#standing[settled.word] |= 1 << thread
      if (how !== 1) this.#findMissed(depth, thread, settled)
    }
  }

  /** Notes what happens before a step; notes the reversals of its races. */
  #order(depth: number, thread: number, op: number, node: History, reverses: boolean): void {
    const count = this.#count
    const clock = this.#clock
    const at = depth * count
    const word = op >> 1
    const previous = this.#tip[thread]
    const lastWrite = this.#lastWrite[word]
    const lastRead = this.#lastRead[word]
    this.#previous[depth] = previous
    this.#writeBefore[depth] = lastWrite
    this.#readBefore[depth] = lastRead
    this.#tip[thread] = depth
    if (previous < 0) for (let t = 0; t < count; t++) clock[at + t] = 0
    else for (let t = 0, from = previous * count; t < count; t++) clock[at + t] = clock[from + t]
    const racing = this.#racing
    let races = 0
    if ((op & 1) === 1) {
      for (let read = lastRead; read >= 0; read = this.#readBefore[read]) {
        if (clock[at + this.#thread[read]] >= this.#position[read]) continue
        racing[races++] = read
        this.#join(at, read)
      }
      this.#lastWrite[word] = depth
      this.#lastRead[word] = none
    } else this.#lastRead[word] = depth
    if (lastWrite >= 0 && clock[at + this.#thread[lastWrite]] < this.#position[lastWrite]) {
      racing[races++] = lastWrite
      this.#join(at, lastWrite)
    }
    const position = clock[at + thread] + 1
    clock[at + thread] = position
    this.#position[depth] = position
    if (races === 0 || !reverses) return
    const bound = this.#lastForeign(depth)
    for (let i = 0; i < races; i++) {
      const step = racing[i]
      if (step <= bound || this.#brought[step] !== 0) continue
      let writes = op & 1
      if ((this.#op[step] & 1) === 1 && (node.kind === LOAD || node.kind === COMPARE_EXCHANGE)) {
        const value = this.#old[step]
        if (!this.#passes(thread, node, value)) continue
        writes = node.kind === COMPARE_EXCHANGE && value === node.a ? 1 : 0
      }
      if (writes === 1 || this.#isCanonical(step, thread, previous)) this.#note(step, depth, depth, thread)
    }
  }

  /** The last step that was brought forward and does not happen before the last one. */
  #lastForeign(depth: number): number {
    const at = depth * this.#count
    let step = this.#broughtBefore[depth]
    while (step >= 0 && this.#clock[at + this.#thread[step]] >= this.#position[step]) step = this.#broughtBefore[step]
    return step
  }

  #join(at: number, step: number): void {
    const count = this.#count
    const clock = this.#clock
    const from = step * count
    for (let t = 0; t < count; t++) if (clock[from + t] > clock[at + t]) clock[at + t] = clock[from + t]
  }

  #isBefore(step: number, other: number): boolean {
    return other >= 0 && this.#clock[other * this.#count + this.#thread[step]] >= this.#position[step]
  }

  /** Of reads that nothing orders those of the first threads are brought before a write first. */
  #isCanonical(step: number, thread: number, previous: number): boolean {
    const turn = this.#thread[step]
    for (let place = step; place > 0; ) {
      const head = place - 1
      if (this.#for[head] !== turn) return true
      if ((this.#op[head] & 1) === 1 || this.#isBefore(head, previous)) return true
      if (this.#thread[head] > thread) return false
      place = this.#from[head]
    }
    return true
  }

  /** A write may have stopped threads that could have gone before. */
  #findStopped(depth: number, word: number, standing: number): void {
    const old = this.#old[depth]
    const value = this.#memory[word]
    for (let rest = standing; rest !== 0; rest &= rest - 1) {
      const thread = 31 - Math.clz32(rest & -rest)
      const node = this.#next[thread]
      if (this.#passes(thread, node, value) || !this.#passes(thread, node, old)) continue
      const writes = node.kind === COMPARE_EXCHANGE && old === node.a
      if (writes || this.#isCanonical(depth, thread, this.#tip[thread])) this.#note(depth, none, depth, thread)
    }
  }

  /** A thread may have come too late for a write that stops it. */
  #findMissed(depth: number, thread: number, node: History): void {
    const { word } = node
    let write = this.#lastWrite[word]
    if (write < 0) return
    let bound: number | undefined
    let value = this.#memory[word]
    for (; write >= 0 && !this.#isBefore(write, depth); value = this.#old[write], write = this.#writeBefore[write]) {
      if (this.#brought[write] !== 0) continue
      const old = this.#old[write]
      if (this.#passes(thread, node, value) || !this.#passes(thread, node, old)) continue
      bound ??= this.#lastForeign(depth)
      if (write <= bound) return
      const writes = node.kind === COMPARE_EXCHANGE && old === node.a
      if (writes || this.#isCanonical(write, thread, depth)) this.#note(write, depth, depth + 1, thread)
    }
  }

  /** Notes that what happens before `cause`, up to `end`, and then the next step of a thread, come before a step. */
  #note(step: number, cause: number, end: number, thread: number): void {
    const count = this.#count
    const clock = this.#clock
    let pending = this.#pending[step]
    let top = this.#pendingTop[step]
    if (pending === undefined || top + (end - step) + 2 > pending.length) {
      const grown = new Int32Array(2 * (top + (end - step) + 30))
      if (pending !== undefined) grown.set(pending)
      this.#pending[step] = pending = grown
    }
    const bottom = top
    if (cause >= 0) {
      const at = cause * count
      for (let other = step + 1; other < end; other++) {
        const owner = this.#thread[other]
        if (clock[at + owner] >= this.#position[other]) pending[top++] = owner
      }
    }
    pending[top++] = thread
    pending[top] = top - bottom
    this.#pendingTop[step] = top + 1
  }

  #settle(thread: number, from: History): History {
    const memory = this.#memory
    let at = from
    for (;;) {
      let answer: Answer = 0
      switch (at.kind) {
        case READ:
          answer = memory[at.word]
          break
        case WRITE:
          this.#overwrite(at.word, at.a)
          break
        case READ_BYTES:
          answer = ''
          for (let byte = at.word; byte < at.word + at.a; byte++) {
            answer += String.fromCharCode((memory[byte >> 2] >>> (8 * (byte & 3))) & 255)
          }
          break
        case WRITE_BYTES:
          for (let i = 0; i < at.a; i++) {
            const byte = at.word + i
            const shift = 8 * (byte & 3)
            this.#overwrite(byte >> 2, (memory[byte >> 2] & ~(255 << shift)) | (at.bytes.charCodeAt(i) << shift))
          }
          break
        case PAUSE:
          if (at.parks) {
            this.#running &= ~(1 << thread)
            return at
          }
          break
        case WAIT:
        case NOTIFY:
          throw new Unsupported('wait and notify')
        case THROWN:
          throw at.result
        default:
          if (at.finished) this.#running &= ~(1 << thread)
          else this.#running |= 1 << thread
          return at
      }
      at = at.child(answer) ?? this.#threads[thread].after(at, answer)
    }
  }

  #overwrite(word: number, value: number): void {
    const at = this.#plainTop++
    if (at === this.#plainWord.length) {
      this.#plainWord = grown(this.#plainWord, 2 * at)
      this.#plainOld = grown(this.#plainOld, 2 * at)
    }
    this.#plainWord[at] = word
    this.#plainOld[at] = this.#memory[word]
    this.#memory[word] = value
  }

  #backtrack(): boolean {
    for (let depth = this.#depth - 1; depth >= 0; depth--) {
      this.#undo(depth)
      let top = this.#pendingTop[depth]
      if (top === 0) continue
      const turn = this.#turn[depth]
      const pending = this.#pending[depth]
      const length = pending[--top]
      top -= length
      this.#pendingTop[depth] = top
      this.#depth = depth
      for (let i = 0; i < length - 1; i++) this.#step(pending[top + i], 1)
      const head = this.#depth
      this.#step(pending[top + length - 1], 2)
      this.#from[head] = depth
      this.#for[head] = turn
      return true
    }
    this.#depth = 0
    return false
  }

  #undo(step: number): void {
    for (let at = this.#plainTop - 1, bottom = this.#plain[step]; at >= bottom; at--) {
      this.#memory[this.#plainWord[at]] = this.#plainOld[at]
    }
    this.#plainTop = this.#plain[step]
    const thread = this.#thread[step]
    const word = this.#op[step] >> 1
    this.#memory[word] = this.#old[step]
    this.#lastWrite[word] = this.#writeBefore[step]
    this.#lastRead[word] = this.#readBefore[step]
    this.#tip[thread] = this.#previous[step]
    const next = this.#next[thread]
    if (next.kind === LOAD || next.kind === COMPARE_EXCHANGE) this.#standing[next.word] &= ~(1 << thread)
    const node = this.#node[step]
    if (node.kind === LOAD || node.kind === COMPARE_EXCHANGE) this.#standing[node.word] |= 1 << thread
    this.#next[thread] = node
    this.#running = this.#runningBefore[step]
  }

  #ending(): Ending {
    let ending: Ending = 'complete'
    for (let thread = 0; thread < this.#count; thread++) {
      const node = this.#next[thread]
      if (node.finished) continue
      if (!this.#sawNewest(thread, node)) return 'blocked'
      ending = 'stuck'
    }
    return ending
  }

  #sawNewest(thread: number, node: History): boolean {
    for (let step = this.#tip[thread]; step >= 0 && this.#node[step].depth >= node.iteration; step = this.#previous[step]) {
      if (this.#writeBefore[step] !== this.#lastWrite[this.#op[step] >> 1]) return false
    }
    return true
  }
}

function grown(array: Int32Array, length: number): Int32Array {
  const longer = new Int32Array(length)
  longer.set(array)
  return longer
}
