/** The thread behind `heddle stress`: enumerates, sends the program's threads through rounds, and judges what comes back. */
import type { Worker } from 'node:worker_threads'
import { parentPort, workerData } from 'node:worker_threads'
import type { SharedMemory } from '../core/shared-memory.ts'
import type { Program } from '../model/program.ts'
import { explore } from './explore.ts'
import { broken } from './format.ts'
import { InputError, oneLine } from './node-input-error.ts'
import { type FoundCheck, loadChecks, select } from './node-load.ts'
import type { Mode, StressAnswer, StressOrder } from './node-stress-thread.ts'
import { startThread, threadData } from './node-thread.ts'
import { canonicalOutcome } from './outcome.ts'
import { type StressFailure, type StressResult, Tally } from './stress.ts'
import { type Arena, clear, instance, newArena, progressAt, Round } from './stress-arena.ts'

export interface StressJob {
  readonly file: string
  readonly only: string | undefined
  /** For all programs together. */
  readonly seconds: number
  /** A thread that makes no progress for so long hangs. */
  readonly hangSeconds: number
}

export type StressMessage =
  | { readonly kind: 'enumerating'; readonly program: string; readonly executions: number }
  | { readonly kind: 'running'; readonly program: string; readonly rounds: number; readonly seconds: number }
  | { readonly kind: 'result'; readonly result: StressResult }
  | { readonly kind: 'bad-input'; readonly message: string }
  | { readonly kind: 'done' }

function say(message: StressMessage): void {
  parentPort?.postMessage(message)
}

/** The instances of a memory take this much, unless two of them take more. */
const arenaBytes = 16 << 20
const roundsMax = 256
/** A batch grows until it takes this long: much longer than a message from thread to thread, short for a progress line. */
const batchMs = 20
const ticksPerSecond = 10
/** So many batches there are at least, however little time there is: plain ones; then two that are counted, and disturbed ones. */
const leastPlain = 2
const leastWatched = 8
/** The share of the time in which threads run as in production; in the rest they are counted and disturbed. */
const plainShare = 0.5

class Failed extends Error {
  readonly failure: StressFailure

  constructor(failure: StressFailure) {
    super(failure.message)
    this.failure = failure
  }
}

/** A round as the judge sees it: before its threads, and when they have ended. */
interface Scene {
  readonly memory: SharedMemory
  readonly round: Round
}

/** The memory in which a program runs, twice: one batch is judged while the other one is on. */
class Stage {
  readonly program: Program
  readonly arena: Arena
  readonly scenes: readonly (readonly Scene[])[]

  constructor(program: Program) {
    this.program = program
    this.arena = newArena(Object.keys(program.threads).length, program.words, arenaBytes, roundsMax)
    this.scenes = [0, 1].map((slot) =>
      Array.from({ length: this.arena.capacity }, (_, number) => ({
        memory: instance(this.arena, slot, number),
        round: new Round(this.arena, slot, number),
      })),
    )
  }

  /** Fresh memory for a batch. Nobody else touches this slot: its last batch was judged. */
  prepare(slot: number, rounds: number): void {
    clear(this.arena, slot, rounds)
    for (const { memory } of this.scenes[slot].slice(0, rounds)) this.program.setup?.(memory)
  }
}

/** What is known of one program so far. */
class Trial {
  readonly check: FoundCheck
  readonly program: Program
  readonly threads: readonly string[]
  tally: Tally = new Tally([])
  failure: StressFailure | undefined
  rounds = 0
  kills = 0
  seconds = 0
  countedRounds = 0
  operations = 0

  constructor(check: FoundCheck) {
    this.check = check
    this.program = check.check.program
    this.threads = Object.keys(this.program.threads)
  }

  /** Lets the checker say what may be seen. */
  enumerate(): void {
    const progress = ({ executions }: { executions: number }): void => {
      say({ kind: 'enumerating', program: this.check.name, executions })
    }
    progress({ executions: 0 })
    const report = explore(this.program, { ...this.check.check.bounds, outcomes: true, progress })
    if (report.verdict === 'holds') {
      this.tally = new Tally(report.outcomes ?? [])
      return
    }
    const why =
      report.failure === undefined ? 'a bound stopped the search' : `the checker refutes it by ${broken(report.failure)}`
    this.failure = { kind: 'not-enumerated', message: `nothing to compare with: ${why}` }
  }

  /** What every round came to. Throws `Failed` when the program's `finally` does not like it. */
  judge(scenes: readonly Scene[], answers: readonly (readonly unknown[])[]): void {
    this.rounds += scenes.length
    for (const [number, { memory, round }] of scenes.entries()) {
      // The results of threads that were killed are missing.
      const living = this.threads.map((_, i) => i).filter((i) => round.alive(i))
      this.kills += this.threads.length - living.length
      const results = Object.fromEntries(living.map((i) => [this.threads[i], answers[i][number]]))
      const outcome = canonicalOutcome(results, memory)
      this.tally.add(outcome)
      try {
        this.program.finally?.(memory, results)
      } catch (error) {
        throw new Failed({ kind: 'finally', message: `${oneLine(error)} (after ${outcome})` })
      }
    }
  }

  result(): StressResult {
    const { tally, rounds, kills, seconds } = this
    const outside = tally.outside
    const stray: StressFailure = {
      kind: 'outside',
      message: `an outcome that the checker did not enumerate, in ${outside[0]?.rounds} of ${rounds} rounds: ${outside[0]?.outcome}`,
    }
    const failure = this.failure ?? (outside.length > 0 ? stray : undefined)
    const roundsPerSecond = seconds > 0 ? rounds / seconds : 0
    return {
      program: this.check.name,
      passed: failure === undefined,
      rounds,
      seconds,
      roundsPerSecond,
      operationsPerSecond: this.countedRounds > 0 ? (roundsPerSecond * this.operations) / this.countedRounds : 0,
      enumerated: tally.enumerated.size,
      seen: tally.seen,
      kills,
      outside,
      ...(failure === undefined ? {} : { failure }),
    }
  }
}

/** A worker that answers orders, one answer to each, in their order. */
class Player {
  readonly #worker: Worker
  readonly #waiting: { resolve(answer: StressAnswer): void; reject(error: unknown): void }[] = []

  constructor(file: string) {
    this.#worker = startThread('./node-stress-thread', import.meta.url, { file })
    this.#worker.on('message', (answer: StressAnswer) => this.#waiting.shift()?.resolve(answer))
    this.#worker.on('error', (error) => this.#fail(error))
    this.#worker.on('exit', () => this.#fail(new Failed({ kind: 'thrown', message: 'a thread ended its worker' })))
  }

  ask(order: StressOrder): Promise<StressAnswer> {
    this.#worker.postMessage(order)
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
  }

  async dismiss(): Promise<void> {
    this.#waiting.length = 0
    await this.#worker.terminate()
  }

  #fail(error: unknown): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error)
  }
}

/** The workers that play the threads. They stay from program to program; after a failure there are new ones. */
class Crew {
  readonly #file: string
  #players: Player[] = []

  constructor(file: string) {
    this.#file = file
  }

  /** Gives the first players the threads of a program. */
  async cast({ check, threads }: Trial, { arena }: Stage): Promise<void> {
    while (this.#players.length < threads.length) this.#players.push(new Player(this.#file))
    const ready = threads.map((thread, i) => this.#players[i].ask({ kind: 'program', index: check.index, thread, arena }))
    await Promise.all(ready)
  }

  /** Sends a batch to all threads; resolves with the answers in their order. Throws `Failed`. */
  async batch(
    { threads }: Trial,
    order: StressOrder & { kind: 'batch' },
  ): Promise<Extract<StressAnswer, { kind: 'finished' }>[]> {
    const answers = threads.map(async (thread, i) => {
      const answer = await this.#players[i].ask(order)
      if (answer.kind === 'thrown') {
        throw new Failed({ kind: 'thrown', message: `${thread}: ${answer.message}`, threads: [thread] })
      }
      return answer as Extract<StressAnswer, { kind: 'finished' }>
    })
    return await Promise.all(answers)
  }

  async dismiss(): Promise<void> {
    const players = this.#players
    this.#players = []
    await Promise.all(players.map((player) => player.dismiss()))
  }
}

/** Rejects with `Failed` when threads are inside the program and none of them comes forward for so long. */
function watch<T>({ threads }: Trial, { arena }: Stage, hangSeconds: number, work: Promise<T>): Promise<T> {
  const control = new Int32Array(arena.control)
  const positions = (): number[] => threads.map((_, i) => Atomics.load(control, progressAt(i)))
  let last = positions()
  let still = 0
  return new Promise((resolve, reject) => {
    // Counts ticks, not time: a judge that was busy, or a machine that slept, is no hang.
    const timer = setInterval(() => {
      const now = positions()
      const inside = threads.filter((_, i) => now[i] % 2 !== 0)
      still = inside.length > 0 && now.every((position, i) => position === last[i]) ? still + 1 : 0
      last = now
      if (still < hangSeconds * ticksPerSecond) return
      const who = inside.join(', ')
      reject(new Failed({ kind: 'hang', message: `no progress for ${hangSeconds} s: did not finish: ${who}`, threads: inside }))
    }, 1000 / ticksPerSecond)
    work.then(resolve, reject).finally(() => clearInterval(timer))
  })
}

/** Runs batches of one program for the given time. */
async function run(trial: Trial, crew: Crew, seconds: number, hangSeconds: number, plain: boolean): Promise<void> {
  const stage = new Stage(trial.program)
  const { capacity } = stage.arena
  await crew.cast(trial, stage)
  const start = performance.now()
  const before = trial.seconds
  const elapsed = (): number => (performance.now() - start) / 1000
  let rounds = Math.min(capacity, 16)
  let shown = start
  let flying: { slot: number; rounds: number; mode: Mode; sent: number; answers: ReturnType<Crew['batch']> } | undefined

  async function land(): Promise<void> {
    if (flying === undefined) return
    const { slot, rounds: flown, mode, sent } = flying
    const answers = await watch(trial, stage, hangSeconds, flying.answers)
    if (performance.now() - sent < batchMs) rounds = Math.min(capacity, Math.max(rounds, flown * 2))
    if (mode === 'counted') {
      trial.countedRounds += flown
      trial.operations += answers.reduce((sum, answer) => sum + answer.operations, 0)
    }
    trial.judge(
      stage.scenes[slot].slice(0, flown),
      answers.map((answer) => answer.results),
    )
  }

  try {
    // One batch runs while the one before it is judged.
    const least = plain ? leastPlain : leastWatched
    for (let number = 0; number < least || elapsed() < seconds; number++) {
      const slot = number % 2
      const mode: Mode = plain ? 'plain' : number < 2 ? 'counted' : 'disturbed'
      stage.prepare(slot, rounds)
      const next = {
        slot,
        rounds,
        mode,
        sent: performance.now(),
        answers: crew.batch(trial, { kind: 'batch', slot, rounds, mode }),
      }
      // Awaited when it lands; until then its failure is nobody's.
      next.answers.catch(() => {})
      await land()
      flying = next
      trial.seconds = before + elapsed()
      if (performance.now() - shown > 1000 / ticksPerSecond) {
        shown = performance.now()
        say({ kind: 'running', program: trial.check.name, rounds: trial.rounds, seconds: trial.seconds })
      }
    }
    await land()
  } catch (error) {
    if (!(error instanceof Failed)) throw error
    trial.failure = error.failure
    await crew.dismiss()
  }
  trial.seconds = before + elapsed()
}

async function stress({ file, only, seconds, hangSeconds }: StressJob): Promise<void> {
  const found = select(await loadChecks([file]), only)
  const trials = found
    .filter(({ check }) => check.mutant === undefined && check.expect.verdict === 'holds')
    .map((check) => new Trial(check))
  if (trials.length === 0)
    throw new InputError(`${file}: no check that is expected to hold${only ? ` matches --only ${only}` : ''}`)
  const crew = new Crew(file)
  for (const trial of trials) trial.enumerate()
  // First all as in production: engines inline the operations of a memory as long as they have seen only one class of it.
  for (const plain of [true, false]) {
    const running = trials.filter((trial) => trial.failure === undefined)
    const share = (plain ? plainShare : 1 - plainShare) / Math.max(running.length, 1)
    for (const trial of running) await run(trial, crew, seconds * share, hangSeconds, plain)
  }
  await crew.dismiss()
  for (const trial of trials) say({ kind: 'result', result: trial.result() })
}

async function main(): Promise<void> {
  process.setSourceMapsEnabled(true)
  try {
    await stress(threadData<StressJob>(workerData))
    say({ kind: 'done' })
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    say({ kind: 'bad-input', message: error.message })
  }
}

await main()
