import { describe, expect, it } from 'vitest'
import { estimate, explore } from '../../checker/index.ts'
import type { Program } from '../../model/program.ts'
import { factorial, family } from '../programs/index.ts'
import { chaseLev, michaelScott, treiberPushPop } from '../programs/structures.ts'

/** As many walks with each seed, however busy the machine is. */
const walks = (count: number, seed = 1) => ({ walks: count, seconds: Number.POSITIVE_INFINITY, seed })

const of = (name: string, ...size: readonly number[]): Program => family(name).program(...size)

describe('an estimate', () => {
  // Each walk has the same choices here, so that one walk knows the number.
  it.each([
    ['spin-lock', [5], factorial(5)],
    ['readers', [5], 2 ** 5],
    ['readers', [14], 2 ** 14],
    ['disjoint', [5], 1],
  ] as const)('of %s%j is exact', (name, size, executions) => {
    expect(estimate(of(name, ...size), walks(20))).toEqual({ executions, spread: 0, walks: 20 })
  })

  it.each([
    [of('adds', 7), factorial(7)],
    [of('repeated-adds', 3, 4), 34_650],
    [of('casrot', 9), 8597],
    [of('iriw', 5), 3 ** 4 * 8],
    [of('stores', 6), factorial(6)],
    [treiberPushPop(3), 68_892],
    [michaelScott(2, 1, 2), 16_476],
    [chaseLev(4, 3, 3), 49_909],
  ])('of $name is of the right order', (program, executions) => {
    const guess = estimate(program, walks(2000))
    expect(guess.walks).toBe(2000)
    expect(guess.spread).toBeGreaterThan(0)
    expect(guess.executions).toBeGreaterThan(executions / 10)
    expect(guess.executions).toBeLessThan(executions * 10)
  })

  it('comes nearer with more walks, as far as its spread says', () => {
    const program = of('adds', 5)
    const few = estimate(program, walks(100))
    const many = estimate(program, walks(10_000))
    expect(many.spread).toBeLessThan(few.spread / 2)
    expect(Math.abs(many.executions - 120)).toBeLessThan(5 * many.spread)
  })

  it('is the same for the same seed, another one for another', () => {
    const program = of('repeated-adds', 3, 3)
    const first = estimate(program, walks(200, 7))
    expect(estimate(program, walks(200, 7))).toEqual(first)
    expect(estimate(program, walks(200, 8)).executions).not.toBe(first.executions)
  })

  it('takes no longer than it may, but one walk', () => {
    expect(estimate(of('adds', 6), { walks: 1e9, seconds: Number.MIN_VALUE }).walks).toBe(1)
  })

  it('ends where a walk meets a failure', () => {
    const program: Program = {
      name: 'estimate/throws',
      words: 1,
      threads: {
        thrower: () => {
          throw new Error('at once')
        },
      },
    }
    expect(estimate(program)).toEqual({ executions: 0, spread: 0, walks: 0 })
  })
})

describe('an inconclusive report', () => {
  it('says what was covered: by random walks while little is done', () => {
    // All walks agree on readers, so that the estimate is the number.
    const { verdict, bound, covered } = explore(of('readers', 14), { executions: 10 })
    expect({ verdict, bound }).toEqual({ verdict: 'inconclusive', bound: 'executions' })
    expect(covered?.estimate).toBe(2 ** 14)
    expect(covered?.share).toBeGreaterThan(0)
    expect(covered?.share).toBeLessThan(0.05)
  })

  it('says what was covered: by what was found when more is done', () => {
    const { covered } = explore(of('readers', 7), { executions: 60 })
    expect(covered?.share).toBeCloseTo(60 / 128)
    expect(covered?.estimate).toBeCloseTo(128)
  })

  it('says so when time was up, too', () => {
    const { bound, executions, covered } = explore(of('repeated-adds', 5, 4), { seconds: 0.05 })
    expect(bound).toBe('seconds')
    expect(covered?.share).toBeGreaterThan(0)
    expect(covered?.estimate).toBeGreaterThan(executions)
  })

  it('has nothing to say of threads that were cut off, and other reports have not either', () => {
    const cut = explore(of('repeated-adds', 2, 4), { events: 2 })
    expect(cut).toMatchObject({ verdict: 'inconclusive', bound: 'events' })
    expect(cut).not.toHaveProperty('covered')
    expect(explore(of('stores', 3))).not.toHaveProperty('covered')
  })
})

describe('progress', () => {
  it('has an estimate with its spread at once, and a share that grows to what was covered', () => {
    const shares: number[] = []
    const { covered } = explore(of('repeated-adds', 5, 4), {
      // So many take longer than the tenth of a second after which it is told, however busy the machine is.
      executions: 600_000,
      progress({ executions, share, estimate: total, sampled }) {
        shares.push(share)
        expect(sampled?.walks).toBeGreaterThan(0)
        expect(sampled?.spread).toBeGreaterThan(0)
        expect(total).toBe(share < 0.05 ? Math.max(sampled?.executions ?? 0, executions) : executions / share)
      },
    })
    expect(shares.length).toBeGreaterThan(0)
    expect(covered?.share).toBeGreaterThanOrEqual(shares.at(-1) as number)
  })
})
