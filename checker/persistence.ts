import type { Graph } from '../model/graph.ts'
import { type History, pathTo } from '../model/history.ts'
import { FLUSH } from '../model/operation.ts'
import type { Deeds, Flush, Place, Written } from './cut.ts'

/**
 * What was done to a disk in one execution: for each thread, in program order, what it wrote and flushed and acknowledged;
 * and for each of these, how much of each thread came before it in every order that the execution allows.
 */

export class Persistence implements Deeds {
  readonly threads: number
  readonly flushes: Flush[] = []
  readonly acknowledged: Map<string, Place> = new Map()
  readonly everything: Int32Array
  readonly #writes = new Map<number, readonly Written[]>()
  readonly #graph: Graph
  /** For each thread, how many events of the graph come before each place. */
  readonly #events: number[][]
  /** For each thread and event of the graph its place. */
  readonly #places: number[][]
  readonly #past = new Map<number, Int32Array>()

  /** @param ends what each thread does next; undefined when it sleeps */
  constructor(graph: Graph, ends: readonly (History | undefined)[]) {
    this.#graph = graph
    this.threads = graph.threads
    this.#events = []
    this.#places = []
    for (let thread = 0; thread < graph.threads; thread++) this.#line(thread, ends[thread])
    this.everything = Int32Array.from(this.#events, (events) => events.length)
  }

  /** Puts what a thread did into one line. */
  #line(thread: number, end: History | undefined): void {
    const graph = this.#graph
    const order = graph.order[thread]
    const length = graph.length[thread]
    const events: number[] = []
    const places: number[] = []
    let done = 0
    const upTo = (count: number): void => {
      for (; done < count; done++) {
        places.push(events.length)
        events.push(done)
      }
    }
    const last = end ?? graph.node[order[length - 1]]
    for (const node of [...pathTo(last).path, last]) {
      for (const { kind, name } of node.marks) {
        if (kind !== 'ack' || this.acknowledged.has(name)) continue
        this.acknowledged.set(name, { thread, at: events.length })
        events.push(done)
      }
      if (node === last && end !== undefined) break
      if (node.kind === FLUSH) {
        this.flushes.push({ thread, at: events.length, from: node.word, to: node.word + node.a })
        events.push(done)
      }
      let count = done
      while (count < length && graph.node[order[count]] === node) count++
      upTo(count)
    }
    upTo(length)
    this.#events.push(events)
    this.#places.push(places)
  }

  writesOf(word: number): readonly Written[] {
    let writes = this.#writes.get(word)
    if (writes === undefined) {
      const graph = this.#graph
      const location = graph.knownLocation(word)
      const found: Written[] = []
      for (let write = location === undefined ? -1 : graph.coNext[location]; write >= 0; write = graph.coNext[write]) {
        const thread = graph.thread[write]
        found.push({ thread, at: this.#places[thread][graph.index[write]], value: graph.valueAfter(write) })
      }
      writes = found
      this.#writes.set(word, writes)
    }
    return writes
  }

  past({ thread, at }: Place): Int32Array {
    const key = at * this.threads + thread
    let past = this.#past.get(key)
    if (past === undefined) {
      const graph = this.#graph
      // What is no event of the graph comes after the event before it.
      const event = this.#places[thread][this.#events[thread][at]] === at
      const count = this.#events[thread][at] + (event ? 1 : 0)
      graph.open()
      if (count > 0) graph.include(graph.order[thread][count - 1])
      graph.close()
      past = Int32Array.from(graph.inside, (inside, other) => (inside === 0 ? 0 : this.#places[other][inside - 1] + 1))
      past[thread] = Math.max(past[thread], at + 1)
      this.#past.set(key, past)
    }
    return past
  }

  /** For each thread how many events of the graph come before so many of its places. */
  eventsBefore(counts: Int32Array): Int32Array {
    return counts.map((count, thread) =>
      count === this.#events[thread].length ? this.#graph.length[thread] : this.#events[thread][count],
    )
  }
}
