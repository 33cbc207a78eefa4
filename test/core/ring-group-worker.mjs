// A worker for ring-group.test.ts: the writer of numbers from 0 on, a member of group 0, or the reader that stands behind it.
import { parentPort, workerData } from 'node:worker_threads'
import { tsImport } from 'tsx/esm/api'

const { Ring, SharedMemory } = await tsImport('../../core/index.ts', import.meta.url)
const { buffer, role, items, batch, spins } = workerData
const ring = Ring.attach(new SharedMemory(buffer))
const { itemBytes } = ring
const bytes = new Uint8Array(batch * itemBytes)
const view = new DataView(bytes.buffer)
const told = { count: 0, sum: 0, inOrder: true }
let last = -1

// An item is its number in the first four bytes and its low byte in all others, so that a torn item shows.
function take(count, item = 0) {
  for (let i = 0; i < count; i++) {
    const n = view.getUint32((item + i) * itemBytes, true)
    if (n <= last) told.inOrder = false
    for (let k = 4; k < itemBytes; k++) if (bytes[(item + i) * itemBytes + k] !== (n & 0xff)) told.inOrder = false
    last = n
    told.sum += n
    told.count++
  }
}

/** Claims, reads in place and lets go of some, the rest after that; pops every other time. */
function takeFrom(member, pops) {
  const count = pops ? member.popBatch(bytes) : member.claim(batch)
  for (let i = 0; i < count && !pops; i++) {
    member.get(i, bytes.subarray(0, itemBytes))
    take(1)
  }
  if (pops) take(count)
  else if (count > 0) {
    member.advance(1)
    member.advance()
  }
  return count
}

if (role === 'writer') {
  const sink = ring.sink({ spins })
  for (let n = 0; n < items; ) {
    const now = Math.min(batch, items - n)
    for (let i = 0; i < now; i++) {
      bytes.fill(n + i, i * itemBytes, (i + 1) * itemBytes)
      view.setUint32(i * itemBytes, n + i, true)
    }
    sink.pushBatch(bytes.subarray(0, now * itemBytes))
    n += now
  }
  sink.close()
} else if (role === 'member') {
  const member = ring.member({ spins })
  for (let turn = 0; takeFrom(member, turn % 2 === 1) > 0; turn++);
  if (member.end() !== 'closed') told.inOrder = false
} else if (role === 'visitor') {
  // Comes and goes. Others stay: the group goes on.
  for (let ended = false; !ended; ) {
    const member = ring.member({ spins })
    for (let turn = 0; turn < 50 && !ended; turn++) ended = takeFrom(member, turn % 2 === 1) === 0
    ended = member.end() === 'closed'
    member.close()
  }
} else {
  const source = ring.source({ spins, after: [{ group: 0 }] })
  while (told.count < items) take(source.popBatch(bytes))
  if (last !== items - 1) told.inOrder = false
}
parentPort.postMessage(told)
