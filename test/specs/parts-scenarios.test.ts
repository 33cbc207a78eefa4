import { describe, expect, it } from 'vitest'
import { exploreScenarios, replay, scenarioProgram } from '../../checker/index.ts'
import type { Memory } from '../../core/index.ts'
import { subjects as event } from '../../specs/event/scenarios.ts'
import { answering, dropped, mutate, torn } from '../../specs/mutate.ts'
import { subjects as mutex } from '../../specs/mutex/scenarios.ts'
import { subjects as once } from '../../specs/once/scenarios.ts'
import { subjects as readWriteLock } from '../../specs/read-write-lock/scenarios.ts'
import { subjects as recordRing } from '../../specs/record-ring/scenarios.ts'
import { mutated } from '../../specs/ring/scenarios.ts'
import { subjects as semaphore } from '../../specs/semaphore/scenarios.ts'
import { subjects as workRing } from '../../specs/work-ring/scenarios.ts'

const all = { mutex, 'read-write-lock': readWriteLock, semaphore, event, once, 'work-ring': workRing, 'record-ring': recordRing }

/** Mistakes that anybody could make anywhere, and who has no such operation or takes no harm. */
const mistakes: readonly (readonly [name: string, memory: (memory: Memory, thread: string) => Memory, not: readonly string[]])[] =
  [
    ['a compare-exchange in two steps', mutate({ operation: 'compareExchange' }, torn), []],
    ['an exchange that is not made', mutate({ operation: 'exchange' }, dropped), ['semaphore', 'event']],
    // A seat that is taken belongs to its reader, and no scenario of the read-write lock waits without an end.
    ['a notify that is not made', mutate({ operation: 'notify' }, dropped), ['read-write-lock']],
    [
      'a word that looks as if there were nobody',
      mutate(
        { operation: 'load' },
        answering((word) => (word === 0x4c444548 ? word : 0)),
      ),
      [],
    ],
  ]

describe.each(Object.entries(all))('scenarios of the %s', (name, subjects) => {
  it.each(subjects.map(([subject, bounds]) => [subject.name, subject, bounds] as const))('%s holds', (_, subject, bounds) => {
    const report = exploreScenarios(subject, bounds)
    expect(report.failure?.message).toBeUndefined()
    expect(report.verdict).toBe('holds')
    expect(report.executions).toBeGreaterThanOrEqual(report.scenarios)
  })

  it.each(mistakes.filter(([, , not]) => !not.includes(name)))('find: %s', (mistake, memory) => {
    for (const [subject, bounds] of subjects) {
      const spoilt = mutated(subject, { name: mistake, guarantee: '', memory })
      const { failure } = exploreScenarios(spoilt, bounds)
      if (failure === undefined) continue
      const again = replay(scenarioProgram(spoilt, failure.scenario), failure.schedule).failure
      expect([again?.kind, again?.message]).toEqual([failure.kind, failure.message])
      return
    }
    expect.fail('no scenario finds it')
  })
})
