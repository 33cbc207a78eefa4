import { guarantee } from '../../checker/guarantee.ts'
import type { Memory } from '../../core/memory.ts'
import type { Queue } from '../../core/queue.ts'
import type { Program } from '../../model/program.ts'
import { SlicedMemory } from '../memories.ts'
import { goesOn, range, received, survivor } from './crash-programs.ts'
import { judged } from './errors.ts'
import { type Begun, begin, folderWords, itemsOfSegment, open } from './folder.ts'
import type { Guarantee } from './guarantees.ts'
import { ScratchMemory, SurvivorMemory } from './memories.ts'

/** Queues whose numbers pass the greatest that a word can hold. */

const nameOf = ({ segment, sequence }: Begun): string => `${segment}-${sequence}`

/** Items are sent and received one after the other, at most three wait, and half-way all leave and come again. */
export function wrapping(begun: Begun): Program {
  const most = 3
  const all = 3 * itemsOfSegment + 1
  return judged({
    name: `queue/wrapping-${nameOf(begun)}`,
    words: folderWords,
    setup: (memory) => begin(new SurvivorMemory(memory, 0), begun),
    threads: {
      alone: (memory) => {
        const options = { begun, limits: { items: most } }
        const openIt = (): Queue<number> => open(new SurvivorMemory(new SlicedMemory(memory), 0), options)
        let queue = openIt()
        let [producer, consumer] = [queue.producer(), queue.consumer({ acknowledge: 'manual' })]
        let [sent, next] = [0, 0]
        for (let round = 0; next < all; round++) {
          while (sent < all && producer.trySend(sent + 1) === 'sent') sent++
          const { depth } = queue.metrics()
          guarantee('queue/bounded' satisfies Guarantee, depth === Math.min(most, all - next), `${depth} wait after ${next}`)
          const reader = queue.reader()
          guarantee('queue/order' satisfies Guarantee, (reader.tryRead()?.item ?? 0) <= next + 1, 'a reader begins too late')
          const item = consumer.tryReceive()?.item
          guarantee('queue/order' satisfies Guarantee, item === ++next, `item ${item} came in the place of ${next}`)
          consumer.acknowledge()
          guarantee('queue/bounded' satisfies Guarantee, consumer.lost === 0, `${consumer.lost} are said to be lost`)
          if (round !== itemsOfSegment) continue
          queue.sync()
          queue.close()
          queue = openIt()
          const { lost } = queue.recovered ?? {}
          guarantee('queue/recovers' satisfies Guarantee, lost === 0, `${lost} bytes are said to be lost`)
          producer = queue.producer()
          consumer = queue.consumer({ acknowledge: 'manual' })
        }
      },
    },
  })
}

/** A producer sends three items, and the last one is the first of a new segment; and all die. */
export function wrappingCrashed(begun: Begun): Program {
  const all = itemsOfSegment + 1
  return judged({
    name: `queue/wrapping-kill-${nameOf(begun)}`,
    words: folderWords,
    setup: (memory) => {
      begin(new SurvivorMemory(memory, 0), begun)
      for (const item of range(1, itemsOfSegment - 1)) sendBy(memory, item)
    },
    threads: {
      producer: (memory, mark) => {
        const producer = open(memory, { begun }).producer()
        for (const item of range(itemsOfSegment, all)) {
          producer.trySend(item)
          mark('ack', `item ${item}`)
        }
      },
    },
    faults: { crash: 'kill' },
    recover: (memory, acknowledged) => {
      const queue = open(new SurvivorMemory(new ScratchMemory(memory), survivor), { begun })
      const items = received(queue)
      const least = itemsOfSegment - 1
      guarantee(
        'queue/recovers' satisfies Guarantee,
        items.join() === range(1, items.length).join() && items.length >= least,
        `found ${items}`,
      )
      for (const item of range(items.length + 1, all)) {
        guarantee(
          'queue/durable' satisfies Guarantee,
          !acknowledged.has(`item ${item}`),
          `${item} was acknowledged, found ${items}`,
        )
      }
      goesOn(queue, items)
    },
  })

  function sendBy(memory: Memory, item: number): void {
    const queue = open(new SurvivorMemory(memory, 0), { begun })
    queue.producer().trySend(item)
    queue.close()
  }
}
