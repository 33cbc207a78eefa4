import { NonDeterminismError } from '../model/guards.ts'
import { type Thread, threadsOf } from '../model/history.ts'
import type { Program } from '../model/program.ts'
import { defaultEvents } from './bounds.ts'
import { Broken } from './broken.ts'
import { runCrash } from './crash-run.ts'
import { Crashes, JudgingStopped, RecoveryBroken } from './crashes.ts'
import { EndBroken, Ends } from './ends.ts'
import { walk, walkSeconds } from './estimate.ts'
import { classify } from './failure.ts'
import { HistoryBroken, type HistoryJudge, judgeOf } from './history-judge.ts'
import { linearize, linearizeThrough } from './linearize.ts'
import { type Parcel, pack, unpack } from './parcel.ts'
import type { Estimate, ExploreOptions, Failure } from './report.ts'
import { type Finding, initialMemory } from './run.ts'
import { encodeSchedule } from './schedule.ts'
import type { Leaf, Search } from './search.ts'
import { shortestFailure } from './shortest.ts'
import { InvariantBroken, States } from './states.ts'
import type { Tally } from './tally.ts'

/** How a search is made; tests of the tests put searches with mistakes here. */
export type MakeSearch = (threads: readonly Thread[], initial: Int32Array, events: number) => Search

/** Why an exploration came back: nothing is left, something is wrong, it was asked to, or there are more executions than it may see. */
export type Pause = 'done' | 'failed' | 'asked' | 'executions'

/** A failure, and which `sometimes` it is a failure of: it is none where that had a witness before. */
export interface Found {
  readonly failure: Failure
  readonly sometimes?: string
}

type Counts = { -readonly [K in 'executions' | 'blocked' | 'discarded' | 'share' | 'cut']: Tally[K] }

interface Beyond {
  readonly rest: readonly Parcel[]
  readonly counts: Counts
}

const nothing: Counts = { executions: 0, blocked: 0, discarded: 0, share: 0, cut: false }

/**
 * Explores subtrees of a program, in the order in which they are given, and judges what it finds. Can be left at any time and
 * gone on with, here or, by `rest`, elsewhere. What it has learned about the threads serves the subtrees that come next.
 * Runs user code: to be used inside `withGuards`.
 */
export class Exploration {
  readonly #program: Program
  readonly #events: number
  readonly #makeSearch: MakeSearch
  readonly #histories: HistoryJudge | undefined
  readonly #ends: Ends
  /** Known once `setup` has run. */
  #initial: Int32Array | undefined
  #states: States | undefined
  #crashes: Crashes | undefined
  #search: Search | undefined
  #subtrees: Parcel[] = []
  /** The subtree that the search is in. */
  #current: Parcel | undefined
  #counts: Counts = { ...nothing }
  /** What had been counted before the subtree that the search is in. */
  #before: Counts = nothing
  #isLate: () => boolean = () => false
  /** What was left when as many executions had been found as may be. */
  #beyond: Beyond | undefined
  /** What is wrong, once `run` has said that something is. */
  found: Found | undefined

  constructor(makeSearch: MakeSearch, program: Program, { events, outcomes }: Pick<ExploreOptions, 'events' | 'outcomes'>) {
    this.#makeSearch = makeSearch
    this.#program = program
    this.#events = events ?? defaultEvents
    this.#ends = new Ends(program, outcomes === true)
    this.#histories = program.history === undefined ? undefined : judgeOf(program.history)
  }

  /**
   * Takes up subtrees, with an empty tally. Whatever was left is forgotten.
   *
   * @param witnessed which `sometimes` need not be judged any more
   */
  enter(subtrees: readonly Parcel[], witnessed: readonly string[] = []): void {
    this.rest()
    this.#subtrees = [...subtrees]
    this.#ends.begin(witnessed)
    this.#counts = { ...nothing }
    this.#beyond = undefined
    this.found = undefined
  }

  /** What was found since `enter`. */
  get tally(): Tally {
    const recoveries = this.#crashes === undefined ? {} : { recoveries: [...this.#crashes.recoveries] }
    return { ...this.#counts, ...this.#ends.tally, ...recoveries }
  }

  /**
   * Goes on until nothing is left, something is wrong, `stop` says so, or there is one execution more than `most`.
   *
   * @param stop is asked after every `askEvery` ends of paths
   * @param isLate is asked while the crashes of one end are judged; when it says so, that end is left for later with the rest
   */
  run(stop: () => boolean, most: number = Number.POSITIVE_INFINITY, askEvery = 64, isLate = () => false): Pause {
    this.#isLate = isLate
    try {
      this.#initial ??= initialMemory(this.#program)
    } catch (error) {
      const { message, ...rest } = classify(error)
      const failure = { ...rest, message: `setup: ${message}`, schedule: encodeSchedule(this.#program, []), trace: [] }
      this.found = { failure }
      return 'failed'
    }
    const initial = this.#initial
    const { always, words } = this.#program
    if (always !== undefined) this.#states ??= new States(words, initial, always)
    if (this.#program.recover !== undefined) this.#crashes ??= new Crashes(this.#program, initial)
    this.#search ??= this.#makeSearch(threadsOf(this.#program, this.#events), initial, this.#events)
    try {
      return this.#walk(this.#search, stop, most, askEvery)
    } catch (error) {
      if (error instanceof JudgingStopped) return this.#putBack(this.#search)
      this.found = this.#explain(this.#search, error)
      this.#abandon()
      return 'failed'
    }
  }

  /** Gives away what is left, as subtrees, in the order in which they would have been explored. */
  rest(): Parcel[] {
    const inside = this.#current === undefined ? [] : (this.#search as Search).drain().map(pack)
    const rest = [...inside, ...this.#subtrees]
    this.#current = undefined
    this.#subtrees = []
    return rest
  }

  /** Random walks through the whole program, for at most so many seconds. */
  sample(seconds: number = walkSeconds): Estimate {
    const initial = this.#initial as Int32Array
    const search = this.#makeSearch(threadsOf(this.#program, this.#events), initial, this.#events)
    return walk(search, { seconds: Math.min(seconds, walkSeconds) })
  }

  #walk(search: Search, stop: () => boolean, most: number, askEvery: number): Pause {
    const counts = this.#counts
    const ends = this.#ends
    for (let leaves = 1; ; leaves++) {
      if (counts.executions === most && this.#beyond === undefined) this.#stopHere()
      const leaf = this.#advance(search)
      switch (leaf) {
        case undefined:
          return 'done'
        case 'complete':
          if (counts.executions === most) return this.#goBack()
          this.#judgeStates(search)
          this.#judgeHistory(search)
          ends.judge(search)
          counts.executions++
          break
        case 'blocked':
          this.#judgeStates(search)
          counts.blocked++
          break
        case 'stuck':
          this.#judgeStates(search)
          this.#judgeStuck(search)
          if (counts.executions === most) return this.#goBack()
          counts.executions++
          break
        case 'unfinished':
          counts.cut = true
          break
        default:
          counts.discarded++
      }
      if (leaves % askEvery === 0 && stop()) return 'asked'
    }
  }

  /** Keeps what is left now. Whether there is an execution in it shows when one is found, and then it is too late. */
  #stopHere(): void {
    const rest = this.rest()
    this.#subtrees = [...rest]
    this.#beyond = { rest, counts: { ...this.#counts } }
  }

  /** To where as many executions had been found as may be. */
  #goBack(): Pause {
    const { rest, counts } = this.#beyond as Beyond
    Object.assign(this.#counts, counts)
    this.rest()
    this.#subtrees = [...rest]
    return 'executions'
  }

  /** The end at which the search is was not judged: it comes again, before all that is left. */
  #putBack(search: Search): Pause {
    const { leaf } = search
    this.#counts.share -= leaf.mass
    this.#subtrees = [pack(leaf), ...this.rest()]
    return 'asked'
  }

  /** Judges every state on the way to the end of a path, and every crash there. */
  #judgeStates(search: Search): void {
    this.#states?.judge(search.graph)
    this.#crashes?.judge(
      search.graph,
      search.threads.map((_, thread) => search.next(thread)),
      this.#isLate,
    )
  }

  /** Goes on to the next end of a path, in one subtree after the other. */
  #advance(search: Search): Leaf | undefined {
    for (;;) {
      if (this.#current === undefined) {
        this.#current = this.#subtrees.shift()
        if (this.#current === undefined) return undefined
        this.#before = { ...this.#counts }
        search.share = 0
        search.enter(unpack(this.#current))
      }
      const leaf = search.advance()
      this.#counts.share = this.#before.share + search.share
      if (leaf !== undefined) return leaf
      this.#current = undefined
    }
  }

  /** Gives a search up in the middle. */
  #abandon(): void {
    this.#search = undefined
    this.#current = undefined
  }

  /** Threads that can never go on are all in operations that the specification lets wait, or something is wrong. */
  #judgeStuck(search: Search): void {
    const deadlock: Finding = { kind: 'deadlock', message: 'some threads can never go on' }
    if (this.#histories === undefined) throw new EndBroken(deadlock)
    const ends = search.threads.map((_, thread) => {
      const next = search.next(thread)
      // Who sleeps has no next operation but the one that it is in.
      return next === undefined
        ? { end: search.graph.node[search.graph.tip(thread)], asleep: true }
        : { end: next, asleep: false }
    })
    const states = this.#histories.judgeStuck(search.graph, search.threads, ends)
    if (states !== undefined) throw new EndBroken(deadlock, { states })
  }

  #judgeHistory(search: Search): void {
    if (this.#histories === undefined) return
    const ends = search.threads.map((_, thread) => search.next(thread))
    this.#histories.judgeGraph(search.graph, search.threads, ends)
  }

  /** Turns what was thrown on the way into a failure that can be replayed. */
  #explain(search: Search, error: unknown): Found {
    const { threads } = search
    let finding: Finding
    let counts: Int32Array | undefined
    if (error instanceof EndBroken) finding = error.finding
    else if (error instanceof InvariantBroken) {
      const { message, ...rest } = classify(error.error)
      finding = { ...rest, message: `always: ${message}` }
      counts = error.counts
    } else if (error instanceof RecoveryBroken) {
      return { failure: this.#crashed(threads, linearize(search.graph, error.counts), error) }
    } else if (error instanceof HistoryBroken) {
      finding = { kind: 'assertion', guarantee: error.guarantee, message: error.message }
    } else if (error instanceof Broken) {
      finding =
        error.kind === 'thrown' ? classify(error.error) : { kind: 'data-race', message: 'two accesses that nothing orders' }
    } else if (error instanceof NonDeterminismError) finding = { kind: 'non-determinism', message: error.message }
    else throw error
    const sometimes = error instanceof EndBroken && error.sometimes !== undefined ? { sometimes: error.sometimes } : {}
    const isOfEnd = error instanceof HistoryBroken || error instanceof EndBroken
    const schedule = isOfEnd
      ? linearizeThrough(search.graph, error.states)
      : counts === undefined
        ? search.schedule()
        : linearize(search.graph, counts)
    return { failure: shortestFailure(this.#program, threads, this.#initial as Int32Array, schedule, finding), ...sometimes }
  }

  /** A failure of the recovery: what must have happened before the crash, and what is left. */
  #crashed(threads: readonly Thread[], schedule: readonly number[], { error, choices }: RecoveryBroken): Failure {
    const { steps, finding, trace } = runCrash(this.#program, threads, this.#initial as Int32Array, schedule, choices)
    const { message, ...what } = classify(error)
    return {
      ...(finding ?? { ...what, message: `recover: ${message}` }),
      schedule: encodeSchedule(this.#program, steps, choices),
      trace,
    }
  }
}
