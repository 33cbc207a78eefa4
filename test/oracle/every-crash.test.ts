import { describe, expect, it } from 'vitest'
import type { Memory } from '../../core/memory.ts'
import type { Faults, Program } from '../../model/program.ts'
import { everyCrash } from './every-crash.ts'

/** How many recoveries that read these words see different things. */
function seen(words: number, threads: Program['threads'], crash: 'kill' | 'power', names: readonly string[] = []): number {
  const recover = (memory: Memory, acknowledged: ReadonlySet<string>): void => {
    for (let word = 0; word < words; word++) memory.read(word)
    for (const name of names) acknowledged.has(name)
  }
  const faults: Faults<string> = { crash }
  return everyCrash({ name: 'crashing', words, threads, faults, recover }).recoveries
}

function upTo(n: number): number[] {
  return [...Array(n).keys()]
}

const stores =
  (count: number, at = 0) =>
  (memory: Memory): void => {
    for (const word of upTo(count)) memory.store(at + word, 1)
  }

describe('the oracle of crashes finds', () => {
  it.each([0, 1, 4, 7])('after a kill n + 1 states of one thread that stores to n = %i words', (n) => {
    expect(seen(7, { a: stores(n) }, 'kill')).toBe(n + 1)
  })

  it('after a kill (n + 1) squared of two threads', () => {
    expect(seen(6, { a: stores(3), b: stores(3, 3) }, 'kill')).toBe(16)
  })

  it('after a kill each word of a copy, and of part of a word no more', () => {
    expect(seen(3, { a: (memory) => memory.writeBytes(0, new Uint8Array(12).fill(1)) }, 'kill')).toBe(4)
    expect(seen(3, { a: (memory) => memory.writeBytes(3, new Uint8Array(6).fill(1)) }, 'kill')).toBe(4)
  })

  it.each([
    [3, 2],
    [1, 4],
  ])('after a power failure (n + 1)(m + 1) of %i and %i values of two words', (n, m) => {
    const a = (memory: Memory): void => {
      for (const i of upTo(Math.max(n, m))) {
        if (i < n) memory.store(0, i + 1)
        if (i < m) memory.store(1, i + 1)
      }
    }
    expect(seen(2, { a }, 'power')).toBe((n + 1) * (m + 1))
  })

  it.each([
    { n: 4, j: 2 },
    { n: 5, j: 1 },
    { n: 3, j: 3 },
  ])('after a power failure 2^j + 2^(n-j) - 1 of $n words, of which $j were flushed', ({ n, j }) => {
    const a = (memory: Memory): void => {
      stores(j)(memory)
      memory.durability?.flush(0, 4 * n)
      stores(n - j, j)(memory)
    }
    expect(seen(n, { a }, 'power')).toBe(2 ** j + 2 ** (n - j) - 1)
  })

  it('that a flush says nothing of what others did at the same time', () => {
    const flushesAfter =
      (word: number, other: number) =>
      (memory: Memory): void => {
        memory.store(word, 1)
        memory.durability?.flush(4 * other, 4)
      }
    expect(seen(2, { a: flushesAfter(0, 1), b: flushesAfter(1, 0) }, 'power')).toBe(4)
    expect(seen(2, { a: flushesAfter(0, 0), b: flushesAfter(1, 1) }, 'power')).toBe(4)
  })

  it('that what was acknowledged after a flush is there', () => {
    const durable: Program['threads'][string] = (memory, mark) => {
      memory.store(0, 1)
      memory.durability?.flush(0, 4)
      mark('ack', 'done')
    }
    expect(seen(1, { durable }, 'power', ['done'])).toBe(3)
    const early: Program['threads'][string] = (memory, mark) => {
      memory.store(0, 1)
      mark('ack', 'done')
    }
    expect(seen(1, { early }, 'power', ['done'])).toBe(4)
    expect(seen(1, { early }, 'kill', ['done'])).toBe(3)
  })

  it('what comes after somebody has spun, slept and been woken', () => {
    const threads: Program['threads'] = {
      first: (memory) => {
        memory.store(0, 1)
        memory.notify(0)
        memory.store(1, 1)
      },
      second: (memory) => {
        memory.wait(0, 0)
        while (memory.load(1) === 0) memory.pause()
        memory.store(2, 1)
      },
    }
    expect(seen(3, threads, 'kill')).toBe(4)
    expect(seen(3, threads, 'power')).toBe(8)
  })
})
