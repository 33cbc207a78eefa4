import type { History, Thread } from '../model/history.ts'
import {
  ALIVE,
  COMPARE_EXCHANGE,
  DONE,
  FLUSH,
  GUESS_BYTES,
  LOAD,
  NOT_EQUAL,
  NOTIFY,
  OK,
  PAUSE,
  READ,
  READ_BYTES,
  SETTLE,
  STORE,
  THROWN,
  TIMED_OUT,
  updated,
  WAIT,
  WRITE,
  WRITE_BYTES,
} from '../model/operation.ts'
import { Waiters } from '../model/waiters.ts'
import { Broken } from './broken.ts'
import { grown } from './grown.ts'
import { AWAKE, actOf, ENQUEUE, EXPIRE, KILL, MARK, NORMAL, SPURIOUS, TEST } from './step-kinds.ts'
import { Unordered } from './unordered.ts'

/**
 * The steps of the threads one after the other, as flat data that is changed in place and changed back: what was done, what
 * the memory holds then, and for each step which others happened before it.
 *
 * A step touches one location: a word, the list of those who sleep on a word (whose values are the queues of `waiters.ts`), or the
 * life of a thread. It *happens before* the later ones of its thread, and those that touch the same location, if one of the two
 * writes it; and so on. Two sequences are the same execution exactly when they differ in the order of other steps only.
 *
 * A `wait` that falls asleep is two steps: the read of the word, and the write of the list. Between the two its thread *holds*
 * the word: nobody may write it, so that both could as well be one. Whoever writes the word later comes after both.
 *
 * A sleeper that is woken goes on by an entry of its own behind the `notify`, that nothing depends on.
 */

const none = -1
const dead = 0
const initialSteps = 256

const perStep = [
  'thread',
  'what',
  'op',
  'position',
  'previous',
  'old',
  'partner',
  'writeBefore',
  'readBefore',
  'runningBefore',
  'sleepingBefore',
] as const

export class Sequence {
  readonly threads: readonly Thread[]
  readonly waiters: Waiters = new Waiters()
  readonly count: number
  readonly words: number
  /** The words, their lists, and the lives of the threads. */
  readonly memory: Int32Array
  readonly unordered: Unordered

  // For each thread.
  /** What it does next, or what it does when it sleeps. */
  readonly next: History[]
  /** Its last entry. */
  readonly tip: Int32Array
  /** Those that may have something to do: neither at their end, parked, nor asleep for ever. */
  running = 0
  sleeping = 0
  /** Those that have read the word on which they are about to fall asleep. */
  holding = 0
  /** Those of which a `wait` came back for no reason. */
  startled = 0
  killed = 0

  // For each location.
  readonly lastWrite: Int32Array
  /** The last read since the last write. */
  readonly lastRead: Int32Array
  /** The threads that stand before an operation that may find there what makes them park. */
  readonly standing: Int32Array

  // For each entry.
  depth = 0
  capacity: number = initialSteps
  thread: Int32Array = new Int32Array(initialSteps)
  what: Int32Array = new Int32Array(initialSteps)
  /** Twice the location it touches, and one more if it writes; below zero for what is no step. */
  op: Int32Array = new Int32Array(initialSteps)
  readonly node: History[] = []
  /** Which one it is of its thread, from 1. */
  position: Int32Array = new Int32Array(initialSteps)
  /** The one before in its thread. */
  previous: Int32Array = new Int32Array(initialSteps)
  /** What its location held. */
  old: Int32Array = new Int32Array(initialSteps)
  /** For a `wait` that found what it expects, where it fell asleep. */
  partner: Int32Array = new Int32Array(initialSteps)
  writeBefore: Int32Array = new Int32Array(initialSteps)
  readBefore: Int32Array = new Int32Array(initialSteps)
  runningBefore: Int32Array = new Int32Array(initialSteps)
  sleepingBefore: Int32Array = new Int32Array(initialSteps)
  /** For each entry and thread, how many entries of that thread happened before it, itself included. */
  clock: Int32Array

  /** The earlier steps that the last step touched the location of, unless they had happened before anyway. The last one first. */
  racing: Int32Array = new Int32Array(initialSteps)
  races = 0
  /** Whether the test of a sleeper is among them: what comes after that comes after the falling asleep, too. */
  tested = false

  constructor(threads: readonly Thread[], initial: Int32Array) {
    const count = threads.length
    const words = initial.length
    this.threads = threads
    this.count = count
    this.words = words
    const locations = 2 * words + count
    const memory = new Int32Array(locations)
    memory.set(initial)
    memory.fill(1, 2 * words)
    this.memory = memory
    for (const thread of threads) thread.predict = (word) => memory[word]
    this.next = []
    this.tip = new Int32Array(count).fill(none)
    this.lastWrite = new Int32Array(locations).fill(none)
    this.lastRead = new Int32Array(locations).fill(none)
    this.standing = new Int32Array(locations)
    this.clock = new Int32Array(initialSteps * count)
    this.unordered = new Unordered(this)
  }

  /** Lets each thread come to its first step. */
  begin(): void {
    for (let thread = 0; thread < this.count; thread++) this.next[thread] = this.threads[thread].root
    for (let thread = 0; thread < this.count; thread++) this.#arrive(thread, this.next[thread])
  }

  // What a thread can do.

  /** Whether a thread that is running, not asleep, would do more than to park when it took its step. */
  enabled(thread: number): boolean {
    const node = this.next[thread]
    const { kind } = node
    if (kind !== LOAD && kind < COMPARE_EXCHANGE) return true
    if (kind > ALIVE || (this.sleeping >> thread) & 1) return true
    return this.passes(thread, node, this.memory[this.locationOf(node)])
  }

  locationOf({ kind, word }: History): number {
    return kind === NOTIFY ? this.words + word : kind === ALIVE ? 2 * this.words + word : word
  }

  /** Whether a thread that finds a value does more than to park, to read again. */
  passes(thread: number, node: History, value: number): boolean {
    let answer = value
    switch (node.kind) {
      case COMPARE_EXCHANGE:
        if (value === node.a) return true
        break
      case WAIT:
        if (value === node.a) return true
        answer = NOT_EQUAL
        break
      case NOTIFY:
        if (this.waiters.woken(value, node.a) > 0) return true
        answer = 0
    }
    let after = node.child(answer) ?? this.threads[thread].after(node, answer)
    if (after.kind !== PAUSE && after.kind !== FLUSH) return true
    while ((after.kind === PAUSE && !after.parks) || after.kind === FLUSH) after = this.threads[thread].after(after, 0)
    return after.kind !== PAUSE || after.iteration > node.depth
  }

  /** What an operation that finds a value does to its location, as `op`. */
  opOf(node: History, value: number): number {
    return 2 * this.locationOf(node) + this.#writes(node, value)
  }

  #writes(node: History, value: number): number {
    switch (node.kind) {
      case LOAD:
      case ALIVE:
      case WAIT:
        return 0
      case COMPARE_EXCHANGE:
        return value === node.a ? 1 : 0
      case NOTIFY:
        return this.waiters.woken(value, node.a) > 0 ? 1 : 0
      default:
        return 1
    }
  }

  /** Whether what an operation finds makes a difference to what it does, or to whether it parks. */
  looks(node: History): boolean {
    return node.kind === LOAD || node.kind === ALIVE || (node.kind >= COMPARE_EXCHANGE && node.kind <= NOTIFY)
  }

  // What happened before.

  happensBefore(step: number, other: number): boolean {
    return other >= 0 && this.clock[other * this.count + this.thread[step]] >= this.position[step]
  }

  /** The step by which a `wait` fell asleep that had read, and any other step itself. */
  endOf(step: number): number {
    return this.what[step] === TEST ? this.partner[step] : step
  }

  join(clocks: Int32Array, at: number, step: number): void {
    const { count } = this
    const from = step * count
    for (let t = 0; t < count; t++) if (clocks[from + t] > clocks[at + t]) clocks[at + t] = clocks[from + t]
  }

  /** Whether a step reads what was written SeqCst, and so comes after it by happens-before. */
  synchronizes(step: number): boolean {
    const what = this.what[step]
    const location = this.op[step] >> 1
    if (what !== NORMAL && what !== SPURIOUS && what !== TEST) return false
    return this.node[step].kind !== STORE && (location < this.words || location >= 2 * this.words)
  }

  // Steps.

  /** Lets a thread take a step. There must be room for an entry for each thread. */
  step(thread: number, fault: number): void {
    const { depth, memory } = this
    const node = this.next[thread]
    const { kind, word } = node
    const bit = 1 << thread
    this.#enter(depth, thread, node)
    let what = fault
    let location = word
    let writes = 1
    let answer = 0
    let old = 0
    let done: History | undefined
    if (what === NORMAL && ((this.sleeping | this.holding) & bit) === 0) {
      old = memory[word]
      answer = old
      switch (kind) {
        case LOAD:
          this.standing[word] &= ~bit
          writes = 0
          break
        case STORE:
          memory[word] = node.a
          answer = 0
          break
        case COMPARE_EXCHANGE:
          this.standing[word] &= ~bit
          if (old === node.a) memory[word] = node.b
          else writes = 0
          break
        case WAIT:
          this.standing[word] &= ~bit
          writes = 0
          answer = NOT_EQUAL
          if (old === node.a) {
            what = TEST
            this.holding |= bit
            done = node
          }
          break
        case NOTIFY:
          location = this.words + word
          this.standing[location] &= ~bit
          old = memory[location]
          answer = this.waiters.woken(old, node.a)
          if (answer > 0) memory[location] = this.waiters.wake(old, node.a)
          else writes = 0
          break
        case ALIVE:
          location += 2 * this.words
          this.standing[location] &= ~bit
          old = answer = memory[location]
          writes = 0
          break
        default:
          memory[word] = updated(kind, old, node.a, node.b)
      }
    } else if (what === KILL) {
      location = 2 * this.words + thread
      old = memory[location]
      memory[location] = dead
      this.#leave(thread, node)
      this.killed |= bit
      this.running &= ~bit
      done = node.killed
    } else if (what === SPURIOUS) {
      this.standing[word] &= ~bit
      old = memory[word]
      writes = 0
      answer = OK
      this.startled |= bit
    } else if ((this.holding & bit) !== 0) {
      what = ENQUEUE
      location += this.words
      old = memory[location]
      memory[location] = this.waiters.enqueue(old, thread)
      this.partner[this.tip[thread]] = depth
      this.holding &= ~bit
      this.sleeping |= bit
      if (node.b === Number.POSITIVE_INFINITY) this.running &= ~bit
      done = node
    } else {
      what = EXPIRE
      location += this.words
      old = memory[location]
      memory[location] = this.waiters.remove(old, thread)
      this.sleeping &= ~bit
      answer = TIMED_OUT
    }
    this.what[depth] = what
    this.op[depth] = 2 * location + writes
    this.old[depth] = old
    this.#inherit(depth, thread)
    this.#order(depth, location, writes)
    if (this.unordered.active) this.unordered.noteStep(depth, location, writes)

    if (done === undefined) {
      const next = node.child(answer) ?? this.threads[thread].after(node, answer)
      this.next[thread] = next
      if (next.kind > LOAD && next.kind < COMPARE_EXCHANGE) this.running |= bit
      else this.#arrive(thread, next)
    } else this.next[thread] = done
    if (kind === NOTIFY && writes === 1 && what === NORMAL) this.#wake(depth, old, answer)
  }

  /** Puts something into the sequence that is no step. */
  mark(thread: number): void {
    const { depth } = this
    this.#enter(depth, thread, this.next[thread])
    this.what[depth] = MARK
    this.op[depth] = none
    this.#inherit(depth, thread)
  }

  #enter(depth: number, thread: number, node: History): void {
    this.thread[depth] = thread
    this.node[depth] = node
    this.runningBefore[depth] = this.running
    this.sleepingBefore[depth] = this.sleeping
    if (this.unordered.active) this.unordered.open(depth)
    this.depth = depth + 1
  }

  /** Puts an entry behind the last one of its thread. */
  #inherit(depth: number, thread: number): void {
    const { count, clock } = this
    const at = depth * count
    const previous = this.tip[thread]
    this.previous[depth] = previous
    this.tip[thread] = depth
    if (previous < 0) for (let t = 0; t < count; t++) clock[at + t] = 0
    else for (let t = 0, from = previous * count; t < count; t++) clock[at + t] = clock[from + t]
    this.position[depth] = ++clock[at + thread]
    if (this.unordered.active) this.unordered.inherit(depth, previous)
  }

  /** Finds what happened before a step, and which of that has only now. */
  #order(depth: number, location: number, writes: number): void {
    const { clock, racing, thread, position } = this
    const at = depth * this.count
    const lastWrite = this.lastWrite[location]
    const lastRead = this.lastRead[location]
    this.writeBefore[depth] = lastWrite
    this.readBefore[depth] = lastRead
    let races = 0
    let tested = false
    if (writes === 1) {
      for (let read = lastRead; read >= 0; read = this.readBefore[read]) {
        if (clock[at + thread[read]] >= position[read]) continue
        racing[races++] = read
        if (this.what[read] === TEST) tested = true
      }
      this.lastWrite[location] = depth
      this.lastRead[location] = none
    } else this.lastRead[location] = depth
    if (lastWrite >= 0 && clock[at + thread[lastWrite]] < position[lastWrite]) racing[races++] = lastWrite
    this.tested = tested
    if (tested) for (let i = 0; i < races; i++) this.join(clock, at, this.endOf(racing[i]))
    else {
      let kept = 0
      for (let i = 0; i < races; i++) {
        const step = racing[i]
        if (clock[at + thread[step]] >= position[step]) continue
        racing[kept++] = step
        this.join(clock, at, step)
      }
      races = kept
    }
    this.races = races
  }

  /** Lets those go on who were woken. */
  #wake(notify: number, queue: number, count: number): void {
    const sleepers = this.waiters.sleepers(queue)
    for (let i = 0; i < count; i++) {
      const thread = sleepers[i]
      const node = this.next[thread]
      const { depth } = this
      this.#enter(depth, thread, node)
      this.what[depth] = AWAKE
      this.op[depth] = none
      this.#inherit(depth, thread)
      this.join(this.clock, depth * this.count, notify)
      if (this.unordered.active) this.unordered.join(depth, notify)
      this.sleeping &= ~(1 << thread)
      const next = node.child(OK) ?? this.threads[thread].after(node, OK)
      this.next[thread] = next
      this.#arrive(thread, next)
    }
  }

  /** Does what comes before the next SeqCst operation. */
  #arrive(thread: number, from: History): void {
    const bit = 1 << thread
    let at = from
    let wrote = false
    for (;;) {
      switch (at.kind) {
        case READ:
        case READ_BYTES:
        case WRITE:
        case WRITE_BYTES:
        case GUESS_BYTES:
        case SETTLE: {
          const answer = this.unordered.operate(thread, at)
          if (at.kind === WRITE || at.kind === WRITE_BYTES) wrote = true
          at = at.child(answer) ?? this.threads[thread].after(at, answer)
          continue
        }
        case PAUSE:
          if (!at.parks) break
          this.running &= ~bit
          this.next[thread] = at
          return
        case FLUSH:
          break
        case LOAD:
        case COMPARE_EXCHANGE:
        case WAIT:
        case NOTIFY:
        case ALIVE:
          this.next[thread] = at
          this.running |= bit
          this.standing[this.locationOf(at)] |= bit
          if (this.unordered.active && at.kind <= WAIT) this.unordered.noteStanding(thread, at)
          return
        case THROWN:
          this.next[thread] = at
          throw new Broken('thrown', at.result)
        case DONE:
          this.next[thread] = at
          if (wrote && this.threads[thread].faults.kills > 0) this.running |= bit
          else this.running &= ~bit
          return
        default:
          this.next[thread] = at
          this.running |= bit
          return
      }
      at = at.child(0) ?? this.threads[thread].after(at, 0)
    }
  }

  #leave(thread: number, node: History): void {
    if (this.looks(node)) this.standing[this.locationOf(node)] &= ~(1 << thread)
  }

  /** Takes the last entry back. */
  undo(): void {
    const step = --this.depth
    if (this.unordered.active) this.unordered.undo(step)
    const thread = this.thread[step]
    const bit = 1 << thread
    const op = this.op[step]
    const what = this.what[step]
    const node = this.node[step]
    this.tip[thread] = this.previous[step]
    if (what !== KILL && this.next[thread] !== node) this.#leave(thread, this.next[thread])
    this.next[thread] = node
    this.running = this.runningBefore[step]
    this.sleeping = this.sleepingBefore[step]
    if (op < 0) return
    const location = op >> 1
    this.memory[location] = this.old[step]
    this.lastWrite[location] = this.writeBefore[step]
    this.lastRead[location] = this.readBefore[step]
    if (what === ENQUEUE) this.holding |= bit
    else if (what !== EXPIRE && this.looks(node)) this.standing[this.locationOf(node)] |= bit
    if (what === TEST) this.holding &= ~bit
    else if (what === KILL) this.killed &= ~bit
    else if (what === SPURIOUS) this.startled &= ~bit
  }

  /** Takes everything back. */
  clear(): void {
    while (this.depth > 0) this.undo()
  }

  /** Makes room for so many more entries; says whether there is more than before. */
  reserve(entries: number): boolean {
    if (this.depth + entries <= this.capacity) return false
    this.capacity = 2 * (this.depth + entries)
    for (const name of perStep) this[name] = grown(this[name], this.capacity)
    this.racing = new Int32Array(this.capacity)
    this.clock = grown(this.clock, this.capacity * this.count)
    this.unordered.reserve(this.capacity)
    return true
  }

  /** Forgets what comes after the histories of a thread. */
  forget(thread: number): void {
    this.threads[thread].root.forget()
    this.next[thread].forget()
    for (let step = 0; step < this.depth; step++) if (this.thread[step] === thread) this.node[step].forget()
  }

  // Ends.

  /** Whether a parked thread has read, in the iteration in which it is, only what nobody has written since. */
  sawNewest(thread: number): boolean {
    const { iteration } = this.next[thread]
    for (let step = this.tip[thread]; step >= 0 && this.node[step].depth >= iteration; step = this.previous[step]) {
      if (this.op[step] >= 0 && this.writeBefore[step] !== this.lastWrite[this.op[step] >> 1]) return false
    }
    return true
  }

  /** The steps; after a failure those that show it. */
  schedule(): number[] {
    const { early, witness } = this.unordered
    const steps: number[] = []
    const first: number[] = []
    for (let step = 0; step < this.depth; step++) {
      if (this.op[step] < 0 || this.what[step] === TEST) continue
      const act = actOf(this.thread[step], this.what[step])
      if (early !== undefined && this.happensBefore(step, early)) first.push(act)
      else steps.push(act)
    }
    return early === undefined ? [...steps, ...witness] : [...first, ...witness, ...steps]
  }
}
