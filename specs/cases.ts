/** What went wrong in other systems, or nearly did: the program that would show it here, and the mistake that proves so. */
export interface Case {
  readonly what: string
  /** Parts of names of programs that hold. */
  readonly programs: readonly string[]
  /** Parts of names of mutants that are refuted. */
  readonly mutants: readonly string[]
  /** Tests with real files and processes, by their files in `test/core`. */
  readonly tests?: Readonly<Record<string, string>>
  /** What of it nobody checks. */
  readonly open?: string
}
