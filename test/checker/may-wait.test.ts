import { describe, expect, it } from 'vitest'
import { exploreScenarios, role, type Subject, scenarioName } from '../../checker/index.ts'
import type { Memory } from '../../core/memory.ts'
import { sequential } from '../../model/index.ts'

/** A place for one item: who finds it full, or empty, waits. */
const mailbox = sequential<number>({
  initial: 0,
  operations: {
    put: (held, item: number) => (held === 0 ? { state: item } : []),
    take: (held) => (held === 0 ? [] : { state: 0, result: held }),
  },
})

interface Ways {
  /** Comes back once the word may hold something else. */
  wait(memory: Memory, held: number): void
  /** Tells those who wait that it does. */
  tell(memory: Memory): void
}

function subjectOf({ wait, tell }: Ways, mayWait: boolean): Subject {
  return {
    name: 'mailbox',
    words: 1,
    history: { specification: mailbox, mayWait },
    roles: {
      user: role<Memory>({
        attach: (memory) => memory,
        operations: {
          put: {
            call: (memory, item: number) => {
              for (;;) {
                const held = memory.compareExchange(0, 0, item)
                if (held === 0) return tell(memory)
                wait(memory, held)
              }
            },
            arguments: 'numbered',
          },
          take: {
            call: (memory) => {
              for (;;) {
                const held = memory.load(0)
                if (held === 0) wait(memory, 0)
                else if (memory.compareExchange(0, held, 0) === held) {
                  tell(memory)
                  return held
                }
              }
            },
          },
        },
      }),
    },
  }
}

const asleep: Ways = { wait: (memory, held) => void memory.wait(0, held), tell: (memory) => void memory.notify(0) }
const spinning: Ways = { wait: (memory) => memory.pause(), tell: () => {} }
const bounds = { threads: 3, operations: 2, total: 4 }

describe('where threads may wait for ever, as the specification says', () => {
  it.each([
    ['asleep', asleep, 'deadlock'],
    ['spinning', spinning, 'livelock'],
  ] as const)('waiting %s is an end like any other, and otherwise none', (_, ways, kind) => {
    const { verdict, failure, scenarios, executions } = exploreScenarios(subjectOf(ways, true), bounds)
    expect(failure).toBeUndefined()
    expect([verdict, executions >= scenarios]).toEqual(['holds', true])
    const strict = exploreScenarios(subjectOf(ways, false), bounds).failure
    expect([strict?.kind, strict && scenarioName(strict.scenario)]).toEqual([kind, 'take()'])
  })

  it('who waits although it need not is found: nobody tells it', () => {
    const { failure } = exploreScenarios(subjectOf({ ...asleep, tell: () => {} }, true), bounds)
    expect([failure?.kind, failure && scenarioName(failure.scenario)]).toEqual(['deadlock', 'put(1) | take()'])
  })

  it('who waits although it need not is found: somebody else is told', () => {
    // Both takers sleep. The first item wakes one of them; the second put sleeps. The one who takes the item wakes the other taker,
    // who sleeps again. Fewer operations cannot have a sleeper of each kind beside one who tells.
    const { failure } = exploreScenarios(subjectOf({ ...asleep, tell: (memory) => void memory.notify(0, 1) }, true), bounds)
    expect([failure?.kind, failure && scenarioName(failure.scenario)]).toEqual(['deadlock', 'put(1) put(2) | take() | take()'])
  })

  it('who waits where the specification says that nobody has to is found', () => {
    const subject = subjectOf(asleep, true)
    const roomy = sequential<number>({
      ...mailbox,
      operations: { ...mailbox.operations, put: (held, item) => ({ state: held || item }) },
    })
    const { failure } = exploreScenarios({ ...subject, history: { specification: roomy, mayWait: true } }, bounds)
    expect([failure?.kind, failure && scenarioName(failure.scenario)]).toEqual(['deadlock', 'put(1) put(2)'])
  })
})
