// One end of a lossy ring of `lossy-ring.ts`, in a worker thread. JavaScript, for Node 20 loads no TypeScript here, and the
// compiled package, for that is what users run.

import { parentPort, workerData } from 'node:worker_threads'
import { LossyRing, SharedMemory } from 'heddle'

const { buffer, role, batch, itemBytes } = workerData
const ring = LossyRing.attach(new SharedMemory(buffer))
const bytes = new Uint8Array(itemBytes * batch)

if (role === 'writer') {
  const sink = ring.sink()
  parentPort.on('message', (milliseconds) => {
    const from = sink.position
    const start = performance.now()
    let now = start
    while (now < start + milliseconds) {
      if (batch === 1) for (let i = 0; i < 256; i++) sink.push(bytes)
      else for (let i = 0; i < 16; i++) sink.pushBatch(bytes)
      now = performance.now()
    }
    parentPort.postMessage({ items: sink.position - from, milliseconds: now - start })
  })
} else {
  const source = ring.source({ spins: 0 })
  parentPort.on('message', (milliseconds) => {
    const { position, lost } = source
    const start = performance.now()
    let now = start
    let items = 0
    while (now < start + milliseconds) {
      if (batch === 1) for (let i = 0; i < 256; i++) items += source.tryPop(bytes) ? 1 : 0
      else for (let i = 0; i < 16; i++) items += source.tryPopBatch(bytes)
      now = performance.now()
    }
    if (source.position - position !== items + source.lost - lost) throw new Error('the counts are wrong')
    parentPort.postMessage({ items, lost: source.lost - lost, milliseconds: now - start })
  })
}
parentPort.postMessage('ready')
