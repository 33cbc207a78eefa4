import { type Graph, isPlain, isUpdate, PLAIN_READ, PLAIN_WRITE, SHARED_READ, SHARED_WRITE, WAKE } from '../model/graph.ts'
import type { Answer, History, Thread } from '../model/history.ts'
import type { Waiters } from '../model/waiters.ts'

/**
 * A part of a search tree as plain data: a graph, and the work that leads on from it. Whoever has the program can explore it
 * without asking anybody: another worker, another machine, or the same one tomorrow.
 *
 * Events are numbered from 0 in the order they were added, and -1 is the initial write of a location.
 */
export interface Subtree {
  /** Events in the order they were added. */
  readonly events: readonly SubtreeEvent[]
  /** For each location that somebody wrote its writes in coherence order. */
  readonly writes: readonly (readonly number[])[]
  /** The task and its arguments, events among them by their numbers here; empty for the whole tree. */
  readonly task: readonly number[]
  /** Estimated share of the whole tree. */
  readonly mass: number
}

interface SubtreeEvent {
  readonly thread: number
  readonly kind: number
  /** Word, list or participant. */
  readonly at: readonly ['word' | 'list' | 'life', number]
  /** For reads the write that is read, for a woken sleeper the notify. */
  readonly from?: number
  /** For writes. */
  readonly value?: number | readonly number[]
  readonly mask?: number
  /** What the operation answered, if the event ends it. */
  readonly answer?: Answer
}

/** The whole tree. */
export const wholeTree: Subtree = { events: [], writes: [], task: [], mass: 1 }

/** What stands in a graph now. */
export function capture(graph: Graph, waiters: Waiters): Pick<Subtree, 'events' | 'writes'> & { number(event: number): number } {
  const present: number[] = []
  const numbers = new Map<number, number>()
  for (let event = graph.first; event < graph.next; event++) {
    if (graph.removed[event] === 1) continue
    numbers.set(event, present.length)
    present.push(event)
  }
  const number = (event: number): number => numbers.get(event) ?? -1
  const events = present.map((event): SubtreeEvent => {
    const kind = graph.kind[event]
    const location = graph.location[event]
    const value = graph.value[event]
    const after = graph.after[event]
    const writes = isWrite(kind)
    return {
      thread: graph.thread[event],
      kind,
      at: [graph.natureOf(location), graph.wordOf[location]],
      ...(writes ? { value: graph.isList[location] === 1 ? waiters.sleepers(value) : value } : { from: number(graph.rf[event]) }),
      ...(isPlain(kind) ? { mask: graph.mask[event] } : {}),
      ...(after === undefined || after === graph.node[event] ? {} : { answer: answerBetween(graph.node[event], after) }),
    }
  })
  const writes: number[][] = []
  for (let location = 0; location < graph.locations; location++) {
    const order: number[] = []
    for (let write = graph.coNext[location]; write >= 0; write = graph.coNext[write]) order.push(number(write))
    if (order.length > 0) writes.push(order)
  }
  return { events, writes, number }
}

/**
 * Puts what was captured into an empty graph.
 *
 * @param follow gives the node after an answer, and the first one of a thread for `undefined`
 * @returns for each number the event
 */
export function restore(
  { events, writes }: Subtree,
  graph: Graph,
  threads: readonly Thread[],
  waiters: Waiters,
  follow: (thread: number, node: History | undefined, answer: Answer) => History,
): number[] {
  const nodes = threads.map((): History | undefined => undefined)
  const numbers = events.map(({ thread, kind, at: [nature, word], value, mask, answer }) => {
    const node: History = nodes[thread] ?? follow(thread, undefined, 0)
    // A kill, and the mark of one who returned and was not killed: nothing comes after.
    const ends = nature === 'life' && kind !== SHARED_READ
    const own = ends && kind === SHARED_WRITE ? node.killed : node
    const after = ends ? own : answer === undefined ? undefined : follow(thread, node, answer)
    nodes[thread] = after ?? node
    graph.reserve(1)
    const location = nature === 'word' ? graph.locationOf(word) : nature === 'list' ? graph.listOf(word) : graph.lifeOf(word)
    const event = graph.add(thread, kind, location, own, after)
    if (value !== undefined) {
      graph.value[event] =
        typeof value === 'number' ? value : value.reduce((queue, sleeper) => waiters.enqueue(queue, sleeper), 0)
    }
    if (mask !== undefined) {
      graph.mask[event] = mask
      if (mask !== 0) graph.plain[location] = 1
    }
    return event
  })
  for (const order of writes) {
    let behind = graph.location[numbers[order[0]]]
    for (const write of order) {
      graph.place(numbers[write], behind)
      behind = numbers[write]
    }
  }
  joinReads(events, numbers, graph)
  return numbers
}

/** Gives the reads their writes, each after what it depends on, so that clocks come out right. */
function joinReads(events: readonly SubtreeEvent[], numbers: readonly number[], graph: Graph): void {
  const source = new Map(numbers.map((event, i) => [event, events[i].from]))
  const done = new Int32Array(graph.threads)
  const isDone = (event: number): boolean => graph.thread[event] < 0 || graph.index[event] < done[graph.thread[event]]
  for (let moved = true; moved; ) {
    moved = false
    for (let thread = 0; thread < graph.threads; thread++) {
      for (; done[thread] < graph.length[thread]; done[thread]++) {
        const event = graph.order[thread][done[thread]]
        const from = source.get(event)
        const write = from === undefined || from < 0 ? graph.location[event] : numbers[from]
        const kind = graph.kind[event]
        graph.renewClocks(event)
        if (kind === PLAIN_READ) graph.notePlainRead(event, write)
        else if (from !== undefined) {
          if (!isDone(write)) break
          if (kind === WAKE) graph.wokenBy(event, write)
          else graph.readFrom(event, write)
        }
        moved = true
      }
    }
  }
}

function isWrite(kind: number): boolean {
  return kind === SHARED_WRITE || kind === PLAIN_WRITE || isUpdate(kind)
}

/** What was answered at `node` on the way to `after`. Pauses may lie between the two. */
function answerBetween(node: History, after: History): Answer {
  let at = after
  while (at.parent !== null && at.parent !== node) at = at.parent
  return at.answer
}
