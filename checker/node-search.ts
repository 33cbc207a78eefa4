/** A thread of `heddle check` or `heddle replay`: loads the specs and searches, while the main thread listens to Ctrl-C. */
import { resolve } from 'node:path'
import { parentPort } from 'node:worker_threads'
import { clock, withGuards } from '../model/guards.ts'
import type { Program } from '../model/program.ts'
import { checkedProgram, unmet } from './check.ts'
import { type Outline, outlineOf } from './conclude.ts'
import { type Answer, type Job, type Place, pursue, wholePlace } from './coordinator.ts'
import { cutUp, type Shard, shardOf } from './deal.ts'
import { estimate } from './estimate.ts'
import { Exploration } from './exploration.ts'
import { makeSearch } from './explore.ts'
import type { CheckResult, EstimateResult } from './format.ts'
import { atOnce, callWords, isCalled, toShare } from './node-call.ts'
import { InputError, oneLine } from './node-input-error.ts'
import { type FoundCheck, loadChecks, select } from './node-load.ts'
import { replay } from './replay.ts'
import type { Bounds, Estimate, FewPreemptionsOptions, RandomOptions, Report } from './report.ts'
import type { Tally } from './tally.ts'

/** What the main thread asks for. */
export type SearchJob =
  | {
      readonly kind: 'load'
      readonly files: readonly string[]
      readonly only: string | undefined
      /** By which the main thread calls an explorer back. */
      readonly call: Int32Array
      /** Whether it is wanted what the checks depend on. */
      readonly content: boolean
    }
  | ExploreOrder
  | DealOrder
  | {
      readonly kind: 'estimate'
      readonly files: readonly string[]
      readonly only: string | undefined
      /** For each check; `undefined` for the default. */
      readonly seconds: number | undefined
    }
  | {
      readonly kind: 'random'
      readonly files: readonly string[]
      readonly only: string | undefined
      /** For each check, before its own bounds. */
      readonly options: RandomOptions & { readonly seed: number }
    }
  | {
      readonly kind: 'few-preemptions'
      readonly files: readonly string[]
      readonly only: string | undefined
      /** For each check, before its own bounds. */
      readonly options: FewPreemptionsOptions
    }
  | { readonly kind: 'replay'; readonly file: string; readonly only: string | undefined; readonly schedule: string }

/** Some of the work on one of the checks that were loaded. */
export interface ExploreOrder {
  readonly kind: 'explore'
  /** A number of its own, from 1. */
  readonly serial: number
  /** The place of the check among those that were loaded. */
  readonly check: number
  readonly job: Job
  /** How far this order may go. */
  readonly bounds: Bounds
  /** Whether random walks are wanted when it takes long. */
  readonly sample: boolean
}

/** One of the checks is to be cut up, and what one shard of it is, to be said. */
export interface DealOrder {
  readonly kind: 'deal'
  readonly serial: number
  readonly check: number
  readonly shard: Shard
  readonly bounds: Bounds
}

/** What it hears. */
export type SearchMessage =
  | { readonly kind: 'planned'; readonly names: readonly string[] }
  | { readonly kind: 'loaded'; readonly checks: readonly LoadedCheck[] }
  | ({ readonly kind: 'dealt'; readonly serial: number } & Hand)
  | { readonly kind: 'told'; readonly serial: number; readonly tally: Tally; readonly sampled?: Estimate }
  | {
      readonly kind: 'answered'
      readonly serial: number
      readonly answer: Answer
      /** Its time is over. */
      readonly late: boolean
      readonly sampled?: Estimate
    }
  /** The check cannot be explored. */
  | { readonly kind: 'refused'; readonly serial: number; readonly message: string }
  | { readonly kind: 'result'; readonly result: CheckResult }
  | { readonly kind: 'estimated'; readonly result: EstimateResult }
  | { readonly kind: 'bad-input'; readonly message: string }
  | { readonly kind: 'done' }

/** What the main thread needs to know of a check: everything but its functions. */
export interface LoadedCheck extends Pick<CheckResult, 'file' | 'name' | 'mutant' | 'expect'> {
  readonly outline: Outline
  readonly bounds: Bounds
  /** A hash that changes with anything that the check depends on, if it was wanted. */
  readonly content?: string
}

/** What one shard is to explore. */
export interface Hand {
  readonly places: readonly Place[]
  /** A hash of all that was dealt out, to whomever. */
  readonly cut: string
}

function say(message: SearchMessage): void {
  parentPort?.postMessage(message)
}

function described({
  file,
  name,
  check: { mutant, expect },
}: FoundCheck): Pick<CheckResult, 'file' | 'name' | 'mutant' | 'expect'> {
  return {
    file,
    name,
    ...(mutant === undefined ? {} : { mutant: { name: mutant.name, guarantee: mutant.guarantee } }),
    expect: { ...expect },
  }
}

let loaded: readonly FoundCheck[] = []
let call: Int32Array = callWords()

async function load(job: SearchJob & { kind: 'load' }): Promise<void> {
  call = job.call
  const imports = job.content ? new (await import('./node-imports.ts')).Imports() : undefined
  loaded = select(await loadChecks(job.files), job.only)
  const contents = imports?.contentsOf(loaded.map(({ file }) => resolve(file)))
  const checks = loaded.map((entry, i) => ({
    ...described(entry),
    outline: outlineOf(checkedProgram(entry.check)),
    bounds: { ...entry.check.bounds },
    ...(contents === undefined ? {} : { content: contents[i] }),
  }))
  say({ kind: 'loaded', checks })
}

/** For how long, in milliseconds, an order is worked on before it is worth while to share what is left. */
const sharedAfter = 20
/** Or for so many times as long as it took to share the last time. */
const sharedAfterTimes = 5
let sharingTook = 0
const tellEvery = 100

/** The exploration of the check that was asked for last: what it has learned serves the next order. */
let latest: { readonly check: number; readonly exploration: Exploration } | undefined

function exploreSome({ serial, check, job, bounds, sample }: ExploreOrder): void {
  const entry = loaded[check]
  if (latest?.check !== check) {
    latest = { check, exploration: naming(entry, () => new Exploration(makeSearch, checkedProgram(entry.check), bounds)) }
  }
  const { exploration } = latest
  const { seconds = Number.POSITIVE_INFINITY, executions } = bounds
  const start = clock()
  let told = start
  let late = false
  let sampled: Estimate | undefined
  let asked = start
  const isLate = (): boolean => {
    asked = clock()
    late = asked - start >= 1000 * seconds
    return late
  }
  const stop = (): boolean => {
    if (isLate()) return true
    const now = asked
    const called = isCalled(call, serial)
    if (called === atOnce || (called === toShare && now - start >= Math.max(sharedAfter, sharedAfterTimes * sharingTook)))
      return true
    if (now - told < tellEvery) return false
    told = now
    if (sample) sampled ??= exploration.sample()
    say({ kind: 'told', serial, tally: exploration.tally, ...(sampled === undefined ? {} : { sampled }) })
    return false
  }
  const answer = naming(entry, () => withGuards(() => pursue(exploration, job, { stop, isLate, executions })))
  if (answer.rest.length > 0) sharingTook = clock() - asked
  // Costs no more than the search did.
  if (sample && (late || answer.more)) sampled ??= withGuards(() => exploration.sample((clock() - start) / 1000))
  say({ kind: 'answered', serial, answer, late, ...(sampled === undefined ? {} : { sampled }) })
}

async function dealOut({ serial, check, shard, bounds }: DealOrder): Promise<void> {
  const entry = loaded[check]
  const places = naming(entry, () => {
    // As many executions as are allowed are the first ones: they lie together.
    if (bounds.executions !== undefined) return [wholePlace]
    const exploration = new Exploration(makeSearch, checkedProgram(entry.check), bounds)
    return withGuards(() => cutUp(exploration, shard.of))
  })
  const { hashOf } = await import('./node-imports.ts')
  say({ kind: 'dealt', serial, places: shardOf(places, shard), cut: hashOf(JSON.stringify(places)) })
}

/** Walks a second on a slow machine; more seconds are for more walks. */
const walksPerSecond = 5000

async function estimateAll(job: SearchJob & { kind: 'estimate' }): Promise<void> {
  // The search of a mutant ends at its first failure, however many executions there are.
  const found = select(await loadChecks(job.files), job.only).filter(({ check }) => check.mutant === undefined)
  if (found.length === 0) throw new InputError('only mutants match, and the search of a mutant ends at its first failure')
  say({ kind: 'planned', names: found.map(({ name }) => name) })
  const seconds = job.seconds ?? 0.2
  const walks = Math.ceil(seconds * walksPerSecond)
  for (const entry of found) say({ kind: 'estimated', result: estimateOf(entry, walks, seconds) })
}

function estimateOf(entry: FoundCheck, walks: number, seconds: number): EstimateResult {
  const { file, name, check } = entry
  const start = performance.now()
  try {
    const walked = naming(entry, () => estimate(check.program, { walks, seconds }))
    const early = walked.walks < walks && performance.now() - start < 1000 * seconds
    return { file, name, estimate: walked, ...(early ? { stopped: 'a walk met a failure' } : {}) }
  } catch (error) {
    if (error instanceof InputError) throw error
    return { file, name, estimate: { executions: 0, spread: 0, walks: 0 }, stopped: oneLine(error) }
  }
}

/** How such a job explores one program, within bounds of the program's own. */
async function explorerOf(
  job: SearchJob & { kind: 'random' | 'few-preemptions' },
): Promise<(program: Program, own: Pick<Bounds, 'seconds' | 'events'>) => Report> {
  if (job.kind === 'random') {
    const { exploreAtRandom } = await import('./random.ts')
    return (program, own) => exploreAtRandom(program, { ...own, ...job.options })
  }
  const { exploreFewPreemptions } = await import('./few-preemptions.ts')
  return (program, own) => exploreFewPreemptions(program, { ...own, ...job.options })
}

/** Explores some executions of all checks: that nothing is found is all that can be hoped for. */
async function exploreExcerpts(job: SearchJob & { kind: 'random' | 'few-preemptions' }): Promise<void> {
  const exploreExcerpt = await explorerOf(job)
  const found = select(await loadChecks(job.files), job.only)
  say({ kind: 'planned', names: found.map(({ name }) => name) })
  for (const entry of found) {
    const { seconds, events } = entry.check.bounds ?? {}
    const own = { ...(seconds === undefined ? {} : { seconds }), ...(events === undefined ? {} : { events }) }
    const report = naming(entry, () => exploreExcerpt(checkedProgram(entry.check), own))
    const what = described(entry)
    const why = report.failure === undefined ? undefined : unmet(what, report)
    say({ kind: 'result', result: { ...what, met: why === undefined, ...(why === undefined ? {} : { unmet: why }), report } })
  }
}

async function replayIn(job: SearchJob & { kind: 'replay' }): Promise<void> {
  const found = select(await loadChecks([job.file]), job.only)
  let misfit: Error | undefined
  const results: CheckResult[] = []
  for (const entry of found) {
    try {
      const report = naming(entry, () => replay(checkedProgram(entry.check), job.schedule))
      results.push({ ...described(entry), met: true, report })
      if (report.verdict === 'refuted') break
    } catch (error) {
      if (!(error instanceof Error && error.name === 'ScheduleError')) throw error
      misfit = error
    }
  }
  // Without --only the schedule may fit several mutants of one program: the one that it refutes is meant.
  const result = results.find(({ report }) => report.verdict === 'refuted') ?? results[0]
  if (result === undefined) {
    const where = found.length === 1 ? found[0].name : `none of ${found.length} checks`
    throw new InputError(`${job.file}: ${where}: ${oneLine(misfit)}`)
  }
  say({ kind: 'result', result })
}

/** Refusals of the engine (faults that are not built yet, say) become one line that names the check. */
function naming<T>({ file, name }: FoundCheck, search: () => T): T {
  try {
    return search()
  } catch (error) {
    if (error instanceof Error && error.name === 'ProgramError') throw new InputError(`${file}: ${name}: ${oneLine(error)}`)
    throw error
  }
}

async function work(job: SearchJob): Promise<void> {
  try {
    if (job.kind === 'load') await load(job)
    else if (job.kind === 'explore') exploreSome(job)
    else if (job.kind === 'deal') await dealOut(job)
    else {
      if (job.kind === 'replay') await replayIn(job)
      else if (job.kind === 'random' || job.kind === 'few-preemptions') await exploreExcerpts(job)
      else await estimateAll(job)
      say({ kind: 'done' })
    }
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    const { message } = error
    say('serial' in job ? { kind: 'refused', serial: job.serial, message } : { kind: 'bad-input', message })
  }
}

// Source lines of compiled specs and structures are those of their TypeScript.
process.setSourceMapsEnabled(true)
parentPort?.on('message', work)
