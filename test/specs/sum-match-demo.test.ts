import { type ChildProcess, execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { integerOf } from '../../specs/sum-match/integers.ts'
import { node, type Outcome } from '../checker/fixtures/installed-heddle.ts'
import { canMap } from '../core/peers.ts'

/** Where the demonstration puts its file. */
const folder = mkdtempSync(join(tmpdir(), 'heddle-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** What the command line does with the demonstration, but compiled: its processes start faster. */
const compiled = `
import('./dist/specs/sum-match/demo.js').then(async ({ demo }) => {
  process.exitCode = await demo(process.argv.slice(1))
})`

function run(args: readonly string[], started?: (child: ChildProcess) => void): Promise<Outcome> {
  return node(['-e', compiled, '--', ...args], { env: { TMPDIR: folder }, ...(started && { started }) })
}

interface Document {
  readonly match: boolean
  readonly senders: readonly {
    readonly sender: number
    readonly killed: boolean
    readonly published: number
    readonly sum: number
    readonly received: number
  }[]
}

/** Runs with `--json`; whatever is left of its file and its processes is a failure. */
async function json(...args: readonly string[]): Promise<Document> {
  const { code, stdout, stderr } = await run(['--json', ...args])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(readdirSync(folder)).toEqual([])
  return JSON.parse(stdout)
}

/** By big integers: no rounding. */
function sumOf(sender: number, count: number): bigint {
  let sum = 0n
  for (let n = 0; n < count; n++) sum += BigInt(integerOf(sender, n))
  return sum
}

describe.runIf(canMap)('the demonstration', () => {
  it('sends through a mapped file, and the sums match', async () => {
    const messages = 100_000
    const { match, senders } = await json('--senders', '2', '--messages', String(messages))
    expect(match).toBe(true)
    for (const [number, { sender, killed, published, sum, received }] of senders.entries()) {
      expect({ sender, killed, published }).toEqual({ sender: number, killed: false, published: messages })
      expect([BigInt(sum), BigInt(received)]).toEqual(Array(2).fill(sumOf(number, messages)))
    }
    expect(senders).toHaveLength(2)
  })

  it('kills senders half-way, and the sums of what they had published match', async () => {
    const messages = 1_000_000
    // A kill may come too late: tried until one did not.
    for (let halfWay = 0; halfWay === 0; ) {
      const { match, senders } = await json('--kill', '--messages', String(messages))
      expect(match).toBe(true)
      expect(senders).toHaveLength(3)
      for (const { sender, killed, published, received } of senders) {
        expect(BigInt(received)).toBe(sumOf(sender, published))
        if (!killed) expect(published).toBe(messages)
        if (published < messages) halfWay++
      }
    }
  })

  it('is run by its name, and prints a table', async () => {
    const args = ['run', 'sum-match', '--senders', '1', '--messages', '10']
    const { code, stdout } = await node(['dist/checker/node-cli.js', ...args])
    const sum = String(sumOf(0, 10)).replace(/\B(?=(\d{3})+$)/g, ',')
    expect(stdout).toMatch(/^sender +published +sum +received$/m)
    expect(stdout).toContain(`     0         10  ${sum}  ${sum}\n`)
    expect(stdout).toMatch(/\nthe sums match: 10 integers in \S+ s\n$/)
    expect(code).toBe(0)
  })

  it('says what is wrong with its arguments, in one line', async () => {
    const refused: readonly [string, readonly string[]][] = [
      ['--senders: expected an integer from 1 to 32, found "33"', ['--senders', '33']],
      ['--messages: expected an integer from 1 to 67108864, found "1e3"', ['--messages', '1e3']],
      ["Unknown option '--sender'", ['--sender', '3']],
    ]
    for (const [message, args] of refused) {
      const { code, stdout, stderr } = await run(args)
      expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: '', stderr: expect.stringContaining(message) })
      expect(stderr.trim().split('\n')).toHaveLength(1)
    }
  })

  it('ends its processes at Ctrl-C, and leaves no file behind', async () => {
    const { code, stderr } = await run(['--messages', String(2 ** 26)], (child) => {
      const look = setInterval(() => {
        if (readdirSync(folder).length === 0) return
        clearInterval(look)
        child.kill('SIGINT')
      }, 5)
    })
    expect({ code, stderr }).toEqual({ code: 130, stderr: 'heddle: sum-match: interrupted\n' })
    expect(readdirSync(folder)).toEqual([])
    expect(execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })).not.toContain(folder)
  })
})
