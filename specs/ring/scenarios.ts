import type { Mutant } from '../../checker/check.ts'
import { role, type ScenarioBounds, type Subject } from '../../checker/scenario.ts'
import type { Memory } from '../../core/memory.ts'
import { Ring } from '../../core/ring.ts'
import type { Member } from '../../core/ring-member.ts'
import type { Sink } from '../../core/ring-sink.ts'
import type { Source } from '../../core/ring-source.ts'
import { type Outcome, type Sequential, sequential } from '../../model/sequential.ts'
import { AnonymousMemory } from '../memories.ts'
import { belowSignChange, belowWrap, itemOf, type Shape } from './programs.ts'

/**
 * What a ring does when its operations come one after the other, and the ring as scenarios use it: small programs made of its
 * operations, of which nobody said what they should look for.
 */

const itemBytes = itemOf(1).length

/** A ring as its specification sees it: all items pushed so far, and how many each reader has consumed. */
interface Contents {
  readonly items: readonly number[]
  readonly consumed: readonly number[]
}

/** What a source answers: the item, or what it gave up for. */
type Popped = number | false | string

function ringOf({ capacity, readers }: Shape): Sequential<Contents> {
  const room = ({ items, consumed }: Contents): number => capacity - (items.length - Math.min(...consumed))
  const unread = ({ items, consumed }: Contents, reader: number): readonly number[] => items.slice(consumed[reader])
  const readerOf = (thread: string): number => Number(thread.slice('reader'.length)) || 0
  const push = (contents: Contents, items: readonly number[]): Contents => ({ ...contents, items: [...contents.items, ...items] })
  const consume = (contents: Contents, reader: number, count: number): Contents => ({
    ...contents,
    consumed: contents.consumed.with(reader, contents.consumed[reader] + count),
  })
  const tryPush = (contents: Contents, item: number): Outcome<Contents> =>
    room(contents) > 0 ? { state: push(contents, [item]), result: true } : { state: contents, result: false }
  const tryPop = (contents: Contents, _: unknown, thread: string): Outcome<Contents> => {
    const reader = readerOf(thread)
    const [item] = unread(contents, reader)
    return item === undefined ? { state: contents, result: false } : { state: consume(contents, reader, 1), result: item }
  }
  return sequential<Contents>({
    initial: { items: [], consumed: Array.from({ length: readers }, () => 0) },
    operations: {
      tryPush,
      // Waits while there is no room.
      push: (contents, item: number) => (room(contents) > 0 ? tryPush(contents, item) : []),
      // Gives up only when there is no room.
      pushOrGiveUp: tryPush,
      pushOneOfBatchOrGiveUp: tryPush,
      tryPushPair: (contents, item: number) => {
        const pushed = [item, item + 100].slice(0, room(contents))
        return { state: push(contents, pushed), result: pushed.length }
      },
      // What is known of may be less than what there is, but not nothing.
      free: (contents) =>
        room(contents) === 0
          ? { state: contents, result: 0 }
          : Array.from({ length: room(contents) }, (_, less) => ({ state: contents, result: less + 1 })),
      tryPop,
      pop: (contents, _, thread) => (unread(contents, readerOf(thread)).length > 0 ? tryPop(contents, _, thread) : []),
      popOrGiveUp: tryPop,
      tryPopPair: (contents, _, thread) => {
        const popped = unread(contents, readerOf(thread)).slice(0, 2)
        return { state: consume(contents, readerOf(thread), popped.length), result: popped }
      },
      lookAndAdvance: (contents, _, thread) => {
        const items = unread(contents, readerOf(thread))
        if (items.length === 0) return { state: contents, result: [] }
        return items.map((_, last) => ({
          state: consume(contents, readerOf(thread), last + 1),
          result: items.slice(0, last + 1),
        }))
      },
    },
  })
}

/** The number of an item, or its bytes where they are none. */
function numberOf(bytes: Uint8Array): number | string {
  const [n] = bytes
  return bytes.join() === itemOf(n).join() ? n : `the bytes ${bytes.join(' ')}`
}

function popping(pop: (target: Uint8Array) => boolean): Popped {
  const target = new Uint8Array(itemBytes)
  return pop(target) && numberOf(target)
}

const giveUpMs = 5

/** What the writer can do. */
const writing = {
  tryPush: { call: (sink: Sink, item: number) => sink.tryPush(itemOf(item)), arguments: 'numbered' },
  push: { call: (sink: Sink, item: number) => sink.push(itemOf(item)), arguments: 'numbered' },
  pushOrGiveUp: { call: (sink: Sink, item: number) => sink.push(itemOf(item), giveUpMs), arguments: 'numbered' },
  tryPushPair: {
    call: (sink: Sink, item: number) => sink.tryPushBatch(Uint8Array.of(...itemOf(item), ...itemOf(item + 100))),
    arguments: 'numbered',
  },
  free: { call: (sink: Sink) => sink.free() },
} as const

/** What a reader can do. */
const reading = {
  tryPop: { call: (source: Source) => popping((target) => source.tryPop(target)) },
  pop: { call: (source: Source) => popping((target) => source.pop(target)) },
  popOrGiveUp: { call: (source: Source) => popping((target) => source.pop(target, giveUpMs)) },
  tryPopPair: {
    call: (source: Source) => {
      const target = new Uint8Array(2 * itemBytes)
      const count = source.tryPopBatch(target)
      return [0, 1].slice(0, count).map((i) => numberOf(target.subarray(i * itemBytes, (i + 1) * itemBytes)))
    },
  },
  lookAndAdvance: {
    call: (source: Source) => {
      const count = source.available()
      const items = Array.from({ length: count }, (_, index) => numberOf(source.get(index)))
      source.advance(count)
      return items
    },
  },
} as const

function optionsOf(shape: Shape): { capacity: number; readers: number; start?: number; itemBytes: number } {
  return { ...shape, itemBytes }
}

/** The ring, for a thread that cannot tell who is alive. */
function ringIn(memory: Memory): Ring {
  return Ring.attach(new AnonymousMemory(memory))
}

/** A ring under one name for each shape, with some of the operations. */
function ring(
  name: string,
  shape: Shape,
  writes: readonly (keyof typeof writing)[],
  reads: readonly (keyof typeof reading)[],
): Subject {
  const chosen = <T extends object>(all: T, names: readonly (keyof T)[]) =>
    Object.fromEntries(names.map((key) => [key, all[key]])) as T
  return {
    name: `ring/${name}`,
    words: Ring.words(optionsOf(shape)),
    setup: (memory) => void Ring.create(memory, optionsOf(shape)),
    history: { specification: ringOf(shape), mayWait: true },
    roles: {
      writer: role<Sink>({
        most: 1,
        attach: (memory) => ringIn(memory).sink({ spins: 0 }),
        operations: chosen(writing, writes),
      }),
      [shape.readers === 1 ? 'reader0' : 'reader']: role<Source>({
        most: shape.readers,
        attach: (memory, { index }) => ringIn(memory).source({ reader: index, spins: 0 }),
        operations: chosen(reading, reads),
      }),
    },
  }
}

const one = (capacity: number, start = 0): Shape => ({ capacity, readers: 1, start })
const two = (capacity: number): Shape => ({ capacity, readers: 2 })

/** One thread has both ends: whatever it cannot do, it gives up. */
function alone(): Subject {
  const shape = one(1)
  return {
    name: 'ring/alone',
    words: Ring.words(optionsOf(shape)),
    setup: (memory) => void Ring.create(memory, optionsOf(shape)),
    history: { specification: ringOf(shape), mayWait: true },
    roles: {
      alone: role<{ sink: Sink; source: Source }>({
        most: 1,
        attach: (memory) => {
          const both = ringIn(memory)
          return { sink: both.sink({ spins: 0 }), source: both.source({ spins: 0 }) }
        },
        operations: {
          pushOrGiveUp: { call: ({ sink }, item: number) => sink.push(itemOf(item), giveUpMs), arguments: 'numbered' },
          popOrGiveUp: { call: ({ source }) => popping((target) => source.pop(target, giveUpMs)) },
          pushOneOfBatchOrGiveUp: {
            call: ({ sink }, item: number) => sink.pushBatch(itemOf(item), giveUpMs) === 1,
            arguments: 'numbered',
          },
        },
      }),
    },
  }
}

/** The ring's ends, for whoever asks first. */
function handingOut(): Subject {
  const shape = two(1)
  const given = (take: () => number): number | string => {
    try {
      return take()
    } catch (error) {
      if (error instanceof Error && error.message.includes('handed out before')) return 'taken'
      throw error
    }
  }
  return {
    name: 'ring/handing-out',
    words: Ring.words(optionsOf(shape)),
    setup: (memory) => void Ring.create(memory, optionsOf(shape)),
    history: {
      specification: sequential<{ sink: boolean; sources: number }>({
        initial: { sink: false, sources: 0 },
        operations: {
          sink: (taken) => ({ state: { ...taken, sink: true }, result: taken.sink ? 'taken' : 0 }),
          source: (taken) =>
            taken.sources === 2
              ? { state: taken, result: 'taken' }
              : { state: { ...taken, sources: taken.sources + 1 }, result: taken.sources },
        },
      }),
    },
    roles: {
      taker: role<Ring>({
        attach: (memory) => ringIn(memory),
        operations: {
          sink: { call: (one) => given(() => Number(one.sink() === undefined)) },
          source: { call: (one) => given(() => one.source().reader) },
        },
      }),
    },
  }
}

/** A group as a queue: who pops gets the oldest item that nobody has. */
function groupOf(members: number): Subject {
  const options = { capacity: 2, itemBytes, groups: 1, members }
  return {
    name: `ring/group-of-${members}`,
    words: Ring.words(options),
    setup: (memory) => void Ring.create(memory, options),
    history: {
      specification: sequential<readonly number[]>({
        initial: [],
        operations: {
          tryPush: (items, item: number) => ({ state: [...items, item], result: true }),
          tryPop: (items) => (items.length === 0 ? { state: items, result: false } : { state: items.slice(1), result: items[0] }),
        },
      }),
    },
    roles: {
      writer: role<Sink>({
        most: 1,
        attach: (memory) => ringIn(memory).sink({ spins: 0 }),
        operations: { tryPush: writing.tryPush },
      }),
      member: role<Member>({
        most: members,
        attach: (memory) => ringIn(memory).member({ spins: 0 }),
        operations: { tryPop: { call: (member) => popping((target) => member.tryPop(target)) } },
      }),
    },
  }
}

/** One thread makes a ring on used words, another one looks for it. */
function creating(): Subject {
  const shape = one(2)
  const words = Ring.words(optionsOf(shape))
  return {
    name: 'ring/creating',
    words,
    setup: (memory) => {
      for (let word = 1; word < words; word++) memory.write(word, 5)
    },
    history: {
      specification: sequential<boolean>({
        initial: false,
        operations: {
          create: () => ({ state: true }),
          look: (created) => ({ state: created, result: created ? [2, itemBytes, 1, 2, 0] : 'not there' }),
        },
      }),
    },
    roles: {
      creator: role<Memory>({
        most: 1,
        attach: (memory) => memory,
        operations: { create: { call: (memory) => void Ring.create(memory, optionsOf(shape)) } },
      }),
      joiner: role<Memory>({
        most: 1,
        attach: (memory) => memory,
        operations: { look: { call: look } },
      }),
    },
  }
}

/** What a ring is like for one who joins it; once, for its ends are taken then. */
function look(memory: Memory): readonly number[] | string {
  try {
    const found = ringIn(memory)
    const source = found.source({ spins: 0 })
    const sink = found.sink({ spins: 0 })
    return [found.capacity, found.itemBytes, found.readers, sink.free(), source.available()]
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith('Ring'))) throw error
    return error.message.includes('found nothing') ? 'not there' : error.message
  }
}

/** The ring in all the ways in which scenarios use it, and how large they are to be. */
export const subjects: readonly (readonly [Subject, ScenarioBounds])[] = [
  [ring('tries', one(1), ['tryPush', 'free'], ['tryPop', 'lookAndAdvance']), { threads: 2, operations: 2 }],
  [ring('waits', one(1), ['push'], ['pop']), { threads: 2, operations: 2 }],
  [ring('gives-up', one(1), ['pushOrGiveUp'], ['popOrGiveUp']), { threads: 2, operations: 2 }],
  [ring('pairs', one(2), ['tryPushPair'], ['tryPopPair', 'lookAndAdvance']), { threads: 2, operations: 2 }],
  [ring('pairs-across-the-end', one(2, 1), ['tryPushPair'], ['tryPopPair']), { threads: 2, operations: 2 }],
  [ring('wrap', one(1, belowWrap), ['tryPush'], ['tryPop']), { threads: 2, operations: 3 }],
  [ring('sign-change', one(1, belowSignChange), ['tryPush'], ['tryPop']), { threads: 2, operations: 3 }],
  [ring('two-readers', two(1), ['tryPush'], ['tryPop']), { threads: 3, operations: 2 }],
  [ring('two-readers-wait', two(1), ['push'], ['pop']), { threads: 3, operations: 1 }],
  [groupOf(2), { threads: 3, operations: 1 }],
  [groupOf(1), { threads: 2, operations: 2 }],
  [handingOut(), { threads: 3, operations: 1 }],
  [creating(), { threads: 2, operations: 1 }],
  [alone(), { threads: 1, operations: 5 }],
]

/** The subject with a mistake: each thread sees the memory through the mutant. */
export function mutated(subject: Subject, { memory: wrap }: Mutant): Subject {
  if (wrap === undefined) return subject
  const roles = Object.entries(subject.roles).map(([name, one]) => [
    name,
    {
      ...one,
      attach: (memory: Memory, thread: { name: string; index: number }) => one.attach(wrap(memory, thread.name), thread),
    },
  ])
  return { ...subject, roles: Object.fromEntries(roles) }
}
