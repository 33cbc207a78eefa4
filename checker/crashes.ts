import type { Graph } from '../model/graph.ts'
import type { History } from '../model/history.ts'
import type { Program } from '../model/program.ts'
import type { CrashChoices } from './crash-choices.ts'
import { Cut, type Deeds, type UnitBytes } from './cut.ts'
import { Persistence } from './persistence.ts'
import { type Recovery, recover } from './recovery.ts'

/**
 * Judges `recover` after every crash of an execution, as a lazy observer: what a word holds is chosen when the recovery
 * reads it, from all that a crash could have left there given what was chosen before. Then the same after a crash of the
 * recovery itself, once.
 *
 * - `kill`: everything stops at once, and what was written stays: one state of the execution.
 * - `power`: each unit of the disk holds what was last written back of it: a state of its own, no later than the crash, and
 *   no earlier than any flush of it that had returned.
 */

/** `recover` threw. `counts` says which events of each thread had happened at least. */
export class RecoveryBroken extends Error {
  readonly error: unknown
  readonly counts: Int32Array
  readonly choices: CrashChoices

  constructor(error: unknown, counts: Int32Array, choices: CrashChoices) {
    super('recover is broken')
    this.error = error
    this.counts = counts
    this.choices = choices
  }
}

/** How many bytes are written back together after a crash of this kind. */
export function unitBytesOf({ faults }: Program): UnitBytes {
  if (faults?.crash !== 'power') return 0
  return faults.unit === 'page' ? 4096 : faults.unit === 'sector' ? 512 : 4
}

/** What is settled so far of a crash. */
interface State {
  readonly cut: Cut
  /** Words of which it is known what the first crash left. */
  readonly left: ReadonlyMap<number, number>
  readonly names: ReadonlyMap<string, number>
  readonly answers: readonly number[]
  /** The same for people: values of words, and the names that had been acknowledged, of those that were asked for. */
  readonly seen: readonly string[]
  readonly first: readonly number[]
  /** A crash of the recovery. */
  readonly again: { readonly deeds: Deeds; readonly cut: Cut; readonly choices: readonly number[] } | undefined
}

export class Crashes {
  readonly #program: Program
  readonly #initial: Int32Array
  readonly #unitBytes: UnitBytes
  readonly #names = new Set<string>()
  #root: Recovery | undefined
  /** What each recovery after a crash of the threads saw: no two saw the same. */
  readonly recoveries: Set<string> = new Set()

  constructor(program: Program, initial: Int32Array) {
    this.#program = program
    this.#initial = initial
    this.#unitBytes = unitBytesOf(program)
  }

  /**
   * Judges every crash of an execution. Throws `RecoveryBroken`.
   *
   * @param ends what each thread does next; undefined when it sleeps
   */
  judge(graph: Graph, ends: readonly (History | undefined)[]): void {
    const persistence = new Persistence(graph, ends)
    const known = this.#names.size
    for (const name of persistence.acknowledged.keys()) this.#names.add(name)
    // Who goes through all names asks for more of them now.
    if (this.#names.size > known) this.#root = undefined
    const cut = new Cut(persistence, this.#unitBytes)
    const start: State = { cut, left: new Map(), names: new Map(), answers: [], seen: [], first: [], again: undefined }
    this.#visit(this.#tree, start, persistence)
  }

  get #tree(): Recovery {
    this.#root ??= recover(this.#program, [], [...this.#names])
    return this.#root
  }

  #visit(at: Recovery, state: State, persistence: Persistence): void {
    const { question } = at
    if (question === undefined) {
      this.#end(at, state, persistence)
      return
    }
    if ('name' in question) this.#answerName(at, question.name, state, persistence)
    else if (state.again === undefined) {
      for (const { cut, value, write } of this.#left(question.word, state, persistence)) {
        const left = new Map(state.left).set(question.word, value)
        this.#go(at, value, { ...state, cut, left, first: [...state.first, write] }, persistence)
      }
    } else this.#answerAgain(at, question.word, state, state.again, persistence)
  }

  #end(at: Recovery, state: State, persistence: Persistence): void {
    const { thrown, deeds } = at
    if (thrown !== undefined) {
      const acknowledged = [...state.names].filter(([, had]) => had === 1).map(([name]) => name)
      const choices = { first: state.first, second: state.again?.choices, acknowledged }
      throw new RecoveryBroken(thrown.error, persistence.eventsBefore(state.cut.least), choices)
    }
    if (state.again !== undefined) return
    this.recoveries.add(state.seen.join())
    if (deeds.changes) {
      const again = { deeds, cut: new Cut(deeds, this.#unitBytes), choices: [] }
      this.#visit(this.#tree, { ...state, answers: [], seen: [], again }, persistence)
    }
  }

  #go(at: Recovery, answer: number, state: State, persistence: Persistence): void {
    const { question } = at
    const answers = [...state.answers, answer]
    const said = question === undefined || 'word' in question ? [`${answer}`] : answer === 1 ? [`@${question.name}`] : []
    const seen = [...state.seen, ...said]
    let next = at.answered.get(answer)
    if (next === undefined) {
      next = recover(this.#program, answers, [...this.#names])
      at.answered.set(answer, next)
    }
    this.#visit(next, { ...state, answers, seen }, persistence)
  }

  /** What the threads can have left in a word. */
  *#left(word: number, state: State, persistence: Persistence): Generator<{ cut: Cut; value: number; write: number }> {
    const writes = persistence.writesOf(word)
    for (let write = 0; write <= writes.length; write++) {
      const cut = state.cut.holding(word, write - 1)
      if (cut !== undefined) yield { cut, value: write === 0 ? this.#initial[word] : writes[write - 1].value, write }
    }
  }

  #answerName(at: Recovery, name: string, state: State, persistence: Persistence): void {
    const known = state.names.get(name)
    for (const had of known === undefined ? [0, 1] : [known]) {
      const cut = known === undefined ? state.cut.acknowledging(name, had === 1) : state.cut
      if (cut === undefined) continue
      const names = new Map(state.names).set(name, had)
      this.#go(at, had, { ...state, cut, names }, persistence)
    }
  }

  #answerAgain(at: Recovery, word: number, state: State, again: NonNullable<State['again']>, persistence: Persistence): void {
    const writes = again.deeds.writesOf(word)
    for (let write = 0; write <= writes.length; write++) {
      const cut = again.cut.holding(word, write - 1)
      if (cut === undefined) continue
      const choices = [...again.choices, write]
      if (write > 0) {
        this.#go(at, writes[write - 1].value, { ...state, again: { ...again, cut, choices } }, persistence)
        continue
      }
      const left = state.left.get(word)
      if (left !== undefined) {
        this.#go(at, left, { ...state, again: { ...again, cut, choices } }, persistence)
        continue
      }
      for (const first of this.#left(word, state, persistence)) {
        const next = { ...again, cut, choices: [...choices, first.write] }
        const known = new Map(state.left).set(word, first.value)
        this.#go(at, first.value, { ...state, cut: first.cut, left: known, again: next }, persistence)
      }
    }
  }
}
