import type { Memory } from '../../core/memory.ts'

/**
 * Treiber's stack, its nodes numbered from 1 and used once: a node is never pushed again, so a compare-exchange of the
 * top cannot mistake one node for its later self.
 */
export const treiberStack = {
  words: (nodes: number): number => 1 + 2 * nodes,

  attach(memory: Memory): {
    push(node: number, value: number): void
    pop(): number | undefined
  } {
    const top = 0
    const link = (node: number): number => 2 * node - 1
    const payload = (node: number): number => 2 * node

    function push(node: number, value: number): void {
      memory.write(payload(node), value)
      for (;;) {
        const below = memory.load(top)
        memory.write(link(node), below)
        // Value and link are this thread's until this step and belong to whoever sees the node on top after it.
        if (memory.compareExchange(top, below, node) === below) return
      }
    }

    function pop(): number | undefined {
      for (;;) {
        const node = memory.load(top)
        if (node === 0) return undefined
        const below = memory.read(link(node))
        if (memory.compareExchange(top, node, below) === node) return memory.read(payload(node))
      }
    }

    return { push, pop }
  },
} as const
