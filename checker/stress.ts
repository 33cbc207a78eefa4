/** Stress: the programs of a spec on real threads. What is seen must be among the outcomes that the checker enumerated. */
import { ForwardingMemory } from '../core/forwarding-memory.ts'
import type { Memory, WaitResult } from '../core/memory.ts'

/** An outcome that the checker says is impossible. */
export interface StrayOutcome {
  /** Canonical JSON of results and final words. */
  readonly outcome: string
  /** In how many rounds it was seen. */
  readonly rounds: number
}

/** Why a program failed under stress. */
export interface StressFailure {
  /**
   * - `outside`: an outcome was seen that was not enumerated
   * - `hang`: a thread stopped making progress
   * - `thrown`: a thread threw
   * - `finally`: the program's `finally` threw
   * - `not-enumerated`: the checker refutes the program, or a bound stopped it, so that there is nothing to compare with
   */
  readonly kind: 'outside' | 'hang' | 'thrown' | 'finally' | 'not-enumerated'
  readonly message: string
  /** The threads at fault, for `hang` and `thrown`. */
  readonly threads?: readonly string[]
}

/** What became of one program. */
export interface StressResult {
  readonly program: string
  readonly passed: boolean
  /** How often the whole program ran. */
  readonly rounds: number
  /** How long that took. */
  readonly seconds: number
  readonly roundsPerSecond: number
  /** Operations on `Memory` by all threads: the average of counted rounds times the rounds. 0 where nothing was counted. */
  readonly operationsPerSecond: number
  /** How many outcomes the checker enumerated. */
  readonly enumerated: number
  /** How many of them were seen. */
  readonly seen: number
  readonly outside: readonly StrayOutcome[]
  readonly failure?: StressFailure
}

/** Outcomes seen, beside those that were enumerated. */
export class Tally {
  readonly enumerated: ReadonlySet<string>
  readonly #seen = new Map<string, number>()

  constructor(enumerated: Iterable<string>) {
    this.enumerated = new Set(enumerated)
  }

  add(outcome: string): void {
    this.#seen.set(outcome, (this.#seen.get(outcome) ?? 0) + 1)
  }

  /** How many of the enumerated outcomes were seen. */
  get seen(): number {
    return [...this.#seen.keys()].filter((outcome) => this.enumerated.has(outcome)).length
  }

  /** The others, the most frequent first. */
  get outside(): StrayOutcome[] {
    const stray = [...this.#seen].filter(([outcome]) => !this.enumerated.has(outcome))
    return stray.map(([outcome, rounds]) => ({ outcome, rounds })).sort((a, b) => b.rounds - a.rounds)
  }
}

/** Small random numbers, fast and without a promise: from 0 up to `below` (at most 2^31), not including it. */
export class Dice {
  #state: number

  constructor(seed: number) {
    this.#state = seed | 1
  }

  below(below: number): number {
    this.#state ^= this.#state << 13
    this.#state ^= this.#state >>> 17
    this.#state ^= this.#state << 5
    return (this.#state >>> 1) % below
  }
}

let sink = 0

/** Does nothing for a while; about a nanosecond a turn. */
export function dawdle(turns: number): void {
  for (let i = 0; i < turns; i++) sink = (sink + i) | 0
}

const bed = new Int32Array(new SharedArrayBuffer(4))

/** Gives the processor away for some ten microseconds. */
function nap(): void {
  Atomics.wait(bed, 0, 0, 0.01)
}

/**
 * Counts the operations of a thread and, if told to, dawdles or naps before some of them: threads that run on few
 * processors meet in places where they would hardly meet by themselves.
 */
export class WatchedMemory extends ForwardingMemory {
  operations = 0
  readonly #dice: Dice | undefined

  constructor(memory: Memory, dice: Dice | undefined) {
    super(memory)
    this.#dice = dice
  }

  #before(): void {
    this.operations++
    const dice = this.#dice
    if (dice === undefined) return
    const chance = dice.below(32)
    if (chance === 0) nap()
    else if (chance < 8) dawdle(dice.below(500))
  }

  override load(word: number): number {
    this.#before()
    return super.load(word)
  }

  override store(word: number, value: number): void {
    this.#before()
    super.store(word, value)
  }

  override add(word: number, value: number): number {
    this.#before()
    return super.add(word, value)
  }

  override sub(word: number, value: number): number {
    this.#before()
    return super.sub(word, value)
  }

  override and(word: number, value: number): number {
    this.#before()
    return super.and(word, value)
  }

  override or(word: number, value: number): number {
    this.#before()
    return super.or(word, value)
  }

  override xor(word: number, value: number): number {
    this.#before()
    return super.xor(word, value)
  }

  override exchange(word: number, value: number): number {
    this.#before()
    return super.exchange(word, value)
  }

  override compareExchange(word: number, expected: number, replacement: number): number {
    this.#before()
    return super.compareExchange(word, expected, replacement)
  }

  override wait(word: number, expected: number, timeoutMs?: number): WaitResult {
    this.#before()
    return super.wait(word, expected, timeoutMs)
  }

  override notify(word: number, count?: number): number {
    this.#before()
    return super.notify(word, count)
  }

  override read(word: number): number {
    this.#before()
    return super.read(word)
  }

  override write(word: number, value: number): void {
    this.#before()
    super.write(word, value)
  }

  override readBytes(byte: number, target: Uint8Array): void {
    this.#before()
    super.readBytes(byte, target)
  }

  override writeBytes(byte: number, source: Uint8Array): void {
    this.#before()
    super.writeBytes(byte, source)
  }
}
