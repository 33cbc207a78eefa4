import { AsyncMemory } from '../../core/async-memory.ts'
import type { Memory } from '../../core/memory.ts'
import { RecordRing } from '../../core/record-ring.ts'
import type { RecordRingOptions } from '../../core/record-ring-layout.ts'
import { SharedMemory } from '../../core/shared-memory.ts'
import { readNumber, writeNumber } from './numbered.ts'
import type { Job, Threads, Twin } from './stress-thread.ts'

export interface RecordRingShape extends RecordRingOptions {
  readonly sinks: number
  /** Of each sink. */
  readonly records: number
  readonly spins: number
}

/** Records of many lengths, so that they wrap, pad, and give slots back. Each has the numbers of its sink in the upper bits. */
function recordOf(n: number, bytesMax: number): Uint8Array {
  const record = new Uint8Array(4 + ((n * 29) % (bytesMax - 3)))
  writeNumber(record, n)
  return record
}

interface SinkJob extends RecordRingShape {
  readonly number: number
  /** How many sinks have come. */
  readonly come: SharedArrayBuffer
}

/** What one end of a record ring does in its thread. */
export const recordRingRoles = {
  /** Pushes by ones, batches and claims. */
  sink(memory: Memory, { sinks, records, spins, number, come }: SinkJob): void {
    const sink = RecordRing.attach(memory).sink({ spins })
    // The stream ends when all sinks that there are have closed: so all come before the first one goes.
    const waiting = new Int32Array(come)
    Atomics.add(waiting, 0, 1)
    while (Atomics.load(waiting, 0) < sinks) Atomics.wait(waiting, 1, 0, 1)
    const { recordBytesMax } = sink
    const next = (i: number) => recordOf(number * records + i, recordBytesMax)
    const must = (isPushed: boolean) => {
      if (!isPushed) throw new Error('a record was refused')
    }
    for (let i = 0; i < records; ) {
      const way = i % 3
      if (way === 0) must(sink.push(next(i++)))
      else if (way === 1 && i + 3 <= records) must(sink.pushBatch([next(i++), next(i++), next(i++)]) === 3)
      else {
        const record = next(i++)
        must(sink.claim(recordBytesMax))
        if (i % 2 === 0) {
          sink.abort()
          must(sink.claim(record.length))
        }
        sink.put(record.subarray(2), 2)
        sink.put(record.subarray(0, 2))
        sink.commit(record.length)
      }
    }
    sink.close()
  },

  /** Reads until the stream has ended. Returns how many came from each sink. */
  source(memory: Memory, shape: RecordRingShape): readonly number[] {
    const source = RecordRing.attach(memory).source({ spins: shape.spins })
    const arrivals = new Arrivals(shape, source.recordBytesMax)
    for (let record = source.pop(); record !== undefined; record = source.pop()) arrivals.add(record)
    return arrivals.counts
  },
}

/** The records that have come, each of which must be the next one of its sink. */
class Arrivals {
  readonly counts: number[]
  private readonly records: number
  private readonly bytesMax: number

  constructor({ sinks, records }: RecordRingShape, bytesMax: number) {
    this.counts = Array(sinks).fill(0)
    this.records = records
    this.bytesMax = bytesMax
  }

  add(record: Uint8Array): void {
    const { counts, records, bytesMax } = this
    const n = readNumber(record)
    const sink = Math.floor(n / records)
    const next = sink * records + (counts[sink] as number)
    if (n !== next) throw new Error(`record ${n} came where ${next} was next`)
    if (record.length !== recordOf(n, bytesMax).length) throw new Error(`record ${n} has ${record.length} bytes`)
    counts[sink]!++
  }
}

/** Some threads push records and one reads: all come, whole, and those of one sink in their order. */
export async function stressRecordRing(threads: Threads, shape: RecordRingShape, twin?: Twin): Promise<void> {
  const memory = made(shape)
  const [came] = await threads([job('source', 'source', memory, shape), ...pushing(memory, shape)], twin)
  requireAll(shape, came as readonly number[])
}

/** The same with a source on the event loop of this thread. */
export async function stressRecordRingOnLoop(threads: Threads, shape: RecordRingShape): Promise<void> {
  const memory = made(shape)
  const waiting = new AsyncMemory(memory)
  const source = RecordRing.attach(waiting).source({ spins: 0 })
  const pushed = threads(pushing(memory, shape))
  const arrivals = new Arrivals(shape, source.recordBytesMax)
  for await (const record of waiting.items(source)) arrivals.add(record)
  await pushed
  requireAll(shape, arrivals.counts)
}

function made(shape: RecordRingShape): SharedMemory {
  const memory = new SharedMemory(RecordRing.words(shape))
  RecordRing.create(memory, shape)
  return memory
}

function job(role: keyof typeof recordRingRoles, thread: string, { buffer }: SharedMemory, data: unknown): Job {
  return { structure: 'recordRing', role, thread, buffer: buffer as SharedArrayBuffer, data }
}

function pushing(memory: SharedMemory, shape: RecordRingShape): Job[] {
  const come = new SharedArrayBuffer(8)
  return Array.from({ length: shape.sinks }, (_, number) => job('sink', 'sink', memory, { ...shape, number, come }))
}

function requireAll({ records }: RecordRingShape, came: readonly number[]): void {
  if (came.some((count) => count !== records)) throw new Error(`of ${records} records each ${came} came`)
}
