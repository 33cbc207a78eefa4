import { clock, NonDeterminismError, withGuards } from '../model/guards.ts'
import { type History, type Thread, threadsOf } from '../model/history.ts'
import { Machine } from '../model/machine.ts'
import type { Program } from '../model/program.ts'
import { killOf, spuriousOf, threadOf } from '../model/step.ts'
import { ProgramError, validate } from '../model/validate.ts'
import { defaultEvents, validateBounds } from './bounds.ts'
import { classify } from './failure.ts'
import { judgeOf } from './history-judge.ts'
import { type Path, stepsOf } from './path.ts'
import type { Failure, FewPreemptionsOptions, Report } from './report.ts'
import { type Finding, initialMemory, judgeEnd, judgeState } from './run.ts'
import { encodeSchedule } from './schedule.ts'
import { shortestFailure } from './shortest.ts'

/** A state, and who went on last. */
interface Place {
  readonly machine: Machine
  readonly path: Path | undefined
}

/** So many states are kept, unless told otherwise. */
const defaultStates = 1_000_000

/**
 * Takes a program through all executions that need few preemptions: a thread is preempted where another one goes on although it
 * could have gone on itself. For programs of which nobody will see all executions: most bugs need one or two. Synchronous, on
 * this thread; stops at the first failure, which is one with the fewest preemptions. `sometimes` is not judged, and nothing crashes.
 *
 * After iterative context bounding (Musuvathi and Qadeer, PLDI 2007, section 3): first all states without a preemption, then those
 * behind one, and so on. A state is never gone through twice: what it leads to with as many preemptions, or fewer, has been seen.
 * The search of `explore` cannot be bounded so, for it learns which executions there are from others, which may need more.
 *
 * @returns `refuted` or `inconclusive`, never `holds`; in `preemptions` what was covered
 * @throws ProgramError when the program or an option is not one
 */
export function exploreFewPreemptions(program: Program, options: FewPreemptionsOptions): Report {
  validate(program)
  validateFewPreemptions(options)
  return withGuards(() => {
    const start = clock()
    const { seconds = Number.POSITIVE_INFINITY } = options
    const search = new FewPreemptions(program, options, () => clock() - start >= 1000 * seconds)
    search.run()
    return search.report((clock() - start) / 1000)
  })
}

/** Throws a `ProgramError` for an option that is none. */
export function validateFewPreemptions(options: FewPreemptionsOptions): void {
  validateBounds(options)
  const { preemptions, states = defaultStates } = options
  if (!(Number.isSafeInteger(preemptions) && preemptions >= 0)) {
    throw new ProgramError(`option preemptions: expected an integer from 0 on, found ${String(preemptions)}`)
  }
  if (!(Number.isSafeInteger(states) && states > 0)) {
    throw new ProgramError(`option states: expected a positive integer, found ${String(states)}`)
  }
}

/** Runs user code: to be used inside `withGuards`. */
class FewPreemptions {
  readonly #program: Program
  readonly #options: Required<Pick<FewPreemptionsOptions, 'preemptions' | 'states' | 'events'>>
  readonly #late: () => boolean
  readonly #threads: readonly Thread[]
  readonly #initial: Int32Array
  readonly #seen = new Set<string>()
  readonly #counts: { executions: number; blocked: number; discarded: number } = { executions: 0, blocked: 0, discarded: 0 }
  /** With so many preemptions all was seen; -1: not even without one. */
  #covered = -1
  /** Nothing is left, with however many preemptions. */
  #all = false
  #bound: 'preemptions' | 'seconds' | 'states' = 'preemptions'
  #failure: Failure | undefined
  /** Where user code may run. */
  #at: Path | undefined

  constructor(program: Program, options: FewPreemptionsOptions, late: () => boolean) {
    const { preemptions, states = defaultStates, events = defaultEvents } = options
    this.#program = program
    this.#options = { preemptions, states, events }
    this.#late = late
    this.#threads = threadsOf(program, events)
    this.#initial = new Int32Array(program.words)
    try {
      this.#initial = initialMemory(program)
    } catch (error) {
      const { message, ...rest } = classify(error)
      this.#failure = { ...rest, message: `setup: ${message}`, schedule: encodeSchedule(program, []), trace: [] }
    }
  }

  run(): void {
    if (this.#failure !== undefined) return
    try {
      // Paths, and not machines: there may be very many that wait for the next round.
      let paths: (Path | undefined)[] = [undefined]
      for (let preemptions = 0; preemptions <= this.#options.preemptions; preemptions++) {
        const next: Path[] = []
        for (const path of paths) {
          const place = this.#placeOf(path)
          if (!this.#judge(place, judgeState(this.#program, place.machine)) || !this.#go(place, next)) return
        }
        this.#covered = preemptions
        this.#all = next.length === 0
        if (this.#all) return
        paths = next
      }
    } catch (error) {
      if (!(error instanceof NonDeterminismError)) throw error
      this.#failure = {
        kind: 'non-determinism',
        message: error.message,
        schedule: encodeSchedule(this.#program, stepsOf(this.#at)),
        trace: [],
      }
    }
  }

  report(seconds: number): Report {
    const failure = this.#failure
    return {
      program: this.#program.name,
      verdict: failure === undefined ? 'inconclusive' : 'refuted',
      ...this.#counts,
      seconds,
      ...(failure === undefined ? { bound: this.#bound } : {}),
      preemptions: {
        most: this.#options.preemptions,
        covered: this.#covered,
        all: this.#all && this.#counts.discarded === 0,
        states: this.#seen.size,
      },
      ...(failure === undefined ? {} : { failure }),
    }
  }

  /** Goes through all that a place leads to without a preemption; notes in `next` where there is one. False: to be ended. */
  #go(from: Place, next: Path[]): boolean {
    const program = this.#program
    const stack: Place[] = [from]
    for (let place = stack.pop(); place !== undefined; place = stack.pop()) {
      const { machine, path } = place
      const able = this.#able(machine)
      const last = path === undefined ? -1 : threadOf(path.step)
      const goesOn = able.includes(last) && !machine.asleep[last]
      const history = program.history === undefined ? '' : judgeOf(program.history).keyOf(machine)
      // Where it could not go on, nothing depends on who went on last.
      if (!this.#isNew(`${goesOn ? last : ''} ${machine.key(true)} ${history}`)) continue
      if (this.#seen.size > this.#options.states || this.#late()) {
        this.#bound = this.#seen.size > this.#options.states ? 'states' : 'seconds'
        return false
      }
      if (able.length === 0 && !this.#end(place)) return false
      for (const step of able) {
        const thread = threadOf(step)
        const then: Path = { step, before: path }
        if ((machine.next[thread] as History).depth >= this.#options.events) this.#counts.discarded++
        else if (goesOn && thread !== last) next.push(then)
        else {
          this.#at = then
          const after: Place = { machine: machine.copy(), path: then }
          after.machine.step(step)
          if (!this.#judge(after, judgeState(program, after.machine))) return false
          stack.push(after)
        }
      }
    }
    return true
  }

  #isNew(key: string): boolean {
    const before = this.#seen.size
    return this.#seen.add(key).size > before
  }

  /** Steps that change something, or after which their thread would not only look again. */
  #able(machine: Machine): number[] {
    return [...this.#threads.keys()].flatMap((thread) => {
      const steps = machine.canStep(thread) && !machine.wouldPark(thread) ? [thread] : []
      for (const fault of [spuriousOf(thread), killOf(thread)]) if (machine.canStep(fault)) steps.push(fault)
      return steps
    })
  }

  /** Nobody can go on. */
  #end({ machine, path }: Place): boolean {
    let place: Place = { machine: machine.copy(), path }
    // Who would only park shows what it loads.
    for (const thread of this.#threads.keys()) {
      if (!place.machine.canStep(thread)) continue
      place.machine.step(thread)
      place = { machine: place.machine, path: { step: thread, before: place.path } }
      if (!this.#judge(place, judgeState(this.#program, place.machine))) return false
    }
    if (!this.#judge(place, judgeEnd(this.#program, place.machine))) return false
    if (place.machine.finished || !place.machine.looksAgain) this.#counts.executions++
    else this.#counts.blocked++
    return true
  }

  #judge({ path }: Place, finding: Finding | undefined): boolean {
    if (finding !== undefined) {
      this.#failure = shortestFailure(this.#program, this.#threads, this.#initial, stepsOf(path), finding)
    }
    return finding === undefined
  }

  #placeOf(path: Path | undefined): Place {
    const machine = new Machine(this.#threads, this.#initial)
    for (const step of stepsOf(path)) machine.step(step)
    return { machine, path }
  }
}
