/** A process of the demonstration: one of the senders, or the receiver. Its parent is `demo.ts`. */
import { MappedMemory } from '../../core/node-index.ts'
import { integerOf } from './integers.ts'
import { receive, type Shape, send } from './protocol.ts'

/** What a process is started with, as the JSON of its one argument. */
export interface Task {
  readonly path: string
  readonly shape: Shape
  /** The number of a sender. The receiver has none. */
  readonly sender?: number
}

/** What a process tells its parent: that it can begin, and who it is; then, if it is the receiver, what it came to. */
export type News =
  | { readonly kind: 'ready'; readonly participant: number }
  | { readonly kind: 'received'; readonly sums: readonly number[] }

function tell(news: News): void {
  process.send?.(news)
}

// Ctrl-C is for the parent, which then ends us.
process.on('SIGINT', () => {})

const { path, shape, sender }: Task = JSON.parse(process.argv[2])
const memory = MappedMemory.open(path)
tell({ kind: 'ready', participant: memory.liveness.self })
// The parent says one thing: begin.
process.once('message', () => {
  if (sender === undefined) tell({ kind: 'received', sums: receive(memory, shape) })
  else send(memory, shape, sender, (n) => integerOf(sender, n))
  process.disconnect()
})
