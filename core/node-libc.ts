import { createRequire } from 'node:module'
import { getSystemErrorName } from 'node:util'

/** The few system calls that Node does not offer, made through the C library of the running process. Linux only. */
export interface Libc {
  /** Bytes of a page: what mappings begin on. */
  readonly pageBytes: number
  /** Where the bytes of a buffer lie. */
  addressOf(buffer: SharedArrayBuffer): number
  /** Puts the bytes of a file from `offset` on in the place of what lies at `address`. */
  mapFile(address: number, length: number, fd: number, offset: number): void
  /** Puts zeros of this process alone in the place of what lies at `address`. */
  mapZeros(address: number, length: number): void
  /** Returns when the pages of a mapped file are on the disk. */
  sync(address: number, length: number): void
  /** Makes sure that the file has these bytes, with room for them on the disk. */
  allocate(fd: number, offset: number, length: number): void
  /** Sleeps while the word at `address` holds `value`. `'over'` after the time, and also when a signal came. */
  futexWait(address: number, value: number, ms: number): 'woken' | 'different' | 'over'
  /** As `futexWait`, in another thread. Says only whether it was woken. */
  futexWaitAsync(address: number, value: number, ms: number): Promise<boolean>
  /** Wakes up to `count` sleepers, in any process. Returns how many. */
  futexWake(address: number, count: number): number
  /** Lets another thread run, if one wants this processor. */
  giveWay(): void
  /** Locks one byte of the file for this descriptor; false when another descriptor holds it. The kernel unlocks it at death. */
  lock(fd: number, byte: number): boolean
  unlock(fd: number, byte: number): void
  /** Whether another descriptor holds the lock. */
  isLocked(fd: number, byte: number): boolean
}

/** A system call that failed; `code` is the name of its error, as in the errors of `node:fs`. */
export class SystemCallError extends Error {
  override readonly name = 'SystemCallError'
  readonly code: string

  constructor(call: string, errno: number) {
    const code = getSystemErrorName(-errno)
    super(`${call}: ${code}`)
    this.code = code
  }
}

/**
 * @param platform where this runs, as in `process.platform`; `arch` likewise
 * @throws Error where mapped files are not supported
 */
export function requireLinux(platform: string, arch: string): void {
  if (platform !== 'linux' || (arch !== 'x64' && arch !== 'arm64')) {
    throw new Error(
      `MappedMemory: mapped files need Linux on x64 or arm64, found ${platform} on ${arch}; ` +
        'threads of one process can share a SharedMemory instead',
    )
  }
}

let loaded: Libc | undefined

/**
 * The calls of this thread, loaded when they are first needed.
 *
 * @throws Error where mapped files are not supported, or the package koffi is not installed
 */
export function libc(): Libc {
  loaded ??= load()
  return loaded
}

/**
 * Lets another thread run, if one wants this processor: for `SharedMemory.giveWay`.
 *
 * @throws Error as `libc` does
 */
export function giveWay(): void {
  libc().giveWay()
}

// From <sys/mman.h>, <fcntl.h>, <linux/futex.h> and <unistd.h>; the same on x64 and arm64 except for the number of the call.
const protReadWrite = 3
const mapShared = 0x01
const mapPrivate = 0x02
const mapFixed = 0x10
const mapAnonymous = 0x20
const mapNoReserve = 0x4000
const msSync = 4
const sysFutex: number = process.arch === 'arm64' ? 98 : 202
const futexWaitOperation = 0
const futexWakeOperation = 1
const fcntlGetLock = 36
const fcntlSetLock = 37
const writeLock = 1
const noLock = 2
const scPageSize = 30

interface Call {
  (...args: readonly unknown[]): number
  async(...args: readonly unknown[]): void
}

interface Koffi {
  load(library: null): { func(name: string, result: string, parameters: readonly string[]): Call }
  address(value: Uint8Array): bigint
  errno(): number
  readonly os: { readonly errno: Readonly<Record<string, number>> }
}

function requireKoffi(): Koffi {
  const require = createRequire(import.meta.url)
  try {
    return require('koffi') as Koffi
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error
    throw new Error('MappedMemory: mapped files need the package koffi; install it: npm install koffi')
  }
}

function load(): Libc {
  requireLinux(process.platform, process.arch)
  const koffi = requireKoffi()
  const own = koffi.load(null)
  // `syscall` and `fcntl` take variable arguments, which on both processors are passed like those of any function.
  const mmap = own.func('mmap', 'intptr_t', ['uintptr_t', 'size_t', 'int', 'int', 'int', 'int64_t'])
  const msync = own.func('msync', 'int', ['uintptr_t', 'size_t', 'int'])
  const fallocate = own.func('posix_fallocate', 'int', ['int', 'int64_t', 'int64_t'])
  const futex = own.func('syscall', 'long', ['long', 'uintptr_t', 'int', 'uint32_t', 'void *', 'uintptr_t', 'uint32_t'])
  const fcntl = own.func('fcntl', 'int', ['int', 'int', 'void *'])
  const schedYield = own.func('sched_yield', 'int', [])
  const sysconf = own.func('sysconf', 'long', ['int'])
  const { EAGAIN, EACCES, EINTR, ETIMEDOUT } = koffi.os.errno

  function map(address: number, length: number, flags: number, fd: number, offset: number): void {
    // A failure is -1; MAP_FIXED gives the address asked for or fails.
    if (mmap(address, length, protReadWrite, flags | mapFixed, fd, offset) === -1)
      throw new SystemCallError('mmap', koffi.errno())
  }

  // struct timespec: seconds, nanoseconds.
  const time = new BigInt64Array(2)
  function setTime(timespec: BigInt64Array, ms: number): void {
    timespec[0] = BigInt(Math.floor(ms / 1000))
    timespec[1] = BigInt(Math.floor((ms % 1000) * 1e6))
  }

  // struct flock: type and whence (16 bits each, padded), start, length, process (0 for locks of open file descriptions).
  const range = new BigInt64Array(4)
  const type = new Int16Array(range.buffer, 0, 1)
  function lockCall(fd: number, command: number, wanted: number, byte: number): boolean {
    range.fill(0n)
    type[0] = wanted
    range[1] = BigInt(byte)
    range[2] = 1n
    if (fcntl(fd, command, range) !== -1) return true
    const errno = koffi.errno()
    if (errno === EAGAIN || errno === EACCES) return false
    throw new SystemCallError('fcntl', errno)
  }

  return {
    pageBytes: sysconf(scPageSize),
    addressOf: (buffer) => Number(koffi.address(new Uint8Array(buffer))),
    mapFile: (address, length, fd, offset) => map(address, length, mapShared, fd, offset),
    mapZeros: (address, length) => map(address, length, mapPrivate | mapAnonymous | mapNoReserve, -1, 0),
    sync(address, length) {
      if (msync(address, length, msSync) === -1) throw new SystemCallError('msync', koffi.errno())
    },
    allocate(fd, offset, length) {
      let errno: number
      do errno = fallocate(fd, offset, length)
      while (errno === EINTR)
      if (errno !== 0) throw new SystemCallError('posix_fallocate', errno)
    },
    futexWait(address, value, ms) {
      setTime(time, ms)
      if (futex(sysFutex, address, futexWaitOperation, value >>> 0, time, 0, 0) === 0) return 'woken'
      const errno = koffi.errno()
      if (errno === EAGAIN) return 'different'
      if (errno === ETIMEDOUT || errno === EINTR) return 'over'
      throw new SystemCallError('futex', errno)
    },
    futexWaitAsync(address, value, ms) {
      // Its own, for it is read in another thread and later.
      const until = new BigInt64Array(2)
      setTime(until, ms)
      return new Promise((resolve, reject) => {
        futex.async(sysFutex, address, futexWaitOperation, value >>> 0, until, 0, 0, (error: Error | null, result: number) => {
          if (error === null) resolve(result === 0)
          else reject(error)
        })
      })
    },
    futexWake(address, count) {
      const woken = futex(sysFutex, address, futexWakeOperation, count, null, 0, 0)
      if (woken === -1) throw new SystemCallError('futex', koffi.errno())
      return woken
    },
    giveWay: () => void schedYield(),
    lock: (fd, byte) => lockCall(fd, fcntlSetLock, writeLock, byte),
    unlock: (fd, byte) => void lockCall(fd, fcntlSetLock, noLock, byte),
    isLocked(fd, byte) {
      lockCall(fd, fcntlGetLock, writeLock, byte)
      return type[0] !== noLock
    },
  }
}
