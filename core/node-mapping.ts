import { libc } from './node-libc.ts'
import { newWasmMemory, type WasmMemory } from './wasm-words.ts'

/** A buffer that can grow, which the types of ES2023 do not know yet. */
type GrowableSharedArrayBuffer = SharedArrayBuffer & { readonly maxByteLength: number; grow(bytes: number): void }

const GrowableSharedArrayBuffer = SharedArrayBuffer as unknown as new (
  bytes: number,
  options: { readonly maxByteLength: number },
) => GrowableSharedArrayBuffer

/**
 * A buffer of `bytes` bytes that are those of the file from `offset` on.
 *
 * The engine reserves addresses for all that the buffer may grow to; the file takes their place, as far as it reaches now and
 * later. Growing the buffer therefore maps nothing anew, and writers are not disturbed. Nothing beyond `bytes` may be
 * touched before the file reaches there. When the buffer is collected, the engine unmaps the file.
 *
 * @throws RangeError when there are not so many addresses
 */
export function mapOver(fd: number, offset: number, bytes: number, bytesMax: number): SharedArrayBuffer {
  const length = wholePages(bytesMax)
  const buffer = new GrowableSharedArrayBuffer(bytes, { maxByteLength: length })
  const address = libc().addressOf(buffer)
  requireOnPage(address, libc().pageBytes)
  libc().mapFile(address, length, fd, offset)
  return buffer
}

/**
 * The same bytes at other addresses too, all that the file may grow to: in a `WebAssembly.Memory`, where operations are faster,
 * and copies as well, than in a buffer that can grow. Nothing beyond the end of the file may be touched here either, though the
 * buffer of this memory reaches farther. Undefined where there is no such memory.
 */
export function mapForWasm(fd: number, offset: number, bytesMax: number): WasmMemory | undefined {
  const memory = newWasmMemory(bytesMax)
  if (memory === undefined) return undefined
  const address = libc().addressOf(memory.buffer as SharedArrayBuffer)
  if (address % libc().pageBytes !== 0) return undefined
  libc().mapFile(address, wholePages(bytesMax), fd, offset)
  return memory
}

/** Lets the buffer reach farther, unless another thread has done it already. */
export function growTo(buffer: SharedArrayBuffer, bytes: number): void {
  while (buffer.byteLength < bytes) {
    try {
      ;(buffer as GrowableSharedArrayBuffer).grow(bytes)
    } catch (error) {
      // Another thread may have been faster, and a buffer does not shrink.
      if (buffer.byteLength < bytes) throw error
    }
  }
}

/** Takes the file away and leaves zeros: who still holds the buffer neither crashes nor reaches the file. */
export function unmap(buffer: SharedArrayBuffer): void {
  libc().mapZeros(libc().addressOf(buffer), (buffer as GrowableSharedArrayBuffer).maxByteLength)
}

/** Returns when these bytes are on the disk; what shares a page with them is, too. */
export function syncRange(address: number, length: number): void {
  const { pageBytes, sync } = libc()
  if (length === 0) return
  const begin = address - (address % pageBytes)
  sync(begin, address + length - begin)
}

/**
 * @throws Error when a file cannot be mapped at the address: this engine does not put growable buffers on pages of their own
 */
export function requireOnPage(address: number, pageBytes: number): void {
  if (address % pageBytes !== 0) {
    throw new Error(
      `MappedMemory: expected a buffer that begins on a page of ${pageBytes} bytes, found it at 0x${address.toString(16)}; ` +
        'use a release of Node that CI runs on',
    )
  }
}

function wholePages(bytes: number): number {
  const { pageBytes } = libc()
  return Math.ceil(bytes / pageBytes) * pageBytes
}
