/**
 * What a memory costs: an operation on a `SharedArrayBuffer`, on a `WebAssembly.Memory`, and on a mapped file; and how long it
 * takes until another process is awake and has answered, beside a pipe and a Unix socket.
 *
 *   npx tsx test/bench/mapped.ts [--json] [--rounds N]
 *
 * Every measurement of operations has a process of its own, for a class is as fast as it can be only where it is alone; the
 * kinds take turns. Round trips begin when the other process sleeps; nobody spins.
 */

import { execFileSync, fork } from 'node:child_process'
import { mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type Memory, Mutex, Ring, SharedMemory, WorkRing } from '../../core/index.ts'
import { MappedMemory } from '../../core/node-index.ts'
import { describeMachine, short, table, thisMachine } from './machine.ts'

const kinds = ['shared', 'wasm', 'mapped'] as const
type Kind = (typeof kinds)[number]

const WORDS = 65536

/** What is used here of `WebAssembly`, of which the types of Node do not know. */
const { WebAssembly } = globalThis as unknown as {
  readonly WebAssembly: {
    readonly Memory: new (options: object) => { readonly buffer: SharedArrayBuffer; grow(n: number): number }
  }
}
const TIMES = 1_000_000
const REPEATS = 7

/** Each loops by itself, so that no call stands between the loop and the operation. */
function operations(memory: Memory): Readonly<Record<string, (times: number) => void>> {
  const bytes = new Uint8Array(64)
  const options = { capacity: 1024, itemBytes: 8 }
  const at = WORDS / 2
  const sink = Ring.create(memory, options, at).sink()
  const source = Ring.attach(memory, at).source()
  const item = new Uint8Array(8)
  const items = new Uint8Array(64 * 8)
  const mutex = Mutex.create(memory, {}, at / 2)
  const work = WorkRing.create(memory, { capacity: 64, itemBytes: 8 }, at / 2 + 1024)
  return {
    load(times) {
      for (let i = 0; i < times; i++) memory.load(i & 1023)
    },
    store(times) {
      for (let i = 0; i < times; i++) memory.store(i & 1023, i)
    },
    add(times) {
      for (let i = 0; i < times; i++) memory.add(i & 1023, 1)
    },
    compareExchange(times) {
      for (let i = 0; i < times; i++) memory.compareExchange(i & 1023, i, i)
    },
    read(times) {
      let sum = 0
      for (let i = 0; i < times; i++) sum = (sum + memory.read(i & 1023)) | 0
      memory.write(0, sum)
    },
    write(times) {
      for (let i = 0; i < times; i++) memory.write(i & 1023, i)
    },
    'readBytes, 64': (times) => {
      for (let i = 0; i < times; i++) memory.readBytes((i & 1023) << 6, bytes)
    },
    'writeBytes, 64': (times) => {
      for (let i = 0; i < times; i++) memory.writeBytes((i & 1023) << 6, bytes)
    },
    'notify, nobody asleep': (times) => {
      for (let i = 0; i < times; i++) memory.notify(i & 1023)
    },
    'ring: push and pop of 8 bytes': (times) => {
      for (let i = 0; i < times; i++) {
        sink.tryPush(item)
        source.tryPop(item)
      }
    },
    'ring: the same, 64 at a time': (times) => {
      for (let i = 0; i < times; i += 64) {
        sink.tryPushBatch(items)
        source.tryPopBatch(items)
      }
    },
    'work ring: push and pop of 8 bytes': (times) => {
      for (let i = 0; i < times; i++) {
        work.tryPush(item)
        work.tryPop(item)
      }
    },
    'work ring: the same, 64 at a time': (times) => {
      for (let i = 0; i < times; i += 64) {
        work.tryPushBatch(items)
        work.tryPopBatch(items)
      }
    },
    'mutex: lock and unlock': (times) => {
      for (let i = 0; i < times; i++) {
        mutex.lock()
        mutex.unlock()
      }
    },
  }
}

/** Nanoseconds of each operation, the fastest of some repetitions. */
function measureOperations(memory: Memory): Readonly<Record<string, number>> {
  const measured = Object.entries(operations(memory)).map(([name, run]) => {
    const took = Array.from({ length: REPEATS }, () => {
      const start = performance.now()
      run(TIMES)
      return ((performance.now() - start) / TIMES) * 1e6
    })
    return [name, Math.min(...took)] as const
  })
  return Object.fromEntries(measured)
}

const messengers = ['mapped file', 'pipe', 'Unix socket'] as const
type Messenger = (typeof messengers)[number]

/** One end of a conversation between two processes: says something, and hears what the other one says. */
interface End {
  say(): void
  hear(): Promise<void> | void
  end(): void
}

async function endOf(messenger: Messenger, folder: string, first: boolean): Promise<End> {
  if (messenger === 'mapped file') {
    const memory = MappedMemory.open(join(folder, 'mapped'))
    const [mine, other] = first ? [0, 32] : [32, 0]
    let heard = 0
    return {
      say() {
        memory.add(mine, 1)
        memory.notify(mine)
      },
      hear() {
        while (memory.load(other) === heard) memory.wait(other, heard)
        heard++
      },
      end: () => memory.close(),
    }
  }
  if (messenger === 'pipe') {
    const [out, into] = (first ? ['there', 'back'] : ['back', 'there']).map((name) => openSync(join(folder, name), 'r+'))
    const byte = new Uint8Array(1)
    return { say: () => void writeSync(out, byte), hear: () => void readSync(into, byte), end: () => {} }
  }
  const path = join(folder, 'socket')
  let socket: Socket
  if (first) {
    const server = createServer()
    const connected = new Promise<Socket>((resolve) => server.once('connection', resolve))
    await new Promise<void>((resolve) => server.listen(path, resolve))
    process.send?.('listening')
    socket = await connected
    server.close()
  } else {
    socket = connect(path)
    await new Promise((resolve) => socket.once('connect', resolve))
  }
  let heard = 0
  let hears: (() => void) | undefined
  socket.on('data', ({ length }) => {
    heard += length
    hears?.()
  })
  return {
    say: () => void socket.write(Uint8Array.of(0)),
    async hear() {
      if (heard === 0) await new Promise<void>((resolve) => (hears = resolve))
      hears = undefined
      heard--
    },
    end: () => void socket.destroy(),
  }
}

const WARM_UP = 200

/** Answers as often as it is asked. */
async function answer(messenger: Messenger, folder: string, trips: number): Promise<void> {
  const { say, hear, end } = await endOf(messenger, folder, true)
  if (messenger !== 'Unix socket') process.send?.('listening')
  for (let i = 0; i < WARM_UP + trips; i++) {
    await hear()
    say()
  }
  end()
  process.disconnect?.()
}

/** Microseconds of round trips, in a folder of their own. */
async function roundTrips(messenger: Messenger, folder: string, trips: number): Promise<readonly number[]> {
  MappedMemory.create(join(folder, 'mapped'), { words: 64 }).close()
  for (const name of ['there', 'back']) execFileSync('mkfifo', [join(folder, name)])
  const other = start(['answer', messenger, folder, String(trips)])
  await new Promise((resolve) => other.once('message', resolve))
  const { say, hear, end } = await endOf(messenger, folder, false)
  const took: number[] = []
  for (let i = 0; i < WARM_UP + trips; i++) {
    const begun = performance.now()
    say()
    await hear()
    if (i >= WARM_UP) took.push((performance.now() - begun) * 1000)
  }
  end()
  await new Promise((resolve) => other.once('exit', resolve))
  return took
}

const script = fileURLToPath(import.meta.url)
const start = (args: readonly string[]) => fork(script, args, { serialization: 'advanced' })

async function main(rounds: number, json: boolean): Promise<void> {
  const machine = thisMachine()
  const folder = mkdtempSync(join(tmpdir(), 'heddle-bench-'))
  try {
    MappedMemory.create(join(folder, 'mapped'), { words: WORDS }).close()

    const costs: Record<Kind, Record<string, number>[]> = { shared: [], wasm: [], mapped: [] }
    for (let round = 0; round < rounds; round++) {
      for (const kind of kinds) {
        const child = start(['operations', kind, folder])
        costs[kind].push(await new Promise((resolve) => child.once('message', resolve as () => void)))
      }
    }
    const perOperation = Object.keys(costs.shared[0]).map((name) => {
      const [shared, wasm, mapped] = kinds.map((kind) => Math.min(...costs[kind].map((each) => each[name])))
      return { name, shared, wasm, mapped, wasmToShared: wasm / shared, mappedToShared: mapped / shared }
    })

    const trips = 500
    const took: Record<Messenger, number[]> = { 'mapped file': [], pipe: [], 'Unix socket': [] }
    for (let round = 0; round < rounds; round++) {
      for (const messenger of messengers)
        took[messenger].push(...(await roundTrips(messenger, mkdtempSync(join(folder, '-')), trips)))
    }
    const perTrip = messengers.map((messenger) => {
      const sorted = took[messenger].sort((a, b) => a - b)
      const at = (part: number): number => sorted[Math.floor(part * (sorted.length - 1))]
      return { messenger, fastest: at(0), tenth: at(0.1), median: at(0.5), ninetieth: at(0.9) }
    })

    if (json) {
      console.log(JSON.stringify({ machine, rounds, perOperation, perTrip }, undefined, 2))
      return
    }
    console.log(describeMachine(machine))
    console.log(`\nnanoseconds an operation, the fastest of ${rounds * REPEATS} times ${short(TIMES)}`)
    const costRows = perOperation.map(({ name, shared, wasm, mapped, wasmToShared, mappedToShared }) => [
      name,
      short(shared),
      short(wasm),
      wasmToShared.toFixed(2),
      short(mapped),
      mappedToShared.toFixed(2),
    ])
    console.log(table(['operation', 'on a buffer', 'WebAssembly', 'ratio', 'mapped file', 'ratio'], costRows))
    console.log(`\nmicroseconds from the question to the answer of another process that sleeps, ${rounds * trips} round trips`)
    const tripRows = perTrip.map(({ messenger, ...all }) => [messenger, ...Object.values(all).map((value) => value.toFixed(1))])
    console.log(table(['through', 'fastest', '10 %', 'median', '90 %'], tripRows))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const { values, positionals } = parseArgs({
  options: { json: { type: 'boolean', default: false }, rounds: { type: 'string', default: '5' } },
  allowPositionals: true,
})
const rounds = Number(values.rounds)
if (positionals[0] === 'operations') {
  const [, kind, folder] = positionals
  const memories: Record<Kind, () => Memory> = {
    shared: () => new SharedMemory(WORDS),
    wasm: () => new SharedMemory(new WebAssembly.Memory({ initial: WORDS / 16384, maximum: WORDS / 16384, shared: true })),
    mapped: () => MappedMemory.open(join(folder, 'mapped')),
  }
  process.send?.(measureOperations(memories[kind as Kind]()))
  process.disconnect?.()
} else if (positionals[0] === 'answer') {
  const [, messenger, folder, trips] = positionals
  await answer(messenger as Messenger, folder, Number(trips))
} else if (Number.isInteger(rounds) && rounds > 0) {
  await main(rounds, values.json)
} else {
  console.error('--rounds must be a positive integer')
  process.exitCode = 2
}
