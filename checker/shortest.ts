import type { Thread } from '../model/history.ts'
import type { Program } from '../model/program.ts'
import type { Failure } from './report.ts'
import { type Finding, runSchedule } from './run.ts'
import { encodeSchedule } from './schedule.ts'
import { shrink } from './shrink.ts'
import { traceOf } from './trace.ts'

/** A failure that a schedule leads to, as its shortest schedule shows it. */
export function shortestFailure(
  program: Program,
  threads: readonly Thread[],
  initial: Int32Array,
  schedule: readonly number[],
  finding: Finding,
): Failure {
  if (finding.kind === 'non-determinism') return { ...finding, schedule: encodeSchedule(program, schedule), trace: [] }
  const first = runSchedule(program, threads, initial, schedule)
  const target = first.finding ?? finding
  const short = shrink(program, threads, initial, first.steps, target)
  const run = runSchedule(program, threads, initial, short)
  return { ...(run.finding ?? target), schedule: encodeSchedule(program, run.steps), trace: traceOf(run.machine) }
}
