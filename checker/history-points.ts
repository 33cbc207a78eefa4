import type { Graph } from '../model/graph.ts'
import { isExclusive, isPlain, WAIT_TEST } from '../model/graph.ts'
import { type History, pathTo } from '../model/history.ts'
import type { Machine } from '../model/machine.ts'
import { isStep, KILLED, WAIT } from '../model/operation.ts'
import { ProgramError } from '../model/validate.ts'
import type { Acceptor, Called } from './acceptor.ts'

/**
 * Where the operations of a history begin and end, in an execution of which only the order of its steps is known, and that
 * only in part.
 *
 * Marks are no steps: an operation is called at any time after the step before, and returns at any time until the step
 * after. The history is hardest to explain where the operation is as short as can be, for whoever overlaps with it then
 * overlaps with it always: from its first step to its last. One that does no step is a single moment somewhere between two
 * steps of its thread. So an operation has two points, or one, and what can happen is: the points in any order that the
 * order of the steps allows.
 */

/** The beginning of an operation, its end, or both. */
export interface Point {
  readonly operation: Called
  /** What the operation is called among all that the specification knows. */
  readonly letter: number
  readonly calls: boolean
  readonly returns: boolean
  /** The step, as the depth of its node, that is done at this point; -1: none. */
  readonly after: number
  /** The step that cannot be done before this point: the same one, or the next one of the thread where the operation has none. */
  readonly until: number
}

/** Steps that have not been done are far away. */
const never = 2 ** 31 - 1

/** An operation whose call has been met. */
interface Begun {
  readonly name: string
  readonly argument: unknown
  /** The step before it. */
  readonly before: number
  first: number
  last: number
}

/** What a thread has done by its marks. */
export interface Done {
  readonly points: readonly Point[]
  /** The operation that it has called and that has not returned. */
  readonly open: Pick<Point, 'operation' | 'letter'> | undefined
}

/**
 * The points of a thread by its marks. An operation that has not returned and did no step has no point: it had no effect.
 *
 * @param end what the thread does next
 * @param asleep it does so already: it sleeps in that `wait`
 */
export function pointsOf(thread: string, end: History, asleep: boolean, acceptor: Acceptor): Done {
  // Who is killed has made the marks before the operation that it does not do.
  const last = end.kind === KILLED ? (end.parent as History) : end
  const points: Point[] = []
  /** Those without a step, until the next step is known. */
  const moments: number[] = []
  let step = -1
  let begun: Begun | undefined
  const close = ({ name, argument, before, first, last: end }: Begun, result: unknown, pending: boolean): void => {
    const operation: Called = { thread, name, argument, result, pending }
    const letter = acceptor.letter(operation)
    const point = (calls: boolean, returns: boolean, after: number, until: number): number =>
      points.push({ operation, letter, calls, returns, after, until }) - 1
    if (first < 0) {
      if (!pending) moments.push(point(true, true, before, never))
    } else if (!pending && first === end && !sleeps.has(first)) {
      point(true, true, first, first)
    } else {
      point(true, false, first, first)
      if (!pending) point(false, true, end, end)
    }
  }
  const sleeps = new Set<number>()
  for (const node of [...pathTo(last).path, last]) {
    for (const { kind, name, value } of node.marks) {
      if (kind === 'call') {
        if (begun !== undefined) throw new ProgramError(`history: ${thread} calls ${name} before its ${begun.name} has returned`)
        begun = { name, argument: value, before: step, first: -1, last: -1 }
      } else if (kind === 'return') {
        if (begun?.name !== name) throw new ProgramError(`history: ${thread} returns from ${name}, which it has not called`)
        close(begun, value, false)
        begun = undefined
      }
    }
    if (!isStep(node.kind) || (node === last && !asleep)) continue
    step = node.depth
    if (node.kind === WAIT) sleeps.add(step)
    for (const moment of moments.splice(0)) points[moment] = { ...points[moment], until: step }
    if (begun === undefined) continue
    if (begun.first < 0) begun.first = step
    begun.last = step
  }
  if (begun === undefined) return { points, open: undefined }
  close(begun, undefined, true)
  const { name, argument } = begun
  const operation: Called = { thread, name, argument, pending: true }
  return { points, open: { operation, letter: acceptor.letter(operation) } }
}

/** The points of all threads, and what must come before each. */
export class Points {
  readonly threads: readonly (readonly Point[])[]
  /** For one point after the other, thread by thread, how many points of each thread must come before it. */
  readonly #needs: ArrayLike<number>
  readonly #offsets: number[] = []

  constructor(threads: readonly (readonly Point[])[], needs: ArrayLike<number>) {
    this.threads = threads
    this.#needs = needs
    let offset = 0
    for (const points of threads) {
      this.#offsets.push(offset)
      offset += points.length * threads.length
    }
  }

  /** How many points of another thread must come before this one. */
  need(thread: number, index: number, other: number): number {
    return this.#needs[this.#offsets[thread] + index * this.#offsets.length + other]
  }
}

/** When the steps of one thread happened, by the depths of their nodes. A `wait` that sleeps has two parts. */
class Extents {
  #start: Int32Array = new Int32Array(64)
  #firstEnd: Int32Array = new Int32Array(64)
  #lastStart: Int32Array = new Int32Array(64)
  #end: Int32Array = new Int32Array(64)
  #latest = -1

  clear(): void {
    this.#latest = -1
  }

  /** Notes a part of a step; steps come in order. */
  note(depth: number, start: number, end: number): void {
    if (depth >= this.#start.length) {
      const grown = (old: Int32Array): Int32Array => {
        const array = new Int32Array(2 * depth)
        array.set(old)
        return array
      }
      this.#start = grown(this.#start)
      this.#firstEnd = grown(this.#firstEnd)
      this.#lastStart = grown(this.#lastStart)
      this.#end = grown(this.#end)
    }
    if (depth !== this.#latest) {
      this.#start[depth] = start
      this.#firstEnd[depth] = end
    }
    this.#lastStart[depth] = start
    this.#end[depth] = end
    this.#latest = depth
  }

  /** How much of the thread has been done at a point. */
  at({ calls, returns, after }: Point): number {
    if (after < 0) return 0
    return calls && !returns ? this.#firstEnd[after] : this.#end[after]
  }

  /** Of whom more has been done than this has passed the point. */
  passedAt({ calls, returns, until }: Point): number {
    if (until === never) return never
    return returns && !calls ? this.#lastStart[until] : this.#start[until]
  }
}

const extents = new Extents()

/** Finds the points of graphs: they come in any order in which the steps can. */
export class GraphPoints {
  #needs: Int32Array = new Int32Array(256)
  /** For each thread how many of its events are done at each of its points. */
  readonly at: Int32Array[] = []
  readonly #passed: Int32Array[] = []

  /** The points of a graph. They are good until the next call. */
  find(graph: Graph, threads: readonly (readonly Point[])[]): Points {
    let total = 0
    for (const [thread, points] of threads.entries()) {
      total += points.length
      this.#locate(graph, thread, points)
    }
    if (total * threads.length > this.#needs.length) this.#needs = new Int32Array(2 * total * threads.length)
    const needs = this.#needs
    let to = 0
    for (let thread = 0; thread < threads.length; thread++) {
      const { length } = threads[thread]
      graph.open()
      for (let index = 0; index < length; index++) {
        graph.includeFirst(thread, this.at[thread][index])
        graph.close()
        for (let other = 0; other < threads.length; other++) {
          // What comes before a point comes before the next one of its thread.
          let count = index === 0 ? 0 : needs[to - threads.length]
          if (other !== thread) {
            const passed = this.#passed[other]
            while (count < threads[other].length && passed[count] < graph.inside[other]) count++
          }
          needs[to++] = count
        }
      }
    }
    return new Points(threads, needs)
  }

  #locate(graph: Graph, thread: number, points: readonly Point[]): void {
    if (this.at[thread] === undefined || this.at[thread].length < points.length) {
      this.at[thread] = new Int32Array(2 * points.length)
      this.#passed[thread] = new Int32Array(2 * points.length)
    }
    if (points.length === 0) return
    extents.clear()
    const order = graph.order[thread]
    const length = graph.length[thread]
    for (let index = 0; index < length; ) {
      const event = order[index]
      const kind = graph.kind[event]
      const end = Math.min(index + (kind === WAIT_TEST ? 3 : isExclusive(kind) ? 2 : 1), length)
      if (!isPlain(kind) && isStep(graph.node[event].kind)) extents.note(graph.node[event].depth, index, end)
      index = end
    }
    for (let index = 0; index < points.length; index++) {
      this.at[thread][index] = extents.at(points[index])
      this.#passed[thread][index] = extents.passedAt(points[index])
    }
  }
}

/** What the threads of a machine have done. */
export function doneInMachine(machine: Machine, acceptor: Acceptor): Done[] {
  return machine.threads.map(({ name }, thread) =>
    pointsOf(name, machine.next[thread] as History, machine.asleep[thread], acceptor),
  )
}

/** The points of what a machine has done: the steps have one order. */
export function pointsInMachine(machine: Machine, done: readonly Done[]): Points {
  const threads = done.map(({ points }) => points)
  const at: number[][] = []
  const passed: number[][] = []
  for (const [thread, points] of threads.entries()) {
    extents.clear()
    for (const [row, { thread: owner, node, event }] of machine.rows.entries()) {
      if (owner === thread && isStep(node.kind) && event !== 'killed') extents.note(node.depth, row, row + 1)
    }
    at.push(points.map((point) => extents.at(point)))
    passed.push(points.map((point) => extents.passedAt(point)))
  }
  const before = (row: number, thread: number, other: number): number =>
    other === thread ? 0 : passed[other].filter((earlier) => earlier < row).length
  const needs = threads.flatMap((_, thread) => at[thread].flatMap((row) => threads.map((_, other) => before(row, thread, other))))
  return new Points(threads, needs)
}
