/** Starts the worker threads of the command line, from compiled code and from source alike. */
import { fileURLToPath } from 'node:url'
import { Worker, type WorkerOptions } from 'node:worker_threads'
import { findTypeScriptLoader } from './node-typescript.ts'

// Node 20 starts a thread from JavaScript only, so that from source the first thing it runs is this.
const fromSource = `
const { workerData } = require('node:worker_threads')
const { cjs, esm } = workerData.loader
Promise.all([import(cjs), import(esm)]).then((apis) => {
  for (const { register } of apis) register()
  globalThis[Symbol.for('heddle/typescript')] = true
  return import(workerData.entry)
})`

/**
 * A thread that runs the module `entry` (such as `./node-search`), which stands beside `from`, and finds `data` in
 * `threadData()`. What its code prints goes to standard error: standard output belongs to results.
 */
export function startThread(entry: string, from: string, data?: unknown): Worker {
  const source = from.endsWith('.ts')
  const url = new URL(`${entry}${source ? '.ts' : '.js'}`, from)
  const options: WorkerOptions = { stdout: true, workerData: { data } }
  let worker: Worker
  if (source) {
    const loader = findTypeScriptLoader(fileURLToPath(url))
    worker = new Worker(fromSource, { ...options, eval: true, workerData: { data, loader, entry: url.href } })
  } else {
    worker = new Worker(url, options)
  }
  worker.stdout.pipe(process.stderr, { end: false })
  return worker
}

/** What `startThread` was given, in the thread. */
export function threadData<T>(workerData: unknown): T {
  return (workerData as { data: T }).data
}
