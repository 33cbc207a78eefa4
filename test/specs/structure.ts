import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Check, checkedProgram, explore, type Report, replay, unmet } from '../../checker/index.ts'
import type { Case } from '../../specs/cases.ts'
import type { Counted } from '../../specs/counted.ts'
import type { Equivalent } from '../../specs/mutants.ts'
import { instead, mutate, watching } from '../../specs/mutate.ts'
import { root } from '../checker/fixtures/installed-heddle.ts'
import { bruteForce } from '../oracle/brute-force.ts'
import { type Place, placeHere, placesOf } from './places.ts'

/** A structure of `core` and its folder in `specs`. */
interface Structure {
  readonly name: string
  readonly checks: readonly Check[]
  readonly counted: readonly Counted[]
  readonly guarantees: Readonly<Record<string, string>>
  readonly equivalents: readonly Equivalent[]
  /** The text of its programs. */
  readonly programs: string
}

/** Reads a folder of `specs`. */
export async function structureOf(name: string): Promise<Structure> {
  const folder = join(root, 'specs', name)
  const [checks, guarantees, mutants] = await Promise.all(
    ['checks.ts', 'guarantees.ts', 'mutants.ts'].map((file) => import(join(folder, file))),
  )
  const programs = readdirSync(folder).filter((file) => file.endsWith('programs.ts'))
  return {
    name,
    checks: checks.checks,
    counted: checks.counted,
    guarantees: guarantees.guarantees,
    equivalents: mutants.equivalents,
    programs: programs.map((file) => readFileSync(join(folder, file), 'utf8')).join(''),
  }
}

/** No check takes a second on an idle machine, but for few. */
const seconds = 60

const title = ({ program, mutant }: Check) => (mutant === undefined ? program.name : `${program.name}, ${mutant.name}`)
const isRefuted = ({ expect: { verdict } }: Check) => verdict === 'refuted'

/** What a search says of a check, and what its counterexample shows when it is replayed. */
interface Judged {
  readonly report: Report
  readonly again: Report | undefined
  /** The places that the mutant spoils in the counterexample. */
  readonly spoilt: ReadonlySet<Place>
}

/** Judges the checks of a structure, each once, whoever asks. */
function judge(name: string): (check: Check) => Judged {
  const known = new Map<Check, Judged>()
  return (check) => {
    const judged = known.get(check) ?? judgeOnce(name, check)
    known.set(check, judged)
    return judged
  }
}

function judgeOnce(name: string, check: Check): Judged {
  const program = checkedProgram(check)
  const report = explore(program, { seconds, ...check.bounds })
  const { failure } = report
  if (failure === undefined) return { report, again: undefined, spoilt: new Set() }
  let again: Report | undefined
  const spoilt = reachedBy(name, () => {
    again = replay(program, failure.schedule)
  })
  return { report, again, spoilt }
}

/** Tests that a structure keeps what its spec promises, and that the spec is whole. */
export function testStructure(structure: Structure): void {
  const judged = judge(structure.name)
  testChecks(structure, judged)
  testCounts(structure)
  testGuarantees(structure)
  testPlaces(structure, judged)
}

/** The same of what structures have in common, which has no shared memory of its own. */
export function testPart(structure: Structure): void {
  testChecks(structure, judge(structure.name))
  testCounts(structure)
  testGuarantees(structure)
}

function testChecks({ name, checks, counted, equivalents }: Structure, judged: (check: Check) => Judged): void {
  describe(`the checks of the ${name}`, () => {
    it('have names of their own', () => {
      const titles = checks.map(title)
      expect(new Set(titles).size).toBe(titles.length)
    })

    it.each(checks.map((check) => [title(check), check] as const))(
      '%s',
      (_, check) => {
        const { report, again } = judged(check)
        expect(unmet(check, report)).toBeUndefined()
        expect([again?.failure?.kind, again?.failure?.guarantee]).toEqual([report.failure?.kind, report.failure?.guarantee])
      },
      120_000,
    )

    it('are refuted by a guarantee or by the search, never by a data race or a crash', () => {
      const refuted = checks.filter(isRefuted)
      expect(refuted.length).toBeGreaterThan(20)
      for (const { program, mutant, expect: expected } of refuted) {
        // A mistake of the memory, or of the program, which then is not one of those that hold.
        if (mutant?.memory === undefined) expect(counted.map((one) => one.program.name)).not.toContain(program.name)
        expect([undefined, 'deadlock', 'livelock']).toContain(expected.failure)
      }
    })

    it('say why a mistake that changes nothing changes nothing', () => {
      for (const { check, why } of equivalents) {
        expect(check.expect.verdict).toBe('holds')
        expect(why.length).toBeGreaterThan(20)
      }
    })
  })
}

/** Tests that the counts from an enumeration are those of the oracle. */
export function testEnumerated(counted: readonly Counted[]): void {
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
}

function testCounts({ name, counted }: Structure): void {
  describe(`the counts of the ${name}`, () => {
    testEnumerated(counted)

    it('of programs too big for that have a smaller program of the same family that is enumerated', () => {
      const family = (programName: string) => programName.replaceAll(/[\d+]+/g, '').replace(/-$/, '')
      for (const { program, source } of counted) {
        if (source.kind !== 'smaller') continue
        const [base] = counted.filter((other) => other.program.name === source.program)
        expect(base?.source.kind).toMatch(/^enumerated/)
        expect(family(source.program)).toBe(family(program.name))
      }
    })
  })
}

function testGuarantees({ name, checks, guarantees, programs }: Structure): void {
  const slugs = Object.keys(guarantees)
  const core = readdirSync(join(root, 'core'))
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(join(root, 'core', file), 'utf8'))
  /** The guarantees of the structure that safety comments in core cite. */
  const cited = core.flatMap((text) =>
    [...text.matchAll(/^\s*\/\/ Safety: (.+)$/gm)].flatMap(([, all]) =>
      (all as string).split(', ').filter((slug) => slug.startsWith(`${name}/`)),
    ),
  )

  describe(`the guarantees of the ${name}`, () => {
    it('are sentences', () => {
      for (const sentence of Object.values(guarantees)) expect(sentence).toMatch(/^[A-Z].*\.$/)
    })

    it('are all that safety comments in core cite', () => {
      expect(cited.filter((slug) => !slugs.includes(slug))).toEqual([])
    })

    it.each(slugs)('%s is cited in core, where it rests', (slug) => {
      expect(cited).toContain(slug)
    })

    it.each(slugs)('%s is broken by a mutant', (slug) => {
      expect(checks.filter((check) => isRefuted(check) && check.mutant?.guarantee === slug)).not.toEqual([])
    })

    it.each(slugs)('%s is asserted by programs, or found by the search', (slug) => {
      if (programs.includes(`'${slug}'`)) return
      // That somebody sleeps for ever no program can say: the search finds the deadlock. Likewise a wait for the dead.
      for (const { mutant, expect: expected } of checks.filter(isRefuted)) {
        if (mutant?.guarantee === slug) expect(expected.failure).toMatch(/^(deadlock|livelock)$/)
      }
    })

    it('are all that programs and mutants name', () => {
      const named = [...programs.matchAll(/'([a-z-]+\/[a-z-]+)' satisfies Guarantee/g)].map(([, slug]) => slug)
      expect(named.length).toBeGreaterThan(5)
      expect(named.filter((slug) => !slugs.includes(slug as string))).toEqual([])
      for (const { mutant } of checks) if (mutant !== undefined) expect(slugs).toContain(mutant.guarantee)
    })
  })
}

/** The places where mutants spoil a call while `body` runs. */
function reachedBy(name: string, body: () => unknown): Set<Place> {
  const reached = new Set<Place>()
  watching(() => {
    const place = placeHere(name)
    if (place !== undefined) reached.add(place)
  }, body)
  return reached
}

/** The places that serve creating and attaching; undefined for a structure that uses all that `layout.ts` has. */
function reachedByCreation({ name, counted }: Structure): Set<Place> | undefined {
  const creation = counted.find((one) => one.program.name.endsWith('/attach-while-created'))
  if (creation === undefined) return undefined
  const reached = new Set<Place>()
  const { program } = creation
  for (const operation of ['read', 'write', 'load', 'store'] as const) {
    const memory = mutate(
      { operation },
      instead(({ perform, args }) => perform(...args)),
    )
    const check: Check = { program, mutant: { name: 'no mistake', guarantee: '', memory }, expect: { verdict: 'holds' } }
    for (const place of reachedBy(name, () => explore(checkedProgram(check)))) reached.add(place)
  }
  return reached
}

function testPlaces(structure: Structure, judged: (check: Check) => Judged): void {
  const { name, checks, equivalents } = structure
  const used = reachedByCreation(structure)
  const places = placesOf(name).filter(({ place }) => used?.has(place) !== false || !place.startsWith('layout.ts'))
  /** Spoilt in the counterexample of a mutant. */
  const refuted = new Set<Place>()
  /** Spoilt by a mistake that changes nothing. */
  const explained = new Set<Place>()

  describe(`the places where the ${name} touches shared memory`, () => {
    beforeAll(() => {
      for (const check of checks.filter(isRefuted)) for (const place of judged(check).spoilt) refuted.add(place)
      for (const { check } of equivalents) {
        for (const place of reachedBy(name, () => explore(checkedProgram(check)))) explained.add(place)
      }
    }, 120_000)

    it('are found in the source, and are all that mutants spoil', () => {
      expect(places.filter(({ place }) => place.startsWith('layout.ts')).length).toBeGreaterThan(5)
      expect(places.length).toBeGreaterThan(10)
      const known = places.map(({ place }) => place)
      expect(new Set(known).size).toBe(known.length)
      expect([...refuted, ...explained].filter((place) => !known.includes(place))).toEqual([])
    })

    it.each(places.map(({ place, operation }) => [place, operation] as const))(
      '%s, %s, is spoilt by a mutant that is refuted, or by one that is explained',
      (place) => {
        expect(refuted.has(place) || explained.has(place)).toBe(true)
      },
    )
  })
}

/** Tests that what a table says of cases is so: the programs, the mistakes and the tests that it names are there. */
export function testCases({ name, checks }: Structure, cases: Readonly<Record<string, Case>>): void {
  const programs = checks.filter(({ mutant }) => mutant === undefined).map(({ program }) => program.name)
  const mutants = checks.filter(isRefuted).map(({ mutant }) => mutant?.name)

  describe(`what went wrong in other systems, and the ${name}`, () => {
    it.each(Object.entries(cases))('%s has programs that would show it, and mistakes that prove so', (_, one) => {
      const { tests = {}, open } = one
      if (open === undefined) {
        expect(one.programs.length).toBeGreaterThan(0)
        expect(one.mutants.length).toBeGreaterThan(0)
      } else {
        expect(open.length).toBeGreaterThan(20)
      }
      expect(one.programs.filter((part) => !programs.some((program) => program.includes(part)))).toEqual([])
      expect(one.mutants.filter((mutant) => !mutants.includes(mutant))).toEqual([])
      for (const [file, title] of Object.entries(tests)) {
        expect(readFileSync(join(root, 'test', 'core', file), 'utf8')).toContain(title)
      }
    })
  })
}
