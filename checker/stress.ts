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
  /** How many threads were killed, of programs whose `faults` allow it. */
  readonly kills: number
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

/** Thrown out of a thread that is killed, and again for whatever it still tries to do on its way out. */
export const killed: unique symbol = Symbol('killed')

/** What may happen to a thread in a round besides the schedule. */
export interface Fate {
  /** Where it dies: after so many SeqCst operations. */
  readonly deathAt: number
  /** Makes its death known. False when enough others are dead, so that it has to live. */
  die(): boolean
  /** One of its `wait`s may come back for no reason. */
  readonly spurious: boolean
}

/**
 * Counts the operations of a thread and, if told to, dawdles or naps before some of them: threads that run on few
 * processors meet in places where they would hardly meet by themselves. If told to, the thread dies before one of them, or
 * one of its waits comes back for no reason.
 */
export class WatchedMemory extends ForwardingMemory {
  declare readonly liveness?: NonNullable<Memory['liveness']>
  operations = 0
  /** The SeqCst ones among them. */
  steps = 0
  readonly #dice: Dice | undefined
  readonly #fate: Fate | undefined
  #dead = false
  /** It has written Unordered since its last SeqCst operation. */
  #unpublished = false
  #startled = false

  constructor(memory: Memory, dice?: Dice, fate?: Fate) {
    super(memory)
    this.#dice = dice
    this.#fate = fate
    const { liveness } = memory
    if (liveness === undefined) return
    const alive = (participant: number): boolean => {
      this.#step()
      return liveness.alive(participant)
    }
    this.liveness = { self: liveness.self, alive }
  }

  /**
   * Runs a thread to its end.
   *
   * @returns what it returned, or `killed`
   */
  run<T>(thread: (memory: Memory) => T): T | typeof killed {
    try {
      const result = thread(this)
      // It dies at its end only if that makes a difference: what it wrote last may then be torn.
      return this.#dead || (this.#unpublished && this.#isTime()) ? killed : result
    } catch (error) {
      if (error === killed) return killed
      throw error
    }
  }

  #isTime(): boolean {
    this.#dead = this.#fate !== undefined && this.steps === this.#fate.deathAt && this.#fate.die()
    return this.#dead
  }

  #before(): void {
    if (this.#dead) throw killed
    this.operations++
    const dice = this.#dice
    if (dice === undefined) return
    const chance = dice.below(32)
    if (chance === 0) nap()
    else if (chance < 8) dawdle(dice.below(500))
  }

  /** Before a SeqCst operation. */
  #step(): void {
    this.#before()
    if (this.#isTime()) throw killed
    this.steps++
    this.#unpublished = false
  }

  override load(word: number): number {
    this.#step()
    return super.load(word)
  }

  override store(word: number, value: number): void {
    this.#step()
    super.store(word, value)
  }

  override add(word: number, value: number): number {
    this.#step()
    return super.add(word, value)
  }

  override sub(word: number, value: number): number {
    this.#step()
    return super.sub(word, value)
  }

  override and(word: number, value: number): number {
    this.#step()
    return super.and(word, value)
  }

  override or(word: number, value: number): number {
    this.#step()
    return super.or(word, value)
  }

  override xor(word: number, value: number): number {
    this.#step()
    return super.xor(word, value)
  }

  override exchange(word: number, value: number): number {
    this.#step()
    return super.exchange(word, value)
  }

  override compareExchange(word: number, expected: number, replacement: number): number {
    this.#step()
    return super.compareExchange(word, expected, replacement)
  }

  override wait(word: number, expected: number, timeoutMs?: number): WaitResult {
    this.#step()
    return this.#startles(word, expected) ? 'ok' : super.wait(word, expected, timeoutMs)
  }

  override notify(word: number, count?: number): number {
    this.#step()
    return super.notify(word, count)
  }

  override read(word: number): number {
    this.#before()
    return super.read(word)
  }

  override write(word: number, value: number): void {
    this.#before()
    super.write(word, value)
    this.#unpublished = true
  }

  override readBytes(byte: number, target: Uint8Array): void {
    this.#before()
    super.readBytes(byte, target)
  }

  override writeBytes(byte: number, source: Uint8Array): void {
    this.#before()
    super.writeBytes(byte, source)
    if (source.length > 0) this.#unpublished = true
  }

  override guessBytes(byte: number, target: Uint8Array): void {
    this.#before()
    super.guessBytes(byte, target)
  }

  override settle(valid: boolean): void {
    this.#before()
    super.settle(valid)
  }

  /** Whether a wait that would sleep comes back for no reason. */
  #startles(word: number, expected: number): boolean {
    if (this.#fate?.spurious !== true || this.#startled || this.#dice?.below(2) !== 0) return false
    this.#startled = super.load(word) === (expected | 0)
    return this.#startled
  }
}
