// A worker for ring.test.ts: one end of a ring, pushing or popping numbers from 0 on.
import { parentPort, workerData } from 'node:worker_threads'
import { tsImport } from 'tsx/esm/api'

const { Ring, SharedMemory } = await tsImport('../../core/index.ts', import.meta.url)
const { buffer, role, items, batch, spins, reader, after } = workerData
const ring = Ring.attach(new SharedMemory(buffer))
const { itemBytes } = ring
const atOnce = batch || 1
const bytes = new Uint8Array(atOnce * itemBytes)
const view = new DataView(bytes.buffer)
let count = 0
let sum = 0
let inOrder = true

// An item is its number in the first four bytes and its low byte in all others, so that a torn item shows.
function put(slot, n) {
  bytes.fill(n, slot * itemBytes, (slot + 1) * itemBytes)
  view.setUint32(slot * itemBytes, n, true)
  sum += n
}

function take(slot) {
  const n = view.getUint32(slot * itemBytes, true)
  if (n !== count) inOrder = false
  for (let i = 4; i < itemBytes; i++) if (bytes[slot * itemBytes + i] !== (n & 0xff)) inOrder = false
  sum += n
  count++
}

if (role === 'writer') {
  const sink = ring.sink({ spins })
  while (count < items) {
    const now = Math.min(atOnce, items - count)
    for (let i = 0; i < now; i++) put(i, count + i)
    if (batch === 0) sink.push(bytes)
    else sink.pushBatch(bytes.subarray(0, now * itemBytes))
    count += now
  }
  sink.close()
} else if (role === 'visitor') {
  // Comes and goes: begins at the oldest item that is there, reads on from it, and leaves, until the stream has ended.
  let visits = 0
  for (let ended = false; !ended; visits++) {
    const source = ring.source({ reader, spins, from: 'oldest' })
    count = source.position
    for (let i = 0; i < 2 * ring.capacity && source.pop(bytes.subarray(0, itemBytes)); i++) take(0)
    ended = source.end() === 'closed'
    source.close()
  }
  sum = visits
} else {
  const source = ring.source({ reader, after, spins })
  while (count < items) {
    const got = batch === 0 ? Number(source.pop(bytes)) : source.popBatch(bytes)
    for (let i = 0; i < got; i++) take(i)
  }
}
parentPort.postMessage({ count, sum, inOrder })
