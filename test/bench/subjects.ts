/** The benchmark set: what searches are measured on. */

import type { Program } from '../../model/program.ts'
import { family } from '../programs/index.ts'
import {
  chaseLev,
  dekker,
  michaelScott,
  peterson,
  readersAndWriters,
  semaphored,
  sleeping,
  sleepingInTurns,
  treiberMixed,
  treiberPushes,
  treiberPushPop,
} from '../programs/structures.ts'

/** A program of the benchmark set. */
export interface Subject {
  readonly program: Program
  /** Known from a formula, a publication or another search. */
  readonly executions?: number
  /** GenMC 0.11 under SC, executions a second, as printed in measurements.md: recorded on another day and machine. */
  readonly genmc?: number
}

/** A family at one size, with its known count. */
function known(name: string, ...size: readonly number[]): Subject {
  const { program, executions } = family(name)
  return { program: program(...size), executions: executions(...size) }
}

// GenMC's structures are other programs than ours (C, with their own drivers): those ratios compare kinds, not programs.
export const subjects: readonly Subject[] = [
  { ...known('stores', 8), genmc: 167e3 },
  { ...known('fib_bench', 5), genmc: 155e3 },
  { program: chaseLev(4, 3, 3), executions: 49909, genmc: 89e3 },
  { program: michaelScott(2, 1, 2), executions: 16476, genmc: 47e3 },
  { program: semaphored(4, 2), executions: 101376, genmc: 34e3 },
  { program: readersAndWriters(4, 1), executions: 50304, genmc: 28e3 },
  { ...known('adds', 9), genmc: 26e3 },
  { ...known('repeated-adds', 4, 3), genmc: 26e3 },
  { ...known('lastzero', 15), genmc: 16e3 },
  known('repeated-adds', 3, 4),
  { program: treiberPushPop(2), executions: 46 },
  { program: treiberPushPop(3), executions: 68892 },
  { program: treiberPushes(4), executions: 3120 },
  { program: treiberMixed(2, 1), executions: 16020 },
  { program: michaelScott(3, 2, 1), executions: 281454 },
  known('readers', 14),
  known('writers-and-readers', 4, 4),
  known('casrot', 9),
  known('iriw', 8),
  known('indexer', 16),
  known('filesystem', 20),
  known('spsc-ring', 7),
  known('spin-lock', 7),
  known('ttas-lock', 5),
  known('ticket-lock', 7),
  known('barrier', 7),
  { program: peterson(5), executions: 93652 },
  { program: dekker(4), executions: 26797 },
  { program: sleeping(3), executions: 1260 },
  { program: sleepingInTurns(3) },
]
