import { guarantee } from '../../checker/guarantee.ts'
import type { Memory } from '../../core/memory.ts'
import { type Program, program } from '../../model/program.ts'
import type { Guarantee } from './guarantees.ts'

/**
 * The protocol of the article, in which the sums do not match: a word that counts the values, a word that counts the live
 * senders, and the values. Values are stored atomically here, so that nothing but the protocol is to blame.
 */
const live = 0
const count = 1
const values = 2

/** A sender with a single value: the smallest one that shows what is wrong. */
type Send = (memory: Memory, value: number) => void
type Receive = (memory: Memory) => number

/** As in the article. */
const send: Send = (memory, value) => {
  memory.add(live, 1)
  const place = memory.add(count, 1)
  memory.store(values + place, value)
  memory.sub(live, 1)
}

/** As in the article. */
const receive: Receive = (memory) => {
  let sum = 0
  for (let read = 0; ; memory.pause()) {
    const counted = memory.load(count)
    for (; read < counted; read++) sum += memory.load(values + read)
    if (memory.load(live) === 0) return sum
  }
}

/** Repaired once: whoever starts the sender has counted it before. */
const sendCounted: Send = (memory, value) => {
  const place = memory.add(count, 1)
  memory.store(values + place, value)
  memory.sub(live, 1)
}

/** Repaired twice: whether anybody is live is asked before how much there is. */
const receiveLast: Receive = (memory) => {
  let sum = 0
  for (let read = 0; ; memory.pause()) {
    const over = memory.load(live) === 0
    const counted = memory.load(count)
    for (; read < counted; read++) sum += memory.load(values + read)
    if (over) return sum
  }
}

/** Repaired three times: the value is counted when it is there. */
const sendStored: Send = (memory, value) => {
  memory.store(values + memory.load(count), value)
  memory.add(count, 1)
  memory.sub(live, 1)
}

type Results = Record<string, number | undefined>

function article(name: string, send: Send, receive: Receive, more: Partial<Program<Results>> = {}): Program<Results> {
  return program<Results>({
    name: `sum-match/${name}`,
    words: values + 2,
    threads: { sender: (memory) => void send(memory, 5), receiver: receive },
    finally(_, { receiver }) {
      guarantee('sum-match/sums' satisfies Guarantee, receiver === 5, `5 was sent, and the sum received is ${receiver}`)
    },
    ...more,
  })
}

const counted = (senders: number) => ({ setup: (memory: Memory) => memory.store(live, senders) })

/** Nobody counts the sender before it does so itself. */
export const asItIs: Program = article('article', send, receive)

/** Whether anybody is live is asked after it was asked how much there is. */
export const once: Program = article('article-repaired-once', sendCounted, receive, counted(1))

/** The value is counted before it is there. */
export const twice: Program = article('article-repaired-twice', sendCounted, receiveLast, counted(1))

/** Right, for one sender that does not die. */
export const thrice: Program = article('article-repaired', sendStored, receiveLast, counted(1))

/** Two senders find the same place free. */
export const two: Program = article('article-two-senders', sendStored, receiveLast, {
  ...counted(2),
  threads: {
    sender: (memory) => void sendStored(memory, 5),
    other: (memory) => void sendStored(memory, 3),
    receiver: receiveLast,
  },
  finally(_, { receiver }) {
    guarantee('sum-match/sums' satisfies Guarantee, receiver === 8, `5 and 3 were sent, and the sum received is ${receiver}`)
  },
})

/** A sender that is killed stays live for ever. */
export const dying: Program = article('article-dying', sendStored, receiveLast, {
  ...counted(1),
  faults: { kill: ['sender'] },
  finally: () => {},
})
