/** `heddle check` and `heddle replay`, the part in the main thread: asks, shows, and can be interrupted. */
import { availableParallelism } from 'node:os'
import { unmet } from './check.ts'
import type { Shard } from './deal.ts'
import {
  type CheckResult,
  checksSummary,
  checksTable,
  counted,
  failureText,
  type Part,
  resultText,
  standingText,
} from './format.ts'
import type { Explored, Task } from './node-agenda.ts'
import type { Cache } from './node-cache.ts'
import type { Checkpoint } from './node-checkpoint.ts'
import { Crew, type Explorers } from './node-crew.ts'
import type { Excerpt } from './node-excerpt.ts'
import { specFiles, version } from './node-files.ts'
import { InputError } from './node-input-error.ts'
import { ProgressReader } from './node-progress.ts'
import type { LoadedCheck } from './node-search.ts'
import { search, takeSearcher } from './node-searcher.ts'
import { columnsOf, complain, exit, paintFor, print } from './node-terminal.ts'
import type { Bounds, Progress, Report } from './report.ts'

/** Options that `check` and `replay` share. */
export interface ShowOptions {
  readonly only?: string
  readonly json?: boolean
  readonly verbose?: boolean
}

export interface CheckOptions extends ShowOptions {
  readonly bounds: Bounds
  readonly progress?: boolean
  /** How many threads explore; by default as many as there are processors. */
  readonly workers?: number
  /** Only this part of each check. */
  readonly shard?: Shard
  /** The file in which what is known is saved, and from which a run goes on. */
  readonly checkpoint?: string
  /** Skip checks on which nothing has changed since their last result. */
  readonly cached?: boolean
  /** The address of a server, and what its keys begin with: others explore, who take their work from there. */
  readonly queue?: string
  readonly prefix: string
  /** Estimates only. */
  readonly estimate?: boolean
  /** A part of the executions only. */
  readonly excerpt?: Excerpt
}

/** Where Ctrl-C found a run. */
interface Interrupted {
  /** The first check that was not done; `undefined` while loading. */
  readonly name?: string
  readonly standing: Progress
  /** Those that were explored beside it. */
  readonly beside?: readonly { readonly name: string; readonly standing: Progress }[]
  /** How many checks were not begun. */
  readonly left: number
}

/** What `check` and `merge` print with `--json`. */
export interface CheckDocument {
  readonly command: 'check' | 'merge'
  readonly heddle?: string
  readonly exit: number
  readonly shard?: Shard
  readonly interrupted?: Interrupted
  readonly results: readonly CheckResult[]
}

const nameThem = 'name the files to check'

/** Searches every check of the files (by default those of the package around) and returns the exit code. */
export async function checkCommand(files: readonly string[], options: CheckOptions): Promise<number> {
  const chosen = files.length > 0 ? files : specFiles('checks', nameThem)
  if (chosen.length === 0) throw new InputError(`no specs/*/checks.ts or .js in this package: ${nameThem}`)
  if (options.estimate) {
    const { estimateCommand } = await import('./node-estimate.ts')
    return estimateCommand(chosen, { only: options.only, json: options.json === true, seconds: options.bounds.seconds })
  }
  if (options.excerpt !== undefined) {
    const { excerptCommand } = await import('./node-excerpt.ts')
    const { excerpt, only, json = false, verbose = false } = options
    return excerptCommand(chosen, { only, json, verbose, excerpt })
  }
  const { results, interrupted, seconds } = await searchAll(chosen, options)
  const code = interrupted === undefined ? exitCode(results) : exit.interrupted
  const { shard } = options
  const stopped = interrupted === undefined ? {} : { interrupted }
  const part = shard === undefined ? {} : { heddle: version(), shard }
  showResults({ command: 'check', ...part, exit: code, ...stopped, results }, options, seconds)
  return code
}

/**
 * Prints what became of the checks.
 *
 * @param seconds how long it took, where that is not the sum of all checks
 */
export function showResults(document: CheckDocument, { json, verbose }: ShowOptions, seconds?: number): void {
  if (json) {
    print(JSON.stringify(document, null, 2))
    return
  }
  const { results, interrupted } = document
  const paint = paintFor(process.stdout)
  if (results.length > 0) print(checksTable(results, paint, columnsOf(process.stdout)))
  const told = results.filter(({ met, report }) => !met || (verbose && report.failure !== undefined))
  for (const result of told) print(`\n${resultText(result, paint)}`)
  if (interrupted === undefined) {
    print(`\n${checksSummary(results, paint, seconds)}`)
    return
  }
  complain(`interrupted ${placeText(interrupted)}`)
}

function placeText({ name, standing, beside = [], left }: Interrupted): string {
  if (name === undefined) return 'while loading'
  const places = [{ name, standing }, ...beside].map(({ name, standing }) => `in ${name} after ${standingText(standing)}`)
  return `${places.join(', ')}; ${counted(left, 'check')} not begun`
}

/** Explores them all, until Ctrl-C. */
async function searchAll(files: readonly string[], options: CheckOptions): Promise<Searched> {
  const explorers = await explorersOf(files, options)
  const run = new Run(explorers, options)
  const interruption = new Promise<boolean>((resolve) => process.once('SIGINT', () => resolve(false)))
  try {
    if (await Promise.race([run.exploreAll(), interruption])) return run.searched
    const interrupted = run.interrupted
    // Whoever does not come back soon is not waited for.
    if (options.checkpoint !== undefined) await Promise.race([explorers.collect({ leaving: true }), soon()])
    return { ...run.searched, interrupted }
  } finally {
    run.end()
    await explorers.close()
  }
}

async function explorersOf(files: readonly string[], options: CheckOptions): Promise<Explorers> {
  const { only, workers = availableParallelism(), shard, queue, prefix } = options
  if (queue !== undefined) {
    const { BrokerCrew } = await import('./node-broker-crew.ts')
    return new BrokerCrew({ files, only, queue, prefix })
  }
  const content = shard !== undefined || options.checkpoint !== undefined || options.cached === true
  return new Crew({ files, only, workers, content, hire: takeSearcher })
}

interface Searched {
  readonly results: readonly CheckResult[]
  readonly interrupted?: Interrupted
  readonly seconds: number
}

/** All checks, explored side by side; their results are in the order in which they are listed. */
class Run {
  readonly #explorers: Explorers
  readonly #options: CheckOptions
  readonly #reader: ProgressReader
  readonly #results: (CheckResult | undefined)[] = []
  #names: readonly string[] = []
  #begun = performance.now()

  constructor(explorers: Explorers, options: CheckOptions) {
    this.#explorers = explorers
    this.#options = options
    this.#reader = new ProgressReader(options)
  }

  /** Resolves with true once it is done. */
  async exploreAll(): Promise<boolean> {
    const checks = await this.#explorers.checks
    const checkpoint = await checkpointOf(this.#options)
    const cache = this.#options.cached ? new (await import('./node-cache.ts')).Cache() : undefined
    this.#names = checks.map(({ name }) => name)
    this.#begun = performance.now()
    const explored = checks.map((check, index) => this.#explore(check, index, checkpoint, cache))
    // The first one that cannot be explored is the one to tell of, whichever it was that said so first.
    for (const one of explored) one.catch(() => {})
    for (const one of explored) await one
    checkpoint?.finish()
    return true
  }

  get searched(): Searched {
    const results = this.#results.filter((result) => result !== undefined)
    const fresh = results.some(({ cached }) => !cached)
    return { results, seconds: fresh ? (performance.now() - this.#begun) / 1000 : 0 }
  }

  /** Where it is. */
  get interrupted(): Interrupted {
    const places = [...this.#explorers.standings].map(([index, standing]) => ({ index, name: this.#names[index], standing }))
    const [first, ...others] = places.sort((a, b) => a.index - b.index)
    const done = this.#results.filter((result) => result !== undefined).length
    const left = this.#names.length - done - places.length
    if (first === undefined) {
      const name = this.#names[this.#first]
      const standing = { executions: 0, seconds: 0, share: 0, estimate: 0 }
      return { ...(name === undefined ? {} : { name }), standing, left: Math.max(left - 1, 0) }
    }
    const beside = others.map(({ name, standing }) => ({ name, standing }))
    return { name: first.name, standing: first.standing, ...(beside.length === 0 ? {} : { beside }), left }
  }

  end(): void {
    this.#reader.clear()
  }

  /** The first check that is not done. */
  get #first(): number {
    return this.#names.findIndex((_, index) => this.#results[index] === undefined)
  }

  async #explore(check: LoadedCheck, index: number, checkpoint: Checkpoint | undefined, cache: Cache | undefined): Promise<void> {
    const { bounds, shard } = this.#options
    const own = { ...check.bounds, ...bounds }
    const recorded = cache?.find(check, own)
    if (recorded !== undefined) {
      this.#results[index] = { ...resultOf(check, recorded), cached: true }
      return
    }
    const known = checkpoint?.find(check, own)
    if (known === 'stale') complain(`${this.#options.checkpoint}: ${check.name} has changed and is begun anew`)
    const { left, explored: before } = known === undefined || known === 'stale' ? {} : known
    const task: Task = {
      bounds: own,
      shard,
      left,
      hear: (standing) => {
        if (index === this.#first) this.#reader.show(this.#names, index, standing)
      },
      ...(checkpoint === undefined ? {} : { save: (left) => checkpoint.put(check, own, { left }) }),
    }
    const explored = before ?? (await this.#explorers.explore(index, check, task))
    checkpoint?.put(check, own, explored.left === undefined ? { explored } : { left: explored.left })
    cache?.put(check, own, explored)
    this.#results[index] = resultOf(check, explored.report, await partOf(check, own, shard, explored))
  }
}

async function checkpointOf({ checkpoint, shard }: CheckOptions): Promise<Checkpoint | undefined> {
  if (checkpoint === undefined) return undefined
  const { Checkpoint } = await import('./node-checkpoint.ts')
  return new Checkpoint(checkpoint, shard)
}

function soon(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 2000).unref())
}

async function partOf(
  check: LoadedCheck,
  bounds: Bounds,
  shard: Shard | undefined,
  { findings }: Explored,
): Promise<Part | undefined> {
  if (shard === undefined || findings === undefined) return undefined
  const { inputsOf } = await import('./node-imports.ts')
  return { shard, inputs: inputsOf(check, bounds), outline: check.outline, ...findings }
}

/** What is shown of a check. */
function resultOf({ file, name, mutant, expect }: LoadedCheck, report: Report, part?: Part): CheckResult {
  const check = { expect, ...(mutant === undefined ? {} : { mutant }) }
  // Whether a failure is the expected one is known when those before it are.
  const open = report.bound === 'shard' || (part !== undefined && report.verdict === expect.verdict)
  const why = open ? undefined : unmet(check, report)
  return {
    file,
    name,
    ...check,
    met: why === undefined,
    ...(why === undefined ? {} : { unmet: why }),
    report,
    ...(part === undefined ? {} : { part }),
  }
}

/** Runs one schedule again and returns the exit code. */
export async function replayCommand(file: string, schedule: string, options: ShowOptions): Promise<number> {
  let found: CheckResult | undefined
  await search({ kind: 'replay', file, only: options.only, schedule }, (news) => {
    if (news.kind === 'result') found = news.result
  })
  if (found === undefined) return exit.interrupted
  const result: CheckResult = found
  const { failure, verdict } = result.report
  const code = verdict === 'refuted' ? exit.failed : exit.ok
  if (options.json) {
    const { file, name, mutant, report } = result
    print(
      JSON.stringify({ command: 'replay', exit: code, reproduced: code === exit.failed, file, name, mutant, report }, null, 2),
    )
  } else if (failure !== undefined) {
    print(failureText(result.name, failure, undefined, paintFor(process.stdout)))
  } else {
    print(`${result.name}: not reproduced: with this schedule nothing breaks`)
  }
  return code
}

export function exitCode(results: readonly CheckResult[]): number {
  const unmet = results.filter((result) => !result.met)
  if (unmet.length === 0) return exit.ok
  return unmet.some(({ report }) => report.verdict !== 'inconclusive') ? exit.failed : exit.inconclusive
}
