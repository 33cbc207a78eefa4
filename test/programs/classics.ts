/** The programs that partial order reduction has been measured by since 2005. */

import type { Memory } from '../../core/memory.ts'
import { crowd, type Family, listed } from './family.ts'
import { spinLock } from './locks.ts'

const measured = 'measurements.md, counts under SC (GenMC, brute force and a prototype agreed)'

const lastZero: Family = {
  name: 'lastzero',
  parameters: 'writers: writer i sets word i to one more than word i - 1; a searcher looks downwards for a zero',
  program: (n) => ({
    name: `lastzero(${n})`,
    words: n + 1,
    threads: {
      searcher: (m) => {
        let at = n
        while (m.load(at) !== 0) at--
        return at
      },
      ...crowd(n, 'writer', (m, i) => m.store(i + 1, m.load(i) + 1)),
    },
  }),
  executions: (n) => (n + 3) * 2 ** (n - 2),
  source: 'exploration.md section 6, row 24 (Abdulla et al., POPL 2014, published 64, 3328, 147456 for 5, 10, 15)',
  sizes: [[2], [3], [5], [7], [10], [12]],
}

const TABLE = 128
const MESSAGES = 4

/** Puts four messages into a hash table with linear probing, whose slots are claimed by compare-exchange. */
function index(memory: Memory, self: number): void {
  for (let i = 1; i <= MESSAGES; i++) {
    const message = i * 11 + self
    let slot = (message * 7) % TABLE
    while (memory.compareExchange(slot, 0, message) !== 0) slot = (slot + 1) % TABLE
  }
}

const indexer: Family = {
  name: 'indexer',
  parameters: 'threads that insert into one hash table; none collide below 12',
  program: (n) => ({ name: `indexer(${n})`, words: TABLE, threads: crowd(n, 'indexer', index) }),
  executions: (n) => 8 ** Math.max(0, n - 11),
  source: 'exploration.md section 6, row 25 (Flanagan and Godefroid, POPL 2005)',
  sizes: [[2], [11], [12], [13], [14]],
}

const INODES = 32
const BLOCKS = 26
const inodeLock = (inode: number): number => inode
const inodeBlock = (inode: number): number => INODES + inode
const blockLock = (block: number): number => 2 * INODES + block
const blockBusy = (block: number): number => 2 * INODES + BLOCKS + block

/** Finds a free block for the inode of this thread, under a lock for the inode and one for each block tried. */
function allocate(memory: Memory, self: number): void {
  const inode = self % INODES
  const holdingInode = spinLock(memory, inodeLock(inode))
  holdingInode.lock()
  if (memory.read(inodeBlock(inode)) === 0) {
    // The read belongs to no spin iteration: without this the first failed attempt at the next lock would not repeat
    // exactly, and would count.
    memory.pause()
    for (let block = (inode * 2) % BLOCKS, found = false; !found; block = (block + 1) % BLOCKS) {
      const holdingBlock = spinLock(memory, blockLock(block))
      holdingBlock.lock()
      if (memory.read(blockBusy(block)) === 0) {
        memory.write(blockBusy(block), 1)
        memory.write(inodeBlock(inode), block + 1)
        found = true
      }
      holdingBlock.unlock()
    }
  }
  holdingInode.unlock()
}

const filesystem: Family = {
  name: 'filesystem',
  parameters: 'threads that allocate blocks; none collide below 14',
  program: (n) => ({
    name: `filesystem(${n})`,
    words: 2 * INODES + 2 * BLOCKS,
    threads: crowd(n, 'process', allocate),
  }),
  executions: (n) => 2 ** Math.max(0, n - 13),
  source: 'exploration.md section 6, row 26 (Flanagan and Godefroid, POPL 2005)',
  sizes: [[2], [13], [14], [16], [19]],
}

const fibonacci: Family = {
  name: 'fib_bench',
  parameters: 'additions of each of two threads that add into each other',
  program: (n) => ({
    name: `fib_bench(${n})`,
    words: 2,
    setup: (m) => {
      m.store(0, 1)
      m.store(1, 1)
    },
    threads: {
      first: (m) => {
        for (let k = 0; k < n; k++) m.store(0, m.load(0) + m.load(1))
      },
      second: (m) => {
        for (let k = 0; k < n; k++) m.store(1, m.load(1) + m.load(0))
      },
      reader: (m) => [m.load(0), m.load(1)],
    },
  }),
  executions: listed(1, [11, 140, 1698, 19605, 218243]),
  source: measured,
  sizes: [[1], [2], [3], [4]],
}

export const classics: readonly Family[] = [lastZero, indexer, filesystem, fibonacci]
