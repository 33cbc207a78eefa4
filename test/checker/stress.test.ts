import { describe, expect, it } from 'vitest'
import { Dice, Tally, WatchedMemory } from '../../checker/stress.ts'
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
    const memory = new WatchedMemory(new SharedMemory(1), undefined)
    memory.pause()
    expect(memory.now()).toBeGreaterThan(0)
    expect(memory.operations).toBe(0)
  })
})
