import { describe, expect, it } from 'vitest'
import { type Check, checkedProgram, explore, type Mutant, replay, unmet } from '../../checker/index.ts'
import { checks, counted } from '../../specs/ring/checks.ts'
import { equivalents } from '../../specs/ring/mutants.ts'
import { bruteForce } from '../oracle/brute-force.ts'

/** No check takes a second on an idle machine, but for one that takes three. */
const seconds = 60

const title = ({ program, mutant }: Check) => (mutant === undefined ? program.name : `${program.name}, ${mutant.name}`)
const titled = (list: readonly Check[]) => list.map((check) => [title(check), check] as const)

describe('the checks of the ring', () => {
  it('have names of their own', () => {
    const titles = checks.map(title)
    expect(new Set(titles).size).toBe(titles.length)
  })

  it.each(titled(checks))(
    '%s',
    (_, check) => {
      const program = checkedProgram(check)
      const report = explore(program, { seconds, ...check.bounds })
      expect(unmet(check, report)).toBeUndefined()
      if (report.failure === undefined) return
      const { kind, guarantee, schedule } = report.failure
      const again = replay(program, schedule)
      expect([again.failure?.kind, again.failure?.guarantee]).toEqual([kind, guarantee])
    },
    120_000,
  )

  it('are refuted by a guarantee or by the search, never by a data race or a crash', () => {
    const refuted = checks.filter(({ expect: { verdict } }) => verdict === 'refuted')
    expect(refuted.length).toBeGreaterThan(70)
    for (const check of refuted) {
      expect((check.mutant as Mutant).memory).toBeTypeOf('function')
      expect([undefined, 'deadlock', 'livelock']).toContain(check.expect.failure)
    }
  })

  it('say why a mistake that changes nothing changes nothing', () => {
    for (const { check, why } of equivalents) {
      expect(check.expect.verdict).toBe('holds')
      expect(why.length).toBeGreaterThan(20)
    }
  })
})

describe('the counts of the ring', () => {
  const slow = process.env.HEDDLE_SLOW === '1'
  const enumerable = counted.filter(({ source: { kind } }) => kind !== 'smaller' && (slow || kind !== 'enumerated-once'))

  it.each(enumerable.map((one) => [one.program.name, one] as const))(
    '%s: the oracle enumerates the same number',
    (_, { program, executions }) => {
      const truth = bruteForce(program, { states: 500_000, operations: 200 })
      expect(truth.limited).toBe(false)
      expect([...truth.failures]).toEqual([])
      expect(truth.executions.size).toBe(executions)
    },
    300_000,
  )

  it('of programs too big for that have a smaller program of the same family that is enumerated', () => {
    const family = (name: string) => name.replaceAll(/[\d+]+/g, '').replace(/-$/, '')
    for (const { program, source } of counted) {
      if (source.kind !== 'smaller') continue
      const [base] = counted.filter((other) => other.program.name === source.program)
      expect(base?.source.kind).toBe('enumerated')
      expect(family(source.program)).toBe(family(program.name))
    }
  })
})
