import { closeSync, constants, fsyncSync, linkSync, openSync, readdirSync, renameSync, unlinkSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type FileMemory, type Folder, reasonOf } from './folder.ts'
import { MappedFileError, onFile } from './node-mapped-file-error.ts'
import { addReference, MappedMemory, type MappedShare, removeReference } from './node-mapped-memory.ts'

/** How many files stay mapped: of a queue, the one that is written, the one that is read, and the one that comes next. */
const mappingsLeast = 3
/** How many do where more come round again and again: to map one anew costs as much as to fill it. */
const mappingsMost = 8

/**
 * A folder of mapped files. Errors are `MappedFileError`s.
 *
 * A file is whole and on the disk before it gets its name, and the name is on the disk when `create` returns. All of it is written
 * then, so that what a disk refuses later can be brought there once it takes it.
 *
 * It is the folder that was there when this was made, whatever its path leads to later: it may get another name, or its file system
 * another place or none, and another folder its path. So nobody's files are taken for one's own. (Needs `/proc`.)
 *
 * The files opened last stay mapped, for one that comes again, perhaps by another name, then costs no page faults. So a file that
 * has lost its name may take room on the disk until others are opened, or there is no room.
 */
export class NodeFolder implements Folder {
  readonly path: string
  private readonly seats: number
  private readonly fd: number
  private isOpen = true
  private readonly mappings: MappedShare[] = []
  /** Which files this has let go of, the last few. */
  private readonly gone: string[] = []
  private room = mappingsLeast

  /**
   * @param path a folder that exists
   * @param seats how many threads can have one of its files open at a time
   */
  constructor(path: string, seats = 256) {
    this.path = resolve(path)
    this.seats = seats
    this.fd = onFile(this.path, () => openSync(this.path, constants.O_DIRECTORY))
  }

  list(): readonly string[] {
    return onFile(this.path, () => readdirSync(this.at('')))
  }

  create(name: string, words: number): FileMemory {
    try {
      const options = { words, seats: this.seats, written: true }
      return this.kept(MappedMemory.create(this.fileOf(name), options, this.at(name)))
    } catch (error) {
      if (reasonOf(error) !== 'full' || this.mappings.length === 0) throw error
      this.letGo()
      return this.create(name, words)
    }
  }

  open(name: string): FileMemory {
    return this.kept(MappedMemory.open(this.fileOf(name), this.mappings, this.at(name)))
  }

  close(): void {
    if (!this.isOpen) return
    this.isOpen = false
    this.letGo()
    closeSync(this.fd)
  }

  private letGo(): void {
    for (const mapping of this.mappings.splice(0)) removeReference(mapping)
  }

  private kept(memory: MappedMemory): MappedMemory {
    const { mappings } = this
    const mapping = memory.share()
    const at = mappings.findIndex(({ identity }) => identity === mapping.identity)
    if (at >= 0) mappings.splice(at, 1)
    else {
      addReference(mapping)
      this.fit(this.gone.includes(mapping.identity))
    }
    mappings.push(mapping)
    while (mappings.length > this.room) this.unkeep(mappings.shift() as MappedShare)
    return memory
  }

  /** A file was mapped: keeps one more from now on if it is back, and one less if it is new. */
  private fit(isBack: boolean): void {
    this.room = isBack ? Math.min(this.room + 1, mappingsMost) : Math.max(this.room - 1, mappingsLeast)
  }

  private unkeep(mapping: MappedShare): void {
    const { gone } = this
    removeReference(mapping)
    gone.push(mapping.identity)
    if (gone.length > mappingsMost) gone.shift()
  }

  link(name: string, another: string): void {
    onFile(this.fileOf(name), () => linkSync(this.at(name), this.at(another)))
  }

  rename(name: string, to: string): void {
    onFile(this.fileOf(name), () => renameSync(this.at(name), this.at(to)))
  }

  remove(name: string): void {
    onFile(this.fileOf(name), () => unlinkSync(this.at(name)))
  }

  sync(): void {
    this.requireOpen()
    onFile(this.path, () => fsyncSync(this.fd))
  }

  /** What people know a file by. */
  private fileOf(name: string): string {
    return join(this.path, name)
  }

  /** What leads to it. */
  private at(name: string): string {
    this.requireOpen()
    return `/proc/self/fd/${this.fd}/${name}`
  }

  private requireOpen(): void {
    // The number may be that of another file by now.
    if (!this.isOpen) throw new MappedFileError(this.path, 'closed', 'this folder was closed; open it again')
  }
}
