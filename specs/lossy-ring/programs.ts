import { guarantee } from '../../checker/guarantee.ts'
import { lineWords } from '../../core/layout.ts'
import { LossyRing } from '../../core/lossy-ring.ts'
import type { LossyRingOptions } from '../../core/lossy-ring-layout.ts'
import type { LossySink } from '../../core/lossy-ring-sink.ts'
import type { LossySource } from '../../core/lossy-ring-source.ts'
import type { Memory, WaitResult } from '../../core/memory.ts'
import type { StreamEnd } from '../../core/ring-source.ts'
import { type Faults, type Program, program } from '../../model/program.ts'
import type { Creation } from '../creation.ts'
import {
  AnonymousMemory,
  type Calls,
  CountingMemory,
  everyNotifyWasAskedFor,
  RetryingMemory,
  SlicedMemory,
  WitnessMemory,
} from '../memories.ts'
import { itemBytes, itemOf, itemsOf } from '../ring/programs.ts'
import type { Guarantee } from './guarantees.ts'

/**
 * Small programs around a lossy ring. Each thread attaches by itself. Threads are called `writer` and `reader0`, `reader1`.
 * Items are as the ring's: three bytes each of which says which item it is, from 1 on.
 */

/** Positions count modulo 2^30, and a word changes its sign half-way: starts just below either place. */
export const belowSignChange: number = 2 ** 29 - 1
export const belowWrap: number = 2 ** 30 - 1

export interface Shape {
  readonly capacity: number
  readonly block?: number
  readonly start?: number
}

export function optionsOf(shape: Shape): Required<LossyRingOptions> {
  return { block: 1, start: 0, ...shape, itemBytes }
}

/** Where the words of a ring at word 0 are. */
export const words: {
  readonly written: number
  readonly seat: number
  readonly halves: number
  block(place: number): number
} = {
  written: lineWords,
  seat: lineWords + 1,
  halves: lineWords + 2,
  block: (place) => (2 + place) * lineWords,
}

/** A line of the program's own, after the ring. */
export function ownWord(shape: Shape): number {
  return LossyRing.words(optionsOf(shape))
}

/** What a writer did: it pushed so many items. */
export interface Put extends Calls {
  readonly pushed: number
}

/** What a reader got, in order, from where on, and what it says of the others. */
export interface Got extends Calls {
  readonly from: number
  readonly items: readonly number[]
  readonly lost: number
  readonly skipped: number
  readonly end?: StreamEnd | undefined
}

export type Results = Record<string, Put | Got>

/** In a program that crosses a wrap, what goes wrong is put down to the wrap. */
function or(shape: Shape, slug: Guarantee): Guarantee {
  return shape.start === belowWrap || shape.start === belowSignChange ? 'lossy-ring/wraps' : slug
}

/** Reads, and checks each item and the counts after it. */
export class Reading {
  readonly source: LossySource
  readonly items: number[] = []
  /** How many items there were before the first to read. */
  readonly from: number
  private readonly shape: Shape
  private skipped = 0

  /** @param from how many items there were before the position that was asked for; default: before that of the source */
  constructor(source: LossySource, shape: Shape, from?: number) {
    this.source = source
    this.shape = shape
    this.from = from ?? this.before
    this.checkCounts()
  }

  /** How many items there were before the position of the source. */
  get before(): number {
    return this.source.position - optionsOf(this.shape).start
  }

  tryPop(): boolean {
    const target = new Uint8Array(itemBytes)
    return this.take(target, this.source.tryPop(target) ? 1 : 0) > 0
  }

  pop(timeoutMs?: number): boolean {
    const target = new Uint8Array(itemBytes)
    return this.take(target, this.source.pop(target, timeoutMs) ? 1 : 0) > 0
  }

  tryPopBatch(most: number): number {
    const target = new Uint8Array(most * itemBytes)
    return this.take(target, this.source.tryPopBatch(target))
  }

  popBatch(most: number, timeoutMs?: number): number {
    const target = new Uint8Array(most * itemBytes)
    return this.take(target, this.source.popBatch(target, timeoutMs))
  }

  skip(keep?: number): void {
    this.skipped += this.source.skip(keep)
    this.checkCounts()
  }

  got(calls: Calls = { announced: 0, notified: 0 }, end?: StreamEnd): Got {
    const { announced, notified } = calls
    const { from, items, skipped } = this
    return { from, items, lost: this.source.lost, skipped, ...(end && { end }), announced, notified }
  }

  private take(target: Uint8Array, count: number): number {
    for (let i = 0; i < count; i++) {
      const [n = 0, second, third] = target.subarray(i * itemBytes, (i + 1) * itemBytes)
      const whole = n !== 0 && second === (n ^ 0x55) && third === (n ^ 0xaa)
      guarantee('lossy-ring/whole-items' satisfies Guarantee, whole, `the bytes ${n} ${second} ${third} are no item`)
      const last = this.items.at(-1) ?? this.from
      guarantee(or(this.shape, 'lossy-ring/in-order' satisfies Guarantee), n > last, `item ${n} came after item ${last}`)
      this.items.push(n)
      // The items of a batch follow each other, and the last one ends at the position.
      const expected = this.before - count + i + 1
      guarantee(or(this.shape, 'lossy-ring/counts' satisfies Guarantee), n === expected, `item ${n} is said to be ${expected}`)
    }
    this.checkCounts()
    return count
  }

  private checkCounts(): void {
    const { source, items, skipped, from, before, shape } = this
    const sum = items.length + source.lost + skipped
    const said = `${items.length} received, ${source.lost} lost, ${skipped} skipped of ${before - from}`
    guarantee(or(shape, 'lossy-ring/counts' satisfies Guarantee), sum === before - from, said)
  }
}

/** Counts what a writer could be held up by: looks at what others have done, and waits. */
class HastyMemory extends CountingMemory {
  looks = 0

  override load(word: number): number {
    this.looks++
    return super.load(word)
  }
  override compareExchange(word: number, expected: number, replacement: number): number {
    this.looks++
    return super.compareExchange(word, expected, replacement)
  }
  override wait(word: number, expected: number, timeoutMs?: number): WaitResult {
    this.looks++
    return super.wait(word, expected, timeoutMs)
  }
  override pause(): void {
    this.looks++
    super.pause()
  }
}

/** Takes the sink and does what a writer does, which is never to look at what others do. */
function writing(memory: Memory, shape: Shape, writes: (sink: LossySink) => void): Put {
  const hasty = new HastyMemory(memory)
  const sink = LossyRing.attach(hasty).sink()
  hasty.looks = 0
  writes(sink)
  guarantee('lossy-ring/never-waits' satisfies Guarantee, hasty.looks === 0, `the writer looked ${hasty.looks} times`)
  return { pushed: sink.position - optionsOf(shape).start, ...hasty.calls }
}

interface Extra extends Partial<Pick<Program<Results>, 'sometimes' | 'faults' | 'finally'>> {
  readonly spins?: 0 | 1
  readonly readers?: number
}

type Reads = (reading: Reading) => void

/** A program in which one thread writes and the others read. */
function writerAndReaders(
  name: string,
  shape: Shape,
  writes: (sink: LossySink) => void,
  reads: Reads,
  extra: Extra = {},
): Program<Results> {
  const { spins = 0, readers = 1, finally: alsoFinally, ...rest } = extra
  const options = optionsOf(shape)
  const { start: from } = options
  const seen = (memory: Memory): Memory => (rest.faults?.kill ? new SlicedMemory(memory) : new AnonymousMemory(memory))
  const threads: Record<string, (memory: Memory) => Put | Got> = {
    writer: (memory) => writing(seen(memory), shape, writes),
  }
  for (let reader = 0; reader < readers; reader++) {
    threads[`reader${reader}`] = (memory) => {
      const counting = new CountingMemory(seen(memory))
      const source = LossyRing.attach(counting).source({ spins, from })
      const reading = new Reading(source, shape, 0)
      reads(reading)
      return reading.got(counting.calls)
    }
  }
  return program<Results>({
    name: `lossy-ring/${name}/${shapeName(shape)}`,
    words: LossyRing.words(options) + lineWords,
    setup: (memory) => void LossyRing.create(memory, options),
    threads,
    ...rest,
    finally: (memory, results) => {
      everyNotifyWasAskedFor('lossy-ring/notifies-sleepers-only' satisfies Guarantee, Object.values(results))
      atTheEnd(memory, shape, results)
      alsoFinally?.(memory, results)
    },
  })
}

const putBy = (results: Partial<Results>): Put | undefined => results.writer as Put | undefined
const gotBy = (results: Partial<Results>, reader = 0): Got | undefined => results[`reader${reader}`] as Got | undefined

/** Whoever reads when all is done gets the newest item, and all that must still be there. */
function atTheEnd(memory: Memory, shape: Shape, results: Partial<Results>, died = false): void {
  const { capacity, block, start } = optionsOf(shape)
  const pushed = putBy(results)?.pushed ?? 0
  const reading = new Reading(LossyRing.attach(memory).source({ spins: 0, from: start }), shape, 0)
  while (reading.tryPop());
  const { items, lost } = reading.got()
  // Where there is only one block, one that died may have begun to write over all there was.
  const isThere = (items.at(-1) ?? 0) === pushed || (died && capacity === block)
  guarantee(or(shape, 'lossy-ring/newest' satisfies Guarantee), isThere, `${items.at(-1)} of ${pushed}`)
  guarantee(or(shape, 'lossy-ring/counts' satisfies Guarantee), items.length + lost === pushed, `${lost} lost of ${pushed}`)
  const oldest = new Reading(LossyRing.attach(memory).source({ spins: 0, from: 'oldest' }), shape)
  while (oldest.tryPop());
  const kept = oldest.got().items.length
  const least = Math.min(pushed, capacity - block)
  guarantee(or(shape, 'lossy-ring/keeps' satisfies Guarantee), kept >= least, `${kept} of ${least} items are there`)
  guarantee('lossy-ring/joins' satisfies Guarantee, oldest.source.lost === 0, 'the oldest was not there')
  for (let reader = 0; gotBy(results, reader) !== undefined; reader++) {
    const { lost, skipped } = gotBy(results, reader) as Got
    // Nothing is lost before something is written in its place.
    guarantee('lossy-ring/keeps' satisfies Guarantee, lost + skipped === 0 || pushed > 0, `${lost} lost, none pushed`)
  }
}

/** Nothing is lost while all items fit. */
function losesNothing(shape: Shape, results: Partial<Results>): void {
  for (let reader = 0; gotBy(results, reader) !== undefined; reader++) {
    const { lost } = gotBy(results, reader) as Got
    guarantee(or(shape, 'lossy-ring/keeps' satisfies Guarantee), lost === 0, `${lost} items were lost, and all fit`)
  }
}

export function shapeName(shape: Shape): string {
  const { capacity, block, start } = optionsOf(shape)
  const wrap = start === belowWrap ? '-wrap' : start === belowSignChange ? '-sign' : start === 0 ? '' : `-start${start}`
  return `cap${capacity}${block > 1 ? `-block${block}` : ''}${wrap}`
}

const pushesAll = (items: number) => (sink: LossySink) => {
  for (let n = 1; n <= items; n++) sink.push(itemOf(n))
}

/** The writer pushes so many items, each reader tries to pop so many times; nobody waits. */
export function trying(shape: Shape, items: number, tries: number, readers = 1): Program<Results> {
  const fits = items <= shape.capacity
  return writerAndReaders(
    `push${items}-try${tries}${readers > 1 ? `-${readers}r` : ''}`,
    shape,
    pushesAll(items),
    (reading) => {
      for (let i = 0; i < tries; i++) reading.tryPop()
    },
    {
      readers,
      sometimes: {
        'a reader finds nothing': (_, results) => gotBy(results)?.items.length === 0,
        'a reader gets the first': (_, results) => gotBy(results)?.items[0] === 1,
        ...(fits ? {} : { 'a reader loses some': (_, results) => (gotBy(results)?.lost ?? 0) > 0 }),
      },
      ...(fits && { finally: (_, results) => losesNothing(shape, results) }),
    },
  )
}

/** The writer pushes all items in one call; a reader tries to pop batches. */
export function batches(shape: Shape, items: number, most: number, tries: number): Program<Results> {
  return writerAndReaders(
    `push-batch${items}-try${tries}-batch${most}`,
    shape,
    (sink) => {
      // One publication for each `batchMax` items.
      for (let n = 1; n <= items; n += sink.batchMax) sink.pushBatch(itemsOf(n, Math.min(sink.batchMax, items - n + 1)))
    },
    (reading) => {
      for (let i = 0; i < tries; i++) reading.tryPopBatch(most)
    },
    {
      sometimes: {
        'a batch of several is read': (_, results) => (gotBy(results)?.items.length ?? 0) > 1,
        'nothing is there': (_, results) => gotBy(results)?.items.length === 0,
      },
    },
  )
}

/** The writer pushes one item and then a batch, which lies at the end of the ring and at its beginning; the reader looks twice. */
export function batchAtOnce(shape: Shape, before: number, items: number): Program<Results> {
  return writerAndReaders(
    `push${before}-push-batch${items}-look2`,
    shape,
    (sink) => {
      pushesAll(before)(sink)
      sink.pushBatch(itemsOf(before + 1, items))
    },
    (reading) => {
      for (let look = 0; look < 2; look++) {
        reading.skip(shape.capacity)
        const seen = reading.before + reading.source.available()
        const whole = seen <= before || seen === before + items
        guarantee('lossy-ring/batch-at-once' satisfies Guarantee, whole, `${seen} of ${before} and ${items} items are there`)
      }
      reading.tryPopBatch(before + items)
    },
    { sometimes: { 'the batch is read': (_, results) => gotBy(results)?.items.includes(before + items) === true } },
  )
}

/** No item of any program: what is written into claims that are aborted, or given back. */
const garbage = new Uint8Array(itemBytes).fill(0x77)

/**
 * The writer claims two items, writes them, and aborts; claims two again, writes them in place, and commits one; so many rounds.
 * The reader tries to pop.
 */
export function claiming(shape: Shape, rounds: number, tries: number): Program<Results> {
  return writerAndReaders(
    `claim${rounds}-try${tries}`,
    shape,
    (sink) => {
      for (let round = 1; round <= rounds; round++) {
        sink.claim(2)
        for (const index of [0, 1]) sink.put(index, garbage)
        sink.abort()
        sink.claim(2)
        const item = itemOf(round)
        sink.put(0, item.subarray(1), 1)
        sink.put(0, item.subarray(0, 1))
        sink.commit(1)
      }
    },
    (reading) => {
      for (let i = 0; i < tries; i++) reading.tryPop()
      const seen = reading.before + reading.source.available()
      guarantee(
        'lossy-ring/claims' satisfies Guarantee,
        seen <= rounds,
        `${seen} items are there, at most ${rounds} were committed`,
      )
    },
    {
      sometimes: tries === 0 ? {} : { 'the last is read': (_, results) => gotBy(results)?.items.includes(rounds) === true },
    },
  )
}

/** The writer pushes, and then claims as much as it can, over all of that, and commits it; the reader tries to pop. */
export function claimingAll(shape: Shape, before: number, tries: number): Program<Results> {
  return writerAndReaders(
    `push${before}-claim-all-try${tries}`,
    shape,
    (sink) => {
      pushesAll(before)(sink)
      sink.claim(sink.batchMax)
      for (let index = 0; index < sink.batchMax; index++) sink.put(index, itemOf(before + 1 + index))
      sink.commit()
    },
    (reading) => {
      for (let i = 0; i < tries; i++) reading.tryPop()
    },
    {
      sometimes: {
        'all is lost by a claim': (_, results) => gotBy(results)?.lost === before && gotBy(results)?.items.length === 0,
      },
    },
  )
}

/** The writer pushes and closes; readers read to the end. Readers sleep. */
export function blocking(
  shape: Shape,
  items: number,
  { spins = 0, readers = 1, faults = {} }: { spins?: 0 | 1; readers?: number; faults?: Faults<string> } = {},
): Program<Results> {
  const extras = [spins === 1 ? '-spin1' : '', readers > 1 ? `-${readers}r` : '', faults.spurious ? '-spurious' : '']
  return writerAndReaders(
    `push${items}-close-pop${extras.join('')}`,
    shape,
    (sink) => {
      pushesAll(items)(sink)
      sink.close()
    },
    (reading) => {
      while (reading.pop());
      const end = reading.source.end()
      guarantee('lossy-ring/ends' satisfies Guarantee, end === 'closed', `pop gave up, and the end is ${end}`)
      const { before } = reading
      guarantee('lossy-ring/ends' satisfies Guarantee, before === items, `the end came after ${before} of ${items} items`)
    },
    {
      spins,
      readers,
      faults,
      sometimes: {
        'a reader sleeps': (_, results) => (gotBy(results)?.announced ?? 0) > 0,
        'a reader gets all': (_, results) => gotBy(results)?.items.length === items,
      },
    },
  )
}

/** The writer pushes without an end; readers pop until they have had the last, by `wait` and batches. Readers sleep. */
export function waiting(shape: Shape, items: number, readers = 1, spins: 0 | 1 = 0): Program<Results> {
  const slug: Guarantee = 'lossy-ring/times-out'
  return writerAndReaders(
    `push${items}-wait-pop-batch${readers > 1 ? `-${readers}r` : ''}${spins === 1 ? '-spin1' : ''}`,
    shape,
    pushesAll(items),
    (reading) => {
      while (reading.before < items) {
        guarantee(slug, reading.source.wait() > 0, 'wait gave up without a time-out')
        guarantee(slug, reading.popBatch(Math.min(2, items)) > 0, 'popBatch gave up without a time-out')
      }
    },
    { readers, spins },
  )
}

/** `blocking`, the reader as on an event loop: what would sleep is called again. */
export function retrying(shape: Shape, items: number): Program<Results> {
  const original = blocking(shape, items)
  const threads: Record<string, (memory: Memory) => Put | Got> = {
    ...original.threads,
    reader0: (memory) => {
      const counting = new CountingMemory(new AnonymousMemory(memory))
      const looping = new RetryingMemory(counting)
      const reading = new Reading(LossyRing.attach(looping).source({ spins: 0, from: optionsOf(shape).start }), shape, 0)
      while (looping.retried(() => reading.pop()));
      return reading.got(counting.calls)
    },
  }
  return program<Results>({ ...original, name: `${original.name}-retrying`, threads })
}

/** The reader pops with a time-out, whatever the writer does meanwhile; what was pushed in time is not missed. */
export function popTimesOut(shape: Shape, batch = false): Program<Results> {
  const pushedAt = ownWord(shape)
  const original = writerAndReaders(`pop${batch ? '-batch' : ''}-times-out`, shape, pushesAll(1), () => {})
  return program<Results>({
    ...original,
    threads: {
      writer: (memory) => {
        const put = writing(new AnonymousMemory(memory), shape, pushesAll(1))
        memory.store(pushedAt, 1)
        return put
      },
      reader0: (memory) => {
        const slug: Guarantee = 'lossy-ring/times-out'
        const witness = new WitnessMemory(new AnonymousMemory(memory), slug, (now) => now.load(pushedAt) === 1)
        const reading = new Reading(LossyRing.attach(witness).source({ spins: 0, from: optionsOf(shape).start }), shape, 0)
        witness.attempt<number>(
          'an item that came in time was missed',
          (timeoutMs) => (batch ? reading.popBatch(1, timeoutMs) : Number(reading.pop(timeoutMs))),
          (result) => result === 0,
        )
        return reading.got(witness.calls)
      },
    },
    sometimes: {
      'pop gets the item': (_, results) => gotBy(results)?.items.length === 1,
      'pop gives up': (_, results) => gotBy(results)?.items.length === 0,
      'pop sleeps': (_, results) => gotBy(results)?.announced === 1,
    },
  })
}

/** A reader alone: nobody will push. Everything gives up in time. */
export function givesUpAlone(spins: 0 | 1 = 0): Program<{ alone: readonly number[] }> {
  const shape: Shape = { capacity: 1 }
  return program<{ alone: readonly number[] }>({
    name: `lossy-ring/gives-up-alone${spins === 1 ? '-spin1' : ''}`,
    words: LossyRing.words(optionsOf(shape)),
    setup: (memory) => void LossyRing.create(memory, optionsOf(shape)),
    threads: {
      alone: (memory) => {
        const slug: Guarantee = 'lossy-ring/times-out'
        const witness = new WitnessMemory(new AnonymousMemory(memory), slug, () => false)
        const source = LossyRing.attach(witness).source({ spins })
        const target = new Uint8Array(itemBytes)
        const attempt = (call: (timeoutMs: number) => number) =>
          witness.attempt('there was nothing to be missed', call, (result) => result === 0)
        return [
          attempt((timeoutMs) => Number(source.pop(target, timeoutMs))),
          attempt((timeoutMs) => source.wait(timeoutMs)),
          Number(source.pop(target, 0)),
          source.popBatch(target, -1),
        ]
      },
    },
    finally: (_, { alone }) => {
      guarantee('lossy-ring/times-out' satisfies Guarantee, alone?.join() === '0,0,0,0', `returned ${alone?.join()}`)
    },
  })
}

/** The writer says that it has pushed, by a word of the program's own: then a reader must find that, or what is newer. */
export function visible(shape: Shape, items: number): Program<Results> {
  const pushedAt = ownWord(shape)
  const original = writerAndReaders(`visible${items}`, shape, pushesAll(items), () => {})
  return program<Results>({
    ...original,
    threads: {
      writer: (memory) => {
        const put = writing(new AnonymousMemory(memory), shape, pushesAll(items))
        memory.store(pushedAt, 1)
        return put
      },
      reader0: (memory) => {
        const ring = LossyRing.attach(new AnonymousMemory(memory))
        const reading = new Reading(ring.source({ spins: 0, from: 'oldest' }), shape)
        reading.tryPop()
        const pushed = memory.load(pushedAt) === 1
        while (reading.tryPop());
        const last = reading.items.at(-1)
        guarantee(
          or(shape, 'lossy-ring/publishes' satisfies Guarantee),
          !pushed || last === items,
          `item ${items} was pushed, and not found`,
        )
        return reading.got()
      },
    },
  })
}

/** A reader joins while the writer pushes, or when it says that it has, and reads what there is. */
export function joining(shape: Shape, items: number, from: 'latest' | 'oldest'): Program<Results> {
  const { capacity, block } = optionsOf(shape)
  const pushedAt = ownWord(shape)
  const slug = or(shape, 'lossy-ring/joins' satisfies Guarantee)
  const original = writerAndReaders(`push${items}-join-${from}`, shape, pushesAll(items), () => {})
  return program<Results>({
    ...original,
    threads: {
      writer: (memory) => {
        const put = writing(new AnonymousMemory(memory), shape, pushesAll(items))
        memory.store(pushedAt, 1)
        return put
      },
      reader0: (memory) => {
        const late = memory.load(pushedAt) === 1
        const reading = new Reading(LossyRing.attach(new AnonymousMemory(memory)).source({ spins: 0, from }), shape)
        const least = from === 'latest' ? items : Math.max(0, items - capacity)
        const most = from === 'latest' ? items : Math.max(0, items - capacity + block - 1)
        const begun = reading.from
        guarantee(slug, begun <= most && begun >= (late ? least : 0), `begins after ${begun} of ${items} items`)
        while (reading.tryPop());
        guarantee(slug, !late || reading.source.lost === 0, 'what was there is lost')
        return reading.got()
      },
    },
    sometimes: {
      'it comes early': (_, results) => gotBy(results)?.from === 0,
      ...(from === 'oldest' && items > shape.capacity && { 'it comes late': (_, r) => (gotBy(r)?.from ?? 0) > 0 }),
    },
  })
}

/** The writer pushes; a reader passes over what there is but the newest, reads, and passes over all. */
export function skipping(shape: Shape, items: number): Program<Results> {
  return writerAndReaders(
    `push${items}-skip`,
    shape,
    pushesAll(items),
    (reading) => {
      reading.skip()
      reading.tryPop()
      reading.skip(0)
      reading.tryPop()
    },
    {
      sometimes: {
        'some are skipped': (_, results) => (gotBy(results)?.skipped ?? 0) > 0,
        'the newest is read': (_, results) => gotBy(results)?.items.includes(items) === true,
      },
    },
  )
}

/** A reader that sleeps is killed wherever it is; the writer goes on, and another reader that tries to pop. */
export function readerDies(shape: Shape, items: number, tries: number): Program<Results> {
  const original = writerAndReaders(
    `push${items}-close-reader-dies${tries > 0 ? `-try${tries}` : ''}`,
    shape,
    (sink) => {
      pushesAll(items)(sink)
      sink.close()
    },
    (reading) => {
      while (reading.pop());
    },
    { faults: { kill: ['reader0'] } },
  )
  const reader1 = (memory: Memory): Got => {
    const source = LossyRing.attach(memory).source({ spins: 0, from: optionsOf(shape).start })
    const reading = new Reading(source, shape, 0)
    for (let i = 0; i < tries; i++) reading.tryPop()
    return reading.got()
  }
  return program<Results>({
    ...original,
    ...(tries > 0 && { threads: { ...original.threads, reader1 } }),
    sometimes: {
      'it dies': (_, results) => results.reader0 === undefined && results.writer !== undefined,
      ...(tries > 0 && { 'another one reads': (_, results) => gotBy(results, 1)?.items.at(-1) === items }),
    },
    // Nobody knows whether the dead one had announced itself.
    finally: (memory, results) => atTheEnd(memory, shape, results),
  })
}

const isAlive = (memory: Memory, participant: number): boolean => memory.liveness?.alive(participant) === true

/** How many items were published. */
function publishedIn(memory: Memory, shape: Shape): number {
  const source = LossyRing.attach(memory).source({ spins: 0 })
  return source.position - optionsOf(shape).start
}

/** The writer pushes and closes, unless it is killed; readers read to the end. */
export function writerDies(shape: Shape, items: number, readers = 1): Program<Results> {
  const original = blocking(shape, items, { readers })
  const threads: Record<string, (memory: Memory) => Put | Got> = {
    writer: (memory) =>
      writing(new SlicedMemory(memory), shape, (sink) => {
        pushesAll(items)(sink)
        sink.close()
      }),
  }
  for (let reader = 0; reader < readers; reader++) {
    threads[`reader${reader}`] = (memory) => {
      const counting = new CountingMemory(new SlicedMemory(memory))
      const source = LossyRing.attach(counting).source({ spins: 0, from: optionsOf(shape).start })
      // One that has not come cannot be told from one that died before.
      while (memory.load(words.seat) === 0) {
        if (!isAlive(memory, 0) && memory.load(words.seat) === 0) return new Reading(source, shape, 0).got(counting.calls)
        memory.pause()
      }
      const reading = new Reading(source, shape, 0)
      while (reading.pop());
      const end = reading.source.end()
      guarantee('lossy-ring/ends' satisfies Guarantee, end !== undefined, 'pop gave up, and the stream goes on')
      const all = end === 'closed' ? items : publishedIn(counting, shape)
      guarantee('lossy-ring/ends' satisfies Guarantee, reading.before === all, `the end came after ${reading.before} of ${all}`)
      return reading.got(counting.calls, end)
    }
  }
  return program<Results>({
    ...original,
    name: `${original.name}-writer-dies`,
    threads,
    faults: { kill: ['writer'] },
    sometimes: {
      'the stream is closed': (_, results) => gotBy(results)?.end === 'closed',
      'the stream is abandoned': (_, results) => gotBy(results)?.end === 'abandoned' && results.writer === undefined,
    },
    finally: (memory, results) => {
      for (let reader = 0; reader < readers; reader++) {
        const dead = gotBy(results, reader)?.end !== 'abandoned' || results.writer === undefined
        guarantee('lossy-ring/survives-writer' satisfies Guarantee, dead, 'the stream of a living writer was abandoned')
      }
      const pushed = publishedIn(memory, shape)
      atTheEnd(memory, shape, { ...results, writer: { pushed, announced: 0, notified: 0 } }, true)
    },
  })
}

/** The writer claims, writes and pushes, unless it is killed; then another one takes its place. The reader tries to pop. */
export function writerReplaced(shape: Shape, items: number, tries: number): Program<Results> {
  const doneAt = ownWord(shape)
  const slug: Guarantee = 'lossy-ring/survives-writer'
  const original = writerAndReaders(
    `push${items}-replaced-try${tries}`,
    shape,
    () => {},
    (reading) => {
      for (let i = 0; i < tries; i++) reading.tryPop()
    },
    { faults: { kill: ['writer'] } },
  )
  return program<Results>({
    ...original,
    threads: {
      writer: (memory) => {
        const put = writing(memory, shape, (sink) => {
          for (let n = 1; n <= items; n++) {
            sink.claim()
            sink.put(0, garbage)
            sink.put(0, itemOf(n))
            sink.commit()
          }
        })
        memory.store(doneAt, 1)
        return put
      },
      successor: (memory) => {
        const nothing: Put = { pushed: 0, announced: 0, notified: 0 }
        while (isAlive(memory, 0)) {
          if (memory.load(doneAt) === 1) return nothing
          memory.pause()
        }
        if (memory.load(doneAt) === 1) return nothing
        return writing(memory, shape, (sink) => {
          const before = sink.position - optionsOf(shape).start
          guarantee(slug, before >= 0 && before <= items, `the dead writer pushed ${before} of ${items} items`)
          for (let n = before + 1; n <= items; n++) sink.push(itemOf(n))
        })
      },
      reader0: original.threads.reader0 as (memory: Memory) => Got,
    },
    sometimes: {
      'another one takes its place': (_, results) => (results.successor as Put | undefined)?.pushed === items,
    },
    finally: (memory, results) => {
      const pushed = publishedIn(memory, shape)
      guarantee(slug, pushed === items, `${pushed} of ${items} items were pushed`)
      atTheEnd(memory, shape, { ...results, writer: { pushed, announced: 0, notified: 0 } })
    },
  })
}

/** Whether the sink is granted. */
function getsSink(memory: Memory): boolean {
  try {
    LossyRing.attach(memory).sink()
    return true
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('LossyRing.sink')) return false
    throw error
  }
}

/** Two threads ask for the sink; the first may be killed. */
export function oneSink(faults: Faults<'first' | 'second'> = {}): Program<Record<'first' | 'second', boolean>> {
  const shape: Shape = { capacity: 1 }
  const dying = faults.kill !== undefined
  const take = (memory: Memory) => getsSink(dying ? memory : new AnonymousMemory(memory))
  return program<Record<'first' | 'second', boolean>>({
    name: `lossy-ring/one-sink${dying ? '-dies' : ''}`,
    words: LossyRing.words(optionsOf(shape)),
    setup: (memory) => void LossyRing.create(memory, optionsOf(shape)),
    threads: { first: take, second: take },
    faults,
    sometimes: {
      'the first gets it': (_, { first }) => first === true,
      'the second gets it': (_, { second }) => second === true,
    },
    finally: (_, { first, second }) => {
      const slug: Guarantee = 'lossy-ring/handed-out-once'
      if (first !== undefined) guarantee(slug, first !== second, `sinks handed out: ${Number(first) + Number(second)}`)
    },
  })
}

/** Nobody gets the sink of a stream that was closed. */
export function closedSink(): Program<{ only: boolean }> {
  const shape: Shape = { capacity: 1 }
  return program<{ only: boolean }>({
    name: 'lossy-ring/closed-sink',
    words: LossyRing.words(optionsOf(shape)),
    setup: (memory) => {
      LossyRing.create(memory, optionsOf(shape)).sink().close()
      memory.store(words.seat, 0)
    },
    threads: { only: (memory) => getsSink(new AnonymousMemory(memory)) },
    finally: (_, { only }) => guarantee('lossy-ring/ends' satisfies Guarantee, only === false, 'a closed stream goes on'),
  })
}

const created: Shape = { capacity: 4, block: 2, start: 2 ** 33 + 2 ** 29 + 1 }

/** How a lossy ring is made and joined. It begins in the middle of a block. */
export const creation: Creation = {
  slug: 'lossy-ring/attaches' satisfies Guarantee,
  name: 'Lossy',
  words: LossyRing.words(optionsOf(created)),
  create: (memory) => void LossyRing.create(memory, optionsOf(created)),
  attach: (memory) => {
    const ring = LossyRing.attach(memory)
    const { start } = optionsOf(created)
    const sources = (['latest', 'oldest', start] as const).map((from) => ring.source({ spins: 0, from }))
    const begun = sources.map(({ position }) => position - start).join()
    if (begun !== '0,0,0') return `begun at ${begun}`
    const sink = ring.sink()
    sink.push(itemOf(1))
    const target = new Uint8Array(itemBytes)
    const found = sources.map((source) => (source.tryPop(target) ? target[0] : 0)).join()
    return [ring.capacity, ring.itemBytes, ring.block, sink.position - start, found].join(' ')
  },
  found: `4 ${itemBytes} 2 1 1,1,1`,
  parameters: ['capacity', 'itemBytes', 'block', 'low half of the start', 'high half of the start'],
  state: {
    'where writing begins': words.written,
    'that the sink is free': words.seat,
    'which half it is': words.halves,
    'which block it is in': words.block(2 ** 28 % 2),
  },
}
