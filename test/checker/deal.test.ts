import { describe, expect, it } from 'vitest'
import { conclude, outlineOf } from '../../checker/conclude.ts'
import { Coordinator, pursue } from '../../checker/coordinator.ts'
import { cutUp, shardOf } from '../../checker/deal.ts'
import { Exploration } from '../../checker/exploration.ts'
import { explore, makeSearch } from '../../checker/explore.ts'
import { mergeShards, type ShardFindings } from '../../checker/merge.ts'
import type { Report } from '../../checker/report.ts'
import { withGuards } from '../../model/guards.ts'
import { type Program, program } from '../../model/program.ts'
import { family } from '../programs/index.ts'
import { chaseLev, michaelScott, treiberPushPop } from '../programs/structures.ts'
import { checks } from './fixtures/long.ts'

const of = (name: string, ...size: readonly number[]): Program => family(name).program(...size)

/** A `sometimes` that throws where the last additions found this, and is witnessed where they found that. */
function doubtful(thrown: readonly number[], witness: readonly number[]): Program {
  const { threads, words } = checks[1].program
  return program({
    words,
    threads,
    name: `doubtful ${thrown} ${witness}`,
    sometimes: {
      seen: (_, { t0, t1, t2 }) => {
        const last = `${[t0, t1, t2]}`
        if (last === `${thrown}`) throw new Error(`thrown at ${last}`)
        return last === `${witness}`
      },
      any: () => true,
    },
  })
}

const early = [2, 5, 8]
const middle = [8, 2, 5]
const late = [8, 7, 6]

const programs: readonly Program[] = [
  doubtful(early, late),
  doubtful(late, early),
  doubtful(middle, early),
  doubtful(middle, late),
  doubtful(late, middle),
  of('adds', 2),
  of('repeated-adds', 3, 3),
  of('indexer', 13),
  michaelScott(2, 1, 1),
  chaseLev(3, 2, 2),
  treiberPushPop(2),
  ...checks.map(({ program }) => program),
]

const fresh = (program: Program): Exploration => new Exploration(makeSearch, program, { outcomes: true })

/** Explores one shard as if the others did not exist. */
function exploreShard(program: Program, shard: number, shards: number): ShardFindings {
  return withGuards(() => {
    const own = shardOf(cutUp(fresh(program), shards), { index: shard, of: shards })
    const coordinator = new Coordinator(own)
    const exploration = fresh(program)
    for (;;) {
      const settled = coordinator.settle()
      if (settled !== undefined && settled !== 'explored' && settled.sometimes !== undefined) {
        coordinator.doubt(settled.sometimes)
        continue
      }
      if (settled !== undefined) {
        const failure = settled === 'explored' ? undefined : settled.failure
        const outline = outlineOf(program)
        const { tally, pieces, doubts } = coordinator
        return { outline, pieces, doubts, report: conclude(outline, { tally, seconds: 1, failure, bound: 'shard' }) }
      }
      const job = coordinator.take()
      if (job === undefined) throw new Error('nothing to do, and no end')
      coordinator.answer(job.id, pursue(exploration, job, { stop: () => false }))
    }
  })
}

const essence = ({ seconds: _, ...report }: Report) => report

describe('a tree that is dealt out', () => {
  it.each(programs)('$name: the shards together find what the whole finds', (program) => {
    const whole = essence(explore(program, { outcomes: true }))
    for (const shards of [1, 2, 5]) {
      const found = Array.from({ length: shards }, (_, i) => exploreShard(program, i + 1, shards))
      expect(essence(mergeShards(found))).toEqual(whole)
      for (const { report } of found) expect(report.verdict).not.toBe('holds')
    }
  })

  it('has both: a `sometimes` that failed too early, and one that nobody would have asked again', () => {
    const verdicts = programs.slice(0, 5).map((program) => explore(program).verdict)
    expect(new Set(verdicts)).toEqual(new Set(['holds', 'refuted']))
    // Where the witness is dealt to one shard and the failure to another.
    const shards = [2, 3, 4, 5].flatMap((of) => Array.from({ length: of }, (_, i) => [i + 1, of] as const))
    const doubts = shards.flatMap(([index, of]) => exploreShard(doubtful(late, early), index, of).doubts ?? [])
    expect(doubts.length).toBeGreaterThan(0)
    for (const { failure } of doubts) expect(failure.message).toContain('thrown at 8,7,6')
  })

  it('is cut up into the same pieces each time, each for one shard', () => {
    const program = of('repeated-adds', 3, 4)
    const [first, second] = [1, 2].map(() => withGuards(() => cutUp(fresh(program), 4)))
    expect(second).toEqual(first)
    expect(first.length).toBeGreaterThanOrEqual(64)
    const dealt = [1, 2, 3, 4].map((index) => shardOf(first, { index, of: 4 }))
    expect(dealt.flat().sort((a, b) => a.piece - b.piece)).toEqual(first)
    const masses = dealt.map((own) => own.flatMap(({ subtrees }) => subtrees.map(({ mass }) => mass)).reduce((a, b) => a + b))
    expect(Math.max(...masses)).toBeLessThan(2 * Math.min(...masses))
  })
})
