import { afterAll } from 'vitest'
import { endPeers, type Peer, startWorker } from './peers.ts'
import type { Threads } from './stress-thread.ts'

const crew: Promise<Peer>[] = []

/** Worker threads, which are kept for the next jobs. */
export const inThreads: Threads = async (jobs, twin) => {
  while (crew.length < jobs.length) crew.push(startWorker(new URL('stress-thread.mjs', import.meta.url)))
  const threads = await Promise.all(crew.slice(0, jobs.length))
  // Who fails first is to blame: others may then wait for it in vain.
  const errors: unknown[] = []
  const results = threads.map((thread, i) => thread.ask('work', jobs[i], twin).catch((error) => void errors.push(error)))
  const values = await Promise.all(results)
  if (errors.length > 0) throw errors[0]
  return values
}

afterAll(async () => {
  crew.length = 0
  await endPeers()
})
