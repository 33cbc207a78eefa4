import type { Graph } from '../model/graph.ts'
import type { History } from '../model/history.ts'
import type { Program } from '../model/program.ts'
import type { CrashChoices } from './crash-choices.ts'
import { Cut, type Deeds, type UnitBytes } from './cut.ts'
import { Persistence } from './persistence.ts'
import { type EndedRecovery, type Question, type Recovery, recover } from './recovery.ts'

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

/** There is no time left to judge the other crashes. */
export class JudgingStopped extends Error {}

/** After so many recoveries it is asked whether there is time left. */
const askEvery = 64

/** An answer that a recovery got, after others. */
interface Answered {
  readonly before: Answered | undefined
  readonly question: Question
  readonly answer: number
  /** Which write of the word was chosen, when the threads were crashed. */
  readonly write: number
}

/** What is settled so far of a crash. */
interface State {
  readonly cut: Cut
  readonly names: ReadonlyMap<string, number>
  readonly answered: Answered | undefined
  /** A crash of the recovery. */
  readonly again: Again | undefined
}

interface Again {
  readonly deeds: Deeds
  readonly cut: Cut
  readonly choices: readonly number[]
  /** Words of which it is known what the first crash left. */
  readonly left: ReadonlyMap<number, number>
  readonly first: readonly number[]
}

export class Crashes {
  readonly #program: Program
  readonly #initial: Int32Array
  readonly #unitBytes: UnitBytes
  readonly #names = new Set<string>()
  #root: Recovery | undefined
  /** Recoveries after a crash of the threads that came to their end. */
  readonly #seen = new Set<Recovery>()
  /** What each of them saw: no two saw the same. */
  readonly recoveries: Set<string> = new Set()
  #isLate: () => boolean = () => false
  #ended = 0

  constructor(program: Program, initial: Int32Array) {
    this.#program = program
    this.#initial = initial
    this.#unitBytes = unitBytesOf(program)
  }

  /**
   * Judges every crash of an execution. Throws `RecoveryBroken`, and `JudgingStopped` once it is late.
   *
   * @param ends what each thread does next; undefined when it sleeps
   */
  judge(graph: Graph, ends: readonly (History | undefined)[], isLate: () => boolean): void {
    this.#isLate = isLate
    const persistence = new Persistence(graph, ends)
    const known = this.#names.size
    for (const name of persistence.acknowledged.keys()) this.#names.add(name)
    // Who goes through all names asks for more of them now.
    if (this.#names.size > known) this.#root = undefined
    const cut = new Cut(persistence, this.#unitBytes)
    this.#visit(this.#tree, { cut, names: new Map(), answered: undefined, again: undefined }, persistence)
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
    for (const after of this.#answers(question, state, persistence)) {
      const { answer } = after.answered as Answered
      let next = at.answered.get(answer)
      if (next === undefined) {
        next = this.#run(after, persistence)
        at.answered.set(answer, next)
      }
      this.#visit(next, after, persistence)
    }
  }

  /** Runs the recovery, each question that is new answered by the first answer there is. */
  #run(state: State, persistence: Persistence): Recovery {
    const answers = asked(state).map(({ answer }) => answer)
    let ahead = state
    return recover(this.#program, answers, [...this.#names], (question) => {
      for (const after of this.#answers(question, ahead, persistence)) {
        ahead = after
        return after.answered?.answer
      }
      return undefined
    })
  }

  #end(at: EndedRecovery, state: State, persistence: Persistence): void {
    if (++this.#ended % askEvery === 0 && this.#isLate()) throw new JudgingStopped()
    const { thrown, deeds } = at
    if (thrown !== undefined) {
      const acknowledged = [...state.names].filter(([, had]) => had === 1).map(([name]) => name)
      const first = state.again?.first ?? firstOf(asked(state))
      const choices = { first, second: state.again?.choices, acknowledged }
      throw new RecoveryBroken(thrown.error, persistence.eventsBefore(state.cut.least), choices)
    }
    if (state.again !== undefined) return
    if (!this.#seen.has(at)) {
      this.#seen.add(at)
      this.recoveries.add(seenIn(asked(state)))
    }
    if (deeds.changes) {
      const all = asked(state)
      const left = new Map(all.flatMap(({ question, answer }) => ('word' in question ? [[question.word, answer]] : [])))
      const again = { deeds, cut: new Cut(deeds, this.#unitBytes), choices: [], left, first: firstOf(all) }
      this.#visit(this.#tree, { ...state, answered: undefined, again }, persistence)
    }
  }

  /** What a question can be answered: the states after it. */
  #answers(question: Question, state: State, persistence: Persistence): Iterable<State> {
    if ('name' in question) return this.#hads(question, state)
    return state.again === undefined
      ? this.#lefts(question, state, persistence)
      : this.#leftsAgain(question, state, state.again, persistence)
  }

  *#hads(question: { readonly name: string }, state: State): Generator<State> {
    const { name } = question
    const known = state.names.get(name)
    for (const had of known === undefined ? [0, 1] : [known]) {
      const cut = known === undefined ? state.cut.acknowledging(name, had === 1) : state.cut
      if (cut === undefined) continue
      yield { ...state, cut, names: new Map(state.names).set(name, had), answered: after(state, question, had) }
    }
  }

  *#lefts(question: { readonly word: number }, state: State, persistence: Persistence): Generator<State> {
    for (const { cut, value, write } of this.#left(question.word, state, persistence)) {
      yield { ...state, cut, answered: after(state, question, value, write) }
    }
  }

  /** What the threads can have left in a word. */
  *#left(word: number, state: State, persistence: Persistence): Generator<{ cut: Cut; value: number; write: number }> {
    const writes = persistence.writesOf(word)
    for (let write = 0; write <= writes.length; write++) {
      const cut = state.cut.holding(word, write - 1)
      if (cut !== undefined) yield { cut, value: write === 0 ? this.#initial[word] : writes[write - 1].value, write }
    }
  }

  *#leftsAgain(question: { readonly word: number }, state: State, again: Again, persistence: Persistence): Generator<State> {
    const { word } = question
    const writes = again.deeds.writesOf(word)
    for (let write = 0; write <= writes.length; write++) {
      const cut = again.cut.holding(word, write - 1)
      if (cut === undefined) continue
      const choices = [...again.choices, write]
      const known = write > 0 ? writes[write - 1].value : again.left.get(word)
      if (known !== undefined) {
        yield { ...state, again: { ...again, cut, choices }, answered: after(state, question, known) }
        continue
      }
      for (const first of this.#left(word, state, persistence)) {
        const left = new Map(again.left).set(word, first.value)
        const next = { ...again, cut, choices: [...choices, first.write], left }
        yield { ...state, cut: first.cut, again: next, answered: after(state, question, first.value) }
      }
    }
  }
}

function after({ answered }: State, question: Question, answer: number, write = 0): Answered {
  return { before: answered, question, answer, write }
}

/** The answers that a recovery got, in order. */
function asked(state: State): readonly Answered[] {
  const all: Answered[] = []
  for (let one = state.answered; one !== undefined; one = one.before) all.push(one)
  return all.reverse()
}

/** Which writes were chosen of the words that it read. */
function firstOf(all: readonly Answered[]): readonly number[] {
  return all.flatMap(({ question, write }) => ('word' in question ? [write] : []))
}

/** What it saw, for people: values of words, and the names that had been acknowledged, of those that were asked for. */
function seenIn(all: readonly Answered[]): string {
  return all
    .flatMap(({ question, answer }) => ('word' in question ? [`${answer}`] : answer === 1 ? [`@${question.name}`] : []))
    .join()
}
