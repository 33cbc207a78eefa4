import { describe, expect, it } from 'vitest'
import { cases } from '../../specs/ring/cases.ts'
import { checks, counted } from '../../specs/ring/checks.ts'
import { structureOf, testStructure } from './structure.ts'

testStructure(await structureOf('ring'))

describe('what went wrong in other systems', () => {
  const programs = counted.map(({ program }) => program.name)
  const mutants = checks.filter(({ expect: { verdict } }) => verdict === 'refuted').map(({ mutant }) => mutant?.name)

  it.each(Object.entries(cases))('%s has programs that would show it, and mistakes that prove so', (_, one) => {
    expect(one.programs.length).toBeGreaterThan(0)
    expect(one.programs.filter((part) => !programs.some((name) => name.includes(part)))).toEqual([])
    expect(one.mutants.length).toBeGreaterThan(0)
    expect(one.mutants.filter((name) => !mutants.includes(name))).toEqual([])
  })
})
