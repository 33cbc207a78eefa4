/**
 * How many items a second go from one worker thread to another: through our ring, through `ringbuf.js`, and by
 * `postMessage`, in turns within one run.
 *
 *   npm run build && npx tsx test/bench/ring.ts [--json] [--rounds N]
 *
 * Every item carries its number, and the receiving thread checks it. Each contender keeps its two threads for all rounds;
 * the first twenty rounds are for warming up. `heddle` and `ringbuf.js` try again and again (two processors must be free);
 * `heddle, waiting` sleeps where it has to, and `heddle, WebAssembly` does so on a `WebAssembly.Memory`.
 */

import { MessageChannel, Worker } from 'node:worker_threads'
import { RingBuffer } from 'ringbuf.js'
import { Ring, SharedMemory } from '../../core/index.ts'
import { newWasmMemory } from '../../core/wasm-words.ts'
import { describeMachine, median, short, table, thisMachine } from './machine.ts'
import { roundsAsked } from './rounds.ts'
import { message } from './worker.ts'

const contenders = ['heddle', 'heddle, waiting', 'heddle, WebAssembly', 'ringbuf.js', 'postMessage'] as const
type Contender = (typeof contenders)[number]

const CAPACITY = 1024
const WARM_UP = 20
/**
 * About this long is one round of one contender, once it is warm: short and many, so that on a shared machine most rounds
 * go by without a thread losing its processor.
 */
const ROUND_MS = 5

interface Configuration {
  readonly itemBytes: number
  readonly batch: number
}

const configurations: readonly Configuration[] = [
  { itemBytes: 8, batch: 1 },
  { itemBytes: 8, batch: 64 },
  { itemBytes: 8, batch: 256 },
  { itemBytes: 64, batch: 1 },
  { itemBytes: 64, batch: 64 },
]

interface Pair {
  /** Moves so many items and says how many seconds it took, from the first push to the last pop. */
  round(items: number): Promise<number>
  end(): Promise<void>
}

/** What both threads stand on: a buffer, or a `WebAssembly.Memory`. */
function sharedSource(contender: Contender, itemBytes: number): unknown {
  if (contender === 'postMessage') return undefined
  if (contender === 'ringbuf.js') return RingBuffer.getStorageForCapacity((CAPACITY * itemBytes) / 8, Float64Array)
  const options = { capacity: CAPACITY, itemBytes }
  const words = Ring.words(options)
  const source = contender === 'heddle, WebAssembly' ? newWasmMemory(4 * words) : new SharedArrayBuffer(4 * words)
  Ring.create(new SharedMemory(source as SharedArrayBuffer), options)
  return source
}

async function pair(contender: Contender, { itemBytes, batch }: Configuration): Promise<Pair> {
  const shared = sharedSource(contender, itemBytes)
  const { port1, port2 } = new MessageChannel()
  const start = (role: string, port: typeof port1): Worker =>
    new Worker(new URL('ring-worker.mjs', import.meta.url), {
      workerData: { contender, role, shared, port, itemBytes, batch, spins: 2000 },
      transferList: [port],
      // The worker is plain JavaScript: whatever loads TypeScript here is not needed there.
      execArgv: [],
    })
  const producer = start('producer', port1)
  const consumer = start('consumer', port2)
  await Promise.all([message(producer), message(consumer)])

  async function round(items: number): Promise<number> {
    consumer.postMessage(items)
    await message(consumer)
    const received = message(consumer)
    producer.postMessage(items)
    const [from, to] = (await Promise.all([message(producer), received])) as readonly { readonly at: bigint }[]
    return Number(to.at - from.at) / 1e9
  }

  return {
    round,
    end: async () => {
      await Promise.all([producer.terminate(), consumer.terminate()])
    },
  }
}

interface Measured extends Configuration {
  readonly contender: Contender
  readonly itemsPerSecond: number
  readonly slowest: number
  readonly fastest: number
  /** How many times as many items as the peers of the same run, by medians. */
  readonly toRingbuf: number
  readonly toPostMessage: number
}

async function measure(configuration: Configuration, rounds: number): Promise<readonly Measured[]> {
  const pairs = new Map<Contender, Pair>()
  const items = new Map<Contender, number>()
  const rates = new Map<Contender, number[]>()
  for (const contender of contenders) {
    pairs.set(contender, await pair(contender, configuration))
    items.set(contender, 6400)
    rates.set(contender, [])
  }
  for (let round = 0; round < WARM_UP + rounds; round++) {
    for (const [contender, { round: run }] of pairs) {
      const count = items.get(contender) as number
      const rate = count / (await run(count))
      if (round < WARM_UP)
        items.set(contender, Math.max(1, Math.round((rate * ROUND_MS) / 1000 / configuration.batch)) * configuration.batch)
      else rates.get(contender)?.push(rate)
    }
  }
  for (const { end } of pairs.values()) await end()

  const peer = (contender: Contender): number => median(rates.get(contender) as number[])
  return contenders.map((contender) => {
    const all = rates.get(contender) as number[]
    return {
      ...configuration,
      contender,
      itemsPerSecond: median(all),
      slowest: Math.min(...all),
      fastest: Math.max(...all),
      toRingbuf: median(all) / peer('ringbuf.js'),
      toPostMessage: median(all) / peer('postMessage'),
    }
  })
}

async function main(): Promise<void> {
  const asked = roundsAsked(49)
  if (asked === undefined) return
  const { json, rounds } = asked
  const machine = thisMachine()
  const results: Measured[] = []
  for (const configuration of configurations) results.push(...(await measure(configuration, rounds)))

  if (json) {
    console.log(JSON.stringify({ machine, rounds, capacity: CAPACITY, results }, undefined, 2))
    return
  }
  console.log(describeMachine(machine))
  if (machine.processors - machine.load < 1.5) {
    console.log('the machine was busy: contenders that spin lose time slices of many milliseconds, so believe the waiting one')
  }
  console.log(`items a second from one worker to another, median of ${rounds} rounds; rings of ${CAPACITY} items`)
  const rows = results.map(({ itemBytes, batch, contender, itemsPerSecond, slowest, fastest, ...to }) => [
    `${itemBytes} B, ${batch === 1 ? 'one by one' : `${batch} at a time`}`,
    contender,
    short(itemsPerSecond),
    short(slowest),
    short(fastest),
    to.toRingbuf.toFixed(2),
    to.toPostMessage.toFixed(2),
  ])
  console.log(table(['items', 'through', 'items/s', 'slowest', 'fastest', 'to ringbuf.js', 'to postMessage'], rows))
}

await main()
