/** `heddle check --random` and `--preemptions`: a part of the executions of each check. */
import {
  type CheckResult,
  counted,
  preemptionsSummary,
  preemptionsTable,
  randomSummary,
  randomTable,
  resultText,
} from './format.ts'
import type { SearchJob } from './node-search.ts'
import { search } from './node-searcher.ts'
import { columnsOf, complain, exit, ProgressLine, paintFor, print } from './node-terminal.ts'

/** Which executions. */
export type Excerpt =
  | Pick<SearchJob & { kind: 'random' }, 'kind' | 'options'>
  | Pick<SearchJob & { kind: 'few-preemptions' }, 'kind' | 'options'>

export interface ExcerptCommandOptions {
  readonly only: string | undefined
  readonly json: boolean
  readonly verbose: boolean
  readonly excerpt: Excerpt
}

/** Explores these of every check of the files and returns the exit code. */
export async function excerptCommand(files: readonly string[], options: ExcerptCommandOptions): Promise<number> {
  const { only, json, verbose, excerpt } = options
  const line = new ProgressLine()
  const results: CheckResult[] = []
  let names: readonly string[] = []
  const done = await search({ ...excerpt, files, only }, (news) => {
    if (news.kind === 'planned') names = news.names
    if (news.kind === 'result') results.push(news.result)
    if (results.length < names.length) line.show(`[${results.length + 1}/${names.length}] ${names[results.length]}, in part`)
  }).finally(() => line.clear())
  const code = !done ? exit.interrupted : results.some(({ met }) => !met) ? exit.failed : exit.ok
  if (json) {
    print(JSON.stringify({ command: excerpt.kind, exit: code, ...excerpt.options, results }, null, 2))
    return code
  }
  const paint = paintFor(process.stdout)
  const table = excerpt.kind === 'random' ? randomTable : preemptionsTable
  if (results.length > 0) print(table(results, paint, columnsOf(process.stdout)))
  for (const result of results) {
    if (!result.met || (verbose && result.report.failure !== undefined)) print(`\n${resultText(result, paint)}`)
  }
  if (done) {
    const summary =
      excerpt.kind === 'random'
        ? randomSummary(results, excerpt.options, paint)
        : preemptionsSummary(results, excerpt.options, paint)
    print(`\n${summary}`)
  } else {
    const again = excerpt.kind === 'random' ? `; --seed ${excerpt.options.seed}` : ''
    complain(`interrupted after ${counted(results.length, 'check')} of ${names.length}${again}`)
  }
  return code
}
