/** Where the command line writes: results to standard output, everything else to standard error. */
import type { WriteStream } from 'node:tty'
import { ansi, type Paint, plain } from './format.ts'

/** Exit codes, as the documentation of each command states them. */
export const exit = { ok: 0, failed: 1, badInput: 2, inconclusive: 3, broken: 70, interrupted: 130 } as const

/** Colours for a stream: `FORCE_COLOR` rules, then `NO_COLOR`, then whether a terminal that knows colours reads it. */
export function paintFor(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv = process.env): Paint {
  const { FORCE_COLOR: force, NO_COLOR: no } = env
  if (force !== undefined && force !== '') return force === '0' || force === 'false' ? plain : ansi
  if (no !== undefined && no !== '') return plain
  return stream.isTTY && env.TERM !== 'dumb' ? ansi : plain
}

/** How many columns results have: those of the terminal that shows them, otherwise as many as they take. */
export function columnsOf(stream: NodeJS.WriteStream): number {
  return stream.isTTY ? stream.columns || 80 : Number.POSITIVE_INFINITY
}

/** Writes a result. A reader that went away (`heddle check | head`) ends the program quietly. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** One line on standard error. */
export function complain(message: string): void {
  process.stderr.write(`heddle: ${message}\n`)
}

/** One line that is rewritten in place; nothing at all unless a terminal reads it. */
export class ProgressLine {
  readonly #stream: WriteStream | undefined
  #shown = false

  constructor(stream: NodeJS.WriteStream = process.stderr) {
    this.#stream = stream.isTTY ? stream : undefined
  }

  /** Whether anybody sees it. */
  get seen(): boolean {
    return this.#stream !== undefined
  }

  /** How long a text it shows. */
  get columns(): number {
    return (this.#stream?.columns || 80) - 1
  }

  show(text: string): void {
    if (this.#stream === undefined) return
    this.#stream.write(`\r\u001b[2K${text.slice(0, this.columns)}`)
    this.#shown = true
  }

  clear(): void {
    if (this.#shown) this.#stream?.write('\r\u001b[2K')
    this.#shown = false
  }
}
