import { lookOnly, SoloMemory } from '../model/solo-memory.ts'

/** An end: what the memory holds, and which bytes killed threads have left undefined. */
export interface End {
  readonly memory: Int32Array
  tornBytes(word: number): number
}

/** The memory at the end of an execution, for one who has it alone: what is written stays with it. */
export class EndMemory extends SoloMemory {
  readonly #memory: Int32Array
  readonly #writable: boolean
  #written: Map<number, number> | undefined

  constructor(end: End, writable: boolean) {
    super(end.memory, writable ? (word) => end.tornBytes(word) : undefined)
    this.#memory = end.memory
    this.#writable = writable
  }

  protected override fetch(word: number): number {
    return this.#written?.get(word) ?? this.#memory[word]
  }

  protected override put(word: number, value: number): void {
    if (!this.#writable) lookOnly(word)
    this.#written ??= new Map()
    this.#written.set(word, value)
  }
}
