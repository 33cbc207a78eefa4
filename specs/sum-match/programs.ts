import { guarantee } from '../../checker/guarantee.ts'
import type { Memory } from '../../core/memory.ts'
import { type Program, program } from '../../model/program.ts'
import type { Guarantee } from './guarantees.ts'
import { prepare, receive, type Shape, send, words, wordsOf } from './protocol.ts'

/** Small programs around the protocol: threads `sender0`, `sender1` ... and `receiver`, in this order. */

/** A bit of its own for each value, so that a sum tells what is in it. */
const valueAt = (n: number): number => 1 << n
const sumOf = (count: number): number => 2 ** count - 1

export type Results = Record<string, readonly number[] | true>

/** @param kills how many of the senders may be killed */
export function summing(shape: Shape, kills = 0): Program<Results> {
  const senders = Array.from({ length: shape.senders }, (_, sender) => `sender${sender}`)
  const published = (memory: Pick<Memory, 'load'>): number[] =>
    senders.map((_, sender) => memory.load(words.published(sender, shape)))
  const threads = senders.map((name, sender) => {
    const body = (memory: Memory): true => {
      send(memory, shape, sender, valueAt)
      return true
    }
    return [name, body] as const
  })
  const half = shape.messages > 1 ? { 'a sender dies half-way': diesAt(1) } : {}
  return program<Results>({
    name: `sum-match/${shape.senders}s${shape.messages}m${kills === 0 ? '' : `-${kills}k`}`,
    words: wordsOf(shape),
    setup: (memory) => prepare(memory, shape, [...senders.keys()]),
    threads: { ...Object.fromEntries(threads), receiver: (memory) => receive(memory, shape) },
    ...(kills === 0 ? {} : { faults: { kill: senders, kills }, sometimes: { 'a sender dies at once': diesAt(0), ...half } }),
    finally(memory, results) {
      const sums = results.receiver as readonly number[]
      for (const [sender, count] of published(memory).entries()) {
        guarantee(
          'sum-match/sums' satisfies Guarantee,
          sums[sender] === sumOf(count),
          `sender ${sender} published ${count} values of sum ${sumOf(count)}, and the sum received is ${sums[sender]}`,
        )
        guarantee(
          'sum-match/all-sent' satisfies Guarantee,
          count === shape.messages || results[`sender${sender}`] === undefined,
          `sender ${sender} came to its end, and published ${count} of ${shape.messages} values`,
        )
      }
    },
  })

  /** Whether a sender was killed after so many values. */
  function diesAt(count: number) {
    return (memory: Pick<Memory, 'load'>, results: Partial<Results>): boolean =>
      published(memory).some((found, sender) => found === count && results[`sender${sender}`] === undefined)
  }
}
