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

/** A recovery after some answers: it asks for the next one, or has ended. */
export type Recovery = Asking | EndedRecovery

interface Asking {
  readonly question: Question
  /** What comes after each answer, as far as somebody has been there. */
  readonly answered: Map<number, Recovery>
}

export interface EndedRecovery {
  readonly question: undefined
  /** What it has done to the disk. */
  readonly deeds: RecoveryDeeds
  /** What it threw, if it ended so. */
  readonly thrown: { readonly error: unknown } | undefined
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
  /** Nobody knows the next answer: the recovery is left. */
  left = false
  readonly #answer: (question: Question) => number | undefined
  readonly #known = new Map<number, number>()
  #asked = 0

  constructor(words: number, answer: (question: Question) => number | undefined) {
    super(words, undefined, true)
    this.#answer = answer
  }

  ask(question: Question): number {
    if (this.left) throw leave
    if (this.#asked++ === mostQuestions) throw new Error(`recover has read ${mostQuestions} words and is not done`)
    const answer = this.#answer(question)
    if (answer !== undefined) return answer
    this.left = true
    throw leave
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
    if (this.left) throw leave
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
 * Runs the recovery of a program with these answers, and on as long as `goOn` has more: one run then makes a whole way through the
 * tree. Gives the recovery after the answers, what came next behind it.
 *
 * @param names all that any thread acknowledges, as far as is known
 */
export function recover(
  program: Program,
  answers: readonly number[],
  names: readonly string[],
  goOn: (question: Question) => number | undefined = () => undefined,
): Recovery {
  let first: Recovery | undefined
  /** Takes in where the recovery comes to next. */
  let arrive = (at: Recovery): void => {
    first = at
  }
  let given = 0
  const disk = new Disk(program.words, (question) => {
    if (given < answers.length) return answers[given++]
    const answered = new Map<number, Recovery>()
    arrive({ question, answered })
    const answer = goOn(question)
    if (answer !== undefined) arrive = (at) => answered.set(answer, at)
    return answer
  })
  const known = new Map<string, boolean>()
  const acknowledged = new Acknowledged(names, (name) => {
    let had = known.get(name)
    if (had === undefined) {
      had = disk.ask({ name }) === 1
      known.set(name, had)
    }
    return had
  })
  let thrown: EndedRecovery['thrown']
  try {
    asThread(() => program.recover?.(disk, acknowledged))
  } catch (error) {
    if (error !== leave) thrown = { error }
  }
  if (!disk.left) arrive({ question: undefined, deeds: disk.deeds, thrown })
  return first as Recovery
}
