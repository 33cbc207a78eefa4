import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openQueue } from '../../core/node-queue.ts'
import { canMap } from './peers.ts'

/** Short ones, which come out of a slab, and long ones, which do not. */
const lengths = [5, 0, 300, 9000, 8192, 100_000, 8193, 64, 20_000, 8000, 8000, 8000, 8000, 8000, 8000, 8000, 8000, 8000]

/** An item, of which each byte says which one it is. */
const itemOf = (length: number, i: number): Uint8Array => new Uint8Array(length).fill(i + 1)
const isItem = (item: Uint8Array, length: number, i: number): boolean => Buffer.compare(item, itemOf(length, i)) === 0

describe.runIf(canMap)('the bytes of an item', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'heddle-lent-'))
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  it('are there until the next item comes where they are lent, and new memory is made for none but the longest so far', () => {
    using queue = openQueue(join(folder, 'lent'))
    const [producer, consumer] = [queue.producer(), queue.consumer({ lend: true })]
    const buffers = new Set<ArrayBufferLike>()
    for (const [i, length] of [...lengths, ...lengths].entries()) {
      producer.send(itemOf(length, i))
      expect(isItem(consumer.peek()!.item, length, i)).toBe(true)
      const { item } = consumer.receive()!
      expect(isItem(item, length, i)).toBe(true)
      buffers.add(item.buffer)
    }
    // A slab, 9000 bytes, 100,000.
    expect(buffers.size).toBe(3)
  })

  it('are those of all items of a batch, lent or not', () => {
    using queue = openQueue(join(folder, 'batch'))
    const [producer, consumer] = [queue.producer(), queue.consumer({ lend: true })]
    expect(producer.trySendBatch(lengths.map(itemOf))).toBe(lengths.length)
    const batch = consumer.tryReceiveBatch(100)
    expect(batch.map(({ item }, i) => isItem(item, lengths[i], i))).toEqual(lengths.map(() => true))
  })

  it.each([false, true])('may be given away to another thread: lent, %s', (lend) => {
    using queue = openQueue(join(folder, `away-${lend}`))
    const [producer, consumer] = [queue.producer(), queue.consumer({ lend })]
    for (const [i, length] of lengths.entries()) producer.send(itemOf(length, i))
    for (const [i, length] of lengths.entries()) {
      const { buffer, byteOffset } = consumer.receive()!.item as Uint8Array<ArrayBuffer>
      const away = structuredClone(buffer, { transfer: [buffer] })
      expect(buffer.byteLength).toBe(0)
      expect(isItem(new Uint8Array(away, byteOffset, length), length, i)).toBe(true)
    }
  })
})
