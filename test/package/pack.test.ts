import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Installed, installPacked, root, run, succeed } from './installed.ts'

/** Two threads that add without an atomic addition: one of the two can be lost. Plain JavaScript, as a user may write it. */
const counterSpec = `
import { guarantee } from 'heddle/checker'
import { program } from 'heddle/model'

const counter = (name, add) => program({
  name,
  words: 1,
  threads: { a: add, b: add },
  finally(memory) {
    guarantee('counter/nothing-lost', memory.load(0) === 2, 'the counter is ' + memory.load(0))
  },
})

export const checks = [
  { program: counter('counter/atomic', (memory) => memory.add(0, 1)), expect: { verdict: 'holds', executions: 2 } },
  {
    program: counter('counter/load-store', (memory) => memory.store(0, memory.load(0) + 1)),
    mutant: { name: 'not atomic', guarantee: 'counter/nothing-lost' },
    expect: { verdict: 'refuted' },
  },
]
`

const consumer = `
import { type Memory, Ring, SharedMemory } from 'heddle'
import { type MappedFileError, MappedMemory } from 'heddle/node'
import { type Program, program } from 'heddle/model'
import { type Check, explore, guarantee, type Report } from 'heddle/checker'

const memory: Memory = new SharedMemory(new SharedArrayBuffer(4096))
export const open = (path: string): Memory => MappedMemory.openOrCreate(path, { words: 1024 })
export const reason: MappedFileError['reason'] = 'missing'
export const ring = Ring.create(memory, { capacity: 4, itemBytes: 8, readers: 1 })

export const counter = program({
  name: 'counter',
  words: 1,
  threads: { a: (memory) => memory.add(0, 1), b: (memory) => String(memory.load(0)) },
  finally(memory, { a, b }) {
    const first: number | undefined = a
    const second: string | undefined = b
    guarantee('counter/added', memory.load(0) === 1, first + ' ' + second)
  },
})
export const report: Report = explore(counter satisfies Program, { executions: 10 })
// @ts-expect-error a verdict is one of three words
export const check: Check = { program: counter, expect: { verdict: 'fine' } }
`

let user: Installed
beforeAll(async () => {
  user = await installPacked()
})
afterAll(() => user?.remove())

const heddle = (...args: string[]) => run(join(user.folder, 'node_modules/.bin/heddle'), args, user.folder)

describe('the tarball', () => {
  it('holds what users need and nothing else', () => {
    const other = user.files.filter((file) => !/^(dist\/)?(core|model|checker)\//.test(file))
    expect(other).toEqual(['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json'])
    const kinds = new Set(
      user.files
        .filter((file) => !other.includes(file))
        .map((file) => file.replace(/^(dist\/)?.*?(\.d)?(\.[a-z]+)(\.map)?$/, '$1*$2$3$4')),
    )
    expect([...kinds].sort()).toEqual(['*.md', '*.ts', 'dist/*.d.ts', 'dist/*.d.ts.map', 'dist/*.js', 'dist/*.js.map'])
    expect(user.files.filter((file) => /\.(test|bench)\./.test(file))).toEqual([])
  })

  it('holds, for each source file, what is compiled from it, and no leftovers', () => {
    const sources = user.files.filter((file) => /^(core|model|checker)\/.*\.ts$/.test(file))
    const compiled = user.files.filter((file) => /^dist\/.*\.js$/.test(file))
    expect(sources).toContain('core/memory.ts')
    expect(compiled, 'npm run build first').toEqual(sources.map((file) => `dist/${file.replace(/ts$/, 'js')}`))
  })

  it('has source maps that find the sources', async () => {
    const map = JSON.parse(await readFile(join(user.folder, 'node_modules/heddle/dist/checker/guarantee.js.map'), 'utf8'))
    expect(map.sources).toEqual(['../../checker/guarantee.ts'])
    expect(user.files).toContain('checker/guarantee.ts')
  })

  it('satisfies publint', async () => {
    const { messages, pkg } = await publint({ pkgDir: join(user.folder, 'node_modules/heddle'), pack: false, strict: true })
    expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([])
  })
})

describe('installed in an empty project', () => {
  it('brings no dependency of a test or of a build along', async () => {
    const lock = JSON.parse(await readFile(join(user.folder, 'package-lock.json'), 'utf8'))
    const { dependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
    const names = Object.keys(lock.packages).filter((path) => path !== '')
    expect(names.sort()).toEqual(['heddle', ...Object.keys(dependencies)].map((name) => `node_modules/${name}`).sort())
  })

  it('is imported by its four names', async () => {
    const code = `
      const names = {}
      for (const name of ['heddle', 'heddle/node', 'heddle/model', 'heddle/checker']) names[name] = Object.keys(await import(name))
      console.log(JSON.stringify(names))`
    const { stdout } = succeed(await run('node', ['--input-type=module', '-e', code], user.folder))
    const names = JSON.parse(stdout)
    expect(names.heddle).toEqual(expect.arrayContaining(['ForwardingMemory', 'Ring', 'SharedMemory']))
    expect(names['heddle/node']).toEqual(expect.arrayContaining(['MappedFileError', 'MappedMemory']))
    expect(names['heddle/model']).toContain('program')
    expect(names['heddle/checker']).toEqual(expect.arrayContaining(['explore', 'guarantee', 'replay']))
  })

  it('says in one line what to install for mapped files', async () => {
    const code = `
      import { MappedMemory } from 'heddle/node'
      try { MappedMemory.open('words') } catch (error) { console.log(error.message) }`
    const { stdout } = succeed(await run('node', ['--input-type=module', '-e', code], user.folder))
    expect(stdout).toMatch(/^MappedMemory: .*(npm install koffi|need Linux on x64 or arm64).*\n$/)
  })

  it('shows nothing but those names', async () => {
    const { code, stderr } = await run(
      'node',
      ['--input-type=module', '-e', "await import('heddle/dist/core/index.js')"],
      user.folder,
    )
    expect(code).toBe(1)
    expect(stderr).toContain('ERR_PACKAGE_PATH_NOT_EXPORTED')
  })

  it.each([
    { moduleResolution: 'nodenext', module: 'nodenext' },
    { moduleResolution: 'bundler', module: 'esnext' },
  ])('has types for $moduleResolution', async ({ moduleResolution, module }) => {
    const folder = join(user.folder, `types-${moduleResolution}`)
    await mkdir(folder)
    await writeFile(join(folder, 'consumer.mts'), consumer)
    const options = { strict: true, noEmit: true, skipLibCheck: false, target: 'es2022', types: [], module, moduleResolution }
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files: ['consumer.mts'] }))
    const { code, stdout } = await run('node', [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder], user.folder)
    expect(stdout).toBe('')
    expect(code).toBe(0)
  })
})

describe('the bin', () => {
  it('tells its version', async () => {
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
    const { code, stdout } = await run('npx', ['--no-install', 'heddle', '--version'], user.folder)
    expect(stdout).toBe(`${version}\n`)
    expect(code).toBe(0)
  })

  it("checks a user's own spec in plain JavaScript", async () => {
    await writeFile(join(user.folder, 'counter.mjs'), counterSpec)
    const { code, stdout } = await heddle('check', 'counter.mjs')
    expect(stdout).toContain('counter/atomic')
    expect(stdout).toContain('counter/load-store')
    expect(code).toBe(0)
  })

  it('exits 1 when an expectation is not met, and shows how', async () => {
    await writeFile(
      join(user.folder, 'hopeful.mjs'),
      counterSpec.replace("verdict: 'refuted'", "verdict: 'holds'").replace(/mutant: .*/, ''),
    )
    const { code, stdout } = await heddle('check', 'hopeful.mjs')
    expect(stdout).toContain('counter/nothing-lost')
    expect(stdout).toMatch(/hopeful\.mjs:\d+/)
    expect(code).toBe(1)
  })

  it('exits 2 for a file that does not exist', async () => {
    const { code, stderr } = await heddle('check', 'missing.mjs')
    expect(stderr).toContain('missing.mjs')
    expect(code).toBe(2)
  })

  it('takes a spec in TypeScript where Node strips types, and says what to install where it does not', async () => {
    await writeFile(join(user.folder, 'typed.mts'), `${counterSpec}const none: number = 0\n`)
    const { code, stdout, stderr } = await heddle('check', 'typed.mts')
    if ((process.features as { typescript?: unknown }).typescript) {
      expect(stdout).toContain('2 checks, all as expected')
      expect(code).toBe(0)
    } else {
      expect(stderr).toContain('npm install --save-dev tsx')
      expect(stderr.trim().split('\n')).toHaveLength(1)
      expect(code).toBe(2)
    }
  })
})
