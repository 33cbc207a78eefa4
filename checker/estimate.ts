import { clock, withGuards } from '../model/guards.ts'
import { threadsOf } from '../model/history.ts'
import type { Program } from '../model/program.ts'
import { validate } from '../model/validate.ts'
import { defaultEvents } from './bounds.ts'
import { Broken } from './broken.ts'
import type { Estimate } from './report.ts'
import { initialMemory } from './run.ts'
import { picker } from './scheduler.ts'
import { Search } from './search.ts'

/**
 * How many executions a program has, estimated by random walks through the search tree.
 *
 * The mean is right in the long run, but the sizes of subtrees differ by orders of magnitude: a few large ones that no
 * walk met make it too small, and its spread too. Take it for an order of magnitude.
 *
 * @param options at most so many walks (default 1000) in so many seconds (default 0.2); the same seed gives the same walks
 * @throws ProgramError when the program is not one
 */
export function estimate(
  program: Program,
  options: { readonly walks?: number; readonly seconds?: number; readonly seed?: number } = {},
): Estimate {
  validate(program)
  return withGuards(() => {
    const threads = threadsOf(program, defaultEvents)
    return walk(new Search(threads, initialMemory(program), defaultEvents), options)
  })
}

/** For how many seconds random walks are made unless told otherwise. */
export const walkSeconds = 0.2

/** Walks a search that has not begun. */
export function walk(
  search: Search,
  {
    walks = 1000,
    seconds = walkSeconds,
    seed = 1,
  }: { readonly walks?: number; readonly seconds?: number; readonly seed?: number },
): Estimate {
  const pick = picker(seed)
  const end = clock() + 1000 * seconds
  let sum = 0
  let squares = 0
  let count = 0
  while (count < walks && (count === 0 || clock() < end)) {
    try {
      const { leaf, ways } = search.descend(pick)
      if (leaf === 'complete') {
        sum += ways
        squares += ways * ways
      }
      count++
    } catch (error) {
      if (error instanceof Broken) break // A failure: the search will find one too.
      throw error
    }
  }
  const mean = count === 0 ? 0 : sum / count
  const variance = count < 2 ? 0 : (squares - sum * mean) / (count - 1)
  return { executions: mean, spread: count === 0 ? 0 : Math.sqrt(Math.max(variance, 0) / count), walks: count }
}
