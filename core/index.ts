/** The concurrency kit: structures for JavaScript threads, and the memory they stand on. */
export { ForwardingMemory } from './forwarding-memory.ts'
export { lineWords } from './layout.ts'
export type { Memory, WaitResult } from './memory.ts'
export { Ring, type RingOptions, type Sink, type Source, type SourceOptions, type WaitOptions } from './ring.ts'
export { SharedMemory } from './shared-memory.ts'
