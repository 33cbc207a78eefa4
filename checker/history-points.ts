import type { Graph } from '../model/graph.ts'
import { isExclusive, isPlain, WAIT_TEST } from '../model/graph.ts'
import { type History, pathTo } from '../model/history.ts'
import type { Machine } from '../model/machine.ts'
import { isStep, KILLED, WAIT } from '../model/operation.ts'
import { ProgramError } from '../model/validate.ts'
import type { Called } from './acceptor.ts'

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
  readonly calls: boolean
  readonly returns: boolean
  /** The step, as the depth of its node, that is done at this point; -1: none. */
  readonly after: number
  /** The step that cannot be done before this point: the same one, or the next one of the thread where the operation has none. */
  readonly until: number
}

/** Steps that have not been done are far away. */
const never = Number.POSITIVE_INFINITY

/** An operation whose call has been met. */
interface Begun {
  readonly name: string
  readonly argument: unknown
  /** The step before it. */
  readonly before: number
  first: number
  last: number
}

/**
 * The points of a thread by its marks. An operation that has not returned and did no step has no point: it had no effect.
 *
 * @param end what the thread does next
 * @param asleep it does so already: it sleeps in that `wait`
 */
export function pointsOf(thread: string, end: History, asleep: boolean): readonly Point[] {
  // Who is killed has made the marks before the operation that it does not do.
  const last = end.kind === KILLED ? (end.parent as History) : end
  const points: Point[] = []
  /** Those without a step, until the next step is known. */
  const moments: number[] = []
  let step = -1
  let begun: Begun | undefined
  const close = (operation: Begun, result: unknown, pending: boolean): void => {
    const { name, argument, before, first } = operation
    const called: Called = { thread, name, argument, result, pending }
    if (first < 0) {
      if (!pending) moments.push(points.push({ operation: called, calls: true, returns: true, after: before, until: never }) - 1)
    } else if (!pending && first === operation.last && !sleeps.has(first)) {
      points.push({ operation: called, calls: true, returns: true, after: first, until: first })
    } else {
      points.push({ operation: called, calls: true, returns: false, after: first, until: first })
      if (!pending) points.push({ operation: called, calls: false, returns: true, after: operation.last, until: operation.last })
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
  if (begun !== undefined) close(begun, undefined, true)
  return points
}

/** The points of all threads, and for each how many points of each thread must come before it. */
export interface Points {
  readonly threads: readonly (readonly Point[])[]
  readonly needs: readonly (readonly (readonly number[])[])[]
}

/** When the points of a thread lie, in the units of one thread: events of a graph, rows of a machine. */
interface Times {
  /** What has been done at the point. */
  readonly at: number[]
  /** Who has come so far has passed the point. */
  readonly passed: number[]
}

/** For each step of a thread where it begins and ends, and where its last part begins: a `wait` that sleeps has two parts. */
interface Extent {
  readonly start: number
  readonly firstEnd: number
  lastStart: number
  end: number
}

function timesOf(points: readonly Point[], extents: ReadonlyMap<number, Extent>): Times {
  const at: number[] = []
  const passed: number[] = []
  for (const { calls, returns, after, until } of points) {
    const done = extents.get(after)
    const next = extents.get(until)
    at.push(done === undefined ? 0 : calls && !returns ? done.firstEnd : done.end)
    passed.push(next === undefined ? never : returns && !calls ? next.lastStart : next.start)
  }
  return { at, passed }
}

/** The points in a graph: they come in any order in which its steps can. */
export function pointsInGraph(
  graph: Graph,
  threads: readonly (readonly Point[])[],
): Points & { readonly times: readonly Times[] } {
  const times = threads.map((points, thread) => (points.length === 0 ? none : timesOf(points, extentsInGraph(graph, thread))))
  const needs = threads.map((points, thread) => {
    graph.open()
    return points.map((_, point) => {
      graph.includeFirst(thread, times[thread].at[point])
      graph.close()
      return threads.map((_, other) => (other === thread ? 0 : count(times[other].passed, graph.inside[other])))
    })
  })
  return { threads, needs, times }
}

const none: Times = { at: [], passed: [] }

/** How many of the ascending times lie before a moment. */
function count(times: readonly number[], moment: number): number {
  let before = 0
  while (before < times.length && times[before] < moment) before++
  return before
}

function extentsInGraph(graph: Graph, thread: number): Map<number, Extent> {
  const extents = new Map<number, Extent>()
  const order = graph.order[thread]
  const length = graph.length[thread]
  for (let index = 0; index < length; ) {
    const kind = graph.kind[order[index]]
    const { kind: operation, depth } = graph.node[order[index]]
    const end = Math.min(index + (kind === WAIT_TEST ? 3 : isExclusive(kind) ? 2 : 1), length)
    if (!isPlain(kind) && isStep(operation)) {
      const extent = extents.get(depth)
      if (extent === undefined) extents.set(depth, { start: index, firstEnd: end, lastStart: index, end })
      else {
        extent.lastStart = index
        extent.end = end
      }
    }
    index = end
  }
  return extents
}

/** The points of what a machine has done: the steps have one order. */
export function pointsInMachine(machine: Machine): Points {
  const threads = machine.threads.map(({ name }, thread) =>
    pointsOf(name, machine.next[thread] as History, machine.asleep[thread]),
  )
  const extents = threads.map(() => new Map<number, Extent>())
  for (const [row, { thread, node, event }] of machine.rows.entries()) {
    if (!isStep(node.kind) || event === 'killed') continue
    const extent = extents[thread].get(node.depth)
    if (extent === undefined) extents[thread].set(node.depth, { start: row, firstEnd: row + 1, lastStart: row, end: row + 1 })
    else {
      extent.lastStart = row
      extent.end = row + 1
    }
  }
  const times = threads.map((points, thread) => timesOf(points, extents[thread]))
  const needs = threads.map((points, thread) =>
    points.map((_, point) =>
      threads.map((_, other) => (other === thread ? 0 : count(times[other].passed, times[thread].at[point]))),
    ),
  )
  return { threads, needs }
}
