import { lineWords } from '../../core/layout.ts'
import type { Memory } from '../../core/memory.ts'
import { Queue, type QueueOptions } from '../../core/queue.ts'
import { controlPlaces } from '../../core/queue-control.ts'
import { controlName, isDraft, segmentName, spareName } from '../../core/queue-files.ts'
import { recordWords } from '../../core/record.ts'
import { recordsAt } from '../../core/segment.ts'
import { type FolderShape, SimulatedFolder } from '../../model/simulated-folder.ts'

/** The folder that programs around the queue stand on: items are numbers, and few of them fit into a segment. */

const lastSegment = 4
/** Two that die while they make a control file, the control file, and segments. */
const files = 8
const words = 330
/** How many threads can have the queue open. */
const members = 4

const shape: FolderShape = {
  names: [controlName, spareName, 'a.draft', 'b.draft', ...Array.from({ length: lastSegment }, (_, i) => segmentName(i + 1))],
  files,
  words,
}

/** How many words the folder takes. */
export const folderWords: number = SimulatedFolder.words(shape)

const codec: QueueOptions<number>['codec'] = {
  encode: (item) => new Uint8Array(Int32Array.of(item).buffer),
  decode: (bytes) => new Int32Array(bytes.slice().buffer)[0] as number,
}

/** How many items fit into a segment. */
export const itemsOfSegment = 2

export type Options = Partial<Omit<QueueOptions<number>, 'codec'>>

/** Opens the queue in the folder, or makes it. */
export function open(memory: Memory, options: Options = {}): Queue<number> {
  return Queue.open(new SimulatedFolder(memory, shape), {
    codec,
    draft: 'a',
    segmentBytes: 4 * (recordsAt + itemsOfSegment * recordWords(4)),
    members,
    spins: 0,
    ...options,
  })
}

/** Words of the control file and of segments, for mutants. */
export const places: {
  control(word: number): number
  segment(number: number, word: number): number
  /** The word that says whether a thread has the file open that was made as this segment. */
  holder(number: number, thread: number): number
} = {
  control: (word) => SimulatedFolder.wordOf(shape, 1) + word,
  segment: (number, word) => SimulatedFolder.wordOf(shape, number + 1) + word,
  holder: (number, thread) => SimulatedFolder.holderOf(shape, number + 1, thread),
}

/** The word of the folder that says whether a file is there: segments by their numbers, 0 for the control file. */
export function entryOf(segment: number): number {
  return shape.names.indexOf(segment === 0 ? controlName : segmentName(segment))
}

/** The words of the control file that say who is there and holds what: locks, members, the consumer, how many producers came. */
export const livingWords: readonly number[] = [
  controlPlaces.lock + lineWords,
  controlPlaces.lock + 3 * lineWords,
  controlPlaces.joined,
  controlPlaces.consumer,
  ...Array.from({ length: 2 * members }, (_, i) => controlPlaces.members + i),
].map(places.control)

/** The words of the folder that say whether the drafts are there. */
export const drafts: readonly number[] = shape.names.flatMap((name, word) => (isDraft(name) ? word : []))
