import type { Graph } from '../model/graph.ts'
import { clock, NonDeterminismError, withGuards } from '../model/guards.ts'
import { type Thread, threadsOf } from '../model/history.ts'
import type { Program } from '../model/program.ts'
import { lookOnly, SoloMemory } from '../model/solo-memory.ts'
import { validate } from '../model/validate.ts'
import { defaultEvents, validateBounds, withRoom } from './bounds.ts'
import { walk, walkSeconds } from './estimate.ts'
import { classify } from './failure.ts'
import { HistoryBroken, type HistoryJudge, judgeOf } from './history-judge.ts'
import { everything, linearize, linearizeThrough } from './linearize.ts'
import { canonicalOutcome } from './outcome.ts'
import {
  type Bounds,
  type Covered,
  type Estimate,
  type ExploreOptions,
  type Failure,
  type Report,
  shareEnough,
} from './report.ts'
import { type Finding, initialMemory, resultsOf, runSchedule } from './run.ts'
import { encodeSchedule } from './schedule.ts'
import { Broken, Search } from './search.ts'
import { shrink } from './shrink.ts'
import { InvariantBroken, States } from './states.ts'
import { traceOf } from './trace.ts'

/** How a search is made; tests of the tests put searches with mistakes here. */
export type MakeSearch = (threads: readonly Thread[], initial: Int32Array, events: number, room: number) => Search

/**
 * Takes a program through every distinct execution, each once. Synchronous, on this thread; stops at the first failure.
 *
 * @param options bounds, none by default but 1000 operations a thread; one that is hit makes the verdict `inconclusive`
 * @returns what was found. `holds` says that every execution was seen and nothing was wrong with any of them
 * @throws ProgramError when the program or an option is not one
 */
export function explore(program: Program, options: ExploreOptions = {}): Report {
  return exploreWith((threads, initial, events, room) => new Search(threads, initial, events, room), program, options)
}

/** `explore` with a search of one's own. */
export function exploreWith(makeSearch: MakeSearch, program: Program, options: ExploreOptions): Report {
  validate(program)
  validateBounds(options)
  return withGuards(() => {
    const start = clock()
    return withRoom((room) => new Exploration(makeSearch, program, options, start, room).run())
  })
}

/** Something is wrong with the graph as it stands: with its end, unless `counts` names an earlier state. */
class Found extends Error {
  readonly finding: Finding
  readonly counts: Int32Array | undefined

  constructor(finding: Finding, counts?: Int32Array) {
    super(finding.message)
    this.finding = finding
    this.counts = counts
  }
}

/** The memory at the end of a graph, for one who has it alone: fetches what is asked for, and keeps what is written to itself. */
class EndMemory extends SoloMemory {
  readonly #graph: Graph
  readonly #writable: boolean
  #written: Map<number, number> | undefined

  constructor(initial: Int32Array, graph: Graph, writable: boolean) {
    super(initial, writable && graph.kills > 0 ? (word) => tornBytes(graph, word) : undefined)
    this.#graph = graph
    this.#writable = writable
  }

  protected override fetch(word: number): number {
    const written = this.#written?.get(word)
    if (written !== undefined) return written
    const location = this.#graph.knownLocation(word)
    return location === undefined ? this.contents[word] : this.#graph.valueAfter(this.#graph.lastWrite[location])
  }

  protected override put(word: number, value: number): void {
    if (!this.#writable) lookOnly(word)
    this.#written ??= new Map()
    this.#written.set(word, value)
  }
}

/** The bytes of a word that killed threads have left undefined. */
function tornBytes(graph: Graph, word: number): number {
  const location = graph.knownLocation(word)
  if (location === undefined) return 0
  let torn = 0
  for (let byte = 1; byte < 16; byte <<= 1) if (graph.tornBelow(graph.lastWrite[location], byte) >= 0) torn |= byte
  return torn
}

/** Lets a part of the program judge the end of a graph. */
function judged(part: string, judge: () => void): void {
  try {
    judge()
  } catch (error) {
    const { message, ...rest } = classify(error)
    throw new Found({ ...rest, message: `${part}: ${message}` })
  }
}

/** How many ends of paths pass between two looks at the clock. */
const clockEvery = 64

class Exploration {
  readonly #program: Program
  readonly #options: ExploreOptions
  readonly #start: number
  readonly #threads: readonly Thread[]
  readonly #makeSearch: MakeSearch
  readonly #room: number
  readonly #events: number
  readonly #outcomes: Set<string> | undefined
  #initial: Int32Array = new Int32Array(0)
  #states: States | undefined
  readonly #histories: HistoryJudge | undefined
  /** What must still be witnessed. */
  readonly #unwitnessed: Set<string>
  #executions = 0
  #blocked = 0
  #discarded = 0
  #bound: keyof Bounds | undefined
  #sampled: Estimate | undefined
  #covered: Covered | undefined

  constructor(makeSearch: MakeSearch, program: Program, options: ExploreOptions, start: number, room: number) {
    this.#makeSearch = makeSearch
    this.#program = program
    this.#options = options
    this.#start = start
    this.#room = room
    this.#events = options.events ?? defaultEvents
    this.#threads = threadsOf(program, this.#events)
    this.#outcomes = options.outcomes === true ? new Set() : undefined
    this.#unwitnessed = new Set(Object.keys(program.sometimes ?? {}))
    this.#histories = program.history === undefined ? undefined : judgeOf(program.history)
  }

  run(): Report {
    try {
      this.#initial = initialMemory(this.#program)
    } catch (error) {
      const { message, ...rest } = classify(error)
      return this.#report({ ...rest, message: `setup: ${message}`, schedule: encodeSchedule(this.#program, []), trace: [] })
    }
    const { always, words } = this.#program
    if (always !== undefined) this.#states = new States(words, this.#initial, always)
    const search = this.#makeSearch(this.#threads, this.#initial, this.#events, this.#room)
    try {
      this.#walk(search)
      if (this.#bound === 'executions' || this.#bound === 'seconds') {
        // Costs no more than the search did.
        this.#sample((clock() - this.#start) / 1000)
        this.#covered = this.#cover(search)
      }
    } catch (error) {
      return this.#report(this.#failure(search, error))
    }
    const [missing] = this.#unwitnessed
    if (missing !== undefined && this.#bound === undefined) {
      const message = `no execution is a witness of ${JSON.stringify(missing)}`
      return this.#report({ kind: 'unwitnessed', message, schedule: encodeSchedule(this.#program, []), trace: [] })
    }
    return this.#report()
  }

  #walk(search: Search): void {
    const { executions = Number.POSITIVE_INFINITY, seconds = Number.POSITIVE_INFINITY } = this.#options
    let nextProgress = this.#start + 100
    for (let leaves = 1; ; leaves++) {
      const leaf = search.advance()
      switch (leaf) {
        case undefined:
          return
        case 'complete':
          if (this.#executions === executions) {
            this.#bound = 'executions'
            return
          }
          this.#states?.judge(search.graph)
          this.#judgeHistory(search)
          this.#complete(search)
          this.#executions++
          break
        case 'blocked':
          this.#states?.judge(search.graph)
          this.#blocked++
          break
        case 'stuck':
          this.#states?.judge(search.graph)
          throw new Found({ kind: 'deadlock', message: 'some threads can never go on' })
        case 'unfinished':
          this.#bound = 'events'
          break
        default:
          this.#discarded++
      }
      if (leaves % clockEvery !== 0) continue
      const now = clock()
      if (now - this.#start >= 1000 * seconds) {
        this.#bound = 'seconds'
        return
      }
      if (now >= nextProgress) {
        nextProgress = now + 100
        this.#tell(search, now)
      }
    }
  }

  #tell(search: Search, now: number): void {
    const { progress } = this.#options
    if (progress === undefined) return
    const sampled = this.#sample()
    progress({ executions: this.#executions, seconds: (now - this.#start) / 1000, ...this.#cover(search), sampled })
  }

  /** The random walks, made once. */
  #sample(seconds = walkSeconds): Estimate {
    // Tries belong to one search: their nodes remember what it calls the words.
    const search = (): Search => this.#makeSearch(threadsOf(this.#program, this.#events), this.#initial, this.#events, this.#room)
    this.#sampled ??= walk(search(), { seconds: Math.min(seconds, walkSeconds) })
    return this.#sampled
  }

  #cover({ share }: Search): Covered {
    const walked = this.#sampled?.executions ?? 0
    return {
      share: Math.min(share, 1),
      estimate: share < shareEnough ? Math.max(walked, this.#executions) : this.#executions / share,
    }
  }

  #judgeHistory(search: Search): void {
    if (this.#histories === undefined) return
    const ends = this.#threads.map((_, thread) => search.next(thread))
    this.#histories.judgeGraph(search.graph, this.#threads, ends)
  }

  /** Judges a complete execution. */
  #complete(search: Search): void {
    const { finally: judge, sometimes } = this.#program
    if (judge === undefined && this.#unwitnessed.size === 0 && this.#outcomes === undefined) return
    const results = resultsOf(
      this.#threads,
      this.#threads.map((_, thread) => search.next(thread)),
    )
    const end = (writable: boolean): EndMemory => new EndMemory(this.#initial, search.graph, writable)
    if (this.#outcomes !== undefined) this.#outcomes.add(canonicalOutcome(results, end(false)))
    for (const name of this.#unwitnessed) {
      judged(`sometimes ${name}`, () => {
        if (sometimes?.[name](end(false), results) === true) this.#unwitnessed.delete(name)
      })
    }
    if (judge !== undefined) judged('finally', () => judge.call(this.#program, end(true), results))
  }

  /** Turns what was thrown on the way into a failure that can be replayed. */
  #failure(search: Search, error: unknown): Failure {
    const { graph } = search
    let finding: Finding
    let counts = everything(graph)
    if (error instanceof Found) finding = error.finding
    else if (error instanceof InvariantBroken) {
      const { message, ...rest } = classify(error.error)
      finding = { ...rest, message: `always: ${message}` }
      counts = error.counts
    } else if (error instanceof HistoryBroken) {
      finding = { kind: 'assertion', guarantee: error.guarantee, message: error.message }
    } else if (error instanceof Broken) {
      finding =
        error.kind === 'thrown' ? classify(error.error) : { kind: 'data-race', message: 'two accesses that nothing orders' }
    } else if (error instanceof NonDeterminismError) finding = { kind: 'non-determinism', message: error.message }
    else throw error
    const found = error instanceof HistoryBroken ? linearizeThrough(graph, error.states) : linearize(graph, counts)
    if (finding.kind === 'non-determinism') {
      return { ...finding, schedule: encodeSchedule(this.#program, found), trace: [] }
    }
    const first = runSchedule(this.#program, this.#threads, this.#initial, found)
    const target = first.finding ?? finding
    const short = shrink(this.#program, this.#threads, this.#initial, first.steps, target)
    const run = runSchedule(this.#program, this.#threads, this.#initial, short)
    return {
      ...(run.finding ?? target),
      schedule: encodeSchedule(this.#program, run.steps),
      trace: traceOf(run.machine),
    }
  }

  #report(failure?: Failure): Report {
    const verdict = failure !== undefined ? 'refuted' : this.#bound !== undefined ? 'inconclusive' : 'holds'
    return {
      program: this.#program.name,
      verdict,
      executions: this.#executions,
      blocked: this.#blocked,
      discarded: this.#discarded,
      seconds: (clock() - this.#start) / 1000,
      ...(this.#bound === undefined || failure !== undefined ? {} : { bound: this.#bound }),
      ...(this.#covered === undefined ? {} : { covered: this.#covered }),
      ...(this.#outcomes === undefined ? {} : { outcomes: [...this.#outcomes].sort() }),
      ...(failure === undefined ? {} : { failure }),
    }
  }
}
