import { describe, expect, it } from 'vitest'
import { explore } from '../../checker/explore.ts'
import { stepText } from '../../checker/format.ts'
import { replay } from '../../checker/replay.ts'
import type { Memory } from '../../core/memory.ts'
import type { Program } from '../../model/program.ts'

/** Adds `count` times to a word. */
function adder(word: number, count: number): (memory: Memory) => void {
  return (memory) => {
    for (let i = 0; i < count; i++) memory.add(word, 1)
  }
}

function alive(memory: Memory, participant: number): boolean {
  return memory.liveness?.alive(participant) === true
}

describe('a thread that may be killed', () => {
  it.each([0, 1, 2, 5])('has, alone with %i operations, one execution more', (count) => {
    const report = explore({ name: 'alone', words: 1, threads: { a: adder(0, count) }, faults: { kill: ['a'] } })
    expect(report).toMatchObject({ verdict: 'holds', executions: count + 1 })
  })

  it.each([
    { n: 1, m: 1 },
    { n: 2, m: 3 },
    { n: 4, m: 2 },
  ])('of two that have nothing to do with each other ($n and $m operations): one is killed, or both when asked', ({ n, m }) => {
    const threads = { a: adder(0, n), b: adder(1, m) }
    const faults = { kill: ['a', 'b'] }
    expect(explore({ name: 'one', words: 2, threads, faults }).executions).toBe(n + m + 1)
    expect(explore({ name: 'both', words: 2, threads, faults: { ...faults, kills: 2 } }).executions).toBe((n + 1) * (m + 1))
  })

  it('is asked about: once alive or dead for each place where it can die', () => {
    const program: Program = {
      name: 'asked',
      words: 1,
      threads: { a: adder(0, 3), b: (memory) => alive(memory, 0) },
      faults: { kill: ['a'] },
    }
    const report = explore(program, { outcomes: true })
    expect(report).toMatchObject({ verdict: 'holds', executions: 1 + 2 * 3 })
    expect(report.outcomes).toContain('{"results":{"b":false},"words":{}}')
    expect(report.outcomes).toContain('{"results":{"b":true},"words":{"0":2}}')
    expect(report.outcomes).not.toContain('{"results":{"b":false},"words":{"0":3}}')
  })

  it('is alive after it has returned', () => {
    const program: Program = {
      name: 'returned',
      words: 1,
      threads: {
        a: adder(0, 1),
        b: (memory) => {
          while (memory.load(0) === 0) memory.pause()
          return alive(memory, 0)
        },
      },
    }
    expect(explore(program, { outcomes: true })).toMatchObject({
      verdict: 'holds',
      executions: 1,
      outcomes: ['{"results":{"b":true},"words":{"0":1}}'],
    })
  })

  it('knows its own number', () => {
    const self = (memory: Memory): number | undefined => memory.liveness?.self
    const report = explore({ name: 'self', words: 1, threads: { a: self, b: self } }, { outcomes: true })
    expect(report.outcomes).toEqual(['{"results":{"a":0,"b":1},"words":{}}'])
  })

  it.each([-1, 2, 0.5, Number.NaN])('there is no participant %d', (participant) => {
    const threads = { a: (memory: Memory) => alive(memory, participant), b: () => 0 }
    const { failure } = explore({ name: 'nobody', words: 1, threads })
    expect(failure).toMatchObject({
      kind: 'out-of-range',
      message: `a: there is no participant ${participant}: expected an integer from 0 to 1`,
    })
  })

  it('leaves those behind who wait for it, unless they look whether it is alive', () => {
    const holder = (memory: Memory): void => {
      memory.store(0, 1)
      memory.store(0, 0)
    }
    const waiter =
      (looks: boolean) =>
      (memory: Memory): string => {
        while (memory.load(0) === 1) {
          if (looks && !alive(memory, 0)) return 'abandoned'
          memory.pause()
        }
        return 'free'
      }
    const faults = { kill: ['holder'] }
    const blind: Program = { name: 'blind', words: 1, threads: { holder, waiter: waiter(false) }, faults }
    const { failure } = explore(blind)
    expect(failure).toMatchObject({ kind: 'livelock', message: 'waiter spins on word 0 = 1 and nobody changes it' })
    expect(failure?.trace.map((step) => `${step.thread} ${stepText(step)}`)).toEqual([
      'holder store 0 <- 1',
      'holder killed',
      'waiter load 0 = 1, from holder #1',
    ])
    expect(failure?.trace[1].source).toMatch(/faults\.test\.ts:\d+$/)
    expect(failure?.schedule).toMatch(/\.a1~a1b1$/)
    expect(replay(blind, failure?.schedule as string).failure).toEqual(failure)
    const seeing: Program = { ...blind, name: 'seeing', threads: { holder, waiter: waiter(true) } }
    expect(explore(seeing, { outcomes: true })).toMatchObject({
      verdict: 'holds',
      // Not killed: it looks before the first store, or after the second. Killed before the first. Killed before the second:
      // it looks before the first, or finds it abandoned.
      executions: 5,
      outcomes: [
        '{"results":{"waiter":"abandoned"},"words":{"0":1}}',
        '{"results":{"waiter":"free"},"words":{"0":1}}',
        '{"results":{"waiter":"free"},"words":{}}',
      ],
    })
  })
})

describe('torn bytes', () => {
  it('are torn also where the heir looked once before the death, and mends only what it then finds', () => {
    const program: Program = {
      name: 'looked before',
      words: 1,
      threads: {
        a: (memory) => memory.write(0, 0),
        b: (memory) => {
          if (!alive(memory, 0)) memory.store(0, 0)
          return alive(memory, 0) ? undefined : memory.read(0)
        },
      },
      faults: { kill: ['a'] },
    }
    const { failure } = explore(program)
    expect(failure?.kind).toBe('data-race')
    expect(replay(program, failure?.schedule ?? '').failure?.kind).toBe('data-race')
  })

  /** Writes Unordered, then says so; the heir takes over when the writer is dead. */
  function inheritance(heir: (memory: Memory) => unknown): Program {
    return {
      name: 'inheritance',
      words: 2,
      threads: {
        writer: (memory) => {
          memory.writeBytes(4, new Uint8Array([1, 2]))
          memory.store(0, 1)
        },
        heir: (memory) => (alive(memory, 0) ? undefined : heir(memory)),
      },
      faults: { kill: ['writer'] },
    }
  }

  it.each<[string, (memory: Memory) => unknown]>([
    ['read', (memory) => memory.read(1)],
    ['readBytes', (memory) => memory.readBytes(5, new Uint8Array(1))],
    ['load', (memory) => memory.load(1)],
    ['a failing compareExchange', (memory) => memory.compareExchange(1, 77, 78)],
    ['add', (memory) => memory.add(1, 1)],
    ['wait', (memory) => memory.wait(1, 5)],
    ['read after half of them were overwritten', (memory) => [memory.writeBytes(4, new Uint8Array(1)), memory.read(1)]],
  ])('may not be seen by %s', (_, heir) => {
    const program = inheritance(heir)
    const { failure } = explore(program)
    expect(failure?.kind).toBe('data-race')
    expect(failure?.message).toContain('wrote Unordered to word 1 before it was killed, and nobody knows what that is')
    expect(replay(program, failure?.schedule as string).failure).toEqual(failure)
  })

  it.each<[string, (memory: Memory) => unknown]>([
    ['the other bytes of the word', (memory) => memory.readBytes(6, new Uint8Array(2))],
    ['overwritten', (memory) => [memory.writeBytes(4, new Uint8Array(2)), memory.read(1)]],
    ['overwritten by a store', (memory) => [memory.store(1, 4), memory.load(1)]],
    ['what a step came after', (memory) => (memory.load(0) === 1 ? memory.read(1) : 0)],
  ])('are fine: %s', (_, heir) => {
    expect(explore(inheritance(heir))).toMatchObject({ verdict: 'holds', executions: 3 })
  })

  it('at the end of a thread make one more place to die, and `finally` may not read them', () => {
    const program: Program = {
      name: 'end',
      words: 2,
      threads: {
        a: (memory) => {
          memory.store(0, 1)
          memory.write(1, 5)
        },
      },
      faults: { kill: ['a'] },
    }
    expect(explore(program)).toMatchObject({ verdict: 'holds', executions: 3 })
    const judged: Program = { ...program, finally: (memory) => memory.read(1) }
    const { failure } = explore(judged)
    expect(failure).toMatchObject({
      kind: 'data-race',
      message: 'finally: word 1 holds bytes that a killed thread wrote Unordered, and nobody knows what they are',
    })
    expect(failure?.schedule).toMatch(/\.a1~a1$/)
    expect(replay(judged, failure?.schedule as string).failure).toEqual(failure)
    const mended: Program = { ...program, finally: (memory) => [memory.write(1, 0), memory.read(1)] }
    expect(explore(mended).verdict).toBe('holds')
  })
})

describe('wake-ups for no reason', () => {
  it('come once for each thread', () => {
    const program: Program = {
      name: 'spurious',
      words: 1,
      threads: {
        sleeper: (memory) => {
          let waits = 0
          for (; memory.load(0) === 0; waits++) memory.wait(0, 0)
          return waits
        },
        waker: (memory) => {
          memory.store(0, 1)
          memory.notify(0)
        },
      },
      faults: { spurious: true },
    }
    const { verdict, outcomes } = explore(program, { outcomes: true })
    expect(verdict).toBe('holds')
    expect(outcomes).toEqual([0, 1, 2].map((waits) => `{"results":{"sleeper":${waits}},"words":{"0":1}}`))
  })

  it('refute who does not look again', () => {
    const program: Program = {
      name: 'hasty',
      words: 1,
      threads: {
        sleeper: (memory) => {
          if (memory.load(0) === 0) memory.wait(0, 0)
          return memory.load(0)
        },
        waker: (memory) => {
          memory.store(0, 1)
          memory.notify(0)
        },
      },
      finally(_, { sleeper }) {
        if (sleeper === 0) throw new Error('woke up too early')
      },
    }
    expect(explore(program).verdict).toBe('holds')
    const restless: Program = { ...program, faults: { spurious: true } }
    const { failure } = explore(restless)
    expect(failure?.message).toBe('finally: Error: woke up too early')
    expect(failure?.schedule).toMatch(/\.a1!a1a1b2$/)
    expect(failure?.trace[1]).toMatchObject({ operation: 'spurious', word: 0 })
    expect(replay(restless, failure?.schedule as string).failure).toEqual(failure)
  })
})
