import type { Program } from './program.ts'

/** What may happen to a thread besides the schedule. */
export interface ThreadFaults {
  /** It may be killed while fewer threads than this have been. */
  readonly kills: number
  /** It may wake up once for no reason. */
  readonly spurious: boolean
  /** Its memory is on a disk, which may keep less than was written when everything stops. */
  readonly durable: boolean
}

export const noFaults: ThreadFaults = { kills: 0, spurious: false, durable: false }

/** The faults of one thread of a program. */
export function faultsOf({ faults }: Program, thread: string): ThreadFaults {
  if (faults === undefined) return noFaults
  const { kill = [], kills = 1, spurious = false, crash } = faults
  return { kills: kill.includes(thread) ? kills : 0, spurious, durable: crash !== undefined }
}
