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
import('./dist/specs/frames/demo.js').then(async ({ demo }) => {
  process.exitCode = await demo(process.argv.slice(1))
})`

function run(...args: readonly string[]): Promise<Outcome> {
  return node(['-e', compiled, '--', ...args], { env: { TMPDIR: folder } })
}

describe.runIf(canMap)('the demonstration of frames', () => {
  it('takes every frame from one process to the others, whole, and leaves nothing behind', async () => {
    const { code, stdout, stderr } = await run('--readers', '2', '--frames', '30', '--json')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const { writer, readers, frameBytes } = JSON.parse(stdout)
    expect([frameBytes, writer.frames]).toEqual([2 ** 21, 30])
    expect(readers.map(({ frames }: { frames: number }) => frames)).toEqual([30, 30])
    expect(readdirSync(folder)).toEqual([])
  })

  it('tells how fast, as people read it', async () => {
    const { code, stdout } = await run('--readers', '1', '--frames', '10')
    expect(code).toBe(0)
    expect(stdout).toMatch(/^process +frames of 2 MiB +time +GB\/s\nwriter +10 +\S+.*\nreader 0 +10 +\S+.*\n$/)
  })

  it('refuses what makes no sense', async () => {
    expect(await run('--readers', '17')).toMatchObject({
      code: 2,
      stderr: 'heddle: frames: --readers: expected an integer from 1 to 16, found "17"\n',
    })
    expect((await run('--colour')).code).toBe(2)
    expect((await run('--help')).stdout).toContain('Usage: heddle run frames')
  })
})
