/** `heddle run lossy-ring`: one process publishes prices and waits for nobody; who cannot follow says exactly how many it lost. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { count, duration, table } from '../../checker/format.ts'
import { LossyRing } from '../../core/lossy-ring.ts'
import { MappedMemory } from '../../core/node-index.ts'
import { Member } from '../demo-members.ts'
import type { Done, Following, News, Task } from './demo-process.ts'

const usage = `Usage: heddle run lossy-ring [options]

One process publishes prices as fast as it can, and waits for nobody. Three others follow them: one as fast as it can, one that
rests now and then, and one that looks at the newest price from time to time. Every price is checked, and each is counted once.

Options:
  --prices <n>    how many prices (default: 2000000)
  --capacity <n>  how many of them the ring holds, a power of two (default: 4096)
  --json          print one JSON document instead of text
  -h, --help      print this`

const itemBytes = 32
const followers: readonly Following[] = ['fast', 'slow', 'newest']

interface Options {
  readonly prices: number
  readonly capacity: number
  readonly json: boolean
}

/** Runs the demonstration. Returns 0 when every reader knows of every price, 1 when that could not be, 2 for bad arguments. */
export async function demo(args: readonly string[]): Promise<number> {
  let options: Options | undefined
  try {
    options = optionsOf(args)
  } catch (error) {
    return complain(error, 2)
  }
  if (options === undefined) {
    print(usage)
    return 0
  }
  const { prices, json } = options
  const folder = mkdtempSync(join(tmpdir(), 'heddle-prices-'))
  const members: Member<News>[] = []
  let interrupt = (): void => {}
  const interrupted = new Promise<'interrupted'>((resolve) => {
    interrupt = () => resolve('interrupted')
  })
  process.once('SIGINT', interrupt)
  try {
    const outcome = await Promise.race([run(join(folder, 'memory'), options, members), interrupted])
    if (outcome === 'interrupted') return complain(new Error('interrupted'), 130)
    const [writer, ...readers] = outcome
    const named = Object.fromEntries(followers.map((name, index) => [name, readers[index]]))
    if (json) print(JSON.stringify({ command: 'run', demonstration: 'lossy-ring', prices, writer, readers: named }, null, 2))
    else print(textOf(writer, readers))
    return readers.every(({ received, lost, skipped }) => received + lost + skipped === prices) ? 0 : 1
  } catch (error) {
    return complain(error, 1)
  } finally {
    process.off('SIGINT', interrupt)
    await Promise.all(members.map((member) => member.end()))
    rmSync(folder, { recursive: true, force: true })
  }
}

/** What the writer and each reader did. */
async function run(
  path: string,
  { prices, capacity }: Options,
  members: Member<News>[],
): Promise<readonly [Done, ...(readonly Done[])]> {
  const shape = { capacity, itemBytes }
  const memory = MappedMemory.create(path, { words: LossyRing.words(shape) })
  try {
    LossyRing.create(memory, shape)
    const tasks: readonly Task[] = [{ path, prices }, ...followers.map((follows) => ({ path, prices, follows }))]
    members.push(...tasks.map((task) => new Member<News>(import.meta.url, task)))
    await Promise.all(members.map((member) => member.hears()))
    // Those who follow first, so that they are there.
    for (const member of members.toReversed()) member.tell('begin')
    return (await Promise.all(members.map((member) => member.hears()))) as [Done, ...Done[]]
  } finally {
    memory.close()
  }
}

function textOf(writer: Done, readers: readonly Done[]): string {
  const row = (name: string, { received, lost, skipped, seconds }: Done) => [
    name,
    count(received),
    count(lost),
    count(skipped),
    duration(seconds),
  ]
  const rows = [
    ['writer', count(writer.received), '', '', duration(writer.seconds)],
    ...readers.map((reader, index) => row(followers[index] as string, reader)),
  ]
  return table([['process', 'prices', 'lost', 'skipped', 'time'], ...rows], new Set([1, 2, 3, 4]))
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

function complain(error: unknown, code: number): number {
  process.stderr.write(`heddle: lossy-ring: ${(error as Error).message}\n`)
  return code
}

/** `undefined` when help is wanted. */
function optionsOf(args: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      prices: { type: 'string', default: '2000000' },
      capacity: { type: 'string', default: '4096' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) return undefined
  const capacity = integer('--capacity', values.capacity, 2 ** 20)
  if (!Number.isInteger(Math.log2(capacity))) throw new Error(`--capacity: expected a power of two, found "${capacity}"`)
  return { prices: integer('--prices', values.prices, 2 ** 30), capacity, json: values.json }
}

function integer(name: string, text: string, most: number): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= 1 && value <= most) return value
  throw new Error(`${name}: expected an integer from 1 to ${most}, found ${JSON.stringify(text)}`)
}
