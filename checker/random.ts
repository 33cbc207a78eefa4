import { clock, NonDeterminismError, withGuards } from '../model/guards.ts'
import { type History, type Thread, threadsOf } from '../model/history.ts'
import { Machine } from '../model/machine.ts'
import type { Program } from '../model/program.ts'
import { killOf, spuriousOf } from '../model/step.ts'
import { ProgramError, validate } from '../model/validate.ts'
import { defaultEvents, validateBounds } from './bounds.ts'
import { classify } from './failure.ts'
import { type Failure, type RandomOptions, type Report, seeds } from './report.ts'
import { type Finding, initialMemory, judgeEnd, judgeState } from './run.ts'
import { encodeSchedule } from './schedule.ts'
import { chanceOf, type Pick, picker, prioritized, type Scheduler, uniform } from './scheduler.ts'
import { shortestFailure } from './shortest.ts'

/**
 * Takes a program through executions that are chosen at random: for programs of which nobody will see all. Synchronous, on this
 * thread; stops at the first failure. `sometimes` is not judged, and nothing crashes.
 *
 * @returns `refuted` or `inconclusive`, never `holds`; with a `depth`, how surely a bug of that depth would have been found
 * @throws ProgramError when the program or an option is not one
 */
export function exploreAtRandom(program: Program, options: RandomOptions = {}): Report {
  validate(program)
  validateRandom(options)
  const { runs = 1000, seconds = Number.POSITIVE_INFINITY } = options
  const seed = options.seed ?? Math.floor(Math.random() * seeds)
  return withGuards(() => {
    const start = clock()
    const random = new RandomRuns(program, { ...options, seed })
    while (random.failure === undefined && random.runs < runs) {
      random.run()
      if (clock() - start >= 1000 * seconds) break
    }
    return random.report((clock() - start) / 1000, random.runs < runs ? 'seconds' : 'runs')
  })
}

/** Throws a `ProgramError` for an option that is none. */
export function validateRandom(options: RandomOptions): void {
  validateBounds(options)
  for (const name of ['runs', 'depth'] as const) {
    const value = options[name]
    if (value !== undefined && !(Number.isSafeInteger(value) && value > 0)) {
      throw new ProgramError(`option ${name}: expected a positive integer, found ${String(value)}`)
    }
  }
  const { seed } = options
  if (seed !== undefined && !(Number.isInteger(seed) && seed >= 0 && seed < seeds)) {
    throw new ProgramError(`option seed: expected an integer from 0 to ${seeds - 1}, found ${String(seed)}`)
  }
}

/** How many histories of a thread are kept: more are forgotten, and cost runs of user code when they come again. */
const defaultHistories = 200_000

/** What can go wrong with the threads of one run, besides the schedule. */
interface Misfortune {
  /** For each thread before which of its steps it is killed, if it is. */
  readonly kills: ReadonlyMap<number, number>
  /** Asked when a `wait` could come back for no reason. */
  startles(): boolean
}

/** Runs, one after the other. Runs user code: to be used inside `withGuards`. */
export class RandomRuns {
  readonly #program: Program
  readonly #events: number
  readonly #seed: number
  readonly #depth: number | undefined
  readonly #histories: number
  readonly #initial: Int32Array
  readonly #faulty: boolean
  #threads: readonly Thread[]
  /** How many steps each thread did when it was not killed, the last time. */
  #lengths: number[]
  readonly #counts: { executions: number; blocked: number; discarded: number } = { executions: 0, blocked: 0, discarded: 0 }
  runs = 0
  /** How many steps the longest run had. */
  #steps = 0
  /** How many runs had a schedule for as many steps, and no faults. */
  #fair = 0
  failure: Failure | undefined

  constructor(
    program: Program,
    { seed, depth, events = defaultEvents }: RandomOptions & { readonly seed: number },
    histories: number = defaultHistories,
  ) {
    this.#histories = histories
    this.#program = program
    this.#events = events
    this.#seed = seed
    this.#depth = depth
    this.#initial = new Int32Array(program.words)
    this.#threads = threadsOf(program, events)
    this.#lengths = this.#threads.map(() => 1)
    this.#faulty = this.#threads.some(({ faults }) => faults.kills > 0 || faults.spurious)
    try {
      this.#initial = initialMemory(program)
    } catch (error) {
      const { message, ...rest } = classify(error)
      this.failure = { ...rest, message: `setup: ${message}`, schedule: encodeSchedule(program, []), trace: [] }
    }
  }

  /** One more. */
  run(): void {
    if (this.failure !== undefined) return
    if (this.#threads.some(({ nodes }) => nodes > this.#histories)) this.#threads = threadsOf(this.#program, this.#events)
    const pick = picker(this.#seed + Math.imul(this.runs, 0x9e3779b1))
    const depth = this.runs === 0 ? undefined : this.#depth
    const threads = this.#threads.length
    const scheduler = depth === undefined ? uniform(this.#lengths, pick) : prioritized(threads, this.#steps, depth, pick)
    // Every second run is without faults, if there can be any.
    const misfortune = this.#faulty && this.runs % 2 === 1 ? this.#misfortune(pick) : undefined
    const fair = depth !== undefined && misfortune === undefined
    this.runs++
    const done: number[] = []
    let finding: Finding | undefined
    try {
      finding = this.#go(scheduler, misfortune, done)
    } catch (error) {
      if (!(error instanceof NonDeterminismError)) throw error
      finding = { kind: 'non-determinism', message: error.message }
    }
    if (finding !== undefined) {
      this.failure = shortestFailure(this.#program, this.#threads, this.#initial, done, finding)
      return
    }
    if (misfortune === undefined) this.#lengths = this.#threads.map((_, thread) => done.filter((step) => step === thread).length)
    if (done.length > this.#steps) {
      this.#steps = done.length
      this.#fair = 0
    } else if (fair) this.#fair++
  }

  report(seconds: number, bound: 'runs' | 'seconds'): Report {
    const { failure } = this
    const depth = this.#depth
    const random = {
      seed: this.#seed,
      runs: this.runs,
      steps: this.#steps,
      ...(depth === undefined ? {} : { depth, found: this.#surety(depth) }),
    }
    return {
      program: this.#program.name,
      verdict: failure === undefined ? 'inconclusive' : 'refuted',
      ...this.#counts,
      seconds,
      ...(failure === undefined ? { bound } : {}),
      random,
      ...(failure === undefined ? {} : { failure }),
    }
  }

  /** With which probability one of the runs would have found a bug, at least. Nothing is promised where runs were broken off. */
  #surety(depth: number): number {
    if (this.#counts.blocked + this.#counts.discarded > 0) return 0
    return 1 - (1 - chanceOf(this.#threads.length, this.#steps, depth)) ** this.#fair
  }

  #misfortune(pick: Pick): Misfortune {
    const victims = this.#threads.flatMap(({ faults }, thread) => (faults.kills > 0 ? [thread] : []))
    const most = Math.max(...this.#threads.map(({ faults }) => faults.kills))
    const kills = new Map<number, number>()
    for (let left = pick(Math.min(most, victims.length) + 1); left > 0; left--) {
      const [victim] = victims.splice(pick(victims.length), 1)
      kills.set(victim, pick(this.#lengths[victim] + 1))
    }
    return { kills, startles: () => pick(2) === 0 }
  }

  /** Runs to the end, and notes the steps. */
  #go(scheduler: Scheduler, misfortune: Misfortune | undefined, done: number[]): Finding | undefined {
    const threads = this.#threads
    const machine = new Machine(threads, this.#initial)
    machine.lead()
    const own = threads.map(() => 0)
    const step = (next: number): Finding | undefined => {
      machine.step(next)
      done.push(next)
      return judgeState(this.#program, machine)
    }
    let finding = judgeState(this.#program, machine)
    while (finding === undefined) {
      const victim = threads.findIndex(
        (_, thread) => misfortune?.kills.get(thread) === own[thread] && machine.canStep(killOf(thread)),
      )
      if (victim >= 0) {
        own[victim]++
        finding = step(killOf(victim))
        continue
      }
      const able = [...threads.keys()].filter((thread) => machine.canStep(thread) && !machine.wouldPark(thread))
      if (able.length === 0) break
      const thread = scheduler.choose(able)
      const next = machine.next[thread] as History
      if (next.depth >= this.#events) {
        this.#counts.discarded++
        return undefined
      }
      own[thread]++
      const startled = misfortune !== undefined && machine.canStep(spuriousOf(thread)) && misfortune.startles()
      finding = step(startled ? spuriousOf(thread) : thread)
    }
    // Who would only park shows what it loads.
    for (const thread of threads.keys()) if (finding === undefined && machine.canStep(thread)) finding = step(thread)
    finding ??= judgeEnd(this.#program, machine)
    if (finding === undefined) {
      if (machine.finished || !machine.looksAgain) this.#counts.executions++
      else this.#counts.blocked++
    }
    return finding
  }
}
