/// <reference lib="esnext.disposable" preserve="true" />
import { type Checksum, crc32 } from './crc32.ts'
import type { Folder } from './folder.ts'
import { Log, type LogOptions } from './log.ts'
import { type WaitOptions, waitingOf } from './patience.ts'
import { Consumer, type ConsumerOptions } from './queue-consumer.ts'
import { QueueError } from './queue-error.ts'
import { type Limits, type Overflow, Producer } from './queue-producer.ts'
import { Reader, type ReaderStart } from './queue-reader.ts'
import { recordHeaderWords } from './record.ts'
import type { Found } from './recovery.ts'
import { requireInteger, requireTimeout } from './require.ts'
import { recordsAt, segmentWordsMax } from './segment.ts'

/**
 * A queue on a disk: many producers, one consumer, any number of readers, in any number of threads and processes.
 *
 * After hopper (Troutwine, 2017), Kafka's log and Chronicle Queue: items go to the end of a log of segments, mapped files that
 * are filled one after the other and taken away when the consumer is done with them. What is in a mapped file is in memory as
 * long as there is room, and is written to the disk by the kernel when it likes, so that the page cache is the memory part of
 * the queue; a ring before it would only copy each item once more (`test/bench/queue-memory.ts` shows what an item costs beside
 * one, and that the files in the middle of a backlog take no memory). There is one order of all items: that in which producers
 * got the lock.
 */

/** How items become bytes and come back. */
export interface Codec<T> {
  encode(item: T): Uint8Array
  decode(bytes: Uint8Array): T
}

/** Makes long items shorter. */
export interface Compression {
  /** Items of fewer bytes stay as they are. */
  readonly threshold: number
  compress(bytes: Uint8Array): Uint8Array
  decompress(bytes: Uint8Array): Uint8Array
}

/** What of an item is kept: its bytes, and whether they are compressed. */
export interface Packed {
  readonly bytes: Uint8Array
  readonly tag: number
}

/** What all ends of a queue share. */
export interface Packing<T> {
  pack(item: T): Packed
  unpack(bytes: Uint8Array, tag: number): T
}

/**
 * When items are brought to the disk. Until then they survive the death of processes, but not of the machine.
 *
 * - `'none'`: when the kernel likes, after half a minute or so, and when `sync` is called.
 * - `'each'`: before `send` returns.
 * - `items`: after so many that this producer has sent, and when it closes.
 * - `milliseconds`: when so long has passed since the first that was not, whichever call of this producer or turn of the event loop
 *   is the first then, and when it closes. A thread that blocks for longer, or ends without closing, does not keep the time.
 *
 * When the disk refuses (`'failed'`), nobody knows what is on it, and nothing more is sent, or said to be on the disk, until all have
 * closed the queue and somebody opens it anew. Who does so writes again whatever is not known to be on the disk, for the kernel may
 * have given it up: what is still in memory is saved so. What the kernel has thrown away is lost, and counted in `recovered.lost`.
 */
export type Durability = 'none' | 'each' | { readonly items?: number; readonly milliseconds?: number }

/** Runs something later, unless it is told not to; does not keep a process alive. */
export type Later = (work: () => void, ms: number) => () => void

export interface QueueOptions<T> extends WaitOptions {
  /**
   * - `'resume'` (default): goes on with the queue that is there, or makes one.
   * - `'new'`: there must be none. `'existing'`: there must be one.
   * - `'wipe'`: whatever was there is gone; nobody may have it open.
   */
  readonly mode?: LogOptions['mode']
  /** How long a file is, default 64 MiB. No item can be longer. Settled when the queue is made. */
  readonly segmentBytes?: number
  /** How many threads, of all processes together, can have it open at a time, default 64. Settled when the queue is made. */
  readonly members?: number
  /** What may wait in the queue, default: no limits but the disk's. Those of the one who sends count. */
  readonly limits?: Limits
  /** What happens to an item when there is no room for it, default `'refuse'`. */
  readonly overflow?: Overflow
  /** Default `'none'`. */
  readonly durability?: Durability
  /**
   * Whether whoever fills half of a segment also makes the file of the next one, where there is no old one to take; default true.
   * That takes the room of one more file. Otherwise it is made when a segment is full, and all who send wait for it.
   */
  readonly ahead?: boolean
  /** How many segments are kept behind the consumer, for readers; default 0. */
  readonly retain?: number
  readonly compression?: Compression
  /** How long opening waits while somebody else opens it, or makes a segment; default 30 s. */
  readonly openTimeoutMs?: number
  readonly codec: Codec<T>
  readonly checksum?: Checksum
  /** Tells this queue from others, if it is made now. */
  readonly identity?: number
  /** A name for a file that nobody else makes. */
  readonly draft: string
  /** How something is done later, for `durability: milliseconds`; default: only calls keep the time. */
  readonly later?: Later
}

/** Figures of a queue, as they were at some moment of the call. */
export interface QueueMetrics {
  /** How many items the consumer is not done with. */
  readonly depth: number
  /** How many bytes these take in the files. */
  readonly bytes: number
  /**
   * How many of these bytes are in segments in the middle, which neither the consumer nor a producer has mapped: they need no memory,
   * and are in it as long as the kernel finds room.
   */
  readonly spilled: number
  /** How many segments there are. */
  readonly segments: number
  /** How many segments behind the last one the consumer is. */
  readonly lag: number
  /**
   * How many items were dropped since somebody opened the queue while nobody had it open; with `'drop-oldest'`, of those that the
   * consumer was not done with: one that lives still gets what is in the file where it is. Exact, also when somebody dies meanwhile.
   */
  readonly dropped: number
}

const segmentBytesDefault = 64 * 2 ** 20

/** A queue as one thread sees it. */
export class Queue<T> {
  private readonly log: Log
  private readonly options: QueueOptions<T>
  private readonly packing: Packing<T>
  private readonly ends = new Set<{ close(): void }>()

  private constructor(log: Log, options: QueueOptions<T>) {
    this.log = log
    this.options = options
    this.packing = packingOf(options)
  }

  /**
   * Opens the queue of a folder. Blocking while another one opens it or makes a segment.
   *
   * Who opens it when nobody else lives brings it in order first: `recovered` says what was found.
   *
   * @throws QueueError when it cannot be opened as asked
   */
  static open<T>(folder: Folder, options: QueueOptions<T>): Queue<T> {
    const { mode = 'resume', segmentBytes = segmentBytesDefault, members = 64, checksum = crc32, identity = 1 } = options
    requireInteger('Queue: segmentBytes', segmentBytes, 4 * (recordsAt + recordHeaderWords), 4 * segmentWordsMax)
    requireInteger('Queue: members', members, 1, 1024)
    const segmentWords = segmentBytes >>> 2
    const { draft, openTimeoutMs = 30_000 } = options
    requireTimeout('Queue: openTimeoutMs', openTimeoutMs)
    const waiting = waitingOf('Queue', options)
    const log = Log.open(folder, { mode, segmentWords, members, identity, draft, checksum, openTimeoutMs, ...waiting })
    return new Queue(log, options)
  }

  /** What the one who opened it found when nobody else lived; undefined for the others. */
  get recovered(): Found | undefined {
    return this.log.found
  }

  /** The longest item in bytes, packed. */
  get lengthMax(): number {
    return this.log.lengthMax
  }

  /** A new producer. */
  producer(): Producer<T> {
    this.log.requireOpen()
    const { limits = {}, overflow = 'refuse', durability = 'none', ahead = true, later = () => () => {} } = this.options
    return this.own(new Producer(this.log, this.packing, { limits, overflow, durability, ahead, later }))
  }

  /**
   * The consumer.
   *
   * @throws QueueError `'in-use'` when there is one that lives
   */
  consumer(options: ConsumerOptions = {}): Consumer<T> {
    this.log.requireOpen()
    return this.own(new Consumer(this.log, this.packing, this.options.retain ?? 0, options))
  }

  /** A new reader, which sees what the consumer sees, and leaves no trace. */
  reader(from: ReaderStart = 'oldest'): Reader<T> {
    this.log.requireOpen()
    return this.own(new Reader(this.log, this.packing, from))
  }

  /** Returns when everything that was sent before, by whomever, is on the disk. Blocking. Calls at the same time share a flush. */
  sync(): void {
    this.log.requireOpen()
    this.log.flush()
  }

  metrics(): QueueMetrics {
    return this.log.locked(() => {
      const { control } = this.log
      const segment = this.log.lastSegment()
      const [first, last, said] = [control.first.least, control.last.least, control.consumerPlace]
      // The segment where the last consumer was may have been dropped.
      const place = said.segment < first ? { segment: first, word: recordsAt } : said
      const segmentBytes = 4 * (control.shape.segmentWords - recordsAt)
      return {
        depth: this.log.waitingBefore(control.sequence),
        bytes: (last - place.segment) * segmentBytes + 4 * (segment.tail - place.word),
        spilled: Math.max(0, last - place.segment - 1) * segmentBytes,
        segments: last - first + 1,
        lag: last - place.segment,
        dropped: control.dropped,
      }
    })
  }

  /** Closes all ends that this thread has opened. Closing twice is fine. */
  close(): void {
    try {
      for (const end of this.ends) end.close()
    } finally {
      // Who is no member any more counts as closed.
      this.ends.clear()
      this.log.close()
    }
  }

  [Symbol.dispose](): void {
    this.close()
  }

  private own<E extends { close(): void }>(end: E): E {
    this.ends.add(end)
    return end
  }
}

const compressed = 1

function packingOf<T>({ codec, compression }: QueueOptions<T>): Packing<T> {
  return {
    pack(item) {
      const bytes = codec.encode(item)
      if (compression === undefined || bytes.length < compression.threshold) return { bytes, tag: 0 }
      const shorter = compression.compress(bytes)
      return shorter.length < bytes.length ? { bytes: shorter, tag: compressed } : { bytes, tag: 0 }
    },
    unpack(bytes, tag) {
      if (tag !== compressed) return codec.decode(bytes)
      if (compression === undefined) {
        throw new QueueError('damaged', 'this item is compressed; open the queue with the compression that it was sent with')
      }
      return codec.decode(compression.decompress(bytes))
    },
  }
}

/** Items that are bytes. */
export const bytesCodec: Codec<Uint8Array> = {
  encode(item) {
    if (item instanceof Uint8Array) return item
    throw new TypeError(`Queue: expected an item to be a Uint8Array, found ${typeof item}; pass a codec for others`)
  },
  decode: (bytes) => bytes,
}
