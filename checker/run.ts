import type { Thread } from '../model/history.ts'
import { Machine } from '../model/machine.ts'
import { ALIVE, COMPARE_EXCHANGE, KILLED, LOAD, operationNames, WAIT } from '../model/operation.ts'
import type { Program } from '../model/program.ts'
import { SetupMemory } from '../model/solo-memory.ts'
import { classify } from './failure.ts'
import { judgeOf } from './history-judge.ts'
import type { FailureKind } from './report.ts'
import { StateMemory } from './state-memory.ts'

/** Runs a program along one schedule, and judges it as the search does. */

export interface Finding {
  readonly kind: FailureKind
  readonly guarantee?: string
  readonly message: string
}

export interface Run {
  readonly machine: Machine
  /** The steps that were done. */
  readonly steps: readonly number[]
  readonly finding: Finding | undefined
}

/** The memory as `setup` leaves it. */
export function initialMemory(program: Program): Int32Array {
  const contents = new Int32Array(program.words)
  program.setup?.(new SetupMemory(contents))
  return contents
}

/** What is wrong with the state of a machine, if anything: a race, a throw, a broken `always`, a history that nothing explains. */
export function judgeState(program: Program, machine: Machine): Finding | undefined {
  const { race, thrown } = machine
  if (race !== undefined) {
    const { rows } = machine
    const [first, second] = race.rows.map((row) => rows[row])
    const name = (thread: number): string => machine.threads[thread].name
    if (race.torn) {
      return {
        kind: 'data-race',
        message: `${name(second.thread)} ${operationNames[second.node.kind]} reads what ${name(first.thread)} wrote Unordered to word ${
          race.word
        } before it was killed, and nobody knows what that is`,
      }
    }
    return {
      kind: 'data-race',
      message: `${name(second.thread)} ${operationNames[second.node.kind]} and ${name(first.thread)} ${
        operationNames[first.node.kind]
      } touch word ${race.word}, at least one writes, not both are SeqCst, and nothing orders them`,
    }
  }
  if (thrown !== undefined) {
    const { message, ...rest } = classify(thrown.error)
    return { ...rest, message: `${machine.threads[thrown.thread].name}: ${message}` }
  }
  try {
    program.always?.(new StateMemory(machine, false))
  } catch (error) {
    const { message, ...rest } = classify(error)
    return { ...rest, message: `always: ${message}` }
  }
  return program.history === undefined ? undefined : judgeOf(program.history).judgeMachine(machine)
}

/** What is wrong at the end: threads that cannot go on, or a broken `finally`. Nothing is where somebody would look again. */
export function judgeEnd(program: Program, machine: Machine): Finding | undefined {
  if (!machine.finished) {
    if (machine.looksAgain) return undefined
    const waits = program.history !== undefined && judgeOf(program.history).mayWait(machine)
    return waits ? undefined : stuck(machine)
  }
  try {
    program.finally?.(new StateMemory(machine, true), resultsOf(machine.threads, machine.next))
  } catch (error) {
    const { message, ...rest } = classify(error)
    return { ...rest, message: `finally: ${message}` }
  }
  return undefined
}

/** The results of threads that returned, by name. A thread that was killed has none. */
export function resultsOf(
  threads: readonly Thread[],
  ends: readonly ({ readonly kind: number; readonly result: unknown } | undefined)[],
): Record<string, unknown> {
  const results: Record<string, unknown> = {}
  for (let thread = 0; thread < threads.length; thread++) {
    if (ends[thread]?.kind !== KILLED) results[threads[thread].name] = ends[thread]?.result
  }
  return results
}

/** Who waits for what. */
function stuck(machine: Machine): Finding {
  const waiting: string[] = []
  let sleepers = 0
  for (let thread = 0; thread < machine.threads.length; thread++) {
    const node = machine.next[thread]
    if (node === undefined || (node.finished && !machine.asleep[thread])) continue
    const name = machine.threads[thread].name
    if (machine.asleep[thread]) {
      sleepers++
      waiting.push(
        `${name} sleeps on word ${node.word} (expected ${node.a}, holds ${machine.load(node.word)}) and nobody notifies it`,
      )
      continue
    }
    const seen = new Set<string>()
    for (let at = node.parent; at !== null && at.depth >= node.iteration; at = at.parent) {
      if (at.kind === ALIVE) seen.add(`the life of ${machine.threads[at.word].name}`)
      else if (at.kind === LOAD || at.kind === COMPARE_EXCHANGE || at.kind === WAIT) {
        seen.add(`word ${at.word} = ${machine.load(at.word)}`)
      }
    }
    waiting.push(`${name} spins${seen.size === 0 ? '' : ` on ${[...seen].join(', ')}`} and nobody changes it`)
  }
  return { kind: sleepers > 0 ? 'deadlock' : 'livelock', message: waiting.join('; ') }
}

/**
 * Runs a schedule. Steps that a thread cannot do are passed over, and after the last one the threads go on one by one, so
 * that a schedule survives small edits of the program.
 */
export function runSchedule(program: Program, threads: readonly Thread[], initial: Int32Array, schedule: readonly number[]): Run {
  const machine = new Machine(threads, initial)
  machine.lead()
  const steps: number[] = []
  let finding = judgeState(program, machine)
  const step = (next: number): void => {
    machine.step(next)
    steps.push(next)
    finding = judgeState(program, machine)
  }
  for (const next of schedule) {
    if (finding !== undefined) break
    if (machine.canStep(next)) step(next)
  }
  for (let moved = true; moved && finding === undefined; ) {
    moved = false
    for (let thread = 0; thread < threads.length; thread++) {
      while (finding === undefined && machine.canStep(thread) && !machine.wouldPark(thread)) {
        step(thread)
        moved = true
      }
    }
  }
  if (finding === undefined) {
    // Who would only park shows what it loads.
    for (let thread = 0; thread < threads.length; thread++) if (machine.canStep(thread)) step(thread)
    finding ??= judgeEnd(program, machine)
  }
  return { machine, steps, finding }
}
