import { describe, expect, it } from 'vitest'
import { estimate, explore, guarantee, replay, ScheduleError } from '../../checker/index.ts'
import type { Report } from '../../checker/report.ts'
import { encodeSchedule } from '../../checker/schedule.ts'
import type { Memory } from '../../core/memory.ts'
import { type Program, program } from '../../model/program.ts'

/** Two threads that add one without care. */
const lostUpdate = program({
  name: 'lost-update',
  words: 1,
  threads: {
    anna: (memory) => memory.store(0, memory.load(0) + 1),
    ben: (memory) => memory.store(0, memory.load(0) + 1),
  },
  finally: (memory) => guarantee('counter/sum', memory.load(0) === 2, `the sum is ${memory.load(0)}`),
})

function failureOf(report: Report): NonNullable<Report['failure']> {
  expect(report.verdict).toBe('refuted')
  expect(report.failure).toBeDefined()
  return report.failure as NonNullable<Report['failure']>
}

/** Refutes a program, and replays its failure: the same one comes back, step by step. */
function refute(subject: Program): NonNullable<Report['failure']> {
  const failure = failureOf(explore(subject))
  const again = failureOf(replay(subject, failure.schedule))
  expect(again).toEqual(failure)
  return failure
}

const adders = (threads: number, times: number): Program => ({
  name: 'adders',
  words: 1,
  threads: Object.fromEntries(
    Array.from({ length: threads }, (_, i) => [
      `t${i}`,
      (memory: Memory) => {
        for (let k = 0; k < times; k++) memory.add(0, 1)
      },
    ]),
  ),
})

describe('what explore finds', () => {
  it('a broken guarantee in finally, with its slug and the fewest switches', () => {
    const failure = refute(lostUpdate)
    expect(failure).toMatchObject({ kind: 'assertion', guarantee: 'counter/sum', message: 'finally: the sum is 1' })
    expect(failure.schedule).toMatch(/^[0-9a-z]+\.[ab]1[ab]2[ab]1$/)
    expect(failure.trace.map(({ thread, operation, value, from }) => [thread, operation, value, from])).toEqual([
      ['ben', 'load', 0, 'setup'],
      ['anna', 'load', 0, 'setup'],
      ['anna', 'store', 1, undefined],
      ['ben', 'store', 1, undefined],
    ])
    for (const { source } of failure.trace) expect(source).toMatch(/^test\/checker\/explore\.test\.ts:\d+$/)
  })

  it('a guarantee broken inside a thread', () => {
    const failure = refute({
      name: 'inside',
      words: 1,
      threads: { a: (m) => m.store(0, 1), b: (m) => guarantee('x/zero', m.load(0) === 0, 'it is one') },
    })
    expect(failure).toMatchObject({ kind: 'assertion', guarantee: 'x/zero', message: 'b: it is one' })
  })

  it('an invariant broken in a state in the middle', () => {
    const failure = refute({
      name: 'middle',
      words: 2,
      threads: {
        a(m) {
          m.store(0, 1)
          m.store(1, 1)
        },
      },
      always: (m) => guarantee('x/together', m.load(0) === m.load(1)),
    })
    expect(failure).toMatchObject({ kind: 'assertion', guarantee: 'x/together' })
    expect(failure.trace).toHaveLength(1)
  })

  it('an invariant broken by setup', () => {
    const failure = refute({
      name: 'from-the-start',
      words: 1,
      setup: (m) => m.store(0, 7),
      threads: { a: (m) => m.load(0) },
      always: (m) => guarantee('x/zero', m.read(0) === 0),
    })
    expect(failure).toMatchObject({ guarantee: 'x/zero', trace: [] })
  })

  it('an error that a thread throws', () => {
    const failure = refute({
      name: 'throws',
      words: 1,
      threads: {
        a: (m) => m.store(0, 1),
        b(m) {
          if (m.load(0) === 1) throw new TypeError('no ones please')
        },
      },
    })
    expect(failure).toMatchObject({ kind: 'thrown', message: 'b: TypeError: no ones please' })
  })

  it('an error in setup', () => {
    const report = explore({ name: 'x', words: 1, setup: (m) => m.store(1, 1), threads: { a: () => 0 } })
    expect(failureOf(report)).toMatchObject({
      kind: 'out-of-range',
      message: expect.stringContaining('setup: word 1 is outside'),
    })
  })

  it('a word out of range', () => {
    const failure = refute({ name: 'stray', words: 2, threads: { a: (m) => m.store(m.add(0, 1) + 2, 1) } })
    expect(failure.kind).toBe('out-of-range')
    expect(failure.message).toContain('word 2 is outside the memory: expected an integer from 0 to 1')
  })

  it('a data race of plain accesses, and of a plain and an atomic one', () => {
    expect(refute({ name: 'plain', words: 1, threads: { a: (m) => m.write(0, 1), b: (m) => m.read(0) } })).toMatchObject({
      kind: 'data-race',
      message: expect.stringContaining('word 0'),
    })
    expect(refute({ name: 'mixed', words: 1, threads: { a: (m) => m.write(0, 1), b: (m) => m.load(0) } }).kind).toBe('data-race')
  })

  it('no race where bytes are disjoint or a flag orders the accesses', () => {
    const report = explore({
      name: 'ordered',
      words: 3,
      threads: {
        a(m) {
          m.writeBytes(0, Uint8Array.of(1, 2, 3))
          m.store(2, 1)
        },
        b(m) {
          m.writeBytes(3, Uint8Array.of(4, 5))
          while (m.load(2) === 0) m.pause()
          const bytes = new Uint8Array(5)
          m.readBytes(0, bytes)
          return [...bytes]
        },
      },
      finally: (_, results) => guarantee('x/bytes', String(results.b) === '1,2,3,4,5', String(results.b)),
    })
    expect(report).toMatchObject({ verdict: 'holds', executions: 1 })
  })

  it('a deadlock: who sleeps on what', () => {
    const failure = refute({
      name: 'notify-first',
      words: 1,
      threads: {
        a(m) {
          m.notify(0)
          m.store(0, 1)
        },
        b: (m) => m.wait(0, 0),
      },
    })
    expect(failure).toMatchObject({
      kind: 'deadlock',
      message: 'b sleeps on word 0 (expected 0, holds 1) and nobody notifies it',
    })
  })

  it('a livelock: who spins on what', () => {
    const failure = refute({
      name: 'never',
      words: 2,
      threads: {
        a: (m) => m.store(0, 1),
        b(m) {
          while (m.load(0) !== 2) m.pause()
        },
      },
    })
    expect(failure).toMatchObject({ kind: 'livelock', message: 'b spins on word 0 = 1 and nobody changes it' })
  })

  it('no livelock where who spins has not seen the newest of all that it read', () => {
    const subject = program({
      name: 'two-loads-an-iteration',
      words: 2,
      threads: {
        a: (m) => m.store(0, 1),
        b(m) {
          for (let x = m.load(0); m.load(1) === 0 && x === 0; x = m.load(0)) m.pause()
        },
      },
    })
    expect(explore(subject)).toMatchObject({ verdict: 'holds' })
    // b looks at word 0, a changes it, b looks at word 1 and would park: but it would look again.
    expect(replay(subject, encodeSchedule(subject, [1, 0, 1]))).toMatchObject({ verdict: 'inconclusive' })
  })

  it('a sometimes that nothing witnesses, and none that something does', () => {
    const sometimes = { 'it is two': (m: Pick<Memory, 'load'>) => m.load(0) === 2, 'a saw one': () => true }
    const report = explore({ ...lostUpdate, finally: () => undefined, sometimes })
    expect(report).toMatchObject({ verdict: 'holds' })
    const never = explore({ ...lostUpdate, finally: () => undefined, sometimes: { 'it is three': (m) => m.load(0) === 3 } })
    expect(failureOf(never)).toMatchObject({ kind: 'unwitnessed', message: 'no execution is a witness of "it is three"' })
  })

  it('a thread that keeps state outside itself', () => {
    let calls = 0
    const report = explore({
      name: 'captures',
      words: 2,
      threads: {
        a(m) {
          calls++
          m.store(calls % 2, 1)
          m.load(0)
        },
      },
    })
    expect(failureOf(report)).toMatchObject({
      kind: 'non-determinism',
      message: expect.stringContaining('given the same answers'),
    })
  })

  it('a thread whose result differs from run to run', () => {
    let calls = 0
    const report = explore({ name: 'captures', words: 1, threads: { a: () => calls++ } })
    expect(failureOf(report).kind).toBe('non-determinism')
  })

  it.each([
    ['Math.random()', () => Math.random()],
    ['Date.now()', () => Date.now()],
    ['performance.now()', () => performance.now()],
  ])('%s inside a thread', (name, call) => {
    const failure = failureOf(explore({ name: 'impure', words: 1, threads: { a: () => call() } }))
    expect(failure).toMatchObject({ kind: 'non-determinism', message: expect.stringContaining(name) })
    expect(call()).toBeGreaterThan(0) // Outside it works again.
  })

  it('a thread that swallows the signal by which it is left', () => {
    const report = explore({
      name: 'swallows',
      words: 1,
      threads: {
        a(m) {
          try {
            return m.notify(0)
          } catch {
            return -1
          }
        },
      },
    })
    expect(failureOf(report)).toMatchObject({ kind: 'thrown', message: expect.stringContaining('must rethrow') })
  })

  it('finally blocks of a thread that is left', () => {
    const report = explore({
      name: 'finally-block',
      words: 2,
      threads: {
        a(m) {
          try {
            m.add(0, 1)
            m.add(0, 1)
          } finally {
            m.store(1, 1)
          }
        },
        b: (m) => m.add(0, 1),
      },
    })
    expect(report).toMatchObject({ verdict: 'holds', executions: 3 })
  })

  it('results that are no plain data', () => {
    const map = failureOf(explore({ name: 'map', words: 1, threads: { a: () => new Map() } }))
    expect(map).toMatchObject({ kind: 'thrown', message: expect.stringContaining('not plain data') })
    const promise = failureOf(explore({ name: 'promise', words: 1, threads: { a: async () => 1 } }))
    expect(promise.message).toContain('must be synchronous')
  })

  it('an invariant that writes', () => {
    const writes = explore({ name: 'x', words: 1, threads: { a: (m) => m.load(0) }, always: (m) => (m as Memory).store(0, 1) })
    expect(failureOf(writes).message).toContain('may only be looked at')
    const sometimes = { w: (m: Pick<Memory, 'load'>) => (m as Memory).add(0, 1) === 0 }
    const witness = explore({ name: 'x', words: 1, threads: { a: (m) => m.load(0) }, sometimes })
    expect(failureOf(witness).message).toContain('sometimes w: TypeError: this memory may only be looked at')
  })
})

describe('what programs see', () => {
  it('results are frozen, finally works on a copy, and outcomes are canonical', () => {
    const report = explore(
      {
        name: 'results',
        words: 3,
        setup: (m) => m.store(2, 5),
        threads: { b: (m) => ({ z: [m.add(0, 1)], a: 'x' }), a: () => undefined },
        finally(m, results) {
          expect(Object.isFrozen(results.b)).toBe(true)
          m.store(1, 99)
          expect(m.load(1)).toBe(99)
        },
      },
      { outcomes: true },
    )
    expect(report).toMatchObject({ verdict: 'holds', executions: 1 })
    expect(report.outcomes).toEqual(['{"results":{"b":{"a":"x","z":[0]}},"words":{"0":1,"2":5}}'])
  })

  it('time stands still and marks cost nothing', () => {
    const report = explore({
      name: 'marks',
      words: 1,
      threads: {
        a(m, mark) {
          mark('call', 'add')
          const old = m.add(0, 1)
          mark('return', 'add', old)
          return m.now()
        },
        b: (m) => m.add(0, 1),
      },
      finally: (_, results) => guarantee('x/now', results.a === 0),
    })
    expect(report).toMatchObject({ verdict: 'holds', executions: 2 })
  })

  it('many locations, long threads, many threads', () => {
    const words = 700
    const touches = explore({
      name: 'wide',
      words,
      threads: {
        a(m) {
          for (let word = 0; word < words; word++) m.store(word, word)
          return 1
        },
      },
      finally: (m) => guarantee('x/last', m.load(words - 1) === words - 1),
    })
    expect(touches).toMatchObject({ verdict: 'holds', executions: 1 })
    const threads = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`t${i}`, (m: Memory) => m.add(i, 1)]))
    expect(explore({ name: 'many', words: 30, threads })).toMatchObject({ verdict: 'holds', executions: 1 })
    const late = { ...threads, t29: (m: Memory) => guarantee('x/no', m.load(0) === 0) }
    const failure = refute({ name: 'many', words: 30, threads: late })
    expect(failure.schedule).toMatch(/\.a1ad1$/)
  })
})

describe('bounds', () => {
  it('executions: as many as there are is no bound that was hit', () => {
    expect(explore(adders(3, 2), { executions: 90 })).toMatchObject({ verdict: 'holds', executions: 90 })
    expect(explore(adders(3, 2), { executions: 89 })).toMatchObject({
      verdict: 'inconclusive',
      executions: 89,
      bound: 'executions',
    })
  })

  it('seconds', () => {
    const report = explore(adders(4, 6), { seconds: 0.05 })
    expect(report).toMatchObject({ verdict: 'inconclusive', bound: 'seconds' })
    expect(report.executions).toBeGreaterThan(0)
  })

  it('events: a thread that never ends', () => {
    const endless: Program = {
      name: 'endless',
      words: 1,
      threads: {
        a(m) {
          for (;;) m.add(0, 1)
        },
      },
    }
    expect(explore(endless, { events: 20 })).toMatchObject({ verdict: 'inconclusive', executions: 0, bound: 'events' })
  })

  it('a loop that ends after more turns than the bound takes is unrolled below the bound', () => {
    const patient: Program = {
      name: 'patient',
      words: 1,
      threads: {
        a: (m) => m.store(0, 1),
        b(m) {
          let turns = 0
          while (m.load(0) === 0 && turns < 3) {
            turns++
            m.pause()
          }
          return turns
        },
      },
    }
    expect(explore(patient)).toMatchObject({ verdict: 'holds', executions: 5 })
  })

  it.each([
    [{ executions: 0 }, 'option executions: expected a positive integer, found 0'],
    [{ executions: 1.5 }, 'option executions: expected a positive integer, found 1.5'],
    [{ events: -1 }, 'option events: expected a positive integer, found -1'],
    [{ seconds: Number.NaN }, 'option seconds: expected a positive number, found NaN'],
  ])('%o is refused', (options, message) => {
    expect(() => explore(lostUpdate, options)).toThrow(message)
  })

  it('progress is told, and grows', () => {
    const shares: number[] = []
    // So many take longer than the tenth of a second after which it is told; of seconds, a busy machine may leave none.
    explore(adders(4, 4), {
      executions: 800_000,
      progress({ executions, share, estimate: total, sampled }) {
        shares.push(share)
        // The next tenth of a second is over then, too.
        if (shares.length === 1) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 101)
        expect(total).toBeGreaterThanOrEqual(executions)
        expect(sampled?.walks).toBeGreaterThan(0)
      },
    })
    expect(shares.length).toBeGreaterThan(1)
    expect(shares).toEqual(shares.toSorted((a, b) => a - b))
    expect(shares.every((share) => share > 0 && share <= 1)).toBe(true)
  })
})

it('a program may have 31 threads', () => {
  const body = (memory: Memory): number => memory.add(0, 1) * 0 + memory.words
  const threads = Object.fromEntries([...Array(31).keys()].map((i) => [`t${i}`, i < 29 ? () => i : body]))
  expect(explore({ name: 'many', words: 1, threads })).toMatchObject({ verdict: 'holds', executions: 2 })
})

describe('what is no program', () => {
  const good = { name: 'x', words: 1, threads: { a: () => 0 } }
  it.each([
    [undefined, 'a program: expected an object with name, words and threads, found undefined'],
    [{ ...good, name: '' }, 'the name of a program: expected a string that is not empty, found ""'],
    [{ ...good, words: 0 }, 'program x: words: expected a positive integer up to 16777216, found 0'],
    [{ ...good, words: '4' }, 'program x: words: expected a positive integer up to 16777216, found "4"'],
    [{ ...good, threads: {} }, 'program x: threads: expected at least one thread, found none'],
    [
      { ...good, threads: Object.fromEntries([...Array(32).keys()].map((i) => [`t${i}`, () => 0])) },
      'program x: threads: expected at most 31, found 32',
    ],
    [{ ...good, threads: { a: 5 } }, 'program x: thread a: expected a function, found 5'],
    [{ ...good, finally: 1 }, 'program x: finally: expected a function, found 1'],
    [{ ...good, sometimes: { w: 1 } }, 'program x: sometimes w: expected a function, found 1'],
    [{ ...good, faults: { kill: ['b'] } }, 'program x: faults: kill: expected threads of the program (a), found "b"'],
    [{ ...good, faults: { kill: 'a' } }, 'program x: faults: kill: expected a list of threads, found "a"'],
    [{ ...good, faults: { kill: ['a', 'a'] } }, 'program x: faults: kill: expected each thread once, found "a, a"'],
    [
      { ...good, faults: { kill: ['a'], kills: 2 } },
      'program x: faults: kills: expected an integer from 1 to 1, the length of kill, found 2',
    ],
    [{ ...good, faults: { kills: 1 } }, 'program x: faults: kills: expected a list kill beside it, found 1'],
    [{ ...good, faults: { spurious: 1 } }, 'program x: faults: spurious: expected true or false, found 1'],
    [{ ...good, faults: { kil: ['a'] } }, 'program x: faults: expected kill, kills, spurious, crash and unit, found "kil"'],
    [{ ...good, faults: 1 }, 'program x: faults: expected an object, found 1'],
  ])('%o', (bad, message) => {
    for (const call of [explore, estimate, (subject: Program) => replay(subject, '0.')]) {
      expect(() => call(bad as Program)).toThrow(expect.objectContaining({ name: 'ProgramError', message }))
    }
  })
})

describe('replay', () => {
  const { schedule } = failureOf(explore(lostUpdate))

  it('survives edits that leave the names alone', () => {
    const longer: Program = {
      ...lostUpdate,
      threads: { ...lostUpdate.threads, anna: (m) => m.store(0, m.load(0) + 1 + m.load(0) * 0) },
    }
    expect(failureOf(replay(longer, schedule)).guarantee).toBe('counter/sum')
  })

  it('does not reproduce what has been mended', () => {
    const mended: Program = { ...lostUpdate, threads: { anna: (m) => m.add(0, 1), ben: (m) => m.add(0, 1) } }
    expect(replay(mended, schedule)).toMatchObject({ verdict: 'inconclusive', executions: 1 })
  })

  it.each(['', 'nonsense', '1.A3', '0.b2', 'zzzz.a1', `${schedule}!`])('%j does not fit', (bad) => {
    expect(() => replay(lostUpdate, bad)).toThrow(ScheduleError)
  })

  it('a schedule of another program is told apart', () => {
    expect(() => replay({ ...lostUpdate, name: 'other' }, schedule)).toThrow('the schedule is of another program')
  })
})
