/** A process of the demonstration: the one that publishes prices, or one of those that follow them. Its parent is `demo.ts`. */
import { LossyRing } from '../../core/lossy-ring.ts'
import { MappedMemory } from '../../core/node-index.ts'

/** How a reader follows: as fast as it can, with a rest now and then, or from time to time the newest price only. */
export type Following = 'fast' | 'slow' | 'newest'

/** What a process is started with, as the JSON of its one argument. */
export interface Task {
  readonly path: string
  readonly prices: number
  /** How a reader follows. The writer does not. */
  readonly follows?: Following
}

/** What became of the prices, and in how many seconds. Those of the writer are all received. */
export interface Done {
  readonly received: number
  readonly lost: number
  readonly skipped: number
  readonly seconds: number
}

/** What a process tells its parent: that it can begin; and what it did. */
export type News = 'ready' | Done

// Ctrl-C is for the parent, which then ends us.
process.on('SIGINT', () => {})

const { path, prices, follows }: Task = JSON.parse(process.argv[2])
const memory = MappedMemory.open(path)
const ring = LossyRing.attach(memory)

/** A price: its number, the bid, the ask, and what they add up to. */
const price = new Float64Array(ring.itemBytes / 8)
const bytes = new Uint8Array(price.buffer)

const bidOf = (n: number): number => 100 + (n % 997) / 100
const spreadOf = (n: number): number => 0.01 + (n % 13) / 100

function publish(): Done {
  const sink = ring.sink()
  const start = performance.now()
  for (let n = 0; n < prices; n++) {
    const bid = bidOf(n)
    const ask = bid + spreadOf(n)
    price[0] = n
    price[1] = bid
    price[2] = ask
    price[3] = n + bid + ask
    sink.push(bytes)
  }
  const seconds = (performance.now() - start) / 1000
  sink.close()
  return { received: prices, lost: 0, skipped: 0, seconds }
}

/** Before the first price is published: so that all of them count. */
const source = follows === undefined ? undefined : ring.source()

const nobody = new Int32Array(new SharedArrayBuffer(4))
const rest = (ms: number): unknown => Atomics.wait(nobody, 0, 0, ms)

function follow(from: NonNullable<typeof source>): Done {
  const start = performance.now()
  let received = 0
  let skipped = 0
  while (from.pop(bytes)) {
    const [n, bid, ask, sum] = price as unknown as [number, number, number, number]
    const isWhole = bid === bidOf(n) && ask === bid + spreadOf(n) && sum === n + bid + ask
    if (!isWhole || n !== from.position - 1) throw new Error(`price ${from.position - 1} is not what was published`)
    received++
    if (follows === 'slow' && received % 256 === 0) rest(1)
    if (follows === 'newest') {
      rest(1)
      skipped += from.skip()
    }
  }
  if (from.end() !== 'closed') throw new Error(`the writer died after ${from.position} prices`)
  return { received, lost: from.lost, skipped, seconds: (performance.now() - start) / 1000 }
}

process.once('message', () => {
  const news = source === undefined ? publish() : follow(source)
  process.send?.(news, () => process.disconnect())
})
process.send?.('ready' satisfies News)
