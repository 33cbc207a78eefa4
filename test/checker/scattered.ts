import { type Leaf, Search } from '../../checker/search.ts'
import type { Subtree } from '../../checker/subtree.ts'

/** A search that gives its work away again and again, as text, and takes it up piece by piece. */
export class ScatteredSearch extends Search {
  readonly every: number
  /** In the order in which the search would have come to them. */
  readonly #left: Subtree[] = []
  #leaves = 0
  /** How many pieces there were. */
  pieces = 0

  /** @param every how many ends of paths lie between two times */
  constructor(every: number, ...of: ConstructorParameters<typeof Search>) {
    super(...of)
    this.every = every
  }

  override advance(): Leaf | undefined {
    if (this.#leaves++ % this.every === 0) {
      const drained = JSON.parse(JSON.stringify(this.drain())) as Subtree[]
      this.pieces += drained.length
      this.#left.unshift(...drained)
    }
    for (;;) {
      const leaf = super.advance()
      if (leaf !== undefined) return leaf
      const next = this.#left.shift()
      if (next === undefined) return undefined
      this.enter(next)
    }
  }
}
