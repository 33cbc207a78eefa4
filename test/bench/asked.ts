import { parseArgs } from 'node:util'
import { type Subject, subjects } from './subjects.ts'

/** What the command line of a benchmark of searches asks for: `[--json] [--runs N] [PART OF A NAME ...]`. */
export interface Asked {
  readonly json: boolean
  readonly runs: number
  readonly chosen: readonly Subject[]
}

/** Reads it; says what is wrong with it, sets the exit code and returns undefined when it means nothing. */
export function whatIsAsked(): Asked | undefined {
  const { values, positionals } = parseArgs({
    options: { json: { type: 'boolean', default: false }, runs: { type: 'string', default: '5' } },
    allowPositionals: true,
  })
  const wanted = ({ program }: Subject): boolean =>
    positionals.length === 0 || positionals.some((part) => program.name.includes(part))
  const runs = Number(values.runs)
  const chosen = subjects.filter(wanted)
  if (Number.isInteger(runs) && runs > 0 && chosen.length > 0) return { json: values.json, runs, chosen }
  console.error(chosen.length === 0 ? `no program has ${positionals} in its name` : '--runs must be a positive integer')
  process.exitCode = 2
  return undefined
}
