// One end of one contender of `ring-shapes.ts`, in a worker thread or in a process. JavaScript, for Node 20 loads no TypeScript
// in a worker, and the compiled package, for that is what users run.

import { parentPort, workerData } from 'node:worker_threads'
import { Ring, SharedMemory } from 'heddle'
import { giveWay, MappedMemory } from 'heddle/node'
import { RingBuffer } from 'ringbuf.js'

const { contender, reader, source, itemBytes, batch, inPlace, ports } = workerData ?? JSON.parse(process.argv[2])

/** No items are handed over, so that there is nothing to check; or who does it all does that, too. */
const bare = ['memcpy', 'no ring', 'there and back', 'one thread'].includes(contender)

const bytes = new Uint8Array(itemBytes * batch)
const looked = new Int32Array(bytes.buffer, 0, bytes.length >> 2)
/** Items are numbered on from round to round. */
let moved = 0

/** An item carries the low bytes of its number: one of them, or four at its beginning and four at its end. */
const [stamp, check] = itemBytes < 8 ? byBytes() : byWords()

function byBytes() {
  return [
    (first) => {
      for (let i = 0; i < batch; i++) bytes[i * itemBytes] = first + i
    },
    (first, count) => {
      for (let i = 0; i < count; i++) if (bytes[i * itemBytes] !== ((first + i) & 0xff)) fail(first + i)
    },
  ]
}

function byWords() {
  const words = new Int32Array(bytes.buffer)
  const step = itemBytes / 4
  return [
    (first) => {
      for (let i = 0; i < batch; i++) {
        words[i * step] = first + i
        words[i * step + step - 1] = first + i
      }
    },
    (first, count) => {
      for (let i = 0; i < count; i++) {
        if (words[i * step] !== first + i || words[i * step + step - 1] !== first + i) fail(first + i)
      }
    },
  ]
}

function fail(item) {
  throw new Error(`${contender}: item ${item} is not what it should be`)
}

function memoryOf() {
  if (contender === 'processes') return MappedMemory.open(source)
  const memory = new SharedMemory(source)
  memory.giveWay = giveWay
  return memory
}

/** Each end moves some items and says how many (true for one): to the ring from `bytes`, or from it into `bytes`. */
function heddleEnd() {
  const memory = memoryOf()
  const ring = Ring.attach(memory)
  if (reader === undefined) {
    const sink = ring.sink()
    return batch === 1 ? () => sink.push(bytes) : () => sink.pushBatch(bytes)
  }
  const from = ring.source({ reader })
  if (inPlace) return readInPlace(memory, from)
  return batch === 1 ? () => from.pop(bytes) : () => from.popBatch(bytes)
}

/** All ends. */
function soleEnd() {
  const ring = Ring.attach(new SharedMemory(source))
  const sink = ring.sink()
  const sources = Array.from({ length: ring.readers }, () => ring.source())
  const turns = Math.max(1, ring.capacity / 2 / batch)
  return () => {
    for (let turn = 0; turn < turns; turn++) {
      stamp(moved + turn * batch)
      if (batch === 1) sink.tryPush(bytes)
      else sink.tryPushBatch(bytes)
    }
    for (const from of sources) {
      for (let turn = 0; turn < turns; turn++) {
        if (batch === 1) from.tryPop(bytes)
        else from.tryPopBatch(bytes)
        check(moved + turn * batch, batch)
      }
    }
    return turns * batch
  }
}

function readInPlace(memory, from) {
  // Of explicit length: an array that tracks how long a growable buffer is, is slow.
  const words = new Int32Array(memory.buffer, memory.byteOffset, memory.words)
  return () => {
    if (from.wait() === 0) return 0
    look(words, from.byteOf(0) / 4)
    from.advance(1)
    return 1
  }
}

/** Looks at every line of an item where it lies, and takes along its first and its last word. */
function look(words, first) {
  const end = first + itemBytes / 4
  let sum = 0
  for (let word = first; word < end; word += 16) sum = (sum + words[word]) | 0
  looked[0] = words[first]
  looked[itemBytes / 4 - 1] = words[end - 1]
  looked[1] = sum
}

function ringbufEnd() {
  const ring = new RingBuffer(source, Uint8Array)
  // It has no call that waits.
  const all = (transfer) => () => {
    for (;;) {
      const count = transfer() / itemBytes
      if (count > 0) return count
    }
  }
  return all(reader === undefined ? () => ring.push(bytes) : () => ring.pop(bytes))
}

/** The same copies to and from eight places in turn, and nobody waits for anybody. */
function bareEnd() {
  const words = new Int32Array(source)
  const places = Array.from({ length: 8 }, (_, place) => new Uint8Array(source, place * itemBytes, itemBytes))
  let place = reader === undefined ? 0 : 4
  const next = () => place++ & 7
  if (reader === undefined) return () => moveOne(places[next()].set(bytes))
  return inPlace ? () => moveOne(look(words, (next() * itemBytes) / 4)) : () => moveOne(bytes.set(places[next()]))
}

const moveOne = () => 1

/** A question and its answer, each a word on a line of its own. */
function callingEnd() {
  const words = new Int32Array(source)
  const [mine, other] = reader === undefined ? [0, 64] : [64, 0]
  let call = 0
  return () => {
    call = (call + 1) | 0
    if (reader === undefined) Atomics.store(words, mine, call)
    while (Atomics.load(words, other) !== call);
    if (reader !== undefined) Atomics.store(words, mine, call)
    return 1
  }
}

/** Seconds of a clock that all processes have: double precision is exact to a microsecond for years. */
const now = () => Number(process.hrtime.bigint()) / 1e9
const tell = parentPort === null ? (message) => process.send(message) : (message) => parentPort.postMessage(message)

function run(items) {
  const begun = now()
  const end = moved + items
  if (reader === undefined) {
    while (moved < end) {
      if (!bare) stamp(moved)
      moved += Number(transfer())
    }
  } else {
    while (moved < end) {
      const count = Number(transfer())
      if (!bare) check(moved, count)
      moved += count
    }
  }
  tell({ begun, ended: now() })
}

let transfer
if (contender === 'postMessage') {
  let begun
  let end = 0
  if (reader === undefined) {
    transfer = () => {
      for (const port of ports) port.postMessage(bytes)
      return batch
    }
  } else {
    ports[0].on('message', (message) => {
      bytes.set(message)
      check(moved, batch)
      moved += batch
      if (moved === end) tell({ begun, ended: now() })
    })
  }
  parentPort.on('message', (items) => {
    if (reader === undefined) return run(items)
    begun = now()
    end = moved + items
    tell('ready')
  })
} else {
  const ends = {
    'one thread': soleEnd,
    'ringbuf.js': ringbufEnd,
    memcpy: bareEnd,
    'no ring': bareEnd,
    'there and back': callingEnd,
  }
  transfer = (ends[contender] ?? heddleEnd)()
  const told = (items) => {
    if (reader !== undefined) tell('ready')
    run(items)
  }
  if (parentPort === null) process.on('message', told)
  else parentPort.on('message', told)
}
tell('ready')
