/** `heddle check` and `heddle replay`, the part in the main thread: asks, shows, and can be interrupted. */
import type { Worker } from 'node:worker_threads'
import { type CheckResult, checksSummary, checksTable, counted, failureText, resultText, standingText } from './format.ts'
import { InputError, specFiles } from './node-load.ts'
import type { SearchJob, SearchMessage } from './node-search.ts'
import { complain, exit, ProgressLine, paintFor, print } from './node-terminal.ts'
import { startThread } from './node-thread.ts'
import type { Bounds, Progress } from './report.ts'

/** Options that `check` and `replay` share. */
export interface ShowOptions {
  readonly only?: string
  readonly json?: boolean
  readonly verbose?: boolean
}

interface Search {
  readonly results: readonly CheckResult[]
  /** Set when Ctrl-C ended it. */
  readonly interrupted?: { readonly name?: string; readonly standing: Progress; readonly left: number }
}

/** Searches every check of the files (by default those of the package around) and returns the exit code. */
export async function checkCommand(files: readonly string[], options: ShowOptions & { bounds: Bounds }): Promise<number> {
  const { only, bounds } = options
  const chosen = files.length > 0 ? files : specFiles('checks')
  if (chosen.length === 0) throw new InputError('no specs/*/checks.ts or .js in this package: name the files to check')
  const { results, interrupted } = await search({ kind: 'check', files: chosen, only, bounds })
  const code = interrupted === undefined ? exitCode(results) : exit.interrupted
  if (options.json) {
    print(
      JSON.stringify({ command: 'check', exit: code, ...(interrupted === undefined ? {} : { interrupted }), results }, null, 2),
    )
    return code
  }
  const paint = paintFor(process.stdout)
  if (results.length > 0) print(checksTable(results, paint))
  const told = results.filter(({ met, report }) => !met || (options.verbose && report.failure !== undefined))
  for (const result of told) print(`\n${resultText(result, paint)}`)
  if (interrupted === undefined) print(`\n${checksSummary(results, paint)}`)
  if (interrupted !== undefined) {
    const { name, standing, left } = interrupted
    const where =
      name === undefined ? 'while loading' : `in ${name} after ${standingText(standing)}; ${counted(left, 'check')} not begun`
    complain(`interrupted ${where}`)
  }
  return code
}

/** Runs one schedule again and returns the exit code. */
export async function replayCommand(file: string, schedule: string, options: ShowOptions): Promise<number> {
  const { results, interrupted } = await search({ kind: 'replay', file, only: options.only, schedule })
  if (interrupted !== undefined) return exit.interrupted
  const result = results[0]
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

function exitCode(results: readonly CheckResult[]): number {
  const unmet = results.filter((result) => !result.met)
  if (unmet.length === 0) return exit.ok
  return unmet.some(({ report }) => report.verdict !== 'inconclusive') ? exit.failed : exit.inconclusive
}

let searcher: Worker | undefined

/** Starts the thread that will search, before it is known for what. */
export function hireSearcher(): void {
  searcher = startThread('./node-search', import.meta.url)
}

/** Sends it away if nobody wanted it. */
export function dismissSearcher(): void {
  void searcher?.terminate()
}

/** Runs a job in its thread. Resolves when it is done or Ctrl-C was pressed; rejects with `InputError` on bad input. */
function search(job: SearchJob): Promise<Search> {
  const line = new ProgressLine()
  const results: CheckResult[] = []
  let names: readonly string[] = []
  let standing: Progress = { executions: 0, seconds: 0, share: 0, estimate: 0 }
  const thread = searcher ?? startThread('./node-search', import.meta.url)
  searcher = undefined
  thread.postMessage(job)
  const searched = new Promise<Search>((resolve, reject) => {
    process.once('SIGINT', () => {
      const name = names[results.length]
      const left = Math.max(names.length - results.length - 1, 0)
      resolve({ results, interrupted: { ...(name === undefined ? {} : { name }), standing, left } })
    })
    thread.on('error', reject)
    thread.on('exit', () => reject(new Error('the thread that searches ended before its work was done')))
    thread.on('message', (message: SearchMessage) => {
      switch (message.kind) {
        case 'planned':
          names = message.names
          break
        case 'progress':
          standing = message.standing
          line.show(`[${message.index + 1}/${names.length}] ${names[message.index]}: ${standingText(standing)}`)
          break
        case 'result':
          results.push(message.result)
          standing = { executions: 0, seconds: 0, share: 0, estimate: 0 }
          break
        case 'bad-input':
          reject(new InputError(message.message))
          break
        case 'done':
          resolve({ results })
      }
    })
  })
  return searched.finally(() => {
    line.clear()
    // Does not wait for a search to notice: it is stopped in the middle of whatever it does.
    void thread.terminate()
  })
}
