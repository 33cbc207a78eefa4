/**
 * How many records a second go from one or two worker threads to another: through our record ring, by ones and 64 at a time; where
 * only one thread sends, through our ring of items of one size, and through `ringbuf.js`; and by `postMessage`.
 *
 *   npm run build && npx tsx test/bench/record-ring.ts [--json] [--rounds N]
 *
 * All contenders take turns within one run, each with threads of its own. Every record carries its number, and the receiving
 * thread checks it. Everybody tries again and again: with two that send, three processors must be free.
 */

import { MessageChannel, Worker } from 'node:worker_threads'
import { RingBuffer } from 'ringbuf.js'
import { RecordRing, Ring, SharedMemory } from '../../core/index.ts'
import { describeMachine, median, short, table, thisMachine } from './machine.ts'
import { roundsAsked } from './rounds.ts'
import { message } from './worker.ts'

const contenders = ['record ring', 'record ring, 64 at a time', 'ring', 'ringbuf.js', 'postMessage'] as const
type Contender = (typeof contenders)[number]

const CAPACITY = 1024
const BATCH = 64
const WARM_UP = 10
/** About this long is one round of one contender, once it is warm. */
const ROUND_MS = 5

interface Configuration {
  readonly bytes: number
  readonly senders: number
}

const configurations: readonly Configuration[] = [8, 64, 4096].flatMap((bytes) => [1, 2].map((senders) => ({ bytes, senders })))

/** Whether as many threads can send through it. */
const takes = (contender: Contender, senders: number): boolean => senders === 1 || !['ring', 'ringbuf.js'].includes(contender)

function sharedBuffer(contender: Contender, { bytes, senders }: Configuration): SharedArrayBuffer | undefined {
  if (contender === 'postMessage') return undefined
  if (contender === 'ringbuf.js') return RingBuffer.getStorageForCapacity((CAPACITY * bytes) / 8, Float64Array)
  if (contender === 'ring') {
    const options = { capacity: CAPACITY, itemBytes: bytes }
    const memory = new SharedMemory(Ring.words(options))
    Ring.create(memory, options)
    return memory.buffer
  }
  const options = { bytes: CAPACITY * Math.max(64, bytes), sinks: senders }
  const memory = new SharedMemory(RecordRing.words(options))
  RecordRing.create(memory, options)
  return memory.buffer
}

interface Crew {
  /** Moves so many records of each that sends and says how many seconds it took, from the first push to the last pop. */
  round(records: number): Promise<number>
  end(): Promise<unknown>
}

async function crew(contender: Contender, configuration: Configuration): Promise<Crew> {
  const { senders, bytes } = configuration
  const buffer = sharedBuffer(contender, configuration)
  const channels = Array.from({ length: senders }, () => new MessageChannel())
  const start = (role: string, number: number, ports: readonly MessageChannel['port1'][]): Worker =>
    new Worker(new URL('record-ring-worker.mjs', import.meta.url), {
      workerData: { contender, role, number, buffer, ports, bytes, senders, batch: contender.endsWith('time') ? BATCH : 1 },
      transferList: [...ports],
      execArgv: [],
    })
  const producers = channels.map(({ port1 }, number) => start('producer', number, [port1]))
  const consumer = start(
    'consumer',
    senders,
    channels.map(({ port2 }) => port2),
  )
  await Promise.all([...producers, consumer].map(message))
  return {
    async round(records) {
      consumer.postMessage(records)
      await message(consumer)
      const received = message(consumer)
      for (const producer of producers) producer.postMessage(records)
      const starts = await Promise.all(producers.map(message))
      const ats = (starts as readonly { readonly at: bigint }[]).map(({ at }) => at)
      const { at: last } = (await received) as { readonly at: bigint }
      return Number(last - ats.reduce((least, at) => (at < least ? at : least))) / 1e9
    },
    end: () => Promise.all([...producers, consumer].map((worker) => worker.terminate())),
  }
}

interface Measured extends Configuration {
  readonly contender: Contender
  readonly recordsPerSecond: number
  readonly slowest: number
  readonly fastest: number
  readonly toPostMessage: number
}

async function measure(configuration: Configuration, rounds: number): Promise<readonly Measured[]> {
  const crews = new Map<Contender, Crew>()
  const counts = new Map<Contender, number>()
  const rates = new Map<Contender, number[]>()
  for (const contender of contenders.filter((one) => takes(one, configuration.senders))) {
    crews.set(contender, await crew(contender, configuration))
    counts.set(contender, BATCH * 10)
    rates.set(contender, [])
  }
  for (let round = 0; round < WARM_UP + rounds; round++) {
    for (const [contender, { round: run }] of crews) {
      const count = counts.get(contender) as number
      const rate = (count * configuration.senders) / (await run(count))
      if (round >= WARM_UP) rates.get(contender)?.push(rate)
      else counts.set(contender, Math.max(1, Math.round((rate * ROUND_MS) / 1000 / configuration.senders / BATCH)) * BATCH)
    }
  }
  for (const { end } of crews.values()) await end()
  const peer = median(rates.get('postMessage') as number[])
  return [...rates].map(([contender, all]) => ({
    ...configuration,
    contender,
    recordsPerSecond: median(all),
    slowest: Math.min(...all),
    fastest: Math.max(...all),
    toPostMessage: median(all) / peer,
  }))
}

async function main(): Promise<void> {
  const asked = roundsAsked(29)
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
  console.log(`records a second to one worker, median of ${rounds} rounds; rings of ${CAPACITY} records`)
  const rows = results.map(({ bytes, senders, contender, recordsPerSecond, slowest, fastest, toPostMessage }) => [
    `${bytes} B from ${senders}`,
    contender,
    short(recordsPerSecond),
    short(slowest),
    short(fastest),
    toPostMessage.toFixed(2),
  ])
  console.log(table(['records', 'through', 'records/s', 'slowest', 'fastest', 'to postMessage'], rows))
}

await main()
