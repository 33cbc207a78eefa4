import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { replay } from '../../checker/index.ts'
import {
  role,
  type Scenario,
  type ScenarioBounds,
  type Subject,
  scenarioName,
  scenarioProgram,
  scenarios,
} from '../../checker/scenario.ts'
import { exploreScenarios, scenariosText } from '../../checker/scenario-search.ts'
import { type Condition, type Outcome, type Sequential, sequential } from '../../model/index.ts'
import { ProgramError } from '../../model/validate.ts'
import { queue } from './sequentials.ts'
import * as structures from './structures.ts'

const { chaseLev, chaseLevBottomFirst, chaseLevCarefree, chaseLevUnsigned } = structures
const { doubleCollect, lamport, michaelScott, queueOfLanes, relaxed, tornSnapshot, treiber, treiberReusing, vyukov } = structures

/** Roles of which only the shape matters. */
const shapes: Subject = {
  name: 'shapes',
  words: 1,
  history: { specification: { initial: 0, operations: {} } },
  roles: {
    owner: role({ most: 1, attach: () => 0, operations: { push: { call: () => 0, arguments: 'numbered' } } }),
    user: role({
      attach: () => 0,
      operations: { add: { call: () => 0, arguments: [1, 2] }, take: { call: () => 0, arguments: 'numbered' } },
    }),
  },
}

describe('all scenarios', () => {
  it('are each there once: every tuple of threads, up to their order', () => {
    const names = { owner: ['push'], user: ['add(1)', 'add(2)', 'take'] }
    const sequences = Object.entries(names).flatMap(([role, calls]) => {
      const twice = calls.flatMap((first) => calls.map((second) => `${first} ${second}`))
      return [...calls, ...twice].map((text) => `${role}: ${text}`)
    })
    const expected = new Set<string>()
    const add = (threads: readonly string[]): void => {
      if (threads.filter((text) => text.startsWith('owner')).length <= 1) expected.add([...threads].sort().join(' | '))
      if (threads.length < 3) for (const text of sequences) add([...threads, text])
    }
    for (const text of sequences) add([text])
    const found = [...scenarios(shapes, { threads: 3, operations: 2 })].map((scenario) =>
      scenario
        .map(({ role: of, calls }) => `${of}: ${calls.map((call) => scenarioName([{ role: of, calls: [call] }])).join(' ')}`)
        .map((text) => text.replace(/(push|take)\(\d\)/g, '$1'))
        .sort()
        .join(' | '),
    )
    expect(found.length).toBe(expected.size)
    expect(new Set(found)).toEqual(expected)
  })

  it('come smallest first, within the bounds, and number their arguments', () => {
    const all = [...scenarios(shapes, { threads: 2, operations: 3, total: 4 })]
    const sizes = all.map((scenario) => scenario.flatMap(({ calls }) => calls).length)
    expect(sizes).toEqual([...sizes].sort((a, b) => a - b))
    expect([Math.min(...sizes), Math.max(...sizes)]).toEqual([1, 4])
    expect(all.map(scenarioName)).toContain('push(1) push(2) | take(3) add(1)')
  })

  it('need bounds, and values that can be listed', () => {
    expect(() => [...scenarios(shapes, { threads: 0, operations: 1 })]).toThrow(ProgramError)
    expect(() => [...scenarios(shapes, { threads: 1, operations: 1, total: 1.5 })]).toThrow('total: expected a positive integer')
    const any: Subject = {
      ...shapes,
      roles: { user: role({ attach: () => 0, operations: { add: { call: () => 0, arguments: fc.nat() } } }) },
    }
    expect(() => [...scenarios(any, { threads: 1, operations: 1 })]).toThrow('list the values')
  })
})

/** The subject, held to another condition or specification. */
function heldTo(subject: Subject, condition: Condition, specification: Sequential = subject.history.specification): Subject {
  return { ...subject, history: { specification, condition } }
}

const small = { threads: 3, operations: 3, total: 4 }

describe('structures that are right hold', () => {
  const right: readonly Subject[] = [
    michaelScott,
    treiber,
    lamport,
    chaseLev,
    doubleCollect,
    // What comes late at Vyukov's queue, or in another order from lanes, no thread alone can tell.
    heldTo(vyukov, 'sequentially-consistent'),
    heldTo(queueOfLanes, 'sequentially-consistent'),
    relaxed,
  ]
  it.each(right.map((subject) => [subject.name, subject] as const))('%s', (_, subject) => {
    const report = exploreScenarios(subject, small)
    expect(report.failure?.message).toBeUndefined()
    expect(report.verdict).toBe('holds')
    expect(report.scenarios).toBe([...scenarios(subject, small)].length)
    expect(report.executions).toBeGreaterThan(report.scenarios)
  })

  it('a relaxed queue, held to a specification that says what it may do', () => {
    /** The oldest item, or the one behind it, which then must be next. */
    const choosing = sequential<{ readonly items: readonly number[]; readonly overtaken: boolean }>({
      initial: { items: [], overtaken: false },
      operations: {
        enqueue: ({ items, overtaken }, item: number) => ({ state: { items: [...items, item], overtaken } }),
        dequeue: ({ items: [first, second, ...rest], overtaken }): Outcome<{ items: number[]; overtaken: boolean }>[] => {
          const oldest = {
            state: { items: [second, ...rest].filter((item) => item !== undefined), overtaken: false },
            result: first,
          }
          if (first === undefined) return [{ state: { items: [], overtaken: false } }]
          return second === undefined || overtaken
            ? [oldest]
            : [oldest, { state: { items: [first, ...rest], overtaken: true }, result: second }]
        },
      },
    })
    expect(exploreScenarios(heldTo(relaxed, 'linearizable', choosing), small).verdict).toBe('holds')
  })
})

describe('structures that are wrong are refuted, by the smallest scenario', () => {
  const five = { ...small, total: 5 }
  const wrong: readonly (readonly [Subject, string, string, ScenarioBounds?])[] = [
    [queueOfLanes, 'enqueue(1) | enqueue(2) | dequeue()', 'dequeue() = 1 of consumer cannot be placed'],
    [vyukov, 'enqueue(1) | enqueue(2) | dequeue()', 'dequeue() of consumer cannot be placed'],
    [
      treiberReusing,
      'pop() pop() push(1) pop() | pop()',
      'pop() = 92 of user0 cannot be placed',
      { threads: 2, operations: 4, total: 5 },
    ],
    [tornSnapshot, 'first(1) second(2) | snapshot()', 'snapshot() = [0,2] of user1 cannot be placed'],
    [chaseLevUnsigned, 'take()', 'take() = 0 of owner cannot be placed'],
    [chaseLevCarefree, 'push(1) take() | steal()', 'steal() = 1 of thief0 cannot be placed'],
    [chaseLevBottomFirst, 'push(1) push(2) take() | steal() | steal()', 'steal() = 2 of thief0 cannot be placed'],
    [heldTo(relaxed, 'linearizable'), 'enqueue(1) enqueue(2) dequeue()', 'dequeue() = 2 of user0 cannot be placed'],
    [heldTo(relaxed, { quasi: { dequeue: 0 } }), 'enqueue(1) enqueue(2) dequeue()', 'dequeue() = 2 of user0 cannot be placed'],
  ]
  it.each(wrong.map((one) => [`${one[0].name} ${JSON.stringify(one[0].history.condition ?? '')}`, one] as const))(
    '%s',
    (_, [subject, name, message, bounds = five]) => {
      const { verdict, failure } = exploreScenarios(subject, bounds)
      expect(verdict).toBe('refuted')
      const { scenario, schedule, kind, message: found, trace } = failure as NonNullable<typeof failure>
      expect([scenarioName(scenario), found.split('\n')[0]]).toEqual([name, expect.stringContaining(message)])
      expect(kind).toBe('assertion')
      expect(trace.length).toBeGreaterThan(0)
      expect(replay(scenarioProgram(subject, scenario), schedule).failure?.message).toBe(found)
    },
  )

  it('random ones are shrunk by fast-check, and explored once each', () => {
    const random = { fastCheck: fc, runs: 60, seed: 7 }
    const { verdict, failure, scenarios: explored } = exploreScenarios(tornSnapshot, { ...small, random })
    expect(verdict).toBe('refuted')
    const size = (scenario: Scenario): number => scenario.flatMap(({ calls }) => calls).length
    expect(size((failure as NonNullable<typeof failure>).scenario)).toBe(3)
    expect(explored).toBeGreaterThan(3)
    const right = exploreScenarios(lamport, { threads: 2, operations: 3, random })
    expect(right.verdict).toBe('holds')
    // There are only so many different ones, and each is explored once.
    expect(right.scenarios).toBeLessThanOrEqual([...scenarios(lamport, { threads: 2, operations: 3 })].length)
  })

  it('random arguments come from arbitraries', () => {
    const { history, roles } = michaelScott
    const { attach } = roles.user
    const values: Subject = {
      ...michaelScott,
      history: {
        ...history,
        specification: {
          ...queue,
          operations: {
            ...queue.operations,
            // Large items are lost.
            enqueue: (items: readonly number[], item: number) => ({ state: item < 5 ? [...items, item] : items }),
          },
        },
      },
      roles: {
        user: role({
          attach,
          operations: {
            enqueue: { call: (own, item: number) => own.enqueue(item), arguments: fc.nat(100) },
            dequeue: { call: (own) => own.dequeue() },
          },
        }),
      },
    }
    const report = exploreScenarios(values, { threads: 2, operations: 2, random: { fastCheck: fc, runs: 200, seed: 1 } })
    expect(scenarioName((report.failure as NonNullable<typeof report.failure>).scenario)).toMatch(
      /^enqueue\(5\) (\| )?dequeue\(\)$/,
    )
  })

  it('a bound that was hit is inconclusive', () => {
    expect(exploreScenarios(michaelScott, { ...small, each: { executions: 5 } }).verdict).toBe('inconclusive')
    expect(exploreScenarios(michaelScott, { ...small, seconds: 1e-9 }).verdict).toBe('inconclusive')
  })

  it('the report is for people', () => {
    const text = scenariosText(exploreScenarios(queueOfLanes, five))
    expect(text).toContain('lanes: enqueue(1) | enqueue(2) | dequeue() is refuted (assertion), breaks linearizable')
    expect(text).toContain('|- dequeue() = 1 -')
    expect(scenariosText(exploreScenarios(lamport, five))).toMatch(/^lamport holds: \d+ scenarios, \d+ executions$/)
  })
})
