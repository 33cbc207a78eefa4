// A thread that sends what it is told to, each list through a producer of its own, in turn.
// Entries must be JavaScript on Node 20; the TypeScript behind it is loaded through tsx.
import { parentPort } from 'node:worker_threads'
import { tsImport } from 'tsx/esm/api'

const { openQueue } = await tsImport('../../core/node-index.ts', import.meta.url)

parentPort.on('message', ({ path, options, lists }) => {
  const queue = openQueue(path, { ...options, mode: 'existing' })
  const producers = lists.map(() => queue.producer())
  const most = Math.max(0, ...lists.map((items) => items.length))
  for (let n = 0; n < most; n++) {
    for (const [i, items] of lists.entries()) if (n < items.length) producers[i].send(items[n])
  }
  queue.close()
  parentPort.postMessage('sent')
})
parentPort.postMessage('ready')
