/** `heddle run queue`: processes send through a queue on a disk, one receives, and all arrives in order, also when some are killed. */
import { type ChildProcess, fork } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { count, duration, table } from '../../checker/format.ts'
import { MappedMemory, openQueue } from '../../core/node-index.ts'
import type { News, Task } from './demo-process.ts'

const usage = `Usage: heddle run queue [options]

Producer processes send items through a queue on a disk, and a consumer process receives them.

Options:
  --producers <n>  how many producers, up to 16 (default: 2)
  --items <n>      how many items each of them sends (default: 200000)
  --kill           kill a producer and the consumer at random moments, with SIGKILL; another consumer takes over
  --json           print one JSON document instead of text
  -h, --help       print this`

/** Runs the demonstration. Returns 0 when all arrived, 1 when it did not, 2 for bad arguments. */
export async function demo(args: readonly string[]): Promise<number> {
  let options: Options | undefined
  try {
    options = optionsOf(args)
  } catch (error) {
    process.stderr.write(`heddle: queue: ${(error as Error).message}\n`)
    return 2
  }
  if (options === undefined) {
    process.stdout.write(`${usage}\n`)
    return 0
  }
  const folder = mkdtempSync(join(tmpdir(), 'heddle-queue-'))
  const children: ChildProcess[] = []
  const interrupt = (): void => {
    for (const child of children) child.kill('SIGKILL')
  }
  process.once('SIGINT', interrupt)
  try {
    const outcome = await run(join(folder, 'queue'), options, children)
    const { senders, seconds, wrong } = outcome
    const complete = wrong === undefined && senders.every(({ killed, received }) => killed || received === options.items)
    if (options.json)
      process.stdout.write(`${JSON.stringify({ command: 'run', demonstration: 'queue', complete, ...outcome }, null, 2)}\n`)
    else process.stdout.write(`${textOf(outcome, complete, seconds)}\n`)
    return complete ? 0 : 1
  } finally {
    process.off('SIGINT', interrupt)
    for (const child of children) child.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
}

interface Options {
  readonly producers: number
  readonly items: number
  readonly kill: boolean
  readonly json: boolean
}

interface Outcome {
  readonly senders: readonly { readonly killed: boolean; readonly received: number }[]
  readonly consumers: number
  readonly seconds: number
  readonly wrong?: string
}

/** `undefined` when help is wanted. */
function optionsOf(args: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      producers: { type: 'string', default: '2' },
      items: { type: 'string', default: '200000' },
      kill: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) return undefined
  const integer = (name: string, text: string, most: number): number => {
    const value = Number(text)
    if (/^\d+$/.test(text) && value >= 1 && value <= most) return value
    throw new Error(`${name}: expected an integer from 1 to ${most}, found ${JSON.stringify(text)}`)
  }
  const producers = integer('--producers', values.producers, 16)
  return { producers, items: integer('--items', values.items, 2 ** 26), kill: values.kill, json: values.json }
}

const source = import.meta.url.endsWith('.ts')
const entry = fileURLToPath(new URL(`demo-process.${source ? 'ts' : 'js'}`, import.meta.url))
const execArgv = source ? ['--import', pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href] : []

async function run(path: string, { producers, items, kill }: Options, children: ChildProcess[]): Promise<Outcome> {
  // A file of 2 MiB holds some 87,000 items.
  using queue = openQueue(path, { segmentBytes: 2 ** 21 })
  // The stream does not end before somebody has sent: this one stays until all producers have been started and are done.
  const holder = queue.producer()
  const start = performance.now()
  const progressPath = `${path}-progress`
  using progress = MappedMemory.create(progressPath, { words: producers })
  const received = (): number[] => Array.from({ length: producers }, (_, producer) => progress.load(producer))
  let wrong: string | undefined
  let consumers = 0
  const launch = (task: Partial<Task>): ChildProcess => {
    const child = fork(entry, [JSON.stringify({ path, progressPath, items, ...task })], { execArgv })
    children.push(child)
    return child
  }
  const end = (child: ChildProcess): Promise<string> =>
    new Promise((resolve) => child.once('close', (code, signal) => resolve(signal ?? String(code))))

  const consume = async (): Promise<void> => {
    for (let how = ''; how !== '0'; ) {
      const child = launch({})
      consumers++
      child.on('message', (news: News) => {
        wrong ??= news.wrong
      })
      const isVictim = kill && consumers === 1
      if (isVictim) void setTimeout(randomInt(500, 1500), undefined, { ref: false }).then(() => child.kill('SIGKILL'))
      how = await end(child)
      if (how !== '0' && !(isVictim && how === 'SIGKILL')) throw new Error(`the consumer ended too early (${how})`)
    }
  }
  const consuming = consume()
  const condemned = kill ? randomInt(producers) : -1
  const producing = Promise.all(
    received().map(async (_, producer) => {
      const child = launch({ producer })
      if (producer === condemned)
        void setTimeout(randomInt(300, 1000), undefined, { ref: false }).then(() => child.kill('SIGKILL'))
      const how = await end(child)
      if (how !== '0' && how !== 'SIGKILL') throw new Error(`producer ${producer} ended too early (${how})`)
      return how === 'SIGKILL'
    }),
  )
  const live = setInterval(() => {
    if (!process.stderr.isTTY) return
    const { depth, segments } = queue.metrics()
    process.stderr.write(
      `\r${count(received().reduce((sum, n) => sum + n))} received, ${count(depth)} waiting in ${segments} files   `,
    )
  }, 200)
  try {
    const killed = await Promise.race([producing, consuming.then(() => producing)])
    holder.close()
    await consuming
    const seconds = (performance.now() - start) / 1000
    const senders = received().map((n, producer) => ({ killed: killed[producer], received: n }))
    return { senders, consumers, seconds, ...(wrong === undefined ? {} : { wrong }) }
  } finally {
    clearInterval(live)
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
  }
}

function textOf({ senders, consumers, wrong }: Outcome, complete: boolean, seconds: number): string {
  const rows = senders.map(({ killed, received }, producer) => [String(producer), count(received), killed ? 'killed' : ''])
  const total = senders.reduce((sum, { received }) => sum + received, 0)
  const verdict = complete ? 'all that was sent has arrived, in order' : (wrong ?? 'something is missing')
  return [
    table([['producer', 'received', ''], ...rows], new Set([0, 1])),
    '',
    `${verdict}: ${count(total)} items in ${duration(seconds)}, ${consumers === 1 ? 'one consumer' : `${consumers} consumers, one after the other`}`,
  ].join('\n')
}
