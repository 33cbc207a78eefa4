/** `heddle run lossy-ring`: one process publishes prices and waits for nobody; who cannot follow says exactly how many it lost. */
import { count, duration, table } from '../../checker/format.ts'
import { LossyRing } from '../../core/lossy-ring.ts'
import { MappedMemory } from '../../core/node-index.ts'
import { demonstrate, integer } from '../demonstrate.ts'
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
}

/** Runs the demonstration. Returns 0 when every reader knows of every price, 1 when that could not be, 2 for bad arguments. */
export function demo(args: readonly string[]): Promise<number> {
  return demonstrate<Options, News>(
    {
      name: 'lossy-ring',
      usage,
      module: import.meta.url,
      defaults: { prices: '2000000', capacity: '4096' },
      optionsOf(values) {
        const capacity = integer('--capacity', values.capacity as string, 2 ** 20)
        if (!Number.isInteger(Math.log2(capacity))) throw new Error(`--capacity: expected a power of two, found "${capacity}"`)
        return { prices: integer('--prices', values.prices as string, 2 ** 30), capacity }
      },
      async run({ prices, capacity }, path, start) {
        const shape = { capacity, itemBytes }
        const memory = MappedMemory.create(path, { words: LossyRing.words(shape) })
        try {
          LossyRing.create(memory, shape)
          const tasks: readonly Task[] = [{ path, prices }, ...followers.map((follows) => ({ path, prices, follows }))]
          const members = tasks.map(start)
          await Promise.all(members.map((member) => member.hears()))
          // Those who follow first, so that they are there.
          for (const member of members.toReversed()) member.tell('begin')
          const [writer, ...readers] = (await Promise.all(members.map((member) => member.hears()))) as [Done, ...Done[]]
          return {
            fine: readers.every(({ received, lost, skipped }) => received + lost + skipped === prices),
            document: { prices, writer, readers: Object.fromEntries(followers.map((name, index) => [name, readers[index]])) },
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
