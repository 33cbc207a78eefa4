import type { Thread } from '../model/history.ts'
import { Machine } from '../model/machine.ts'
import { STORE, WRITE, WRITE_BYTES } from '../model/operation.ts'
import type { Program } from '../model/program.ts'
import type { CrashChoices } from './crash-choices.ts'
import { classify } from './failure.ts'
import { type EndedRecovery, type Question, type Recovery, recover } from './recovery.ts'
import type { TraceStep } from './report.ts'
import type { Finding } from './run.ts'
import { traceOf } from './trace.ts'

/** Runs a program along one schedule, crashes it there, and lets it recover from what is said to have been left. */

/** A write of a word, by a row of the machine, and the word after it. */
interface Write {
  readonly row: number
  readonly value: number
}

export interface CrashRun {
  readonly machine: Machine
  readonly steps: readonly number[]
  readonly finding: Finding | undefined
  readonly trace: readonly TraceStep[]
}

export function runCrash(
  program: Program,
  threads: readonly Thread[],
  initial: Int32Array,
  schedule: readonly number[],
  choices: CrashChoices,
): CrashRun {
  const machine = new Machine(threads, initial)
  machine.lead()
  const steps: number[] = []
  for (const step of schedule) {
    if (!machine.canStep(step)) continue
    machine.step(step)
    steps.push(step)
  }
  const { trace: before, writer } = tracing(machine)
  const writes = writesOf(machine, initial)
  const trace: TraceStep[] = [...before, { thread: 'recover', operation: 'crash' }]
  for (const name of choices.acknowledged) trace.push({ thread: 'recover', operation: 'acknowledged', value: name })
  const left = new Map<number, number>()
  const crashLeft = (word: number, choice: number): number => {
    const write = choice === 0 ? undefined : writes.get(word)?.[choice - 1]
    const value = write?.value ?? initial[word]
    left.set(word, value)
    trace.push({ thread: 'recover', operation: 'finds', word, value, from: write === undefined ? 'setup' : writer(write.row) })
    return value
  }
  const rest = [...choices.first]
  let recovery = recovered(program, choices, (word) => crashLeft(word, rest.shift() ?? 0))
  if (recovery.thrown === undefined && choices.second !== undefined) {
    const { deeds } = recovery
    const again = [...choices.second]
    trace.push({ thread: 'recover', operation: 'crash' })
    recovery = recovered(program, choices, (word) => {
      const choice = again.shift() ?? 0
      const own = choice === 0 ? undefined : deeds.writesOf(word)[choice - 1]
      if (own === undefined) return left.get(word) ?? crashLeft(word, again.shift() ?? 0)
      trace.push({ thread: 'recover', operation: 'finds', word, value: own.value, from: 'recover' })
      return own.value
    })
  }
  const { thrown } = recovery
  if (thrown === undefined) return { machine, steps, finding: undefined, trace }
  const { message, ...what } = classify(thrown.error)
  return { machine, steps, finding: { ...what, message: `recover: ${message}` }, trace }
}

function tracing(machine: Machine): { trace: TraceStep[]; writer(row: number): string } {
  const { rows } = machine
  return {
    trace: traceOf(machine),
    writer: (row) => `${machine.threads[rows[row].thread].name} #${row + 1}`,
  }
}

/** A recovery to its end, with the answers that were chosen. */
function recovered(program: Program, { acknowledged }: CrashChoices, found: (word: number) => number): EndedRecovery {
  const answer = (question: Question): number =>
    'name' in question ? Number(acknowledged.includes(question.name)) : found(question.word)
  let at: Recovery = recover(program, [], acknowledged, answer)
  while (at.question !== undefined) [at] = at.answered.values()
  return at
}

/** The writes of each word in the order in which they were done. */
function writesOf({ rows }: Machine, initial: Int32Array): Map<number, Write[]> {
  const memory = initial.slice()
  const writes = new Map<number, Write[]>()
  const note = (word: number, value: number, row: number): void => {
    memory[word] = value
    const list = writes.get(word) ?? []
    list.push({ row, value })
    writes.set(word, list)
  }
  for (const [row, { node, wrote, event }] of rows.entries()) {
    if (event !== undefined) continue
    if (wrote !== undefined) note(node.word, wrote, row)
    else if (node.kind === STORE || node.kind === WRITE) note(node.word, node.a, row)
    else if (node.kind === WRITE_BYTES) {
      for (let byte = node.word, end = node.word + node.a; byte < end; ) {
        const word = byte >> 2
        let value = memory[word]
        for (; byte < end && byte >> 2 === word; byte++) {
          const shift = 8 * (byte & 3)
          value = (value & ~(255 << shift)) | (node.bytes.charCodeAt(byte - node.word) << shift)
        }
        note(word, value, row)
      }
    }
  }
  return writes
}
