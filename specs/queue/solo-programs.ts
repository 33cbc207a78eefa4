import { guarantee } from '../../checker/guarantee.ts'
import { ForwardingMemory } from '../../core/forwarding-memory.ts'
import type { Memory } from '../../core/memory.ts'
import type { Queue } from '../../core/queue.ts'
import { controlPlaces } from '../../core/queue-control.ts'
import { QueueError, type QueueErrorReason } from '../../core/queue-error.ts'
import type { Limits, Overflow } from '../../core/queue-producer.ts'
import { recordHeaderWords, recordWords } from '../../core/record.ts'
import { acknowledgedAt, durableAt, recordsAt } from '../../core/segment.ts'
import type { Program } from '../../model/program.ts'
import { SlicedMemory, WitnessMemory } from '../memories.ts'
import type { Wrap } from '../mutants.ts'
import { judged } from './errors.ts'
import { drafts, entryOf, fillDisk, folderWords, itemsOfSegment, type Options, open, places } from './folder.ts'
import type { Guarantee } from './guarantees.ts'
import { CachedMemory, ForgettingMemory, SurvivorMemory } from './memories.ts'

/** Programs of one thread, which finds a queue as others have left it. There is one execution; mistakes show at once. */

/** Everything that comes now. */
function received(queue: Queue<number>): number[] {
  const consumer = queue.consumer()
  const items: number[] = []
  for (let next = consumer.tryReceive(); next !== undefined; next = consumer.tryReceive()) items.push(next.item)
  consumer.close()
  return items
}

/** Why a call is refused; undefined when it is not. */
function refusal(call: () => unknown): QueueErrorReason | undefined {
  try {
    call()
  } catch (error) {
    if (error instanceof QueueError) return error.reason
    throw error
  }
  return undefined
}

const upTo = (most: number): number[] => Array.from({ length: most }, (_, n) => n + 1)

/** What somebody did before. */
function session(memory: Memory, items: number, acknowledged = 0, options: Options = {}): void {
  const queue = open(new SurvivorMemory(memory, 0), options)
  const producer = queue.producer()
  for (const n of upTo(items)) producer.trySend(n)
  const consumer = queue.consumer({ acknowledge: 'manual' })
  for (let n = 0; n < acknowledged; n++) consumer.tryReceive()
  consumer.acknowledge()
  queue.close()
}

function solo(name: string, body: (memory: Memory) => void, setup?: (memory: Memory) => void): Program {
  return judged({
    name: `queue/${name}`,
    words: folderWords,
    ...(setup && { setup }),
    threads: { alone: (memory) => void body(new SlicedMemory(memory)) },
  })
}

/**
 * As many items go in as a limit allows for, and as many again as there is room for when the consumer is done with some.
 *
 * @param received how many are received each time
 * @param waiting how many then wait when there is no room any more, at first and later
 */
export function limited(limits: Limits, received: number, waiting: readonly number[]): Program {
  return solo(
    `limited-${Object.keys(limits)}`,
    (memory) => {
      const queue = open(memory, { limits })
      const [producer, consumer] = [queue.producer(), queue.consumer({ acknowledge: 'manual' })]
      let last = 0
      let next = 0
      for (const expected of waiting) {
        while (producer.trySend(last + 1) === 'sent') last++
        const found = last - next
        guarantee('queue/bounded' satisfies Guarantee, found === expected, `${found} items wait, and not ${expected}`)
        const { depth } = queue.metrics()
        guarantee('queue/bounded' satisfies Guarantee, depth === expected, `${depth} are said to wait, and not ${expected}`)
        for (let n = 0; n < received && next < last; n++) {
          const item = consumer.tryReceive()?.item
          guarantee('queue/order' satisfies Guarantee, item === ++next, `item ${item} came in the place of ${next}`)
          consumer.acknowledge()
        }
      }
    },
    (memory) => open(new SurvivorMemory(memory, 0)).close(),
  )
}

/** There is no room: items are dropped, the newest or the oldest, and both ends know how many. */
export function dropping(overflow: Overflow): Program {
  return solo(
    overflow,
    (memory) => {
      const queue = open(memory, { limits: { segments: 1 }, overflow })
      const producer = queue.producer()
      const all = itemsOfSegment + 1
      for (const n of upTo(all)) producer.trySend(n)
      const consumer = queue.consumer()
      const items: number[] = []
      for (let next = consumer.tryReceive(); next !== undefined; next = consumer.tryReceive()) items.push(next.item)
      const expected = overflow === 'drop-oldest' ? [all] : upTo(itemsOfSegment)
      guarantee('queue/order' satisfies Guarantee, items.join() === expected.join(), `received ${items}`)
      const { dropped } = queue.metrics()
      const expectedDrops = overflow === 'drop-oldest' ? itemsOfSegment : 1
      guarantee('queue/bounded' satisfies Guarantee, dropped === expectedDrops, `${dropped} are said to be dropped`)
      const lost = overflow === 'drop-oldest' ? itemsOfSegment : 0
      guarantee(
        'queue/bounded' satisfies Guarantee,
        consumer.lost === lost,
        `the consumer believes that it has missed ${consumer.lost}`,
      )
    },
    (memory) => open(new SurvivorMemory(memory, 0)).close(),
  )
}

/**
 * The oldest items are dropped while there is no consumer, of which the last one was done with some: the next one learns how many
 * it has missed, and who comes after that has missed none.
 */
export function droppingUnseen(): Program {
  return solo(
    'dropping-unseen',
    (memory) => {
      const all = 3 * itemsOfSegment
      const dropped = itemsOfSegment - 1
      // The last one is sent because some went before.
      const items = all - 1 - dropped
      const queue = open(memory, { limits: { segments: 2, items }, overflow: 'drop-oldest' })
      const [producer, first] = [queue.producer(), queue.consumer()]
      producer.trySend(1)
      first.tryReceive()
      first.close()
      const sent = upTo(all)
        .slice(1)
        .map((n) => producer.trySend(n))
      guarantee('queue/bounded' satisfies Guarantee, !sent.includes('full'), `they are ${sent}`)
      const said = queue.metrics().dropped
      guarantee('queue/bounded' satisfies Guarantee, said === dropped, `${said} are said to be dropped`)
      const next = queue.consumer()
      const item = next.tryReceive()?.item
      guarantee('queue/order' satisfies Guarantee, item === itemsOfSegment + 1, `item ${item} came`)
      guarantee('queue/bounded' satisfies Guarantee, next.lost === dropped, `it believes that it has missed ${next.lost}`)
      next.close()
      const last = queue.consumer()
      guarantee('queue/order' satisfies Guarantee, last.tryReceive()?.item === itemsOfSegment + 2, 'another one is next')
      guarantee('queue/bounded' satisfies Guarantee, last.lost === 0, `the last one believes that it has missed ${last.lost}`)
    },
    (memory) => open(new SurvivorMemory(memory, 0)).close(),
  )
}

/**
 * A consumer says in the files what it is done with, and dies before it tells the producers that there is room. The next one does,
 * although nothing more comes to it.
 */
export function saidByHeir(): Program {
  return solo('said-by-heir', (memory) => {
    const queue = open(new SurvivorMemory(memory, 1, 2), { limits: { items: 1 } })
    const producer = queue.producer()
    producer.trySend(1)
    const acknowledged = places.control(controlPlaces.acknowledged)
    const said = memory.load(acknowledged)
    received(queue)
    memory.store(acknowledged, said)
    guarantee('queue/bounded' satisfies Guarantee, producer.trySend(2) === 'full', 'it knows that there is room')
    queue.consumer()
    guarantee('queue/wakes' satisfies Guarantee, producer.trySend(2) === 'sent', 'it does not know that there is room')
  })
}

/**
 * The disk does not take that the first file is to go, and the kernel takes it for written; and the power fails while somebody
 * brings the queue in order. No file goes that the disk still counts.
 *
 * @param mistake how those see the memory who were there before
 */
export function retiringForgotten(mistake?: Wrap): Program {
  return solo(
    `retiring-forgotten${mistake === undefined ? '' : '-mistaken'}`,
    (memory) => {
      const disk = new ForgettingMemory(memory, (word) => Number(word >= places.segment(1, 0)))
      const refused = (word: number) => (flushed: number) => flushed === places.control(word)
      const seen = mistake?.(disk, 'alone') ?? disk
      const queue = open(new SurvivorMemory(seen, 1))
      disk.refuses = refused(controlPlaces.first)
      const reason = refusal(() => received(queue))
      guarantee('queue/durable' satisfies Guarantee, reason === 'failed', `the flush failed, and the consumer: ${reason}`)
      refusal(() => queue.close())
      disk.refuses = refused(controlPlaces.epoch)
      try {
        open(new SurvivorMemory(seen, 1))
      } catch (error) {
        if (!(error instanceof Error)) throw error
      }
      disk.refuses = () => false
      disk.failPower((word) => word < places.size(1))
      const items = received(open(new SurvivorMemory(seen, 1)))
      guarantee('queue/retires' satisfies Guarantee, disk.load(entryOf(1)) === 0, 'the first file is still there')
      const all = upTo(itemsOfSegment + 1).join()
      guarantee('queue/recovers' satisfies Guarantee, all.endsWith(items.join()) && items.length > 0, `received ${items}`)
    },
    (memory) => session(memory, itemsOfSegment + 1),
  )
}

/** Files go with their last item. */
export function retiring(): Program {
  return solo(
    'retiring',
    (memory) => {
      const queue = open(memory)
      const items = received(queue)
      guarantee('queue/order' satisfies Guarantee, items.join() === upTo(2 * itemsOfSegment).join(), `received ${items}`)
      const isThere = (segment: number): boolean => memory.load(entryOf(segment)) !== 0
      guarantee('queue/retires' satisfies Guarantee, !isThere(1), 'the first file is still there')
      guarantee('queue/kept' satisfies Guarantee, isThere(2), 'the second file is gone')
      guarantee('queue/bounded' satisfies Guarantee, queue.metrics().segments === 1, 'its files are counted otherwise')
    },
    (memory) => session(memory, 2 * itemsOfSegment),
  )
}

/**
 * After a power failure the words that are for the living may hold anything. Whoever opens the queue then sets them anew: nobody
 * is there, nothing was cancelled or has failed, and there is the room that there is.
 */
export function scribbledOver(): Program {
  const { sequence, consumer, acknowledged, members } = controlPlaces
  const room = itemsOfSegment
  const limits = { items: room, bytes: 4 * room * recordWords(4) }
  return solo(
    'scribbled-over',
    (memory) => {
      const queue = open(new SurvivorMemory(memory, 1), { limits })
      const { depth, dropped, lag } = queue.metrics()
      guarantee('queue/recovers' satisfies Guarantee, [depth, dropped, lag].join() === '1,0,0', `${[depth, dropped, lag]}`)
      const producer = queue.producer()
      let last = itemsOfSegment
      while (producer.trySend(last + 1) === 'sent') last++
      guarantee('queue/recovers' satisfies Guarantee, last === itemsOfSegment + room - 1, `sent up to ${last}`)
      const consumer = queue.consumer()
      guarantee('queue/counted' satisfies Guarantee, consumer.lost === 0, `${consumer.lost} are said to be lost`)
      consumer.close()
      const items = received(queue)
      guarantee('queue/recovers' satisfies Guarantee, items.join() === upTo(last).slice(1).join(), `received ${items}`)
    },
    (memory) => {
      session(memory, itemsOfSegment, 1)
      memory.store(places.control(controlPlaces.done), 0)
      for (let word = sequence; word < sequence + 9; word++) memory.store(places.control(word), 7)
      for (const word of [consumer, consumer + 1, consumer + 2, acknowledged]) memory.store(places.control(word), 70)
      for (let word = members; word < members + 8; word++) memory.store(places.control(word), 6)
    },
  )
}

/** There is room for one member, who comes, leaves, and comes again, twice. */
export function returning(): Program {
  return solo(
    'returning',
    (memory) => {
      for (const time of [1, 2]) {
        const queue = open(memory)
        queue.producer().trySend(time)
        queue.close()
      }
      const items = received(open(memory))
      guarantee('queue/survives' satisfies Guarantee, items.join() === '1,2', `received ${items}`)
    },
    (memory) => open(new SurvivorMemory(memory, 0), { members: 1 }).close(),
  )
}

/** Somebody has taken the control file away. That is told, and what the segments hold stays. */
export function beheaded(): Program {
  return solo(
    'beheaded',
    (memory) => {
      const reason = refusal(() => open(new SurvivorMemory(memory, 1)))
      guarantee('queue/opens' satisfies Guarantee, reason === 'damaged', `refused for the reason ${reason}`)
    },
    (memory) => {
      session(memory, 1)
      memory.store(entryOf(0), 0)
    },
  )
}

/**
 * While somebody makes the queue, another one makes it and sends an item. Both have the same one.
 *
 * @param moment after which look at the name of the control file, or before it gets that name
 */
export function madeMeanwhile(moment: 1 | 2 | 'named'): Program {
  return solo(`made-meanwhile-${moment}`, (memory) => {
    let looks = 0
    const makeIt = (): void =>
      void open(new SurvivorMemory(memory, 1, 2), { draft: 'b' })
        .producer()
        .trySend(1)
    class InterruptedMemory extends SurvivorMemory {
      override load(word: number): number {
        const found = super.load(word)
        if (word === entryOf(0) && ++looks === moment) makeIt()
        return found
      }
      override compareExchange(word: number, expected: number, replacement: number): number {
        if (word === entryOf(0) && moment === 'named') makeIt()
        return super.compareExchange(word, expected, replacement)
      }
    }
    const items = received(open(new InterruptedMemory(memory, 2, 1)))
    guarantee('queue/opens' satisfies Guarantee, items.join() === '1', `received ${items}`)
  })
}

/** Everything goes, if nobody living is there. */
export function wiping(): Program {
  return solo(
    'wiping',
    (memory) => {
      const old = memory.load(entryOf(0))
      const queue = open(new SurvivorMemory(memory, 0), { mode: 'wipe', draft: 'b' })
      const items = received(queue)
      guarantee('queue/opens' satisfies Guarantee, items.length === 0, `received ${items}`)
      guarantee('queue/opens' satisfies Guarantee, memory.load(entryOf(0)) !== old, 'it has the shape of the old one')
      queue.producer().trySend(9)
      guarantee('queue/opens' satisfies Guarantee, received(queue).join() === '9', 'it is not used as a new one')
      guarantee('queue/retires' satisfies Guarantee, memory.load(entryOf(2)) === 0, 'a segment is still there')
      const reason = refusal(() => open(memory, { mode: 'wipe', draft: 'b' }))
      guarantee('queue/opens' satisfies Guarantee, reason === 'in-use', `wiped while somebody has it open: ${reason}`)
    },
    (memory) => session(memory, itemsOfSegment + 1),
  )
}

/** A memory whose disk refuses some flushes. */
class RefusingMemory extends ForwardingMemory {
  override readonly durability: NonNullable<Memory['durability']> = {
    flush: (byte, length) => {
      if (this.refuses(byte >>> 2, length >>> 2)) throw new Error('the disk does not take it')
      this.memory.durability?.flush(byte, length)
    },
  }
  refuses: (word: number, words: number) => boolean = () => false
}

/**
 * The disk does not take records: whether they are on it nobody knows any more, whatever it says later. So nothing is said to be
 * on the disk from then on, and nothing more is sent, until everybody has left and somebody opens the queue anew.
 */
export function diskFails(): Program {
  return solo(
    'disk-fails',
    (memory) => {
      const disk = new RefusingMemory(memory)
      const queue = open(disk)
      const producer = queue.producer()
      producer.trySend(1)
      disk.refuses = (word) => word >= places.segment(1, acknowledgedAt)
      const first = refusal(() => producer.sync())
      guarantee('queue/durable' satisfies Guarantee, first === 'failed', `the flush failed, and sync: ${first}`)
      disk.refuses = () => false
      const again = refusal(() => producer.sync())
      guarantee('queue/durable' satisfies Guarantee, again === 'failed', `asked again, sync says ${again}`)
      const sent = refusal(() => producer.trySend(2))
      guarantee('queue/durable' satisfies Guarantee, sent === 'failed', `sent all the same: ${sent}`)
      queue.close()
      const anew = open(memory)
      anew.producer().trySend(2)
      guarantee('queue/recovers' satisfies Guarantee, received(anew).join() === '1,2', 'it does not go on')
      anew.sync()
    },
    (memory) => open(new SurvivorMemory(memory, 0)).close(),
  )
}

/**
 * The disk does not take an item, and later that the consumer is done with it, and the kernel takes them for written. Who opens
 * the queue then writes them again: what `sync` returns for is there when the power fails.
 *
 * @param mistake how all of them see the memory
 */
export function diskForgets(mistake?: Wrap): Program {
  return solo(
    `disk-forgets${mistake === undefined ? '' : '-mistaken'}`,
    (memory) => {
      const [records, acknowledged] = [places.segment(1, recordsAt), places.segment(1, acknowledgedAt)]
      const lines = [acknowledged, places.segment(1, durableAt), records, places.segment(2, 0)]
      const disk = new ForgettingMemory(memory, (word) => lines.filter((line) => word >= line).length)
      const session = (refused: number, work: (queue: Queue<number>) => void): void => {
        const queue = open(new SurvivorMemory(mistake?.(disk, 'alone') ?? disk, 1))
        disk.refuses = (word) => word >= refused && word < refused + 8
        work(queue)
        disk.refuses = () => false
        queue.close()
      }
      session(records, (queue) => {
        queue.producer().trySend(1)
        const first = refusal(() => queue.sync())
        guarantee('queue/durable' satisfies Guarantee, first === 'failed', `the flush failed, and sync: ${first}`)
      })
      session(0, (queue) => queue.sync())
      disk.failPower(() => false)
      session(acknowledged, (queue) => {
        const consumer = queue.consumer({ acknowledge: 'manual' })
        const item = consumer.tryReceive()?.item
        guarantee('queue/durable' satisfies Guarantee, item === 1, `in the place of 1 there is ${item}`)
        consumer.acknowledge()
        refusal(() => consumer.sync())
      })
      session(0, (queue) => queue.consumer().sync())
      disk.failPower(() => false)
      const again = received(open(new SurvivorMemory(disk, 1)))
      guarantee('queue/durable' satisfies Guarantee, again.length === 0, `acknowledged, and there again: ${again}`)
    },
    (memory) => open(new SurvivorMemory(memory, 0)).close(),
  )
}

/**
 * The next segment cannot be made, for once: nothing has changed, and the next call makes it. Only when the disk does not take
 * that it is the last one, nobody knows any more where the log ends after a crash.
 */
export function rollFails(): Program {
  return solo(
    'roll-fails',
    (memory) => {
      const disk = new RefusingMemory(memory)
      const queue = open(disk)
      const producer = queue.producer()
      for (const n of upTo(itemsOfSegment)) producer.trySend(n)
      let times = 0
      // Its header, the names of the folder: each fails once.
      for (let refused = 1; refused <= 2; refused++) {
        let flushes = 0
        disk.refuses = () => ++flushes === refused + 1
        try {
          producer.trySend(itemsOfSegment + 1)
        } catch (error) {
          if (!(error instanceof Error)) throw error
          times++
        }
      }
      disk.refuses = () => false
      guarantee('queue/bounded' satisfies Guarantee, times === 2, `${times} of 2 calls failed`)
      const last = itemsOfSegment + 1
      guarantee('queue/bounded' satisfies Guarantee, producer.trySend(last) === 'sent', 'it does not go on')
      const items = received(queue)
      guarantee('queue/order' satisfies Guarantee, items.join() === upTo(last).join(), `received ${items}`)
      for (let n = last + 1; n <= 2 * itemsOfSegment; n++) producer.trySend(n)
      disk.refuses = (word) => word === places.control(controlPlaces.last)
      const reasons = [1, 2].map((n) => {
        if (n === 2) disk.refuses = () => false
        return refusal(() => producer.trySend(n))
      })
      guarantee('queue/durable' satisfies Guarantee, reasons.join() === 'failed,failed', `its number failed, then: ${reasons}`)
    },
    (memory) => open(new SurvivorMemory(memory, 0)).close(),
  )
}

/** Nobody sends, and the time of who waits is over: of the consumer, and of a producer for which there is no room. */
export function givingUp(): Program {
  const slug = 'queue/times-out' satisfies Guarantee
  return solo(
    'giving-up',
    (memory) => {
      const witness = new WitnessMemory(memory, slug, () => false)
      const queue = open(witness, { limits: { items: 1 } })
      const [producer, consumer] = [queue.producer(), queue.consumer({ acknowledge: 'manual' })]
      const item = witness.attempt(
        'there was an item',
        (timeoutMs) => consumer.receive(timeoutMs),
        (result) => result === undefined,
      )
      guarantee(slug, item === undefined, 'something came')
      producer.trySend(1)
      const sent = witness.attempt(
        'there was room',
        (timeoutMs) => producer.send(2, timeoutMs),
        (result) => result === 'full',
      )
      guarantee(slug, sent === 'full', `there was no room, and it was ${sent}`)
    },
    (memory) => open(new SurvivorMemory(memory, 0)).close(),
  )
}

/**
 * The power fails twice, and each time the disk keeps what is worst. First the second of two records and all of the first one but
 * its payload; then, of a record in the place of the first one, only the payload, which is the same: the first record is whole
 * again. It is one of an older session than the last one, and so it is not there, nor what comes behind it.
 *
 * @param mistake how those who sent saw the memory
 */
export function failingTwice(mistake?: Wrap): Program {
  const payload = places.segment(1, recordsAt + recordHeaderWords)
  return solo(
    `failing-twice${mistake === undefined ? '' : '-mistaken'}`,
    (memory) => {
      const disk = new CachedMemory(memory)
      const send = (items: number): void => {
        const queue = open(new SurvivorMemory(mistake?.(disk, 'alone') ?? disk, 1))
        const found = received(queue)
        guarantee('queue/recovers' satisfies Guarantee, found.length === 0, `found ${found}`)
        const producer = queue.producer()
        for (const n of upTo(items)) producer.trySend(n)
      }
      send(2)
      disk.failPower((word) => word >= places.segment(1, recordsAt) && word < places.segment(2, 0) && word !== payload)
      send(1)
      disk.failPower((word) => word === payload)
      const queue = open(new SurvivorMemory(disk, 1))
      const found = received(queue)
      guarantee('queue/recovers' satisfies Guarantee, found.length === 0, `found ${found}`)
    },
    (memory) => open(new SurvivorMemory(memory, 0)).close(),
  )
}

/** Files are there that the dead have left half-way: a draft, one before the first segment, one behind the last. They go. */
export function leftBehind(): Program {
  const nothing = 7
  return solo(
    'left-behind',
    (memory) => {
      const queue = open(new SurvivorMemory(memory, 1))
      for (const entry of [...drafts, entryOf(1), entryOf(4)]) {
        guarantee('queue/retires' satisfies Guarantee, memory.load(entry) === 0, `file ${entry} is still there`)
      }
      queue.producer().trySend(6)
      const items = received(queue)
      guarantee('queue/recovers' satisfies Guarantee, items.join() === '4,5,6', `received ${items}`)
    },
    (memory) => {
      session(memory, 2 * itemsOfSegment + 1, itemsOfSegment + 1)
      for (const entry of [...drafts, entryOf(1), entryOf(4)]) memory.store(entry, nothing)
    },
  )
}

/** Whoever sends when the first item has waited for its time brings all to the disk. */
export function flushingInTime(): Program {
  const milliseconds = 5
  return solo(
    'flushing-in-time',
    (memory) => {
      let flushed = 0
      const flushes = (): number => flushed
      let later = 0
      class ClockMemory extends ForwardingMemory {
        override readonly durability: NonNullable<Memory['durability']> = {
          flush: (byte) => {
            if (byte >= 4 * places.segment(1, recordsAt)) flushed++
          },
        }
        override now(): number {
          return super.now() + later
        }
      }
      const producer = open(new ClockMemory(memory), { durability: { milliseconds } }).producer()
      producer.trySend(1)
      guarantee('queue/durable' satisfies Guarantee, flushes() === 0, 'it did not wait')
      later = milliseconds
      producer.trySend(2)
      guarantee('queue/durable' satisfies Guarantee, flushes() === 1, `${flushed} flushes, and not one`)
    },
    (memory) => open(new SurvivorMemory(memory, 0)).close(),
  )
}

/** The consumer follows the producer from segment to segment, and the file of one that is done becomes the next one. */
export function goingRound(): Program {
  return solo(
    'going-round',
    (memory) => {
      const queue = open(memory)
      const [producer, consumer] = [queue.producer(), queue.consumer()]
      for (const n of upTo(2 * itemsOfSegment + 1)) {
        producer.trySend(n)
        const item = consumer.tryReceive()?.item
        guarantee('queue/order' satisfies Guarantee, item === n, `item ${item} came in the place of ${n}`)
      }
    },
    (memory) => open(new SurvivorMemory(memory, 0)).close(),
  )
}

/** The disk has room for one file, which is made ahead. That there is none for the next one says who needs it, and not before. */
export function madeAhead(): Program {
  return solo(
    'made-ahead',
    (memory) => {
      const queue = open(memory, { ahead: true })
      const producer = queue.producer()
      const sends = (from: number, to: number, expected: string): void => {
        for (let n = from; n <= to; n++) {
          const sent = producer.trySend(n)
          guarantee('queue/bounded' satisfies Guarantee, sent === expected, `${n} was not ${expected}, but ${sent}`)
        }
      }
      const empty = fillDisk(memory, 1)
      sends(1, 2 * itemsOfSegment, 'sent')
      sends(2 * itemsOfSegment + 1, 2 * itemsOfSegment + 1, 'full')
      empty()
      sends(2 * itemsOfSegment + 1, 2 * itemsOfSegment + 1, 'sent')
      const items = received(queue)
      guarantee('queue/order' satisfies Guarantee, items.join() === upTo(2 * itemsOfSegment + 1).join(), `received ${items}`)
    },
    (memory) => open(new SurvivorMemory(memory, 0)).close(),
  )
}

/** Items so long that they are copied as a whole, and not word by word. */
export function longItems(): Program {
  const words = 65
  const codec: Options['codec'] = {
    encode: (item) => new Uint8Array(Int32Array.from({ length: words }, (_, i) => item + i).buffer),
    decode: (bytes) => {
      const [item = 0, ...others] = new Int32Array(bytes.slice().buffer)
      guarantee('queue/whole' satisfies Guarantee, others.length === words - 1, `${others.length + 1} words came`)
      guarantee(
        'queue/whole' satisfies Guarantee,
        others.every((word, i) => word === item + i + 1),
        `${item}, then ${others}`,
      )
      return item
    },
  }
  const options: Options = { codec, segmentBytes: 4 * (recordsAt + itemsOfSegment * recordWords(4 * words)) }
  return solo(
    'long-items',
    (memory) => {
      const queue = open(memory, options)
      for (const n of upTo(itemsOfSegment)) queue.producer().trySend(n)
      const items = received(queue)
      guarantee('queue/order' satisfies Guarantee, items.join() === upTo(itemsOfSegment).join(), `received ${items}`)
    },
    (memory) => open(new SurvivorMemory(memory, 0), options).close(),
  )
}
