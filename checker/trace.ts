import type { History } from '../model/history.ts'
import type { Machine, Row } from '../model/machine.ts'
import {
  ALIVE,
  GUESS_BYTES,
  KILLED,
  NOTIFY,
  operationNames,
  PAUSE,
  READ_BYTES,
  SETTLE,
  STORE,
  WRITE,
  WRITE_BYTES,
} from '../model/operation.ts'
import { callSite } from './call-site.ts'
import type { TraceStep } from './report.ts'

/** What a machine did, row by row, with the lines of the program that did it. */
export function traceOf(machine: Machine): TraceStep[] {
  const sources = machine.threads.map((thread, number) => {
    const lines = new Map<number, string>()
    const end = machine.next[number] as History
    const last = end.kind === KILLED ? (end.parent as History) : end
    thread.retrace(last, (node) => {
      const line = callSite()
      if (line !== undefined) lines.set(node.depth, line)
    })
    return lines
  })
  const { rows } = machine
  return rows.map((row) => {
    const { thread, node } = row
    const source = sources[thread].get(node.depth)
    const value = shown(row)
    return {
      thread: machine.threads[thread].name,
      operation: row.event ?? operationNames[node.kind],
      ...placeOf(row),
      ...(value === undefined ? {} : { value }),
      ...(row.wrote === undefined ? {} : { wrote: row.wrote }),
      ...(row.from === undefined ? {} : { from: writer(machine, rows, row.from) }),
      ...(source === undefined ? {} : { source }),
    }
  })
}

function placeOf({ node: { kind, word }, event }: Row): Pick<TraceStep, 'word' | 'participant'> {
  if (event === 'killed' || kind === SETTLE) return {}
  if (kind === ALIVE) return { participant: word }
  return { word: kind === READ_BYTES || kind === WRITE_BYTES || kind === GUESS_BYTES ? word >> 2 : word }
}

function shown(row: Row): number | string | undefined {
  const { node, answer } = row
  if (row.event !== undefined || node.kind === PAUSE || node.kind === GUESS_BYTES) return undefined
  if (node.kind === STORE || node.kind === WRITE) return node.a
  if (node.kind === WRITE_BYTES) return hex(node.bytes)
  if (node.kind === READ_BYTES) return hex(answer as string)
  if (node.kind === SETTLE) return node.word === 1 ? hex(answer as string) : 'nothing'
  if (node.kind === NOTIFY) return answer
  return answer
}

function hex(bytes: string): string {
  return Array.from(bytes, (char) => char.charCodeAt(0).toString(16).padStart(2, '0')).join(' ')
}

function writer({ threads }: Machine, rows: readonly Row[], row: number): string {
  return row < 0 ? 'setup' : `${threads[rows[row].thread].name} #${row + 1}`
}
