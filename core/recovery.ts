import type { Log } from './log.ts'
import { QueueError } from './queue-error.ts'
import { segmentMissing, segmentName, segmentNumbers } from './queue-files.ts'
import { type Expected, recordWords } from './record.ts'
import { acknowledgedAt, recordsAt, type Segment } from './segment.ts'

/**
 * What the first one does who opens a queue when nobody else lives: puts everything right that a crash has left half done,
 * of processes or of the machine. It may crash itself: then it is done again from the beginning.
 *
 * After a power failure any word may be older than others. What is relied on was brought to the disk before: the numbers of the
 * first and the last segment, the headers of these segments, and the records up to where they are said to be durable. Behind
 * that, a record counts when it proves itself (`record.ts`), and the first one that does not is the end.
 */

/** What a recovery has found. */
export interface Found {
  /** Where the log ends now. */
  readonly segment: number
  readonly byte: number
  /** Bytes that had been published and are gone, as far as can be told: a crash took them before they were on the disk. */
  readonly lost: number
}

/** Where the scan has come to. */
interface End {
  readonly segment: number
  readonly word: number
  readonly sequence: number
  readonly lost: number
}

/** For the holder of the lock, when nobody else lives. */
export function recover(log: Log): Found {
  const { control } = log
  log.removeRest()
  const first = settleFirst(log)
  const last = lastOf(log)
  if (last < first) {
    startOver(log, first)
    return { segment: first, byte: 4 * recordsAt, lost: 0 }
  }
  requireSegments(log, first, last)
  const end = scan(log, first, last)
  settleLast(log, end, last)
  control.sequence = end.sequence
  control.keepEpoch(control.epoch + 1)
  // What was found stays, and records that are written from now on are told from whatever lies behind the end.
  // Safety: queue/recovers
  log.flushAll((segment, durable) => segment.foundEnd(durable))
  settleConsumer(log, first, end)
  return { segment: end.segment, byte: 4 * end.word, lost: end.lost }
}

/** A queue without segments gets its first one. */
function startOver(log: Log, first: number): void {
  const { control } = log
  log.removeSegments((number) => number >= first)
  log.folder.sync()
  control.keepEpoch(control.epoch + 1)
  control.sequence = 0
  log.roll()
  control.flushed = first
  control.clear(first, recordsAt, 0, 0)
}

/** Takes away what was to be taken away. */
function settleFirst(log: Log): number {
  const { control, folder } = log
  const { least, most } = control.first
  // When the readings differ, a crash came between them: the files of the lesser one may still be there, or not.
  const first = least === most || isThere(log, least) ? least : most
  const before = segmentNumbers(folder.list()).filter((number) => number < first)
  // Once more also when the disk may have refused it, and the kernel taken it for written.
  // Safety: queue/recovers
  if (least !== most || before.length > 0) control.keepFirst(first)
  // Safety: queue/retires
  for (const number of before) folder.remove(segmentName(number))
  folder.sync()
  return first
}

/**
 * When the readings differ, a crash came between them, or a bit has changed. The farther one then is right if its segment is
 * there: a segment is there before `last` leads to it, and goes only when both readings lead past it.
 */
function lastOf(log: Log): number {
  const { least, most } = log.control.last
  return least !== most && isThere(log, most) ? most : least
}

function isThere(log: Log, number: number): boolean {
  try {
    log.openSegment(number).close()
    return true
  } catch (error) {
    if (!(error instanceof QueueError)) throw error
    return false
  }
}

/** @throws QueueError when one is gone: they are on the disk before `last` leads to them, until `first` leads past them */
function requireSegments(log: Log, first: number, last: number): void {
  const there = new Set(segmentNumbers(log.folder.list()))
  for (let number = first; number <= last; number++) if (!there.has(number)) throw segmentMissing(number)
}

/** Finds the end of the log. */
function scan(log: Log, first: number, last: number): End {
  const { control } = log
  let from = last
  // Everything before a place that is on the disk is there, too.
  for (; from > first; from--) {
    const segment = log.openSegment(from)
    const isDurable = segment.durable !== undefined
    segment.close()
    if (isDurable) break
  }
  control.flushed = from
  for (let number = from; ; number++) {
    const segment = log.openSegment(number)
    const next = number < last ? log.openSegment(number + 1) : undefined
    try {
      const end = scanSegment(log, segment, next?.start.sequence)
      const isComplete = next !== undefined && end.sequence === next.start.sequence
      if (!isComplete) return end
    } finally {
      segment.close()
      next?.close()
    }
  }
}

/** The end of a segment: the first record that does not prove itself, or the one that the next segment begins with. */
function scanSegment(log: Log, segment: Segment, until: number | undefined): End {
  const { records } = log
  const { memory, start, durable } = segment
  let at = durable?.word ?? recordsAt
  let expected: Expected = durable ?? start
  const published = Math.min(segment.tail, memory.words)
  // Before it is looked at: it may be nowhere but in memory, and the kernel take it for written, after the disk had refused it.
  segment.writeAgain(at, published)
  while (expected.sequence !== until) {
    const record = records.readExpected(memory, at, memory.words, expected)
    if (record === undefined) break
    expected = { sequence: (record.sequence + 1) | 0, epoch: record.epoch }
    at += recordWords(record.length)
  }
  // What was found here is published, whatever the disk has kept of the tail.
  // Safety: queue/recovers
  segment.publishFound(at)
  return { segment: start.number, word: at, sequence: expected.sequence, lost: Math.max(0, 4 * (published - at)) }
}

/** The log ends here: nothing may be left behind it that could be taken for a part of it. */
function settleLast(log: Log, end: End, last: number): void {
  const { control, folder } = log
  const { least, most } = control.last
  if (end.segment < last || least !== most) control.keepLast(end.segment)
  log.removeSegments((number) => number > end.segment)
  folder.sync()
}

/** The consumer is no farther than the log: otherwise it would not see what is written there from now on. */
function settleConsumer(log: Log, first: number, end: End): void {
  const { control } = log
  const segment = log.lastSegment()
  if (segment.acknowledged.most > end.word) {
    segment.acknowledge(Math.min(segment.acknowledged.least, end.word))
    // On the disk before records are there that it must not skip.
    // Safety: queue/recovers
    segment.flushAcknowledged()
  }
  const place = consumerPlace(log, first)
  const its = log.openSegment(place.segment)
  its.writeAgain(acknowledgedAt, acknowledgedAt + 1)
  its.close()
  const sequence = place.sequence ?? its.start.sequence
  // What went from before the first segment and nobody was done with is still to be told. Otherwise a consumer is done with what it
  // says in the segments: the control file may have another opinion, from before the power failed.
  // Safety: queue/counted
  const isFirst = place.segment === first && place.word === recordsAt
  control.clear(place.segment, place.word, sequence, isFirst ? (sequence - control.backlogBefore(sequence)) | 0 : sequence)
}

export interface ConsumerPlace {
  readonly segment: number
  readonly word: number
  /** Of the record that stands there; undefined when that is not known. */
  readonly sequence: number | undefined
}

/** Where a consumer goes on: at the first record that was not acknowledged. For the holder of the lock. */
export function consumerPlace(log: Log, first: number): ConsumerPlace {
  const { control } = log
  const last = control.last.least
  for (let number = first; ; number++) {
    const segment = log.openSegment(number)
    try {
      const place = placeIn(log, segment)
      if (number === last || place.word < segment.tail) return place
    } finally {
      segment.close()
    }
  }
}

function placeIn(log: Log, segment: Segment): ConsumerPlace {
  const { records, control } = log
  const { memory, start, acknowledged } = segment
  const tail = segment.tail
  // Two readings differ when a crash came between them, or a bit has changed: then the lesser one is safe, if it is one.
  for (const word of [acknowledged.least, acknowledged.most]) {
    if (word < recordsAt || word > tail) continue
    if (word === tail) return { segment: start.number, word, sequence: control.sequence }
    const record = records.read(memory, word, tail)
    if (record !== undefined) return { segment: start.number, word, sequence: record.sequence }
  }
  const word = acknowledged.least < recordsAt || acknowledged.least > tail ? recordsAt : acknowledged.least
  return { segment: start.number, word, sequence: undefined }
}
