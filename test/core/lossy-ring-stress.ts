import { lineWords } from '../../core/layout.ts'
import { LossyRing } from '../../core/lossy-ring.ts'
import type { LossyRingOptions } from '../../core/lossy-ring-layout.ts'
import type { Memory } from '../../core/memory.ts'
import { SharedMemory } from '../../core/shared-memory.ts'
import { readNext, writeNumber } from './numbered.ts'
import type { Job, Threads, Twin } from './stress-thread.ts'

export interface LossyRingShape extends LossyRingOptions {
  readonly start: number
  readonly items: number
  /** Up to so many items at once; 0: by single ones. */
  readonly batch: number
  /** How long each reader sleeps between any two reads, in ms. */
  readonly naps: readonly number[]
}

interface LossyRingJob extends LossyRingShape {
  /** How long this one sleeps. */
  readonly napMs: number
}

const bed = new Int32Array(new SharedArrayBuffer(4))
const nap = (ms: number): void => void Atomics.wait(bed, 0, 0, ms)

/** The last word of the memory is for the threads to meet at, so that all begin at once. */
function meet(memory: Memory, threads: number): void {
  memory.add(memory.words - 1, 1)
  while (memory.load(memory.words - 1) < threads) nap(1)
}

/** What a reader has to say at the end. */
interface Read {
  readonly received: number
  readonly lost: number
  readonly position: number
}

/** What one end of a lossy ring does in its thread. */
export const lossyRingRoles = {
  writer(memory: Memory, { items, batch, naps }: LossyRingJob): void {
    const ring = LossyRing.attach(memory)
    const { itemBytes } = ring
    const sink = ring.sink()
    const end = sink.position + items
    const bytes = new Uint8Array(Math.max(batch, 1) * itemBytes)
    meet(memory, naps.length + 1)
    while (sink.position < end) {
      const { position } = sink
      const count = batch === 0 ? 1 : Math.min(end - position, 1 + (position % batch))
      for (let i = 0; i < count; i++) writeNumber(bytes.subarray(i * itemBytes, (i + 1) * itemBytes), position + i)
      if (batch === 0) sink.push(bytes)
      else sink.pushBatch(bytes.subarray(0, count * itemBytes))
    }
    sink.close()
  },

  reader(memory: Memory, { start, batch, naps, napMs }: LossyRingJob): Read {
    const ring = LossyRing.attach(memory)
    const { itemBytes } = ring
    const source = ring.source({ from: start, spins: 20 })
    const bytes = new Uint8Array(Math.max(batch, 1) * itemBytes)
    let received = 0
    meet(memory, naps.length + 1)
    for (let count = 1; count > 0; ) {
      count = batch === 0 ? Number(source.pop(bytes)) : source.popBatch(bytes)
      for (let i = 0; i < count; i++) {
        readNext(bytes.subarray(i * itemBytes, (i + 1) * itemBytes), source.position - count + i)
      }
      received += count
      if (napMs > 0) nap(napMs)
    }
    if (source.end() !== 'closed') throw new Error(`it gave up before the end: ${source.end()}`)
    return { received, lost: source.lost, position: source.position }
  },
}

/** One thread writes and others read, or miss what they are too slow for: nothing is torn, and all is counted. */
export async function stressLossyRing(threads: Threads, shape: LossyRingShape, twin?: Twin): Promise<readonly Read[]> {
  const memory = new SharedMemory(LossyRing.words(shape) + lineWords)
  LossyRing.create(memory, shape)
  const job = (role: keyof typeof lossyRingRoles, thread: string, napMs: number): Job => ({
    structure: 'lossyRing',
    role,
    thread,
    buffer: memory.buffer as SharedArrayBuffer,
    data: { ...shape, napMs },
  })
  const readers = shape.naps.map((napMs, reader) => job('reader', `reader${reader}`, napMs))
  const [, ...reads] = (await threads([job('writer', 'writer', 0), ...readers], twin)) as [undefined, ...Read[]]
  for (const { received, lost, position } of reads) {
    if (position !== shape.start + shape.items) throw new Error(`the stream ended at ${position}`)
    if (received + lost !== shape.items) throw new Error(`of ${shape.items} items ${received} came and ${lost} were missed`)
    if (received === 0) throw new Error('nothing came')
  }
  return reads
}
