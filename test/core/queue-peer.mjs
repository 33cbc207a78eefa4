// A producer or a consumer of a queue in a process of its own, until it is done or killed.
// Entries must be JavaScript on Node 20; the TypeScript behind it is loaded through tsx.
import { openSync, writeSync } from 'node:fs'
import { tsImport } from 'tsx/esm/api'

const { openQueue } = await tsImport('../../core/node-index.ts', import.meta.url)

const [role, path, ledgerPath, name, count] = process.argv.slice(2)
const ledger = openSync(ledgerPath, 'a')
/** A line that survives this process. */
const note = (text) => writeSync(ledger, `${text}\n`)

process.once('message', () => {
  const queue = openQueue(path, { mode: 'existing' })
  if (role === 'producer') {
    const producer = queue.producer()
    for (let n = 0; n < Number(count); n++) {
      producer.send(Buffer.from(`${name} ${n} ${'x'.repeat(n % 97)}`))
      note(n)
    }
    producer.close()
  } else {
    const consumer = queue.consumer()
    for (let next = consumer.receive(); next !== undefined; next = consumer.receive()) note(Buffer.from(next.item).toString())
    consumer.close()
  }
  queue.close()
  process.disconnect()
})
process.send('ready')
