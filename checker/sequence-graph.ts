import {
  ENQUEUE_READ,
  ENQUEUE_WRITE,
  EXPIRE_READ,
  EXPIRE_WRITE,
  Graph,
  LocationsExhausted,
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
  FLUSH,
  GUESS_BYTES,
  LOAD,
  NOT_EQUAL,
  NOTIFY,
  OK,
  PAUSE,
  READ,
  READ_BYTES,
  SETTLE,
  STORE,
  TIMED_OUT,
  updated,
  WAIT,
  WRITE,
  WRITE_BYTES,
} from '../model/operation.ts'
import { isKill, isSpurious, threadOf } from '../model/step.ts'
import type { Waiters } from '../model/waiters.ts'

/**
 * The graph of a schedule.
 *
 * @param before a graph that is no longer needed, to be used again
 */
export function graphOf(
  before: Graph | undefined,
  initial: Int32Array,
  threads: readonly Thread[],
  schedule: readonly number[],
  waiters: Waiters,
): Graph {
  for (let room = 256, graph = before; ; room *= 8) {
    graph ??= new Graph(threads.length, initial, room)
    try {
      new Builder(graph, threads, waiters).build(schedule)
      return graph
    } catch (error) {
      if (!(error instanceof LocationsExhausted)) throw error
      graph = undefined
    }
  }
}

class Builder {
  readonly #graph: Graph
  readonly #threads: readonly Thread[]
  readonly #waiters: Waiters
  readonly #next: History[]
  readonly #asleep: boolean[]
  /** For each thread what it has guessed and not settled. */
  readonly #guessed: string[]

  constructor(graph: Graph, threads: readonly Thread[], waiters: Waiters) {
    this.#graph = graph
    this.#threads = threads
    this.#waiters = waiters
    this.#next = threads.map(({ root }) => root)
    this.#asleep = threads.map(() => false)
    this.#guessed = threads.map(() => '')
  }

  build(schedule: readonly number[]): void {
    this.#graph.clear()
    for (const [thread, node] of this.#next.entries()) this.#arrive(thread, node)
    for (const step of schedule) this.#step(step)
  }

  #step(step: number): void {
    const graph = this.#graph
    const thread = threadOf(step)
    const node = this.#next[thread]
    graph.reserve(8)
    if (isKill(step)) {
      const write = graph.add(thread, SHARED_WRITE, graph.lifeOf(thread), node.killed, node.killed)
      graph.value[write] = 0
      graph.place(write)
      this.#next[thread] = node.killed
      return
    }
    if (isSpurious(step)) {
      this.#read(thread, SHARED_READ, graph.locationOf(node.word), node)
      this.#go(thread, node, OK)
      return
    }
    const { kind, word, a, b } = node
    if (this.#asleep[thread]) {
      const read = this.#read(thread, EXPIRE_READ, graph.listOf(word), node)
      this.#update(read, EXPIRE_WRITE, this.#waiters.remove(graph.valueAfter(graph.rf[read]), thread))
      this.#asleep[thread] = false
      this.#go(thread, node, TIMED_OUT)
      return
    }
    const location = kind === NOTIFY ? graph.listOf(word) : kind === ALIVE ? graph.lifeOf(word) : graph.locationOf(word)
    const old = graph.valueAfter(graph.lastWrite[location])
    switch (kind) {
      case STORE: {
        const write = graph.add(thread, SHARED_WRITE, location, node, undefined)
        graph.value[write] = a
        graph.place(write)
        this.#go(thread, node, 0)
        return
      }
      case LOAD:
      case ALIVE:
        this.#read(thread, SHARED_READ, location, node)
        this.#go(thread, node, old)
        return
      case WAIT: {
        this.#read(thread, old === a ? WAIT_TEST : SHARED_READ, location, node)
        if (old !== a) {
          this.#go(thread, node, NOT_EQUAL)
          return
        }
        const read = this.#read(thread, ENQUEUE_READ, graph.listOf(word), node)
        this.#update(read, ENQUEUE_WRITE, this.#waiters.enqueue(graph.valueAfter(graph.rf[read]), thread))
        this.#asleep[thread] = true
        return
      }
      case NOTIFY:
        this.#notify(thread, node, location, old)
        return
      default: {
        if (kind === COMPARE_EXCHANGE && old !== a) this.#read(thread, SHARED_READ, location, node)
        else this.#update(this.#read(thread, UPDATE_READ, location, node), UPDATE_WRITE, updated(kind, old, a, b))
        this.#go(thread, node, old)
      }
    }
  }

  #notify(thread: number, node: History, location: number, queue: number): void {
    const graph = this.#graph
    const count = this.#waiters.woken(queue, node.a)
    if (count === 0) {
      this.#read(thread, SHARED_READ, location, node)
      this.#go(thread, node, 0)
      return
    }
    const read = this.#read(thread, UPDATE_READ, location, node)
    const notify = this.#update(read, UPDATE_WRITE, this.#waiters.wake(queue, node.a))
    this.#go(thread, node, count)
    for (const sleeper of this.#waiters.sleepers(queue).slice(0, count)) {
      graph.reserve(8)
      const wait = this.#next[sleeper]
      const wake = graph.add(sleeper, WAKE, location, wait, undefined)
      graph.readFrom(wake, notify)
      this.#asleep[sleeper] = false
      this.#go(sleeper, wait, OK)
    }
  }

  #read(thread: number, kind: number, location: number, node: History): number {
    const graph = this.#graph
    const read = graph.add(thread, kind, location, node, undefined)
    graph.readFrom(read, graph.lastWrite[location])
    return read
  }

  #update(read: number, kind: number, value: number): number {
    const graph = this.#graph
    const write = graph.add(graph.thread[read], kind, graph.location[read], graph.node[read], undefined)
    graph.value[write] = value
    graph.place(write)
    return write
  }

  #go(thread: number, node: History, answer: Answer): void {
    this.#graph.after[this.#graph.tip(thread)] = this.#skip(thread, this.#threads[thread].after(node, answer))
    this.#arrive(thread, this.#graph.after[this.#graph.tip(thread)] as History)
  }

  /** Does what is no event. Guesses are free of races, like all that is Unordered, so they need not be events either. */
  #skip(thread: number, from: History): History {
    let node = from
    for (;;) {
      let answer: Answer = 0
      switch (node.kind) {
        case PAUSE:
          if (node.parks) return node
          break
        case FLUSH:
          break
        case GUESS_BYTES:
          this.#guessed[thread] += this.#guess(node)
          break
        case SETTLE:
          answer = node.word === 1 ? this.#guessed[thread] : ''
          this.#guessed[thread] = ''
          break
        default:
          return node
      }
      node = this.#threads[thread].after(node, answer)
    }
  }

  #guess({ word: from, a: length }: History): string {
    const graph = this.#graph
    let bytes = ''
    for (let byte = from; byte < from + length; byte++) {
      const value = graph.valueAfter(graph.lastWrite[graph.locationOf(byte >> 2)])
      bytes += String.fromCharCode((value >>> (8 * (byte & 3))) & 255)
    }
    return bytes
  }

  /** Does the Unordered operations before the next step. */
  #arrive(thread: number, from: History): void {
    const graph = this.#graph
    let node = this.#skip(thread, from)
    for (;;) {
      let answer: Answer = 0
      switch (node.kind) {
        case READ:
        case READ_BYTES:
          answer = this.#plainRead(thread, node)
          break
        case WRITE:
          this.#plainWrite(thread, node, node.word, node.a, 15)
          break
        case WRITE_BYTES:
          this.#writeBytes(thread, node)
          break
        default:
          this.#next[thread] = node
          return
      }
      const after = this.#skip(thread, this.#threads[thread].after(node, answer))
      graph.after[graph.next - 1] = after
      node = after
    }
  }

  #plainRead(thread: number, node: History): Answer {
    const graph = this.#graph
    if (node.kind === READ) return this.#plainReadOf(thread, node, node.word, 15)
    let bytes = ''
    const end = node.word + node.a
    graph.reserve(node.a)
    for (let byte = node.word; byte < end; ) {
      const word = byte >> 2
      const stop = Math.min(end, 4 * (word + 1))
      const value = this.#plainReadOf(thread, node, word, maskOf(byte, stop))
      for (; byte < stop; byte++) bytes += String.fromCharCode((value >>> (8 * (byte & 3))) & 255)
    }
    return bytes
  }

  #plainReadOf(thread: number, node: History, word: number, mask: number): number {
    const graph = this.#graph
    graph.reserve(1)
    const location = graph.locationOf(word)
    const write = graph.lastWrite[location]
    const read = graph.add(thread, PLAIN_READ, location, node, undefined)
    graph.mask[read] = mask
    graph.readFrom(read, write)
    return graph.valueAfter(write)
  }

  #writeBytes(thread: number, node: History): void {
    const end = node.word + node.a
    for (let byte = node.word; byte < end; ) {
      const word = byte >> 2
      const stop = Math.min(end, 4 * (word + 1))
      const mask = maskOf(byte, stop)
      let value = 0
      for (; byte < stop; byte++) value |= node.bytes.charCodeAt(byte - node.word) << (8 * (byte & 3))
      this.#plainWrite(thread, node, word, value, mask)
    }
  }

  #plainWrite(thread: number, node: History, word: number, value: number, mask: number): void {
    const graph = this.#graph
    graph.reserve(1)
    const location = graph.locationOf(word)
    const write = graph.add(thread, PLAIN_WRITE, location, node, undefined)
    graph.value[write] = value
    graph.mask[write] = mask
    graph.place(write)
  }
}

/** The bytes from one byte offset to another, both in one word. */
function maskOf(from: number, to: number): number {
  return ((1 << (to - from)) - 1) << (from & 3)
}
