import { describe, expect, it } from 'vitest'
import { explore } from '../../checker/explore.ts'
import { RowSet } from '../../checker/row-set.ts'
import { toldApart } from '../../checker/told-apart.ts'
import type { Memory } from '../../core/memory.ts'
import type { Program } from '../../model/program.ts'
import { picker } from './picker.ts'

const adder = (memory: Memory): number => memory.add(0, 1)

/** What `finally` is shown, again and again. */
function shown(program: Program): { readonly ends: string[]; readonly executions: number } {
  const ends: string[] = []
  const { executions, verdict } = explore({
    ...program,
    finally: (memory, results) => {
      const words = Array.from({ length: memory.words }, (_, word) => memory.load(word))
      ends.push(JSON.stringify([words, Object.values(results)]))
    },
  })
  expect(verdict).toBe('holds')
  return { ends, executions }
}

describe('an end', () => {
  it('is judged once, however many executions come to it', () => {
    const threads = { a: adder, b: adder, c: adder }
    const silent = Object.fromEntries(['a', 'b', 'c'].map((name) => [name, (memory: Memory) => void adder(memory)]))
    expect(shown({ name: 'results', words: 1, threads }).ends.sort()).toEqual(
      ['0,1,2', '0,2,1', '1,0,2', '1,2,0', '2,0,1', '2,1,0'].map((results) => `[[3],[${results}]]`),
    )
    expect(shown({ name: 'silent', words: 1, threads: silent })).toEqual({ ends: ['[[3],[null,null,null]]'], executions: 6 })
  })

  it('is another one if a thread was killed, or a word is not the same', () => {
    const program: Program = {
      name: 'killed',
      words: 2,
      threads: { a: (memory) => memory.store(0, 1), b: (memory) => memory.store(0, 2) },
      faults: { kill: ['a'] },
    }
    // Killed before its store or behind it, or not at all; the last store is that of the one or the other.
    expect(new Set(shown(program).ends)).toEqual(new Set(['[[2,0],[null]]', '[[2,0],[null,null]]', '[[1,0],[null,null]]']))
  })

  it('whose bytes nobody knows is judged every time', () => {
    let ends = 0
    const program: Program = {
      name: 'torn',
      words: 2,
      threads: {
        a: (memory) => {
          memory.write(1, 1)
          memory.store(0, 1)
        },
        b: (memory) => memory.load(0),
      },
      faults: { kill: ['a'] },
      finally: (memory) => {
        ends++
        memory.write(1, 0)
      },
    }
    const { executions } = explore(program)
    // Killed at once; or not, or killed after the store, and b has seen it or not: it returns 1 or 0.
    expect(executions).toBe(ends)
  })
})

describe('results', () => {
  const values: readonly unknown[] = [
    undefined,
    null,
    0,
    -0,
    Number.NaN,
    1,
    1n,
    '1',
    'undefined',
    'null',
    true,
    [],
    {},
    Object.create(null),
    [undefined],
    [null],
    [1, 2],
    ['1,2'],
    [[1], 2],
    { a: 1, b: 2 },
    { b: 2, a: 1 },
    { a: 1 },
    { a: 1, b: undefined },
    { 0: 1, 1: 2 },
    new Uint8Array([1, 2]),
    new Int8Array([1, 2]),
    new Uint8Array([1]),
    new Float64Array([0]),
    new Float64Array([-0]),
  ]

  it('that differ in anything are told apart', () => {
    expect(new Set(values.map(toldApart)).size).toBe(values.length)
  })

  it('that are the same are not', () => {
    for (const value of [-0, 'x', [1, [2]], { a: { b: 1n } }, new Uint16Array([7])]) {
      expect(toldApart(structuredClone(value))).toBe(toldApart(value))
    }
  })
})

describe('a set of rows', () => {
  function admit(set: RowSet, row: readonly number[]): boolean {
    set.rows.set(row, set.start)
    return set.admit()
  }

  it('knows each row that it has', () => {
    const set = new RowSet(3, 1 << 20)
    const pick = picker(1)
    const known = new Set<string>()
    for (let i = 0; i < 20_000; i++) {
      const row = [pick(20) - 10, pick(20) << 27, pick(20)]
      expect(admit(set, row)).toBe(!known.has(row.join()))
      known.add(row.join())
    }
    expect(known.size).toBeGreaterThan(5000)
    set.clear()
    expect(admit(set, [0, 0, 0])).toBe(true)
    expect(admit(set, [0, 0, 0])).toBe(false)
  })

  it('forgets all when it has no more room, and never takes a new row for one that it has', () => {
    const set = new RowSet(2, 1000)
    for (let i = 0; i < 5000; i++) expect(admit(set, [i, -i])).toBe(true)
  })
})
