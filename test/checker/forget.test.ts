import { describe, expect, it } from 'vitest'
import { exploreWith } from '../../checker/explore.ts'
import { Search } from '../../checker/search.ts'
import type { Thread } from '../../model/history.ts'
import type { Program } from '../../model/program.ts'
import { family } from '../programs/index.ts'
import { chaseLev, michaelScott, sleeping, treiberPushPop } from '../programs/structures.ts'

/** Explores with threads that may have so many new histories before old ones are forgotten; says how many were made and kept. */
function remembering(program: Program, histories: number) {
  let searched: readonly Thread[] = []
  const report = exploreWith(
    (threads, initial, events) => {
      searched = threads
      return new Search(threads, initial, events, histories)
    },
    program,
    { outcomes: true },
  )
  const { verdict, executions, blocked, discarded, outcomes } = report
  return { found: { verdict, executions, blocked, discarded, outcomes }, made: searched.map(({ nodes }) => nodes) }
}

const of = (name: string, ...size: readonly number[]): Program => family(name).program(...size)

describe('a search that forgets histories', () => {
  it.each([
    [of('repeated-adds', 3, 3)],
    [of('casrot', 7)],
    [of('ttas-lock', 4)],
    [of('indexer', 13)],
    [sleeping(3)],
    [michaelScott(2, 1, 2)],
    [chaseLev(3, 2, 2)],
    [treiberPushPop(2)],
  ])('finds in $name what one that keeps them finds, and runs user code more often', (program) => {
    const kept = remembering(program, 500_000)
    const forgotten = remembering(program, 8)
    expect(forgotten.found).toEqual(kept.found)
    expect(kept.found.verdict).toBe('holds')
    const runs = (made: readonly number[]) => made.reduce((sum, nodes) => sum + nodes, 0)
    expect(runs(forgotten.made)).toBeGreaterThan(runs(kept.made))
  })
})
