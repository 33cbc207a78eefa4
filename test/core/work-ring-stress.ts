import type { Memory } from '../../core/memory.ts'
import { SharedMemory } from '../../core/shared-memory.ts'
import { WorkRing, type WorkRingOptions } from '../../core/work-ring.ts'
import { readNumber, writeNumber } from './numbered.ts'
import type { Job, Threads, Twin } from './stress-thread.ts'

export interface WorkRingShape extends WorkRingOptions {
  readonly pushers: number
  readonly poppers: number
  /** Of each that pushes. */
  readonly items: number
  readonly batch?: number
  readonly spins: number
}

interface WorkRingJob extends WorkRingShape {
  readonly number: number
  /** How often each item came. */
  readonly came: SharedArrayBuffer
  /** Of those who push, how many are done: the last one closes the ring. */
  readonly done: SharedArrayBuffer
}

/** What a thread does with a work ring. Who pushes has the numbers from `number * items` on. */
export const workRingRoles = {
  pusher(memory: Memory, { number, items, pushers, batch = 1, spins, done }: WorkRingJob): void {
    const ring = WorkRing.attach(memory, 0, { spins })
    const { itemBytes } = ring
    const bytes = new Uint8Array(batch * itemBytes)
    for (let i = 0; i < items; i += batch) {
      for (let k = 0; k < batch; k++) writeNumber(bytes.subarray(k * itemBytes, (k + 1) * itemBytes), number * items + i + k)
      const pushed = batch === 1 ? Number(ring.push(bytes)) : ring.pushBatch(bytes)
      if (pushed < batch) throw new Error(`of ${batch} items ${pushed} were pushed`)
    }
    if (Atomics.add(new Int32Array(done), 0, 1) === pushers - 1) ring.close()
  },

  popper(memory: Memory, { items, pushers, batch = 1, spins, came }: WorkRingJob): void {
    const ring = WorkRing.attach(memory, 0, { spins })
    const { itemBytes } = ring
    const times = new Uint8Array(came)
    const bytes = new Uint8Array(batch * itemBytes)
    const latest = Array<number>(pushers).fill(-1)
    for (let got = 1; got > 0; ) {
      got = batch === 1 ? Number(ring.pop(bytes)) : ring.popBatch(bytes)
      for (let k = 0; k < got; k++) {
        const n = readNumber(bytes.subarray(k * itemBytes, (k + 1) * itemBytes))
        if (Atomics.add(times, n, 1) !== 0) throw new Error(`item ${n} came twice`)
        const pusher = Math.floor(n / items)
        const before = latest[pusher] as number
        if (n < before) throw new Error(`item ${n} came after item ${before} of the same thread`)
        latest[pusher] = n
      }
    }
  },
}

/** Some threads push and some pop: each item comes once, whole, and those of one thread in their order. */
export async function stressWorkRing(threads: Threads, shape: WorkRingShape, twin?: Twin): Promise<void> {
  const { pushers, poppers, items } = shape
  const memory = new SharedMemory(WorkRing.words(shape))
  WorkRing.create(memory, shape)
  const [came, done] = [new SharedArrayBuffer(pushers * items), new SharedArrayBuffer(4)]
  const job = (role: keyof typeof workRingRoles, number: number): Job => ({
    structure: 'workRing',
    role,
    thread: role,
    buffer: memory.buffer as SharedArrayBuffer,
    data: { ...shape, number, came, done },
  })
  const all = [
    ...Array.from({ length: pushers }, (_, number) => job('pusher', number)),
    ...Array.from({ length: poppers }, (_, number) => job('popper', number)),
  ]
  await threads(all, twin)
  const lost = new Uint8Array(came).indexOf(0)
  if (lost >= 0) throw new Error(`item ${lost} never came`)
}
