// The checker in a page, on the programs that CI checks.
import { type Check, checkedProgram, explore, type Report, replay, unmet } from '../../../checker/index.ts'
import { checks as barrier } from '../../../specs/barrier/checks.ts'
import { checks as event } from '../../../specs/event/checks.ts'
import { checks as lossyRing } from '../../../specs/lossy-ring/checks.ts'
import { checks as mutex } from '../../../specs/mutex/checks.ts'
import { checks as once } from '../../../specs/once/checks.ts'
import { checks as queue } from '../../../specs/queue/checks.ts'
import { checks as readWriteLock } from '../../../specs/read-write-lock/checks.ts'
import { checks as recordRing } from '../../../specs/record-ring/checks.ts'
import { checks as ring } from '../../../specs/ring/checks.ts'
import { checks as semaphore } from '../../../specs/semaphore/checks.ts'
import { checks as workRing } from '../../../specs/work-ring/checks.ts'

const structures = { barrier, event, lossyRing, mutex, once, queue, readWriteLock, recordRing, ring, semaphore, workRing }

/** What a search said of a check, without how long it took. */
export interface Explored {
  readonly check: string
  readonly report: Omit<Report, 'seconds'>
  /** Why that is not what the check expects. */
  readonly unmet: string | undefined
  /** What its schedule, if it failed, leads to. */
  readonly replayed: string | undefined
}

/** Which checks: so many of each structure that hold, and so many that are refuted. */
export interface Some {
  readonly each: number
  /** Without mistakes of the memory: these find their places by the names of functions, which a minified program does not keep. */
  readonly minified?: boolean
}

/** Explores some small checks. */
export function explored({ each, minified = false }: Some): Explored[] {
  return Object.entries(structures).flatMap(([structure, checks]) => {
    const known = (checks as readonly Check[]).filter(({ mutant }) => !minified || mutant?.memory === undefined)
    const small = known.filter(({ expect }) => (expect.executions ?? 0) <= 200)
    const verdicts = ['holds', 'refuted'].map((verdict) => small.filter(({ expect }) => expect.verdict === verdict))
    return verdicts.flatMap((some) => some.slice(0, each)).map((check) => outcomeOf(structure, check))
  })
}

function outcomeOf(structure: string, check: Check): Explored {
  const program = checkedProgram(check)
  const { seconds: _, ...report } = explore(program, { ...check.bounds, outcomes: true })
  const { failure } = report
  return {
    check: `${structure}: ${program.name}, ${check.mutant?.name ?? 'as it is'}`,
    report,
    unmet: unmet(check, { ...report, seconds: 0 }),
    replayed: failure && replay(program, failure.schedule).failure?.kind,
  }
}
