/**
 * One step of a schedule as an integer: the number of the thread that does its next operation; below zero for a kill; from
 * a million on for a `wait` that comes back for no reason.
 */

const aMillion = 1_000_000

/** The step that kills a thread. */
export function killOf(thread: number): number {
  return -1 - thread
}

/** The step by which the `wait` that a thread is about to do comes back for no reason. */
export function spuriousOf(thread: number): number {
  return aMillion + thread
}

export function isKill(step: number): boolean {
  return step < 0
}

export function isSpurious(step: number): boolean {
  return step >= aMillion
}

/** The thread that a step is of. */
export function threadOf(step: number): number {
  return step < 0 ? -1 - step : step % aMillion
}
