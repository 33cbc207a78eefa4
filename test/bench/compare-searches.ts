/**
 * Our search beside one with wakeup trees (Optimal-DPOR), over the same threads as tries.
 *
 *   npx tsx test/bench/compare-searches.ts [--json] [--runs N] [PART OF A NAME ...]
 *
 * Both only count: nothing is judged at the ends of paths. (Ours looks for data races all the same; the other one does not.) Each begins with empty tries, so that user code runs for both. Each is run once to warm up and then
 * `--runs` times in turns with the other (default 5); the figure is that of the fastest run, in processor time of the whole
 * process. Programs that sleep are left out. Counts that differ end the run with exit code 1.
 */

import { defaultEvents } from '../../checker/bounds.ts'
import { initialMemory } from '../../checker/run.ts'
import { Search } from '../../checker/search.ts'
import { withGuards } from '../../model/guards.ts'
import { threadsOf } from '../../model/history.ts'
import type { Program } from '../../model/program.ts'
import { whatIsAsked } from './asked.ts'
import { Interleavings, Unsupported } from './interleavings.ts'
import { describeMachine, median, short, table, thisMachine } from './machine.ts'
import type { Subject } from './subjects.ts'

/** How often each ending was met. */
interface Endings {
  readonly executions: number
  /** Ends that count nothing: a thread that spins read what was overwritten. */
  readonly blocked: number
  /** Ends that count nothing: what was explored elsewhere, or chosen and then impossible. */
  readonly wasted: number
}

interface Searched extends Endings {
  /** Processor time of the fastest run. */
  readonly milliseconds: number
  readonly executionsPerSecond: number
}

interface Compared {
  readonly program: string
  readonly expected: number | undefined
  readonly ours: Searched
  readonly interleavings: Searched
  /** How many times as many executions a second ours makes. */
  readonly ratio: number
}

function count(advance: () => string | undefined): Endings {
  let executions = 0
  let blocked = 0
  let wasted = 0
  for (let ending = advance(); ending !== undefined; ending = advance()) {
    if (ending === 'complete') executions++
    else if (ending === 'blocked') blocked++
    else if (ending === 'discarded' || ending === 'redundant') wasted++
    else throw new Error(`an execution is ${ending}`)
  }
  return { executions, blocked, wasted }
}

function ours(program: Program): Endings {
  const initial = initialMemory(program)
  const search = new Search(threadsOf(program, defaultEvents), initial, defaultEvents)
  return count(() => search.advance())
}

function interleavings(program: Program): Endings {
  const search = new Interleavings(threadsOf(program, defaultEvents), initialMemory(program))
  return count(() => search.advance())
}

/** Milliseconds of processor time. */
function timed(run: () => unknown): number {
  const used = process.cpuUsage()
  run()
  const { user, system } = process.cpuUsage(used)
  return (user + system) / 1000
}

function compare({ program, executions: expected }: Subject, runs: number): Compared {
  const searches = [ours, interleavings]
  const [first, second] = searches.map((search) => {
    const times: number[] = []
    return { found: search(program), times, run: () => times.push(timed(() => search(program))) }
  })
  for (let i = 0; i < runs; i++) for (const { run } of [first, second]) run()
  const [here, there] = [first, second].map(({ found, times }): Searched => {
    const milliseconds = Math.min(...times)
    return { ...found, milliseconds, executionsPerSecond: (found.executions / milliseconds) * 1000 }
  })
  return {
    program: program.name,
    expected,
    ours: here,
    interleavings: there,
    ratio: here.executionsPerSecond / there.executionsPerSecond,
  }
}

const wrong = ({ expected, ours, interleavings }: Compared): boolean =>
  ours.executions !== interleavings.executions || ours.executions !== (expected ?? ours.executions)

const head = [
  'program',
  'executions',
  'ours: executions/s',
  'blocked',
  'discarded',
  'wakeup trees: executions/s',
  'blocked',
  'redundant',
  'ratio',
]

function row(compared: Compared): readonly string[] {
  const { program, expected, ours, interleavings, ratio } = compared
  return [
    program,
    wrong(compared) ? `${ours.executions}, ${interleavings.executions}, expected ${expected}` : `${ours.executions}`,
    short(ours.executionsPerSecond),
    `${ours.blocked}`,
    `${ours.wasted}`,
    short(interleavings.executionsPerSecond),
    `${interleavings.blocked}`,
    `${interleavings.wasted}`,
    ratio.toFixed(2),
  ]
}

function main(): void {
  const asked = whatIsAsked()
  if (asked === undefined) return
  const { json, runs, chosen } = asked
  const machine = thisMachine()
  const results: Compared[] = []
  const leftOut: string[] = []
  for (const subject of chosen) {
    if (process.stderr.isTTY) process.stderr.write(`${subject.program.name} ...\n`)
    try {
      results.push(withGuards(() => compare(subject, runs)))
    } catch (error) {
      if (!(error instanceof Unsupported)) throw error
      leftOut.push(subject.program.name)
    }
  }

  const ratios = results.map(({ ratio }) => ratio)
  if (json) {
    console.log(JSON.stringify({ machine, runs, results, leftOut }, undefined, 2))
  } else {
    console.log(describeMachine(machine))
    console.log(table(head, results.map(row)))
    if (ratios.length > 0) {
      const wins = ratios.filter((ratio) => ratio > 1).length
      const [least, most] = [Math.min(...ratios), Math.max(...ratios)].map((ratio) => ratio.toFixed(2))
      console.log(
        `ours is faster on ${wins} of ${ratios.length}: ${median(ratios).toFixed(2)} times as fast in the median, from ${least} to ${most}`,
      )
    }
    if (leftOut.length > 0) console.log(`left out: ${leftOut.join(', ')}`)
  }
  if (results.some(wrong)) process.exitCode = 1
}

main()
