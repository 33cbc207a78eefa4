import { guarantee } from '../../checker/guarantee.ts'
import { ForwardingMemory } from '../../core/forwarding-memory.ts'
import { RecordRing, type RecordRingOptions } from '../../core/index.ts'
import { lineWords } from '../../core/layout.ts'
import type { Memory } from '../../core/memory.ts'
import { RecordRingLayout, requireShape } from '../../core/record-ring-layout.ts'
import { RecordSink } from '../../core/record-ring-sink.ts'
import { RecordSource } from '../../core/record-ring-source.ts'
import { type Mark, type Program, program } from '../../model/program.ts'
import { type Outcome, type Sequential, sequential } from '../../model/sequential.ts'
import type { Creation } from '../creation.ts'
import {
  AnonymousMemory,
  type Calls,
  CountingMemory,
  everyNotifyWasAskedFor,
  RetryingMemory,
  WitnessMemory,
} from '../memories.ts'
import type { Guarantee } from './guarantees.ts'

/** Small programs around a record ring whose ends are there from the beginning. Each thread has one, and makes a few calls. */

/** Positions count modulo 2^30, and a word changes its sign half-way: starts just below either place. */
export const belowSignChange: number = 2 ** 29 - 1
export const belowWrap: number = 2 ** 30 - 1

export interface Shape {
  readonly slots: number
  readonly sinks?: number
  readonly start?: number
}

export function optionsOf({ slots, sinks = 1, start = 0 }: Shape): RecordRingOptions {
  return { bytes: 64 * slots, sinks, start }
}

/** Where the words of a ring at word 0 are. */
export interface Words {
  readonly tail: number
  readonly era: number
  readonly head: number
  readonly known: number
  readonly sourceSeat: number
  readonly joins: number
  seat(sink: number): number
  intent(sink: number): number
  frame(slot: number): number
  length(slot: number): number
  bytes(slot: number): number
  /** A line of the program's own. */
  readonly own: number
}

export function wordsOf(shape: Shape): Words {
  const layout = layoutOf(new ForwardingMemory({ words: 0 } as Memory), shape)
  const frame = (slot: number) => layout.frameAt(4 * slot)
  const seat = (sink: number) => layout.seatsAt + sink * lineWords
  return {
    tail: layout.tailAt,
    era: layout.eraAt,
    head: layout.headAt,
    known: layout.knownAt,
    sourceSeat: layout.sourceSeatAt,
    joins: layout.joinsAt,
    seat,
    intent: (sink) => seat(sink) + 1,
    frame,
    length: (slot) => frame(slot) + 1,
    bytes: (slot) => layout.byteAt(4 * slot) / 4,
    own: RecordRing.words(optionsOf(shape)),
  }
}

export function layoutOf(memory: Memory, shape: Shape): RecordRingLayout {
  return new RecordRingLayout(memory, 0, requireShape(optionsOf(shape)))
}

/** A sink that has its seat already, so that programs are not about coming. */
export function sinkOf(memory: Memory, shape: Shape, sink: number, spins: 0 | 1 = 0): RecordSink {
  return new RecordSink(layoutOf(memory, shape), wordsOf(shape).seat(sink), { spins, wait: 'park' })
}

/** Likewise the source. */
export function sourceOf(memory: Memory, shape: Shape, spins: 0 | 1 = 0): RecordSource {
  return new RecordSource(layoutOf(memory, shape), { spins, wait: 'park' })
}

/** A ring with ends that are taken: by participants where these are given, the source first, or else by the anonymous. */
export function createTaken(memory: Memory, shape: Shape, participants?: readonly number[]): void {
  RecordRing.create(memory, optionsOf(shape))
  const { sourceSeat, seat, joins } = wordsOf(shape)
  const { sinks = 1 } = shape
  const holder = (end: number) => (participants === undefined ? 2 * 0x7fffffff : 2 * ((participants[end] as number) + 1))
  memory.store(sourceSeat, holder(0))
  for (let sink = 0; sink < sinks; sink++) memory.store(seat(sink), holder(1 + sink))
  memory.store(joins, 4 * sinks)
}

/** The record with a number. It says how long it is; one without bytes says nothing, and has the number 0. */
export function recordOf(n: number, length = 5): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i === 1 ? length : n + i * 0x55) & 0xff)
}

/**
 * The number of a record, which must be whole.
 *
 * @param orEmpty whether there may be records without bytes
 */
export function numberOf(bytes: Uint8Array, orEmpty = false): number {
  const [n = 0] = bytes
  guarantee(
    'record-ring/whole' satisfies Guarantee,
    bytes.join() === recordOf(n, bytes.length).join() && (bytes.length > 0 || orEmpty),
    `the bytes ${bytes.join(' ')} are no record`,
  )
  return n
}

/** What a thread did: the records that it pushed and read, by number. */
export interface Share extends Calls {
  readonly pushed: readonly number[]
  readonly read: readonly number[]
}

export type Shares = Record<string, Share>

/** Threads sleep on frames too, wherever these stand. */
class CountingFramesMemory extends CountingMemory {
  protected override announces(_word: number, expected: number, replacement: number): boolean {
    return replacement === (expected | 1) && replacement !== expected
  }
}

/**
 * What a sink can do. Each record has a number of its own; a long one takes two slots, as one that is a byte over one slot. `tryTwice`
 * passes two pushes off as a batch.
 */
export type SinkCall =
  | 'tryPush'
  | 'tryPushEmpty'
  | 'tryPushExact'
  | 'tryPushOver'
  | 'tryPushExactLong'
  | 'push'
  | 'tryPushLong'
  | 'pushLong'
  | 'tryBatch'
  | 'tryTwice'
  | 'tryClaim'
  | 'tryClaimLong'
  | 'commit'
  | 'abort'
  | 'close'
/** What the source can do. `tryPopAny` knows that there are records without bytes. `tryTwo` looks for two records and consumes both at once, or none. */
export type SourceCall = 'tryPop' | 'tryPopAny' | 'pop' | 'drain' | 'tryTwo' | 'close'

export type Threads = Readonly<Record<string, readonly SinkCall[] | readonly SourceCall[]>>

/** The thread that has the source; all others have sinks. */
export const reader = 'source'

/** How long a record is: where nothing is said, not a multiple of the 64 bytes of a slot. */
function lengthIn(call: SinkCall): number {
  if (call === 'tryPushEmpty') return 0
  if (call === 'tryPushExact') return 64
  if (call === 'tryPushOver') return 65
  if (call === 'tryPushExactLong') return 128
  return call.endsWith('Long') ? 69 : 5
}

/** What is in its place in the queue: a record with a number, or padding. `by` says who has not finished it. */
interface Entry {
  readonly number?: number
  readonly slots: number
  readonly by?: string
}

interface Contents {
  readonly entries: readonly Entry[]
  /** Where the next slot is. */
  readonly at: number
  readonly sinks: number
  readonly refuses: boolean
}

/**
 * A plain queue of claims.
 *
 * @param relaxed whether `tryPop` may find nothing although there is something: where a push is no claim and commit, but one
 * operation, others may stand behind it that came back already
 */
export function queueOf(shape: Shape, sinks: number, relaxed: boolean): Sequential<Contents> {
  const { slots, start = 0 } = shape
  const used = (entries: readonly Entry[]) => entries.reduce((sum, entry) => sum + entry.slots, 0)
  const isPadding = (entry: Entry | undefined) => entry !== undefined && entry.number === undefined && entry.by === undefined
  /** The source frees padding whenever it looks. */
  const withoutPadding = (entries: readonly Entry[]): readonly Entry[] =>
    isPadding(entries[0]) ? withoutPadding(entries.slice(1)) : entries

  /** Claims for so many slots in order: the contents, or undefined where they do not fit. */
  const claimed = (contents: Contents, sizes: readonly number[], entry: (index: number) => Omit<Entry, 'slots'>) => {
    let { at } = contents
    const entries = [...contents.entries]
    sizes.forEach((size, i) => {
      if (at + size > slots) {
        // Published with what comes after it.
        entries.push({ slots: slots - at, ...(entry(i).by !== undefined && { by: entry(i).by as string }) })
        at = 0
      }
      entries.push({ slots: size, ...entry(i) })
      at = (at + size) % slots
    })
    return used(entries) <= slots ? { ...contents, entries, at } : undefined
  }
  const claim = (
    contents: Contents,
    result: unknown,
    sizes: readonly number[],
    entry: (index: number) => Omit<Entry, 'slots'>,
  ): readonly Outcome<Contents>[] => {
    if (contents.refuses) return [{ state: contents, result: 'refused' }]
    const state = claimed(contents, sizes, entry)
    if (state !== undefined) return [{ state, result }]
    // The source may have passed over padding just now.
    const passed = { ...contents, entries: withoutPadding(contents.entries) }
    const after = passed.entries.length < contents.entries.length ? claimed(passed, sizes, entry) : undefined
    return after === undefined ? [] : [{ state: after, result }]
  }
  const orNothing = (contents: Contents, outcomes: readonly Outcome<Contents>[], nothing: unknown = false) =>
    claimed(contents, [1], () => ({})) === undefined || outcomes.length === 0
      ? [...outcomes, { state: contents, result: nothing }]
      : outcomes

  const push = (size: number) => (contents: Contents, number: number) => claim(contents, true, [size], () => ({ number }))
  const tryPush = (size: number) => (contents: Contents, number: number) => {
    const outcomes = push(size)(contents, number)
    // It fails only where it does not fit as things are.
    return claimed(contents, [size], () => ({})) === undefined && !contents.refuses
      ? [...outcomes, { state: contents, result: false }]
      : outcomes
  }
  const tryClaim = (size: number) => (contents: Contents, number: number, by: string) => {
    const outcomes = claim(contents, true, [size], () => ({ number, by }))
    return claimed(contents, [size], () => ({})) === undefined && !contents.refuses
      ? [...outcomes, { state: contents, result: false }]
      : outcomes
  }
  const finish =
    (isCommitted: boolean) =>
    (contents: Contents, _: unknown, by: string): Outcome<Contents> => {
      const entries = contents.entries.map((entry): Entry => {
        if (entry.by !== by) return entry
        return isCommitted && entry.number !== undefined ? { number: entry.number, slots: entry.slots } : { slots: entry.slots }
      })
      return { state: { ...contents, entries } }
    }
  /** The records that are ready, in order. */
  const ready = (contents: Contents): readonly number[] => {
    const until = contents.entries.findIndex(({ by }) => by !== undefined)
    return (until < 0 ? contents.entries : contents.entries.slice(0, until)).flatMap(({ number }) => number ?? [])
  }
  const without = (contents: Contents, count: number): Contents => {
    let entries = withoutPadding(contents.entries)
    for (let i = 0; i < count; i++) entries = withoutPadding(entries).slice(1)
    return { ...contents, entries }
  }
  const pop = (contents: Contents): readonly Outcome<Contents>[] => {
    const [first] = ready(contents)
    if (first !== undefined) return [{ state: without(contents, 1), result: first }]
    return contents.sinks === 0 ? [{ state: contents, result: 'the end' }] : []
  }

  return sequential<Contents>({
    initial: { entries: [], at: start % slots, sinks, refuses: false },
    operations: {
      tryPush: tryPush(1),
      tryPushEmpty: tryPush(1),
      tryPushExact: tryPush(1),
      tryPushOver: tryPush(2),
      tryPushExactLong: tryPush(2),
      tryPushLong: tryPush(2),
      push: push(1),
      pushLong: push(2),
      tryBatch: (contents, number: number) => {
        const both = claim(contents, 2, [1, 1], (i) => ({ number: number + i }))
        if (both.length > 0) return both
        return orNothing(
          contents,
          claim(contents, 1, [1], () => ({ number })),
          0,
        )
      },
      tryClaim: tryClaim(1),
      tryClaimLong: tryClaim(2),
      commit: finish(true),
      abort: finish(false),
      closeSink: (contents) => ({ state: { ...contents, sinks: contents.sinks - 1 } }),
      close: (contents) => ({ state: { ...contents, refuses: true } }),
      tryPop: (contents) => {
        const nothing = { state: without(contents, 0), result: false }
        // Padding before what is not there yet stays.
        const nothingYet = relaxed ? [{ state: contents, result: false }] : []
        const [first] = ready(contents)
        if (first === undefined) return [nothing, ...nothingYet]
        const popped = { state: without(contents, 1), result: first }
        return relaxed ? [popped, nothing, ...nothingYet] : popped
      },
      pop,
      tryTwo: (contents) => {
        const [first, second] = ready(contents)
        const nothing = { state: without(contents, 0), result: false }
        if (second === undefined) return nothing
        const both = { state: without(contents, 2), result: `${first},${second}` }
        return relaxed ? [both, nothing] : both
      },
      // It looks at one after the other, and something may come behind it.
      drain: (contents) =>
        [0, ...ready(contents)].map((_, i, all) => ({
          state: without(contents, i),
          result: all.slice(1, i + 1).join(),
        })),
    },
  })
}

const refusal = 'RecordSink: the source was closed'

/** Makes the calls of a sink, and says of each what came of it. */
export function makeSinkCalls(sink: RecordSink, calls: readonly SinkCall[], first: number, mark: Mark, make: Make): number[] {
  const pushed: number[] = []
  let claimed = 0
  calls.forEach((call, i) => {
    const n = call === 'tryPushEmpty' ? 0 : first + 2 * i
    if (call === 'tryTwice') {
      for (const one of [n, n + 1]) pushed.push(...makeSinkCalls(sink, ['tryPush'], one, mark, make))
      return
    }
    const name = call === 'close' ? 'closeSink' : call
    mark('call', name, n)
    let result: unknown
    try {
      switch (call) {
        case 'tryPush':
        case 'tryPushEmpty':
        case 'tryPushExact':
        case 'tryPushOver':
        case 'tryPushExactLong':
        case 'tryPushLong':
          result = sink.tryPush(recordOf(n, lengthIn(call)))
          break
        case 'push':
        case 'pushLong':
          result = make(() => sink.push(recordOf(n, lengthIn(call))))
          break
        case 'tryBatch':
          result = sink.tryPushBatch([recordOf(n), recordOf(n + 1)])
          break
        case 'tryClaim':
        case 'tryClaimLong':
          result = sink.tryClaim(lengthIn(call))
          if (result === true) {
            claimed = n
            const record = recordOf(n, lengthIn(call))
            sink.put(record.subarray(2), 2)
            sink.put(record.subarray(0, 2))
          } else claimed = 0
          break
        case 'commit':
          if (claimed > 0) sink.commit()
          break
        case 'abort':
          sink.abort()
          break
        case 'close':
          sink.close()
          break
      }
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith(refusal))) throw error
      result = 'refused'
    }
    if (result === true && !call.startsWith('tryClaim')) pushed.push(n)
    if (typeof result === 'number') for (let k = 0; k < result; k++) pushed.push(n + k)
    if (call === 'commit' && claimed > 0) pushed.push(claimed)
    if (call === 'commit' || call === 'abort') claimed = 0
    mark('return', name, result)
  })
  return pushed
}

/** Makes the calls of a source. */
export function makeSourceCalls(source: RecordSource, calls: readonly SourceCall[], mark: Mark, make: Make): number[] {
  const read: number[] = []
  for (const call of calls) {
    const name = call === 'tryPopAny' ? 'tryPop' : call
    mark('call', name)
    let result: unknown
    if (call === 'close') {
      source.close()
    } else if (call === 'drain') {
      const drained: number[] = []
      // In place: what is there is read again, and consumed with the rest.
      source.drain((_, length) => {
        const target = new Uint8Array(length)
        source.readInto(target, drained.length)
        drained.push(numberOf(target))
      })
      read.push(...drained)
      result = drained.join()
    } else if (call === 'tryTwo') {
      result = false
      if (source.peek(1)) {
        const two = [0, 1].map((index) => {
          const target = new Uint8Array(source.length(index))
          source.readInto(target, index)
          return numberOf(target)
        })
        source.advance(2)
        read.push(...two)
        result = two.join()
      }
    } else {
      const record = call === 'pop' ? make(() => source.pop()) : source.tryPop()
      if (record !== undefined) {
        read.push(numberOf(record, call === 'tryPopAny'))
        result = read.at(-1)
      } else if (call !== 'pop') result = false
      else {
        result = 'the end'
        const end = source.end()
        guarantee('record-ring/ends' satisfies Guarantee, end === 'closed', `pop gave up, and the end is ${end}`)
      }
    }
    mark('return', name, result)
  }
  return read
}

type Make = <T>(call: () => T) => T

interface Extra extends Pick<Program<Shares>, 'sometimes'> {
  readonly spins?: 0 | 1
  readonly faults?: { readonly spurious: true }
  /** Threads call as on an event loop. */
  readonly retries?: boolean
  readonly relaxed?: boolean
}

/** Where the threads have ends, the number of each: the source, or the first record of a sink. */
export const firstOf = (sink: number): number => 16 * (sink + 1)

/** Threads make calls; whatever comes of it is what a plain queue would have done. */
function base(name: string, shape: Shape, threads: Threads, extra: Extra = {}): Program<Shares> {
  const { spins = 0, faults, sometimes, retries = false, relaxed = false } = extra
  const sinks = Object.keys(threads).filter((thread) => thread !== reader)
  const whole = { ...shape, sinks: sinks.length }
  const bodies = Object.entries(threads).map(([thread, calls]) => {
    const body = (memory: Memory, mark: Mark): Share => {
      const counting = new CountingFramesMemory(new AnonymousMemory(memory))
      const looping = new RetryingMemory(counting)
      const seen = retries ? looping : counting
      const make: Make = retries ? (call) => looping.retried(call) : (call) => call()
      if (thread === reader) {
        const read = makeSourceCalls(sourceOf(seen, whole, spins), calls as readonly SourceCall[], mark, make)
        return { pushed: [], read, ...counting.calls }
      }
      const index = sinks.indexOf(thread)
      const sink = sinkOf(seen, whole, index, spins)
      const pushed = makeSinkCalls(sink, calls as readonly SinkCall[], firstOf(index), mark, make)
      return { pushed, read: [], ...counting.calls }
    }
    return [thread, body]
  })
  return program<Shares>({
    name: `record-ring/${name}/slots${shape.slots}${startName(shape)}`,
    words: RecordRing.words(optionsOf(whole)),
    setup: (memory) => createTaken(memory, whole),
    threads: Object.fromEntries(bodies),
    ...(sometimes && { sometimes }),
    ...(faults && { faults }),
    history: {
      specification: queueOf(shape, sinks.length, relaxed),
      guarantee: wraps(shape) ?? ('record-ring/linearizable' satisfies Guarantee),
    },
    finally: (memory, results) => {
      const shares = Object.keys(threads).map((thread) => results[thread] as Share)
      everyNotifyWasAskedFor('record-ring/notifies-sleepers-only' satisfies Guarantee, shares)
      const orEmpty = Object.values(threads).some((calls: readonly string[]) => calls.includes('tryPopAny'))
      if ((memory.load(wordsOf(whole).head) & 2) === 0) everythingIsThere(whole, memory, shares, orEmpty)
    },
  })
}

/** All that was pushed was read, or is still there, once. */
function everythingIsThere(shape: Shape, memory: Memory, shares: readonly Share[], orEmpty: boolean): void {
  const slug = wraps(shape) ?? ('record-ring/in-order' satisfies Guarantee)
  // Everything is published. Where nobody can die, only the source itself knows that, if it is within a batch.
  const { known, tail } = wordsOf(shape)
  memory.store(known, memory.load(tail) & -4)
  const found = [...shares.flatMap(({ read }) => read), ...rest(new AnonymousMemory(memory), shape, orEmpty)]
  for (const { pushed } of shares) {
    const own = found.filter((n) => pushed.includes(n))
    guarantee(slug, own.join() === pushed.join(), `pushed ${pushed.join()}, found ${own.join()}`)
  }
  found.forEach((n, i) => {
    // Only the second of a batch has an odd number.
    if (n % 2 === 1) guarantee('record-ring/batch-at-once' satisfies Guarantee, found[i - 1] === n - 1, `found ${found.join()}`)
  })
  const pushed = shares.reduce((sum, share) => sum + share.pushed.length, 0)
  guarantee(slug, found.length === pushed, `found ${found.join()}`)
}

/** What a source would read now. */
export function rest(memory: Memory, shape: Shape, orEmpty = false): number[] {
  const source = sourceOf(memory, shape)
  const numbers: number[] = []
  for (let record = source.tryPop(); record !== undefined; record = source.tryPop()) numbers.push(numberOf(record, orEmpty))
  return numbers
}

/** In a program that crosses a wrap, what goes wrong is put down to the wrap. */
export function wraps({ start }: Shape): Guarantee | undefined {
  return start === belowWrap || start === belowSignChange ? ('record-ring/wraps' satisfies Guarantee) : undefined
}

export function startName({ start = 0 }: Shape): string {
  return start === belowWrap ? '-wrap' : start === belowSignChange ? '-sign' : start > 0 ? `-from${start}` : ''
}

const times = <Call>(count: number, call: Call): readonly Call[] => Array.from({ length: count }, () => call)
const read = (share: Share | undefined): number => share?.read.length ?? 0
const pushed = (share: Share | undefined): number => share?.pushed.length ?? 0

/** One thread tries to push, the other to pop, so many times. */
export function trying(shape: Shape, tries: number): Program<Shares> {
  return base(
    `try${tries}`,
    shape,
    { sink: times(tries, 'tryPush'), source: times(tries, 'tryPop') },
    {
      sometimes: {
        'all goes through': (_, { source }) => read(source) === tries,
        'the ring is empty': (_, { source }) => read(source) < tries,
        ...(tries > shape.slots && { 'the ring is full': (_, { sink }) => pushed(sink) < tries }),
      },
    },
  )
}

/** Records of one slot and of two: where one does not fit before the end, it leaves padding. */
export function tryingLong(shape: Shape): Program<Shares> {
  return base(
    'long',
    shape,
    { sink: ['tryPushLong', 'tryPush', 'tryPushLong'], source: ['tryPop', 'tryPop'] },
    {
      sometimes: {
        'all fit': (_, { sink }) => pushed(sink) === 3,
        'not all fit': (_, { sink }) => pushed(sink) < 3,
      },
    },
  )
}

/** Records that fill their slots to the last byte, or have none: the last one may find the ring exactly full. */
export function fitting(shape: Shape, pushes: readonly SinkCall[], pops: number): Program<Shares> {
  const names = pushes.map((call) => call.replace('tryPush', '').toLowerCase())
  return base(
    `fit-${names.join('-')}`,
    shape,
    { sink: pushes, source: times(pops, 'tryPopAny') },
    {
      sometimes: {
        'all fit': (_, { sink }) => pushed(sink) === pushes.length,
        'the first is read': (_, { source }) => read(source) > 0,
      },
    },
  )
}

/** Two threads try to push, one to pop. */
export function twoSinks(shape: Shape, tries: number): Program<Shares> {
  const threads: Threads = { first: ['tryPush'], second: ['tryPush'], source: times(tries, 'tryPop') }
  return base(`two-sinks-try${tries}`, shape, threads, {
    relaxed: true,
    sometimes: {
      'the second comes first': (_, { source }) => source?.read[0] === firstOf(1),
      'one is read': (_, { source }) => read(source) === 1,
    },
  })
}

/** Two threads claim, and finish later; one commits, the other does this. */
export function claiming(
  shape: Shape,
  end: 'commit' | 'abort',
  tries: number,
  size: 'tryClaim' | 'tryClaimLong' = 'tryClaim',
): Program<Shares> {
  const threads: Threads = { first: [size, 'commit'], second: ['tryClaim', end], source: times(tries, 'tryPop') }
  return base(`claim-${end}${size === 'tryClaimLong' ? '-long' : ''}-try${tries}`, shape, threads, {
    sometimes: {
      'the second finishes first': (_, { source }) => source !== undefined && read(source) === 0,
      ...(end === 'commit' && { 'both are read': (_, { source }) => read(source) === 2 || tries < 2 }),
    },
  })
}

/** A claimed record is aborted, and the room is used again. */
export function aborting(shape: Shape): Program<Shares> {
  return base('abort', shape, { sink: ['tryClaim', 'abort', 'tryPush'], source: times(2, 'tryPop') })
}

/** A batch of two, and a record of another thread. */
export function batching(shape: Shape, call: 'tryBatch' | 'tryTwice' = 'tryBatch'): Program<Shares> {
  const threads: Threads = { first: [call], second: ['tryPush'], source: ['tryTwo'] }
  return base(call === 'tryBatch' ? 'batch' : 'two-as-a-batch', shape, threads, {
    relaxed: true,
    sometimes: {
      'both come together': (_, { source }) => source?.read.join() === `${firstOf(0)},${firstOf(0) + 1}`,
      'the other one comes first': (_, { source }) => source?.read[0] === firstOf(1),
    },
  })
}

/** A batch of two goes through a ring that may not have room for it, by itself. */
export function tryingBatch(shape: Shape): Program<Shares> {
  return base(
    'try-batch',
    shape,
    { sink: ['tryPush', 'tryBatch'], source: ['tryPop', 'drain'] },
    {
      sometimes: {
        'both fit': (_, { sink }) => pushed(sink) === 3,
        ...(shape.slots === 2 && { 'one fits': (_, { sink }) => pushed(sink) === 2 }),
      },
    },
  )
}

/** A thread pushes more than fits, another pops all; both sleep. */
export function blocking(shape: Shape, records: number, spins: 0 | 1 = 0, spurious = false): Program<Shares> {
  return base(
    `push${records}-pop${records}${spins === 1 ? '-spin1' : ''}${spurious ? '-spurious' : ''}`,
    shape,
    { sink: times(records, 'push'), source: times(records, 'pop') },
    {
      spins,
      ...(spurious && { faults: { spurious: true } }),
      sometimes: { 'somebody sleeps': (_, results) => Object.values(results).some((share) => (share?.announced ?? 0) > 0) },
    },
  )
}

/** `blocking`, each thread as on an event loop: what would sleep is called again. */
export function retrying(shape: Shape, records: number): Program<Shares> {
  return base(
    `push${records}-pop${records}-retrying`,
    shape,
    { sink: times(records, 'push'), source: times(records, 'pop') },
    { retries: true },
  )
}

/** Two threads push one each, sleeping; one pops both. */
export function blockingSinks(shape: Shape): Program<Shares> {
  return base('two-push1-pop2', shape, { first: ['push'], second: ['push'], source: ['pop', 'pop'] })
}

/** A thread pushes a record of two slots, another one shorter ones, a third one pops all. All sleep, and each is woken. */
export function blockingLong(shape: Shape): Program<Shares> {
  return base('push-long-push1-pop2', shape, { first: ['pushLong'], second: ['push'], source: ['pop', 'pop'] })
}

/** A thread pushes, and closes; another pops to the end. */
export function closing(shape: Shape, records: number): Program<Shares> {
  const threads: Threads = { sink: [...times<SinkCall>(records, 'push'), 'close'], source: times(records + 1, 'pop') }
  return base(`push${records}-close`, shape, threads)
}

/** Two threads close, one of them with a record; another pops to the end. */
export function closingBoth(shape: Shape): Program<Shares> {
  return base('two-close', shape, { first: ['push', 'close'], second: ['close'], source: ['pop', 'pop'] })
}

/** A thread closes with a claim, which so is aborted. */
export function closingClaimed(shape: Shape): Program<Shares> {
  const threads: Threads = { sink: ['tryClaim', 'close'], source: ['pop'] }
  return base('claim-close', shape, threads)
}

/** The source closes while threads push more than fits. */
export function refusing(shape: Shape): Program<Shares> {
  return base(
    'push-refused',
    shape,
    { sink: times(shape.slots + 1, 'push'), source: ['close'] },
    {
      sometimes: {
        'the close wakes': (_, { sink }) => pushed(sink) === shape.slots && sink?.announced === 1,
        'the close comes first': (_, { sink }) => pushed(sink) === 0,
      },
    },
  )
}

/** One thread has both ends: what it cannot do, nobody will make possible. Everything gives up in time. */
export function givesUpAlone(spins: 0 | 1 = 0): Program<{ alone: readonly unknown[] }> {
  const shape: Shape = { slots: 1 }
  return program<{ alone: readonly unknown[] }>({
    name: `record-ring/gives-up-alone${spins === 1 ? '-spin1' : ''}`,
    words: RecordRing.words(optionsOf(shape)),
    setup: (memory) => createTaken(memory, shape),
    threads: {
      alone: (memory) => {
        const slug = 'record-ring/times-out' satisfies Guarantee
        const witness = new WitnessMemory(new AnonymousMemory(memory), slug, () => false)
        const [sink, source] = [sinkOf(witness, shape, 0, spins), sourceOf(witness, shape, spins)]
        const attempt = (call: (timeoutMs: number) => boolean) =>
          witness.attempt('there was nothing to be missed', call, (result) => !result)
        return [
          attempt((timeoutMs) => source.wait(timeoutMs)),
          attempt((timeoutMs) => sink.push(recordOf(1), timeoutMs)),
          attempt((timeoutMs) => sink.push(recordOf(2), timeoutMs)),
          attempt((timeoutMs) => sink.pushBatch([recordOf(2)], timeoutMs) === 1),
          sink.push(recordOf(2), 0),
          source.pop(0)?.length,
          source.pop(0)?.length,
        ]
      },
    },
    finally: (_, { alone }) => {
      const expected = 'false,true,false,false,false,5,'
      guarantee('record-ring/times-out' satisfies Guarantee, alone?.join() === expected, `returned ${alone?.join()}`)
    },
  })
}

/** A thread pops with a time-out, another pushes and says so: what came in time is not missed. */
export function popTimesOut(): Program<{ sink: Calls; source: Calls & { readonly number: number } }> {
  const shape: Shape = { slots: 1 }
  const { own } = wordsOf(shape)
  return program<{ sink: Calls; source: Calls & { readonly number: number } }>({
    name: 'record-ring/pop-times-out',
    words: RecordRing.words(optionsOf(shape)) + lineWords,
    setup: (memory) => createTaken(memory, shape),
    threads: {
      sink: (memory) => {
        const counting = new CountingFramesMemory(new AnonymousMemory(memory))
        sinkOf(counting, shape, 0).push(recordOf(1))
        memory.store(own, 1)
        return counting.calls
      },
      source: (memory) => {
        const slug = 'record-ring/times-out' satisfies Guarantee
        const counting = new CountingFramesMemory(new AnonymousMemory(memory))
        const witness = new WitnessMemory(counting, slug, (now) => now.load(own) === 1)
        const source = sourceOf(witness, shape)
        const record = witness.attempt(
          'a record that came in time was missed',
          (timeoutMs) => source.pop(timeoutMs),
          (result) => result === undefined,
        )
        return { number: record === undefined ? 0 : numberOf(record), ...counting.calls }
      },
    },
    sometimes: {
      'pop gets the record': (_, { source }) => source?.number === 1,
      'pop gives up': (_, { source }) => source?.number === 0,
    },
    finally: (_, { sink, source }) =>
      everyNotifyWasAskedFor('record-ring/notifies-sleepers-only' satisfies Guarantee, [sink, source]),
  })
}

/** How a record ring is made and joined. */
export const creation: Creation = {
  slug: 'record-ring/attaches' satisfies Guarantee,
  name: 'RecordRing',
  words: RecordRing.words(optionsOf({ slots: 2 })),
  create: (memory) => void RecordRing.create(memory, optionsOf({ slots: 2 })),
  attach: (memory) => {
    const ring = RecordRing.attach(memory)
    const { tail, era, head, known, sourceSeat, joins, seat, intent, frame } = wordsOf({ slots: 2 })
    const state = [tail, era, head, known, sourceSeat, joins, seat(0), intent(0), frame(0), frame(1)]
    const found = state.map((word) => memory.load(word)).join()
    if (found !== '0,0,0,0,0,0,0,1,0,0') return found
    const [sink, source] = [ring.sink({ spins: 0 }), ring.source({ spins: 0 })]
    const results = [1, 2, 3].map((n) => sink.tryPush(recordOf(n)))
    return [ring.bytes, ring.sinks, ...results, ...[1, 2, 3].map(() => source.tryPop()?.[0])].join(' ')
  },
  found: '128 1 true true false 1 2 ',
  parameters: ['slots', 'sinks'],
  state: {
    'where pushing begins': wordsOf({ slots: 2 }).tail,
    'which era it is': wordsOf({ slots: 2 }).era,
    'where reading begins': wordsOf({ slots: 2 }).head,
    'what is known': wordsOf({ slots: 2 }).known,
    'that nobody reads': wordsOf({ slots: 2 }).sourceSeat,
    'that nobody came': wordsOf({ slots: 2 }).joins,
    'that the seat is free': wordsOf({ slots: 2 }).seat(0),
    'that nothing is claimed there': wordsOf({ slots: 2 }).intent(0),
    'that the first slot has no frame': wordsOf({ slots: 2 }).frame(0),
    'that the second slot has no frame': wordsOf({ slots: 2 }).frame(1),
  },
}
