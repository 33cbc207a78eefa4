/**
 * A group of a ring beside `WorkRing`, which shares its items as well: one writer, and 1 or 2 members, or threads that pop, items of
 * 8 bytes and of 256, one by one or in batches.
 *
 *   npm run build && npx tsx test/bench/ring-groups.ts [--json] [--rounds N]
 *
 * Every round has a ring of its own, and ends with the end of the stream; each item must have come once. Contenders take turns.
 */

import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { Ring, SharedMemory, WorkRing } from '../../core/index.ts'
import { describeMachine, median, short, table, thisMachine } from './machine.ts'
import { roundsAsked } from './rounds.ts'

const contenders = ['Ring', 'WorkRing'] as const
type Contender = (typeof contenders)[number]

const CAPACITY = 1024
const WARM_UP = 5
/** About this long is one round. */
const ROUND_MS = 20

interface Shape {
  readonly itemBytes: number
  readonly batch: number
  readonly members: number
}

const shapes: readonly Shape[] = [8, 256].flatMap((itemBytes) =>
  [1, 32].flatMap((batch) => [1, 2].map((members) => ({ itemBytes, batch, members }))),
)

interface Span {
  readonly begun: number
  readonly ended: number
  readonly count: number
  readonly sum: number
}

interface Crew {
  /** Moves so many items and says how many seconds it took, until the last member has seen the end. */
  round(items: number): Promise<number>
  end(): void
}

async function crewOf(contender: Contender, { itemBytes, batch, members }: Shape): Promise<Crew> {
  const options = { capacity: CAPACITY, itemBytes }
  const words = contender === 'Ring' ? Ring.words({ ...options, groups: 1, members }) : WorkRing.words(options)
  const memory = new SharedMemory(words)
  const spins = members + 1 <= availableParallelism() ? undefined : 0
  const start = (role: string): Worker => {
    const data = { contender, role, buffer: memory.buffer, batch, spins }
    return new Worker(new URL('ring-groups-worker.mjs', import.meta.url), { workerData: data, execArgv: [] })
  }
  const workers = ['writer', ...Array.from({ length: members }, () => 'member')].map(start)
  const inboxes = workers.map(inboxOf)
  await Promise.all(inboxes.map((next) => next()))

  async function round(items: number): Promise<number> {
    if (contender === 'Ring') Ring.create(memory, { ...options, groups: 1, members })
    else WorkRing.create(memory, options)
    // The members first: they have nothing to do before the writer begins.
    for (const i of [...workers.keys()].slice(1)) {
      workers[i].postMessage({ itemBytes, items })
      await inboxes[i]()
    }
    workers[0].postMessage({ itemBytes, items })
    await inboxes[0]()
    const [written, ...got] = (await Promise.all(inboxes.map((next) => next()))) as readonly Span[]
    const [count, sum] = got.reduce(([n, total], part) => [n + part.count, total + part.sum], [0, 0])
    if (count !== written.count || sum !== written.sum) throw new Error(`${contender}: ${count} of ${written.count} items came`)
    return Math.max(...[written, ...got].map(({ ended }) => ended)) - written.begun
  }
  return {
    round,
    end: () => {
      for (const worker of workers) void worker.terminate()
    },
  }
}

/** The worker's messages, one by one. */
function inboxOf(worker: Worker): () => Promise<unknown> {
  const waiting: { resolve: (said: unknown) => void; reject: (error: Error) => void }[] = []
  const said: unknown[] = []
  worker.on('message', (message: unknown) => {
    const first = waiting.shift()
    if (first === undefined) said.push(message)
    else first.resolve(message)
  })
  worker.on('error', (error: Error) => {
    for (const { reject } of waiting.splice(0)) reject(error)
  })
  return () =>
    said.length > 0 ? Promise.resolve(said.shift()) : new Promise((resolve, reject) => waiting.push({ resolve, reject }))
}

async function measure(shape: Shape, rounds: number): Promise<readonly number[]> {
  const crews = await Promise.all(contenders.map((contender) => crewOf(contender, shape)))
  const items = contenders.map(() => 16 * shape.batch)
  const rates: number[][] = contenders.map(() => [])
  for (let round = 0; round < WARM_UP + rounds; round++) {
    for (const [i, crew] of crews.entries()) {
      const rate = items[i] / (await crew.round(items[i]))
      if (round >= WARM_UP) rates[i].push(rate)
      // Growing, so that a slow beginning does not last.
      else items[i] = Math.max(1, Math.round(Math.min(8 * items[i], (rate * ROUND_MS) / 1000) / shape.batch)) * shape.batch
    }
  }
  for (const crew of crews) crew.end()
  return rates.map(median)
}

async function main(): Promise<void> {
  const asked = roundsAsked(15)
  if (asked === undefined) return
  const { json, rounds } = asked
  const machine = thisMachine()
  const results = []
  for (const shape of shapes) results.push({ ...shape, itemsPerSecond: await measure(shape, rounds) })
  if (json) {
    console.log(JSON.stringify({ machine, rounds, contenders, results }, undefined, 2))
    return
  }
  console.log(describeMachine(machine))
  console.log(`items a second from one writer to those that share them, median of ${rounds} rounds`)
  const rows = results.map(({ itemBytes, batch, members, itemsPerSecond: [group, work] }) => [
    `${itemBytes} B, ${batch === 1 ? 'single' : `by ${batch}`}, ${members} ${members === 1 ? 'member' : 'members'}`,
    short(group),
    short(work),
    (group / work).toFixed(2),
  ])
  console.log(table(['items', 'a group of a Ring', 'WorkRing', 'ratio'], rows))
}

await main()
