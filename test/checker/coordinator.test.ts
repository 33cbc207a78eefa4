import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Coordinator, type Job } from '../../checker/coordinator.ts'
import type { Found } from '../../checker/exploration.ts'
import { explore } from '../../checker/explore.ts'
import { guarantee } from '../../checker/guarantee.ts'
import { type Parcel, pack } from '../../checker/parcel.ts'
import type { Report } from '../../checker/report.ts'
import { wholeTree } from '../../checker/subtree.ts'
import { emptyTally, type Tally } from '../../checker/tally.ts'
import { type Program, program } from '../../model/program.ts'
import { compare, oracle } from '../oracle/compare.ts'
import { print, profiles, sketches } from '../oracle/generate.ts'
import { family } from '../programs/index.ts'
import { chaseLev, michaelScott, sleeping, treiberPushPop } from '../programs/structures.ts'
import { seed } from '../seed.ts'
import { type Division, divided } from './divided.ts'
import { picker } from './picker.ts'

const programs = Number(process.env.HEDDLE_PROGRAMS ?? 4000)

const of = (name: string, ...size: readonly number[]): Program => family(name).program(...size)

/** Breaks only in executions that the search comes to late. */
const late = program({
  name: 'late',
  words: 1,
  threads: Object.fromEntries(
    ['a', 'b', 'c'].map((name) => [
      name,
      (memory) => {
        let old = 0
        for (let i = 0; i < 3; i++) old = memory.add(0, 1)
        return old
      },
    ]),
  ),
  finally(_, { a, b, c }) {
    guarantee('late/unlike', !(a === 5 && b === 4 && c === 8), 'the last additions found 5, 4 and 8')
  },
})

const examples: readonly Program[] = [
  of('repeated-adds', 3, 3),
  of('casrot', 7),
  of('ttas-lock', 4),
  of('indexer', 13),
  sleeping(3),
  michaelScott(2, 1, 1),
  chaseLev(3, 2, 2),
  treiberPushPop(2),
  late,
]

/** What must be the same for one and for many. How often a search runs into nothing also depends on what it has learned. */
function essence({ verdict, executions, outcomes, failure }: Report) {
  return { verdict, executions, outcomes, failure }
}

describe('several workers', () => {
  it.each(examples)('find in $name what one finds, however the work is divided, and whoever dies', (program) => {
    const alone = explore(program, { outcomes: true })
    const told: Division = { jobs: 0, divided: 0, late: 0, lost: 0 }
    for (const [i, workers] of [1, 2, 5].entries()) {
      const together = divided(workers, picker(seed + i), told)(program, { outcomes: true })
      expect(essence(together)).toEqual(essence(alone))
    }
    expect(told.jobs).toBeGreaterThan(6)
    expect(told.divided).toBeGreaterThan(3)
  })

  it.each(profiles)(`agree with brute force on random programs of profile %s (HEDDLE_SEED=${seed})`, (profile) => {
    const property = fc.property(sketches(profile), fc.integer(), fc.integer({ min: 1, max: 4 }), (sketch, choices, workers) => {
      const truth = oracle(sketch)
      if (truth.limited) return
      const order = [...sketch.threads.keys()]
      const reason = compare(sketch, truth, divided(workers, picker(choices)), undefined, order)
      if (reason !== undefined) throw new Error(`${reason}\n${print(sketch)}`)
    })
    fc.assert(property, { numRuns: Math.ceil(programs / 20), seed })
  })
})

describe('a coordinator', () => {
  const tally = (executions: number, ...witnessed: readonly string[]): Tally => ({ ...emptyTally, executions, witnessed })
  const half = (mark: number): Parcel => pack({ ...wholeTree, task: [mark], mass: 0.5 })
  const found = (message: string): Found => ({ failure: { kind: 'assertion', message, schedule: '', trace: [] } })

  /** Two who have half of the tree each. */
  function halves(): { readonly coordinator: Coordinator; readonly first: Job; readonly second: Job } {
    const coordinator = new Coordinator()
    const { id } = coordinator.take(2) as Job
    expect(coordinator.take()).toBeUndefined()
    expect(coordinator.taken).toEqual([{ id, left: 1 }])
    coordinator.answer(id, { tally: tally(10), rest: [half(1), half(2)] })
    const [first, second] = [coordinator.take(2), coordinator.take(1)] as [Job, Job]
    expect([first.subtrees, second.subtrees]).toEqual([[half(1)], [half(2)]])
    return { coordinator, first, second }
  }

  it('knows the failure only when all before it is done, and then counts nothing behind it', () => {
    const { coordinator, first, second } = halves()
    coordinator.answer(second.id, { tally: tally(3), rest: [], found: found('later') })
    expect(coordinator.settle()).toBeUndefined()
    coordinator.answer(first.id, { tally: tally(5), rest: [half(3), half(4)] })
    const [third, fourth] = [coordinator.take(2), coordinator.take(1)] as [Job, Job]
    coordinator.answer(fourth.id, { tally: tally(7), rest: [], found: found('earlier') })
    expect(coordinator.settle()).toBeUndefined()
    coordinator.answer(third.id, { tally: tally(1), rest: [] })
    expect(coordinator.settle()).toEqual(found('earlier'))
    expect(coordinator.tally.executions).toBe(10 + 5 + 1 + 7)
  })

  it('counts nothing twice: not what was lost, and not what somebody says who was thought to be dead', () => {
    const { coordinator, first, second } = halves()
    coordinator.tell(first.id, tally(4))
    expect(coordinator.tally.executions).toBe(14)
    coordinator.lose(first.id)
    expect(coordinator.tally.executions).toBe(10)
    const again = coordinator.take() as Job
    expect(again.subtrees).toEqual(first.subtrees)
    coordinator.answer(first.id, { tally: tally(5), rest: [] })
    coordinator.answer(again.id, { tally: tally(5), rest: [] })
    coordinator.answer(again.id, { tally: tally(5), rest: [] })
    coordinator.answer(second.id, { tally: tally(6), rest: [] })
    expect(coordinator.settle()).toBe('explored')
    expect(coordinator.tally.executions).toBe(10 + 5 + 6)
  })

  it('passes over a `sometimes` that fails after its first witness: nobody would have asked it again', () => {
    const { coordinator, first, second } = halves()
    coordinator.answer(second.id, { tally: tally(1), rest: [], found: { ...found('sometimes x'), sometimes: 'x' } })
    coordinator.answer(first.id, { tally: tally(5, 'x'), rest: [] })
    expect(coordinator.settle()).toBeUndefined()
    const again = coordinator.take() as Job
    expect(again).toMatchObject({ subtrees: [half(2)], witnessed: ['x'] })
    coordinator.answer(again.id, { tally: tally(6), rest: [] })
    expect(coordinator.settle()).toBe('explored')
    expect(coordinator.tally).toMatchObject({ executions: 10 + 5 + 6, witnessed: ['x'] })
  })
})
