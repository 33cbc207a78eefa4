import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { checkedProgram, explore } from '../../checker/index.ts'
import { watching } from '../../specs/mutate.ts'
import { root } from '../checker/fixtures/installed-heddle.ts'
import { structureOf, testPart } from './structure.ts'

const waiting = await structureOf('waiting')

testPart(waiting)

/** The lines of `core/patience.ts` that touch shared memory. */
const lines = readFileSync(join(root, 'core', 'patience.ts'), 'utf8').split('\n')
const places = lines.flatMap((line, index) => {
  const [, operation] = /^ {4}.*\bmemory\.(\w+)\(/.exec(line) ?? []
  return operation === undefined ? [] : [[index + 1, operation] as const]
})

describe('the places where a thread that waits touches shared memory', () => {
  const spoilt = new Set<number>()

  it('are found in the source', () => {
    expect(places.map(([, operation]) => operation)).toEqual(['now', 'pause', 'load', 'compareExchange', 'now', 'wait'])
  })

  it('are spoilt by mistakes of those who yield or spin', () => {
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 60
    try {
      const note = () => {
        const [, line] = /\/core\/patience\.ts:(\d+)/.exec(new Error('here').stack ?? '') ?? []
        spoilt.add(Number(line))
      }
      for (const check of waiting.checks) if (check.mutant !== undefined) watching(note, () => explore(checkedProgram(check)))
    } finally {
      Error.stackTraceLimit = stackTraceLimit
    }
    expect(places.filter(([line]) => !spoilt.has(line))).toEqual([])
  })
})
