/** `heddle run frames`: one process writes frames into a mapped file, others read them there, and nobody copies any. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { count, duration, table } from '../../checker/format.ts'
import { MappedMemory } from '../../core/node-index.ts'
import { Ring } from '../../core/ring.ts'
import { Member } from '../demo-members.ts'
import type { News, Task } from './demo-process.ts'

const usage = `Usage: heddle run frames [options]

One process writes frames of 2 MiB, others read all of them: through a ring on a mapped file, in place. Every word is checked.

Options:
  --readers <n>  how many processes read, up to 16 (default: 3)
  --frames <n>   how many frames (default: 1000)
  --json         print one JSON document instead of text
  -h, --help     print this`

const frameBytes = 2 * 2 ** 20
/** How many frames the ring holds. */
const capacity = 8

interface Options {
  readonly readers: number
  readonly frames: number
  readonly json: boolean
}

type Done = Exclude<News, 'ready'>

/** Runs the demonstration. Returns 0 when every reader got every frame, 1 when that could not be, 2 for bad arguments. */
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
  const folder = mkdtempSync(join(tmpdir(), 'heddle-frames-'))
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
    if (options.json) print(JSON.stringify({ command: 'run', demonstration: 'frames', frameBytes, writer, readers }, null, 2))
    else print(textOf(writer, readers))
    return readers.every(({ frames }) => frames === options?.frames) ? 0 : 1
  } catch (error) {
    return complain(error, 1)
  } finally {
    process.off('SIGINT', interrupt)
    await Promise.all(members.map((member) => member.end()))
    rmSync(folder, { recursive: true, force: true })
  }
}

/** What the writer and each reader did. */
async function run(path: string, { readers, frames }: Options, members: Member<News>[]): Promise<readonly Done[]> {
  const shape = { capacity, itemBytes: frameBytes, readers }
  const memory = MappedMemory.create(path, { words: Ring.words(shape) })
  try {
    Ring.create(memory, shape)
    const tasks: readonly Task[] = [
      { path, frames },
      ...Array.from({ length: readers }, (_, reader) => ({ path, frames, reader })),
    ]
    members.push(...tasks.map((task) => new Member<News>(import.meta.url, task)))
    await Promise.all(members.map((member) => member.hears()))
    for (const member of members) member.tell('begin')
    return (await Promise.all(members.map((member) => member.hears()))) as readonly Done[]
  } finally {
    memory.close()
  }
}

function textOf(writer: Done, readers: readonly Done[]): string {
  const row = (name: string, { frames, seconds }: Done) => [
    name,
    count(frames),
    duration(seconds),
    ((frames * frameBytes) / 1e9 / seconds).toFixed(2),
  ]
  const rows = [row('writer', writer), ...readers.map((reader, i) => row(`reader ${i}`, reader))]
  return table([['process', 'frames of 2 MiB', 'time', 'GB/s'], ...rows], new Set([1, 2, 3]))
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

function complain(error: unknown, code: number): number {
  process.stderr.write(`heddle: frames: ${(error as Error).message}\n`)
  return code
}

/** `undefined` when help is wanted. */
function optionsOf(args: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      readers: { type: 'string', default: '3' },
      frames: { type: 'string', default: '1000' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) return undefined
  return {
    readers: integer('--readers', values.readers, 16),
    frames: integer('--frames', values.frames, 2 ** 20),
    json: values.json,
  }
}

function integer(name: string, text: string, most: number): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= 1 && value <= most) return value
  throw new Error(`${name}: expected an integer from 1 to ${most}, found ${JSON.stringify(text)}`)
}
