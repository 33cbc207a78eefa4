import {
  type Graph,
  isExclusive,
  isPlain,
  isUpdate,
  PLAIN_WRITE,
  SHARED_READ,
  SHARED_WRITE,
  WAIT_TEST,
  WAKE,
} from '../model/graph.ts'
import { KILLED, WAIT } from '../model/operation.ts'
import { killOf, spuriousOf } from '../model/step.ts'

/**
 * An interleaving of a graph, step by step (`model/step.ts`). A step is one SeqCst operation; Unordered ones go
 * with the step before them. Stays with a thread as long as it can.
 *
 * @param counts how many events of each thread belong to it; closed under what must come before
 * @param from those that have been done already
 */
export function linearize(graph: Graph, counts: ArrayLike<number>, from?: Int32Array): number[] {
  const schedule: number[] = []
  const done = from?.slice() ?? new Int32Array(graph.threads)
  const isDone = (event: number): boolean => graph.thread[event] < 0 || graph.index[event] < done[graph.thread[event]]

  /** The end of the step that begins at an event, if everything that comes before it is done; otherwise -1. */
  const stepEnd = (thread: number): number => {
    const order = graph.order[thread]
    const start = done[thread]
    let end = start + 1
    if (graph.kind[order[start]] === WAIT_TEST) end += 2
    else if (isExclusive(graph.kind[order[start]])) end += 1
    end = Math.min(end, graph.length[thread])
    for (let i = start; i < end; i++) if (!isReady(order[i], thread, start, end)) return -1
    return end
  }

  const isReady = (event: number, thread: number, start: number, end: number): boolean => {
    const kind = graph.kind[event]
    if (isPlain(kind)) return true
    const own = (other: number): boolean =>
      graph.thread[other] === thread && graph.index[other] >= start && graph.index[other] < end
    if (kind !== SHARED_WRITE && !isUpdate(kind)) return isDone(graph.rf[event])
    // Who read what this write replaces came before it. So did who read what a plain write before it replaced, as this
    // one shows only if the two race.
    for (let previous = graph.coPrevious[event]; ; previous = graph.coPrevious[previous]) {
      if (!isDone(previous)) return false
      for (let read = graph.firstReader[previous]; read >= 0; read = graph.nextReader[read]) {
        if (graph.kind[read] === WAKE || own(read) || isDone(read)) continue
        if (graph.index[read] < counts[graph.thread[read]]) return false
      }
      if (graph.kind[previous] !== PLAIN_WRITE) break
    }
    return true
  }

  /** Runs a thread as far as it goes. */
  const run = (thread: number): boolean => {
    const from = done[thread]
    while (done[thread] < counts[thread]) {
      const end = stepEnd(thread)
      if (end < 0) break
      const event = graph.order[thread][done[thread]]
      const kind = graph.kind[event]
      if (!isPlain(kind) && kind !== WAKE) schedule.push(stepOf(graph, event))
      done[thread] = end
    }
    return done[thread] > from
  }

  for (let moved = true; moved; ) {
    moved = false
    for (let thread = 0; thread < graph.threads; thread++) if (run(thread)) moved = true
  }
  return schedule
}

/** The step that begins with an event. */
function stepOf(graph: Graph, event: number): number {
  const thread = graph.thread[event]
  const node = graph.node[event]
  if (node.kind === KILLED) return killOf(thread)
  const isSpurious = node.kind === WAIT && graph.kind[event] === SHARED_READ && graph.valueAfter(graph.rf[event]) === node.a
  return isSpurious ? spuriousOf(thread) : thread
}

/** An interleaving of a whole graph that goes through some states, one after the other. */
export function linearizeThrough(graph: Graph, states: readonly Int32Array[]): number[] {
  const ends = [...states, everything(graph)]
  return ends.flatMap((state, index) => linearize(graph, state, ends[index - 1]))
}

/** All events of a graph. */
export function everything(graph: Graph): Int32Array {
  return graph.length.slice()
}
