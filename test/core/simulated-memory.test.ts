import { describe, expect, it } from 'vitest'
import { explore } from '../../checker/index.ts'
import type { Memory } from '../../core/memory.ts'
import type { Program } from '../../model/program.ts'
import { type MemoryRunner, memoryContract } from './memory-contract.ts'

/** Explores a program, and throws what its body threw. */
function exploring(programOf: (words: number, body: Parameters<MemoryRunner>[1]) => Program): MemoryRunner {
  return (words, body) => {
    let thrown: unknown
    const report = explore(
      programOf(words, (memory) => {
        try {
          body(memory)
        } catch (error) {
          // The checker leaves a thread by throwing what is no Error.
          if (error instanceof Error) thrown ??= error
          throw error
        }
      }),
      { events: 1_000_000 },
    )
    if (thrown !== undefined) throw thrown
    if (report.verdict !== 'holds') throw new Error(`${report.verdict}: ${report.failure?.message}`)
  }
}

memoryContract(
  'the simulated memory, in a thread',
  exploring((words, body) => ({ name: 'contract', words, threads: { only: (memory) => body(memory) } })),
)

memoryContract(
  'the simulated memory, in setup',
  exploring((words, body) => ({ name: 'contract', words, setup: body, threads: { only: () => 0 } })),
)

memoryContract(
  'the simulated memory, in finally',
  exploring((words, body) => ({ name: 'contract', words, threads: { only: () => 0 }, finally: (memory) => body(memory) })),
)

describe('bulk copies of two threads', () => {
  const bytes = (...values: number[]) => Uint8Array.from(values)
  const writing = (byte: number, source: Uint8Array) => (memory: Memory) => memory.writeBytes(byte, source)
  const reading = (byte: number, length: number) => (memory: Memory) => {
    const target = new Uint8Array(length)
    memory.readBytes(byte, target)
    return [...target]
  }
  const verdictOf = (first: (memory: Memory) => unknown, second: (memory: Memory) => unknown, sum?: number) =>
    explore({
      name: 'copies',
      words: 2,
      threads: { first, second },
      finally: (memory) => expect([undefined, memory.load(0)]).toContain(sum),
    })

  it('may touch neighbouring bytes of one word, and neither undoes the other', () => {
    const neighbours = verdictOf(writing(0, bytes(1)), writing(1, bytes(2, 3, 4)), 0x04030201)
    expect([neighbours.verdict, neighbours.executions]).toEqual(['holds', 1])
    expect(verdictOf(writing(0, bytes(1, 2)), reading(2, 4), 0x0201).verdict).toBe('holds')
    expect(verdictOf(reading(0, 4), reading(2, 4)).verdict).toBe('holds')
    expect(verdictOf(writing(1, bytes()), writing(0, bytes(1, 2, 3, 4)), 0x04030201).verdict).toBe('holds')
  })

  it.each([
    ['two writes with one byte in common', writing(0, bytes(1, 2)), writing(1, bytes(2, 3))],
    ['a write and a read with one byte in common', writing(2, bytes(1, 2, 3)), reading(4, 4)],
    ['bytes and a plain word', writing(3, bytes(1)), (memory: Memory) => memory.read(0)],
    ['bytes and a SeqCst load', writing(3, bytes(1)), (memory: Memory) => memory.load(0)],
    ['bytes that are read and a SeqCst store', reading(3, 2), (memory: Memory) => memory.store(1, 5)],
  ] as const)('race: %s', (_, first, second) => {
    expect(verdictOf(first, second).failure?.kind).toBe('data-race')
    expect(verdictOf(second, first).failure?.kind).toBe('data-race')
  })

  it('that only read race with no SeqCst load', () => {
    expect(verdictOf(reading(0, 8), (memory) => memory.load(1)).verdict).toBe('holds')
  })
})
