import type { Memory } from './memory.ts'

/** The SeqCst operations of a `Memory` on words that are there, for whoever has looked at the index. */
export type AtomicWords = Pick<Memory, 'load' | 'store' | 'add' | 'sub' | 'and' | 'or' | 'xor' | 'exchange' | 'compareExchange'>

/** As `Atomics` has them: wherever there is a `SharedArrayBuffer`. */
export class ArrayWords implements AtomicWords {
  private readonly words: Int32Array

  constructor(words: Int32Array) {
    this.words = words
  }

  load(word: number): number {
    return Atomics.load(this.words, word)
  }

  store(word: number, value: number): void {
    Atomics.store(this.words, word, value)
  }

  add(word: number, value: number): number {
    return Atomics.add(this.words, word, value)
  }

  sub(word: number, value: number): number {
    return Atomics.sub(this.words, word, value)
  }

  and(word: number, value: number): number {
    return Atomics.and(this.words, word, value)
  }

  or(word: number, value: number): number {
    return Atomics.or(this.words, word, value)
  }

  xor(word: number, value: number): number {
    return Atomics.xor(this.words, word, value)
  }

  exchange(word: number, value: number): number {
    return Atomics.exchange(this.words, word, value)
  }

  compareExchange(word: number, expected: number, replacement: number): number {
    return Atomics.compareExchange(this.words, word, expected, replacement)
  }
}
