import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from '../../core/crc32.ts'
import { lineWords } from '../../core/layout.ts'
import { Mutex } from '../../core/mutex.ts'
import { MappedMemory } from '../../core/node-mapped-memory.ts'
import { Control, controlPlaces } from '../../core/queue-control.ts'
import { controlName, isDraft, segmentName, segmentNumbers } from '../../core/queue-files.ts'
import { Records, recordHeaderWords, recordWords } from '../../core/record.ts'
import { recordsAt, Segment } from '../../core/segment.ts'
import type { Twin } from '../../core/twin.ts'

/**
 * What processes that were killed have left half done in the folder of a queue, in words. None of it may matter: this is only
 * to know which moments the kills of a test have hit.
 */
export function statesLeftIn(path: string): string[] {
  const names = readdirSync(path)
  const states: string[] = []
  const says = (isSo: boolean, state: string): void => {
    if (isSo) states.push(state)
  }
  says(names.some(isDraft), 'making the control file')
  if (!existsSync(join(path, controlName))) return [...states, 'before there is a control file']

  using memory = MappedMemory.open(join(path, controlName))
  const control = Control.attach(memory, {})
  const [first, last] = [control.first.least, control.last.least]
  const isTorn = ({ least, most }: Twin): boolean => least !== most
  const isHeld = (word: number): boolean => memory.load(word) >>> 1 !== 0
  says(isHeld(controlPlaces.lock + lineWords), 'holding the lock')
  says(isHeld(controlPlaces.lock + Mutex.words() + lineWords), 'flushing')
  says(isHeld(controlPlaces.consumer), 'being the consumer')
  says(isTorn(control.first), 'between the two words of the first segment')
  says(isTorn(control.last), 'between the two words of the last segment')
  const numbers = segmentNumbers(names)
  says(
    numbers.some((number) => number > last),
    'between making a segment and saying so',
  )
  says(
    numbers.some((number) => number < first),
    'retiring segments',
  )
  if (last < first) return [...states, 'before there is a segment']

  const records = new Records(crc32)
  let done = 0
  let acknowledged = 0
  for (const number of numbers) {
    if (number < first || number > last) continue
    using file = MappedMemory.open(join(path, segmentName(number)))
    const segment = Segment.attach(file, number, control.shape.identity, crc32)
    const { tail, start } = segment
    says(isTorn(segment.acknowledged), 'between the two words of an acknowledgement')
    let sequence = start.sequence
    for (let at = recordsAt; at < tail; sequence++) {
      at += recordWords(records.header(file, at).length)
      if (at <= segment.acknowledged.least) acknowledged = sequence + 1
    }
    done = sequence
    if (number < last) continue
    const words = Math.min(recordHeaderWords, file.words - tail)
    says(
      Array.from({ length: words }, (_, i) => file.load(tail + i)).some((word) => word !== 0),
      'between writing a record and publishing it',
    )
  }
  says(control.sequence !== done, 'between publishing a record and counting it')
  says(control.backlog(done) !== done - acknowledged, 'in an acknowledgement')
  return states.length === 0 ? ['at rest'] : states
}
