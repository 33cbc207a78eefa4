import { cpus, loadavg, totalmem } from 'node:os'

/** Where and when a figure was measured; figures of two machines cannot be compared. */
export interface Machine {
  readonly processor: string
  readonly processors: number
  readonly gigabytes: number
  /** How many threads wanted a processor in the minute before (0 on Windows, which does not tell). */
  readonly load: number
  readonly node: string
  readonly date: string
}

export function thisMachine(): Machine {
  const all = cpus()
  return {
    processor: all[0]?.model ?? 'unknown',
    processors: all.length,
    gigabytes: Math.round(totalmem() / 2 ** 30),
    load: loadavg()[0],
    node: process.version,
    date: new Date().toISOString().slice(0, 16),
  }
}

export function describeMachine({ processor, processors, gigabytes, load, node, date }: Machine): string {
  return `${processor}, ${processors} processors, ${gigabytes} GiB, load ${load.toFixed(1)} before, Node ${node}, ${date} UTC`
}

/** The middle one; the mean of the two in the middle where there are two. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** Columns lined up: the first to the left, the others to the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, ...rows]
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column].length)))
  const cell = (text: string, column: number): string => (column === 0 ? text.padEnd(widths[0]) : text.padStart(widths[column]))
  return lines.map((line) => line.map(cell).join('  ').trimEnd()).join('\n')
}

/** A number with three or four digits that matter: 987, 12.3 k, 4.56 M. */
export function short(value: number): string {
  if (value >= 1e6) return `${(value / 1e6).toPrecision(3)} M`
  if (value >= 1e4) return `${(value / 1e3).toPrecision(3)} k`
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3)
}
