import type { ChildProcess } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { CheckResult, EstimateResult } from '../../checker/format.ts'
import { runCommandLine } from '../../checker/node-command-line.ts'
import { InputError } from '../../checker/node-input-error.ts'
import { loadChecks } from '../../checker/node-load.ts'
import {
  fixture,
  type InstalledHeddle,
  installHeddle,
  interruptWhenTold,
  node,
  type Outcome,
  type RunOptions,
  root,
} from './fixtures/installed-heddle.ts'

let installed: InstalledHeddle
const heddle = (args: readonly string[], options?: RunOptions): Promise<Outcome> => installed.heddle(args, options)

beforeAll(() => {
  installed = installHeddle()
})

afterAll(() => installed.remove())

/** Parses what `--json` printed: exactly one document, and nothing else anywhere. */
function json<T>({ stdout }: Outcome): T {
  return JSON.parse(stdout)
}

interface CheckDocument {
  readonly command: string
  readonly exit: number
  readonly results: readonly CheckResult[]
  readonly interrupted?: { readonly name: string; readonly standing: { readonly executions: number }; readonly left: number }
}

describe('heddle', () => {
  it('explains itself', async () => {
    const { code, stdout, stderr } = await heddle(['--help'])
    expect(code).toBe(0)
    for (const command of ['check', 'work', 'merge', 'replay', 'stress', 'run'])
      expect(stdout).toMatch(new RegExp(`^ +${command} `, 'm'))
    expect(stdout).toContain('Exit codes')
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80)
    expect(stderr).toBe('')
  })

  it.each(['check', 'work', 'merge', 'replay', 'stress', 'run'])('explains %s, in lines that fit', async (command) => {
    const [asked, helped] = await Promise.all([heddle([command, '--help']), heddle(['help', command])])
    expect(asked.code).toBe(0)
    expect(asked.stdout).toContain(`Usage: heddle ${command}`)
    expect(asked.stdout).toContain('--json')
    expect(Math.max(...asked.stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80)
    expect(helped).toEqual(asked)
  })

  it('knows its version', async () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    expect(await heddle(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' })
    expect(json(await heddle(['--version', '--json']))).toEqual({ version })
  })

  it('works from its sources too', async () => {
    const { code, stdout, stderr } = await node(['--import', 'tsx', 'checker/node-cli.ts', 'check', fixture('good.ts')])
    expect(stdout).toMatch(/^adders\/two +holds +2 /m)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  })
})

describe.concurrent('heddle check', () => {
  it('prints a table and exits with 0 when every check is as expected', async () => {
    const { code, stdout, stderr } = await heddle(['check', fixture('good.ts')], { cwd: root })
    expect(stdout).toMatch(/^check +verdict +executions +blocked +discarded +seconds +as expected$/m)
    expect(stdout).toMatch(/^adders\/two +holds +2 +0 +\d+ +\d+\.\d{3} +yes$/m)
    expect(stdout).toMatch(/^mutant +verdict +as expected +program$/m)
    expect(stdout).toMatch(/^torn +refuted by adders\/nothing-lost +yes +adders\/two$/m)
    expect(stdout).toMatch(/^2 checks, all as expected/m)
    expect(stdout).not.toContain('npx heddle replay')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  })

  it('prints the counterexamples of mutants when asked', async () => {
    const { code, stdout } = await heddle(['check', fixture('good.js'), '--verbose'])
    expect(code).toBe(0)
    expect(stdout).toContain(`npx heddle replay ${fixture('good.js')} `)
    expect(stdout).toContain('--only adders/two:torn')
  })

  it('prints an unexpected failure in full and exits with 1', async () => {
    const { code, stdout } = await heddle(['check', fixture('failing.js'), '--only', 'lossy'])
    expect(code).toBe(1)
    expect(stdout).toMatch(/^adders\/lossy +refuted by adders\/nothing-lost .* no$/m)
    expect(stdout).toContain('adders/lossy is refuted (assertion), breaks adders/nothing-lost')
    expect(stdout).toContain('the sum is 1')
    // A column for each thread, and the lines of the TypeScript.
    expect(stdout).toMatch(/^ +(left +right|right +left)$/m)
    expect(stdout).toMatch(/load 0 = 0.*failing\.ts:\d+$/m)
    const paste = /npx heddle (replay .*)/.exec(stdout)?.[1] as string
    expect(paste).toContain(fixture('failing.js'))
  })

  it('exits with 1 when a count is not the expected one', async () => {
    const { code, stdout } = await heddle(['check', fixture('failing.js'), '--only', 'adders/miscounted'])
    expect(code).toBe(1)
    expect(stdout).toMatch(/^adders\/miscounted expected 3 executions, found 2$/m)
  })

  it('is content with a failure of the expected kind', async () => {
    const { code, stdout } = await heddle(['check', fixture('failing.js'), '--only', 'waiting/*'])
    expect(stdout).toMatch(/^waiting\/stuck +refuted by deadlock .* yes$/m)
    expect(code).toBe(0)
  })

  it('exits with 3 for an inconclusive check only when it was not expected to be', async () => {
    const unforeseen = await heddle(['check', fixture('bounded.js')])
    expect(unforeseen.stdout).toMatch(/^bounded\/foreseen +inconclusive .* yes$/m)
    expect(unforeseen.stdout).toMatch(/^bounded\/unforeseen +inconclusive .* no$/m)
    expect(unforeseen.code).toBe(3)
    expect((await heddle(['check', fixture('bounded.js'), '--only', 'bounded/foreseen'])).code).toBe(0)
  })

  it('exits with 1 when one check is inconclusive and another one fails', async () => {
    expect((await heddle(['check', fixture('bounded.js'), fixture('failing.js')])).code).toBe(1)
  })

  it('takes bounds from the command line before those of the check', async () => {
    const wide = await heddle(['check', fixture('bounded.js'), '--only', 'unforeseen', '--executions', '100'])
    expect(wide.stdout).toMatch(/^bounded\/unforeseen +holds +6 .* yes$/m)
    expect(wide.code).toBe(0)
    expect((await heddle(['check', fixture('good.js'), '--executions', '1'])).code).toBe(3)
    expect((await heddle(['check', fixture('huge.js'), '--seconds', '0.1'])).code).toBe(3)
    expect((await heddle(['check', fixture('huge.js'), '--only', 'huge/first', '--events', '5'])).code).toBe(3)
  })

  it('prints one JSON document with all reports', async () => {
    const outcome = await heddle(['check', fixture('good.js'), fixture('failing.js'), '--json'])
    const document = json<CheckDocument>(outcome)
    expect(document).toMatchObject({ command: 'check', exit: 1 })
    expect(document.results.map(({ name, met }) => [name, met])).toEqual([
      ['adders/two', true],
      ['adders/two:torn', true],
      ['adders/lossy', false],
      ['adders/miscounted', false],
      ['waiting/stuck', true],
    ])
    const [two, torn, lossy] = document.results
    expect(two).toMatchObject({ file: fixture('good.js'), expect: { verdict: 'holds', executions: 2 } })
    expect(two.report).toMatchObject({ program: 'adders/two', verdict: 'holds', executions: 2, blocked: 0 })
    expect(torn.mutant).toEqual({ name: 'torn', guarantee: 'adders/nothing-lost' })
    expect(lossy.unmet).toMatch(/^expected holds/)
    expect(lossy.report.failure?.trace.length).toBeGreaterThan(3)
    expect({ code: outcome.code, stderr: outcome.stderr }).toEqual({ code: 1, stderr: '' })
  })

  it('takes --json before the command as well', async () => {
    expect(json<CheckDocument>(await heddle(['--json', 'check', fixture('good.js')])).results).toHaveLength(2)
  })

  it('estimates without a search when asked', async () => {
    const [text, document] = await Promise.all([
      heddle(['check', fixture('bounded.js'), '--estimate']),
      heddle(['check', fixture('good.js'), fixture('huge.js'), '--estimate', '--json', '--seconds', '0.02']),
    ])
    expect(text.stdout).toMatch(/^program +executions +spread +walks$/m)
    expect(text.stdout).toMatch(/^bounded\/foreseen +~\d+ +±\d+ +[\d,]+$/m)
    expect(text.stdout).toMatch(/^2 checks, ~\d+ executions by random walks/m)
    expect({ code: text.code, stderr: text.stderr }).toEqual({ code: 0, stderr: '' })
    const { command, results } = json<{ command: string; results: readonly EstimateResult[] }>(document)
    expect(command).toBe('estimate')
    // Mutants are left out: their searches end at the first failure.
    expect(results.map(({ name }) => name)).toEqual(['adders/two', 'huge/first', 'huge/second', 'huge/third'])
    expect(results[1].estimate).toMatchObject({ executions: 1, spread: 0 })
    expect(results[2].estimate.executions).toBeGreaterThan(1e9)
    expect(document.code).toBe(0)
  })

  it('tells its progress in a pipe when asked, and what an inconclusive check covered', async () => {
    const args = ['check', fixture('huge.js'), '--only', 'second', '--seconds', '2', '--progress']
    const [text, document] = await Promise.all([heddle(args), heddle([...args, '--json'])])
    expect(text.stderr).toMatch(/^(begun\n)+\[1\/1\] huge\/second: <0\.01 %, .*[\d.,]+( [kMG])? of ~\S+.* executions, .*\/s\n/)
    expect(text.stdout).toMatch(/inconclusive: its bound on seconds was hit after <0\.01 % of ~\S+ .*executions$/m)
    const lines = document.stderr.trim().split('\n')
    const told = lines.filter((line) => line !== 'begun').map((line) => JSON.parse(line))
    expect(told[0]).toMatchObject({ check: 'huge/second', place: 1, of: 1, sampled: { walks: expect.any(Number) } })
    for (const key of ['executions', 'seconds', 'share', 'estimate', 'left']) expect(told[0][key], key).toBeGreaterThan(0)
    const [{ report }] = json<CheckDocument>(document).results
    expect(report).toMatchObject({ verdict: 'inconclusive', bound: 'seconds' })
    expect(report.covered?.share).toBeGreaterThan(0)
    expect(report.covered?.estimate).toBeGreaterThan(1e9)
    expect([text.code, document.code]).toEqual([3, 3])
  })

  it('runs compiled specs, and keeps what they print away from the result', async () => {
    const outcome = await heddle(['check', fixture('compiled.js'), '--json'])
    expect(json<CheckDocument>(outcome).results[0]).toMatchObject({ name: 'compiled/adders', met: true })
    expect(outcome.stderr).toBe('a spec may print\n')
  })

  it('is coloured only where that is wanted', async () => {
    const paint = '\u001b['
    expect((await heddle(['check', fixture('good.js')])).stdout).not.toContain(paint)
    expect((await heddle(['check', fixture('good.js')], { env: { FORCE_COLOR: '1' } })).stdout).toContain(paint)
    expect((await heddle(['check', fixture('good.js')], { env: { NO_COLOR: '1' } })).stdout).not.toContain(paint)
  })
})

describe('heddle check without files', () => {
  let folder: string

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'heddle-package-'))
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
    for (const name of ['beta', 'alpha', 'without']) mkdirSync(join(folder, 'specs', name), { recursive: true })
    const spec = (name: string): string => `
      const program = { name: '${name}', words: 1, threads: { only: (memory) => memory.add(0, 1) } }
      export const checks = [{ program, expect: { verdict: 'holds', executions: 1 } }]`
    writeFileSync(join(folder, 'specs/alpha/checks.js'), spec('alpha/one'))
    writeFileSync(join(folder, 'specs/beta/checks.js'), spec('beta/compiled'))
    // Where both are, the TypeScript is what people edit.
    writeFileSync(join(folder, 'specs/beta/checks.ts'), spec('beta/source'))
    writeFileSync(
      join(folder, 'specs/alpha/demo.js'),
      `export async function demo(args) { console.log('shown: ' + args.join('+')); return args.length }`,
    )
    writeFileSync(join(folder, 'specs/beta/demo.js'), `export const something = 'else'`)
  })

  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it.each(['.', 'specs/alpha'])('takes the specs of the package that it stands in, from %s', async (below) => {
    const outcome = await heddle(['check', '--json'], { cwd: join(folder, below) })
    expect(json<CheckDocument>(outcome).results.map(({ name }) => name)).toEqual(['alpha/one', 'beta/source'])
    expect(outcome.code).toBe(0)
  })

  it('says so when the package has none', async () => {
    const { code, stderr } = await heddle(['check'], { cwd: join(root, 'node_modules/commander') })
    expect(stderr).toBe('heddle: no specs/*/checks.ts or .js in this package: name the files to check\n')
    expect(code).toBe(2)
  })

  it('lists demonstrations, and runs the one that is named', async () => {
    expect((await heddle(['run'], { cwd: folder })).stdout).toBe('alpha\nbeta\n')
    expect(json<{ demonstrations: unknown[] }>(await heddle(['run', '--json'], { cwd: folder })).demonstrations).toHaveLength(2)
    const shown = await heddle(['run', 'alpha', 'one', '--two'], { cwd: folder })
    expect(shown).toEqual({ code: 2, stdout: 'shown: one+--two\n', stderr: '' })
  })

  it('refuses a demonstration that is none', async () => {
    const missing = await heddle(['run', 'gamma'], { cwd: folder })
    expect(missing.stderr).toBe("heddle: no demonstration 'gamma' in this package; there are: alpha, beta\n")
    expect(missing.code).toBe(2)
    const empty = await heddle(['run', 'beta'], { cwd: folder })
    expect(empty.stderr).toMatch(/^heddle: specs.beta.demo\.js: exports no function 'demo'\n$/)
    expect(empty.code).toBe(2)
  })
})

describe('TypeScript in a package of any kind', () => {
  let folder: string

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'heddle-typed-'))
    mkdirSync(join(folder, 'node_modules'))
    symlinkSync(installed.folder, join(folder, 'node_modules/heddle'), 'junction')
    writeFileSync(join(folder, 'one.ts'), `export const one: number = 1`)
    writeFileSync(
      join(folder, 'typed.ts'),
      `
import type { Check } from 'heddle/checker'
import { program } from 'heddle/model'
import { one } from './one.ts'
const typed = program({ name: 'typed/one', words: 1, threads: { only: (memory) => memory.add(0, one as number) } })
export const checks: readonly Check[] = [{ program: typed, expect: { verdict: 'holds', executions: 1 } }]`,
    )
  })

  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it.each(['{}', '{ "type": "commonjs" }', '{ "type": "module" }'])('is loaded where package.json is %s', async (manifest) => {
    writeFileSync(join(folder, 'package.json'), manifest)
    const outcome = await heddle(['check', 'typed.ts', '--json'], { cwd: folder })
    expect(outcome.stderr).toBe('')
    expect(json<CheckDocument>(outcome).results).toMatchObject([{ name: 'typed/one', met: true }])
  })
})

describe('TypeScript without tsx', () => {
  let folder: string

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'heddle-bare-'))
    for (const part of ['package.json', 'dist']) cpSync(join(installed.folder, part), join(folder, part), { recursive: true })
    mkdirSync(join(folder, 'node_modules'))
    symlinkSync(join(root, 'node_modules/commander'), join(folder, 'node_modules/commander'), 'junction')
    const program = `{ name: 'bare/one', words: 1, threads: { only: (memory: any) => memory.add(0, 1) } }`
    writeFileSync(join(folder, 'bare.ts'), `export const checks = [{ program: ${program}, expect: { verdict: 'holds' } }]`)
  })

  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('says what to install, or is run by a Node that knows TypeScript', async () => {
    const { code, stderr } = await node([join(folder, 'dist/checker/node-cli.js'), 'check', 'bare.ts'], { cwd: folder })
    const knows = Boolean((process.features as { typescript?: unknown }).typescript)
    const missing = { code: 2, stderr: 'heddle: bare.ts: TypeScript needs tsx: npm install --save-dev tsx\n' }
    expect(knows ? code : { code, stderr }).toEqual(knows ? 0 : missing)
  })
})

describe('heddle replay', () => {
  async function failureOf(name: string): Promise<string> {
    const { results } = json<CheckDocument>(await heddle(['check', fixture('failing.js'), '--only', name, '--json']))
    return results[0].report.failure?.schedule as string
  }

  it('reproduces a failure from the line that check printed', async () => {
    const { stdout } = await heddle(['check', fixture('failing.js'), '--only', 'lossy'])
    const [, paste] = /npx heddle (replay .*)/.exec(stdout) as RegExpExecArray
    // As a shell would take it apart: quotes go, what stands in them stays together.
    const words = [...paste.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare)
    const replayed = await heddle(words)
    expect(replayed.stdout).toContain('adders/lossy is refuted (assertion), breaks adders/nothing-lost')
    expect(replayed.stdout).toMatch(/load 0 = 0/)
    expect({ code: replayed.code, stderr: replayed.stderr }).toEqual({ code: 1, stderr: '' })
  })

  it('finds the check that a schedule refutes without being told its name', async () => {
    const schedule = await failureOf('lossy')
    const outcome = await heddle(['replay', fixture('failing.js'), '--schedule', schedule, '--json'])
    expect(json(outcome)).toMatchObject({
      command: 'replay',
      reproduced: true,
      name: 'adders/lossy',
      report: { verdict: 'refuted' },
    })
    expect(outcome.code).toBe(1)
  })

  it('exits with 0 when nothing breaks', async () => {
    const [fingerprint] = (await failureOf('lossy')).split('.')
    const args = ['replay', fixture('failing.js'), `${fingerprint}.a2b2`, '--only', 'lossy']
    const text = await heddle(args)
    expect(text.stdout).toContain('adders/lossy: not reproduced')
    expect({ code: text.code, stderr: text.stderr }).toEqual({ code: 0, stderr: '' })
    expect(json(await heddle([...args, '--json']))).toMatchObject({ reproduced: false, exit: 0, name: 'adders/lossy' })
  })

  it('says in one line that a schedule does not fit', async () => {
    const schedule = await failureOf('lossy')
    for (const given of ['nonsense', '']) {
      const { code, stdout, stderr } = await heddle(['replay', fixture('failing.js'), given, '--only', 'lossy'])
      expect(stderr).toMatch(/^heddle: .*failing\.js: adders\/lossy: .+\n$/)
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    }
    const other = await heddle(['replay', fixture('failing.js'), schedule, '--only', 'waiting/stuck'])
    expect(other.stderr).toMatch(/^heddle: .*failing\.js: waiting\/stuck: .+\n$/)
    expect(other.code).toBe(2)
  })
})

const bad = (name: string): string => fixture(`bad/${name}.js`)

/** In a process of their own: one for each way that leads from a mistake to its line. */
describe.concurrent('bad input gets one clear line and exit code 2', () => {
  const cases: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['an unknown command', ['chekc'], /no command 'chekc'/],
    ['a bound that is no number', ['check', '--seconds', 'ten'], /--seconds.*'ten'.*positive number/],
    ['a file that is not there', ['check', 'specs/nowhere.ts'], /specs\/nowhere\.ts: no such file/],
    ['a name that matches nothing', ['check', fixture('good.js'), '--only', 'zzz'], /no check matches --only zzz/],
    [
      'a module that throws',
      ['check', bad('throws')],
      /throws\.js: cannot be loaded: thrown while loading \(test\/checker\/fixtures\/bad\/throws\.js:\d+\)\n$/,
    ],
    ['a fault that makes no sense', ['check', fixture('faults.js')], /faults\.js: check 1: .*faults\/odd.*: .+/],
    ['a good file beside a bad one', ['check', fixture('failing.js'), bad('empty')], /empty\.js: 'checks' is empty/],
    [
      'mutants, whose executions nobody counts',
      ['check', fixture('good.js'), '--only', '*:torn', '--estimate'],
      /only mutants match/,
    ],
    [
      'stress of nothing that holds',
      ['stress', fixture('good.js'), '--only', 'adders/two:torn'],
      /no check that is expected to hold/,
    ],
  ]

  it.each(cases)('%s', async (_, args, line) => {
    const { code, stdout, stderr } = await heddle(args)
    expect(stderr).toMatch(/^heddle: [^\n]+\n$/)
    expect(stderr).toMatch(line)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  })
})

describe('arguments that make no sense', () => {
  const cases: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['no command', [], /no command/],
    ['an unknown command', ['chekc'], /no command 'chekc'/],
    ['an unknown command to be explained', ['help', 'chekc'], /no command 'chekc'/],
    ['an unknown option', ['check', '--fast'], /unknown option '--fast'/],
    ['an unknown option before the command', ['--fast'], /unknown option '--fast'/],
    ['an option without its value', ['check', '--only'], /--only/],
    ['a bound that is no number', ['check', '--seconds', 'ten'], /--seconds.*'ten'.*positive number/],
    ['a bound of nothing', ['check', '--executions', '0'], /--executions.*'0'.*positive integer/],
    ['a bound that is no integer', ['check', '--events', '1.5'], /--events.*'1\.5'.*positive integer/],
    ['an estimate with bounds', ['check', '--estimate', '--events', '5'], /'--estimate' cannot be used with option '--events/],
    ['a shard of none', ['check', '--shard', '3/2'], /--shard.*'3\/2'/],
    ['a shard of executions', ['check', '--shard', '1/2', '--executions', '5'], /cannot be used with option '--executions/],
    ['a depth without --random', ['check', '--depth', '2'], /--depth belongs to --random/],
    ['a search at random', ['check', '--random', '5', '--executions', '5'], /cannot be used with option '--executions/],
    ['a seed that is none', ['check', '--random', '5', '--seed', '-1'], /--seed.*'-1'.*not an integer below/],
    ['merge of nothing', ['merge'], /missing required argument 'reports'/],
    ['replay without a file', ['replay'], /missing required argument 'file'/],
    ['replay without a schedule', ['replay', fixture('good.js')], /needs a schedule/],
    ['stress without a file', ['stress'], /missing required argument 'file'/],
    ['stress for no time', ['stress', fixture('good.js'), '--seconds', '0'], /--seconds.*positive number/],
  ]

  it.each(cases)('%s', async (_, args, line) => {
    const said: string[] = []
    const listen = (text: string | Uint8Array): boolean => said.push(String(text)) > 0
    const spies = [vi.spyOn(process.stderr, 'write'), vi.spyOn(process.stdout, 'write')].map((spy) =>
      spy.mockImplementation(listen),
    )
    const code = await runCommandLine(args).finally(() => {
      for (const spy of spies) spy.mockRestore()
    })
    expect(said.join('')).toMatch(/^heddle: [^\n]+\n$/)
    expect(said.join('')).toMatch(line)
    expect(code).toBe(2)
  })
})

describe('modules that are no specs', () => {
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ['a file that is not there', 'specs/nowhere.ts', /^specs\/nowhere\.ts: no such file$/],
    ['a folder', 'checker', /^checker: is a folder: name the files in it, or run heddle check where its package\.json is$/],
    ['a module without checks', bad('no-checks'), /no-checks\.js: exports no 'checks'$/],
    ['checks that are no array', bad('not-an-array'), /'checks' is not an array$/],
    ['no check at all', bad('empty'), /'checks' is empty$/],
    ['a module that throws', bad('throws'), /throws\.js: cannot be loaded: thrown while loading/],
    ['a module that imports what is not there', bad('missing-import'), /missing-import\.js: cannot be loaded: .*not-there/],
    ['a thread that is not a function', bad('thread'), /check 1: .*bad\/thread.*first.*function/],
    ['words that are no positive integer', bad('words'), /check 1: .*bad\/words.*words.*positive integer/],
    ['a check without a program', bad('no-program'), /check 1: 'program' is not an object$/],
    ['a check that is null', bad('null-check'), /check 1: not an object$/],
    ['an unknown verdict', bad('verdict'), /'expect\.verdict' is not one of holds/],
    ['a check without an expectation', bad('expectation'), /'expect' is not an object$/],
    ['bounds that are none', bad('bounds'), /'bounds\.executions' is not a positive integer$/],
    ['a mutant that is none', bad('mutant'), /'mutant\.memory' is not a function$/],
    ['two checks of one name', bad('twice'), /check 2: a check before it is called 'bad\/twice' too$/],
  ]

  it.each(cases)('%s', async (_, file, line) => {
    const thrown = await loadChecks([file]).catch((error: unknown) => error)
    expect(thrown).toBeInstanceOf(InputError)
    expect((thrown as InputError).message).toMatch(line)
    expect((thrown as InputError).message).not.toContain('\n')
  })
})

describe('Ctrl-C', () => {
  const interrupt = (child: ChildProcess): void => interruptWhenTold(child, 'huge/second')
  // A second thread would begin the third check.
  const alone = ['check', fixture('huge.js'), '--progress', '--workers', '1']

  it('stops a search at once and says how far it got', async () => {
    const { code, stdout, stderr } = await heddle(alone, { started: interrupt })
    expect(stdout).toMatch(/^huge\/first +holds +1 /m)
    expect(stderr).toMatch(/^heddle: interrupted in huge\/second after [\d,]+ (of \S.* )?executions .*; 1 check not begun$/m)
    expect(code).toBe(130)
  })

  it('leaves a whole JSON document', async () => {
    const outcome = await heddle([...alone, '--json'], { started: interrupt })
    const { exit, results, interrupted } = json<CheckDocument>(outcome)
    expect(exit).toBe(130)
    expect(results.map(({ name }) => name)).toEqual(['huge/first'])
    expect(interrupted).toMatchObject({ name: 'huge/second', left: 1 })
    expect(interrupted?.standing.executions).toBeGreaterThan(0)
    expect(outcome.code).toBe(130)
  })
  it('says how far each of two checks got that are explored side by side', async () => {
    const spec = join(installed.folder, 'both.mjs')
    writeFileSync(
      spec,
      `import { writeSync } from 'node:fs'
      let told = false
      const adds = (memory) => { for (let i = 0; i < 10; i++) memory.add(0, 1) }
      const check = (name) => {
        const first = (memory) => {
          if (!told) writeSync(2, name + ' has begun\\n')
          told = true
          adds(memory)
        }
        const threads = { a: first, b: adds, c: adds, d: adds, e: adds, f: adds }
        return { program: { name, words: 1, threads }, expect: { verdict: 'holds' } }
      }
      export const checks = [check('both/one'), check('both/two')]`,
    )
    let told = ''
    const started = (child: ChildProcess): void => {
      child.stderr?.on('data', (text: string) => {
        const before = told
        told += text
        const both = (said: string): boolean => said.includes('one has begun') && said.includes('two has begun')
        if (!both(before) && both(told)) child.kill('SIGINT')
      })
    }
    const outcome = await heddle(['check', spec, '--json', '--workers', '2'], { started })
    const { results, interrupted } = json<CheckDocument>(outcome)
    expect(results).toEqual([])
    expect(interrupted).toMatchObject({ name: 'both/one', beside: [{ name: 'both/two' }], left: 0 })
    expect(outcome.code).toBe(130)
  })
})
