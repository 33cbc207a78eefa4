import { asThread } from '../model/guards.ts'
import { FLUSH } from '../model/operation.ts'
import type { Program } from '../model/program.ts'
import { SoloMemory } from '../model/solo-memory.ts'
import type { Deeds, Flush, Place, Written } from './cut.ts'

/**
 * What a recovery does, as a tree: it asks what words hold and what had been acknowledged, and what it asks next follows from the
 * answers. User code runs once for each way through the tree.
 */

/** What a recovery wants to know: the value of a word, or whether a name had been acknowledged (1 or 0). */
export type Question = { readonly word: number } | { readonly name: string }

/** A recovery after some answers. */
export interface Recovery {
  /** What it asks next. Undefined: it has ended. */
  readonly question: Question | undefined
  /** What it has done to the disk, when it has ended. */
  readonly deeds: RecoveryDeeds
  /** What it threw, when it ended so. */
  readonly thrown: { readonly error: unknown } | undefined
  readonly answered: Map<number, Recovery>
}

/** Leaves a recovery whose next answer is not known yet. Whoever catches it must let it pass. */
const leave: unique symbol = Symbol('the checker leaves the recovery here; rethrow what you did not expect')

/** How much a recovery may ask: one that goes on for ever must end. */
const mostQuestions = 100_000

/** What a recovery wrote and flushed: one thread in program order. */
class RecoveryDeeds implements Deeds {
  readonly threads = 1
  readonly flushes: Flush[] = []
  readonly acknowledged: ReadonlyMap<string, Place> = new Map()
  readonly everything: Int32Array = new Int32Array(1)
  readonly #writes = new Map<number, Written[]>()

  wrote(word: number, value: number): void {
    const writes = this.#writes.get(word) ?? []
    writes.push({ thread: 0, at: this.everything[0]++, value })
    this.#writes.set(word, writes)
  }

  flushed(from: number, to: number): void {
    this.flushes.push({ thread: 0, at: this.everything[0]++, from, to })
  }

  /** Whether it changed anything. */
  get changes(): boolean {
    return this.#writes.size > 0
  }

  writesOf(word: number): readonly Written[] {
    return this.#writes.get(word) ?? []
  }

  past({ at }: Place): Int32Array {
    return Int32Array.of(at + 1)
  }
}

/** The disk as a recovery finds it. */
class Disk extends SoloMemory {
  readonly deeds: RecoveryDeeds = new RecoveryDeeds()
  question: Question | undefined
  readonly #answers: readonly number[]
  readonly #known = new Map<number, number>()
  #asked = 0

  constructor(words: number, answers: readonly number[]) {
    super(new Int32Array(words), undefined, true)
    this.#answers = answers
  }

  ask(question: Question): number {
    if (this.question !== undefined) throw leave
    if (this.#asked === mostQuestions) throw new Error(`recover has read ${mostQuestions} words and is not done`)
    if (this.#asked === this.#answers.length) {
      this.question = question
      throw leave
    }
    return this.#answers[this.#asked++]
  }

  protected override fetch(word: number): number {
    let value = this.#known.get(word)
    if (value === undefined) {
      value = this.ask({ word })
      this.#known.set(word, value)
    }
    return value
  }

  protected override put(word: number, value: number): void {
    if (this.question !== undefined) throw leave
    this.deeds.wrote(word, value)
    this.#known.set(word, value)
  }

  protected override operate(kind: number, word: number, a: number, b: number, bytes: string): number | string {
    if (kind === FLUSH) this.deeds.flushed(word, word + a)
    return super.operate(kind, word, a, b, bytes)
  }
}

/** The names that had been acknowledged: asks for each when it is wanted. */
class Acknowledged extends Set<string> {
  readonly #has: (name: string) => boolean
  readonly #names: readonly string[]

  constructor(names: readonly string[], has: (name: string) => boolean) {
    super()
    this.#names = names
    this.#has = has
  }

  #all(): Set<string> {
    return new Set(this.#names.filter(this.#has))
  }

  override has(name: string): boolean {
    return this.#has(name)
  }

  override get size(): number {
    return this.#all().size
  }

  override forEach(callback: (value: string, key: string, set: Set<string>) => void): void {
    this.#all().forEach(callback)
  }

  override keys(): SetIterator<string> {
    return this.#all().keys()
  }

  override values(): SetIterator<string> {
    return this.#all().values()
  }

  override entries(): SetIterator<[string, string]> {
    return this.#all().entries()
  }

  override [Symbol.iterator](): SetIterator<string> {
    return this.#all()[Symbol.iterator]()
  }
}

/**
 * Runs the recovery of a program with these answers.
 *
 * @param names all that any thread acknowledges, as far as is known
 */
export function recover(program: Program, answers: readonly number[], names: readonly string[]): Recovery {
  const disk = new Disk(program.words, answers)
  const known = new Map<string, boolean>()
  const acknowledged = new Acknowledged(names, (name) => {
    let had = known.get(name)
    if (had === undefined) {
      had = disk.ask({ name }) === 1
      known.set(name, had)
    }
    return had
  })
  let thrown: Recovery['thrown']
  try {
    asThread(() => program.recover?.(disk, acknowledged))
  } catch (error) {
    if (error !== leave) thrown = { error }
  }
  const { question, deeds } = disk
  return { question, deeds, thrown: question === undefined ? thrown : undefined, answered: new Map() }
}
