/**
 * What the ways to wait cost and give, on two worker threads and a ring: how long an item takes there and back, how many items a
 * second go through, and, where an item comes every few milliseconds only, when it is seen, what its push costs the writer, and how
 * busy the processors are meanwhile.
 *
 *   npm run build && npx tsx test/bench/waiting.ts [--json] [--rounds N]
 *
 * Both ends wait in the same way; all ways take turns within one run. Who spins needs a processor of its own: two must be free.
 */

import { Worker } from 'node:worker_threads'
import { Ring, SharedMemory, type WaitOptions } from '../../core/index.ts'
import { describeMachine, median, short, table, thisMachine } from './machine.ts'
import { roundsAsked } from './rounds.ts'
import { message } from './worker.ts'

const ways: Readonly<Record<string, WaitOptions>> = {
  park: {},
  'park at once': { spins: 0 },
  yield: { wait: 'yield' },
  spin: { wait: 'spin' },
}

const shape = { capacity: 1024, itemBytes: 8 }
const roundTrips = 2000
const streamed = 200_000
const rare = 100
/** Between two rare items. */
const pauseMs = 3

interface Round {
  readonly roundTrip: number
  readonly roundTripLate: number
  readonly itemsPerSecond: number
  readonly seen: number
  readonly seenLate: number
  readonly push: number
  readonly busy: number
}

/** The value that so many of a hundred do not exceed. */
function percentile(values: ArrayLike<number>, percent: number): number {
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))]
}

interface Took {
  readonly took: Float64Array
}
interface Span {
  readonly start: number
  readonly end: number
}

class Pair {
  private readonly workers: readonly Worker[]

  constructor(waiting: WaitOptions) {
    const memory = new SharedMemory(2 * Ring.words(shape))
    for (const at of [0, Ring.words(shape)]) Ring.create(memory, shape, at)
    this.workers = ['first', 'second'].map(
      (role) =>
        new Worker(new URL('waiting-worker.mjs', import.meta.url), {
          workerData: { buffer: memory.buffer, role, waiting, pauseMs },
          execArgv: [],
        }),
    )
  }

  ready(): Promise<unknown> {
    return Promise.all(this.workers.map(message))
  }

  private async both<T>(task: string, count: number): Promise<readonly [T, T]> {
    const answers = Promise.all(this.workers.map(message))
    for (const worker of this.workers) worker.postMessage({ task, count })
    return (await answers) as [T, T]
  }

  async round(): Promise<Round> {
    const [{ took }] = await this.both<Took>('roundTrips', roundTrips)
    const [first, second] = await this.both<Span>('stream', streamed)
    const [before, start] = [process.cpuUsage(), performance.now()]
    const [writer, reader] = await this.both<Took>('rare', rare)
    const { user, system } = process.cpuUsage(before)
    return {
      roundTrip: percentile(took, 50) / 1000,
      roundTripLate: percentile(took, 99) / 1000,
      itemsPerSecond: streamed / ((second.end - Math.min(first.start, second.start)) / 1e9),
      seen: percentile(reader.took, 50) / 1000,
      seenLate: percentile(reader.took, 99) / 1000,
      push: percentile(writer.took, 50) / 1000,
      busy: (user + system) / 1000 / (performance.now() - start),
    }
  }

  end(): Promise<unknown> {
    return Promise.all(this.workers.map((worker) => worker.terminate()))
  }
}

async function main(): Promise<void> {
  const asked = roundsAsked(9)
  if (asked === undefined) return
  const { json, rounds } = asked
  const machine = thisMachine()
  const measured = new Map<string, Round[]>()
  for (let round = 0; round < rounds; round++) {
    for (const [way, waiting] of Object.entries(ways)) {
      // Those of the others would spin meanwhile, or wake up: each pair is alone.
      const pair = new Pair(waiting)
      await pair.ready()
      await pair.round() // To warm up.
      const result = await pair.round()
      await pair.end()
      measured.set(way, [...(measured.get(way) ?? []), result])
    }
  }
  const results = [...measured].map(([way, all]) => {
    const of = (key: keyof Round) => median(all.map((round) => round[key]))
    return {
      way,
      roundTrip: of('roundTrip'),
      roundTripLate: of('roundTripLate'),
      itemsPerSecond: of('itemsPerSecond'),
      seen: of('seen'),
      seenLate: of('seenLate'),
      push: of('push'),
      busy: of('busy'),
    }
  })
  if (json) {
    console.log(JSON.stringify({ machine, rounds, results }))
    return
  }
  console.log(`${describeMachine(machine)}, medians of ${rounds} rounds`)
  console.log(
    `Times in us; late: 99 of 100 are earlier. Rare: an item every ${pauseMs} ms. Busy: processors, both threads together.\n`,
  )
  console.log(
    table(
      ['', 'there and back', 'late', 'items/s', 'rare: seen', 'late', 'push', 'busy'],
      results.map((one) => [
        one.way,
        ...[one.roundTrip, one.roundTripLate, one.itemsPerSecond, one.seen, one.seenLate, one.push, one.busy].map(short),
      ]),
    ),
  )
}

await main()
