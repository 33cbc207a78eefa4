import { ForwardingMemory } from '../../core/forwarding-memory.ts'
import type { Memory } from '../../core/memory.ts'
import type { Wrap } from '../../specs/mutants.ts'

/** Mistakes that make a data race, so that no guarantee has to notice them: who copies does so when it is too late. */
export const lateCopies: Readonly<Record<string, Wrap>> = {
  'what is written comes after it was published': (memory) => new LateMemory(memory, 'writes'),
  'what is read is copied after it was given back': (memory) => new LateMemory(memory, 'reads'),
  'what is guessed is copied after it was found undisturbed': (memory) => new LateMemory(memory, 'guesses'),
}

/** A memory on which some copies are made after the next exchange or addition. */
class LateMemory extends ForwardingMemory {
  private readonly late: 'writes' | 'reads' | 'guesses'
  private readonly copies: (() => void)[] = []

  constructor(memory: Memory, late: LateMemory['late']) {
    super(memory)
    this.late = late
  }

  override writeBytes(byte: number, source: Uint8Array): void {
    if (this.late !== 'writes') super.writeBytes(byte, source)
    else this.copies.push(() => super.writeBytes(byte, source))
  }

  override readBytes(byte: number, target: Uint8Array): void {
    if (this.late !== 'reads') super.readBytes(byte, target)
    else this.copies.push(() => super.readBytes(byte, target))
  }

  override guessBytes(byte: number, target: Uint8Array): void {
    if (this.late !== 'guesses') super.guessBytes(byte, target)
    else this.copies.push(() => super.guessBytes(byte, target))
  }

  override exchange(word: number, value: number): number {
    return this.thenCopy(super.exchange(word, value))
  }

  override add(word: number, value: number): number {
    return this.thenCopy(super.add(word, value))
  }

  private thenCopy(answer: number): number {
    for (const copy of this.copies.splice(0)) copy()
    return answer
  }
}
