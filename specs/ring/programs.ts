import { guarantee } from '../../checker/guarantee.ts'
import { lineWords } from '../../core/layout.ts'
import type { Memory } from '../../core/memory.ts'
import { distance, isClosed, positionIn, positionStep } from '../../core/position.ts'
import { Ring } from '../../core/ring.ts'
import type { RingOptions } from '../../core/ring-layout.ts'
import type { Sink } from '../../core/ring-sink.ts'
import type { Source } from '../../core/ring-source.ts'
import { type Mark, type Program, program, type Readable } from '../../model/program.ts'
import {
  AnonymousMemory,
  type Calls,
  CountingMemory,
  everyNotifyWasAskedFor,
  RetryingMemory,
  WitnessMemory,
} from '../memories.ts'
import type { Guarantee } from './guarantees.ts'

/**
 * Small programs around a ring. Each thread attaches by itself. Threads are called `writer` and `reader0`, `reader1`.
 *
 * An item has three bytes, so that items straddle words, and says in each of them which item it is, so that half an item
 * shows. Items are numbered from 1: the zeros of a fresh memory are no item.
 */

/** Where the words of a ring at word 0 are. */
export const words: {
  readonly magic: number
  readonly version: number
  readonly kind: number
  readonly size: number
  readonly capacity: number
  readonly itemBytes: number
  readonly readers: number
  readonly groups: number
  readonly members: number
  readonly written: number
  readonly sinkSeat: number
  readonly limit: number
  read(reader: number): number
  sourceSeat(reader: number): number
  began(reader: number): number
  turn(reader: number): number
  /** Of the only group of a ring without readers. */
  readonly cursor: number
  readonly cursorBegan: number
  member(member: number): number
  memberSeat(member: number): number
  end(member: number): number
  groupLock(members: number): number
} = {
  magic: 0,
  version: 1,
  kind: 2,
  size: 3,
  capacity: 4,
  itemBytes: 5,
  readers: 6,
  groups: 7,
  members: 8,
  written: lineWords,
  sinkSeat: lineWords + 1,
  limit: 2 * lineWords,
  read: (reader) => (3 + reader) * lineWords,
  sourceSeat: (reader) => (3 + reader) * lineWords + 1,
  began: (reader) => (3 + reader) * lineWords + 2,
  turn: (reader) => (3 + reader) * lineWords + 3,
  cursor: 3 * lineWords,
  cursorBegan: 3 * lineWords + 2,
  member: (member) => (4 + member) * lineWords,
  memberSeat: (member) => (4 + member) * lineWords + 1,
  end: (member) => (4 + member) * lineWords + 2,
  groupLock: (members) => (5 + members) * lineWords,
}

export const itemBytes = 3

/** Positions count modulo 2^30, and a word changes its sign half-way: starts just below either place. */
export const belowSignChange: number = 2 ** 29 - 1
export const belowWrap: number = 2 ** 30 - 1

export interface Shape {
  readonly capacity: number
  readonly readers: number
  readonly groups?: number
  readonly members?: number
  readonly start?: number
}

export function optionsOf(shape: Shape): RingOptions {
  return { ...shape, itemBytes }
}

export function itemOf(n: number): Uint8Array {
  return Uint8Array.of(n, n ^ 0x55, n ^ 0xaa)
}

export function itemsOf(from: number, count: number): Uint8Array {
  const bytes = new Uint8Array(count * itemBytes)
  for (let i = 0; i < count; i++) bytes.set(itemOf(from + i), i * itemBytes)
  return bytes
}

/** Reads items and expects them one after the other. */
export class Follower {
  private next: number
  private readonly order: Guarantee

  /**
   * @param order what is broken when they are not
   * @param before how many items came before
   */
  constructor(order: Guarantee, before = 0) {
    this.order = order
    this.next = before + 1
  }

  /** How many items came, those before the first included. */
  get count(): number {
    return this.next - 1
  }

  /** Items that were consumed unread. */
  skip(items: number): void {
    this.next += items
  }

  take(bytes: Uint8Array, items = 1): void {
    for (let i = 0; i < items; i++) {
      const [n, second, third] = bytes.subarray(i * itemBytes, (i + 1) * itemBytes)
      const whole = n !== 0 && second === (n ^ 0x55) && third === (n ^ 0xaa)
      guarantee('ring/whole-items' satisfies Guarantee, whole, `the bytes ${n} ${second} ${third} are no item`)
      guarantee(this.order, n === this.next, `expected item ${this.next}, got item ${n}`)
      this.next++
    }
  }
}

/** In a program that crosses a wrap, what goes wrong is put down to the wrap. */
export function inOrder(shape: Shape): Guarantee {
  return wraps(shape) ? 'ring/wraps' : 'ring/in-order'
}

function backPressure(shape: Shape): Guarantee {
  return wraps(shape) ? 'ring/wraps' : 'ring/back-pressure'
}

function wraps({ start }: Shape): boolean {
  return start === belowWrap || start === belowSignChange
}

/** What every thread returns: how many items it pushed or popped, and its part in waiting. */
export interface Share extends Calls {
  readonly items: number
}

export type Shares = Record<string, Share>

/** How threads wait. Never more than one look before sleeping: a bounded loop unrolls. */
interface Waiting {
  readonly spins?: 0 | 1
}

/** A program whose memory cannot tell who is alive: threads that sleep do so until they are woken, or their time is over. */
export function anonymous<R extends Record<string, unknown>>(description: Program<R>): Program<R> {
  const threads: Partial<Record<keyof R, unknown>> = {}
  for (const name of Object.keys(description.threads) as (keyof R)[]) {
    threads[name] = (memory: Memory, mark: Mark) => description.threads[name](new AnonymousMemory(memory), mark)
  }
  return program({ ...description, threads: threads as Program<R>['threads'] })
}

type Writes = (sink: Sink) => number
type Reads = (source: Source, follower: Follower) => void

/** A program in which one thread writes and the others read. */
function writerAndReaders(
  name: string,
  shape: Shape,
  writes: Writes,
  reads: Reads | readonly Reads[],
  extra: Partial<Program<Shares>> & Waiting = {},
): Program<Shares> {
  const { spins = 0, finally: alsoFinally, ...rest } = extra
  const options = optionsOf(shape)
  const threads: Record<string, (memory: Memory) => Share> = {
    writer: (memory) => {
      const counting = new CountingMemory(memory)
      const items = writes(Ring.attach(counting).sink({ spins }))
      return { items, ...counting.calls }
    },
  }
  for (let reader = 0; reader < shape.readers; reader++) {
    const body = typeof reads === 'function' ? reads : (reads[reader] as Reads)
    threads[`reader${reader}`] = (memory) => {
      const counting = new CountingMemory(memory)
      const follower = new Follower(inOrder(shape))
      body(Ring.attach(counting).source({ reader, spins }), follower)
      return { items: follower.count, ...counting.calls }
    }
  }
  return anonymous<Shares>({
    name: `ring/${name}`,
    words: Ring.words(options) + lineWords,
    setup: (memory) => void Ring.create(memory, options),
    threads,
    always: (memory) => neverMoreThanCapacity(memory, shape),
    ...rest,
    finally: (memory, results) => {
      everyNotifyWasAskedFor('ring/notifies-sleepers-only' satisfies Guarantee, Object.values(results))
      positionsTellWhatWasDone(memory, shape, results)
      alsoFinally?.(memory, results)
    },
  })
}

export function neverMoreThanCapacity(memory: Readable, shape: Shape): void {
  const written = positionIn(memory.load(words.written))
  for (let reader = 0; reader < shape.readers; reader++) {
    const read = memory.load(words.read(reader))
    if (isClosed(read)) continue
    const unread = distance(positionIn(read), written)
    guarantee(backPressure(shape), unread >= 0 && unread <= shape.capacity, `reader ${reader} has ${unread} unread items`)
  }
}

/** Nothing is pushed or popped but by a call that says so. */
function positionsTellWhatWasDone(memory: Readable, shape: Shape, results: Partial<Shares>): void {
  const start = ((shape.start ?? 0) * positionStep) | 0
  const moved = (word: number) => distance(start, positionIn(memory.load(word)))
  guarantee(inOrder(shape), moved(words.written) === results.writer?.items, `${moved(words.written)} items were published`)
  for (let reader = 0; reader < shape.readers; reader++) {
    const moves = moved(words.read(reader))
    guarantee(inOrder(shape), moves === results[`reader${reader}`]?.items, `reader ${reader} went on by ${moves} items`)
  }
}

export function shapeName({ capacity, readers, groups = 0, members = 0, start = 0 }: Shape): string {
  const wrap = start === belowWrap ? '-wrap' : start === belowSignChange ? '-sign' : start === 0 ? '' : `-start${start}`
  const ends = groups === 0 ? `${readers}r` : `${readers > 0 ? `${readers}r` : ''}${groups}g${members}m`
  return `1w${ends}-cap${capacity}${wrap}`
}

/**
 * The writer pushes so many items, each reader pops them; both sleep when they must.
 *
 * @param pops how many items each reader pops; default: all
 */
export function blocking(shape: Shape, items: number, waiting: Waiting = {}, pops?: readonly number[]): Program<Shares> {
  const spin = waiting.spins === 1 ? '-spin1' : ''
  const popping =
    (count: number): Reads =>
    (source, follower) => {
      const target = new Uint8Array(itemBytes)
      for (let n = 1; n <= count; n++) {
        guarantee('ring/times-out' satisfies Guarantee, source.pop(target), 'pop gave up without a time-out')
        follower.take(target)
      }
    }
  return writerAndReaders(
    `push${items}-pop${pops?.join('+') ?? items}/${shapeName(shape)}${spin}`,
    shape,
    (sink) => {
      for (let n = 1; n <= items; n++) {
        guarantee('ring/times-out' satisfies Guarantee, sink.push(itemOf(n)), 'push gave up without a time-out')
      }
      return items
    },
    pops?.map(popping) ?? popping(items),
    waiting,
  )
}

/** `blocking`, each thread as on an event loop: what would sleep is called again. */
export function retrying(shape: Shape, items: number): Program<Shares> {
  const original = blocking(shape, items)
  const threads: Record<string, (memory: Memory) => Share> = {
    writer: (memory) => {
      const counting = new CountingMemory(memory)
      const looping = new RetryingMemory(counting)
      const sink = Ring.attach(looping).sink({ spins: 0 })
      for (let n = 1; n <= items; n++) looping.retried(() => sink.push(itemOf(n)))
      return { items, ...counting.calls }
    },
  }
  for (let reader = 0; reader < shape.readers; reader++) {
    threads[`reader${reader}`] = (memory) => {
      const counting = new CountingMemory(memory)
      const looping = new RetryingMemory(counting)
      const source = Ring.attach(looping).source({ reader, spins: 0 })
      const follower = new Follower(inOrder(shape))
      const target = new Uint8Array(itemBytes)
      for (let n = 1; n <= items; n++) {
        looping.retried(() => source.pop(target))
        follower.take(target)
      }
      return { items: follower.count, ...counting.calls }
    }
  }
  return anonymous<Shares>({ ...original, name: `${original.name}-retrying`, threads })
}

/** The writer tries to push so many times, each reader tries to pop so many times; nobody waits. */
export function trying(shape: Shape, tries: number): Program<Shares> {
  return writerAndReaders(
    `try${tries}/${shapeName(shape)}`,
    shape,
    (sink) => {
      let pushed = 0
      for (let i = 0; i < tries; i++) if (sink.tryPush(itemOf(pushed + 1))) pushed++
      return pushed
    },
    (source, follower) => {
      const target = new Uint8Array(itemBytes)
      for (let i = 0; i < tries; i++) if (source.tryPop(target)) follower.take(target)
    },
    {
      sometimes: {
        'a reader finds the ring empty': (_, { reader0 }) => reader0?.items === 0,
        'all goes through': (_, results) => Object.values(results).every((share) => share?.items === tries),
        ...(tries > shape.capacity && { 'the writer finds the ring full': (_, { writer }) => (writer?.items ?? 0) < tries }),
      },
    },
  )
}

/** The writer pushes all items in one call, in parts when they do not fit; readers pop two at a time. Both sleep. */
export function blockingBatches(shape: Shape, items: number): Program<Shares> {
  return writerAndReaders(
    `push-batch${items}-pop-batch2/${shapeName(shape)}`,
    shape,
    (sink) => sink.pushBatch(itemsOf(1, items)),
    (source, follower) => {
      const target = new Uint8Array(2 * itemBytes)
      while (follower.count < items) follower.take(target, source.popBatch(target))
    },
    {
      finally: (_, { writer }) =>
        guarantee('ring/times-out' satisfies Guarantee, writer?.items === items, 'pushBatch gave up without a time-out'),
    },
  )
}

/** The writer tries a batch of two, for which there is room; each reader looks, then takes what is there. */
export function batchAtOnce(shape: Shape): Program<Shares> {
  return writerAndReaders(
    `try-push-batch2/${shapeName(shape)}`,
    shape,
    (sink) => {
      const pushed = sink.tryPushBatch(itemsOf(1, 2))
      guarantee('ring/publishes' satisfies Guarantee, pushed === 2, `an empty ring took ${pushed} of 2 items`)
      return pushed
    },
    (source, follower) => {
      const seen = source.available()
      guarantee('ring/batch-at-once' satisfies Guarantee, seen === 0 || seen === 2, `${seen} of 2 items are there`)
      const target = new Uint8Array(2 * itemBytes)
      follower.take(target, source.tryPopBatch(target))
    },
    {
      sometimes: {
        'the batch is seen': (_, { reader0 }) => reader0?.items === 2,
        'the batch is not there yet': (_, { reader0 }) => reader0?.items === 0,
      },
    },
  )
}

/** Batches across the end of the ring: one item goes through, then a batch whose parts lie at the end and the beginning. */
export function splitBatch(shape: Shape): Program<Shares> {
  return writerAndReaders(
    `push1-push-batch2-pop-batch/${shapeName(shape)}`,
    shape,
    (sink) => {
      sink.push(itemOf(1))
      return 1 + sink.pushBatch(itemsOf(2, 2))
    },
    (source, follower) => {
      const target = new Uint8Array(2 * itemBytes)
      source.pop(target.subarray(0, itemBytes))
      follower.take(target)
      while (follower.count < 3) follower.take(target, source.popBatch(target))
    },
  )
}

/** Readers look at items in place and consume them later, all at once. Nobody waits. */
export function inPlace(shape: Shape, items: number): Program<Shares> {
  return writerAndReaders(
    `try-push${items}-get-advance/${shapeName(shape)}`,
    shape,
    (sink) => {
      let pushed = 0
      for (let i = 0; i < items; i++) if (sink.free() > 0 && sink.tryPush(itemOf(pushed + 1))) pushed++
      return pushed
    },
    (source, follower) => {
      for (let look = 0; look < 2; look++) {
        const seen = source.available()
        guarantee(backPressure(shape), seen <= shape.capacity, `${seen} items are there`)
        for (let i = 0; i < seen; i++) follower.take(source.get(i))
        source.advance(seen)
      }
    },
    {
      sometimes: {
        'a reader gets all that it can': (_, { reader0 }) => (reader0?.items ?? 0) >= Math.min(items, shape.capacity),
      },
    },
  )
}

/** The writer pushes, sleeping; readers wait, look at what is there in place, and consume it at once. */
export function inPlaceBlocking(shape: Shape, items: number): Program<Shares> {
  return writerAndReaders(
    `push${items}-wait-get-advance/${shapeName(shape)}`,
    shape,
    (sink) => {
      for (let n = 1; n <= items; n++) sink.push(itemOf(n))
      return items
    },
    (source, follower) => {
      while (follower.count < items) {
        const ready = source.wait()
        guarantee('ring/times-out' satisfies Guarantee, ready > 0, 'wait gave up without a time-out')
        for (let i = 0; i < ready; i++) follower.take(source.get(i))
        source.advance(ready)
      }
    },
  )
}

/** Readers consume what is there without looking at it: with no plain reads, whatever goes wrong is no data race. */
export function advanceOnly(shape: Shape, tries: number): Program<Shares> {
  return writerAndReaders(
    `try${tries}-advance/${shapeName(shape)}`,
    shape,
    (sink) => {
      let pushed = 0
      for (let i = 0; i < tries; i++) if (sink.tryPush(itemOf(pushed + 1))) pushed++
      return pushed
    },
    (source, follower) => {
      for (let i = 0; i < tries; i++) {
        const seen = source.available()
        source.advance(seen)
        follower.skip(seen)
      }
    },
    { sometimes: { 'something is consumed': (_, { reader0 }) => (reader0?.items ?? 0) > 0 } },
  )
}

/** No item of any program: what is written into claims that are aborted, or given back. */
const garbage = 0x77

/** Writes an item in place, its end first. */
function putItem(sink: Sink, index: number, n: number): void {
  const item = itemOf(n)
  sink.put(index, item.subarray(1), 1)
  sink.put(index, item.subarray(0, 1))
}

/** Reads what a sink has committed, and nothing else. */
function takeCommitted(follower: Follower, target: Uint8Array, items: number): void {
  for (let i = 0; i < items; i++) {
    guarantee('ring/claims' satisfies Guarantee, target[i * itemBytes] !== garbage, 'what was not committed is there')
  }
  follower.take(target, items)
}

/**
 * In each round the writer claims two items, aborts, claims two again, writes them in place, and commits one. Readers try to
 * pop. Nobody waits.
 */
export function claiming(shape: Shape, rounds: number): Program<Shares> {
  return writerAndReaders(
    `try-claim${rounds}/${shapeName(shape)}`,
    shape,
    (sink) => {
      let pushed = 0
      for (let round = 0; round < rounds; round++) {
        for (let i = sink.tryClaim(2); i > 0; i--) putItem(sink, i - 1, garbage)
        sink.abort()
        if (sink.tryClaim(2) > 0) {
          putItem(sink, 0, pushed + 1)
          sink.commit(1)
          pushed++
        }
      }
      return pushed
    },
    (source, follower) => {
      const target = new Uint8Array(itemBytes)
      for (let i = 0; i < rounds; i++) if (source.tryPop(target)) takeCommitted(follower, target, 1)
    },
    {
      sometimes: {
        'all goes through': (_, results) => Object.values(results).every((share) => share?.items === rounds),
        ...(rounds > shape.capacity && { 'the writer finds the ring full': (_, { writer }) => (writer?.items ?? 0) < rounds }),
      },
    },
  )
}

/** The writer claims two items and commits the first one; a reader looks twice, and never sees more than that. */
export function claimsUnseen(shape: Shape): Program<Record<'writer' | 'reader0', number>> {
  return anonymous<Record<'writer' | 'reader0', number>>({
    name: `ring/claim2-commit1/${shapeName(shape)}`,
    words: Ring.words(optionsOf(shape)),
    setup: (memory) => void Ring.create(memory, optionsOf(shape)),
    threads: {
      writer: (memory) => {
        const sink = Ring.attach(memory).sink({ spins: 0 })
        const claimed = sink.tryClaim(2)
        for (let i = 0; i < claimed; i++) putItem(sink, i, i + 1)
        sink.commit(1)
        return claimed
      },
      reader0: (memory) => {
        const source = Ring.attach(memory).source({ reader: 0, spins: 0 })
        const seen = source.available() || source.available()
        guarantee('ring/claims' satisfies Guarantee, seen <= 1, `${seen} items are there, and 1 was committed`)
        return seen
      },
    },
    sometimes: {
      'the item is seen': (_, { reader0 }) => reader0 === 1,
      'it is not there yet': (_, { reader0 }) => reader0 === 0,
    },
  })
}

/** The writer claims two items at a time, sleeping while there is no room, and commits them at once; readers pop two. */
export function claimingBlocks(shape: Shape, items: number): Program<Shares> {
  return writerAndReaders(
    `claim${items}-pop-batch2/${shapeName(shape)}`,
    shape,
    (sink) => {
      let pushed = 0
      while (pushed < items) {
        const claimed = sink.claim(Math.min(2, items - pushed))
        guarantee('ring/times-out' satisfies Guarantee, claimed > 0, 'claim gave up without a time-out')
        for (let i = 0; i < claimed; i++) putItem(sink, i, pushed + i + 1)
        sink.commit()
        pushed += claimed
      }
      return pushed
    },
    (source, follower) => {
      const target = new Uint8Array(2 * itemBytes)
      while (follower.count < items) takeCommitted(follower, target, source.popBatch(target))
    },
  )
}

/** Words of the program's own, after the ring. */
function ownWord(shape: Shape, index: number): number {
  return Ring.words(optionsOf(shape)) + index
}

/**
 * Each end tells the other, through a word of the program's own, that it is done: then the other must find what it did.
 * Each first finds nothing, if it is early, so that what it knows is old.
 */
export function visible(shape: Shape): Program<Shares> {
  const pushedAt = ownWord(shape, 0)
  const poppedAt = ownWord(shape, 1)
  const threads: Record<string, (memory: Memory) => Share> = {
    writer: (memory) => {
      const sink = Ring.attach(memory).sink({ spins: 0 })
      let items = 0
      for (let n = 1; n <= shape.capacity; n++) if (sink.tryPush(itemOf(n))) items++
      guarantee('ring/publishes' satisfies Guarantee, items === shape.capacity, 'an empty ring had no room')
      memory.store(pushedAt, 1)
      const early = sink.tryPush(itemOf(items + 1))
      if (early) items++
      const popped = memory.load(poppedAt) === shape.readers
      const late = sink.tryPush(itemOf(items + 1))
      if (late) items++
      guarantee('ring/publishes' satisfies Guarantee, early || late || !popped, 'all readers advanced, and there is no room')
      return { items, announced: 0, notified: 0 }
    },
  }
  for (let reader = 0; reader < shape.readers; reader++) {
    threads[`reader${reader}`] = (memory) => {
      const source = Ring.attach(memory).source({ reader, spins: 0 })
      const follower = new Follower(inOrder(shape))
      const target = new Uint8Array(itemBytes)
      if (source.tryPop(target)) follower.take(target)
      else {
        const pushed = memory.load(pushedAt) === 1
        const found = source.tryPop(target)
        guarantee('ring/publishes' satisfies Guarantee, found || !pushed, 'an item was pushed and is not there')
        if (found) follower.take(target)
      }
      if (follower.count === 1) memory.add(poppedAt, 1)
      return { items: follower.count, announced: 0, notified: 0 }
    }
  }
  return anonymous<Shares>({
    name: `ring/visible/${shapeName(shape)}`,
    words: Ring.words(optionsOf(shape)) + lineWords,
    setup: (memory) => void Ring.create(memory, optionsOf(shape)),
    threads,
    always: (memory) => neverMoreThanCapacity(memory, shape),
    sometimes: {
      'the writer finds the room again': (_, { writer }) => (writer?.items ?? 0) > shape.capacity,
      'a reader comes too early': (_, { reader0 }) => reader0?.items === 0,
    },
  })
}

/** Whoever waits must not give up once the word at `at` is set. */
function witnessing(memory: Memory, at: number): WitnessMemory {
  return new WitnessMemory(memory, 'ring/times-out' satisfies Guarantee, (now) => now.load(at) === 1)
}

const nothing = (result: boolean | number): boolean => Number(result) === 0

/** The reader pops with a time-out, whatever the writer does meanwhile; what was pushed in time is not missed. */
export function popTimesOut(shape: Shape, batch = false): Program<Shares> {
  const pushedAt = ownWord(shape, 0)
  return anonymous<Shares>({
    name: `ring/pop${batch ? '-batch' : ''}-times-out/${shapeName(shape)}`,
    words: Ring.words(optionsOf(shape)) + lineWords,
    setup: (memory) => void Ring.create(memory, optionsOf(shape)),
    threads: {
      writer: (memory) => {
        const counting = new CountingMemory(memory)
        Ring.attach(counting).sink({ spins: 0 }).push(itemOf(1))
        memory.store(pushedAt, 1)
        return { items: 1, ...counting.calls }
      },
      reader0: (memory) => {
        const witness = witnessing(memory, pushedAt)
        const source = Ring.attach(witness).source({ reader: 0, spins: 0 })
        const follower = new Follower(inOrder(shape))
        const target = new Uint8Array(itemBytes)
        const found = witness.attempt<boolean | number>(
          'an item that came in time was missed',
          (timeoutMs) => (batch ? source.popBatch(target, timeoutMs) : source.pop(target, timeoutMs)),
          nothing,
        )
        if (found) follower.take(target)
        return { items: follower.count, ...witness.calls }
      },
    },
    always: (memory) => neverMoreThanCapacity(memory, shape),
    sometimes: {
      'pop gets the item': (_, { reader0 }) => reader0?.items === 1,
      'pop gives up': (_, { reader0 }) => reader0?.items === 0,
      'pop sleeps': (_, { reader0 }) => reader0?.announced === 1,
    },
    finally: (memory, results) => {
      everyNotifyWasAskedFor('ring/notifies-sleepers-only' satisfies Guarantee, Object.values(results))
      positionsTellWhatWasDone(memory, shape, results)
    },
  })
}

/** The writer pushes one item more than fits, with a time-out; room that was made in time is not refused. */
export function pushTimesOut(shape: Shape, batch = false): Program<Shares> {
  const poppedAt = ownWord(shape, 0)
  return anonymous<Shares>({
    name: `ring/push${batch ? '-batch' : ''}-times-out/${shapeName(shape)}`,
    words: Ring.words(optionsOf(shape)) + lineWords,
    setup: (memory) => {
      Ring.create(memory, optionsOf(shape))
    },
    threads: {
      writer: (memory) => {
        const witness = witnessing(memory, poppedAt)
        const sink = Ring.attach(witness).sink({ spins: 0 })
        const { capacity } = shape
        sink.tryPushBatch(itemsOf(1, capacity))
        const last = itemOf(capacity + 1)
        const fits = witness.attempt<boolean | number>(
          'room that was made in time was refused',
          (timeoutMs) => (batch ? sink.pushBatch(last, timeoutMs) : sink.push(last, timeoutMs)),
          nothing,
        )
        return { items: capacity + Number(fits), ...witness.calls }
      },
      reader0: (memory) => {
        const counting = new CountingMemory(memory)
        const source = Ring.attach(counting).source({ reader: 0, spins: 0 })
        const follower = new Follower(inOrder(shape))
        const target = new Uint8Array(itemBytes)
        if (source.tryPop(target)) {
          follower.take(target)
          memory.store(poppedAt, 1)
        }
        return { items: follower.count, ...counting.calls }
      },
    },
    always: (memory) => neverMoreThanCapacity(memory, shape),
    sometimes: {
      'push finds room': (_, { writer }) => writer?.items === shape.capacity + 1,
      'push gives up': (_, { writer }) => writer?.items === shape.capacity,
      'push sleeps': (_, { writer }) => writer?.announced === 1,
    },
    finally: (memory, results) => {
      everyNotifyWasAskedFor('ring/notifies-sleepers-only' satisfies Guarantee, Object.values(results))
      positionsTellWhatWasDone(memory, shape, results)
    },
  })
}

/** One thread has both ends of a ring: what it cannot do, nobody will make possible. Everything gives up in time. */
export function givesUpAlone(spins: 0 | 1 = 0): Program<{ alone: readonly (boolean | number)[] }> {
  const shape: Shape = { capacity: 1, readers: 1 }
  return anonymous<{ alone: readonly (boolean | number)[] }>({
    name: `ring/gives-up-alone/1w1r-cap1${spins === 1 ? '-spin1' : ''}`,
    words: Ring.words(optionsOf(shape)) + lineWords,
    setup: (memory) => void Ring.create(memory, optionsOf(shape)),
    threads: {
      alone: (memory) => {
        const witness = witnessing(memory, ownWord(shape, 0))
        const ring = Ring.attach(witness)
        const sink = ring.sink({ spins })
        const source = ring.source({ spins })
        const target = new Uint8Array(itemBytes)
        const results: (boolean | number)[] = []
        const attempt = (call: (timeoutMs: number) => boolean | number) =>
          results.push(witness.attempt('a word that nobody writes was set', call, nothing))
        attempt((timeoutMs) => source.pop(target, timeoutMs))
        attempt((timeoutMs) => source.popBatch(target, timeoutMs))
        attempt((timeoutMs) => sink.push(itemOf(1), timeoutMs))
        attempt((timeoutMs) => sink.push(itemOf(2), timeoutMs))
        attempt((timeoutMs) => sink.pushBatch(itemOf(2), timeoutMs))
        attempt((timeoutMs) => source.pop(target, timeoutMs))
        return results
      },
    },
    finally: (_, { alone }) => {
      const expected = 'false,0,true,false,0,true'
      guarantee('ring/times-out' satisfies Guarantee, alone?.join() === expected, `returned ${alone?.join()}`)
    },
  })
}

/** One thread fills a ring and claims one item more: it gives up in time. */
export function claimGivesUpAlone(): Program<{ alone: number }> {
  const shape: Shape = { capacity: 1, readers: 1 }
  return anonymous<{ alone: number }>({
    name: 'ring/claim-gives-up-alone/1w1r-cap1',
    words: Ring.words(optionsOf(shape)) + lineWords,
    setup: (memory) => void Ring.create(memory, optionsOf(shape)),
    threads: {
      alone: (memory) => {
        const witness = witnessing(memory, ownWord(shape, 0))
        const sink = Ring.attach(witness).sink({ spins: 0 })
        sink.tryPush(itemOf(1))
        return witness.attempt('a word that nobody writes was set', (timeoutMs) => sink.claim(1, timeoutMs), nothing)
      },
    },
    finally: (_, { alone }) =>
      guarantee('ring/times-out' satisfies Guarantee, alone === 0, `claimed ${alone} items of a full ring`),
  })
}

/** A time-out of 0 never sleeps: with a full or empty ring and nobody else, both ends return at once. */
export function zeroTimeOut(): Program<{ alone: readonly boolean[] }> {
  const shape: Shape = { capacity: 1, readers: 1 }
  return anonymous<{ alone: readonly boolean[] }>({
    name: 'ring/zero-time-out/1w1r-cap1',
    words: Ring.words(optionsOf(shape)),
    setup: (memory) => void Ring.create(memory, optionsOf(shape)),
    threads: {
      alone: (memory) => {
        const ring = Ring.attach(memory)
        const sink = ring.sink({ spins: 1 })
        const source = ring.source({ spins: 1 })
        const target = new Uint8Array(itemBytes)
        return [source.pop(target, 0), sink.push(itemOf(1), 0), sink.push(itemOf(2), 0), source.pop(target, 0)]
      },
    },
    finally: (_, { alone }) => {
      guarantee('ring/times-out' satisfies Guarantee, alone?.join() === 'false,true,false,true', `returned ${alone?.join()}`)
    },
  })
}

/** `blocking`, each thread waking once for no reason. */
export function spurious(shape: Shape, items: number): Program<Shares> {
  const original = blocking(shape, items)
  return { ...original, name: `${original.name}-spurious`, faults: { spurious: true } }
}

/** Two threads ask for the only sink. */
export function oneSink(): Program<Record<'first' | 'second', boolean>> {
  const shape: Shape = { capacity: 1, readers: 1 }
  const take = (memory: Memory): boolean => succeeds(() => Ring.attach(memory).sink())
  return anonymous<Record<'first' | 'second', boolean>>({
    name: 'ring/one-sink',
    words: Ring.words(optionsOf(shape)),
    setup: (memory) => void Ring.create(memory, optionsOf(shape)),
    threads: { first: take, second: take },
    sometimes: { 'the first gets it': (_, { first }) => first === true, 'the second gets it': (_, r) => r.second === true },
    finally: (_, { first, second }) => {
      guarantee('ring/handed-out-once' satisfies Guarantee, first !== second, `sinks handed out: ${Number(first) * 2}`)
    },
  })
}

/** Three threads ask for any of two sources. */
export function twoSources(): Program<Record<'first' | 'second' | 'third', number>> {
  const shape: Shape = { capacity: 1, readers: 2 }
  const take = (memory: Memory): number => {
    let reader = -1
    succeeds(() => {
      reader = Ring.attach(memory).source().reader
    })
    return reader
  }
  return anonymous<Record<'first' | 'second' | 'third', number>>({
    name: 'ring/two-sources',
    words: Ring.words(optionsOf(shape)),
    setup: (memory) => void Ring.create(memory, optionsOf(shape)),
    threads: { first: take, second: take, third: take },
    sometimes: { 'the last comes first': (_, { third }) => third === 0 },
    finally: (_, { first, second, third }) => {
      const got = [first, second, third].sort().join()
      guarantee('ring/handed-out-once' satisfies Guarantee, got === '-1,0,1', `sources handed out: ${got}`)
    },
  })
}

/** One thread creates a ring on used words while another attaches, takes both ends and looks. */
export function attachWhileCreated(): Program<Record<'creator' | 'joiner', boolean>> {
  const shape: Shape = { capacity: 2, readers: 1 }
  const createdAt = ownWord(shape, 0)
  return anonymous<Record<'creator' | 'joiner', boolean>>({
    name: 'ring/attach-while-created',
    words: Ring.words(optionsOf(shape)) + lineWords,
    setup: (memory) => {
      for (let word = 1; word < Ring.words(optionsOf(shape)); word++) memory.write(word, 5)
    },
    threads: {
      creator: (memory) => {
        Ring.create(memory, optionsOf(shape))
        memory.store(createdAt, 1)
        return true
      },
      joiner: (memory) => {
        const created = memory.load(createdAt) === 1
        let found = 'nothing'
        const attached = succeeds(() => {
          const ring = Ring.attach(memory)
          const source = ring.source()
          const sink = ring.sink()
          found = `${ring.capacity} ${ring.itemBytes} ${ring.readers} ${sink.free()} ${source.available()} ${memory.read(words.began(0))}`
        })
        guarantee('ring/attaches' satisfies Guarantee, attached || !created, 'the ring was created and cannot be used')
        guarantee('ring/attaches' satisfies Guarantee, !attached || found === '2 3 1 2 0 0', `found ${found}`)
        return attached
      },
    },
    sometimes: { 'too early': (_, { joiner }) => joiner === false, 'in time': (_, { joiner }) => joiner === true },
  })
}

/** Whether the body returns: an error of the ring is an answer, and one of the memory is not. */
function succeeds(body: () => void): boolean {
  try {
    body()
    return true
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('Ring')) return false
    throw error
  }
}
