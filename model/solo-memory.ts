import {
  COMPARE_EXCHANGE,
  LOAD,
  NOT_EQUAL,
  NOTIFY,
  PAUSE,
  READ,
  READ_BYTES,
  STORE,
  TIMED_OUT,
  updated,
  WAIT,
  WRITE,
  WRITE_BYTES,
} from './operation.ts'
import { SimulatedMemory } from './simulated-memory.ts'

/** A memory that one thread has for itself: for `setup`, and for whatever looks at the words afterwards. */
export class SoloMemory extends SimulatedMemory {
  /** The contents. */
  readonly contents: Int32Array

  constructor(contents: Int32Array) {
    super(contents.length)
    this.contents = contents
  }

  /** The value of a word. Everything that reads goes through here, so that a subclass can fetch words when asked. */
  protected fetch(word: number): number {
    return this.contents[word]
  }

  protected put(word: number, value: number): void {
    this.contents[word] = value
  }

  protected operate(kind: number, word: number, a: number, b: number, bytes: string): number | string {
    switch (kind) {
      case LOAD:
      case READ:
        return this.fetch(word)
      case STORE:
      case WRITE:
        this.put(word, a)
        return 0
      case NOTIFY:
      case PAUSE:
        return 0
      case WAIT:
        if (this.fetch(word) !== a) return NOT_EQUAL
        if (b === Number.POSITIVE_INFINITY) throw new Error(`wait on word ${word} would sleep for ever: nobody else is running`)
        return TIMED_OUT
      case READ_BYTES:
        return this.#copyOut(word, a)
      case WRITE_BYTES:
        this.#copyIn(word, bytes)
        return 0
      default: {
        const old = this.fetch(word)
        if (kind !== COMPARE_EXCHANGE || old === a) this.put(word, updated(kind, old, a, b))
        return old
      }
    }
  }

  #copyOut(byte: number, length: number): string {
    let bytes = ''
    for (let i = byte; i < byte + length; i++) bytes += String.fromCharCode((this.fetch(i >> 2) >>> (8 * (i & 3))) & 255)
    return bytes
  }

  #copyIn(byte: number, bytes: string): void {
    for (let i = 0; i < bytes.length; i++) {
      const shift = 8 * ((byte + i) & 3)
      const word = (byte + i) >> 2
      this.put(word, (this.fetch(word) & ~(255 << shift)) | (bytes.charCodeAt(i) << shift))
    }
  }
}

/** The same for those who may only look. */
export class ReadOnlyMemory extends SoloMemory {
  protected override put(word: number): never {
    lookOnly(word)
  }
}

/** Refuses a write by one who may only look. */
export function lookOnly(word: number): never {
  throw new TypeError(`this memory may only be looked at, but word ${word} was written`)
}
