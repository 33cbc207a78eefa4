import type { Outcome } from './tasks.ts'

/** What is used here of a browser's `Worker`, of which the types of Node do not know. */
interface Thread {
  onmessage: ((event: { readonly data: Outcome }) => void) | null
  onerror: ((event: { readonly message?: string }) => void) | null
  postMessage(message: unknown): void
  terminate(): void
}
type Threads = new (address: URL, options: { readonly type: 'module' }) => Thread

/** Runs a task in a thread of its own. */
export function inWorker<T>(task: string, argument: unknown): Promise<T> {
  const { answer, end } = startWorker<T>(task, argument)
  return answer.finally(end)
}

/** Likewise, but the thread stays until somebody ends it. */
export function startWorker<T>(task: string, argument: unknown): { readonly answer: Promise<T>; end(): void } {
  const { Worker } = globalThis as unknown as { readonly Worker: Threads }
  const thread = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' })
  const answer = new Promise<T>((resolve, reject) => {
    thread.onmessage = ({ data }) => ('value' in data ? resolve(data.value as T) : reject(new Error(`${task}: ${data.error}`)))
    thread.onerror = ({ message }) => reject(new Error(`${task}: ${message ?? 'the worker did not start'}`))
    thread.postMessage({ task, argument })
  })
  return { answer, end: () => thread.terminate() }
}
