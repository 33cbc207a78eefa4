import { clock } from '../model/guards.ts'
import { canonical } from '../model/plain-data.ts'
import { ProgramError } from '../model/validate.ts'
import { explore } from './explore.ts'
import { failureText } from './format.ts'
import type { Bounds, Failure, Verdict } from './report.ts'
import {
  type Arbitrary,
  numbered,
  type Scenario,
  type ScenarioBounds,
  type ScenarioCall,
  type ScenarioThread,
  type Subject,
  scenarioName,
  scenarioProgram,
  scenarios,
  validateSubject,
} from './scenario.ts'

/**
 * Explores scenarios of a structure, each exhaustively, until one fails. All of them are taken smallest first, so that the
 * first one that fails is the smallest; random ones are shrunk by fast-check, which the caller hands in: whoever checks
 * programs need not have it, and no second copy of it can come into play.
 */

export interface ScenarioOptions extends ScenarioBounds {
  /** So many random scenarios instead of all. */
  readonly random?: { readonly fastCheck: FastCheck; readonly runs: number; readonly seed?: number }
  /** What the search of one scenario may cost; one that hits a bound makes the verdict `inconclusive`. */
  readonly each?: Bounds
  /** At most so many seconds in all. */
  readonly seconds?: number
}

/** As much of fast-check as random scenarios are made with. */
export interface FastCheck {
  constantFrom(...values: unknown[]): Arbitrary
  constant(value: unknown): Arbitrary
  array(of: Arbitrary, constraints: { readonly minLength: number; readonly maxLength: number }): Arbitrary
  record(fields: Record<string, Arbitrary>): Arbitrary
  oneof(...of: Arbitrary[]): Arbitrary
  property(of: Arbitrary, predicate: (scenario: Scenario) => boolean): unknown
  check(property: never, parameters: object): { readonly counterexample: unknown }
}

export interface ScenarioReport {
  readonly subject: string
  readonly verdict: Verdict
  /** How many different scenarios were explored. */
  readonly scenarios: number
  /** Executions of all of them together. */
  readonly executions: number
  readonly seconds: number
  /** The smallest scenario that was found to fail, and how. */
  readonly failure?: Failure & { readonly scenario: Scenario }
}

/**
 * Explores the scenarios of a structure up to some size, all or random ones.
 *
 * @throws ProgramError when the structure or an option is not one
 */
export function exploreScenarios(subject: Subject, options: ScenarioOptions): ScenarioReport {
  validateSubject(subject, options)
  const start = clock()
  const { seconds = Number.POSITIVE_INFINITY, each = {} } = options
  const known = new Map<string, Failure | undefined>()
  let executions = 0
  let isBounded = false
  /** The failure of a scenario, if it has one. */
  const failureOf = (scenario: Scenario): Failure | undefined => {
    const key = scenarioKey(scenario)
    if (known.has(key)) return known.get(key)
    const left = seconds - (clock() - start) / 1000
    if (left <= 0) {
      isBounded = true
      return undefined
    }
    const bounds = left === Number.POSITIVE_INFINITY ? each : { ...each, seconds: Math.min(left, each.seconds ?? left) }
    const report = explore(scenarioProgram(subject, scenario), bounds)
    executions += report.executions
    if (report.verdict === 'inconclusive') isBounded = true
    known.set(key, report.failure)
    return report.failure
  }
  const scenario = options.random === undefined ? firstOf(subject, options, failureOf) : randomOf(subject, options, failureOf)
  const failure = scenario === undefined ? undefined : failureOf(scenario)
  return {
    subject: subject.name,
    verdict: failure !== undefined ? 'refuted' : isBounded ? 'inconclusive' : 'holds',
    scenarios: known.size,
    executions,
    seconds: (clock() - start) / 1000,
    ...(scenario === undefined || failure === undefined ? {} : { failure: { ...failure, scenario } }),
  }
}

function firstOf(
  subject: Subject,
  options: ScenarioOptions,
  failureOf: (scenario: Scenario) => Failure | undefined,
): Scenario | undefined {
  for (const scenario of scenarios(subject, options)) if (failureOf(scenario) !== undefined) return scenario
  return undefined
}

function randomOf(
  subject: Subject,
  options: ScenarioOptions,
  failureOf: (scenario: Scenario) => Failure | undefined,
): Scenario | undefined {
  const { fastCheck, runs, seed } = options.random as NonNullable<ScenarioOptions['random']>
  const arbitrary = randomScenarios(fastCheck, subject, options)
  const property = fastCheck.property(arbitrary, (scenario) => failureOf(scenario) === undefined)
  const { counterexample } = fastCheck.check(property as never, { numRuns: runs, ...(seed !== undefined && { seed }) })
  return (counterexample as [Scenario] | null)?.[0]
}

/** Random scenarios, which shrink to smaller ones. */
function randomScenarios(fastCheck: FastCheck, subject: Subject, { threads, operations, total }: ScenarioOptions): Arbitrary {
  const call = (operation: string, values: unknown): Arbitrary => {
    if (values === undefined || values === 'numbered') return fastCheck.constant({ operation })
    const argument = Array.isArray(values) ? fastCheck.constantFrom(...values) : (values as Arbitrary)
    if (typeof argument?.map !== 'function') {
      throw new ProgramError(
        `scenarios of ${subject.name}: ${operation}: expected values, 'numbered' or an arbitrary as arguments`,
      )
    }
    return fastCheck.record({ operation: fastCheck.constant(operation), argument })
  }
  const ofRole = Object.entries(subject.roles).map(([role, { operations: all }]) => {
    const calls = fastCheck.oneof(...Object.entries(all).map(([operation, { arguments: values }]) => call(operation, values)))
    return fastCheck.record({
      role: fastCheck.constant(role),
      calls: fastCheck.array(calls, { minLength: 1, maxLength: operations }),
    })
  })
  const all = fastCheck.array(fastCheck.oneof(...ofRole), { minLength: 1, maxLength: threads })
  return all.map((threadsOfAll: Scenario) => numbered(subject, inBounds(subject, threadsOfAll, total)))
}

/** Without threads that have no place, and without calls that are too many. */
function inBounds({ roles }: Subject, scenario: Scenario, total = Number.POSITIVE_INFINITY): Scenario {
  let left = total
  const kept: ScenarioThread[] = []
  for (const { role, calls } of scenario) {
    const { most = Number.POSITIVE_INFINITY } = roles[role]
    if (left === 0 || kept.filter((thread) => thread.role === role).length >= most) continue
    const some: readonly ScenarioCall[] = calls.slice(0, left)
    left -= some.length
    kept.push({ role, calls: some })
  }
  const names = Object.keys(roles)
  const text = (thread: ScenarioThread): string => canonical(thread.calls)
  return kept.sort((a, b) => names.indexOf(a.role) - names.indexOf(b.role) || (text(a) < text(b) ? -1 : 1))
}

function scenarioKey(scenario: Scenario): string {
  return canonical(scenario)
}

/** What came out, for people. */
export function scenariosText({ subject, verdict, scenarios: count, executions, failure }: ScenarioReport): string {
  const cost = `${count} scenarios, ${executions} executions`
  if (failure === undefined) return `${subject} ${verdict}: ${cost}`
  return `${failureText(`${subject}: ${scenarioName(failure.scenario)}`, failure, undefined)}\n\n${cost}`
}
