// One end of each of some lossy rings, one after the other, in a thread of its own.
// Entries must be JavaScript on Node 20; what is behind it is loaded through tsx.
import { parentPort, workerData } from 'node:worker_threads'
import { tsImport } from 'tsx/esm/api'

const { LossyRing, SharedMemory } = await tsImport('../../core/index.ts', import.meta.url)

const bed = new Int32Array(new SharedArrayBuffer(4))
/** Sleeps for so many milliseconds. */
const nap = (milliseconds) => Atomics.wait(bed, 0, 0, milliseconds)

/** The item at position n begins with n, and has the low byte of n everywhere else. */
function fill(bytes, n) {
  bytes.fill(n)
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(0, n, true)
}

function write(ring, { items, batch }) {
  const sink = ring.sink()
  const { itemBytes } = ring
  const end = sink.position + items
  const bytes = new Uint8Array(Math.max(batch, 1) * itemBytes)
  while (sink.position < end) {
    const { position } = sink
    const count = batch === 0 ? 1 : Math.min(end - position, 1 + (position % batch))
    for (let i = 0; i < count; i++) fill(bytes.subarray(i * itemBytes, (i + 1) * itemBytes), position + i)
    if (batch === 0) sink.push(bytes)
    else sink.pushBatch(bytes.subarray(0, count * itemBytes))
  }
  sink.close()
  return { position: sink.position }
}

function read(ring, { batch, from }, pauseMs) {
  const source = ring.source({ from, spins: 20 })
  const { itemBytes } = ring
  const bytes = new Uint8Array(Math.max(batch, 1) * itemBytes)
  let received = 0
  for (;;) {
    const count = batch === 0 ? Number(source.pop(bytes)) : source.popBatch(bytes)
    if (count === 0) break
    for (let i = 0; i < count; i++) {
      const item = bytes.subarray(i * itemBytes, (i + 1) * itemBytes)
      const n = new DataView(item.buffer, item.byteOffset).getUint32(0, true)
      const expected = (source.position - count + i) >>> 0
      if (n !== expected) throw new Error(`item ${expected} is said to be ${n}`)
      if (!item.subarray(4).every((byte) => byte === (n & 0xff))) throw new Error(`item ${n} is torn`)
    }
    received += count
    if (pauseMs > 0) nap(pauseMs)
  }
  return { received, lost: source.lost, position: source.position, end: source.end() }
}

const { jobs, threads, pauseMs } = workerData
parentPort.postMessage(
  jobs.map((job) => {
    const memory = new SharedMemory(job.buffer)
    // All begin at once.
    memory.add(memory.words - 1, 1)
    while (memory.load(memory.words - 1) < threads) nap(1)
    const ring = LossyRing.attach(memory)
    return pauseMs === undefined ? write(ring, job) : read(ring, job, pauseMs)
  }),
)
