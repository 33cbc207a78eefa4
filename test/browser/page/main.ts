// What the page runs: the task that its address names, and then whoever drives it takes the outcome.
import { type Outcome, outcomeOf } from './tasks.ts'

const { location } = globalThis as unknown as { location: { search: string } }
const parameters = new URLSearchParams(location.search)
const { task, argument } = JSON.parse(parameters.get('run') ?? '{}') as { task: string; argument: unknown }

Object.assign(globalThis, { outcome: outcomeOf(task, argument) satisfies Promise<Outcome> })
