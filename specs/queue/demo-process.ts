/** A process of the demonstration: a producer, or the consumer. Its parent is `demo.ts`. */
import { openQueue } from '../../core/node-index.ts'

/** What a process is started with, as the JSON of its one argument. */
export interface Task {
  readonly path: string
  readonly producers: number
  readonly items: number
  /** The number of a producer. The consumer has none. */
  readonly producer?: number
}

/** What the consumer tells its parent, now and then and at the end. */
export interface News {
  /** For each producer, which item comes next. */
  readonly next: readonly number[]
  /** What was wrong with the order, if anything. */
  readonly wrong?: string
  readonly ended: boolean
}

// Ctrl-C is for the parent, which then ends us.
process.on('SIGINT', () => {})

const { path, producers, items, producer }: Task = JSON.parse(process.argv[2])
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
  const next: (number | undefined)[] = Array(producers).fill(undefined)
  const tell = (ended: boolean, wrong?: string): void => {
    process.send?.({ next: next.map((n) => n ?? 0), ended, ...(wrong === undefined ? {} : { wrong }) } satisfies News)
  }
  const end = queue.consumer()
  let count = 0
  for (let received = end.receive(); received !== undefined; received = end.receive()) {
    const [from, n] = new Int32Array(received.item.slice().buffer)
    // Whoever takes over from a dead consumer goes on where that one was.
    const expected = next[from] ?? n
    if (n !== expected) tell(false, `item ${n} of producer ${from} came in the place of item ${expected}`)
    next[from] = n + 1
    if (++count % 10_000 === 0) tell(false)
  }
  tell(true)
}
