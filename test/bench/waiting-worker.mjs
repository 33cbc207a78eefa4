// One end of `waiting.ts`, in a worker thread. JavaScript, for Node 20 loads no TypeScript here, and the compiled package, for that
// is what users run.

import { parentPort, workerData } from 'node:worker_threads'
import { lineWords, Ring, SharedMemory } from 'heddle'

const { buffer, role, waiting, pauseMs } = workerData

const memory = new SharedMemory(buffer)
const there = Ring.attach(memory)
const back = Ring.attach(memory, Ring.words({ capacity: there.capacity, itemBytes: there.itemBytes }))
const sink = (role === 'first' ? there : back).sink(waiting)
const source = (role === 'first' ? back : there).source(waiting)

const item = new Uint8Array(there.itemBytes)
/** When it was sent, in ns. */
const sentAt = new Float64Array(item.buffer)
const now = () => Number(process.hrtime.bigint())
const nobody = new Int32Array(new SharedArrayBuffer(4 * lineWords))

/** Each answers with what it has measured, in ns. */
const tasks = {
  /** An item goes there and back, one at a time. */
  roundTrips(count) {
    const took = new Float64Array(count)
    for (let i = 0; i < count; i++) {
      const start = now()
      if (role === 'first') sink.push(item)
      source.pop(item)
      if (role !== 'first') sink.push(item)
      took[i] = now() - start
    }
    return { took }
  },
  /** As many items as go. */
  stream(count) {
    const start = now()
    for (let i = 0; i < count; i++) {
      if (role === 'first') sink.push(item)
      else source.pop(item)
    }
    return { start, end: now() }
  },
  /** An item every now and then: how long a push takes, and how long until it is seen. */
  rare(count) {
    const took = new Float64Array(count)
    for (let i = 0; i < count; i++) {
      if (role === 'first') {
        Atomics.wait(nobody, 0, 0, pauseMs)
        sentAt[0] = now()
        sink.push(item)
      } else source.pop(item)
      took[i] = now() - sentAt[0]
    }
    return { took }
  },
}

parentPort.on('message', ({ task, count }) => parentPort.postMessage(tasks[task](count)))
parentPort.postMessage('ready')
