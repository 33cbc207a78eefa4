import { conclude, outlineOf } from '../../checker/conclude.ts'
import { Coordinator, type Job, pursue } from '../../checker/coordinator.ts'
import { Exploration } from '../../checker/exploration.ts'
import { makeSearch } from '../../checker/explore.ts'
import type { ExploreOptions, Report } from '../../checker/report.ts'
import { withGuards } from '../../model/guards.ts'
import type { Program } from '../../model/program.ts'

/** What became of the work. */
export interface Division {
  jobs: number
  /** Jobs that came back because others had nothing to do. */
  divided: number
  /** Jobs that came back in the middle of judging the crashes of an execution. */
  late: number
  lost: number
}

/**
 * Explores as several workers would, in an order that `pick` chooses: who asks for work next, how far a job goes before it
 * comes back, who dies with a job, and when all is saved and begun anew. Everything that would go from thread to thread goes as text.
 *
 * @param pick gives a random integer from 0 to n - 1
 */
export function divided(
  workers: number,
  pick: (n: number) => number,
  told: Division = { jobs: 0, divided: 0, late: 0, lost: 0 },
): (program: Program, options?: ExploreOptions) => Report {
  return (program, options = {}) =>
    withGuards(() => {
      let coordinator = new Coordinator()
      const copy = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T
      const explorations = Array.from({ length: workers }, () => new Exploration(makeSearch, program, options))
      const taken: (Job | undefined)[] = explorations.map(() => undefined)
      for (;;) {
        const settled = coordinator.settle()
        if (settled !== undefined) {
          const failure = settled === 'explored' ? undefined : settled.failure
          return conclude(outlineOf(program), { tally: coordinator.tally, seconds: 0, failure })
        }
        if (pick(50) === 0) {
          coordinator = new Coordinator(copy(coordinator.save()))
          taken.fill(undefined)
        }
        const worker = pick(workers)
        const job = taken[worker]
        if (job === undefined) {
          taken[worker] = copy(coordinator.take(1 + pick(workers)) ?? null) ?? undefined
          if (taken[worker] !== undefined) told.jobs++
          continue
        }
        taken[worker] = undefined
        if (pick(10) === 0) {
          coordinator.lose(job.id)
          explorations[worker] = new Exploration(makeSearch, program, options)
          told.lost++
          continue
        }
        let left = pick(5)
        const isLate = (): boolean => {
          if (pick(3) > 0) return false
          told.late++
          return true
        }
        const answer = pursue(explorations[worker], job, { stop: () => left-- === 0, isLate, askEvery: 1 + pick(8) })
        if (answer.rest.length > 0) told.divided++
        coordinator.answer(job.id, copy(answer))
      }
    })
}
