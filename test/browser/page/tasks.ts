import { lifeTasks } from './lives.ts'
import { lockTasks } from './locks.ts'
import { memoryTasks } from './memories.ts'
import type { Some } from './search.ts'
import { streamTasks } from './streams.ts'
import { inWorker } from './threads.ts'

/** What came of a task: plain data. */
export type Outcome = { readonly value: unknown } | { readonly error: string }

/** What a page or a worker can be asked for, by its name. */
const tasks: Readonly<Record<string, (argument: never) => unknown>> = {
  ...lifeTasks,
  ...lockTasks,
  ...memoryTasks,
  ...streamTasks,
  // The checker and all specs: only for who asks.
  explored: async (argument: Some) => (await import('./search.ts')).explored(argument),
  inWorker: ({ task, argument }: { readonly task: string; readonly argument: unknown }) => inWorker(task, argument),
}

/** Runs a task, to its end or to what it threw. */
export async function outcomeOf(task: string, argument: unknown): Promise<Outcome> {
  try {
    return { value: await tasks[task](argument as never) }
  } catch (error) {
    return { error: `${error}` }
  }
}
