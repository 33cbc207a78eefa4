import { describe, expect, it } from 'vitest'
import { explainHistory, type Operation } from '../../checker/index.ts'
import { type Log, logOf, withStaleRead } from './jepsen.ts'
import { isExplanation } from './permutations.ts'
import { store } from './sequentials.ts'

/** The store as one object: every operation has to do with every other one. */
const whole = { initial: store.initial, operations: store.operations }

const logs: readonly Omit<Log, 'seed'>[] = [
  { clients: 10, operations: 100, keys: 10 },
  { clients: 10, operations: 100, keys: 10, lostOneIn: 100 },
  { clients: 3, operations: 300, keys: 1 },
]

describe('histories of a key-value store, as a test of a distributed system logs them', () => {
  for (const log of logs) {
    it(JSON.stringify(log), () => {
      for (let seed = 1; seed <= 5; seed++) {
        const history = logOf({ ...log, seed })
        const { explained, order, stuck } = explainHistory(store, history)
        expect([explained, stuck]).toEqual([true, []])
        expect(isExplanation(whole, history, order)).toBe(true)

        const stale = withStaleRead(history)
        const last = stale.find((operation, index) => operation !== history[index]) as Operation
        // Nobody puts nothing, so that a key that has been written is never empty again.
        const { key } = last.argument as { key: string }
        const written = stale.some(
          ({ name, argument, returned }) =>
            name !== 'get' && (argument as { key: string }).key === key && returned !== undefined && returned < last.called,
        )
        expect(written).toBe(true)
        expect(explainHistory(store, stale)).toMatchObject({ explained: false, stuck: [last] })
      }
    })
  }

  it('are explained as a whole, too', () => {
    const history = logOf({ clients: 5, operations: 20, keys: 2, seed: 1 })
    const { explained, order } = explainHistory(whole, history)
    expect(explained).toBe(true)
    expect(isExplanation(whole, history, order)).toBe(true)
  })
})
