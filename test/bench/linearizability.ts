/**
 * How long it takes to judge a history of a key-value store, the kind of history that Porcupine's own benchmark has: clients
 * that get, put and append. `[--json]`. Processor time, for the machine may be busy.
 */

import { explainHistory } from '../../checker/index.ts'
import { logOf, withStaleRead } from '../checker/jepsen.ts'
import { store } from '../checker/sequentials.ts'
import { describeMachine, median, table, thisMachine } from './machine.ts'

const sizes = [
  { clients: 10, operations: 100, keys: 10 },
  { clients: 10, operations: 100, keys: 10, lostOneIn: 100 },
  { clients: 10, operations: 1000, keys: 10 },
  { clients: 50, operations: 100, keys: 50 },
  { clients: 3, operations: 300, keys: 1 },
]

const rounds = 20
const results = sizes.flatMap((size) =>
  [true, false].map((right) => {
    const times: number[] = []
    let count = 0
    for (let seed = 1; seed <= rounds; seed++) {
      const log = logOf({ ...size, seed })
      const history = right ? log : withStaleRead(log)
      count = history.length
      const start = process.cpuUsage()
      const { explained } = explainHistory(store, history)
      const { user, system } = process.cpuUsage(start)
      times.push((user + system) / 1000)
      if (explained !== right) throw new Error(`seed ${seed}: expected ${right}, found ${explained}`)
    }
    return { ...size, count, right, milliseconds: median(times), best: Math.min(...times), worst: Math.max(...times) }
  }),
)

if (process.argv.includes('--json')) {
  console.log(JSON.stringify({ machine: thisMachine(), rounds, results }, undefined, 2))
} else {
  console.log(`${describeMachine(thisMachine())}; ${rounds} histories of each kind\n`)
  const rows = results.map(({ clients, keys, lostOneIn = 0, count, right, milliseconds, best, worst }) => [
    `${clients} clients, ${keys} keys, ${count} operations${lostOneIn > 0 ? `, one in ${lostOneIn} unanswered` : ''}`,
    right ? 'right' : 'one stale read',
    ...[best, milliseconds, worst].map((time) => time.toFixed(1)),
  ])
  console.log(table(['history', 'which is', 'best ms', 'median ms', 'worst ms'], rows))
}
