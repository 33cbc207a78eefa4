// Streams between the page, which must not block, and workers, which may.
import { AsyncMemory, LossyRing, RecordRing, Ring, SharedMemory, WorkRing } from '../../../core/index.ts'
import { type Kind, type Shared, sharedOf } from './memories.ts'
import { inWorker } from './threads.ts'

/** What a worker needs to know of a stream. */
interface Work {
  readonly shared: Shared
  readonly items: number
  /** Which of several ends is its own. */
  readonly end: number
  readonly wait?: 'park' | 'yield'
}

/** What one reader saw. */
export interface Seen {
  readonly read: number
  readonly lost?: number
  readonly end: string | undefined
}

const itemBytes = 12
export const shape: { readonly capacity: number; readonly itemBytes: number } = { capacity: 16, itemBytes }

/** The n-th item: its number in four bytes, and its low byte in all others, so that a torn item shows. */
export function itemOf(n: number): Uint8Array {
  const item = new Uint8Array(itemBytes).fill(n)
  new DataView(item.buffer).setUint32(0, n)
  return item
}

export function numberOf(item: Uint8Array): number {
  const n = new DataView(item.buffer, item.byteOffset).getUint32(0)
  for (const byte of item.subarray(4)) if (byte !== (n & 0xff)) throw new Error(`item ${n} is torn: ${item}`)
  return n
}

export function requireNumber(found: number, due: number): void {
  if (found !== due) throw new Error(`item ${found} came where ${due} was due`)
}

/** A record of a sink: which sink, its number, and a length of its own. */
function recordOf(sink: number, n: number): Uint8Array {
  const record = new Uint8Array(5 + ((n * 29) % 90)).fill(n)
  record[0] = sink
  new DataView(record.buffer).setUint32(1, n)
  return record
}

interface Stream {
  readonly items: number
  readonly kind?: Kind
}

export const streamTasks = {
  /** A worker writes; the page and another worker read, each of them every item. */
  async ringToPage({ items, kind }: Stream): Promise<{ page: Seen; worker: Seen }> {
    const options = { ...shape, readers: 2 }
    const shared = sharedOf(Ring.words(options), kind)
    const memory = new AsyncMemory(new SharedMemory(shared))
    const source = Ring.create(memory, options).source({ reader: 0, spins: 0 })
    const writing = inWorker('writeRing', { shared, items })
    const worker = inWorker<Seen>('readRing', { shared, end: 1 })
    let read = 0
    for await (const item of memory.items(source)) requireNumber(numberOf(item), read++)
    await writing
    return { page: { read, end: source.end() }, worker: await worker }
  },

  /** The page writes, and waits for room; two workers read, one of them without ever announcing that it sleeps. */
  async ringFromPage({ items, kind }: Stream): Promise<Seen[]> {
    const options = { ...shape, readers: 2 }
    const shared = sharedOf(Ring.words(options), kind)
    const memory = new AsyncMemory(new SharedMemory(shared))
    const sink = Ring.create(memory, options).sink({ spins: 0 })
    const waits = ['park', 'yield'] as const
    const readers = waits.map((wait, end) => inWorker<Seen>('readRing', { shared, end, wait }))
    for (let n = 0; n < items; n++) await memory.call((timeoutMs) => sink.push(itemOf(n), timeoutMs))
    sink.close()
    return Promise.all(readers)
  },

  /** Whether an item comes within some milliseconds, to a ring into which nobody writes. */
  waitInVain(): Promise<boolean> {
    const memory = new AsyncMemory(new SharedMemory(Ring.words(shape)))
    const source = Ring.create(memory, shape).source({ spins: 0 })
    return memory.call((timeoutMs) => source.pop(new Uint8Array(itemBytes), timeoutMs), { timeoutMs: 20 })
  },

  writeRing({ shared, items }: Work): void {
    const sink = Ring.attach(new SharedMemory(shared)).sink()
    for (let n = 0; n < items; n++) sink.push(itemOf(n))
    sink.close()
  },

  readRing({ shared, end: reader, wait = 'park' }: Work): Seen {
    const source = Ring.attach(new SharedMemory(shared)).source({ reader, wait })
    const item = new Uint8Array(itemBytes)
    let read = 0
    while (source.pop(item)) requireNumber(numberOf(item), read++)
    return { read, end: source.end() }
  },

  /** A worker pushes; the page and another worker pop: each item goes to one of them, in order. */
  async workRing({ items }: Stream): Promise<{ popped: number; distinct: number; ended: boolean }> {
    const shared = sharedOf(WorkRing.words(shape))
    const memory = new AsyncMemory(new SharedMemory(shared))
    const ring = WorkRing.create(memory, shape, 0, { spins: 0 })
    const pushing = inWorker('pushWork', { shared, items })
    const worker = inWorker<number[]>('popWork', { shared })
    const page: number[] = []
    for await (const item of memory.items(ring)) page.push(numberOf(item))
    await pushing
    const all = [page, await worker]
    for (const popped of all)
      for (let i = 1; i < popped.length; i++) if (popped[i] <= popped[i - 1]) throw new Error('out of order')
    const popped = all.flat()
    return { popped: popped.length, distinct: new Set(popped.filter((n) => n < items)).size, ended: ring.isEnded() }
  },

  pushWork({ shared, items }: Work): void {
    const ring = WorkRing.attach(new SharedMemory(shared))
    for (let n = 0; n < items; n++) ring.push(itemOf(n))
    ring.close()
  },

  popWork({ shared }: Work): number[] {
    const ring = WorkRing.attach(new SharedMemory(shared))
    const item = new Uint8Array(itemBytes)
    const popped: number[] = []
    while (ring.pop(item)) popped.push(numberOf(item))
    return popped
  },

  /** Two workers push records of any length; the page reads them all, those of each sink in order. */
  async recordRing({ items }: Stream): Promise<{ read: number[]; end: string | undefined }> {
    const options = { bytes: 1024, sinks: 3 }
    const shared = sharedOf(RecordRing.words(options))
    const memory = new AsyncMemory(new SharedMemory(shared))
    const ring = RecordRing.create(memory, options)
    const source = ring.source({ spins: 0 })
    // The stream ends when no sink is open any more: this one keeps it open until both have theirs.
    const open = ring.sink()
    const pushing = [0, 1].map((end) => inWorker('pushRecords', { shared, items, end }))
    const closing = Promise.all(pushing).then(() => open.close())
    const read = [0, 0]
    for await (const record of memory.items(source)) {
      const [sink] = record
      const due = recordOf(sink, read[sink]++)
      if (`${record}` !== `${due}`) throw new Error(`record ${record} came where ${due} was due`)
    }
    await closing
    return { read, end: source.end() }
  },

  pushRecords({ shared, items, end }: Work): void {
    const sink = RecordRing.attach(new SharedMemory(shared)).sink()
    for (let n = 0; n < items; n++) sink.push(recordOf(end, n))
    sink.close()
  },

  /** A worker writes and waits for nobody; the page and another worker read what they can, and know what they have lost. */
  async lossyRing({ items }: Stream): Promise<{ page: Seen; worker: Seen }> {
    const shared = sharedOf(LossyRing.words(shape))
    const memory = new AsyncMemory(new SharedMemory(shared))
    const source = LossyRing.create(memory, shape).source({ spins: 0 })
    const worker = inWorker<Seen>('readLossy', { shared })
    const writing = inWorker('writeLossy', { shared, items })
    let read = 0
    for await (const item of memory.items(source)) {
      read++
      requireNumber(numberOf(item), source.position - 1)
    }
    await writing
    return { page: { read, lost: source.lost, end: source.end() }, worker: await worker }
  },

  writeLossy({ shared, items }: Work): void {
    const sink = LossyRing.attach(new SharedMemory(shared)).sink()
    for (let n = 0; n < items; n++) sink.push(itemOf(n))
    sink.close()
  },

  readLossy({ shared }: Work): Seen {
    const source = LossyRing.attach(new SharedMemory(shared)).source()
    const first = source.position
    const item = new Uint8Array(itemBytes)
    let read = 0
    while (source.pop(item)) {
      read++
      requireNumber(numberOf(item), source.position - 1)
    }
    return { read, lost: source.lost + first, end: source.end() }
  },
}
