// A worker for work-ring.test.ts: pushes numbers, or pops to the end.
import { parentPort, workerData } from 'node:worker_threads'
import { tsImport } from 'tsx/esm/api'

const { SharedMemory, WorkRing } = await tsImport('../../core/index.ts', import.meta.url)
const { buffer, role, items, spins, pushers, number, batch } = workerData
const ring = WorkRing.attach(new SharedMemory(buffer), 0, { spins })
const { itemBytes } = ring
const bytes = new Uint8Array(batch * itemBytes)
const view = new DataView(bytes.buffer)
const result = { count: 0, sum: 0, whole: true, inOrder: true }
const push = batch === 1 ? () => ring.push(bytes) : () => ring.pushBatch(bytes)
const pop = batch === 1 ? () => ring.pop(bytes) : () => ring.popBatch(bytes)

// An item is its number in the first four bytes and its low byte in all others. Pusher k has numbers from k * items on.
if (role === 'pusher') {
  for (let i = 0; i < items; i += batch) {
    for (let k = 0; k < batch; k++) {
      const n = number * items + i + k
      bytes.fill(n, k * itemBytes, (k + 1) * itemBytes)
      view.setUint32(k * itemBytes, n, true)
    }
    push()
  }
} else {
  const latest = Array(pushers).fill(-1)
  for (let count = Number(pop()); count > 0; count = Number(pop())) {
    for (let k = 0; k < count; k++) {
      const n = view.getUint32(k * itemBytes, true)
      for (let i = 4; i < itemBytes; i++) if (bytes[k * itemBytes + i] !== (n & 0xff)) result.whole = false
      const pusher = Math.floor(n / items)
      if (n <= latest[pusher]) result.inOrder = false
      latest[pusher] = n
      result.count++
      result.sum += n
    }
  }
}
parentPort.postMessage(result)
