/**
 * What a lock costs: nobody else wants it, and two worker threads want it all the time. Our mutex beside two plain ones that
 * people write on `Atomics`: one that spins, and one of two states that sleeps, and wakes somebody at every unlock (as the
 * packages on npm do it; none of them is kept up).
 *
 *   npm run build && npx tsx test/bench/locks.ts [--json] [--rounds N]
 *
 * Under the lock each thread adds one to a plain word, and after each round the sum is checked. With "work between" a thread
 * counts to 200 before it locks again. The contenders take turns; each keeps its two threads for all rounds.
 */

import { Worker } from 'node:worker_threads'
import { Mutex, SharedMemory } from '../../core/index.ts'
import { describeMachine, median, short, table, thisMachine } from './machine.ts'
import { roundsAsked } from './rounds.ts'
import { message } from './worker.ts'

const contenders = ['heddle', 'heddle, no spins', 'plain, spins', 'plain, sleeps'] as const
type Contender = (typeof contenders)[number]

const WARM_UP = 5
/** About this long is one round. */
const ROUND_MS = 20

interface Configuration {
  readonly name: string
  readonly threads: 1 | 2
  /** How far a thread counts between two locks. */
  readonly between: number
}

const configurations: readonly Configuration[] = [
  { name: 'alone', threads: 1, between: 0 },
  { name: 'two threads', threads: 2, between: 0 },
  { name: 'two threads, work between', threads: 2, between: 200 },
]

interface Round {
  readonly seconds: number
  /** Seconds of processor time of all threads. */
  readonly processor: number
}

/** Threads that lock, add one and unlock so many times in each round. */
async function crew(contender: Contender, { threads, between }: Configuration) {
  const memory = new SharedMemory(Mutex.words() + 64)
  Mutex.create(memory)
  const sum = Mutex.words()
  const workers = Array.from(
    { length: threads },
    () =>
      new Worker(new URL('locks-worker.mjs', import.meta.url), {
        workerData: { contender, buffer: memory.buffer, sum, meeting: sum + 32, threads, between },
        execArgv: [],
      }),
  )
  await Promise.all(workers.map(message))
  let expected = 0
  return {
    async round(times: number): Promise<Round> {
      const before = process.cpuUsage()
      const spans = Promise.all(workers.map(message))
      for (const worker of workers) worker.postMessage(times)
      const all = (await spans) as readonly { readonly from: bigint; readonly to: bigint }[]
      const { user, system } = process.cpuUsage(before)
      expected += threads * times
      if (memory.read(sum) !== expected) throw new Error(`${contender}: expected ${expected}, found ${memory.read(sum)}`)
      const [from, to] = [all.map((span) => span.from), all.map((span) => span.to)]
      const last = to.reduce((a, b) => (a > b ? a : b))
      const first = from.reduce((a, b) => (a < b ? a : b))
      return { seconds: Number(last - first) / 1e9, processor: (user + system) / 1e6 }
    },
    end: () => Promise.all(workers.map((worker) => worker.terminate())),
  }
}

interface Measured {
  readonly configuration: string
  readonly contender: Contender
  /** From lock to lock, all threads together, by median. */
  readonly nanoseconds: number
  readonly processorNanoseconds: number
  readonly slowest: number
  readonly fastest: number
}

async function measure(configuration: Configuration, rounds: number): Promise<readonly Measured[]> {
  const { threads, name } = configuration
  const crews = new Map<Contender, Awaited<ReturnType<typeof crew>>>()
  const times = new Map<Contender, number>()
  const found = new Map<Contender, { readonly wall: number; readonly processor: number }[]>()
  for (const contender of contenders) {
    crews.set(contender, await crew(contender, configuration))
    times.set(contender, 1000)
    found.set(contender, [])
  }
  for (let round = 0; round < WARM_UP + rounds; round++) {
    for (const [contender, { round: run }] of crews) {
      const count = times.get(contender) as number
      const { seconds, processor } = await run(count)
      const locks = count * threads
      if (round < WARM_UP) times.set(contender, Math.min(200_000, Math.max(100, Math.round((count * ROUND_MS) / 1000 / seconds))))
      else found.get(contender)?.push({ wall: (seconds / locks) * 1e9, processor: (processor / locks) * 1e9 })
    }
  }
  for (const { end } of crews.values()) await end()
  return contenders.map((contender) => {
    const all = found.get(contender) as { readonly wall: number; readonly processor: number }[]
    const walls = all.map(({ wall }) => wall)
    return {
      configuration: name,
      contender,
      nanoseconds: median(walls),
      processorNanoseconds: median(all.map(({ processor }) => processor)),
      slowest: Math.max(...walls),
      fastest: Math.min(...walls),
    }
  })
}

async function main(): Promise<void> {
  const asked = roundsAsked(31)
  if (asked === undefined) return
  const { json, rounds } = asked
  const machine = thisMachine()
  const results: Measured[] = []
  for (const configuration of configurations) results.push(...(await measure(configuration, rounds)))
  if (json) {
    console.log(JSON.stringify({ machine, rounds, results }, undefined, 2))
    return
  }
  console.log(describeMachine(machine))
  console.log(`nanoseconds from lock to lock, all threads together, median of ${rounds} rounds; and of processor time`)
  const head = ['lock', 'by', 'ns a lock', 'fastest', 'slowest', 'processor ns']
  const rows = results.map((one) => [
    one.contender,
    one.configuration,
    short(one.nanoseconds),
    short(one.fastest),
    short(one.slowest),
    short(one.processorNanoseconds),
  ])
  console.log(table(head, rows))
}

await main()
