import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { CheckResult } from '../../checker/format.ts'
import type { CheckDocument } from '../../checker/node-check.ts'
import { fixture, type InstalledHeddle, installHeddle, type Outcome, type RunOptions } from './fixtures/installed-heddle.ts'

let installed: InstalledHeddle
const heddle = (args: readonly string[], options?: RunOptions): Promise<Outcome> => installed.heddle(args, options)

beforeAll(() => {
  installed = installHeddle()
})

afterAll(() => installed.remove())

function json({ stdout }: Outcome): CheckDocument {
  return JSON.parse(stdout)
}

/** What a result says, but for how long it took and how the work was done. */
function essence({ name, met, expect, report: { seconds: _, ...report } }: CheckResult) {
  return { name, met, expect, report }
}

describe('heddle check --shard and heddle merge', () => {
  /** Writes what each shard prints into a file. */
  async function explore(spec: string, shards: number): Promise<string[]> {
    const files: string[] = []
    for (let index = 1; index <= shards; index++) {
      const outcome = await heddle(['check', fixture(spec), '--shard', `${index}/${shards}`, '--json'])
      const file = join(installed.folder, `${spec}-${index}-of-${shards}.json`)
      writeFileSync(file, outcome.stdout)
      files.push(file)
    }
    return files
  }

  it('make of the parts what the whole is, failures too', async () => {
    const whole = json(await heddle(['check', fixture('long.js'), '--json']))
    expect(whole.results.map(({ report }) => report.verdict)).toEqual(['holds', 'refuted', 'holds'])
    const parts = await explore('long.js', 3)
    const merged = await heddle(['merge', parts[2], parts[0], parts[1], '--json'])
    expect(json(merged).results.map(essence)).toEqual(whole.results.map(essence))
    expect(merged).toMatchObject({ code: 0, stderr: '' })
    const text = await heddle(['merge', ...parts])
    expect(text.stdout).toMatch(/^long\/more +holds +34,650 .* yes$/m)
    expect(text.stdout).toMatch(/^3 checks, all as expected/m)
  })

  it('tell what is not as expected', async () => {
    const merged = await heddle(['merge', ...(await explore('failing.js', 2))])
    expect(merged.stdout).toMatch(/^adders\/miscounted expected 3 executions, found 2$/m)
    expect(merged.stdout).toContain('adders/lossy is refuted (assertion), breaks adders/nothing-lost')
    expect(merged.code).toBe(1)
  })

  it('say that a part is a part', async () => {
    const { code, stdout } = await heddle(['check', fixture('good.js'), '--shard', '1/2'])
    expect(stdout).toMatch(/^adders\/two +its part is explored .* so far$/m)
    expect(stdout).toMatch(/^2 checks, shard 1 of 2, all as expected so far/m)
    expect(code).toBe(0)
  })

  it('refuse what is no whole', async () => {
    const [first, second] = await explore('good.js', 2)
    const [stranger] = await explore('bounded.js', 2)
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [[first], /shard 2\/2 is missing/],
      [[first, second, first], /is shard 1\/2 again/],
      [[second, stranger], /the list of checks differs/],
      [[first, fixture('good.js')], /good\.js: cannot be read/],
      [[join(installed.folder, 'package.json')], /is not what heddle check --shard --json prints/],
    ]
    for (const [files, line] of cases) {
      const { code, stdout, stderr } = await heddle(['merge', ...files])
      expect(stderr).toMatch(/^heddle: [^\n]+\n$/)
      expect(stderr).toMatch(line)
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    }
  })
})
