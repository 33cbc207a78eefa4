// A process at a queue that is killed sooner or later: sends or receives for ever, and notes what it did in files that survive it.
// It takes the package as users do, so that it is there soon.
import { openSync, writeSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { openQueue } from 'heddle/node'

/** The n-th item of a producer: who and which, and so many bytes like its number. */
function itemOf(id, n) {
  const item = new Uint8Array(8 + ((n * 37) % 200)).fill(n)
  const view = new DataView(item.buffer)
  view.setInt32(0, id, true)
  view.setInt32(4, n, true)
  return item
}

/** @throws Error when it is not what was sent */
function read(item) {
  const view = new DataView(item.buffer, item.byteOffset)
  const [id, n] = [view.getInt32(0, true), view.getInt32(4, true)]
  if (Buffer.compare(item, itemOf(id, n)) !== 0) throw new Error(`item ${n} of ${id} is torn: ${item}`)
  return [id, n]
}

/** Says after each item how many it has sent, in a word of its own. */
function produce(queue, { id, sent }) {
  const file = openSync(sent, 'r+')
  const producer = queue.producer()
  for (let n = 0; ; n++) {
    producer.send(itemOf(id, n))
    writeSync(file, Int32Array.of(n + 1), 0, 4, 4 * id)
  }
}

/** Notes each item before it asks for the next one, in 16 bytes, which no kill can part: no page ends within them. */
async function consume(queue, { id, received }) {
  const file = openSync(received, 'a')
  const consumer = await whenThereIsNone(() => queue.consumer())
  for (;;) {
    const next = consumer.receive(1000)
    if (next !== undefined) writeSync(file, Int32Array.of(id, ...read(next.item), 0))
  }
}

async function whenThereIsNone(take) {
  for (;;) {
    try {
      return take()
    } catch (error) {
      if (error.reason !== 'in-use') throw error
      await setTimeout(1)
    }
  }
}

process.once('message', async ({ role, path, options, ...job }) => {
  try {
    const queue = openQueue(path, options)
    if (role === 'producer') produce(queue, job)
    else await consume(queue, job)
  } catch (error) {
    process.send(`${error.name}: ${error.message}\n${error.stack}`)
  }
})
process.send('ready')
