/** A process of the demonstration: a producer, or the consumer. Its parent is `demo.ts`. */
import { MappedMemory, openQueue } from '../../core/node-index.ts'

/** What a process is started with, as the JSON of its one argument. */
export interface Task {
  readonly path: string
  /** A mapped file in which consumers note, for each producer, how many of its items have come. */
  readonly progressPath: string
  readonly items: number
  /** The number of a producer. The consumer has none. */
  readonly producer?: number
}

/** What was wrong with the order, as the consumer tells its parent. */
export interface News {
  readonly wrong: string
}

// Ctrl-C is for the parent, which then ends us.
process.on('SIGINT', () => {})

const { path, progressPath, items, producer }: Task = JSON.parse(process.argv[2])
const queue = openQueue(path, { mode: 'existing' })
if (producer === undefined) consume()
else produce(producer)
queue.close()
process.disconnect()

/** An item says whose it is, and which. */
function produce(self: number): void {
  const end = queue.producer()
  for (let n = 0; n < items; n++) end.send(new Uint8Array(Int32Array.of(self, n).buffer))
}

function consume(): void {
  using progress = MappedMemory.open(progressPath)
  const end = queue.consumer()
  let isFirst = true
  for (let received = end.receive(); received !== undefined; received = end.receive()) {
    const [from, n] = new Int32Array(received.item.slice().buffer)
    const expected = progress.load(from)
    // Who takes over from a dead consumer may get again what that one had noted and not acknowledged: one item.
    if (n !== expected && !(isFirst && n === expected - 1)) {
      process.send?.({ wrong: `item ${n} of producer ${from} came in the place of item ${expected}` } satisfies News)
    }
    progress.store(from, n + 1)
    isFirst = false
  }
}
