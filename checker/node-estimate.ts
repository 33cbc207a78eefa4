/** `heddle check --estimate`: how many executions there are, about, without a search. */
import { about, counted, type EstimateResult, estimatesTable } from './format.ts'
import { search } from './node-searcher.ts'
import { columnsOf, complain, exit, ProgressLine, paintFor, print } from './node-terminal.ts'

export interface EstimateOptions {
  readonly only: string | undefined
  readonly json: boolean
  /** For each check; `undefined` for the default of `estimate`. */
  readonly seconds: number | undefined
}

/** Estimates every check of the files and returns the exit code. */
export async function estimateCommand(files: readonly string[], options: EstimateOptions): Promise<number> {
  const { only, json, seconds } = options
  const line = new ProgressLine()
  const results: EstimateResult[] = []
  let names: readonly string[] = []
  const done = await search({ kind: 'estimate', files, only, seconds }, (news) => {
    if (news.kind === 'planned') names = news.names
    if (news.kind === 'estimated') results.push(news.result)
    if (results.length < names.length) line.show(`[${results.length + 1}/${names.length}] estimating ${names[results.length]}`)
  }).finally(() => line.clear())
  const code = done ? exit.ok : exit.interrupted
  if (json) {
    print(JSON.stringify({ command: 'estimate', exit: code, results }, null, 2))
    return code
  }
  if (results.length > 0) print(estimatesTable(results, paintFor(process.stdout), columnsOf(process.stdout)))
  const sum = results.reduce((all, { estimate }) => all + estimate.executions, 0)
  if (done) print(`\n${counted(results.length, 'check')}, ~${about(sum)} executions by random walks: orders of magnitude`)
  else complain(`interrupted after ${counted(results.length, 'check')} of ${names.length}`)
  return code
}
