import type { Memory } from '../../core/memory.ts'
import type { Program } from '../../model/program.ts'

/** Programs of one shape, of any size, with the number of executions that theory or the literature says they have. */
export interface Family {
  readonly name: string
  /** What the arguments are, in order. */
  readonly parameters: string
  program(...size: readonly number[]): Program
  /** The number of distinct executions; `NaN` for a size whose count is not known from elsewhere. */
  executions(...size: readonly number[]): number
  /** Where the count comes from. */
  readonly source: string
  /** Sizes that are explored in a moment. */
  readonly sizes: readonly (readonly number[])[]
}

type Threads = Program['threads']

/** `n` threads of one kind, told apart by a number that counts from 0. */
export function crowd(n: number, kind: string, body: (memory: Memory, self: number) => unknown): Threads {
  return Object.fromEntries(upTo(n).map((self) => [`${kind}${self}`, (memory: Memory) => body(memory, self)]))
}

/** The numbers from 0 to `n - 1`. */
export function upTo(n: number): readonly number[] {
  return Array.from({ length: n }, (_, i) => i)
}

export function factorial(n: number): number {
  return n <= 1 ? 1 : n * factorial(n - 1)
}

/** How many ways there are to choose `k` of `n`. */
export function binomial(n: number, k: number): number {
  return Math.round(factorial(n) / (factorial(k) * factorial(n - k)))
}

/** A count known only by a list: the first entry belongs to size `from`. */
export function listed(from: number, counts: readonly number[]): (n: number) => number {
  return (n) => counts[n - from] ?? Number.NaN
}

/** The same program with its threads in another order: `order[i]` is the old place of the thread that comes `i`-th. */
export function reordered(program: Program, order: readonly number[]): Program {
  const threads = Object.entries(program.threads)
  return { ...program, threads: Object.fromEntries(order.map((i) => threads[i] as [string, (typeof threads)[number][1]])) }
}
