import type { History } from '../model/history.ts'
import { KILLED } from '../model/operation.ts'
import type { Program } from '../model/program.ts'
import { classify } from './failure.ts'
import { canonicalOutcome } from './outcome.ts'
import { RowSet } from './row-set.ts'
import { type Finding, resultsOf } from './run.ts'
import type { Search } from './search.ts'
import { StateMemory } from './state-memory.ts'
import type { Tally } from './tally.ts'
import { toldApart } from './told-apart.ts'

/** Something is wrong with the end of an execution. */
export class EndBroken extends Error {
  readonly finding: Finding
  readonly sometimes: string | undefined
  /** States that lead to this end, where not every way to it shows what is wrong. */
  readonly states: readonly Int32Array[]

  constructor(
    finding: Finding,
    { sometimes, states = [] }: { readonly sometimes?: string | undefined; readonly states?: readonly Int32Array[] } = {},
  ) {
    super(finding.message)
    this.finding = finding
    this.sometimes = sometimes
    this.states = states
  }
}

/** How many numbers are kept to know the ends again that were judged: 8 megabytes. */
const mostNumbers = 2 ** 21
/** How many results are told apart by what they are; those that come later are all taken for different ones. */
const mostResults = 50_000
/** After so many ends it shows whether ends come again. */
const enough = 4096

/**
 * Judges complete executions: `finally`, each `sometimes` that has no witness yet, and their outcomes.
 *
 * These see the memory and the results and nothing else, and whoever judges is deterministic. So an end is judged once, however many
 * executions come to it, as `always` judges a state once (`states.ts`). What nobody can tell is judged every time: bytes that a
 * killed thread has left undefined.
 */
export class Ends {
  readonly #program: Program
  readonly #wantsOutcomes: boolean
  #unwitnessed = new Set<string>()
  #outcomes = new Set<string>()
  #known: RowSet | undefined
  #judged = 0
  #again = 0
  readonly #results = new Map<string, number>()
  #lastResult = 0

  constructor(program: Program, wantsOutcomes: boolean) {
    this.#program = program
    this.#wantsOutcomes = wantsOutcomes
  }

  /**
   * Begins with nothing seen.
   *
   * @param witnessed which `sometimes` need not be judged any more
   */
  begin(witnessed: readonly string[]): void {
    this.#unwitnessed = new Set(Object.keys(this.#program.sometimes ?? {}))
    for (const name of witnessed) this.#unwitnessed.delete(name)
    this.#outcomes = new Set()
    this.#known?.clear()
    this.#judged = 0
    this.#again = 0
  }

  /** What was seen. */
  get tally(): Pick<Tally, 'witnessed' | 'outcomes'> {
    const witnessed = Object.keys(this.#program.sometimes ?? {}).filter((name) => !this.#unwitnessed.has(name))
    return this.#wantsOutcomes ? { witnessed, outcomes: [...this.#outcomes] } : { witnessed }
  }

  /** Judges the end at which a search is. Throws `EndBroken`. */
  judge(search: Search): void {
    if (this.#program.finally === undefined && this.#unwitnessed.size === 0 && !this.#wantsOutcomes) return
    if (!this.#isKnown(search)) this.#judge(search)
  }

  #judge(search: Search): void {
    const { sometimes } = this.#program
    const results = resultsOf(
      search.threads,
      search.threads.map((_, thread) => search.next(thread)),
    )
    if (this.#wantsOutcomes) this.#outcomes.add(canonicalOutcome(results, new StateMemory(search, false)))
    for (const name of this.#unwitnessed) {
      const look = (): void => {
        if (sometimes?.[name](new StateMemory(search, false), results) === true) this.#unwitnessed.delete(name)
      }
      judged(`sometimes ${name}`, look, name)
    }
    judged('finally', () => this.#program.finally?.(new StateMemory(search, true), results))
  }

  /** Whether this end was judged before. The next time it is. */
  #isKnown(search: Search): boolean {
    if (search.mayBeTorn || (this.#judged > enough && this.#again < this.#judged >> 3)) return false
    const { memory } = search
    const { words } = this.#program
    const count = search.threads.length
    this.#known ??= new RowSet(words + count, mostNumbers)
    const { rows, start } = this.#known
    for (let word = 0; word < words; word++) rows[start + word] = memory[word]
    for (let thread = 0; thread < count; thread++) {
      rows[start + words + thread] = this.#resultOf(search.next(thread) as History)
    }
    this.#judged++
    if (this.#known.admit()) return false
    this.#again++
    return true
  }

  /** A number for what a thread returned: two are the same only if nobody can tell them apart. */
  #resultOf(end: History): number {
    if (end.kind === KILLED) return 0
    if (end.resultNumber > 0) return end.resultNumber
    const result = toldApart(end.result)
    let number = this.#results.get(result)
    if (number === undefined) {
      number = ++this.#lastResult
      if (this.#results.size < mostResults) this.#results.set(result, number)
    }
    end.resultNumber = number
    return number
  }
}

/** Lets a part of the program judge an end. */
function judged(part: string, judge: () => void, sometimes?: string): void {
  try {
    judge()
  } catch (error) {
    const { message, ...rest } = classify(error)
    throw new EndBroken({ ...rest, message: `${part}: ${message}` }, { sometimes })
  }
}
