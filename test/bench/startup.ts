/**
 * How long it takes from the start of `node` to the first result of a compiled spec, beside the start of `node` alone.
 *
 *   npm run build && npx tsx test/bench/startup.ts [--runs N]
 *
 * The two take turns (20 times by default). The minimum is what the machine can do; the median what it did.
 */

import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { describeMachine, median, table, thisMachine } from './machine.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const cli = 'dist/checker/node-cli.js'
const spec = 'test/checker/fixtures/compiled.js'

const { values } = parseArgs({ options: { runs: { type: 'string', default: '20' } } })
const runs = Number(values.runs)
if (!Number.isSafeInteger(runs) || runs < 1) throw new Error(`--runs ${values.runs}: not a positive integer`)
if (!existsSync(join(root, cli))) throw new Error(`${cli} is not there: npm run build comes first`)

interface Took {
  /** Milliseconds until the first word on standard output. */
  readonly first: number
  /** Milliseconds until the process is over. */
  readonly end: number
}

function took(args: readonly string[], expected: RegExp): Promise<Took> {
  return new Promise((resolve, reject) => {
    const start = performance.now()
    let first = Number.NaN
    let output = ''
    const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'ignore'] })
    child.stdout.on('data', (chunk: Buffer) => {
      if (output === '') first = performance.now() - start
      output += chunk
    })
    child.on('error', reject)
    child.on('close', (code) => {
      if (code !== 0 || !expected.test(output)) reject(new Error(`${args.join(' ')} exited with ${code} and said:\n${output}`))
      else resolve({ first, end: performance.now() - start })
    })
  })
}

const machine = thisMachine()
const bare: Took[] = []
const check: Took[] = []
for (let run = 0; run < runs; run++) {
  bare.push(await took(['-e', '0'], /^$/))
  check.push(await took([cli, 'check', spec], /1 check, all as expected/))
}

const row = (name: string, times: readonly number[]): string[] => [
  name,
  Math.min(...times).toFixed(0),
  median(times).toFixed(0),
  Math.max(...times).toFixed(0),
]
console.log(describeMachine(machine))
console.log(
  table(
    [`milliseconds, ${runs} runs`, 'min', 'median', 'max'],
    [
      row(
        'node -e 0, to its end',
        bare.map(({ end }) => end),
      ),
      row(
        'heddle check, to its first result',
        check.map(({ first }) => first),
      ),
      row(
        'heddle check, to its end',
        check.map(({ end }) => end),
      ),
    ],
  ),
)
