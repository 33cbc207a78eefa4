/** `heddle stress`, the part in the main thread: shows what the judge says, and can be interrupted. */
import { count, duration, stressTable } from './format.ts'
import { InputError } from './node-input-error.ts'
import type { StressJob, StressMessage } from './node-stress-judge.ts'
import { columnsOf, complain, exit, ProgressLine, paintFor, print } from './node-terminal.ts'
import { startThread } from './node-thread.ts'
import type { StressResult } from './stress.ts'

export interface StressOptions {
  readonly only?: string
  readonly json?: boolean
  readonly seconds: number
  readonly hang: number
}

/** Runs the programs of a spec on real threads and returns the exit code. */
export async function stressCommand(file: string, options: StressOptions): Promise<number> {
  const { only, seconds, hang } = options
  const { results, interrupted } = await judged({ file, only, seconds, hangSeconds: hang })
  const passed = results.every((result) => result.passed)
  const code = interrupted !== undefined ? exit.interrupted : passed ? exit.ok : exit.failed
  if (options.json) {
    print(
      JSON.stringify({ command: 'stress', exit: code, ...(interrupted === undefined ? {} : { interrupted }), results }, null, 2),
    )
  } else {
    if (results.length > 0) print(stressTable(results, paintFor(process.stdout), columnsOf(process.stdout)))
    if (interrupted !== undefined) complain(`interrupted ${interrupted}`)
  }
  return code
}

/** Resolves with the results, or with where it was when Ctrl-C was pressed. */
function judged(job: StressJob): Promise<{ results: readonly StressResult[]; interrupted?: string }> {
  const line = new ProgressLine()
  const results: StressResult[] = []
  let standing = 'while loading'
  const thread = startThread('./node-stress-judge', import.meta.url, job)
  const work = new Promise<{ results: readonly StressResult[]; interrupted?: string }>((resolve, reject) => {
    process.once('SIGINT', () => resolve({ results, interrupted: standing }))
    thread.on('error', reject)
    thread.on('exit', () => reject(new Error('the thread that judges ended before its work was done')))
    thread.on('message', (message: StressMessage) => {
      switch (message.kind) {
        case 'enumerating':
          standing = `while enumerating ${message.program}, after ${count(message.executions)} executions`
          line.show(`enumerating ${message.program}: ${count(message.executions)} executions`)
          break
        case 'running':
          standing = `while running ${message.program}, after ${count(message.rounds)} rounds of it in ${duration(message.seconds)}`
          line.show(`running ${message.program}: ${count(message.rounds)} rounds, ${duration(message.seconds)}`)
          break
        case 'result':
          results.push(message.result)
          break
        case 'bad-input':
          reject(new InputError(message.message))
          break
        case 'done':
          resolve({ results })
      }
    })
  })
  return work.finally(() => {
    line.clear()
    void thread.terminate()
  })
}
