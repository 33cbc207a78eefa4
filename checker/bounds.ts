import { ProgramError } from '../model/validate.ts'
import type { Bounds } from './report.ts'

/** How many operations one thread may do unless told otherwise. */
export const defaultEvents = 1000

/** Throws a `ProgramError` for a bound that is none. */
export function validateBounds(bounds: Bounds): void {
  for (const name of ['executions', 'events'] as const) {
    const value = bounds[name]
    if (value !== undefined && !(Number.isSafeInteger(value) && value > 0)) {
      throw new ProgramError(`option ${name}: expected a positive integer, found ${String(value)}`)
    }
  }
  const { seconds } = bounds
  if (seconds !== undefined && !(typeof seconds === 'number' && seconds > 0)) {
    throw new ProgramError(`option seconds: expected a positive number, found ${String(seconds)}`)
  }
}
