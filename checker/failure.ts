import { OutOfRangeError } from '../model/simulated-memory.ts'
import type { FailureKind } from './report.ts'

/** What somebody who threw meant: a broken guarantee or assertion, a stray index, something that differs from run to run. */
export function classify(error: unknown): { kind: FailureKind; guarantee?: string; message: string } {
  if (!(error instanceof Error)) return { kind: 'thrown', message: `threw ${String(error)}` }
  const { name, message } = error
  if (name === 'GuaranteeError')
    return { kind: 'assertion', guarantee: (error as Error & { guarantee: string }).guarantee, message }
  if (name === 'AssertionError') return { kind: 'assertion', message }
  if (error instanceof OutOfRangeError || name === 'OutOfRangeError') return { kind: 'out-of-range', message }
  if (name === 'TornBytesError') return { kind: 'data-race', message }
  if (name === 'NonDeterminismError' || name === 'DivergedError') return { kind: 'non-determinism', message }
  return { kind: 'thrown', message: `${name}: ${message}` }
}
