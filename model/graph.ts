import type { History } from './history.ts'

/**
 * An execution graph under sequential consistency, as flat data.
 *
 * Events are numbered in the order they were added, behind one initial write for each location. Each
 * thread has its events in program order (`po`); each read the write it reads from (`rf`), and each write its readers;
 * each location its writes in coherence order (`co`), as a linked list that starts with the initial write. A location is
 * a word, or the list of those who sleep on a word, whose values are the queues of `waiters.ts`, or the life of a
 * participant: 1, and 0 once it has been killed. A kill is a write of that.
 *
 * A read-modify-write is two events next to each other in its thread: an exclusive read, and a write that stands in `co`
 * right behind what that read. A `wait` that falls asleep is three: the test of the word, and the read-modify-write of the
 * list; consistency treats them as one.
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

/** Whether an event is Unordered. */
export function isPlain(kind: number): boolean {
  return kind === PLAIN_READ || kind === PLAIN_WRITE
}

/** Whether an event is a read whose write half follows. */
export function isExclusive(kind: number): boolean {
  return kind === UPDATE_READ || kind === ENQUEUE_READ || kind === EXPIRE_READ
}

/** Thrown when more locations are touched than there is room for. */
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
  /** The operation of each event. */
  readonly node: History[] = []
  /** What the thread does next once the event is done; undefined between the halves of a read-modify-write. */
  readonly after: (History | undefined)[] = []
  /** How many locations there are. */
  locations = 0
  readonly #room: number
  readonly lastWrite: Int32Array
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
    this.lastWrite = new Int32Array(room)
    this.wordOf = new Int32Array(room)
    this.isList = new Uint8Array(room)
    this.inside = new Int32Array(threads)
    this.#closed = new Int32Array(threads)
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
    this.#capacity = capacity
  }

  /** Adds an event behind the last one of its thread. */
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
    return event
  }

  /** The last event of a thread, or -1. */
  tip(thread: number): number {
    const length = this.length[thread]
    return length === 0 ? none : this.order[thread][length - 1]
  }

  /** Gives a read the write it reads from; a sleeper that was woken the `notify`. */
  readFrom(read: number, write: number): void {
    this.rf[read] = write
    this.nextReader[read] = this.firstReader[write]
    this.firstReader[write] = read
  }

  /** Puts a write at the end of `co`. */
  place(write: number): void {
    const location = this.location[write]
    const last = this.lastWrite[location]
    this.coPrevious[write] = last
    this.coNext[write] = none
    this.coNext[last] = write
    this.lastWrite[location] = write
  }

  /** Takes all events out. */
  clear(): void {
    this.length.fill(0)
    for (let location = 0; location < this.locations; location++) {
      this.coNext[location] = none
      this.firstReader[location] = none
      this.lastWrite[location] = location
    }
    this.next = this.#room
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

  // What comes before. `close` computes what must come before, in every interleaving of this graph.

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
}

/** The bits of the bytes of a mask. */
function expand(mask: number): number {
  return ((mask & 1) * 0xff) | (((mask >> 1) & 1) * 0xff00) | (((mask >> 2) & 1) * 0xff0000) | (((mask >> 3) & 1) * 0xff000000)
}
