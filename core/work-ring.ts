import { isLost, nobody, take, wordOfSelf } from './holder.ts'
import { part, requireWholeItems } from './items.ts'
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
import type { Memory } from './memory.ts'
import { asleep, Patience, type Waiting, type WaitOptions, waitingOf } from './patience.ts'
import { requireInteger, requireTimeout } from './require.ts'

/**
 * A work-sharing ring: any number of threads push and any number pop, and each item goes to one of them, in order.
 *
 * After Vyukov's bounded queue (2010): a word in each slot says for which position the slot is free, or full, so that
 * threads that claim different slots copy at the same time. We depart from it in four ways. Threads sleep on the words of the
 * slots. It is linearizable: whoever comes to a slot that somebody is copying waits for that one, where Vyukov's says "empty"
 * although a later item is there. The stream can be closed. And it survives its users.
 *
 * ```
 *   word                         written by
 *   0                 header     create
 *   32                tail       pushers: the next position to push; bit 2: closed
 *   64                head       poppers: the next position to pop
 *   96 + 32 s         holder     who sits in seat s (`holder.ts`)
 *   97 + 32 s         intent     whoever sits there: which slot it is about to claim, or has claimed
 *   98 + 32 s         count      likewise: how many, where the intent says that they are many
 *   96 + 32 seats     slots      for each a word, and the bytes of its item; each on lines of its own
 *
 *   word of a slot
 *   bit   31 ............... 3   2       1      0
 *         position, mod 2^29     ended   full   asleep: see `patience.ts`
 * ```
 *
 * A slot is free for position p, then claimed by whoever moves `tail` past p, then full with the item of p, then claimed by
 * whoever moves `head` past p, and then free for p + capacity. Its bytes belong to the one who has claimed it. A batch claims
 * slots that follow each other, by one move; each of them is free, or full, by itself, as soon as its item is copied.
 *
 * Where the memory has `liveness`, whoever claims says so in its seat first, and takes it back last. So a claimed slot that
 * no living thread has in its seat belongs to the dead: whoever finds it in its way frees it, for the next lap. What a dead
 * one was pushing is not there then; what it was popping died with it.
 *
 * A compare-exchange of a position would succeed by mistake only for a thread that stood still just there while exactly
 * 2^29 items, or a multiple, went through.
 */

/** What a ring is made for. */
export interface WorkRingOptions {
  /** How many items fit: a power of two from 1 to 2^27, so that slots go on in order where positions wrap. */
  readonly capacity: number
  /** Bytes of an item, from 1 to 2^31 - 1. */
  readonly itemBytes: number
  /** How many threads can use it at a time, where the memory tells who is alive: from 1 to 65536, default 16. */
  readonly seats?: number
  /** Position of the first item, any 32-bit integer, counted modulo 2^29; default 0. Specs begin just below the wrap. */
  readonly start?: number
}

const kind = fourLetters('WORK')
const capacityMax = 2 ** 27
const itemBytesMax = 2 ** 31 - 1
const seatsMax = 65536
const parameterCount = 3

const tailAt = lineWords
const headAt = 2 * lineWords
const seatsAt = 3 * lineWords
const intentFromHolder = 1
const countFromHolder = 2

/** Up to this size it pays to copy an item of a batch twice. */
const smallBytes = 32

/** The distance of two neighbouring positions in a word: the flags lie below. */
const positionStep = 8
const full = 2
/** In `tail`. */
const closed = 4
/** In a slot: this is where the stream ends. Only so that the word changes when it does. */
const ended = 4
/** In an intent: the slot is the first one of a batch. */
const many = 4
/** An intent that no slot is like. */
const noIntent = asleep

/** What a look at a ring has found: something to claim, nothing, somebody who is copying, or the end of the stream. */
type Look = 'ready' | 'none' | 'busy' | 'closed'

/**
 * The ring as one thread sees it.
 *
 * ```ts
 * const shape = { capacity: 1024, itemBytes: 8 }
 * const ring = WorkRing.create(new SharedMemory(WorkRing.words(shape)), shape)    // once
 * const ring = WorkRing.attach(new SharedMemory(buffer))                           // in each other thread
 * ring.push(item)
 * while (ring.pop(target)) work(target)
 * ```
 */
export class WorkRing {
  /** How many items fit. */
  readonly capacity: number
  /** Bytes of an item. */
  readonly itemBytes: number
  /** How many threads can use it at a time, where the memory tells who is alive. */
  readonly seats: number
  private readonly memory: Memory
  private readonly at: number
  private readonly waiting: Waiting
  private readonly slotsAt: number
  private readonly slotWords: number
  /** The index of the seat's holder; 0 while this thread has none. */
  private seatAt = 0
  private hasIntent = false
  /** Where small items of a batch go through: a view of one among several costs more than to copy it twice. */
  private readonly small: Uint8Array | undefined
  /** Of the slot at which the last look was: the position that was looked for, its word, and what that held. */
  private position = 0
  private slotAt = 0
  private seen = 0

  private constructor(memory: Memory, at: number, shape: Required<WorkRingOptions>, waiting: Waiting) {
    this.memory = memory
    this.at = at
    this.capacity = shape.capacity
    this.itemBytes = shape.itemBytes
    this.seats = shape.seats
    this.waiting = waiting
    this.slotsAt = at + seatsAt + shape.seats * lineWords
    this.slotWords = slotWordsOf(shape.itemBytes)
    this.small = shape.itemBytes > smallBytes ? undefined : new Uint8Array(shape.itemBytes)
  }

  /**
   * How many words a ring takes: a multiple of `lineWords`, so that another structure can begin right after it.
   *
   * @throws RangeError when an option is out of its range
   */
  static words(options: WorkRingOptions): number {
    return wordsOf(requireShape(options))
  }

  /**
   * Makes a ring. One thread does this, before any other attaches; nobody else may use these words meanwhile.
   *
   * @param at the word where the ring begins, a multiple of `lineWords` (32); whatever these words held is overwritten
   * @throws RangeError when an option is out of its range, or the memory too short
   */
  static create(memory: Memory, options: WorkRingOptions, at = 0, wait: WaitOptions = {}): WorkRing {
    const shape = requireShape(options)
    const { capacity, itemBytes, seats } = shape
    const waiting = waitingOf('WorkRing.create', wait)
    const words = wordsOf(shape)
    requirePlace('WorkRing.create', memory, at, words)
    writeHeader(memory, at, kind, words, [capacity, itemBytes, seats])
    // Every slot is free for the first position that comes to it. Plain, for `publishHeader` publishes it.
    // Safety: work-ring/attaches
    const ring = new WorkRing(memory, at, shape, waiting)
    const start = shape.start * positionStep
    memory.write(at + tailAt, start)
    memory.write(at + headAt, start)
    for (let seat = 0; seat < seats; seat++) memory.write(ring.holderAt(seat), nobody)
    for (let i = 0; i < capacity; i++) {
      const position = (start + i * positionStep) | 0
      memory.write(ring.slotOf(position), position)
    }
    publishHeader(memory, at)
    return ring
  }

  /**
   * Joins a ring that another thread created; everything about it is read from its header. Any number of threads may.
   *
   * @param at the word where the ring was created
   * @throws RangeError when `at` is not a multiple of `lineWords` or the memory is shorter than the ring
   * @throws Error when no such ring stands there, or one of another layout version
   */
  static attach(memory: Memory, at = 0, wait: WaitOptions = {}): WorkRing {
    const waiting = waitingOf('WorkRing.attach', wait)
    const { words, parameters } = readHeader('WorkRing.attach', memory, at, kind, parameterCount)
    const [capacity, itemBytes, seats] = parameters as [number, number, number]
    const shape = requireShape({ capacity, itemBytes, seats })
    requireWords('WorkRing.attach', words, wordsOf(shape))
    return new WorkRing(memory, at, shape, waiting)
  }

  /**
   * Pushes one item, or returns false when the ring is full or closed. Waits for nothing but a thread that is just copying the
   * item out that stands in its way. Takes effect at the compare-exchange of `tail`; what a dead thread had claimed counts as
   * an item until somebody comes to it.
   *
   * @param item `itemBytes` bytes, copied
   * @throws RangeError when the item has another length
   * @throws Error when all seats are taken, where the memory tells who is alive
   */
  tryPush(item: Uint8Array): boolean {
    return this.pushWithin(item, 0)
  }

  /**
   * Pushes one item, sleeping while the ring is full. Blocking: needs somebody to pop.
   *
   * @param timeoutMs give up after so many milliseconds (0 or less: at once); default: never
   * @returns false when the ring was still full at a last look after that time, or is closed
   * @throws RangeError when the item has another length or the time-out is not a number
   */
  push(item: Uint8Array, timeoutMs: number = Infinity): boolean {
    requireTimeout('WorkRing.push', timeoutMs)
    return this.pushWithin(item, timeoutMs)
  }

  /**
   * Pushes items as one batch: no other thread's item comes between them. Waits for nothing but a thread that is just copying
   * the item out that stands in the way of the first one. Takes effect at the compare-exchange of `tail`. (Where the thread dies
   * in it, the items are single ones: those that it had copied are there.)
   *
   * @param items any number of items end to end, copied
   * @returns how many were pushed, from the first on: as many as fit, or fewer where somebody is just copying an item out that
   * stands in the way of the next one, or died so; 0 only when the ring is full or closed
   * @throws RangeError when the length is not a multiple of `itemBytes`
   * @throws Error when all seats are taken, where the memory tells who is alive
   */
  tryPushBatch(items: Uint8Array): number {
    const count = requireWholeItems('WorkRing', items, this.itemBytes)
    return count === 0 ? 0 : this.pushMany(items, 0, count, 0)
  }

  /**
   * Pushes all of the items, in order, sleeping while the ring is full: in as many batches as it takes, between which other
   * threads may push. Blocking: needs somebody to pop.
   *
   * @param items any number of items end to end; may be more than the ring holds
   * @param timeoutMs give up after so many milliseconds in all (0 or less: at once); default: never
   * @returns how many were pushed: all, unless the time was over or the ring is closed
   * @throws RangeError when the length is not a multiple of `itemBytes` or the time-out is not a number
   */
  pushBatch(items: Uint8Array, timeoutMs: number = Infinity): number {
    requireTimeout('WorkRing.pushBatch', timeoutMs)
    const { memory } = this
    const count = requireWholeItems('WorkRing', items, this.itemBytes)
    const deadline = timeoutMs === Infinity ? Infinity : memory.now() + timeoutMs
    let pushed = 0
    for (let left = timeoutMs; pushed < count; left = deadline === Infinity ? Infinity : deadline - memory.now()) {
      const more = this.pushMany(items, pushed, count, left)
      if (more === 0) break
      pushed += more
    }
    return pushed
  }

  /**
   * Pops the oldest item, or returns false when there is none. Waits for nothing but a thread that is just copying that very
   * item in. Takes effect at the compare-exchange of `head`.
   *
   * @param target `itemBytes` bytes to copy into
   * @throws RangeError when the target has another length
   */
  tryPop(target: Uint8Array): boolean {
    return this.popWithin(target, 0)
  }

  /**
   * Pops the oldest item, sleeping while there is none. Blocking: needs somebody to push, or to close.
   *
   * @param target `itemBytes` bytes to copy into
   * @param timeoutMs give up after so many milliseconds (0 or less: at once); default: never
   * @returns false when there was still no item at a last look after that time, or the stream has ended
   * @throws RangeError when the target has another length or the time-out is not a number
   */
  pop(target: Uint8Array, timeoutMs: number = Infinity): boolean {
    requireTimeout('WorkRing.pop', timeoutMs)
    return this.popWithin(target, timeoutMs)
  }

  /**
   * Pops the oldest items as one batch: no other thread gets one of those between. Waits for nothing but a thread that is just
   * copying the oldest one in. Takes effect at the compare-exchange of `head`.
   *
   * @param target a multiple of `itemBytes` bytes; items are copied end to end
   * @returns how many items: as many as there are and fit, or fewer where somebody is just copying the next one in, or died so;
   * 0 only when there is none
   * @throws RangeError when the length is not a multiple of `itemBytes`
   */
  tryPopBatch(target: Uint8Array): number {
    return this.popMany(target, 0)
  }

  /**
   * Pops items as `tryPopBatch` does, but sleeps while there is none at all. Blocking: needs somebody to push, or to close.
   *
   * @param target a multiple of `itemBytes` bytes
   * @param timeoutMs give up after so many milliseconds (0 or less: at once); default: never
   * @returns how many items: at least 1, unless the time was over, the stream has ended or the target is empty
   * @throws RangeError when the length is not a multiple of `itemBytes` or the time-out is not a number
   */
  popBatch(target: Uint8Array, timeoutMs: number = Infinity): number {
    requireTimeout('WorkRing.popBatch', timeoutMs)
    return this.popMany(target, timeoutMs)
  }

  /**
   * Ends the stream, for all: nothing is pushed any more, and what was pushed can be popped. Lock-free. Closing again does
   * nothing.
   */
  close(): void {
    const { memory } = this
    // Whoever moves `tail` finds it changed.
    // Safety: work-ring/closes
    const slotAt = this.slotOf(memory.or(this.at + tailAt, closed))
    // All who sleep because there is nothing to pop, or no room, sleep on this slot. Who has seen `tail` before it was closed
    // finds the slot changed when it is about to sleep, or sleeps, and is woken.
    // Safety: work-ring/wakes
    for (;;) {
      const seen = memory.load(slotAt)
      if (this.replace(slotAt, seen, (seen | ended) & ~asleep)) return
    }
  }

  /** Whether the ring was closed. Wait-free. */
  isClosed(): boolean {
    return (this.memory.load(this.at + tailAt) & closed) !== 0
  }

  /** Whether the ring was closed, and there is nothing left to pop. Tells why `pop` returned false. Wait-free but for helping. */
  isEnded(): boolean {
    return this.lookForItem() === 'closed'
  }

  /** Gives this thread's seat back, where the memory tells who is alive. Wait-free. Whatever it does next takes one again. */
  leave(): void {
    if (this.seatAt === 0) return
    // This thread has no intent, and the seat is its own until here.
    // Safety: work-ring/seats
    this.memory.store(this.seatAt, nobody)
    this.seatAt = 0
  }

  private pushWithin(item: Uint8Array, timeoutMs: number): boolean {
    if (item.length !== this.itemBytes) {
      throw new RangeError(`WorkRing: expected an item of ${this.itemBytes} bytes, found ${item.length}`)
    }
    if (this.claim(0, 1, timeoutMs) === 0) return false
    this.fill(this.position, item)
    this.retract()
    return true
  }

  private popWithin(target: Uint8Array, timeoutMs: number): boolean {
    if (target.length !== this.itemBytes) {
      throw new RangeError(`WorkRing: expected a target of ${this.itemBytes} bytes, found ${target.length}`)
    }
    if (this.claim(full, 1, timeoutMs) === 0) return false
    this.drain(this.position, target)
    this.retract()
    return true
  }

  /** Pushes one batch of those from item `from` to item `to`. */
  private pushMany(items: Uint8Array, from: number, to: number, timeoutMs: number): number {
    const { itemBytes } = this
    const claimed = this.claim(0, to - from, timeoutMs)
    const { position } = this
    for (let i = 0; i < claimed; i++) {
      this.fill((position + i * positionStep) | 0, this.itemAt(items, (from + i) * itemBytes))
    }
    this.retract()
    return claimed
  }

  private popMany(target: Uint8Array, timeoutMs: number): number {
    const { itemBytes } = this
    const count = requireWholeItems('WorkRing', target, itemBytes)
    if (count === 0) return 0
    const claimed = this.claim(full, count, timeoutMs)
    const { position } = this
    for (let i = 0; i < claimed; i++) {
      const item = this.small ?? part(target, i * itemBytes, itemBytes)
      this.drain((position + i * positionStep) | 0, item)
      if (item === this.small) for (let byte = 0; byte < itemBytes; byte++) target[i * itemBytes + byte] = item[byte] as number
    }
    this.retract()
    return claimed
  }

  /** The item at a byte of several. */
  private itemAt(items: Uint8Array, from: number): Uint8Array {
    const { small, itemBytes } = this
    if (small === undefined) return part(items, from, itemBytes)
    for (let byte = 0; byte < itemBytes; byte++) small[byte] = items[from + byte] as number
    return small
  }

  /**
   * Claims the next slots that are full, or free, from `position` on. Returns how many: at most so many; 0 when there is none in
   * time, or never will be.
   */
  private claim(flag: number, most: number, timeoutMs: number): number {
    const { memory } = this
    this.sitDown()
    const counterAt = this.at + (flag === full ? headAt : tailAt)
    let patience: Patience | undefined
    for (;;) {
      const look = flag === full ? this.lookForItem() : this.lookForRoom()
      const { position } = this
      if (look === 'ready') {
        const count = most === 1 ? 1 : this.countReady(position | flag, most)
        this.declare(position | flag, count)
        // Whoever moves the counter past the positions has claimed them; all others find it moved.
        // Safety: work-ring/each-once, work-ring/linearizable
        if (memory.compareExchange(counterAt, position, (position + count * positionStep) | 0) === position) return count
        continue
      }
      // Who waits, or goes, claims nothing: it must not be taken for a dead thread's heir.
      this.retract()
      if (look === 'closed') return 0
      // Who is copying is done soon, or dead: that does not count as waiting.
      if (look === 'busy') this.sleep(this.patience(Infinity))
      else {
        patience ??= this.patience(timeoutMs)
        if (patience.over) return 0
        this.sleep(patience)
      }
    }
  }

  /** How many slots are ready, one after the other from this one on, which is. */
  private countReady(first: number, most: number): number {
    let count = 1
    for (; count < most; count++) {
      const word = (first + count * positionStep) | 0
      // As `lookAt`. It stays so until the counter is past it: whoever moves the counter from where it was finds all of them
      // as they were. (The ring ends before it comes round: the first slot is not ready for a later lap.)
      // Safety: work-ring/each-once
      if ((this.memory.load(this.slotOf(word)) & ~(asleep | ended)) !== word) break
    }
    return count
  }

  private patience(timeoutMs: number): Patience {
    return new Patience(this.memory, timeoutMs, this.waiting)
  }

  /** Sleeps where the last look was. */
  private sleep(patience: Patience): void {
    // Whatever makes a difference changes this slot's word. There is one look after the time is over.
    // Safety: work-ring/wakes, work-ring/times-out
    patience.sleep(this.slotAt, this.seen)
  }

  /** Copies an item into a slot that this thread has claimed. */
  private fill(position: number, item: Uint8Array): void {
    const slotAt = this.slotOf(position)
    // The slot was free when it was claimed, and nobody else has claimed it since.
    // Safety: work-ring/each-once
    this.memory.writeBytes(4 * (slotAt + 1), item)
    this.finish(slotAt, position | full)
  }

  /** Copies the item out of a slot that this thread has claimed. */
  private drain(position: number, target: Uint8Array): void {
    const slotAt = this.slotOf(position)
    // The slot was full when it was claimed, and nobody else has claimed it since.
    // Safety: work-ring/each-once
    this.memory.readBytes(4 * (slotAt + 1), target)
    this.finish(slotAt, this.lapAfter(position))
  }

  /** Ends the claim of a slot: it is the next one's. */
  private finish(slotAt: number, word: number): void {
    const { memory } = this
    // The bytes are this thread's until this exchange, and then of whoever claims the slot next, which has seen this word.
    // Who sleeps on it is woken.
    // Safety: work-ring/each-once, work-ring/wakes
    const old = memory.exchange(slotAt, word)
    if ((old & asleep) !== 0) memory.notify(slotAt)
  }

  /** Looks for a slot that is free, at the tail. */
  private lookForRoom(): Look {
    const { memory, at } = this
    for (;;) {
      const tail = memory.load(at + tailAt)
      if ((tail & closed) !== 0) return 'closed'
      const seen = this.lookAt(tail)
      if (seen === tail) return 'ready'
      const last = seen & -positionStep
      // Not of the lap before: others have moved `tail` on.
      if (this.lapAfter(last) !== tail) continue
      const isFull = (seen & full) !== 0
      // The item of the lap before, which nobody has begun to pop at this load: no room is there. (`head` may stand before it,
      // where it has to pass slots of the dead that were freed.)
      // Safety: work-ring/linearizable, work-ring/survives
      const isUnclaimed = isFull && distance(last, memory.load(at + headAt)) <= 0
      // Whoever is about to sleep must have seen the slot before it sees that the ring is open.
      // Safety: work-ring/wakes
      if (memory.load(at + tailAt) !== tail) continue
      if (isUnclaimed) return 'none'
      // Claimed and not finished: somebody copies, or is dead.
      if (!this.isAbandoned(last | (seen & full))) return isFull ? 'busy' : 'none'
      this.free()
    }
  }

  /** Looks for a slot that is full, at the head. */
  private lookForItem(): Look {
    const { memory, at } = this
    for (;;) {
      const head = memory.load(at + headAt)
      const seen = this.lookAt(head)
      if (seen === (head | full)) return 'ready'
      if (distance(head, seen) > 0) {
        // What was claimed here was freed for a later lap: `head` follows, unless others have moved it already.
        // Safety: work-ring/survives
        memory.compareExchange(at + headAt, head, (head + positionStep) | 0)
        continue
      }
      const tail = memory.load(at + tailAt)
      // Nobody has claimed this position, and all before are claimed by poppers: nothing is there, at this load.
      // Safety: work-ring/linearizable, work-ring/closes
      if ((tail & -positionStep) === head) return (tail & closed) === 0 ? 'none' : 'closed'
      // Full by now, or of an earlier lap: others have moved `head` on.
      if (seen !== head) continue
      if (!this.isAbandoned(head)) return 'busy'
      this.free()
    }
  }

  /** Looks at the slot of a position: its word without what is for sleepers. */
  private lookAt(position: number): number {
    this.position = position
    this.slotAt = this.slotOf(position)
    // Who finds it free, or full, for its position may have the bytes once it has claimed it: whoever had them before is done.
    // Safety: work-ring/each-once
    this.seen = this.memory.load(this.slotAt)
    return this.seen & ~(asleep | ended)
  }

  /** Frees the slot that was looked at for the next lap, unless its word has changed. Whoever had claimed it is dead. */
  private free(): void {
    // Exactly one changes it, and the dead one no more.
    // Safety: work-ring/survives
    this.replace(this.slotAt, this.seen, this.lapAfter(this.seen & -positionStep))
  }

  /** Changes a slot's word if it is as it was seen, and wakes who sleeps on it. */
  private replace(slotAt: number, seen: number, word: number): boolean {
    const { memory } = this
    if (memory.compareExchange(slotAt, seen, word) !== seen) return false
    // The announcement went with the word.
    // Safety: work-ring/wakes, work-ring/notifies-sleepers-only
    if ((seen & asleep) !== 0) memory.notify(slotAt)
    return true
  }

  /** Says which slots this thread is about to claim. */
  private declare(slot: number, count: number): void {
    if (this.seatAt === 0) return
    // Before the claim: whoever finds one of the slots claimed finds this, as long as it is.
    // Safety: work-ring/survives
    if (count > 1) this.memory.store(this.seatAt + countFromHolder, count)
    this.memory.store(this.seatAt + intentFromHolder, count > 1 ? slot | many : slot)
    this.hasIntent = true
  }

  /** Says that this thread has claimed nothing, if it said anything else. */
  private retract(): void {
    if (!this.hasIntent) return
    this.hasIntent = false
    // A thread that is alive, and has lost a claim to one that died, would seem to have it.
    // Safety: work-ring/survives
    this.memory.store(this.seatAt + intentFromHolder, noIntent)
  }

  /** Whether a slot that is claimed belongs to no living thread. The claim must have been seen before. */
  private isAbandoned(slot: number): boolean {
    const { memory } = this
    if (memory.liveness === undefined) return false
    for (let seat = 0; seat < this.seats; seat++) {
      const holderAt = this.holderAt(seat)
      if (holderAt === this.seatAt) continue
      // Whoever has claimed the slot said so before, and says so until it changes the slot's word; then it is not freed.
      // Safety: work-ring/survives
      const intent = memory.load(holderAt + intentFromHolder)
      if (intent !== slot && !this.isWithin(slot, intent, holderAt)) continue
      const holder = memory.load(holderAt)
      if (holder !== nobody && !isLost(memory, holder)) return false
    }
    return true
  }

  /** Whether a slot is one of those of a batch that somebody has claimed. */
  private isWithin(slot: number, intent: number, holderAt: number): boolean {
    if (((intent ^ slot) & (positionStep - 1)) !== many) return false
    const index = distance(intent ^ many, slot)
    // What is said of another batch, before this one or after it, is of no account: the slot is not claimed then any more.
    // Safety: work-ring/survives
    return index >= 0 && index < this.memory.load(holderAt + countFromHolder)
  }

  /** Takes a seat, where the memory tells who is alive. */
  private sitDown(): void {
    const { memory } = this
    if (this.seatAt !== 0 || memory.liveness === undefined) return
    const self = wordOfSelf('WorkRing', memory)
    for (let seat = 0; seat < this.seats; seat++) {
      const holderAt = this.holderAt(seat)
      // Safety: work-ring/seats
      if (typeof take(memory, holderAt, self) === 'number') continue
      this.seatAt = holderAt
      // The seat may still say what a dead one had claimed, as if this thread had: it is to be taken back.
      this.hasIntent = true
      return
    }
    throw new Error(`WorkRing: all ${this.seats} seats are taken by living threads; create the ring with more, or leave()`)
  }

  private holderAt(seat: number): number {
    return this.at + seatsAt + seat * lineWords
  }

  private slotOf(position: number): number {
    // A power of two divides the range of positions, so that slots go on in order where positions wrap.
    // Safety: work-ring/wraps
    return this.slotsAt + ((position >>> 3) & (this.capacity - 1)) * this.slotWords
  }

  /** The position that comes to the same slot next. */
  private lapAfter(position: number): number {
    return (position + this.capacity * positionStep) | 0
  }
}

/** How many items `to` is ahead of `from`, by wrapped difference. */
function distance(from: number, to: number): number {
  // Safety: work-ring/wraps
  return ((to - from) | 0) >> 3
}

/** Threads that claim neighbouring slots do not slow each other down: a slot has lines of its own. */
function slotWordsOf(itemBytes: number): number {
  return wholeLines(1 + Math.ceil(itemBytes / 4))
}

function requireShape(options: WorkRingOptions): Required<WorkRingOptions> {
  const { capacity, itemBytes, seats = 16, start = 0 } = options
  requireInteger('WorkRing: capacity', capacity, 1, capacityMax)
  if ((capacity & (capacity - 1)) !== 0) {
    const above = 2 ** Math.ceil(Math.log2(capacity))
    throw new RangeError(`WorkRing: capacity: expected a power of two, found ${capacity}; take ${above / 2} or ${above}`)
  }
  requireInteger('WorkRing: itemBytes', itemBytes, 1, itemBytesMax)
  requireInteger('WorkRing: seats', seats, 1, seatsMax)
  requireInteger('WorkRing: start', start, -(2 ** 31), 2 ** 32 - 1)
  return { capacity, itemBytes, seats, start }
}

function wordsOf({ capacity, itemBytes, seats }: Required<WorkRingOptions>): number {
  return seatsAt + seats * lineWords + capacity * slotWordsOf(itemBytes)
}
