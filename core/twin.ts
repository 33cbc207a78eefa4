import type { Memory } from './memory.ts'

/**
 * A number that is kept twice, in a word and, turned over, in the next one: a changed bit shows, and so does a crash between
 * the two. Only ever one of the two is new then, and the user says which side is the safe one.
 */
export interface Twin {
  readonly least: number
  readonly most: number
}

export function storeTwin(memory: Memory, word: number, value: number): void {
  memory.store(word, value)
  memory.store(word + 1, ~value)
}

/** Both readings, as unsigned numbers. */
export function loadTwin(memory: Memory, word: number): Twin {
  const one = memory.load(word) >>> 0
  const other = ~memory.load(word + 1) >>> 0
  return one < other ? { least: one, most: other } : { least: other, most: one }
}
