import type { Memory } from '../core/memory.ts'
import type { Program } from '../model/program.ts'
import type { Bounds, FailureKind, Report, Verdict } from './report.ts'

/** A deliberate mistake that a named guarantee must refute. */
export interface Mutant {
  readonly name: string
  /** The guarantee that must notice. */
  readonly guarantee: string
  /** Wraps the memory of each thread (`thread` is its name) and of `recover`; left out where the program itself is the faulty variant. */
  memory?(memory: Memory, thread: string): Memory
}

/** One line of a spec: a program, and what the search must say of it. Tests, command line, site and stress read this. */
export interface Check {
  readonly program: Program
  readonly mutant?: Mutant
  readonly expect: {
    readonly verdict: Verdict
    /** Compared only when the verdict is `holds`. */
    readonly executions?: number
    /** How many recoveries differ in what they saw after a crash. Compared only when the verdict is `holds`. */
    readonly recoveries?: number
    /** The kind of failure, where no guarantee is named by the program itself (a deadlock, say). */
    readonly failure?: FailureKind
  }
  readonly bounds?: Bounds
}

/** The program of a check, its threads seeing the memory through the mutant if there is one. */
export function checkedProgram(check: Check): Program {
  const { program, mutant } = check
  const wrap = mutant?.memory
  if (mutant === undefined || wrap === undefined) return program
  const threads = Object.entries(program.threads).map(([name, body]) => [
    name,
    (memory: Memory, mark: never) => (body as (m: Memory, k: never) => unknown)(wrap.call(mutant, memory, name), mark),
  ])
  const { recover } = program
  return {
    ...program,
    threads: Object.fromEntries(threads),
    ...(recover === undefined
      ? {}
      : { recover: (memory, acknowledged) => recover(wrap.call(mutant, memory, 'recover'), acknowledged) }),
  }
}

/** Why a report does not meet the expectation of its check, in one sentence; `undefined` when it does. */
export function unmet(
  check: Pick<Check, 'expect'> & { readonly mutant?: Pick<Mutant, 'guarantee'> },
  report: Report,
): string | undefined {
  const { expect, mutant } = check
  if (report.verdict !== expect.verdict) {
    const why = report.failure === undefined ? '' : `: ${report.failure.kind}, ${report.failure.message}`
    return `expected ${expect.verdict}, but the search says ${report.verdict}${why}`
  }
  for (const what of ['executions', 'recoveries'] as const) {
    if (report.verdict === 'holds' && expect[what] !== undefined && report[what] !== expect[what]) {
      return `expected ${expect[what]} ${what}, found ${report[what] ?? 0}`
    }
  }
  if (report.verdict !== 'refuted') return undefined
  const { kind, guarantee } = report.failure as NonNullable<Report['failure']>
  if (expect.failure !== undefined) {
    return kind === expect.failure ? undefined : `expected a failure of kind ${expect.failure}, found ${kind}`
  }
  if (mutant !== undefined && guarantee !== mutant.guarantee) {
    return `expected ${mutant.guarantee} to be broken, found ${guarantee ?? kind}`
  }
  return undefined
}
