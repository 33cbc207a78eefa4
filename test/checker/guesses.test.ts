import { describe, expect, it } from 'vitest'
import { explore, guarantee, replay } from '../../checker/index.ts'
import type { Memory } from '../../core/memory.ts'
import { type Program, program } from '../../model/program.ts'
import { verdict } from '../oracle/verdict.ts'

const version = 0
const at = 4
const writing = -1

interface Shape {
  /** How the writer says that it writes, and how the reader looks whether it has. */
  begin?(memory: Memory): void
  look?(memory: Memory): number
  /** What the reader takes to be valid. */
  valid?(before: number, after: number): boolean
  /** What the reader does with the bytes between looking and settling. */
  early?(bytes: Uint8Array): void
}

/** One writes an item over another, one guesses it. */
function guessing({
  begin = (memory) => memory.exchange(version, writing),
  look = (memory) => memory.add(version, 0),
  valid = (before, after) => before === after,
  early = () => {},
}: Shape): Program {
  return program({
    name: 'guessing',
    words: 3,
    setup: (memory) => memory.writeBytes(at, Uint8Array.of(1, 1, 1, 1, 1)),
    threads: {
      writer(memory) {
        begin(memory)
        memory.writeBytes(at, Uint8Array.of(2, 2, 2, 2, 2))
        memory.store(version, 1)
      },
      reader(memory): readonly number[] | string {
        const target = new Uint8Array(5)
        const before = memory.load(version)
        if (before === writing) return 'writing'
        memory.guessBytes(at, target)
        const isValid = valid(before, look(memory))
        early(target)
        memory.settle(isValid)
        return isValid ? [...target] : 'overwritten'
      },
    },
    finally: (_, { reader }) => {
      const isWhole = typeof reader === 'string' || String(reader) === '1,1,1,1,1' || String(reader) === '2,2,2,2,2'
      guarantee('guessing/whole', isWhole, String(reader))
    },
    sometimes: {
      'is valid before': (_, { reader }) => String(reader) === '1,1,1,1,1',
      'is valid afterwards': (_, { reader }) => String(reader) === '2,2,2,2,2',
      overwritten: (_, { reader }) => reader === 'overwritten',
    },
  })
}

const failureOf = (tested: Program) => {
  const { failure } = explore(tested)
  if (failure !== undefined) {
    const again = replay(tested, failure.schedule).failure
    expect([again?.kind, again?.guarantee]).toEqual([failure.kind, failure.guarantee])
  }
  return failure
}

describe('a guess', () => {
  it('that a read-modify-write has shown to be valid is free of races', () => {
    const tested = guessing({})
    const report = explore(tested, { outcomes: true })
    // The reader looks first before both of the writer, and again in one of three places; or in between, and no more; or after both.
    expect(report).toMatchObject({ verdict: 'holds', executions: 5 })
    expect(verdict(tested)).toMatchObject({ executions: 5, failures: [] })
    const { reader } = JSON.parse(report.outcomes?.find((outcome) => outcome.includes('[1,1')) ?? '{}').results
    expect(reader).toEqual([1, 1, 1, 1, 1])
  })

  it.each<[string, Shape]>([
    ['a load looks', { look: (memory) => memory.load(version) }],
    ['a compare-exchange looks that may fail', { look: (memory) => memory.compareExchange(version, writing, writing) }],
    ['the writer says by a store that it writes', { begin: (memory) => memory.store(version, writing) }],
    ['the writer says nothing', { begin: () => {} }],
    ['whatever comes is valid', { valid: () => true }],
  ])('races where %s', (_, shape) => {
    const tested = guessing(shape)
    expect(failureOf(tested)).toMatchObject({ kind: 'data-race', message: expect.stringMatching(/word [12]/) })
    expect(verdict(tested).failures).toContain('data-race')
  })

  it('never races where it is not valid', () => {
    const tested = { ...guessing({ look: (memory) => memory.load(version), valid: () => false }), sometimes: {} }
    expect(explore(tested)).toMatchObject({ verdict: 'holds', executions: 5 })
  })

  it('is rubbish before it is settled', () => {
    const used: number[][] = []
    const tested = guessing({
      early: (bytes) => {
        used.push([...bytes])
        guarantee('guessing/early', bytes[0] === 1 || bytes[0] === 2, String(bytes))
      },
    })
    expect(failureOf(tested)).toMatchObject({ kind: 'assertion', guarantee: 'guessing/early' })
    expect(new Set(used.map(String))).toEqual(new Set(['255,254,253,252,251']))
  })

  it('stays rubbish where it is never settled, and races with nobody', () => {
    const threads = {
      writer: (memory: Memory) => memory.write(0, 1),
      reader(memory: Memory) {
        const target = new Uint8Array(130)
        memory.guessBytes(0, target)
        return [target[0], target[127], target[128]]
      },
    }
    expect(explore({ name: 'unsettled', words: 40, threads }, { outcomes: true })).toMatchObject({
      verdict: 'holds',
      executions: 1,
      outcomes: ['{"results":{"reader":[255,128,255]},"words":{"0":1}}'],
    })
  })

  it('is a read at its own time, not at that of the settling', () => {
    // The reader learns of the write only after its guess; and it has not told the writer of its guess.
    const late = program({
      name: 'late',
      words: 3,
      threads: {
        writer(memory) {
          memory.write(1, 5)
          memory.store(0, 1)
        },
        reader(memory) {
          const target = new Uint8Array(4)
          memory.guessBytes(4, target)
          while (memory.load(0) === 0) memory.pause()
          memory.settle(true)
        },
      },
    })
    expect(failureOf(late)?.kind).toBe('data-race')
    // It has told it, but the settling was later than the write: what was there at the guess is right.
    const early = program({
      name: 'early',
      words: 3,
      threads: {
        writer(memory) {
          while (memory.load(0) === 0) memory.pause()
          memory.write(1, 5)
          memory.store(2, 1)
        },
        reader(memory) {
          const target = new Uint8Array(4)
          memory.guessBytes(4, target)
          memory.store(0, 1)
          while (memory.load(2) === 0) memory.pause()
          memory.settle(true)
          return [...target, memory.read(1)]
        },
      },
    })
    expect(explore(early, { outcomes: true })).toMatchObject({
      verdict: 'holds',
      executions: 1,
      outcomes: ['{"results":{"reader":[0,0,0,0,5]},"words":{"0":1,"1":5,"2":1}}'],
    })
  })

  const writes: Record<string, (memory: Memory) => void> = {
    'a plain write': (memory) => memory.write(1, 5),
    'a copy': (memory) => memory.writeBytes(5, Uint8Array.of(5)),
    'a store': (memory) => memory.store(1, 5),
    'a read-modify-write': (memory) => void memory.add(1, 5),
  }
  it.each(Object.entries(writes))('may come before or after %s that it is in order with', (_, write) => {
    const guess = (memory: Memory): number[] => {
      const target = new Uint8Array(4)
      memory.guessBytes(4, target)
      memory.settle(true)
      return [...target]
    }
    const raised = (memory: Memory) => {
      while (memory.load(0) === 0) memory.pause()
    }
    const before = { writer: (m: Memory) => [write(m), m.store(0, 1)], reader: (m: Memory) => [raised(m), guess(m)] }
    const after = { writer: (m: Memory) => [raised(m), write(m)], reader: (m: Memory) => [guess(m), m.store(0, 1)] }
    for (const threads of [before, after]) {
      expect(explore({ name: 'in-order', words: 2, threads })).toMatchObject({ verdict: 'holds', executions: 1 })
    }
    const apart = { writer: (m: Memory) => write(m), reader: (m: Memory) => guess(m) }
    expect(failureOf({ name: 'apart', words: 2, threads: apart })?.kind).toBe('data-race')
  })

  it('races with a later write that does not know of it', () => {
    const tested = program({
      name: 'afterwards',
      words: 2,
      threads: {
        reader(memory) {
          const target = new Uint8Array(4)
          memory.guessBytes(4, target)
          memory.settle(true)
          memory.load(0)
        },
        writer: (memory) => memory.store(1, 1),
      },
    })
    expect(failureOf(tested)?.kind).toBe('data-race')
  })

  it.each([true, false])('of bytes that a killed thread left torn is a race if settled as valid (%s)', (valid) => {
    const tested = program({
      name: 'torn',
      words: 2,
      threads: {
        writer(memory) {
          memory.write(1, 5)
          memory.store(0, 1)
        },
        reader(memory) {
          while (memory.load(0) === 0 && memory.liveness?.alive(0)) memory.pause()
          const target = new Uint8Array(4)
          memory.guessBytes(4, target)
          memory.settle(valid)
        },
      },
      faults: { kill: ['writer'] },
    })
    expect(failureOf(tested)?.kind).toBe(valid ? 'data-race' : undefined)
    expect(verdict(tested).failures).toEqual(valid ? ['data-race'] : [])
  })

  it('of torn bytes is refused to who looks afterwards, if settled as valid', () => {
    const tested = (valid: boolean) =>
      program({
        name: 'torn-afterwards',
        words: 2,
        threads: { writer: (memory) => memory.write(1, 5) },
        faults: { kill: ['writer'] },
        finally: (memory, { writer }) => {
          const target = new Uint8Array(4)
          memory.guessBytes(4, target)
          memory.settle(valid)
          if (valid) expect([...target], String(writer)).toEqual([5, 0, 0, 0])
        },
      })
    expect(failureOf(tested(true))?.kind).toBe('data-race')
    expect(failureOf(tested(false))).toBeUndefined()
  })

  it('shows in a trace with what it was settled as', () => {
    const tested = guessing({ valid: () => true, begin: () => {} })
    const { failure } = explore(tested)
    const steps = failure?.trace.filter(({ operation }) => operation === 'guessBytes' || operation === 'settle')
    expect(steps).toEqual([
      expect.objectContaining({ thread: 'reader', word: 1, source: expect.stringContaining('guesses.test.ts') }),
      expect.objectContaining({ thread: 'reader', value: expect.stringMatching(/^(0[12] ?){5}$/) }),
    ])
  })
})
