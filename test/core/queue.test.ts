import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { type DiskQueueOptions, jsonCodec, openQueue, receiveAll, structuredCodec } from '../../core/node-queue.ts'
import type { Queue } from '../../core/queue.ts'
import { seed } from '../seed.ts'
import { canMap } from './peers.ts'

const folders: string[] = []
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-queue-'))
  folders.push(folder)
  return folder
}

/** A queue of numbers. */
function numbers(path: string, options: DiskQueueOptions<number> = {}): Queue<number> {
  return openQueue<number>(path, { segmentBytes: 4096, ...options, codec: jsonCodec as never })
}

function drain<T>({ tryReceive }: { tryReceive(): { readonly item: T } | undefined }): T[] {
  const items: T[] = []
  for (let received = tryReceive(); received !== undefined; received = tryReceive()) items.push(received.item)
  return items
}

const all = <T>(consumer: { tryReceive(): { readonly item: T } | undefined }): T[] =>
  drain({ tryReceive: () => consumer.tryReceive() })

const upTo = (n: number): number[] => [...Array(n).keys()]
const reason = (what: string) => expect.objectContaining({ name: 'QueueError', reason: what })

describe.runIf(canMap)('a queue on a disk', () => {
  it('gives back what was sent, in order, across segments', () => {
    using queue = numbers(newFolder())
    const producer = queue.producer()
    const consumer = queue.consumer()
    for (const n of upTo(1000)) expect(producer.trySend(n)).toBe('sent')
    expect(queue.metrics()).toMatchObject({ depth: 1000, dropped: 0 })
    expect(queue.metrics().segments).toBeGreaterThan(3)
    expect(all(consumer)).toEqual(upTo(1000))
    consumer.acknowledge()
    expect(queue.metrics()).toMatchObject({ depth: 0, segments: 1, lag: 0, bytes: 0 })
  })

  it('takes items of no bytes, and items that just fit', () => {
    using queue = openQueue(newFolder(), { segmentBytes: 4096 })
    const producer = queue.producer()
    const consumer = queue.consumer()
    const longest = new Uint8Array(queue.lengthMax).fill(7)
    for (const item of [new Uint8Array(0), longest, new Uint8Array(1), longest]) expect(producer.trySend(item)).toBe('sent')
    expect(all(consumer).map(({ length }) => length)).toEqual([0, longest.length, 1, longest.length])
  })

  it('refuses an item that no segment can hold, and names the limit', () => {
    using queue = openQueue(newFolder(), { segmentBytes: 4096 })
    const producer = queue.producer()
    expect(() => producer.trySend(new Uint8Array(queue.lengthMax + 1))).toThrow(reason('too-long'))
    expect(() => producer.trySend(new Uint8Array(queue.lengthMax + 1))).toThrow(`at most ${queue.lengthMax} bytes`)
    expect(queue.metrics().depth).toBe(0)
  })

  it('goes on where it stood', () => {
    const path = newFolder()
    {
      using queue = numbers(path)
      const producer = queue.producer()
      for (const n of upTo(500)) producer.trySend(n)
      const consumer = queue.consumer()
      for (const n of upTo(200)) expect(consumer.tryReceive()?.item).toBe(n)
    }
    using queue = numbers(path, { mode: 'existing' })
    expect(queue.recovered?.lost).toBe(0)
    expect(queue.metrics().depth).toBe(300)
    queue.producer().trySend(500)
    expect(all(queue.consumer())).toEqual(upTo(501).slice(200))
  })

  it('gives again what was not acknowledged', () => {
    using queue = numbers(newFolder())
    const producer = queue.producer()
    for (const n of upTo(5)) producer.trySend(n)
    const first = queue.consumer({ acknowledge: 'manual' })
    first.tryReceive()
    first.tryReceive()
    first.acknowledge()
    first.tryReceive()
    first.close()
    expect(all(queue.consumer())).toEqual([2, 3, 4])
  })

  it('has one consumer at a time', () => {
    const path = newFolder()
    using queue = numbers(path)
    using other = numbers(path)
    const consumer = queue.consumer()
    expect(() => other.consumer()).toThrow(reason('in-use'))
    consumer.close()
    expect(() => other.consumer()).not.toThrow()
  })

  it('can be looked at before it is taken', () => {
    using queue = numbers(newFolder())
    const consumer = queue.consumer()
    expect(consumer.peek()).toBeUndefined()
    queue.producer().trySend(1)
    expect([consumer.peek()?.item, consumer.peek()?.item, consumer.tryReceive()?.item]).toEqual([1, 1, 1])
  })

  it('ends after the last item of the last producer, and goes on with the next one', () => {
    using queue = numbers(newFolder())
    const consumer = queue.consumer()
    expect(consumer.ended).toBe(false)
    const [one, two] = [queue.producer(), queue.producer()]
    one.trySend(1)
    one.close()
    expect(consumer.receive()?.item).toBe(1)
    expect(consumer.ended).toBe(false)
    two.trySend(2)
    two.close()
    expect(consumer.ended).toBe(false)
    expect([consumer.receive()?.item, consumer.ended, consumer.receive()]).toEqual([2, true, undefined])
    queue.producer().trySend(3)
    expect([consumer.ended, consumer.receive()?.item]).toEqual([false, 3])
  })

  it('keeps what a producer sent that left before any consumer came', () => {
    const path = newFolder()
    {
      using queue = numbers(path)
      queue.producer().trySend(1)
    }
    using queue = numbers(path)
    const consumer = queue.consumer()
    expect([consumer.receive()?.item, consumer.receive(), consumer.ended]).toEqual([1, undefined, true])
  })

  it('refuses producers when the consumer wants no more, until there is another one', () => {
    using queue = numbers(newFolder())
    const producer = queue.producer()
    queue.consumer().cancel()
    expect(() => producer.trySend(1)).toThrow(reason('cancelled'))
    const consumer = queue.consumer()
    producer.trySend(2)
    expect(all(consumer)).toEqual([2])
  })

  it('sends batches that become visible at once', () => {
    using queue = numbers(newFolder(), { limits: { items: 700 } })
    const producer = queue.producer()
    const consumer = queue.consumer()
    expect(producer.trySendBatch(upTo(1000))).toBe(700)
    expect(consumer.tryReceiveBatch(400).map(({ item }) => item)).toEqual(upTo(400))
    expect(consumer.tryReceiveBatch(400).map(({ item }) => item)).toEqual(upTo(700).slice(400))
    expect(producer.trySendBatch(upTo(1000).slice(700))).toBe(300)
  })

  it('lets readers see everything that is kept, from where they like', () => {
    using queue = numbers(newFolder(), { retain: 1000 })
    const producer = queue.producer()
    const early = queue.reader('latest')
    for (const n of upTo(300)) producer.trySend(n)
    expect(all(queue.consumer())).toEqual(upTo(300))
    const reader = queue.reader()
    const read = (one: typeof reader): number[] => drain({ tryReceive: () => one.tryRead() })
    const first = upTo(100).map(() => reader.tryRead()?.item)
    const again = queue.reader(reader.place)
    expect([first, read(reader), read(again), read(early), read(queue.reader('latest'))]).toEqual([
      upTo(100),
      upTo(300).slice(100),
      upTo(300).slice(100),
      upTo(300),
      [],
    ])
    expect(() => queue.reader({ segment: 99, byte: 512 })).toThrow(reason('retired'))
    expect(() => queue.reader({ segment: 1, byte: 3 })).toThrow(RangeError)
  })

  it('tells a reader that is slower than the consumer how many items it has missed', () => {
    using queue = numbers(newFolder())
    const producer = queue.producer()
    const consumer = queue.consumer()
    const reader = queue.reader()
    for (const n of upTo(1000)) producer.trySend(n)
    all(consumer)
    consumer.acknowledge()
    const read = drain({ tryReceive: () => reader.tryRead() })
    expect(read.length + reader.lost).toBe(1000)
    expect(reader.lost).toBeGreaterThan(500)
    expect(read).toEqual([
      ...upTo(1000)
        .slice(0, 154 - 10)
        .slice(0, 0),
      ...read,
    ])
    const gap = read.findIndex((n, i) => i > 0 && n !== (read[i - 1] as number) + 1)
    expect([read[0], read.at(-1), (read[gap] as number) - (read[gap - 1] as number) - 1]).toEqual([0, 999, reader.lost])
  })

  describe('that is full', () => {
    const cases: [string, DiskQueueOptions<number>['limits'] & object, number][] = [
      ['of items', { items: 3 }, 3],
      // A record of a small number has four words and one more.
      ['of bytes', { bytes: 60 }, 3],
      ['of segments', { segments: 1 }, Math.floor((4096 - 512) / 20)],
    ]

    it.each(cases)('%s says so, keeps what it has, and goes on when there is room', (_, limits, room) => {
      using queue = numbers(newFolder(), { limits })
      const producer = queue.producer()
      const consumer = queue.consumer()
      const sent = upTo(room + 2).map(() => producer.trySend(1))
      expect(sent).toEqual([...Array(room).fill('sent'), 'full', 'full'])
      expect(producer.send(1, 5)).toBe('full')
      expect(all(consumer)).toEqual(Array(room).fill(1))
    })

    it('of items goes on with the next ones', () => {
      using queue = numbers(newFolder(), { limits: { items: 2 } })
      const producer = queue.producer()
      const consumer = queue.consumer()
      const received: number[] = []
      let next = 0
      while (received.length < 2000) {
        while (producer.trySend(next) === 'sent') next++
        received.push(...consumer.tryReceiveBatch(2).map(({ item }) => item))
        consumer.acknowledge()
      }
      expect(received).toEqual(upTo(2000))
    })

    it('drops the newest if asked to', () => {
      using queue = numbers(newFolder(), { limits: { items: 2 }, overflow: 'drop-newest' })
      const producer = queue.producer()
      expect(upTo(4).map((n) => producer.trySend(n))).toEqual(['sent', 'sent', 'dropped', 'dropped'])
      expect(queue.metrics()).toMatchObject({ depth: 2, dropped: 2 })
      expect(all(queue.consumer())).toEqual([0, 1])
    })

    it('drops the oldest segment if asked to, and the consumer learns how many it has missed', () => {
      using queue = numbers(newFolder(), { limits: { segments: 2 }, overflow: 'drop-oldest' })
      const producer = queue.producer()
      for (const n of upTo(1000)) expect(producer.trySend(n)).toBe('sent')
      expect(queue.metrics().segments).toBe(2)
      const received = all(queue.consumer())
      expect(received).toEqual(upTo(1000).slice(1000 - received.length))
    })

    it('drops it also while the consumer is in it', () => {
      using queue = numbers(newFolder(), { limits: { segments: 2 }, overflow: 'drop-oldest' })
      const producer = queue.producer()
      producer.trySend(0)
      const consumer = queue.consumer()
      expect(consumer.tryReceive()?.item).toBe(0)
      for (const n of upTo(1000).slice(1)) expect(producer.trySend(n)).toBe('sent')
      const received = all(consumer)
      expect(received.length + consumer.lost).toBe(999)
      expect(received.at(-1)).toBe(999)
    })
  })

  describe('opened', () => {
    it('must not be there, or must', () => {
      const path = newFolder()
      expect(() => numbers(path, { mode: 'existing' })).toThrow(reason('missing'))
      numbers(path, { mode: 'new' }).close()
      expect(() => numbers(path, { mode: 'new' })).toThrow(reason('exists'))
    })

    it('can be wiped, but not while somebody has it open', () => {
      const path = newFolder()
      {
        using queue = numbers(path)
        queue.producer().trySend(1)
        expect(() => numbers(path, { mode: 'wipe' })).toThrow(reason('in-use'))
      }
      using queue = numbers(path, { mode: 'wipe' })
      expect([queue.metrics().depth, all(queue.consumer())]).toEqual([0, []])
    })

    it('refuses a folder with other files', () => {
      const path = newFolder()
      writeFileSync(join(path, 'notes.txt'), '')
      expect(() => numbers(path)).toThrow(reason('foreign'))
      expect(() => numbers(path)).toThrow("'notes.txt'")
    })

    it('takes away what creators left that died', () => {
      const path = newFolder()
      numbers(path).close()
      writeFileSync(join(path, '1-abc.draft'), '')
      writeFileSync(join(path, '.heddle-1-abc'), '')
      numbers(path).close()
      expect(readdirSync(path).sort()).toEqual(['0000000001.segment', 'control'])
    })

    it('says which segment is missing, and whether the control file is', () => {
      const path = newFolder()
      {
        using queue = numbers(path)
        const producer = queue.producer()
        for (const n of upTo(500)) producer.trySend(n)
      }
      rmSync(join(path, '0000000002.segment'))
      expect(() => numbers(path)).toThrow(reason('missing'))
      expect(() => numbers(path)).toThrow('segment 2 is gone')
      rmSync(join(path, 'control'))
      expect(() => numbers(path)).toThrow(reason('damaged'))
    })

    it('by more than it has room for is refused', () => {
      const path = newFolder()
      using one = numbers(path, { members: 1 })
      expect(() => numbers(path)).toThrow('all its 1 members are there')
      one.producer().trySend(7)
      expect(one.consumer().receive()?.item).toBe(7)
      expect(one.metrics().depth).toBe(1)
    })
  })

  it('refuses to be used when it is closed', () => {
    const queue = numbers(newFolder())
    const [producer, consumer, reader] = [queue.producer(), queue.consumer(), queue.reader()]
    for (const end of [producer, consumer, reader]) {
      end.close()
      end.close()
    }
    expect(() => producer.trySend(1)).toThrow(reason('closed'))
    expect(() => consumer.tryReceive()).toThrow(reason('closed'))
    expect(() => reader.tryRead()).toThrow(reason('closed'))
    queue.close()
    queue.close()
    expect(() => queue.producer()).toThrow(reason('closed'))
  })

  it('brings what was sent to the disk', () => {
    for (const durability of ['each', { items: 3 }] as const) {
      using queue = numbers(newFolder(), { durability })
      const producer = queue.producer()
      for (const n of upTo(400)) producer.trySend(n)
      producer.sync()
      queue.sync()
      const consumer = queue.consumer()
      expect(all(consumer)).toEqual(upTo(400))
      consumer.sync()
    }
  })

  it('carries what structured cloning can, compressed where that is shorter', () => {
    const items = [new Map([[1, { a: 'x'.repeat(5000) }]]), 'short', [Uint8Array.of(1, 2, 3)], undefined]
    using queue = openQueue<unknown>(newFolder(), { codec: structuredCodec, compressFrom: 100 })
    const producer = queue.producer()
    for (const item of items) producer.trySend(item)
    expect(queue.metrics().bytes).toBeLessThan(400)
    expect(all(queue.consumer())).toEqual(items)
  })

  it('is an async iterable that leaves the event loop free and ends with the stream', async () => {
    using queue = numbers(newFolder())
    const producer = queue.producer()
    let turns = 0
    const timer = setInterval(() => {
      if (++turns <= 5) producer.trySend(turns)
      if (turns === 5) producer.close()
    }, 1)
    const received: number[] = []
    for await (const { item } of receiveAll(queue.consumer())) received.push(item)
    clearInterval(timer)
    expect(received).toEqual([1, 2, 3, 4, 5])
  })

  it('can be left by a signal', async () => {
    using queue = numbers(newFolder())
    const controller = new AbortController()
    const waiting = receiveAll(queue.consumer(), { signal: controller.signal }).next()
    setTimeout(() => controller.abort(), 5)
    await expect(waiting).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }))
  })
})

/** After hopper's tests `round_trip` and `single_sender_single_rcv_round_trip`. */
describe.runIf(canMap)(`a queue of any shape (HEDDLE_SEED=${seed})`, () => {
  const command = fc.oneof(
    { weight: 6, arbitrary: fc.record({ does: fc.constant('send' as const), bytes: fc.integer({ min: 0, max: 200 }) }) },
    { weight: 4, arbitrary: fc.record({ does: fc.constant('receive' as const), most: fc.integer({ min: 1, max: 9 }) }) },
    { weight: 1, arbitrary: fc.constant({ does: 'acknowledge' as const }) },
    { weight: 1, arbitrary: fc.constant({ does: 'sync' as const }) },
    { weight: 1, arbitrary: fc.constant({ does: 'reopen' as const }) },
    { weight: 1, arbitrary: fc.constant({ does: 'consumer' as const }) },
  )

  it('does what a list does', () => {
    const property = fc.property(
      fc.array(command, { maxLength: 120 }),
      fc.record({ segmentBytes: fc.integer({ min: 800, max: 3000 }), items: fc.integer({ min: 1, max: 40 }) }),
      (commands, { segmentBytes, items }) => {
        const path = newFolder()
        const options = { segmentBytes, limits: { items } }
        let queue = openQueue(path, options)
        let producer = queue.producer()
        let consumer = queue.consumer({ acknowledge: 'manual' })
        let acknowledged = 0
        let received = 0
        const sent: Uint8Array[] = []
        const reopen = (): void => {
          received = acknowledged
          consumer = queue.consumer({ acknowledge: 'manual' })
        }
        for (const { does, ...one } of commands) {
          if (does === 'send') {
            const item = new Uint8Array((one as { bytes: number }).bytes).fill(sent.length)
            const isFull = sent.length - acknowledged >= items
            expect(producer.trySend(item)).toBe(isFull ? 'full' : 'sent')
            if (!isFull) sent.push(item)
          } else if (does === 'receive') {
            const { most } = one as { most: number }
            const batch = consumer.tryReceiveBatch(most).map(({ item }) => item)
            expect(batch).toEqual(sent.slice(received, received + most))
            received += batch.length
          } else if (does === 'acknowledge') {
            consumer.acknowledge()
            acknowledged = received
          } else if (does === 'sync') queue.sync()
          else if (does === 'consumer') {
            consumer.close()
            reopen()
          } else {
            queue.close()
            queue = openQueue(path, options)
            producer = queue.producer()
            reopen()
          }
          expect(queue.metrics().depth).toBe(sent.length - acknowledged)
        }
        expect(all(consumer)).toEqual(sent.slice(received))
        queue.close()
        rmSync(path, { recursive: true })
      },
    )
    fc.assert(property, { numRuns: 15, seed })
  })
})
