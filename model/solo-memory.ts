import {
  COMPARE_EXCHANGE,
  FLUSH,
  GUESS_BYTES,
  LOAD,
  NOT_EQUAL,
  NOTIFY,
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
} from './operation.ts'
import { SimulatedMemory } from './simulated-memory.ts'

/** Thrown for a read of bytes that a killed thread has left undefined. */
export class TornBytesError extends Error {
  override readonly name = 'TornBytesError'
}

const wholeWord = 15

/** A memory that one thread has for itself: for `setup`, and for whatever looks at the words afterwards. What they hold subclasses know. */
export abstract class SoloMemory extends SimulatedMemory {
  readonly #torn: ((word: number) => number) | undefined
  /** For each word the torn bytes that have been written since. */
  readonly #mended = new Map<number, number>()
  /** What has been guessed since the last settle, and the first word of it that was torn. */
  #guessed = ''
  #tornGuess: number | undefined

  /** @param torn the bytes of a word that are undefined, bit 0 for the byte of least significance; default: none */
  constructor(words: number, torn?: (word: number) => number, durable = false) {
    super(words, undefined, durable)
    this.#torn = torn
  }

  #read(word: number, mask = wholeWord): number {
    if (this.#isTorn(word, mask)) this.#refuseTorn(word)
    return this.fetch(word)
  }

  #isTorn(word: number, mask: number): boolean {
    return this.#torn !== undefined && (this.#torn(word) & ~(this.#mended.get(word) ?? 0) & mask) !== 0
  }

  #refuseTorn(word: number): never {
    throw new TornBytesError(`word ${word} holds bytes that a killed thread wrote Unordered, and nobody knows what they are`)
  }

  #write(word: number, value: number, mask = wholeWord): void {
    this.put(word, value)
    if (this.#torn !== undefined) this.#mended.set(word, (this.#mended.get(word) ?? 0) | mask)
  }

  /** The value of a word. Everything that reads goes through here. */
  protected abstract fetch(word: number): number

  protected abstract put(word: number, value: number): void

  protected operate(kind: number, word: number, a: number, b: number, bytes: string): number | string {
    switch (kind) {
      case LOAD:
      case READ:
        return this.#read(word)
      case STORE:
      case WRITE:
        this.#write(word, a)
        return 0
      case NOTIFY:
      case PAUSE:
      case FLUSH:
        return 0
      case WAIT:
        if (this.#read(word) !== a) return NOT_EQUAL
        if (b === Number.POSITIVE_INFINITY) throw new Error(`wait on word ${word} would sleep for ever: nobody else is running`)
        return TIMED_OUT
      case READ_BYTES:
        return this.#copyOut(word, a)
      case WRITE_BYTES:
        this.#copyIn(word, bytes)
        return 0
      case GUESS_BYTES:
        this.#guess(word, a)
        return 0
      case SETTLE:
        return this.#settle(word === 1)
      default: {
        const old = this.#read(word)
        if (kind !== COMPARE_EXCHANGE || old === a) this.#write(word, updated(kind, old, a, b))
        return old
      }
    }
  }

  #copyOut(byte: number, length: number): string {
    let bytes = ''
    for (let i = byte; i < byte + length; i++)
      bytes += String.fromCharCode((this.#read(i >> 2, 1 << (i & 3)) >>> (8 * (i & 3))) & 255)
    return bytes
  }

  /** Nobody else is running: what is there is what the guess will be, unless it is torn. */
  #guess(byte: number, length: number): void {
    for (let i = byte; i < byte + length; i++) {
      if (this.#isTorn(i >> 2, 1 << (i & 3))) this.#tornGuess ??= i >> 2
      this.#guessed += String.fromCharCode((this.fetch(i >> 2) >>> (8 * (i & 3))) & 255)
    }
  }

  #settle(valid: boolean): string {
    const guessed = this.#guessed
    const torn = this.#tornGuess
    this.#guessed = ''
    this.#tornGuess = undefined
    if (valid && torn !== undefined) this.#refuseTorn(torn)
    return valid ? guessed : ''
  }

  #copyIn(byte: number, bytes: string): void {
    for (let i = 0; i < bytes.length; i++) {
      const shift = 8 * ((byte + i) & 3)
      const word = (byte + i) >> 2
      this.#write(word, (this.fetch(word) & ~(255 << shift)) | (bytes.charCodeAt(i) << shift), 1 << ((byte + i) & 3))
    }
  }
}

/** One that is all there, for `setup`. */
export class SetupMemory extends SoloMemory {
  readonly #contents: Int32Array

  constructor(contents: Int32Array) {
    super(contents.length)
    this.#contents = contents
  }

  protected override fetch(word: number): number {
    return this.#contents[word]
  }

  protected override put(word: number, value: number): void {
    this.#contents[word] = value
  }
}

/** Refuses a write by one who may only look. */
export function lookOnly(word: number): never {
  throw new TypeError(`this memory may only be looked at, but word ${word} was written`)
}
