/**
 * A queue on a disk, one process: items sent and received by turns in batches of a segment or less, beside a file that is
 * appended to and nothing else. Figures are medians of some rounds; run it alone, on an idle machine.
 *
 *     npx tsx test/bench/queue.ts [FOLDER]
 */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openQueue } from '../../core/node-queue.ts'
import type { Durability } from '../../core/queue.ts'

const folder = mkdtempSync(join(process.argv[2] ?? tmpdir(), 'heddle-bench-'))
const rounds = 3

function seconds(work: () => void): number {
  const start = performance.now()
  work()
  return (performance.now() - start) / 1000
}

function median(numbers: number[]): number {
  return numbers.sort((a, b) => a - b)[numbers.length >> 1] as number
}

function show(what: string, bytes: number, items: number, taken: number[]): void {
  const time = median(taken)
  const [each, rate] = [items / time, (items * bytes) / time / 1e6]
  console.info(
    `${what.padEnd(42)} ${bytes.toString().padStart(8)} B ${each.toFixed(0).padStart(10)}/s ${rate.toFixed(1).padStart(9)} MB/s`,
  )
}

function queue(durability: Durability, bytes: number, items: number, batch: number): void {
  const sending: number[] = []
  const receiving: number[] = []
  for (let round = 0; round < rounds; round++) {
    const path = join(folder, 'queue')
    const disk = openQueue(path, { durability })
    const producer = disk.producer()
    const consumer = disk.consumer()
    const item = new Uint8Array(bytes).fill(7)
    const some = Array<Uint8Array>(batch).fill(item)
    sending.push(
      seconds(() => {
        if (batch === 1) for (let i = 0; i < items; i++) producer.trySend(item)
        else for (let i = 0; i < items; i += batch) producer.trySendBatch(some)
      }),
    )
    receiving.push(
      seconds(() => {
        for (let left = items; left > 0; ) left -= consumer.tryReceiveBatch(Math.max(batch, 64)).length
      }),
    )
    disk.close()
    rmSync(path, { recursive: true })
  }
  const name = `queue, ${typeof durability === 'string' ? durability : `synced every ${durability.items}`}`
  show(`${name}, sending ${batch === 1 ? 'one by one' : `${batch} at once`}`, bytes, items, sending)
  show(`${name}, receiving`, bytes, items, receiving)
}

function plainFile(every: number, bytes: number, items: number): void {
  const taken: number[] = []
  for (let round = 0; round < rounds; round++) {
    const fd = openSync(join(folder, 'plain'), 'w')
    const item = new Uint8Array(bytes).fill(7)
    taken.push(
      seconds(() => {
        for (let i = 1; i <= items; i++) {
          writeSync(fd, item)
          if (i % every === 0) fdatasyncSync(fd)
        }
      }),
    )
    closeSync(fd)
  }
  show(every === Infinity ? 'plain file, one write each' : `plain file, fdatasync every ${every}`, bytes, items, taken)
}

try {
  for (const [bytes, items] of [
    [8, 100_000],
    [64, 100_000],
    [4096, 20_000],
    [2 ** 21, 50],
  ] as const) {
    queue('none', bytes, items, 1)
    if (bytes <= 4096) queue('none', bytes, items, 100)
    plainFile(Infinity, bytes, items)
  }
  queue('each', 64, 300, 1)
  queue({ items: 100 }, 64, 10_000, 1)
  plainFile(1, 64, 300)
  plainFile(100, 64, 10_000)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
