import type { Memory } from './memory.ts'

/**
 * The second door: a folder of files that are memories.
 *
 * A structure that spans several files is written against `Folder` and `Memory`, and nothing else, so that the very code that
 * ships also runs on a simulated folder, which the checker takes through every interleaving and every crash.
 */

/** A file, as a memory. */
export interface FileMemory extends Memory {
  readonly durability: NonNullable<Memory['durability']>
  /**
   * Whether nobody living has it open besides: no other thread, and not this one a second time. Whoever opens it after this
   * looked sees everything that was done before, to whichever memory.
   */
  readonly isAlone: boolean
  /** Lets the file go; every operation throws from now on. Closing twice is fine. A file outlives its name while it is open. */
  close(): void
}

/**
 * Names, and the files behind them. Any thread may call anything.
 *
 * What a call has changed is seen by whoever comes later, also when the caller is killed right after. It survives a power
 * failure when `sync` has returned since. Until then each name may be there or not, as if only some of the calls had been made;
 * but a name that is there leads to the whole file that it was given to, or to what was written to that file since.
 *
 * Errors have a `reason`: `'missing'` for a name that is not there, `'exists'` for one that is, `'full'` when there is no room
 * for a file. A call that throws has changed nothing.
 */
export interface Folder {
  /** All names, in no order. */
  list(): readonly string[]
  /** Makes a file of so many words, all zero, with room for them on the disk, and opens it. The name must not be there yet. */
  create(name: string, words: number): FileMemory
  open(name: string): FileMemory
  /** Gives a file one more name, which must not be there yet. */
  link(name: string, another: string): void
  /** Gives a file another name. Whatever had that name loses it. */
  rename(name: string, to: string): void
  /** Takes a name away. The file goes with its last name, and when everybody has closed it. */
  remove(name: string): void
  /** Returns when all names are on the disk, as they were at the call or later. */
  sync(): void
  /** Lets go of whatever it keeps; nothing but this may be called from now on. Files that are open stay so. Closing twice is fine. */
  close(): void
}

/** A folder that cannot do what it was asked for. Folders on a disk throw other errors, with the same reasons. */
export class FolderError extends Error {
  override readonly name = 'FolderError'
  readonly reason: 'missing' | 'exists' | 'full' | 'closed'

  constructor(reason: FolderError['reason'], message: string) {
    super(`Folder: ${message}`)
    this.reason = reason
  }
}

/** Why a call failed, where an error says so. */
export function reasonOf(error: unknown): string | undefined {
  const reason = error instanceof Error ? (error as { reason?: unknown }).reason : undefined
  return typeof reason === 'string' ? reason : undefined
}
