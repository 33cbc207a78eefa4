/** What is wrong with a mapped file. */
export type MappedFileReason =
  | 'missing' // there is no such file, or no such directory
  | 'exists' // `create` found a file there
  | 'forbidden' // the file or the directory may not be read and written
  | 'not-a-file' // a directory, a device, a pipe
  | 'bad-path' // too long, or through something that is no directory
  | 'half-created' // empty, or without a header: whoever made it did not finish
  | 'foreign' // something else than a mapped memory
  | 'newer' // of a later version of the format
  | 'damaged' // a header that contradicts itself
  | 'truncated' // shorter than its header says
  | 'replaced' // another file than the one that was shared
  | 'full' // no room on the disk, or a limit of sizes
  | 'too-large' // more than this Node can map
  | 'no-seat' // as many participants as it has seats for
  | 'closed' // closed by the caller
  | 'system' // a system call failed; see `cause`

/** A mapped file that cannot be used. The message names the file, what is wrong with it, and what to do. */
export class MappedFileError extends Error {
  override readonly name = 'MappedFileError'
  readonly path: string
  readonly reason: MappedFileReason

  constructor(path: string, reason: MappedFileReason, message: string, options?: ErrorOptions) {
    super(`MappedMemory: ${path}: ${message}`, options)
    this.path = path
    this.reason = reason
  }
}

const systemErrors: Readonly<Record<string, readonly [MappedFileReason, string]>> = {
  ENOENT: ['missing', 'no such file or directory; create it first'],
  EEXIST: ['exists', 'there is a file already; open it, or remove it first'],
  EACCES: ['forbidden', 'may not be read and written by this user; change its permissions, or those of its directory'],
  EPERM: ['forbidden', 'may not be changed; look at its attributes and those of its directory'],
  EROFS: ['forbidden', 'lies on a file system that is read-only; choose another one'],
  EISDIR: ['not-a-file', 'is a directory; choose a path for a file'],
  ENXIO: ['not-a-file', 'is a socket or a device; choose a path for a file'],
  ENODEV: ['not-a-file', 'lies on a file system that cannot map files; choose another one'],
  ENAMETOOLONG: ['bad-path', 'the path is too long; names have at most 255 bytes, paths 4095'],
  ENOTDIR: ['bad-path', 'a part of the path is no directory'],
  ELOOP: ['bad-path', 'symbolic links go round in a circle'],
  ENOSPC: ['full', 'the disk is full; make room, or ask for fewer words'],
  EDQUOT: ['full', 'the quota of this user is used up; make room, or ask for fewer words'],
  ENOMEM: ['too-large', 'this process cannot get so many addresses; ask for a smaller wordsMax'],
  EFBIG: ['full', 'the file would be larger than a limit allows (ulimit -f, or the file system); ask for fewer words'],
}

/** Runs what works on the file at `path`; errors of system calls come out as errors that say what is wrong with the file. */
export function onFile<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    const code = (error as { code?: unknown }).code
    if (error instanceof MappedFileError || typeof code !== 'string' || !/^E[A-Z0-9]+$/.test(code)) throw error
    const [reason, message] = systemErrors[code] ?? ['system', (error as Error).message]
    throw new MappedFileError(path, reason, message, { cause: error })
  }
}
