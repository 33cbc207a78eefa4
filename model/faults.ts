import type { Program } from './program.ts'

/** What may happen to a thread besides the schedule. */
export interface ThreadFaults {
  /** It may be killed while fewer threads than this have been. */
  readonly kills: number
  /** It may wake up once for no reason. */
  readonly spurious: boolean
}

export const noFaults: ThreadFaults = { kills: 0, spurious: false }

/** The faults of one thread of a program. */
export function faultsOf({ faults }: Program, thread: string): ThreadFaults {
  if (faults === undefined) return noFaults
  const { kill = [], kills = 1, spurious = false } = faults
  return { kills: kill.includes(thread) ? kills : 0, spurious }
}
