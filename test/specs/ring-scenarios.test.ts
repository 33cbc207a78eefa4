import { describe, expect, it } from 'vitest'
import type { Mutant } from '../../checker/index.ts'
import { exploreScenarios, replay, scenarioProgram } from '../../checker/index.ts'
import { mutants } from '../../specs/ring/mutants.ts'
import { mutated, subjects } from '../../specs/ring/scenarios.ts'

/** Mistakes that no result of an operation shows, and why. Their own programs find them. */
const invisible: readonly (readonly [pattern: RegExp, why: string])[] = [
  [/keeps an announcement in the word$|notifies always$/, 'a notify that wakes nobody changes no result'],
  [/gives up before it (looked again|slept)$/, 'the clock of the checker stands still: it is never too early to give up'],
  [/where the first reader began$/, 'only who stands behind it asks for that, and here nobody does'],
]
const isInvisible = ({ name }: Mutant): boolean => invisible.some(([pattern]) => pattern.test(name))

const all = mutants.map(({ mutant }) => mutant as Mutant)
const visible = all.filter((mutant) => !isInvisible(mutant))

describe('scenarios of the ring', () => {
  it.each(subjects.map(([subject, bounds]) => [subject.name, subject, bounds] as const))('%s holds', (_, subject, bounds) => {
    const report = exploreScenarios(subject, bounds)
    expect(report.failure?.message).toBeUndefined()
    expect(report.verdict).toBe('holds')
    expect(report.executions).toBeGreaterThanOrEqual(report.scenarios)
  })

  it('see most mistakes', () => {
    expect(visible.length).toBeGreaterThan(0.8 * all.length)
  })

  it.each(visible.map((mutant) => [mutant.name, mutant] as const))('find: %s', (_, mutant) => {
    for (const [subject, bounds] of subjects) {
      const spoilt = mutated(subject, mutant)
      const { failure } = exploreScenarios(spoilt, bounds)
      if (failure === undefined) continue
      expect(['assertion', 'deadlock', 'thrown']).toContain(failure.kind)
      const again = replay(scenarioProgram(spoilt, failure.scenario), failure.schedule).failure
      expect([again?.kind, again?.message]).toEqual([failure.kind, failure.message])
      return
    }
    expect.fail('no scenario finds it')
  })

  // That nothing finds these takes all scenarios of all subjects for each.
  const slow = process.env.HEDDLE_SLOW === '1'
  const unseen = all.filter(isInvisible).slice(0, slow ? undefined : 1)
  it.each(unseen.map((mutant) => [mutant.name, mutant] as const))('cannot find: %s', (_, mutant) => {
    const found = subjects.filter(([subject, bounds]) => exploreScenarios(mutated(subject, mutant), bounds).failure !== undefined)
    expect(found.map(([subject]) => subject.name)).toEqual([])
  })
})
