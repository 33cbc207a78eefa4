import { describe, expect, it } from 'vitest'
import { explore, type FailureKind, replay } from '../../checker/index.ts'
import { type Litmus, litmusOutcome, litmusProgram, litmusTests, type Outcome } from './litmus.ts'

const named = (tests: readonly Litmus[]): [string, Litmus][] => tests.map((test) => [test.name, test])
const racy = litmusTests.filter((test) => test.racy)
const deadlocking = litmusTests.filter((test) => !test.racy && test.deadlock_possible)
const finishing = litmusTests.filter((test) => !test.racy && !test.deadlock_possible)

/** Outcomes as a set that can be compared. */
function canonical(outcomes: readonly Outcome[]): readonly string[] {
  const sorted = (outcome: Outcome): Outcome => Object.fromEntries(Object.entries(outcome).sort(([a], [b]) => (a < b ? -1 : 1)))
  return [...new Set(outcomes.map((outcome) => JSON.stringify(sorted(outcome))))].sort()
}

describe('litmus tests of aligned words under sequential consistency', () => {
  it('are all here, of every kind', () => {
    expect([racy.length, deadlocking.length, finishing.length]).toEqual([21, 2, 24])
    expect(deadlocking.every((test) => test.allowed_sc.some((outcome) => '!' in outcome))).toBe(true)
    expect(finishing.every((test) => test.allowed_sc.length > 0)).toBe(true)
  })

  it.each(named(finishing))('%s: exactly the allowed outcomes', (_, test) => {
    const report = explore(litmusProgram(test), { outcomes: true })
    expect(report.verdict).toBe('holds')
    const seen = (report.outcomes ?? []).map((outcome) => litmusOutcome(test, outcome))
    expect(canonical(seen)).toEqual(canonical(test.allowed_sc))
  })

  it.each(named(racy))('%s: a data race', (_, test) => fails(test, 'data-race'))

  it.each(named(deadlocking))('%s: a deadlock', (_, test) => fails(test, 'deadlock'))
})

/** Exploring finds that failure, and its schedule shows it again. */
function fails(test: Litmus, kind: FailureKind): void {
  const program = litmusProgram(test)
  const { verdict, failure } = explore(program)
  expect({ verdict, kind: failure?.kind }).toEqual({ verdict: 'refuted', kind })
  expect(replay(program, failure?.schedule ?? '').failure).toEqual(failure)
}
