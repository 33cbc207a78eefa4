// One end of one contender of `ring.ts`, in a worker thread. JavaScript, for Node 20 loads no TypeScript here, and the
// compiled package, for that is what users run.

import { parentPort, workerData } from 'node:worker_threads'
import { Ring, SharedMemory } from 'heddle'
import { RingBuffer } from 'ringbuf.js'

const { contender, role, shared, port, itemBytes, batch, spins } = workerData

/** Bytes of one call, and its first word of each item, which carries the number of the item. */
const bytes = new Uint8Array(itemBytes * batch)
const numbers = new Int32Array(bytes.buffer)
const step = itemBytes / 4

function fill(first, count) {
  for (let i = 0; i < count; i++) numbers[i * step] = first + i
}

function check(first, count, from = numbers) {
  for (let i = 0; i < count; i++) {
    if (from[i * step] !== first + i) throw new Error(`${contender}: expected item ${first + i}, found ${from[i * step]}`)
  }
}

function heddleEnd(waiting) {
  const ring = Ring.attach(new SharedMemory(shared))
  if (role === 'producer') {
    const sink = ring.sink({ spins })
    if (batch === 1) return waiting ? () => sink.push(bytes) : () => sink.tryPush(bytes)
    return waiting ? () => sink.pushBatch(bytes) : () => sink.tryPushBatch(bytes)
  }
  const source = ring.source({ spins })
  if (batch === 1) return waiting ? () => source.pop(bytes) : () => source.tryPop(bytes)
  return waiting ? () => source.popBatch(bytes) : () => source.tryPopBatch(bytes)
}

/** In elements of eight bytes, the widest that it copies. */
function ringbufEnd() {
  const ring = new RingBuffer(shared, Float64Array)
  const elements = new Float64Array(bytes.buffer)
  const perItem = itemBytes / 8
  return role === 'producer' ? () => ring.push(elements) / perItem : () => ring.pop(elements) / perItem
}

// Items are numbered on from round to round: an end that moves a whole batch may go past the end of its round, and what
// it left in the ring is the first of the next one.
let moved = 0

/** Moves `total` items more by `transfer`, which says how many it moved (true for one): from the front of `bytes`. */
function produce(transfer, total) {
  for (const end = moved + total; moved < end; ) {
    // Whatever did not fit is filled in again: simple, and it happens only when the ring is full.
    fill(moved, batch)
    moved += Number(transfer())
  }
}

function consume(transfer, total) {
  for (const end = moved + total; moved < end; ) {
    const count = Number(transfer())
    check(moved, count)
    moved += count
  }
}

const done = (at) => parentPort.postMessage({ at })

if (contender === 'postMessage') {
  let received = 0
  let expected = 0
  port.on('message', (message) => {
    check(received, batch, new Int32Array(message.buffer))
    received += batch
    if (received === expected) done(process.hrtime.bigint())
  })
  parentPort.on('message', (total) => {
    if (role === 'consumer') {
      received = 0
      expected = total
      parentPort.postMessage('ready')
      return
    }
    const start = process.hrtime.bigint()
    for (let sent = 0; sent < total; sent += batch) {
      fill(sent, batch)
      port.postMessage(bytes)
    }
    done(start)
  })
} else {
  const transfer = contender === 'ringbuf.js' ? ringbufEnd() : heddleEnd(contender !== 'heddle')
  parentPort.on('message', (total) => {
    if (role === 'producer') {
      const start = process.hrtime.bigint()
      produce(transfer, total)
      done(start)
    } else {
      parentPort.postMessage('ready')
      consume(transfer, total)
      done(process.hrtime.bigint())
    }
  })
}

parentPort.postMessage('ready')
