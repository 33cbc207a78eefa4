import { guarantee } from '../../checker/guarantee.ts'
import type { Memory } from '../../core/memory.ts'
import type { Queue } from '../../core/queue.ts'
import { QueueError } from '../../core/queue-error.ts'
import { recordWords } from '../../core/record.ts'
import type { Program } from '../../model/program.ts'
import { SlicedMemory } from '../memories.ts'
import { judged } from './errors.ts'
import { folderWords, itemsOfSegment, type Options, open } from './folder.ts'
import type { Guarantee } from './guarantees.ts'
import { DeepSleepMemory, SurvivorMemory, WitnessedMemory } from './memories.ts'

/** Small programs around a queue while everybody else lives, or somebody dies. Crashes are in `crash-programs.ts`. */

/** Somebody who is no thread. */
const nobody = 9

/** Somebody who is no thread, and has opened the queue, and lives: nobody recovers it. */
export const witness = 8

/** Item `n` of a producer. */
const itemOf = (producer: number, n: number): number => 10 * (producer + 1) + n

/**
 * Threads that open the queue one after the other and then begin together: that they may also open it at once is for other
 * programs, and all orders of that would be multiplied with all orders of what follows.
 */
export class Gate {
  private readonly threads: number

  constructor(threads: number) {
    this.threads = threads
  }

  get words(): number {
    return this.threads
  }

  /** Makes something when all threads before this one have done so, or are dead; returns when all have. */
  pass<T>(memory: Memory, thread: number, make: () => T): T {
    for (let other = 0; other < thread; other++) this.await(memory, other)
    const made = make()
    memory.store(folderWords + thread, 1)
    for (let other = thread + 1; other < this.threads; other++) this.await(memory, other)
    return made
  }

  private await(memory: Memory, other: number): void {
    while (memory.load(folderWords + other) === 0 && memory.liveness?.alive(other) !== false) memory.pause()
  }
}

/** The queue is made by thread 0, which is there from the beginning: nobody has to recover it. */
function madeByFirst(memory: Memory): void {
  open(new SurvivorMemory(memory, 0))
}

/** Puts so many items into the queue, as producer 0, before the threads begin. */
function filled(items: number, options: Options = {}): (memory: Memory) => void {
  return (memory) => {
    const queue = open(new SurvivorMemory(memory, 0), options)
    const producer = queue.producer()
    for (let n = 0; n < items; n++) producer.trySend(itemOf(0, n))
    producer.close()
  }
}

export type Results = Record<string, readonly number[]>

/** Items come in the order of each producer, each once, all that were sent and none that was not. */
function judgeReceived(
  received: readonly number[],
  sent: ReadonlyMap<number, readonly number[]>,
  killed: (p: number) => boolean,
): void {
  for (const [producer, items] of sent) {
    const own = received.filter((item) => Math.floor(item / 10) === producer + 1)
    guarantee('queue/once' satisfies Guarantee, new Set(own).size === own.length, `received ${received}`)
    guarantee('queue/order' satisfies Guarantee, own.join() === items.slice(0, own.length).join(), `received ${received}`)
    guarantee('queue/ends' satisfies Guarantee, own.length === items.length || killed(producer), `received ${received}`)
  }
  const known = received.every((item) => sent.has(Math.floor(item / 10) - 1))
  guarantee('queue/whole' satisfies Guarantee, known, `received ${received}`)
}

function sentBy(producers: number, items: number): Map<number, number[]> {
  const upTo = (n: number): number[] => [...Array(n).keys()]
  return new Map(upTo(producers).map((producer) => [producer, upTo(items).map((n) => itemOf(producer, n))]))
}

/** Somebody has sent before, and has left: a stream that nobody has joined yet does not end. */
function joinedBefore(memory: Memory): void {
  open(new SurvivorMemory(memory, 0)).producer().close()
}

/** How producers send. */
interface Sending {
  readonly batch?: boolean
  /** Whether files are made ahead. */
  readonly ahead?: boolean
}

const suffixOf = ({ batch, ahead }: Sending): string => `${batch ? '-batch' : ''}${ahead ? '-ahead' : ''}`

/** Producers named `producer0` ... who each send their items and leave. */
function producersOf(
  gate: Gate,
  producers: number,
  items: number,
  { batch = false, ...options }: Sending = {},
): Program<Results>['threads'] {
  const sent = sentBy(producers, items)
  const producer = (memory: Memory, index: number): readonly number[] => {
    const end = gate.pass(memory, index + 1, () => open(new SlicedMemory(memory), options).producer())
    const own = sent.get(index) as readonly number[]
    if (batch) guarantee('queue/order' satisfies Guarantee, end.trySendBatch(own) === items, 'no room for all')
    else for (const item of own) guarantee('queue/order' satisfies Guarantee, end.trySend(item) === 'sent', 'no room')
    end.close()
    return []
  }
  return Object.fromEntries([...sent.keys()].map((index) => [`producer${index}`, (memory: Memory) => producer(memory, index)]))
}

/** Producers send, and the consumer receives all of it. */
export function sending(producers: number, items: number, how: Sending = {}): Program<Results> {
  const gate = new Gate(producers + 1)
  const consumer = (memory: Memory): readonly number[] => {
    const end = gate.pass(memory, 0, () => open(new SlicedMemory(memory)).consumer())
    const received: number[] = []
    while (received.length < producers * items) {
      const next = end.tryReceive()
      if (next === undefined) memory.pause()
      else received.push(next.item)
    }
    return received
  }
  return judged<Results>({
    name: `queue/sending-${producers}p${items}i${suffixOf(how)}`,
    words: folderWords + gate.words,
    setup: madeByFirst,
    threads: { consumer, ...producersOf(gate, producers, items, how) },
    finally: (_, { consumer: received = [] }) => judgeReceived(received, sentBy(producers, items), () => false),
  })
}

/** Producers send and close, and the consumer receives until the stream ends. */
export function ending(producers: number, items: number): Program<Results> {
  const gate = new Gate(producers + 1)
  const consumer = (memory: Memory): readonly number[] => {
    const end = gate.pass(memory, 0, () => open(new SlicedMemory(memory)).consumer())
    const received: number[] = []
    for (let next = end.receive(); next !== undefined; next = end.receive()) received.push(next.item)
    return received
  }
  return judged<Results>({
    name: `queue/ending-${producers}p${items}i`,
    words: folderWords + gate.words,
    setup: madeByFirst,
    threads: { consumer, ...producersOf(gate, producers, items) },
    finally: (_, { consumer: received = [] }) => judgeReceived(received, sentBy(producers, items), () => false),
  })
}

/**
 * Producers send, and one of them may be killed before any of its operations. When all have ended so or so, the consumer
 * receives what there is; then it sends an item itself, and receives that.
 */
export function dying(producers: number, items: number): Program<Results> {
  const gate = new Gate(producers + 1)
  const names = Array.from({ length: producers }, (_, index) => `producer${index}`)
  const last = 99
  const endedAt = folderWords + gate.words
  const threads = Object.entries(producersOf(gate, producers, items)).map(([name, body], index) => [
    name,
    (memory: Memory, mark: never): readonly number[] => {
      body(memory, mark)
      memory.store(endedAt + index, 1)
      return []
    },
  ])
  const consumer = (memory: Memory): readonly number[] => {
    const queue = gate.pass(memory, 0, () => open(new SlicedMemory(memory)))
    const end = queue.consumer()
    for (const index of names.keys()) {
      while (memory.load(endedAt + index) === 0 && memory.liveness?.alive(index + 1) !== false) memory.pause()
    }
    const received: number[] = []
    for (let next = end.receive(); next !== undefined; next = end.receive()) received.push(next.item)
    queue.producer().trySend(last)
    guarantee('queue/survives' satisfies Guarantee, end.tryReceive()?.item === last, 'what was sent after the death is not there')
    return received
  }
  return judged<Results>({
    name: `queue/dying-${producers}p${items}i`,
    words: endedAt + producers,
    setup: joinedBefore,
    threads: { consumer, ...Object.fromEntries(threads) },
    faults: { kill: names },
    finally: (_, results) => {
      const killed = (index: number): boolean => results[`producer${index}`] === undefined
      judgeReceived(results.consumer as readonly number[], sentBy(producers, items), killed)
    },
    sometimes: {
      'one is killed before it has sent anything': (_, results) =>
        names.some((name, index) => results[name] === undefined && !results.consumer?.includes(itemOf(index, 0))),
      'one is killed after its last item': (_, results) =>
        names.some((name, index) => results[name] === undefined && results.consumer?.includes(itemOf(index, items - 1))),
      'nobody is killed': (_, results) => names.every((name) => results[name] !== undefined),
    },
  })
}

/** There is room for one item: the producer waits for the consumer, and the consumer for the producer. Nobody looks up. */
export function fullAndEmpty(items: number, spins = 0): Program<Results> {
  const gate = new Gate(2)
  const options: Options = { limits: { items: 1 }, spins }
  return judged<Results>({
    name: `queue/full-and-empty-${items}${spins > 0 ? '-spinning' : ''}`,
    words: folderWords + gate.words,
    setup: madeByFirst,
    threads: {
      consumer: (memory) => {
        const end = gate.pass(memory, 0, () => open(new DeepSleepMemory(memory), options).consumer())
        const received: number[] = []
        while (received.length < items) {
          received.push(end.receive()?.item as number)
          end.acknowledge()
        }
        return received
      },
      producer: (memory) => {
        const end = gate.pass(memory, 1, () => open(new DeepSleepMemory(memory), options).producer())
        for (let n = 0; n < items; n++) end.send(itemOf(0, n))
        return []
      },
    },
    finally: (_, { consumer: received = [] }) => judgeReceived(received, sentBy(1, items), () => false),
  })
}

/** Two want to be the consumer. */
export function twoConsumers(): Program<Record<'one' | 'other', boolean>> {
  const gate = new Gate(2)
  const consumer = (memory: Memory, thread: number): boolean => {
    const queue = gate.pass(memory, thread, () => open(new SlicedMemory(memory)))
    return become(queue) !== undefined
  }
  return judged<Record<'one' | 'other', boolean>>({
    name: 'queue/two-consumers',
    words: folderWords + gate.words,
    setup: madeByFirst,
    threads: { one: (memory) => consumer(memory, 0), other: (memory) => consumer(memory, 1) },
    finally: (_, { one, other }) => {
      guarantee('queue/one-consumer' satisfies Guarantee, one !== other, `one ${one}, other ${other}`)
    },
    sometimes: { 'the first gets it': (_, { one }) => one === true, 'the second gets it': (_, { other }) => other === true },
  })
}

/** The consumer, or undefined when there is one. */
function become(queue: Queue<number>): ReturnType<Queue<number>['consumer']> | undefined {
  try {
    return queue.consumer()
  } catch (error) {
    if (error instanceof QueueError && error.reason === 'in-use') return undefined
    throw error
  }
}

/** A consumer dies at any moment; the next one begins with the first item that was not acknowledged. */
export function consumerDies(): Program<Results> {
  const items = itemsOfSegment + 1
  const sent = sentBy(1, items).get(0) as readonly number[]
  const words = folderWords + 1
  return judged<Results>({
    name: 'queue/consumer-dies',
    words,
    setup: filled(items),
    threads: {
      heir: (memory) => {
        const queue = open(new SlicedMemory(memory))
        while (memory.liveness?.alive(1) && memory.load(folderWords) === 0) memory.pause()
        const consumer = become(queue)
        guarantee('queue/one-consumer' satisfies Guarantee, consumer !== undefined, 'the dead one is still there')
        const received: number[] = []
        for (let next = consumer.tryReceive(); next !== undefined; next = consumer.tryReceive()) received.push(next.item)
        return received
      },
      first: (memory) => {
        const consumer = open(new SlicedMemory(memory)).consumer({ acknowledge: 'manual' })
        for (let n = 0; n < items; n++) {
          guarantee('queue/order' satisfies Guarantee, consumer.tryReceive()?.item === sent[n], `item ${n} is another one`)
          consumer.acknowledge()
        }
        consumer.close()
        memory.store(folderWords, 1)
        return []
      },
    },
    faults: { kill: ['first'] },
    finally: (_, { heir = [], first }) => {
      guarantee('queue/kept' satisfies Guarantee, heir.join() === sent.slice(sent.length - heir.length).join(), `got ${heir}`)
      guarantee('queue/once' satisfies Guarantee, first === undefined || heir.length === 0, `got again ${heir}`)
    },
    sometimes: {
      'all comes again': (_, { heir }) => heir?.length === items,
      'something comes again': (_, { heir }) => heir?.length === 1,
      'nothing comes again, but the first one is dead': (_, { heir, first }) => heir?.length === 0 && first === undefined,
    },
  })
}

/** The consumer wants no more while a producer sends. */
export function cancels(): Program<Record<'consumer' | 'producer', number>> {
  const gate = new Gate(2)
  const cancelledAt = folderWords + gate.words
  return judged<Record<'consumer' | 'producer', number>>({
    name: 'queue/cancels',
    words: folderWords + gate.words + 1,
    setup: madeByFirst,
    threads: {
      consumer: (memory) => {
        const end = gate.pass(memory, 0, () => open(new SlicedMemory(memory)).consumer())
        end.cancel()
        memory.store(cancelledAt, 1)
        return 0
      },
      producer: (memory) => {
        const end = gate.pass(memory, 1, () => open(new SlicedMemory(memory)).producer())
        const cancelled = memory.load(cancelledAt) === 1
        try {
          end.trySend(1)
        } catch (error) {
          if (!(error instanceof QueueError && error.reason === 'cancelled')) throw error
          return 1
        }
        guarantee('queue/cancels' satisfies Guarantee, !cancelled, 'it was sent all the same')
        return 0
      },
    },
    sometimes: {
      'in time': (_, { producer: refused }) => refused === 0,
      'too late': (_, { producer: refused }) => refused === 1,
    },
  })
}

/** Two open the queue at once and send an item each. */
export function openedAtOnce(): Program<Record<'one' | 'other', boolean>> {
  const opener = (memory: Memory, thread: number): boolean => {
    const queue = open(new SlicedMemory(memory), { draft: thread === 0 ? 'a' : 'b' })
    const producer = queue.producer()
    producer.trySend(itemOf(thread, 0))
    return queue.recovered !== undefined
  }
  return judged<Record<'one' | 'other', boolean>>({
    name: 'queue/opened-at-once',
    words: folderWords,
    setup: (memory) => open(new SurvivorMemory(memory, nobody)).close(),
    threads: { one: (memory) => opener(memory, 0), other: (memory) => opener(memory, 1) },
    finally: (memory, results) => {
      const consumer = open(new SurvivorMemory(memory, nobody)).consumer()
      const received: number[] = []
      for (let next = consumer.tryReceive(); next !== undefined; next = consumer.tryReceive()) received.push(next.item)
      guarantee('queue/opens' satisfies Guarantee, received.sort().join() === '10,20', `received ${received}`)
      guarantee('queue/opens' satisfies Guarantee, results.one !== results.other, 'not one of them has recovered it')
    },
  })
}

/** Two make the queue at once. There is one, and one of them has set it up. */
export function madeAtOnce(): Program<Record<'one' | 'other', boolean>> {
  const maker = (memory: Memory, draft: string): boolean => open(new SlicedMemory(memory), { draft }).recovered !== undefined
  return judged<Record<'one' | 'other', boolean>>({
    name: 'queue/made-at-once',
    words: folderWords,
    threads: { one: (memory) => maker(memory, 'a'), other: (memory) => maker(memory, 'b') },
    finally: (_, { one, other }) => {
      guarantee('queue/opens' satisfies Guarantee, one !== other, 'not one of them has recovered it')
    },
    sometimes: {
      'the first sets it up': (_, { one }) => one === true,
      'the second sets it up': (_, { other }) => other === true,
    },
  })
}

/** There is always a producer: one comes before the other leaves. So the stream does not end. */
export function handsOver(): Program<Record<'consumer' | 'first' | 'second', boolean>> {
  const gate = new Gate(3)
  const comesAt = folderWords + gate.words
  return judged<Record<'consumer' | 'first' | 'second', boolean>>({
    name: 'queue/hands-over',
    words: folderWords + gate.words + 1,
    setup: joinedBefore,
    threads: {
      consumer: (memory) => {
        const end = gate.pass(memory, 2, () => open(new SlicedMemory(memory)).consumer())
        guarantee('queue/ends' satisfies Guarantee, !end.ended, 'ended while there was a producer')
        return true
      },
      // It has the place among the members that is looked at later.
      first: (memory) => {
        const producer = gate.pass(memory, 1, () => open(new SlicedMemory(memory)).producer())
        while (memory.load(comesAt) === 0) memory.pause()
        producer.close()
        return true
      },
      second: (memory) => {
        const queue = gate.pass(memory, 0, () => open(new SlicedMemory(memory)))
        queue.producer()
        memory.store(comesAt, 1)
        return true
      },
    },
  })
}

/** There is room for two members, and one of them dies, who was a producer: the next one gets its place, and the stream has ended. */
export function memberDies(): Program<Record<'heir' | 'member', boolean>> {
  const gate = new Gate(2)
  const doneAt = folderWords + gate.words
  return judged<Record<'heir' | 'member', boolean>>({
    name: 'queue/member-dies',
    words: folderWords + gate.words + 1,
    setup: (memory) => open(new SurvivorMemory(memory, nobody), { members: 2 }).close(),
    threads: {
      heir: (memory) => {
        const first = gate.pass(memory, 0, () => open(new SlicedMemory(memory)))
        while (memory.liveness?.alive(1) !== false && memory.load(doneAt) === 0) memory.pause()
        const second = open(new SlicedMemory(memory))
        first.producer().close()
        guarantee('queue/ends' satisfies Guarantee, second.consumer().ended, 'the dead one is still waited for')
        return true
      },
      member: (memory) => {
        const queue = gate.pass(memory, 1, () => open(new SlicedMemory(memory)))
        queue.producer()
        queue.close()
        memory.store(doneAt, 1)
        return true
      },
    },
    faults: { kill: ['member'] },
  })
}

/** The consumer sleeps at the end of a segment while a producer goes on to the next one. Nobody looks up. */
export function rollsMeanwhile(): Program<Results> {
  const gate = new Gate(2)
  const sent = sentBy(1, itemsOfSegment + 1).get(0) as readonly number[]
  return judged<Results>({
    name: 'queue/rolls-meanwhile',
    words: folderWords + gate.words,
    setup: filled(itemsOfSegment),
    threads: {
      consumer: (memory) => {
        const end = gate.pass(memory, 0, () => open(new DeepSleepMemory(memory)).consumer())
        return sent.map(() => end.receive()?.item as number)
      },
      producer: (memory) => {
        const end = gate.pass(memory, 1, () => open(new DeepSleepMemory(memory)).producer())
        end.send(sent.at(-1) as number)
        return []
      },
    },
    finally: (_, { consumer: received = [] }) => {
      guarantee('queue/order' satisfies Guarantee, received.join() === sent.join(), `received ${received}`)
    },
  })
}

/**
 * Two producers, for whom the segment has one place left, and so one of them makes the next one. Each may be killed before any of
 * its operations, or both.
 */
export function dyingTogether(kills: 1 | 2): Program<Results> {
  const gate = new Gate(2)
  const names = ['producer0', 'producer1']
  const sent = sentBy(2, 1)
  const first = itemOf(2, 0)
  return judged<Results>({
    name: `queue/dying-together-${kills}`,
    words: folderWords + gate.words,
    setup: (memory) => {
      const producer = open(new SurvivorMemory(memory, witness)).producer()
      for (let n = 1; n < itemsOfSegment; n++) producer.trySend(first)
      producer.close()
    },
    threads: Object.fromEntries(
      names.map((name, index) => [
        name,
        (memory: Memory) => {
          const end = gate.pass(memory, index, () => open(new WitnessedMemory(memory, witness)).producer())
          for (const item of sent.get(index) ?? [])
            guarantee('queue/survives' satisfies Guarantee, end.trySend(item) === 'sent', 'no room')
          end.close()
          return []
        },
      ]),
    ),
    faults: { kill: names, kills },
    finally: (memory, results) => {
      const consumer = open(new SurvivorMemory(memory, nobody, witness)).consumer()
      const received: number[] = []
      for (let next = consumer.tryReceive(); next !== undefined; next = consumer.tryReceive()) received.push(next.item)
      guarantee('queue/order' satisfies Guarantee, received.shift() === first, `received ${received}`)
      judgeReceived(received, sent, (index) => results[`producer${index}`] === undefined)
    },
  })
}

/**
 * There is room for the bytes of one item, and the consumer goes on to the next segment. However a producer sees the place where
 * it is, half-way through: two items do not go in.
 */
export function limitedMeanwhile(): Program<Record<'consumer' | 'producer', number>> {
  const gate = new Gate(2)
  const options: Options = { limits: { bytes: 4 * recordWords(4) } }
  return judged<Record<'consumer' | 'producer', number>>({
    name: 'queue/limited-meanwhile',
    words: folderWords + gate.words,
    setup: filled(itemsOfSegment + 1),
    threads: {
      consumer: (memory) => {
        const end = gate.pass(memory, 0, () => open(new SlicedMemory(memory)).consumer({ acknowledge: 'manual' }))
        for (let n = 0; n <= itemsOfSegment; n++) {
          end.tryReceive()
          end.acknowledge()
        }
        return 0
      },
      producer: (memory) => {
        const end = gate.pass(memory, 1, () => open(new SlicedMemory(memory), options).producer())
        let sent = 0
        for (let n = 0; n < 2; n++) if (end.trySend(itemOf(1, n)) === 'sent') sent++
        guarantee('queue/bounded' satisfies Guarantee, sent < 2, 'there was room for one')
        return sent
      },
    },
    sometimes: {
      'there is room': (_, { producer }) => producer === 1,
      'there is none': (_, { producer }) => producer === 0,
    },
  })
}
