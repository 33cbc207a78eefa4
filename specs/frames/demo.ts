/** `heddle run frames`: one process writes frames into a mapped file, others read them there, and nobody copies any. */
import { count, duration, table } from '../../checker/format.ts'
import { MappedMemory } from '../../core/node-index.ts'
import { Ring } from '../../core/ring.ts'
import { demonstrate, integer } from '../demonstrate.ts'
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

type Done = Exclude<News, 'ready'>

interface Options {
  readonly readers: number
  readonly frames: number
}

/** Runs the demonstration. Returns 0 when every reader got every frame, 1 when that could not be, 2 for bad arguments. */
export function demo(args: readonly string[]): Promise<number> {
  return demonstrate<Options, News>(
    {
      name: 'frames',
      usage,
      module: import.meta.url,
      defaults: { readers: '3', frames: '1000' },
      optionsOf: (values) => ({
        readers: integer('--readers', values.readers as string, 16),
        frames: integer('--frames', values.frames as string, 2 ** 20),
      }),
      async run({ readers: count, frames }, path, start) {
        const shape = { capacity, itemBytes: frameBytes, readers: count }
        const memory = MappedMemory.create(path, { words: Ring.words(shape) })
        try {
          Ring.create(memory, shape)
          const tasks: readonly Task[] = [
            { path, frames },
            ...Array.from({ length: count }, (_, reader) => ({ path, frames, reader })),
          ]
          const members = tasks.map(start)
          await Promise.all(members.map((member) => member.hears()))
          for (const member of members) member.tell('begin')
          const [writer, ...readers] = (await Promise.all(members.map((member) => member.hears()))) as [Done, ...Done[]]
          return {
            fine: readers.every((reader) => reader.frames === frames),
            document: { frameBytes, writer, readers },
            text: textOf(writer, readers),
          }
        } finally {
          memory.close()
        }
      },
    },
    args,
  )
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
