// A worker for shared-memory.test.ts: sleeps on word 0 once for each value, and answers with what it saw.
// Worker entries must be JavaScript on Node 20; the TypeScript behind it is loaded through tsx.
import { parentPort, workerData } from 'node:worker_threads'
import { tsImport } from 'tsx/esm/api'

const { SharedMemory } = await tsImport('../../core/index.ts', import.meta.url)
const memory = new SharedMemory(workerData.source, workerData.byteOffset)
const results = []
for (let expected = 0; expected < workerData.rounds; expected++) {
  let result
  // Word 1 counts sleepers, so that the test notifies only when somebody is about to sleep.
  memory.add(1, 1)
  while (memory.load(0) === expected) result = memory.wait(0, expected)
  results.push({ result, payload: memory.read(2) })
  memory.store(3, expected + 1)
  memory.notify(3)
}
parentPort.postMessage(results)
