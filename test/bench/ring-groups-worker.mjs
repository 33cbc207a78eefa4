// One end of one contender of `ring-groups.ts`, in a worker thread. JavaScript, for Node 20 loads no TypeScript in a worker, and the
// compiled package, for that is what users run.

import { parentPort, workerData } from 'node:worker_threads'
import { Ring, SharedMemory, WorkRing } from 'heddle'

const { contender, role, buffer, batch, spins } = workerData
const memory = new SharedMemory(buffer)

/** An end of the ring that was made for this round: moves some items to it from `bytes`, or from it; and how many, 0 at the end. */
function endOf() {
  if (contender === 'WorkRing') return WorkRing.attach(memory, 0, { spins })
  const ring = Ring.attach(memory)
  return role === 'writer' ? ring.sink({ spins }) : ring.member({ spins })
}

/** Seconds of a clock that all threads have. */
const now = () => Number(process.hrtime.bigint()) / 1e9

parentPort.on('message', ({ itemBytes, items }) => {
  const end = endOf()
  const bytes = new Uint8Array(itemBytes * batch)
  const numbers = new Int32Array(bytes.buffer)
  const step = itemBytes / 4
  parentPort.postMessage('ready')
  const begun = now()
  let count = 0
  let sum = 0
  if (role === 'writer') {
    for (; count < items; count += batch) {
      for (let i = 0; i < batch; i++) {
        numbers[i * step] = count + i
        sum += count + i
      }
      if (batch === 1) end.push(bytes)
      else end.pushBatch(bytes)
    }
    end.close()
  } else {
    for (;;) {
      const got = batch === 1 ? Number(end.pop(bytes)) : end.popBatch(bytes)
      if (got === 0) break
      for (let i = 0; i < got; i++) sum += numbers[i * step]
      count += got
    }
  }
  parentPort.postMessage({ begun, ended: now(), count, sum })
})
parentPort.postMessage('ready')
