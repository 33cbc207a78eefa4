import type { ChildProcess } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { StressResult } from '../../checker/stress.ts'
import { fixture, type InstalledHeddle, installHeddle, node, root } from './fixtures/installed-heddle.ts'

let installed: InstalledHeddle

beforeAll(() => {
  installed = installHeddle()
})

afterAll(() => installed.remove())

interface StressDocument {
  readonly command: string
  readonly exit: number
  readonly results: readonly StressResult[]
}

/** Runs a fixture on real threads and returns what `--json` printed. */
async function stress(name: string, ...args: readonly string[]): Promise<StressDocument & { readonly code: number | null }> {
  const { code, stdout, stderr } = await installed.heddle(['stress', fixture(name), '--json', ...args])
  expect(stderr).toBe('')
  return { ...JSON.parse(stdout), code }
}

describe('heddle stress', () => {
  it('sees on real threads only what was enumerated, and counts rounds and operations', async () => {
    const { code, command, exit, results } = await stress('good.js', '--seconds', '0.3')
    expect({ code, command, exit }).toEqual({ code: 0, command: 'stress', exit: 0 })
    // The mutant of the file is left out: what it would show is known to be wrong.
    expect(results.map(({ program }) => program)).toEqual(['adders/two'])
    const [two] = results
    expect(two).toMatchObject({ passed: true, enumerated: 2, outside: [] })
    expect(two.seen).toBeGreaterThan(0)
    expect(two.seen).toBeLessThanOrEqual(2)
    expect(two.rounds).toBeGreaterThan(32)
    // One addition a thread.
    expect(two.operationsPerSecond / two.roundsPerSecond).toBeCloseTo(2)
  })

  it('prints a table', async () => {
    const { code, stdout, stderr } = await installed.heddle(['stress', fixture('good.ts'), '--seconds', '0.2'], { cwd: root })
    expect(stdout).toMatch(/^program +rounds +rounds\/s +operations\/s +outcomes seen +enumerated +passed$/m)
    expect(stdout).toMatch(/^adders\/two +[\d,]+ +[\d,]+ +[\d,]+ +[12] +2 +yes$/m)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  })

  it('works from its sources too', async () => {
    const outcome = await node(['--import', 'tsx', 'checker/node-cli.ts', 'stress', fixture('good.ts'), '--seconds', '0.2'])
    expect(outcome.stdout).toMatch(/^adders\/two .* yes$/m)
    expect(outcome.code).toBe(0)
  })

  it('wakes sleepers, times out and copies bytes on real threads as the checker says', async () => {
    const { code, results } = await stress('real.js', '--seconds', '2')
    expect(results.map(({ program, passed, failure }) => ({ program, passed, failure }))).toEqual([
      { program: 'real/handover', passed: true, failure: undefined },
      { program: 'real/timeout', passed: true, failure: undefined },
      { program: 'real/three', passed: true, failure: undefined },
    ])
    expect(code).toBe(0)
  })
})

describe('threads that die', () => {
  it('leave nothing behind that was not enumerated', async () => {
    const { code, results } = await stress('kills.js', '--seconds', '3')
    expect(results.map(({ program, passed, failure }) => ({ program, passed, failure }))).toEqual(
      ['asked', 'survivor', 'heir', 'last-words', 'robust', 'startled'].map((name) => ({
        program: `kills/${name}`,
        passed: true,
        failure: undefined,
      })),
    )
    const [asked, survivor, heir, lastWords, robust, startled] = results
    for (const { kills } of [asked, survivor, heir, lastWords, robust]) expect(kills).toBeGreaterThan(0)
    // Dead before each of three operations and seen or not seen, or alive: no two of them end alike.
    expect(asked.enumerated).toBe(7)
    // With all results, with one missing of three, and with two.
    expect(survivor.enumerated).toBe(1 + 3 + 3)
    expect(startled.kills).toBe(0)
    // As many as there were rounds die only of those that may, and no more than may.
    expect(asked.kills).toBeLessThan(asked.rounds)
    expect(survivor.kills).toBeLessThanOrEqual(2 * survivor.rounds)
    expect(code).toBe(0)
  })

  it('have a column in the table', async () => {
    const { code, stdout } = await installed.heddle(['stress', fixture('kills.js'), '--seconds', '0.4', '--only', 'kills/a*'])
    expect(stdout).toMatch(/^program +rounds +rounds\/s +operations\/s +kills +outcomes seen +enumerated +passed$/m)
    expect(stdout).toMatch(/^kills\/asked +[\d,]+ +[\d,]+ +[\d,]+ +[1-9][\d,]* +[1-7] +7 +yes$/m)
    expect(code).toBe(0)
  })

  it('show what is wrong in those who are left', async () => {
    const mourn = async (): Promise<readonly StressResult[]> =>
      (await stress('mourning.js', '--seconds', '0.4', '--hang', '1')).results
    let [greedy, blind, broken] = await mourn()
    // It takes a death at the right moment; in some hundred rounds there mostly is one, however busy the machine is.
    for (let runs = 1; runs < 20 && (greedy.passed || blind.passed); runs++) [greedy, blind, broken] = await mourn()
    expect(greedy.failure?.kind).toBe('outside')
    for (const { outcome } of greedy.outside) expect(JSON.parse(outcome).results).toEqual({ heir: 7 })
    expect(greedy.outside).toHaveLength(1)
    expect(blind.failure).toMatchObject({ kind: 'hang', threads: ['waiter'] })
    expect(broken.failure).toMatchObject({ kind: 'not-enumerated', message: expect.stringContaining('livelock') })
  })
})

describe('the broken twins', () => {
  it('show that a mistake in what ships is noticed', async () => {
    const args = ['stress', fixture('mistaken.ts'), '--json', '--seconds', '3', '--hang', '0.5']
    const { code, stdout } = await node(['--import', 'tsx', 'checker/node-cli.ts', ...args])
    const { results } = JSON.parse(stdout) as StressDocument
    // On real threads: in the checker there is no mistake, and the outcomes were enumerated.
    for (const { passed, enumerated } of results) expect([passed, enumerated > 0]).toEqual([false, true])
    expect([results.length, code]).toEqual([5, 1])
  })

  it('show that an outcome outside the enumerated ones is noticed', async () => {
    const { code, results } = await stress('stray.js', '--seconds', '0.2')
    const [stray] = results
    expect(stray).toMatchObject({ passed: false, seen: 0, enumerated: 1, failure: { kind: 'outside' } })
    expect(stray.outside).toHaveLength(1)
    expect(stray.outside[0].rounds).toBe(stray.rounds)
    expect(JSON.parse(stray.outside[0].outcome)).toMatchObject({ results: { adder: 0, clock: true } })
    expect(code).toBe(1)
  })

  it.each([
    ['sleeping', 'hang', ['sleeper']],
    ['spinning', 'hang', ['spinner']],
    ['throwing', 'thrown', ['thrower']],
  ])('show that %s is noticed', async (name, kind, threads) => {
    // Who only has to wait for a processor hangs no five seconds.
    const hang = kind === 'hang' ? '0.5' : '5'
    const { code, results } = await stress('hanging.js', '--seconds', '0.2', '--hang', hang, '--only', `twins/${name}`)
    expect(results).toHaveLength(1)
    expect(results[0]).toMatchObject({ passed: false, failure: { kind, threads } })
    expect(code).toBe(1)
  })

  it('show that a broken end is noticed', async () => {
    const { code, results } = await stress('hanging.js', '--seconds', '0.2', '--only', 'twins/unfinished')
    expect(results[0].failure).toMatchObject({ kind: 'finally', message: expect.stringContaining('not in real life') })
    expect(code).toBe(1)
  })

  it('do not keep the programs after them from running', async () => {
    const { results } = await stress('hanging.js', '--seconds', '0.4', '--hang', '1')
    expect(results.map(({ failure }) => failure?.kind)).toEqual(['hang', 'hang', 'thrown', 'finally'])
  })

  it('show that a program that was not enumerated fails', async () => {
    const { code, results } = await stress('failing.js', '--seconds', '0.2', '--only', 'adders/lossy')
    expect(results[0]).toMatchObject({ passed: false, rounds: 0, failure: { kind: 'not-enumerated' } })
    expect(results[0].failure?.message).toContain('adders/nothing-lost')
    expect(code).toBe(1)
    const bounded = await stress('bounded.js', '--seconds', '0.2', '--only', 'bounded/unforeseen')
    expect(bounded.results[0].failure).toMatchObject({ kind: 'not-enumerated', message: expect.stringContaining('bound') })
  })
})

describe('Ctrl-C', () => {
  it('ends a stress run at once', async () => {
    const started = (child: ChildProcess): void => {
      child.stderr?.once('data', () => setTimeout(() => child.kill('SIGINT'), 500))
    }
    const outcome = await installed.heddle(['stress', fixture('huge.js'), '--only', 'second'], { started })
    expect(outcome.stderr).toMatch(/^begun\nheddle: interrupted while enumerating huge\/second, after [\d,]+ executions\n$/)
    expect(outcome.code).toBe(130)
  })
})
