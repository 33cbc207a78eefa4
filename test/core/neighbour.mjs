// A worker for shared-memory.test.ts: writes one byte of a word over and over while the test writes the others.
import { parentPort, workerData } from 'node:worker_threads'
import { tsImport } from 'tsx/esm/api'

const { SharedMemory } = await tsImport('../../core/index.ts', import.meta.url)
const memory = new SharedMemory(workerData.buffer)
const mine = new Uint8Array(1)
const seen = new Uint8Array(1)
let undone = 0
memory.store(1, 1)
for (let round = 0; memory.load(2) === 0; round++) {
  mine[0] = round
  memory.writeBytes(1, mine)
  memory.readBytes(1, seen)
  if (seen[0] !== mine[0]) undone++
}
parentPort.postMessage(undone)
