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
import type { Checkpoint } from './node-checkpoint.ts'
import { Crew, type Explored, type Task } from './node-crew.ts'
import { specFiles, version } from './node-files.ts'
import { InputError } from './node-input-error.ts'
import { ProgressReader } from './node-progress.ts'
import type { LoadedCheck } from './node-search.ts'
import { search, takeSearcher } from './node-searcher.ts'
import { columnsOf, complain, exit, paintFor, print } from './node-terminal.ts'
import type { Bounds, Progress, RandomOptions, Report } from './report.ts'

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
  /** Estimates only. */
  readonly estimate?: boolean
  /** Some executions, chosen at random. */
  readonly random?: RandomOptions & { readonly seed: number }
}

/** Where Ctrl-C found a run. */
interface Interrupted {
  /** The check it was in; `undefined` while loading. */
  readonly name?: string
  readonly standing: Progress
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
  if (options.random !== undefined) {
    const { randomCommand } = await import('./node-random.ts')
    const { random, only, json = false, verbose = false } = options
    return randomCommand(chosen, { only, json, verbose, random })
  }
  const { results, interrupted } = await searchAll(chosen, options)
  const code = interrupted === undefined ? exitCode(results) : exit.interrupted
  const { shard } = options
  const stopped = interrupted === undefined ? {} : { interrupted }
  const part = shard === undefined ? {} : { heddle: version(), shard }
  showResults({ command: 'check', ...part, exit: code, ...stopped, results }, options)
  return code
}

/** Prints what became of the checks. */
export function showResults(document: CheckDocument, { json, verbose }: ShowOptions): void {
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
    print(`\n${checksSummary(results, paint)}`)
    return
  }
  const { name, standing, left } = interrupted
  const where =
    name === undefined ? 'while loading' : `in ${name} after ${standingText(standing)}; ${counted(left, 'check')} not begun`
  complain(`interrupted ${where}`)
}

async function searchAll(
  files: readonly string[],
  options: CheckOptions,
): Promise<{ readonly results: readonly CheckResult[]; readonly interrupted?: Interrupted }> {
  const { only, bounds, workers = availableParallelism(), shard } = options
  const reader = new ProgressReader(options)
  const results: CheckResult[] = []
  let names: readonly string[] = []
  const content = shard !== undefined || options.checkpoint !== undefined || options.cached === true
  const crew = new Crew({ files, only, workers, content, hire: takeSearcher })
  const exploreAll = async (): Promise<boolean> => {
    const checks = await crew.checks
    const checkpoint = await checkpointOf(options)
    const cache = options.cached ? new (await import('./node-cache.ts')).Cache() : undefined
    names = checks.map(({ name }) => name)
    for (const [index, check] of checks.entries()) {
      const own = { ...check.bounds, ...bounds }
      const recorded = cache?.find(check, own)
      if (recorded !== undefined) {
        results.push({ ...resultOf(check, recorded), cached: true })
        continue
      }
      const known = checkpoint?.find(check, own)
      if (known === 'stale') complain(`${options.checkpoint}: ${check.name} has changed and is begun anew`)
      const { left, explored: before } = known === undefined || known === 'stale' ? {} : known
      const task: Task = {
        bounds: own,
        shard,
        left,
        hear: (standing) => reader.show(names, index, standing),
        ...(checkpoint === undefined ? {} : { save: (left) => checkpoint.put(check, own, { left }) }),
      }
      const explored = before ?? (await crew.explore(index, check, task))
      checkpoint?.put(check, own, explored.left === undefined ? { explored } : { left: explored.left })
      cache?.put(check, own, explored)
      results.push(resultOf(check, explored.report, await partOf(check, own, shard, explored)))
    }
    checkpoint?.finish()
    return true
  }
  const interruption = new Promise<boolean>((resolve) => process.once('SIGINT', () => resolve(false)))
  try {
    if (await Promise.race([exploreAll(), interruption])) return { results }
    const standing = crew.standing ?? { executions: 0, seconds: 0, share: 0, estimate: 0 }
    // Whoever does not come back soon is not waited for.
    if (options.checkpoint !== undefined) await Promise.race([crew.collect({ leaving: true }), soon()])
    const name = names[results.length]
    const left = Math.max(names.length - results.length - 1, 0)
    return { results, interrupted: { ...(name === undefined ? {} : { name }), standing, left } }
  } finally {
    crew.close()
    reader.clear()
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
