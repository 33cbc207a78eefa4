import { guarantee } from '../../checker/guarantee.ts'
import { ForwardingMemory } from '../../core/forwarding-memory.ts'
import { RecordRing } from '../../core/index.ts'
import { lineWords } from '../../core/layout.ts'
import type { Memory } from '../../core/memory.ts'
import type { RecordSource } from '../../core/record-ring-source.ts'
import type { Mark, Program } from '../../model/program.ts'
import { program } from '../../model/program.ts'
import { AnonymousMemory, SlicedMemory } from '../memories.ts'
import type { Guarantee } from './guarantees.ts'
import {
  createTaken,
  firstOf,
  makeSinkCalls,
  makeSourceCalls,
  numberOf,
  optionsOf,
  reader,
  recordOf,
  rest,
  type Shape,
  type SinkCall,
  type SourceCall,
  sinkOf,
  sourceOf,
  startName,
  type Threads,
  wordsOf,
  wraps,
} from './programs.ts'

/**
 * Programs of a record ring whose ends come and go, or die. Who waits sleeps in slices (`SlicedMemory`).
 *
 * At the end of each there is a source that reads what is left, as one that comes last would.
 */

interface Did {
  readonly pushed: readonly number[]
  readonly read: readonly number[]
}

type Results = Record<string, Did>

const noMark: Mark = () => {}
const atOnce = <T>(call: () => T): T => call()

/** The memory as one who comes after all threads sees it: those are alive that were not killed. */
class LastMemory extends ForwardingMemory {
  declare readonly liveness: NonNullable<Memory['liveness']>

  constructor(memory: Memory, threads: readonly string[], results: Readonly<Record<string, unknown>>) {
    super(memory)
    this.liveness = { self: threads.length, alive: (participant) => results[threads[participant] as string] !== undefined }
  }
}

interface Dying {
  readonly doomed: readonly string[]
  readonly sometimes?: Program<Results>['sometimes']
}

/**
 * Threads have ends and make calls, and some of them are killed.
 *
 * @param threads the source, if there is one, and sinks
 */
function dying(name: string, shape: Shape, threads: Threads, { doomed, sometimes }: Dying): Program<Results> {
  const names = Object.keys(threads)
  const sinks = names.filter((thread) => thread !== reader)
  const whole = { ...shape, sinks: sinks.length }
  const bodies = names.map((thread) => {
    const calls = threads[thread] as never
    const body = (memory: Memory): Did => {
      const sliced = new SlicedMemory(memory)
      if (thread === reader) return { pushed: [], read: makeSourceCalls(sourceOf(sliced, whole), calls, noMark, atOnce) }
      const index = sinks.indexOf(thread)
      return { pushed: makeSinkCalls(sinkOf(sliced, whole, index), calls, firstOf(index), noMark, atOnce), read: [] }
    }
    return [thread, body]
  })
  return program<Results>({
    name: `record-ring/${name}/slots${shape.slots}${startName(shape)}`,
    words: RecordRing.words(optionsOf(whole)),
    setup: (memory) =>
      createTaken(memory, whole, [Math.max(names.indexOf(reader), 0), ...sinks.map((one) => names.indexOf(one))]),
    threads: Object.fromEntries(bodies),
    faults: { kill: doomed, kills: doomed.length },
    ...(sometimes && { sometimes }),
    finally: (memory, results) => {
      const slug = wraps(shape) ?? ('record-ring/survives-sink' satisfies Guarantee)
      const left = rest(new LastMemory(memory, names, results), whole)
      const found = [...(results[reader]?.read ?? []), ...left]
      guarantee(slug, new Set(found).size === found.length, `found ${found.join()}`)
      sinks.forEach((sink, index) => {
        const first = firstOf(index)
        const own = found.filter((n) => n >= first && n < first + 16)
        const did = results[sink]
        if (did === undefined) {
          guarantee(slug, own.join() === own.toSorted((a, b) => a - b).join(), `of the dead there is ${own.join()}`)
          const [call] = threads[sink] as readonly SinkCall[]
          if (call === 'tryBatch')
            guarantee('record-ring/batch-at-once' satisfies Guarantee, own.length !== 1, `of a batch there is ${own.join()}`)
          return
        }
        guarantee(slug, own.join() === did.pushed.join(), `pushed ${did.pushed.join()}, found ${own.join()}`)
        const intent = memory.load(wordsOf(whole).intent(index))
        guarantee(slug, intent === 1, `${sink} has nothing, and seems to claim ${intent}`)
      })
    },
  })
}

const died = (results: Partial<Results>, thread: string): boolean => results[thread] === undefined

/** A thread that is killed pushes, another one reads. */
export function sinkDies(shape: Shape, call: SinkCall, reads: readonly SourceCall[]): Program<Results> {
  return dying(`doomed-${call}-${reads.join('-')}`, shape, { doomed: [call], source: reads }, { doomed: ['doomed'] })
}

/** A thread that is killed pushes, another one pushes, and a third one reads. Nobody is held up. */
export function oneSinkDies(
  shape: Shape,
  call: SinkCall,
  others: readonly SinkCall[],
  reads: readonly SourceCall[],
): Program<Results> {
  const threads: Threads = { doomed: [call], other: others, source: reads }
  return dying(`doomed-${call}-${others.join('-')}-${reads.join('-')}`, shape, threads, {
    doomed: ['doomed'],
    sometimes: {
      'what the dead one pushed is read': (_, results) =>
        died(results, 'doomed') && results[reader]?.read.includes(firstOf(0)) === true,
      'what the other one pushed is read': (_, results) =>
        died(results, 'doomed') && results[reader]?.read.includes(firstOf(1)) === true,
    },
  })
}

/** A thread claims and goes, and lives or is killed; others push and read. Who lives is not passed over, who is dead is. */
export function holding(): Program<
  Record<'holder' | 'other' | 'source', { readonly byte: number; readonly read: readonly number[] }>
> {
  const shape: Shape = { slots: 2, sinks: 2 }
  const names = ['holder', 'other', 'source']
  return program<Record<'holder' | 'other' | 'source', { readonly byte: number; readonly read: readonly number[] }>>({
    name: 'record-ring/holding',
    words: RecordRing.words(optionsOf(shape)),
    setup: (memory) => createTaken(memory, shape, [2, 0, 1]),
    threads: {
      holder: (memory) => {
        const sink = sinkOf(memory, shape, 0)
        sink.tryClaim(1)
        return { byte: sink.byteOf(), read: [] }
      },
      other: (memory) => {
        const sink = sinkOf(memory, shape, 1)
        sink.tryClaim(recordOf(2).length)
        const byte = sink.byteOf()
        sink.put(recordOf(2))
        sink.commit()
        return { byte, read: [] }
      },
      source: (memory) => ({ byte: 0, read: makeSourceCalls(sourceOf(memory, shape), ['tryPop'], noMark, atOnce) }),
    },
    faults: { kill: ['holder'] },
    sometimes: {
      'the dead one is passed over': (_, { holder, source }) => holder === undefined && source?.read[0] === 2,
      'the living one is not': (_, { holder, other }) => holder !== undefined && other !== undefined && holder.byte < other.byte,
    },
    finally: (memory, results) => {
      const { holder, other, source } = results
      const found = [...(source?.read ?? []), ...rest(new LastMemory(memory, names, results), shape)].join()
      const slug: Guarantee = 'record-ring/survives-sink'
      const isBehind = holder !== undefined && other !== undefined && holder.byte < other.byte
      guarantee(
        slug,
        found === (isBehind ? '' : '2'),
        `found ${found}, where ${isBehind ? 'somebody living' : 'nobody'} is before it`,
      )
    },
  })
}

/** Both threads that push are killed. What they had claimed is passed over, however long it was. */
export function bothSinksDie(shape: Shape, calls: readonly [SinkCall, SinkCall]): Program<Results> {
  const threads: Threads = { first: [calls[0]], second: [calls[1]], source: ['tryPop'] }
  return dying(`both-doomed-${calls.join('-')}`, shape, threads, {
    doomed: ['first', 'second'],
    sometimes: {
      'the second is read, and the first is dead': (_, results) =>
        died(results, 'first') && results[reader]?.read[0] === firstOf(1),
    },
  })
}

/** Another thread takes the seat of one that is killed, while a third one pushes behind what that had claimed. */
export function seatOfDead(shape: Shape): Program<Results> {
  const whole = { ...shape, sinks: 2 }
  const names = ['doomed', 'other', 'heir']
  const pushes =
    (index: number) =>
    (memory: Memory): Did => ({
      pushed: makeSinkCalls(sinkOf(memory, whole, index), ['tryPush'], firstOf(index), noMark, atOnce),
      read: [],
    })
  return program<Results>({
    name: `record-ring/seat-of-doomed/slots${shape.slots}`,
    words: RecordRing.words(optionsOf(whole)),
    setup: (memory) => {
      createTaken(memory, whole, [9, 0, 1])
      memory.store(wordsOf(whole).sourceSeat, 0)
    },
    threads: {
      doomed: pushes(0),
      other: pushes(1),
      heir: (memory) => {
        try {
          RecordRing.attach(memory).sink({ spins: 0 })
        } catch (error) {
          if (!(error instanceof Error && error.message.startsWith('RecordRing.sink: living threads'))) throw error
          return { pushed: [], read: [] }
        }
        return { pushed: [], read: [1] }
      },
    },
    faults: { kill: ['doomed'] },
    sometimes: { 'the heir has it': (_, { heir }) => heir?.read[0] === 1 },
    finally: (memory, results) => {
      const found = rest(new LastMemory(memory, names, results), whole)
      const slug = 'record-ring/survives-sink' satisfies Guarantee
      for (const n of results.other?.pushed ?? []) guarantee(slug, found.includes(n), `pushed ${n}, found ${found.join()}`)
    },
  })
}

/** Reads, and says after each call how many records were consumed: a call consumes all that it returned, or none. */
function readAloud(memory: Memory, source: RecordSource, calls: readonly SourceCall[], saysAt: number): number[] {
  const read: number[] = []
  for (const call of calls) {
    read.push(...makeSourceCalls(source, [call], noMark, atOnce))
    memory.store(saysAt, read.length)
  }
  return read
}

/**
 * A source that is killed reads, another thread takes its place when it can, and a third one pushes.
 *
 * @param most how many records one of the calls consumes at most
 */
export function sourceDies(shape: Shape, pushes: readonly SinkCall[], reads: readonly SourceCall[], most = 1): Program<Results> {
  const whole = { ...shape, sinks: 1 }
  const names = ['source', 'heir', 'sink']
  const { own: saysAt } = wordsOf(whole)
  return program<Results>({
    name: `record-ring/doomed-source-${reads.join('-')}-${pushes.join('-')}/slots${shape.slots}${startName(shape)}`,
    words: RecordRing.words(optionsOf(whole)) + lineWords,
    setup: (memory) => createTaken(memory, whole, [0, 2]),
    threads: {
      source: (memory) => ({ pushed: [], read: readAloud(memory, sourceOf(new SlicedMemory(memory), whole), reads, saysAt) }),
      heir: (memory) => {
        let source: RecordSource
        try {
          source = RecordRing.attach(new SlicedMemory(memory)).source({ spins: 0 })
        } catch (error) {
          if (!(error instanceof Error && error.message.startsWith('RecordRing.source: the source was handed out'))) throw error
          return { pushed: [], read: [] }
        }
        return { pushed: [], read: makeSourceCalls(source, ['tryPop'], noMark, atOnce) }
      },
      sink: (memory) => ({
        pushed: makeSinkCalls(sinkOf(new SlicedMemory(memory), whole, 0), pushes, firstOf(0), noMark, atOnce),
        read: [],
      }),
    },
    faults: { kill: ['source'] },
    sometimes: { 'the heir reads': (_, { heir }) => (heir?.read.length ?? 0) > 0 },
    finally: (memory, results) => {
      const slug = wraps(shape) ?? ('record-ring/survives-source' satisfies Guarantee)
      const left = rest(new LastMemory(memory, names, results), whole)
      const all = results.sink?.pushed ?? []
      const later = [...(results.heir?.read ?? []), ...left]
      const consumed = all.length - later.length
      guarantee(
        slug,
        all.slice(consumed).join() === later.join(),
        `pushed ${all.join()}, found ${later.join()} after the first reader`,
      )
      const said = memory.load(saysAt)
      // A call consumes all that it looked at, or nothing of it. The last one of the dead may have done either.
      const isSaid = consumed === said || (results.source === undefined && consumed === said + most)
      guarantee(slug, isSaid && consumed <= most * reads.length, `${said} were read, and ${consumed} are gone`)
    },
  })
}

/** Threads close, and one of them is killed; another one reads to the end. */
export function closingDies(threads: Threads): Program<Results> {
  const names = Object.keys(threads)
  return program<Results>({
    ...dying(`doomed-${Object.values(threads).flat().join('-')}`, { slots: 1 }, threads, {
      doomed: ['doomed'],
    }),
    threads: {
      ...dying('', { slots: 1 }, threads, { doomed: [] }).threads,
      source: (memory) => {
        const source = sourceOf(new SlicedMemory(memory), { slots: 1, sinks: names.length - 1 })
        const read: number[] = []
        for (let record = source.pop(); record !== undefined; record = source.pop()) read.push(numberOf(record))
        const end = source.end()
        guarantee('record-ring/ends' satisfies Guarantee, end !== undefined, 'pop gave up before the end')
        return { pushed: [end === 'closed' ? 1 : 2], read }
      },
    },
    sometimes: {
      'the dead one leaves the end to others': (_, results) => died(results, 'doomed') && results.source?.pushed[0] === 2,
    },
    finally: (memory, results) => {
      const slug = 'record-ring/ends' satisfies Guarantee
      const [end] = results.source?.pushed ?? []
      if (!died(results, 'doomed')) guarantee(slug, end === 1, 'all have closed, and the stream was abandoned')
      const { other, source } = results
      guarantee(
        slug,
        rest(new LastMemory(memory, names, results), { slots: 1, sinks: names.length - 1 }).length === 0,
        'something is left',
      )
      for (const n of other?.pushed ?? []) guarantee(slug, source?.read.includes(n) === true, `${n} was pushed and not read`)
    },
  })
}

/** The last thread closes while another one comes, and pushes if it may. */
export function joiningAtEnd(): Program<Record<'last' | 'late', readonly number[]>> {
  const shape: Shape = { slots: 2, sinks: 2 }
  return program<Record<'last' | 'late', readonly number[]>>({
    name: 'record-ring/late-sink',
    words: RecordRing.words(optionsOf(shape)),
    setup: (memory) => {
      createTaken(memory, shape)
      const { seat, joins } = wordsOf(shape)
      memory.store(seat(1), 0)
      memory.store(joins, 4)
    },
    threads: {
      last: (memory) => {
        sinkOf(new AnonymousMemory(memory), shape, 0).close()
        return []
      },
      late: (memory) => {
        try {
          const sink = RecordRing.attach(new AnonymousMemory(memory)).sink({ spins: 0 })
          const pushed = sink.tryPush(recordOf(1)) ? [1] : []
          sink.close()
          return pushed
        } catch (error) {
          if (!(error instanceof Error && error.message.startsWith('RecordRing.sink: the stream has ended'))) throw error
          return []
        }
      },
    },
    sometimes: {
      'it comes in time': (_, { late }) => late?.[0] === 1,
      'it comes too late': (_, { late }) => late?.length === 0,
    },
    finally: (memory, { late }) => {
      const slug = 'record-ring/ends' satisfies Guarantee
      const { joins, seat } = wordsOf(shape)
      guarantee(slug, (memory.load(joins) & 2) !== 0, 'all have closed, and the stream has not ended')
      guarantee(slug, memory.load(joins) >= 8, 'one that came is not counted')
      const free = [0, 1].every((sink) => memory.load(seat(sink)) === 0)
      guarantee(slug, free, 'one that closed, or was refused, keeps a seat')
      const found = rest(new AnonymousMemory(memory), shape)
      guarantee(slug, late?.join() === found.join(), `pushed ${late?.join()}, found ${found.join()}`)
    },
  })
}

/** Three threads want one of two sinks, and one of them may die. */
export function seats(): Program<Record<'first' | 'second' | 'third', boolean>> {
  const shape: Shape = { slots: 1, sinks: 2 }
  const slug: Guarantee = 'record-ring/handed-out-once'
  const sits = (memory: Memory): boolean => {
    try {
      RecordRing.attach(memory).sink({ spins: 0 })
      return true
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('RecordRing.sink: living threads have all 2'))) throw error
      return false
    }
  }
  return program<Record<'first' | 'second' | 'third', boolean>>({
    name: 'record-ring/two-seats',
    words: RecordRing.words(optionsOf(shape)),
    setup: (memory) => {
      RecordRing.create(memory, optionsOf(shape))
    },
    threads: { first: sits, second: sits, third: sits },
    faults: { kill: ['second'] },
    sometimes: {
      'the third does not': (_, { third }) => third === false,
      'the third gets that of the dead': (_, { first, second, third }) =>
        second === undefined && first === true && third === true,
    },
    finally: (memory, { first, second, third }) => {
      const { seat } = wordsOf(shape)
      const holders = [seat(0), seat(1)].map((at) => memory.load(at))
      const taken = holders.filter((holder) => holder !== 0).length
      const sitting = [first, second, third].filter((has) => has === true).length
      guarantee(slug, taken >= sitting, `${sitting} threads sit in ${taken} seats`)
      if (second !== undefined) guarantee(slug, taken === 2 && sitting === 2, `${sitting} threads sit in ${taken} seats`)
    },
  })
}

/** Two threads want the source; a third one has it, and is killed. */
export function oneSource(): Program<Record<'doomed' | 'first' | 'second', boolean>> {
  const shape: Shape = { slots: 1 }
  const takes = (memory: Memory) => {
    try {
      RecordRing.attach(memory).source({ spins: 0 })
      return true
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('RecordRing.source: the source was handed out'))) throw error
      return false
    }
  }
  return program<Record<'doomed' | 'first' | 'second', boolean>>({
    name: 'record-ring/one-source',
    words: RecordRing.words(optionsOf(shape)),
    setup: (memory) => void RecordRing.create(memory, optionsOf(shape)),
    threads: { doomed: takes, first: takes, second: takes },
    faults: { kill: ['doomed'] },
    sometimes: {
      'an heir has it': (_, { doomed, first, second }) => doomed === undefined && (first === true || second === true),
    },
    finally: (memory, results) => {
      const having = Object.values(results).filter((has) => has === true).length
      const slug: Guarantee = 'record-ring/handed-out-once'
      if (results.doomed !== undefined) guarantee(slug, having === 1, `${having} threads have the source`)
      else guarantee(slug, having <= 1, `${having} threads have the source`)
      const holder = memory.load(wordsOf(shape).sourceSeat)
      const owner = [results.first === true ? 1 : [], results.second === true ? 2 : []].flat()[0]
      if (owner !== undefined) guarantee(slug, holder === 2 * (owner + 1), `the source is that of ${holder}`)
    },
  })
}

/** A sink stands idle while nearly all positions go by: what it remembers says that there is room. */
export function idleForLong(): Program<{ alone: readonly boolean[] }> {
  const shape: Shape = { slots: 2, start: 2 ** 28 - 1 }
  const { tail, head, era } = wordsOf(shape)
  return program<{ alone: readonly boolean[] }>({
    name: 'record-ring/idle-for-long',
    words: RecordRing.words(optionsOf(shape)),
    setup: (memory) => createTaken(memory, shape),
    threads: {
      alone: (memory) => {
        const seen = new AnonymousMemory(memory)
        const [sink, source] = [sinkOf(seen, shape, 0), sourceOf(seen, shape)]
        const results: boolean[] = []
        for (let i = 0; i < 4; i++) results.push(sink.tryPush(recordOf(1)), source.tryPop() !== undefined)
        const slug = 'record-ring/wraps' satisfies Guarantee
        guarantee(slug, memory.load(era) === 1, 'a new era has begun, and nobody says so')
        // As 2^30 slots less one leave it: others have come to the same tail, and the ring is full.
        memory.store(head, memory.load(tail) - 8)
        memory.store(era, memory.load(era) + 4)
        results.push(sink.tryPush(recordOf(2)))
        return results
      },
    },
    finally: (_, { alone }) => {
      const expected = 'true,true,true,true,true,true,true,true,false'
      guarantee('record-ring/wraps' satisfies Guarantee, alone?.join() === expected, `returned ${alone?.join()}`)
    },
  })
}

/** A thread makes a ring on used words, and both ends can be had. */
export function createdWithSeats(): Program<Record<'creator' | 'bystander', boolean>> {
  const shape: Shape = { slots: 1 }
  const words = RecordRing.words(optionsOf(shape))
  return program<Record<'creator' | 'bystander', boolean>>({
    name: 'record-ring/create-with-seats',
    words,
    setup: (memory) => {
      // As if participant 1 sat everywhere.
      for (let word = 0; word < words; word++) memory.write(word, 4)
    },
    threads: {
      creator: (memory) => {
        const ring = RecordRing.create(memory, optionsOf(shape))
        let works = false
        try {
          const [sink, source] = [ring.sink({ spins: 0 }), ring.source({ spins: 0 })]
          works = sink.tryPush(recordOf(1)) && source.tryPop() !== undefined
        } catch (error) {
          if (!(error instanceof Error && error.message.startsWith('RecordRing'))) throw error
        }
        guarantee('record-ring/attaches' satisfies Guarantee, works, 'a new ring has no ends')
        return works
      },
      bystander: () => true,
    },
  })
}
