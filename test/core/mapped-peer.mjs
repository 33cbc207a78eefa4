// Another process or worker thread that stands on a mapped file: does what messages tell it, and answers each.
// Entries must be JavaScript on Node 20; the TypeScript behind it is loaded through tsx.
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { parentPort } from 'node:worker_threads'
import { tsImport } from 'tsx/esm/api'

const { LossyRing, Mutex, Once, ReadWriteLock, RecordRing, Ring, WorkRing } = await tsImport(
  '../../core/index.ts',
  import.meta.url,
)
const { MappedMemory } = await tsImport('../../core/node-index.ts', import.meta.url)

let mistakes
let mapped
/** The mapped memory, or one around it that makes a mistake. */
let memory
const kept = []
let part
let ring
let member
let wanted
const tasks = {
  open: (path) => use(MappedMemory.open(path)),
  create: (path, options) => use(MappedMemory.create(path, options)),
  from: (share) => use(MappedMemory.from(share)),
  /** From now on this process makes a mistake on the memory that it opened last, or none, but stops when it is told. */
  async err(mistake) {
    mistakes ??= await tsImport('./mistaken.ts', import.meta.url)
    memory = await mistakes.mistaken(mapped, mistake)
  },
  /** The memory stays open, whatever else is opened. */
  keep() {
    kept.push(mapped)
    mapped = undefined
  },
  /** From now on this process can map so many bytes more, and no others. */
  leaveAddresses(bytes) {
    const [, taken] = /^VmSize:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))
    execFileSync('prlimit', ['--pid', String(process.pid), `--as=${1024 * taken + bytes}`])
  },
  hasWasm: () => memory.share().wasm !== undefined,
  /** Calls a method of the memory. */
  call: (method, ...args) => memory[method](...args),
  alive: (participant) => memory.liveness.alive(participant),
  /** The files in a folder and their sizes. */
  files: (folder) => Object.fromEntries(readdirSync(folder).map((file) => [file, statSync(join(folder, file)).size])),
  /** Joins a part of this class, whose methods can be called then. */
  join(kind, at = 0) {
    part = { Mutex, Once, ReadWriteLock, WorkRing }[kind].attach(memory, at)
  },
  do: (method, ...args) => part[method](...args),
  change,
  /** Runs a once, whose body tells what it was told in one word and then sleeps on it for ever, or until somebody notifies. */
  runAndSleep: (word) =>
    part.run((again) => {
      memory.store(word, again ? 2 : 1)
      memory.wait(word, again ? 2 : 1)
    }),
  attachRing() {
    ring = Ring.attach(memory)
  },
  attachLossyRing() {
    ring = LossyRing.attach(memory)
  },
  attachRecordRing() {
    ring = RecordRing.attach(memory)
  },
  takeSource: (reader) => ring.source({ reader }).position,
  takeSink: () => ring.sink().position,
  takeMember(batch) {
    member = ring.member()
    wanted = batch
  },
  claimMember: () => member.claim(wanted),
  write,
  read,
  readLossy,
  share,
  pushNumbers,
  popNumbers,
  pushRecords,
  popRecords,
  exit: () => process.exit(),
  /** Gives root's rights up. */
  become(user) {
    process.setgid(user)
    process.setuid(user)
  },
  add(word, times) {
    for (let i = 0; i < times; i++) memory.add(word, 1)
  },
  /** Writes 1, 2, 3 ... for ever. */
  count(word) {
    for (let i = 1; ; i++) memory.store(word, i)
  },
  /** In each round all peers begin at once: word 0 counts who has come, and `make` says in words what came of it. */
  race(peers, rounds, kind, path) {
    const results = []
    for (let round = 0; round < rounds; round++) {
      meet(0, peers * (round + 1))
      results.push(races[kind](`${path}-${round}`))
      // Nobody closes before all have tried.
      meet(1, peers * (round + 1))
      opened?.close()
      opened = undefined
    }
    return results
  },
}

/** Changes words 64 and 96, which are equal whenever nobody holds the lock, unless its holder died. Says how often it repaired. */
function change(times) {
  let repaired = 0
  for (let i = 0; i < times; i++) {
    const result = part.lock()
    const [first, second] = [memory.read(64), memory.read(96)]
    if (first !== second) {
      if (result !== 'abandoned') throw new Error(`${first} and ${second}, and the lock was ${result}`)
      repaired++
    }
    memory.write(64, first + 1)
    memory.write(96, first + 1)
    part.unlock()
  }
  return repaired
}

/**
 * An item says which it is: item n begins with n, and the low byte of n is in all of its other bytes.
 *
 * @returns the item, and one more call of `fill` for each next one
 */
function numbered(itemBytes) {
  const bytes = new Uint8Array(itemBytes)
  const view = new DataView(bytes.buffer)
  return {
    bytes,
    fill(n) {
      bytes.fill(n)
      view.setUint32(0, n, true)
    },
    is: (n) => view.getUint32(0, true) === n && bytes.subarray(4).every((byte) => byte === (n & 0xff)),
  }
}

/** Reads a lossy ring to the end of the stream, whoever writes it, and tells in a word how far it is. Returns what became of all. */
function readLossy(from, progress) {
  const source = ring.source({ from })
  const begun = source.position
  const { bytes, is } = numbered(ring.itemBytes)
  let received = 0
  for (;;) {
    if (source.pop(bytes)) {
      const { position } = source
      if (!is(position - 1)) throw new Error(`item ${position - 1} holds the bytes ${bytes.join(' ')}`)
      received++
      memory.store(progress, position)
    } else {
      const { position, lost } = source
      if (source.end() === 'closed') return { received, missing: position - begun - received - lost, lost, position }
      nap()
    }
  }
}

/** Waits until nobody living has that end of the ring. */
function taken(take) {
  for (;;) {
    try {
      return take()
    } catch (error) {
      if (!error.message.includes('handed out before')) throw error
      nap()
    }
  }
}

/** Sleeps for a millisecond. */
function nap() {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)
}

/** Pushes items from where the sink stands up to item `end`, and closes the stream. Returns where it began. */
function write(end) {
  const sink = taken(() => ring.sink())
  const from = sink.position
  const { bytes, fill } = numbered(ring.itemBytes)
  while (sink.position < end) {
    fill(sink.position)
    sink.push(bytes)
  }
  sink.close()
  return from
}

/** Reads to the end of the stream, whoever writes it, and tells in a word how far it is. Returns what it read. */
function read(reader, progress, options = {}) {
  const source = taken(() => ring.source({ reader, ...options }))
  const from = source.position
  const { bytes, is } = numbered(ring.itemBytes)
  for (;;) {
    const { position } = source
    if (source.pop(bytes)) {
      if (!is(position)) throw new Error(`item ${position} holds the bytes ${bytes.join(' ')}`)
      memory.store(progress, position + 1)
    } else {
      if (source.end() === 'closed') return { from, to: position }
      nap()
    }
  }
}

/**
 * Claims items of group 0 to the end of the stream, and counts in a word for each how often it came. Tells in a word that it has come,
 * and returns how many it got, and how many of these may have come to another member before.
 */
function share(come, counts, batch) {
  member = ring.member()
  memory.add(come, 1)
  const { bytes, is } = numbered(ring.itemBytes)
  let items = 0
  let again = 0
  for (;;) {
    const claimed = member.claim(batch)
    if (claimed === 0) {
      if (member.end() === 'closed') return { items, again }
      nap()
    }
    for (let i = 0; i < claimed; i++) {
      const n = member.position
      member.get(0, bytes)
      if (!is(n)) throw new Error(`item ${n} holds the bytes ${bytes.join(' ')}`)
      memory.add(counts + n, 1)
      if (member.redelivered) again++
      member.advance(1)
      items++
    }
  }
}

/** Pushes 0, 1, 2 ... up to `end` in the name of `pusher`, and tells in a word how many it has pushed. */
function pushNumbers(pusher, end, progress, batch = 1) {
  const { itemBytes } = part
  const items = new Uint8Array(batch * itemBytes)
  const view = new DataView(items.buffer)
  const push = batch === 1 ? () => Number(part.push(items)) : () => part.pushBatch(items)
  for (let n = 0; n < end; n += batch) {
    for (let i = 0; i < batch; i++) {
      items.fill(n + i, i * itemBytes, (i + 1) * itemBytes)
      view.setUint32(i * itemBytes, pusher, true)
      view.setUint32(i * itemBytes + 4, n + i, true)
    }
    const pushed = push()
    if (pushed < batch) return n + pushed
    memory.store(progress, n + batch)
  }
  return end
}

/** Pops to the end of the stream, and tells in a word how many it has popped. Returns for each pusher how many came, and the last. */
function popNumbers(progress) {
  const item = new Uint8Array(part.itemBytes)
  const view = new DataView(item.buffer)
  const came = {}
  for (let count = 1; part.pop(item); count++) {
    const pusher = view.getUint32(0, true)
    const n = view.getUint32(4, true)
    if (!item.subarray(8).every((byte) => byte === (n & 0xff))) throw new Error(`item ${n} of ${pusher} is torn: ${item}`)
    const { last = -1, items = 0 } = came[pusher] ?? {}
    if (n <= last) throw new Error(`item ${n} of ${pusher} came after item ${last}`)
    came[pusher] = { items: items + 1, last: n }
    memory.store(progress, count)
  }
  return came
}

/** Pushes records 0, 1, 2 ... up to `end` in the name of `pusher`, of different lengths, and closes its sink. */
function pushRecords(pusher, end) {
  const sink = ring.sink()
  for (let n = 0; n < end; n++) {
    const { bytes, fill } = numbered(8 + ((n * 29) % (ring.recordBytesMax - 8)))
    fill(n)
    bytes[4] = pusher
    sink.push(bytes)
  }
  sink.close()
  return end
}

/** Pops records to the end of the stream. Returns for each pusher how many came. */
function popRecords() {
  const source = ring.source()
  const came = {}
  for (let record = source.pop(); record !== undefined; record = source.pop()) {
    const n = new DataView(record.buffer, record.byteOffset).getUint32(0, true)
    const pusher = record[4]
    if (!record.subarray(5).every((byte) => byte === (n & 0xff)))
      throw new Error(`record ${n} holds the bytes ${record.join(' ')}`)
    const next = came[pusher] ?? 0
    if (n !== next) throw new Error(`record ${n} of ${pusher} came where ${next} is next`)
    came[pusher] = n + 1
  }
  return came
}

/** Adds one and returns when so many have; spins first, so that all go on at once where processors are free. */
function meet(word, all) {
  memory.add(word, 1)
  memory.notify(word)
  for (let spins = 0, seen = memory.load(word); seen < all; spins++, seen = memory.load(word)) {
    if (spins > 2000) memory.wait(word, seen)
  }
}

let opened
const races = {
  create: (path) => attempt(() => MappedMemory.create(path, { words: 1 })),
  openOrCreate: (path) => attempt(() => MappedMemory.openOrCreate(path, { words: 1 })),
  seat: (path) => attempt(() => MappedMemory.open(path.replace(/-\d+$/, ''))),
}

/** How many came to this file before this one, or why it could not be had. */
function attempt(make) {
  try {
    opened = make()
    return opened.add(0, 1)
  } catch (error) {
    return error.reason ?? error.message
  }
}

function use(made) {
  mapped?.close()
  mapped = made
  memory = made
  return memory.liveness.self
}

const answer = (message) => (parentPort === null ? process.send(message) : parentPort.postMessage(message))
const port = parentPort ?? process
port.on('message', async ({ task, args }) => {
  try {
    answer({ value: await tasks[task](...args) })
  } catch (error) {
    answer({ error: { name: error.name, message: error.message, reason: error.reason, path: error.path } })
  }
})
answer({ value: 'ready' })
