import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Check, checkedProgram, unmet } from '../../checker/check.ts'
import { explore } from '../../checker/explore.ts'
import { type CheckResult, checksTable, stepText } from '../../checker/format.ts'
import { guarantee } from '../../checker/guarantee.ts'
import { replay } from '../../checker/replay.ts'
import { ForwardingMemory } from '../../core/forwarding-memory.ts'
import type { Memory } from '../../core/memory.ts'
import type { Faults, Program } from '../../model/program.ts'
import { seed } from '../seed.ts'
import { divided } from './divided.ts'
import { picker } from './picker.ts'

const programs = Number(process.env.HEDDLE_PROGRAMS ?? 4000)

type Threads = Program['threads']

/** A program whose recovery reads these words. */
function reading(words: readonly number[], threads: Threads, faults: Faults<string>): Program {
  const recover = (memory: Memory): void => {
    for (const word of words) memory.read(word)
  }
  return { name: 'reading', words: Math.max(...words) + 1, threads, faults, recover }
}

function upTo(n: number): number[] {
  return [...Array(n).keys()]
}

/** Stores 1 in so many words. */
function stores(count: number, at = 0): (memory: Memory) => void {
  return (memory) => {
    for (let i = 0; i < count; i++) memory.store(at + i, 1)
  }
}

function flush(memory: Memory, byte: number, length: number): void {
  memory.durability?.flush(byte, length)
}

describe('a bound in seconds', () => {
  /** Each execution of it has more crashes than are judged before somebody looks at a clock. */
  const add = (memory: Memory): number => memory.add(6, 1)
  const many = reading(upTo(7), { a: (memory) => [stores(6)(memory), add(memory)], b: add, c: add }, { crash: 'power' })

  it('holds in the middle of the crashes of one execution, which then is none that was seen', () => {
    const report = explore(many, { seconds: 1e-9 })
    expect(report).toMatchObject({ verdict: 'inconclusive', bound: 'seconds', executions: 0, covered: { share: 0 } })
    expect(report.recoveries).toBeGreaterThan(0)
  })

  it('leaves that execution to whoever goes on', () => {
    const whole = explore(many)
    const told = { jobs: 0, divided: 0, late: 0, lost: 0 }
    for (let run = 0; run < 5; run++) {
      const { verdict, executions, recoveries } = divided(2, picker(run), told)(many)
      expect({ verdict, executions, recoveries }).toEqual({
        verdict: 'holds',
        executions: whole.executions,
        recoveries: whole.recoveries,
      })
    }
    expect(told.late).toBeGreaterThan(50)
  })
})

/** The formulas are those of Heddle's notes on crashes, where eager enumeration agreed with them. */
describe('crashes leave as many states as there are', () => {
  it.each([0, 1, 4, 7])('kill: one thread that stores to %i words', (n) => {
    const program = reading(upTo(8), { a: stores(n) }, { crash: 'kill' })
    expect(explore(program)).toMatchObject({ verdict: 'holds', executions: 1, recoveries: n + 1 })
  })

  it('kill: two threads that store to two words each', () => {
    const program = reading(upTo(4), { a: stores(2), b: stores(2, 2) }, { crash: 'kill' })
    expect(explore(program).recoveries).toBe(9)
  })

  it('kill: what is written Unordered, one word after the other', () => {
    const program = reading(upTo(3), { a: (memory) => memory.writeBytes(0, new Uint8Array(12).fill(1)) }, { crash: 'kill' })
    expect(explore(program).recoveries).toBe(4)
  })

  it.each([0, 1, 5])('power: %i words', (n) => {
    const program = reading(upTo(6), { a: stores(n) }, { crash: 'power' })
    expect(explore(program).recoveries).toBe(2 ** n)
  })

  it.each([
    [1, 1],
    [2, 3],
    [4, 2],
  ])('power: %i stores to one word and %i to another', (n, m) => {
    const a = (memory: Memory): void => {
      for (let i = 1; i <= Math.max(n, m); i++) {
        if (i <= n) memory.store(0, i)
        if (i <= m) memory.store(1, i)
      }
    }
    expect(explore(reading([0, 1], { a }, { crash: 'power' })).recoveries).toBe((n + 1) * (m + 1))
  })

  it.each([
    ['page', 1024],
    ['sector', 128],
  ] as const)('power: words of one %s are written back together', (unit, words) => {
    const places = [0, words, 1, words + 1, words + 2]
    const a = (memory: Memory): void => {
      for (const word of places) memory.store(word, 1)
    }
    const program = reading(places, { a }, { crash: 'power', unit })
    expect(explore(program).recoveries).toBe((2 + 1) * (3 + 1))
  })

  it.each([
    { n: 4, j: 2 },
    { n: 5, j: 1 },
    { n: 3, j: 3 },
  ])('power: $n words, and a flush after $j of them', ({ n, j }) => {
    const a = (memory: Memory): void => {
      for (let word = 0; word < n; word++) {
        memory.store(word, 1)
        if (word === j - 1) flush(memory, 0, 4 * n)
      }
    }
    const { recoveries } = explore(reading(upTo(n), { a }, { crash: 'power' }))
    expect(recoveries).toBe(2 ** j + 2 ** (n - j) - 1)
  })

  it('power: a flush by one thread says nothing of what another one did', () => {
    const a = (memory: Memory): void => {
      memory.store(0, 1)
      flush(memory, 0, 4)
    }
    const program = reading(upTo(3), { a, b: stores(2, 1) }, { crash: 'power' })
    expect(explore(program)).toMatchObject({ executions: 1, recoveries: 8 })
  })
})

describe('a commit word', () => {
  /** Writes a record, commits it and acknowledges it. */
  function commit(words: number, flushes: boolean, crash: 'kill' | 'power'): Program {
    return {
      name: 'commit',
      words: words + 1,
      threads: {
        writer: (memory, mark) => {
          for (let word = 1; word <= words; word++) memory.write(word, 7)
          if (flushes) flush(memory, 4, 4 * words)
          memory.store(0, 1)
          if (flushes) flush(memory, 0, 4)
          mark('ack', 'record 1')
        },
      },
      faults: { crash },
      recover(memory, acknowledged) {
        if (memory.load(0) === 0) {
          guarantee('log/durable', !acknowledged.has('record 1'), 'what was acknowledged is gone')
          return
        }
        for (let word = 1; word <= words; word++) {
          guarantee('log/whole', memory.read(word) === 7, `word ${word} of a committed record is not there`)
        }
      },
    }
  }

  it.each([1, 3, 10])('of %i words with a flush before and after is safe, and two recoveries show it', (words) => {
    // Committed or not; who finds it not committed asks whether it was acknowledged, and it was not.
    expect(explore(commit(words, true, 'power'), { outcomes: true })).toMatchObject({ verdict: 'holds', recoveries: 2 })
  })

  it('needs no flush where only processes die', () => {
    expect(explore(commit(3, false, 'kill')).verdict).toBe('holds')
  })

  it('without flushes loses what was acknowledged', () => {
    const program = commit(2, false, 'power')
    const { failure } = explore(program)
    expect(failure).toMatchObject({
      kind: 'assertion',
      guarantee: 'log/durable',
      message: 'recover: what was acknowledged is gone',
    })
    expect(failure?.trace.map((step) => `${step.thread} ${stepText(step)}`)).toEqual([
      'writer write 1 <- 7',
      'writer write 2 <- 7',
      'writer store 0 <- 1',
      'recover crash',
      'recover acknowledged = record 1',
      'recover finds 0 = 0, from setup',
    ])
    expect(failure?.schedule).toMatch(/\.a1\^0@record%201$/)
    expect(replay(program, failure?.schedule as string).failure).toEqual(failure)
  })

  it('without the first flush is there before the record is whole', () => {
    const program: Program = { ...commit(2, false, 'power'), recover: (memory) => committed(memory) }
    const committed = (memory: Memory): void => {
      if (memory.load(0) === 1) guarantee('log/whole', memory.read(1) === 7 && memory.read(2) === 7)
    }
    const { failure } = explore(program)
    expect(failure).toMatchObject({ guarantee: 'log/whole' })
    expect(failure?.schedule).toMatch(/\.a1\^1\.0$/)
    expect(replay(program, failure?.schedule as string).failure).toEqual(failure)
  })
})

describe('a recovery that crashes', () => {
  /** Takes over what was left to do, and says that it is done. */
  function takeOver(crash: 'kill' | 'power', body: (memory: Memory) => void): Program {
    return { name: 'take over', words: 2, threads: { a: (memory) => memory.store(0, 1) }, faults: { crash }, recover: body }
  }

  it('is done again, and must bear it', () => {
    const program = takeOver('kill', (memory) => {
      if (memory.load(0) === 0) return
      guarantee('once', memory.load(1) === 0, 'done twice')
      memory.store(1, 1)
      memory.store(0, 0)
    })
    const { failure } = explore(program)
    expect(failure).toMatchObject({ guarantee: 'once', message: 'recover: done twice' })
    expect(failure?.trace.map(stepText)).toEqual([
      'store 0 <- 1',
      'crash',
      'finds 0 = 1, from a #1',
      'finds 1 = 0, from setup',
      'crash',
      'finds 1 = 1, from recover',
    ])
    expect(replay(program, failure?.schedule as string).failure).toEqual(failure)
  })

  it('is fine where it does nothing twice', () => {
    const once = (memory: Memory): void => {
      if (memory.load(0) === 1) {
        memory.store(1, 1)
        memory.store(0, 0)
      }
    }
    expect(explore(takeOver('kill', once)).verdict).toBe('holds')
  })

  it('keeps after a power failure only what it flushed', () => {
    const moving =
      (flushes: boolean) =>
      (memory: Memory): void => {
        if (memory.load(0) === 2) guarantee('order', memory.load(1) === 1, 'the mark is there, and what it stands for is not')
        if (memory.load(0) !== 1) return
        memory.store(1, 1)
        if (flushes) flush(memory, 4, 4)
        memory.store(0, 2)
      }
    expect(explore(takeOver('power', moving(true))).verdict).toBe('holds')
    expect(explore(takeOver('power', moving(false))).failure).toMatchObject({ guarantee: 'order' })
  })
})

describe('recoveries are counted by what they saw', () => {
  const marking: Program = {
    name: 'marking',
    words: 1,
    threads: {
      a: (_, mark) => {
        for (const name of ['x', 'y']) mark('ack', name)
      },
      b: (memory, mark) => {
        memory.store(0, 1)
        mark('ack', 'z')
      },
    },
    faults: { crash: 'kill' },
  }

  it('and who goes through all names sees those that there are', () => {
    const recover = (memory: Memory, acknowledged: ReadonlySet<string>): void => {
      memory.load(0)
      for (const name of acknowledged) guarantee('order', name !== 'y' || acknowledged.has('x'))
    }
    // None, x, or x and y; nothing stored, stored, or stored and told.
    expect(explore({ ...marking, recover })).toMatchObject({ verdict: 'holds', recoveries: 3 * 3 })
  })

  it('and a check can say how many it expects', () => {
    const check = { program: { ...marking, recover: (memory: Memory) => void memory.load(0) } }
    const report = explore(check.program)
    expect(unmet({ expect: { verdict: 'holds', recoveries: 2 } }, report)).toBeUndefined()
    expect(unmet({ expect: { verdict: 'holds', recoveries: 3 } }, report)).toBe('expected 3 recoveries, found 2')
    const result: CheckResult = { file: 'x.ts', name: 'marking', expect: { verdict: 'holds' }, met: true, report }
    expect(checksTable([result]).split('\n')[0].split(/ {2,}/).slice(0, 4)).toEqual([
      'check',
      'verdict',
      'executions',
      'recoveries',
    ])
  })

  it('and mutants may change what recoveries see', () => {
    class Blind extends ForwardingMemory {
      override load(): number {
        return 5
      }
    }
    const recover = (memory: Memory): void => guarantee('seen', memory.load(0) < 2)
    const mutant = { name: 'blind', guarantee: 'seen', memory: (inner: Memory) => new Blind(inner) }
    const check: Check = { program: { ...marking, recover }, mutant, expect: { verdict: 'refuted' } }
    expect(unmet(check, explore(checkedProgram(check)))).toBeUndefined()
  })
})

describe('a program with crashes', () => {
  const good: Program = { name: 'x', words: 1, threads: { a: () => 0 }, faults: { crash: 'kill' }, recover: () => {} }

  it.each<[object, string]>([
    [{ ...good, recover: undefined }, 'recover and faults: crash belong together: expected both or none, found faults: crash'],
    [{ ...good, faults: {} }, 'recover and faults: crash belong together: expected both or none, found recover'],
    [{ ...good, faults: { crash: 'fire' } }, `faults: crash: expected 'kill' or 'power', found "fire"`],
    [{ ...good, faults: { crash: 'kill', unit: 'page' } }, `faults: unit: expected crash: 'power' beside it, found "page"`],
    [{ ...good, faults: { crash: 'power', unit: 'bit' } }, `faults: unit: expected 'word', 'sector' or 'page', found "bit"`],
    [{ ...good, recover: 1 }, 'recover: expected a function, found 1'],
  ])('%o is refused if it is none', (bad, message) => {
    expect(() => explore(bad as Program)).toThrow(`program x: ${message}`)
  })

  it('has a disk, and no other has one', () => {
    const durable = (memory: Memory): boolean => memory.durability !== undefined
    const { outcomes } = explore({ ...good, threads: { a: durable } }, { outcomes: true })
    expect(outcomes).toEqual(['{"results":{"a":true},"words":{}}'])
    const without = explore({ name: 'y', words: 1, threads: { a: durable } }, { outcomes: true })
    expect(without.outcomes).toEqual(['{"results":{"a":false},"words":{}}'])
  })

  it.each([
    [0, 5],
    [4, 1],
    [-4, 4],
    [0, Number.NaN],
  ])('flushes within its memory (%d, %d)', (byte, length) => {
    const { failure } = explore({ ...good, threads: { a: (memory) => flush(memory, byte, length) } })
    expect(failure?.kind).toBe('out-of-range')
  })
})

// The same by hand: every interleaving, every state in it, every state of every word on the disk.

type Operation =
  | { readonly does: 'store' | 'add'; readonly word: number }
  | { readonly does: 'load'; readonly word: number }
  | { readonly does: 'flush'; readonly word: number; readonly words: number }
  | { readonly does: 'ack' }

interface Deed {
  readonly thread: number
  readonly number: number
  readonly operation: Operation
  /** What the word holds afterwards. */
  readonly value: number
  /** The deeds before it, by what they touch and by threads, in every order. */
  readonly before: ReadonlySet<Deed>
}

const words = 3

/** What everybody stores is different. */
function storedBy(thread: number, number: number): number {
  return 10 * (thread + 1) + number + 1
}

function touches(operation: Operation): operation is Operation & { readonly word: number } {
  return operation.does === 'store' || operation.does === 'add' || operation.does === 'load'
}

/** What a recovery that reads everything can see. */
function eagerly(threads: readonly (readonly Operation[])[], crash: 'kill' | 'power'): Set<string> {
  const seen = new Set<string>()
  const done: Deed[] = []
  const counts = threads.map(() => 0)
  const content = (kept: (deed: Deed) => boolean, word: number): number =>
    done.findLast(
      ({ operation, ...deed }) =>
        'word' in operation && isWrite(operation) && operation.word === word && kept({ operation, ...deed }),
    )?.value ?? 0
  const isWrite = ({ does }: Operation): boolean => does === 'store' || does === 'add'
  const all = (): boolean => true

  /** Every subset of what was done that is closed under what comes before. */
  const cuts = (): ReadonlySet<Deed>[] => {
    const sets: ReadonlySet<Deed>[] = [new Set()]
    for (const deed of done) {
      const closed = sets.filter((set) => [...deed.before].every((one) => set.has(one)))
      sets.push(...closed.map((set) => new Set(set).add(deed)))
    }
    return sets
  }

  const look = (): void => {
    const acks = threads.map((operations, thread) =>
      operations.map((operation, number) =>
        operation.does !== 'ack' ? '' : Number(done.some((deed) => deed.thread === thread && deed.number === number)),
      ),
    )
    const acknowledged = acks.flat().filter((one) => one !== '')
    if (crash === 'kill') {
      seen.add([...upTo(words).map((word) => content(all, word)), ...acknowledged].join())
      return
    }
    const possible = cuts()
    let contents: number[][] = [[]]
    for (const word of upTo(words)) {
      const values = new Set<number>()
      for (const cut of possible) {
        const kept = done.every(
          ({ operation, before }) =>
            operation.does !== 'flush' ||
            word < operation.word ||
            word >= operation.word + operation.words ||
            [...before].every((one) => cut.has(one)),
        )
        if (kept)
          values.add(content((deed) => [...cut].some((one) => one.thread === deed.thread && one.number === deed.number), word))
      }
      contents = contents.flatMap((before) => [...values].map((value) => [...before, value]))
    }
    for (const one of contents) seen.add([...one, ...acknowledged].join())
  }

  const go = (): void => {
    look()
    for (const [thread, operations] of threads.entries()) {
      const number = counts[thread]
      if (number === operations.length) continue
      const operation = operations[number]
      const before = new Set<Deed>()
      for (const deed of done) {
        const conflict =
          touches(operation) &&
          touches(deed.operation) &&
          operation.word === deed.operation.word &&
          (isWrite(operation) || isWrite(deed.operation))
        if (deed.thread === thread || conflict) for (const one of [deed, ...deed.before]) before.add(one)
      }
      const old = touches(operation) ? content(all, operation.word) : 0
      const value = operation.does === 'add' ? old + storedBy(thread, number) : storedBy(thread, number)
      done.push({ thread, number, operation, value, before })
      counts[thread]++
      go()
      counts[thread]--
      done.pop()
    }
  }
  go()
  return seen
}

/** The same program for the explorer; what its recoveries saw is put into `seen`. */
function programOf(threads: readonly (readonly Operation[])[], crash: 'kill' | 'power', seen: Set<string>): Program {
  const bodies = threads.map((operations, thread): [string, Threads[string]] => [
    `t${thread}`,
    (memory, mark) => {
      for (const [number, operation] of operations.entries()) {
        if (operation.does === 'store') memory.store(operation.word, storedBy(thread, number))
        else if (operation.does === 'add') memory.add(operation.word, storedBy(thread, number))
        else if (operation.does === 'load') memory.load(operation.word)
        else if (operation.does === 'flush') flush(memory, 4 * operation.word, 4 * operation.words)
        else mark('ack', `${thread}.${number}`)
      }
    },
  ])
  const names = threads.flatMap((operations, thread) =>
    [...operations.keys()].filter((number) => operations[number].does === 'ack').map((number) => `${thread}.${number}`),
  )
  return {
    name: 'random',
    words,
    threads: Object.fromEntries(bodies),
    faults: { crash },
    recover(memory, acknowledged) {
      const contents = upTo(words).map((word) => memory.load(word))
      seen.add([...contents, ...names.map((name) => Number(acknowledged.has(name)))].join())
    },
  }
}

const anyWord = fc.nat(words - 1)
const anyOperation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({ does: fc.constant('store' as const), word: anyWord }),
  fc.record({ does: fc.constant('add' as const), word: anyWord }),
  fc.record({ does: fc.constant('load' as const), word: anyWord }),
  fc.record({ does: fc.constant('flush' as const), word: anyWord, words: fc.integer({ min: 1, max: words }) }).map((flush) => ({
    ...flush,
    words: Math.min(flush.words, words - flush.word),
  })),
  fc.constant({ does: 'ack' as const }),
)

describe(`crashes that are chosen when somebody looks are those that there are (HEDDLE_SEED=${seed})`, () => {
  it.each(['kill', 'power'] as const)('%s', (crash) => {
    const threads = fc.array(fc.array(anyOperation, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 2 })
    const property = fc.property(threads, (sketch) => {
      const seen = new Set<string>()
      const report = explore(programOf(sketch, crash, seen))
      expect(report.verdict).toBe('holds')
      expect([...seen].sort()).toEqual([...eagerly(sketch, crash)].sort())
    })
    fc.assert(property, { numRuns: Math.ceil(programs / 10), seed })
  })
})
