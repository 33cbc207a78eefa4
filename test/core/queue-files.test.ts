import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { openQueue } from '../../core/node-queue.ts'
import { canMap } from './peers.ts'

/** Which files a queue on a disk is made of, and what becomes of them. */

const folder = mkdtempSync(join(tmpdir(), 'heddle-queue-files-'))
let count = 0
const newPath = (): string => join(folder, `queue-${count++}`)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const item = new Uint8Array(1000)
const segmentBytes = 4096
/** Items that fit into a segment. */
const itemsOfSegment = 3
const inode = (path: string, segment: number): number => statSync(join(path, `000000000${segment}.segment`)).ino

describe.runIf(canMap)('the files of a queue', () => {
  it('a segment that the consumer is done with becomes the next one but one', () => {
    const path = newPath()
    using queue = openQueue(path, { segmentBytes })
    const producer = queue.producer()
    const consumer = queue.consumer()
    const inodes: number[] = []
    for (let segment = 1; segment <= 6; segment++) {
      for (let n = 0; n < itemsOfSegment; n++) {
        expect(producer.trySend(item.fill(10 * segment + n))).toBe('sent')
        expect(consumer.tryReceive()?.item).toEqual(item)
      }
      consumer.acknowledge()
      inodes.push(inode(path, segment))
    }
    expect(new Set(inodes).size).toBe(2)
    expect(inodes.slice(2)).toEqual(inodes.slice(0, 4))
    expect(queue.metrics()).toMatchObject({ segments: 1, depth: 0 })
  })

  it('one that somebody reads is left to the reader, who finds in it what was there', () => {
    const path = newPath()
    using queue = openQueue(path, { segmentBytes })
    using other = openQueue(path)
    const producer = queue.producer()
    const consumer = queue.consumer()
    const reader = other.reader()
    producer.trySend(item.fill(0))
    expect(reader.tryRead()?.item[0]).toBe(0)
    const first = inode(path, 1)
    const inodes: number[] = []
    for (let n = 1; n < 5 * itemsOfSegment; n++) {
      producer.trySend(item.fill(n))
      consumer.tryReceive()
      inodes.push(inode(path, 1 + Math.floor(n / itemsOfSegment)))
    }
    expect(inodes.slice(itemsOfSegment)).not.toContain(first)
    expect([reader.tryRead()?.item[0], reader.tryRead()?.item[0], reader.lost]).toEqual([1, 2, 0])
    const next = reader.tryRead()
    expect(next?.item[0]).toBe(3 + reader.lost)
    expect(reader.lost).toBeGreaterThan(0)
  })

  it('what a crash leaves of them is not taken for records, whatever has been in them', () => {
    const path = newPath()
    {
      using queue = openQueue(path, { segmentBytes })
      const [producer, consumer] = [queue.producer(), queue.consumer()]
      for (let n = 0; n < 4 * itemsOfSegment + 1; n++) {
        producer.trySend(item.fill(n))
        consumer.tryReceive()
      }
    }
    using queue = openQueue(path)
    expect(queue.recovered).toMatchObject({ segment: 5, lost: 0 })
    expect(queue.consumer().tryReceive()).toBeUndefined()
    expect(existsSync(join(path, 'spare'))).toBe(false)
  })

  it('the next one is made when a segment is half full, and becomes the next segment', () => {
    const path = newPath()
    const spare = join(path, 'spare')
    {
      using queue = openQueue(path, { segmentBytes })
      const producer = queue.producer()
      producer.trySend(item)
      expect(existsSync(spare)).toBe(false)
      producer.trySend(item)
      const made = statSync(spare).ino
      producer.trySend(item)
      expect(queue.metrics().segments).toBe(1)
      producer.trySend(item)
      expect([inode(path, 2), existsSync(spare)]).toEqual([made, false])
      producer.trySend(item)
      expect(existsSync(spare)).toBe(true)
    }
    using queue = openQueue(path)
    expect(existsSync(spare)).toBe(false)
    expect(queue.metrics()).toMatchObject({ depth: 5, segments: 2 })
  })

  it.each([{ ahead: false }, { limits: { segments: 1 } }])('none is made ahead with %o', (options) => {
    const path = newPath()
    using queue = openQueue(path, { segmentBytes, ...options })
    for (let n = 0; n < itemsOfSegment; n++) expect(queue.producer().trySend(item)).toBe('sent')
    expect(readdirSync(path).sort()).toEqual(['0000000001.segment', 'control'])
  })

  it('one that somebody has cut while it was mapped is not opened again', () => {
    const path = newPath()
    using queue = openQueue(path, { segmentBytes })
    using reading = queue.reader()
    queue.producer().trySend(item)
    expect(reading.tryRead()?.item).toEqual(item)
    const file = join(path, '0000000001.segment')
    truncateSync(file, statSync(file).size - 1)
    expect(() => queue.reader()).toThrow('somebody has cut it')
    truncateSync(file, statSync(file).size + 1)
  })

  it('stay in their folder when that gets another name, and touch nothing in the one that gets its name', () => {
    const [path, elsewhere] = [newPath(), newPath()]
    const received: number[] = []
    using queue = openQueue(path, { segmentBytes })
    const [producer, consumer] = [queue.producer(), queue.consumer()]
    const goOn = (from: number, to: number): void => {
      for (let n = from; n < to; n++) {
        producer.trySend(item.fill(n))
        if (n % 2 === 0) received.push(consumer.tryReceive()?.item[0] as number)
      }
      producer.sync()
    }
    goOn(0, 4 * itemsOfSegment)
    renameSync(path, elsewhere)
    using other = openQueue(path, { segmentBytes })
    for (let n = 0; n < 9 * itemsOfSegment; n++) other.producer().trySend(item.fill(100 + n))
    const names = readdirSync(path)
    goOn(4 * itemsOfSegment, 8 * itemsOfSegment)
    expect(readdirSync(path)).toEqual(names)
    expect(other.consumer().tryReceive()?.item[0]).toBe(100)
    queue.close()
    using again = openQueue(elsewhere)
    const rest = again.consumer()
    for (let next = rest.tryReceive(); next !== undefined; next = rest.tryReceive()) received.push(next.item[0] as number)
    expect([again.recovered?.lost, received]).toEqual([0, Array.from({ length: 8 * itemsOfSegment }, (_, n) => n)])
  })

  it('no more stay than there are segments, the control file and one to spare', () => {
    const path = newPath()
    using queue = openQueue(path, { segmentBytes })
    const [producer, consumer] = [queue.producer(), queue.consumer()]
    for (let n = 0; n < 9 * itemsOfSegment; n++) producer.trySend(item)
    expect(readdirSync(path)).toHaveLength(11)
    while (consumer.tryReceive() !== undefined);
    expect(readdirSync(path).sort()).toEqual(['0000000009.segment', 'control', 'spare'])
  })
})
