import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type Check, checkedProgram, explore, replay, unmet } from '../../checker/index.ts'
import { SharedMemory } from '../../core/index.ts'
import { checks, counted } from '../../specs/sum-match/checks.ts'
import { guarantees } from '../../specs/sum-match/guarantees.ts'
import { mutants } from '../../specs/sum-match/mutants.ts'
import { prepare, receive, send, sendersMax, words, wordsOf } from '../../specs/sum-match/protocol.ts'
import { root } from '../checker/fixtures/installed-heddle.ts'
import { testEnumerated } from './structure.ts'

const title = ({ program, mutant }: Check) => (mutant === undefined ? program.name : `${program.name}, ${mutant.name}`)

describe('the checks of the sums', () => {
  it.each(checks.map((check) => [title(check), check] as const))('%s', (_, check) => {
    const program = checkedProgram(check)
    const report = explore(program)
    expect(unmet(check, report)).toBeUndefined()
    const { failure } = report
    if (failure === undefined) return
    expect(replay(program, failure.schedule).failure).toMatchObject({ kind: failure.kind, message: failure.message })
  })

  it('refute the protocol of the article until it is repaired three times', () => {
    const verdicts = checks
      .filter(({ program: { name } }) => /article(-repaired.*)?$/.test(name))
      .map(({ expect: { verdict } }) => verdict)
    expect(verdicts).toEqual(['refuted', 'refuted', 'refuted', 'holds'])
  })
})

describe('the counts of the sums', () => testEnumerated(counted))

describe('the guarantees of the sums', () => {
  const folder = join(root, 'specs', 'sum-match')
  const slugs = Object.keys(guarantees)
  const protocol = readFileSync(join(folder, 'protocol.ts'), 'utf8')
  const cited = [...protocol.matchAll(/\/\/ Safety: (.+)$/gm)].flatMap(([, list]) => list.split(', '))

  it('are sentences', () => {
    for (const sentence of Object.values(guarantees)) expect(sentence).toMatch(/^[A-Z].*\.$/)
  })

  it('are cited where they rest, and broken by mutants', () => {
    expect([...new Set(cited)].sort()).toEqual([...slugs].sort())
    expect([...new Set(mutants.map(({ mutant }) => mutant?.guarantee))].sort()).toEqual([...slugs].sort())
  })
})

describe('the protocol', () => {
  it.each([1, 31, sendersMax])('has a bit for each of %i senders', (senders) => {
    const shape = { senders, messages: 2 }
    const memory = new SharedMemory(wordsOf(shape))
    prepare(memory, shape, [...Array(senders).keys()])
    for (let sender = 0; sender < senders; sender++) {
      expect(memory.load(words.live)).not.toBe(0)
      send(memory, shape, sender, (n) => 100 * sender + n)
    }
    expect(memory.load(words.live)).toBe(0)
    expect(receive(memory, shape)).toEqual(Array.from({ length: senders }, (_, sender) => 200 * sender + 1))
  })

  it('keeps senders apart by lines', () => {
    const shape = { senders: 3, messages: 33 }
    const places = [0, 1, 2].flatMap((sender) => [words.participant(sender, shape), words.value(sender, 32, shape)])
    expect(places.map((word) => Math.floor(word / 32))).toEqual([1, 3, 4, 6, 7, 9])
    expect(wordsOf(shape)).toBe(320)
  })
})
