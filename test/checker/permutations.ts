/** The oracle for histories: every order of the operations, tried one after the other. Shares nothing with the checker. */

import type { Operation } from '../../checker/linearizability.ts'
import type { Condition, Outcome, Sequential } from '../../model/sequential.ts'

/** Every order of some things. */
export function* permutations<T>(things: readonly T[]): Generator<T[]> {
  if (things.length === 0) yield []
  for (const [index, thing] of things.entries()) {
    for (const rest of permutations(things.toSpliced(index, 1))) yield [thing, ...rest]
  }
}

/** Every choice of some things, in their order. */
export function* choices<T>(things: readonly T[]): Generator<T[]> {
  if (things.length === 0) {
    yield []
    return
  }
  const [first, ...rest] = things
  for (const chosen of choices(rest)) {
    yield chosen
    yield [first, ...chosen]
  }
}

/** Whether the specification could have produced this very sequence. */
function legal({ initial, operations }: Sequential, order: readonly Operation[]): boolean {
  const from = (state: unknown, at: number): boolean => {
    if (at === order.length) return true
    const { name, argument, thread, result, returned } = order[at]
    const answer = operations[name](state, argument, thread)
    const outcomes: readonly Outcome<unknown>[] = Array.isArray(answer) ? answer : [answer]
    return outcomes.some((outcome) => {
      const fits = returned === undefined || JSON.stringify(outcome.result ?? null) === JSON.stringify(result ?? null)
      return fits && from(outcome.state, at + 1)
    })
  }
  return from(initial, 0)
}

/** Whether no operation comes before one that it must come after. */
export function respects(order: readonly Operation[], before: (a: Operation, b: Operation) => boolean): boolean {
  return order.every((late, index) => order.slice(0, index).every((early) => !before(late, early)))
}

export const inRealTime = (a: Operation, b: Operation): boolean => a.returned !== undefined && a.returned < b.called
const inThread = (a: Operation, b: Operation): boolean => a.thread === b.thread && a.called < b.called

/** Whether operations of the named kinds have changed places only with their kind, by so many places at most. */
function near(moved: readonly Operation[], order: readonly Operation[], most: Readonly<Record<string, number>>): boolean {
  return moved.every((operation, index) => {
    if (operation.name !== order[index].name) return false
    if (!(operation.name in most)) return operation === order[index]
    const kin = order.filter(({ name }) => name === operation.name)
    const place = moved.slice(0, index).filter(({ name }) => name === operation.name).length
    return Math.abs(kin.indexOf(operation) - place) <= most[operation.name]
  })
}

/** Whether the order, with some operations to come after it, is near one that is legal. */
function quasiLegal(specification: Sequential, order: readonly Operation[], most: Readonly<Record<string, number>>): boolean {
  // Only what takes no argument can be known before it is called.
  const kinds = Object.keys(most).filter((kind) => order.some(({ name }) => name === kind))
  const known = kinds.filter((kind) => order.every(({ name, argument }) => name !== kind || argument === undefined))
  const coming = known.flatMap((name) => Array.from({ length: most[name] }, () => ({ thread: '', name, called: Infinity })))
  for (const chosen of choices(coming)) {
    for (const later of permutations(chosen)) {
      const whole = [...order, ...later]
      for (const moved of rearranged(whole, most)) if (legal(specification, moved)) return true
    }
  }
  return false
}

/** Every order near a given one. */
function* rearranged(
  order: readonly Operation[],
  most: Readonly<Record<string, number>>,
  moved: readonly Operation[] = [],
): Generator<readonly Operation[]> {
  if (moved.length === order.length) {
    yield moved
    return
  }
  const { name } = order[moved.length]
  for (const operation of order) {
    if (operation.name !== name || moved.includes(operation)) continue
    const next = [...moved, operation]
    if (near(next, order, most)) yield* rearranged(order, most, next)
  }
}

/** Whether some order explains the history. Ignores keys. */
export function explainedByPermutation(specification: Sequential, history: readonly Operation[], condition: Condition): boolean {
  const before = condition === 'sequentially-consistent' ? inThread : inRealTime
  const returned = history.filter((operation) => operation.returned !== undefined)
  const pending = history.filter((operation) => operation.returned === undefined)
  for (const chosen of choices(pending)) {
    for (const order of permutations([...returned, ...chosen])) {
      if (!respects(order, before)) continue
      if (typeof condition === 'string' ? legal(specification, order) : quasiLegal(specification, order, condition.quasi))
        return true
    }
  }
  return false
}

/** Whether this is an explanation: an order that respects the condition and that the specification could have produced. */
export function isExplanation(specification: Sequential, history: readonly Operation[], order: readonly Operation[]): boolean {
  const missing = history.filter((operation) => operation.returned !== undefined && !order.includes(operation))
  return (
    missing.length === 0 && new Set(order).size === order.length && respects(order, inRealTime) && legal(specification, order)
  )
}
