import { closeSync, fsyncSync, linkSync, openSync, readdirSync, renameSync, unlinkSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type FileMemory, type Folder, reasonOf } from './folder.ts'
import { onFile } from './node-mapped-file-error.ts'
import { addReference, MappedMemory, type MappedShare, removeReference } from './node-mapped-memory.ts'

/** How many files stay mapped: of a queue, the one that is written, the one that is read, and the one that comes next. */
const mappingsKept = 3

/**
 * A folder of mapped files. Errors are `MappedFileError`s.
 *
 * A file is whole and on the disk before it gets its name, and the name is on the disk when `create` returns.
 *
 * The files opened last stay mapped, for one that comes again, perhaps by another name, then costs no page faults. So a file that
 * has lost its name may take room on the disk until others are opened, or there is no room.
 */
export class NodeFolder implements Folder {
  readonly path: string
  private readonly seats: number
  private readonly mappings: MappedShare[] = []

  /**
   * @param path a folder that exists
   * @param seats how many threads can have one of its files open at a time
   */
  constructor(path: string, seats = 256) {
    this.path = resolve(path)
    this.seats = seats
  }

  list(): readonly string[] {
    return onFile(this.path, () => readdirSync(this.path))
  }

  create(name: string, words: number): FileMemory {
    try {
      return this.kept(MappedMemory.create(this.fileOf(name), { words, seats: this.seats }))
    } catch (error) {
      if (reasonOf(error) !== 'full' || this.mappings.length === 0) throw error
      this.close()
      return this.create(name, words)
    }
  }

  open(name: string): FileMemory {
    return this.kept(MappedMemory.open(this.fileOf(name), this.mappings))
  }

  close(): void {
    for (const mapping of this.mappings.splice(0)) removeReference(mapping)
  }

  private kept(memory: MappedMemory): MappedMemory {
    const { mappings } = this
    const mapping = memory.share()
    const at = mappings.findIndex(({ identity }) => identity === mapping.identity)
    if (at >= 0) mappings.splice(at, 1)
    else addReference(mapping)
    mappings.push(mapping)
    if (mappings.length > mappingsKept) removeReference(mappings.shift() as MappedShare)
    return memory
  }

  link(name: string, another: string): void {
    onFile(this.fileOf(name), () => linkSync(this.fileOf(name), this.fileOf(another)))
  }

  rename(name: string, to: string): void {
    onFile(this.fileOf(name), () => renameSync(this.fileOf(name), this.fileOf(to)))
  }

  remove(name: string): void {
    onFile(this.fileOf(name), () => unlinkSync(this.fileOf(name)))
  }

  sync(): void {
    onFile(this.path, () => {
      const fd = openSync(this.path, 'r')
      try {
        fsyncSync(fd)
      } finally {
        closeSync(fd)
      }
    })
  }

  private fileOf(name: string): string {
    return join(this.path, name)
  }
}
