import type { Faults, Program } from './program.ts'
import type { Condition, HistoryPromise } from './sequential.ts'

/** A program that cannot be run, with what was expected and what came. */
export class ProgramError extends Error {
  override readonly name = 'ProgramError'
}

const largest = 2 ** 24
/** A set of threads is a word in the inner loop of the search. */
const mostThreads = 31

/**
 * Throws a `ProgramError` in one line when a program is not one: words that are not a positive integer, a thread that is
 * not a function, a fault that cannot be explored yet.
 */
export function validate(program: Program): void {
  if (typeof program !== 'object' || program === null) fail('a program', 'an object with name, words and threads', program)
  const { name, words, threads } = program
  if (typeof name !== 'string' || name === '') fail('the name of a program', 'a string that is not empty', name)
  const where = `program ${name}:`
  if (!Number.isInteger(words) || words < 1 || words > largest) {
    fail(`${where} words`, `a positive integer up to ${largest}`, words)
  }
  if (typeof threads !== 'object' || threads === null) fail(`${where} threads`, 'an object of functions by name', threads)
  const names = Object.keys(threads)
  if (names.length === 0) throw new ProgramError(`${where} threads: expected at least one thread, found none`)
  if (names.length > mostThreads) {
    throw new ProgramError(`${where} threads: expected at most ${mostThreads}, found ${names.length}`)
  }
  for (const thread of names) {
    if (thread === '__proto__') fail(`${where} the name of a thread`, 'any other', thread)
    if (typeof threads[thread] !== 'function') fail(`${where} thread ${thread}`, 'a function', threads[thread])
  }
  for (const part of ['setup', 'always', 'finally'] as const) {
    if (program[part] !== undefined && typeof program[part] !== 'function') fail(`${where} ${part}`, 'a function', program[part])
  }
  for (const [title, witness] of Object.entries(program.sometimes ?? {})) {
    if (typeof witness !== 'function') fail(`${where} sometimes ${title}`, 'a function', witness)
  }
  if (program.history !== undefined) validateHistoryPromise(`${where} history`, program.history)
  if (program.faults !== undefined) validateFaults(where, program.faults, names)
  if (program.recover !== undefined && typeof program.recover !== 'function')
    fail(`${where} recover`, 'a function', program.recover)
  if ((program.recover === undefined) !== (program.faults?.crash === undefined)) {
    throw new ProgramError(
      `${where} recover and faults: crash belong together: expected both or none, found ${program.recover === undefined ? 'faults: crash' : 'recover'}`,
    )
  }
}

/** Throws a `ProgramError` when this is no promise about histories. */
export function validateHistoryPromise(where: string, promise: HistoryPromise): void {
  if (typeof promise !== 'object' || promise === null) fail(where, 'an object with a specification', promise)
  const { specification, condition = 'linearizable', guarantee, mayWait } = promise
  const { operations, key } = typeof specification === 'object' && specification !== null ? specification : {}
  if (typeof operations !== 'object' || operations === null || !('initial' in specification)) {
    fail(`${where}: specification`, 'an object with initial and operations', specification)
  }
  for (const [name, operation] of Object.entries(operations)) {
    if (typeof operation !== 'function') fail(`${where}: operation ${name}`, 'a function', operation)
  }
  if (key !== undefined && typeof key !== 'function') fail(`${where}: key`, 'a function', key)
  if (guarantee !== undefined && (typeof guarantee !== 'string' || guarantee === '')) {
    fail(`${where}: guarantee`, 'a string that is not empty', guarantee)
  }
  if (mayWait !== undefined && typeof mayWait !== 'boolean') fail(`${where}: mayWait`, 'true or false', mayWait)
  if (mayWait === true && (condition !== 'linearizable' || key !== undefined)) {
    throw new ProgramError(`${where}: mayWait can be judged only for linearizability, without keys: remove it`)
  }
  validateCondition(where, condition, Object.keys(operations), key !== undefined)
}

function validateCondition(where: string, condition: Condition, operations: readonly string[], hasKeys: boolean): void {
  if (condition === 'linearizable') return
  if (hasKeys) {
    throw new ProgramError(
      `${where}: a specification with keys can be judged key by key only for linearizability: remove the key`,
    )
  }
  if (condition === 'sequentially-consistent') return
  if (typeof condition !== 'object' || condition === null || typeof condition.quasi !== 'object' || condition.quasi === null) {
    fail(`${where}: condition`, `'linearizable', 'sequentially-consistent' or { quasi }`, condition)
  }
  for (const [name, most] of Object.entries(condition.quasi)) {
    if (!operations.includes(name)) fail(`${where}: quasi`, `operations of the specification (${operations.join(', ')})`, name)
    if (!Number.isInteger(most) || most < 0) fail(`${where}: quasi: ${name}`, 'an integer from 0', most)
  }
}

function validateFaults(where: string, faults: object, threads: readonly string[]): void {
  if (typeof faults !== 'object' || faults === null) fail(`${where} faults`, 'an object', faults)
  const { kill, kills, spurious, crash, unit, ...others } = faults as Faults<string>
  const [unknown] = Object.keys(others)
  if (unknown !== undefined) fail(`${where} faults`, 'kill, kills, spurious, crash and unit', unknown)
  if (kill !== undefined) {
    if (!Array.isArray(kill)) fail(`${where} faults: kill`, 'a list of threads', kill)
    for (const thread of kill) {
      if (!threads.includes(thread)) fail(`${where} faults: kill`, `threads of the program (${threads.join(', ')})`, thread)
    }
    if (new Set(kill).size < kill.length) fail(`${where} faults: kill`, 'each thread once', kill.join(', '))
  }
  const most = kill?.length ?? 0
  if (kills !== undefined && !(Number.isInteger(kills) && kills >= 1 && kills <= most)) {
    fail(
      `${where} faults: kills`,
      most === 0 ? 'a list kill beside it' : `an integer from 1 to ${most}, the length of kill`,
      kills,
    )
  }
  if (crash !== undefined && crash !== 'kill' && crash !== 'power') fail(`${where} faults: crash`, "'kill' or 'power'", crash)
  if (unit !== undefined && crash !== 'power') fail(`${where} faults: unit`, "crash: 'power' beside it", unit)
  if (unit !== undefined && unit !== 'word' && unit !== 'sector' && unit !== 'page') {
    fail(`${where} faults: unit`, "'word', 'sector' or 'page'", unit)
  }
  if (spurious !== undefined && typeof spurious !== 'boolean') fail(`${where} faults: spurious`, 'true or false', spurious)
}

function fail(what: string, expected: string, found: unknown): never {
  const shown = typeof found === 'string' ? JSON.stringify(found) : typeof found === 'function' ? 'a function' : String(found)
  throw new ProgramError(`${what}: expected ${expected}, found ${shown}`)
}
