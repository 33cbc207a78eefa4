import { canonical } from '../model/plain-data.ts'
import type { HistoryPromise, Sequential } from '../model/sequential.ts'
import { ProgramError, validateHistoryPromise } from '../model/validate.ts'
import { type Acceptor, acceptorOf } from './acceptor.ts'
import { type Configuration, Configurations, type Open } from './configurations.ts'

/**
 * Whether a history has an explanation: an order of its operations, as the condition asks for, that the specification could
 * have produced (Herlihy and Wing, "Linearizability: a correctness condition for concurrent objects", 1990; Wing and Gong,
 * "Testing and verifying concurrent objects", 1993).
 */

/** One operation of a history. */
export interface Operation {
  /** Who called it; a thread has one operation at a time. */
  readonly thread: string
  readonly name: string
  readonly argument?: unknown
  readonly result?: unknown
  /** When it was called, by any clock that all share. */
  readonly called: number
  /** When it returned; left out where it never did: it may have taken effect at any time since, or not at all. */
  readonly returned?: number
}

export interface Explanation {
  readonly explained: boolean
  /** The operations in an order that explains them; otherwise as many as could be explained. */
  readonly order: readonly Operation[]
  /** Where there is no explanation: the operations of which none can come next. */
  readonly stuck: readonly Operation[]
}

/**
 * Judges one history, from wherever: the log of a test of a distributed system, for instance. An operation that returns when
 * another one is called overlaps with it.
 *
 * @param promise the specification, or with a condition
 * @throws ProgramError when the history is none: an operation that nobody specified, a thread with two at a time
 */
export function explainHistory(promise: Sequential | HistoryPromise, history: readonly Operation[]): Explanation {
  const whole: HistoryPromise = 'specification' in promise ? promise : { specification: promise }
  validateHistoryPromise('explainHistory', whole)
  validateHistory(history)
  return explain(acceptorOf(whole), whole, history)
}

/** `explainHistory` with an acceptor that may know much already. */
export function explain(acceptor: Acceptor, promise: HistoryPromise, history: readonly Operation[]): Explanation {
  const letters = new Map(
    history.map((operation) => [operation, acceptor.letter({ ...operation, pending: operation.returned === undefined })]),
  )
  const letterOf = (operation: Operation): number => letters.get(operation) as number
  if (promise.condition === 'sequentially-consistent') {
    return explainByThread(acceptor, threadsOf(history), letterOf)
  }
  const { key } = promise.specification
  const parts = new Map<string, Operation[]>()
  for (const operation of history) {
    const part = key === undefined ? '' : canonical(key(operation.argument, operation.name))
    const operations = parts.get(part)
    if (operations === undefined) parts.set(part, [operation])
    else operations.push(operation)
  }
  const effects: Effect[] = []
  for (const operations of parts.values()) {
    const part = explainByTime(acceptor, operations, letterOf)
    if (part.stuck !== undefined)
      return { explained: false, order: part.effects.map((effect) => effect.operation), stuck: part.stuck }
    effects.push(...part.effects)
  }
  // Each took effect while it was open, so that all of them together are in an order, too.
  return { explained: true, order: effects.sort((a, b) => a.time - b.time).map(({ operation }) => operation), stuck: [] }
}

function validateHistory(history: readonly Operation[]): void {
  for (const operations of threadsOf(history)) {
    for (const [index, { thread, name, called, returned }] of operations.entries()) {
      const next = operations[index + 1]
      if (Number.isNaN(called) || (returned !== undefined && !(returned >= called))) {
        throw new ProgramError(`history: ${name} of ${thread} was called at ${called} and returned at ${returned}`)
      }
      if (next !== undefined && (returned === undefined || returned >= next.called)) {
        throw new ProgramError(`history: ${thread} called ${next.name} at ${next.called}, before its ${name} had returned`)
      }
    }
  }
}

/** The operations of each thread, in the order in which they were called. */
function threadsOf(history: readonly Operation[]): Operation[][] {
  const threads = new Map<string, Operation[]>()
  for (const operation of history) {
    const operations = threads.get(operation.thread)
    if (operations === undefined) threads.set(operation.thread, [operation])
    else operations.push(operation)
  }
  return [...threads.values()].map((operations) => operations.sort((a, b) => a.called - b.called))
}

/** An operation that took effect, and when. */
interface Effect {
  readonly operation: Operation
  readonly time: number
}

interface Moment {
  readonly operation: Operation
  readonly slot: number
  readonly time: number
  readonly returns: boolean
}

/** A point of the search: everything before a moment has happened. */
interface Node {
  readonly at: number
  readonly configuration: Configuration
  readonly earlier: Node | undefined
  /** Who took effect on the way from the earlier node. */
  readonly slots: readonly number[]
}

/** Depth first over the moments of a history, with what may be true at each; the same twice is looked at once. */
function explainByTime(
  acceptor: Acceptor,
  history: readonly Operation[],
  letterOf: (operation: Operation) => number,
): { readonly effects: Effect[]; readonly stuck: readonly Operation[] | undefined } {
  const moments: Moment[] = []
  for (const [slot, operation] of history.entries()) {
    const { called, returned } = operation
    moments.push({ operation, slot, time: called, returns: false })
    if (returned !== undefined) moments.push({ operation, slot, time: returned, returns: true })
  }
  moments.sort((a, b) => a.time - b.time || Number(a.returns) - Number(b.returns))
  /** For each moment who is open just before it. */
  const openAt: Open[][] = []
  let open: Open[] = []
  for (const { operation, slot, returns } of moments) {
    openAt.push(open)
    open = returns ? open.filter((other) => other.slot !== slot) : [...open, { slot, letter: letterOf(operation) }]
  }
  const effectsOf = (end: Node, last: readonly number[]): Effect[] => {
    const effects: Effect[] = []
    const add = (slots: readonly number[], time: number): void => {
      for (const slot of slots.toReversed()) effects.push({ operation: history[slot], time })
    }
    add(last, moments.at(-1)?.time ?? 0)
    for (let node: Node | undefined = end; node !== undefined; node = node.earlier)
      add(node.slots, moments[node.at - 1]?.time ?? 0)
    return effects.reverse()
  }

  const configurations = new Configurations(acceptor)
  const seen = moments.map(() => new Set<number>())
  const start: Node = { at: 0, configuration: configurations.initial, earlier: undefined, slots: [] }
  const stack: Node[] = [start]
  let furthest = start
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    let { at } = node
    while (at < moments.length && !moments[at].returns) at++
    if (at > furthest.at || furthest === start) furthest = { ...node, at }
    if (at === moments.length) {
      const last = configurations.ended(node.configuration, open)
      if (last !== undefined) return { effects: effectsOf(node, last), stuck: undefined }
      continue
    }
    const { configuration } = node
    if (seen[at].has(configuration.number)) continue
    seen[at].add(configuration.number)
    const { slot } = moments[at]
    if (configuration.done.includes(slot)) {
      stack.push({ at: at + 1, configuration: configurations.closed(configuration, slot), earlier: node, slots: [] })
      continue
    }
    // The one that returns is tried first, others before it only where that fails.
    const rest = openAt[at].filter((one) => one.slot !== slot && !configuration.done.includes(one.slot))
    for (const one of [...rest.reverse(), ...openAt[at].filter((one) => one.slot === slot)]) {
      for (const next of configurations.after(configuration, one)) {
        stack.push({ at, configuration: next, earlier: node, slots: [one.slot] })
      }
    }
  }
  const stuck = furthest.at === moments.length ? open.map(({ slot }) => history[slot]) : [moments[furthest.at].operation]
  return { effects: effectsOf(furthest, []), stuck }
}

/** Depth first over how many operations of each thread have taken effect. */
function explainByThread(
  acceptor: Acceptor,
  threads: readonly (readonly Operation[])[],
  letterOf: (operation: Operation) => number,
): Explanation {
  interface Taken {
    readonly counts: readonly number[]
    readonly state: number
    readonly length: number
    readonly operation: Operation | undefined
    readonly earlier: Taken | undefined
  }
  const orderOf = (end: Taken): Operation[] => {
    const order: Operation[] = []
    for (let node: Taken | undefined = end; node?.operation !== undefined; node = node.earlier) order.push(node.operation)
    return order.reverse()
  }
  const start: Taken = {
    counts: threads.map(() => 0),
    state: acceptor.initial,
    length: 0,
    operation: undefined,
    earlier: undefined,
  }
  const stack: Taken[] = [start]
  const seen = new Set<string>()
  let furthest = start
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    const { counts, state, length } = node
    const key = `${state}:${counts.join()}`
    if (seen.has(key)) continue
    seen.add(key)
    if (length > furthest.length) furthest = node
    const heads = threads.map((operations, thread) => operations[counts[thread]])
    if (heads.every((operation) => operation === undefined || operation.returned === undefined)) {
      return { explained: true, order: orderOf(node), stuck: [] }
    }
    for (const [thread, operation] of heads.entries()) {
      if (operation === undefined) continue
      for (const next of acceptor.next(state, letterOf(operation))) {
        const taken = counts.with(thread, counts[thread] + 1)
        stack.push({ counts: taken, state: next, length: length + 1, operation, earlier: node })
      }
    }
  }
  const stuck = threads.flatMap((operations, thread) => operations.slice(furthest.counts[thread], furthest.counts[thread] + 1))
  return { explained: false, order: orderOf(furthest), stuck }
}
