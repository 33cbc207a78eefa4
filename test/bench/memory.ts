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

const operations: readonly { readonly name: string; readonly memory: () => unknown; readonly bare: () => unknown }[] = [
  { name: 'load', memory: () => memory.load(1), bare: () => Atomics.load(words, 1) },
  { name: 'store', memory: () => memory.store(1, 7), bare: () => Atomics.store(words, 1, 7) },
  { name: 'add', memory: () => memory.add(1, 1), bare: () => Atomics.add(words, 1, 1) },
  { name: 'exchange', memory: () => memory.exchange(1, 7), bare: () => Atomics.exchange(words, 1, 7) },
  {
    name: 'compareExchange',
    memory: () => memory.compareExchange(1, 7, 7),
    bare: () => Atomics.compareExchange(words, 1, 7, 7),
  },
  { name: 'notify, nobody asleep', memory: () => memory.notify(1), bare: () => Atomics.notify(words, 1) },
  { name: 'read', memory: () => memory.read(1), bare: () => words[1] },
  {
    name: 'write',
    memory: () => memory.write(1, 7),
    bare: () => {
      words[1] = 7
    },
  },
]

/** Sizes about those where copying changes from a loop to a call. */
const sizes = [8, 15, 16, 32, 64, 256, 1024]

for (const { name, memory: ours, bare } of operations) {
  group(name, () => {
    summary(() => {
      bench(`Memory: ${name}`, () => do_not_optimize(ours()))
      bench(`bare: ${name}`, () => do_not_optimize(bare())).baseline(true)
    })
  })
}

for (const size of sizes) {
  const copy = new Uint8Array(size)
  group(`${size} bytes`, () => {
    summary(() => {
      bench(`Memory: readBytes ${size}`, () => do_not_optimize(memory.readBytes(64, copy)))
      bench(`bare: set from subarray ${size}`, () => do_not_optimize(copy.set(bytes.subarray(64, 64 + size)))).baseline(true)
    })
    summary(() => {
      bench(`Memory: writeBytes ${size}`, () => do_not_optimize(memory.writeBytes(64, copy)))
      bench(`bare: set ${size}`, () => do_not_optimize(bytes.set(copy, 64))).baseline(true)
    })
  })
}

await run()
