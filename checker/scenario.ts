import type { Memory } from '../core/memory.ts'
import { canonical } from '../model/plain-data.ts'
import type { Mark, Program } from '../model/program.ts'
import type { HistoryPromise } from '../model/sequential.ts'
import { ProgramError } from '../model/validate.ts'

/**
 * Small programs that nobody had to think of: a few threads, each with a few operations of a structure. Every one of them can
 * be explored exhaustively, and its history judged (Lincheck's scenarios: Koval, Fedorov, Sokolova, Tsitelov and Alistarh,
 * "Lincheck: a practical framework for testing concurrent data structures on JVM", 2023).
 */

/** An operation of a structure as scenarios call it. */
export interface ScenarioOperation<Handle> {
  /** Calls it; what it returns is plain data, and is what the specification has to explain. */
  call(handle: Handle, argument: never): unknown
  /**
   * What it is called with: each of these values; `'numbered'`: 1, 2, 3 ..., no two calls of a scenario the same; or an
   * arbitrary of fast-check, for random scenarios. Left out: it takes no argument.
   */
  readonly arguments?: readonly unknown[] | 'numbered' | Arbitrary
}

/** As much of an arbitrary of fast-check as scenarios need. */
export interface Arbitrary {
  // biome-ignore lint/suspicious/noExplicitAny: an arbitrary of whatever the operation takes
  map<U>(mapper: (value: any) => U): Arbitrary
}

/** What some threads do with a structure: produce, consume, own, steal. Threads of one role are interchangeable. */
export interface Role<Handle> {
  /** How many threads may have it; default: any number. */
  readonly most?: number
  /** Joins the structure, as each thread does for itself. */
  attach(memory: Memory, thread: { readonly name: string; readonly index: number }): Handle
  readonly operations: Readonly<Record<string, ScenarioOperation<Handle>>>
}

/** A structure as scenarios use it. */
export interface Subject extends Pick<Program, 'name' | 'words' | 'setup' | 'always' | 'faults'> {
  /** What the structure promises of the operations' results. */
  readonly history: HistoryPromise
  // biome-ignore lint/suspicious/noExplicitAny: each role has handles of its own type
  readonly roles: Readonly<Record<string, Role<any>>>
}

/** Describes a role; only helps TypeScript to infer the type of its handles. */
export function role<Handle>(description: Role<Handle>): Role<Handle> {
  return description
}

/** One call of a scenario. */
export interface ScenarioCall {
  readonly operation: string
  readonly argument?: unknown
}

/** What one thread of a scenario does. */
export interface ScenarioThread {
  readonly role: string
  readonly calls: readonly ScenarioCall[]
}

/** A small program, as data. */
export type Scenario = readonly ScenarioThread[]

/** How large scenarios are. */
export interface ScenarioBounds {
  /** At most so many threads. */
  readonly threads: number
  /** At most so many operations in one thread. */
  readonly operations: number
  /** At most so many operations in all; default: no bound but the other two. */
  readonly total?: number
}

/** Throws a `ProgramError` when there can be no scenario. */
export function validateSubject({ name, roles }: Subject, bounds: ScenarioBounds): void {
  for (const bound of ['threads', 'operations', 'total'] as const) {
    const value = bounds[bound]
    if ((bound !== 'total' || value !== undefined) && !(Number.isSafeInteger(value) && (value as number) > 0)) {
      throw new ProgramError(`scenarios of ${name}: ${bound}: expected a positive integer, found ${String(value)}`)
    }
  }
  if (Object.values(roles).every(({ operations }) => Object.keys(operations).length === 0)) {
    throw new ProgramError(`scenarios of ${name}: expected a role with an operation, found none`)
  }
}

/** The program of a scenario. */
export function scenarioProgram(subject: Subject, scenario: Scenario): Program {
  const { roles, name, ...rest } = subject
  const counts = new Map<string, number>()
  const threads = scenario.map(({ role, calls }) => {
    const index = counts.get(role) ?? 0
    counts.set(role, index + 1)
    const thread = { name: roles[role].most === 1 ? role : `${role}${index}`, index }
    const { attach, operations } = roles[role]
    const body = (memory: Memory, mark: Mark): void => {
      const handle = attach.call(roles[role], memory, thread)
      for (const { operation, argument } of calls) {
        mark('call', operation, argument)
        mark('return', operation, operations[operation].call(handle, argument as never))
      }
    }
    return [thread.name, body]
  })
  return { ...rest, name: `${name}/${scenarioName(scenario)}`, threads: Object.fromEntries(threads) }
}

/** A scenario in one line: `enqueue(1) enqueue(2) | dequeue()`. */
export function scenarioName(scenario: Scenario): string {
  return scenario.map(({ calls }) => calls.map(callName).join(' ')).join(' | ')
}

function callName({ operation, argument }: ScenarioCall): string {
  return `${operation}(${argument === undefined ? '' : canonical(argument)})`
}

/**
 * All scenarios up to the bounds, those with the fewest operations first, then those with the fewest threads. Scenarios that
 * differ only in the order of threads of one role, or in who has which number, are one.
 *
 * @throws ProgramError when a bound is no positive integer, or an argument is an arbitrary, of which nobody knows all values
 */
export function* scenarios(subject: Subject, bounds: ScenarioBounds): Generator<Scenario> {
  validateSubject(subject, bounds)
  const { threads, operations, total = threads * operations } = bounds
  const kinds = Object.entries(subject.roles).map(([name, role]) => {
    const calls = Object.entries(role.operations).flatMap(([operation, description]) =>
      valuesOf(subject, operation, description).map((argument) =>
        argument === undefined ? { operation } : { operation, argument },
      ),
    )
    return { role: name, calls, most: Math.min(role.most ?? threads, threads) }
  })
  for (let size = 1; size <= Math.min(total, threads * operations); size++) {
    for (let count = 1; count <= Math.min(threads, size); count++) {
      for (const lengths of partitions(size, count, operations)) {
        for (const scenario of withLengths(kinds, lengths)) yield numbered(subject, scenario)
      }
    }
  }
}

/** What stands for the values of an argument; a number that is still to be given is `'numbered'`. */
function valuesOf(subject: Subject, operation: string, { arguments: values }: ScenarioOperation<never>): readonly unknown[] {
  if (values === undefined) return [undefined]
  if (values === 'numbered') return [numberedLater]
  if (Array.isArray(values)) return values
  throw new ProgramError(
    `scenarios of ${subject.name}: ${operation}: an arbitrary gives values for random scenarios; for all scenarios list the values`,
  )
}

const numberedLater: unique symbol = Symbol('numbered')

/** Gives each call that wants a number its own, in order. */
export function numbered({ roles }: Subject, scenario: Scenario): Scenario {
  let next = 1
  return scenario.map(({ role, calls }) => ({
    role,
    calls: calls.map((call) =>
      roles[role].operations[call.operation].arguments === 'numbered' ? { operation: call.operation, argument: next++ } : call,
    ),
  }))
}

/** The ways to write a number as a sum of so many parts, not counting their order; the largest first. */
function* partitions(size: number, count: number, largest: number): Generator<readonly number[]> {
  if (count === 0) {
    if (size === 0) yield []
    return
  }
  for (let part = Math.min(largest, size - count + 1); part * count >= size; part--) {
    for (const rest of partitions(size - part, count - 1, part)) yield [part, ...rest]
  }
}

interface Kind {
  readonly role: string
  readonly calls: readonly ScenarioCall[]
  readonly most: number
}

/** Every scenario whose threads have these lengths, each multiset of threads once. */
function* withLengths(kinds: readonly Kind[], lengths: readonly number[]): Generator<Scenario> {
  const choices = new Map(lengths.map((length) => [length, [...sequences(kinds, length)]]))
  const build = function* (chosen: Scenario, from: number): Generator<Scenario> {
    const length = lengths[chosen.length]
    if (length === undefined) {
      yield [...chosen].sort((a, b) => rank(kinds, a) - rank(kinds, b))
      return
    }
    const sameLength = length === lengths[chosen.length - 1]
    const threads = choices.get(length) as readonly ScenarioThread[]
    for (let index = sameLength ? from : 0; index < threads.length; index++) {
      const thread = threads[index]
      const { most } = kinds[rank(kinds, thread)]
      if (chosen.filter(({ role }) => role === thread.role).length < most) yield* build([...chosen, thread], index)
    }
  }
  yield* build([], 0)
}

function rank(kinds: readonly Kind[], thread: ScenarioThread): number {
  return kinds.findIndex(({ role }) => role === thread.role)
}

/** Everything that one thread can do in so many calls. */
function* sequences(kinds: readonly Kind[], length: number): Generator<ScenarioThread> {
  for (const { role, calls } of kinds) {
    let all: (readonly ScenarioCall[])[] = [[]]
    for (let i = 0; i < length; i++) all = all.flatMap((before) => calls.map((call) => [...before, call]))
    for (const one of all) yield { role, calls: one }
  }
}
