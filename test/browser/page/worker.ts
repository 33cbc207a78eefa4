// A thread of the page: runs the task that it is sent, and answers with the outcome.
import { outcomeOf } from './tasks.ts'

interface Scope {
  onmessage: ((event: { readonly data: { readonly task: string; readonly argument: unknown } }) => void) | null
  postMessage(message: unknown): void
}
const scope = globalThis as unknown as Scope
scope.onmessage = async ({ data: { task, argument } }) => scope.postMessage(await outcomeOf(task, argument))
