import type { ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Place } from '../../checker/coordinator.ts'
import type { CheckResult } from '../../checker/format.ts'
import type { CheckDocument } from '../../checker/node-check.ts'
import {
  fixture,
  type InstalledHeddle,
  installHeddle,
  interruptWhenTold,
  type Outcome,
  type RunOptions,
} from './fixtures/installed-heddle.ts'

let installed: InstalledHeddle
const heddle = (args: readonly string[], options?: RunOptions): Promise<Outcome> => installed.heddle(args, options)

beforeAll(() => {
  installed = installHeddle()
})

afterAll(() => installed.remove())

function json({ stdout }: Outcome): CheckDocument {
  return JSON.parse(stdout)
}

/** A spec of one program: threads that add to one word, so often each. Their executions are the orders of all additions. */
function addsSpec(name: string, ...times: readonly number[]): string {
  const threads = times.map((most, thread) => `t${thread}: adds(${most})`).join(', ')
  return `const adds = (times) => (memory) => { for (let i = 0; i < times; i++) memory.add(0, 1) }
    const program = { name: '${name}', words: 1, threads: { ${threads} } }
    export const checks = [{ program, expect: { verdict: 'holds', executions: ${orders(times)} } }]`
}

/** In how many orders so many additions of each thread can come. */
function orders(times: readonly number[]): number {
  let [ways, all] = [1, 0]
  for (const most of times) for (let own = 1; own <= most; own++) ways = (ways * ++all) / own
  return ways
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

describe('heddle check --checkpoint', () => {
  const file = (name: string): string => join(installed.folder, name)
  const long = ['check', fixture('long.js'), '--only', 'long/adds', '--json']

  it('goes on where it was left, until everything is done', async () => {
    const [spec, checkpoint] = [file('again.mjs'), file('again')]
    // A millisecond is not enough for a hundred thousand executions, wherever this runs.
    writeFileSync(spec, addsSpec('again', 5, 5, 4))
    const args = ['check', spec, '--json']
    const whole = json(await heddle(args))
    let runs = 1
    let outcome = await heddle([...args, '--checkpoint', checkpoint, '--seconds', '0.001'])
    expect(json(outcome).results[0].report).toMatchObject({ verdict: 'inconclusive', bound: 'seconds' })
    for (; outcome.code === 3; runs++) outcome = await heddle([...args, '--checkpoint', checkpoint, '--seconds', '0.5'])
    expect(outcome).toMatchObject({ code: 0, stderr: '' })
    expect(json(outcome).results.map(essence)).toEqual(whole.results.map(essence))
    expect(runs).toBeGreaterThan(1)
    expect(existsSync(checkpoint)).toBe(false)
  })

  it('saves what is done when Ctrl-C is pressed', async () => {
    const checkpoint = file('interrupted')
    const args = ['check', fixture('huge.js'), '--progress', '--json', '--checkpoint', checkpoint]
    const first = json(await heddle(args, { started: (child) => interruptWhenTold(child, 'huge/second') }))
    const before = first.interrupted?.standing.executions as number
    expect(before).toBeGreaterThan(0)
    // The first and the second: whether the third was begun hangs on how many threads there were.
    const second = json(await heddle([...args, '--only', 'huge/*s*', '--seconds', '0.1']))
    expect(second.results.map(({ name }) => name)).toEqual(['huge/first', 'huge/second'])
    expect(second.results.map(({ report }) => report.verdict)).toEqual(['holds', 'inconclusive'])
    expect(second.results[1].report.executions).toBeGreaterThanOrEqual(before)
    expect(existsSync(checkpoint)).toBe(true)
  })

  it('loses only what came after it was saved when the whole process is killed, and counts nothing twice', async () => {
    const [spec, checkpoint] = [file('killed.mjs'), file('killed')]
    const args = ['check', spec, '--json', '--workers', '1', '--checkpoint', checkpoint]
    const saved = (): number => {
      try {
        const [entry] = JSON.parse(readFileSync(checkpoint, 'utf8')).heddleCheckpoint
        const places: readonly Place[] = entry?.left?.places ?? []
        return places.reduce((sum, { tally }) => sum + tally.executions, 0)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0
        throw error
      }
    }
    /** Kills a run as soon as it has saved more; `undefined` where it came to its end first. */
    async function killed(): Promise<number | undefined> {
      const before = saved()
      let more = before
      const started = async (child: ChildProcess): Promise<void> => {
        while (child.exitCode === null && more <= before) {
          await pause(20)
          more = saved()
        }
        child.kill('SIGKILL')
      }
      const { code } = await heddle(args, { started })
      return code === null ? saved() : undefined
    }
    // A run saves after a second: the first program that takes longer is taken, on this machine and by two runs.
    const sizes = [
      [6, 6, 5],
      [6, 6, 6],
      [7, 6, 6],
      [7, 7, 6],
      [7, 7, 7],
    ]
    for (const size of sizes) {
      writeFileSync(spec, addsSpec(`killed/${size}`, ...size))
      const once = await killed()
      const twice = once === undefined ? undefined : await killed()
      if (once === undefined || twice === undefined) continue
      expect(once).toBeGreaterThan(0)
      expect(twice).toBeGreaterThan(once)
      expect(twice).toBeLessThan(orders(size))
      const outcome = await heddle(args)
      expect(json(outcome).results[0]).toMatchObject({ met: true, report: { verdict: 'holds', executions: orders(size) } })
      expect(existsSync(checkpoint)).toBe(false)
      return
    }
    throw new Error('every run came to its end before it was killed')
  })

  it('begins anew where the check is another one, and says so', async () => {
    const [spec, checkpoint] = [file('changing.mjs'), file('changing')]
    const write = (adds: number): void =>
      writeFileSync(
        spec,
        `const add = (memory) => { for (let i = 0; i < ${adds}; i++) memory.add(0, 1) }
        const program = { name: 'changing', words: 1, threads: { a: add, b: add } }
        export const checks = [{ program, expect: { verdict: 'holds' }, bounds: { executions: 1 } }]`,
      )
    const args = ['check', spec, '--json', '--checkpoint', checkpoint]
    write(1)
    expect(json(await heddle(args)).results[0].report).toMatchObject({ executions: 1, bound: 'executions' })
    // What may be seen is not what is to be seen.
    expect(json(await heddle([...args, '--executions', '2'])).results[0].report).toMatchObject({
      executions: 2,
      verdict: 'holds',
    })
    expect((await heddle(args)).code).toBe(3)
    write(2)
    const outcome = await heddle([...args, '--executions', '6'])
    expect(outcome.stderr).toBe(`heddle: ${checkpoint}: changing has changed and is begun anew\n`)
    expect(json(outcome).results[0].report).toMatchObject({ verdict: 'holds', executions: 6 })
  })

  it('refuses what is no checkpoint, and leaves it as it is', async () => {
    const something = file('something')
    for (const [content, line] of [
      ['{}', /something: is no checkpoint/],
      ['import', /something: cannot be read as a checkpoint/],
    ] as const) {
      writeFileSync(something, content)
      const { code, stderr } = await heddle([...long, '--checkpoint', something])
      expect(stderr).toMatch(line)
      expect(code).toBe(2)
      expect(readFileSync(something, 'utf8')).toBe(content)
    }
    const nowhere = await heddle([...long, '--checkpoint', file('no/such/folder')])
    expect(nowhere.stderr).toMatch(/^heddle: .*folder: cannot be written/)
    expect(nowhere.code).toBe(2)
  })
})

describe('heddle check --cached', () => {
  let folder: string

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'heddle-cached-'))
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
    for (const name of ['one', 'two']) {
      writeFileSync(
        join(folder, `${name}.mjs`),
        `import { writeSync } from 'node:fs'
        import { add } from './${name}-more.mjs'
        const only = (memory) => { writeSync(2, '${name} runs\\n'); add(memory) }
        const program = { name: '${name}', words: 1, threads: { only } }
        export const checks = [{ program, expect: { verdict: 'holds', executions: 1 } }]`,
      )
      writeMore(name, 1)
    }
  })

  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  /** What a spec imports by way of a module that is CommonJS. */
  function writeMore(name: string, value: number): void {
    writeFileSync(join(folder, `${name}-more.mjs`), `export { add } from './${name}-most.cjs'`)
    writeFileSync(join(folder, `${name}-most.cjs`), `exports.add = (memory) => memory.add(0, ${value})`)
  }

  /** Which of the checks were explored, as their threads tell. */
  async function explored(...options: readonly string[]): Promise<string[]> {
    const outcome = await heddle(['check', 'one.mjs', 'two.mjs', '--json', ...options], { cwd: folder })
    const { results } = json(outcome)
    expect(results.map(({ report }) => report)).toMatchObject([{ executions: 1 }, { executions: 1 }])
    const names = ['one', 'two'].filter((name) => outcome.stderr.includes(`${name} runs`))
    expect(results.filter(({ cached }) => !cached).map(({ name }) => name)).toEqual(names)
    return names
  }

  it('skips what has not changed, nor anything that it depends on', async () => {
    expect(await explored()).toEqual(['one', 'two'])
    expect(await explored('--cached')).toEqual(['one', 'two'])
    expect(await explored('--cached')).toEqual([])
    expect(await explored()).toEqual(['one', 'two'])
    expect(await explored('--cached', '--events', '5')).toEqual(['one', 'two'])
    const text = await heddle(['check', 'one.mjs', '--cached', '--events', '5'], { cwd: folder })
    expect(text.stdout).toMatch(/^one +holds +1 .* yes, as recorded$/m)
    expect(text.stdout).toMatch(/^1 check, all as expected: 0 executions in 0\.000 s, 1 as recorded earlier$/m)
    writeFileSync(join(folder, 'two-more.mjs'), `export const add = (memory) => memory.sub(0, 1)`)
    expect(await explored('--cached', '--events', '5')).toEqual(['two'])
    writeMore('one', 2)
    expect(await explored('--cached', '--events', '5')).toContain('one')
    expect(await explored('--cached', '--events', '5')).toEqual([])
  })
})

describe('heddle check --random', () => {
  const random = (...args: readonly string[]) => ['check', '--random', '500', ...args]

  it('finds, with a seed that brings it again, what is replayed', async () => {
    const first = await heddle(random(fixture('failing.js'), '--only', 'lossy'))
    expect(first.stdout).toMatch(/^adders\/lossy +refuted by adders\/nothing-lost .* no$/m)
    const [, seed] = /at random, --seed (\d+)$/m.exec(first.stdout) as RegExpExecArray
    const second = await heddle(random(fixture('failing.js'), '--only', 'lossy', '--seed', seed))
    expect(second.stdout.replace(/\d\.\d{3}/, '')).toBe(first.stdout.replace(/\d\.\d{3}/, ''))
    const [, schedule] = /npx heddle replay \S+ (\S+)/.exec(first.stdout) as RegExpExecArray
    const replayed = await heddle(['replay', fixture('failing.js'), schedule.replaceAll("'", ''), '--only', 'lossy'])
    expect([first.code, second.code, replayed.code]).toEqual([1, 1, 1])
  })

  it('finds mutants, and nothing in what holds; that is no verdict, but a probability', async () => {
    const outcome = await heddle(random(fixture('good.js'), '--depth', '2', '--json', '--seed', '5'))
    const document: CheckDocument & { readonly seed: number } = JSON.parse(outcome.stdout)
    expect(document).toMatchObject({ command: 'random', exit: 0, runs: 500, seed: 5, depth: 2 })
    const [two, torn] = document.results
    expect(two.report).toMatchObject({ verdict: 'inconclusive', bound: 'runs', random: { runs: 500, seed: 5, depth: 2 } })
    expect(two.report.random?.found).toBeGreaterThan(0.99)
    expect(torn).toMatchObject({ met: true, report: { verdict: 'refuted' } })
    const text = await heddle(random(fixture('good.js'), '--depth', '2', '--only', 'adders/two'))
    expect(text.stdout).toMatch(/^check +verdict +runs +steps +found +seconds +as expected$/m)
    expect(text.stdout).toMatch(/^adders\/two +nothing found +500 +\d+ +≥ 99 % +\S+ +so far$/m)
    expect(text.code).toBe(0)
  })
})

describe('heddle check --preemptions', () => {
  it('finds what needs no more, says how many that was, and no verdict on the rest', async () => {
    const few = ['check', fixture('good.js'), '--preemptions', '1']
    const { code, stdout } = await heddle(few)
    expect(stdout).toMatch(/^check +verdict +preemptions +states +ends +seconds +as expected$/m)
    expect(stdout).toMatch(/^adders\/two +nothing found +any +\d+ +2 +\S+ +so far$/m)
    expect(stdout).toMatch(/refuted by \S+ +1 +\d+ .* yes$/m)
    expect(stdout).toMatch(/nothing unexpected found: with at most 1 preemption$/m)
    expect(code).toBe(0)
    const none = JSON.parse((await heddle([...few.slice(0, 2), '--json', '--preemptions', '0'])).stdout)
    expect(none).toMatchObject({ command: 'few-preemptions', exit: 0, preemptions: 0 })
    for (const { report } of none.results) expect(report).toMatchObject({ verdict: 'inconclusive', bound: 'preemptions' })
  })

  it('finds a failure, which is replayed', async () => {
    const outcome = await heddle(['check', fixture('failing.js'), '--only', 'lossy', '--preemptions', '2'])
    const [, schedule] = /npx heddle replay \S+ (\S+)/.exec(outcome.stdout) as RegExpExecArray
    const replayed = await heddle(['replay', fixture('failing.js'), schedule.replaceAll("'", ''), '--only', 'lossy'])
    expect([outcome.code, replayed.code]).toEqual([1, 1])
  })

  it('refuses what is no number of preemptions', async () => {
    const outcome = await heddle(['check', fixture('good.js'), '--preemptions', '-1'])
    expect(outcome).toMatchObject({ code: 2 })
  })
})
