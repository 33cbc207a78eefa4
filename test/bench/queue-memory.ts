/**
 * Whether the mapped files of a queue are its memory: what an item costs, beside record rings in memory and on a mapped file; how
 * much reaches the disk while the consumer keeps up; and how much memory the queue takes while its backlog grows.
 *
 *     npx tsx test/bench/queue-memory.ts [--seconds N] [--rate MB/s] [--backlog GB] [--in FOLDER] [PART OF A NAME ...]
 *
 * The parts are `item`, `disk` and `backlog`, each in processes of their own. What reaches the disk is what the whole disk has
 * written meanwhile: run it alone, on an idle machine. `--seconds` is for the disk: the kernel lets pages wait for half a minute.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { RecordRing, SharedMemory } from '../../core/index.ts'
import { MappedMemory, openQueue } from '../../core/node-index.ts'
import { describeMachine, median, short, table, thisMachine } from './machine.ts'

const { values, positionals } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    rate: { type: 'string', default: '200' },
    backlog: { type: 'string', default: '2' },
    in: { type: 'string', default: tmpdir() },
    run: { type: 'string' },
  },
  allowPositionals: true,
})
const seconds = Number(values.seconds)
const rate = Number(values.rate)
const backlog = Number(values.backlog)
if (!(seconds > 0 && rate > 0 && backlog > 0)) throw new RangeError('--seconds, --rate and --backlog must be positive numbers')

const contenders = ['ring in memory', 'ring on a file', 'queue'] as const
type Contender = (typeof contenders)[number]

interface Ends {
  readonly send: (item: Uint8Array) => unknown
  readonly receive: () => unknown
  readonly close: () => void
}

function endsOf(contender: Contender, path: string): Ends {
  if (contender === 'queue') {
    const queue = openQueue(path)
    const [producer, consumer] = [queue.producer(), queue.consumer()]
    const receive = (): unknown => consumer.tryReceive()
    return { send: (item) => producer.trySend(item), receive, close: () => queue.close() }
  }
  const options = { bytes: 2 ** 20 }
  const words = RecordRing.words(options)
  const mapped = contender === 'ring on a file' ? MappedMemory.create(join(path, 'ring'), { words }) : undefined
  const ring = RecordRing.create(mapped ?? new SharedMemory(words), options)
  const [sink, source] = [ring.sink(), ring.source()]
  return { send: (item) => sink.tryPush(item), receive: () => source.tryPop(), close: () => mapped?.close() }
}

/** Ns of an item to send, and to receive: items by turns, a few at a time, as when the consumer keeps up. */
function costs(contender: Contender, path: string, bytes: number): readonly [sent: number, received: number] {
  const { send, receive, close } = endsOf(contender, path)
  const some = Math.max(16, Math.floor(131072 / bytes))
  const items = Array.from({ length: 64 }, (_, i) => new Uint8Array(bytes).fill(i))
  const [sent, received]: [number[], number[]] = [[], []]
  const end = performance.now() + 2000
  while (performance.now() < end) {
    const begin = performance.now()
    for (let i = 0; i < some; i++) send(items[i & 63])
    const middle = performance.now()
    for (let i = 0; i < some; i++) receive()
    sent.push(((middle - begin) * 1e6) / some)
    received.push(((performance.now() - middle) * 1e6) / some)
  }
  close()
  // The first half, until the code is compiled, does not count.
  return [median(sent.slice(sent.length >> 1)), median(received.slice(received.length >> 1))]
}

/** Bytes that the disk of a folder has written since the machine began. */
function written(path: string): number {
  const { dev } = statSync(path)
  const [major, minor] = [dev >> 8, dev & 255]
  const [, , , , , , sectors] = readFileSync(`/sys/dev/block/${major}:${minor}/stat`, 'utf8').trim().split(/\s+/)
  return 512 * Number(sectors)
}

/** A line of `/proc/self/smaps_rollup`, in bytes. */
function resident(what: string): number {
  const line = readFileSync('/proc/self/smaps_rollup', 'utf8').match(new RegExp(`^${what}: +(\\d+) kB$`, 'm'))
  return 1024 * Number(line?.[1])
}

const itemBytes = 4096
const wait = (ms: number): unknown => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)

/** How much was sent and received within some seconds, and how much the disk has written, meanwhile and when asked to. */
function keptUp(path: string): readonly number[] {
  const queue = openQueue(path)
  const [producer, consumer] = [queue.producer(), queue.consumer()]
  const item = new Uint8Array(itemBytes)
  const before = written(path)
  const begin = performance.now()
  let [sent, spilled] = [0, 0]
  for (let now = 0; now < 1000 * seconds; now = performance.now() - begin) {
    for (; sent * itemBytes < rate * 1000 * now; sent++) {
      producer.send(item)
      // A hundred items wait at any time.
      if (sent >= 100) consumer.tryReceive()
    }
    spilled = Math.max(spilled, queue.metrics().spilled)
    wait(1)
  }
  const meanwhile = written(path) - before
  queue.close()
  return [sent * itemBytes, meanwhile, spilled]
}

/** Items are sent and not received: how much waits, how much of that is in no memory of the process, and what is mapped of files. */
function grown(path: string): readonly (readonly number[])[] {
  const queue = openQueue(path)
  const producer = queue.producer()
  const item = new Uint8Array(itemBytes)
  const steps = 4
  const rows: number[][] = []
  const files = resident('Pss_File')
  for (let step = 1; step <= steps; step++) {
    while (queue.metrics().bytes < (backlog * 2 ** 30 * step) / steps) for (let i = 0; i < 1000; i++) producer.send(item)
    const { bytes, spilled } = queue.metrics()
    rows.push([bytes, spilled, resident('Pss_File') - files, resident('Pss_Anon')])
  }
  queue.close()
  return rows
}

const works: Readonly<Record<string, (path: string) => unknown>> = { keptUp, grown }
const wanted = (name: string): boolean => positionals.length === 0 || positionals.some((part) => name.includes(part))

/** Does a work in a process of its own, where a class is as fast as where it is alone. */
function apart<T>(work: string, ...rest: readonly unknown[]): T {
  const run = JSON.stringify([work, ...rest])
  const options = [
    '--run',
    run,
    '--seconds',
    values.seconds,
    '--rate',
    values.rate,
    '--backlog',
    values.backlog,
    '--in',
    values.in,
  ]
  const said = execFileSync(process.execPath, [...process.execArgv, fileURLToPath(import.meta.url), ...options], {
    stdio: 'pipe',
  })
  return JSON.parse(String(said)) as T
}

if (values.run !== undefined) {
  const [work, ...rest] = JSON.parse(values.run) as [string, ...unknown[]]
  const path = mkdtempSync(join(values.in, 'heddle-bench-'))
  try {
    const result = work === 'costs' ? costs(rest[0] as Contender, path, rest[1] as number) : works[work](path)
    console.info(JSON.stringify(result))
  } finally {
    rmSync(path, { recursive: true })
  }
} else {
  console.info(describeMachine(thisMachine()))
  const mega = (bytes: number): string => short(bytes / 2 ** 20)
  if (wanted('item')) {
    const rows = contenders.map((contender) => [
      contender,
      ...[8, 64, 256, 4096].map((bytes) => {
        const [sent, received] = apart<[number, number]>('costs', contender, bytes)
        return `${sent.toFixed(0)} / ${received.toFixed(0)}`
      }),
    ])
    console.info(`\nns of an item, sent / received by one thread\n${table(['', '8 B', '64 B', '256 B', '4 KiB'], rows)}`)
  }
  if (wanted('disk')) {
    const figures = apart<readonly number[]>('keptUp').map(mega)
    const head = ['sent and received, MiB', 'written by the disk', 'spilled at most']
    console.info(`\nfor ${seconds} s, while the consumer keeps up\n${table(head, [figures])}`)
  }
  if (wanted('backlog')) {
    const rows = apart<readonly (readonly number[])[]>('grown').map((row) => row.map(mega))
    console.info(`\nMiB, while nobody receives\n${table(['wait', 'spilled', 'of files in memory', 'of its own'], rows)}`)
  }
}
