import type { ChildProcess } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { CheckResult } from '../../checker/format.ts'
import { parseAddress } from '../../checker/node-broker.ts'
import type { CheckDocument } from '../../checker/node-check.ts'
import { seed } from '../seed.ts'
import { fixture, type InstalledHeddle, installHeddle, node, type Outcome, root } from './fixtures/installed-heddle.ts'
import { hasRedis, type Redis, startRedis } from './fixtures/redis.ts'
import { picker } from './picker.ts'

let installed: InstalledHeddle
let redis: Redis

/** A process that runs beside the test. */
interface Running {
  readonly child: ChildProcess
  readonly ended: Promise<Outcome>
  /** Resolves once it has said this on standard error. */
  says(pattern: RegExp): Promise<void>
}

const running = new Set<ChildProcess>()

function start(args: readonly string[], folder: string = installed.folder, heddle: string = folder): Running {
  let told = ''
  let child: ChildProcess | undefined
  const started = (its: ChildProcess): void => {
    child = its
    its.stderr?.on('data', (text: string) => {
      told += text
    })
    running.add(its)
    its.on('close', () => running.delete(its))
  }
  const ended = node([join(heddle, 'dist/checker/node-cli.js'), ...args], { cwd: folder, started })
  const process = child as unknown as ChildProcess
  const says = async (pattern: RegExp): Promise<void> => {
    while (!pattern.test(told)) {
      if (!running.has(process)) throw new Error(`has ended, and not said ${pattern}, but: ${told}`)
      await pause(20)
    }
  }
  return { child: process, ended, says }
}

const takeWork = (...options: readonly string[]): string[] => ['work', '--queue', redis.address, '--workers', '1', ...options]
const check = (...args: readonly string[]): string[] => ['check', '--json', '--queue', redis.address, ...args]
const file = (name: string): string => fixture(`${name}.js`)

const document = ({ stdout }: Outcome): CheckDocument => JSON.parse(stdout)

function resultsOf(outcome: Outcome) {
  return document(outcome).results.map(({ report: { seconds: _, ...report }, ...result }: CheckResult) => ({ ...result, report }))
}

/** Whoever works listens to signals, and takes what there is. */
const works = /^heddle: working for \S+, one job at a time; Ctrl-C stops it$/m

async function stop({ child, ended, says }: Running): Promise<Outcome> {
  await says(works)
  child.kill('SIGTERM')
  return await ended
}

/** The keys of the server that are no more than an empty queue has. */
function leftovers(): string[] {
  const empty = /^heddle:check(-calls)?:(events|meta|id|marker|stalled-check)$/
  return redis.ask('KEYS', '*').filter((key) => !empty.test(key))
}

beforeAll(() => {
  installed = installHeddle()
})

afterEach(() => {
  for (const child of running) child.kill('SIGKILL')
})

afterAll(() => installed?.remove())

/** Another copy of the package, in a folder of its own. */
function copied(name: string): string {
  const folder = join(installed.folder, name)
  for (const part of ['dist', 'test', 'package.json']) {
    cpSync(join(installed.folder, part), join(folder, part), { recursive: true })
  }
  for (const part of ['core', 'model', 'checker']) symlinkSync(join(folder, 'dist', part), join(folder, part), 'junction')
  return folder
}

describe.skipIf(!hasRedis)('heddle check --queue and heddle work', () => {
  beforeAll(async () => {
    redis = await startRedis()
  })

  afterAll(() => redis?.stop())

  it('find what one machine finds: every count and every failure, in the same order', async () => {
    const files = [file('long'), file('failing'), file('good')]
    const workers = [start(takeWork()), start(takeWork('--idle', '2', '--json'))]
    const local = await installed.heddle(['check', '--json', ...files])
    await workers[0].says(works)
    const remote = await start(check(...files)).ended
    expect(resultsOf(remote)).toEqual(resultsOf(local))
    expect({ ...remote, stdout: '' }).toEqual({ code: local.code, stderr: '', stdout: '' })
    expect(leftovers()).toEqual([])
    const [told, idle] = await Promise.all([stop(workers[0]), workers[1].ended])
    expect(told.stdout).toMatch(/^\d+ jobs, [\d,]+ executions\n$/)
    expect(document(idle)).toMatchObject({ command: 'work', exit: 0 })
    expect([told.code, idle.code]).toEqual([0, 0])
  })

  it(`lose nothing with workers that are killed, and count nothing twice (HEDDLE_SEED=${seed})`, async () => {
    const pick = picker(seed)
    const local = installed.heddle(['check', '--json', file('long')])
    // A run that is done before all three were killed is followed by another one.
    for (let kills = 0; kills < 3; ) {
      const run = start(check(file('long')))
      while (kills < 3 && running.has(run.child)) {
        const worker = start(takeWork('--lease', '1'))
        await worker.says(works)
        while (running.has(run.child) && redis.ask('LLEN', 'heddle:check:active')[0] === '0') await pause(20)
        await pause(pick(200))
        if (running.has(run.child)) kills++
        worker.child.kill('SIGKILL')
        await worker.ended
      }
      const last = start(takeWork('--lease', '1'))
      const remote = await run.ended
      expect(resultsOf(remote)).toEqual(resultsOf(await local))
      expect((await stop(last)).code).toBe(0)
      expect(leftovers()).toEqual([])
    }
  })

  it('need the same program and the same Heddle: others refuse the work, say why, and leave it to others', async () => {
    const strangers = ['altered', 'newer'].map(copied)
    const [altered, newer] = strangers
    writeFileSync(join(altered, file('long')), `${readFileSync(join(altered, file('long')), 'utf8')}// once more\n`)
    const manifest = JSON.parse(readFileSync(join(newer, 'package.json'), 'utf8'))
    writeFileSync(join(newer, 'package.json'), JSON.stringify({ ...manifest, version: '99.0.0' }))
    const workers = strangers.map((folder) => start(takeWork(), folder))
    const run = start(check(file('long'), '--only', 'long/adds'))
    await run.says(/^heddle: \S+:\d+ refuses this work: test\S+long\.js here is not the same, or something that it imports$/m)
    await run.says(/^heddle: \S+:\d+ refuses this work: heddle is 99\.0\.0 here, and \S+ where the check was started$/m)
    const worker = start(takeWork())
    expect(resultsOf(await run.ended)).toMatchObject([{ met: true, report: { verdict: 'holds', executions: 11_550 } }])
    const outcomes = await Promise.all([...workers, worker].map(stop))
    expect(outcomes.map(({ stdout }) => /^0 jobs/.test(stdout))).toEqual([true, true, false])
  })

  it('serve several runs at once, each with its own end, and leave nothing of those that are stopped or killed', async () => {
    const workers = [start(takeWork()), start(takeWork())]
    const endless = [check(file('huge'), '--progress'), check(file('huge'), '--progress')].map((args) => start(args))
    await Promise.all(endless.map(({ says }) => says(/"check":"huge\/second".*"executions":[1-9]/)))
    const third = await start(check(file('long'), '--only', 'long/adds')).ended
    expect(resultsOf(third)).toMatchObject([{ met: true, report: { executions: 11_550 } }])
    const [interrupted, killed] = endless
    interrupted.child.kill('SIGINT')
    killed.child.kill('SIGKILL')
    const outcome = await interrupted.ended
    expect(outcome.code).toBe(130)
    const { interrupted: found, results } = document(outcome)
    expect(found).toMatchObject({ name: 'huge/second' })
    expect(found?.standing.executions).toBeGreaterThan(0)
    // The third was put behind the others, and may have been done by then.
    expect(['huge/first', 'huge/first huge/third']).toContain(results.map(({ name }) => name).join(' '))
    expect(results.length + 1 + (found?.beside?.length ?? 0) + (found?.left ?? 0)).toBe(3)
    await killed.ended
    // As if its time were over.
    redis.ask('DEL', ...redis.ask('KEYS', 'heddle:check:run:*'))
    const next = await start(check(file('good'))).ended
    expect(next.code).toBe(0)
    await Promise.all(workers.map(stop))
    expect(leftovers()).toEqual([])
  })

  it('say when nobody takes the work, and what a worker cannot load', async () => {
    const run = start(check(file('good')))
    await run.says(/^heddle: nobody takes work from redis:\/\/127\.0\.0\.1:\d+\/0 yet: start heddle work --queue/m)
    const folder = join(installed.folder, 'empty')
    mkdirSync(folder)
    writeFileSync(join(folder, 'package.json'), '{}')
    const worker = start(takeWork(), folder, installed.folder)
    await run.says(/refuses this work: test\S+good\.js: no such file$/m)
    expect((await stop(worker)).code).toBe(0)
    run.child.kill('SIGINT')
    expect((await run.ended).code).toBe(130)
    expect(leftovers()).toEqual([])
  })
})

describe.skipIf(!hasRedis)('--queue tells in one line what is wrong, and nothing of a password', () => {
  const secret = 'se%cret'
  let guarded: Redis

  beforeAll(async () => {
    guarded = await startRedis('--requirepass', secret)
  })

  afterAll(() => guarded?.stop())

  const withSecret = (userinfo: string): string => guarded.address.replace('//', `//${userinfo}@`)
  const encoded = encodeURIComponent(secret)

  it.each([
    ['no server', () => `redis://:${encoded}@127.0.0.1:1`, /redis:\/\/127\.0\.0\.1:1\/0: no server answers there$/m],
    ['no socket', () => `unix:///no/such/${'socket'}`, /unix:\/\/\/no\/such\/socket: no server answers there$/m],
    ['no host', () => `redis://:${encoded}@no.such.host.invalid`, /redis:\/\/no\.such\.host\.invalid:6379\/0: no such host$/m],
    ['a wrong password', () => withSecret(`:${encoded}x`), /wrong user name or password$/m],
    ['no password', () => guarded.address, /wants a password$/m],
    ['no password, by a socket', () => `unix://${guarded.socket}`, /wants a password$/m],
    ['no address', () => `redis:/${encoded}/`, /--queue: is not like redis:\/\/user:password@host:6379\/0/],
  ])('%s', async (_, address, line) => {
    for (const command of ['work', 'check']) {
      const outcome = await installed.heddle([command, ...(command === 'check' ? [file('good')] : []), '--queue', address()])
      expect(outcome.stderr).toMatch(line)
      expect(outcome.stderr).toMatch(/^heddle: [^\n]+\n$/)
      expect(outcome.stderr).not.toMatch(/se%|se%25/)
      expect({ code: outcome.code, stdout: outcome.stdout }).toEqual({ code: 2, stdout: '' })
    }
  })

  it('nothing where the password is right', async () => {
    const worker = start(['work', '--queue', withSecret(`:${encoded}`), '--idle', '0.2'])
    expect(await worker.ended).toMatchObject({ code: 0, stderr: expect.not.stringContaining('se%') })
  })
})

describe('--queue', () => {
  it('understands addresses of servers, and of sockets', () => {
    expect(parseAddress('redis://localhost')).toEqual({
      place: 'redis://localhost:6379/0',
      connection: { host: 'localhost', port: 6379, db: 0 },
    })
    expect(parseAddress('rediss://me:a%40b@[::1]:7000/3')).toEqual({
      place: 'rediss://[::1]:7000/3',
      connection: { host: '::1', port: 7000, db: 3, username: 'me', password: 'a@b', tls: { servername: '::1' } },
    })
    expect(parseAddress('unix:///run/redis.sock').connection).toEqual({ path: '/run/redis.sock' })
    const wrong = [
      '',
      'localhost:6379',
      'http://localhost',
      'redis://',
      'redis://host/x',
      'redis://:secret@ho st',
      'redis://h/0?a=b',
    ]
    for (const address of [...wrong, 'unix://host/path', 'redis://:%zz@host']) {
      expect(() => parseAddress(address)).toThrow(/^--queue: is not like redis:/)
    }
  })

  it('says in one line what to install', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'heddle-bare-'))
    for (const part of ['dist', 'package.json']) cpSync(join(installed.folder, part), join(folder, part), { recursive: true })
    mkdirSync(join(folder, 'node_modules'))
    symlinkSync(join(root, 'node_modules/commander'), join(folder, 'node_modules/commander'), 'junction')
    const args = ['work', '--queue', 'redis://localhost']
    const outcome = await node([join(folder, 'dist/checker/node-cli.js'), ...args], { cwd: folder })
    rmSync(folder, { recursive: true })
    expect(outcome).toEqual({ code: 2, stdout: '', stderr: 'heddle: --queue needs BullMQ: npm install --save-dev bullmq@5\n' })
  })
})
