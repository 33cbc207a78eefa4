/** Programs: what the checker explores. */
export { type Faults, type Mark, type Program, program, type Readable } from './program.ts'
export { type Condition, type HistoryPromise, type Outcome, type Sequential, sequential } from './sequential.ts'
