import { QueueError } from './queue-error.ts'

/** The names of the files of a queue. */

export const controlName = 'control'
/** A file that was a segment and may become one again. */
export const spareName = 'spare'
const segmentPattern = /^\d{10}\.segment$/
const draftSuffix = '.draft'

/** The name of a segment: names are in the order of their numbers. */
export function segmentName(number: number): string {
  return `${String(number).padStart(10, '0')}.segment`
}

/** The numbers of the segments among these names, in order. */
export function segmentNumbers(names: readonly string[]): number[] {
  const numbers = names.filter((name) => segmentPattern.test(name)).map((name) => Number.parseInt(name, 10))
  return numbers.sort((a, b) => a - b)
}

/** The name of a control file that is being made. */
export function draftName(unique: string): string {
  return `${unique}${draftSuffix}`
}

/** Whether this belongs to a queue. */
export function isOwn(name: string): boolean {
  return name === controlName || name === spareName || isDraft(name) || segmentPattern.test(name)
}

/** Whether this is what a creator leaves that dies before it is done. */
export function isDraft(name: string): boolean {
  return name.endsWith(draftSuffix) || name.startsWith('.heddle-')
}

export function segmentMissing(number: number): QueueError {
  return new QueueError('missing', `segment ${number} is gone: somebody has removed it; put it back`)
}
