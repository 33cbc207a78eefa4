/** Programs on which the explorer once was wrong: random programs found them, this keeps them. */

import { describe, expect, it } from 'vitest'
import { explore, GuaranteeError, guarantee, replay } from '../../checker/index.ts'
import type { Memory } from '../../core/memory.ts'
import type { Program, Readable } from '../../model/program.ts'
import { bruteForce } from '../oracle/brute-force.ts'
import { judge } from '../oracle/compare.ts'

type Bodies = Readonly<Record<string, (memory: Memory) => unknown>>

function spinWhile(m: Memory, word: number, value: number): void {
  while (m.load(word) === value) m.pause()
}

function pauseForEver(m: Memory): void {
  for (;;) m.pause()
}

const found: Readonly<Record<string, Bodies>> = {
  'a livelock behind a value that comes late': {
    a: (m) => spinWhile(m, 0, 1),
    b: (m) => m.compareExchange(0, 0, 1),
  },
  'a livelock behind a value that comes back': {
    a: (m) => [m.store(1, 1), m.store(1, 0)],
    b: (m) => spinWhile(m, 1, 0),
  },
  'a livelock, not a deadlock, of a thread that would go on with a write': {
    a: (m) => m.store(2, 0),
    b: (m) => {
      m.add(2, 1)
      spinWhile(m, 2, 0)
      m.store(2, 0)
    },
  },
  'a livelock in an empty iteration after a load': {
    a: (m) => m.sub(0, 1),
    b: (m) => {
      if (m.load(0) === 0) pauseForEver(m)
    },
  },
  'a livelock in an empty iteration after a store': {
    a: (m) => {
      m.store(0, 1)
      if (m.load(0) === 0) pauseForEver(m)
    },
    b: (m) => m.and(0, 0),
  },
  'a time-out and two notifies': {
    c: (m) => m.notify(0),
    b: (m) => m.notify(0),
    a: (m) => m.wait(0, 0, 0),
  },
  'two time-outs and a notify': {
    c: (m) => m.wait(0, 0, 0),
    b: (m) => m.wait(0, 0, 0),
    a: (m) => m.notify(0),
  },
  'a time-out and a notify after a load': {
    a: (m) => m.wait(0, 0, 0),
    b: (m) => m.store(1, 0),
    c: (m) => [m.load(1), m.notify(0)],
  },
  'a time-out and a notify after a compare-exchange': {
    c: (m) => m.wait(1, 0, 0),
    b: (m) => m.add(1, 0),
    a: (m) => [m.compareExchange(1, 0, 0), m.notify(1)],
  },
  'a sleeper, a time-out, a store and a notify': {
    a: (m) => m.wait(0, 0),
    b: (m) => [m.store(0, 1), m.notify(0)],
    c: (m) => m.wait(0, 0, 0),
  },
  'a first iteration that copies no bytes': {
    a: (m) => {
      m.readBytes(0, new Uint8Array(0))
      while (m.compareExchange(6, 0, 0) !== 0) m.pause()
    },
    b: (m) => [m.compareExchange(6, 0, 1), m.store(6, 0)],
  },
}

function programOf(threads: Bodies): Program {
  return { name: 'found', words: 7, threads }
}

describe('programs that were judged wrongly once', () => {
  it.each(Object.entries(found))('%s', (_, threads) => {
    const program = programOf(threads)
    expect(judge(bruteForce(program), explore(program, { outcomes: true }))).toBeUndefined()
  })

  it.each<[string, Bodies]>([
    ['does nothing', { a: () => [] }],
    ['wakes nobody', { a: (m) => m.notify(0) }],
    ['only reads', { a: (m) => m.read(0) }],
  ])('an invariant of a program that %s', (_, threads) => {
    const breaks = (): void => {
      throw new GuaranteeError('never', 'holds')
    }
    const looks = (memory: Readable): void => guarantee('never', memory.read(0) !== 0)
    for (const always of [breaks, looks]) {
      const { failure } = explore({ ...programOf(threads), always })
      expect(failure).toMatchObject({ kind: 'assertion', guarantee: 'never' })
    }
  })

  it('a race of a load and a plain write that a store hides when it comes first', () => {
    const program = programOf({
      a: (m) => [m.add(0, 0), m.write(5, 0), m.store(5, 0)],
      b: (m) => m.load(5),
    })
    const { failure } = explore(program)
    expect(failure?.kind).toBe('data-race')
    expect(replay(program, failure?.schedule ?? '').failure?.kind).toBe('data-race')
  })

  it('an invariant that sees the first plain writes of a thread', () => {
    const seen = new Set<number>()
    explore({ ...programOf({ a: (m) => m.write(0, 1) }), always: (memory) => void seen.add(memory.read(0)) })
    expect(seen).toEqual(new Set([1]))
  })
})
