import { randomBytes } from 'node:crypto'
import { closeSync, fstatSync, fsyncSync, linkSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { crc32 } from 'node:zlib'
import { fourLetters, lineWords } from './layout.ts'
import { libc } from './node-libc.ts'
import { MappedFileError, onFile } from './node-mapped-file-error.ts'

/**
 * The file underneath a `MappedMemory`.
 *
 * ```
 *   byte
 *   0        header     magic, version, kind, byte where the data begins, most words, seats, checksum; never changes
 *   128      present    how many words there are now; only grows
 *   256      bells      for each group of words, how often somebody was notified and how many sleep (node-bells.ts)
 *   16384    seats      who takes part (node-participants.ts)
 *   65536    data       word 0 of the memory
 * ```
 *
 * Everything before the data is the control part. It is mapped on its own, so that no index of the memory reaches it. The
 * data begin on a page whatever its size: on arm64 a page has 4, 16 or 64 KiB.
 */
export const controlBytes = 65536
export const presentAt: number = lineWords
export const bellsAt: number = 2 * lineWords
export const seatsAt = 4096

/** The most words that a file can have: word indices are unsigned 32-bit numbers. */
export const fileWordsMax: number = 2 ** 32 - 1

/** Rises whenever bytes change their meaning, so that two releases of Heddle never misread each other. */
export const fileVersion = 1

const magic = fourLetters('HDLF')
const kind = fourLetters('WORD')
const checksumAt = 15

/** What never changes about a file. */
export interface FileHeader {
  readonly wordsMax: number
  readonly seats: number
}

/** A file that this thread has open, its header checked. */
export interface MappedFile {
  readonly path: string
  /** Opened by this thread, and closed when the thread ends: the locks of its seat hang on it. */
  readonly fd: number
  readonly header: FileHeader
  /** Tells this file from every other one of this machine. */
  readonly identity: string
}

/**
 * The control part of a new file. All of it is written: where a file of ext4 has parts that were allocated and never written
 * between others that were, each flush of its data brings one block more to the disk, which says where these parts are.
 */
function controlPart(words: number, header: FileHeader): Uint32Array {
  const control = new Uint32Array(controlBytes / 4)
  control.set(encode(header))
  control[presentAt] = words
  return control
}

function encode({ wordsMax, seats }: FileHeader): Uint32Array {
  const header = new Uint32Array(checksumAt + 1)
  header.set([magic, fileVersion, kind, controlBytes, wordsMax, seats])
  header[checksumAt] = crc32(new Uint8Array(header.buffer, 0, 4 * checksumAt))
  return header
}

/** Writes zeros where the file has room. */
function writeZeros(fd: number, from: number, length: number): void {
  const zeros = new Uint8Array(Math.min(length, 2 ** 20))
  for (let done = 0; done < length; ) done += writeSync(fd, zeros, 0, Math.min(length - done, zeros.length), from + done)
}

/** How a file is made: who may use it, and whether all of it is written, not only given room. */
export interface Making {
  readonly mode: number
  readonly written: boolean
}

/**
 * Creates the file: whole, or not at all. It gets its name when it is complete and on the disk; `link` refuses a name that
 * is taken, so that of two creators one succeeds and the other one learns of it. A creator that dies before leaves a file
 * `.heddle-...` behind, which may be removed.
 *
 * @param at where it is made, if another path leads there more surely than the one that people know
 */
export function createFile(path: string, words: number, header: FileHeader, making: Making, at: string = path): MappedFile {
  const { mode, written } = making
  const { allocate } = libc()
  const directory = dirname(at)
  const draft = join(directory, `.heddle-${process.pid}-${randomBytes(6).toString('hex')}`)
  return onFile(path, () => {
    const directoryFd = openSync(directory, 'r')
    try {
      const fd = openSync(draft, 'wx+', mode)
      try {
        allocate(fd, 0, controlBytes + 4 * words)
        writeSync(fd, controlPart(words, header), 0, undefined, 0)
        if (written) writeZeros(fd, controlBytes, 4 * words)
        fsyncSync(fd)
        linkSync(draft, at)
        fsyncSync(directoryFd)
        return { path, fd, header, identity: identityOf(fd) }
      } catch (error) {
        closeSync(fd)
        throw error
      } finally {
        // Somebody may have taken it for one that was left behind.
        rmSync(draft, { force: true })
      }
    } finally {
      closeSync(directoryFd)
    }
  })
}

/**
 * Opens a file that exists, and checks that it is what it should be.
 *
 * @param at where it is, as in `createFile`
 */
export function openFile(path: string, at: string = path): MappedFile {
  // Where this fails, no path is to blame.
  libc()
  return onFile(path, () => {
    const fd = openSync(at, 'r+')
    try {
      return { path, fd, header: readHeader(path, fd), identity: identityOf(fd) }
    } catch (error) {
      closeSync(fd)
      throw error
    }
  })
}

function identityOf(fd: number): string {
  const { dev, ino } = fstatSync(fd, { bigint: true })
  return `${dev}:${ino}`
}

function readHeader(path: string, fd: number): FileHeader {
  const wrong = (reason: ConstructorParameters<typeof MappedFileError>[1], message: string): never => {
    throw new MappedFileError(path, reason, message)
  }
  if (!fstatSync(fd).isFile()) wrong('not-a-file', 'is a device or a pipe; choose a path for a file')
  const header = new Uint32Array(checksumAt + 1)
  const length = readSync(fd, header, 0, header.byteLength, 0)
  if (header.every((word) => word === 0)) {
    wrong('half-created', 'has no header, so whoever made it did not finish; remove it, and create it again')
  }
  if (length < 4 * header.length || header[0] !== magic || header[2] !== kind) {
    wrong('foreign', 'is no mapped memory of heddle; choose another path')
  }
  const version = header[1]
  if (version > fileVersion) {
    wrong('newer', `has format version ${version}, this heddle knows ${fileVersion}; use the release of heddle that created it`)
  }
  const [, , , , wordsMax, seats] = header
  const written = encode({ wordsMax, seats })
  if (header.some((word, i) => word !== written[i])) {
    wrong('damaged', 'its header does not fit its checksum; restore it from a copy, or create it again')
  }
  requireLength(path, fd, 1)
  return { wordsMax, seats }
}

/**
 * Makes sure that the file is long enough for so many words: to touch a word beyond its end kills the process (SIGBUS).
 *
 * @throws MappedFileError when somebody has cut it
 */
export function requireLength(path: string, fd: number, words: number): void {
  const { size } = fstatSync(fd)
  const expected = controlBytes + 4 * words
  if (size < expected) {
    throw new MappedFileError(
      path,
      'truncated',
      `has ${size} bytes, and ${expected} belong to it: somebody has cut it; restore it from a copy, or create it again`,
    )
  }
}
