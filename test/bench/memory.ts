/**
 * What an operation on `SharedMemory` costs beside the bare `Atomics` and typed arrays underneath, one thread.
 *
 *   npx tsx test/bench/memory.ts
 */

import { bench, do_not_optimize, group, run, summary } from 'mitata'
import { SharedMemory } from '../../core/index.ts'

const memory = new SharedMemory(1024)
const words = new Int32Array(memory.buffer)
const bytes = new Uint8Array(memory.buffer)

/** Words in turn, so that no access can be moved out of the measuring loop. */
let turn = 0
const next = (): number => {
  turn = (turn + 1) & 1023
  return turn
}

/** Both functions are passed as they are: one more call between would be seen from many places and cost what it measures. */
function compare(name: string, ours: () => unknown, bare: () => unknown): void {
  group(name, () => {
    summary(() => {
      bench(`Memory: ${name}`, ours)
      bench(`bare: ${name}`, bare).baseline(true)
    })
  })
}

compare(
  'load',
  () => do_not_optimize(memory.load(next())),
  () => do_not_optimize(Atomics.load(words, next())),
)
compare(
  'store',
  () => memory.store(next(), 7),
  () => Atomics.store(words, next(), 7),
)
compare(
  'add',
  () => do_not_optimize(memory.add(next(), 1)),
  () => do_not_optimize(Atomics.add(words, next(), 1)),
)
compare(
  'exchange',
  () => do_not_optimize(memory.exchange(next(), 7)),
  () => do_not_optimize(Atomics.exchange(words, next(), 7)),
)
compare(
  'compareExchange',
  () => do_not_optimize(memory.compareExchange(next(), 7, 7)),
  () => do_not_optimize(Atomics.compareExchange(words, next(), 7, 7)),
)
compare(
  'notify, nobody asleep',
  () => do_not_optimize(memory.notify(next())),
  () => do_not_optimize(Atomics.notify(words, next())),
)
compare(
  'read',
  () => do_not_optimize(memory.read(next())),
  () => do_not_optimize(words[next()]),
)
compare(
  'write',
  () => memory.write(next(), 7),
  () => {
    words[next()] = 7
  },
)

// Sizes about those where copying changes its way.
for (const size of [8, 15, 32, 64, 128, 256, 1024]) {
  const copy = new Uint8Array(size)
  compare(
    `readBytes, ${size}`,
    () => memory.readBytes(64, copy),
    () => copy.set(bytes.subarray(64, 64 + size)),
  )
  compare(
    `writeBytes, ${size}`,
    () => memory.writeBytes(64, copy),
    () => bytes.set(copy, 64),
  )
}

// Arrays that do not come twice in a row.
for (const size of [8, 32, 64]) {
  const copies = [new Uint8Array(size), new Uint8Array(size)] as const
  compare(
    `readBytes, ${size}, two arrays in turn`,
    () => memory.readBytes(64, copies[next() & 1]),
    () => copies[next() & 1].set(bytes.subarray(64, 64 + size)),
  )
  compare(
    `writeBytes, ${size}, two arrays in turn`,
    () => memory.writeBytes(64, copies[next() & 1]),
    () => bytes.set(copies[next() & 1], 64),
  )
}

await run()
