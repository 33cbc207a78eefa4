import type { History } from './history.ts'
import { KILLED } from './operation.ts'

/**
 * An execution graph under sequential consistency, as flat data that is changed in place and changed back.
 *
 * Events are numbered in the order they were added (their *stamps*), behind one initial write for each location. Each
 * thread has its events in program order (`po`); each read the write it reads from (`rf`), and each write its readers;
 * each location its writes in coherence order (`co`), as a linked list that starts with the initial write. A location is
 * a word, or the list of those who sleep on a word, whose values are the queues of `waiters.ts`, or the life of a
 * participant: 1, and 0 once it has been killed. A kill is a write of that.
 *
 * A read-modify-write is two events next to each other in its thread: an exclusive read, and a write that stands in `co`
 * right behind what that read. A `wait` that falls asleep is three: the test of the word, and the read-modify-write of the
 * list; consistency treats them as one.
 *
 * Vocabulary and method: Kokologiannakis, Marmanis, Gladstein, Vafeiadis, "Truly Stateless, Optimal Dynamic Partial Order
 * Reduction", POPL 2022 (TruSt).
 */

// What an event is.
export const INITIAL = 0
export const SHARED_READ = 1
export const SHARED_WRITE = 2
export const UPDATE_READ = 3
export const UPDATE_WRITE = 4
/** The read of the word by a `wait` that falls asleep. */
export const WAIT_TEST = 5
export const ENQUEUE_READ = 6
export const ENQUEUE_WRITE = 7
/** A sleeper whose time is over takes itself off the list. */
export const EXPIRE_READ = 8
export const EXPIRE_WRITE = 9
/** A sleeper goes on because a notify took it off the list: `rf` is that notify. */
export const WAKE = 10
export const PLAIN_READ = 11
export const PLAIN_WRITE = 12

/** Whether an event is the write half of a read-modify-write. */
export function isUpdate(kind: number): boolean {
  return kind === UPDATE_WRITE || kind === ENQUEUE_WRITE || kind === EXPIRE_WRITE
}

/** Whether an event is a SeqCst read that another write could be given to. */
export function isSharedRead(kind: number): boolean {
  return kind === SHARED_READ || kind === UPDATE_READ || kind === WAIT_TEST || kind === ENQUEUE_READ || kind === EXPIRE_READ
}

/** Whether an event is Unordered. */
export function isPlain(kind: number): boolean {
  return kind === PLAIN_READ || kind === PLAIN_WRITE
}

/** Whether an event is a read whose write half follows. */
export function isExclusive(kind: number): boolean {
  return kind === UPDATE_READ || kind === ENQUEUE_READ || kind === EXPIRE_READ
}

/** Thrown when a program touches more locations than there is room for; the search starts again with more room. */
export class LocationsExhausted extends Error {}

const none = -1
const wholeWord = 15

export class Graph {
  readonly threads: number
  /** Events of each thread. */
  readonly length: Int32Array
  /** For each thread its events in program order; entries from `length` on are stale. */
  readonly order: Int32Array[]
  /** The number of the next event. */
  next: number

  kind: Int32Array
  thread: Int32Array
  /** Position in the thread. */
  index: Int32Array
  location: Int32Array
  /** For writes the value written; for plain writes of part of a word see `mask`. */
  value: Int32Array
  /** Which bytes of the word: bit 0 is the byte of least significance. */
  mask: Int32Array
  rf: Int32Array
  coPrevious: Int32Array
  coNext: Int32Array
  firstReader: Int32Array
  nextReader: Int32Array
  previousReader: Int32Array
  /** Taken out of the graph by a revisit that will be undone. */
  removed: Uint8Array
  /** The operation of each event. */
  readonly node: History[] = []
  /** What the thread does next once the event is done; undefined between the halves of a read-modify-write. */
  readonly after: (History | undefined)[] = []
  /** For each event and thread, how many events of that thread come before it in `po` and `rf`, itself included. */
  causal: Int32Array
  /** The same for happens-before. */
  before: Int32Array

  /** How many locations there are. */
  locations = 0
  readonly #room: number
  readonly lastWrite: Int32Array
  /** Locations that somebody accesses Unordered. */
  readonly plain: Uint8Array
  /** The word of a location; the participant of a life. */
  readonly wordOf: Int32Array
  /** Whether the location is the list of those who sleep on its word. */
  readonly isList: Uint8Array
  readonly #ofWord = new Map<number, number>()
  readonly #ofList = new Map<number, number>()
  readonly #ofLife = new Map<number, number>()
  readonly #initial: Int32Array
  #capacity: number

  /** Result of `close`: how many events of each thread are inside. */
  readonly inside: Int32Array
  readonly #closed: Int32Array

  /**
   * @param initial the contents of the memory before the threads
   * @param room how many locations there may be
   */
  constructor(threads: number, initial: Int32Array, room: number) {
    this.threads = threads
    this.#initial = initial
    this.#room = room
    this.next = room
    this.#capacity = room + 256
    this.length = new Int32Array(threads)
    this.order = Array.from({ length: threads }, () => new Int32Array(64))
    this.kind = new Int32Array(this.#capacity)
    this.thread = new Int32Array(this.#capacity)
    this.index = new Int32Array(this.#capacity)
    this.location = new Int32Array(this.#capacity)
    this.value = new Int32Array(this.#capacity)
    this.mask = new Int32Array(this.#capacity)
    this.rf = new Int32Array(this.#capacity)
    this.coPrevious = new Int32Array(this.#capacity)
    this.coNext = new Int32Array(this.#capacity)
    this.firstReader = new Int32Array(this.#capacity)
    this.nextReader = new Int32Array(this.#capacity)
    this.previousReader = new Int32Array(this.#capacity)
    this.removed = new Uint8Array(this.#capacity)
    this.causal = new Int32Array(this.#capacity * threads)
    this.before = new Int32Array(this.#capacity * threads)
    this.lastWrite = new Int32Array(room)
    this.plain = new Uint8Array(room)
    this.wordOf = new Int32Array(room)
    this.isList = new Uint8Array(room)
    this.inside = new Int32Array(threads)
    this.#closed = new Int32Array(threads)
  }

  /** The number of the first event that is not an initial write. */
  get first(): number {
    return this.#room
  }

  /** The location of a word. */
  locationOf(word: number): number {
    return this.#ofWord.get(word) ?? this.#newLocation(this.#ofWord, word, this.#initial[word], 0)
  }

  /** The location of the list of those who sleep on a word. */
  listOf(word: number): number {
    return this.#ofList.get(word) ?? this.#newLocation(this.#ofList, word, 0, 1)
  }

  /** The location of the life of a participant. */
  lifeOf(participant: number): number {
    return this.#ofLife.get(participant) ?? this.#newLocation(this.#ofLife, participant, 1, 0)
  }

  /** What a location is. */
  natureOf(location: number): 'word' | 'list' | 'life' {
    if (this.isList[location] === 1) return 'list'
    return this.#ofLife.get(this.wordOf[location]) === location ? 'life' : 'word'
  }

  /** The location of a word if somebody has touched it. */
  knownLocation(word: number): number | undefined {
    return this.#ofWord.get(word)
  }

  #newLocation(names: Map<number, number>, word: number, value: number, isList: number): number {
    const location = this.locations
    if (location === this.#room) throw new LocationsExhausted()
    this.locations++
    names.set(word, location)
    this.wordOf[location] = word
    this.isList[location] = isList
    // The initial write of a location has the location's number.
    this.kind[location] = INITIAL
    this.thread[location] = none
    this.index[location] = none
    this.location[location] = location
    this.value[location] = value
    this.mask[location] = wholeWord
    this.coPrevious[location] = none
    this.coNext[location] = none
    this.firstReader[location] = none
    this.lastWrite[location] = location
    return location
  }

  /** Makes room for `count` more events. */
  reserve(count: number): void {
    if (this.next + count <= this.#capacity) return
    const capacity = 2 * (this.next + count)
    const grown = (old: Int32Array, size: number): Int32Array => {
      const array = new Int32Array(size)
      array.set(old)
      return array
    }
    this.kind = grown(this.kind, capacity)
    this.thread = grown(this.thread, capacity)
    this.index = grown(this.index, capacity)
    this.location = grown(this.location, capacity)
    this.value = grown(this.value, capacity)
    this.mask = grown(this.mask, capacity)
    this.rf = grown(this.rf, capacity)
    this.coPrevious = grown(this.coPrevious, capacity)
    this.coNext = grown(this.coNext, capacity)
    this.firstReader = grown(this.firstReader, capacity)
    this.nextReader = grown(this.nextReader, capacity)
    this.previousReader = grown(this.previousReader, capacity)
    const removed = new Uint8Array(capacity)
    removed.set(this.removed)
    this.removed = removed
    this.causal = grown(this.causal, capacity * this.threads)
    this.before = grown(this.before, capacity * this.threads)
    this.#capacity = capacity
  }

  /** Adds an event behind the last one of its thread. Its clocks are those of its predecessor, and itself. */
  add(thread: number, kind: number, location: number, node: History, after: History | undefined): number {
    const event = this.next++
    const index = this.length[thread]
    this.kind[event] = kind
    this.thread[event] = thread
    this.index[event] = index
    this.location[event] = location
    this.mask[event] = wholeWord
    this.rf[event] = none
    this.firstReader[event] = none
    this.removed[event] = 0
    this.node[event] = node
    this.after[event] = after
    let order = this.order[thread]
    if (index === order.length) {
      const longer = new Int32Array(2 * index)
      longer.set(order)
      this.order[thread] = longer
      order = longer
    }
    order[index] = event
    this.length[thread] = index + 1
    this.#inheritClocks(event, thread, index)
    return event
  }

  /** Gives an event the clocks of its predecessor, and itself, again. */
  renewClocks(event: number): void {
    this.#inheritClocks(event, this.thread[event], this.index[event])
  }

  #inheritClocks(event: number, thread: number, index: number): void {
    const threads = this.threads
    const to = event * threads
    const causal = this.causal
    const before = this.before
    if (index === 0) {
      for (let t = 0; t < threads; t++) causal[to + t] = before[to + t] = 0
    } else {
      const from = this.order[thread][index - 1] * threads
      for (let t = 0; t < threads; t++) {
        causal[to + t] = causal[from + t]
        before[to + t] = before[from + t]
      }
    }
    causal[to + thread] = before[to + thread] = index + 1
  }

  /** The event before the next one of a thread, or -1. */
  tip(thread: number): number {
    const length = this.length[thread]
    return length === 0 ? none : this.order[thread][length - 1]
  }

  /** Whether `event` is among the causal predecessors (`po` and `rf`) of what `thread` does next. */
  knownTo(event: number, thread: number): boolean {
    const owner = this.thread[event]
    if (owner < 0 || owner === thread) return true
    const tip = this.tip(thread)
    return tip >= 0 && this.index[event] < this.causal[tip * this.threads + owner]
  }

  /** Gives a read the write it reads from, in place of the one it had. Its clocks follow. */
  readFrom(read: number, write: number): void {
    if (this.rf[read] >= 0) this.#unlinkReader(read)
    this.rf[read] = write
    this.#linkReader(read, write)
    this.#inheritClocks(read, this.thread[read], this.index[read])
    if (this.thread[write] < 0) return
    this.#join(this.causal, read, write)
    // A plain write or a list does not synchronize; a plain write read here happens before anyway.
    if (this.isList[this.location[read]] === 0 && this.kind[write] !== PLAIN_WRITE) this.#join(this.before, read, write)
  }

  /** Makes a sleeper's event the consequence of the notify that woke it. */
  wokenBy(event: number, notify: number): void {
    if (this.rf[event] >= 0) this.#unlinkReader(event)
    this.rf[event] = notify
    this.#linkReader(event, notify)
    this.#inheritClocks(event, this.thread[event], this.index[event])
    this.#join(this.causal, event, notify)
    this.#join(this.before, event, notify)
  }

  /** A plain read notes what it read for races and traces; it gets no clock from it. */
  notePlainRead(read: number, write: number): void {
    this.rf[read] = write
    this.#linkReader(read, write)
  }

  #join(clocks: Int32Array, event: number, other: number): void {
    const to = event * this.threads
    const from = other * this.threads
    for (let t = 0; t < this.threads; t++) if (clocks[from + t] > clocks[to + t]) clocks[to + t] = clocks[from + t]
  }

  #linkReader(read: number, write: number): void {
    const first = this.firstReader[write]
    this.nextReader[read] = first
    this.previousReader[read] = none
    if (first >= 0) this.previousReader[first] = read
    this.firstReader[write] = read
  }

  #unlinkReader(read: number): void {
    const next = this.nextReader[read]
    const previous = this.previousReader[read]
    if (previous >= 0) this.nextReader[previous] = next
    else this.firstReader[this.rf[read]] = next
    if (next >= 0) this.previousReader[next] = previous
  }

  /** Puts a write into `co`, right behind another one of its location. */
  place(write: number, behind: number): void {
    const next = this.coNext[behind]
    this.coPrevious[write] = behind
    this.coNext[write] = next
    this.coNext[behind] = write
    if (next >= 0) this.coPrevious[next] = write
    else this.lastWrite[this.location[write]] = write
  }

  /** Takes a write out of `co`. It remembers where it stood. */
  displace(write: number): void {
    const previous = this.coPrevious[write]
    const next = this.coNext[write]
    this.coNext[previous] = next
    if (next >= 0) this.coPrevious[next] = previous
    else this.lastWrite[this.location[write]] = previous
  }

  /** Takes an event out of all lists but that of its thread. */
  detach(event: number): void {
    const kind = this.kind[event]
    if (kind === SHARED_WRITE || kind === PLAIN_WRITE || isUpdate(kind)) this.displace(event)
    else this.#unlinkReader(event)
  }

  /** Puts an event back that `detach` took out. In reverse order of detaching. */
  attach(event: number): void {
    const kind = this.kind[event]
    if (kind === SHARED_WRITE || kind === PLAIN_WRITE || isUpdate(kind)) this.place(event, this.coPrevious[event])
    else this.#linkReader(event, this.rf[event])
  }

  /** Takes back every event added after `event`. */
  cut(event: number): void {
    for (let last = this.next - 1; last > event; last--) {
      this.detach(last)
      this.length[this.thread[last]]--
    }
    this.next = event + 1
  }

  /** The value of a word after a write of it. */
  valueAfter(write: number): number {
    if (this.mask[write] === wholeWord) return this.value[write]
    let value = 0
    let missing = wholeWord
    for (let at = write; missing !== 0; at = this.coPrevious[at]) {
      const found = missing & this.mask[at]
      value |= this.value[at] & expand(found)
      missing &= ~found
    }
    return value
  }

  /** The read half of the read-modify-write whose write half is `write`. */
  readHalf(write: number): number {
    return this.order[this.thread[write]][this.index[write] - 1]
  }

  /** Whether a read-modify-write has taken `write` as the value it changed. */
  isTaken(write: number): boolean {
    const next = this.coNext[write]
    return next >= 0 && isUpdate(this.kind[next])
  }

  // Consistency. `close` computes what must come before, in every interleaving of this graph.

  /** Starts a closure: nothing is inside. */
  open(): void {
    for (let thread = 0; thread < this.threads; thread++) this.inside[thread] = this.#closed[thread] = 0
  }

  /** Takes in an event and what its thread did before. */
  include(event: number): void {
    const thread = this.thread[event]
    if (thread < 0) return
    let count = this.index[event] + 1
    if (count <= this.inside[thread]) return
    // A wait that falls asleep tests the word and joins the list in one step.
    if (this.kind[event] === WAIT_TEST) count = Math.min(count + 2, this.length[thread])
    this.inside[thread] = count
  }

  /** Takes in the first `count` events of a thread. */
  includeFirst(thread: number, count: number): void {
    if (count > this.inside[thread]) this.inside[thread] = count
  }

  /** Takes in, for everything inside, what comes before it in `po`, `rf`, `co` and `fr`. */
  close(): void {
    const { inside, kind, rf, coPrevious, firstReader, nextReader } = this
    const closed = this.#closed
    const threads = this.threads
    for (let thread = 0; thread < threads; ) {
      let at = closed[thread]
      if (at >= inside[thread]) {
        thread++
        continue
      }
      const order = this.order[thread]
      for (; at < inside[thread]; at++) {
        const event = order[at]
        switch (kind[event]) {
          case SHARED_WRITE:
            this.include(coPrevious[event])
            this.#includeReaders(firstReader[coPrevious[event]])
            break
          case UPDATE_WRITE:
          case ENQUEUE_WRITE:
          case EXPIRE_WRITE: {
            // The read half has taken in the write before; it is itself among the readers, often the only one.
            const first = firstReader[coPrevious[event]]
            if (nextReader[first] >= 0) this.#includeReaders(first)
            break
          }
          case PLAIN_READ:
          case PLAIN_WRITE:
            break // Free of races, so ordered by the other events already.
          default:
            this.include(rf[event])
        }
      }
      closed[thread] = at
      thread = 0
    }
  }

  /** Takes in who read what a write inside replaced: they came before it. */
  #includeReaders(first: number): void {
    for (let read = first; read >= 0; read = this.nextReader[read]) {
      // A sleeper that was woken has not looked at the list again.
      if (this.kind[read] !== WAKE) this.include(read)
    }
  }

  isInside(event: number): boolean {
    const thread = this.thread[event]
    return thread < 0 || this.index[event] < this.inside[thread]
  }

  /** The last write of a location that is inside the closure. A read or write that comes after the closure stands behind it. */
  lastInside(location: number): number {
    let write = this.lastWrite[location]
    while (!this.isInside(write)) write = this.coPrevious[write]
    return write
  }

  /** Whether a write that stands behind `write` in `co` is inside the closure. */
  isOverwrittenInside(write: number): boolean {
    for (let later = this.coNext[write]; later >= 0; later = this.coNext[later]) if (this.isInside(later)) return true
    return false
  }

  // Data races.

  /**
   * Whether some access conflicts with `event` and is unordered with it by happens-before. Judged by conflict, not by
   * reads-from: a race that no read witnesses is one (memory-model notes, section 4).
   */
  races(event: number): boolean {
    const location = this.location[event]
    if (this.plain[location] === 0) return false
    const kind = this.kind[event]
    const writes = kind === SHARED_WRITE || kind === PLAIN_WRITE || isUpdate(kind)
    const plain = isPlain(kind)
    const clock = event * this.threads
    const thread = this.thread[event]
    const mask = this.mask[event]
    for (let write = this.lastWrite[location]; write >= 0; write = this.coPrevious[write]) {
      if (this.#unordered(write, thread, clock, mask) && (plain || this.kind[write] === PLAIN_WRITE)) return true
      if (!writes) continue
      for (let read = this.firstReader[write]; read >= 0; read = this.nextReader[read]) {
        if (this.#unordered(read, thread, clock, mask) && (plain || this.kind[read] === PLAIN_READ)) return true
      }
    }
    return false
  }

  // Kills.

  /** Whether a thread has been killed. */
  isKilled(thread: number): boolean {
    const tip = this.tip(thread)
    return tip >= 0 && this.node[tip].kind === KILLED
  }

  /** How many threads have been killed. */
  get kills(): number {
    let count = 0
    for (let thread = 0; thread < this.threads; thread++) if (this.isKilled(thread)) count++
    return count
  }

  /** How many events of a thread came before the plain ones at its end, the kill left aside. */
  #untorn(thread: number): number {
    const order = this.order[thread]
    let count = this.length[thread] - 1
    while (count > 0 && isPlain(this.kind[order[count - 1]])) count--
    return count
  }

  /** Whether a plain write is what a thread did since its last step when it was killed: nobody knows what its bytes are. */
  #isTorn(write: number): boolean {
    const thread = this.thread[write]
    return this.kind[write] === PLAIN_WRITE && this.isKilled(thread) && this.index[write] >= this.#untorn(thread)
  }

  /** The first torn write of which a read of these bytes of a word, as `write` left them, sees something; or -1. */
  tornBelow(write: number, mask: number): number {
    let missing = mask
    for (let at = write; missing !== 0; at = this.coPrevious[at]) {
      if ((missing & this.mask[at]) === 0) continue
      if (this.#isTorn(at)) return at
      missing &= ~this.mask[at]
    }
    return none
  }

  /** Whether a thread that has ended wrote Unordered since its last step, so that a kill there would make a difference. */
  endsPlain(thread: number): boolean {
    const order = this.order[thread]
    for (let i = this.length[thread] - 1; i >= 0 && isPlain(this.kind[order[i]]); i--) {
      if (this.kind[order[i]] === PLAIN_WRITE) return true
    }
    return false
  }

  #unordered(other: number, thread: number, clock: number, mask: number): boolean {
    const owner = this.thread[other]
    return owner >= 0 && owner !== thread && (this.mask[other] & mask) !== 0 && this.index[other] >= this.before[clock + owner]
  }
}

/** The bits of the bytes of a mask. */
function expand(mask: number): number {
  return ((mask & 1) * 0xff) | (((mask >> 1) & 1) * 0xff00) | (((mask >> 2) & 1) * 0xff0000) | (((mask >> 3) & 1) * 0xff000000)
}
