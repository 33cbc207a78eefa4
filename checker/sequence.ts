import type { Answer, History, Thread } from '../model/history.ts'
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
/** The operations to which it makes a difference what they find. */
const looking = (1 << LOAD) | (1 << COMPARE_EXCHANGE) | (1 << WAIT) | (1 << NOTIFY) | (1 << ALIVE)

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
  /** Those that do nothing more: they have returned, or were killed. */
  finished = 0

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
    if (!this.looks(node) || (this.sleeping >> thread) & 1) return true
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
    return ((looking >> node.kind) & 1) !== 0
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
  step(thread: number, fault: number): void {
    const node = this.next[thread]
    const { kind, word, a } = node
    const entry = this.#enter(thread, node)
    // Who sleeps is in a `wait`.
    if (fault !== NORMAL || kind >= WAIT) {
      this.#stepOfFewKinds(entry, fault)
      return
    }
    const { memory } = this
    const location = this.locations[word]
    const old = memory[word]
    let writes = 1
    let answer = old
    if (kind === LOAD) writes = 0
    else if (kind === STORE) {
      memory[word] = a
      answer = 0
    } else if (kind !== COMPARE_EXCHANGE) memory[word] = updated(kind, old, a, 0)
    else if (old === a) memory[word] = node.b
    else writes = 0
    location.standing &= ~(1 << thread)
    entry.what = NORMAL
    entry.op = 2 * word + writes
    entry.old = old
    this.#order(entry, location, writes)
    if (this.unordered.active) this.unordered.noteStep(entry, word, writes)
    this.#go(thread, node, answer)
  }

  /** The steps that touch lists or lives, and those of which many programs have none. */
  #stepOfFewKinds(entry: Entry, fault: number): void {
    const { memory, words } = this
    const { thread, node } = entry
    const { kind, word, a, b } = node
    const bit = 1 << thread
    let what = fault
    let place = word
    let old = memory[word]
    let writes = 1
    let answer = 0
    let after: History | undefined
    let woken = 0
    if (what === KILL) {
      place = 2 * words + thread
      old = memory[place]
      memory[place] = dead
      this.#leave(thread, node)
      this.killed |= bit
      this.finished |= bit
      this.running &= ~bit
      after = node.killed
    } else if (what === SPURIOUS) {
      writes = 0
      answer = OK
      this.startled |= bit
    } else if ((this.holding & bit) !== 0) {
      what = ENQUEUE
      place += words
      old = memory[place]
      memory[place] = this.waiters.enqueue(old, thread)
      entry.previous.partner = entry
      this.holding &= ~bit
      this.sleeping |= bit
      if (b === Number.POSITIVE_INFINITY) this.running &= ~bit
      after = node
    } else if ((this.sleeping & bit) !== 0) {
      what = EXPIRE
      place += words
      old = memory[place]
      memory[place] = this.waiters.remove(old, thread)
      this.sleeping &= ~bit
      answer = TIMED_OUT
    } else if (kind === WAIT) {
      writes = 0
      answer = NOT_EQUAL
      if (old === a) {
        what = TEST
        this.holding |= bit
        after = node
      }
    } else if (kind === NOTIFY) {
      place += words
      old = memory[place]
      woken = answer = this.waiters.woken(old, a)
      if (woken > 0) memory[place] = this.waiters.wake(old, a)
      else writes = 0
    } else {
      // Whether somebody is alive.
      place += 2 * words
      old = answer = memory[place]
      writes = 0
    }
    const location = this.locations[place]
    location.standing &= ~bit
    entry.what = what
    entry.op = 2 * place + writes
    entry.old = old
    this.#order(entry, location, writes)
    if (this.unordered.active) this.unordered.noteStep(entry, place, writes)
    if (after === undefined) this.#go(thread, node, answer)
    else this.next[thread] = after
    if (woken > 0) this.#wake(entry, old, woken)
  }

  /** Puts something into the sequence that is no step. */
  mark(thread: number, what: number): Entry {
    const entry = this.#enter(thread, this.next[thread])
    entry.what = what
    entry.op = none
    this.#copy(entry, entry.previous)
    this.clock[entry.at + thread] = entry.position
    return entry
  }

  /** An entry behind the last one of its thread. */
  #enter(thread: number, node: History): Entry {
    const entry = this.entries[this.depth++]
    const previous = this.tip[thread]
    this.tip[thread] = entry
    entry.thread = thread
    entry.node = node
    entry.previous = previous
    entry.position = previous.position + 1
    entry.runningBefore = this.running
    entry.sleepingBefore = this.sleeping
    if (this.unordered.active) this.unordered.open(entry)
    return entry
  }

  /** Finds what happened before a step, and which of that has only now. */
  #order(entry: Entry, location: Location, writes: number): void {
    const { clock, racing } = this
    const { at, previous } = entry
    const known = previous.at
    const { lastWrite, lastRead } = location
    entry.writeBefore = lastWrite
    entry.readBefore = lastRead
    let races = 0
    let tested = false
    if (writes === 1) {
      for (let read = lastRead; read.place >= 0; read = read.readBefore) {
        if (clock[known + read.thread] >= read.position) continue
        racing[races++] = read
        if (read.what === TEST) tested = true
      }
      location.lastWrite = entry
      location.lastRead = this.nothing
    } else location.lastRead = entry
    if (clock[known + lastWrite.thread] < lastWrite.position) racing[races++] = lastWrite
    this.tested = tested
    if (races === 0) this.#copy(entry, previous)
    else if (tested) {
      this.#copy(entry, previous)
      for (let i = 0; i < races; i++) this.join(clock, entry, this.endOf(racing[i]))
    } else {
      const first = racing[0]
      if (this.happensBefore(previous, first)) this.#copy(entry, first)
      else this.#copyBoth(entry, previous, first)
      let kept = 1
      for (let i = 1; i < races; i++) {
        const step = racing[i]
        if (clock[at + step.thread] >= step.position) continue
        racing[kept++] = step
        // All that a read knows it knows from what came before it in its thread, and from the write that it read.
        const { thread, position, op, previous, writeBefore } = step
        const knows = clock[at + previous.thread] >= previous.position && clock[at + writeBefore.thread] >= writeBefore.position
        if (op % 2 === 0 && knows) clock[at + thread] = position
        else this.join(clock, entry, step)
      }
      races = kept
    }
    clock[at + entry.thread] = entry.position
    this.races = races
  }

  /** An entry knows what another one knew. */
  #copy({ at }: Entry, { at: from }: Entry): void {
    const { clock, count } = this
    for (let t = 0; t < count; t++) clock[at + t] = clock[from + t]
  }

  /** An entry knows what two others knew. */
  #copyBoth({ at }: Entry, { at: one }: Entry, { at: other }: Entry): void {
    const { clock, count } = this
    for (let t = 0; t < count; t++) {
      const a = clock[one + t]
      const b = clock[other + t]
      clock[at + t] = a > b ? a : b
    }
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
      this.#go(thread, node, OK)
    }
  }

  /** Lets a thread go on with an answer. */
  #go(thread: number, node: History, answer: Answer): void {
    const next = node.child(answer) ?? this.threads[thread].after(node, answer)
    const { kind } = next
    if (kind > LOAD && kind < COMPARE_EXCHANGE) {
      this.next[thread] = next
      this.running |= 1 << thread
    } else if (this.looks(next)) this.#stand(thread, next)
    else if (kind === DONE) this.#end(thread, next, false)
    else this.#arrive(thread, next)
  }

  /** A thread has come to an operation to which it makes a difference what it finds. */
  #stand(thread: number, node: History): void {
    const bit = 1 << thread
    this.next[thread] = node
    this.running |= bit
    this.locations[this.locationOf(node)].standing |= bit
    if (this.unordered.active && node.kind <= WAIT) this.unordered.noteStanding(thread, node)
  }

  /** A thread has returned. It may still be killed if it wrote Unordered. */
  #end(thread: number, node: History, wrote: boolean): void {
    const bit = 1 << thread
    this.next[thread] = node
    this.finished |= bit
    if (wrote && this.threads[thread].faults.kills > 0) this.running |= bit
    else this.running &= ~bit
  }

  /** Does what comes before the next SeqCst operation. */
  #arrive(thread: number, from: History): void {
    let at = from
    let wrote = false
    for (;;) {
      let answer: Answer = 0
      switch (at.kind) {
        case READ:
        case READ_BYTES:
        case WRITE:
        case WRITE_BYTES:
        case GUESS_BYTES:
        case SETTLE:
          answer = this.unordered.operate(thread, at)
          if (at.kind === WRITE || at.kind === WRITE_BYTES) wrote = true
          break
        case PAUSE:
          if (!at.parks) break
          this.next[thread] = at
          this.running &= ~(1 << thread)
          return
        case FLUSH:
          break
        case THROWN:
          this.next[thread] = at
          throw new Broken('thrown', at.result)
        case DONE:
          this.#end(thread, at, wrote)
          return
        default:
          if (this.looks(at)) this.#stand(thread, at)
          else {
            this.next[thread] = at
            this.running |= 1 << thread
          }
          return
      }
      at = at.child(answer) ?? this.threads[thread].after(at, answer)
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
    if (!node.finished) this.finished &= ~bit
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
