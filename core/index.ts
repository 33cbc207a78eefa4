/** Heddle: concurrent structures over shared memory. This is what production imports. */
export type { Memory, WaitResult } from './memory.ts'
