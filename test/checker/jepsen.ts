/** Histories as a test of a distributed key-value store logs them: clients that call, wait, and now and then never hear again. */

import type { Operation } from '../../checker/linearizability.ts'

export interface Log {
  readonly clients: number
  /** Operations of each client. */
  readonly operations: number
  readonly keys: number
  /** In one of so many operations the client hears nothing; another client then goes on in its place. 0: never. */
  readonly lostOneIn?: number
  readonly seed: number
}

/** Random integers below a bound, the same ones for the same seed. */
export function dice(seed: number): (below: number) => number {
  let state = seed | 0
  return (below) => {
    // Mulberry32.
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

/** A history of a store that is right: every operation takes effect at some time between its call and its return. */
export function logOf({ clients, operations, keys, lostOneIn = 0, seed }: Log): Operation[] {
  const roll = dice(seed)
  const values = new Map<string, string>()
  const history: { -readonly [K in keyof Operation]: Operation[K] }[] = []
  const busy: { at: number; took: boolean; rest: number; incarnation: number }[] = Array.from({ length: clients }, () => ({
    at: -1,
    took: false,
    rest: operations,
    incarnation: 0,
  }))
  for (let time = 0; busy.some(({ at, rest }) => at >= 0 || rest > 0); time++) {
    const client = roll(clients)
    const own = busy[client]
    if (own.at < 0) {
      if (own.rest === 0) continue
      own.rest--
      own.at = history.length
      own.took = false
      const key = `k${roll(keys)}`
      const name = ['get', 'put', 'append'][roll(3)]
      const argument = name === 'get' ? { key } : { key, value: `${client}.${own.rest} ` }
      history.push({ thread: `client ${client}.${own.incarnation}`, name, argument, called: time })
    } else if (!own.took) {
      own.took = true
      const operation = history[own.at]
      const { key, value = '' } = operation.argument as { key: string; value?: string }
      const old = values.get(key) ?? ''
      if (operation.name === 'get') operation.result = old
      else values.set(key, operation.name === 'put' ? value : old + value)
      if (lostOneIn > 0 && roll(lostOneIn) === 0) {
        own.incarnation++
        own.at = -1
      }
    } else {
      history[own.at].returned = time
      own.at = -1
    }
  }
  return history
}

/** The history with one answer from long before: the last `get` sees what the first one of its key saw. */
export function withStaleRead(history: readonly Operation[]): Operation[] {
  const last = history.findLastIndex(({ name, returned, result }) => name === 'get' && returned !== undefined && result !== '')
  return history.with(last, { ...history[last], result: '' }) as Operation[]
}
