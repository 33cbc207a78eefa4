/** The thread of `heddle check` and `heddle replay`: loads the specs and searches, while the main thread listens to Ctrl-C. */
import { parentPort } from 'node:worker_threads'
import { checkedProgram, unmet } from './check.ts'
import { estimate } from './estimate.ts'
import { explore } from './explore.ts'
import type { CheckResult, EstimateResult } from './format.ts'
import { InputError, oneLine } from './node-input-error.ts'
import { type FoundCheck, loadChecks, select } from './node-load.ts'
import { replay } from './replay.ts'
import type { Bounds, Progress } from './report.ts'

/** What the main thread asks for. */
export type SearchJob =
  | { readonly kind: 'check'; readonly files: readonly string[]; readonly only: string | undefined; readonly bounds: Bounds }
  | {
      readonly kind: 'estimate'
      readonly files: readonly string[]
      readonly only: string | undefined
      /** For each check; `undefined` for the default. */
      readonly seconds: number | undefined
    }
  | { readonly kind: 'replay'; readonly file: string; readonly only: string | undefined; readonly schedule: string }

/** What it hears. */
export type SearchMessage =
  | { readonly kind: 'planned'; readonly names: readonly string[] }
  | { readonly kind: 'progress'; readonly index: number; readonly standing: Progress }
  | { readonly kind: 'result'; readonly result: CheckResult }
  | { readonly kind: 'estimated'; readonly result: EstimateResult }
  | { readonly kind: 'bad-input'; readonly message: string }
  | { readonly kind: 'done' }

function say(message: SearchMessage): void {
  parentPort?.postMessage(message)
}

/** What the main thread shows of a check: everything but its functions. */
function resultOf({ file, name, check }: FoundCheck, report: CheckResult['report'], why: string | undefined): CheckResult {
  const { mutant, expect } = check
  return {
    file,
    name,
    ...(mutant === undefined ? {} : { mutant: { name: mutant.name, guarantee: mutant.guarantee } }),
    expect: { ...expect },
    met: why === undefined,
    ...(why === undefined ? {} : { unmet: why }),
    report,
  }
}

async function check(job: SearchJob & { kind: 'check' }): Promise<void> {
  const found = select(await loadChecks(job.files), job.only)
  say({ kind: 'planned', names: found.map(({ name }) => name) })
  for (const [index, entry] of found.entries()) {
    const program = checkedProgram(entry.check)
    const progress = (standing: Progress): void => say({ kind: 'progress', index, standing: { ...standing } })
    const report = naming(entry, () => explore(program, { ...entry.check.bounds, ...job.bounds, progress }))
    say({ kind: 'result', result: resultOf(entry, report, unmet(entry.check, report)) })
  }
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

async function replayIn(job: SearchJob & { kind: 'replay' }): Promise<void> {
  const found = select(await loadChecks([job.file]), job.only)
  let misfit: Error | undefined
  const results: CheckResult[] = []
  for (const entry of found) {
    try {
      const report = naming(entry, () => replay(checkedProgram(entry.check), job.schedule))
      results.push(resultOf(entry, report, undefined))
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
    await (job.kind === 'check' ? check(job) : job.kind === 'replay' ? replayIn(job) : estimateAll(job))
    say({ kind: 'done' })
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    say({ kind: 'bad-input', message: error.message })
  }
}

// Source lines of compiled specs and structures are those of their TypeScript.
process.setSourceMapsEnabled(true)
parentPort?.once('message', work)
