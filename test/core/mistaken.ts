import type { Check } from '../../checker/check.ts'
import { Dice, WatchedMemory } from '../../checker/stress.ts'
import { ForwardingMemory } from '../../core/forwarding-memory.ts'
import type { Memory, WaitResult } from '../../core/memory.ts'
import type { Wrap } from '../../specs/mutants.ts'
import { answering, instead, mutate } from '../../specs/mutate.ts'

/** What a thread or process of a broken twin does wrong. */
export interface Mistake {
  /** By its name below, or in the specs of the structure. */
  readonly name: string
  /** The folder of the specs: `'work-ring'`. */
  readonly structure?: string
  /** The name of the thread in the programs of the specs. */
  readonly thread?: string
}

const sleeps = new Int32Array(new SharedArrayBuffer(4))

/** Takes so many milliseconds for the call, which others so find half-done. */
const slow = (ms: number) =>
  instead(({ args, perform }) => {
    Atomics.wait(sleeps, 0, 0, ms)
    return perform(...args)
  })

/** Does nothing more: whoever did it can be killed now. */
const stops = instead(() => {
  throw new Error('it stops here')
})

/** The second of the words that a mutex of `mapped-peer.mjs` protects; and the one that names the holder. */
const secondAt = 96
const holderAt = 32

const wraps: Readonly<Record<string, Wrap>> = {
  'the dead are taken for living': mutate(
    { operation: 'alive' },
    answering(() => true),
  ),
  'the living are taken for dead': mutate(
    { operation: 'alive' },
    answering(() => false),
  ),
  'a lock of the dead is set free, and then taken': mutate(
    { operation: 'alive' },
    instead(({ args, memory, perform }) => {
      const alive = perform(...args)
      if (!alive) memory.store(holderAt, 0)
      return alive
    }),
  ),
  'it takes its time for each copy': mutate({ operation: 'writeBytes' }, slow(3)),
  // Longer than anybody sleeps before it looks who lives.
  'it takes long for its 7th read': mutate({ operation: 'readBytes', nth: 7 }, slow(200)),
  'it takes its time before the second word': mutate({ operation: 'write', word: secondAt }, slow(3)),
  'it stops before its 7th copy': mutate({ operation: 'writeBytes', nth: 7 }, stops),
  'it stops before the second word': mutate({ operation: 'write', word: secondAt, nth: 7 }, stops),
}

/**
 * The memory with this mistake, or none. Its last word tells whoever uses it to stop.
 *
 * @param seed of moments that operations take, so that others get in; default: they take none
 */
export async function mistaken(bare: Memory, mistake?: Mistake, seed?: number): Promise<Memory> {
  const memory = seed === undefined ? bare : new WatchedMemory(bare, new Dice(seed))
  if (mistake === undefined) return new StoppableMemory(memory)
  return new StoppableMemory((await wrapOf(mistake))(memory, mistake.thread ?? ''))
}

async function wrapOf({ name, structure }: Mistake): Promise<Wrap> {
  const own = wraps[name]
  if (own !== undefined) return own
  const { mutants } = (await import(`../../specs/${structure}/mutants.ts`)) as { readonly mutants: readonly Check[] }
  const wrap = mutants.find((check) => check.mutant?.name === name)?.mutant?.memory
  if (wrap === undefined) throw new RangeError(`no mistake of ${structure} is called '${name}'`)
  return wrap
}

/** A memory on which a thread that goes on in vain can be told so: it throws when the last word is not 0. */
class StoppableMemory extends ForwardingMemory {
  private readonly stopAt: number

  constructor(memory: Memory) {
    super(memory)
    this.stopAt = memory.words - 1
  }

  override load(word: number): number {
    this.look()
    return super.load(word)
  }

  override compareExchange(word: number, expected: number, replacement: number): number {
    this.look()
    return super.compareExchange(word, expected, replacement)
  }

  override wait(word: number, expected: number, timeoutMs?: number): WaitResult {
    this.look()
    const result = super.wait(word, expected, timeoutMs)
    this.look()
    return result
  }

  private look(): void {
    if (this.memory.load(this.stopAt) !== 0) throw new Error('it goes on in vain')
  }
}
