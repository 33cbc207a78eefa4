import { grown } from './grown.ts'

const none = -1

const perGuess = ['thread', 'last', 'word', 'mask', 'value', 'torn'] as const

/**
 * What threads have guessed, word by word, and where they have settled: one list, of which the end can be cut off.
 */
export class Guesses {
  count = 0
  thread: Int32Array = new Int32Array(64)
  /** The last entry of the thread then. */
  last: Int32Array = new Int32Array(64)
  /** Below zero where the thread has settled. */
  word: Int32Array = new Int32Array(64)
  /** Which bytes of the word. */
  mask: Int32Array = new Int32Array(64)
  /** What the word held. */
  value: Int32Array = new Int32Array(64)
  /** Whether the bytes were such as a killed thread had left undefined. */
  torn: Int32Array = new Int32Array(64)

  add(thread: number, last: number, word: number, mask: number, value: number, torn: boolean): void {
    const guess = this.count++
    if (guess === this.thread.length) for (const name of perGuess) this[name] = grown(this[name], 2 * guess)
    this.thread[guess] = thread
    this.last[guess] = last
    this.word[guess] = word
    this.mask[guess] = mask
    this.value[guess] = value
    this.torn[guess] = torn ? 1 : 0
  }

  /** Where a thread has guessed since it last settled, first to last; from now on it has settled. */
  settle(thread: number): number[] {
    const open: number[] = []
    for (let guess = this.count - 1; guess >= 0; guess--) {
      if (this.thread[guess] !== thread) continue
      if (this.word[guess] === none) break
      open.push(guess)
    }
    this.add(thread, none, none, 0, 0, false)
    return open.reverse()
  }

  /** The bytes of a guess, as a string of char codes. */
  bytesOf(guess: number): string {
    let bytes = ''
    for (let byte = 0; byte < 4; byte++) {
      if ((this.mask[guess] >> byte) & 1) bytes += String.fromCharCode((this.value[guess] >>> (8 * byte)) & 255)
    }
    return bytes
  }
}
