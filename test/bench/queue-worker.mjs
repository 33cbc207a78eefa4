// One contender of `queue.ts`, or one end of it, in a process of its own. JavaScript, for the compiled package is what users run,
// and one contender runs in another Node. What brings its items to the disk writes a plain file by turns, and does that with it, too.

import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const task = JSON.parse(process.argv[2])
const { contender, role, path, peers, bytes, batch, sync, items, seconds } = task
const ringBytes = 2 ** 25

/** What each contender is made of: sends so many items, and takes so many, if it is a queue. */
const contenders = {
  async heddle() {
    const { openQueue } = await import('heddle/node')
    const durability = sync === 0 ? 'none' : sync === 1 ? 'each' : { items: sync }
    const queue = openQueue(path, { durability, limits: { segments: 4 } })
    const ends = { send: undefined, receive: undefined }
    if (role !== 'consumer') {
      const producer = queue.producer()
      ends.close = () => producer.close()
      ends.send = (count) => {
        if (batch === 1) for (let i = 0; i < count; i++) producer.send(item)
        else for (let sent = 0; sent < count; sent += batch) producer.trySendBatch(some)
      }
    }
    if (role !== 'producer') {
      const consumer = queue.consumer({ lend: contender === 'lent' })
      ends.receive = (count) => {
        if (role === 'consumer') for (let i = 0; i < count; i++) consumer.receive()
        else if (batch === 1) for (let i = 0; i < count; i++) consumer.tryReceive()
        else for (let left = count; left > 0; ) left -= consumer.tryReceiveBatch(batch).length
      }
    }
    return ends
  },

  lent: () => contenders.heddle(),

  /** Copies alone: into memory that is there, and out of it into an array that is there. */
  memory() {
    const memory = new Uint8Array(new SharedArrayBuffer(ringBytes)).fill(1)
    const target = new Uint8Array(bytes)
    const each = (work) => (count) => {
      for (let i = 0, at = 0; i < count; i++, at = at + 2 * bytes > ringBytes ? 0 : at + bytes) work(at)
    }
    return {
      send: each((at) => memory.set(item, at)),
      receive: each((at) => target.set(new Uint8Array(memory.buffer, at, bytes))),
    }
  },

  /** Between two processes: copies through a ring on a mapped file. */
  async ring() {
    const { RecordRing } = await import('heddle')
    const { MappedMemory } = await import('heddle/node')
    const shape = { bytes: ringBytes }
    const file = join(path, 'ring')
    if (role === 'consumer') {
      const ring = RecordRing.create(MappedMemory.create(file, { words: RecordRing.words(shape) }), shape)
      const source = ring.source()
      const target = new Uint8Array(bytes)
      return {
        receive(count) {
          for (let i = 0; i < count; i++) source.popInto(target)
        },
      }
    }
    const sink = RecordRing.attach(MappedMemory.open(file)).sink()
    return {
      send(count) {
        for (let i = 0; i < count; i++) sink.push(item)
      },
    }
  },

  file() {
    const fd = openSync(join(path, 'plain'), 'w')
    let unsynced = 0
    const all = batch === 1 ? item : Buffer.concat(some)
    const send = (count) => {
      for (let sent = 0; sent < count; sent += batch) {
        writeSync(fd, all)
        unsynced += batch
        if (sync > 0 && unsynced >= sync) {
          fdatasyncSync(fd)
          unsynced = 0
        }
      }
    }
    return { send, close: () => closeSync(fd) }
  },

  async sqlite() {
    const { DatabaseSync } = await import('node:sqlite')
    const database = new DatabaseSync(join(path, 'queue.sqlite'))
    database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${sync === 0 ? 'OFF' : 'FULL'}`)
    database.exec('CREATE TABLE queue (id INTEGER PRIMARY KEY, item BLOB)')
    const [insert, select, remove, begin, commit] = [
      'INSERT INTO queue (item) VALUES (?)',
      'SELECT id, item FROM queue ORDER BY id LIMIT ?',
      'DELETE FROM queue WHERE id <= ?',
      'BEGIN',
      'COMMIT',
    ].map((sql) => database.prepare(sql))
    const together = Math.max(batch, sync)
    return {
      send(count) {
        for (let sent = 0; sent < count; sent += together) {
          if (together > 1) begin.run()
          for (let i = 0; i < together; i++) insert.run(item)
          if (together > 1) commit.run()
        }
      },
      receive(count) {
        for (let left = count; left > 0; ) {
          const rows = select.all(together)
          remove.run(rows.at(-1).id)
          left -= rows.length
        }
      },
    }
  },

  lmdb() {
    const require = createRequire(pathToFileURL(join(peers, 'x.js')))
    const { open } = require('lmdb')
    const store = open({
      path: join(path, 'lmdb'),
      encoding: 'binary',
      keyEncoding: 'uint32',
      noSync: sync === 0,
      mapSize: 2 ** 32,
    })
    const together = Math.max(batch, sync)
    let first = 0
    let next = 0
    return {
      send(count) {
        for (let sent = 0; sent < count; sent += together) {
          store.transactionSync(() => {
            for (let i = 0; i < together; i++) store.putSync(next++, item)
          })
        }
      },
      receive(count) {
        for (let taken = 0; taken < count; taken += together) {
          store.transactionSync(() => {
            for (let i = 0; i < together; i++) {
              store.getBinary(first)
              store.removeSync(first++)
            }
          })
        }
      },
    }
  },
}

const item = new Uint8Array(bytes).fill(7)
const some = Array(batch).fill(item)
const { send, receive, close } = await contenders[contender]()

function took(work, count = items) {
  const start = performance.now()
  work(count)
  return (performance.now() - start) / 1000
}

if (role === 'both') {
  const [sent, received, plain] = [[], [], []]
  const file = contender === 'file' || sync === 0 ? undefined : contenders.file()
  // As long again before: until the code is compiled, and files are used again that have been used.
  const begin = performance.now() + 1000 * seconds
  while (sent.length < 4 || performance.now() < begin + 1000 * seconds) {
    const [one, other] = [took(send), receive ? took(receive) : 0]
    const third = file === undefined ? one : took(file.send)
    if (performance.now() < begin) continue
    sent.push(one)
    if (receive) received.push(other)
    plain.push(third)
  }
  close?.()
  file?.close()
  process.send({ sent, received, plain })
} else {
  process.once('message', () => {
    // The first half finds all files new; in the second one they are used again.
    const taken = [1, 2].map(() => took(role === 'producer' ? send : receive))
    process.send(taken)
    close?.()
    process.disconnect()
  })
  process.send('ready')
}
