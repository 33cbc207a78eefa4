import type { ChildProcess } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { CheckResult } from '../../checker/format.ts'
import {
  fixture,
  type InstalledHeddle,
  installHeddle,
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
    for (const command of ['check', 'replay', 'stress', 'run']) expect(stdout).toMatch(new RegExp(`^ +${command} `, 'm'))
    expect(stdout).toContain('Exit codes')
    expect(stderr).toBe('')
  })

  it.each(['check', 'replay', 'stress', 'run'])('explains %s', async (command) => {
    const { code, stdout } = await heddle([command, '--help'])
    expect(code).toBe(0)
    expect(stdout).toContain(`Usage: heddle ${command}`)
    expect(stdout).toContain('--json')
  })

  it('explains a command that is asked about', async () => {
    expect((await heddle(['help', 'check'])).stdout).toBe((await heddle(['check', '--help'])).stdout)
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
    const { code, stdout, stderr } = await heddle(['check', fixture('good.ts')])
    expect(stdout).toMatch(/^check +verdict +executions +blocked +discarded +seconds +as expected$/m)
    expect(stdout).toMatch(/^adders\/two +holds +2 +0 +\d+ +\d+\.\d{3} +yes$/m)
    expect(stdout).toMatch(/^mutant +verdict +as expected +program$/m)
    expect(stdout).toMatch(/^torn +refuted by adders\/nothing-lost +yes +adders\/two$/m)
    expect(stdout).toMatch(/^2 checks, all as expected/m)
    expect(stdout).not.toContain('npx heddle replay')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  })

  it('prints the counterexamples of mutants when asked', async () => {
    const { code, stdout } = await heddle(['check', fixture('good.ts'), '--verbose'])
    expect(code).toBe(0)
    expect(stdout).toContain(`npx heddle replay ${fixture('good.ts')} `)
    expect(stdout).toContain('--only adders/two:torn')
  })

  it('prints an unexpected failure in full and exits with 1', async () => {
    const { code, stdout } = await heddle(['check', fixture('failing.ts'), '--only', 'lossy'])
    expect(code).toBe(1)
    expect(stdout).toMatch(/^adders\/lossy +refuted by adders\/nothing-lost .* no$/m)
    expect(stdout).toContain('adders/lossy is refuted (assertion), breaks adders/nothing-lost')
    expect(stdout).toContain('the sum is 1')
    // A column for each thread, and the lines of the TypeScript.
    expect(stdout).toMatch(/^ +(left +right|right +left)$/m)
    expect(stdout).toMatch(/load 0 = 0.*failing\.ts:\d+$/m)
    const paste = /npx heddle (replay .*)/.exec(stdout)?.[1] as string
    expect(paste).toContain(fixture('failing.ts'))
  })

  it('exits with 1 when a count is not the expected one', async () => {
    const { code, stdout } = await heddle(['check', fixture('failing.ts'), '--only', 'adders/miscounted'])
    expect(code).toBe(1)
    expect(stdout).toMatch(/^adders\/miscounted expected 3 executions, found 2$/m)
  })

  it('is content with a failure of the expected kind', async () => {
    const { code, stdout } = await heddle(['check', fixture('failing.ts'), '--only', 'waiting/*'])
    expect(stdout).toMatch(/^waiting\/stuck +refuted by deadlock .* yes$/m)
    expect(code).toBe(0)
  })

  it('exits with 3 for an inconclusive check only when it was not expected to be', async () => {
    const unforeseen = await heddle(['check', fixture('bounded.ts')])
    expect(unforeseen.stdout).toMatch(/^bounded\/foreseen +inconclusive .* yes$/m)
    expect(unforeseen.stdout).toMatch(/^bounded\/unforeseen +inconclusive .* no$/m)
    expect(unforeseen.code).toBe(3)
    expect((await heddle(['check', fixture('bounded.ts'), '--only', 'bounded/foreseen'])).code).toBe(0)
  })

  it('exits with 1 when one check is inconclusive and another one fails', async () => {
    expect((await heddle(['check', fixture('bounded.ts'), fixture('failing.ts')])).code).toBe(1)
  })

  it('takes bounds from the command line before those of the check', async () => {
    const wide = await heddle(['check', fixture('bounded.ts'), '--only', 'unforeseen', '--executions', '100'])
    expect(wide.stdout).toMatch(/^bounded\/unforeseen +holds +6 .* yes$/m)
    expect(wide.code).toBe(0)
    expect((await heddle(['check', fixture('good.ts'), '--executions', '1'])).code).toBe(3)
    expect((await heddle(['check', fixture('huge.ts'), '--seconds', '0.1'])).code).toBe(3)
    expect((await heddle(['check', fixture('huge.ts'), '--only', 'huge/first', '--events', '5'])).code).toBe(3)
  })

  it('prints one JSON document with all reports', async () => {
    const outcome = await heddle(['check', fixture('good.ts'), fixture('failing.ts'), '--json'])
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
    expect(two).toMatchObject({ file: fixture('good.ts'), expect: { verdict: 'holds', executions: 2 } })
    expect(two.report).toMatchObject({ program: 'adders/two', verdict: 'holds', executions: 2, blocked: 0 })
    expect(torn.mutant).toEqual({ name: 'torn', guarantee: 'adders/nothing-lost' })
    expect(lossy.unmet).toMatch(/^expected holds/)
    expect(lossy.report.failure?.trace.length).toBeGreaterThan(3)
    expect({ code: outcome.code, stderr: outcome.stderr }).toEqual({ code: 1, stderr: '' })
  })

  it('takes --json before the command as well', async () => {
    expect(json<CheckDocument>(await heddle(['--json', 'check', fixture('good.ts')])).results).toHaveLength(2)
  })

  it('runs compiled specs, and keeps what they print away from the result', async () => {
    const outcome = await heddle(['check', fixture('compiled.js'), '--json'], { cwd: installed.folder })
    expect(json<CheckDocument>(outcome).results[0]).toMatchObject({ name: 'compiled/adders', met: true })
    expect(outcome.stderr).toBe('a spec may print\n')
  })

  it('is coloured only where that is wanted', async () => {
    const paint = '\u001b['
    expect((await heddle(['check', fixture('good.ts')])).stdout).not.toContain(paint)
    expect((await heddle(['check', fixture('good.ts')], { env: { FORCE_COLOR: '1' } })).stdout).toContain(paint)
    expect((await heddle(['check', fixture('good.ts')], { env: { NO_COLOR: '1' } })).stdout).not.toContain(paint)
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
    const { results } = json<CheckDocument>(await heddle(['check', fixture('failing.ts'), '--only', name, '--json']))
    return results[0].report.failure?.schedule as string
  }

  it('reproduces a failure from the line that check printed', async () => {
    const { stdout } = await heddle(['check', fixture('failing.ts'), '--only', 'lossy'])
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
    const outcome = await heddle(['replay', fixture('failing.ts'), '--schedule', schedule, '--json'])
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
    const args = ['replay', fixture('failing.ts'), `${fingerprint}.a2b2`, '--only', 'lossy']
    const text = await heddle(args)
    expect(text.stdout).toContain('adders/lossy: not reproduced')
    expect({ code: text.code, stderr: text.stderr }).toEqual({ code: 0, stderr: '' })
    expect(json(await heddle([...args, '--json']))).toMatchObject({ reproduced: false, exit: 0, name: 'adders/lossy' })
  })

  it('says in one line that a schedule does not fit', async () => {
    const schedule = await failureOf('lossy')
    for (const given of ['nonsense', '']) {
      const { code, stdout, stderr } = await heddle(['replay', fixture('failing.ts'), given, '--only', 'lossy'])
      expect(stderr).toMatch(/^heddle: .*failing\.ts: adders\/lossy: .+\n$/)
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    }
    const other = await heddle(['replay', fixture('failing.ts'), schedule, '--only', 'waiting/stuck'])
    expect(other.stderr).toMatch(/^heddle: .*failing\.ts: waiting\/stuck: .+\n$/)
    expect(other.code).toBe(2)
  })
})

describe.concurrent('bad input gets one clear line and exit code 2', () => {
  const bad = (name: string): string => fixture(`bad/${name}.js`)
  const cases: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['no command', [], /no command/],
    ['an unknown command', ['chekc'], /no command 'chekc'/],
    ['an unknown option', ['check', '--fast'], /unknown option '--fast'/],
    ['an unknown option before the command', ['--fast'], /unknown option '--fast'/],
    ['an option without its value', ['check', '--only'], /--only/],
    ['a bound that is no number', ['check', '--seconds', 'ten'], /--seconds.*'ten'.*positive number/],
    ['a bound of nothing', ['check', '--executions', '0'], /--executions.*'0'.*positive integer/],
    ['a bound that is no integer', ['check', '--events', '1.5'], /--events.*'1\.5'.*positive integer/],
    ['a file that is not there', ['check', 'specs/nowhere.ts'], /specs\/nowhere\.ts: no such file/],
    ['a folder', ['check', 'checker'], /checker: not a file/],
    ['a name that matches nothing', ['check', fixture('good.ts'), '--only', 'zzz'], /no check matches --only zzz/],
    ['a module without checks', ['check', bad('no-checks')], /no-checks\.js: exports no 'checks'/],
    ['checks that are no array', ['check', bad('not-an-array')], /'checks' is not an array/],
    ['no check at all', ['check', bad('empty')], /'checks' is empty/],
    ['a module that throws', ['check', bad('throws')], /throws\.js: cannot be loaded: thrown while loading/],
    [
      'a module that imports what is not there',
      ['check', bad('missing-import')],
      /missing-import\.js: cannot be loaded: .*not-there/,
    ],
    ['a thread that is not a function', ['check', bad('thread')], /check 1: .*bad\/thread.*first.*function/],
    ['words that are no positive integer', ['check', bad('words')], /check 1: .*bad\/words.*words.*positive integer/],
    ['a check without a program', ['check', bad('no-program')], /check 1: 'program' is not an object/],
    ['a check that is null', ['check', bad('null-check')], /check 1: not an object/],
    ['an unknown verdict', ['check', bad('verdict')], /'expect\.verdict' is not one of holds/],
    ['a check without an expectation', ['check', bad('expectation')], /'expect' is not an object/],
    ['bounds that are none', ['check', bad('bounds')], /'bounds\.executions' is not a positive integer/],
    ['a mutant that is none', ['check', bad('mutant')], /'mutant\.memory' is not a function/],
    ['two checks of one name', ['check', bad('twice')], /check 2: a check before it is called 'bad\/twice' too/],
    ['a fault that makes no sense', ['check', fixture('faults.ts')], /faults\.ts: check 1: .*faults\/odd.*: .+/],
    ['a good file beside a bad one', ['check', fixture('failing.ts'), bad('empty')], /empty\.js: 'checks' is empty/],
    ['replay without a file', ['replay'], /missing required argument 'file'/],
    ['replay without a schedule', ['replay', fixture('good.ts')], /needs a schedule/],
    ['stress without a file', ['stress'], /missing required argument 'file'/],
    ['stress for no time', ['stress', fixture('good.ts'), '--seconds', '0'], /--seconds.*positive number/],
    [
      'stress of nothing that holds',
      ['stress', fixture('good.ts'), '--only', 'adders/two:torn'],
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

describe('Ctrl-C', () => {
  /** Presses it a while after the search began: the threads of the fixture say so. */
  function interrupt(child: ChildProcess): void {
    child.stderr?.once('data', () => setTimeout(() => child.kill('SIGINT'), 1500))
  }

  it('stops a search at once and says how far it got', async () => {
    const { code, stdout, stderr } = await heddle(['check', fixture('huge.ts')], { started: interrupt })
    expect(stdout).toMatch(/^huge\/first +holds +1 /m)
    expect(stderr).toMatch(
      /^begun\nheddle: interrupted in huge\/second after [\d,]+ (of \S.* )?executions .*; 1 check not begun\n$/,
    )
    expect(code).toBe(130)
  })

  it('leaves a whole JSON document', async () => {
    const outcome = await heddle(['check', fixture('huge.ts'), '--json'], { started: interrupt })
    const { exit, results, interrupted } = json<CheckDocument>(outcome)
    expect(exit).toBe(130)
    expect(results.map(({ name }) => name)).toEqual(['huge/first'])
    expect(interrupted).toMatchObject({ name: 'huge/second', left: 1 })
    expect(interrupted?.standing.executions).toBeGreaterThan(0)
    expect(outcome.code).toBe(130)
  })
})
