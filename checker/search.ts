import {
  ENQUEUE_READ,
  ENQUEUE_WRITE,
  EXPIRE_READ,
  EXPIRE_WRITE,
  Graph,
  isExclusive,
  isSharedRead,
  isUpdate,
  PLAIN_READ,
  PLAIN_WRITE,
  SHARED_READ,
  SHARED_WRITE,
  UPDATE_READ,
  UPDATE_WRITE,
  WAIT_TEST,
  WAKE,
} from '../model/graph.ts'
import type { Answer, History, Thread } from '../model/history.ts'
import {
  ALIVE,
  COMPARE_EXCHANGE,
  DONE,
  FLUSH,
  KILLED,
  LOAD,
  NOT_EQUAL,
  NOTIFY,
  OK,
  PAUSE,
  READ,
  READ_BYTES,
  STORE,
  THROWN,
  TIMED_OUT,
  updated,
  WAIT,
  WRITE,
  WRITE_BYTES,
} from '../model/operation.ts'
import { Waiters } from '../model/waiters.ts'
import { capture, restore, type Subtree, wholeTree } from './subtree.ts'

/**
 * The search: every execution graph of a program, each once, under sequential consistency.
 *
 * Method: TruSt (Kokologiannakis, Marmanis, Gladstein, Vafeiadis, POPL 2022), in a form for threads that cannot be
 * suspended but are tries of histories. A graph is extended *maximally*: threads run one after the other, each read reads the
 * write that is last in `co`, each write goes to the end of `co`. What else could have been chosen is noted as work:
 *
 * - another write for a read, another place for a write (forward revisits), and
 * - for a read that is already there, the write just added (backward revisits): everything added after the read goes, except
 *   what the write depends on. To reach each graph once, this is done only if what goes had been added maximally.
 *
 * Work is done last in, first out, on one graph that is changed in place. A backward revisit leaves a note to undo it.
 *
 * Where we depart from the paper: a read on which a thread spins waits until nobody else can go on, and is not given an old
 * value that would only make the thread park; a read-modify-write of a value that another one has taken is not added at
 * all when no revisit could come of it; and `wait` and `notify` are read-modify-writes of a location of their own. A kill is
 * another choice for the next event of a thread, and so is a wake-up for no reason: neither is ever maximal.
 *
 * Where another search wins: an optimal interleaving search (Optimal-DPOR) over the same tries is as exact and makes more
 * executions a second: 4 to 6 times as many where all threads add to one word, 2 to 14 times on locks, 1 to 2.5 times on stacks
 * and queues, 18 times on filesystem(20), 2.0 times in the median of 28 programs. This one is faster where stores and readers
 * are many, up to 4 times, on 6 of the 28; and only this one has the graphs that weak memory and crashes need. The other one
 * looks for no data races and knows neither `wait` nor `notify`, and so is spared their cost. Measured by
 * `test/bench/compare-searches.ts` on 2026-11-20 on an AMD EPYC with Node 20.20.2.
 */

// What is left to do.
/** Give the read the write. */
const READ_FROM = 0
/** Put the write behind another one. */
const PLACE = 1
/** Give the read, which is older, the write; with `spurious` let the `wait` come back for no reason. */
const REVISIT = 2
/** Let the exclusive read read what another one has taken, add its write half, and give that to a third, older read. */
const TAKEN = 3
/** Take a backward revisit back. */
const UNDO = 4
/** Kill the thread instead of adding the event. */
const KILL = 5
/** Give the read, of a `wait`, the write, and let the `wait` come back for no reason. */
const SPURIOUS = 6

/** Marks a revisit that lets a `wait` come back for no reason. */
const startling = 64

const stride = 5
const none = -1

/** What a search finds at the end of each path. */
export type Leaf = 'complete' | 'blocked' | 'stuck' | 'discarded' | 'unfinished'

/** Thrown at the first failure; the graph is then what shows it. */
export class Broken extends Error {
  readonly kind: 'data-race' | 'thrown'
  /** What the thread threw. */
  readonly error: unknown

  constructor(kind: 'data-race' | 'thrown', error?: unknown) {
    super(kind)
    this.kind = kind
    this.error = error
  }
}

export class Search {
  readonly graph: Graph
  readonly threads: readonly Thread[]
  readonly waiters: Waiters = new Waiters()
  readonly #events: number
  readonly #histories: number
  /** For each thread how many histories it has had when some are forgotten next. */
  readonly #remembered: number[]
  /** Estimated share of the search tree that is done. */
  share = 0
  #started = false
  /** Estimated share of the part of the tree that is being walked. */
  #mass = 1
  #work: Int32Array = new Int32Array(stride * 256)
  #masses: Float64Array = new Float64Array(256)
  #top = 0
  /** For each revisit to be undone: the events it removed, and what it changed. */
  readonly #trail: number[] = []
  readonly #trailAfter: (History | undefined)[] = []
  /** For each thread the location whose values it waits for before a load, or -1. */
  readonly #parkedAt: Int32Array
  /** In a random descent: picks a number from 0 to n - 1. */
  #pick: ((n: number) => number) | undefined
  /** In a random descent: how many ways lead off the path that was taken, multiplied; and the work to go on with. */
  #ways = 1
  #turn: number[] | undefined
  readonly #kept: Int32Array
  readonly #clock: Int32Array
  /** Whether there is anything but the schedule that may go wrong. */
  readonly #kills: boolean
  readonly #spurious: boolean

  /**
   * @param threads for this search alone
   * @param initial the memory before the threads
   * @param events how many operations one thread may do
   * @param room how many locations there may be
   * @param histories how many histories a thread may have new before those that are not needed are forgotten
   */
  constructor(threads: readonly Thread[], initial: Int32Array, events: number, room: number, histories = 500_000) {
    this.threads = threads
    this.#histories = histories
    this.#remembered = threads.map(() => histories)
    this.#events = events
    this.graph = new Graph(threads.length, initial, room)
    const predict = (word: number): number => {
      const location = this.graph.knownLocation(word)
      return location === undefined ? initial[word] : this.graph.valueAfter(this.graph.lastWrite[location])
    }
    for (const thread of threads) thread.predict = predict
    this.#parkedAt = new Int32Array(threads.length)
    this.#kept = new Int32Array(threads.length)
    this.#clock = new Int32Array(threads.length)
    this.#kills = threads.some(({ faults }) => faults.kills > 0)
    this.#spurious = threads.some(({ faults }) => faults.spurious)
  }

  /**
   * Goes on to the end of the next path and says what is there; `undefined` when there is no path left. Until the next
   * call the graph is what stands at that end.
   */
  advance(): Leaf | undefined {
    if (!this.#started) {
      this.#started = true
      return this.#finish(this.#extend())
    }
    while (this.#top > 0) {
      const at = --this.#top * stride
      const work = this.#work
      const task = work[at]
      if (task === UNDO) {
        this.#undo()
        continue
      }
      this.#mass = this.#masses[this.#top]
      this.#forget()
      if (this.#take(task, work[at + 1], work[at + 2], work[at + 3], work[at + 4])) return this.#finish(this.#extend())
      return this.#finish('discarded')
    }
    return undefined
  }

  /**
   * Gives all work away that is left, as subtrees that any search of the program can `enter`, in the order in which this one
   * would have taken them. Nothing is left to do here then. What `advance` found last must have been judged.
   */
  drain(): Subtree[] {
    const subtrees: Subtree[] = []
    if (!this.#started) {
      this.#started = true
      return [{ ...wholeTree, mass: this.#mass }]
    }
    const { graph } = this
    while (this.#top > 0) {
      const at = --this.#top * stride
      const [task, a, b, c, d] = this.#work.subarray(at, at + stride)
      if (task === UNDO) {
        this.#undo()
        continue
      }
      graph.cut(task === KILL ? a - 1 : task === REVISIT ? b : a)
      const { events, writes, number } = capture(graph, this.waiters)
      const encoded =
        task === KILL ? [events.length, b] : task === TAKEN ? [number(a), number(b), number(c), d] : [number(a), number(b), c]
      subtrees.push({ events, writes, task: [task, ...encoded], mass: this.#masses[this.#top] })
    }
    this.#clear()
    return subtrees
  }

  /** Takes up a subtree, when nothing is left to do: `advance` then walks that one. */
  enter(subtree: Subtree): void {
    if (this.#top > 0) throw new Error('a search that has work left cannot enter another subtree')
    this.#clear()
    this.#mass = subtree.mass
    this.#started = subtree.task.length > 0
    if (!this.#started) return
    const { graph } = this
    const follow = (thread: number, node: History | undefined, answer: Answer): History =>
      node === undefined ? this.#skip(thread, this.threads[thread].root) : this.#after(thread, node, answer)
    const numbers = restore(subtree, graph, this.threads, this.waiters, follow)
    const [task, a, b, c, d] = subtree.task
    /** The initial write is that of the location that the task is about. */
    const event = (number: number): number => (number < 0 ? graph.location[numbers[a]] : numbers[number])
    if (task === KILL) this.#push(KILL, graph.next, b, 0, 0)
    else if (task === TAKEN) this.#push(TAKEN, event(a), event(b), event(c), d)
    else this.#push(task, event(a), event(b), c, 0)
    this.#masses[0] = subtree.mass
  }

  /** Empties the graph. */
  #clear(): void {
    this.graph.cut(this.graph.first - 1)
  }

  /** Keeps memory bounded: histories that are needed again cost a run of user code. */
  #forget(): void {
    for (let thread = 0; thread < this.threads.length; thread++) {
      if (this.threads[thread].nodes < this.#remembered[thread]) continue
      this.#remembered[thread] = this.threads[thread].nodes + this.#histories
      this.threads[thread].root.forget()
      const { node, after } = this.graph
      for (let event = this.graph.first; event < node.length; event++) {
        if (this.graph.thread[event] !== thread) continue
        node[event]?.forget()
        after[event]?.forget()
      }
    }
  }

  #finish(leaf: Leaf): Leaf {
    this.share += this.#mass
    return leaf
  }

  /**
   * One random walk from the root to an end: at each place where there is a choice each way is as likely. The number of
   * ways, multiplied along the walk, estimates the number of ends: its mean over many walks is the number (Knuth,
   * "Estimating the efficiency of backtrack programs", 1975). Only before `advance`, and leaves nothing behind.
   *
   * @param pick gives a random integer from 0 to n - 1
   */
  descend(pick: (n: number) => number): { readonly leaf: Leaf; readonly ways: number } {
    this.#pick = pick
    this.#ways = 1
    let leaf: Leaf | undefined = this.#extend()
    while (this.#turn !== undefined) {
      const [task, a, b, c, d] = this.#turn
      this.#turn = undefined
      leaf = this.#take(task, a, b, c, d) ? this.#extend() : 'discarded'
    }
    while (this.#top > 0) {
      this.#top--
      this.#undo()
    }
    this.graph.cut(this.graph.first - 1)
    this.#pick = undefined
    return { leaf, ways: this.#ways }
  }

  #push(task: number, a: number, b: number, c: number, d: number): void {
    const at = this.#top * stride
    if (at === this.#work.length) {
      const work = new Int32Array(2 * at)
      work.set(this.#work)
      this.#work = work
      const masses = new Float64Array(2 * this.#top)
      masses.set(this.#masses)
      this.#masses = masses
    }
    const work = this.#work
    work[at] = task
    work[at + 1] = a
    work[at + 2] = b
    work[at + 3] = c
    work[at + 4] = d
    this.#masses[this.#top++] = 0
  }

  /** Shares what is to be explored between the path that goes on and the work pushed since `bottom`. */
  #split(bottom: number): void {
    const parts = this.#top - bottom + 1
    if (parts === 1) return
    if (this.#pick !== undefined) {
      this.#choose(this.#pick, bottom, parts)
      return
    }
    this.#mass /= parts
    this.#masses.fill(this.#mass, bottom, this.#top)
  }

  /** In a random descent: goes on, or leaves the path for one of the work pushed since `bottom`. */
  #choose(pick: (n: number) => number, bottom: number, parts: number): void {
    this.#top = bottom
    if (this.#turn !== undefined) return // The path was left already.
    this.#ways *= parts
    const way = pick(parts)
    if (way > 0) this.#turn = [...this.#work.subarray((bottom + way - 1) * stride, (bottom + way) * stride)]
  }

  /** Does one piece of work. False when nothing consistent comes of it. */
  #take(task: number, a: number, b: number, c: number, d: number): boolean {
    const graph = this.graph
    graph.reserve(8)
    switch (task) {
      case READ_FROM:
        graph.cut(a)
        this.#give(a, b)
        return true
      case PLACE:
        graph.cut(a)
        graph.displace(a)
        graph.place(a, b)
        return true
      case KILL:
        graph.cut(a - 1)
        this.#kill(b)
        return true
      case SPURIOUS:
        graph.cut(a)
        this.#give(a, b)
        this.#startle(a)
        return true
      case REVISIT:
        graph.cut(b)
        return this.#revisit(a, b, c === startling)
      default: {
        graph.cut(a)
        graph.readFrom(a, b)
        graph.kind[a] = d & ~startling
        graph.after[a] = undefined
        return this.#revisit(c, this.#addUpdate(a), (d & startling) !== 0)
      }
    }
  }

  // Extending a graph.

  /** Runs all threads as far as they go. */
  #extend(): Leaf {
    const graph = this.graph
    const threads = this.threads.length
    this.#parkedAt.fill(none)
    // Read-modify-writes that lost their write half in a revisit come first: nobody may come in between.
    for (let thread = 0; thread < threads; thread++) {
      const tip = graph.tip(thread)
      if (tip >= 0 && isExclusive(graph.kind[tip])) {
        graph.reserve(8)
        if (!this.#complete(tip)) return 'discarded'
        if (this.#turn !== undefined) return 'unfinished'
      }
    }
    do {
      for (let moved = true; moved; ) {
        moved = false
        for (let thread = 0; thread < threads; thread++) {
          const before = graph.next
          const leaf = this.#run(thread)
          if (leaf !== undefined) return leaf
          if (graph.next !== before) moved = true
        }
      }
    } while (this.#letPass())
    return this.#end()
  }

  /**
   * When nobody else can go on, lets a spinning load pass. What it waits for has then been written, if it ever is, so that
   * few loads are there too early. False when no load that reads the newest value passes; those that would pass with an
   * older one are then added, parked, with the older values as work to be done.
   */
  #letPass(): boolean {
    const graph = this.graph
    const waiting = this.#parkedAt
    for (let thread = 0; thread < waiting.length; thread++) {
      const location = waiting[thread]
      if (location < 0) continue
      const node = this.next(thread) as History
      if (this.#retries(thread, node, graph.lastWrite[location])) continue
      this.#addRead(thread, node, location)
      return true
    }
    for (let thread = 0; thread < waiting.length; thread++) {
      const location = waiting[thread]
      if (location < 0) continue
      const node = this.next(thread) as History
      const earliest = this.earliest(thread, location)
      for (let write = graph.lastWrite[location]; write !== earliest; ) {
        write = graph.coPrevious[write]
        if (this.#retries(thread, node, write)) continue
        this.#addRead(thread, node, location)
        break
      }
    }
    return false
  }

  /** What a graph is that cannot be extended. */
  #end(): Leaf {
    let stuck = false
    for (let thread = 0; thread < this.threads.length; thread++) {
      const node = this.next(thread)
      if (node === undefined) stuck = true
      else if (!node.finished) {
        if (!this.#sawNewest(thread, node)) return 'blocked'
        stuck = true
      }
    }
    return stuck ? 'stuck' : 'complete'
  }

  /** What a thread does next; undefined when it sleeps. */
  next(thread: number): History | undefined {
    const tip = this.graph.tip(thread)
    return tip < 0 ? this.#skip(thread, this.threads[thread].root) : this.graph.after[tip]
  }

  /** Whether a parked thread has read, in the iteration in which it is, only what is last in `co`. */
  #sawNewest(thread: number, node: History): boolean {
    const graph = this.graph
    const order = graph.order[thread]
    for (let i = graph.length[thread] - 1; i >= 0 && graph.node[order[i]].depth >= node.iteration; i--) {
      if (isSharedRead(graph.kind[order[i]]) && graph.coNext[graph.rf[order[i]]] >= 0) return false
    }
    return true
  }

  /** The node after an answer. What does nothing to the memory is passed over: flushes, and pauses after which the thread does not park. */
  #after(thread: number, node: History, answer: number | string): History {
    const next = node.child(answer)
    if (next !== undefined && next.kind !== PAUSE && next.kind !== FLUSH) return next
    return this.#skip(thread, this.threads[thread].after(node, answer))
  }

  #skip(thread: number, node: History): History {
    let next = node
    while ((next.kind === PAUSE && !next.parks) || next.kind === FLUSH) next = this.threads[thread].after(next, 0)
    return next
  }

  /** Runs one thread until it is finished, asleep or parked. Returns a leaf when the whole graph ends here. */
  #run(thread: number): Leaf | undefined {
    const graph = this.graph
    this.#parkedAt[thread] = none
    for (;;) {
      if (this.#turn !== undefined) return 'unfinished'
      graph.reserve(8)
      const tip = graph.tip(thread)
      const node = tip < 0 ? this.#skip(thread, this.threads[thread].root) : graph.after[tip]
      if (node === undefined) {
        const kind = graph.kind[tip]
        if (kind === WAIT_TEST) {
          if (!this.#enqueue(thread, tip)) return 'discarded'
        } else if (isExclusive(kind)) {
          if (!this.#complete(tip)) return 'discarded'
        } else if (kind !== ENQUEUE_WRITE) {
          graph.after[tip] = this.#after(thread, graph.node[tip], this.#answerOfUpdate(tip))
        } else if (!this.#leaveSleep(thread, tip)) return undefined
        continue
      }
      if (node.depth >= this.#events && !node.finished) return 'unfinished'
      switch (node.kind) {
        case LOAD:
        case COMPARE_EXCHANGE:
        case WAIT:
        case NOTIFY:
        case ALIVE:
          if (!this.#tryRead(thread, node, this.#location(node))) return undefined
          break
        case STORE:
          this.#store(thread, node)
          break
        case READ:
        case READ_BYTES:
          this.#plainRead(thread, node)
          break
        case WRITE:
        case WRITE_BYTES:
          this.#plainWrite(thread, node)
          break
        case PAUSE:
          return undefined
        case THROWN:
          throw new Broken('thrown', node.result)
        case DONE:
          this.#return(thread, node)
          return undefined
        case KILLED:
          return undefined
        default:
          this.#addRead(thread, node, this.#location(node))
      }
    }
  }

  #location(node: History): number {
    if (node.location < 0) {
      const { kind, word } = node
      const graph = this.graph
      node.location = kind === NOTIFY ? graph.listOf(word) : kind === ALIVE ? graph.lifeOf(word) : graph.locationOf(word)
    }
    return node.location
  }

  /** The first write, in `co`, that the next event of a thread may read from or be placed behind. */
  protected earliest(thread: number, location: number): number {
    const graph = this.graph
    const last = graph.lastWrite[location]
    if (graph.knownTo(last, thread)) return last
    graph.open()
    graph.includeFirst(thread, graph.length[thread])
    graph.close()
    return graph.lastInside(location)
  }

  /** A read. False when the thread spins on it: it waits until nobody else can go on. */
  #tryRead(thread: number, node: History, location: number): boolean {
    const graph = this.graph
    if (node.spins || this.#retries(thread, node, graph.lastWrite[location])) {
      this.#parkedAt[thread] = location
      this.#markAlive(thread, node)
      if (graph.plain[location] === 1) this.#checkEarlierWrites(thread, node, location, this.earliest(thread, location))
      return false
    }
    this.#addRead(thread, node, location)
    return true
  }

  /** A read that may come before a plain write races with it. */
  #checkEarlierWrites(thread: number, node: History, location: number, earliest: number): void {
    const graph = this.graph
    for (let write = graph.lastWrite[location]; write !== earliest; write = graph.coPrevious[write]) {
      if (graph.kind[write] === PLAIN_WRITE) this.#raceWithMissing(thread, node, location, write)
    }
  }

  /**
   * Adds a read of the newest value; older ones are work to be done, if they do not make the thread park. (A parked read
   * that was not given the newest value when it was added is never maximal, so nothing would ever revisit it.)
   */
  #addRead(thread: number, node: History, location: number): void {
    const graph = this.graph
    const earliest = this.earliest(thread, location)
    const bottom = this.#top
    const read = graph.next
    const last = graph.lastWrite[location]
    this.#pushKill(thread)
    if (graph.plain[location] === 1) this.#checkEarlierWrites(thread, node, location, earliest)
    const spurious = this.#spurious && node.kind === WAIT && this.#mayBeSpurious(thread, graph.length[thread])
    if (spurious && graph.valueAfter(last) === node.a) this.#push(SPURIOUS, read, last, 0, 0)
    for (let write = last; write !== earliest; ) {
      write = graph.coPrevious[write]
      if (spurious && graph.valueAfter(write) === node.a) this.#push(SPURIOUS, read, write, 0, 0)
      const kind = this.#kindOfRead(node, graph.valueAfter(write))
      if (isExclusive(kind) && graph.isTaken(write)) this.#pushTaken(thread, node, read, write, kind)
      else if (!this.#retries(thread, node, write)) this.#push(READ_FROM, read, write, 0, 0)
    }
    graph.add(thread, SHARED_READ, location, node, undefined)
    this.#give(read, last)
    this.#split(bottom)
    if (graph.kind[read] === UPDATE_READ) this.#complete(read)
  }

  /** What a read of this operation is when it reads `value`. */
  #kindOfRead(node: History, value: number): number {
    switch (node.kind) {
      case LOAD:
      case ALIVE:
        return SHARED_READ
      case COMPARE_EXCHANGE:
        return value === node.a ? UPDATE_READ : SHARED_READ
      case WAIT:
        return value === node.a ? WAIT_TEST : SHARED_READ
      case NOTIFY:
        return this.waiters.woken(value, node.a) > 0 ? UPDATE_READ : SHARED_READ
      default:
        return UPDATE_READ
    }
  }

  /** Gives a read its write, and settles what it is and what the thread does then. */
  #give(read: number, write: number): void {
    const graph = this.graph
    graph.readFrom(read, write)
    this.#checkRace(read)
    const kind = graph.kind[read]
    if (kind === ENQUEUE_READ || kind === EXPIRE_READ) return
    const node = graph.node[read]
    const value = graph.valueAfter(write)
    const settled = this.#kindOfRead(node, value)
    graph.kind[read] = settled
    if (settled !== SHARED_READ) graph.after[read] = undefined
    else {
      graph.after[read] = this.#after(graph.thread[read], node, answerOf(node, value))
    }
  }

  /** Adds the write half of a read-modify-write and notes whom it could be given to. False when it cannot stand here. */
  #complete(read: number): boolean {
    if (this.graph.kind[read] === ENQUEUE_READ && !this.sleepsConsistently(read)) {
      const bottom = this.#top
      const write = this.#addUpdate(read)
      this.#pushRevisits(write)
      this.#split(bottom)
      return false
    }
    const bottom = this.#top
    const write = this.#addUpdate(read)
    this.#checkRace(write)
    this.#pushRevisits(write)
    this.#split(bottom)
    return true
  }

  /** Adds the write half behind what its read half reads. What the thread does then is found when it goes on. */
  #addUpdate(read: number): number {
    const graph = this.graph
    const node = graph.node[read]
    const thread = graph.thread[read]
    const old = graph.valueAfter(graph.rf[read])
    const readKind = graph.kind[read]
    const kind = readKind === ENQUEUE_READ ? ENQUEUE_WRITE : readKind === EXPIRE_READ ? EXPIRE_WRITE : UPDATE_WRITE
    const write = graph.add(thread, kind, graph.location[read], node, undefined)
    graph.value[write] = this.#written(readKind, node, thread, old)
    graph.place(write, graph.rf[read])
    return write
  }

  /** What a read-modify-write that reads `old` writes. */
  #written(readKind: number, node: History, thread: number, old: number): number {
    if (readKind === ENQUEUE_READ) return this.waiters.enqueue(old, thread)
    if (readKind === EXPIRE_READ) return this.waiters.remove(old, thread)
    return node.kind === NOTIFY ? this.waiters.wake(old, node.a) : updated(node.kind, old, node.a, node.b)
  }

  /** What a read-modify-write answers, by its write half. */
  #answerOfUpdate(write: number): number {
    const graph = this.graph
    if (graph.kind[write] === EXPIRE_WRITE) return TIMED_OUT
    const old = graph.valueAfter(graph.rf[graph.readHalf(write)])
    const node = graph.node[write]
    return node.kind === NOTIFY ? this.waiters.woken(old, node.a) : old
  }

  #store(thread: number, node: History): void {
    const graph = this.graph
    const location = this.#location(node)
    const earliest = this.earliest(thread, location)
    const bottom = this.#top
    const last = graph.lastWrite[location]
    this.#pushKill(thread)
    const write = graph.add(thread, SHARED_WRITE, location, node, undefined)
    graph.value[write] = node.a
    for (let behind = last; behind !== earliest; ) {
      behind = graph.coPrevious[behind]
      if (!graph.isTaken(behind)) this.#push(PLACE, write, behind, 0, 0)
    }
    graph.place(write, last)
    graph.after[write] = this.#after(thread, node, 0)
    this.#checkRace(write)
    this.#pushRevisits(write)
    this.#split(bottom)
  }

  // Faults.

  /** Notes that a thread may be killed instead of what it does next. Done last, as all other work then refers to that. */
  #pushKill(thread: number): void {
    if (this.#kills && this.#mayKill(thread)) this.#push(KILL, this.graph.next, thread, 0, 0)
  }

  #mayKill(thread: number): boolean {
    const { kills } = this.threads[thread].faults
    return kills > 0 && this.graph.kills < kills && !this.#isMarked(thread)
  }

  /** Whether it has been settled that a thread is not killed where it stands. */
  #isMarked(thread: number): boolean {
    const tip = this.graph.tip(thread)
    return tip >= 0 && this.graph.kind[tip] === PLAIN_READ && this.graph.mask[tip] === 0
  }

  /**
   * Settles, before it is known what a thread does next or when, that it is not killed here; that it is remains to be done. A
   * read of no bytes of its own life says so, for whoever comes back to this graph.
   */
  #markAlive(thread: number, node: History): void {
    if (!this.#kills || !this.#mayKill(thread)) return
    const graph = this.graph
    const location = graph.lifeOf(thread)
    const bottom = this.#top
    this.#pushKill(thread)
    const mark = graph.add(thread, PLAIN_READ, location, node, node)
    graph.mask[mark] = 0
    graph.notePlainRead(mark, graph.lastWrite[location])
    this.#split(bottom)
  }

  /** Adds a kill: the write of a thread's life. */
  #kill(thread: number): void {
    const graph = this.graph
    const location = graph.lifeOf(thread)
    const node = (this.next(thread) as History).killed
    const bottom = this.#top
    const write = graph.add(thread, SHARED_WRITE, location, node, node)
    graph.value[write] = 0
    graph.place(write, graph.lastWrite[location])
    this.#pushRevisits(write)
    this.#split(bottom)
  }

  /** A thread that has returned may be killed all the same if that leaves torn bytes. */
  #return(thread: number, node: History): void {
    if (this.#kills && this.graph.endsPlain(thread)) this.#markAlive(thread, node)
  }

  /** Whether a `wait` of a thread, its event of that number, may come back for no reason. */
  #mayBeSpurious(thread: number, index: number): boolean {
    if (!this.threads[thread].faults.spurious) return false
    const order = this.graph.order[thread]
    for (let i = index - 1; i >= 0; i--) if (this.#isSpurious(order[i])) return false
    return true
  }

  /** Lets a `wait` that found what it expected come back for no reason. */
  #startle(read: number): void {
    const graph = this.graph
    graph.kind[read] = SHARED_READ
    graph.after[read] = this.#after(graph.thread[read], graph.node[read], OK)
  }

  /** Whether a read that is there may, with this value, come back for no reason. */
  #couldStartle(read: number, value: number): boolean {
    const { node, thread, index, location } = this.graph
    const { kind, a } = node[read]
    if (kind !== WAIT || value !== a || this.graph.isList[location[read]] === 1) return false
    return this.#mayBeSpurious(thread[read], index[read])
  }

  /** Whether an event is a `wait` that came back for no reason: it found what it expected, and did not fall asleep. */
  #isSpurious(event: number): boolean {
    const graph = this.graph
    if (graph.kind[event] !== SHARED_READ || graph.node[event].kind !== WAIT) return false
    return graph.valueAfter(graph.rf[event]) === graph.node[event].a
  }

  // Sleeping.

  /** Puts a thread, whose test of the word found what it expected, on the list. False when it cannot be there. */
  #enqueue(thread: number, test: number): boolean {
    const graph = this.graph
    const node = graph.node[test]
    const location = graph.listOf(node.word)
    const earliest = this.earliest(thread, location)
    const bottom = this.#top
    const read = graph.next
    const last = graph.lastWrite[location]
    for (let write = last; write !== earliest; ) {
      write = graph.coPrevious[write]
      this.#pushTaken(thread, node, read, write, ENQUEUE_READ)
    }
    graph.add(thread, ENQUEUE_READ, location, node, undefined)
    graph.readFrom(read, last)
    this.#split(bottom)
    return this.#complete(read)
  }

  /**
   * Whether the test of the word and the read of the list can be one step: nobody wrote the word, after the value that was
   * tested, and before something that the list shows to be over.
   */
  protected sleepsConsistently(read: number): boolean {
    const graph = this.graph
    const test = graph.readHalf(read)
    const source = graph.rf[test]
    if (graph.coNext[source] < 0) return true
    const list = graph.rf[read]
    graph.open()
    graph.includeFirst(graph.thread[test], graph.index[test])
    graph.include(source)
    graph.include(list)
    for (let other = graph.firstReader[list]; other >= 0; other = graph.nextReader[other])
      if (other !== read) graph.include(other)
    graph.close()
    return !graph.isOverwrittenInside(source)
  }

  /** Lets a sleeper go on, if it was woken or its time can be over. */
  #leaveSleep(thread: number, asleep: number): boolean {
    const graph = this.graph
    const node = graph.node[asleep]
    const location = graph.location[asleep]
    const bottom = this.#top
    const event = graph.next
    const notify = this.#wakerOf(asleep, thread)
    const timed = node.b !== Number.POSITIVE_INFINITY
    if (notify < 0 && !timed) return false
    const last = notify < 0 ? graph.lastWrite[location] : notify
    if (timed) {
      const earliest = this.earliest(thread, location)
      for (let write = last; write !== asleep && write !== earliest; ) {
        write = graph.coPrevious[write]
        this.#pushTaken(thread, node, event, write, EXPIRE_READ)
      }
    }
    if (notify >= 0) {
      graph.add(thread, WAKE, location, node, this.#after(thread, node, OK))
      graph.wokenBy(event, notify)
      this.#split(bottom)
      return true
    }
    graph.add(thread, EXPIRE_READ, location, node, undefined)
    graph.readFrom(event, last)
    this.#split(bottom)
    return this.#complete(event)
  }

  /** The notify that took a sleeper off its list, or -1. */
  #wakerOf(asleep: number, thread: number): number {
    const graph = this.graph
    for (let write = graph.coNext[asleep]; write >= 0; write = graph.coNext[write]) {
      if (!this.waiters.contains(graph.value[write], thread)) return write
    }
    return none
  }

  // Plain data.

  #plainRead(thread: number, node: History): void {
    const graph = this.graph
    if (node.kind === READ) {
      const location = this.#location(node)
      graph.plain[location] = 1
      const write = graph.lastWrite[location]
      const read = graph.add(thread, PLAIN_READ, location, node, undefined)
      graph.notePlainRead(read, write)
      this.#checkRace(read)
      graph.after[read] = this.#after(thread, node, graph.valueAfter(write))
      return
    }
    let bytes = ''
    const end = node.word + node.a
    graph.reserve(node.a)
    for (let byte = node.word; byte < end; ) {
      const word = byte >> 2
      const location = graph.locationOf(word)
      graph.plain[location] = 1
      const write = graph.lastWrite[location]
      const read = graph.add(thread, PLAIN_READ, location, node, undefined)
      const stop = Math.min(end, 4 * (word + 1))
      graph.mask[read] = maskOf(byte, stop)
      graph.notePlainRead(read, write)
      this.#checkRace(read)
      const value = graph.valueAfter(write)
      for (; byte < stop; byte++) bytes += String.fromCharCode((value >>> (8 * (byte & 3))) & 255)
    }
    graph.after[graph.next - 1] = this.#after(thread, node, bytes)
  }

  #plainWrite(thread: number, node: History): void {
    const graph = this.graph
    if (node.kind === WRITE) {
      this.#addPlainWrite(thread, node, this.#location(node), node.a, 15)
    } else {
      const end = node.word + node.a
      graph.reserve(node.a)
      for (let byte = node.word; byte < end; ) {
        const word = byte >> 2
        const stop = Math.min(end, 4 * (word + 1))
        const mask = maskOf(byte, stop)
        let value = 0
        for (; byte < stop; byte++) value |= node.bytes.charCodeAt(byte - node.word) << (8 * (byte & 3))
        this.#addPlainWrite(thread, node, graph.locationOf(word), value, mask)
      }
    }
    graph.after[graph.next - 1] = this.#after(thread, node, 0)
  }

  #addPlainWrite(thread: number, node: History, location: number, value: number, mask: number): void {
    const graph = this.graph
    graph.plain[location] = 1
    const write = graph.add(thread, PLAIN_WRITE, location, node, undefined)
    graph.value[write] = value
    graph.mask[write] = mask
    graph.place(write, graph.lastWrite[location])
    this.#checkRace(write)
    for (let other = 0; other < this.threads.length; other++) {
      // Whoever waits there for another value has loaded this word in the meantime.
      if (this.#parkedAt[other] === location && other !== thread) {
        this.#raceWithMissing(other, this.next(other) as History, location, write)
      }
    }
  }

  #checkRace(event: number): void {
    const graph = this.graph
    if (graph.races(event)) throw new Broken('data-race')
    if (this.#kills && graph.rf[event] >= 0 && graph.tornBelow(graph.rf[event], graph.mask[event]) >= 0) {
      throw new Broken('data-race')
    }
  }

  /** A thread that could still load what was there before a plain write races with that write. Adds the load as a witness. */
  #raceWithMissing(thread: number, node: History, location: number, write: number): never {
    const graph = this.graph
    const read = graph.add(thread, SHARED_READ, location, node, undefined)
    graph.readFrom(read, graph.coPrevious[write])
    throw new Broken('data-race')
  }

  // Backward revisits.

  /** Notes the older reads that a new write could be given to. */
  #pushRevisits(write: number): void {
    const graph = this.graph
    const location = graph.location[write]
    const clock = this.#clock
    for (let t = 0; t < clock.length; t++) clock[t] = graph.causal[write * clock.length + t]
    for (let source = graph.lastWrite[location]; source >= 0; source = graph.coPrevious[source]) {
      for (let read = graph.firstReader[source]; read >= 0; read = graph.nextReader[read]) {
        if (graph.index[read] < clock[graph.thread[read]] || !isSharedRead(graph.kind[read])) continue
        if (!this.canRevisit(read, write)) continue
        if (
          this.#fits(
            read,
            graph.value[write],
            isUpdate(graph.kind[write]) ? graph.valueAfter(graph.rf[graph.readHalf(write)]) : 0,
          )
        ) {
          this.#push(REVISIT, read, write, 0, 0)
          if (this.#spurious && this.#couldStartle(read, graph.valueAfter(write))) this.#push(REVISIT, read, write, startling, 0)
        }
      }
    }
  }

  /**
   * An exclusive read of a write that another one has taken cannot stand; but its write half could be given to that other
   * one, or to a read older than it.
   */
  #pushTaken(thread: number, node: History, read: number, source: number, kind: number): void {
    const graph = this.graph
    // Who took it goes, or is the one that is revisited; and so do those who took, one after the other, what was written then.
    const taker = graph.readHalf(graph.coNext[source])
    let oldest = taker
    let chained = true
    for (let later = graph.coNext[source]; later >= 0; later = graph.coNext[later]) {
      if (later < taker) return // The taker was not maximal.
      chained &&= isUpdate(graph.kind[later])
      if (chained && graph.readHalf(later) < oldest) oldest = graph.readHalf(later)
    }
    const clock = this.#clock
    this.#clockAfter(thread, source)
    if (graph.index[taker] < clock[graph.thread[taker]] || !this.isMaximal(taker, none)) return
    const old = graph.valueAfter(source)
    const value = this.#written(kind, node, thread, old)
    const location = graph.location[source]
    for (let at = graph.lastWrite[location]; at >= 0; at = graph.coPrevious[at]) {
      for (let older = graph.firstReader[at]; older >= 0; older = graph.nextReader[older]) {
        if (older > oldest || graph.index[older] < clock[graph.thread[older]] || !isSharedRead(graph.kind[older])) continue
        if (!this.canRevisit(older, none) || !this.#fits(older, value, old)) continue
        this.#push(TAKEN, read, source, older, kind)
        if (this.#spurious && this.#couldStartle(older, value)) this.#push(TAKEN, read, source, older, kind | startling)
      }
    }
  }

  /** Sets `#clock` to what the write half of a thread's next read-modify-write depends on, if it reads from `source`. */
  #clockAfter(thread: number, source: number): void {
    const { causal, thread: owner } = this.graph
    const clock = this.#clock
    const threads = clock.length
    const tip = this.graph.tip(thread)
    for (let t = 0; t < threads; t++) clock[t] = tip < 0 ? 0 : causal[tip * threads + t]
    if (owner[source] >= 0) {
      for (let t = 0; t < threads; t++) if (causal[source * threads + t] > clock[t]) clock[t] = causal[source * threads + t]
    }
    clock[thread] = this.graph.length[thread] + 2
  }

  /** Whether a read makes sense of a new value: a sleeper is still on the list, or has just been taken off. */
  #fits(read: number, value: number, old: number): boolean {
    if (this.graph.kind[read] !== EXPIRE_READ) return true
    const thread = this.graph.thread[read]
    return this.waiters.contains(value, thread) || this.waiters.contains(old, thread)
  }

  /**
   * Whether `write`, whose causal predecessors are in `#clock`, may be given to `read`: the read, and everything that would
   * go, is as it would be if it had been added to a graph without what comes later. Only one of the graphs that
   * differ in what goes passes, so each revisited graph is reached once.
   */
  protected canRevisit(read: number, write: number): boolean {
    const graph = this.graph
    if (!this.isMaximal(read, write)) return false
    for (let thread = 0; thread < this.#clock.length; thread++) {
      const order = graph.order[thread]
      for (let i = graph.length[thread] - 1; i >= this.#clock[thread] && order[i] > read; i--) {
        if (!this.isMaximal(order[i], write)) return false
      }
    }
    return true
  }

  /** Whether an event is where it would have been added first, given only older events and causal predecessors of `write`. */
  protected isMaximal(event: number, write: number): boolean {
    const graph = this.graph
    const kind = graph.kind[event]
    if (kind === PLAIN_READ || kind === PLAIN_WRITE) return true
    if (kind === WAKE) return this.stays(graph.rf[event], event)
    if (this.#kills && graph.node[event].kind === KILLED) return false
    if (this.#spurious && this.#isSpurious(event)) return false
    if (!isSharedRead(kind)) return !this.servesOlder(event) && !this.isOvertaken(event, event, write)
    const source = graph.rf[event]
    return this.stays(source, event) && !this.isOvertaken(source, event, write)
  }

  /** Whether a write has been given to a read that is older: it is there for that read. */
  protected servesOlder(write: number): boolean {
    const graph = this.graph
    for (let read = graph.firstReader[write]; read >= 0; read = graph.nextReader[read]) if (read < write) return true
    return false
  }

  /** Whether something that stays stands behind `base` in `co`: the event would have chosen that. */
  protected isOvertaken(base: number, event: number, write: number): boolean {
    const graph = this.graph
    for (let later = graph.coNext[base]; later >= 0; later = graph.coNext[later]) {
      if (later !== write && this.stays(later, event)) return true
    }
    return false
  }

  /** Whether `other` is older than `event` or a causal predecessor of the write that revisits. */
  protected stays(other: number, event: number): boolean {
    const thread = this.graph.thread[other]
    return thread < 0 || other <= event || this.graph.index[other] < this.#clock[thread]
  }

  /** Gives an older read a new write. False, with nothing changed, when no consistent graph comes of it. */
  #revisit(read: number, write: number, spurious = false): boolean {
    const graph = this.graph
    const threads = this.threads.length
    const trail = this.#trail
    const kept = this.#kept
    const reader = graph.thread[read]

    for (let thread = 0; thread < threads; thread++) {
      let count = graph.length[thread]
      const known = graph.causal[write * threads + thread]
      const order = graph.order[thread]
      while (count > known && order[count - 1] > read) count--
      kept[thread] = count
    }
    graph.displace(write)
    const before = trail.length
    for (let event = write - 1; event > read; event--) {
      if (graph.removed[event] === 1 || graph.index[event] < kept[graph.thread[event]]) continue
      graph.detach(event)
      graph.removed[event] = 1
      trail.push(event)
    }
    trail.push(trail.length - before, read, write, graph.rf[read], graph.kind[read], graph.coPrevious[write])
    this.#trailAfter.push(graph.after[read])
    for (let thread = 0; thread < threads; thread++) graph.length[thread] = kept[thread]

    const undo = this.#top
    this.#push(UNDO, 0, 0, 0, 0)
    if (graph.kind[read] === EXPIRE_READ && !this.waiters.contains(graph.value[write], reader)) {
      graph.wokenBy(read, write)
      graph.kind[read] = WAKE
      graph.after[read] = this.#after(reader, graph.node[read], OK)
    } else graph.readFrom(read, write)
    if (this.#placeRevisiting(read, write)) {
      if (graph.kind[read] !== WAKE) this.#give(read, write)
      if (spurious) this.#startle(read)
      this.#split(undo + 1)
      return true
    }
    this.#top = undo
    this.#undo()
    return false
  }

  /** Places a write that revisits, and notes its other places. False when it has none. */
  #placeRevisiting(read: number, write: number): boolean {
    const graph = this.graph
    const location = graph.location[write]
    graph.open()
    this.#includeBefore(read)
    if (!isUpdate(graph.kind[write])) {
      graph.includeFirst(graph.thread[write], graph.index[write])
      graph.close()
      const last = graph.lastWrite[location]
      graph.place(write, last)
      // A load that parks is of use only with the newest value.
      if (this.#wouldPark(read, write)) return true
      const earliest = graph.lastInside(location)
      for (let behind = last; behind !== earliest; ) {
        behind = graph.coPrevious[behind]
        if (!graph.isTaken(behind)) this.#push(PLACE, write, behind, 0, 0)
      }
      return true
    }
    const half = graph.readHalf(write)
    const source = graph.rf[half]
    const taken = graph.isTaken(source)
    this.#includeBefore(half)
    graph.close()
    const overwritten = graph.isOverwrittenInside(source)
    graph.place(write, source)
    if (taken || overwritten || (graph.coNext[write] >= 0 && this.#wouldPark(read, write))) return false
    if (graph.kind[half] === ENQUEUE_READ && !this.sleepsConsistently(half)) return false
    return graph.kind[read] !== ENQUEUE_READ || this.sleepsConsistently(read)
  }

  /** Whether a read that is there would make its thread park, to read again, if it were given a write. */
  #wouldPark(read: number, write: number): boolean {
    const graph = this.graph
    const kind = graph.kind[read]
    return kind !== ENQUEUE_READ && kind !== EXPIRE_READ && this.#retries(graph.thread[read], graph.node[read], write)
  }

  /** Whether a thread that gets the value of a write at a read would only park, to read again. */
  #retries(thread: number, node: History, write: number): boolean {
    const value = this.graph.valueAfter(write)
    if (this.#kindOfRead(node, value) !== SHARED_READ) return false
    const after = this.#after(thread, node, answerOf(node, value))
    return after.kind === PAUSE && after.iteration <= node.depth
  }

  /** Takes into the closure what comes right before a read: for the list of a sleeper, before its test of the word. */
  #includeBefore(read: number): void {
    const graph = this.graph
    if (graph.kind[read] !== ENQUEUE_READ) {
      graph.includeFirst(graph.thread[read], graph.index[read])
      return
    }
    const test = graph.readHalf(read)
    graph.includeFirst(graph.thread[test], graph.index[test])
    graph.include(graph.rf[test])
  }

  #undo(): void {
    const graph = this.graph
    const trail = this.#trail
    const place = trail.pop() as number
    const kind = trail.pop() as number
    const source = trail.pop() as number
    const write = trail.pop() as number
    const read = trail.pop() as number
    graph.cut(write)
    graph.displace(write)
    graph.readFrom(read, source)
    graph.kind[read] = kind
    graph.after[read] = this.#trailAfter.pop()
    for (let count = trail.pop() as number; count > 0; count--) {
      const event = trail.pop() as number
      const thread = graph.thread[event]
      graph.removed[event] = 0
      graph.order[thread][graph.index[event]] = event
      graph.length[thread] = graph.index[event] + 1
      graph.attach(event)
    }
    graph.place(write, place)
  }
}

/** What an operation that only read `value` answers. */
function answerOf(node: History, value: number): number {
  return node.kind === WAIT ? NOT_EQUAL : node.kind === NOTIFY ? 0 : value
}

/** The bytes from one byte offset to another, both in one word. */
function maskOf(from: number, to: number): number {
  return ((1 << (to - from)) - 1) << (from & 3)
}
