// A worker for shared-memory.test.ts: adds to words that the test adds to at the same time.
import { parentPort, workerData } from 'node:worker_threads'
import { tsImport } from 'tsx/esm/api'

const { SharedMemory } = await tsImport('../../core/index.ts', import.meta.url)
const { addAll } = await tsImport('./adding.ts', import.meta.url)
const memory = new SharedMemory(workerData.source)
parentPort.postMessage('ready')
addAll(memory, workerData.times)
parentPort.postMessage('done')
