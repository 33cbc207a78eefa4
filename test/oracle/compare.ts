/** What the explorer says of a generated program, held against what the oracle says. */

import { GuaranteeError } from '../../checker/guarantee.ts'
import type { ExploreOptions, Report } from '../../checker/report.ts'
import type { Memory } from '../../core/memory.ts'
import type { Program, Readable } from '../../model/program.ts'
import { type BruteForceResult, bruteForce, canonicalOutcome } from './brute-force.ts'
import { type Code, mapCode, programOf, type Sketch, type SketchFaults, type Statement } from './sketch.ts'

export type Explore = (program: Program, options?: ExploreOptions) => Report
export type Replay = (program: Program, schedule: string) => Report

/** How far the oracle goes: what is beyond is left out. */
const limits = { states: 4000, operations: 60 } as const
/** Much longer than any generated program takes, so that an explorer that runs away is a mismatch and not a hang. */
const seconds = 60

export function oracle(sketch: Sketch): BruteForceResult {
  return bruteForce(programOf(sketch), limits)
}

/** Why the report is wrong, in one sentence; `undefined` when it is right. */
export function judge(truth: BruteForceResult, report: Report): string | undefined {
  const kinds = [...truth.failures]
  if (kinds.length > 0) {
    if (report.verdict !== 'refuted') return `${report.verdict}, but the oracle finds: ${kinds.join(', ')}`
    const kind = report.failure?.kind
    if (kind === undefined || !truth.failures.has(kind)) return `refuted by ${kind}, but the oracle finds: ${kinds.join(', ')}`
    // What comes after a race or a throw the oracle does not count.
    const counted = kinds.every((known) => known === 'deadlock' || known === 'livelock')
    if (!counted || report.executions <= truth.executions.size) return undefined
    return `${report.executions} executions before the failure, but the oracle finds ${truth.executions.size} in all`
  }
  if (report.verdict !== 'holds') {
    return `${report.verdict} (${report.failure?.kind}: ${report.failure?.message}), but the oracle finds no failure`
  }
  if (report.executions !== truth.executions.size) {
    return `${report.executions} executions, but the oracle finds ${truth.executions.size}`
  }
  const { outcomes = [] } = report
  const known = new Set(outcomes)
  if (known.size !== outcomes.length) return 'the same outcome is reported twice'
  const extra = outcomes.find((outcome) => !truth.outcomes.has(outcome))
  if (extra !== undefined) return `an outcome that the oracle does not know: ${extra}`
  const missing = [...truth.outcomes].find((outcome) => !known.has(outcome))
  return missing === undefined ? undefined : `an outcome that only the oracle knows: ${missing}`
}

/**
 * Whether some loop without end may do more than read. The oracle stops at a race and so may call such a program small,
 * whereas the explorer may run into its bound of operations before it meets the race.
 */
function mayRunForEver(code: Code, endless = false): boolean {
  return code.some((statement) => {
    switch (statement.do) {
      case 'load':
      case 'read':
      case 'readBytes':
      case 'guess':
      case 'settle':
      case 'guessed':
      case 'alive':
      case 'dead':
      case 'self':
      case 'pause':
      case 'fail':
        return false
      case 'if':
        return mayRunForEver(statement.yes, endless) || mayRunForEver(statement.no, endless)
      case 'block':
      case 'repeat':
        return mayRunForEver(statement.body, endless)
      case 'spin':
        return mayRunForEver(statement.body, endless || statement.rounds === Number.POSITIVE_INFINITY)
      default:
        return endless
    }
  })
}

/** Explores the program of a sketch, its threads in the given order, and judges the report. */
export function compare(
  sketch: Sketch,
  truth: BruteForceResult,
  explore: Explore,
  replay?: Replay,
  order?: readonly number[],
): string | undefined {
  const program = programOf(sketch, order)
  const executions = truth.executions.size + 1000
  const report = explore(program, { outcomes: true, executions, seconds })
  if (
    report.verdict === 'inconclusive' &&
    truth.failures.has('data-race') &&
    sketch.threads.some((code) => mayRunForEver(code))
  ) {
    return undefined
  }
  const wrong = judge(truth, report)
  if (wrong !== undefined || report.failure === undefined || replay === undefined) return wrong
  const again = replay(program, report.failure.schedule)
  if (again.verdict !== 'refuted') return `a failure of kind ${report.failure.kind} whose schedule replays as ${again.verdict}`
  if (again.failure?.kind === report.failure.kind) return undefined
  return `a failure of kind ${report.failure.kind} whose schedule replays as ${again.failure?.kind}`
}

function contentOf(memory: Readable): string {
  return Array.from({ length: memory.words }, (_, word) => memory.read(word)).join()
}

/** What is wrong with the states that the explorer judges, of a program that holds; `undefined` when nothing is. */
export function compareStates(sketch: Sketch, truth: BruteForceResult, explore: Explore, replay: Replay): string | undefined {
  const judged = new Set<string>()
  const ended = new Set<string>()
  const watched: Program = {
    ...programOf(sketch),
    always: (memory) => void judged.add(contentOf(memory)),
    // Torn bytes must not be read: then only the others are.
    finally: (memory: Memory, results) => {
      if (truth.torn.size > 0) {
        for (let byte = 0; byte < 4 * memory.words; byte++) if (!truth.torn.has(byte)) readByte(memory, byte)
        return
      }
      const words = Int32Array.from({ length: memory.words }, (_, word) => memory.load(word))
      ended.add(canonicalOutcome(results, words))
    },
  }
  const bounds = { executions: truth.executions.size + 1000, seconds }
  const { verdict, executions } = explore(watched, bounds)
  if (verdict !== 'holds' || executions !== truth.executions.size) {
    return `${verdict} with ${executions} executions, but the oracle finds no failure and ${truth.executions.size}`
  }
  const difference = compareSets(judged, truth.contents)
  if (difference !== undefined) return `always: ${difference}`
  const otherEnd = truth.torn.size > 0 ? compareTorn(sketch, truth.torn, explore, replay) : compareSets(ended, truth.outcomes)
  if (otherEnd !== undefined) return `finally: ${otherEnd}`

  // An invariant that one reachable state breaks.
  const bad = [...truth.contents][truth.contents.size >> 1]
  const breakable: Program = {
    ...programOf(sketch),
    always: (memory) => {
      if (contentOf(memory) === bad) throw new GuaranteeError('never-this', `memory holds ${bad}`)
    },
  }
  const { failure } = explore(breakable, bounds)
  if (failure?.kind !== 'assertion' || failure.guarantee !== 'never-this') return `memory may hold ${bad}: ${failure?.kind}`
  const again = replay(breakable, failure.schedule).failure
  return again?.kind === 'assertion' ? undefined : `memory may hold ${bad}: replayed as ${again?.kind}`
}

function readByte(memory: Readable, byte: number): void {
  memory.readBytes(byte, new Uint8Array(1))
}

function readWord(memory: Readable, byte: number): void {
  memory.load(byte >> 2)
}

/** Whether `finally` may read none of the torn bytes, alone or as part of a word. */
function compareTorn(sketch: Sketch, torn: ReadonlySet<number>, explore: Explore, replay: Replay): string | undefined {
  for (const byte of torn) {
    for (const look of [readByte, readWord]) {
      const program: Program = { ...programOf(sketch), finally: (memory: Memory) => look(memory, byte) }
      const { failure } = explore(program, { seconds })
      if (failure?.kind !== 'data-race') return `the torn byte ${byte} is read: ${failure?.kind}`
      const again = replay(program, failure.schedule).failure
      if (again?.kind !== 'data-race') return `the torn byte ${byte} is read: replayed as ${again?.kind}`
    }
  }
  return undefined
}

function compareSets(seen: ReadonlySet<string>, truth: ReadonlySet<string>): string | undefined {
  const extra = [...seen].find((text) => !truth.has(text))
  if (extra !== undefined) return `sees ${extra}, which is not reachable`
  const missing = [...truth].find((text) => !seen.has(text))
  return missing === undefined ? undefined : `does not see ${missing}, which is reachable`
}

/** Every sketch that is one step simpler. */
export function* simpler(sketch: Sketch): Generator<Sketch> {
  const { setup, threads, faults } = sketch
  for (const index of threads.keys()) if (threads.length > 1) yield without(sketch, index)
  if (faults !== undefined) for (const fewer of fewerFaults(faults)) yield { ...sketch, faults: fewer }
  if (setup.length > 0) yield { ...sketch, setup: [] }
  for (const [index, code] of threads.entries()) {
    for (const shorter of simplerCode(code)) yield { ...sketch, threads: threads.with(index, shorter) }
  }
}

/** The sketch without a thread. Who looked whether it lives looks at the first one. */
function without({ faults, ...sketch }: Sketch, index: number): Sketch {
  const renumbered = (thread: number): number => (thread === index ? 0 : thread > index ? thread - 1 : thread)
  const threads = sketch.threads.toSpliced(index, 1).map((code) => {
    return mapCode(code, (statement) =>
      'thread' in statement ? { ...statement, thread: renumbered(statement.thread) } : statement,
    )
  })
  if (faults === undefined) return { ...sketch, threads }
  const kill = faults.kill.filter((thread) => thread !== index).map(renumbered)
  return { ...sketch, threads, faults: { ...faults, kill, kills: Math.min(faults.kills, kill.length) } }
}

function* fewerFaults({ kill, kills, spurious }: SketchFaults): Generator<SketchFaults> {
  for (const index of kill.keys()) {
    yield { kill: kill.toSpliced(index, 1), kills: Math.min(kills, kill.length - 1), spurious }
  }
  if (kills > 1) yield { kill, kills: 1, spurious }
  if (spurious) yield { kill, kills, spurious: false }
}

function* simplerCode(code: Code): Generator<Code> {
  for (const index of code.keys()) yield code.toSpliced(index, 1)
  for (const [index, statement] of code.entries()) {
    if (statement.do === 'block' || statement.do === 'repeat' || statement.do === 'spin') {
      yield code.toSpliced(index, 1, ...statement.body)
      for (const body of simplerCode(statement.body)) yield code.with(index, { ...statement, body })
    } else if (statement.do === 'if') {
      yield code.toSpliced(index, 1, ...statement.yes)
      for (const yes of simplerCode(statement.yes)) yield code.with(index, { ...statement, yes })
      for (const no of simplerCode(statement.no)) yield code.with(index, { ...statement, no })
    }
    for (const smaller of simplerNumbers(statement)) yield code.with(index, smaller)
  }
}

function* simplerNumbers(statement: Statement): Generator<Statement> {
  for (const [name, value] of Object.entries(statement)) {
    if (name === 'do' || name === 'rounds' || name === 'times') continue
    if (typeof value === 'number' && (value > 1 || value < 0) && value < Number.POSITIVE_INFINITY) {
      for (const smaller of [0, 1]) yield { ...statement, [name]: smaller }
    } else if (value === 1) {
      yield { ...statement, [name]: 0 }
    } else if (typeof value === 'object' && 'lastPlus' in value) {
      yield { ...statement, [name]: 1 }
    }
  }
}

/** The simplest sketch that is still wrong, by trying what is one step simpler until nothing helps. */
export function reduce(sketch: Sketch, wrong: (candidate: Sketch) => boolean): Sketch {
  let current = sketch
  for (let tries = 0; tries < 3000; ) {
    let better: Sketch | undefined
    for (const candidate of simpler(current)) {
      tries++
      if (wrong(candidate)) {
        better = candidate
        break
      }
    }
    if (better === undefined) return current
    current = better
  }
  return current
}
