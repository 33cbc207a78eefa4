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
import { Entry } from './entry.ts'
import { grown } from './grown.ts'
import { AWAKE, actOf, ENQUEUE, EXPIRE, KILL, NORMAL, SPURIOUS, TEST } from './step-kinds.ts'
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
const initialEntries = 64

/** What threads share: a word, the list of those who sleep on it, or the life of a thread. */
class Location {
  lastWrite: Entry
  /** The last read since the last write. */
  lastRead: Entry
  /** The threads that stand before an operation that may find here what makes them park. */
  standing = 0

  constructor(nothing: Entry) {
    this.lastWrite = nothing
    this.lastRead = nothing
  }
}

export class Sequence {
  readonly threads: readonly Thread[]
  readonly waiters: Waiters = new Waiters()
  readonly count: number
  readonly words: number
  /** What the locations hold: the words, their lists, and the lives of the threads. */
  readonly memory: Int32Array
  readonly locations: readonly Location[]
  readonly unordered: Unordered
  /** The entry that there is not. */
  readonly nothing: Entry
  /** The entries, and behind them those that are not in use. */
  readonly entries: Entry[] = []
  depth = 0
  /** For each entry and thread, how many entries of that thread happened before it, itself included. */
  clock: Int32Array

  // For each thread.
  /** What it does next, or what it does when it sleeps. */
  readonly next: History[]
  /** Its last entry. */
  readonly tip: Entry[]
  /** Those that may have something to do: neither at their end, parked, nor asleep for ever. */
  running = 0
  sleeping = 0
  /** Those that have read the word on which they are about to fall asleep. */
  holding = 0
  /** Those of which a `wait` came back for no reason. */
  startled = 0
  killed = 0

  /** The earlier steps that the last step touched the location of, unless they had happened before anyway. The last one first. */
  readonly racing: Entry[] = []
  races = 0
  /** Whether the test of a sleeper is among them: what comes after that comes after the falling asleep, too. */
  tested = false

  constructor(threads: readonly Thread[], initial: Int32Array) {
    const count = threads.length
    const words = initial.length
    this.threads = threads
    this.count = count
    this.words = words
    const size = 2 * words + count
    const memory = new Int32Array(size)
    memory.set(initial)
    memory.fill(1, 2 * words)
    this.memory = memory
    for (const thread of threads) thread.predict = (word) => memory[word]
    const nothing = new Entry(none, count)
    this.nothing = nothing
    this.locations = Array.from({ length: size }, () => new Location(nothing))
    this.next = []
    this.tip = threads.map(() => nothing)
    this.clock = new Int32Array(count)
    this.unordered = new Unordered(this)
    this.reserve(initialEntries)
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

  happensBefore(step: Entry, other: Entry): boolean {
    return this.clock[other.at + step.thread] >= step.position
  }

  /** The step by which a `wait` fell asleep that had read, and any other step itself. */
  endOf(step: Entry): Entry {
    return step.what === TEST ? step.partner : step
  }

  join(clocks: Int32Array, { at }: Entry, { at: from }: Entry): void {
    const { count } = this
    for (let t = 0; t < count; t++) {
      const known = clocks[from + t]
      if (known > clocks[at + t]) clocks[at + t] = known
    }
  }

  /** Whether a step reads what was written SeqCst, and so comes after it by happens-before. */
  synchronizes({ what, op, node }: Entry): boolean {
    const location = op >> 1
    if (what !== NORMAL && what !== SPURIOUS && what !== TEST) return false
    return node.kind !== STORE && (location < this.words || location >= 2 * this.words)
  }

  // Steps.

  /** Lets a thread take a step. There must be room for an entry for each thread. */
  step(thread: number, fault: number): Entry {
    const { memory } = this
    const node = this.next[thread]
    const { kind, word } = node
    const bit = 1 << thread
    const entry = this.#enter(thread, node)
    const { previous } = entry
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
          this.locations[word].standing &= ~bit
          writes = 0
          break
        case STORE:
          memory[word] = node.a
          answer = 0
          break
        case COMPARE_EXCHANGE:
          this.locations[word].standing &= ~bit
          if (old === node.a) memory[word] = node.b
          else writes = 0
          break
        case WAIT:
          this.locations[word].standing &= ~bit
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
          this.locations[location].standing &= ~bit
          old = memory[location]
          answer = this.waiters.woken(old, node.a)
          if (answer > 0) memory[location] = this.waiters.wake(old, node.a)
          else writes = 0
          break
        case ALIVE:
          location += 2 * this.words
          this.locations[location].standing &= ~bit
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
      this.locations[word].standing &= ~bit
      old = memory[word]
      writes = 0
      answer = OK
      this.startled |= bit
    } else if ((this.holding & bit) !== 0) {
      what = ENQUEUE
      location += this.words
      old = memory[location]
      memory[location] = this.waiters.enqueue(old, thread)
      previous.partner = entry
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
    entry.what = what
    entry.op = 2 * location + writes
    entry.old = old
    this.#order(entry, this.locations[location], writes)
    if (this.unordered.active) this.unordered.noteStep(entry, location, writes)

    if (done === undefined) {
      const next = node.child(answer) ?? this.threads[thread].after(node, answer)
      this.next[thread] = next
      if (next.kind > LOAD && next.kind < COMPARE_EXCHANGE) this.running |= bit
      else this.#arrive(thread, next)
    } else this.next[thread] = done
    if (kind === NOTIFY && writes === 1 && what === NORMAL) this.#wake(entry, old, answer)
    return entry
  }

  /** Puts something into the sequence that is no step. */
  mark(thread: number, what: number): Entry {
    const entry = this.#enter(thread, this.next[thread])
    entry.what = what
    entry.op = none
    return entry
  }

  /** An entry behind the last one of its thread. */
  #enter(thread: number, node: History): Entry {
    const { count, clock } = this
    const entry = this.entries[this.depth++]
    const previous = this.tip[thread]
    this.tip[thread] = entry
    entry.thread = thread
    entry.node = node
    entry.previous = previous
    entry.runningBefore = this.running
    entry.sleepingBefore = this.sleeping
    const { at } = entry
    for (let t = 0, from = previous.at; t < count; t++) clock[at + t] = clock[from + t]
    entry.position = ++clock[at + thread]
    if (this.unordered.active) this.unordered.open(entry)
    return entry
  }

  /** Finds what happened before a step, and which of that has only now. */
  #order(entry: Entry, location: Location, writes: number): void {
    const { clock, racing } = this
    const { at } = entry
    const { lastWrite, lastRead } = location
    entry.writeBefore = lastWrite
    entry.readBefore = lastRead
    let races = 0
    let tested = false
    if (writes === 1) {
      for (let read = lastRead; read.place >= 0; read = read.readBefore) {
        if (clock[at + read.thread] >= read.position) continue
        racing[races++] = read
        if (read.what === TEST) tested = true
      }
      location.lastWrite = entry
      location.lastRead = this.nothing
    } else location.lastRead = entry
    if (clock[at + lastWrite.thread] < lastWrite.position) racing[races++] = lastWrite
    this.tested = tested
    if (tested) for (let i = 0; i < races; i++) this.join(clock, entry, this.endOf(racing[i]))
    else {
      let kept = 0
      for (let i = 0; i < races; i++) {
        const step = racing[i]
        if (clock[at + step.thread] >= step.position) continue
        racing[kept++] = step
        this.join(clock, entry, step)
      }
      races = kept
    }
    this.races = races
  }

  /** Lets those go on who were woken. */
  #wake(notify: Entry, queue: number, count: number): void {
    const sleepers = this.waiters.sleepers(queue)
    for (let i = 0; i < count; i++) {
      const thread = sleepers[i]
      const node = this.next[thread]
      const entry = this.mark(thread, AWAKE)
      this.join(this.clock, entry, notify)
      if (this.unordered.active) this.unordered.join(entry, notify)
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
          this.locations[this.locationOf(at)].standing |= bit
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
    if (this.looks(node)) this.locations[this.locationOf(node)].standing &= ~(1 << thread)
  }

  /** Takes the last entry back. */
  undo(): Entry {
    const entry = this.entries[--this.depth]
    if (this.unordered.active) this.unordered.undo(entry)
    const { thread, op, what, node } = entry
    const bit = 1 << thread
    this.tip[thread] = entry.previous
    const next = this.next[thread]
    if (what !== KILL && next !== node) this.#leave(thread, next)
    this.next[thread] = node
    this.running = entry.runningBefore
    this.sleeping = entry.sleepingBefore
    if (op < 0) return entry
    const location = this.locations[op >> 1]
    this.memory[op >> 1] = entry.old
    location.lastWrite = entry.writeBefore
    location.lastRead = entry.readBefore
    if (what === ENQUEUE) this.holding |= bit
    else if (what !== EXPIRE && this.looks(node)) this.locations[this.locationOf(node)].standing |= bit
    if (what === TEST) this.holding &= ~bit
    else if (what === KILL) this.killed &= ~bit
    else if (what === SPURIOUS) this.startled &= ~bit
    return entry
  }

  /** Takes everything back. */
  clear(): void {
    while (this.depth > 0) this.undo()
  }

  /** Makes room for so many more entries. */
  reserve(entries: number): void {
    if (this.depth + entries > this.entries.length) this.#grow(2 * (this.depth + entries))
  }

  #grow(capacity: number): void {
    const { entries, count } = this
    while (entries.length < capacity) entries.push(new Entry(entries.length, count, this.nothing))
    this.clock = grown(this.clock, (capacity + 1) * count)
    this.unordered.reserve(this.clock.length)
  }

  /** Forgets what comes after the histories of a thread. */
  forget(thread: number): void {
    this.threads[thread].root.forget()
    this.next[thread].forget()
    for (let step = this.tip[thread]; step.place >= 0; step = step.previous) step.node.forget()
  }

  // Ends.

  /** Whether a parked thread has read, in the iteration in which it is, only what nobody has written since. */
  sawNewest(thread: number): boolean {
    const { iteration } = this.next[thread]
    for (let step = this.tip[thread]; step.place >= 0 && step.node.depth >= iteration; step = step.previous) {
      if (step.op >= 0 && step.writeBefore !== this.locations[step.op >> 1].lastWrite) return false
    }
    return true
  }

  /** The steps; after a failure those that show it. */
  schedule(): number[] {
    const { early, witness } = this.unordered
    const steps: number[] = []
    const first: number[] = []
    for (const step of this.entries.slice(0, this.depth)) {
      if (step.op < 0 || step.what === TEST) continue
      const act = actOf(step.thread, step.what)
      if (early !== undefined && this.happensBefore(step, early)) first.push(act)
      else steps.push(act)
    }
    return early === undefined ? [...steps, ...witness] : [...first, ...witness, ...steps]
  }
}
