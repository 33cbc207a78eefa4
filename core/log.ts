import type { Checksum } from './crc32.ts'
import { type FileMemory, type Folder, reasonOf } from './folder.ts'
import type { Mutex } from './mutex.ts'
import type { WaitOptions } from './patience.ts'
import { Control } from './queue-control.ts'
import { QueueError } from './queue-error.ts'
import { controlName, draftName, isDraft, isOwn, segmentMissing, segmentName, segmentNumbers, spareName } from './queue-files.ts'
import { Records, recordHeaderWords, recordWords } from './record.ts'
import { type Found, recover } from './recovery.ts'
import { type Durable, recordsAt, Segment } from './segment.ts'

/**
 * The log under a queue: a folder with a control file and the segments that there are, as one member sees it.
 *
 * Whoever appends holds the lock, writes a record beyond the tail of the last segment, and publishes it by one exchange of that
 * tail. So one that dies leaves nothing to repair, wherever it was: the record is there whole, or it is not there.
 */

/** What a new queue is like, and how a member behaves. */
export interface LogOptions extends WaitOptions {
  readonly mode: 'new' | 'existing' | 'resume' | 'wipe'
  readonly segmentWords: number
  readonly members: number
  readonly identity: number
  /** A name for a file that nobody else makes. */
  readonly draft: string
  readonly checksum: Checksum
  /** How long opening waits for somebody else who opens it, or makes a segment. */
  readonly openTimeoutMs: number
}

export class Log {
  readonly folder: Folder
  readonly control: Control
  readonly records: Records
  /** What was found when this member opened the queue and nobody else lived. */
  readonly found: Found | undefined
  /** Of all records that this member writes: it rises only when nobody lives. */
  readonly epoch: number
  readonly checksum: Checksum
  private readonly member: number
  private current: Segment | undefined
  private isOpen = true

  private constructor(folder: Folder, control: Control, { checksum, openTimeoutMs }: LogOptions) {
    this.folder = folder
    this.control = control
    this.checksum = checksum
    this.records = new Records(checksum)
    const how = control.lock.lock(openTimeoutMs)
    if (how === 'timed-out') {
      throw new QueueError('in-use', `somebody has held its lock for ${openTimeoutMs} ms; if nobody has it open, it is damaged`)
    }
    const [found, member] = letGo(control.lock, () => {
      const recovered = control.isAlone ? recover(this) : undefined
      if (how === 'abandoned' && recovered === undefined) this.repair()
      return [recovered, control.join()] as const
    })
    this.found = found
    this.member = member
    this.epoch = control.epoch
    if (member < 0) {
      throw new QueueError('in-use', `all its ${control.shape.members} members are there; close it elsewhere first`)
    }
  }

  static open(folder: Folder, options: LogOptions): Log {
    const names = folder.list()
    const foreign = names.find((name) => !isOwn(name))
    if (foreign !== undefined) {
      throw new QueueError('foreign', `its folder holds '${foreign}', which is no file of a queue; give it a folder of its own`)
    }
    const { mode } = options
    if (mode === 'wipe') wipe(folder, options)
    const isThere = mode !== 'wipe' && names.includes(controlName)
    if (isThere && mode === 'new') throw new QueueError('exists', 'there is one already; resume it, or wipe it')
    if (!isThere) {
      if (mode === 'existing') throw new QueueError('missing', 'there is none; create it first')
      createControl(folder, options)
    }
    const control = attachControl(folder, options)
    try {
      return new Log(folder, control, options)
    } catch (error) {
      control.close()
      if (!(error instanceof RangeError)) throw error
      throw new QueueError('damaged', `its control file is not what it was: ${error.message}; restore it from a copy`, {
        cause: error,
      })
    }
  }

  /** How many segments there are. */
  get count(): number {
    const { control } = this
    return control.last.least - control.first.least + 1
  }

  /** The longest item that fits, in bytes. */
  get lengthMax(): number {
    return 4 * (this.control.shape.segmentWords - recordsAt - recordHeaderWords)
  }

  /** Opens a segment that nobody retires meanwhile. The caller closes it. */
  openSegment(number: number): Segment {
    return this.attachSegment(this.openFile(number), number)
  }

  private openFile(number: number): FileMemory {
    try {
      return this.folder.open(segmentName(number))
    } catch (error) {
      if (reasonOf(error) !== 'missing') throw error
      throw segmentMissing(number)
    }
  }

  private attachSegment(memory: FileMemory, number: number): Segment {
    try {
      return Segment.attach(memory, number, this.control.shape.identity, this.checksum)
    } catch (error) {
      memory.close()
      if (error instanceof QueueError || !(error instanceof Error)) throw error
      throw new QueueError('damaged', `segment ${number} is not what it was: ${error.message}`, { cause: error })
    }
  }

  /** A segment, unless the consumer is done with it by now. */
  openUnlessRetired(number: number): Segment | undefined {
    let memory: FileMemory
    try {
      memory = this.openFile(number)
    } catch (error) {
      if (reasonOf(error) === 'missing' && number < this.control.first.least) return undefined
      throw error
    }
    // After it was opened. Who takes a retired file for a new segment looks who has it open, after `first` was set: so either
    // that one sees this thread, or this thread sees `first`, and does not touch the file.
    // Safety: queue/whole
    if (number < this.control.first.least) {
      memory.close()
      return undefined
    }
    return this.attachSegment(memory, number)
  }

  /** The last segment, which stays open until there is another one. For the holder of the lock. */
  lastSegment(): Segment {
    const last = this.control.last.least
    // All were dropped by one that died, or found no room, before it made the next one.
    // Safety: queue/survives
    if (last < this.control.first.least) return this.roll()
    if (this.current?.start.number !== last) {
      const segment = this.openSegment(last)
      this.current?.close()
      this.current = segment
    }
    return this.current as Segment
  }

  /** Makes the next segment the last one. For the holder of the lock. */
  roll(): Segment {
    const { control, folder } = this
    const last = control.last.least
    const number = last + 1
    const before = last < control.first.least ? undefined : this.lastSegment()
    const start = { number, sequence: control.sequence, epoch: control.epoch, identity: control.shape.identity }
    const name = segmentName(number)
    const memory = this.reuse(name) ?? createAnew(folder, name, control.shape.segmentWords)
    let segment: Segment
    try {
      segment = Segment.create(memory, start, this.checksum)
      folder.sync()
      // The file, its header and its name are on the disk before `last` leads there, and `last` is on the disk before
      // a record is behind it.
      // Safety: queue/recovers, queue/durable
      this.flushing(() => control.keepLast(number))
    } catch (error) {
      memory.close()
      throw error
    }
    before?.seal()
    before?.close()
    this.current = segment
    return segment
  }

  /** Makes the file of the next segment, if there is no old one. Not for the holder of the lock: nobody waits meanwhile. */
  prepare(): void {
    const { folder, control } = this
    try {
      if (folder.list().includes(spareName)) return
      // It never takes the place of another one, which the holder of the lock may just be making a segment of.
      // Safety: queue/opens
      folder.create(spareName, control.shape.segmentWords).close()
    } catch (error) {
      // It is made when it is needed, or fails then with what is wrong.
      if (!(error instanceof Error)) throw error
    }
  }

  /**
   * The file of a segment that was retired, under a new name, if there is one that nobody looks at any more: its pages are in
   * memory, and its blocks on the disk are known. What is left in it does not prove itself there: its sequences are older. Or a
   * file that was made ahead.
   */
  private reuse(name: string): FileMemory | undefined {
    const { folder, control } = this
    let memory: FileMemory
    try {
      memory = folder.open(spareName)
    } catch (error) {
      // Whatever is wrong with it: a new file will do, or fails with what is wrong.
      if (!(error instanceof Error)) throw error
      return undefined
    }
    // Nobody opens it from now on: the name that it had is gone, and for this one it takes the lock.
    // Safety: queue/whole
    if (memory.words === control.shape.segmentWords && memory.isAlone) {
      folder.rename(spareName, name)
      return memory
    }
    memory.close()
    folder.remove(spareName)
    return undefined
  }

  /** After a holder of the lock died: it may have published a record and not counted it. For the holder of the lock. */
  repair(): void {
    const { control, records } = this
    const segment = this.lastSegment()
    const tail = segment.tail
    let { sequence } = segment.start
    // Records before the tail are whole.
    for (let at = recordsAt; at < tail; sequence++) at += recordWords(records.header(segment.memory, at).length)
    // Safety: queue/survives
    control.sequence = sequence
    // Who sleeps on the tail of the segment before may not have been told that there is another one; they look up by themselves.
  }

  /** Runs `work` for the holder of the lock. */
  locked<T>(work: () => T): T
  /** The same, for what is done so often that no function is made for each time. */
  locked<T, A>(work: (argument: A) => T, argument: A): T
  locked<T>(work: (argument: unknown) => T, argument?: unknown): T {
    this.requireOpen()
    const { lock } = this.control
    const how = lock.lock()
    let result: T
    try {
      if (how === 'abandoned') this.repair()
      result = work(argument)
    } catch (error) {
      letGoAfter(lock, error)
      throw error
    }
    lock.unlock()
    return result
  }

  /** Takes away all segments before this one. */
  retire(number: number): void {
    this.locked(() => this.retireLocked(number))
  }

  /** The same for the holder of the lock. */
  retireLocked(number: number): void {
    const { control, folder } = this
    const first = control.first.least
    if (number <= first) return
    // On the disk before the first file goes, so that who opens the queue then misses none.
    // Safety: queue/recovers
    this.flushing(() => control.keepFirst(number))
    for (const one of segmentNumbers(folder.list())) if (one < number) folder.rename(segmentName(one), spareName)
    folder.sync()
  }

  /** How many of the records before this one are there, and no consumer is done with. For the holder of the lock. */
  waitingBefore(sequence: number): number {
    const { control } = this
    return Math.min((sequence - this.sequenceAt(control.first.least)) | 0, control.backlogBefore(sequence))
  }

  /** Takes away all segments before this one, whether the consumer is done with them or not. For the holder of the lock. */
  drop(number: number): void {
    const { control } = this
    const to = this.sequenceAt(number)
    control.dropOldest(this.waitingBefore(to), number)
    this.retireLocked(number)
    // A consumer that lives goes on by itself.
    // Safety: queue/bounded
    if (!control.hasConsumer) control.acknowledge(number, recordsAt, to)
  }

  /** The sequence with which a segment begins, or will. */
  private sequenceAt(number: number): number {
    const { control } = this
    if (number > control.last.least) return control.sequence
    const segment = this.openSegment(number)
    segment.close()
    return segment.start.sequence
  }

  removeSegments(which: (number: number) => boolean): void {
    const { folder } = this
    // Safety: queue/retires
    for (const number of segmentNumbers(folder.list())) if (which(number)) folder.remove(segmentName(number))
  }

  /** Takes away what is no part of the log. */
  removeRest(): void {
    const { folder } = this
    for (const name of folder.list()) {
      if (!isDraft(name) && name !== spareName) continue
      try {
        folder.remove(name)
      } catch (error) {
        // Its creator lives, and has removed it.
        if (reasonOf(error) !== 'missing') throw error
      }
    }
  }

  /** Returns when all records that are published at the call are on the disk. Who comes meanwhile shares the next flush. */
  flush(): void {
    const { control } = this
    const { segment, word } = this.locked(() => {
      const last = this.lastSegment()
      return { segment: last.start.number, word: last.tail }
    })
    control.flushLock.lock()
    letGo(control.flushLock, () => {
      this.requireNotFailed()
      if (segment > control.flushed || !this.isFlushed(segment, word)) this.flushPublished()
    })
  }

  /** For the holder of the flush lock. */
  private isFlushed(segment: number, word: number): boolean {
    if (segment < this.control.flushed) return true
    const { durable } = this.current as Segment
    return this.current?.start.number === segment && durable !== undefined && durable.word >= word
  }

  /** Brings everything that is published to the disk. For the holder of the flush lock. */
  private flushPublished(): void {
    const last = this.locked(() => this.end())
    this.flushUpTo(last, (segment, durable) => segment.flushed(durable))
  }

  /** Brings everything to the disk. For a recovery. */
  flushAll(done: (last: Segment, durable: Durable) => void): void {
    this.flushUpTo(this.end(), done)
  }

  /** Where the log ends. For the holder of the lock. */
  private end(): { last: Segment; durable: Durable } {
    const { control } = this
    const last = this.lastSegment()
    return { last, durable: { word: last.tail, sequence: control.sequence, epoch: control.epoch } }
  }

  private flushUpTo(
    { last, durable }: { last: Segment; durable: Durable },
    done: (last: Segment, durable: Durable) => void,
  ): void {
    const { control } = this
    const { number } = last.start
    for (let one = Math.max(control.flushed, control.first.least); one < number; one++) {
      const before = this.openUnlessRetired(one)
      if (before === undefined) continue
      try {
        // Its tail, too: who recovers later begins behind it.
        // Safety: queue/recovers
        this.flushing(() => before.flushTail())
        this.flushSegment(before, before.tail)
      } finally {
        before.close()
      }
    }
    this.flushSegment(last, durable.word)
    done(last, durable)
    control.flushed = number
  }

  private flushSegment(segment: Segment, end: number): void {
    const from = segment.durable?.word ?? recordsAt
    if (from < end) this.flushing(() => segment.memory.durability.flush(4 * from, 4 * (end - from)))
  }

  /** Runs what brings something to the disk that is not written again: if the disk refuses, nobody is told otherwise later. */
  flushing(flush: () => void): void {
    try {
      flush()
    } catch (error) {
      if (!(error instanceof Error)) throw error
      // The kernel may forget what it could not write: a second try would succeed and prove nothing.
      // Safety: queue/durable
      this.control.failed = true
      throw new QueueError('failed', 'the disk did not take what was written; look at the disk, then open the queue anew', {
        cause: error,
      })
    }
  }

  requireNotFailed(): void {
    if (!this.control.failed) return
    throw new QueueError('failed', 'the disk has not taken what was written; look at the disk, then open the queue anew')
  }

  requireOpen(): void {
    if (!this.isOpen) throw new QueueError('closed', 'it was closed; open it again')
  }

  addProducer(): void {
    if (this.control.addProducer(this.member) > 0) return
    try {
      // That there have been producers is known after any crash, so that the stream then ends.
      // Safety: queue/ends
      this.flushing(() => this.control.flushJoined())
    } catch (error) {
      if (error instanceof Error) this.removeProducer()
      throw error
    }
  }

  removeProducer(): void {
    this.control.removeProducer(this.member)
  }

  close(): void {
    if (!this.isOpen) return
    this.isOpen = false
    this.control.leave(this.member)
    this.current?.close()
    this.control.close()
    this.folder.close()
  }
}

/** Runs `work` and lets go of the lock. */
function letGo<T>(lock: Mutex, work: () => T): T {
  let result: T
  try {
    result = work()
  } catch (error) {
    letGoAfter(lock, error)
    throw error
  }
  lock.unlock()
  return result
}

/**
 * After an error that the queue did not make itself, whoever takes the lock next is told that something may be half done. What is
 * no error leaves the lock as it is.
 */
function letGoAfter(lock: Mutex, error: unknown): void {
  if (error instanceof QueueError) lock.unlock()
  else if (error instanceof Error) lock.abandon()
}

/** Makes a control file, unless somebody else does. */
function createControl(folder: Folder, { segmentWords, members, identity, draft }: LogOptions): void {
  // Segments are made after the control file: whoever sees one and then no control file misses one that was there.
  // Safety: queue/opens
  if (segmentNumbers(folder.list()).length > 0) {
    if (folder.list().includes(controlName)) return
    throw new QueueError(
      'damaged',
      'it has segments and no control file: somebody has removed it; put it back, or wipe the queue',
    )
  }
  const name = draftName(draft)
  // The file gets its name when it is whole and on the disk. Whoever else creates one finds that it has got it, or may remove this
  // draft while it recovers, also one that has not got its own name yet: then there is a control file, too.
  // Safety: queue/opens
  try {
    const memory = folder.create(name, Control.words(members))
    try {
      Control.create(memory, { segmentWords, members, identity })
      folder.link(name, controlName)
      folder.remove(name)
    } finally {
      memory.close()
    }
  } catch (error) {
    if (!['exists', 'missing'].includes(reasonOf(error) ?? '')) throw error
  }
  folder.sync()
}

function attachControl(folder: Folder, options: LogOptions): Control {
  const memory = folder.open(controlName)
  try {
    return Control.attach(memory, options)
  } catch (error) {
    memory.close()
    if (!(error instanceof Error)) throw error
    throw new QueueError('damaged', `its control file is not what it was: ${error.message}`, { cause: error })
  }
}

/** Makes a file, also in the place of one that somebody has left who died before `last` led to it. */
function createAnew(folder: Folder, name: string, words: number): FileMemory {
  try {
    return folder.create(name, words)
  } catch (error) {
    if (reasonOf(error) !== 'exists') throw error
    // Safety: queue/survives
    folder.remove(name)
    return folder.create(name, words)
  }
}

/** Takes everything away, if nobody living is there. After a crash there is all of it, or a queue without items, or none. */
function wipe(folder: Folder, options: LogOptions): void {
  const names = folder.list()
  const isThere = names.includes(controlName)
  if (isThere) {
    const control = attachControl(folder, options)
    try {
      if (!control.isAlone) throw new QueueError('in-use', 'somebody has it open; wipe it when all have closed it')
      // On the disk before the first file goes: from here on it has no segments.
      // Safety: queue/recovers
      control.keepFirst(control.last.least + 1)
    } finally {
      control.close()
    }
  }
  for (const number of segmentNumbers(names)) folder.remove(segmentName(number))
  if (isThere) {
    // Whoever sees segments and no control file misses one that was there.
    // Safety: queue/opens
    folder.sync()
    folder.remove(controlName)
  }
  folder.sync()
}
