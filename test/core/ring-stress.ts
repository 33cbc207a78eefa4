import type { Memory } from '../../core/memory.ts'
import { Ring } from '../../core/ring.ts'
import type { RingOptions } from '../../core/ring-layout.ts'
import { SharedMemory } from '../../core/shared-memory.ts'
import { readNext, writeNumber } from './numbered.ts'
import type { Job, Threads, Twin } from './stress-thread.ts'

export interface RingShape extends RingOptions {
  readonly items: number
  /** Items at once; 0: by single ones. */
  readonly batch: number
  readonly spins: number
}

interface ReaderJob extends RingShape {
  readonly reader: number
  /** Readers that it stands behind. */
  readonly after?: readonly number[]
}

/** What one end of a ring does in its thread. Each returns how many items went through it. */
export const ringRoles = {
  writer(memory: Memory, { items, batch, spins }: RingShape): number {
    const sink = Ring.attach(memory).sink({ spins })
    const { itemBytes } = Ring.attach(memory)
    const bytes = new Uint8Array(Math.max(batch, 1) * itemBytes)
    for (let done = 0; done < items; ) {
      const count = Math.min(items - done, Math.max(batch, 1))
      for (let i = 0; i < count; i++) writeNumber(bytes.subarray(i * itemBytes, (i + 1) * itemBytes), done + i)
      const pushed = batch === 0 ? Number(sink.push(bytes)) : sink.pushBatch(bytes.subarray(0, count * itemBytes))
      if (pushed < count) throw new Error(`of ${count} items ${pushed} were pushed`)
      done += count
    }
    sink.close()
    return items
  },

  reader(memory: Memory, { reader, after, batch, spins }: ReaderJob): number {
    const ring = Ring.attach(memory)
    const source = ring.source({ reader, spins, ...(after === undefined ? {} : { after }) })
    const { itemBytes } = ring
    const bytes = new Uint8Array(Math.max(batch, 1) * itemBytes)
    let count = 0
    for (let got = 1; got > 0; ) {
      got = batch === 0 ? Number(source.pop(bytes)) : source.popBatch(bytes)
      for (let i = 0; i < got; i++) readNext(bytes.subarray(i * itemBytes, (i + 1) * itemBytes), count++)
    }
    return count
  },

  /** Comes and goes: begins at the oldest item that is there, reads on from it, and leaves, until the stream has ended. */
  visitor(memory: Memory, { reader, spins }: ReaderJob): number {
    const ring = Ring.attach(memory)
    const bytes = new Uint8Array(ring.itemBytes)
    let last = 0
    for (let ended = false; !ended; ) {
      const source = ring.source({ reader, spins, from: 'oldest' })
      let { position } = source
      for (let i = 0; i < 2 * ring.capacity && source.pop(bytes); i++) readNext(bytes, position++)
      ended = source.end() === 'closed'
      last = position
      source.close()
    }
    return last
  },
}

function job(role: keyof typeof ringRoles, thread: string, buffer: SharedArrayBuffer, data: unknown): Job {
  return { structure: 'ring', role, thread, buffer, data }
}

function requireAll(items: number, counts: readonly unknown[]): void {
  for (const count of counts) if (count !== items) throw new Error(`of ${items} items ${count} came before the end`)
}

/** One thread writes and others read: each reads all items, whole and in order. */
export async function stressRing(threads: Threads, shape: RingShape, twin?: Twin): Promise<void> {
  const { buffer } = made(shape)
  const readers = Array.from({ length: shape.readers ?? 1 }, (_, reader) =>
    job('reader', `reader${reader}`, buffer, { ...shape, reader }),
  )
  requireAll(shape.items, await threads([job('writer', 'writer', buffer, shape), ...readers], twin))
}

/** One writes, three read behind one another, and one comes and goes. */
export async function stressRingWithVisitor(threads: Threads, shape: RingShape, twin?: Twin): Promise<void> {
  const { buffer, ring } = made({ ...shape, readers: 4 })
  ring.source({ reader: 3 }).close()
  const reader = (data: object, number: number) => job('reader', `reader${number}`, buffer, { ...shape, ...data, reader: number })
  const jobs = [
    job('writer', 'writer', buffer, { ...shape, batch: 3 }),
    reader({}, 0),
    reader({ after: [0] }, 1),
    reader({ after: [0, 1], batch: 7 }, 2),
    job('visitor', 'reader0', buffer, { ...shape, reader: 3 }),
  ]
  requireAll(shape.items, await threads(jobs, twin))
}

function made(options: RingOptions): { readonly buffer: SharedArrayBuffer; readonly ring: Ring } {
  const memory = new SharedMemory(Ring.words(options))
  return { buffer: memory.buffer as SharedArrayBuffer, ring: Ring.create(memory, options) }
}
