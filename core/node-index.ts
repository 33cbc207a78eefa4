/** The part of the concurrency kit that needs Node: memory that processes share. */
export { MappedFileError, type MappedFileReason } from './node-mapped-file-error.ts'
export { MappedMemory, type MappedOptions, type MappedShare } from './node-mapped-memory.ts'
export type { Participant } from './node-participants.ts'
