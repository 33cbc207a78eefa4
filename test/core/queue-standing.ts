import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from '../../core/crc32.ts'
import { lineWords } from '../../core/layout.ts'
import { MappedMemory } from '../../core/node-mapped-memory.ts'
import { Control, controlPlaces } from '../../core/queue-control.ts'
import { controlName, segmentName } from '../../core/queue-files.ts'
import { Records } from '../../core/record.ts'
import { Segment } from '../../core/segment.ts'
import { statesLeftIn } from './queue-states.ts'

/** What only the holder of the lock does, and what only the consumer does, by the words of `statesLeftIn`. */
const ofHolder = [
  'between publishing a record and counting it',
  'between making a segment and saying so',
  'between the two words of the first segment',
  'between the two words of the last segment',
  'before there is a segment',
  'retiring segments',
]
const ofConsumer = ['between the two words of an acknowledgement', 'in an acknowledgement']

/** Whether a process has the control file of a queue open, whatever all do meanwhile. */
export function hasOpened(path: string, pid: number): boolean {
  if (!existsSync(join(path, controlName))) return false
  using memory = MappedMemory.open(join(path, controlName))
  return memory.participants().some((one) => one.process === pid)
}

/**
 * In what a process is interrupted that stands at a queue while nobody does anything. Only to know which moments the kills of a
 * test have hit.
 *
 * @returns undefined when it is nothing that can be seen in the files
 */
export function standingOf(path: string, pid: number, role: 'producer' | 'consumer'): string | undefined {
  if (!existsSync(join(path, controlName))) return 'before there is a control file'
  using memory = MappedMemory.open(join(path, controlName))
  const numbers = memory.participants().flatMap((one) => (one.process === pid ? [one.participant + 1] : []))
  if (numbers.length === 0) return 'about to open'
  const isIts = (word: number): boolean => numbers.includes(memory.load(word) >>> 1)
  const control = Control.attach(memory, {})
  const members = Array.from({ length: control.shape.members }, (_, member) => controlPlaces.members + 2 * member)
  if (isIts(controlPlaces.lock + lineWords)) {
    if (!members.some(isIts)) return control.isAlone ? 'recovering' : 'joining'
    const states = statesLeftIn(path)
    return ofHolder.find((state) => states.includes(state)) ?? (hasWritten(path, control) ? written : 'holding the lock')
  }
  if (!members.some(isIts)) return 'opening'
  if (role === 'producer') return undefined
  if (!isIts(controlPlaces.consumer)) return 'waiting for its place'
  const states = statesLeftIn(path)
  return ofConsumer.find((state) => states.includes(state))
}

const written = 'between writing a record and publishing it'

/** Whether the next record stands behind the tail, whole. */
function hasWritten(path: string, control: Control): boolean {
  const number = control.last.least
  using file = MappedMemory.open(join(path, segmentName(number)))
  const { tail } = Segment.attach(file, number, control.shape.identity, crc32)
  return tail < file.words && new Records(crc32).read(file, tail, file.words)?.sequence === control.sequence
}
