import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { node } from '../checker/fixtures/installed-heddle.ts'
import { canMap } from '../core/peers.ts'

const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
const script = `import('./specs/queue/demo.ts').then(async ({ demo }) => { process.exitCode = await demo(process.argv.slice(1)) })`
const run = (...args: readonly string[]) => node(['--import', tsx, '-e', script, '--', ...args], {})

describe.runIf(canMap)('the demonstration of the queue', () => {
  it('sends all from some processes to one, also when a producer and the consumer are killed', async () => {
    const { code, stdout, stderr } = await run('--items', '3000', '--producers', '3', '--kill', '--json')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const { complete, senders } = JSON.parse(stdout)
    expect(complete).toBe(true)
    expect(senders).toHaveLength(3)
    for (const { killed, received } of senders) if (!killed) expect(received).toBe(3000)
  })

  it('says what it takes', async () => {
    expect((await run('--help')).stdout).toContain('heddle run queue [options]')
    expect(await run('--items', 'x')).toMatchObject({ code: 2, stderr: expect.stringContaining('--items: expected an integer') })
  })
})
