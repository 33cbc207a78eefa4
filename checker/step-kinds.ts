import { killOf, spuriousOf } from '../model/step.ts'

// What an entry of a sequence is.
export const NORMAL = 0
export const KILL = 1
/** A `wait` that comes back for no reason. */
export const SPURIOUS = 2
/** The time of a sleeper is over. */
export const EXPIRE = 3
/** A `wait` that finds what it expects: its thread holds the word. */
export const TEST = 4
/** And falls asleep. */
export const ENQUEUE = 5
/** Not a step: a sleeper was woken. */
export const AWAKE = 6
/** Not a step: something was settled about a thread. */
export const MARK = 7

/** A step as schedules have it. */
export function actOf(thread: number, kind: number): number {
  return kind === KILL ? killOf(thread) : kind === SPURIOUS ? spuriousOf(thread) : thread
}
