import type { Graph } from '../model/graph.ts'
import type { History, Thread } from '../model/history.ts'
import { COMPARE_EXCHANGE, DONE, LOAD, WAIT } from '../model/operation.ts'
import { isKill, isSpurious, killOf, spuriousOf, threadOf } from '../model/step.ts'
import type { Waiters } from '../model/waiters.ts'
import { grown } from './grown.ts'
import { Sequence } from './sequence.ts'
import { graphOf } from './sequence-graph.ts'
import { AWAKE, actOf, ENQUEUE, EXPIRE, KILL, MARK, NORMAL, SPURIOUS, TEST } from './step-kinds.ts'
import { type Subtree, wholeTree } from './subtree.ts'
import { Work } from './work.ts'

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
 * Where other searches win: the graph search that this one replaced was two to three times as fast where stores and readers are
 * many, about as fast on most structures, and half to a ninth as fast where all add to one word, or wait for locks. One with wakeup trees,
 * that looks for no data races, knows no `wait`, and whose work cannot be divided, makes 1.5 times as many executions a second in the
 * median (`test/bench/README.md`).
 */

// How an entry came to be where it is.
const IN_TURN = 0
/** Brought forward, and others follow. */
const BROUGHT = 1
/** Brought forward, the last of them. */
const HEAD = 2

// To what a thread can be bound, besides nothing: the next step it does.
const TO_NORMAL = 1
const TO_KILL = 2
const TO_SPURIOUS = 3
/** It is not killed where it stands; but it may still wake up for no reason. */
const TO_LIVE = 4

const none = -1
const unfinished = -2
/** In place of its share of the tree, what a record has that only leads back to where the next one begins. */
const leadsBack = -1

/** The numbers of a step that came in turn: the thread, what it did, and to what it was bound otherwise. */
const stepNumbers = 3
/** The numbers of what is brought forward before its steps: whose turn it is, bound to what before and after, and what it would do. */
const beforeActs = 4

const perEntry = [
  'how',
  'boundBefore',
  'choice',
  'foreign',
  'chain',
  'from',
  'for',
  'forOp',
  'broughtStart',
  'broughtLength',
  'broughtEnd',
] as const

/** What is known of each entry of a sequence, and of the place before it. */
class Turns {
  declare how: Int32Array
  /** To what its thread was bound. */
  declare boundBefore: Int32Array
  /** To what its thread is bound if something comes before this step after all. */
  declare choice: Int32Array
  /** For a place the last entry before that was brought forward, or was a choice. */
  declare foreign: Int32Array
  /** For a place the head, if what stands before was brought forward. */
  declare chain: Int32Array
  /** For a head the place before what was brought forward with it, whose turn it was there, and what that step would have done. */
  declare from: Int32Array
  declare for: Int32Array
  declare forOp: Int32Array
  /** For a place from which something was brought forward, or chosen, the numbers of that, and the place behind. */
  declare broughtStart: Int32Array
  declare broughtLength: Int32Array
  declare broughtEnd: Int32Array

  constructor(entries: number) {
    for (const name of perEntry) this[name] = new Int32Array(entries)
    this.foreign[0] = none
    this.chain[0] = none
  }

  reserve(entries: number): void {
    for (const name of perEntry) this[name] = grown(this[name], entries)
  }
}

/** What a search finds at the end of each path. */
export type Leaf = 'complete' | 'blocked' | 'stuck' | 'discarded' | 'unfinished'

export class Search {
  readonly threads: readonly Thread[]
  readonly sequence: Sequence
  /** What the words hold. */
  readonly memory: Int32Array
  /** Estimated share of the search tree that is done. */
  share = 0
  readonly #initial: Int32Array
  readonly #count: number
  readonly #events: number
  readonly #histories: number
  /** For each thread how many histories it has had when some are forgotten next. */
  readonly #remembered: number[]
  readonly #kills: boolean
  readonly #spurious: boolean
  readonly #turns: Turns
  readonly #work: Work = new Work()
  /** To what each thread is bound. */
  readonly #bound: Uint8Array
  /** The numbers of all that was brought forward in the sequence. */
  #brought: Int32Array = new Int32Array(256)
  #broughtTop = 0
  /** The subtree that is to be walked next. */
  #task: Subtree | undefined = wholeTree
  #begun = false
  /** Nothing is looked for: it was found before. */
  #again = false
  /** Estimated share of the part of the tree that is being walked. */
  #mass = 1
  readonly #scratch: Int32Array
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
    this.threads = threads
    this.sequence = new Sequence(threads, initial)
    this.memory = this.sequence.memory.subarray(0, initial.length)
    this.#initial = initial
    this.#count = threads.length
    this.#events = events
    this.#histories = histories
    this.#remembered = threads.map(() => histories)
    this.#kills = threads.some(({ faults }) => faults.kills > 0)
    this.#spurious = threads.some(({ faults }) => faults.spurious)
    this.#turns = new Turns(this.sequence.capacity)
    this.#bound = new Uint8Array(threads.length)
    this.#scratch = new Int32Array(threads.length)
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
    while (this.#work.pop()) {
      this.#cut(this.#work.place)
      if (!this.#isTask()) continue
      this.#forget()
      this.#mass = this.#work.mass
      this.#bring(this.#work.stack, this.#work.start, this.#work.end)
      this.#split()
      return this.#extend()
    }
    return undefined
  }

  /** Whether what was popped is something to do. What only leads back to where the next one begins is done. */
  #isTask(): boolean {
    if (this.#work.mass !== leadsBack) return true
    this.#replay(this.#work.stack, this.#work.start, this.#work.end)
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
    while (this.#work.pop()) {
      this.#cut(this.#work.place)
      if (!this.#isTask()) continue
      const { stack, start, end, mass } = this.#work
      subtrees.push({ moves: this.#moves(0, this.sequence.depth), task: [...stack.subarray(start, end)], mass })
    }
    this.#cut(0)
    return subtrees
  }

  /** Takes up a subtree, when nothing is left to do: `advance` then walks that one. */
  enter(subtree: Subtree): void {
    if (this.#work.size > 0) throw new Error('a search that has work left cannot enter another subtree')
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
    const work = this.#work
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
    if (this.#work.weight > 0) this.#mass = this.#work.share(this.#mass)
  }

  /** Puts what was found on the way onto the work, and below that what leads back to where the rest of the work begins. */
  #settle(): void {
    const work = this.#work
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
    const { thread, what } = this.sequence
    const { broughtStart, broughtLength, broughtEnd, choice } = this.#turns
    const moves: number[] = []
    for (let step = from; step < to; ) {
      const length = broughtLength[step]
      if (length > 0) {
        moves.push(length)
        for (let i = 0; i < length; i++) moves.push(this.#brought[broughtStart[step] + i])
        step = broughtEnd[step]
      } else {
        if (what[step] !== AWAKE) moves.push(stepNumbers, thread[step], what[step], choice[step])
        step++
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
        this.#turns.choice[this.sequence.depth] = moves[at + 2]
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
    const { depth, holding, running, thread: owner } = this.sequence
    if (holding !== 0) return 31 - Math.clz32(holding & -holding)
    if (depth > 0) {
      const head = this.#turns.chain[depth]
      if (head >= 0) {
        const turn = this.#turns.for[head]
        if ((running >> turn) & 1 && this.#enabled(turn)) return this.#within(turn)
      }
      const thread = owner[depth - 1]
      if ((running >> thread) & 1 && this.#enabled(thread)) return this.#within(thread)
    }
    for (let rest = running; rest !== 0; rest &= rest - 1) {
      const thread = 31 - Math.clz32(rest & -rest)
      if (this.#enabled(thread)) return this.#within(thread)
    }
    if (this.#kills) {
      for (let rest = running; rest !== 0; rest &= rest - 1) {
        const thread = 31 - Math.clz32(rest & -rest)
        if (this.#bound[thread] === 0 && this.#mayKill(thread)) return thread
      }
    }
    return none
  }

  #within(thread: number): number {
    const node = this.sequence.next[thread]
    return node.depth >= this.#events && !node.finished ? unfinished : thread
  }

  #enabled(thread: number): boolean {
    const bound = this.#bound[thread]
    if (bound === TO_KILL) return true
    if (bound !== TO_SPURIOUS) return this.sequence.enabled(thread)
    const { word, a } = this.sequence.next[thread]
    return this.sequence.memory[word] === a
  }

  /** It is the turn of a thread: does its next step, and finds what else it could do. */
  #go(thread: number): void {
    this.#reserve()
    const { next, memory, depth } = this.sequence
    const { choice } = this.#turns
    const bound = this.#bound[thread]
    choice[depth] = bound
    if (bound === TO_KILL || bound === TO_SPURIOUS) {
      this.#do(thread, bound === TO_KILL ? KILL : SPURIOUS, IN_TURN)
      return
    }
    const node = next[thread]
    let survives = node.kind === DONE
    if (this.#kills && bound === 0 && this.#mayKill(thread)) {
      this.#findChoice(depth, thread, killOf(thread))
      choice[depth] = TO_LIVE
      if (!this.#enabled(thread)) survives = true
    }
    if (this.#spurious && this.mayStartle(thread, node) && memory[node.word] === node.a) {
      this.#findChoice(depth, thread, spuriousOf(thread))
      choice[depth] = TO_NORMAL
    }
    if (survives) this.#survive(thread)
    else this.#do(thread, NORMAL, IN_TURN)
  }

  #mayKill(thread: number): boolean {
    const { sleeping, holding, killed } = this.sequence
    const { kills } = this.threads[thread].faults
    if (kills === 0 || ((sleeping | holding) >> thread) & 1) return false
    let count = 0
    for (let other = 0; other < this.#count; other++) if ((killed >> other) & 1 || this.#bound[other] === TO_KILL) count++
    return count < kills
  }

  /** Whether a thread may wake up for no reason, now or later, if its word holds what it expects. */
  protected mayStartle(thread: number, node: History): boolean {
    const { sleeping, startled, holding } = this.sequence
    const bound = this.#bound[thread]
    if (node.kind !== WAIT || (bound !== 0 && bound !== TO_LIVE)) return false
    return ((sleeping | startled | holding) >> thread) % 2 === 0 && this.threads[thread].faults.spurious
  }

  /** Lets a thread take a step, and finds what it races with. */
  #do(thread: number, fault: number, how: number): void {
    this.#reserve()
    const { sequence } = this
    const turns = this.#turns
    const { depth } = sequence
    turns.how[depth] = how
    const bound = this.#bound[thread]
    const chosen = fault !== NORMAL && bound !== TO_KILL && bound !== TO_SPURIOUS
    turns.boundBefore[depth] = bound
    turns.chain[depth + 1] = none
    turns.foreign[depth + 1] = how === IN_TURN && !chosen ? turns.foreign[depth] : depth
    this.#bound[thread] = 0
    sequence.step(thread, fault)
    for (let woken = depth + 1; woken < sequence.depth; woken++) this.#noteWoken(woken)
    const what = sequence.what[depth]
    // Where it fell asleep before it is the turn of another one, it is that one's turn again.
    if (what === ENQUEUE) turns.chain[depth + 1] = turns.chain[sequence.previous[depth] + 1]
    if (how === BROUGHT || this.#again) return

    if (sequence.races > 0) this.#reverseRaces(depth)
    for (let woken = depth + 1; woken < sequence.depth; woken++) {
      if (how === IN_TURN) this.findExpired(depth, woken)
      this.#findMissedNext(woken)
    }
    if (how === IN_TURN && sequence.op[depth] % 2 === 1) this.findStopped(depth)
    if (what === NORMAL || what === SPURIOUS || what === EXPIRE) this.#findMissedNext(depth)
  }

  #noteWoken(entry: number): void {
    const turns = this.#turns
    const thread = this.sequence.thread[entry]
    turns.how[entry] = IN_TURN
    turns.boundBefore[entry] = this.#bound[thread]
    turns.chain[entry + 1] = none
    turns.foreign[entry + 1] = turns.foreign[entry]
    this.#bound[thread] = 0
  }

  /** Settles that a thread is not killed where it stands, although it does nothing there now. */
  #survive(thread: number): void {
    this.#mark(thread, IN_TURN)
    this.#bound[thread] = TO_LIVE
    if (this.sequence.next[thread].kind === DONE) this.sequence.running &= ~(1 << thread)
  }

  #mark(thread: number, how: number): void {
    this.#reserve()
    const turns = this.#turns
    const { depth } = this.sequence
    turns.how[depth] = how
    turns.boundBefore[depth] = this.#bound[thread]
    turns.chain[depth + 1] = none
    turns.foreign[depth + 1] = how === IN_TURN ? turns.foreign[depth] : depth
    this.sequence.mark(thread)
  }

  /** Does what was found: brings forward, or lets a thread do what it has chosen. */
  #bring(numbers: ArrayLike<number>, start: number, end: number): void {
    this.#reserve()
    const turns = this.#turns
    const place = this.sequence.depth
    const kept = this.#keep(numbers, start, end)
    const turn = numbers[start]
    const bound = numbers[start + 2]
    const forOp = numbers[start + 3]
    const last = end - 1
    if (forOp === none) {
      turns.choice[place] = bound
      this.#act(numbers[last], IN_TURN)
    } else {
      // A choice that is not the first one is part of all that follows.
      if (bound !== numbers[start + 1] && (bound === TO_KILL || bound === TO_SPURIOUS)) this.#mark(turn, BROUGHT)
      this.#bound[turn] = bound
      for (let i = start + beforeActs; i < last; i++) this.#act(numbers[i], BROUGHT)
      const head = this.sequence.depth
      turns.from[head] = place
      turns.for[head] = turn
      turns.forOp[head] = forOp
      this.#act(numbers[last], HEAD)
      turns.chain[this.sequence.depth] = head
    }
    turns.broughtStart[place] = kept
    turns.broughtLength[place] = end - start
    turns.broughtEnd[place] = this.sequence.depth
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
    const { sequence } = this
    const turns = this.#turns
    while (sequence.depth > place) {
      const step = sequence.depth - 1
      sequence.undo()
      if (turns.broughtLength[step] > 0) {
        // The thread whose turn it was is no longer bound by what was brought before it.
        const start = turns.broughtStart[step]
        this.#bound[this.#brought[start]] = this.#brought[start + 1]
        this.#broughtTop = start
        turns.broughtLength[step] = 0
      }
      this.#bound[sequence.thread[step]] = turns.boundBefore[step]
    }
  }

  #reserve(): void {
    if (this.sequence.reserve(this.#count + 3)) this.#turns.reserve(this.sequence.capacity)
  }

  // Races.

  #reverseRaces(depth: number): void {
    const { racing, races, tested } = this.sequence
    if (tested) {
      this.#reverseTested(depth)
      return
    }
    const foreign = this.lastForeign(depth)
    const { how } = this.#turns
    for (let i = 0; i < races; i++) {
      const step = racing[i]
      if (step > foreign && how[step] === IN_TURN) this.reverse(step, depth)
    }
  }

  /**
   * The same for a write of a word that sleepers have read: it comes after they fell asleep. Who fell asleep after whom is
   * no matter when it comes before one of them.
   */
  #reverseTested(depth: number): void {
    const { sequence } = this
    const { racing, races, clock, previous, thread, position } = sequence
    const count = this.#count
    const at = depth * count
    const known = this.#scratch
    for (let t = 0; t < count; t++) known[t] = clock[at + t]
    for (let i = 0; i < races; i++) {
      const step = racing[i]
      if (this.#turns.how[step] !== IN_TURN) continue
      const from = previous[depth] * count
      for (let t = 0; t < count; t++) clock[at + t] = from < 0 ? 0 : clock[from + t]
      clock[at + thread[depth]] = position[depth]
      for (let j = 0; j < races; j++) if (j !== i) sequence.join(clock, at, this.endOf(racing[j]))
      if (sequence.happensBefore(step, depth)) continue
      sequence.join(clock, at, step)
      if (step > this.lastForeign(depth)) this.reverse(step, depth)
    }
    clock.set(known, at)
  }

  /** The step by which a `wait` fell asleep that had read, and any other step itself. */
  protected endOf(step: number): number {
    return this.sequence.endOf(step)
  }

  /** The last entry before a step that was brought forward, or was a choice, and does not happen before it. */
  protected lastForeign(depth: number): number {
    let entry = this.#turns.foreign[depth]
    while (entry >= 0 && this.isCause(entry, depth)) entry = this.#turns.foreign[entry]
    return entry
  }

  /** Whether an entry is there because a later one needs it. */
  protected isCause(entry: number, later: number): boolean {
    return this.sequence.happensBefore(entry, later)
  }

  /** Finds that a step may come before an earlier one, if it can. */
  protected reverse(step: number, depth: number): void {
    const { sequence } = this
    const thread = sequence.thread[depth]
    const what = sequence.what[depth]
    const node = sequence.node[depth]
    let op = sequence.op[depth]
    if ((what === NORMAL && (node.kind === LOAD || node.kind >= COMPARE_EXCHANGE)) || what === TEST) {
      const value = this.#valueBefore(step, depth)
      if (!sequence.passes(thread, node, value)) return
      op = sequence.opOf(node, value)
    } else if (what === SPURIOUS && this.#valueBefore(step, depth) !== node.a) return
    if (this.isFirst(step, thread, sequence.previous[depth], op)) this.#find(step, depth, depth, actOf(thread, what))
  }

  /** What a later step would find before an earlier one. */
  #valueBefore(step: number, later: number): number {
    const { op, old } = this.sequence
    return op[step] % 2 === 1 ? old[step] : old[later]
  }

  /** Whether nothing that was brought before a step already should have waited for one that touches the same location. */
  protected isFirst(step: number, thread: number, previous: number, op: number): boolean {
    const { sequence } = this
    const { chain, from, for: turnOf, forOp } = this.#turns
    const turn = sequence.thread[step]
    for (let place = step; ; ) {
      const head = chain[place]
      if (head < 0 || turnOf[head] !== turn) return true
      if (sequence.happensBefore(head, previous) || clash(sequence.op[head], op)) return true
      if (sequence.thread[head] > thread && clash(forOp[head], op)) return false
      place = from[head]
    }
  }

  /** A write may have stopped threads that could have gone before. */
  protected findStopped(depth: number): void {
    const { sequence } = this
    const { standing, memory, old: before, op, tip, next } = sequence
    const location = op[depth] >> 1
    if (standing[location] === 0) return
    const value = memory[location]
    const old = before[depth]
    for (let rest = standing[location] & ~(1 << sequence.thread[depth]); rest !== 0; rest &= rest - 1) {
      const thread = 31 - Math.clz32(rest & -rest)
      const node = next[thread]
      const bound = this.#bound[thread]
      const previous = tip[thread]
      if (previous > depth) continue // It was woken by this step.
      const free = bound !== TO_KILL && bound !== TO_SPURIOUS
      if (free && !sequence.passes(thread, node, value) && sequence.passes(thread, node, old)) {
        if (this.isFirst(depth, thread, previous, sequence.opOf(node, old))) this.#find(depth, none, depth, thread)
      }
      if (!this.#spurious || node.kind !== WAIT || old !== node.a || value === node.a) continue
      if (bound === TO_SPURIOUS || this.mayStartle(thread, node)) {
        if (this.isFirst(depth, thread, previous, 2 * location)) this.#find(depth, none, depth, spuriousOf(thread))
      }
    }
  }

  #findMissedNext(entry: number): void {
    const thread = this.sequence.thread[entry]
    const node = this.sequence.next[thread]
    if (this.sequence.looks(node)) this.findMissed(entry, thread, node)
  }

  /** A thread may have come too late for a write that stops it. */
  protected findMissed(entry: number, thread: number, node: History): void {
    const { sequence } = this
    const { lastWrite, writeBefore, old: before, memory } = sequence
    const location = sequence.locationOf(node)
    let write = lastWrite[location]
    if (write < 0) return
    const startles = this.#spurious && this.mayStartle(thread, node)
    let foreign: number | undefined
    let value = memory[location]
    while (write >= 0 && !sequence.happensBefore(write, entry)) {
      const old = before[write]
      if (this.#turns.how[write] === IN_TURN) {
        const stops = !sequence.passes(thread, node, value) && sequence.passes(thread, node, old)
        const calms = startles && old === node.a && value !== node.a
        if (stops || calms) {
          foreign ??= this.lastForeign(entry)
          if (write < foreign) return
          if (stops && this.isFirst(write, thread, entry, sequence.opOf(node, old))) this.#find(write, entry, entry + 1, thread)
          if (calms && this.isFirst(write, thread, entry, 2 * location)) this.#find(write, entry, entry + 1, spuriousOf(thread))
        }
      }
      value = old
      write = writeBefore[write]
    }
  }

  /** The time of a sleeper that is woken could have been over. */
  protected findExpired(notify: number, woken: number): void {
    const { node, thread, previous, op } = this.sequence
    if (node[woken].b === Number.POSITIVE_INFINITY) return
    if (this.isFirst(notify, thread[woken], previous[woken], op[notify])) this.#find(notify, none, notify, thread[woken])
  }

  /** What happens before `cause`, between a step and `end`, and then an act, may come before that step. */
  #find(step: number, cause: number, end: number, act: number): void {
    const work = this.#work
    const { sequence } = this
    const { thread, what, op } = sequence
    const { boundBefore, choice } = this.#turns
    work.begin(step, cause < 0 ? 1 : this.#weightOf(step, sequence.previous[cause]))
    work.add(thread[step])
    work.add(boundBefore[step])
    work.add(this.boundBy(what[step], choice[step]))
    work.add(op[step])
    if (cause >= 0) {
      for (let other = step + 1; other < end; other++) {
        if (op[other] >= 0 && sequence.happensBefore(other, cause)) work.add(actOf(thread[other], what[other]))
      }
    }
    work.add(act)
    work.finish()
  }

  /** How much of the tree a reversal is thought to be: the later step can be brought before all writes that its thread has not seen. */
  #weightOf(step: number, seen: number): number {
    const { writeBefore } = this.sequence
    let weight = 1
    for (let write = writeBefore[step]; write > seen; write = writeBefore[write]) weight++
    return weight
  }

  /** To what a thread is bound that chose a step, if others come before that. */
  protected boundBy(what: number, choice: number): number {
    return what === KILL ? TO_KILL : what === SPURIOUS ? TO_SPURIOUS : choice
  }

  /** What else a thread may do in its turn. */
  #findChoice(place: number, thread: number, act: number): void {
    const work = this.#work
    work.begin(place, 1)
    work.add(thread)
    work.add(this.#bound[thread])
    work.add(0)
    work.add(none)
    work.add(act)
    work.finish()
  }

  // Ends.

  /** What it is when nobody can go on. */
  #end(): Leaf {
    const { sequence } = this
    let leaf: Leaf = 'complete'
    for (let thread = 0; thread < this.#count; thread++) {
      if (sequence.next[thread].kind >= DONE) continue
      if (this.#bound[thread] === TO_KILL || this.#bound[thread] === TO_SPURIOUS) return 'discarded'
      if (((sequence.sleeping >> thread) & 1) === 0 && !sequence.sawNewest(thread)) return 'blocked'
      leaf = 'stuck'
    }
    return leaf
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

/** Whether two steps touch one location, and one of them writes it. */
function clash(one: number, other: number): boolean {
  return one >> 1 === other >> 1 && ((one | other) & 1) === 1
}
