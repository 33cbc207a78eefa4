// A worker thread of roster.test.ts: takes part under the number that it is given, does what messages tell it, and answers each.
// Entries must be JavaScript on Node 20; the TypeScript behind it is loaded through tsx.
import { parentPort } from 'node:worker_threads'
import { tsImport } from 'tsx/esm/api'

const { Mutex, Ring, Roster, SharedMemory } = await tsImport('../../core/index.ts', import.meta.url)
let memory
let ring
let mutex
// Kept, as the thread that has one must.
let source

const tasks = {
  attach(buffer, participant) {
    memory = new SharedMemory(buffer)
    memory.liveness = Roster.attach(memory).livenessOf(participant)
    mutex = Mutex.attach(memory, Roster.words())
    ring = Ring.attach(memory, Roster.words() + Mutex.words())
  },
  lock: () => mutex.lock(),
  /** For ever. */
  push() {
    const sink = ring.sink({ spins: 0 })
    while (sink.push(new Uint8Array(4)));
  },
  read() {
    source = ring.source({ reader: 1 })
    return source.reader
  },
}

parentPort.on('message', ({ task, args }) => {
  try {
    parentPort.postMessage({ value: tasks[task](...args) })
  } catch (error) {
    parentPort.postMessage({ error: { name: error.name, message: error.message } })
  }
})
parentPort.postMessage({ value: 'ready' })
