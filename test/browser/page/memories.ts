import { SharedMemory } from '../../../core/index.ts'

/** A shared memory as it is posted: a buffer, or a `WebAssembly.Memory` around one. */
export type Shared = Exclude<ConstructorParameters<typeof SharedMemory>[0], number>

export type Kind = 'buffer' | 'wasm'

/** What is used here of the global `WebAssembly`, of which the types of Node do not know. */
interface Api {
  readonly Memory: new (options: { initial: number; maximum: number; shared: boolean }) => Shared
  readonly Module: new (bytes: Uint8Array) => object
}
const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: Api }

/** So many words at least, all zero. */
export function sharedOf(words: number, kind: Kind = 'buffer'): Shared {
  if (kind === 'buffer') return new SharedMemory(words).buffer
  const pages = Math.ceil(words / 16384)
  return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true })
}

type Operation = (memory: SharedMemory, word: number, a: number, b: number) => unknown

const operations: readonly Operation[] = [
  (memory, word) => memory.load(word),
  (memory, word, a) => memory.store(word, a),
  (memory, word, a) => memory.add(word, a),
  (memory, word, a) => memory.sub(word, a),
  (memory, word, a) => memory.and(word, a),
  (memory, word, a) => memory.or(word, a),
  (memory, word, a) => memory.xor(word, a),
  (memory, word, a) => memory.exchange(word, a),
  (memory, word, a, b) => memory.compareExchange(word, a, b),
  (memory, word) => memory.notify(word),
  (memory, word) => memory.read(word),
  (memory, word, a) => memory.write(word, a),
  (memory, word, a) => memory.writeBytes(4 * word + (a & 3), new Uint8Array(a & 127).fill(a)),
  (memory, word, a) => {
    const target = new Uint8Array(a & 127)
    memory.readBytes(4 * word + (a & 3), target)
    return `${target}`
  },
]

export const memoryTasks = {
  /** Whether this page may compile WebAssembly. */
  compiles(): boolean {
    try {
      new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0))
      return true
    } catch {
      return false
    }
  },

  /** What a memory answers to so many operations, which are always the same. */
  answers({ kind, count }: { readonly kind: Kind; readonly count: number }): unknown[] {
    const words = 64
    const memory = new SharedMemory(sharedOf(words, kind), 0, words)
    let state = 1
    const next = (below: number): number => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0
      return (state >>> 8) % below
    }
    return Array.from({ length: count }, () => {
      const operation = operations[next(operations.length)]
      // Few values, so that a compare-exchange meets its own; and those where an Int32 changes its sign, and ends.
      const value = () => [next(4), -next(4), 2 ** 31 - next(2), 2 ** 32 + next(4), next(2 ** 24)][next(5)]
      const word = next(words + 1)
      try {
        return operation(memory, word, value(), value()) ?? 'done'
      } catch (error) {
        return `${error}`
      }
    })
  },
}
