import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type Check, checkedProgram, explore, replay, unmet } from '../../checker/index.ts'
import { checks, counted } from '../../specs/queue/checks.ts'
import { guarantees } from '../../specs/queue/guarantees.ts'
import { mutants } from '../../specs/queue/mutants.ts'
import { root } from '../checker/fixtures/installed-heddle.ts'
import { testEnumerated } from './structure.ts'

const title = ({ program, mutant }: Check) => (mutant === undefined ? program.name : `${program.name}, ${mutant.name}`)

describe('the checks of the queue', () => {
  it('have names of their own', () => {
    const titles = checks.map(title)
    expect(new Set(titles).size).toBe(titles.length)
  })

  it.each(checks.map((check) => [title(check), check] as const))(
    '%s',
    (_, check) => {
      const program = checkedProgram(check)
      const report = explore(program, { seconds: 60 })
      expect(unmet(check, report)).toBeUndefined()
      const { failure } = report
      if (failure === undefined) return
      expect(replay(program, failure.schedule).failure).toMatchObject({ kind: failure.kind, message: failure.message })
    },
    120_000,
  )
})

describe('the counts of the queue', () => testEnumerated(counted))

describe('the guarantees of the queue', () => {
  const slugs = Object.keys(guarantees).sort()
  const core = readdirSync(join(root, 'core')).map((file) => readFileSync(join(root, 'core', file), 'utf8'))
  const cited = core.flatMap((text) =>
    [...text.matchAll(/\/\/ Safety: (.+)$/gm)].flatMap(([, list]) =>
      list.split(', ').filter((slug) => slug.startsWith('queue/')),
    ),
  )

  it('are sentences', () => {
    for (const sentence of Object.values(guarantees)) expect(sentence).toMatch(/^[A-Z].*\.$/)
  })

  it('are cited where they rest, and broken by mutants', () => {
    expect([...new Set(cited)].sort()).toEqual(slugs)
    expect([...new Set(mutants.map(({ mutant }) => mutant?.guarantee))].sort()).toEqual(slugs)
  })
})
