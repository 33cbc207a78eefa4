import { type Graph, PLAIN_READ, PLAIN_WRITE, WAKE } from '../model/graph.ts'
import type { Readable } from '../model/program.ts'
import { lookOnly, SoloMemory } from '../model/solo-memory.ts'

/**
 * Judges `always` in every reachable state of the graphs that a search finds.
 *
 * A state is what some interleaving of a graph has reached: a set of its steps that is closed under what must come before.
 * Only words that `always` looks at matter, so only the steps that write those are enumerated, and a content that has been
 * judged is not judged again: what `always` read, word by word, is a tree of decisions.
 */

/** A word that was read at this point; by its value, what came next. A leaf has no word: the content is fine. */
interface Decision {
  word: number
  next: Map<number, Decision> | undefined
}

/** `always` threw. `counts` says which events of each thread had happened. */
export class InvariantBroken extends Error {
  readonly error: unknown
  readonly counts: Int32Array

  constructor(error: unknown, counts: Int32Array) {
    super('always is broken')
    this.error = error
    this.counts = counts
  }
}

/** Leaves `always` at a word whose writes are not known. */
const notWatched = new Error('the checker leaves always here, and calls it again')

class Watched extends SoloMemory {
  readonly looks: { word: number; value: number }[] = []
  readonly #valueIn: (word: number) => number

  constructor(words: number, valueIn: (word: number) => number) {
    super(words)
    this.#valueIn = valueIn
  }

  protected override fetch(word: number): number {
    const value = this.#valueIn(word)
    this.looks.push({ word, value })
    return value
  }

  protected override put(word: number): never {
    lookOnly(word)
  }
}

/** What was judged is forgotten when it takes more than that. */
const mostCharacters = 8_000_000

export class States {
  readonly #words: number
  readonly #initial: Int32Array
  readonly #always: (memory: Readable) => void
  readonly #root: Decision = { word: -1, next: undefined }
  #rooted = false
  /** Words that `always` has read so far. */
  readonly #watched: number[] = []
  /** What was judged, and how long it is all together. */
  #seen = new Set<string>()
  #characters = 0

  constructor(words: number, initial: Int32Array, always: (memory: Readable) => void) {
    this.#words = words
    this.#initial = initial
    this.#always = always
  }

  /** Judges every state of a graph. Throws `InvariantBroken`. */
  judge(graph: Graph): void {
    for (;;) {
      const watched = this.#watched.length
      this.#enumerate(graph)
      if (this.#watched.length === watched) return
    }
  }

  #enumerate(graph: Graph): void {
    const threads = graph.threads
    // The steps of each thread that write a watched word, by the position of the event that makes the step.
    const steps: number[][] = Array.from({ length: threads }, () => [])
    const writes: { word: number; events: number[]; owners: number[] }[] = []
    const parts: string[] = []
    for (const word of this.#watched) {
      parts.push(`|${word}`)
      const events: number[] = []
      const owners: number[] = []
      const location = graph.knownLocation(word)
      const first = location === undefined ? -1 : graph.coNext[location]
      for (let write = first; write >= 0; write = graph.coNext[write]) {
        const owner = ownerOf(graph, write)
        events.push(write)
        owners.push(owner)
        if (owner >= 0 && !steps[graph.thread[owner]].includes(graph.index[owner])) {
          steps[graph.thread[owner]].push(graph.index[owner])
        }
        const step = owner < 0 ? '' : `${graph.thread[owner]}.${graph.index[owner]}`
        parts.push(`,${step}=${graph.value[write]}.${graph.mask[write]}`)
      }
      writes.push({ word, events, owners })
    }
    // What each of these steps needs of the others.
    const needs: Int32Array[][] = []
    for (let thread = 0; thread < threads; thread++) {
      steps[thread].sort((a, b) => a - b)
      needs.push(
        steps[thread].map((index) => {
          graph.open()
          graph.include(graph.order[thread][index])
          graph.close()
          const need = new Int32Array(threads)
          for (let other = 0; other < threads; other++) {
            for (const step of steps[other]) if (step < graph.inside[other]) need[other]++
          }
          parts.push(`;${need.join()}`)
          return need
        }),
      )
    }
    // Joined at once: what is put together bit by bit is kept bit by bit, and takes ten times as much.
    const key = parts.join('')
    if (this.#seen.has(key)) return

    const counts = new Int32Array(threads)
    const isDone = (owner: number): boolean => owner < 0 || graph.index[owner] < limit(graph.thread[owner])
    const limit = (thread: number): number => (counts[thread] === 0 ? 0 : steps[thread][counts[thread] - 1] + 1)
    const valueIn = (word: number): number => {
      const found = writes.find((entry) => entry.word === word)
      if (found === undefined) return this.#initial[word]
      return lastValue(graph, this.#initial[word], found.events, (i) => isDone(found.owners[i]))
    }
    const closed = (): boolean => {
      for (let thread = 0; thread < threads; thread++) {
        if (counts[thread] === 0) continue
        const need = needs[thread][counts[thread] - 1]
        for (let other = 0; other < threads; other++) if (need[other] > counts[other]) return false
      }
      return true
    }
    // Every combination of counts, like the digits of a number.
    for (;;) {
      if (closed()) {
        this.#judge(valueIn, graph, steps, counts)
        if (this.#watched.length > writes.length) return
      }
      let digit = 0
      while (digit < threads && counts[digit] === steps[digit].length) counts[digit++] = 0
      if (digit === threads) break
      counts[digit]++
    }
    this.#characters += key.length
    if (this.#characters > mostCharacters) {
      this.#seen = new Set()
      this.#characters = key.length
    }
    this.#seen.add(key)
  }

  #judge(valueIn: (word: number) => number, graph: Graph, steps: readonly number[][], counts: Int32Array): void {
    let decision: Decision | undefined = this.#rooted ? this.#root : undefined
    while (decision !== undefined) {
      if (decision.next === undefined) return
      decision = decision.next.get(valueIn(decision.word))
    }
    const memory = new Watched(this.#words, (word) => {
      if (this.#watched.includes(word)) return valueIn(word)
      // The writes of this word were left out: `judge` enumerates again with them.
      this.#watched.push(word)
      throw notWatched
    })
    const watched = this.#watched.length
    try {
      this.#always(memory)
    } catch (error) {
      if (this.#watched.length === watched) throw new InvariantBroken(error, stateOf(graph, steps, counts))
    }
    if (this.#watched.length > watched) return
    this.#rooted = true
    let at = this.#root
    for (const { word, value } of memory.looks) {
      at.word = word
      at.next ??= new Map()
      let next = at.next.get(value)
      if (next === undefined) {
        next = { word: -1, next: undefined }
        at.next.set(value, next)
      }
      at = next
    }
  }
}

/** The step that a write belongs to: the SeqCst operation before it, or the notify that woke its thread; -1 for the start. */
function ownerOf(graph: Graph, write: number): number {
  const order = graph.order[graph.thread[write]]
  for (let i = graph.index[write]; i >= 0; i--) {
    const kind = graph.kind[order[i]]
    if (kind === WAKE) return graph.rf[order[i]]
    if (kind !== PLAIN_READ && kind !== PLAIN_WRITE) return order[i]
  }
  return -1
}

/** The value that the last of the writes that are done leaves in a word, byte by byte. */
function lastValue(graph: Graph, initial: number, events: readonly number[], isDone: (i: number) => boolean): number {
  let value = 0
  let missing = 15
  for (let i = events.length - 1; i >= 0 && missing !== 0; i--) {
    if (!isDone(i)) continue
    const found = missing & graph.mask[events[i]]
    for (let byte = 0; byte < 4; byte++) if ((found >> byte) & 1) value |= graph.value[events[i]] & (255 << (8 * byte))
    missing &= ~found
  }
  for (let byte = 0; byte < 4; byte++) if ((missing >> byte) & 1) value |= initial & (255 << (8 * byte))
  return value
}

/** The events of a state: those of the steps that were chosen, and what must come before them. */
function stateOf(graph: Graph, steps: readonly number[][], counts: Int32Array): Int32Array {
  graph.open()
  for (let thread = 0; thread < graph.threads; thread++) {
    if (counts[thread] > 0) graph.include(graph.order[thread][steps[thread][counts[thread] - 1]])
  }
  graph.close()
  return graph.inside.slice()
}
