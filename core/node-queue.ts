import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { setTimeout as setTimer } from 'node:timers'
import { setTimeout } from 'node:timers/promises'
import { deserialize, serialize } from 'node:v8'
import { crc32, deflateRawSync, inflateRawSync } from 'node:zlib'
import { NodeFolder } from './node-folder.ts'
import { onFile } from './node-mapped-file-error.ts'
import { seatsMax } from './node-participants.ts'
import { bytesCodec, type Codec, type Compression, Queue, type QueueOptions } from './queue.ts'
import type { Consumer, Received } from './queue-consumer.ts'

/** Queues in folders of a disk. */

export interface DiskQueueOptions<T>
  extends Omit<QueueOptions<T>, 'codec' | 'compression' | 'checksum' | 'identity' | 'draft' | 'later'> {
  /** How items become bytes, default: they are bytes. */
  readonly codec?: Codec<T>
  /** Items of at least so many bytes are compressed (deflate); default: none are. */
  readonly compressFrom?: number
  /** How hard: 1, the default, to 9. */
  readonly compressionLevel?: number
}

/** Items that structured cloning can take: all that `postMessage` takes but what would be transferred. */
export const structuredCodec: Codec<unknown> = { encode: (item) => serialize(item), decode: (bytes) => deserialize(bytes) }

/** Items that JSON can say. */
export const jsonCodec: Codec<unknown> = {
  encode(item) {
    const text = JSON.stringify(item)
    if (text === undefined) throw new TypeError(`Queue: expected an item that JSON can say, found ${typeof item}`)
    return Buffer.from(text)
  },
  decode: (bytes) => JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()),
}

export function openQueue(path: string, options?: DiskQueueOptions<Uint8Array>): Queue<Uint8Array>
export function openQueue<T>(path: string, options: DiskQueueOptions<T> & { readonly codec: Codec<T> }): Queue<T>
/**
 * Opens the queue in a folder, which is made where there is none.
 *
 * ```ts
 * using queue = openQueue('jobs', { codec: jsonCodec })
 * queue.producer().send({ id: 1 })                      // in some process
 * for await (const { item } of receiveAll(queue.consumer())) work(item)      // in another one
 * ```
 */
export function openQueue<T>(path: string, options: DiskQueueOptions<T> = {}): Queue<T> {
  const { codec, compressFrom, compressionLevel: level = 1, members = 64, ...rest } = options
  onFile(path, () => mkdirSync(path, { recursive: true }))
  const compression: Compression | undefined =
    compressFrom === undefined
      ? undefined
      : {
          threshold: compressFrom,
          compress: (bytes) => deflateRawSync(bytes, { level }),
          decompress: (bytes) => inflateRawSync(bytes),
        }
  // A thread may have a file open several times: to write it, to receive from it, for each reader, to look at it for a moment.
  const folder = new NodeFolder(path, Math.min(8 * members, seatsMax))
  const all: QueueOptions<T> = {
    ...rest,
    members,
    codec: codec ?? (bytesCodec as unknown as Codec<T>),
    ...(compression === undefined ? {} : { compression }),
    checksum: crc32,
    identity: randomBytes(4).readInt32LE(),
    later(work, ms) {
      const timer = setTimer(work, ms).unref()
      return () => clearTimeout(timer)
    },
    draft: `${process.pid}-${randomBytes(6).toString('hex')}`,
  }
  try {
    return Queue.open(folder, all)
  } catch (error) {
    folder.close()
    throw error
  }
}

/** How long an event loop that waits for items sleeps at most, in ms. */
const slowestLookMs = 16

/**
 * All items until the stream ends, without blocking the event loop: it looks again and again, ever more seldom while there is
 * nothing, up to every 16 ms. A `signal` ends it with its reason. An item is acknowledged when the next one is asked for.
 */
export async function* receiveAll<T>(
  consumer: Consumer<T>,
  options: { readonly signal?: { throwIfAborted(): void } } = {},
): AsyncGenerator<Received<T>, void, void> {
  const { signal } = options
  for (let pause = 0; ; ) {
    signal?.throwIfAborted()
    const received = consumer.tryReceive()
    if (received !== undefined) {
      pause = 0
      yield received
    } else if (consumer.ended) return
    else {
      await setTimeout(pause)
      pause = Math.min(slowestLookMs, 2 * pause + 1)
    }
  }
}
