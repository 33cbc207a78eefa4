/** Locks over one or a few words, each attached by every thread for itself. */

import type { Memory } from '../../core/memory.ts'

export interface Lock {
  lock(): void
  unlock(): void
}

/** Takes the lock by compare-exchange and waits by trying again. One word. */
export function spinLock(memory: Memory, at: number): Lock {
  return {
    lock() {
      while (memory.compareExchange(at, 0, 1) !== 0) memory.pause()
    },
    unlock() {
      memory.store(at, 0)
    },
  }
}

/** Looks before it tries, so that waiting threads only read. One word. */
export function testAndTestAndSetLock(memory: Memory, at: number): Lock {
  return {
    lock() {
      while (memory.load(at) !== 0 || memory.compareExchange(at, 0, 1) !== 0) memory.pause()
    },
    unlock() {
      memory.store(at, 0)
    },
  }
}

/** First come, first served. Two words: the next ticket, and the ticket being served. */
export function ticketLock(memory: Memory, at: number): Lock {
  const next = at
  const served = at + 1
  let ticket = 0
  return {
    lock() {
      ticket = memory.add(next, 1)
      while (memory.load(served) !== ticket) memory.pause()
    },
    unlock() {
      memory.store(served, ticket + 1)
    },
  }
}

/** Peterson's lock for two threads, `self` being 0 or 1. Three words: who wants in (two), and who lets the other go first. */
export function petersonLock(memory: Memory, at: number, self: number): Lock {
  const wants = (thread: number): number => at + thread
  const turn = at + 2
  const other = 1 - self
  return {
    lock() {
      memory.store(wants(self), 1)
      memory.store(turn, other)
      while (memory.load(wants(other)) === 1 && memory.load(turn) === other) memory.pause()
    },
    unlock() {
      memory.store(wants(self), 0)
    },
  }
}

/** Dekker's lock for two threads, `self` being 0 or 1. Three words: who wants in (two), and whose turn it is. */
export function dekkerLock(memory: Memory, at: number, self: number): Lock {
  const wants = (thread: number): number => at + thread
  const turn = at + 2
  const other = 1 - self
  return {
    lock() {
      memory.store(wants(self), 1)
      while (memory.load(wants(other)) === 1) {
        if (memory.load(turn) === self) {
          memory.pause()
          continue
        }
        memory.store(wants(self), 0)
        while (memory.load(turn) !== self) memory.pause()
        memory.store(wants(self), 1)
      }
    },
    unlock() {
      memory.store(turn, other)
      memory.store(wants(self), 0)
    },
  }
}

/** Sleeps instead of spinning (Drepper's third mutex): 0 free, 1 held, 2 held and perhaps somebody sleeps. One word. */
export function sleepingLock(memory: Memory, at: number): Lock {
  return {
    lock() {
      if (memory.compareExchange(at, 0, 1) === 0) return
      while (memory.exchange(at, 2) !== 0) memory.wait(at, 2)
    },
    unlock() {
      if (memory.exchange(at, 0) === 2) memory.notify(at, 1)
    },
  }
}

/** Any number of readers or one writer. One word: how many read, or -1 while one writes. */
export function readWriteLock(memory: Memory, at: number): { readonly reading: Lock; readonly writing: Lock } {
  return {
    reading: {
      lock() {
        for (;;) {
          const readers = memory.load(at)
          if (readers >= 0 && memory.compareExchange(at, readers, readers + 1) === readers) return
          memory.pause()
        }
      },
      unlock() {
        memory.sub(at, 1)
      },
    },
    writing: {
      lock() {
        while (memory.compareExchange(at, 0, -1) !== 0) memory.pause()
      },
      unlock() {
        memory.store(at, 0)
      },
    },
  }
}

/** A number of permits in one word; `acquire` waits while there are none. */
export function semaphore(memory: Memory, at: number): { acquire(): void; release(): void } {
  return {
    acquire() {
      for (;;) {
        const permits = memory.load(at)
        if (permits > 0 && memory.compareExchange(at, permits, permits - 1) === permits) return
        memory.pause()
      }
    },
    release() {
      memory.add(at, 1)
    },
  }
}
