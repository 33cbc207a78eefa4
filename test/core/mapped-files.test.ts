import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  copyFileSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { crc32 } from 'node:zlib'
import { afterAll, describe, expect, it } from 'vitest'
import { MappedFileError, MappedMemory } from '../../core/node-index.ts'
import { requireLinux } from '../../core/node-libc.ts'
import { requireOnPage } from '../../core/node-mapping.ts'
import { canMap, endPeers, newFiles, type PeerError, startProcess } from './peers.ts'

/** What was thrown. */
function errorOf(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    return error
  }
  return undefined
}

describe('mapped files elsewhere', () => {
  it('are refused in one line', () => {
    const message =
      'MappedMemory: mapped files need Linux on x64 or arm64, found darwin on arm64; ' +
      'threads of one process can share a SharedMemory instead'
    expect(() => requireLinux('darwin', 'arm64')).toThrow(message)
    for (const [platform, arch] of [
      ['win32', 'x64'],
      ['linux', 'ia32'],
      ['linux', 'riscv64'],
    ]) {
      expect(() => requireLinux(platform, arch)).toThrow(`found ${platform} on ${arch}`)
    }
    for (const arch of ['x64', 'arm64']) expect(() => requireLinux('linux', arch)).not.toThrow()
  })

  it('are refused over a buffer that does not begin on a page', () => {
    expect(() => requireOnPage(0x7f0000001008, 4096)).toThrow('on a page of 4096 bytes, found it at 0x7f0000001008')
    expect(() => requireOnPage(0x7f0000001000, 65536)).toThrow('on a page of 65536 bytes')
    expect(() => requireOnPage(0x7f0000010000, 65536)).not.toThrow()
  })
})

describe.runIf(canMap)('mapped files', () => {
  const newFile = newFiles()
  afterAll(endPeers)

  /** A good file of so many words, some bytes of which are then replaced. */
  function changed(changes: readonly (readonly [number, Uint8Array])[], words = 4): string {
    const path = newFile()
    MappedMemory.create(path, { words }).close()
    const fd = openSync(path, 'r+')
    for (const [byte, bytes] of changes) writeSync(fd, bytes, 0, bytes.length, byte)
    closeSync(fd)
    return path
  }
  const bytesOf = (...words: number[]): Uint8Array => new Uint8Array(Uint32Array.from(words).buffer)

  /** A header whose checksum fits, with one word changed. */
  function headerWith(index: number, value: number): Uint8Array {
    const path = newFile()
    MappedMemory.create(path, { words: 4 }).close()
    const header = new Uint32Array(new Uint8Array(readFileSync(path).subarray(0, 64)).buffer)
    header[index] = value
    header[15] = crc32(new Uint8Array(header.buffer, 0, 60))
    return new Uint8Array(header.buffer)
  }

  function made(make: (path: string) => void): string {
    const path = newFile()
    make(path)
    return path
  }

  const bad: Readonly<Record<string, { readonly path: () => string; readonly reason: string; readonly message: string }>> = {
    'is not there': { path: newFile, reason: 'missing', message: 'no such file or directory; create it first' },
    'is in a folder that is not there': {
      path: () => join(newFile(), 'file'),
      reason: 'missing',
      message: 'no such file or directory; create it first',
    },
    'is a directory': {
      path: () => made((path) => mkdirSync(path)),
      reason: 'not-a-file',
      message: 'is a directory; choose a path for a file',
    },
    'is a device': { path: () => '/dev/null', reason: 'not-a-file', message: 'is a device or a pipe; choose a path for a file' },
    'is a pipe': {
      path: () => made((path) => execFileSync('mkfifo', [path])),
      reason: 'not-a-file',
      message: 'is a device or a pipe; choose a path for a file',
    },
    'has too long a name': {
      path: () => join(dirname(newFile()), 'a'.repeat(256)),
      reason: 'bad-path',
      message: 'the path is too long; names have at most 255 bytes, paths 4095',
    },
    'has too long a path': {
      path: () => join(dirname(newFile()), 'a/'.repeat(2048), 'file'),
      reason: 'bad-path',
      message: 'the path is too long; names have at most 255 bytes, paths 4095',
    },
    'is said to be in a file': {
      path: () =>
        join(
          made((path) => writeFileSync(path, '')),
          'file',
        ),
      reason: 'bad-path',
      message: 'a part of the path is no directory',
    },
    'is a link to itself': {
      path: () => made((path) => symlinkSync(path, path)),
      reason: 'bad-path',
      message: 'symbolic links go round in a circle',
    },
    'is empty': {
      path: () => made((path) => writeFileSync(path, '')),
      reason: 'half-created',
      message: 'has no header, so whoever made it did not finish; remove it, and create it again',
    },
    'has zeros only': {
      path: () => made((path) => writeFileSync(path, new Uint8Array(70_000))),
      reason: 'half-created',
      message: 'has no header, so whoever made it did not finish; remove it, and create it again',
    },
    'holds something else': {
      path: () => made((path) => writeFileSync(path, 'SQLite format 3\0'.repeat(5000))),
      reason: 'foreign',
      message: 'is no mapped memory of heddle; choose another path',
    },
    'holds a little of something else': {
      path: () => made((path) => writeFileSync(path, '{}')),
      reason: 'foreign',
      message: 'is no mapped memory of heddle; choose another path',
    },
    'holds something else of heddle': {
      path: () => changed([[0, headerWith(2, 0x53474c4f)]]),
      reason: 'foreign',
      message: 'is no mapped memory of heddle; choose another path',
    },
    'is of a newer format': {
      path: () => changed([[4, bytesOf(2)]]),
      reason: 'newer',
      message: 'has format version 2, this heddle knows 1; use the release of heddle that created it',
    },
    'is of a format before the first': {
      path: () => changed([[0, headerWith(1, 0)]]),
      reason: 'damaged',
      message: 'its header does not fit its checksum; restore it from a copy, or create it again',
    },
    'has a header that was changed': {
      path: () => changed([[16, bytesOf(5)]]),
      reason: 'damaged',
      message: 'its header does not fit its checksum; restore it from a copy, or create it again',
    },
    'says that it has no words': {
      path: () => changed([[128, bytesOf(0)]]),
      reason: 'damaged',
      message: 'says that it has 0 words of at most 4; restore it from a copy',
    },
    'says that it has more words than it may': {
      path: () => changed([[128, bytesOf(5)]]),
      reason: 'damaged',
      message: 'says that it has 5 words of at most 4; restore it from a copy',
    },
    'was cut in its header': {
      path: () => {
        const path = changed([])
        truncateSync(path, 32)
        return path
      },
      reason: 'foreign',
      message: 'is no mapped memory of heddle; choose another path',
    },
    'was cut before its data': {
      path: () => {
        const path = changed([])
        truncateSync(path, 4096)
        return path
      },
      reason: 'truncated',
      message: 'has 4096 bytes, and 65540 belong to it: somebody has cut it; restore it from a copy, or create it again',
    },
    'was cut in its data': {
      path: () => {
        const path = changed([], 3000)
        truncateSync(path, 65536 + 4 * 2999 + 3)
        return path
      },
      reason: 'truncated',
      message: 'has 77535 bytes, and 77536 belong to it: somebody has cut it; restore it from a copy, or create it again',
    },
    'is larger than anybody can map': {
      path: () => changed([[0, headerWith(4, 2 ** 32 - 1)]]),
      reason: 'too-large',
      message: 'this Node cannot map 17179869180 bytes; ask for a smaller wordsMax',
    },
  }
  // Newer releases of Node can map so much.
  if (Number.parseInt(process.versions.node, 10) >= 22) delete (bad as Record<string, unknown>)['is larger than anybody can map']

  for (const [name, { path: make, reason, message }] of Object.entries(bad)) {
    it(`says so when a file ${name}`, () => {
      const path = make()
      const error = errorOf(() => MappedMemory.open(path))
      expect(error).toBeInstanceOf(MappedFileError)
      const { name, path: named, reason: found, message: text } = error as MappedFileError
      expect([name, named, found, text]).toEqual(['MappedFileError', path, reason, `MappedMemory: ${path}: ${message}`])
      // What is there and wrong is neither created anew nor changed.
      if (reason === 'missing') return
      expect(errorOf(() => MappedMemory.openOrCreate(path, { words: 4 }))).toMatchObject({ reason })
    })
  }

  it('notices every changed bit of a header', () => {
    const path = changed([])
    const header = readFileSync(path).subarray(0, 64)
    const fd = openSync(path, 'r+')
    for (let bit = 0; bit < 8 * header.length; bit++) {
      const damaged = Uint8Array.from(header)
      damaged[bit >> 3] ^= 1 << (bit & 7)
      writeSync(fd, damaged, 0, damaged.length, 0)
      expect(
        errorOf(() => MappedMemory.open(path)),
        `bit ${bit}`,
      ).toMatchObject({
        reason: expect.stringMatching(/^(foreign|newer|damaged)$/),
      })
    }
    writeSync(fd, header, 0, header.length, 0)
    closeSync(fd)
    MappedMemory.open(path).close()
  })

  it('goes on where growth stopped half-way: what was added to the file and not announced does not count', () => {
    const path = newFile()
    MappedMemory.create(path, { words: 1000, wordsMax: 9000 }).close()
    truncateSync(path, 65536 + 4 * 5000)
    const memory = MappedMemory.open(path)
    expect(memory.words).toBe(1000)
    expect(() => memory.load(1000)).toThrow(RangeError)
    memory.grow(2000)
    expect(memory.load(1999)).toBe(0)
    memory.grow(9000)
    expect([memory.load(8999), statSync(path).size]).toEqual([0, 65536 + 4 * 9000])
    expect(512 * statSync(path).blocks).toBeGreaterThanOrEqual(65536 + 4 * 9000)
    memory.close()
  })

  it('leaves no descriptor open where it refuses a file', () => {
    const count = (): number => readdirSync('/proc/self/fd').length
    const paths = Object.values(bad).map(({ path }) => path())
    const before = count()
    for (const path of paths) errorOf(() => MappedMemory.open(path))
    expect(count()).toBe(before)
  })

  it('creates a file only where there is none, and leaves alone what is there', () => {
    const file = made((path) => writeFileSync(path, 'mine'))
    const folder = made((path) => mkdirSync(path))
    const dangling = made((path) => symlinkSync(join(path, 'nowhere'), path))
    for (const path of [file, folder, dangling]) {
      expect(errorOf(() => MappedMemory.create(path, { words: 1 }))).toMatchObject({
        reason: 'exists',
        message: `MappedMemory: ${path}: there is a file already; open it, or remove it first`,
      })
    }
    expect(readFileSync(file, 'utf8')).toBe('mine')
    expect(errorOf(() => MappedMemory.create(join(file, 'x'), { words: 1 }))).toMatchObject({ reason: 'bad-path' })
    expect(errorOf(() => MappedMemory.create(join(folder, 'no', 'x'), { words: 1 }))).toMatchObject({ reason: 'missing' })
    expect(errorOf(() => MappedMemory.create(join(folder, 'x'.repeat(256)), { words: 1 }))).toMatchObject({ reason: 'bad-path' })
    expect(readdirSync(folder)).toEqual([])
    MappedMemory.create(join(folder, 'x'.repeat(255)), { words: 1 }).close()
    expect(readdirSync(folder)).toEqual(['x'.repeat(255)])
  })

  it('is a copy of its own once it was copied', () => {
    const [path, copy] = [newFile(), newFile()]
    const memory = MappedMemory.create(path, { words: 1 })
    memory.store(0, 5)
    copyFileSync(path, copy)
    const other = MappedMemory.open(copy)
    expect(other.load(0)).toBe(5)
    // The seat of the original is nobody's in the copy.
    expect(other.liveness.alive(memory.liveness.self)).toBe(false)
    expect(other.participants()).toHaveLength(1)
    memory.close()
    other.close()
  })

  it('says what is not allowed', async () => {
    const readOnly = newFile()
    MappedMemory.create(readOnly, { words: 1 }).close()
    chmodSync(readOnly, 0o444)
    chmodSync(dirname(readOnly), 0o555)
    const peer = await startProcess()
    try {
      // Root may do everything: the peer becomes somebody else.
      if (process.getuid?.() === 0) await peer.ask('become', 65534)
      const refused = (path: string) => ({
        message: expect.stringContaining(`MappedMemory: ${path}: may not be read and written`),
      })
      await expect(peer.ask('open', readOnly)).rejects.toMatchObject({ reason: 'forbidden', ...refused(readOnly) })
      const fresh = newFile()
      await expect(peer.ask('create', fresh, { words: 1 })).rejects.toMatchObject({ reason: 'forbidden', ...refused(fresh) })
    } finally {
      chmodSync(dirname(readOnly), 0o755)
    }
  })

  describe('on a full disk', () => {
    /** A command before Node that leaves it room for about 1 MiB. */
    const limits: Readonly<Record<string, { readonly wrapper: readonly string[]; readonly message: string }>> = {
      'that a limit of file sizes makes': {
        wrapper: ['bash', '-c', `ulimit -f 1024; exec '${process.execPath}' "$0"`],
        message: 'the file would be larger than a limit allows (ulimit -f, or the file system); ask for fewer words',
      },
      'that really is full': {
        wrapper: ['unshare', '-m', 'bash', '-c', `mount -t tmpfs -o size=1m none "$FOLDER" && exec '${process.execPath}' "$0"`],
        message: 'the disk is full; make room, or ask for fewer words',
      },
    }

    for (const [name, { wrapper, message }] of Object.entries(limits)) {
      const folder = newFile()
      const env = { ...process.env, FOLDER: folder }
      const can = () => {
        mkdirSync(folder)
        const [command, ...args] = wrapper
        return spawnSync(command, [...args.slice(0, -1), args.at(-1)!.replace(/exec.*/, 'true')], { env }).status === 0
      }
      it.runIf(can())(`creation and growth fail, and leave all as it was: a disk ${name}`, async () => {
        const peer = await startProcess(wrapper, env)
        const path = join(folder, 'file')
        const full = {
          reason: 'full',
          message: `MappedFileError: MappedMemory: ${path}: ${message}`,
        } satisfies Partial<PeerError>
        await expect(peer.ask('create', path, { words: 1_000_000 })).rejects.toMatchObject(full)
        expect(await peer.ask('files', folder)).toEqual({})
        await peer.ask('create', path, { words: 1000, wordsMax: 1_000_000 })
        await peer.ask('call', 'store', 999, 5)
        await expect(peer.ask('call', 'grow', 1_000_000)).rejects.toMatchObject(full)
        expect(await peer.ask('files', folder)).toEqual({ file: 65536 + 4000 })
        expect(await peer.ask('call', 'load', 999)).toBe(5)
        await expect(peer.ask('call', 'load', 1000)).rejects.toThrow('RangeError')
        await peer.ask('call', 'grow', 100_000)
        expect(await peer.ask('call', 'load', 99_999)).toBe(0)
        expect(await peer.ask('files', folder)).toEqual({ file: 65536 + 400_000 })
      })
    }
  })

  it('has room on the disk for all that it holds', () => {
    const path = newFile()
    const memory = MappedMemory.create(path, { words: 100_000, wordsMax: 10_000_000 })
    const used = (): number => 512 * statSync(path).blocks
    expect(used()).toBeGreaterThanOrEqual(465_536)
    memory.grow(200_000)
    expect(used()).toBeGreaterThanOrEqual(865_536)
    expect(used()).toBeLessThan(2_000_000)
    memory.close()
  })
})
