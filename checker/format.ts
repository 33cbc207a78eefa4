/** Reports as text: numbers, tables, traces, and the line to paste. Pure, so that pages print what the command line prints. */
import type { Check } from './check.ts'
import type { Shard } from './deal.ts'
import type { ShardFindings } from './merge.ts'
import { type Estimate, type Failure, type Progress, type Report, shareEnough, type TraceStep } from './report.ts'
import type { StressResult } from './stress.ts'

/** How words are made to stand out. `plain` where colours are not wanted. */
export interface Paint {
  bold(text: string): string
  dim(text: string): string
  red(text: string): string
  green(text: string): string
  yellow(text: string): string
}

const same = (text: string): string => text
const style =
  (on: number, off: number) =>
  (text: string): string =>
    `\u001b[${on}m${text}\u001b[${off}m`

/** No colours. */
export const plain: Paint = { bold: same, dim: same, red: same, green: same, yellow: same }

/** The colours of a terminal. */
export const ansi: Paint = {
  bold: style(1, 22),
  dim: style(2, 22),
  red: style(31, 39),
  green: style(32, 39),
  yellow: style(33, 39),
}

/** What a check is called on the command line: its program, and its mutant after a colon. */
export function checkName(check: Check): string {
  return check.mutant === undefined ? check.program.name : `${check.program.name}:${check.mutant.name}`
}

/** `1234567` as `1,234,567`. */
export function count(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** `1 check`, `2 checks`. */
export function counted(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`
}

const units = ['', ' k', ' M', ' G', ' T', ' P']

/** A number of which only the first digits mean something: `9,876`, `36.1 G`. */
export function about(value: number, digits = 3): string {
  if (!Number.isFinite(value)) return 'unknown'
  if (value < 10_000) return count(value)
  // What is rounded up to the next thousand has the next unit.
  const power = Math.floor(Math.log10(Number(value.toPrecision(digits))) / 3)
  return power < units.length ? `${(value / 1000 ** power).toPrecision(digits)}${units[power]}` : value.toExponential(digits - 2)
}

/** What random walks say, with their spread: `~1.20 M (±310 k)`. */
export function aboutWalks({ executions, spread }: Estimate): string {
  return spread === 0 ? `~${about(executions)}` : `~${about(executions)} (±${about(spread)})`
}

/** Seconds as people say them: `0.012 s`, `12.3 s`, `3 min 20 s`, `5 h 3 min`, `12 days`. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return 'unknown'
  if (seconds < 1) return `${seconds.toFixed(3)} s`
  if (seconds < 60) return `${seconds.toFixed(1)} s`
  const minutes = Math.round(seconds / 60)
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
  const days = seconds / 86_400
  return days < 1e6 ? `${count(days)} days` : 'ages'
}

/** As many columns as it takes: no terminal. */
const wide = Number.POSITIVE_INFINITY

/** A cell of a table; `paint` colours it after it was padded. */
export interface Cell {
  readonly text: string
  readonly paint?: (text: string) => string
}

/** A table with aligned columns, numbers (`right`) to the right, two blanks between columns, none at the end of a line. */
export function table(rows: readonly (readonly (Cell | string)[])[], right: ReadonlySet<number> = new Set()): string {
  const cells = rows.map((row) => row.map((cell) => (typeof cell === 'string' ? { text: cell } : cell) as Cell))
  const widths: number[] = []
  for (const row of cells) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.text.length)
  const lines = cells.map((row) => {
    const end = row.findLastIndex((cell) => cell.text !== '')
    return row
      .slice(0, end + 1)
      .map((cell, i) => {
        const padded = right.has(i) ? cell.text.padStart(widths[i]) : i === end ? cell.text : cell.text.padEnd(widths[i])
        return cell.paint === undefined ? padded : cell.paint(padded)
      })
      .join('  ')
  })
  return lines.join('\n')
}

/**
 * A table for a terminal of so many columns: where it is too wide, columns that can be spared go, in that order, and then the
 * texts of the first column are shortened.
 */
function fittingTable(
  rows: readonly (readonly (Cell | string)[])[],
  right: ReadonlySet<number>,
  columns: number,
  spare: readonly number[] = [],
): string {
  const cells = rows.map((row) => row.map((cell) => (typeof cell === 'string' ? { text: cell } : cell) as Cell))
  const widths: number[] = []
  for (const row of cells) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.text.length)
  const left = new Set(widths.keys())
  const excess = (): number => [...left].reduce((sum, i) => sum + widths[i] + 2, -2) - columns
  for (const column of spare) if (excess() > 0) left.delete(column)
  const first = Math.max(widths[0] - Math.max(excess(), 0), Math.min(widths[0], 20))
  const kept = cells.map((row) =>
    row.flatMap((cell, i) => (i === 0 ? [{ ...cell, text: shortened(cell.text, first) }] : left.has(i) ? [cell] : [])),
  )
  return table(kept, new Set([...left].flatMap((column, i) => (right.has(column) ? [i] : []))))
}

/** Every line of a text moved to the right. */
export function indent(text: string, by = '  '): string {
  return text.replace(/^(?=.)/gm, by)
}

/** One step of a trace in the words of its column: `compareExchange 3: 0 -> 1, from writer #2`. */
export function stepText(step: TraceStep): string {
  const place = step.word ?? step.participant
  const at = place === undefined ? '' : ` ${place}`
  const from = step.from === undefined ? '' : `, from ${step.from}`
  if (step.value === undefined) return `${step.operation}${at}${from}`
  if (step.wrote !== undefined) return `${step.operation}${at}: ${step.value} -> ${step.wrote}${from}`
  const sign = /^(store|write)/.test(step.operation) ? '<-' : '='
  return `${step.operation}${at} ${sign} ${step.value}${from}`
}

/**
 * An execution to be read: a column for each thread, in the order in which things happened, values with where they had
 * been written (by the step of that number), source lines at the right.
 */
export function traceText(trace: readonly TraceStep[], paint: Paint = plain): string {
  const threads = [...new Set(trace.map((step) => step.thread))]
  const rows = trace.map((step, i) => {
    const text = stepText(step)
    const columns: (Cell | string)[] = threads.map((thread) => (thread === step.thread ? text : ''))
    return [{ text: `#${i + 1}`, paint: paint.dim }, ...columns, { text: step.source ?? '', paint: paint.dim }]
  })
  return table([['', ...threads.map((thread) => ({ text: thread, paint: paint.bold }))], ...rows], new Set([0]))
}

/** A word as a shell reads it: quoted only where it has to be. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}

/** What was broken, in a few words: the guarantee if the program named one, otherwise the kind of failure. */
export function broken(failure: Failure): string {
  return failure.guarantee ?? failure.kind
}

/** A failure in full: what was broken, how it came about, and the line that brings it back. */
export function failureText(name: string, failure: Failure, paste: string | undefined, paint: Paint = plain): string {
  const guarantee = failure.guarantee === undefined ? '' : `, breaks ${failure.guarantee}`
  const parts = [
    `${paint.bold(name)} ${paint.red(`is refuted (${failure.kind})`)}${paint.red(guarantee)}`,
    indent(failure.message),
  ]
  if (failure.trace.length > 0) parts.push('', indent(traceText(failure.trace, paint)))
  if (paste !== undefined) parts.push('', indent(paste))
  return parts.join('\n')
}

/** A check that was run: what the table and the JSON document show of it. */
export interface CheckResult {
  /** The path of the module, as it was found. */
  readonly file: string
  /** Program and mutant: see `checkName`. */
  readonly name: string
  readonly mutant?: { readonly name: string; readonly guarantee: string }
  readonly expect: Check['expect']
  /** Whether the report is as expected. */
  readonly met: boolean
  /** Why it is not. */
  readonly unmet?: string
  readonly report: Report
  /** The report is that of an earlier run. */
  readonly cached?: boolean
  /** Set where only one shard was explored. */
  readonly part?: Part
}

/** What the others of the shards need to know of one of them, so that they make a whole. */
export interface Part extends Omit<ShardFindings, 'report'> {
  readonly shard: Shard
  /** The same for all shards: what the result depends on, and how the work was dealt out. */
  readonly inputs: string
  readonly cut: string
}

/** The line that replays the failure of a check. */
export function replayLine(result: Pick<CheckResult, 'file' | 'name'>, schedule: string): string {
  return `npx heddle replay ${shellWord(result.file)} ${shellWord(schedule)} --only ${shellWord(result.name)}`
}

/** What a report says, in its table's words: `holds`, `refuted by ring/in-order`, `inconclusive`. */
export function verdictText(report: Report): string {
  if (report.bound === 'shard') return 'its part is explored'
  return report.failure === undefined ? report.verdict : `${report.verdict} by ${broken(report.failure)}`
}

/**
 * The tables of a run: a line for each check, then a line for each mutant. What was not as expected comes after them. In few
 * columns what the search cost goes first, and the programs of mutants.
 */
export function checksTable(results: readonly CheckResult[], paint: Paint = plain, columns: number = wide): string {
  const met = ({ met, part, cached }: CheckResult): Cell => {
    const text = met ? (part === undefined ? 'yes' : 'so far') : 'no'
    return { text: cached ? `${text}, as recorded` : text, paint: met ? paint.green : paint.red }
  }
  const head = (titles: readonly string[]): Cell[] => titles.map((text) => ({ text, paint: paint.dim }))
  const checks = results.filter(({ mutant }) => mutant === undefined)
  const mutants = results.filter(({ mutant }) => mutant !== undefined)
  const parts: string[] = []
  if (checks.length > 0) {
    const crashes = checks.some(({ report }) => report.recoveries !== undefined)
    const rows = checks.map((result) => {
      const { executions, blocked, discarded, seconds, recoveries } = result.report
      const found = crashes ? [recoveries === undefined ? '' : count(recoveries)] : []
      const numbers = [count(executions), ...found, count(blocked), count(discarded), seconds.toFixed(3)]
      return [result.name, verdictText(result.report), ...numbers, met(result)]
    })
    const found = crashes ? ['recoveries'] : []
    const titles = ['check', 'verdict', 'executions', ...found, 'blocked', 'discarded', 'seconds', 'as expected']
    const [first, last] = [titles.indexOf('executions'), titles.indexOf('seconds')]
    const numeric = new Set(Array.from({ length: last - first + 1 }, (_, i) => first + i))
    parts.push(fittingTable([head(titles), ...rows], numeric, columns, [last - 1, last - 2]))
  }
  if (mutants.length > 0) {
    const rows = mutants.map((result) => {
      const program = { text: result.report.program, paint: paint.dim }
      return [result.mutant?.name ?? '', verdictText(result.report), met(result), program]
    })
    parts.push(fittingTable([head(['mutant', 'verdict', 'as expected', 'program']), ...rows], new Set(), columns, [3]))
  }
  return parts.join('\n\n')
}

/** One check that was not as expected, or whose counterexample is wanted all the same. */
export function resultText(result: CheckResult, paint: Paint = plain): string {
  const { name, unmet, report, expect } = result
  const { failure } = report
  if (failure === undefined) return `${paint.bold(name)} ${paint.red(unmet ?? report.verdict)}${coveredText(report)}`
  const text = failureText(name, failure, replayLine(result, failure.schedule), paint)
  // Refuted as expected, but not by what was expected.
  return unmet !== undefined && report.verdict === expect.verdict ? `${paint.bold(name)} ${paint.red(unmet)}\n${text}` : text
}

/** How far a search was when it hit a bound: `: its bound on seconds was hit after 12 % of ~36.1 k executions`. */
function coveredText({ bound, covered }: Report): string {
  if (bound === undefined) return ''
  if (covered === undefined) return `: its bound on the ${bound} of a thread was hit`
  return `: its bound on ${bound} was hit after ${percent(covered.share)} of ~${about(covered.estimate)} executions`
}

/**
 * The last line of a run: how many checks there were, and whether all is well.
 *
 * @param took the seconds that it took, where they are not the sum of all checks
 */
export function checksSummary(results: readonly CheckResult[], paint: Paint = plain, took?: number): string {
  const unmet = results.filter((result) => !result.met).length
  const explored = results.filter(({ cached }) => !cached)
  const seconds = took ?? explored.reduce((sum, result) => sum + result.report.seconds, 0)
  const executions = explored.reduce((sum, result) => sum + result.report.executions, 0)
  const checks = counted(results.length, 'check')
  const recorded = results.length - explored.length
  const rest = recorded === 0 ? '' : `, ${count(recorded)} as recorded earlier`
  const cost = `${counted(executions, 'execution')} in ${duration(seconds)}${rest}`
  const shard = results[0]?.part?.shard
  const good = shard === undefined ? 'all as expected' : `shard ${shard.index} of ${shard.of}, all as expected so far`
  if (unmet === 0) return `${paint.green(`${checks}, ${good}`)}: ${cost}`
  return `${paint.red(`${checks}, ${count(unmet)} not as expected`)}: ${cost}`
}

/** A line for each check of which some executions were chosen at random. */
export function randomTable(results: readonly CheckResult[], paint: Paint = plain, columns: number = wide): string {
  const deep = results.some(({ report }) => report.random?.found !== undefined)
  const head = ['check', 'verdict', 'runs', 'steps', ...(deep ? ['found'] : []), 'seconds', 'as expected']
  const rows = results.map(({ name, report, met }) => {
    const { runs = 0, steps = 0, found } = report.random ?? {}
    const verdict = report.failure === undefined ? 'nothing found' : verdictText(report)
    const sure =
      report.failure !== undefined ? '' : found === undefined || found === 0 ? 'unknown' : `≥ ${percent(Math.min(found, 0.9999))}`
    const numbers = [count(runs), count(steps), ...(deep ? [sure] : []), report.seconds.toFixed(3)]
    const expected = report.failure === undefined ? 'so far' : met ? 'yes' : 'no'
    return [name, verdict, ...numbers, { text: expected, paint: met ? paint.green : paint.red }]
  })
  const numbers = new Set(head.keys())
  for (const left of [0, 1, head.length - 1]) numbers.delete(left)
  return fittingTable([head.map((text) => ({ text, paint: paint.dim })), ...rows], numbers, columns, [3])
}

/** Whether all is well as far as it was explored. */
function foundText(results: readonly CheckResult[], paint: Paint): string {
  const unmet = results.filter(({ met }) => !met).length
  const checks = counted(results.length, 'check')
  return unmet === 0
    ? paint.green(`${checks}, nothing unexpected found`)
    : paint.red(`${checks}, ${count(unmet)} not as expected`)
}

/** The last lines of such a run: whether all is well, what brings it again, and what the column `found` says. */
export function randomSummary(
  results: readonly CheckResult[],
  { seed, depth }: { readonly seed: number; readonly depth?: number },
  paint: Paint = plain,
): string {
  const runs = results.reduce((sum, { report }) => sum + (report.random?.runs ?? 0), 0)
  const line = `${foundText(results, paint)}: ${counted(runs, 'run')} at random, --seed ${seed}`
  if (depth === undefined) return line
  const how = `found: how likely it was, at least, to find a bug of depth ${depth} that needs no faults, if no execution has more steps`
  return `${line}\n${how}\nthan the longest run: 1 - (1 - 1 / (threads * steps^${depth - 1}))^runs`
}

/** A line for each check of which the executions with few preemptions were seen. */
export function preemptionsTable(results: readonly CheckResult[], paint: Paint = plain, columns: number = wide): string {
  const head = ['check', 'verdict', 'preemptions', 'states', 'ends', 'seconds', 'as expected']
  const rows = results.map(({ name, report, met }) => {
    const { covered = 0, all = false, states = 0 } = report.preemptions ?? {}
    const verdict = report.failure === undefined ? 'nothing found' : verdictText(report)
    // A failure is one with the fewest that there are.
    const seen =
      report.failure !== undefined ? count(covered + 1) : all ? 'any' : covered < 0 ? 'not all of 0' : `≤ ${count(covered)}`
    const expected = report.failure === undefined ? 'so far' : met ? 'yes' : 'no'
    const numbers = [seen, count(states), count(report.executions), report.seconds.toFixed(3)]
    return [name, verdict, ...numbers, { text: expected, paint: met ? paint.green : paint.red }]
  })
  return fittingTable([head.map((text) => ({ text, paint: paint.dim })), ...rows], new Set([2, 3, 4, 5]), columns, [4, 3])
}

/** The last line of such a run. */
export function preemptionsSummary(
  results: readonly CheckResult[],
  { preemptions }: { readonly preemptions: number },
  paint: Paint = plain,
): string {
  const short = results.filter(({ report: { failure, bound } }) => failure === undefined && bound !== 'preemptions').length
  const rest = short === 0 ? '' : `, but time or room was over for ${count(short)}`
  return `${foundText(results, paint)}: with at most ${counted(preemptions, 'preemption')}${rest}`
}

/** How many seconds a search will still take; `undefined` while nobody knows. */
export function secondsLeft({ executions, seconds, share, estimate }: Progress): number | undefined {
  if (share >= shareEnough) return (seconds * Math.max(1 - share, 0)) / share
  return executions > 0 && estimate > executions ? (seconds * (estimate - executions)) / executions : undefined
}

/** `5,000 of ~20.0 k executions`. While little is done, the total is what random walks say, with their spread. */
function executionsText({ executions, share, estimate, sampled }: Progress, number: (value: number) => string): string {
  if (share >= shareEnough) return `${number(executions)} of ~${about(estimate)} executions`
  if (sampled === undefined || sampled.executions <= executions) return `${number(executions)} executions`
  return `${number(executions)} of ${aboutWalks(sampled)} executions`
}

/** How far a search came: `5,000 of ~20.0 k executions (25 %) in 2.0 s`. `~` stands before estimates. */
export function standingText(standing: Progress): string {
  const share = standing.share > 0 ? ` (${percent(standing.share)})` : ''
  return `${executionsText(standing, count)}${share} in ${duration(standing.seconds)}`
}

/**
 * A line to watch: `[2/9] queue/two: 25 %, ~6.0 s left, 5,000 of ~20.0 k executions, 2,500/s`. Where it does not fit, a long
 * name is shortened first, and then what comes last is left out.
 */
export function progressText(
  place: string,
  name: string,
  standing: Progress,
  columns: number = Number.POSITIVE_INFINITY,
): string {
  const { executions, seconds, share } = standing
  const left = secondsLeft(standing)
  const parts = [
    ...(share > 0 ? [percent(share)] : []),
    ...(left === undefined ? [] : [`${left < 1 ? '<1 s' : `~${duration(left)}`} left`]),
    executionsText(standing, about),
    ...(seconds > 0 ? [`${about(executions / seconds)}/s`] : []),
  ]
  const room = columns - place.length - ': '.length - 1
  while (parts.length > 1 && shortest(name) + parts.join(', ').length > room) parts.pop()
  const rest = parts.join(', ')
  return `${place} ${shortened(name, Math.max(room - rest.length, shortest(name)))}: ${rest}`
}

/** No name is made shorter than that. */
function shortest(name: string): number {
  return Math.min(name.length, 20)
}

/** A text that is at most so long: without its middle, if need be, since names differ at their ends. */
export function shortened(text: string, length: number): string {
  if (text.length <= length) return text
  const tail = Math.ceil((length - 1) / 2)
  return `${text.slice(0, length - 1 - tail)}…${text.slice(text.length - tail)}`
}

/** What random walks say of a check. */
export interface EstimateResult {
  /** The path of the module, as it was found. */
  readonly file: string
  readonly name: string
  readonly estimate: Estimate
  /** Why there are no more walks, if they met something that a search would report. */
  readonly stopped?: string
}

/** A line for each program: how many executions it has, about. */
export function estimatesTable(results: readonly EstimateResult[], paint: Paint = plain, columns: number = wide): string {
  const head = ['program', 'executions', 'spread', 'walks'].map((text) => ({ text, paint: paint.dim }))
  const rows = results.map(({ name, estimate, stopped }) => {
    const { executions, spread, walks } = estimate
    const numbers = walks === 0 ? ['unknown', ''] : [`~${about(executions)}`, `±${about(spread)}`]
    return [name, ...numbers, count(walks), { text: stopped ?? '', paint: paint.yellow }]
  })
  return fittingTable([head, ...rows], new Set([1, 2, 3]), columns)
}

function percent(share: number): string {
  const value = share * 100
  return value >= 10 ? `${Math.floor(value)} %` : value >= 0.01 ? `${value.toFixed(2)} %` : '<0.01 %'
}

/** The table of a stress run, a line a program, then what went wrong. Kills have a column if there were any. */
export function stressTable(results: readonly StressResult[], paint: Paint = plain, columns: number = wide): string {
  const killed = results.some(({ kills }) => kills > 0)
  const head = ['program', 'rounds', 'rounds/s', 'operations/s', ...(killed ? ['kills'] : []), 'outcomes seen', 'enumerated']
  const rows = results.map((result) => {
    const { program, rounds, roundsPerSecond, operationsPerSecond, kills, seen, enumerated, passed, failure } = result
    const numbers = [rounds, roundsPerSecond, operationsPerSecond, ...(killed ? [kills] : []), seen, enumerated].map(count)
    const end = passed ? { text: 'yes', paint: paint.green } : { text: `no: ${failure?.kind}`, paint: paint.red }
    return [program, ...numbers, end]
  })
  const numbers = new Set(head.keys())
  numbers.delete(0)
  const titles = [...head, 'passed'].map((text) => ({ text, paint: paint.dim }))
  const parts = [fittingTable([titles, ...rows], numbers, columns, [2])]
  for (const { program, failure } of results) {
    if (failure !== undefined)
      parts.push(`\n${paint.bold(program)} ${paint.red(`failed (${failure.kind})`)}\n${indent(failure.message)}`)
  }
  return parts.join('\n')
}
