// A worker for work-ring.test.ts: pushes numbers, or pops to the end.
import { parentPort, workerData } from 'node:worker_threads'
import { tsImport } from 'tsx/esm/api'

const { SharedMemory, WorkRing } = await tsImport('../../core/index.ts', import.meta.url)
const { buffer, role, items, spins, pushers, number } = workerData
const ring = WorkRing.attach(new SharedMemory(buffer), 0, { spins })
const bytes = new Uint8Array(ring.itemBytes)
const view = new DataView(bytes.buffer)
const result = { count: 0, sum: 0, whole: true, inOrder: true }

// An item is its number in the first four bytes and its low byte in all others. Pusher k has numbers from k * items on.
if (role === 'pusher') {
  for (let i = 0; i < items; i++) {
    const n = number * items + i
    bytes.fill(n)
    view.setUint32(0, n, true)
    ring.push(bytes)
  }
} else {
  const latest = Array(pushers).fill(-1)
  while (ring.pop(bytes)) {
    const n = view.getUint32(0, true)
    for (let i = 4; i < bytes.length; i++) if (bytes[i] !== (n & 0xff)) result.whole = false
    const pusher = Math.floor(n / items)
    if (n <= latest[pusher]) result.inOrder = false
    latest[pusher] = n
    result.count++
    result.sum += n
  }
}
parentPort.postMessage(result)
