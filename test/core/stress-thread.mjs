// A thread of the stress tests: does one job after the other.
// Entries must be JavaScript on Node 20; the TypeScript behind it is loaded through tsx.
import { parentPort } from 'node:worker_threads'
import { tsImport } from 'tsx/esm/api'

const { work } = await tsImport('./stress-thread.ts', import.meta.url)
parentPort.on('message', ({ args }) => {
  try {
    parentPort.postMessage({ value: work(...args) })
  } catch (error) {
    parentPort.postMessage({ error: { name: error.name, message: error.message } })
  }
})
parentPort.postMessage({ value: 'ready' })
