import { guarantee } from '../../checker/guarantee.ts'
import type { Memory } from '../../core/memory.ts'
import type { Queue } from '../../core/queue.ts'
import type { Program } from '../../model/program.ts'
import { SlicedMemory } from '../memories.ts'
import { type Crash, range, survivor } from './crash-programs.ts'
import { judged } from './errors.ts'
import { folderWords, itemsOfSegment, type Options, open } from './folder.ts'
import type { Guarantee } from './guarantees.ts'
import { ScratchMemory, SurvivorMemory } from './memories.ts'
import { Gate, type Results } from './programs.ts'

/** Programs in which the oldest items are dropped, and somebody dies: each is received, or counted. Items are numbered from 1. */

const options = (segments: number): Options => ({ limits: { segments }, overflow: 'drop-oldest' })
const counted = 'queue/counted' satisfies Guarantee

/** All that comes now, and how many before that the consumer says to have missed. */
function rest(queue: Queue<number>): { readonly items: number[]; readonly lost: number } {
  const consumer = queue.consumer({ acknowledge: 'manual' })
  const { lost } = consumer
  const items: number[] = []
  for (let next = consumer.tryReceive(); next !== undefined; next = consumer.tryReceive()) items.push(next.item)
  consumer.close()
  return { items, lost }
}

/**
 * Somebody has sent a segment of items and one more, so that the first segment was dropped, when a consumer was done with all of it
 * but one item; and has left.
 */
function droppedBefore(memory: Memory): void {
  const queue = open(new SurvivorMemory(memory, 0), options(1))
  const [producer, consumer] = [queue.producer(), queue.consumer({ acknowledge: 'manual' })]
  for (let n = 1; n <= itemsOfSegment; n++) producer.trySend(n)
  for (let n = 1; n < itemsOfSegment; n++) consumer.tryReceive()
  consumer.acknowledge()
  consumer.close()
  producer.trySend(itemsOfSegment + 1)
  producer.close()
}

/** The item up to which that consumer was done. */
const done = itemsOfSegment - 1

/**
 * A producer may be killed while it drops a segment. Another one goes on, and drops it where that one has not. A consumer then misses
 * what was dropped, to the item, and that is what was counted.
 */
export function dropperDies(): Program<Results> {
  const gate = new Gate(2)
  const endedAt = folderWords + gate.words
  const all = 2 * itemsOfSegment
  const last = 99
  return judged<Results>({
    name: 'queue/dropper-dies',
    words: endedAt + 1,
    setup: droppedBefore,
    threads: {
      heir: (memory) => {
        const queue = gate.pass(memory, 0, () => open(new SlicedMemory(memory), options(1)))
        while (memory.load(endedAt) === 0 && memory.liveness?.alive(1) !== false) memory.pause()
        const before = queue.metrics().dropped
        guarantee(counted, [1, 1 + itemsOfSegment].includes(before), `${before} are said to be dropped`)
        queue.producer().trySend(last)
        const { dropped, depth } = queue.metrics()
        const { items, lost } = rest(queue)
        guarantee('queue/bounded' satisfies Guarantee, depth === items.length, `${depth} are said to wait, found ${items}`)
        const first = items[0] === last ? all + 1 : (items[0] as number)
        guarantee(counted, lost === first - done - 1, `found ${items}, and ${lost} are said to be lost`)
        guarantee(counted, dropped === lost, `${dropped} are said to be dropped, and ${lost} are lost`)
        return items
      },
      dropper: (memory) => {
        const producer = gate.pass(memory, 1, () => open(new SlicedMemory(memory), options(1)).producer())
        for (let n = itemsOfSegment + 2; n <= all + 1; n++) producer.trySend(n)
        memory.store(endedAt, 1)
        return []
      },
    },
    faults: { kill: ['dropper'] },
    sometimes: {
      'the other one drops it': (_, { heir = [] }) => heir.join() === `${last}`,
      'nobody dies': (_, { dropper }) => dropper !== undefined,
    },
  })
}

/**
 * A consumer is done with a segment, has looked at the next one, and may be killed while it says so. What it has said nobody
 * misses, also when the segment is dropped.
 */
export function peekingConsumerDies(): Program<Results> {
  const gate = new Gate(2)
  const [begunAt, endedAt] = [folderWords + gate.words, folderWords + gate.words + 1]
  const before = itemsOfSegment + 1
  const all = 3 * itemsOfSegment
  /** The last one is sent where some were dropped. */
  const limited: Options = { overflow: 'drop-oldest', limits: { segments: 2, items: all - 1 } }
  return judged<Results>({
    name: 'queue/peeking-consumer-dies',
    words: endedAt + 1,
    setup: (memory) => {
      const producer = open(new SurvivorMemory(memory, 0)).producer()
      for (let n = 1; n <= before; n++) producer.trySend(n)
    },
    threads: {
      heir: (memory) => {
        const queue = gate.pass(memory, 0, () => open(new SlicedMemory(memory), limited))
        while (memory.load(endedAt) === 0 && memory.liveness?.alive(1) !== false) memory.pause()
        const producer = queue.producer()
        for (let n = before + 1; n < all; n++) producer.trySend(n)
        const sent = producer.trySend(all)
        const { dropped, depth } = queue.metrics()
        const { items, lost } = rest(queue)
        guarantee('queue/bounded' satisfies Guarantee, dropped === 0 || sent === 'sent', 'there seems to be no room')
        guarantee(counted, dropped === lost, `${dropped} are said to be dropped, and ${lost} are lost`)
        guarantee('queue/bounded' satisfies Guarantee, depth === items.length, `${depth} are said to wait, found ${items}`)
        const doneBefore = (items[0] as number) - lost - 1
        const [begun, ended] = [memory.load(begunAt), memory.load(endedAt)]
        guarantee(counted, doneBefore <= itemsOfSegment * begun, `it had not begun, and ${doneBefore} are said to be done`)
        guarantee(counted, doneBefore >= itemsOfSegment * ended, `it was done, and ${doneBefore} are said to be so`)
        return [items[0] as number, lost]
      },
      first: (memory) => {
        const view = new SlicedMemory(memory)
        const consumer = gate.pass(memory, 1, () => open(view, options(2)).consumer({ acknowledge: 'manual' }))
        for (let n = 1; n <= itemsOfSegment; n++) consumer.tryReceive()
        consumer.peek()
        memory.store(begunAt, 1)
        consumer.acknowledge()
        consumer.close()
        memory.store(endedAt, 1)
        return []
      },
    },
    faults: { kill: ['first'] },
    sometimes: {
      'items are lost': (_, { heir }) => heir?.[1] === itemsOfSegment,
      'none is lost, and one is dead': (_, { heir, first }) => heir?.[1] === 0 && first === undefined,
    },
  })
}

/** A consumer is at work while the oldest items are dropped: it receives each, or misses it and says so. */
export function droppingMeanwhile(segments: number): Program<Results> {
  const gate = new Gate(2)
  const all = segments * itemsOfSegment + 1
  return judged<Results>({
    name: `queue/dropping-meanwhile-${segments}`,
    words: folderWords + gate.words,
    setup: (memory) => {
      const producer = open(new SurvivorMemory(memory, 0)).producer()
      for (let n = 1; n < all; n++) producer.trySend(n)
    },
    threads: {
      consumer: (memory) => {
        const consumer = gate.pass(memory, 0, () => open(new SlicedMemory(memory)).consumer({ acknowledge: 'manual' }))
        const items: number[] = []
        while (items.at(-1) !== all) {
          const next = consumer.tryReceive()
          if (next === undefined) memory.pause()
          else items.push(next.item)
        }
        const inOrder = items.every((item, i) => i === 0 || item > (items[i - 1] as number))
        guarantee('queue/order' satisfies Guarantee, inOrder, `received ${items}`)
        guarantee(counted, items.length + consumer.lost === all, `received ${items}, lost ${consumer.lost}`)
        return items
      },
      producer: (memory) => {
        const view = new SlicedMemory(memory)
        const producer = gate.pass(memory, 1, () => open(view, options(segments)).producer())
        guarantee('queue/bounded' satisfies Guarantee, producer.trySend(all) === 'sent', 'it is not sent')
        return []
      },
    },
    sometimes: {
      'all is received': (_, { consumer }) => consumer?.length === all,
    },
  })
}

/** The oldest items are dropped, and everybody dies, or the power fails. Whoever comes then misses what was dropped, and no more. */
export function droppingCrashed(crash: Crash): Program {
  const all = 2 * itemsOfSegment + 1
  return judged({
    name: `queue/dropping-${crash}`,
    words: folderWords,
    setup: droppedBefore,
    threads: {
      dropper: (memory, mark) => {
        const queue = open(memory, options(1))
        const producer = queue.producer()
        for (let n = itemsOfSegment + 2; n <= all; n++) producer.trySend(n)
        if (crash === 'power') producer.sync()
        mark('ack', 'all')
      },
    },
    faults: { crash },
    recover: (memory, acknowledged) => {
      const scratch = new ScratchMemory(memory)
      open(new SurvivorMemory(scratch, survivor)).close()
      const { items, lost } = rest(open(new SurvivorMemory(scratch, survivor)))
      const first = items[0] ?? all
      guarantee(
        'queue/recovers' satisfies Guarantee,
        items.join() === range(first, first + items.length - 1).join(),
        `found ${items}`,
      )
      guarantee('queue/durable' satisfies Guarantee, items.at(-1) === all || !acknowledged.has('all'), `found ${items}`)
      guarantee(counted, items.length === 0 || lost === first - done - 1, `found ${items}, and ${lost} are said to be lost`)
    },
  })
}
