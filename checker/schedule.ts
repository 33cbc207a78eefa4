import type { Program } from '../model/program.ts'
import { isKill, isSpurious, killOf, spuriousOf, threadOf } from '../model/step.ts'
import { type CrashChoices, choicesPattern, encodeChoices } from './crash-choices.ts'

/**
 * A schedule as a short string: `fingerprint.a3b1a2` lets the first thread do three SeqCst operations, the second one, and
 * the first two more; `~b1` kills the second, and by `!b1` it wakes up for no reason. Behind `^` stands what a crash left
 * (`crash-choices.ts`). The fingerprint is that of the names of the program and its threads, so a schedule survives
 * edits that leave those alone.
 */

/** A schedule that is malformed or of another program. */
export class ScheduleError extends Error {
  override readonly name = 'ScheduleError'
}

export function encodeSchedule(program: Program, steps: readonly number[], choices?: CrashChoices): string {
  let text = ''
  for (let i = 0; i < steps.length; ) {
    let end = i
    while (end < steps.length && steps[end] === steps[i]) end++
    text += `${isKill(steps[i]) ? '~' : isSpurious(steps[i]) ? '!' : ''}${letters(threadOf(steps[i]))}${end - i}`
    i = end
  }
  return `${fingerprint(program)}.${text}${choices === undefined ? '' : encodeChoices(choices)}`
}

/** A schedule step by step. Throws a `ScheduleError`. */
export function decodeSchedule(program: Program, schedule: string): number[] {
  const match = /^([0-9a-z]+)\.((?:[~!]?[a-z]+[0-9]+)*)$/.exec(String(schedule).trim().replace(choicesPattern, ''))
  if (match === null) {
    throw new ScheduleError(
      `not a schedule: expected something like ${fingerprint(program)}.a3b1a2, found ${JSON.stringify(schedule)}`,
    )
  }
  if (match[1] !== fingerprint(program)) {
    throw new ScheduleError(
      `the schedule is of another program: ${program.name} has the fingerprint ${fingerprint(program)}, the schedule ${match[1]}. The names of a program and of its threads must be those of the run that printed it`,
    )
  }
  const threads = Object.keys(program.threads).length
  const steps: number[] = []
  for (const [, fault, name, count] of match[2].matchAll(/([~!]?)([a-z]+)([0-9]+)/g)) {
    const thread = number(name)
    if (thread >= threads)
      throw new ScheduleError(`the schedule names thread ${name}, but ${program.name} has ${threads} threads`)
    if (Number(count) > 1e6)
      throw new ScheduleError(`the schedule lets thread ${name} do ${count} operations: expected up to 1000000`)
    const step = fault === '~' ? killOf(thread) : fault === '!' ? spuriousOf(thread) : thread
    for (let i = 0; i < Number(count); i++) steps.push(step)
  }
  return steps
}

/** How often a schedule goes from one thread to another. */
export function switches(steps: readonly number[]): number {
  let count = 0
  for (let i = 1; i < steps.length; i++) if (steps[i] !== steps[i - 1]) count++
  return count
}

/** FNV-1a of the names. */
function fingerprint(program: Program): string {
  let hash = 0x811c9dc5
  for (const char of [program.name, ...Object.keys(program.threads)].join('\n')) {
    hash = Math.imul(hash ^ (char.codePointAt(0) as number), 0x01000193)
  }
  return (hash >>> 0).toString(36)
}

function letters(thread: number): string {
  const rest = Math.floor(thread / 26)
  return (rest === 0 ? '' : letters(rest - 1)) + String.fromCharCode(97 + (thread % 26))
}

function number(name: string): number {
  let value = 0
  for (const char of name) value = 26 * value + char.charCodeAt(0) - 96
  return value - 1
}
