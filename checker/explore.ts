import { clock, withGuards } from '../model/guards.ts'
import type { Program } from '../model/program.ts'
import { validate } from '../model/validate.ts'
import { validateBounds } from './bounds.ts'
import { conclude, coveredBy, outlineOf } from './conclude.ts'
import { Exploration, type MakeSearch } from './exploration.ts'
import { wholeParcel } from './parcel.ts'
import type { Estimate, ExploreOptions, Report } from './report.ts'
import { Search } from './search.ts'

/**
 * Takes a program through every distinct execution, each once. Synchronous, on this thread; stops at the first failure.
 *
 * @param options bounds, none by default but 1000 operations a thread; one that is hit makes the verdict `inconclusive`
 * @returns what was found. `holds` says that every execution was seen and nothing was wrong with any of them
 * @throws ProgramError when the program or an option is not one
 */
export function explore(program: Program, options: ExploreOptions = {}): Report {
  return exploreWith(makeSearch, program, options)
}

/** The search that everybody uses. */
export const makeSearch: MakeSearch = (threads, initial, events) => new Search(threads, initial, events)

/** `explore` with a search of one's own. */
export function exploreWith(makeSearch: MakeSearch, program: Program, options: ExploreOptions): Report {
  validate(program)
  validateBounds(options)
  const { executions, seconds = Number.POSITIVE_INFINITY, progress } = options
  return withGuards(() => {
    const start = clock()
    const exploration = new Exploration(makeSearch, program, options)
    let sampled: Estimate | undefined
    let nextProgress = start + 100
    let late = false
    const isLate = (): boolean => {
      late = clock() - start >= 1000 * seconds
      return late
    }
    const stop = (): boolean => {
      const now = clock()
      if (isLate() || now < nextProgress || progress === undefined) return late
      nextProgress = now + 100
      sampled ??= exploration.sample()
      const { tally } = exploration
      progress({ executions: tally.executions, seconds: (now - start) / 1000, ...coveredBy(tally, sampled), sampled })
      return false
    }
    exploration.enter([wholeParcel])
    const pause = exploration.run(stop, executions, undefined, isLate)
    const bound = pause === 'executions' ? pause : late ? 'seconds' : undefined
    // Costs no more than the search did.
    if (bound !== undefined) sampled ??= exploration.sample((clock() - start) / 1000)
    const { tally, found } = exploration
    return conclude(outlineOf(program), { tally, seconds: (clock() - start) / 1000, failure: found?.failure, bound, sampled })
  })
}
