import { describe, expect, it } from 'vitest'
import { type Check, checkedProgram, explore, replay } from '../../checker/index.ts'
import { ForwardingMemory } from '../../core/index.ts'
import type { Guarantee } from '../../specs/lossy-ring/guarantees.ts'
import { type Shape, trying, words } from '../../specs/lossy-ring/programs.ts'
import { refuted } from '../../specs/mutants.ts'
import { instead, mutate, swappedWithNext } from '../../specs/mutate.ts'
import { structureOf, testStructure } from './structure.ts'

testStructure(await structureOf('lossy-ring'))

/** A memory on which an item is written after what comes next. */
class LateMemory extends ForwardingMemory {
  private late: readonly [number, Uint8Array] | undefined

  override writeBytes(byte: number, source: Uint8Array): void {
    this.late = [byte, source]
  }
  override exchange(word: number, value: number): number {
    const old = super.exchange(word, value)
    if (this.late !== undefined) super.writeBytes(...this.late)
    this.late = undefined
    return old
  }
}

/** Mistakes by which somebody copies what is being written: the search finds them without being told what they break. */
describe('a data race is found where', () => {
  const slug: Guarantee = 'lossy-ring/whole-items'
  const one: Shape = { capacity: 1 }
  const block = words.block(0)
  const race = (name: string, memory: Parameters<typeof refuted>[3], program = trying(one, 2, 1)) =>
    refuted<Guarantee>(slug, name, program, memory, 'data-race')
  const mistakes: readonly Check[] = [
    race(
      'a reader validates by a load',
      mutate(
        { operation: 'add', thread: 'reader0' },
        instead(({ memory, word }) => memory.load(word)),
      ),
    ),
    race(
      'a reader validates by a compare-exchange that changes nothing where it finds what it expects',
      mutate(
        { operation: 'add', thread: 'reader0' },
        instead(({ memory, word }) => memory.compareExchange(word, -1, -1)),
      ),
    ),
    race(
      'a reader does not validate',
      mutate(
        { operation: 'add', thread: 'reader0' },
        instead(({ memory }) => memory.load(words.written) * 0),
      ),
    ),
    race(
      'a reader validates before it copies',
      mutate(
        { operation: 'settle', thread: 'reader0' },
        instead(({ memory, perform }) => {
          memory.guessBytes(4 * (block + 32), new Uint8Array(3))
          perform(true)
        }),
      ),
    ),
    race(
      'the writer enters a block by a store',
      mutate(
        { operation: 'exchange', word: block, thread: 'writer' },
        instead(({ memory, word, args }) => memory.store(word, args[1] as number)),
      ),
    ),
    race(
      'the writer enters a block after it has written',
      swappedWithNext({ operation: 'exchange', word: block, thread: 'writer' }),
    ),
    race('the writer publishes an item before it is written', (memory, thread) =>
      thread === 'writer' ? new LateMemory(memory) : memory,
    ),
  ]

  it.each(mistakes.map((check) => [check.mutant?.name ?? '', check] as const))('%s', (_, check) => {
    const program = checkedProgram(check)
    const { failure } = explore(program)
    expect(failure?.kind).toBe('data-race')
    expect(replay(program, failure?.schedule ?? '').failure?.kind).toBe('data-race')
  })
})
