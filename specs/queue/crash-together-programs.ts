import { guarantee } from '../../checker/guarantee.ts'
import type { Memory } from '../../core/memory.ts'
import type { Queue } from '../../core/queue.ts'
import type { Mark, Program } from '../../model/program.ts'
import { type Crash, goesOn, range, received, survivor } from './crash-programs.ts'
import { judged } from './errors.ts'
import { folderWords, itemsOfSegment, livingWords, open } from './folder.ts'
import type { Guarantee } from './guarantees.ts'
import { ForsakenMemory, SurvivorMemory, WitnessedMemory } from './memories.ts'
import { Gate, witness } from './programs.ts'

/** Programs in which two threads are at work when the power fails, or all processes die; one of them may have died before. */

/** The queue as it is found when everybody is dead. */
function found(memory: Memory): Queue<number> {
  return open(new SurvivorMemory(new ForsakenMemory(memory, livingWords), survivor))
}

/** Somebody who is no thread has sent so many items, and lives: nobody recovers the queue while threads are at work. */
function filled(items: number): (memory: Memory) => void {
  return (memory) => {
    const producer = open(new SurvivorMemory(memory, witness)).producer()
    for (const item of range(1, items)) producer.trySend(item)
  }
}

const viewOf = (memory: Memory): Memory => new WitnessedMemory(memory, witness)

const own = [10, 20] as const

/** Whether all that was sent before is there, and of the items of the two each at most once, and each that was acknowledged. */
function judge(items: readonly number[], before: number, acknowledged: ReadonlySet<string>): void {
  const [old, added] = [items.slice(0, before), items.slice(before)]
  const areOwn = added.every((item) => own.some((one) => one === item)) && new Set(added).size === added.length
  guarantee('queue/recovers' satisfies Guarantee, areOwn && old.join() === range(1, before).join(), `found ${items}`)
  for (const item of own.filter((one) => !added.includes(one))) {
    const had = acknowledged.has(`item ${item}`)
    guarantee('queue/durable' satisfies Guarantee, !had, `${item} was acknowledged, found ${items}`)
  }
}

/** What is the same in programs of two producers. */
export interface Together {
  readonly crash: Crash
  /** How many items were sent before: with one less than a segment holds, one of the two needs a new one. */
  readonly before: number
  /** Whether the first of the two may be killed before the crash. */
  readonly kill?: boolean
}

function together(
  name: string,
  { crash, before, kill = false }: Together,
  producer: (memory: Memory, mark: Mark, thread: 0 | 1) => void,
): Program {
  return judged({
    name: `queue/${name}-${crash}-${before}+2i${kill ? '-killed' : ''}`,
    words: folderWords + gate.words,
    setup: filled(before),
    threads: { one: (memory, mark) => producer(memory, mark, 0), other: (memory, mark) => producer(memory, mark, 1) },
    faults: kill ? { crash, kill: ['one'] } : { crash },
    recover: (memory, acknowledged) => {
      const queue = found(memory)
      const items = received(queue)
      judge(items, before, acknowledged)
      goesOn(queue, items)
    },
  })
}

const gate = new Gate(2)

/** Two producers send an item each. */
export function appendingTogether(options: Together): Program {
  return together('appending-together', options, (memory, mark, thread) => {
    const producer = gate.pass(memory, thread, () => open(viewOf(memory)).producer())
    producer.trySend(own[thread])
    if (options.crash === 'kill') mark('ack', `item ${own[thread]}`)
  })
}

/** Two producers send an item each, one of them brings its to the disk. */
export function appendingBeside(options: Together): Program {
  return together('appending-beside', options, (memory, mark, thread) => {
    const durability = thread === 0 ? 'each' : 'none'
    const producer = gate.pass(memory, thread, () => open(viewOf(memory), { durability }).producer())
    producer.trySend(own[thread])
    if (options.crash === 'kill' || thread === 0) mark('ack', `item ${own[thread]}`)
  })
}

/** Two have sent an item each, and bring them to the disk: they may share a flush. */
export function syncingTogether(options: Together): Program {
  return together('syncing-together', options, (memory, mark, thread) => {
    const queue = gate.pass(memory, thread, () => withItem(memory, thread))
    queue.sync()
    mark('ack', `item ${own[thread]}`)
  })
}

/** One has sent an item and brings it to the disk, while the other sends one and does so as well: the flush of the first may have come too early for it. */
export function syncingBeside(options: Together): Program {
  return together('syncing-beside', options, (memory, mark, thread) => {
    const queue = gate.pass(memory, thread, () => (thread === 0 ? withItem(memory, 0) : open(viewOf(memory))))
    if (thread === 1) queue.producer().trySend(own[1])
    queue.sync()
    mark('ack', `item ${own[thread]}`)
  })
}

function withItem(memory: Memory, thread: 0 | 1): Queue<number> {
  const queue = open(viewOf(memory))
  queue.producer().trySend(own[thread])
  return queue
}

/**
 * A producer sends an item into a new segment while the consumer acknowledges what there is, and brings that to the disk: it may
 * come to be done with the segment before.
 */
export function passing(crash: Crash, kill = false): Program {
  const all = itemsOfSegment + 1
  return judged({
    name: `queue/passing-${crash}${kill ? '-killed' : ''}`,
    words: folderWords + gate.words,
    setup: filled(itemsOfSegment),
    threads: {
      producer: (memory, mark) => {
        const producer = gate.pass(memory, 0, () => open(viewOf(memory)).producer())
        producer.trySend(all)
        if (crash === 'kill') mark('ack', 'sent')
      },
      consumer: (memory, mark) => {
        const consumer = gate.pass(memory, 1, () => open(viewOf(memory)).consumer({ acknowledge: 'manual' }))
        for (let n = 1; n <= itemsOfSegment; n++) consumer.tryReceive()
        const most = consumer.tryReceive()?.item ?? itemsOfSegment
        mark('ack', `begun ${most}`)
        consumer.acknowledge()
        consumer.sync()
        mark('ack', `done ${most}`)
      },
    },
    faults: kill ? { crash, kill: ['producer'] } : { crash },
    recover: (memory, acknowledged) => {
      const queue = found(memory)
      const items = received(queue)
      const next = items[0] ?? all + 1
      const last = items.at(-1) ?? all
      const inOrder = range(next, last).join() === items.join() && last <= all
      guarantee('queue/recovers' satisfies Guarantee, inOrder, `found ${items}`)
      const atMost = (what: string): number =>
        Math.max(0, ...[itemsOfSegment, all].filter((n) => acknowledged.has(`${what} ${n}`)))
      guarantee('queue/kept' satisfies Guarantee, items.length === 0 || next <= atMost('begun') + 1, `found ${items}`)
      guarantee('queue/durable' satisfies Guarantee, items.length === 0 || next > atMost('done'), `found ${items}`)
      guarantee(
        'queue/durable' satisfies Guarantee,
        items.includes(all) || !acknowledged.has('sent') || acknowledged.has(`begun ${all}`),
        `found ${items}`,
      )
      goesOn(queue, items)
    },
  })
}
