/** The checker: takes a program through every distinct interleaving. */
export { type Check, checkedProgram, type Mutant, unmet } from './check.ts'
export { GuaranteeError, guarantee } from './guarantee.ts'
export type { Bounds, ExploreOptions, Failure, FailureKind, Report, TraceStep, Verdict } from './report.ts'
