/** Finds spec modules, loads them, and says in one line what is wrong with one that cannot be used. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { validate } from '../model/validate.ts'
import type { Check } from './check.ts'
import { checkName } from './format.ts'
import type { FailureKind, Verdict } from './report.ts'

/** What the user gave cannot be used. The message is one line and names the culprit; the command line exits with 2. */
export class InputError extends Error {
  override readonly name = 'InputError'
}

/** A check and where it stands. */
export interface FoundCheck {
  /** The path of its module, as the user would type it. */
  readonly file: string
  /** Its place in `checks`. */
  readonly index: number
  /** Program and mutant; unique in its file. */
  readonly name: string
  readonly check: Check
}

/** The root of the package that a directory stands in: the nearest one upwards with a `package.json`. */
export function packageRoot(from: string): string | undefined {
  for (let folder = resolve(from); ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder
    if (dirname(folder) === folder) return undefined
  }
}

/** The files `specs/<any>/<stem>.ts` (or `.js` where there is no `.ts`) of the package around `from`, in order of their names. */
export function specFiles(stem: string, from: string = process.cwd()): string[] {
  const root = packageRoot(from)
  if (root === undefined) throw new InputError(`no package.json in ${from} or above: name the files to check`)
  const specs = join(root, 'specs')
  if (!existsSync(specs)) return []
  const folders = readdirSync(specs, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  return folders
    .map(({ name }) => name)
    .sort()
    .flatMap((name) =>
      [`${stem}.ts`, `${stem}.js`]
        .map((file) => join(specs, name, file))
        .filter(existsSync)
        .slice(0, 1),
    )
    .map((file) => relative(from, file))
}

/** Loads the checks of the modules, in order. Throws `InputError`. */
export async function loadChecks(files: readonly string[]): Promise<FoundCheck[]> {
  const found: FoundCheck[] = []
  for (const file of files) {
    const { checks } = (await loadModule(file)) as { checks?: unknown }
    if (checks === undefined) throw new InputError(`${file}: exports no 'checks'`)
    if (!Array.isArray(checks)) throw new InputError(`${file}: 'checks' is not an array`)
    if (checks.length === 0) throw new InputError(`${file}: 'checks' is empty`)
    const names = new Set<string>()
    for (const [index, check] of checks.entries()) {
      const wrong = checkProblem(check)
      if (wrong !== undefined) throw new InputError(`${file}: check ${index + 1}: ${wrong}`)
      const name = checkName(check)
      if (names.has(name)) throw new InputError(`${file}: check ${index + 1}: a check before it is called '${name}' too`)
      names.add(name)
      found.push({ file, index, name, check })
    }
  }
  return found
}

/**
 * Those whose name is `only`; if there are none, those whose name matches it as a glob (`*`, `?`) or has it inside.
 * Throws `InputError` when nothing is left.
 */
export function select(found: readonly FoundCheck[], only: string | undefined): FoundCheck[] {
  if (only === undefined) return [...found]
  const exact = found.filter(({ name }) => name === only)
  if (exact.length > 0) return exact
  const glob = only
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  const pattern = new RegExp(/[*?]/.test(only) ? `^${glob}$` : glob)
  const some = found.filter(({ name }) => pattern.test(name))
  if (some.length === 0) throw new InputError(`no check matches --only ${only}`)
  return some
}

/** Imports a module of the user's, TypeScript through tsx. Throws `InputError` when it is not there or does not load. */
export async function loadModule(file: string): Promise<Record<string, unknown>> {
  const path = resolve(file)
  const stats = statSync(path, { throwIfNoEntry: false })
  if (stats === undefined) throw new InputError(`${file}: no such file`)
  if (!stats.isFile()) throw new InputError(`${file}: not a file`)
  if (/\.[mc]?ts$/.test(path)) await registerTypeScript(file)
  try {
    return await import(pathToFileURL(path).href)
  } catch (error) {
    throw new InputError(`${file}: cannot be loaded: ${oneLine(error)}`)
  }
}

/** The message of whatever was thrown, on one line. */
export function oneLine(error: unknown): string {
  const { name, message } = error instanceof Error ? error : new Error(String(error))
  const text = message.replace(/\s*\n\s*/g, ' ').trim()
  return name === 'Error' || name === 'ProgramError' || name === 'ScheduleError' ? text : `${name}: ${text}`
}

/** The URL of tsx's interface, from beside this package or from beside `file`; `undefined` when it is not installed. */
export function findTypeScriptLoader(file: string): string | undefined {
  for (const from of [fileURLToPath(import.meta.url), file]) {
    try {
      const manifest = createRequire(from).resolve('tsx/package.json')
      const { exports } = JSON.parse(readFileSync(manifest, 'utf8'))
      return pathToFileURL(join(dirname(manifest), exports['./esm/api'].import.default)).href
    } catch {
      // Not installed there.
    }
  }
  return undefined
}

// Set in a thread that was started with tsx registered (see `startThread`), or that registered it.
const registered = Symbol.for('heddle/typescript')

async function registerTypeScript(file: string): Promise<void> {
  const thread = globalThis as { [registered]?: boolean }
  if (thread[registered]) return
  const url = findTypeScriptLoader(resolve(file))
  if (url !== undefined) {
    const tsx: typeof import('tsx/esm/api') = await import(url)
    tsx.register()
    thread[registered] = true
  } else if (!(process.features as { typescript?: unknown }).typescript) {
    throw new InputError(`${file}: TypeScript needs tsx: npm install --save-dev tsx`)
  }
}

const verdicts: Readonly<Record<Verdict, true>> = { holds: true, refuted: true, inconclusive: true }
const failureKinds: Readonly<Record<FailureKind, true>> = {
  assertion: true,
  'data-race': true,
  deadlock: true,
  livelock: true,
  unwitnessed: true,
  'out-of-range': true,
  'non-determinism': true,
  thrown: true,
}

type Loose = Readonly<Record<string, unknown>>

function checkProblem(check: unknown): string | undefined {
  if (!isObject(check)) return 'not an object'
  const { program, mutant, expect, bounds } = check
  try {
    if (!isObject(program)) return `'program' is not an object`
    validate(program as unknown as Check['program'])
  } catch (error) {
    return oneLine(error)
  }
  if (mutant !== undefined) {
    if (!isObject(mutant)) return `'mutant' is not an object`
    if (typeof mutant.name !== 'string' || mutant.name === '') return `'mutant.name' is not a name`
    if (typeof mutant.guarantee !== 'string' || mutant.guarantee === '') return `'mutant.guarantee' is not a name`
    if (mutant.memory !== undefined && typeof mutant.memory !== 'function') return `'mutant.memory' is not a function`
  }
  if (!isObject(expect)) return `'expect' is not an object`
  if (!knows(verdicts, expect.verdict)) return `'expect.verdict' is not one of ${Object.keys(verdicts).join(', ')}`
  if (expect.executions !== undefined && !isCount(expect.executions, 0)) return `'expect.executions' is not a whole number`
  if (expect.failure !== undefined && !knows(failureKinds, expect.failure)) {
    return `'expect.failure' is not one of ${Object.keys(failureKinds).join(', ')}`
  }
  return bounds === undefined ? undefined : boundsProblem(bounds)
}

function boundsProblem(bounds: unknown): string | undefined {
  if (!isObject(bounds)) return `'bounds' is not an object`
  const { executions, seconds, events } = bounds
  if (executions !== undefined && !isCount(executions, 1)) return `'bounds.executions' is not a positive integer`
  if (events !== undefined && !isCount(events, 1)) return `'bounds.events' is not a positive integer`
  if (seconds !== undefined && !(typeof seconds === 'number' && seconds > 0)) return `'bounds.seconds' is not a positive number`
  return undefined
}

function isObject(value: unknown): value is Loose {
  return typeof value === 'object' && value !== null
}

function isCount(value: unknown, least: number): boolean {
  return Number.isSafeInteger(value) && (value as number) >= least
}

function knows(set: Readonly<Record<string, true>>, value: unknown): boolean {
  return typeof value === 'string' && Object.hasOwn(set, value)
}
