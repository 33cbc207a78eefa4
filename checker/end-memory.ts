import type { Graph } from '../model/graph.ts'
import { lookOnly, SoloMemory } from '../model/solo-memory.ts'

/** The memory at the end of a graph, for one who has it alone: fetches what is asked for, and keeps what is written to itself. */
export class EndMemory extends SoloMemory {
  readonly #graph: Graph
  readonly #writable: boolean
  #written: Map<number, number> | undefined

  constructor(initial: Int32Array, graph: Graph, writable: boolean) {
    super(initial, writable && graph.kills > 0 ? (word) => tornBytes(graph, word) : undefined)
    this.#graph = graph
    this.#writable = writable
  }

  protected override fetch(word: number): number {
    const written = this.#written?.get(word)
    if (written !== undefined) return written
    const location = this.#graph.knownLocation(word)
    return location === undefined ? this.contents[word] : this.#graph.valueAfter(this.#graph.lastWrite[location])
  }

  protected override put(word: number, value: number): void {
    if (!this.#writable) lookOnly(word)
    this.#written ??= new Map()
    this.#written.set(word, value)
  }
}

/** The bytes of a word that killed threads have left undefined. */
function tornBytes(graph: Graph, word: number): number {
  const location = graph.knownLocation(word)
  if (location === undefined) return 0
  let torn = 0
  for (let byte = 1; byte < 16; byte <<= 1) if (graph.tornBelow(graph.lastWrite[location], byte) >= 0) torn |= byte
  return torn
}
