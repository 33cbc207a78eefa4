import { describe, expect, it } from 'vitest'
import type { Memory } from '../../core/memory.ts'
import { bruteForce } from './brute-force.ts'
import { type Body, threads, verdict } from './verdict.ts'

function times<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index))
}

function factorial(n: number): number {
  return n <= 1 ? 1 : n * factorial(n - 1)
}

function choose(n: number, k: number): number {
  return factorial(n) / factorial(k) / factorial(n - k)
}

function executions(words: number, bodies: readonly Body[]): number {
  const { executions, failures } = verdict(threads(words, bodies))
  expect(failures).toEqual([])
  return executions
}

function failures(words: number, bodies: readonly Body[], setup?: (memory: Memory) => void): readonly string[] {
  return verdict(threads(words, bodies, setup)).failures
}

describe('closed forms', () => {
  it.each([2, 3, 4, 5])('N = %i threads that each do one thing to one word', (n) => {
    expect(
      executions(
        1,
        times(n, () => (m) => m.add(0, 1)),
      ),
    ).toBe(factorial(n))
    expect(
      executions(
        1,
        times(n, (i) => (m) => m.exchange(0, i)),
      ),
    ).toBe(factorial(n))
    expect(
      executions(
        1,
        times(n, (i) => (m) => m.store(0, i)),
      ),
    ).toBe(factorial(n))
    expect(
      executions(
        1,
        times(n, (i) => (m) => m.compareExchange(0, 0, i + 1)),
      ),
    ).toBe(n)
  })

  it.each([
    [2, 2],
    [2, 3],
    [3, 2],
  ])('%i threads that add %i times', (n, k) => {
    const bodies = times(n, () => (m: Memory) => times(k, () => m.add(0, 1)))
    expect(executions(1, bodies)).toBe(factorial(n * k) / factorial(k) ** n)
  })

  it.each([
    [1, 1],
    [2, 2],
    [3, 1],
    [1, 4],
    [3, 2],
  ])('%i writers and %i readers, and one reader that reads as often', (n, k) => {
    const writers = times(n, (i) => (m: Memory) => m.store(0, i + 1))
    const readers = times(k, () => (m: Memory) => m.load(0))
    expect(executions(1, [...writers, ...readers])).toBe(factorial(n) * (n + 1) ** k)
    expect(executions(1, [...writers, (m) => times(k, () => m.load(0))])).toBe(factorial(n) * choose(n + k, k))
  })

  it.each([
    [2, 3],
    [4, 4],
  ])('two threads with %i and %i stores to one word', (n, m) => {
    expect(
      executions(
        1,
        [n, m].map((count) => (memory) => times(count, () => memory.store(0, 7))),
      ),
    ).toBe(choose(n + m, n))
  })

  it.each([2, 3, 4])('rings of %i: store buffering, load buffering, two writes', (n) => {
    const next = (i: number): number => (i + 1) % n
    const storeBuffering = times(n, (i) => (m: Memory) => [m.store(i, 1), m.load(next(i))])
    const loadBuffering = times(n, (i) => (m: Memory) => [m.load(i), m.store(next(i), 1)])
    const twoWrites = times(n, (i) => (m: Memory) => [m.store(i, 1), m.store(next(i), 2)])
    for (const ring of [storeBuffering, loadBuffering, twoWrites]) expect(executions(n, ring)).toBe(2 ** n - 1)
  })

  it('independent reads of independent writes', () => {
    const bodies: Body[] = [
      (m) => m.store(0, 1),
      (m) => m.store(1, 1),
      (m) => [m.load(0), m.load(1)],
      (m) => [m.load(1), m.load(0)],
    ]
    expect(executions(2, bodies)).toBe(15)
  })

  it.each([1, 2, 3, 4])('message passing of %i words', (n) => {
    const writer: Body = (m) => times(n, (i) => m.store(i, 1))
    expect(executions(n, [writer, (m) => times(n, (i) => m.load(n - 1 - i))])).toBe(n + 1)
    expect(executions(n, [writer, (m) => times(n, (i) => m.load(i))])).toBe(2 ** n)
  })

  it.each([2, 3])('readers(%i), and stores and loads of one word', (n) => {
    // Each reader reads the word of the writer and then one of its own.
    expect(executions(n + 1, [(m) => m.store(0, 1), ...times(n, (i) => (m: Memory) => [m.load(0), m.load(i + 1)])])).toBe(2 ** n)
    const squared = factorial(n) ** 2
    expect(
      executions(
        1,
        times(n, (i) => (m) => [m.store(0, i), m.load(0)]),
      ),
    ).toBe(squared)
    expect(
      executions(
        1,
        times(n, (i) => (m) => [m.load(0), m.store(0, i)]),
      ),
    ).toBe(squared)
    expect(
      executions(
        1,
        times(n, () => (m) => [m.add(0, 1), m.load(0)]),
      ),
    ).toBe(squared)
  })

  it('locations with writers each, and disjoint locations', () => {
    expect(
      executions(
        2,
        times(4, (i) => (m) => m.store(i % 2, i)),
      ),
    ).toBe(4)
    expect(
      executions(
        2,
        times(6, (i) => (m) => m.store(i % 2, i)),
      ),
    ).toBe(36)
    expect(
      executions(
        4,
        times(4, (i) => (m) => [m.store(i, i), m.load(i), m.add(i, 1)]),
      ),
    ).toBe(1)
  })

  it.each([2, 3])('%i threads through a lock, a barrier, a stack', (n) => {
    const locked: Body = (m) => {
      while (m.compareExchange(0, 0, 1) !== 0) m.pause()
      m.write(1, m.read(1) + 1)
      m.store(0, 0)
    }
    expect(
      executions(
        2,
        times(n, () => locked),
      ),
    ).toBe(factorial(n))
    const barrier: Body = (m) => {
      m.add(0, 1)
      while (m.load(0) !== n) m.pause()
    }
    expect(
      executions(
        1,
        times(n, () => barrier),
      ),
    ).toBe(factorial(n))
  })
})

describe('pause', () => {
  it('erases the iterations of a loop that only waits', () => {
    const spin: Body = (m) => {
      while (m.load(0) !== 3) m.pause()
      return m.load(0)
    }
    expect(executions(1, [(m) => times(3, (i) => m.store(0, i + 1)), spin])).toBe(1)
  })

  it('does nothing in a loop that ends by itself', () => {
    const bounded: Body = (m) => {
      for (let i = 0; i < 3 && m.load(0) === 0; i++) m.pause()
    }
    expect(executions(1, [bounded, (m) => m.store(0, 1)])).toBe(4)
    expect(executions(1, [bounded])).toBe(1)
  })

  it('does nothing when the next iteration would differ', () => {
    // The first iteration is [load 1, load 0]: both loads of 0 count, whatever they read.
    const late: Body = (m) => {
      m.load(1)
      while (m.load(0) === 0) m.pause()
    }
    expect(executions(2, [late, (m) => m.store(0, 1)])).toBe(2)
  })

  it('retries an iteration of several reads as a whole', () => {
    const both: Body = (m) => {
      while (m.load(0) + m.load(1) !== 2) m.pause()
    }
    expect(executions(2, [both, (m) => m.store(0, 1), (m) => m.store(1, 1)])).toBe(1)
    expect(executions(2, [both, (m) => [m.store(0, 1), m.store(1, 1)]])).toBe(1)
  })

  it('waits for a waiter', () => {
    const untilWoken: Body = (m) => {
      while (m.notify(0) === 0) m.pause()
    }
    expect(executions(1, [untilWoken, (m) => m.wait(0, 0)])).toBe(1)
    expect(failures(1, [untilWoken, untilWoken, (m) => m.wait(0, 0)])).toEqual(['livelock'])
  })

  it('counts what an iteration did before a shared write in it', () => {
    const counting: Body = (m) => {
      for (let i = 0; i < 2; i++) {
        m.store(1, i)
        m.pause()
      }
    }
    expect(executions(2, [counting, (m) => m.load(1)])).toBe(3)
  })

  it('parks a thread that does nothing but pause, unless it stops', () => {
    const for3: Body = (m) => {
      for (let i = 0; i < 3; i++) m.pause()
    }
    expect(executions(1, [for3])).toBe(1)
    const forEver: Body = (m) => {
      for (;;) m.pause()
    }
    expect(failures(1, [forEver])).toEqual(['livelock'])
  })

  it('calls it a livelock when nobody can write what the others wait for', () => {
    const until = (word: number): Body => {
      return (m) => {
        while (m.load(word) === 0) m.pause()
        m.store(1 - word, 1)
      }
    }
    expect(failures(2, [until(0), until(1)])).toEqual(['livelock'])
    expect(failures(2, [until(0), until(1), (m) => m.store(0, 1)])).toEqual([])
    expect(failures(2, [until(0), (m) => m.add(0, 1), (m) => m.sub(0, 1)])).toEqual(['livelock'])
  })
})

describe('wait and notify', () => {
  it('a wait that is not equal is a read', () => {
    expect(executions(1, [(m) => m.wait(0, 1), (m) => m.notify(0)])).toBe(1)
    expect(executions(1, [(m) => m.wait(0, 1), (m) => m.store(0, 2)])).toBe(2)
  })

  it('a notify that woke nobody is a read of the list', () => {
    expect(executions(1, [(m) => m.notify(0), (m) => m.notify(0), (m) => m.store(0, 1)])).toBe(1)
    // Before the enqueueing, between it and the time-out, after it.
    const { outcomes } = verdict(threads(1, [(m) => m.notify(0), (m) => m.wait(0, 0, 1)]))
    expect(outcomes).toEqual(['{"results":{"t0":0,"t1":"timed-out"},"words":{}}', '{"results":{"t0":1,"t1":"ok"},"words":{}}'])
    expect(executions(1, [(m) => m.notify(0), (m) => m.wait(0, 0, 1)])).toBe(3)
    // A count of zero wakes nobody.
    expect(executions(1, [(m) => m.notify(0, 0), (m) => m.wait(0, 0, 1)])).toBe(3)
  })

  it('the missed notification is a deadlock', () => {
    expect(failures(1, [(m) => m.wait(0, 0), (m) => m.notify(0)])).toEqual(['deadlock'])
    const sound: Body = (m) => {
      while (m.load(0) === 0) m.wait(0, 0)
    }
    expect(failures(1, [sound, (m) => [m.store(0, 1), m.notify(0)]])).toEqual([])
    expect(failures(1, [sound, (m) => [m.notify(0), m.store(0, 1)]])).toEqual(['deadlock'])
  })

  it('a deadlock needs a sleeper; parked threads beside it do not matter', () => {
    const spin: Body = (m) => {
      while (m.load(1) === 0) m.pause()
    }
    expect(failures(2, [(m) => m.wait(0, 0), spin])).toEqual(['deadlock'])
  })

  it('wakes in the order of falling asleep, and as many as asked', () => {
    const sleepers: Body[] = times(2, () => (m) => [m.wait(0, 0)])
    const { outcomes, executions, failures } = verdict(threads(1, [...sleepers, (m) => [m.notify(0, 1), m.notify(0, 1)]]))
    expect(failures).toEqual(['deadlock'])
    expect(outcomes).toEqual(['{"results":{"t0":["ok"],"t1":["ok"],"t2":[1,1]},"words":{}}'])
    // Both asleep before the first (two orders), or the second sleeper between the two (two choices).
    expect(executions).toBe(4)
  })

  it('orders what came before the notify before what comes after the wait, and nothing else of the list', () => {
    const sleeper: Body = (m) => m.wait(0, 0) === 'ok' && m.read(1)
    expect(failures(2, [sleeper, (m) => [m.write(1, 5), m.notify(0)]])).toEqual(['deadlock'])
    const timed: Body = (m) => [m.wait(0, 0, 1), m.read(1)]
    expect(failures(2, [timed, (m) => [m.write(1, 5), m.notify(0)]])).toEqual(['data-race'])
    // The notifier learns nothing from the sleeper.
    expect(failures(2, [(m) => [m.write(1, 5), m.wait(0, 0)], (m) => m.notify(0) === 1 && m.read(1)])).toEqual([
      'data-race',
      'deadlock',
    ])
  })

  it('a time-out is a write of the list', () => {
    expect(executions(1, [(m) => [m.wait(0, 0, 1), m.load(0)]])).toBe(1)
    // Two sleepers that time out: (enqueue, time-out) of each in one list.
    expect(
      executions(
        1,
        times(2, () => (m) => m.wait(0, 0, 0)),
      ),
    ).toBe(6)
  })
})

describe('data races', () => {
  it('needs a conflict, one plain access, and no happens-before', () => {
    expect(failures(1, [(m) => m.write(0, 1), (m) => m.read(0)])).toEqual(['data-race'])
    expect(failures(1, [(m) => m.write(0, 1), (m) => m.load(0)])).toEqual(['data-race'])
    expect(failures(1, [(m) => m.store(0, 1), (m) => m.read(0)])).toEqual(['data-race'])
    expect(failures(1, [(m) => m.store(0, 1), (m) => m.load(0)])).toEqual([])
    expect(failures(1, [(m) => m.read(0), (m) => m.read(0), (m) => m.load(0)])).toEqual([])
    expect(failures(1, [(m) => m.read(0), (m) => m.load(0)], (m) => m.write(0, 3))).toEqual([])
  })

  it('is judged by bytes', () => {
    expect(failures(1, [(m) => m.writeBytes(0, Uint8Array.of(1, 2)), (m) => m.readBytes(2, new Uint8Array(2))])).toEqual([])
    expect(failures(1, [(m) => m.writeBytes(1, Uint8Array.of(1, 2)), (m) => m.readBytes(2, new Uint8Array(2))])).toEqual([
      'data-race',
    ])
    expect(failures(1, [(m) => m.write(0, 1), (m) => m.readBytes(2, new Uint8Array(0))])).toEqual([])
  })

  it('reading what was released orders; writing after it, or reading something else, does not', () => {
    const publish: Body = (m) => [m.write(1, 5), m.store(0, 1)]
    expect(failures(2, [publish, (m) => m.load(0) === 1 && m.read(1)])).toEqual([])
    expect(failures(2, [publish, (m) => [m.load(0), m.read(1)]])).toEqual(['data-race'])
    expect(failures(2, [publish, (m) => [m.store(0, 2), m.read(1)]])).toEqual(['data-race'])
    // The store in between is what is read: its thread has not read the first.
    expect(failures(2, [publish, (m) => m.store(0, 2), (m) => m.load(0) === 2 && m.read(1)])).toEqual(['data-race'])
    // A read-modify-write in between hands on what it read.
    expect(failures(2, [publish, (m) => m.add(0, 1), (m) => m.load(0) === 2 && m.read(1)])).toEqual([])
    // A failed compare-exchange and a wait read too.
    expect(failures(2, [publish, (m) => m.compareExchange(0, 0, 0) === 1 && m.read(1)])).toEqual([])
    expect(failures(2, [publish, (m) => m.wait(0, 0, 1) === 'not-equal' && m.read(1)])).toEqual([])
  })

  it('counts the reads of iterations that were erased', () => {
    const spin: Body = (m) => {
      while (m.load(0) === 0) {
        m.read(1)
        m.pause()
      }
    }
    expect(failures(2, [spin, (m) => [m.store(0, 1), m.write(1, 1)]])).toEqual(['data-race'])
    // What the spinning thread releases later orders its erased reads too.
    const answering: Body = (m) => {
      spin(m)
      m.store(2, 1)
    }
    const asking: Body = (m) => {
      m.store(0, 1)
      while (m.load(2) === 0) m.pause()
      m.write(1, 1)
    }
    expect(failures(3, [answering, asking])).toEqual([])
  })

  it('an erased iteration hands on nothing', () => {
    // The spinning thread sees 1 (after the write of the data) in an erased iteration only.
    const spin: Body = (m) => {
      while (m.load(0) !== 2) m.pause()
      return m.read(1)
    }
    expect(failures(2, [(m) => [m.write(1, 5), m.store(0, 1)], (m) => m.store(0, 2), spin])).toEqual(['data-race', 'livelock'])
  })
})

describe('values and errors', () => {
  it('converts operands, wraps, and is little-endian', () => {
    const { outcomes } = verdict(
      threads(2, [
        (m) => {
          m.store(0, 2 ** 31 - 1)
          const bytes = new Uint8Array(2)
          const seen = [m.add(0, 2 ** 32 + 1), m.load(0), m.wait(0, -1), m.compareExchange(0, 2 ** 31, -2), m.xor(0, 1)]
          m.writeBytes(5, Uint8Array.of(1, 255))
          m.readBytes(6, bytes)
          return [...seen, m.or(0, 0), m.read(1), Array.from(bytes)]
        },
      ]),
    )
    const seen = [2 ** 31 - 1, -(2 ** 31), 'not-equal', -(2 ** 31), -2, -1, 0xff0100, [255, 0]]
    expect(outcomes).toEqual([JSON.stringify({ results: { t0: seen }, words: { 0: -1, 1: 0xff0100 } })])
  })

  it('reports threads that throw', () => {
    expect(bruteForce(threads(1, [(m) => m.load(1)])).failures).toEqual(new Set(['out-of-range']))
    const picky: Body = (m) => {
      if (m.load(0) === 1) throw new Error('no')
    }
    expect(failures(1, [picky, (m) => m.store(0, 1)])).toEqual(['thrown'])
    expect(executions(1, [picky, (m) => m.store(0, 2)])).toBe(2)
  })

  it('says when a program is too big', () => {
    const adds: Body = (m) => times(5, () => m.add(0, 1))
    expect(bruteForce(threads(1, [adds, adds, adds]), { states: 100 }).limited).toBe(true)
    const endless: Body = (m) => {
      for (;;) m.add(0, 1)
    }
    expect(bruteForce(threads(1, [endless])).limited).toBe(true)
  })
})
