import { describe, expect, it } from 'vitest'
import { stressLossyRing } from './lossy-ring-stress.ts'
import { stressRecordRing, stressRecordRingOnLoop } from './record-ring-stress.ts'
import { stressRing, stressRingWithVisitor } from './ring-stress.ts'
import { inThreads } from './stress.ts'
import { stressWorkRing } from './work-ring-stress.ts'

/** The structures on shared memory, between threads that run at the same time: what comes out at the other end is checked there. */

describe('a ring between threads', () => {
  it.each([
    { capacity: 1, itemBytes: 4, readers: 1, items: 3000, batch: 0, spins: 0 },
    { capacity: 2, itemBytes: 4, readers: 2, items: 3000, batch: 0, spins: 0 },
    { capacity: 64, itemBytes: 40, readers: 2, items: 100_000, batch: 0, spins: 200 },
    { capacity: 64, itemBytes: 13, readers: 2, items: 100_000, batch: 50, spins: 200 },
    { capacity: 8, itemBytes: 4, readers: 1, items: 50_000, batch: 20, spins: 0, start: 2 ** 31 - 20_000 },
  ])('takes everything from one to others: $capacity slots, $readers readers, batches of $batch', async (shape) => {
    await expect(stressRing(inThreads, shape)).resolves.toBeUndefined()
  })

  it('goes on while a reader comes and goes again and again, and another one stands behind two', async () => {
    const shape = { capacity: 16, itemBytes: 13, items: 30_000, batch: 0, spins: 200 }
    await expect(stressRingWithVisitor(inThreads, shape)).resolves.toBeUndefined()
  })
})

describe('a work ring between threads', () => {
  it.each([
    { capacity: 1, itemBytes: 4, pushers: 1, poppers: 1, items: 3000, spins: 0 },
    { capacity: 2, itemBytes: 40, pushers: 2, poppers: 2, items: 3000, spins: 0 },
    { capacity: 64, itemBytes: 13, pushers: 3, poppers: 2, items: 50_000, spins: 200, start: 2 ** 29 - 70_000 },
    { capacity: 1, itemBytes: 4, pushers: 1, poppers: 1, items: 1000, spins: 0, batch: 4 },
    { capacity: 16, itemBytes: 13, pushers: 2, poppers: 2, items: 49_000, spins: 200, start: 2 ** 29 - 70_000, batch: 7 },
  ])('gives each item to one: $pushers push and $poppers pop through $capacity slots ($batch)', async (shape) => {
    await expect(stressWorkRing(inThreads, shape)).resolves.toBeUndefined()
  })
})

describe('a record ring between threads', () => {
  const shapes = [
    { bytes: 64, sinks: 1, records: 2000, spins: 0 },
    { bytes: 512, sinks: 3, records: 3000, spins: 0 },
    { bytes: 4096, sinks: 2, records: 10_000, spins: 200, start: 2 ** 30 - 1000 },
  ]

  it.each(shapes)('takes all records of $sinks sinks through $bytes bytes to a source that sleeps', async (shape) => {
    await expect(stressRecordRing(inThreads, shape)).resolves.toBeUndefined()
  })

  it.each(shapes)('takes all records of $sinks sinks through $bytes bytes to an event loop', async (shape) => {
    await expect(stressRecordRingOnLoop(inThreads, shape)).resolves.toBeUndefined()
  })
})

describe('a lossy ring between threads', () => {
  it.each([
    { capacity: 1, itemBytes: 4096, items: 5000, batch: 0, start: 0 },
    { capacity: 2, itemBytes: 45, items: 30_000, batch: 0, start: 0 },
    { capacity: 64, itemBytes: 13, items: 60_000, batch: 50, start: 0 },
    { capacity: 8, itemBytes: 4, items: 30_000, batch: 5, start: 2 ** 30 - 10_000 },
  ])('tears nothing and counts all, whether a reader is fast or slow: $capacity slots', async (shape) => {
    const [, slow] = await stressLossyRing(inThreads, { ...shape, naps: [0, 1] })
    // One that sleeps between any two reads reads but few of so many.
    expect(slow?.lost).toBeGreaterThan(0)
  })
})
