/** Programs of the benchmark set that are long enough to be shared, as a spec: its threads load it by themselves. */

import type { Check } from '../../checker/check.ts'
import { family } from '../programs/index.ts'
import { michaelScott, semaphored } from '../programs/structures.ts'

function known(name: string, ...size: readonly number[]): Check {
  const { program, executions } = family(name)
  return { program: program(...size), expect: { verdict: 'holds', executions: executions(...size) } }
}

export const checks: readonly Check[] = [
  known('adds', 10),
  known('repeated-adds', 6, 2),
  known('lastzero', 18),
  known('indexer', 18),
  { program: michaelScott(3, 2, 1), expect: { verdict: 'holds', executions: 281_454 } },
  { program: semaphored(4, 2), expect: { verdict: 'holds', executions: 101_376 } },
]
