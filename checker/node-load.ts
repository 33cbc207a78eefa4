/** Loads spec modules, and says in one line what is wrong with one that cannot be used. */
import { statSync } from 'node:fs'
import { dirname, relative, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { validate } from '../model/validate.ts'
import type { Check } from './check.ts'
import { checkName } from './format.ts'
import { InputError, oneLine } from './node-input-error.ts'
import { registerTypeScript } from './node-typescript.ts'
import type { FailureKind, Verdict } from './report.ts'

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
  if (stats.isDirectory()) {
    throw new InputError(`${file}: is a folder: name the files in it, or run heddle check where its package.json is`)
  }
  if (/\.[mc]?ts$/.test(path)) await registerTypeScript(file)
  try {
    const module = await import(pathToFileURL(path).href)
    // What is compiled to CommonJS on the way has all its exports there, and often only there.
    return typeof module.default === 'object' ? { ...module.default, ...module } : module
  } catch (error) {
    throw new InputError(`${file}: cannot be loaded: ${oneLine(error)}${thrownAt(error)}`)
  }
}

const ours = dirname(fileURLToPath(import.meta.url))

/** Where in somebody's code an error was thrown, if its stack says so. */
function thrownAt(error: unknown): string {
  const stack = error instanceof Error ? (error.stack ?? '') : ''
  for (const [, place, line] of stack.matchAll(/(?:\(|at )((?:file:\/\/|\/|[A-Za-z]:\\)[^\n()]+?):(\d+):\d+\)?$/gm)) {
    const path = place.startsWith('file:') ? fileURLToPath(place) : place
    if (!path.startsWith(ours) && !path.includes('node_modules')) return ` (${relative(process.cwd(), path)}:${line})`
  }
  return ''
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
