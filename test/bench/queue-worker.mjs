// One contender of `queue.ts`, or one end of it, in a process of its own. JavaScript, for the compiled package is what users run,
// and one contender runs in another Node.

import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const task = JSON.parse(process.argv[2])
const { contender, role, path, peers, bytes, batch, sync, items, seconds } = task

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
      const consumer = queue.consumer()
      ends.receive = (count) => {
        if (role === 'consumer') for (let i = 0; i < count; i++) consumer.receive()
        else if (batch === 1) for (let i = 0; i < count; i++) consumer.tryReceive()
        else for (let left = count; left > 0; ) left -= consumer.tryReceiveBatch(batch).length
      }
    }
    return ends
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

function took(work) {
  const start = performance.now()
  work(items)
  return (performance.now() - start) / 1000
}

if (role === 'both') {
  const [sent, received] = [[], []]
  // As long again before: until the code is compiled, and files are used again that have been used.
  const begin = performance.now() + 1000 * seconds
  while (sent.length < 4 || performance.now() < begin + 1000 * seconds) {
    const [one, other] = [took(send), receive ? took(receive) : 0]
    if (performance.now() < begin) continue
    sent.push(one)
    if (receive) received.push(other)
  }
  close?.()
  process.send({ sent, received })
} else {
  process.once('message', () => {
    if (role === 'producer') send(items)
    else receive(items)
    process.send('done')
    close?.()
    process.disconnect()
  })
  process.send('ready')
}
