import type { Faults, Program } from './program.ts'

/** A program that cannot be run, with what was expected and what came. */
export class ProgramError extends Error {
  override readonly name = 'ProgramError'
}

const largest = 2 ** 24

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
  if (program.faults !== undefined) validateFaults(where, program.faults, names)
  if (program.recover !== undefined) {
    throw new ProgramError(`${where} recover needs crashes, which cannot be explored yet: remove it`)
  }
}

function validateFaults(where: string, faults: object, threads: readonly string[]): void {
  if (typeof faults !== 'object' || faults === null) fail(`${where} faults`, 'an object', faults)
  const { kill, kills, spurious, ...others } = faults as Faults<string>
  const [unknown] = Object.keys(others)
  if (unknown === 'crash' || unknown === 'unit') {
    throw new ProgramError(`${where} faults: ${unknown} cannot be explored yet: remove it`)
  }
  if (unknown !== undefined) fail(`${where} faults`, 'kill, kills and spurious', unknown)
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
  if (spurious !== undefined && typeof spurious !== 'boolean') fail(`${where} faults: spurious`, 'true or false', spurious)
}

function fail(what: string, expected: string, found: unknown): never {
  const shown = typeof found === 'string' ? JSON.stringify(found) : typeof found === 'function' ? 'a function' : String(found)
  throw new ProgramError(`${what}: expected ${expected}, found ${shown}`)
}
