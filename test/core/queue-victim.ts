/** A session at a queue that ends with SIGKILL, before a given one of its operations on files and words. */
import { openSync, writeSync } from 'node:fs'
import { NodeFolder } from '../../core/node-folder.ts'
import { bytesCodec, Queue } from '../../core/queue.ts'
import { recordWords } from '../../core/record.ts'
import { recordsAt } from '../../core/segment.ts'

const [path, ledgerPath, lastWords] = process.argv.slice(2) as [string, string, string]
const ledger = openSync(ledgerPath, 'a')
/** A line that survives this process. */
const note = (text: string): void => void writeSync(ledger, `${text}\n`)

let left = Number(lastWords)
let steps = 0

/** The same object, each of whose calls, and those of what it gives out, may be the one before which we are killed. */
function mortal<T extends object>(object: T): T {
  return new Proxy(object, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key)
      if (typeof value === 'object' && value !== null) return mortal(value)
      if (typeof value !== 'function') return value
      return (...args: unknown[]): unknown => {
        steps++
        if (--left === 0) {
          process.kill(process.pid, 'SIGKILL')
          for (;;);
        }
        const result: unknown = value.apply(target, args)
        return ['open', 'create'].includes(String(key)) ? mortal(result as object) : result
      }
    },
  })
}

const queue = Queue.open(mortal(new NodeFolder(path, 8)), {
  codec: bytesCodec,
  draft: `${process.pid}`,
  segmentBytes: 4 * (recordsAt + 2 * recordWords(4)),
  members: 4,
  spins: 0,
  durability: { items: 3 },
})
const producer = queue.producer()
const consumer = queue.consumer({ acknowledge: 'manual' })
for (let n = 0; n < 6; n++) {
  note(`sending ${n}`)
  producer.send(new Uint8Array(Int32Array.of(n).buffer))
  note(`sent ${n}`)
  if (n % 2 === 0) continue
  for (const place of ['one', 'other']) {
    const received = consumer.tryReceive()
    if (received === undefined) throw new Error(`the ${place} item is not there`)
    const item = new Int32Array(received.item.slice().buffer)[0]
    note(`acknowledging ${item}`)
    consumer.acknowledge()
    note(`acknowledged ${item}`)
  }
}
queue.close()
note(`steps ${steps}`)
