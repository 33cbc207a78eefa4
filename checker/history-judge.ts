import type { Graph } from '../model/graph.ts'
import type { History } from '../model/history.ts'
import type { Machine } from '../model/machine.ts'
import { canonical } from '../model/plain-data.ts'
import type { HistoryPromise } from '../model/sequential.ts'
import { type Acceptor, acceptorOf } from './acceptor.ts'
import { type Configuration, Configurations, type Open } from './configurations.ts'
import { type Point, type Points, pointsInGraph, pointsInMachine, pointsOf } from './history-points.ts'
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

/** The points of a thread at one of its ends, and what they are called in keys. */
interface Ended {
  readonly points: readonly Point[]
  readonly name: string
}

const rememberedMost = 100_000

export class HistoryJudge {
  readonly #promise: HistoryPromise
  readonly #acceptor: Acceptor
  readonly #configurations: Configurations
  readonly #ended = new WeakMap<History, Ended>()
  readonly #names = new Map<string, number>()
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
    let key = ''
    for (const { name } of ended) key += `${name},`
    if (this.#byThread && this.#explained.has(key)) return
    const points = pointsInGraph(
      graph,
      ended.map((one) => one.points),
    )
    if (!this.#byThread) key += orderKey(points)
    if (this.#explained.has(key)) return
    const path = this.#unexplained(points)
    if (path === undefined) {
      this.#remember(key)
      return
    }
    const counts = ended.map(() => 0)
    const states: Int32Array[] = []
    for (const thread of path) {
      graph.open()
      counts[thread]++
      for (const [other, count] of counts.entries()) if (count > 0) graph.includeFirst(other, points.times[other].at[count - 1])
      graph.close()
      states.push(graph.inside.slice())
    }
    throw new HistoryBroken(this.guarantee, states)
  }

  /** What is wrong with the history of what a machine has done. */
  judgeMachine(
    machine: Machine,
  ): { readonly kind: 'assertion'; readonly guarantee: string; readonly message: string } | undefined {
    // Before the end, an operation may still change places with one that is to come.
    if (typeof this.#promise.condition === 'object' && !machine.finished) return undefined
    const points = pointsInMachine(machine)
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
    return this.#byThread ? '' : this.#keyOf(pointsInMachine(machine))
  }

  #end(thread: string, end: History): Ended {
    let ended = this.#ended.get(end)
    if (ended === undefined) {
      const points = pointsOf(thread, end, false)
      ended = { points, name: this.#nameOf(points) }
      this.#ended.set(end, ended)
    }
    return ended
  }

  /** A short name for some points, the same for points that are the same. */
  #nameOf(points: readonly Point[]): string {
    let key = ''
    for (const { operation, calls, returns } of points)
      key += `${this.#acceptor.letter(operation)}${calls ? 'c' : ''}${returns ? 'r' : ''}`
    let name = this.#names.get(key)
    if (name === undefined) {
      name = this.#names.size
      this.#names.set(key, name)
    }
    return String(name)
  }

  #keyOf(points: Points): string {
    const names = points.threads.map((thread) => `${this.#nameOf(thread)},`).join('')
    return this.#byThread ? names : names + orderKey(points)
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
    for (const part of this.#parts(points)) {
      const key = this.#keyOf(part)
      if (this.#explained.has(key)) continue
      const path = this.#walk(part)
      if (path !== undefined)
        return orderWith(
          points,
          path.map(([thread, index]) => [thread, part.whole[thread][index]] as const),
        )
      this.#remember(key)
    }
    return undefined
  }

  /** The points of operations that have something to do with one another. */
  #parts(points: Points): readonly Part[] {
    const { key } = this.#promise.specification
    if (key === undefined) return [{ ...points, whole: points.threads.map((thread) => [...thread.keys()]) }]
    const keys = points.threads.map((thread) => thread.map(({ operation }) => canonical(key(operation.argument, operation.name))))
    return [...new Set(keys.flat())].map((part) => {
      const whole = keys.map((thread) => [...thread.keys()].filter((index) => thread[index] === part))
      const needs = whole.map((indices, thread) =>
        indices.map((index) =>
          whole.map((others, other) => others.filter((one) => one < points.needs[thread][index][other]).length),
        ),
      )
      return { threads: whole.map((indices, thread) => indices.map((index) => points.threads[thread][index])), needs, whole }
    })
  }

  /**
   * Looks for an order of points in which they have no explanation. A state of this walk is how many points of each thread
   * have come, and what may then be true; there are many ways into each state, and it is left once.
   */
  #walk({ threads, needs }: Points): readonly (readonly [thread: number, index: number])[] | undefined {
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
      for (const [thread, points] of threads.entries()) {
        const index = counts[thread]
        if (index === points.length) continue
        atEnd = false
        const need = needs[thread][index]
        if (counts.some((count, other) => count < need[other])) continue
        const next = this.#after(configurations, points[index], thread, open)
        const step: Walked = { counts: counts.with(thread, index + 1), configurations: next, thread, earlier: walked }
        if (next.length === 0) return pathTo(step)
        stack.push(step)
      }
      if (atEnd && configurations.every((one) => this.#configurations.ended(one, open) === undefined)) return pathTo(walked)
    }
    return undefined
  }

  /** Who has been called and has not returned. */
  #openAt(threads: readonly (readonly Point[])[], counts: readonly number[]): Open[] {
    const open: Open[] = []
    for (const [thread, points] of threads.entries()) {
      const latest = points[counts[thread] - 1]
      if (latest?.returns === false) open.push({ slot: thread, letter: this.#acceptor.letter(latest.operation) })
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
    const called = point.calls ? [...open, { slot: thread, letter: this.#acceptor.letter(point.operation) }] : open
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

/** Some of the points, and which they are among all. */
interface Part extends Points {
  readonly whole: readonly (readonly number[])[]
}

interface Walked {
  readonly counts: readonly number[]
  readonly configurations: readonly Configuration[]
  /** Whose point came last. */
  readonly thread: number
  readonly earlier: Walked | undefined
}

function pathTo(end: Walked): (readonly [thread: number, index: number])[] {
  const path: (readonly [number, number])[] = []
  for (let at: Walked = end; at.earlier !== undefined; at = at.earlier) path.push([at.thread, at.counts[at.thread] - 1])
  return path.reverse()
}

/** An order of all points in which some come as they are given, as the threads whose points they are. */
function orderWith({ threads, needs }: Points, path: readonly (readonly [thread: number, index: number])[]): number[] {
  const order: number[] = []
  const counts = threads.map(() => 0)
  const take = (thread: number, upTo: number): void => {
    while (counts[thread] < upTo) {
      for (const [other, count] of needs[thread][counts[thread]].entries()) take(other, count)
      counts[thread]++
      order.push(thread)
    }
  }
  for (const [thread, index] of path) take(thread, index + 1)
  for (const [thread, points] of threads.entries()) take(thread, points.length)
  return order
}

/** What the order of points is among threads, as a string. */
function orderKey({ needs }: Points): string {
  let key = ''
  for (const thread of needs) for (const need of thread) key += `;${need.join()}`
  return key
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
