/** A process of the demonstration: the one that writes frames, or one of those that read them. Its parent is `demo.ts`. */
import { MappedMemory } from '../../core/node-index.ts'
import { Ring } from '../../core/ring.ts'

/** What a process is started with, as the JSON of its one argument. */
export interface Task {
  readonly path: string
  readonly frames: number
  /** The number of a reader. The writer has none. */
  readonly reader?: number
}

/** What a process tells its parent: that it can begin; and what it did, in how many seconds from the first frame on. */
export type News = 'ready' | { readonly frames: number; readonly seconds: number }

// Ctrl-C is for the parent, which then ends us.
process.on('SIGINT', () => {})

const { path, frames, reader }: Task = JSON.parse(process.argv[2])
const memory = MappedMemory.open(path)
const ring = Ring.attach(memory)

/** Frame n is the number n, in all of its words: written into its place, and nowhere else before. */
function write(): News {
  const sink = ring.sink()
  const start = performance.now()
  for (let n = 0; n < frames; n++) {
    sink.claim()
    new Int32Array(memory.buffer, sink.byteOf(0), ring.itemBytes / 4).fill(n)
    sink.commit()
  }
  sink.close()
  return { frames, seconds: (performance.now() - start) / 1000 }
}

/** Looks at each frame where it is, at all of its words: the first one is its number, and each is as the one before. */
function read(): News {
  const source = ring.source({ reader: reader as number })
  let start = 0
  let n = 0
  // Copies nothing: a frame stays where it is until it is consumed.
  for (; source.wait() > 0; n++) {
    if (n === 0) start = performance.now()
    const bytes = Buffer.from(memory.buffer, source.byteOf(0), ring.itemBytes)
    const isWhole = bytes.readInt32LE(0) === n && bytes.compare(bytes, 4, bytes.length, 0, bytes.length - 4) === 0
    if (!isWhole) throw new Error(`frame ${n} is not what was written`)
    source.advance(1)
  }
  if (source.end() !== 'closed') throw new Error(`the writer died after ${n} frames`)
  return { frames: n, seconds: (performance.now() - start) / 1000 }
}

process.once('message', () => {
  const news = reader === undefined ? write() : read()
  process.send?.(news, () => process.disconnect())
})
process.send?.('ready' satisfies News)
