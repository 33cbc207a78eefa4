/** What a search keeps while it walks, and what it does not do in vain. Its counts are compared elsewhere. */

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { defaultEvents } from '../../checker/bounds.ts'
import { initialMemory } from '../../checker/run.ts'
import { type Leaf, Search } from '../../checker/search.ts'
import { withGuards } from '../../model/guards.ts'
import { threadsOf } from '../../model/history.ts'
import type { Program } from '../../model/program.ts'
import { factorial, family } from '../programs/index.ts'

const of = (name: string, ...size: readonly number[]): Program => family(name).program(...size)

function searchOf(program: Program): Search {
  return new Search(threadsOf(program, defaultEvents), initialMemory(program), defaultEvents)
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** Bytes that are in use once everything has gone that nobody holds. */
function bytesInUse(): number {
  collectGarbage()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

/** Walks a whole program. Returns how many executions it has, and how many bytes the second half of them left behind. */
function walk(program: Program, executions: number): { readonly found: number; readonly left: number } {
  return withGuards(() => {
    const search = searchOf(program)
    const half = Math.ceil(executions / 2)
    let found = 0
    let before = 0
    for (let leaf = search.advance(); leaf !== undefined; leaf = search.advance()) {
      if (leaf === 'complete' && ++found === half) before = bytesInUse()
    }
    return { found, left: bytesInUse() - before }
  })
}

describe('memory', () => {
  it.each([
    [of('repeated-adds', 3, 4), 34_650],
    [of('readers', 14), 2 ** 14],
    [of('spin-lock', 6), factorial(6)],
  ])('is not used up by executions: $name', (program, executions) => {
    const { found, left } = walk(program, executions)
    expect(found).toBe(executions)
    expect(left).toBeLessThan(500_000)
  })

  it.runIf(process.env.HEDDLE_SLOW)('is not used up by forty million executions', { timeout: 600_000 }, () => {
    const { found, left } = walk(of('adds', 11), factorial(11))
    expect(found).toBe(39_916_800)
    expect(left).toBeLessThan(500_000)
  })
})

describe('a path', () => {
  function leavesOf(program: Program): Set<Leaf> {
    return withGuards(() => {
      const leaves = new Set<Leaf>()
      const search = searchOf(program)
      for (let leaf = search.advance(); leaf !== undefined; leaf = search.advance()) leaves.add(leaf)
      return leaves
    })
  }

  it.each([of('spin-lock', 5), of('ttas-lock', 4), of('ticket-lock', 5), of('filesystem', 16), of('barrier', 5)])(
    'of $name ends with an execution: nobody waits in vain',
    (program) => {
      expect([...leavesOf(program)]).toEqual(['complete'])
    },
  )
})
