/**
 * How much sooner a check is done when several threads explore it: real time, from the order to the report, threads loaded.
 *
 *   npx tsx test/bench/parallel.ts [--workers N] [--runs N] [--only TEXT]
 *
 * One thread and several (2 by default) take turns, 3 times by default; the fastest of each counts. All must count the same.
 * Processor time tells what dividing the work costs, also on a machine that others use; real time then tells little.
 */

import { parseArgs } from 'node:util'
import { unmet } from '../../checker/check.ts'
import { Crew } from '../../checker/node-crew.ts'
import { startThread } from '../../checker/node-thread.ts'
import { describeMachine, median, table, thisMachine } from './machine.ts'

const options = {
  workers: { type: 'string', default: '2' },
  runs: { type: 'string', default: '3' },
  only: { type: 'string' },
} as const
const { values } = parseArgs({ options })
const several = Number(values.workers)
const runs = Number(values.runs)
for (const [name, value] of Object.entries({ several, runs })) {
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`${name}: not a positive integer`)
}

const machine = thisMachine()
const files = ['test/bench/parallel-checks.ts']
const hire = (): ReturnType<typeof startThread> =>
  startThread('./node-search', new URL('../../checker/node-crew.ts', import.meta.url).href)
const crewOf = (workers: number): Crew => new Crew({ files, only: values.only, workers, hire })
const crews = [1, several].map((workers) => ({ workers, crew: crewOf(workers) }))
const checks = await crews[0].crew.checks
await Promise.all(crews.map(({ crew }) => crew.checks))

// Those who come later have come by then.
for (const { crew } of crews) await crew.explore(0, checks[0], { bounds: {} })

const rows: string[][] = []
const ratios: number[] = []
const costs: number[] = []
for (const [index, check] of checks.entries()) {
  const fastest = crews.map(() => Number.POSITIVE_INFINITY)
  const cheapest = crews.map(() => Number.POSITIVE_INFINITY)
  const counts = new Set<number>()
  for (let run = 0; run < runs; run++) {
    for (const [i, { crew }] of crews.entries()) {
      const before = process.cpuUsage()
      const { report } = await crew.explore(index, check, { bounds: {} })
      const { user, system } = process.cpuUsage(before)
      cheapest[i] = Math.min(cheapest[i], (user + system) / 1e6)
      const why = unmet(check, report)
      if (why !== undefined) throw new Error(`${check.name}: ${why}`)
      counts.add(report.executions)
      fastest[i] = Math.min(fastest[i], report.seconds)
    }
  }
  if (counts.size !== 1) throw new Error(`${check.name}: ${[...counts].join(' and ')} executions`)
  const ratio = ([alone, together]: readonly number[]): number => alone / together
  ratios.push(ratio(fastest))
  costs.push(ratio(cheapest))
  const numbers = [...fastest, ratio(fastest), ...cheapest, ratio(cheapest)].map((number) => number.toFixed(2))
  rows.push([check.name, [...counts].join(), ...numbers])
}
for (const { crew } of crews) crew.close()

console.log(describeMachine(machine))
const threads = `${several} threads`
console.log(table(['program', 'executions', '1 thread', threads, 'ratio', 'processor, 1', threads, 'ratio'], rows))
console.log(`median ratio ${median(ratios).toFixed(2)}; of processor time ${median(costs).toFixed(2)}`)
