import { lookOnly, SoloMemory } from '../model/solo-memory.ts'

/** What the memory holds in a state, and which bytes killed threads have left undefined. */
export interface State {
  readonly words: number
  load(word: number): number
  tornBytes(word: number): number
}

/** The memory in a state, for one who has it alone: what is written stays with it. */
export class StateMemory extends SoloMemory {
  readonly #state: State
  readonly #writable: boolean
  #written: Map<number, number> | undefined

  constructor(state: State, writable: boolean) {
    super(state.words, writable ? (word) => state.tornBytes(word) : undefined)
    this.#state = state
    this.#writable = writable
  }

  protected override fetch(word: number): number {
    return this.#written?.get(word) ?? this.#state.load(word)
  }

  protected override put(word: number, value: number): void {
    if (!this.#writable) lookOnly(word)
    this.#written ??= new Map()
    this.#written.set(word, value)
  }
}
