// A worker for record-ring.test.ts: pushes numbered records, by ones, batches and claims.
import { parentPort, workerData } from 'node:worker_threads'
import { tsImport } from 'tsx/esm/api'

const { RecordRing, SharedMemory } = await tsImport('../../core/index.ts', import.meta.url)
const { buffer, records, spins, number } = workerData
const sink = RecordRing.attach(new SharedMemory(buffer)).sink({ spins })

// A record is the number of its sink, its own number in four bytes, and so many bytes like its own number.
function recordOf(n) {
  const bytes = new Uint8Array(5 + ((n * 29) % (sink.recordBytesMax - 4))).fill(n)
  bytes[0] = number
  new DataView(bytes.buffer).setUint32(1, n, true)
  return bytes
}

for (let n = 0; n < records; ) {
  const way = n % 3
  if (way === 0) sink.push(recordOf(n++))
  else if (way === 1 && n + 3 <= records) sink.pushBatch([recordOf(n++), recordOf(n++), recordOf(n++)])
  else {
    const record = recordOf(n++)
    sink.claim(sink.recordBytesMax)
    if (n % 2 === 0) {
      sink.abort()
      sink.claim(record.length)
    }
    sink.put(record.subarray(5), 5)
    sink.put(record.subarray(0, 5))
    sink.commit(record.length)
  }
}
sink.close()
parentPort.postMessage(records)
