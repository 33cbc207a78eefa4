/** One thread of a program under stress, in a worker of its own that stays for many rounds. */
import { parentPort, workerData } from 'node:worker_threads'
import { lineWords } from '../core/layout.ts'
import type { Memory } from '../core/memory.ts'
import { SharedMemory } from '../core/shared-memory.ts'
import type { Mark } from '../model/program.ts'
import { oneLine } from './node-input-error.ts'
import { loadChecks } from './node-load.ts'
import { threadData } from './node-thread.ts'
import { Dice, dawdle, WatchedMemory } from './stress.ts'

/** Where the instances of the memory lie, and where the threads meet. */
export interface Arena {
  readonly threads: number
  /** Words of one instance. */
  readonly words: number
  /** Rounds of a batch, at most. There are two batches' worth of instances: one is judged while the other runs. */
  readonly capacity: number
  /** From one instance to the next, in bytes. */
  readonly stride: number
  readonly instances: SharedArrayBuffer
  /** Lines of words: one for each thread (odd while it is in the program), then one for each round: how many have arrived, and are awake. */
  readonly control: SharedArrayBuffer
}

/** The instance of round `round` of batch `slot` (0 or 1). */
export function instance(arena: Arena, slot: number, round: number): SharedMemory {
  return new SharedMemory(arena.instances, (slot * arena.capacity + round) * arena.stride, arena.words)
}

/** The word of `control` that counts who has arrived; the one behind it counts who is awake. */
export function arrivalsAt(arena: Arena, slot: number, round: number): number {
  return (arena.threads + slot * arena.capacity + round) * lineWords
}

/** How a batch runs: as in production; counted; or counted and disturbed. */
export type Mode = 'plain' | 'counted' | 'disturbed'

export type StressOrder =
  | { readonly kind: 'program'; readonly index: number; readonly thread: string; readonly arena: Arena }
  | { readonly kind: 'batch'; readonly slot: number; readonly rounds: number; readonly mode: Mode }

export type StressAnswer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'finished'; readonly results: readonly unknown[]; readonly operations: number }
  | { readonly kind: 'thrown'; readonly message: string }

interface Role {
  readonly arena: Arena
  readonly control: Int32Array
  /** Its own word of `control`. */
  readonly own: number
  readonly instances: readonly (readonly SharedMemory[])[]
  body(memory: Memory, mark: Mark): unknown
}

const noMark: Mark = () => {}
const dice = new Dice(Math.floor(Math.random() * 2 ** 31))
/** Turns of a loop before a thread that waits for others goes to sleep, and again before it does not wait for them to wake. */
const spins = 2000

/**
 * Waits until all threads stand before the round: spins, because the others are near, then sleeps. Who slept takes long to
 * wake, and the others would be through by then: so all say that they are awake, and wait for that a little.
 */
function meet(control: Int32Array, at: number, threads: number): void {
  if (Atomics.add(control, at, 1) === threads - 1) {
    Atomics.notify(control, at)
  } else {
    let here = 0
    for (let i = 0; i < spins && here !== threads; i++) here = Atomics.load(control, at)
    // Only the last one notifies. Whoever counts in between makes `wait` return at once or leaves the sleepers to the last.
    for (; here < threads; here = Atomics.load(control, at)) Atomics.wait(control, at, here)
  }
  Atomics.add(control, at + 1, 1)
  for (let i = 0; i < spins * 5 && Atomics.load(control, at + 1) !== threads; i++);
}

async function take(order: StressOrder & { kind: 'program' }): Promise<Role> {
  const { arena, index, thread } = order
  const checks = await loadChecks([threadData<{ file: string }>(workerData).file])
  const { program } = checks[index].check
  const instances = [0, 1].map((slot) => Array.from({ length: arena.capacity }, (_, round) => instance(arena, slot, round)))
  const own = Object.keys(program.threads).indexOf(thread) * lineWords
  return { arena, control: new Int32Array(arena.control), own, instances, body: program.threads[thread] }
}

function runBatch(
  { arena, control, own, instances, body }: Role,
  { slot, rounds, mode }: StressOrder & { kind: 'batch' },
): StressAnswer {
  const results: unknown[] = []
  let operations = 0
  const disturbance = mode === 'disturbed' ? dice : undefined
  for (let round = 0; round < rounds; round++) {
    const memory = instances[slot][round]
    meet(control, arrivalsAt(arena, slot, round), arena.threads)
    // Mostly close together, sometimes far apart: up to some microseconds.
    if (dice.below(4) !== 0) dawdle(dice.below(2 << dice.below(12)))
    Atomics.add(control, own, 1)
    if (mode === 'plain') {
      results.push(body(memory, noMark))
    } else {
      const watched = new WatchedMemory(memory, disturbance)
      results.push(body(watched, noMark))
      operations += watched.operations
    }
    Atomics.add(control, own, 1)
  }
  return { kind: 'finished', results, operations }
}

let role: Role | undefined

async function obey(order: StressOrder): Promise<StressAnswer> {
  if (order.kind === 'program') {
    role = await take(order)
    return { kind: 'ready' }
  }
  try {
    return runBatch(role as Role, order)
  } catch (error) {
    return { kind: 'thrown', message: oneLine(error) }
  }
}

parentPort?.on('message', async (order: StressOrder) => {
  parentPort?.postMessage(await obey(order))
})
