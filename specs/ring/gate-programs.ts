import { guarantee } from '../../checker/guarantee.ts'
import { lineWords } from '../../core/layout.ts'
import type { Memory } from '../../core/memory.ts'
import { itemAt, positionIn } from '../../core/position.ts'
import { Ring } from '../../core/ring.ts'
import type { From } from '../../core/ring-seats.ts'
import type { Source } from '../../core/ring-source.ts'
import { type Faults, type Program, program } from '../../model/program.ts'
import type { Guarantee } from './guarantees.ts'
import { description, granted, isAlive, itemsBefore, pushedInAll, sinkOf, sourceOf } from './life-programs.ts'
import { anonymous, Follower, itemOf, optionsOf, type Shape, words } from './programs.ts'

/**
 * Programs of a ring whose last reader stands behind all others. What a reader ahead does with an item is to write its number
 * into a word of its own, plainly, and the last one reads that.
 */

/** The line of words that a reader writes into, one for each item. */
const workOf = (shape: Shape, reader: number): number => Ring.words(optionsOf(shape)) + reader * lineWords

const last = ({ readers }: Shape): number => readers - 1
const aheadOf = (shape: Shape): number[] => Array.from({ length: last(shape) }, (_, reader) => reader)

function behind(memory: Memory, shape: Shape): Source {
  return Ring.attach(memory).source({ reader: last(shape), spins: 0, after: aheadOf(shape) })
}

/** Works on so many items, one by one, and leaves if told so. */
function works(memory: Memory, shape: Shape, reader: number, items: number, leaves: boolean): number {
  const source = Ring.attach(memory).source({ reader, spins: 0 })
  const follower = new Follower('ring/in-order')
  while (follower.count < items) {
    source.wait()
    follower.take(source.get(0))
    memory.write(workOf(shape, reader) + follower.count, follower.count)
    source.advance(1)
  }
  if (leaves) source.close()
  return follower.count
}

/** Reads so many items behind all others, and of what was attended to also what they wrote. Returns how many that was. */
function follows(memory: Memory, shape: Shape, items: number): number {
  const source = behind(memory, shape)
  const follower = new Follower('ring/in-order')
  let attended = 0
  while (follower.count < items) {
    source.wait()
    const known = source.attended() > 0
    follower.take(source.get(0))
    if (known) {
      attended++
      for (const reader of aheadOf(shape)) {
        const found = memory.read(workOf(shape, reader) + follower.count)
        guarantee('ring/gated' satisfies Guarantee, found === follower.count, `reader ${reader} wrote ${found}`)
      }
    }
    source.advance(1)
  }
  return attended
}

/** All take part in so many items, sleeping when they must; the first reader may leave after fewer. */
export function gated(shape: Shape, items: number, leavesAfter: number = items): Program<Record<string, number>> {
  const threads: Record<string, (memory: Memory) => number> = {
    writer: (memory) => {
      const sink = sinkOf(memory)
      for (let n = 1; n <= items; n++) sink.push(itemOf(n))
      return items
    },
  }
  for (const reader of aheadOf(shape)) {
    const leaves = reader === 0 && leavesAfter < items
    threads[`reader${reader}`] = (memory) => works(memory, shape, reader, leaves ? leavesAfter : items, leaves)
  }
  const lastName = `reader${last(shape)}`
  threads[lastName] = (memory) => follows(memory, shape, items)
  const { words, ...rest } = description(shape, `push${items}-gated${leavesAfter === items ? '' : `-leave${leavesAfter}`}`)
  return anonymous<Record<string, number>>({
    ...rest,
    words: words + shape.readers * lineWords,
    threads,
    finally: (_, results) => {
      const attended = results[lastName]
      guarantee('ring/attended' satisfies Guarantee, attended === leavesAfter, `${attended} items were attended to`)
    },
  })
}

/**
 * Nobody waits, and nothing is written: the reader behind looks, is never ahead of those ahead, and sees the end only after all
 * items. The first reader may die: then it holds nobody up.
 */
export function gatedTried(shape: Shape, tries: number, faults: Faults<string> = {}): Program<Record<string, number>> {
  const isKilled = faults.kill !== undefined
  const threads: Record<string, (memory: Memory) => number> = {
    writer: (memory) => {
      const sink = sinkOf(memory)
      for (let n = 1; n <= tries; n++) sink.tryPush(itemOf(n))
      sink.close()
      return itemsBefore(shape, sink.position)
    },
  }
  for (const reader of aheadOf(shape)) {
    threads[`reader${reader}`] = (memory) => {
      const source = Ring.attach(memory).source({ reader, spins: 0 })
      source.advance(source.available())
      return itemsBefore(shape, source.position)
    }
  }
  const lastName = `reader${last(shape)}`
  threads[lastName] = (memory) => {
    const source = behind(memory, shape)
    const isDead = isKilled && !isAlive(memory, 1) && memory.load(words.sourceSeat(0)) !== 0
    const found = pushedInAll(memory, shape)
    const seen = source.available()
    guarantee('ring/gated' satisfies Guarantee, !isDead || seen >= found, `a dead reader leaves ${seen} of ${found} items`)
    for (const reader of aheadOf(shape)) {
      if (isKilled && !isAlive(memory, 1)) continue
      const there = itemsBefore(shape, itemAt(positionIn(memory.load(words.read(reader)))))
      guarantee('ring/gated' satisfies Guarantee, seen <= there, `it sees ${seen} items, and reader ${reader} is at ${there}`)
      const known = seen === 0 ? 0 : source.attended()
      guarantee('ring/attended' satisfies Guarantee, known === seen, `${known} of ${seen} items were attended to`)
    }
    source.advance(seen)
    const end = source.end()
    const pushed = pushedInAll(memory, shape)
    guarantee('ring/ends' satisfies Guarantee, end === undefined || seen === pushed, `the end came after ${seen} items`)
    return seen
  }
  return (isKilled ? program<Record<string, number>> : anonymous<Record<string, number>>)({
    ...description(shape, `try${tries}-close-gated${isKilled ? '-killed' : ''}`),
    threads,
    faults,
    sometimes: { 'an item comes through': (_, results) => (results[lastName] ?? 0) > 0 },
  })
}

/** Reader 0 takes what there is and leaves; the heir begins with what comes. The reader behind knows what neither has read. */
export function gateReplacedTried(shape: Shape, tries: number): Program<Record<string, number>> {
  const slug = 'ring/attended' satisfies Guarantee
  /** Whoever reads an item says so first, in a word for each. */
  const marks = Ring.words(optionsOf(shape))
  const attends = (memory: Memory, from?: From): number => {
    const source = granted(() => sourceOf(memory, 0, from))
    if (source === undefined) return -1
    const count = source.available()
    for (let i = 1; i <= count; i++) memory.store(marks + itemsBefore(shape, source.position) + i, 1)
    source.advance(count)
    if (from === undefined) source.close()
    return itemsBefore(shape, source.position)
  }
  const { words, ...rest } = description(shape, `try${tries}-gate-heir`)
  return anonymous<Record<string, number>>({
    ...rest,
    words: words + lineWords,
    threads: {
      writer: (memory) => {
        const sink = sinkOf(memory)
        for (let n = 1; n <= tries; n++) sink.tryPush(itemOf(n))
        return itemsBefore(shape, sink.position)
      },
      reader0: (memory) => attends(memory),
      heir: (memory) => attends(memory, 'latest'),
      reader1: (memory) => {
        const source = behind(memory, shape)
        const known = source.attended()
        for (let n = 1; n <= known; n++) guarantee(slug, memory.load(marks + n) === 1, `nobody attended to item ${n}`)
        return known - source.available()
      },
    },
    sometimes: {
      'nobody attended to an item': (_, { reader1 }) => (reader1 ?? 0) < 0,
      'the heir begins later': (_, { heir }) => (heir ?? 0) > 0,
    },
  })
}

/**
 * Nobody has read an item in the seat of reader 0. The next one there begins after it and leaves, and then begins at it, as
 * the first did. The reader behind takes none of these for another.
 */
export function gateBegunTwiceTried(shape: Shape): Program<Record<string, number>> {
  const readAt = Ring.words(optionsOf(shape))
  const { words, setup, ...rest } = description(shape, 'try1-gate-begun-twice')
  return anonymous<Record<string, number>>({
    ...rest,
    words: words + lineWords,
    setup: (memory) => {
      setup(memory)
      sinkOf(memory).push(itemOf(1))
      sourceOf(memory, 0).close()
    },
    threads: {
      reader0: (memory) => {
        sourceOf(memory, 0, 'latest').close()
        const source = sourceOf(memory, 0, 'oldest')
        const before = itemsBefore(shape, source.position)
        memory.store(readAt, 1)
        source.advance(1)
        return before
      },
      reader1: (memory) => {
        const known = behind(memory, shape).attended()
        guarantee('ring/attended' satisfies Guarantee, known <= memory.load(readAt), 'nobody attended to the item')
        return known
      },
    },
    sometimes: {
      'nobody attended to the item': (_, { reader1 }) => reader1 === 0,
      'it is attended to': (_, { reader1 }) => reader1 === 1,
    },
  })
}

/** Reader 0 joins, takes what there is and says so; who stands behind it then knows. */
export function gateJoinedTried(shape: Shape, tries: number): Program<Record<string, number>> {
  const late = { awaitReaders: false }
  const takenAt = Ring.words(optionsOf(shape))
  const { words, ...rest } = description(shape, `try${tries}-gate-joins`, late)
  return anonymous<Record<string, number>>({
    ...rest,
    words: words + lineWords,
    threads: {
      writer: (memory) => {
        const sink = sinkOf(memory)
        for (let n = 1; n <= tries; n++) sink.tryPush(itemOf(n))
        return itemsBefore(shape, sink.position)
      },
      reader0: (memory) => {
        const source = sourceOf(memory, 0, 'oldest')
        const before = itemsBefore(shape, source.position)
        source.advance(source.available())
        if (before === 0) memory.store(takenAt, itemsBefore(shape, source.position))
        return itemsBefore(shape, source.position)
      },
      reader1: (memory) => {
        const taken = memory.load(takenAt)
        const source = Ring.attach(memory).source({ reader: 1, spins: 0, after: [0], from: 'oldest' })
        const before = itemsBefore(shape, source.position)
        const known = source.attended()
        guarantee('ring/attended' satisfies Guarantee, known >= taken - before, `${taken} items were attended to, not ${known}`)
        return known
      },
    },
    sometimes: { 'an item is attended to': (_, { reader1 }) => (reader1 ?? 0) > 0 },
  })
}
