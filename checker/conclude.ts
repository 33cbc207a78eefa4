import type { Program } from '../model/program.ts'
import { type Covered, type Estimate, type Failure, type Report, shareEnough } from './report.ts'
import { encodeSchedule } from './schedule.ts'
import type { Tally } from './tally.ts'

/** What a report says of its program besides what was found: plain data, for those who have not loaded the program. */
export interface Outline {
  readonly program: string
  /** The names of what must be witnessed. */
  readonly sometimes: readonly string[]
  /** The schedule of no steps. */
  readonly start: string
}

export function outlineOf(program: Program): Outline {
  return { program: program.name, sometimes: Object.keys(program.sometimes ?? {}), start: encodeSchedule(program, []) }
}

/** How a search ended. */
export interface Ending {
  readonly tally: Tally
  readonly seconds: number
  readonly failure?: Failure | undefined
  /** Why it did not go on. */
  readonly bound?: Exclude<Report['bound'], 'events' | 'runs'>
  /** Random walks through the program, if any were made. */
  readonly sampled?: Estimate | undefined
}

/** The report on a search that has ended. */
export function conclude({ program, sometimes, start }: Outline, { tally, seconds, bound, sampled, ...found }: Ending): Report {
  const { executions, blocked, discarded, outcomes, recoveries } = tally
  const stopped = bound ?? (tally.cut ? ('events' satisfies Report['bound']) : undefined)
  const missing = stopped === undefined ? sometimes.find((name) => !tally.witnessed.includes(name)) : undefined
  const failure: Failure | undefined =
    found.failure ??
    (missing === undefined
      ? undefined
      : { kind: 'unwitnessed', message: `no execution is a witness of ${JSON.stringify(missing)}`, schedule: start, trace: [] })
  return {
    program,
    verdict: failure !== undefined ? 'refuted' : stopped !== undefined ? 'inconclusive' : 'holds',
    executions,
    blocked,
    discarded,
    seconds,
    ...(stopped === undefined || failure !== undefined ? {} : { bound: stopped }),
    ...(bound === undefined || failure !== undefined ? {} : { covered: coveredBy(tally, sampled) }),
    ...(outcomes === undefined ? {} : { outcomes: [...outcomes].sort() }),
    ...(recoveries === undefined ? {} : { recoveries: recoveries.length }),
    ...(failure === undefined ? {} : { failure }),
  }
}

/** How much of a program was searched. */
export function coveredBy({ share, executions }: Tally, sampled: Estimate | undefined): Covered {
  return {
    share: Math.min(share, 1),
    estimate: share < shareEnough ? Math.max(sampled?.executions ?? 0, executions) : executions / share,
  }
}
