import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { checks } from '../../specs/ring/checks.ts'
import { guarantees } from '../../specs/ring/guarantees.ts'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const folder = (name: string) =>
  readdirSync(join(root, name))
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(join(root, name, file), 'utf8'))

/** Every guarantee of the ring that a safety comment in `core` cites. */
const cited = folder('core').flatMap((text) =>
  [...text.matchAll(/^\s*\/\/ Safety: (.+)$/gm)].flatMap(([, slugs]) =>
    (slugs as string).split(', ').filter((slug) => slug.startsWith('ring/')),
  ),
)
const programs = ['programs.ts', 'life-programs.ts']
  .map((file) => readFileSync(join(root, 'specs', 'ring', file), 'utf8'))
  .join('')
const slugs = Object.keys(guarantees)

describe('the guarantees of the ring', () => {
  it('are sentences', () => {
    for (const sentence of Object.values(guarantees)) expect(sentence).toMatch(/^[A-Z].*\.$/)
  })

  it('are all that safety comments in core cite', () => {
    expect(cited.length).toBeGreaterThan(15)
    expect(cited.filter((slug) => !slugs.includes(slug))).toEqual([])
  })

  it.each(slugs)('%s is cited in core, where it rests', (slug) => {
    expect(cited).toContain(slug)
  })

  it.each(slugs)('%s is broken by a mutant', (slug) => {
    const mutants = checks.filter(({ mutant, expect: { verdict } }) => mutant?.guarantee === slug && verdict === 'refuted')
    expect(mutants).not.toEqual([])
  })

  it.each(slugs)('%s is asserted by programs, or found by the search', (slug) => {
    if (slug !== 'ring/wakes') {
      expect(programs).toContain(`'${slug}'`)
      return
    }
    // That somebody sleeps for ever no program can say: the search finds the deadlock.
    for (const { mutant, expect: expected } of checks) {
      if (mutant?.guarantee === slug && expected.verdict === 'refuted') expect(expected.failure).toBe('deadlock')
    }
  })

  it('are all that programs and mutants name', () => {
    const named = [...programs.matchAll(/'(ring\/[a-z-]+)' satisfies Guarantee/g)].map(([, slug]) => slug)
    expect(named.length).toBeGreaterThan(10)
    expect(named.filter((slug) => !slugs.includes(slug as string))).toEqual([])
    for (const { mutant } of checks) if (mutant !== undefined) expect(slugs).toContain(mutant.guarantee)
  })
})
