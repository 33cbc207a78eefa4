import type { Program } from '../model/program.ts'

/**
 * Where an expected count comes from, which is never the explorer:
 *
 * - `enumerated`: every schedule of this very program, by `test/oracle/brute-force.ts`. A test counts again on every run.
 * - `formula`: a closed form, held against the same oracle at its smallest sizes.
 * - `enumerated-once`: the same, but it takes too long for every run (`HEDDLE_SLOW=1` makes the test count these too).
 * - `smaller`: the same program of a smaller size, whose count is enumerated; this size is too big for that. The number
 *   itself is then what the explorer found, kept so that a change of it is noticed.
 */
export type Source =
  | { readonly kind: 'enumerated' | 'enumerated-once' }
  | { readonly kind: 'formula'; readonly formula: string; readonly value: number }
  | { readonly kind: 'smaller'; readonly program: string }

/** A program that holds, with its exact number of executions. */
export interface Counted {
  readonly program: Program
  readonly executions: number
  readonly source: Source
}

export function enumerated(executions: number, program: Program): Counted {
  return { program, executions, source: { kind: 'enumerated' } }
}

export function enumeratedOnce(executions: number, program: Program): Counted {
  return { program, executions, source: { kind: 'enumerated-once' } }
}

export function formula(text: string, value: number, program: Program): Counted {
  return { program, executions: value, source: { kind: 'formula', formula: text, value } }
}

export function smaller(than: Program, executions: number, program: Program): Counted {
  return { program, executions, source: { kind: 'smaller', program: than.name } }
}

/** n over k. */
export function choose(n: number, k: number): number {
  return k === 0 ? 1 : (choose(n - 1, k - 1) * n) / k
}
