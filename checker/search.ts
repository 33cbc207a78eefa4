import type { Graph } from '../model/graph.ts'
import type { History, Thread } from '../model/history.ts'
import { DONE } from '../model/operation.ts'
import { isKill, isSpurious, killOf, spuriousOf, threadOf } from '../model/step.ts'
import type { Waiters } from '../model/waiters.ts'
import { grown } from './grown.ts'
import {
  BROUGHT,
  beforeActs,
  HEAD,
  IN_TURN,
  nothingDone,
  Reversals,
  TO_KILL,
  TO_LIVE,
  TO_NORMAL,
  TO_SPURIOUS,
} from './reversals.ts'
import { graphOf } from './sequence-graph.ts'
import { AWAKE, ENQUEUE, EXPIRE, KILL, MARK, NORMAL, SPURIOUS } from './step-kinds.ts'
import { type Subtree, wholeTree } from './subtree.ts'

/**
 * The search: every execution of a program, each once, under sequential consistency.
 *
 * What can follow on some steps falls into parts. It is the *turn* of one thread, and its next step *e* comes at once; or
 * another step *f* comes before it, the first one that *e* depends on. (Of several that nothing orders, the one of the
 * first thread.) To reach such a part, what happens before *f* is done, *f* is *brought forward*, and it is the turn of the
 * same thread again. Whose turn it is otherwise does not matter, if only it follows from the steps before: that of the last
 * thread, as long as it can go on.
 *
 * Which *f* there are is found in the first part. There *f* comes after *e*, because the rest of what happens before *f* could
 * come before *e* as well: a *race*. It stands in many sequences and is reversed in one of them: where nothing between the two
 * was brought forward, or chosen, but what happens before *f*.
 *
 * - Every execution is found. If *e* is not the first step of its location in what follows, some *f* is. Where all that
 *   does not happen before *f* comes in turn, *f* comes after *e*, and the race is reversed.
 * - None comes twice. The parts have none in common, and each is begun once: the causes of *f*, and whose turn it is after each step,
 *   leave one way from *e* to *f* on which nothing else was brought forward.
 * - None is begun in vain. All that is brought forward could be done where it is put, and whoever comes after goes on. (But a
 *   thread may park, in an iteration of several reads, on what has been written since: such a path is `blocked`. And who is bound
 *   to wake up for no reason may find no more what it expects: such a path is `discarded`.)
 *
 * What is left to do are parts that were found and not yet begun; each says wholly what it is, so anybody can explore it
 * (`subtree.ts`). All that is found from a part on is done before the next one, so that the order does not depend on who does it;
 * going back to where that begins costs less than one step in ten. Memory does not grow with executions (`search.test.ts`).
 *
 * A step that would only make its thread park is not enabled. If *e* disables *f*, then *f* is found as soon as both stand
 * there: when *e* is done, or when its own thread comes to it. The same is true of a sleeper whose time is over, and of whom *e* wakes. A
 * kill, and a wake-up for no reason, are other things that a thread may do in its turn; once it has chosen, it is *bound* to that.
 *
 * After Parsimonious-Optimal DPOR (Abdulla, Atig, Das, Jonsson, Sagonas, CAV 2024: races reversed at once, each in one
 * sequence) and TruSt (Kokologiannakis, Marmanis, Gladstein, Vafeiadis, POPL 2022: a part says wholly what it is).
 * Neither wakeup trees nor sleep sets: what has been brought before a turn says what may still be.
 *
 * Where other searches win: the graph search that this one replaced was twice as fast where one word has many readers, or is read
 * with ever other values, and 1.4 times where it has many stores; half as fast on most structures, and a third to a fifth where all
 * add to one word, or wait for locks. One with wakeup trees, that looks for no data races, knows no `wait`, and whose work cannot be
 * divided, makes 1.25 times as many executions a second in the median (`test/bench/README.md`).
 */

const none = -1
const unfinished = -2
/** In place of its share of the tree, what a record has that only leads back to where the next one begins. */
const leadsBack = -1

/** The numbers of a step that came in turn: the thread, what it did, and to what it was bound otherwise. */
const stepNumbers = 3
/** After so many pieces of work it looks for histories that can be forgotten. */
const forgetsEvery = 16

/** What a search finds at the end of each path. */
export type Leaf = 'complete' | 'blocked' | 'stuck' | 'discarded' | 'unfinished'

export class Search extends Reversals {
  /** What the words hold. */
  readonly memory: Int32Array
  /** Estimated share of the search tree that is done. */
  share = 0
  readonly #initial: Int32Array
  readonly #count: number
  /** All threads. */
  readonly #all: number
  readonly #events: number
  readonly #histories: number
  /** For each thread how many histories it has had when some are forgotten next. */
  readonly #remembered: number[]
  readonly #kills: boolean
  /** The numbers of all that was brought forward in the sequence. */
  #brought: Int32Array = new Int32Array(256)
  #broughtTop = 0
  /** The subtree that is to be walked next. */
  #task: Subtree | undefined = wholeTree
  #begun = false
  #pieces = 0
  /** Nothing is looked for: it was found before. */
  #again = false
  /** Estimated share of the part of the tree that is being walked. */
  #mass = 1
  #graph: Graph | undefined
  /** Whether the graph is that of the sequence. */
  #drawn = false

  /**
   * @param threads for this search alone
   * @param initial the memory before the threads
   * @param events how many operations one thread may do
   * @param histories how many histories a thread may have new before those that are not needed are forgotten
   */
  constructor(threads: readonly Thread[], initial: Int32Array, events: number, histories = 500_000) {
    super(threads, initial)
    this.memory = this.sequence.memory.subarray(0, initial.length)
    this.#initial = initial
    this.#count = threads.length
    this.#all = ~(-1 << threads.length)
    this.#events = events
    this.#histories = histories
    this.#remembered = threads.map(() => histories)
    this.#kills = threads.some(({ faults }) => faults.kills > 0)
  }

  // Walking.

  /**
   * Goes on to the end of the next path and says what is there; `undefined` when there is no path left. Until the next
   * call the sequence is what leads to that end.
   */
  advance(): Leaf | undefined {
    this.#drawn = false
    const task = this.#task
    if (task !== undefined) {
      this.#task = undefined
      this.#enter(task)
      return this.#extend()
    }
    while (this.work.pop()) {
      this.#cut(this.work.place)
      if (!this.#isTask()) continue
      if (++this.#pieces % forgetsEvery === 0) this.#forget()
      this.#mass = this.work.mass
      this.#bring(this.work.stack, this.work.start, this.work.end)
      this.#split()
      return this.#extend()
    }
    return undefined
  }

  /** Whether what was popped is something to do. What only leads back to where the next one begins is done. */
  #isTask(): boolean {
    if (this.work.mass !== leadsBack) return true
    this.#replay(this.work.stack, this.work.start, this.work.end)
    return false
  }

  /**
   * Gives all work away that is left, as subtrees that any search of the program can `enter`, in the order in which this one
   * would have come to them. Nothing is left to do here then. What `advance` found last must have been judged.
   */
  drain(): Subtree[] {
    const subtrees: Subtree[] = []
    if (this.#task !== undefined) {
      subtrees.push(this.#task)
      this.#task = undefined
    }
    while (this.work.pop()) {
      this.#cut(this.work.place)
      if (!this.#isTask()) continue
      const { stack, start, end, mass } = this.work
      subtrees.push({ moves: this.#moves(0, this.sequence.depth), task: [...stack.subarray(start, end)], mass })
    }
    this.#cut(0)
    return subtrees
  }

  /** The end at which the search is, as a subtree of its own. */
  get leaf(): Subtree {
    return { moves: this.#moves(0, this.sequence.depth), task: [], mass: this.#mass }
  }

  /** Takes up a subtree, when nothing is left to do: `advance` then walks that one. */
  enter(subtree: Subtree): void {
    if (this.work.size > 0) throw new Error('a search that has work left cannot enter another subtree')
    this.#task = subtree
  }

  /** Does what leads to a subtree, and its first step. What else could be done on the way belongs to others. */
  #enter({ moves, task, mass }: Subtree): void {
    this.#begin()
    this.#cut(0)
    this.#mass = mass
    this.#replay(moves, 0, moves.length)
    if (task.length === 0) return
    this.#bring(task, 0, task.length)
    this.#split()
  }

  #begin(): void {
    if (this.#begun) return
    this.#begun = true
    this.sequence.begin()
  }

  /**
   * One random walk from the root to an end: at each place where there is a choice each way is as likely as much is thought to
   * lie behind it. One divided by how likely the walk was estimates the number of ends: its mean over many walks is the number (Knuth,
   * "Estimating the efficiency of backtrack programs", 1975). Only before `advance`, and leaves nothing behind.
   *
   * @param pick gives a random integer from 0 to n - 1
   */
  descend(pick: (n: number) => number): { readonly leaf: Leaf; readonly ways: number } {
    const work = this.work
    let ways = 1
    try {
      this.#begin()
      for (;;) {
        const thread = this.#choose()
        if (thread < 0) return { leaf: thread === unfinished ? 'unfinished' : this.#end(), ways }
        this.#go(thread)
        while (work.found > 0) {
          const ends = 1 + work.weight
          const way = pick(ends)
          const left = way === 0 ? undefined : work.foundAt(way)
          work.forget()
          ways *= ends / (left?.weight ?? 1)
          if (left === undefined) break
          this.#cut(left.place)
          this.#bring(left.numbers, 0, left.numbers.length)
        }
      }
    } finally {
      this.#cut(0)
      work.forget()
      this.sequence.unordered.witness = []
      this.sequence.unordered.early = undefined
    }
  }

  /** Lets the threads go on to an end. */
  #extend(): Leaf {
    for (;;) {
      const thread = this.#choose()
      if (thread < 0) {
        this.#settle()
        this.share += this.#mass
        return thread === unfinished ? 'unfinished' : this.#end()
      }
      this.#go(thread)
      this.#split()
    }
  }

  /** Shares what is to be explored between the path that goes on and what was found just now. */
  #split(): void {
    if (this.work.weight > 0) this.#mass = this.work.share(this.#mass)
  }

  /** Puts what was found on the way onto the work, and below that what leads back to where the rest of the work begins. */
  #settle(): void {
    const work = this.work
    if (work.found === 0) return
    const { lowest, topPlace } = work
    if (lowest < topPlace) {
      const moves = this.#moves(lowest, topPlace)
      work.push(lowest, moves, 0, moves.length, leadsBack)
    }
    work.settle()
  }

  /** What was done between two places: for each turn how many numbers follow, and those. */
  #moves(from: number, to: number): number[] {
    const moves: number[] = []
    for (let place = from; place < to; ) {
      const { thread, what, choice, broughtStart, broughtLength, broughtEnd } = this.sequence.entries[place]
      if (broughtLength > 0) {
        moves.push(broughtLength)
        for (let i = 0; i < broughtLength; i++) moves.push(this.#brought[broughtStart + i])
        place = broughtEnd
      } else {
        if (what !== AWAKE) moves.push(stepNumbers, thread, what, choice)
        place++
      }
    }
    return moves
  }

  #replay(moves: ArrayLike<number>, start: number, end: number): void {
    this.#again = true
    for (let at = start; at < end; ) {
      const length = moves[at++]
      if (length === stepNumbers) {
        this.#reserve()
        this.sequence.entries[this.sequence.depth].choice = moves[at + 2]
        this.#take(moves[at], moves[at + 1])
      } else this.#bring(moves, at, at + length)
      at += length
    }
    this.#again = false
  }

  #take(thread: number, what: number): void {
    if (what === MARK) this.#survive(thread)
    else this.#do(thread, what === KILL || what === SPURIOUS ? what : NORMAL, IN_TURN)
  }

  // Turns.

  /** Whose turn it is. */
  #choose(): number {
    const { depth, entries, holding, running } = this.sequence
    if (holding !== 0) return lowest(holding)
    if (depth > 0) {
      const { chain } = entries[depth]
      if (chain.place >= 0 && (running >> chain.turn) & 1 && this.#enabled(chain.turn)) return this.#within(chain.turn)
      const { thread } = entries[depth - 1]
      if ((running >> thread) & 1 && this.#enabled(thread)) return this.#within(thread)
    }
    for (let rest = running; rest !== 0; rest &= rest - 1) {
      const thread = lowest(rest)
      if (this.#enabled(thread)) return this.#within(thread)
    }
    if (this.#kills) {
      for (let rest = running; rest !== 0; rest &= rest - 1) {
        const thread = lowest(rest)
        if (this.bound[thread] === 0 && this.#mayKill(thread)) return thread
      }
    }
    return none
  }

  #within(thread: number): number {
    const node = this.sequence.next[thread]
    return node.depth >= this.#events && !node.finished ? unfinished : thread
  }

  #enabled(thread: number): boolean {
    const bound = this.bound[thread]
    if (bound === TO_KILL) return true
    if (bound !== TO_SPURIOUS) return this.sequence.enabled(thread)
    const { word, a } = this.sequence.next[thread]
    return this.sequence.memory[word] === a
  }

  /** It is the turn of a thread: does its next step, and finds what else it could do. */
  #go(thread: number): void {
    this.#reserve()
    const { next, memory, depth, entries } = this.sequence
    const entry = entries[depth]
    const bound = this.bound[thread]
    entry.choice = bound
    if (bound === TO_KILL || bound === TO_SPURIOUS) {
      this.#do(thread, bound === TO_KILL ? KILL : SPURIOUS, IN_TURN)
      return
    }
    const node = next[thread]
    let survives = node.kind === DONE
    if (this.#kills && bound === 0 && this.#mayKill(thread)) {
      this.findChoice(depth, thread, killOf(thread))
      entry.choice = TO_LIVE
      if (!this.#enabled(thread)) survives = true
    }
    if (this.spurious && this.mayStartle(thread, node) && memory[node.word] === node.a) {
      this.findChoice(depth, thread, spuriousOf(thread))
      entry.choice = TO_NORMAL
    }
    if (survives) this.#survive(thread)
    else this.#do(thread, NORMAL, IN_TURN)
  }

  #mayKill(thread: number): boolean {
    const { sleeping, holding, killed } = this.sequence
    const { kills } = this.threads[thread].faults
    if (kills === 0 || ((sleeping | holding) >> thread) & 1) return false
    let count = 0
    for (let other = 0; other < this.#count; other++) if ((killed >> other) & 1 || this.bound[other] === TO_KILL) count++
    return count < kills
  }

  /** Lets a thread take a step, and finds what it races with. */
  #do(thread: number, fault: number, how: number): void {
    this.#reserve()
    const { sequence } = this
    const { depth, entries } = sequence
    const entry = entries[depth]
    const behind = entries[depth + 1]
    const bound = this.bound[thread]
    const chosen = fault !== NORMAL && bound !== TO_KILL && bound !== TO_SPURIOUS
    entry.how = how
    entry.boundBefore = bound
    behind.chain = sequence.nothing
    behind.foreign = how === IN_TURN && !chosen ? entry.foreign : entry
    this.bound[thread] = 0
    sequence.step(thread, fault)
    const woke = sequence.depth > depth + 1
    if (woke) for (let woken = depth + 1; woken < sequence.depth; woken++) this.#noteWoken(woken)
    const { what } = entry
    // Where it fell asleep before it is the turn of another one, it is that one's turn again.
    if (what === ENQUEUE) behind.chain = entries[entry.previous.place + 1].chain
    if (how === BROUGHT || this.#again) return

    if (sequence.races > 0) this.reverseRaces(entry)
    if (woke) {
      for (let woken = depth + 1; woken < sequence.depth; woken++) {
        if (how === IN_TURN) this.findExpired(entry, entries[woken])
        this.findMissedNext(entries[woken])
      }
    }
    if (how === IN_TURN && entry.op % 2 === 1 && sequence.locations[entry.op >> 1].standing !== 0) this.findStopped(entry)
    if (what === NORMAL || what === SPURIOUS || what === EXPIRE) this.findMissedNext(entry)
  }

  #noteWoken(place: number): void {
    const { entries, nothing } = this.sequence
    const entry = entries[place]
    const behind = entries[place + 1]
    entry.how = IN_TURN
    entry.boundBefore = this.bound[entry.thread]
    behind.chain = nothing
    behind.foreign = entry.foreign
    this.bound[entry.thread] = 0
  }

  /** Settles that a thread is not killed where it stands, although it does nothing there now. */
  #survive(thread: number): void {
    this.#mark(thread, IN_TURN)
    this.bound[thread] = TO_LIVE
    if (this.sequence.next[thread].kind === DONE) this.sequence.running &= ~(1 << thread)
  }

  #mark(thread: number, how: number): void {
    this.#reserve()
    const { entries, depth, nothing } = this.sequence
    const entry = entries[depth]
    const behind = entries[depth + 1]
    entry.how = how
    entry.boundBefore = this.bound[thread]
    behind.chain = nothing
    behind.foreign = how === IN_TURN ? entry.foreign : entry
    this.sequence.mark(thread, MARK)
  }

  /** Does what was found: brings forward, or lets a thread do what it has chosen. */
  #bring(numbers: ArrayLike<number>, start: number, end: number): void {
    this.#reserve()
    const { sequence } = this
    const place = sequence.entries[sequence.depth]
    const kept = this.#keep(numbers, start, end)
    const turn = numbers[start]
    const bound = numbers[start + 2]
    const turnOp = numbers[start + 3]
    const last = end - 1
    if (turnOp === nothingDone) {
      place.choice = bound
      this.#act(numbers[last], IN_TURN)
    } else {
      // A choice that is not the first one is part of all that follows.
      if (bound !== numbers[start + 1] && (bound === TO_KILL || bound === TO_SPURIOUS)) this.#mark(turn, BROUGHT)
      this.bound[turn] = bound
      for (let i = start + beforeActs; i < last; i++) this.#act(numbers[i], BROUGHT)
      this.#reserve()
      const head = sequence.entries[sequence.depth]
      head.from = place
      head.turn = turn
      head.turnOp = turnOp
      this.#act(numbers[last], HEAD)
      sequence.entries[sequence.depth].chain = head
    }
    place.broughtStart = kept
    place.broughtLength = end - start
    place.broughtEnd = sequence.depth
  }

  /** Keeps the numbers of what is brought forward, for who takes it back or gives it away. */
  #keep(numbers: ArrayLike<number>, start: number, end: number): number {
    const kept = this.#broughtTop
    this.#broughtTop = kept + end - start
    if (this.#broughtTop > this.#brought.length) this.#brought = grown(this.#brought, 2 * this.#broughtTop)
    for (let i = start; i < end; i++) this.#brought[kept + i - start] = numbers[i]
    return kept
  }

  #act(act: number, how: number): void {
    this.#do(threadOf(act), isKill(act) ? KILL : isSpurious(act) ? SPURIOUS : NORMAL, how)
  }

  /** Takes back what was done after a place. */
  #cut(place: number): void {
    const { sequence, bound } = this
    while (sequence.depth > place) {
      const entry = sequence.undo()
      if (entry.broughtLength > 0) {
        // The thread whose turn it was is no longer bound by what was brought before it.
        const start = entry.broughtStart
        bound[this.#brought[start]] = this.#brought[start + 1]
        this.#broughtTop = start
        entry.broughtLength = 0
      }
      bound[entry.thread] = entry.boundBefore
    }
  }

  #reserve(): void {
    this.sequence.reserve(this.#count + 3)
  }

  // Ends.

  /** What it is when nobody can go on. */
  #end(): Leaf {
    const { sequence } = this
    if (sequence.finished === this.#all) return 'complete'
    let leaf: Leaf = 'complete'
    for (let thread = 0; thread < this.#count; thread++) {
      if (sequence.next[thread].kind >= DONE) continue
      if (this.bound[thread] === TO_KILL || this.bound[thread] === TO_SPURIOUS) return 'discarded'
      if (((sequence.sleeping >> thread) & 1) === 0 && !sequence.sawNewest(thread)) return 'blocked'
      leaf = 'stuck'
    }
    return leaf
  }

  get words(): number {
    return this.memory.length
  }

  /** What a word holds. */
  load(word: number): number {
    return this.memory[word]
  }

  /** What a thread does next; undefined when it sleeps. */
  next(thread: number): History | undefined {
    return (this.sequence.sleeping >> thread) & 1 ? undefined : this.sequence.next[thread]
  }

  /** Whether killed threads may have left bytes undefined. */
  get mayBeTorn(): boolean {
    return this.sequence.killed !== 0 && this.sequence.unordered.active
  }

  /** The bytes of a word that killed threads have left undefined. */
  tornBytes(word: number): number {
    return this.sequence.unordered.tornBytes(word)
  }

  /** The steps of the current interleaving; after a failure those that show it. */
  schedule(): number[] {
    return this.sequence.schedule()
  }

  get waiters(): Waiters {
    return this.sequence.waiters
  }

  /** The current interleaving as a graph; valid until the next call of `advance`. */
  get graph(): Graph {
    if (!this.#drawn) {
      this.#drawn = true
      this.#graph = graphOf(this.#graph, this.#initial, this.threads, this.schedule(), this.waiters)
    }
    return this.#graph as Graph
  }

  /** Keeps memory bounded: histories that are needed again cost a run of user code. */
  #forget(): void {
    for (let thread = 0; thread < this.#count; thread++) {
      if (this.threads[thread].nodes < this.#remembered[thread]) continue
      this.#remembered[thread] = this.threads[thread].nodes + this.#histories
      this.sequence.forget(thread)
    }
  }
}

/** The lowest one of several threads. */
function lowest(threads: number): number {
  return 31 - Math.clz32(threads & -threads)
}
