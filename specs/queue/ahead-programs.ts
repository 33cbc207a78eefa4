import { guarantee } from '../../checker/guarantee.ts'
import type { Memory } from '../../core/memory.ts'
import { recordWords } from '../../core/record.ts'
import { recordsAt } from '../../core/segment.ts'
import type { Program } from '../../model/program.ts'
import { judged } from './errors.ts'
import { entryOf, folderWords, itemsOfSegment, type Options, open, places, spareEntry } from './folder.ts'
import type { Guarantee } from './guarantees.ts'
import { SurvivorMemory, WitnessedMemory } from './memories.ts'
import { Gate, type Results, witness } from './programs.ts'

/** Programs in which one makes the file of the next segment ahead, and another one needs it. */

const heir = 9

/** Somebody has sent so many items, and has closed; another one, who is no thread either, lives, and has no segment open. */
function filled(items: number, options: Options = {}): (memory: Memory) => void {
  return (memory) => {
    const queue = open(new SurvivorMemory(memory, 0), options)
    open(new SurvivorMemory(memory, witness, 0))
    const producer = queue.producer()
    for (let n = 1; n <= items; n++) producer.trySend(n)
    queue.close()
  }
}

/** Everything that nobody has acknowledged. */
function rest(memory: Memory): number[] {
  const consumer = open(new SurvivorMemory(memory, heir, witness)).consumer()
  const items: number[] = []
  for (let next = consumer.tryReceive(); next !== undefined; next = consumer.tryReceive()) items.push(next.item)
  return items
}

/** These, each once, in this order; if one is killed, up to some place. */
function judge(received: readonly number[], sent: readonly number[], killed = false): void {
  const own = received.filter((item) => sent.includes(item))
  const isOwn = own.join() === sent.slice(0, own.length).join() && (killed || own.length === sent.length)
  guarantee('queue/order' satisfies Guarantee, isOwn, `sent ${sent}, received ${received}`)
}

/**
 * Two producers, of whom one fills half a segment and makes the next file, while the other one fills the segment and needs it; or the
 * other way round.
 *
 * @param kills how many of the two may be killed, before any of their operations
 */
export function preparing(kills: 0 | 1 | 2): Program<Results> {
  const gate = new Gate(2)
  const sent = { one: [10], other: [20, 21] }
  const producer =
    (name: keyof typeof sent, index: number) =>
    (memory: Memory): readonly number[] => {
      const end = gate.pass(memory, index, () => open(new WitnessedMemory(memory, witness), { ahead: true }).producer())
      for (const item of sent[name]) {
        guarantee('queue/survives' satisfies Guarantee, end.trySend(item) === 'sent', 'no room')
      }
      return []
    }
  const made = (memory: Pick<Memory, 'load'>): readonly [number, number] => [memory.load(entryOf(2)), memory.load(spareEntry)]
  return judged<Results>({
    name: `queue/preparing${kills === 0 ? '' : `-killed-${kills}`}`,
    words: folderWords + gate.words,
    setup: filled(0),
    threads: { one: producer('one', 0), other: producer('other', 1) },
    ...(kills > 0 && { faults: { kill: ['one', 'other'], kills } }),
    finally: (memory, results) => {
      const received = rest(memory)
      judge(received, sent.one, results.one === undefined)
      judge(received, sent.other, results.other === undefined)
      const all = [...sent.one, ...sent.other]
      guarantee(
        'queue/whole' satisfies Guarantee,
        received.every((item) => all.includes(item)),
        `received ${received}`,
      )
    },
    sometimes: {
      // Files count in the order in which they are made: the control file, the first segment ...
      'the first one that is made is the next segment': (memory) => made(memory)[0] === 3,
      'who made it has it open, and another one is made': (memory) => made(memory)[0] === 4 && made(memory)[1] !== 3,
      'who needs it is first, though the other one has begun': (memory) => made(memory)[0] === 4 && made(memory)[1] === 3,
    },
  })
}

/**
 * One fills half of a segment, and makes the next file. The other one is done with the segment before, whose file then waits for the
 * next segment, and fills the other half, so that somebody needs that.
 */
export function preparingLate(): Program<Results> {
  const gate = new Gate(2)
  const items = 2 * itemsOfSegment
  const options: Options = { segmentBytes: 4 * (recordsAt + items * recordWords(4)) }
  const sent = { one: [10], mover: [20, 21, 22] }
  const view = (memory: Memory): Memory => new WitnessedMemory(memory, witness)
  return judged<Results>({
    name: 'queue/preparing-late',
    words: folderWords + gate.words,
    setup: filled(items + 1, options),
    threads: {
      one: (memory) => {
        const producer = gate.pass(memory, 0, () => open(view(memory), { ahead: true }).producer())
        for (const item of sent.one) producer.trySend(item)
        return []
      },
      mover: (memory) => {
        const [consumer, producer] = gate.pass(memory, 1, () => {
          const queue = open(view(memory))
          const atFirst = queue.consumer({ acknowledge: 'manual' })
          for (let n = 1; n <= items + 1; n++) atFirst.tryReceive()
          return [atFirst, queue.producer()] as const
        })
        consumer.acknowledge()
        producer.trySendBatch(sent.mover)
        consumer.close()
        return []
      },
    },
    finally: (memory) => {
      const received = rest(memory)
      const all = [...sent.one, ...sent.mover]
      for (const own of Object.values(sent)) judge(received, own)
      guarantee(
        'queue/whole' satisfies Guarantee,
        received.every((item) => all.includes(item)),
        `received ${received}`,
      )
    },
    sometimes: {
      'the file of the first segment is that of the third': (memory) => memory.load(entryOf(3)) === 2,
      'it takes the place of one that was made ahead': (memory) => memory.load(places.size(4)) !== 0,
      'none is made ahead': (memory) => memory.load(places.size(4)) === 0,
    },
  })
}
