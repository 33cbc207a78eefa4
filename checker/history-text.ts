import { canonical } from '../model/plain-data.ts'
import type { Explanation, Operation } from './linearizability.ts'

/** Histories as text, for people: intervals in a column of time, one line a thread. */

/** `dequeue() = 2`; without a result while it has not returned. */
export function operationText({ name, argument, result, returned }: Operation): string {
  const call = `${name}(${argument === undefined ? '' : canonical(argument)})`
  return returned === undefined || result === undefined ? call : `${call} = ${canonical(result)}`
}

/**
 * A history as intervals: `|` where an operation is called and where it returns, no `|` where it never did.
 *
 * ```
 *   anna  |- enqueue(1) ------------------------|
 *   ben     |- enqueue(2) -| |- dequeue() = 2 -|
 * ```
 */
export function drawHistory(history: readonly Operation[]): string {
  const moments = history.flatMap((operation) => [
    { operation, time: operation.called, returns: false },
    ...(operation.returned === undefined ? [] : [{ operation, time: operation.returned, returns: true }]),
  ])
  moments.sort((a, b) => a.time - b.time || Number(a.returns) - Number(b.returns))
  const label = (operation: Operation): string => `|- ${operationText(operation)} -`
  const columns = new Map<Operation, { from: number; to: number }>()
  let column = 0
  let previous: Operation | undefined
  for (const { operation, returns } of moments) {
    if (returns) {
      const interval = columns.get(operation) as { from: number; to: number }
      column = Math.max(column + (previous === operation ? 0 : 1), interval.from + label(operation).length)
      interval.to = column
    } else {
      column += previous === undefined ? 0 : 2
      columns.set(operation, { from: column, to: -1 })
    }
    previous = operation
  }
  const end = Math.max(column, ...[...columns].map(([operation, { from, to }]) => (to < 0 ? from + label(operation).length : 0)))
  const threads = [...new Set(history.map(({ thread }) => thread))]
  const width = Math.max(0, ...threads.map((thread) => thread.length))
  return threads
    .map((thread) => {
      let line = ''
      for (const [operation, { from, to }] of columns) {
        if (operation.thread !== thread) continue
        line = `${line.padEnd(from)}${label(operation).padEnd((to < 0 ? end : to) - from, '-')}${to < 0 ? '' : '|'}`
      }
      return `${thread.padEnd(width)}  ${line}`
    })
    .join('\n')
}

/** So many operations can be looked at. */
const shownMost = 16

/** Why a history is refused: what it looks like, how far it can be explained, and who cannot come next. */
export function unexplainedText(history: readonly Operation[], { order, stuck }: Explanation, condition: string): string {
  const who = (operation: Operation): string => `${operationText(operation)} of ${operation.thread}`
  const [one] = stuck
  const next =
    stuck.length === 1
      ? `${who(one)} cannot be placed`
      : stuck.length === 0
        ? 'it cannot end so'
        : `none of these can be next: ${stuck.map(who).join(', ')}`
  const explained = order.length === 0 ? 'nothing' : shortened(order.map(who))
  return `the history is not ${condition}: ${next}\n\n${drawHistory(around(history, stuck))}\n\nExplained, in this order: ${explained}.`
}

/** The operations nearest to where a history cannot be explained. */
function around(history: readonly Operation[], stuck: readonly Operation[]): readonly Operation[] {
  if (history.length <= shownMost) return history
  const until = Math.max(...stuck.map(({ called, returned }) => returned ?? called))
  const past = history.filter(({ called }) => called <= until)
  return past.sort((a, b) => (a.returned ?? until) - (b.returned ?? until)).slice(-shownMost)
}

function shortened(texts: readonly string[]): string {
  return texts.length <= shownMost ? texts.join(', ') : `... ${texts.slice(-shownMost).join(', ')}`
}
