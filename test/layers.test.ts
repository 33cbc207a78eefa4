import { readdirSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join, posix, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { beforeAll, describe, expect, it } from 'vitest'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

/** The files of the project: everything but what is installed or built. */
const files: readonly string[] = readdirSync(root, { withFileTypes: true })
  .filter(({ name }) => !['.git', 'node_modules', 'dist', 'coverage'].includes(name))
  .flatMap((entry) =>
    entry.isDirectory()
      ? readdirSync(join(root, entry.name), { recursive: true, withFileTypes: true })
          .filter((inner) => inner.isFile())
          .map((inner) => relative(root, join(inner.parentPath, inner.name)).split(sep).join('/'))
      : [entry.name],
  )
  .sort()

const text = (file: string): string => readFileSync(join(root, file), 'utf8')

interface Import {
  readonly file: string
  readonly specifier: string
}

/** Every module that the file names: static and dynamic imports, `export from`, `import type`, `import('x')` types. */
function importsOf(file: string): Import[] {
  return ts.preProcessFile(text(file), true, true).importedFiles.map(({ fileName }) => ({ file, specifier: fileName }))
}

/** From the left to the right: a folder imports only itself and what stands to its left. */
const layers = ['core', 'model', 'checker', 'specs', 'test']
const layerOf = (file: string): string => file.split('/')[0] as string
const sources = files.filter((file) => /\.(ts|mts|js|mjs)$/.test(file) && layers.includes(layerOf(file)))
const imports = sources.flatMap(importsOf)

const isRelative = ({ specifier }: Import): boolean => specifier.startsWith('.')
const isBuiltin = ({ specifier }: Import): boolean => specifier.startsWith('node:') || builtinModules.includes(specifier)
const targetOf = ({ file, specifier }: Import): string => posix.join(posix.dirname(file), specifier)
const show = ({ file, specifier }: Import): string => `${file} imports ${specifier}`

const shipped = ['core', 'model', 'checker']
const runsInBrowser = (file: string): boolean => shipped.includes(layerOf(file)) && !posix.basename(file).startsWith('node-')

describe('the arrow of imports', () => {
  it('is read from real files', () => {
    expect(sources).toContain('core/memory.ts')
    expect(imports).toContainEqual({ file: 'model/program.ts', specifier: '../core/memory.ts' })
    expect(imports).toContainEqual({ file: 'test/layers.test.ts', specifier: 'node:path' })
  })

  it('points from right to left only: core <- model <- checker <- specs <- test', () => {
    const upstream = imports
      .filter(isRelative)
      .filter((entry) => layers.indexOf(layerOf(targetOf(entry))) > layers.indexOf(layerOf(entry.file)))
    expect(upstream.map(show)).toEqual([])
  })

  it('stays inside the five folders', () => {
    const strays = imports.filter(isRelative).filter((entry) => !layers.includes(layerOf(targetOf(entry))))
    // The package reads its own version from package.json.
    expect(strays.filter((entry) => targetOf(entry) !== 'package.json').map(show)).toEqual([])
  })

  it('names files with their extension, so that they are found as they are', () => {
    const bare = imports.filter(isRelative).filter(({ specifier }) => !/\.(ts|js|mjs|json)$/.test(specifier))
    expect(bare.map(show)).toEqual([])
  })

  it('uses node: modules only in files named node-*.ts', () => {
    expect(imports.filter((entry) => runsInBrowser(entry.file) && isBuiltin(entry)).map(show)).toEqual([])
  })

  it('says node: when it means a builtin module', () => {
    expect(imports.filter((entry) => isBuiltin(entry) && !entry.specifier.startsWith('node:')).map(show)).toEqual([])
  })

  it('does not pull node-*.ts into a file that runs in a browser', () => {
    const pulled = imports.filter((entry) => runsInBrowser(entry.file) && isRelative(entry) && !runsInBrowser(targetOf(entry)))
    expect(pulled.map(show)).toEqual([])
  })

  it('gives core no dependency at all, but for mapped files, which need system calls', () => {
    const foreign = imports.filter((entry) => layerOf(entry.file) === 'core' && !isRelative(entry) && !isBuiltin(entry))
    expect(foreign.map(show)).toEqual(['core/node-libc.ts imports koffi'])
  })

  it('gives what ships only declared dependencies, and uses each of them', () => {
    const { dependencies, peerDependencies } = JSON.parse(text('package.json'))
    const declared = Object.keys({ ...dependencies, ...peerDependencies }).sort()
    const nameOf = (specifier: string): string => (/^(@[^/]+\/)?[^/]+/.exec(specifier) as RegExpExecArray)[0]
    const foreign = imports.filter((entry) => shipped.includes(layerOf(entry.file)) && !isRelative(entry) && !isBuiltin(entry))
    expect([...new Set(foreign.map(({ specifier }) => nameOf(specifier)))].sort()).toEqual(declared)
  })
})

describe('file names', () => {
  it('are in kebab-case', () => {
    const odd = sources.filter((file) => !file.split('/').every((part) => /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z]+)*$/.test(part)))
    expect(odd).toEqual([])
  })
})

/** The names that a user can import. A change here is a change of the contract: read it as one. */
const publicNames: Readonly<Record<string, readonly string[]>> = {
  'core/index.ts': [
    'Ahead',
    'AsyncMemory',
    'AsyncWaiting',
    'Barrier',
    'BarrierOptions',
    'BarrierResult',
    'CallOptions',
    'Event',
    'EventOptions',
    'ForwardingMemory',
    'LockResult',
    'LossyRing',
    'LossyRingOptions',
    'LossySink',
    'LossySource',
    'LossySourceOptions',
    'Member',
    'MemberOptions',
    'Memory',
    'Mutex',
    'Once',
    'OnceResult',
    'ReadWriteLock',
    'ReadWriteLockOptions',
    'RecordRing',
    'RecordRingOptions',
    'RecordSink',
    'RecordSource',
    'Ring',
    'RingOptions',
    'Roster',
    'RosterOptions',
    'Semaphore',
    'SemaphoreOptions',
    'SharedMemory',
    'Sink',
    'Sleep',
    'Source',
    'SourceOptions',
    'StreamEnd',
    'WaitOptions',
    'WaitResult',
    'WorkRing',
    'WorkRingOptions',
    'lineWords',
  ],
  'core/node-index.ts': [
    'Codec',
    'Consumer',
    'ConsumerOptions',
    'DiskQueueOptions',
    'Durability',
    'Found',
    'Limits',
    'MappedFileError',
    'MappedFileReason',
    'MappedMemory',
    'MappedOptions',
    'MappedShare',
    'Overflow',
    'Participant',
    'Place',
    'Producer',
    'Queue',
    'QueueError',
    'QueueErrorReason',
    'QueueMetrics',
    'Reader',
    'ReaderStart',
    'Received',
    'Sent',
    'giveWay',
    'jsonCodec',
    'openQueue',
    'receiveAll',
    'structuredCodec',
  ],
  'model/index.ts': [
    'Condition',
    'Faults',
    'HistoryPromise',
    'Mark',
    'Outcome',
    'Program',
    'Readable',
    'Sequential',
    'program',
    'sequential',
  ],
  'checker/index.ts': [
    'AtRandom',
    'Bounds',
    'ByPreemptions',
    'Check',
    'Covered',
    'Estimate',
    'Explanation',
    'ExploreOptions',
    'Failure',
    'FailureKind',
    'FastCheck',
    'FewPreemptionsOptions',
    'GuaranteeError',
    'Mutant',
    'Operation',
    'ProgramError',
    'Progress',
    'RandomOptions',
    'Report',
    'Role',
    'Scenario',
    'ScenarioBounds',
    'ScenarioCall',
    'ScenarioOperation',
    'ScenarioOptions',
    'ScenarioReport',
    'ScenarioThread',
    'ScheduleError',
    'Subject',
    'TraceStep',
    'Verdict',
    'canonicalOutcome',
    'checkedProgram',
    'drawHistory',
    'estimate',
    'explainHistory',
    'explore',
    'exploreAtRandom',
    'exploreFewPreemptions',
    'exploreScenarios',
    'guarantee',
    'replay',
    'role',
    'scenarioName',
    'scenarioProgram',
    'scenarios',
    'scenariosText',
    'unmet',
  ],
}

describe('public names', () => {
  let checker: ts.TypeChecker
  let compiled: ts.Program

  beforeAll(() => {
    const config = ts.getParsedCommandLineOfConfigFile(
      join(root, 'tsconfig.json'),
      {},
      { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => {} },
    )
    compiled = ts.createProgram(
      Object.keys(publicNames).map((file) => join(root, file)),
      (config as ts.ParsedCommandLine).options,
    )
    checker = compiled.getTypeChecker()
  })

  it.each(Object.keys(publicNames))('of %s are the ones written here', (file) => {
    const source = compiled.getSourceFile(join(root, file)) as ts.SourceFile
    const names = checker.getExportsOfModule(checker.getSymbolAtLocation(source) as ts.Symbol).map((symbol) => symbol.name)
    expect(names.sort()).toEqual(publicNames[file])
  })

  it('belong to the entry points of package.json', () => {
    const { exports } = JSON.parse(text('package.json'))
    const entries = Object.values<string | { default: string }>(exports).flatMap((entry) =>
      typeof entry === 'string' ? [] : [entry.default],
    )
    expect(entries.map((entry) => entry.replace('./dist/', '').replace(/js$/, 'ts'))).toEqual(Object.keys(publicNames))
  })
})

describe('a clone stands alone', () => {
  // Without this file, which has to spell what it looks for.
  const readable = files.filter((file) => !/\.(png|svg|ico|woff2|tgz)$/.test(file) && file !== 'test/layers.test.ts')

  /** `file:line` of every line that matches. */
  function mentions(pattern: RegExp): string[] {
    return readable.flatMap((file) =>
      text(file)
        .split('\n')
        .flatMap((line, index) => (pattern.test(line) ? [`${file}:${index + 1}`] : [])),
    )
  }

  it('nothing reads the folder beside the project', () => {
    expect(mentions(/\.\.\/shared\//)).toEqual([])
  })

  it('no file names a place on the machine it was written on', () => {
    expect(mentions(/(^|[\s'"`(=:])\/(root|home|work|Users)\//)).toEqual([])
  })

  it('no file names a package registry or an address to download from', () => {
    expect(mentions(/registry\.(npmjs|yarnpkg|npmmirror)|https?:\/\/\S+\.tgz/)).toEqual([])
  })

  it('the lockfile records no download addresses', () => {
    const { packages } = JSON.parse(text('package-lock.json')) as { packages: Record<string, { resolved?: string }> }
    expect(Object.keys(packages).length).toBeGreaterThan(10)
    expect(Object.entries(packages).filter(([, entry]) => entry.resolved !== undefined)).toEqual([])
    expect(text('.npmrc')).toContain('omit-lockfile-registry-resolved=true')
  })
})
