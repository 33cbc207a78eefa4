import { guarantee } from '../../checker/guarantee.ts'
import type { Memory } from '../../core/memory.ts'
import type { Queue } from '../../core/queue.ts'
import type { Consumer } from '../../core/queue-consumer.ts'
import { QueueError } from '../../core/queue-error.ts'
import type { Reader } from '../../core/queue-reader.ts'
import { type Program, program } from '../../model/program.ts'
import { SlicedMemory } from '../memories.ts'
import { entryOf, folderWords, itemsOfSegment, open } from './folder.ts'
import type { Guarantee } from './guarantees.ts'
import { ScratchMemory, SurvivorMemory } from './memories.ts'
import { Gate } from './programs.ts'

/** Programs in which the file of a retired segment becomes a new one. */

const whole = 'queue/whole' satisfies Guarantee

/** So many segments are full, and the consumer is done with all of the first one. */
function full(segments: number): (memory: Memory) => void {
  return (memory) => {
    const queue = open(new SurvivorMemory(memory, 0))
    const producer = queue.producer()
    for (let n = 1; n <= segments * itemsOfSegment; n++) producer.trySend(n)
    const consumer = queue.consumer({ acknowledge: 'manual' })
    for (let n = 1; n <= itemsOfSegment; n++) consumer.tryReceive()
    consumer.acknowledge()
    consumer.close()
  }
}

/** Receives the items of all segments but the first and the last one, and the next one, and sends one, which needs a new segment. */
function move(queue: Queue<number>, consumer: Consumer<number>, segments: number): void {
  for (let n = itemsOfSegment + 1; n <= (segments - 1) * itemsOfSegment + 1; n++) {
    guarantee('queue/order' satisfies Guarantee, consumer.tryReceive()?.item === n, `the next one is not ${n}`)
  }
  consumer.acknowledge()
  queue.producer().trySend(segments * itemsOfSegment + 1)
}

/** The next item. Whatever the reader finds in a file, it takes no other segment for its own. */
function readBy(reader: Reader<number>): number {
  try {
    return reader.tryRead()?.item ?? 0
  } catch (error) {
    guarantee(whole, !(error instanceof QueueError), String(error))
    throw error
  }
}

/** Files count in the order in which they were made: the control file, and the segments. */
const fileOf = (memory: Pick<Memory, 'load'>, segment: number): number => memory.load(entryOf(segment))
const fileOfSecond = 3

/**
 * One thread is done with two segments, and makes a new one, while a reader goes from the first to the second. The file is used again
 * unless the reader has it open.
 */
export function reusing(): Program<Record<'mover' | 'reader', readonly number[]>> {
  const gate = new Gate(2)
  return program<Record<'mover' | 'reader', readonly number[]>>({
    name: 'queue/reusing',
    words: folderWords + gate.words,
    setup: full(3),
    threads: {
      mover: (memory) => {
        const [queue, consumer] = gate.pass(memory, 0, () => {
          const opened = open(new SlicedMemory(memory))
          return [opened, opened.consumer()] as const
        })
        move(queue, consumer, 3)
        const last = [consumer.tryReceive()?.item, consumer.tryReceive()?.item].join()
        guarantee(whole, last === '6,7', `received ${last} at last`)
        return []
      },
      reader: (memory) => {
        const reader = gate.pass(memory, 1, () => {
          const atFirst = open(new SlicedMemory(memory)).reader()
          for (let n = 1; n <= itemsOfSegment; n++) atFirst.tryRead()
          return atFirst
        })
        const item = readBy(reader)
        guarantee(whole, item === itemsOfSegment + 1 + reader.lost, `read ${item}, lost ${reader.lost}`)
        return [item]
      },
    },
    sometimes: {
      'the file is used again': (memory) => fileOf(memory, 4) === fileOfSecond,
      'the reader has it open': (memory, { reader }) => reader?.[0] === itemsOfSegment + 1 && fileOf(memory, 4) > fileOfSecond,
      'the reader comes too late': (_, { reader }) => reader?.[0] === 2 * itemsOfSegment + 1,
    },
  })
}

/** The same with two segments and without a reader, and a crash at any moment. */
export function reusingCrashed(crash: 'kill' | 'power'): Program {
  return program({
    name: `queue/reusing-${crash}`,
    words: folderWords,
    setup: full(2),
    threads: {
      mover: (memory, mark) => {
        const queue = open(memory)
        move(queue, queue.consumer(), 2)
        if (crash === 'power') queue.sync()
        mark('ack', 'sent')
      },
    },
    faults: { crash },
    recover: (memory, acknowledged) => {
      const sent = 2 * itemsOfSegment
      const queue = open(new SurvivorMemory(new ScratchMemory(memory), 9))
      const consumer = queue.consumer({ acknowledge: 'manual' })
      const found: number[] = []
      for (let next = consumer.tryReceive(); next !== undefined; next = consumer.tryReceive()) found.push(next.item)
      const last = found.at(-1) ?? sent + 1
      const inOrder = found.every((item, i) => item === last - found.length + 1 + i)
      guarantee('queue/recovers' satisfies Guarantee, inOrder && last >= sent && last <= sent + 1, `found ${found}`)
      guarantee('queue/durable' satisfies Guarantee, last === sent + 1 || !acknowledged.has('sent'), `found ${found}`)
    },
  })
}
