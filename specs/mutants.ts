import type { Check } from '../checker/check.ts'
import type { FailureKind } from '../checker/report.ts'
import type { Memory } from '../core/memory.ts'
import type { Program } from '../model/program.ts'

/** Makes a mistake in the memory that a thread sees; see `mutate.ts`. */
export type Wrap = (memory: Memory, thread: string) => Memory

/** A mistake that breaks no guarantee, and why. */
export interface Equivalent {
  readonly check: Check
  readonly why: string
}

/**
 * A mistake that must be refuted.
 *
 * @param failure the kind of failure, where the search and not the program finds it
 */
export function refuted<Guarantee extends string>(
  guarantee: Guarantee,
  name: string,
  program: Program,
  memory: Wrap,
  failure?: FailureKind,
): Check {
  return {
    program,
    mutant: { name, guarantee, memory },
    expect: failure === undefined ? { verdict: 'refuted' } : { verdict: 'refuted', failure },
  }
}

/** A mistake at a place on which no guarantee rests. The check holds. */
export function equivalent<Guarantee extends string>(
  why: string,
  guarantee: Guarantee,
  name: string,
  program: Program,
  memory: Wrap,
): Equivalent {
  return { check: { program, mutant: { name, guarantee, memory }, expect: { verdict: 'holds' } }, why }
}
