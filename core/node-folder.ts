import { closeSync, fsyncSync, linkSync, openSync, readdirSync, renameSync, unlinkSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { FileMemory, Folder } from './folder.ts'
import { onFile } from './node-mapped-file-error.ts'
import { MappedMemory } from './node-mapped-memory.ts'

/**
 * A folder of mapped files. Errors are `MappedFileError`s.
 *
 * A file is whole and on the disk before it gets its name, and the name is on the disk when `create` returns.
 */
export class NodeFolder implements Folder {
  readonly path: string
  private readonly seats: number

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
    return MappedMemory.create(this.fileOf(name), { words, seats: this.seats })
  }

  open(name: string): FileMemory {
    return MappedMemory.open(this.fileOf(name))
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
