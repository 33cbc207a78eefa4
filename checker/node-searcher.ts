/** The thread that searches, seen from the main thread: hired early, asked once, sent away in the middle of whatever it does. */
import type { Worker } from 'node:worker_threads'
import { InputError } from './node-input-error.ts'
import type { SearchJob, SearchMessage } from './node-search.ts'
import { startThread } from './node-thread.ts'

/** What the thread says on its way to the end. */
export type SearchNews = Extract<SearchMessage, { readonly kind: 'planned' | 'result' | 'estimated' }>

let searcher: Worker | undefined

/** Starts the thread that will search, before it is known for what. */
export function hireSearcher(): void {
  searcher = startThread('./node-search', import.meta.url)
}

/** Sends it away if nobody wanted it. */
export function dismissSearcher(): void {
  void searcher?.terminate()
}

/** The thread that was hired early, or a new one. */
export function takeSearcher(): Worker {
  const thread = searcher ?? startThread('./node-search', import.meta.url)
  searcher = undefined
  return thread
}

/**
 * Runs a job in the thread. Resolves with true when it is done, with false when Ctrl-C was pressed; rejects with
 * `InputError` on bad input.
 */
export function search(job: SearchJob, hear: (news: SearchNews) => void): Promise<boolean> {
  const thread = takeSearcher()
  thread.postMessage(job)
  const searched = new Promise<boolean>((resolve, reject) => {
    process.once('SIGINT', () => resolve(false))
    thread.on('error', reject)
    thread.on('exit', () => reject(new Error('the thread that searches ended before its work was done')))
    thread.on('message', (message: SearchMessage) => {
      if (message.kind === 'done') resolve(true)
      else if (message.kind === 'bad-input') reject(new InputError(message.message))
      else hear(message as SearchNews)
    })
  })
  return searched.finally(() => void thread.terminate())
}
