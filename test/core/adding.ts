import type { Memory } from '../../core/index.ts'

/** One thread's part: waits for the other one at word 0, then adds so many times to words 1 to 4, in a way of its own to each. */
export function addAll(memory: Memory, times: number): void {
  memory.add(0, 1)
  while (memory.load(0) < 2) memory.pause()
  for (let i = 0; i < times; i++) {
    memory.add(1, 3)
    memory.sub(2, -2)
    let seen: number
    do seen = memory.load(3)
    while (memory.compareExchange(3, seen, seen + 1) !== seen)
    // What is taken out is put back, with one more: the other thread finds -1 meanwhile.
    let sum: number
    do sum = memory.exchange(4, -1)
    while (sum === -1)
    memory.store(4, sum + 1)
  }
}
