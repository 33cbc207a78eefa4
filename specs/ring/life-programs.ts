import { guarantee } from '../../checker/guarantee.ts'
import { lineWords } from '../../core/layout.ts'
import type { Memory } from '../../core/memory.ts'
import { isClosed, itemAt, positionIn } from '../../core/position.ts'
import { Ring } from '../../core/ring.ts'
import type { RingOptions } from '../../core/ring-layout.ts'
import type { From } from '../../core/ring-seats.ts'
import type { Sink } from '../../core/ring-sink.ts'
import type { Source, StreamEnd } from '../../core/ring-source.ts'
import { type Faults, type Program, program, type Readable } from '../../model/program.ts'
import { SlicedMemory } from '../memories.ts'
import type { Guarantee } from './guarantees.ts'
import {
  anonymous,
  Follower,
  itemBytes,
  itemOf,
  neverMoreThanCapacity,
  optionsOf,
  type Shape,
  shapeName,
  words,
} from './programs.ts'

/**
 * Programs of a ring whose ends come and go: they close, they die, and others take their place.
 *
 * Where nobody dies, threads sleep until they are woken. Where somebody may, they sleep in slices (`SlicedMemory`).
 */

/** What a reader got: `items` items, those before the first of them being `before`; and how the stream ended for it. */
export interface Got {
  readonly before: number
  readonly items: number
  readonly end: StreamEnd | 'nobody came'
}

/** What a writer leaves behind: so many items in all. */
export interface Put {
  readonly pushed: number
}

type Results = Record<string, Put | Got>

/** How many items there were before this position. Positions count modulo 2^30. */
export function itemsBefore({ start = 0 }: Shape, position: number): number {
  return (position - start) & (2 ** 30 - 1)
}

/** Pushes the items that are still missing, from where the sink stands, and ends the stream. */
export function writeRest(shape: Shape, sink: Sink, items: number): Put {
  let pushed = itemsBefore(shape, sink.position)
  for (; pushed < items; pushed++) {
    guarantee('ring/times-out' satisfies Guarantee, sink.push(itemOf(pushed + 1)), 'push gave up without a time-out')
  }
  sink.close()
  return { pushed }
}

/** Reads to the end of the stream, from where the source stands. */
export function readRest(shape: Shape, source: Source, order: Guarantee): Got {
  const before = itemsBefore(shape, source.position)
  const follower = new Follower(order, before)
  const target = new Uint8Array(itemBytes)
  while (source.pop(target)) follower.take(target)
  const end = source.end()
  guarantee('ring/ends' satisfies Guarantee, end !== undefined, 'pop gave up, and the stream goes on')
  return { before, items: follower.count - before, end }
}

export const isAlive = (memory: Memory, participant: number): boolean => memory.liveness?.alive(participant) === true

/** Waits until a participant has taken a seat, or is dead; whether it took it. */
function comes(memory: Memory, seat: number, participant: number): boolean {
  while (memory.load(seat) === 0) {
    if (!isAlive(memory, participant)) return memory.load(seat) !== 0
    memory.pause()
  }
  return true
}

/** What is asked for, or nothing where the ring says no. */
export function granted<T>(ask: () => T): T | undefined {
  try {
    return ask()
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('Ring.')) return undefined
    throw error
  }
}

export function pushedInAll(memory: Readable, shape: Shape): number {
  return itemsBefore(shape, itemAt(positionIn(memory.load(words.written))))
}

export function description(
  shape: Shape,
  name: string,
  options: Partial<RingOptions> = {},
): Required<Pick<Program, 'name' | 'words' | 'setup'>> {
  const all = { ...optionsOf(shape), ...options }
  return {
    name: `ring/${name}/${shapeName(shape)}`,
    words: Ring.words(all),
    setup: (memory: Memory) => void Ring.create(memory, all),
  }
}

export const sinkOf = (memory: Memory): Sink => Ring.attach(memory).sink({ spins: 0 })
export const sourceOf = (memory: Memory, reader: number, from?: From): Source =>
  Ring.attach(memory).source(from === undefined ? { reader, spins: 0 } : { reader, spins: 0, from })

/** The writer pushes all items and closes; the readers read to the end. */
export function closing(shape: Shape, items: number, faults: Faults<string> = {}): Program<Results> {
  const threads: Record<string, (memory: Memory) => Put | Got> = { writer: (memory) => writeRest(shape, sinkOf(memory), items) }
  for (let reader = 0; reader < shape.readers; reader++) {
    threads[`reader${reader}`] = (memory) => {
      const got = readRest(shape, sourceOf(memory, reader), 'ring/in-order')
      guarantee('ring/ends' satisfies Guarantee, got.items === items, `the end came after ${got.items} items`)
      return got
    }
  }
  const name = `push${items}-close${faults.spurious === true ? '-spurious' : ''}`
  return anonymous<Results>({ ...description(shape, name), threads, faults })
}

/** The writer tries to push and closes; each reader looks for the end so many times. Nobody waits. */
export function closingTried(shape: Shape, items: number, tries: number): Program<Results> {
  const threads: Record<string, (memory: Memory) => Put | Got> = {
    writer: (memory) => {
      const sink = sinkOf(memory)
      for (let n = 1; n <= items; n++) sink.tryPush(itemOf(n))
      sink.close()
      return { pushed: itemsBefore(shape, sink.position) }
    },
  }
  for (let reader = 0; reader < shape.readers; reader++) {
    threads[`reader${reader}`] = (memory) => {
      const source = sourceOf(memory, reader)
      let end: StreamEnd | undefined
      for (let i = 0; i < tries && end === undefined; i++) {
        source.advance(source.available())
        end = source.end()
      }
      const got = itemsBefore(shape, source.position)
      guarantee('ring/ends' satisfies Guarantee, end === undefined || got === items, `the end came after ${got} items`)
      return { before: 0, items: got, end: end ?? 'nobody came' }
    }
  }
  return anonymous<Results>({
    ...description(shape, `try-push${items}-close-try${tries}`),
    threads,
    sometimes: {
      'the end is seen': (_, { reader0 }) => (reader0 as Got | undefined)?.end === 'closed',
      'the end is not there yet': (_, { reader0 }) => (reader0 as Got | undefined)?.end === 'nobody came',
    },
  })
}

/** Reader 0 pops so many items and leaves; the writer and the other readers go on without it. */
export function leaving(shape: Shape, items: number, pops: number): Program<Results> {
  const threads: Record<string, (memory: Memory) => Put | Got> = {
    writer: (memory) => writeRest(shape, sinkOf(memory), items),
    reader0: (memory) => {
      const source = sourceOf(memory, 0)
      const follower = new Follower('ring/in-order')
      const target = new Uint8Array(itemBytes)
      for (let n = 1; n <= pops; n++) if (source.pop(target)) follower.take(target)
      source.close()
      return { before: 0, items: follower.count, end: 'closed' }
    },
  }
  for (let reader = 1; reader < shape.readers; reader++) {
    threads[`reader${reader}`] = (memory) => readRest(shape, sourceOf(memory, reader), 'ring/in-order')
  }
  return anonymous<Results>({
    ...description(shape, `push${items}-close-leave${pops}`),
    threads,
    finally: (memory) => {
      guarantee('ring/leaves' satisfies Guarantee, pushedInAll(memory, shape) === items, 'the writer did not go on')
    },
  })
}

/** Looks twice, and finds at most what the ring holds. */
export function isHeldFor(shape: Shape, source: Source, slug: Guarantee): void {
  for (let i = 0; i < 2; i++) {
    const unread = source.available()
    guarantee(slug, unread >= 0 && unread <= shape.capacity, `${unread} unread items in a ring of ${shape.capacity}`)
  }
}

/** Nobody is waited for: each reader joins at some time, and reads to the end. */
export function joining(shape: Shape, items: number): Program<Results> {
  const threads: Record<string, (memory: Memory) => Put | Got> = { writer: (memory) => writeRest(shape, sinkOf(memory), items) }
  for (let reader = 0; reader < shape.readers; reader++) {
    threads[`reader${reader}`] = (memory) => {
      const got = readRest(shape, sourceOf(memory, reader), 'ring/joins')
      guarantee('ring/joins' satisfies Guarantee, got.before + got.items === items, 'items that came after it are missing')
      return got
    }
  }
  return anonymous<Results>({
    ...description(shape, `push${items}-close-join`, { awaitReaders: false }),
    threads,
    sometimes: {
      'a reader gets everything': (_, { reader0 }) => (reader0 as Got | undefined)?.items === items,
      'a reader comes too late': (_, { reader0 }) => (reader0 as Got | undefined)?.before === items,
    },
  })
}

/** As `joining`, without waiting and without reading what is there: whatever goes wrong is no data race. */
export function joiningTried(shape: Shape, tries: number): Program<Record<'writer' | 'reader0', number>> {
  return anonymous<Record<'writer' | 'reader0', number>>({
    ...description(shape, `try${tries}-join`, { awaitReaders: false }),
    threads: {
      writer: (memory) => {
        const sink = sinkOf(memory)
        for (let i = 0; i < tries; i++) sink.tryPush(itemOf(i + 1))
        return itemsBefore(shape, sink.position)
      },
      reader0: (memory) => {
        const source = sourceOf(memory, 0)
        isHeldFor(shape, source, 'ring/joins')
        return itemsBefore(shape, source.position)
      },
    },
    sometimes: {
      'the reader joins in the middle': (_, { writer, reader0 }) => reader0 !== 0 && reader0 !== writer,
      'the writer is held back': (_, { writer }) => writer !== undefined && writer < tries,
    },
    finally: (memory, { reader0 }) => {
      const read = itemsBefore(shape, itemAt(positionIn(memory.load(words.read(0)))))
      guarantee('ring/joins' satisfies Guarantee, read === reader0, `the reader is at ${reader0}, and says ${read}`)
    },
  })
}

/** Reader 0 pops an item and leaves; the heir takes its place as soon as it can, and reads to the end. */
export function rejoining(shape: Shape, items: number): Program<Results> {
  return anonymous<Results>({
    ...description(shape, `push${items}-close-rejoin`),
    threads: {
      writer: (memory) => writeRest(shape, sinkOf(memory), items),
      reader0: (memory) => {
        const source = granted(() => sourceOf(memory, 0))
        if (source === undefined) return { before: 0, items: 0, end: 'nobody came' }
        source.pop(new Uint8Array(itemBytes))
        source.close()
        return { before: 0, items: 1, end: 'closed' }
      },
      heir: (memory) => {
        const ring = Ring.attach(memory)
        for (;;) {
          const source = granted(() => ring.source({ reader: 0, spins: 0 }))
          if (source !== undefined) {
            const got = readRest(shape, source, 'ring/joins')
            guarantee('ring/joins' satisfies Guarantee, got.before + got.items === items, 'items that came after it are missing')
            return got
          }
          memory.pause()
        }
      },
    },
  })
}

/** As `rejoining`, but nobody waits, and nothing is read; the heir asks once. */
export function rejoiningTried(shape: Shape, tries: number): Program<Record<'writer' | 'reader0' | 'heir', number>> {
  return anonymous<Record<'writer' | 'reader0' | 'heir', number>>({
    ...description(shape, `try${tries}-rejoin`),
    threads: {
      writer: (memory) => {
        const sink = sinkOf(memory)
        for (let n = 1; n <= tries; n++) sink.tryPush(itemOf(n))
        return itemsBefore(shape, sink.position)
      },
      reader0: (memory) => {
        const source = granted(() => sourceOf(memory, 0))
        source?.close()
        return source === undefined ? -1 : 0
      },
      heir: (memory) => {
        const source = granted(() => sourceOf(memory, 0))
        if (source === undefined) return -1
        isHeldFor(shape, source, 'ring/joins')
        return itemsBefore(shape, source.position)
      },
    },
    sometimes: {
      'the heir comes too early': (_, { heir }) => heir === -1,
      'the heir joins in the middle': (_, { writer, heir }) => heir === 1 && writer === 2,
    },
  })
}

/** The writer may die at any step; the readers get what it pushed, and then the end. */
export function writerDies(shape: Shape, items: number, faults: Faults<string> = { kill: ['writer'] }): Program<Results> {
  const threads: Record<string, (memory: Memory) => Put | Got> = {
    writer: (memory) => writeRest(shape, sinkOf(new SlicedMemory(memory)), items),
  }
  for (let reader = 0; reader < shape.readers; reader++) {
    threads[`reader${reader}`] = (memory) => {
      const source = sourceOf(new SlicedMemory(memory), reader)
      if (!comes(memory, words.sinkSeat, 0)) return { before: 0, items: 0, end: 'nobody came' }
      return readRest(shape, source, 'ring/in-order')
    }
  }
  return program<Results>({
    ...description(shape, `push${items}-close-killed-${faults.kill?.join('+')}`),
    threads,
    faults,
    sometimes: {
      'the writer dies before the end': (_, { reader0 }) => (reader0 as Got | undefined)?.end === 'abandoned',
      'the writer ends the stream': (_, { reader0 }) => (reader0 as Got | undefined)?.end === 'closed',
    },
    finally: (memory, { writer, ...readers }) => {
      const slug = 'ring/survives-writer' satisfies Guarantee
      const pushed = pushedInAll(memory, shape)
      const end = isClosed(memory.load(words.written)) ? 'closed' : 'abandoned'
      if (writer !== undefined) guarantee(slug, pushed === items, 'the writer did not go on')
      for (const got of Object.values(readers) as Got[]) {
        if (got.end === 'nobody came') continue
        guarantee(slug, got.items === pushed, `${pushed} items were pushed, and a reader got ${got.items}`)
        guarantee(slug, got.end === end, `the stream was ${end}, and a reader found it ${got.end}`)
      }
    },
  })
}

/** The writer only tries, and may die; the reader looks for the end, which has come if the writer was dead before. */
export function writerDiesTried(shape: Shape, tries: number): Program<{ writer: Put; reader0: Got }> {
  const slug = 'ring/survives-writer' satisfies Guarantee
  return program<{ writer: Put; reader0: Got }>({
    ...description(shape, `try${tries}-killed-writer`),
    threads: {
      writer: (memory) => {
        const sink = sinkOf(memory)
        for (let n = 1; n <= tries; n++) sink.tryPush(itemOf(n))
        return { pushed: itemsBefore(shape, sink.position) }
      },
      reader0: (memory) => {
        const source = sourceOf(memory, 0)
        const isDead = !isAlive(memory, 0) && memory.load(words.sinkSeat) !== 0
        source.advance(source.available())
        const end = source.end()
        guarantee(slug, !isDead || end === 'abandoned', 'the writer is dead, and the stream goes on')
        return { before: 0, items: itemsBefore(shape, source.position), end: end ?? 'nobody came' }
      },
    },
    faults: { kill: ['writer'] },
    sometimes: {
      'a dead writer has pushed something': (_, { writer, reader0 }) => writer === undefined && (reader0?.items ?? 0) > 0,
    },
    finally: (memory, { writer, reader0 }) => {
      if (reader0?.end !== 'abandoned') return
      const pushed = pushedInAll(memory, shape)
      guarantee(slug, writer === undefined, 'the writer lives, and the stream was abandoned')
      guarantee(slug, reader0.items === pushed, `${pushed} items were pushed, and the reader got ${reader0.items}`)
    },
  })
}

/** The writer claims and may die before it commits; then the heir claims the same slots, and the reader sees its items alone. */
export function claimantReplacedTried(shape: Shape): Program<{ writer: Put; heir: Put; reader0: number }> {
  const slug = 'ring/claims' satisfies Guarantee
  const heirs = 100
  const claims =
    (marked: number) =>
    (memory: Memory): Put => {
      const sink = sinkOf(memory)
      for (let i = sink.tryClaim(2); i > 0; i--) sink.put(i - 1, itemOf(marked + itemsBefore(shape, sink.position) + i))
      sink.commit()
      // A look more: a step before which the writer may die after its commit.
      sink.free()
      return { pushed: itemsBefore(shape, sink.position) }
    }
  return program<{ writer: Put; heir: Put; reader0: number }>({
    ...description(shape, 'try-claim2-heir'),
    threads: {
      writer: claims(0),
      heir: (memory) => (isAlive(memory, 0) ? { pushed: 0 } : claims(heirs)(memory)),
      reader0: (memory) => {
        const source = sourceOf(memory, 0)
        const target = new Uint8Array(itemBytes)
        let latest = 0
        for (let items = 0; items < 2 && source.tryPop(target); items++) {
          const [n] = target
          guarantee(slug, n === items + 1 || n === heirs + items + 1, `item ${n} is number ${items + 1}`)
          guarantee(slug, n > latest, `item ${n} comes after item ${latest}`)
          latest = n
          guarantee('ring/whole-items' satisfies Guarantee, target.join() === itemOf(n).join(), `${target} is no item`)
        }
        return latest
      },
    },
    faults: { kill: ['writer'] },
    sometimes: {
      'the heir claims what the dead one did': (_, { writer, heir }) =>
        writer === undefined && heir?.pushed === Math.min(2, shape.capacity),
      'the dead one has committed': (_, { writer, heir, reader0 }) =>
        writer === undefined && heir !== undefined && reader0 !== undefined && reader0 > 0 && reader0 < heirs,
    },
  })
}

/** Reader 0 may die at any step; the writer goes on. */
export function readerDies(shape: Shape, items: number, faults: Faults<string> = { kill: ['reader0'] }): Program<Results> {
  const threads: Record<string, (memory: Memory) => Put | Got> = {
    writer: (memory) => {
      const sink = sinkOf(new SlicedMemory(memory))
      return writeRest(shape, sink, comes(memory, words.sourceSeat(0), 1) ? items : 0)
    },
  }
  for (let reader = 0; reader < shape.readers; reader++) {
    threads[`reader${reader}`] = (memory) => readRest(shape, sourceOf(new SlicedMemory(memory), reader), 'ring/in-order')
  }
  return program<Results>({
    ...description(shape, `push${items}-close-killed-${faults.kill?.join('+')}`),
    threads,
    faults,
    sometimes: {
      'the reader dies and the writer goes on': (memory, { reader0 }) =>
        reader0 === undefined && pushedInAll(memory, shape) === items,
    },
  })
}

/** Two threads want to write, and one may die; whoever gets the sink pushes what is missing. */
export function writerReplaced(shape: Shape, items: number): Program<Results> {
  const writes = (memory: Memory): Put => {
    const ring = Ring.attach(new SlicedMemory(memory))
    for (;;) {
      const sink = granted(() => ring.sink({ spins: 0 }))
      if (sink !== undefined) return writeRest(shape, sink, items)
      if (isClosed(memory.load(words.written))) return { pushed: items }
      memory.pause()
    }
  }
  const reads =
    (reader: number) =>
    (memory: Memory): Got => {
      const source = sourceOf(new SlicedMemory(memory), reader)
      const follower = new Follower('ring/survives-writer')
      const target = new Uint8Array(itemBytes)
      while (source.end() !== 'closed') {
        if (source.pop(target)) follower.take(target)
        else memory.pause()
      }
      const { count } = follower
      guarantee('ring/survives-writer' satisfies Guarantee, count === items, `the end came after ${count} items`)
      return { before: 0, items: count, end: 'closed' }
    }
  const threads: Record<string, (memory: Memory) => Put | Got> = { writer: writes, heir: writes }
  for (let reader = 0; reader < shape.readers; reader++) threads[`reader${reader}`] = reads(reader)
  return program<Results>({
    ...description(shape, `push${items}-close-heir`),
    threads,
    faults: { kill: ['writer'] },
  })
}

/** Two threads want to read as reader 0, one may die; whoever comes second goes on where the first stopped, or joins. */
export function readerReplaced(shape: Shape, items: number): Program<Results> {
  const reads = (memory: Memory): Got => {
    const ring = Ring.attach(new SlicedMemory(memory))
    for (;;) {
      const source = granted(() => ring.source({ reader: 0, spins: 0 }))
      if (source !== undefined) {
        const got = readRest(shape, source, 'ring/survives-reader')
        source.close()
        return got
      }
      memory.pause()
    }
  }
  return program<Results>({
    ...description(shape, `push${items}-close-reader-heir`),
    threads: { writer: (memory) => writeRest(shape, sinkOf(new SlicedMemory(memory)), items), reader0: reads, heir: reads },
    faults: { kill: ['reader0'] },
    sometimes: {
      'the heir goes on where the dead one stopped': (_, { reader0, heir }) =>
        reader0 === undefined && (heir as Got).before === 1,
    },
    finally: (_, { heir }) => {
      const { before, items: got } = heir as Got
      guarantee('ring/survives-reader' satisfies Guarantee, before + got === items, `the end came after item ${before + got}`)
    },
  })
}

/** The writer and reader 0 only try, and reader 0 may die: once the writer knows that, there is room. Nothing is read. */
export function readerDiesTried(shape: Shape, tries: number): Program<Record<'writer' | 'reader0', number>> {
  return program<Record<'writer' | 'reader0', number>>({
    ...description(shape, `try${tries}-killed-reader0`),
    threads: {
      writer: (memory) => {
        const sink = sinkOf(memory)
        for (let n = 1; n <= tries; n++) sink.tryPush(itemOf(n))
        if (!isAlive(memory, 1) && memory.load(words.sourceSeat(0)) !== 0) {
          guarantee('ring/survives-reader' satisfies Guarantee, sink.tryPush(itemOf(0)), 'there is no room beside a dead reader')
        }
        return itemsBefore(shape, sink.position)
      },
      reader0: (memory) => {
        const source = sourceOf(memory, 0)
        source.advance(source.available())
        return itemsBefore(shape, source.position)
      },
    },
    faults: { kill: ['reader0'] },
    always: (memory) => neverMoreThanCapacity(memory, shape),
    sometimes: {
      'the writer passes a dead reader': (memory, { writer, reader0 }) =>
        reader0 === undefined && isClosed(memory.load(words.read(0))) && (writer ?? 0) > shape.capacity,
    },
  })
}

/**
 * As before, and reader 0 leaves; once it is dead, the heir takes its place, before the writer clears it, or after.
 *
 * @param from where the heir begins, if not where the dead one stopped
 */
export function readerReplacedTried(
  shape: Shape,
  tries: number,
  from?: From,
): Program<Record<'writer' | 'reader0' | 'heir', number>> {
  return program<Record<'writer' | 'reader0' | 'heir', number>>({
    ...description(shape, `try${tries}-reader-heir${from === undefined ? '' : `-${from}`}`),
    threads: {
      writer: (memory) => {
        const sink = sinkOf(memory)
        for (let n = 1; n <= tries; n++) sink.tryPush(itemOf(n))
        return itemsBefore(shape, sink.position)
      },
      reader0: (memory) => {
        const source = sourceOf(memory, 0)
        isHeldFor(shape, source, 'ring/back-pressure')
        source.advance(source.available())
        source.close()
        return itemsBefore(shape, source.position)
      },
      heir: (memory) => {
        if (isAlive(memory, 1)) return -1
        const source = sourceOf(memory, 0, from)
        if (from === undefined) isHeldFor(shape, source, 'ring/survives-reader')
        return itemsBefore(shape, source.position)
      },
    },
    faults: { kill: ['reader0'] },
    sometimes: {
      'the heir goes on where the dead one stopped': (_, { heir, writer }) => heir === 0 && writer === shape.capacity,
      'the heir joins anew': (_, { heir }) => (heir ?? 0) > 0,
    },
    finally: (memory, { heir }) => {
      const stays = from === undefined || heir === undefined || heir < 0 || !isClosed(memory.load(words.read(0)))
      guarantee('ring/joins' satisfies Guarantee, stays, 'the position of the heir was closed')
    },
  })
}

/**
 * Reader 0 joins, and may die while it does; once it is dead, the heir takes its place. Nobody waits, nothing is read. Once
 * reader 0 has said where it begins, the heir begins there, too, if the writer never needs the room.
 */
export function joinerReplacedTried(
  shape: Shape,
  tries: number,
  from?: From,
): Program<Record<'writer' | 'reader0' | 'heir', number>> {
  const options = { awaitReaders: false }
  const saidAt = Ring.words({ ...optionsOf(shape), ...options })
  const joins = (memory: Memory): number => {
    const said = memory.load(saidAt)
    const source = from !== undefined && said === 0 ? sourceOf(memory, 0, from) : sourceOf(memory, 0)
    const before = itemsBefore(shape, source.position)
    if (said > 0 && tries <= shape.capacity) {
      guarantee('ring/survives-reader' satisfies Guarantee, before === said - 1, `${before} items before it, and not ${said - 1}`)
    }
    memory.store(saidAt, before + 1)
    isHeldFor(shape, source, 'ring/joins')
    return before
  }
  const { words, ...rest } = description(shape, `try${tries}-join-heir${from === undefined ? '' : `-${from}`}`, options)
  return program<Record<'writer' | 'reader0' | 'heir', number>>({
    ...rest,
    words: words + lineWords,
    threads: {
      writer: (memory) => {
        const sink = sinkOf(memory)
        for (let n = 1; n <= tries; n++) sink.tryPush(itemOf(n))
        return itemsBefore(shape, sink.position)
      },
      reader0: joins,
      heir: (memory) => (isAlive(memory, 1) ? -1 : joins(memory)),
    },
    faults: { kill: ['reader0'] },
    sometimes: {
      'the heir goes on where the dead one began': (_, { heir, writer }) => heir === 0 && writer === shape.capacity,
      ...(from === undefined && { 'the heir joins later': (_: unknown, { heir }: { heir?: number }) => (heir ?? 0) > 0 }),
    },
  })
}

/** Three threads ask once for the only sink, and the first may die. */
export function oneSinkLeft(): Program<Record<'first' | 'second' | 'third', boolean>> {
  const shape: Shape = { capacity: 1, readers: 1 }
  const takes = (memory: Memory): boolean => granted(() => sinkOf(memory)) !== undefined
  return program<Record<'first' | 'second' | 'third', boolean>>({
    ...description(shape, 'one-sink-left'),
    threads: { first: takes, second: takes, third: takes },
    faults: { kill: ['first'] },
    sometimes: {
      'the sink of the dead is handed out': (memory, { first, second }) =>
        first === undefined && second === true && memory.load(words.sinkSeat) !== 0,
    },
    finally: (_, results) => {
      const living = Object.values(results).filter((has) => has).length
      guarantee('ring/handed-out-once' satisfies Guarantee, living <= 1, `${living} living threads have the sink`)
    },
  })
}
