import { clock, withGuards } from '../model/guards.ts'
import { threadsOf } from '../model/history.ts'
import type { Program } from '../model/program.ts'
import { validate } from '../model/validate.ts'
import { defaultEvents } from './bounds.ts'
import type { Report } from './report.ts'
import { initialMemory, runSchedule } from './run.ts'
import { decodeSchedule, encodeSchedule } from './schedule.ts'
import { traceOf } from './trace.ts'

/**
 * Runs a program along the schedule of a failure. The verdict is `refuted` when something fails on the way or at its
 * end, and `inconclusive` otherwise: one execution proves nothing.
 *
 * @throws ScheduleError when the schedule is malformed or of another program
 * @throws ProgramError when the program is not one
 */
export function replay(program: Program, schedule: string): Report {
  validate(program)
  const steps = decodeSchedule(program, schedule)
  const start = clock()
  return withGuards(() => {
    const run = runSchedule(program, threadsOf(program, defaultEvents), initialMemory(program), steps)
    return {
      program: program.name,
      verdict: run.finding === undefined ? 'inconclusive' : 'refuted',
      executions: run.machine.finished ? 1 : 0,
      blocked: 0,
      discarded: 0,
      seconds: (clock() - start) / 1000,
      ...(run.finding === undefined
        ? {}
        : { failure: { ...run.finding, schedule: encodeSchedule(program, run.steps), trace: traceOf(run.machine) } }),
    }
  })
}
