import type { Graph } from '../model/graph.ts'
import type { History } from '../model/history.ts'
import type { Machine } from '../model/machine.ts'
import { canonical } from '../model/plain-data.ts'
import type { HistoryPromise } from '../model/sequential.ts'
import { type Acceptor, acceptorOf } from './acceptor.ts'
import { type Configuration, Configurations, type Open } from './configurations.ts'
import { type Done, doneInMachine, GraphPoints, type Point, Points, pointsInMachine, pointsOf } from './history-points.ts'
import { unexplainedText } from './history-text.ts'
import { explain, type Operation } from './linearizability.ts'

/**
 * Judges the histories of a program: all histories that an execution can have, for the marks of threads that do not wait for
 * one another can come in many orders, and the specification must explain each of them. Histories that were judged before
 * cost next to nothing.
 */

/** The judge of a promise: what it has found out about the specification serves every program that makes this promise. */
export function judgeOf(promise: HistoryPromise): HistoryJudge {
  let judge = judges.get(promise)
  if (judge === undefined) {
    judge = new HistoryJudge(promise)
    judges.set(promise, judge)
  }
  return judge
}

const judges = new WeakMap<HistoryPromise, HistoryJudge>()

/** Some history of a graph has no explanation. `states` lead there: how many events of each thread had happened. */
export class HistoryBroken extends Error {
  readonly guarantee: string
  readonly states: readonly Int32Array[]

  constructor(guarantee: string, states: readonly Int32Array[]) {
    super('a history has no explanation')
    this.guarantee = guarantee
    this.states = states
  }
}

/** Where a thread is that does nothing more: before an operation, or asleep in it. */
export interface Stopped {
  readonly end: History
  readonly asleep: boolean
}

/** A thread at one of its ends. */
interface Ended {
  readonly points: readonly Point[]
  /** The same for points that are the same. */
  readonly name: number
}

const rememberedMost = 100_000

export class HistoryJudge {
  readonly #promise: HistoryPromise
  readonly #acceptor: Acceptor
  readonly #configurations: Configurations
  readonly #ended = new WeakMap<History, Ended>()
  readonly #names = new Map<string, number>()
  readonly #inGraph = new GraphPoints()
  #explained = new Set<string>()

  constructor(promise: HistoryPromise) {
    this.#promise = promise
    this.#acceptor = acceptorOf(promise)
    this.#configurations = new Configurations(this.#acceptor)
  }

  /** The guarantee that is broken where a history has no explanation. */
  get guarantee(): string {
    return this.#promise.guarantee ?? conditionName(this.#promise)
  }

  get #byThread(): boolean {
    return this.#promise.condition === 'sequentially-consistent'
  }

  /** Judges a complete execution; `ends` are the ends of its threads. Throws `HistoryBroken`. */
  judgeGraph(graph: Graph, threads: readonly { readonly name: string }[], ends: readonly (History | undefined)[]): void {
    const ended = ends.map((end, thread) => this.#end(threads[thread].name, end as History))
    const key = new Key()
    for (const { name } of ended) key.add(name)
    if (this.#byThread && this.#explained.has(key.text)) return
    const pointsOfThreads = ended.map(({ points }) => points)
    const points = this.#inGraph.find(graph, pointsOfThreads)
    if (!this.#byThread) addOrder(key, points)
    if (this.#explained.has(key.text)) return
    const path = this.#unexplained(points)
    if (path !== undefined) throw new HistoryBroken(this.guarantee, this.#statesOf(graph, path))
    this.#remember(key.text)
  }

  /**
   * Judges an execution in which some threads can never go on. Nothing is wrong if each of them waits as the specification says
   * that it must, in every order that the execution allows. Otherwise answers with the states on the way to one in which
   * somebody need not wait. Throws `HistoryBroken`.
   */
  judgeStuck(
    graph: Graph,
    threads: readonly { readonly name: string }[],
    ends: readonly Stopped[],
  ): readonly Int32Array[] | undefined {
    if (this.#promise.mayWait !== true) return []
    const done = ends.map(({ end, asleep }, thread) => pointsOf(threads[thread].name, end, asleep, this.#acceptor))
    const points = this.#inGraph.find(
      graph,
      done.map((one) => one.points),
    )
    const path = this.#unexplained(points)
    if (path !== undefined) throw new HistoryBroken(this.guarantee, this.#statesOf(graph, path))
    const needless = this.#needlessWait(points, done, ends)
    return needless === undefined ? undefined : this.#statesOf(graph, orderWith(points, needless))
  }

  /** The states of a graph after each of its points, in this order. */
  #statesOf(graph: Graph, path: readonly number[]): Int32Array[] {
    const counts = new Int32Array(graph.threads)
    const states: Int32Array[] = []
    for (const thread of path) {
      graph.open()
      counts[thread]++
      for (const [other, count] of counts.entries()) if (count > 0) graph.includeFirst(other, this.#inGraph.at[other][count - 1])
      graph.close()
      states.push(graph.inside.slice())
    }
    return states
  }

  /** Whether the threads of a machine that cannot go on wait as the specification says that they must. */
  mayWait(machine: Machine): boolean {
    if (this.#promise.mayWait !== true) return false
    const ends = machine.threads.map((_, thread) => ({ end: machine.next[thread] as History, asleep: machine.asleep[thread] }))
    const done = doneInMachine(machine, this.#acceptor)
    return this.#needlessWait(pointsInMachine(machine, done), done, ends) === undefined
  }

  /** An order of points after which somebody need not wait for ever. */
  #needlessWait(points: Points, done: readonly Done[], ends: readonly Stopped[]): Path | undefined {
    const waiting: Open[] = []
    for (const [slot, { end, asleep }] of ends.entries()) {
      if (end.finished && !asleep) continue
      const { open } = done[slot]
      if (open === undefined) return []
      waiting.push({ slot, letter: open.letter })
    }
    return this.#walk(points, waiting)
  }

  /** What is wrong with the history of what a machine has done. */
  judgeMachine(
    machine: Machine,
  ): { readonly kind: 'assertion'; readonly guarantee: string; readonly message: string } | undefined {
    // Before the end, an operation may still change places with one that is to come.
    if (typeof this.#promise.condition === 'object' && !machine.finished) return undefined
    const points = pointsInMachine(machine, doneInMachine(machine, this.#acceptor))
    const key = this.#keyOf(points)
    if (this.#explained.has(key)) return undefined
    const path = this.#unexplained(points)
    if (path === undefined) {
      this.#remember(key)
      return undefined
    }
    const history = historyOf(points, path)
    const message = unexplainedText(history, explain(this.#acceptor, this.#promise, history), conditionName(this.#promise))
    return { kind: 'assertion', guarantee: this.guarantee, message }
  }

  /** The same for two machines if what follows has the same history to be judged, given that they can do the same. */
  keyOf(machine: Machine): string {
    return this.#byThread ? '' : this.#keyOf(pointsInMachine(machine, doneInMachine(machine, this.#acceptor)))
  }

  #end(thread: string, end: History): Ended {
    let ended = this.#ended.get(end)
    if (ended === undefined) {
      const { points } = pointsOf(thread, end, false, this.#acceptor)
      ended = { points, name: this.#nameOf(points) }
      this.#ended.set(end, ended)
    }
    return ended
  }

  /** A number for some points. */
  #nameOf(points: readonly Point[]): number {
    let key = ''
    for (const { letter, calls, returns } of points) {
      key += `${letter}${calls ? 'c' : ''}${returns ? 'r' : ''}`
    }
    let name = this.#names.get(key)
    if (name === undefined) {
      name = this.#names.size
      this.#names.set(key, name)
    }
    return name
  }

  #keyOf(points: Points): string {
    const key = new Key()
    for (const thread of points.threads) key.add(this.#nameOf(thread))
    if (!this.#byThread) addOrder(key, points)
    return key.text
  }

  #remember(key: string): void {
    if (this.#explained.size >= rememberedMost) this.#explained = new Set()
    this.#explained.add(key)
  }

  /** An order of all points in which they have no explanation, as the threads whose points come. */
  #unexplained(points: Points): readonly number[] | undefined {
    this.#configurations.trim()
    if (this.#byThread) {
      const path = orderWith(points, [])
      return explain(this.#acceptor, this.#promise, historyOf(points, path)).explained ? undefined : path
    }
    for (const { points: part, whole } of this.#parts(points)) {
      const key = this.#keyOf(part)
      if (this.#explained.has(key)) continue
      const path = this.#walk(part)
      if (path !== undefined) {
        const inWhole = path.map(([thread, index]) => [thread, whole[thread][index]] as const)
        return orderWith(points, inWhole)
      }
      this.#remember(key)
    }
    return undefined
  }

  /** The points of operations that have something to do with one another. */
  #parts(points: Points): readonly Part[] {
    const { threads } = points
    const { key } = this.#promise.specification
    if (key === undefined) return [{ points, whole: threads.map((thread) => [...thread.keys()]) }]
    const keys = threads.map((thread) => thread.map(({ operation }) => canonical(key(operation.argument, operation.name))))
    return [...new Set(keys.flat())].map((part) => {
      const whole = keys.map((thread) => [...thread.keys()].filter((index) => thread[index] === part))
      const needs = whole.flatMap((indices, thread) =>
        indices.flatMap((index) =>
          whole.map((others, other) => others.filter((one) => one < points.need(thread, index, other)).length),
        ),
      )
      return {
        points: new Points(
          whole.map((indices, thread) => indices.map((index) => threads[thread][index])),
          needs,
        ),
        whole,
      }
    })
  }

  /**
   * Looks for an order of points in which they have no explanation. A state of this walk is how many points of each thread
   * have come, and what may then be true; there are many ways into each state, and it is left once.
   *
   * @param waiting those who can never go on: they must not have taken effect, nor be able to
   */
  #walk(points: Points, waiting: readonly Open[] = []): Path | undefined {
    const { threads } = points
    const stack: Walked[] = [
      { counts: threads.map(() => 0), configurations: [this.#configurations.initial], thread: -1, earlier: undefined },
    ]
    const seen = new Set<string>()
    for (let walked = stack.pop(); walked !== undefined; walked = stack.pop()) {
      const { counts, configurations } = walked
      const key = `${counts.join()}|${configurations.map(({ number }) => number).join()}`
      if (seen.has(key)) continue
      seen.add(key)
      const open = this.#openAt(threads, counts)
      let atEnd = true
      for (let thread = 0; thread < threads.length; thread++) {
        const index = counts[thread]
        if (index === threads[thread].length) continue
        atEnd = false
        if (counts.some((count, other) => count < points.need(thread, index, other))) continue
        const next = this.#after(configurations, threads[thread][index], thread, open)
        const step: Walked = { counts: counts.with(thread, index + 1), configurations: next, thread, earlier: walked }
        if (next.length === 0) return pathTo(step)
        stack.push(step)
      }
      if (atEnd && !configurations.some((one) => this.#mayEnd(one, open, waiting))) return pathTo(walked)
    }
    return undefined
  }

  #mayEnd(configuration: Configuration, open: readonly Open[], waiting: readonly Open[]): boolean {
    if (waiting.length === 0) return this.#configurations.ended(configuration, open) !== undefined
    const others = open.filter(({ slot }) => waiting.every((one) => one.slot !== slot))
    return this.#configurations
      .settled(configuration, others)
      .some(({ state, done }) =>
        waiting.every(({ slot, letter }) => !done.includes(slot) && this.#acceptor.next(state, letter).length === 0),
      )
  }

  /** Who has been called and has not returned. */
  #openAt(threads: readonly (readonly Point[])[], counts: readonly number[]): Open[] {
    const open: Open[] = []
    for (const [thread, points] of threads.entries()) {
      const latest = points[counts[thread] - 1]
      if (latest?.returns === false) open.push({ slot: thread, letter: latest.letter })
    }
    return open
  }

  /** What may be true after a point. */
  #after(
    configurations: readonly Configuration[],
    point: Point,
    thread: number,
    open: readonly Open[],
  ): readonly Configuration[] {
    if (!point.returns) return configurations
    const called = point.calls ? [...open, { slot: thread, letter: point.letter }] : open
    const after = new Map<number, Configuration>()
    for (const configuration of configurations) {
      for (const reached of this.#configurations.returned(configuration, called, thread)) {
        after.set(reached.configuration.number, reached.configuration)
      }
    }
    return [...after.values()].sort((a, b) => a.number - b.number)
  }
}

function conditionName({ condition = 'linearizable' }: HistoryPromise): string {
  return typeof condition === 'object' ? 'quasi-linearizable' : condition
}

/** Some points in some order. */
type Path = readonly (readonly [thread: number, index: number])[]

/** Some of the points, and which they are among all. */
interface Part {
  readonly points: Points
  readonly whole: readonly (readonly number[])[]
}

interface Walked {
  readonly counts: readonly number[]
  readonly configurations: readonly Configuration[]
  /** Whose point came last. */
  readonly thread: number
  readonly earlier: Walked | undefined
}

function pathTo(end: Walked): Path {
  const path: (readonly [number, number])[] = []
  for (let at: Walked = end; at.earlier !== undefined; at = at.earlier) path.push([at.thread, at.counts[at.thread] - 1])
  return path.reverse()
}

/** An order of all points in which some come as they are given, as the threads whose points they are. */
function orderWith(points: Points, path: Path): number[] {
  const { threads } = points
  const order: number[] = []
  const counts = threads.map(() => 0)
  const take = (thread: number, upTo: number): void => {
    while (counts[thread] < upTo) {
      for (const other of threads.keys()) take(other, points.need(thread, counts[thread], other))
      counts[thread]++
      order.push(thread)
    }
  }
  for (const [thread, index] of path) take(thread, index + 1)
  for (const [thread, { length }] of threads.entries()) take(thread, length)
  return order
}

/** A string of integers. */
class Key {
  text = ''

  add(number: number): void {
    this.text +=
      number < 0x8000
        ? String.fromCharCode(number)
        : `${String.fromCharCode(0x8000 | (number >> 16))}${String.fromCharCode(number & 0xffff)}`
  }
}

/**
 * Adds the order of points to a key, as far as it matters: which returns come before which calls, and which calls before which
 * returns. That a call must come before another one, or a return before another one, takes no history away that is not easier
 * to explain than one that is left: call later, return earlier.
 */
function addOrder(key: Key, points: Points): void {
  const { threads } = points
  for (let thread = 0; thread < threads.length; thread++) {
    for (let index = 0; index < threads[thread].length; index++) {
      const { calls, returns } = threads[thread][index]
      for (let other = 0; other < threads.length; other++) {
        if (other === thread) continue
        let count = points.need(thread, index, other)
        for (; count > 0; count--) {
          const point = threads[other][count - 1]
          if ((calls && point.returns) || (returns && point.calls)) break
        }
        key.add(count)
      }
    }
  }
}

/** The history in which the points come in this order. */
function historyOf({ threads }: Points, order: readonly number[]): Operation[] {
  const history: { -readonly [K in keyof Operation]: Operation[K] }[] = []
  const counts = threads.map(() => 0)
  const latest: (typeof history)[number][] = []
  for (const [time, thread] of order.entries()) {
    const { operation, calls, returns } = threads[thread][counts[thread]++]
    const { name, argument, result } = operation
    if (calls) {
      latest[thread] = { thread: operation.thread, name, argument, called: 2 * time }
      history.push(latest[thread])
    }
    if (returns) Object.assign(latest[thread], { result, returned: 2 * time + 1 })
  }
  return history
}
