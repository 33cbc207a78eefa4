import type { Memory, WaitResult } from '../core/memory.ts'
import {
  ADD,
  ALIVE,
  AND,
  COMPARE_EXCHANGE,
  EXCHANGE,
  FLUSH,
  GUESS_BYTES,
  LOAD,
  NOTIFY,
  OR,
  PAUSE,
  READ,
  READ_BYTES,
  SETTLE,
  STORE,
  SUB,
  WAIT,
  WRITE,
  WRITE_BYTES,
  waitResults,
  XOR,
} from './operation.ts'

/** Thrown for an index outside the memory. */
export class OutOfRangeError extends RangeError {
  override readonly name = 'OutOfRangeError'
}

/**
 * The door to shared state as a program sees it: turns each call into one operation of plain integers, converted and
 * checked exactly as a real memory does, and hands it to `operate`.
 */
export abstract class SimulatedMemory implements Memory {
  readonly words: number
  declare readonly liveness?: NonNullable<Memory['liveness']>

  declare readonly durability?: NonNullable<Memory['durability']>

  /** The targets of guesses that are not settled, and their lengths then. */
  readonly #guesses: { readonly target: Uint8Array; readonly length: number }[] = []

  /**
   * @param participant who uses this memory, where there are participants
   * @param durable whether it is on a disk
   */
  constructor(words: number, participant?: { readonly self: number; readonly count: number }, durable = false) {
    this.words = words
    if (durable) {
      this.durability = {
        flush: (byte, length) => {
          this.#bytes(byte, length)
          if (length > 0) this.operate(FLUSH, byte, length, 0, '')
        },
      }
    }
    if (participant === undefined) return
    const { self, count } = participant
    this.liveness = { self, alive: (other) => this.operate(ALIVE, participantOf(other, count), 0, 0, '') === 1 }
  }

  /**
   * Answers one operation: the value read, the old value of a read-modify-write, a number of `operation.ts` for `wait`,
   * how many were woken for `notify`, the bytes as a string of char codes for `readBytes`, 1 or 0 for `alive`, for a
   * `settle` that is valid the bytes of all guesses one after the other.
   *
   * @param word the word; for bulk copies the first byte; for `alive` the participant; for `settle` whether it is valid
   * @param a first operand; for `readBytes` and `guessBytes` the length; for `settle` how many bytes were guessed
   * @param b second operand; for `wait` the timeout
   */
  protected abstract operate(kind: number, word: number, a: number, b: number, bytes: string): number | string

  load(word: number): number {
    return this.operate(LOAD, this.#word(word), 0, 0, '') as number
  }

  store(word: number, value: number): void {
    this.operate(STORE, this.#word(word), value | 0, 0, '')
  }

  add(word: number, value: number): number {
    return this.operate(ADD, this.#word(word), value | 0, 0, '') as number
  }

  sub(word: number, value: number): number {
    return this.operate(SUB, this.#word(word), value | 0, 0, '') as number
  }

  and(word: number, value: number): number {
    return this.operate(AND, this.#word(word), value | 0, 0, '') as number
  }

  or(word: number, value: number): number {
    return this.operate(OR, this.#word(word), value | 0, 0, '') as number
  }

  xor(word: number, value: number): number {
    return this.operate(XOR, this.#word(word), value | 0, 0, '') as number
  }

  exchange(word: number, value: number): number {
    return this.operate(EXCHANGE, this.#word(word), value | 0, 0, '') as number
  }

  compareExchange(word: number, expected: number, replacement: number): number {
    return this.operate(COMPARE_EXCHANGE, this.#word(word), expected | 0, replacement | 0, '') as number
  }

  wait(word: number, expected: number, timeoutMs?: number): WaitResult {
    const timeout = Number(timeoutMs)
    const converted = Number.isNaN(timeout) ? Number.POSITIVE_INFINITY : Math.max(timeout, 0)
    return waitResults[this.operate(WAIT, this.#word(word), expected | 0, converted, '') as 0 | 1 | 2]
  }

  notify(word: number, count?: number): number {
    const wanted = count === undefined ? Number.POSITIVE_INFINITY : Math.trunc(Number(count)) || 0
    return this.operate(NOTIFY, this.#word(word), Math.max(wanted, 0), 0, '') as number
  }

  pause(): void {
    this.operate(PAUSE, 0, 0, 0, '')
  }

  read(word: number): number {
    return this.operate(READ, this.#word(word), 0, 0, '') as number
  }

  write(word: number, value: number): void {
    this.operate(WRITE, this.#word(word), value | 0, 0, '')
  }

  readBytes(byte: number, target: Uint8Array): void {
    this.#bytes(byte, target.length)
    if (target.length === 0) return
    const bytes = this.operate(READ_BYTES, byte, target.length, 0, '') as string
    for (let i = 0; i < target.length; i++) target[i] = bytes.charCodeAt(i)
  }

  writeBytes(byte: number, source: Uint8Array): void {
    this.#bytes(byte, source.length)
    if (source.length === 0) return
    let bytes = ''
    for (let i = 0; i < source.length; i++) bytes += String.fromCharCode(source[i])
    this.operate(WRITE_BYTES, byte, source.length, 0, bytes)
  }

  guessBytes(byte: number, target: Uint8Array): void {
    const { length } = target
    this.#bytes(byte, length)
    if (length === 0) return
    this.operate(GUESS_BYTES, byte, length, 0, '')
    // Whoever uses it now uses what nobody wrote.
    for (let i = 0; i < length; i++) target[i] = rubbish(i)
    this.#guesses.push({ target, length })
  }

  settle(valid: boolean): void {
    const guesses = this.#guesses.splice(0)
    const length = guesses.reduce((sum, guess) => sum + guess.length, 0)
    if (length === 0) return
    const bytes = this.operate(SETTLE, valid ? 1 : 0, length, 0, '')
    if (!valid) return
    let next = 0
    for (const guess of guesses) {
      for (let i = 0; i < guess.length; i++) guess.target[i] = (bytes as string).charCodeAt(next++)
    }
  }

  now(): number {
    return 0
  }

  #word(word: number): number {
    if (!Number.isInteger(word) || word < 0 || word >= this.words) {
      throw new OutOfRangeError(`word ${word} is outside the memory: expected an integer from 0 to ${this.words - 1}`)
    }
    return word
  }

  #bytes(byte: number, length: number): void {
    if (!Number.isInteger(byte) || !Number.isInteger(length) || byte < 0 || length < 0 || byte + length > 4 * this.words) {
      throw new OutOfRangeError(
        `${length} bytes at byte ${byte} are outside the memory: expected an integer from 0 to ${4 * this.words - length}`,
      )
    }
  }
}

/** What a guess shows before it is settled. Programs should write other bytes: these are 128 and more. */
function rubbish(i: number): number {
  return 255 - (i & 127)
}

function participantOf(participant: number, count: number): number {
  if (!Number.isInteger(participant) || participant < 0 || participant >= count) {
    throw new OutOfRangeError(`there is no participant ${participant}: expected an integer from 0 to ${count - 1}`)
  }
  return participant
}
