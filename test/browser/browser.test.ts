import { basename } from 'node:path'
import type { Browser, BrowserContext } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { chromiumPath, startChromium } from './chromium.ts'
import { memoryTasks } from './page/memories.ts'
import { type Explored, explored } from './page/search.ts'
import type { Outcome } from './page/tasks.ts'
import { bundled, type Site, single, startSite } from './site.ts'

const isolation = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' }
const policy = (scripts: string) => ({ 'content-security-policy': `default-src 'none'; script-src ${scripts}` })

/** Sites by their headers. The strict one lets scripts of its own run, and nothing be compiled. */
const headers = {
  strict: { ...isolation, ...policy("'self'") },
  compiling: { ...isolation, ...policy("'self' 'wasm-unsafe-eval'") },
  notIsolated: {},
}
type SiteName = keyof typeof headers | 'bundled'

/** Its trace with other sources: the lines are those of TypeScript here and of JavaScript there, and none of a bundle. */
function withSources({ report, ...rest }: Explored, sourceOf: (source: string) => string | undefined): object {
  if (report.failure === undefined) return { ...rest, report }
  const trace = report.failure.trace.map((step) => ({ ...step, source: step.source && sourceOf(step.source) }))
  return { ...rest, report: { ...report, failure: { ...report.failure, trace } } }
}
const lineless = (explored: Explored) => withSources(explored, (source) => basename(source).replace(/[jt]s:\d+$/, ''))
const sourceless = (explored: Explored) => withSources(explored, () => undefined)

describe.skipIf(chromiumPath === undefined)('in a browser', () => {
  let browser: Browser
  let context: BrowserContext
  const sites = {} as Record<SiteName, Site>

  beforeAll(async () => {
    browser = await startChromium(chromiumPath as string)
    context = await browser.newContext()
    // The time of the test is the limit.
    context.setDefaultTimeout(0)
    for (const name of ['strict', 'compiling', 'notIsolated'] as const) sites[name] = await startSite(headers[name], single)
    sites.bundled = await startSite(headers.strict, await bundled())
  })

  afterAll(async () => {
    await browser?.close()
    for (const site of Object.values(sites)) site.close()
  })

  /** The outcome of a task in a new page, in which a script has run before. */
  async function run(site: SiteName, task: string, argument: unknown = {}, script = ''): Promise<Outcome> {
    const page = await context.newPage()
    await page.addInitScript(script)
    const failed = new Promise<never>((_, reject) => {
      page.on('pageerror', reject)
      page.on('response', (response) => response.ok() || reject(new Error(`${response.status()} for ${response.url()}`)))
    })
    const address = `${sites[site].address}?${new URLSearchParams({ run: JSON.stringify({ task, argument }) })}`
    const outcome = page.goto(address).then(() => page.evaluate('outcome'))
    try {
      return (await Promise.race([outcome, failed])) as Outcome
    } finally {
      await page.close()
    }
  }

  const inWorker = (site: SiteName, task: string, argument: unknown = {}) => run(site, 'inWorker', { task, argument })

  describe('streams', () => {
    const items = 3000

    it('of a Ring reach the page, by for await, and a worker: every item in order, and the end', async () => {
      const all = { read: items, end: 'closed' }
      expect(await run('strict', 'ringToPage', { items })).toEqual({ value: { page: all, worker: all } })
    })

    it('of a Ring are the same when all is bundled and minified', async () => {
      const all = { read: items, end: 'closed' }
      expect(await run('bundled', 'ringToPage', { items })).toEqual({ value: { page: all, worker: all } })
    })

    it('of a Ring go from the page, which waits for room without blocking, to a worker that parks and one that yields', async () => {
      const all = { read: items, end: 'closed' }
      expect(await run('strict', 'ringFromPage', { items })).toEqual({ value: [all, all] })
    })

    it('of a WorkRing are shared by the page and a worker: each item goes to one of them', async () => {
      expect(await run('strict', 'workRing', { items })).toEqual({ value: { popped: items, distinct: items, ended: true } })
    })

    it('of a RecordRing come from two workers to the page: those of each in order', async () => {
      expect(await run('strict', 'recordRing', { items })).toEqual({ value: { read: [items, items], end: 'closed' } })
    })

    it('of a LossyRing wait for nobody: what the page and a worker did not read they know to be lost', async () => {
      const outcome = await run('strict', 'lossyRing', { items })
      const { page, worker } = (outcome as { value: Record<'page' | 'worker', { read: number; lost: number; end: string }> })
        .value
      expect([page.read + page.lost, page.end]).toEqual([items, 'closed'])
      expect([worker.read + worker.lost, worker.end]).toEqual([items, 'closed'])
    })
  })

  it('waiting ends when the time is over; a browser without Atomics.waitAsync is told what to do instead', async () => {
    expect(await run('strict', 'waitInVain')).toEqual({ value: false })
    const error = 'Error: SharedMemory: this host has no Atomics.waitAsync; block in a worker instead'
    expect(await run('strict', 'waitInVain', {}, 'delete Atomics.waitAsync')).toEqual({ error })
  })

  describe('locks', () => {
    it('exclude two workers from one another', async () => {
      expect(await run('strict', 'mutex', { rounds: 5000 })).toEqual({ value: 10_000 })
    })

    it('can be tried by a page; that it may not block, it is told by a TypeError, and nothing is broken', async () => {
      expect(await run('strict', 'heldLock')).toEqual({ value: { tried: 'busy', blocked: 'TypeError', after: 'acquired' } })
      expect(await inWorker('strict', 'heldLock')).toEqual({
        value: { tried: 'busy', blocked: 'nothing; it returned timed-out', after: 'acquired' },
      })
    })
  })

  it('a worker that is terminated is survived: a Web Lock tells the page that it has ended', async () => {
    const { value } = (await run('strict', 'survivesWorker', { items: 500 })) as { value: Record<string, unknown> }
    expect(value).toEqual({ read: expect.any(Number), end: 'abandoned', lock: ['busy', 'abandoned'] })
    expect(value.read).toBeGreaterThanOrEqual(500)
  })

  describe.each([
    { site: 'compiling', compiles: true },
    { site: 'strict', compiles: false },
  ] as const)('a WebAssembly.Memory where compiling is allowed: $compiles', ({ site, compiles }) => {
    it('answers as any other memory does', async () => {
      expect(await run(site, 'compiles')).toEqual({ value: compiles })
      const count = 2000
      const value = memoryTasks.answers({ kind: 'buffer', count })
      expect(value.filter((answer) => typeof answer === 'number' && answer !== 0).length).toBeGreaterThan(count / 4)
      expect(await run(site, 'answers', { kind: 'buffer', count })).toEqual({ value })
      expect(await run(site, 'answers', { kind: 'wasm', count })).toEqual({ value })
      expect(await inWorker(site, 'answers', { kind: 'wasm', count })).toEqual({ value })
    })

    it('carries a Ring between the page and workers', async () => {
      const items = 1000
      const all = { read: items, end: 'closed' }
      expect(await run(site, 'ringToPage', { items, kind: 'wasm' })).toEqual({ value: { page: all, worker: all } })
    })
  })

  describe('a page that is not cross-origin isolated', () => {
    it.each(['ringToPage', 'mutex', 'heldLock'])('is told which headers are missing: %s', async (task) => {
      const missing = /no SharedArrayBuffer.*Cross-Origin-Opener-Policy: same-origin.*Cross-Origin-Embedder-Policy: require-corp/
      expect(await run('notIsolated', task, { items: 1, rounds: 1 })).toEqual({ error: expect.stringMatching(missing) })
    })
  })

  describe('the checker', () => {
    const each = 3
    let here: Explored[]

    beforeAll(() => {
      here = explored({ each })
    })

    it('finds in Node what the checks expect', () => {
      expect(here.filter(({ unmet }) => unmet !== undefined)).toEqual([])
      expect(here.filter(({ report, replayed }) => report.failure?.kind !== replayed)).toEqual([])
      expect(new Set(here.map(({ report }) => report.verdict))).toEqual(new Set(['holds', 'refuted']))
      expect(here.length).toBeGreaterThan(50)
    })

    it.each([
      ['a page', () => run('strict', 'explored', { each })],
      ['a worker of a page without shared memory', () => inWorker('notIsolated', 'explored', { each })],
    ])('finds in %s what it finds in Node: counts, outcomes, failures and their schedules', async (_, explore) => {
      const outcome = (await explore()) as { value: Explored[] }
      expect(outcome).toEqual({ value: expect.any(Array) })
      expect(outcome.value.map(lineless)).toEqual(here.map(lineless))
    })

    it('finds the same when it is bundled and minified', async () => {
      const some = { each: 2, minified: true }
      const due = explored(some)
      expect(due.map(({ report }) => report.verdict)).toContain('refuted')
      const outcome = (await run('bundled', 'explored', some)) as { value: Explored[] }
      expect(outcome).toEqual({ value: expect.any(Array) })
      expect(outcome.value.map(sourceless)).toEqual(due.map(sourceless))
    })
  })
})
