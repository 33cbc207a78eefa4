import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { node, type Outcome } from '../checker/fixtures/installed-heddle.ts'
import { canMap } from '../core/peers.ts'

/** Where the demonstration puts its file. */
const folder = mkdtempSync(join(tmpdir(), 'heddle-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const compiled = `
import('./dist/specs/lossy-ring/demo.js').then(async ({ demo }) => {
  process.exitCode = await demo(process.argv.slice(1))
})`

function run(...args: readonly string[]): Promise<Outcome> {
  return node(['-e', compiled, '--', ...args], { env: { TMPDIR: folder } })
}

describe.runIf(canMap)('the demonstration of the lossy ring', () => {
  it('counts every price once for each reader, and leaves nothing behind', async () => {
    const { code, stdout, stderr } = await run('--prices', '50000', '--capacity', '64', '--json')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const { prices, writer, readers } = JSON.parse(stdout)
    expect([prices, writer.received, writer.lost]).toEqual([50_000, 50_000, 0])
    expect(Object.keys(readers)).toEqual(['fast', 'slow', 'newest'])
    for (const { received, lost, skipped } of Object.values<Record<string, number>>(readers)) {
      expect(received + lost + skipped).toBe(50_000)
      // The newest is never lost while the writer pauses, as it does at the end.
      expect(received).toBeGreaterThan(0)
    }
    expect([readers.fast.skipped, readers.slow.skipped]).toEqual([0, 0])
    expect(readdirSync(folder)).toEqual([])
  })

  it('loses nothing where all prices fit', async () => {
    const { code, stdout } = await run('--prices', '1000', '--capacity', '2048')
    expect(code).toBe(0)
    expect(stdout).toMatch(
      /^process +prices +lost +skipped +time\nwriter +1,000 .*\nfast +1,000 +0 +0 .*\nslow +1,000 +0 +0 .*\nnewest +\d+ +0 +\d+ .*\n$/,
    )
  })

  it('refuses what makes no sense', async () => {
    expect(await run('--capacity', '100')).toMatchObject({
      code: 2,
      stderr: 'heddle: lossy-ring: --capacity: expected a power of two, found "100"\n',
    })
    expect((await run('--prices', '0')).code).toBe(2)
    expect((await run('--help')).stdout).toContain('Usage: heddle run lossy-ring')
  })
})
