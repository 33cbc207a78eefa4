/**
 * The broadcast ring in the shapes in which Neobuffer measured its own: items of 1 byte, 256 bytes and 2 MiB, 8 or 2048 of them,
 * one writer and 1, 2 or 4 readers, one by one or in batches, between threads (on a buffer, and on a `WebAssembly.Memory`) and
 * between processes; beside `ringbuf.js` and `postMessage`. For large items also what memory allows: the same copies by as many
 * threads with no ring between them ("no ring": nobody waits), and the writer's alone ("memcpy"). "One thread" has all the ends
 * (on a `WebAssembly.Memory`), fills half the ring, and lets each reader drain it in turn: the ends' own work, and nothing for
 * processors that take lines from one another, or for waiting. So many times that as there are processors is what all threads
 * together can reach. "There and back" is what it takes until a word that one thread has changed was answered by the other: two
 * processors that share a cache take about 100 ns, others several times that, and all that two threads do together goes with it.
 *
 *   npm run build && npx tsx test/bench/ring-shapes.ts [--json] [--rounds N] [--only TEXT]
 *
 * `--only '256 B'` measures the shapes whose names have this text. Ends wait (`push`, `pop` and their batches). They spin first,
 * and give way to one another (`giveWay`). Every item carries its number, and every reader checks it. Contenders take turns; each
 * keeps its threads for all rounds. Files lie in `/dev/shm` where there is one.
 *
 * The figures of C++ are recorded ones of another machine (2 processors, Sapphire Rapids): for orientation.
 */

import { type ChildProcess, fork } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { MessageChannel, Worker } from 'node:worker_threads'
import { RingBuffer } from 'ringbuf.js'
import { Ring, SharedMemory } from '../../core/index.ts'
import { MappedMemory } from '../../core/node-index.ts'
import { describeMachine, median, short, table, thisMachine } from './machine.ts'

const contenders = [
  'threads',
  'WebAssembly',
  'processes',
  'one thread',
  'ringbuf.js',
  'postMessage',
  'no ring',
  'memcpy',
  'there and back',
] as const
type Contender = (typeof contenders)[number]

const MIB = 2 ** 20
const WARM_UP = 8
/** About this long is one round. */
const ROUND_MS = 10

interface Shape {
  readonly name: string
  readonly itemBytes: number
  readonly capacity: number
  readonly batch: number
  readonly readers: 1 | 2 | 4
  /** Readers look at items where they lie. */
  readonly inPlace: boolean
  /** Million items a second, or GB/s of large items, of C++: between threads, between processes. */
  readonly recorded?: readonly [number, number]
}

/** By bytes, capacity and readers; items one by one, and those of 2 MiB read whole. */
const recordedFigures: Readonly<Record<string, readonly [number, number]>> = {
  '1 8 1': [23.1, 19.9],
  '1 8 2': [2.4, 2.1],
  '1 8 4': [1.2, 1.0],
  '1 2048 1': [305, 196],
  '1 2048 2': [125, 97],
  '1 2048 4': [65, 50],
  '256 8 1': [18.4, 17.6],
  '256 2048 1': [41, 40],
  '256 2048 2': [24, 21],
  '256 2048 4': [15, 14],
  '2097152 8 1': [13.2, 10.0],
  '2097152 8 2': [7.7, 6.2],
  '2097152 8 4': [4.5, 3.6],
}

const readerCounts = [1, 2, 4] as const

function shapeOf(itemBytes: number, capacity: number, batch: number, readers: 1 | 2 | 4, inPlace: boolean): Shape {
  const size = itemBytes < MIB ? `${itemBytes} B` : `${itemBytes / MIB} MiB`
  const how = inPlace ? 'read in place' : itemBytes < MIB ? (batch === 1 ? 'single' : `by ${batch}`) : 'copied out'
  const recorded =
    batch === 1 && (itemBytes < MIB || inPlace) ? recordedFigures[`${itemBytes} ${capacity} ${readers}`] : undefined
  const name = `${size}, capacity ${capacity}, ${how}, ${readers} ${readers === 1 ? 'reader' : 'readers'}`
  return { name, itemBytes, capacity, batch, readers, inPlace, ...(recorded && { recorded }) }
}

const shapes: readonly Shape[] = [
  ...[1, 256].flatMap((itemBytes) =>
    [
      [8, 1],
      [8, 4],
      [2048, 1],
      [2048, 256],
    ].flatMap(([capacity, batch]) => readerCounts.map((readers) => shapeOf(itemBytes, capacity, batch, readers, false))),
  ),
  ...[false, true].flatMap((inPlace) => readerCounts.map((readers) => shapeOf(2 * MIB, 8, 1, readers, inPlace))),
]

/** What is measured of a shape: the peers have one reader, and copying alone is for items that are large. */
function takesPart(contender: Contender, { itemBytes, readers, inPlace }: Shape): boolean {
  if (contender === 'memcpy') return itemBytes >= MIB
  if (contender === 'one thread') return itemBytes < MIB
  if (contender === 'there and back') return readers === 1 && availableParallelism() > 1
  if (contender === 'no ring') return itemBytes >= MIB && readers < availableParallelism()
  return ['threads', 'WebAssembly', 'processes'].includes(contender) || (readers === 1 && !inPlace)
}

/** A thread, or a process, that moves so many items whenever it is told. */
interface End {
  post(items: number): void
  /** Its next message. */
  message(): Promise<unknown>
  end(): void
}

const script = new URL('ring-shapes-worker.mjs', import.meta.url)

function listening(emitter: Worker | ChildProcess): () => Promise<unknown> {
  const waiting: { resolve: (said: unknown) => void; reject: (error: Error) => void }[] = []
  const said: unknown[] = []
  emitter.on('message', (message: unknown) => {
    const first = waiting.shift()
    if (first === undefined) said.push(message)
    else first.resolve(message)
  })
  const fail = (error: Error): void => {
    for (const { reject } of waiting.splice(0)) reject(error)
  }
  emitter.on('error', fail)
  emitter.on('exit', () => fail(new Error('one end is gone')))
  return () =>
    said.length > 0 ? Promise.resolve(said.shift()) : new Promise((resolve, reject) => waiting.push({ resolve, reject }))
}

function startThread(data: Readonly<Record<string, unknown>>, ports: readonly unknown[]): End {
  const worker = new Worker(script, { workerData: { ...data, ports }, transferList: [...ports] as never, execArgv: [] })
  return { post: (items) => worker.postMessage(items), message: listening(worker), end: () => void worker.terminate() }
}

function startProcess(data: Readonly<Record<string, unknown>>): End {
  const child = fork(fileURLToPath(script), [JSON.stringify(data)], { execArgv: [] })
  return { post: (items) => void child.send(items), message: listening(child), end: () => void child.kill('SIGKILL') }
}

const { WebAssembly } = globalThis as unknown as {
  readonly WebAssembly: {
    readonly Memory: new (options: object) => { readonly buffer: SharedArrayBuffer; grow(n: number): number }
  }
}

/** The words that the ends share, with a ring in them. */
function shared(contender: Contender, { itemBytes, capacity, readers }: Shape, folder: string): unknown {
  const options = { capacity, itemBytes, readers }
  const words = Ring.words(options)
  if (contender === 'ringbuf.js') return RingBuffer.getStorageForCapacity(capacity * itemBytes, Uint8Array)
  if (contender === 'processes') {
    const path = join(mkdtempSync(join(folder, '-')), 'ring')
    const memory = MappedMemory.create(path, { words })
    Ring.create(memory, options)
    memory.close()
    return path
  }
  if (contender === 'memcpy' || contender === 'no ring') return new SharedArrayBuffer(8 * itemBytes)
  if (contender === 'there and back') return new SharedArrayBuffer(512)
  if (contender === 'postMessage') return undefined
  const pages = Math.ceil(words / 16384)
  const source = contender === 'threads' ? words : new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true })
  const memory = new SharedMemory(source)
  Ring.create(memory, options)
  return contender === 'threads' ? memory.buffer : source
}

interface Crew {
  /** Moves so many items and says how many seconds it took, until the last reader has the last one. */
  round(items: number): Promise<number>
  end(): void
}

async function crewOf(contender: Contender, shape: Shape, folder: string): Promise<Crew> {
  const { itemBytes, batch, readers, inPlace } = shape
  const data = { contender, source: shared(contender, shape, folder), itemBytes, batch, inPlace }
  const start = (reader: number | undefined, ports: readonly unknown[]): End => {
    const own = { ...data, ...(reader !== undefined && { reader }) }
    return contender === 'processes' ? startProcess(own) : startThread(own, ports)
  }
  const count = contender === 'memcpy' || contender === 'one thread' ? 0 : readers
  const channels = Array.from({ length: contender === 'postMessage' ? count : 0 }, () => new MessageChannel())
  const sources = Array.from({ length: count }, (_, reader) =>
    start(
      reader,
      channels.slice(reader, reader + 1).map(({ port1 }) => port1),
    ),
  )
  const sink = start(
    undefined,
    channels.map(({ port2 }) => port2),
  )
  await Promise.all([...sources, sink].map((end) => end.message()))

  async function round(items: number): Promise<number> {
    for (const source of sources) source.post(items)
    await Promise.all(sources.map((source) => source.message()))
    sink.post(items)
    const [written, ...read] = (await Promise.all([sink, ...sources].map((end) => end.message()))) as readonly Span[]
    // Readers have nothing to do before the writer begins, but where nobody waits for anybody.
    const begun = Math.min(...(contender === 'no ring' ? [written, ...read] : [written]).map((span) => span.begun))
    return Math.max(...[written, ...read].map(({ ended }) => ended)) - begun
  }

  return {
    round,
    end: () => {
      for (const end of [sink, ...sources]) end.end()
    },
  }
}

/** Seconds of a clock that all ends have. */
interface Span {
  readonly begun: number
  readonly ended: number
}

interface Measured {
  readonly shape: string
  readonly contender: Contender
  readonly itemsPerSecond: number
  readonly gigabytesPerSecond: number
}

async function measure(shape: Shape, rounds: number, folder: string): Promise<readonly Measured[]> {
  const chosen = contenders.filter((contender) => takesPart(contender, shape))
  const crews = await Promise.all(chosen.map((contender) => crewOf(contender, shape, folder)))
  const items = chosen.map(() => shape.batch * (shape.itemBytes < MIB ? 16 : 1))
  const rates: number[][] = chosen.map(() => [])
  for (let round = 0; round < WARM_UP + rounds; round++) {
    for (const [i, crew] of crews.entries()) {
      const rate = items[i] / (await crew.round(items[i]))
      if (round >= WARM_UP) rates[i].push(rate)
      // Growing, so that a slow beginning does not last.
      else items[i] = Math.max(1, Math.round(Math.min(4 * items[i], (rate * ROUND_MS) / 1000) / shape.batch)) * shape.batch
    }
  }
  for (const crew of crews) crew.end()
  return chosen.map((contender, i) => {
    const itemsPerSecond = median(rates[i])
    return { shape: shape.name, contender, itemsPerSecond, gigabytesPerSecond: (itemsPerSecond * shape.itemBytes) / 1e9 }
  })
}

/** One row for each shape: items a second, or GB/s of large ones. */
function rowOf(shape: Shape, measured: readonly Measured[]): readonly string[] {
  const large = shape.itemBytes >= MIB
  const cells = contenders.map((contender) => {
    const one = measured.find((other) => other.contender === contender)
    if (one === undefined) return ''
    if (contender === 'there and back') return `${Math.round(1e8 / one.itemsPerSecond) * 10} ns`
    return large ? `${one.gigabytesPerSecond.toPrecision(3)} GB/s` : short(one.itemsPerSecond)
  })
  const recorded = (shape.recorded ?? []).map((figure) => (large ? `${figure} GB/s` : `${figure} M`)).join(', ')
  return [shape.name, ...cells, recorded]
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      rounds: { type: 'string', default: '15' },
      only: { type: 'string', default: '' },
    },
  })
  if (!existsSync(new URL('../../dist/core/index.js', import.meta.url))) {
    console.error('the compiled ring is measured: run `npm run build` first')
    process.exitCode = 2
    return
  }
  const rounds = Number(values.rounds)
  const asked = shapes.filter(({ name }) => name.includes(values.only))
  if (!Number.isInteger(rounds) || rounds < 1 || asked.length === 0) {
    console.error(`--rounds must be a positive integer, and --only a part of a name such as '${shapes[0].name}'`)
    process.exitCode = 2
    return
  }
  const machine = thisMachine()
  const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'heddle-bench-'))
  try {
    const results: Measured[] = []
    const rows: (readonly string[])[] = []
    for (const shape of asked) {
      const measured = await measure(shape, rounds, folder)
      results.push(...measured)
      rows.push(rowOf(shape, measured))
    }
    if (values.json) {
      console.log(JSON.stringify({ machine, rounds, results }, undefined, 2))
      return
    }
    console.log(describeMachine(machine))
    console.log(`items a second from one writer to all readers, or GB/s where items are large, median of ${rounds} rounds`)
    console.log(table(['items', ...contenders, 'C++: threads, processes'], rows))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

await main()
