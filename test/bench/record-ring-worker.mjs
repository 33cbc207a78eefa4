// One end of one contender of `record-ring.ts`, in a worker thread. JavaScript, for Node 20 loads no TypeScript here, and the
// compiled package, for that is what users run.

import { parentPort, workerData } from 'node:worker_threads'
import { RecordRing, Ring, SharedMemory } from 'heddle'
import { RingBuffer } from 'ringbuf.js'

const { contender, role, number, buffer, ports, bytes, senders, batch } = workerData

/** Each record carries who sends it, and its number. */
const records = Array.from({ length: batch }, () => new Uint8Array(bytes))
const words = records.map((record) => new Int32Array(record.buffer))
const received = Array(senders).fill(0)
let sent = 0

function check(from) {
  const sender = from[0]
  if (from[1] !== received[sender]) throw new Error(`${contender}: expected record ${received[sender]}, found ${from[1]}`)
  received[sender]++
}

/** Sends a record, or a batch: how many went. */
function sending() {
  const [record] = records
  if (contender === 'ringbuf.js') {
    const ring = new RingBuffer(buffer, Float64Array)
    const elements = new Float64Array(record.buffer)
    return () => ring.push(elements) / elements.length
  }
  const memory = new SharedMemory(buffer)
  if (contender === 'ring') {
    const sink = Ring.attach(memory).sink()
    return () => sink.tryPush(record)
  }
  const sink = RecordRing.attach(memory).sink()
  return batch === 1 ? () => sink.tryPush(record) : () => sink.tryPushBatch(records)
}

/** Receives and checks what is there, up to so many: how many came. */
function receiving() {
  const [record] = records
  const [from] = words
  if (contender === 'ringbuf.js') {
    const ring = new RingBuffer(buffer, Float64Array)
    const elements = new Float64Array(record.buffer)
    return () => {
      if (ring.pop(elements) === 0) return 0
      check(from)
      return 1
    }
  }
  const memory = new SharedMemory(buffer)
  if (contender === 'ring') {
    const source = Ring.attach(memory).source()
    return () => {
      if (!source.tryPop(record)) return 0
      check(from)
      return 1
    }
  }
  const source = RecordRing.attach(memory).source()
  if (batch === 1) {
    return () => {
      if (source.tryPopInto(record) < 0) return 0
      check(from)
      return 1
    }
  }
  // In place, but for the copy that all others make, too.
  const copy = (byte) => {
    memory.readBytes(byte, record)
    check(from)
  }
  return (most) => source.drain(copy, Math.min(most, batch))
}

const done = (at) => parentPort.postMessage({ at })

if (contender === 'postMessage') {
  let expected = 0
  let count = 0
  for (const port of ports) {
    port.on('message', (message) => {
      check(new Int32Array(message.buffer))
      if (++count === expected) done(process.hrtime.bigint())
    })
  }
  parentPort.on('message', (total) => {
    if (role === 'consumer') {
      expected = total * senders
      count = 0
      parentPort.postMessage('ready')
      return
    }
    const start = process.hrtime.bigint()
    for (let i = 0; i < total; i++) {
      words[0].set([number, sent++])
      ports[0].postMessage(records[0])
    }
    done(start)
  })
} else if (role === 'producer') {
  const send = sending()
  parentPort.on('message', (total) => {
    const start = process.hrtime.bigint()
    for (const end = sent + total; sent < end; ) {
      // Whatever did not fit is filled in again.
      for (let i = 0; i < batch; i++) words[i].set([number, sent + i])
      sent += Number(send())
    }
    done(start)
  })
} else {
  const receive = receiving()
  parentPort.on('message', (total) => {
    parentPort.postMessage('ready')
    for (let left = total * senders; left > 0; ) left -= receive(left)
    done(process.hrtime.bigint())
  })
}

parentPort.postMessage('ready')
