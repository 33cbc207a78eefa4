import type { Memory } from '../../core/memory.ts'

/** Lamport's bounded ring between one producer and one consumer, of capacity 2. Nobody waits: a full or empty ring says so. */
export const ringOfTwo = {
  words: 4,

  attach(memory: Memory): { tryPush(item: number): boolean; tryPop(): number | undefined } {
    const popped = 0
    const pushed = 1
    const slot = (position: number): number => 2 + (position % 2)
    // Each side keeps its own position to itself and stores it for the other to see.
    let position = 0
    return {
      tryPush(item) {
        if (position - memory.load(popped) === 2) return false
        memory.write(slot(position), item)
        memory.store(pushed, ++position)
        return true
      },
      tryPop() {
        if (memory.load(pushed) === position) return undefined
        const item = memory.read(slot(position))
        memory.store(popped, ++position)
        return item
      },
    }
  },
} as const

/**
 * Michael and Scott's queue. Nodes are numbered from 1, are used once, and node 1 is the first dummy: `create` before
 * the threads start.
 */
export const michaelScottQueue = {
  words: (nodes: number): number => 2 + 2 * nodes,

  create(memory: Memory): void {
    memory.store(0, 1)
    memory.store(1, 1)
  },

  attach(memory: Memory): {
    enqueue(node: number, value: number): void
    dequeue(): number | undefined
  } {
    const head = 0
    const tail = 1
    const next = (node: number): number => 2 * node
    const payload = (node: number): number => 2 * node + 1

    function enqueue(node: number, value: number): void {
      memory.write(payload(node), value)
      for (;;) {
        const last = memory.load(tail)
        const after = memory.compareExchange(next(last), 0, node)
        // Whoever finds the tail behind moves it on; that it has been moved already is as good.
        memory.compareExchange(tail, last, after === 0 ? node : after)
        if (after === 0) return
      }
    }

    function dequeue(): number | undefined {
      for (;;) {
        const first = memory.load(head)
        const last = memory.load(tail)
        const second = memory.load(next(first))
        if (second === 0) return undefined
        if (first === last) memory.compareExchange(tail, last, second)
        else if (memory.compareExchange(head, first, second) === first) return memory.read(payload(second))
      }
    }

    return { enqueue, dequeue }
  },
} as const

/**
 * Chase and Lev's deque of fixed size: its owner pushes and takes at the bottom, thieves steal from the top. It has a
 * slot for each item ever pushed, so positions need no wrapping.
 */
export const chaseLevDeque = {
  words: (items: number): number => 2 + items,

  attach(memory: Memory): { push(item: number): void; take(): number | undefined; steal(): number | undefined } {
    const top = 0
    const bottom = 1
    const slot = (position: number): number => 2 + position
    return {
      push(item) {
        const at = memory.load(bottom)
        memory.write(slot(at), item)
        memory.store(bottom, at + 1)
      },
      take() {
        const at = memory.load(bottom) - 1
        // From this store on thieves leave the item at `at` alone, unless one has already looked: the top tells.
        memory.store(bottom, at)
        const oldest = memory.load(top)
        if (oldest < at) return memory.read(slot(at))
        const won = oldest === at && memory.compareExchange(top, at, at + 1) === at
        memory.store(bottom, at + 1)
        return won ? memory.read(slot(at)) : undefined
      },
      steal() {
        const oldest = memory.load(top)
        if (memory.load(bottom) <= oldest) return undefined
        const item = memory.read(slot(oldest))
        return memory.compareExchange(top, oldest, oldest + 1) === oldest ? item : undefined
      },
    }
  },
} as const
