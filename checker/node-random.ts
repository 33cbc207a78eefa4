/** `heddle check --random`: some executions of each check, chosen at random. */
import { type CheckResult, counted, randomSummary, randomTable, resultText } from './format.ts'
import { search } from './node-searcher.ts'
import { columnsOf, complain, exit, ProgressLine, paintFor, print } from './node-terminal.ts'
import type { RandomOptions } from './report.ts'

/** How they are chosen and shown. */
export interface RandomCommandOptions {
  readonly only: string | undefined
  readonly json: boolean
  readonly verbose: boolean
  readonly random: RandomOptions & { readonly seed: number }
}

/** Takes every check of the files through its runs and returns the exit code. */
export async function randomCommand(files: readonly string[], options: RandomCommandOptions): Promise<number> {
  const { only, json, verbose, random } = options
  const line = new ProgressLine()
  const results: CheckResult[] = []
  let names: readonly string[] = []
  const done = await search({ kind: 'random', files, only, options: random }, (news) => {
    if (news.kind === 'planned') names = news.names
    if (news.kind === 'result') results.push(news.result)
    if (results.length < names.length) line.show(`[${results.length + 1}/${names.length}] ${names[results.length]} at random`)
  }).finally(() => line.clear())
  const code = !done ? exit.interrupted : results.some(({ met }) => !met) ? exit.failed : exit.ok
  if (json) {
    print(JSON.stringify({ command: 'random', exit: code, ...random, results }, null, 2))
    return code
  }
  const paint = paintFor(process.stdout)
  if (results.length > 0) print(randomTable(results, paint, columnsOf(process.stdout)))
  for (const result of results) {
    if (!result.met || (verbose && result.report.failure !== undefined)) print(`\n${resultText(result, paint)}`)
  }
  if (done) print(`\n${randomSummary(results, random, paint)}`)
  else complain(`interrupted after ${counted(results.length, 'check')} of ${names.length}; --seed ${random.seed}`)
  return code
}
