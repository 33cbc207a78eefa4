import type { FileMemory } from './folder.ts'
import { isLost, nobody, take, wordOfSelf } from './holder.ts'
import {
  fourLetters,
  lineWords,
  publishHeader,
  readHeader,
  requirePlace,
  requireWords,
  wholeLines,
  writeHeader,
} from './layout.ts'
import { Mutex } from './mutex.ts'
import { Patience, type Waiting, type WaitOptions, waitingOf } from './patience.ts'
import { publishPosition } from './position.ts'
import { loadTwin, storeTwin, type Twin } from './twin.ts'

/**
 * The control file of a queue: what its members share besides the records.
 *
 * ```
 *   word
 *   0        header        parameters: words of a segment, members, whose queue it is
 *   32       lock          mutex: who holds it may append, roll, retire, recover, join
 *   96       flush lock    mutex: who holds it brings records to the disk, for all who wait for that
 *   160      kept          twins: first and last segment, epoch. On the disk before anything relies on it
 *   192      now           sequence of the next record, how often producers joined, flushed segment, failed, cancelled, dropped items:
 *                          refused ones, old ones, these when the first segment is the one that follows
 *   224      consumer      a holder (holder.ts), where it is, and `done`: the sequence up to which consumers are done
 *   256      acknowledged  a position: the sequence up to which the consumer is done, modulo 2^30. Producers sleep on it
 *   288 ..   members       for each, a holder, and how many producers it has
 * ```
 *
 * What is not kept is set anew by the first who opens the queue when nobody else lives. `done` stays as it is where it tells of a
 * loss; it is brought to the disk with the first segment.
 */
const kind = fourLetters('QUEU')
const parameters = 3
const lockAt = lineWords
const flushLockAt = 3 * lineWords
const firstAt = 5 * lineWords
const lastAt = firstAt + 2
const epochAt = firstAt + 4
const sequenceAt = 6 * lineWords
const joinedAt = sequenceAt + 1
const flushedAt = sequenceAt + 2
const failedAt = sequenceAt + 3
const cancelledAt = sequenceAt + 4
const refusedAt = sequenceAt + 5
const droppedAt = sequenceAt + 6
const droppedNextAt = sequenceAt + 7
const droppedFirstAt = sequenceAt + 8
const consumerAt = 7 * lineWords
const consumerSegmentAt = consumerAt + 1
const consumerWordAt = consumerAt + 2
const doneAt = consumerAt + 3
const acknowledgedAt = 8 * lineWords
const membersAt = 9 * lineWords
const memberWords = 2

type ControlPlace =
  | 'lock'
  | 'first'
  | 'last'
  | 'epoch'
  | 'sequence'
  | 'joined'
  | 'cancelled'
  | 'dropped'
  | 'consumer'
  | 'done'
  | 'acknowledged'
  | 'members'

/** Where the words are that change. */
export const controlPlaces: Readonly<Record<ControlPlace, number>> = {
  lock: lockAt,
  first: firstAt,
  last: lastAt,
  epoch: epochAt,
  sequence: sequenceAt,
  joined: joinedAt,
  cancelled: cancelledAt,
  dropped: droppedAt,
  consumer: consumerAt,
  done: doneAt,
  acknowledged: acknowledgedAt,
  members: membersAt,
}

/** What is settled when a queue is made. */
export interface ControlShape {
  readonly segmentWords: number
  /** How many threads, of all processes together, can have the queue open at a time. */
  readonly members: number
  /** Tells this queue from others. */
  readonly identity: number
}

/** The control file as one member sees it. */
export class Control {
  readonly memory: FileMemory
  readonly shape: ControlShape
  readonly lock: Mutex
  readonly flushLock: Mutex
  private readonly waiting: Waiting
  private readonly self: number

  private constructor(memory: FileMemory, shape: ControlShape, options: WaitOptions) {
    this.memory = memory
    this.shape = shape
    this.lock = Mutex.attach(memory, lockAt, options)
    this.flushLock = Mutex.attach(memory, flushLockAt, options)
    this.waiting = waitingOf('Queue', options)
    this.self = wordOfSelf('Queue', memory)
  }

  static words(members: number): number {
    return membersAt + wholeLines(memberWords * members)
  }

  /** Makes an empty queue of a new file. It is on the disk when this returns. */
  static create(memory: FileMemory, { segmentWords, members, identity }: ControlShape): void {
    const words = Control.words(members)
    requirePlace('Queue', memory, 0, words)
    writeHeader(memory, 0, kind, words, [segmentWords, members, identity])
    Mutex.create(memory, {}, lockAt)
    Mutex.create(memory, {}, flushLockAt)
    memory.write(firstAt, 1)
    memory.write(firstAt + 1, ~1)
    memory.write(lastAt + 1, ~0)
    memory.write(epochAt + 1, ~0)
    publishHeader(memory, 0)
    memory.durability.flush(0, 4 * words)
  }

  /** @throws Error when this is no queue */
  static attach(memory: FileMemory, options: WaitOptions): Control {
    const { words, parameters: found } = readHeader('Queue', memory, 0, kind, parameters)
    const [segmentWords, members, identity] = found as [number, number, number]
    requireWords('Queue', words, Control.words(members))
    return new Control(memory, { segmentWords, members, identity }, options)
  }

  // Kept.

  /** The segments that there are: from the first to the last. None when the last is before the first. */
  get first(): Twin {
    return loadTwin(this.memory, firstAt)
  }

  /** Brings `done` to the disk as well, for what it tells of the segments before is told nowhere else then. */
  keepFirst(number: number): void {
    storeTwin(this.memory, firstAt, number)
    // Safety: queue/counted
    this.memory.durability.flush(4 * firstAt, 4 * (doneAt + 1 - firstAt))
  }

  get last(): Twin {
    return loadTwin(this.memory, lastAt)
  }

  keepLast(number: number): void {
    storeTwin(this.memory, lastAt, number)
    this.memory.durability.flush(4 * lastAt, 8)
  }

  /** Rises at each recovery. */
  get epoch(): number {
    return loadTwin(this.memory, epochAt).most
  }

  keepEpoch(epoch: number): void {
    storeTwin(this.memory, epochAt, epoch)
    this.memory.durability.flush(4 * epochAt, 8)
  }

  // Now.

  /** The sequence of the next record. For the holder of the lock. */
  get sequence(): number {
    return this.memory.load(sequenceAt)
  }

  set sequence(sequence: number) {
    this.memory.store(sequenceAt, sequence)
  }

  /** Segments before this one are on the disk. For the holder of the flush lock. */
  get flushed(): number {
    return this.memory.load(flushedAt) >>> 0
  }

  set flushed(number: number) {
    this.memory.store(flushedAt, number)
  }

  /** The disk has refused what was written. */
  get failed(): boolean {
    return this.memory.load(failedAt) !== 0
  }

  set failed(failed: boolean) {
    this.memory.store(failedAt, Number(failed))
  }

  /** The consumer wants no more. */
  get cancelled(): boolean {
    return this.memory.load(cancelledAt) !== 0
  }

  set cancelled(cancelled: boolean) {
    this.memory.store(cancelledAt, Number(cancelled))
  }

  /** How many items were dropped in this session. For the holder of the lock. */
  get dropped(): number {
    return (this.memory.load(refusedAt) + this.droppedBehind) >>> 0
  }

  /** One more item was dropped that was not sent. */
  dropNewest(): void {
    this.memory.add(refusedAt, 1)
  }

  /** So many more will have been dropped when the first segment is this one. For the holder of the lock. */
  dropOldest(count: number, first: number): void {
    const { memory } = this
    const dropped = this.droppedBehind
    // What is said stays the same with each of these, and changes at the moment when `first` does: so they are counted once, also
    // when this thread dies on the way, and the next one drops them.
    // Safety: queue/counted
    memory.store(droppedAt, dropped)
    memory.store(droppedFirstAt, first)
    memory.store(droppedNextAt, dropped + count)
  }

  /** How many items went with segments that were dropped. */
  private get droppedBehind(): number {
    const { memory } = this
    const isDone = this.first.least >= memory.load(droppedFirstAt) >>> 0
    return memory.load(isDone ? droppedNextAt : droppedAt)
  }

  // The consumer.

  /** Makes the caller the consumer, unless somebody living is. */
  becomeConsumer(): boolean {
    // Safety: queue/one-consumer
    return typeof take(this.memory, consumerAt, this.self) === 'string'
  }

  leaveConsumer(): void {
    this.memory.store(consumerAt, nobody)
  }

  /** Where the consumer is: at most one segment behind where it says. */
  get consumerPlace(): { readonly segment: number; readonly word: number } {
    const segment = this.memory.load(consumerSegmentAt) >>> 0
    return { segment, word: this.memory.load(consumerWordAt) }
  }

  /** The sequence up to which the consumer is done, modulo 2^30, as a position, and as `Patience` sleeps on it. */
  get acknowledgedWord(): number {
    return this.memory.load(acknowledgedAt)
  }

  readonly acknowledgedAt: number = acknowledgedAt

  /** Says where the consumer is. Producers that wait for room look again. */
  acknowledge(segment: number, word: number, sequence: number): void {
    const { memory } = this
    // The word before the segment when the consumer goes on, so that nobody takes it for farther than it is.
    if (memory.load(consumerSegmentAt) >>> 0 !== segment) {
      memory.store(consumerWordAt, 0)
      memory.store(consumerSegmentAt, segment)
    }
    memory.store(consumerWordAt, word)
    // Safety: queue/wakes
    publishPosition(memory, acknowledgedAt, sequence << 2)
  }

  /** How many records the consumer is not done with. */
  backlog(sequence: number): number {
    return ((sequence << 2) - (this.acknowledgedWord & -4)) >>> 2
  }

  /** The sequence up to which consumers are done, of all that there have been. */
  get done(): number {
    return this.memory.load(doneAt)
  }

  set done(sequence: number) {
    this.memory.store(doneAt, sequence)
  }

  /** How many of the records before this one no consumer is done with. */
  backlogBefore(sequence: number): number {
    return Math.max(0, (sequence - this.done) | 0)
  }

  /** Whether somebody living is the consumer. False stays so for the holder of the lock. */
  get hasConsumer(): boolean {
    const word = this.memory.load(consumerAt)
    return word !== nobody && !isLost(this.memory, word)
  }

  // Members.

  /** Takes a free place, or that of somebody who died. -1: there is none. For the holder of the lock. */
  join(): number {
    const { memory, self } = this
    for (let member = 0; member < this.shape.members; member++) {
      const at = membersAt + memberWords * member
      if (typeof take(memory, at, self) !== 'string') continue
      memory.store(at + 1, 0)
      return member
    }
    return -1
  }

  leave(member: number): void {
    this.memory.store(membersAt + memberWords * member, nobody)
  }

  /** Whether somebody living is a member. */
  get isAlone(): boolean {
    return this.members().next().done === true
  }

  /** One more producer of this member. Returns how many there have been before, of all members. */
  addProducer(member: number): number {
    this.memory.add(membersAt + memberWords * member + 1, 1)
    // After the member has one, for who sees this looks for it.
    // Safety: queue/ends
    return this.memory.add(joinedAt, 1)
  }

  flushJoined(): void {
    this.memory.durability.flush(4 * joinedAt, 4)
  }

  /** One less. */
  removeProducer(member: number): void {
    // After its last record was published.
    // Safety: queue/ends
    this.memory.sub(membersAt + memberWords * member + 1, 1)
  }

  /** Whether there have been producers, and all of them have left or are dead: what they have sent is published by now. */
  get hasEnded(): boolean {
    const { memory } = this
    const joined = memory.load(joinedAt)
    if (joined === 0) return false
    for (const at of this.members()) if (memory.load(at + 1) !== 0) return false
    // Nobody came while this looked, so that there was a moment when nobody was there.
    // Safety: queue/ends
    return memory.load(joinedAt) === joined
  }

  /** Where the living members are. */
  private *members(): Generator<number> {
    const { memory } = this
    for (let member = 0; member < this.shape.members; member++) {
      const at = membersAt + memberWords * member
      const word = memory.load(at)
      if (word !== nobody && !isLost(memory, word)) yield at
    }
  }

  /**
   * Everybody is dead: nobody is a member or the consumer, nothing has failed, and `acknowledge` says where to go on.
   *
   * @param done as far as it is known
   */
  clear(segment: number, word: number, sequence: number, done: number): void {
    const { memory } = this
    for (const at of [failedAt, cancelledAt, refusedAt, droppedNextAt, droppedFirstAt, consumerAt]) memory.store(at, 0)
    for (let member = 0; member < this.shape.members; member++) memory.store(membersAt + memberWords * member, nobody)
    memory.store(consumerSegmentAt, segment)
    memory.store(consumerWordAt, word)
    memory.store(acknowledgedAt, sequence << 2)
    this.done = done
  }

  /** How a call waits. */
  patience(memory: FileMemory, timeoutMs: number): Patience {
    return new Patience(memory, timeoutMs, this.waiting)
  }

  close(): void {
    this.memory.close()
  }
}
