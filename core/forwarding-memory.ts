import type { Memory, WaitResult } from './memory.ts'

/**
 * A `Memory` that hands every operation to another one: extend it and override what should differ.
 *
 * Counters, recorders and mutants are written so. An operation that a later version of `Memory` adds is forwarded by a
 * later version of this class, so that wrappers go on working. Costs one more call an operation.
 *
 * ```ts
 * class CountingMemory extends ForwardingMemory {
 *   loads = 0
 *   override load(word: number): number {
 *     this.loads++
 *     return super.load(word)
 *   }
 * }
 * ```
 */
export class ForwardingMemory implements Memory {
  /** Where the operations go. */
  protected readonly memory: Memory
  declare readonly onEventLoop?: boolean
  declare readonly liveness?: NonNullable<Memory['liveness']>
  declare readonly durability?: NonNullable<Memory['durability']>

  constructor(memory: Memory) {
    this.memory = memory
    if (memory.onEventLoop !== undefined) this.onEventLoop = memory.onEventLoop
    if (memory.liveness !== undefined) this.liveness = memory.liveness
    if (memory.durability !== undefined) this.durability = memory.durability
  }

  get words(): number {
    return this.memory.words
  }

  load(word: number): number {
    return this.memory.load(word)
  }

  store(word: number, value: number): void {
    this.memory.store(word, value)
  }

  add(word: number, value: number): number {
    return this.memory.add(word, value)
  }

  sub(word: number, value: number): number {
    return this.memory.sub(word, value)
  }

  and(word: number, value: number): number {
    return this.memory.and(word, value)
  }

  or(word: number, value: number): number {
    return this.memory.or(word, value)
  }

  xor(word: number, value: number): number {
    return this.memory.xor(word, value)
  }

  exchange(word: number, value: number): number {
    return this.memory.exchange(word, value)
  }

  compareExchange(word: number, expected: number, replacement: number): number {
    return this.memory.compareExchange(word, expected, replacement)
  }

  wait(word: number, expected: number, timeoutMs?: number): WaitResult {
    return this.memory.wait(word, expected, timeoutMs)
  }

  notify(word: number, count?: number): number {
    return this.memory.notify(word, count)
  }

  pause(): void {
    this.memory.pause()
  }

  read(word: number): number {
    return this.memory.read(word)
  }

  write(word: number, value: number): void {
    this.memory.write(word, value)
  }

  readBytes(byte: number, target: Uint8Array): void {
    this.memory.readBytes(byte, target)
  }

  writeBytes(byte: number, source: Uint8Array): void {
    this.memory.writeBytes(byte, source)
  }

  guessBytes(byte: number, target: Uint8Array): void {
    this.memory.guessBytes(byte, target)
  }

  settle(valid: boolean): void {
    this.memory.settle(valid)
  }

  now(): number {
    return this.memory.now()
  }
}
