import { guarantee } from '../../checker/guarantee.ts'
import { crc32 } from '../../core/crc32.ts'
import { lineWords } from '../../core/layout.ts'
import type { Memory } from '../../core/memory.ts'
import { Queue, type QueueOptions } from '../../core/queue.ts'
import { controlPlaces } from '../../core/queue-control.ts'
import { controlName, isDraft, segmentName, spareName } from '../../core/queue-files.ts'
import { recordWords } from '../../core/record.ts'
import { durableAt, recordsAt } from '../../core/segment.ts'
import { storeTwin } from '../../core/twin.ts'
import { type FolderShape, SimulatedFolder } from '../../model/simulated-folder.ts'

/** The folder that programs around the queue stand on: items are numbers, and few of them fit into a segment. */

const lastSegment = 4
/** Two that die while they make a control file, the control file, and segments. */
const files = 8
const words = 330
/** How many threads can have the queue open. */
const members = 4

/** @param first the number of the segment that there is first */
function shapeFrom(first: number): FolderShape {
  const segments = Array.from({ length: lastSegment }, (_, i) => segmentName(first + i))
  return { names: [controlName, spareName, 'a.draft', 'b.draft', ...segments], files, words }
}

const shape = shapeFrom(1)

/** Where the header of a segment says its number. */
const headerParametersAt = 4

/** How many words the folder takes. */
export const folderWords: number = SimulatedFolder.words(shape)

const codec: QueueOptions<number>['codec'] = {
  encode: (item) => new Uint8Array(Int32Array.of(item).buffer),
  decode: (bytes) => new Int32Array(bytes.slice().buffer)[0] as number,
}

/** How many items fit into a segment. */
export const itemsOfSegment = 2

/** Where a queue is that many have used before. */
export interface Begun {
  /** The number of its first segment, and of its first item. */
  readonly segment: number
  readonly sequence: number
}

export interface Options extends Partial<QueueOptions<number>> {
  readonly begun?: Begun
}

/** Opens the queue in the folder, or makes it. */
export function open(memory: Memory, options: Options = {}): Queue<number> {
  const { begun } = options
  return Queue.open(new SimulatedFolder(memory, begun === undefined ? shape : shapeFrom(begun.segment)), {
    codec,
    draft: 'a',
    segmentBytes: 4 * (recordsAt + itemsOfSegment * recordWords(4)),
    members,
    spins: 0,
    ahead: false,
    ...options,
  })
}

/** Words of the control file and of segments, for mutants. */
export const places: {
  control(word: number): number
  segment(number: number, word: number): number
  /** The word that says how long a file is, and so that it has been made. */
  size(file: number): number
  /** The word that says whether a thread has the file open that was made as this segment. */
  holder(number: number, thread: number): number
} = {
  control: (word) => SimulatedFolder.wordOf(shape, 1) + word,
  segment: (number, word) => SimulatedFolder.wordOf(shape, number + 1) + word,
  size: (file) => shape.names.length + file - 1,
  holder: (number, thread) => SimulatedFolder.holderOf(shape, number + 1, thread),
}

/** Makes a queue at rest in which so many segments and items have come and gone. */
export function begin(memory: Memory, { segment, sequence }: Begun): void {
  open(memory).close()
  const at = (word: number): number => places.segment(1, word)
  const [number, , epoch, identity] = [0, 1, 2, 3].map((i) => memory.load(at(headerParametersAt + i))) as [
    number,
    number,
    number,
    number,
  ]
  guarantee('queue/opens', number === 1, 'the header of a segment is not where it was')
  const start = [segment | 0, sequence | 0, epoch, identity]
  const sum = crc32(new Uint8Array(Int32Array.from(start).buffer))
  for (const [i, value] of [...start, sum].entries()) memory.store(at(headerParametersAt + i), value)
  // Nothing is known to be on the disk: that was said of the segment with the old number.
  for (let word = durableAt; word < recordsAt; word++) memory.store(at(word), 0)
  for (const twin of [controlPlaces.first, controlPlaces.last]) storeTwin(memory, places.control(twin), segment)
  memory.store(places.control(controlPlaces.done), sequence)
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

/** The word of the folder that says which file waits to become a segment. */
export const spareEntry: number = shape.names.indexOf(spareName)

/** Takes all room on the disk but for so many files, until what this returns is called. */
export function fillDisk(memory: Memory, but: number): () => void {
  const free = Array.from({ length: files }, (_, i) => places.size(i + 1)).filter((word) => memory.load(word) === 0)
  const taken = free.slice(but)
  for (const word of taken) memory.store(word, 1)
  return () => {
    for (const word of taken) memory.store(word, 0)
  }
}

/** The words of the folder that say whether the drafts are there. */
export const drafts: readonly number[] = shape.names.flatMap((name, word) => (isDraft(name) ? word : []))
