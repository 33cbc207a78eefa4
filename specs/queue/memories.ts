import { ForwardingMemory } from '../../core/forwarding-memory.ts'
import type { Memory, WaitResult } from '../../core/memory.ts'
import { SlicedMemory } from '../memories.ts'

/** Ways to see a memory, for programs around the queue. */

/** For who comes when everybody else is dead: in `setup`, in `finally`, after a crash. Or all but a witness. */
export class SurvivorMemory extends ForwardingMemory {
  override readonly liveness: NonNullable<Memory['liveness']>

  constructor(memory: Memory, self: number, witness?: number) {
    super(memory)
    this.liveness = { self, alive: (participant) => participant === witness }
  }
}

/** For a thread, beside a witness who is no thread and lives. */
export class WitnessedMemory extends SlicedMemory {
  declare readonly liveness: NonNullable<Memory['liveness']>

  constructor(memory: Memory, witness: number) {
    super(memory)
    const { self, alive } = this.liveness
    this.liveness = { self, alive: (participant) => participant === witness || alive(participant) }
  }
}

/** A memory on which nobody looks up: who sleeps does so until it is woken. Where it should have been, the search finds it asleep. */
export class DeepSleepMemory extends ForwardingMemory {
  override wait(word: number, expected: number): WaitResult {
    return super.wait(word, expected)
  }
}

/**
 * A memory whose changes nobody keeps: for a recovery that must not be crashed in turn. What a crash left is then looked at in
 * every way, and programs that crash twice can be smaller.
 */
export class ScratchMemory extends ForwardingMemory {
  override readonly durability: NonNullable<Memory['durability']> = { flush: () => {} }
  protected readonly changed: Map<number, number> = new Map()

  override load(word: number): number {
    return this.changed.get(word) ?? super.load(word)
  }

  override store(word: number, value: number): void {
    this.changed.set(word, value | 0)
  }

  override add(word: number, value: number): number {
    const old = this.load(word)
    this.store(word, old + value)
    return old
  }

  override sub(word: number, value: number): number {
    return this.add(word, -value)
  }

  override exchange(word: number, value: number): number {
    const old = this.load(word)
    this.store(word, value)
    return old
  }

  override compareExchange(word: number, expected: number, replacement: number): number {
    const old = this.load(word)
    if (old === (expected | 0)) this.store(word, replacement)
    return old
  }

  override notify(): number {
    return 0
  }

  override read(word: number): number {
    return this.load(word)
  }

  override write(word: number, value: number): void {
    this.store(word, value)
  }

  override readBytes(byte: number, target: Uint8Array): void {
    for (let i = 0; i < target.length; i++) target[i] = this.load((byte + i) >> 2) >>> (8 * ((byte + i) & 3))
  }

  override guessBytes(byte: number, target: Uint8Array): void {
    this.readBytes(byte, target)
  }

  override settle(): void {}

  override writeBytes(byte: number, source: Uint8Array): void {
    for (let i = 0; i < source.length; i++) {
      const [word, shift] = [(byte + i) >> 2, 8 * ((byte + i) & 3)]
      this.store(word, (this.load(word) & ~(255 << shift)) | ((source[i] as number) << shift))
    }
  }
}

/**
 * What a crash left, but for words that hold zeros: for those that say who was there and what they held, which nobody believes
 * when all are dead. Programs of one thread look at whatever these may hold; those of two would do nothing else.
 */
export class ForsakenMemory extends ScratchMemory {
  constructor(memory: Memory, words: Iterable<number>) {
    super(memory)
    for (const word of words) this.changed.set(word, 0)
  }
}

/** A memory before a disk: what is not flushed is lost when the power fails, but for words that happened to be written back. */
export class CachedMemory extends ScratchMemory {
  override readonly durability: NonNullable<Memory['durability']> = {
    flush: (byte, length) => this.writeBack((word) => 4 * word >= byte && 4 * word < byte + length),
  }

  failPower(happened: (word: number) => boolean): void {
    this.writeBack(happened)
    this.changed.clear()
  }

  protected writeBack(which: (word: number) => boolean): void {
    for (const [word, value] of this.changed) if (which(word)) this.memory.store(word, value)
  }
}

/**
 * A memory before a disk that may refuse: what it refuses once the kernel takes for written from then on, and never tries again
 * unless somebody writes to the same page. (ext4 does so; PostgreSQL learnt it in 2018.)
 */
export class ForgettingMemory extends CachedMemory {
  refuses: (word: number) => boolean = () => false
  private readonly pageOf: (word: number) => number
  private readonly forgotten: Set<number> = new Set()
  override readonly durability: NonNullable<Memory['durability']> = {
    flush: (byte, length) => {
      const words = [...this.changed.keys()].filter((word) => 4 * word >= byte && 4 * word < byte + length)
      if (this.refuses(byte >> 2)) {
        for (const word of words) this.forgotten.add(word)
        throw new Error('the disk does not take it')
      }
      this.writeBack((word) => words.includes(word) && !this.forgotten.has(word))
    },
  }

  constructor(memory: Memory, pageOf: (word: number) => number) {
    super(memory)
    this.pageOf = pageOf
  }

  override store(word: number, value: number): void {
    for (const one of this.forgotten) if (this.pageOf(one) === this.pageOf(word)) this.forgotten.delete(one)
    super.store(word, value)
  }
}
