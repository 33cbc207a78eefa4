/**
 * A part of the search tree as plain data: what leads to a place, and what is done there. Whoever has the program can explore it
 * without asking anybody: another worker, another machine, or the same one tomorrow.
 */
export interface Subtree {
  /** What leads there: for each turn how many numbers follow, and those. */
  readonly moves: readonly number[]
  /** What is done there, in numbers that the search understands; empty for the whole tree. */
  readonly task: readonly number[]
  /** Estimated share of the whole tree. */
  readonly mass: number
}

/** The whole tree. */
export const wholeTree: Subtree = { moves: [], task: [], mass: 1 }
