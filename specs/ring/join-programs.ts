import { guarantee } from '../../checker/guarantee.ts'
import { lineWords } from '../../core/layout.ts'
import type { Memory } from '../../core/memory.ts'
import { itemAt, positionIn } from '../../core/position.ts'
import { Ring } from '../../core/ring.ts'
import type { From } from '../../core/ring-seats.ts'
import { type Program, program } from '../../model/program.ts'
import type { Guarantee } from './guarantees.ts'
import { description, granted, isAlive, isHeldFor, itemsBefore, readRest, sinkOf, sourceOf, writeRest } from './life-programs.ts'
import { anonymous, Follower, itemBytes, itemOf, itemsOf, optionsOf, type Shape, words } from './programs.ts'

/** Programs of a ring whose readers say where they begin: at the oldest item that is still there, or at a position. */

const late = { awaitReaders: false }

const writtenIn = (memory: Memory, shape: Shape): number => itemsBefore(shape, itemAt(positionIn(memory.load(words.written))))

/** What a reader got that came when so many items had been written. */
interface Joined {
  readonly found: number
  readonly before: number
  readonly items: number
}

/** The writer pushes all items and closes; the reader comes at some time, begins there, and reads to the end. */
export function joiningFrom(shape: Shape, items: number, from: From): Program<{ writer: number; reader0: Joined }> {
  const slug = 'ring/joins' satisfies Guarantee
  return anonymous<{ writer: number; reader0: Joined }>({
    ...description(shape, `push${items}-close-join-${from}`, late),
    threads: {
      writer: (memory) => writeRest(shape, sinkOf(memory), items).pushed,
      reader0: (memory) => {
        const found = writtenIn(memory, shape)
        const { before, items: got } = readRest(shape, sourceOf(memory, 0, from), slug)
        guarantee(slug, before + got === items, 'items that came after it are missing')
        return { found, before, items: got }
      },
    },
    sometimes: {
      'a reader gets what was pushed before it came': (_, { reader0 }) => (reader0?.before ?? 0) < (reader0?.found ?? 0),
      'a reader comes too late for all': (_, { reader0 }) => (reader0?.before ?? 0) > 0,
    },
  })
}

/** As before, without waiting and without reading: whatever goes wrong is no data race. */
export function joiningFromTried(
  shape: Shape,
  tries: number,
  from: From,
  batch = 1,
): Program<Record<'writer' | 'reader0', number>> {
  const position = typeof from === 'number' ? ((shape.start ?? 0) + from) % 2 ** 30 : from
  return anonymous<Record<'writer' | 'reader0', number>>({
    ...description(shape, `try${tries}${batch === 1 ? '' : `-batch${batch}`}-join-${from}`, late),
    threads: {
      writer: (memory) => {
        const sink = sinkOf(memory)
        for (let i = 0; i < tries; i++) sink.tryPushBatch(itemsOf(i * batch + 1, batch))
        return itemsBefore(shape, sink.position)
      },
      reader0: (memory) => {
        const found = writtenIn(memory, shape)
        const source = granted(() => sourceOf(memory, 0, position))
        if (source === undefined) {
          const isRight = typeof from === 'number' && (found < from || writtenIn(memory, shape) > from)
          guarantee('ring/joins' satisfies Guarantee, isRight, `there are ${found} items, and it cannot begin after ${from}`)
          return -1
        }
        const before = itemsBefore(shape, source.position)
        guarantee('ring/joins' satisfies Guarantee, from === 'oldest' || before === from, `it begins after ${before} items`)
        isHeldFor(shape, source, 'ring/joins')
        return before
      },
    },
    sometimes: {
      ...(from !== 1 && { 'the writer is held back': (_: unknown, { writer = 9 }) => writer < tries * batch }),
      ...(typeof from === 'number' && {
        'it is not there': (_, { reader0 }) => reader0 === -1,
        'it is there': (_, { reader0 }) => reader0 === from,
      }),
    },
    finally: (memory, { reader0 }) => {
      if (reader0 === undefined || reader0 < 0) return
      const read = itemsBefore(shape, itemAt(positionIn(memory.load(words.read(0)))))
      guarantee('ring/joins' satisfies Guarantee, read === reader0, `the reader is at ${reader0}, and says ${read}`)
    },
  })
}

/** The writer pushes so many items, one by one, and stops; who comes after that gets all that fit. */
export function keepingTried(shape: Shape, items: number): Program<Record<'writer' | 'reader0', number>> {
  const doneAt = Ring.words({ ...optionsOf(shape), ...late })
  const { words, ...rest } = description(shape, `try${items}-keeps`, late)
  return anonymous<Record<'writer' | 'reader0', number>>({
    ...rest,
    words: words + lineWords,
    threads: {
      writer: (memory) => {
        const sink = sinkOf(memory)
        for (let n = 1; n <= items; n++) sink.tryPush(itemOf(n))
        memory.store(doneAt, itemsBefore(shape, sink.position))
        return itemsBefore(shape, sink.position)
      },
      reader0: (memory) => {
        const pushed = memory.load(doneAt)
        const source = sourceOf(memory, 0, 'oldest')
        const there = source.available()
        const slug = 'ring/keeps' satisfies Guarantee
        guarantee(slug, there >= Math.min(pushed, shape.capacity), `${there} of ${pushed} items are there`)
        return there
      },
    },
    sometimes: { 'the ring is full': (_, { reader0 }) => reader0 === shape.capacity },
  })
}

/** Items wait for a reader that then begins with what comes: the writer, which waits, too, goes on. */
export function skipping(shape: Shape, items: number): Program<{ writer: number; reader0: Joined }> {
  return anonymous<{ writer: number; reader0: Joined }>({
    ...description(shape, `push${items}-close-skip`),
    threads: {
      writer: (memory) => writeRest(shape, sinkOf(memory), items).pushed,
      reader0: (memory) => {
        const found = writtenIn(memory, shape)
        const { before, items: got } = readRest(shape, sourceOf(memory, 0, 'latest'), 'ring/joins')
        guarantee('ring/joins' satisfies Guarantee, before >= found && before + got === items, `${got} items after ${before}`)
        return { found, before, items: got }
      },
    },
    sometimes: { 'a reader skips what waited': (_, { reader0 }) => (reader0?.before ?? 0) > 0 },
  })
}

/** The writer claims two items after two and may die; then the heir tries one. The reader comes at some time, and reads. */
export function claimantReplacedJoined(shape: Shape): Program<Record<'writer' | 'heir' | 'reader0', number>> {
  const pushes = (memory: Memory, batches: number): number => {
    const sink = sinkOf(memory)
    for (let i = 0; i < batches; i++) {
      const pushed = itemsBefore(shape, sink.position)
      sink.tryPushBatch(itemsOf(pushed + 1, batches))
    }
    sink.free()
    return itemsBefore(shape, sink.position)
  }
  return program<Record<'writer' | 'heir' | 'reader0', number>>({
    ...description(shape, 'try-batch2-heir-join-oldest', late),
    threads: {
      writer: (memory) => pushes(memory, 2),
      heir: (memory) => (isAlive(memory, 0) ? -1 : pushes(memory, 1)),
      reader0: (memory) => {
        const source = sourceOf(memory, 0, 'oldest')
        const follower = new Follower('ring/joins', itemsBefore(shape, source.position))
        const target = new Uint8Array(itemBytes)
        for (let i = 0; i < 2; i++) if (source.tryPop(target)) follower.take(target)
        return follower.count
      },
    },
    faults: { kill: ['writer'] },
    sometimes: {
      'the reader gets what the heir pushed': (_, { writer, heir, reader0 }) =>
        writer === undefined && (heir ?? 0) > 2 && reader0 === heir,
    },
  })
}
