import { guarantee } from '../../checker/guarantee.ts'
import type { Memory } from '../../core/memory.ts'
import type { Queue } from '../../core/queue.ts'
import { recordWords } from '../../core/record.ts'
import { acknowledgedAt, recordsAt, tailAt } from '../../core/segment.ts'
import type { Program } from '../../model/program.ts'
import type { Wrap } from '../mutants.ts'
import { judged } from './errors.ts'
import { drafts, folderWords, itemsOfSegment, open, places } from './folder.ts'
import type { Guarantee } from './guarantees.ts'
import { ScratchMemory, SurvivorMemory } from './memories.ts'

/**
 * Programs that crash: all processes die, or the power fails, at any place of sending, rolling, acknowledging and retiring; and
 * then the queue is opened again. A crash of that recovery is explored as well where it says so.
 */

export type Crash = 'kill' | 'power'

/** Whoever opens the queue after the crash. */
export const survivor = 9

/** An item of a later session. */
const later = 50

/** Everything that the consumer gets now. It leaves no trace, so that it gets the same after another crash. */
export function received(queue: Queue<number>): number[] {
  const consumer = queue.consumer({ acknowledge: 'manual' })
  const items: number[] = []
  for (let next = consumer.tryReceive(); next !== undefined; next = consumer.tryReceive()) items.push(next.item)
  consumer.close()
  return items
}

/** How many of the names `what 1`, `what 2` ... were acknowledged, or of those after so many before. */
function countOf(acknowledged: ReadonlySet<string>, what: string, most: number, before: number): number {
  let count = 0
  while (count < most && acknowledged.has(`${what} ${before + count + 1}`)) count++
  return count
}

/** What is sent after a crash. */
const sentAfter = 99

/** The queue goes on: what is sent now comes after all that is there. */
export function goesOn(queue: Queue<number>, before: readonly number[]): void {
  queue.producer().trySend(sentAfter)
  const after = received(queue)
  guarantee('queue/recovers' satisfies Guarantee, after.join() === [...before, sentAfter].join(), `had ${before}, then ${after}`)
}

/**
 * A producer sends 1, 2, 3 ... and acknowledges each when it is on the disk. It was there before: nothing but its operations
 * changes words while it sends.
 *
 * @param durable whether each item is brought to the disk
 * @param before how many items were sent before, by somebody else, and are on the disk
 * @param ahead whether files are made ahead
 */
export function appending(crash: Crash, items: number, durable: boolean, before = 0, ahead = false): Program {
  const most = before + items
  return judged({
    name: `queue/appending-${crash}-${before}+${items}i${durable ? '-durable' : ''}${ahead ? '-ahead' : ''}`,
    words: folderWords,
    setup: (memory) => {
      const producer = open(new SurvivorMemory(memory, 0), { ahead }).producer()
      for (let n = 1; n <= before; n++) producer.trySend(n)
    },
    threads: {
      producer: (memory, mark) => {
        const producer = open(memory, { durability: durable ? 'each' : 'none', ahead }).producer()
        for (let n = before + 1; n <= most; n++) {
          producer.trySend(n)
          if (durable || crash === 'kill') mark('ack', `item ${n}`)
        }
      },
    },
    faults: { crash },
    recover: (memory, acknowledged) => {
      const queue = open(new SurvivorMemory(new ScratchMemory(memory), survivor))
      const items = received(queue)
      const isPrefix = items.every((item, i) => item === i + 1)
      guarantee('queue/recovers' satisfies Guarantee, isPrefix && items.length <= most, `found ${items}`)
      guarantee('queue/recovers' satisfies Guarantee, items.length >= before, `of ${before} that had been there, found ${items}`)
      for (let n = most; n > items.length; n--) {
        guarantee('queue/durable' satisfies Guarantee, !acknowledged.has(`item ${n}`), `${n} was acknowledged, found ${items}`)
      }
      goesOn(queue, items)
    },
  })
}

/**
 * Somebody makes the queue, sends an item and brings it to the disk. Whoever comes after the crash makes it, or goes on with it,
 * and no draft is left.
 *
 * @param sends whether anything is sent; otherwise making it is all
 */
export function creating(crash: Crash, sends = true): Program {
  return judged({
    name: `queue/creating-${crash}${sends ? '' : '-only'}`,
    words: folderWords,
    threads: {
      creator: (memory, mark) => {
        const queue = open(memory)
        if (!sends) return
        const producer = queue.producer()
        producer.trySend(1)
        producer.sync()
        mark('ack', 'item 1')
      },
    },
    faults: { crash },
    recover: (memory, acknowledged) => {
      const scratch = new ScratchMemory(memory)
      const queue = open(new SurvivorMemory(scratch, survivor), { draft: 'b' })
      const items = received(queue)
      guarantee('queue/recovers' satisfies Guarantee, ['', '1'].includes(items.join()), `found ${items}`)
      guarantee('queue/durable' satisfies Guarantee, items.length === 1 || !acknowledged.has('item 1'), `found ${items}`)
      for (const draft of drafts)
        guarantee('queue/retires' satisfies Guarantee, scratch.load(draft) === 0, 'a draft is still there')
      goesOn(queue, items)
    },
  })
}

/** Somebody takes everything away and makes a new queue. The old one is there, or the new one, or none yet. */
export function wipingAway(crash: Crash): Program {
  return judged({
    name: `queue/wiping-${crash}`,
    words: folderWords,
    setup: (memory) => {
      const queue = open(new SurvivorMemory(memory, 0))
      for (let n = 1; n <= itemsOfSegment + 1; n++) queue.producer().trySend(n)
      queue.close()
    },
    threads: {
      wiper: (memory, mark) => {
        const producer = open(memory, { mode: 'wipe' }).producer()
        mark('ack', 'wiped')
        producer.trySend(later)
        producer.sync()
        mark('ack', 'sent')
      },
    },
    faults: { crash },
    recover: (memory, acknowledged) => {
      const queue = open(new SurvivorMemory(new ScratchMemory(memory), survivor), { mode: 'wipe', draft: 'b' })
      guarantee('queue/opens' satisfies Guarantee, received(queue).length === 0, 'it cannot be wiped again')
      goesOn(queue, [])
      if (!acknowledged.has('sent')) return
      const items = received(open(new SurvivorMemory(new ScratchMemory(memory), survivor), { draft: 'b' }))
      guarantee('queue/durable' satisfies Guarantee, items.join() === `${later}`, `found ${items}`)
    },
  })
}

/** Somebody takes everything away, and whoever comes after the crash goes on with what there is: all of it, or nothing. */
export function wipingHalf(crash: Crash): Program {
  const all = range(1, itemsOfSegment + 1)
  return judged({
    name: `queue/wiping-half-${crash}`,
    words: folderWords,
    setup: (memory) => {
      const queue = open(new SurvivorMemory(memory, 0))
      for (const item of all) queue.producer().trySend(item)
      queue.close()
    },
    threads: {
      wiper: (memory, mark) => {
        open(memory, { mode: 'wipe' })
        mark('ack', 'wiped')
      },
    },
    faults: { crash },
    recover: (memory, acknowledged) => {
      const queue = open(new SurvivorMemory(new ScratchMemory(memory), survivor), { draft: 'b' })
      const items = received(queue)
      guarantee('queue/recovers' satisfies Guarantee, ['', all.join()].includes(items.join()), `found ${items}`)
      guarantee('queue/durable' satisfies Guarantee, items.length === 0 || !acknowledged.has('wiped'), `found ${items}`)
      goesOn(queue, items)
    },
  })
}

/** Two items are sent, the second into a new segment, and brought to the disk together. There was one before. */
export function syncing(crash: Crash): Program {
  const all = itemsOfSegment + 1
  return judged({
    name: `queue/syncing-${crash}`,
    words: folderWords,
    setup: (memory) => {
      const producer = open(new SurvivorMemory(memory, 0)).producer()
      for (let n = 1; n < itemsOfSegment; n++) producer.trySend(n)
      producer.sync()
    },
    threads: {
      producer: (memory, mark) => {
        const producer = open(memory).producer()
        for (let n = itemsOfSegment; n <= all; n++) producer.trySend(n)
        producer.sync()
        mark('ack', 'all')
      },
    },
    faults: { crash },
    recover: (memory, acknowledged) => {
      if (!acknowledged.has('all')) return
      const queue = open(new SurvivorMemory(new ScratchMemory(memory), survivor))
      const items = received(queue)
      guarantee('queue/durable' satisfies Guarantee, items.join() === range(1, all).join(), `found ${items}`)
      goesOn(queue, items)
    },
  })
}

/** Somebody opens a queue that nobody has open, and so recovers it, and sends two items. Nothing is brought to the disk. */
export function reopening(crash: Crash): Program {
  return judged({
    name: `queue/reopening-${crash}`,
    words: folderWords,
    setup: (memory) => open(new SurvivorMemory(memory, 0)).close(),
    threads: {
      heir: (memory) => {
        const producer = open(new SurvivorMemory(memory, 0)).producer()
        producer.trySend(1)
        producer.trySend(2)
      },
    },
    faults: { crash },
    recover: (memory) => {
      const queue = open(new SurvivorMemory(new ScratchMemory(memory), survivor))
      const items = received(queue)
      guarantee('queue/recovers' satisfies Guarantee, range(1, items.length).join() === items.join(), `found ${items}`)
      goesOn(queue, items)
    },
  })
}

/**
 * A consumer receives what is there, and acknowledges each item; it marks before and after that, and after `sync` if it calls
 * that. Segments that it is done with go.
 *
 * @param before how many items were acknowledged before
 */
export function acknowledging(crash: Crash, items: number, syncs: boolean, before = 0): Program {
  const all = before + items
  return judged({
    name: `queue/acknowledging-${crash}-${before === 0 ? '' : `${before}+`}${items}i${syncs ? '-sync' : ''}`,
    words: folderWords,
    setup: (memory) => {
      const queue = open(new SurvivorMemory(memory, 0))
      for (let n = 1; n <= all; n++) queue.producer().trySend(n)
      const consumer = queue.consumer({ acknowledge: 'manual' })
      for (let n = 1; n <= before; n++) consumer.tryReceive()
      consumer.acknowledge()
      consumer.close()
    },
    threads: {
      consumer: (memory, mark) => {
        const consumer = open(memory).consumer({ acknowledge: 'manual' })
        for (let n = before + 1; n <= all; n++) {
          guarantee('queue/order' satisfies Guarantee, consumer.tryReceive()?.item === n, `the next one is not ${n}`)
          mark('ack', `begun ${n}`)
          consumer.acknowledge()
          if (syncs) consumer.sync()
          if (syncs || crash === 'kill') mark('ack', `done ${n}`)
        }
      },
    },
    faults: { crash },
    recover: (memory, acknowledged) => {
      const queue = open(new SurvivorMemory(new ScratchMemory(memory), survivor))
      const found = received(queue)
      const next = all - found.length + 1
      guarantee('queue/recovers' satisfies Guarantee, found.join() === range(next, all).join(), `found ${found}`)
      const begun = before + countOf(acknowledged, 'begun', items, before)
      guarantee('queue/kept' satisfies Guarantee, next <= begun + 1, `began to acknowledge ${begun}, found ${found}`)
      const done = before + countOf(acknowledged, 'done', items, before)
      guarantee('queue/durable' satisfies Guarantee, next > done, `acknowledged ${done}, found ${found}`)
      goesOn(queue, found)
    },
  })
}

export function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i)
}

/** A producer sends an item, everybody dies, and the recovery is crashed in turn: it keeps what it does. */
export function recovering(items: number): Program {
  return judged({
    name: `queue/recovering-kill-${items}i`,
    words: folderWords,
    setup: (memory) => {
      const producer = open(new SurvivorMemory(memory, 0)).producer()
      for (let n = 1; n < items; n++) producer.trySend(n)
    },
    threads: { producer: (memory) => void open(memory).producer().trySend(items) },
    faults: { crash: 'kill' },
    recover: (memory) => {
      const queue = open(new SurvivorMemory(memory, survivor))
      const found = received(queue)
      const isPrefix = found.every((item, i) => item === i + 1)
      guarantee('queue/recovers' satisfies Guarantee, isPrefix && found.length >= items - 1, `found ${found}`)
    },
  })
}

/**
 * The power has failed while the third item was sent, and fails again at any moment of the recovery. The disk had lost the tail
 * of the first segment, and the consumer's place in the second one was beyond what the disk has kept.
 */
export function recoveringTwice(): Program {
  return judged({
    name: 'queue/recovering-twice',
    words: folderWords + 1,
    setup: (memory) => {
      const queue = open(new SurvivorMemory(memory, 0))
      const producer = queue.producer()
      for (let n = 1; n <= itemsOfSegment + 1; n++) producer.trySend(n)
      const word = (place: number): number => places.segment(2, place)
      memory.store(places.segment(1, tailAt), 4 * recordsAt)
      memory.store(word(acknowledgedAt), recordsAt + recordWords(4))
      memory.store(word(acknowledgedAt + 1), ~(recordsAt + recordWords(4)))
      memory.store(word(recordsAt), 0)
    },
    threads: { nobody: (memory) => memory.store(folderWords, 1) },
    faults: { crash: 'power' },
    recover: (memory) => {
      const queue = open(new SurvivorMemory(memory, survivor))
      const found = received(queue)
      const all = range(1, itemsOfSegment).join()
      guarantee('queue/recovers' satisfies Guarantee, found.join() === all, `found ${found}`)
    },
  })
}

/**
 * The power has failed once, and the disk has kept the second of two records, and not the first one. Whoever opened the queue
 * then had the session that is crashed here: it sends two items as long as those, and the power fails again.
 *
 * @param behind whether the disk has also kept that the consumer had acknowledged both
 * @param mistake how who opened the queue then saw the memory
 */
export function resurrecting(behind: boolean, mistake?: Wrap): Program {
  return judged({
    name: `queue/resurrecting${behind ? '-acknowledged' : ''}${mistake === undefined ? '' : '-mistaken'}`,
    words: folderWords,
    setup: (memory) => {
      tornDisk(memory, behind)
      open(new SurvivorMemory(mistake?.(memory, 'setup') ?? memory, 0))
    },
    threads: {
      producer: (memory, mark) => {
        const producer = open(memory).producer()
        producer.trySend(later)
        producer.trySend(later + 1)
        producer.sync()
        mark('ack', 'both')
      },
    },
    faults: { crash: 'power' },
    recover: (memory, acknowledged) => {
      const queue = open(new SurvivorMemory(new ScratchMemory(memory), survivor))
      const found = received(queue)
      const expected = [later, later + 1].slice(0, found.length)
      guarantee('queue/recovers' satisfies Guarantee, found.join() === expected.join(), `found ${found}`)
      guarantee('queue/durable' satisfies Guarantee, found.length === 2 || !acknowledged.has('both'), `found ${found}`)
    },
  })
}

/** Sends two items and takes the first record away. */
function tornDisk(memory: Memory, acknowledged: boolean): void {
  const queue = open(new SurvivorMemory(memory, 0))
  const producer = queue.producer()
  const { place } = queue.reader()
  for (let n = 1; n <= itemsOfSegment; n++) producer.trySend(n)
  if (acknowledged) {
    const consumer = queue.consumer()
    for (let n = 1; n <= itemsOfSegment; n++) consumer.tryReceive()
    consumer.acknowledge()
    consumer.close()
  }
  memory.store(places.segment(place.segment, place.byte >>> 2), 0)
}
