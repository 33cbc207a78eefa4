/**
 * How many executions a second the explorer takes programs through.
 *
 *   npx tsx test/bench/explorer.ts [--json] [--runs N] [PART OF A NAME ...]
 *
 * Each program is explored once to warm up and then `--runs` times (default 5); the figure is that of the fastest run. It
 * counts seconds of processor time of the whole process, so that a busy machine does not spoil it; that the collector of garbage
 * has threads of its own is in it too. Counts that are known from elsewhere are compared, and a difference ends the run
 * with exit code 1.
 */

import { explore } from '../../checker/index.ts'
import type { Report } from '../../checker/report.ts'
import { whatIsAsked } from './asked.ts'
import { describeMachine, median, short, table, thisMachine } from './machine.ts'
import type { Subject } from './subjects.ts'

interface Measured {
  readonly program: string
  readonly executions: number
  readonly expected: number | undefined
  readonly blocked: number
  readonly discarded: number
  readonly verdict: Report['verdict']
  /** Processor time of the fastest run; the median, and the slowest. */
  readonly fastest: number
  readonly median: number
  readonly slowest: number
  /** Time by the clock, in the median. */
  readonly clockMilliseconds: number
  readonly executionsPerSecond: number
  readonly genmcRecorded: number | undefined
}

function measure({ program, executions: expected, genmc }: Subject, runs: number): Measured {
  const report = explore(program)
  const clock: number[] = []
  const times = Array.from({ length: runs }, () => {
    const start = performance.now()
    const used = process.cpuUsage()
    explore(program)
    const { user, system } = process.cpuUsage(used)
    clock.push(performance.now() - start)
    return (user + system) / 1000
  })
  const { executions, blocked, discarded, verdict } = report
  const fastest = Math.min(...times)
  return {
    program: program.name,
    executions,
    expected,
    blocked,
    discarded,
    verdict,
    fastest,
    median: median(times),
    slowest: Math.max(...times),
    clockMilliseconds: median(clock),
    executionsPerSecond: (executions / fastest) * 1000,
    genmcRecorded: genmc,
  }
}

const wrong = ({ executions, expected, verdict }: Measured): boolean =>
  verdict !== 'holds' || (expected !== undefined && executions !== expected)

const ratio = ({ executionsPerSecond, genmcRecorded }: Measured): number | undefined =>
  genmcRecorded === undefined ? undefined : executionsPerSecond / genmcRecorded

const head = [
  'program',
  'executions',
  'blocked',
  'discarded',
  'cpu ms',
  'fastest',
  'slowest',
  'clock ms',
  'executions/s',
  'GenMC*',
  'ratio*',
]

function row(measured: Measured): readonly string[] {
  const { program, executions, expected, blocked, discarded, fastest, slowest, clockMilliseconds } = measured
  const { executionsPerSecond, genmcRecorded, verdict } = measured
  return [
    program,
    wrong(measured) ? `${executions} (${verdict}, expected ${expected})` : `${executions}`,
    `${blocked}`,
    `${discarded}`,
    fastest.toFixed(1),
    measured.median.toFixed(1),
    slowest.toFixed(1),
    clockMilliseconds.toFixed(1),
    short(executionsPerSecond),
    genmcRecorded === undefined ? '' : short(genmcRecorded),
    ratio(measured)?.toFixed(1) ?? '',
  ]
}

function main(): void {
  const asked = whatIsAsked()
  if (asked === undefined) return
  const { json, runs, chosen } = asked
  const machine = thisMachine()
  const results: Measured[] = []
  for (const subject of chosen) {
    if (process.stderr.isTTY) process.stderr.write(`${subject.program.name} ...\n`)
    results.push(measure(subject, runs))
  }

  const ratios = results.map(ratio).filter((each) => each !== undefined)
  const summary = ratios.length === 0 ? undefined : { median: median(ratios), least: Math.min(...ratios) }
  if (json) {
    console.log(JSON.stringify({ machine, runs, results, ratiosToRecordedGenmc: summary }, undefined, 2))
  } else {
    console.log(describeMachine(machine))
    console.log(table(head, results.map(row)))
    if (summary !== undefined) {
      console.log(`against GenMC*: ${summary.median.toFixed(1)} times in the median, ${summary.least.toFixed(1)} times at least`)
    }
    console.log('* recorded on another day and machine (measurements.md), structures by other programs: not a figure of this run')
  }
  if (results.some(wrong)) process.exitCode = 1
}

main()
