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

/**
 * Another search, to measure ours by: every interleaving of a program that differs in more than the order of independent
 * steps, each once.
 *
 * Method: Optimal-DPOR (Abdulla, Aronis, Jonsson, Sagonas, "Source Sets: A Foundation for Optimal Dynamic Partial Order
 * Reduction", JACM 2017). At the end of each interleaving each race is looked at: two steps at one word, at least one of
 * them a write, that nothing else orders. What does not happen after the first of them, with the second at the end, is
 * entered into the wakeup tree of the place before the first, unless what was explored from there already covers it.
 *
 * Threads are tries of histories, so that a switch of threads is free; everything else is flat data that is undone step by
 * step. A step that would only make its thread park is not enabled until the word holds another value. When a race is to be
 * reversed by such a step, it goes before an earlier write, the last one before which it is enabled.
 *
 * Left out: `wait` and `notify`, data races, and the bounds and judgements of `explore`. At most 31 threads.
 */

/** What stands at the end of an interleaving. `redundant`: everything that is enabled has been explored elsewhere. */
export type Ending = 'complete' | 'blocked' | 'stuck' | 'redundant'

/** Thrown for programs with operations that this search does not know. */
export class Unsupported extends Error {}

const none = -1

/** Operations in a word: the word, and whether it is written. */
function dependent(one: number, other: number): boolean {
  return one >> 1 === other >> 1 && ((one | other) & 1) === 1
}

export class Interleavings {
  readonly #threads: readonly Thread[]
  readonly #count: number
  readonly #memory: Int32Array
  #started = false

  // For each thread.
  /** What it does next: something SeqCst, a `pause` at which it parked, or nothing. */
  readonly #next: History[]
  /** Its last step. */
  readonly #tip: Int32Array
  /** Those that are neither finished nor parked. */
  #running = 0

  // For each word.
  readonly #lastWrite: Int32Array
  /** The last read since the last write. */
  readonly #lastRead: Int32Array

  // For each step of the current interleaving.
  #depth = 0
  readonly #thread: Int32Array
  readonly #op: Int32Array
  /** Which step of its thread it is, from 1. */
  readonly #position: Int32Array
  readonly #node: History[] = []
  /** The step of the same thread before. */
  readonly #previous: Int32Array
  /** What the word held before. */
  readonly #old: Int32Array
  /** The last write and the last read of the word before. */
  readonly #writeBefore: Int32Array
  readonly #readBefore: Int32Array
  readonly #runningBefore: Int32Array
  /** For each thread how many of its steps happen before the end of this one. Behind the last a row to work in, and one of zeros. */
  readonly #clock: Int32Array
  /** Where its races begin: a step before, and what it would be if it came before that. */
  readonly #races: Int32Array
  #raceStep: Int32Array = new Int32Array(1024)
  #raceOp: Int32Array = new Int32Array(1024)
  /** The later step of the race; and the last step that matters to what was found about it. */
  #raceSecond: Int32Array = new Int32Array(1024)
  #raceUntil: Int32Array = new Int32Array(1024)
  /** Races to be looked at again when what comes after them changes. */
  #open: Int32Array = new Int32Array(1024)
  #opened = 0
  /** Where the plain writes after it begin, to be undone. */
  readonly #plain: Int32Array
  #plainWord: Int32Array = new Int32Array(1024)
  #plainOld: Int32Array = new Int32Array(1024)
  #plainTop = 0

  // For each place between two steps.
  /** The wakeup tree: its first branch. */
  readonly #tree: Int32Array
  /** The steps that were explored from here, or from before and nothing came in between. */
  readonly #asleep: Int32Array
  readonly #asleepThread: Int32Array
  readonly #asleepOp: Int32Array
  /** The place at which the current interleaving left the one before. */
  #left = 0

  // Nodes of wakeup trees.
  #branchThread: Int32Array = new Int32Array(1024)
  #branchOp: Int32Array = new Int32Array(1024)
  #branchFirst: Int32Array = new Int32Array(1024)
  #branchSibling: Int32Array = new Int32Array(1024)
  #branches = 0
  #free = none

  // Scratch.
  readonly #awakening: Int32Array
  readonly #wakeThread: Int32Array
  readonly #wakeOp: Int32Array
  #wake = 0

  /**
   * @param threads for this search alone
   * @param initial the memory before the threads
   * @param steps how many steps an interleaving may have
   */
  constructor(threads: readonly Thread[], initial: Int32Array, steps = 4000) {
    if (threads.length > 31) throw new Unsupported(`${threads.length} threads`)
    const count = threads.length
    const array = (length: number): Int32Array => new Int32Array(length)
    this.#threads = threads
    this.#count = count
    this.#memory = initial.slice()
    this.#tip = array(count).fill(none)
    this.#lastWrite = array(initial.length).fill(none)
    this.#lastRead = array(initial.length).fill(none)
    this.#thread = array(steps)
    this.#op = array(steps)
    this.#position = array(steps)
    this.#previous = array(steps)
    this.#old = array(steps)
    this.#writeBefore = array(steps)
    this.#readBefore = array(steps)
    this.#runningBefore = array(steps)
    this.#clock = array((steps + 2) * count)
    this.#races = array(steps + 1)
    this.#plain = array(steps)
    this.#tree = array(steps + 1).fill(none)
    this.#asleep = array(steps + 1)
    this.#asleepThread = array((steps + 1) * count)
    this.#asleepOp = array((steps + 1) * count)
    this.#awakening = array(count)
    this.#wakeThread = array(steps)
    this.#wakeOp = array(steps)
    const memory = this.#memory
    for (const thread of threads) thread.predict = (word) => memory[word]
    this.#next = threads.map((thread, i) => this.#settle(i, thread.root))
  }

  /** Goes on to the end of the next interleaving and says what is there; `undefined` when there is none left. */
  advance(): Ending | undefined {
    if (this.#started && !this.#backtrack()) return undefined
    this.#started = true
    for (;;) {
      const thread = this.#choose()
      if (thread >= 0) this.#step(thread)
      else {
        const ending = thread === none ? this.#ending() : 'redundant'
        this.#reverse()
        return ending
      }
    }
  }

  // Steps.

  /** The thread to go on; -1 when none can, -2 when those who could are asleep. */
  #choose(): number {
    const depth = this.#depth
    const branch = this.#tree[depth]
    if (branch >= 0) {
      this.#tree[depth] = this.#branchSibling[branch]
      this.#tree[depth + 1] = this.#branchFirst[branch]
      this.#branchSibling[branch] = this.#free
      this.#free = branch
      return this.#branchThread[branch]
    }
    this.#tree[depth + 1] = none
    const running = this.#running
    let result = none
    // The thread that did the last step first.
    if (depth > 0) {
      const thread = this.#thread[depth - 1]
      if ((running >> thread) & 1 && this.#enabled(thread)) {
        if (!this.#sleeps(thread)) return thread
        result = -2
      }
    }
    for (let rest = running; rest !== 0; rest &= rest - 1) {
      const thread = 31 - Math.clz32(rest & -rest)
      if (!this.#enabled(thread)) continue
      if (!this.#sleeps(thread)) return thread
      result = -2
    }
    return result
  }

  #sleeps(thread: number): boolean {
    const from = this.#depth * this.#count
    for (let i = this.#asleep[this.#depth] - 1; i >= 0; i--) if (this.#asleepThread[from + i] === thread) return true
    return false
  }

  #enabled(thread: number): boolean {
    const node = this.#next[thread]
    const { kind } = node
    if (kind !== LOAD && kind !== COMPARE_EXCHANGE) return true
    const value = this.#memory[node.word]
    return (kind === COMPARE_EXCHANGE && value === node.a) || !this.#retries(thread, node, value)
  }

  /** Whether a thread that only reads a value would then park, to read again. */
  #retries(thread: number, node: History, value: number): boolean {
    let after = node.child(value) ?? this.#threads[thread].after(node, value)
    if (after.kind !== PAUSE) return false
    while (after.kind === PAUSE && !after.parks) after = this.#threads[thread].after(after, 0)
    return after.kind === PAUSE && after.iteration <= node.depth
  }

  #step(thread: number): void {
    const depth = this.#depth
    if (depth >= this.#thread.length) throw new RangeError(`an interleaving of more than ${depth} steps`)
    const node = this.#next[thread]
    const { kind, word } = node
    const memory = this.#memory
    const old = memory[word]
    let answer = old
    let writes = 1
    if (kind === LOAD) writes = 0
    else if (kind === STORE) {
      memory[word] = node.a
      answer = 0
    } else if (kind !== COMPARE_EXCHANGE) memory[word] = updated(kind, old, node.a, node.b)
    else if (old === node.a) memory[word] = node.b
    else writes = 0
    const op = 2 * word + writes
    this.#thread[depth] = thread
    this.#op[depth] = op
    this.#node[depth] = node
    this.#old[depth] = old
    this.#runningBefore[depth] = this.#running
    this.#order(depth, thread, op, node)

    // Who sleeps on.
    const count = this.#count
    const before = depth * count
    const after = before + count
    let asleep = 0
    for (let i = 0, all = this.#asleep[depth]; i < all; i++) {
      if (dependent(this.#asleepOp[before + i], op)) continue
      this.#asleepThread[after + asleep] = this.#asleepThread[before + i]
      this.#asleepOp[after + asleep++] = this.#asleepOp[before + i]
    }
    this.#asleep[depth + 1] = asleep

    this.#plain[depth] = this.#plainTop
    this.#depth = depth + 1
    const next = node.child(answer) ?? this.#threads[thread].after(node, answer)
    this.#next[thread] = next.kind < WAIT ? next : this.#settle(thread, next)
  }

  /** Notes what happens before a step, and its races. */
  #order(depth: number, thread: number, op: number, node: History): void {
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
    if (previous < 0) clock.fill(0, at, at + count)
    else clock.copyWithin(at, previous * count, previous * count + count)

    let races = this.#races[depth]
    if (races + count >= this.#raceStep.length) this.#growRaces()
    // Later reads first: an earlier one that happens before a later one has then been joined.
    if ((op & 1) === 1) {
      for (let read = lastRead; read >= 0; read = this.#readBefore[read]) {
        if (clock[at + this.#thread[read]] >= this.#position[read]) continue
        races = this.#note(races, thread, node, read, op, previous)
        this.#join(at, read)
      }
      this.#lastWrite[word] = depth
      this.#lastRead[word] = none
    } else this.#lastRead[word] = depth
    if (lastWrite >= 0 && clock[at + this.#thread[lastWrite]] < this.#position[lastWrite]) {
      races = this.#note(races, thread, node, lastWrite, op, previous)
      this.#join(at, lastWrite)
    }
    this.#races[depth + 1] = races
    const position = clock[at + thread] + 1
    clock[at + thread] = position
    this.#position[depth] = position
  }

  #join(at: number, step: number): void {
    const count = this.#count
    const clock = this.#clock
    const from = step * count
    for (let t = 0; t < count; t++) if (clock[from + t] > clock[at + t]) clock[at + t] = clock[from + t]
  }

  /** Notes a race of the current step with an earlier one, or, when the step is not enabled there, with an earlier write. */
  #note(races: number, thread: number, node: History, with_: number, op: number, previous: number): number {
    let step = with_
    let reversed = op
    if (node.kind === LOAD || node.kind === COMPARE_EXCHANGE) {
      for (;;) {
        reversed = this.#reversed(thread, node, step)
        if (reversed >= 0) break
        step = this.#writeBefore[step]
        if (step < 0 || this.#isBefore(step, previous)) return races
      }
    }
    this.#raceStep[races] = step
    this.#raceSecond[races] = this.#tip[thread]
    this.#raceOp[races] = reversed
    return races + 1
  }

  /** Whether a step happens before another one, or is it. */
  #isBefore(step: number, other: number): boolean {
    return other >= 0 && this.#clock[other * this.#count + this.#thread[step]] >= this.#position[step]
  }

  /** What a thread would do at a word if it came before a step; -1 when it would only park. */
  #reversed(thread: number, node: History, step: number): number {
    const value = this.#old[step]
    if (node.kind === COMPARE_EXCHANGE && value === node.a) return 2 * node.word + 1
    return this.#retries(thread, node, value) ? none : 2 * node.word
  }

  #growRaces(): void {
    const length = 2 * this.#raceStep.length
    this.#raceStep = grown(this.#raceStep, length)
    this.#raceOp = grown(this.#raceOp, length)
    this.#raceSecond = grown(this.#raceSecond, length)
    this.#raceUntil = grown(this.#raceUntil, length)
  }

  /** Does what comes before the next SeqCst operation, and notes whether there is one. */
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

  /** Back to the last place from which there is something left to explore. */
  #backtrack(): boolean {
    for (let depth = this.#depth - 1; depth >= 0; depth--) {
      this.#undo(depth)
      if (this.#tree[depth] < 0) continue
      const at = depth * this.#count + this.#asleep[depth]++
      this.#asleepThread[at] = this.#thread[depth]
      this.#asleepOp[at] = this.#op[depth]
      this.#left = depth
      this.#depth = depth
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
    this.#next[thread] = this.#node[step]
    this.#running = this.#runningBefore[step]
  }

  // Ends.

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

  /** Whether a thread that cannot go on has read, in the iteration in which it is, only what is still there. */
  #sawNewest(thread: number, node: History): boolean {
    for (let step = this.#tip[thread]; step >= 0 && this.#node[step].depth >= node.iteration; step = this.#previous[step]) {
      if (this.#writeBefore[step] !== this.#lastWrite[this.#op[step] >> 1]) return false
    }
    return true
  }

  /** Enters what the races of this interleaving ask for into the wakeup trees. */
  #reverse(): void {
    const left = this.#left
    const bottom = this.#races[left]
    const top = this.#races[this.#depth]
    const open = this.#open
    let still = 0
    for (let i = 0; i < this.#opened; i++) {
      const race = open[i]
      if (race >= bottom) continue
      open[still++] = race
      if (this.#raceUntil[race] >= left && this.#hasNews(this.#raceStep[race])) this.#look(race)
    }
    this.#opened = still
    for (let race = bottom; race < top; race++) {
      this.#look(race)
      if (this.#raceUntil[race] === this.#raceSecond[race]) continue
      if (this.#opened === open.length) this.#open = grown(open, 2 * open.length)
      this.#open[this.#opened++] = race
    }
    // Who is not enabled may have been so before some write.
    for (let rest = this.#running; rest !== 0; rest &= rest - 1) {
      const thread = 31 - Math.clz32(rest & -rest)
      if (!this.#enabled(thread)) this.#reconsider(thread)
    }
  }

  /** Whether some step that is new does not happen after a step. */
  #hasNews(step: number): boolean {
    const thread = this.#thread[step]
    const position = this.#position[step]
    for (let other = this.#left, length = this.#depth; other < length; other++) {
      if (this.#clock[other * this.#count + thread] < position) return true
    }
    return false
  }

  #look(race: number): void {
    const second = this.#raceSecond[race]
    this.#raceUntil[race] = this.#consider(this.#raceStep[race], this.#thread[second], this.#raceOp[race], second, second)
  }

  #reconsider(thread: number): void {
    const node = this.#next[thread]
    const previous = this.#tip[thread]
    for (let step = this.#lastWrite[node.word]; step >= 0 && !this.#isBefore(step, previous); step = this.#writeBefore[step]) {
      const reversed = this.#reversed(thread, node, step)
      if (reversed < 0) continue
      this.#consider(step, thread, reversed, this.#depth, previous < 0 ? this.#thread.length + 1 : previous)
      return
    }
  }

  /**
   * Reverses a race: enters into the tree of the place before its first step what must come before the operation of the
   * second, and that operation, unless what was explored from there covers all that does not happen after the first step.
   * Of the rest only as much comes along as is needed to wake the sleepers.
   *
   * @returns the last step that this depends on
   */
  #consider(first: number, thread: number, op: number, second: number, cause: number): number {
    const count = this.#count
    const clock = this.#clock
    // What happens before the second step, without what happens after the first.
    let need = cause * count
    let required = cause
    const firstThread = this.#thread[first]
    const position = this.#position[first]
    let until = second
    let sleeping = this.#asleep[first]
    if (sleeping > 0) {
      const awakening = this.#awakening
      for (let i = 0; i < sleeping; i++) awakening[i] = first * count + i
      for (let step = first + 1; step < second; step++) {
        if (clock[need + this.#thread[step]] < this.#position[step] || clock[step * count + firstThread] >= position) continue
        sleeping = this.#rouse(sleeping, this.#thread[step], this.#op[step])
        if (sleeping < 0) return second
      }
      sleeping = this.#rouse(sleeping, thread, op)
      if (sleeping < 0) return second
      for (let step = first + 1, length = this.#depth; sleeping > 0 && step < length; step++) {
        if (clock[step * count + firstThread] >= position || clock[need + this.#thread[step]] >= this.#position[step]) continue
        const asleep = sleeping
        sleeping = this.#rouse(sleeping, this.#thread[step], this.#op[step])
        if (sleeping === asleep) continue
        if (step > until) until = step
        if (sleeping < 0) return until
        required = this.#require(required, step)
        need = required * count
      }
      if (sleeping > 0) return this.#thread.length
    }
    let wake = 0
    for (let step = first + 1; step <= until; step++) {
      if (step === this.#depth || clock[need + this.#thread[step]] < this.#position[step]) continue
      if (clock[step * count + firstThread] >= position) continue
      this.#wakeThread[wake] = this.#thread[step]
      this.#wakeOp[wake++] = this.#op[step]
    }
    this.#wakeThread[wake] = thread
    this.#wakeOp[wake++] = op
    this.#wake = wake
    this.#insert(first)
    return until
  }

  /** Adds a step, and what happens before it, to what is needed: the row of clocks that holds both. */
  #require(required: number, step: number): number {
    const count = this.#count
    const clock = this.#clock
    const scratch = this.#thread.length
    const at = scratch * count
    if (required !== scratch) clock.copyWithin(at, required * count, required * count + count)
    this.#join(at, step)
    return scratch
  }

  /** How many sleep on when a thread does an operation; -1 when it is one of them. */
  #rouse(sleeping: number, thread: number, op: number): number {
    const awakening = this.#awakening
    let still = sleeping
    for (let i = sleeping - 1; i >= 0; i--) {
      const sleeper = awakening[i]
      if (this.#asleepThread[sleeper] === thread) return -1
      if (dependent(this.#asleepOp[sleeper], op)) awakening[i] = awakening[--still]
    }
    return still
  }

  /** Inserts the wakeup sequence into the tree of a place. */
  #insert(place: number): void {
    const sibling = this.#branchSibling
    let parent = none
    let branch = this.#tree[place]
    let last = none
    while (branch >= 0) {
      if (this.#mayBegin(branch)) {
        parent = branch
        last = none
        branch = this.#branchFirst[branch]
        if (branch < 0) return
      } else {
        last = branch
        branch = sibling[branch]
      }
    }
    for (let i = 0; i < this.#wake; i++) {
      const added = this.#branch(this.#wakeThread[i], this.#wakeOp[i])
      if (last >= 0) this.#branchSibling[last] = added
      else if (parent >= 0) this.#branchFirst[parent] = added
      else this.#tree[place] = added
      parent = added
      last = none
    }
  }

  /** Whether the wakeup sequence may as well begin with a branch. If so, what the branch does is taken out of the sequence. */
  #mayBegin(branch: number): boolean {
    const thread = this.#branchThread[branch]
    const op = this.#branchOp[branch]
    const wakeThread = this.#wakeThread
    const wakeOp = this.#wakeOp
    const wake = this.#wake
    for (let i = 0; i < wake; i++) {
      if (wakeThread[i] === thread) {
        wakeThread.copyWithin(i, i + 1, wake)
        wakeOp.copyWithin(i, i + 1, wake)
        this.#wake = wake - 1
        return true
      }
      if (dependent(wakeOp[i], op)) return false
    }
    return true
  }

  #branch(thread: number, op: number): number {
    let branch = this.#free
    if (branch >= 0) this.#free = this.#branchSibling[branch]
    else {
      branch = this.#branches++
      if (branch === this.#branchThread.length) {
        this.#branchThread = grown(this.#branchThread, 2 * branch)
        this.#branchOp = grown(this.#branchOp, 2 * branch)
        this.#branchFirst = grown(this.#branchFirst, 2 * branch)
        this.#branchSibling = grown(this.#branchSibling, 2 * branch)
      }
    }
    this.#branchThread[branch] = thread
    this.#branchOp[branch] = op
    this.#branchFirst[branch] = none
    this.#branchSibling[branch] = none
    return branch
  }

  /** How many nodes the wakeup trees have had at most. */
  get branches(): number {
    return this.#branches
  }
}

function grown(array: Int32Array, length: number): Int32Array {
  const longer = new Int32Array(length)
  longer.set(array)
  return longer
}
