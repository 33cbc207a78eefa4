import { once } from 'node:events'
import type { Worker } from 'node:worker_threads'

/** The next message of a worker; its error, if that comes first. */
export async function message(worker: Worker): Promise<unknown> {
  const [said] = await once(worker, 'message')
  return said
}
