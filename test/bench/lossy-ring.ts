/**
 * How many items a second a writer pushes into a lossy ring, and how many each of its readers gets, for 0, 1 and 3 readers, each
 * in a thread of its own; and what a push and a pop cost where one thread does both, beside the ring that loses nothing.
 *
 *   npm run build && npx tsx test/bench/lossy-ring.ts [--json] [--rounds N]
 *
 * With more threads than processors the readers get what their share of the time allows, and the writer loses speed only to
 * them running at all: it never waits for one.
 */

import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { LossyRing, Ring, SharedMemory } from '../../core/index.ts'
import { describeMachine, median, short, table, thisMachine } from './machine.ts'
import { message } from './worker.ts'

const CAPACITY = 2048
const BATCH = 64
const ROUND_MS = 40
const shapes = [
  { itemBytes: 8, batch: 1 },
  { itemBytes: 8, batch: BATCH },
  { itemBytes: 256, batch: 1 },
  { itemBytes: 256, batch: BATCH },
] as const
const readerCounts = [0, 1, 3] as const

interface Said {
  readonly items: number
  readonly lost?: number
  readonly milliseconds: number
}

interface Measured {
  readonly itemBytes: number
  readonly batch: number
  readonly readers: number
  readonly pushed: number
  /** By each reader. */
  readonly received: number
  /** Of what was pushed, by each reader. */
  readonly lost: number
}

async function between(itemBytes: number, batch: number, readers: number, rounds: number): Promise<Measured> {
  const options = { capacity: CAPACITY, itemBytes }
  const { buffer } = new SharedMemory(LossyRing.words(options))
  LossyRing.create(new SharedMemory(buffer), options)
  const roles = ['writer', ...Array.from({ length: readers }, () => 'reader')]
  const workers = roles.map(
    (role) =>
      new Worker(new URL('lossy-ring-worker.mjs', import.meta.url), {
        workerData: { buffer, role, batch, itemBytes },
        execArgv: [],
      }),
  )
  await Promise.all(workers.map(message))
  const perSecond = ({ items, milliseconds }: Said): number => (1000 * items) / milliseconds
  const pushed: number[] = []
  const received: number[] = []
  const lost: number[] = []
  for (let round = 0; round < rounds + 3; round++) {
    const answers = workers.map(message)
    for (const worker of workers) worker.postMessage(ROUND_MS)
    const [writer, ...others] = (await Promise.all(answers)) as [Said, ...Said[]]
    // The first rounds are for warming up.
    if (round < 3) continue
    pushed.push(perSecond(writer))
    for (const reader of others) {
      received.push(perSecond(reader))
      lost.push((reader.lost ?? 0) / Math.max(1, reader.items + (reader.lost ?? 0)))
    }
  }
  await Promise.all(workers.map((worker) => worker.terminate()))
  const middle = (values: readonly number[]): number => (values.length === 0 ? Number.NaN : median(values))
  return { itemBytes, batch, readers, pushed: middle(pushed), received: middle(received), lost: middle(lost) }
}

/** Nanoseconds of processor time for one item pushed and popped by one thread, so many at a time: fastest of some rounds. */
function alone(itemBytes: number, batch: number, rounds: number): readonly [number, number] {
  const options = { capacity: CAPACITY, itemBytes }
  const lossy = LossyRing.create(new SharedMemory(LossyRing.words(options)), options)
  const [lossySink, lossySource] = [lossy.sink(), lossy.source()]
  const strict = Ring.create(new SharedMemory(Ring.words(options)), options)
  const [sink, source] = [strict.sink(), strict.source()]
  const bytes = new Uint8Array(itemBytes * batch)
  const calls = BATCH / batch
  const loops = [
    () => {
      for (let i = 0; i < calls; i++) batch === 1 ? lossySink.push(bytes) : lossySink.pushBatch(bytes)
      for (let i = 0; i < calls; i++) batch === 1 ? lossySource.tryPop(bytes) : lossySource.tryPopBatch(bytes)
    },
    () => {
      for (let i = 0; i < calls; i++) batch === 1 ? sink.tryPush(bytes) : sink.tryPushBatch(bytes)
      for (let i = 0; i < calls; i++) batch === 1 ? source.tryPop(bytes) : source.tryPopBatch(bytes)
    },
  ]
  const best = [Infinity, Infinity]
  for (let round = 0; round < rounds + 3; round++) {
    for (const [which, loop] of loops.entries()) {
      const times = 2000
      const { user, system } = process.cpuUsage()
      for (let i = 0; i < times; i++) loop()
      const after = process.cpuUsage()
      const nanoseconds = (1000 * (after.user - user + after.system - system)) / (times * BATCH)
      best[which] = Math.min(best[which] as number, nanoseconds)
    }
  }
  return best as [number, number]
}

const { values } = parseArgs({
  options: { json: { type: 'boolean', default: false }, rounds: { type: 'string', default: '15' } },
})
const rounds = Number(values.rounds)
if (!(Number.isInteger(rounds) && rounds > 0)) throw new RangeError('--rounds must be a positive integer')

const machine = thisMachine()
const costs = shapes.map(({ itemBytes, batch }) => {
  const [lossy, ring] = alone(itemBytes, batch, rounds)
  return { itemBytes, batch, lossy, ring }
})
const rates: Measured[] = []
for (const { itemBytes, batch } of shapes) {
  for (const readers of readerCounts) rates.push(await between(itemBytes, batch, readers, rounds))
}

if (values.json) console.log(JSON.stringify({ machine, costs, rates }))
else {
  console.log(`${describeMachine(machine)}\n`)
  console.log(
    table(
      ['one thread pushes and pops', 'lossy ring, ns an item', 'ring, ns an item'],
      costs.map(({ itemBytes, batch, lossy, ring }) => [
        `${itemBytes} bytes, ${batch} at a time`,
        lossy.toFixed(1),
        ring.toFixed(1),
      ]),
    ),
  )
  console.log()
  console.log(
    table(
      ['threads', 'readers', 'pushed/s', 'received/s by each', 'lost'],
      rates.map(({ itemBytes, batch, readers, pushed, received, lost }) => [
        `${itemBytes} bytes, ${batch} at a time`,
        String(readers),
        short(pushed),
        readers === 0 ? '' : short(received),
        readers === 0 ? '' : `${(100 * lost).toFixed(0)} %`,
      ]),
    ),
  )
}
