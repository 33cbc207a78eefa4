import { type FileMemory, type Folder, FolderError } from '../core/folder.ts'
import { ForwardingMemory } from '../core/forwarding-memory.ts'
import type { Memory, WaitResult } from '../core/memory.ts'

/**
 * A folder that lies in a memory, so that the explorer takes it through every interleaving and every crash: all that it does
 * are operations on words.
 *
 * ```
 *   word
 *   0 ..     entries   one for each name that there can be: 0, or the number of a file, from 1 on
 *   N ..     sizes     one for each file that there can be: 0, or how many words it has
 *   N + F .. files     room for each file
 *   behind   holders   for each file and participant, how many times this one has it open
 * ```
 *
 * Every entry is written back on its own, and `sync` is a flush of all of them: after a power failure each name is as it was
 * at the last `sync` or as it was made at any time since, whatever the others are. That assumes the least of a file system;
 * `rename`, which changes two entries, may even be half done. A size is on the disk before a name leads to it, as with the
 * real folder. The number of a file is never given twice: when all are used up, the disk is full.
 *
 * Whoever has died has nothing open, as with a real folder. A participant has one folder at a time.
 */

/** Participants have numbers below this one. */
const participants = 10

export interface FolderShape {
  /** All names that there can be. */
  readonly names: readonly string[]
  /** How many files can be made, those that have been removed included. */
  readonly files: number
  /** How many words a file can have. */
  readonly words: number
}

export class SimulatedFolder implements Folder {
  private readonly memory: Memory
  private readonly shape: FolderShape
  private readonly at: number
  private readonly sizesAt: number
  private readonly filesAt: number
  private readonly holdersAt: number
  /** How many times each file is open here. */
  private readonly views: number[]

  /** @param at the word where the folder begins; it takes `SimulatedFolder.words(shape)` words, all zero at first */
  constructor(memory: Memory, shape: FolderShape, at = 0) {
    this.memory = memory
    this.shape = shape
    this.at = at
    this.sizesAt = at + shape.names.length
    this.filesAt = this.sizesAt + shape.files
    this.views = Array(shape.files).fill(0)
    this.holdersAt = at + SimulatedFolder.holderOf(shape, 1, 0)
  }

  static words({ names, files, words }: FolderShape): number {
    return names.length + files * (1 + words + participants)
  }

  /** Where the first word of a file is; files count from 1 in the order in which they were made. */
  static wordOf({ names, files, words }: FolderShape, file: number): number {
    return names.length + files + (file - 1) * words
  }

  /** The word that says how many times a participant has a file open. */
  static holderOf(shape: FolderShape, file: number, participant: number): number {
    return SimulatedFolder.wordOf(shape, shape.files + 1) + (file - 1) * participants + participant
  }

  list(): readonly string[] {
    return this.shape.names.filter((name) => this.memory.load(this.entryOf(name)) !== 0)
  }

  create(name: string, words: number): FileMemory {
    const { memory } = this
    const entry = this.entryOf(name)
    if (memory.load(entry) !== 0) throw new FolderError('exists', `there is a file ${name} already`)
    const file = this.newFile(words)
    if (memory.compareExchange(entry, 0, file) !== 0) throw new FolderError('exists', `there is a file ${name} already`)
    return this.view(file, words)
  }

  open(name: string): FileMemory {
    const file = this.fileOf(name)
    return this.view(file, this.memory.load(this.sizesAt + file - 1))
  }

  link(name: string, another: string): void {
    if (this.memory.compareExchange(this.entryOf(another), 0, this.fileOf(name)) !== 0) {
      throw new FolderError('exists', `there is a file ${another} already`)
    }
  }

  rename(name: string, to: string): void {
    this.memory.store(this.entryOf(to), this.fileOf(name))
    if (to !== name) this.memory.store(this.entryOf(name), 0)
  }

  remove(name: string): void {
    if (this.memory.exchange(this.entryOf(name), 0) === 0) throw new FolderError('missing', `there is no file ${name}`)
  }

  sync(): void {
    this.memory.durability?.flush(4 * this.at, 4 * this.shape.names.length)
  }

  close(): void {}

  private newFile(words: number): number {
    const { memory, shape, sizesAt } = this
    for (let file = 1; words <= shape.words && file <= shape.files; file++) {
      const size = sizesAt + file - 1
      if (memory.compareExchange(size, 0, words) !== 0) continue
      memory.durability?.flush(4 * size, 4)
      return file
    }
    throw new FolderError('full', `no room for a file of ${words} words`)
  }

  private view(file: number, words: number): FileMemory {
    const { memory, shape, filesAt, holdersAt, views } = this
    const holders = holdersAt + (file - 1) * participants
    const self = memory.liveness?.self ?? 0
    if (self >= participants) throw new RangeError(`SimulatedFolder: expected a participant below ${participants}`)
    const hold = (more: number): void => {
      views[file - 1] = (views[file - 1] as number) + more
      // What was there before is not looked at: after a crash it means nothing.
      memory.store(holders + self, views[file - 1] as number)
    }
    hold(1)
    return new FileView(memory, filesAt + (file - 1) * shape.words, words, {
      close: () => hold(-1),
      isAlone: () => {
        for (let one = 0; one < participants; one++) {
          if (one === self) continue
          if (memory.load(holders + one) > 0 && memory.liveness?.alive(one) !== false) return false
        }
        return views[file - 1] === 1
      },
    })
  }

  private fileOf(name: string): number {
    const file = this.memory.load(this.entryOf(name))
    if (file === 0) throw new FolderError('missing', `there is no file ${name}`)
    return file
  }

  private entryOf(name: string): number {
    const index = this.shape.names.indexOf(name)
    if (index < 0) throw new RangeError(`SimulatedFolder: expected one of the names ${this.shape.names.join()}, found ${name}`)
    return this.at + index
  }
}

/** What it is for others that somebody has a file open. */
interface Holding {
  close(): void
  isAlone(): boolean
}

/** The words of one file. */
class FileView extends ForwardingMemory implements FileMemory {
  override readonly durability: NonNullable<Memory['durability']>
  private readonly at: number
  private readonly size: number
  private readonly holding: Holding
  private isOpen = true

  constructor(memory: Memory, at: number, words: number, holding: Holding) {
    super(memory)
    this.at = at
    this.size = words
    this.holding = holding
    this.durability = {
      flush: (byte, length) => {
        const from = this.byteOf(byte, length)
        memory.durability?.flush(from, length)
      },
    }
  }

  get isAlone(): boolean {
    this.requireOpen()
    return this.holding.isAlone()
  }

  close(): void {
    if (!this.isOpen) return
    this.isOpen = false
    this.holding.close()
  }

  override get words(): number {
    return this.size
  }

  override load(word: number): number {
    return super.load(this.wordOf(word))
  }

  override store(word: number, value: number): void {
    super.store(this.wordOf(word), value)
  }

  override add(word: number, value: number): number {
    return super.add(this.wordOf(word), value)
  }

  override sub(word: number, value: number): number {
    return super.sub(this.wordOf(word), value)
  }

  override and(word: number, value: number): number {
    return super.and(this.wordOf(word), value)
  }

  override or(word: number, value: number): number {
    return super.or(this.wordOf(word), value)
  }

  override xor(word: number, value: number): number {
    return super.xor(this.wordOf(word), value)
  }

  override exchange(word: number, value: number): number {
    return super.exchange(this.wordOf(word), value)
  }

  override compareExchange(word: number, expected: number, replacement: number): number {
    return super.compareExchange(this.wordOf(word), expected, replacement)
  }

  override wait(word: number, expected: number, timeoutMs?: number): WaitResult {
    return super.wait(this.wordOf(word), expected, timeoutMs)
  }

  override notify(word: number, count?: number): number {
    return super.notify(this.wordOf(word), count)
  }

  override read(word: number): number {
    return super.read(this.wordOf(word))
  }

  override write(word: number, value: number): void {
    super.write(this.wordOf(word), value)
  }

  override readBytes(byte: number, target: Uint8Array): void {
    super.readBytes(this.byteOf(byte, target.length), target)
  }

  override writeBytes(byte: number, source: Uint8Array): void {
    super.writeBytes(this.byteOf(byte, source.length), source)
  }

  override guessBytes(byte: number, target: Uint8Array): void {
    super.guessBytes(this.byteOf(byte, target.length), target)
  }

  private wordOf(word: number): number {
    this.requireOpen()
    if (Number.isInteger(word) && word >= 0 && word < this.size) return this.at + word
    throw new RangeError(`expected a word from 0 to ${this.size - 1}, found ${word}`)
  }

  private byteOf(byte: number, length: number): number {
    this.requireOpen()
    if (Number.isInteger(byte) && byte >= 0 && length >= 0 && byte + length <= 4 * this.size) return 4 * this.at + byte
    throw new RangeError(`expected ${length} bytes within the ${4 * this.size} of this memory, found them at ${byte}`)
  }

  private requireOpen(): void {
    if (!this.isOpen) throw new FolderError('closed', 'this file was closed; open it again')
  }
}
