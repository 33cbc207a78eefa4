import { describe, expect, it } from 'vitest'
import { Dice, type Fate, killed, Tally, WatchedMemory } from '../../checker/stress.ts'
import { clear, newArena, ParticipantMemory, Round } from '../../checker/stress-arena.ts'
import type { Memory } from '../../core/memory.ts'
import { SharedMemory } from '../../core/shared-memory.ts'

describe('a tally', () => {
  it('tells outcomes that were enumerated from those that were not', () => {
    const tally = new Tally(['a', 'b', 'c'])
    for (const outcome of ['a', 'x', 'a', 'y', 'b', 'y']) tally.add(outcome)
    expect(tally.seen).toBe(2)
    expect(tally.outside).toEqual([
      { outcome: 'y', rounds: 2 },
      { outcome: 'x', rounds: 1 },
    ])
  })
})

describe('dice', () => {
  it.each([1, 0, -5, 2 ** 31 - 1])('fall on every side, begun with %d', (seed) => {
    const dice = new Dice(seed)
    const fallen = Array.from({ length: 1000 }, () => dice.below(8))
    expect(new Set(fallen)).toEqual(new Set([0, 1, 2, 3, 4, 5, 6, 7]))
  })
})

/** Every operation there is, and what it comes to on three words of which the first holds 5. */
function everything(memory: WatchedMemory): unknown[] {
  const bytes = new Uint8Array(2)
  return [
    memory.load(0),
    memory.store(1, 6),
    memory.add(0, 1),
    memory.sub(0, 1),
    memory.and(1, 2),
    memory.or(1, 1),
    memory.xor(1, 1),
    memory.exchange(0, 7),
    memory.compareExchange(0, 7, 8),
    memory.wait(0, 0),
    memory.notify(0, 1),
    memory.read(1),
    memory.write(2, 0x0201),
    memory.readBytes(8, bytes),
    memory.writeBytes(8, Uint8Array.of(9)),
    [...bytes],
  ]
}

describe('a watched memory', () => {
  it.each([
    ['undisturbed', undefined],
    ['disturbed', new Dice(1)],
  ])('counts each operation and changes none, %s', (_, dice) => {
    const shared = new SharedMemory(3)
    shared.store(0, 5)
    const memory = new WatchedMemory(shared, dice)
    expect(everything(memory)).toEqual([
      ...[5, undefined, 5, 6, 6, 2, 3, 5, 7, 'not-equal', 0, 2, undefined, undefined, undefined],
      [1, 2],
    ])
    expect(memory.operations).toBe(15)
    expect([shared.load(0), shared.load(1), shared.load(2)]).toEqual([8, 2, 0x0209])
  })

  it('does not count what touches no word', () => {
    const memory = new WatchedMemory(new SharedMemory(1))
    memory.pause()
    expect(memory.now()).toBeGreaterThan(0)
    expect(memory.operations).toBe(0)
  })
})

/** A fate that grants every death, unless told otherwise. */
function fate(deathAt: number, { granted = true, spurious = false } = {}): Fate {
  return { deathAt, die: () => granted, spurious }
}

function watched(words: number, its: Fate): WatchedMemory {
  return new WatchedMemory(new SharedMemory(words), new Dice(1), its)
}

describe('a thread that dies', () => {
  const adds = (memory: Memory): string => {
    for (let i = 0; i < 3; i++) memory.add(0, 1)
    return 'done'
  }

  it.each([0, 1, 2])('after %i operations has done those and no more', (deathAt) => {
    const shared = new SharedMemory(1)
    const memory = new WatchedMemory(shared, new Dice(1), fate(deathAt))
    expect(memory.run(adds)).toBe(killed)
    expect(shared.load(0)).toBe(deathAt)
  })

  it.each([3, 4, Infinity])('after %i operations lives, if it does but three', (deathAt) => {
    const shared = new SharedMemory(1)
    const memory = new WatchedMemory(shared, undefined, fate(deathAt))
    expect(memory.run(adds)).toBe('done')
    expect(shared.load(0)).toBe(3)
  })

  it('lives on when enough others are dead', () => {
    expect(watched(1, fate(1, { granted: false })).run(adds)).toBe('done')
  })

  it('dies at its end only if it has written Unordered since its last step', () => {
    const bytes = new Uint8Array(1)
    const ends: Record<string, readonly [boolean, (memory: Memory) => void]> = {
      write: [true, (memory) => memory.write(0, 1)],
      writeBytes: [true, (memory) => memory.writeBytes(0, bytes)],
      'no bytes': [false, (memory) => memory.writeBytes(0, new Uint8Array(0))],
      read: [false, (memory) => memory.readBytes(0, bytes)],
      guess: [false, (memory) => [memory.guessBytes(0, bytes), memory.settle(true)]],
    }
    for (const [name, [dies, end]] of Object.entries(ends)) {
      const result = watched(1, fate(1)).run((memory) => [memory.store(0, 1), end(memory)])
      expect(result === killed, name).toBe(dies)
      expect(watched(1, fate(1)).run((memory) => [end(memory), memory.store(0, 1)])).not.toBe(killed)
    }
  })

  it('does nothing more on its way out', () => {
    const shared = new SharedMemory(2)
    const memory = new WatchedMemory(shared, undefined, fate(0))
    const result = memory.run(() => {
      try {
        memory.store(0, 1)
      } finally {
        memory.write(1, 1)
      }
    })
    expect(result).toBe(killed)
    expect([shared.load(0), shared.load(1)]).toEqual([0, 0])
  })

  it('can die asking about others', () => {
    const arena = newArena(2, 1, 1, 1)
    const memory = new WatchedMemory(new ParticipantMemory(arena, 0, 0, 1), undefined, fate(1))
    expect(memory.liveness?.self).toBe(1)
    expect(memory.liveness?.alive(0)).toBe(true)
    expect(memory.operations).toBe(1)
    expect(memory.run(() => memory.liveness?.alive(0))).toBe(killed)
  })

  it('passes on what it throws', () => {
    const memory = watched(1, fate(1))
    expect(() =>
      memory.run(() => {
        throw new Error('its own')
      }),
    ).toThrow('its own')
  })
})

describe('a wait', () => {
  /** Waits that would sleep, each of them for a moment. */
  const waits = (memory: WatchedMemory): string[] => Array.from({ length: 64 }, () => memory.wait(0, 5, 0.01))

  it('comes back for no reason once, if the word holds what is expected', () => {
    const shared = new SharedMemory(1)
    const memory = new WatchedMemory(shared, new Dice(1), fate(Infinity, { spurious: true }))
    expect(waits(memory).every((result) => result === 'not-equal')).toBe(true)
    shared.store(0, 5)
    expect(waits(memory).filter((result) => result === 'ok')).toHaveLength(1)
  })

  it('does not where that was not asked for', () => {
    const memory = watched(1, fate(Infinity))
    memory.store(0, 5)
    expect(new Set(waits(memory))).toEqual(new Set(['timed-out']))
  })
})

describe('a round', () => {
  it('kills at most so many threads, each to be seen by all', () => {
    const arena = newArena(40, 1, 1, 1)
    const [first, second] = [new Round(arena, 0, 0), new Round(arena, 0, 0)]
    expect([first.kill(39, 2), second.kill(0, 2), first.kill(1, 2)]).toEqual([true, true, false])
    const dead = Array.from({ length: 40 }, (_, thread) => thread).filter((thread) => !second.alive(thread))
    expect(dead).toEqual([0, 39])
    clear(arena, 0, 1)
    expect(first.alive(39)).toBe(true)
    expect(first.kill(1, 2)).toBe(true)
  })

  it('is a round of its own, memory and deaths', () => {
    const arena = newArena(2, 40, 4096, 8)
    expect(arena.capacity).toBe(8)
    for (let slot = 0; slot < 2; slot++) {
      for (let number = 0; number < 8; number++) {
        expect(new Round(arena, slot, number).kill(1, 1)).toBe(true)
        const memory = new ParticipantMemory(arena, slot, number, 0)
        expect(memory.words).toBe(40)
        for (const word of [0, 39]) expect(memory.exchange(word, 1)).toBe(0)
      }
    }
    clear(arena, 1, 8)
    expect([new Round(arena, 0, 7).alive(1), new Round(arena, 1, 0).alive(1)]).toEqual([false, true])
    expect(new ParticipantMemory(arena, 0, 7, 0).load(39)).toBe(1)
    expect(new ParticipantMemory(arena, 1, 0, 0).load(0)).toBe(0)
  })

  it.each([-1, 2, 0.5, Number.NaN])('has no participant %d', (participant) => {
    const { liveness } = new ParticipantMemory(newArena(2, 1, 1, 1), 0, 0, 0)
    expect(() => liveness.alive(participant)).toThrow(RangeError)
  })
})
