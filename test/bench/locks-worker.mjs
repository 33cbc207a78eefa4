// One thread of one contender of `locks.ts`. JavaScript, for Node 20 loads no TypeScript here, and the compiled package, for
// that is what users run.

import { parentPort, workerData } from 'node:worker_threads'
import { Mutex, SharedMemory } from 'heddle'

const { contender, buffer, sum, meeting, threads, between } = workerData
const words = new Int32Array(buffer)
/** The word of the plain locks: where the mutex keeps its own. */
const at = 32

const locks = {
  heddle: () => Mutex.attach(new SharedMemory(buffer)),
  'heddle, no spins': () => Mutex.attach(new SharedMemory(buffer), 0, { spins: 0 }),
  'plain, spins': () => ({
    lock() {
      while (Atomics.compareExchange(words, at, 0, 1) !== 0);
    },
    unlock() {
      Atomics.store(words, at, 0)
    },
  }),
  'plain, sleeps': () => ({
    lock() {
      while (Atomics.compareExchange(words, at, 0, 1) !== 0) Atomics.wait(words, at, 1)
    },
    unlock() {
      Atomics.store(words, at, 0)
      Atomics.notify(words, at, 1)
    },
  }),
}

const lock = locks[contender]()
let met = 0
let counted = 0

/** All begin at once. */
function meet() {
  met += threads
  Atomics.add(words, meeting, 1)
  while (Atomics.load(words, meeting) < met);
}

function run(times) {
  for (let i = 0; i < times; i++) {
    lock.lock()
    words[sum]++
    lock.unlock()
    for (let work = 0; work < between; work++) counted = (counted + work) | 0
  }
}

parentPort.on('message', (times) => {
  meet()
  const from = process.hrtime.bigint()
  run(times)
  parentPort.postMessage({ from, to: process.hrtime.bigint(), counted })
})
parentPort.postMessage('ready')
