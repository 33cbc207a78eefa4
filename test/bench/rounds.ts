import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'

/** What the command line of a benchmark that measures compiled code in rounds asks for: `[--json] [--rounds N]`. */
export interface Rounds {
  readonly json: boolean
  readonly rounds: number
}

/**
 * Reads it; says what is wrong with it, or that nothing is compiled, sets the exit code and returns undefined.
 *
 * @param usual how many rounds where nobody says so
 */
export function roundsAsked(usual: number): Rounds | undefined {
  const { values } = parseArgs({
    options: { json: { type: 'boolean', default: false }, rounds: { type: 'string', default: `${usual}` } },
  })
  const rounds = Number(values.rounds)
  const isRight = Number.isInteger(rounds) && rounds > 0
  if (isRight && existsSync(new URL('../../dist/core/index.js', import.meta.url))) return { json: values.json, rounds }
  console.error(isRight ? 'compiled code is measured: run `npm run build` first' : '--rounds must be a positive integer')
  process.exitCode = 2
  return undefined
}
