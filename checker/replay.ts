import { clock, withGuards } from '../model/guards.ts'
import { threadsOf } from '../model/history.ts'
import type { Program } from '../model/program.ts'
import { validate } from '../model/validate.ts'
import { defaultEvents } from './bounds.ts'
import { decodeChoices } from './crash-choices.ts'
import { runCrash } from './crash-run.ts'
import type { Report, TraceStep } from './report.ts'
import { initialMemory, type Run, runSchedule } from './run.ts'
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
  const choices = decodeChoices(schedule)
  const start = clock()
  return withGuards(() => {
    const threads = threadsOf(program, defaultEvents)
    const initial = initialMemory(program)
    const run =
      choices === undefined || program.recover === undefined
        ? traced(runSchedule(program, threads, initial, steps))
        : runCrash(program, threads, initial, steps, choices)
    return {
      program: program.name,
      verdict: run.finding === undefined ? 'inconclusive' : 'refuted',
      executions: run.machine.finished ? 1 : 0,
      blocked: 0,
      discarded: 0,
      seconds: (clock() - start) / 1000,
      ...(run.finding === undefined
        ? {}
        : {
            failure: {
              ...run.finding,
              schedule: encodeSchedule(program, run.steps, choices),
              trace: run.trace,
            },
          }),
    }
  })
}

function traced(run: Run): Run & { readonly trace: readonly TraceStep[] } {
  return { ...run, trace: run.finding === undefined ? [] : traceOf(run.machine) }
}
