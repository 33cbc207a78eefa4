import { describe, expect, it } from 'vitest'
import {
  AsyncMemory,
  Barrier,
  Event,
  ForwardingMemory,
  LossyRing,
  type Memory,
  Mutex,
  Once,
  ReadWriteLock,
  RecordRing,
  Ring,
  Semaphore,
  SharedMemory,
  type WaitOptions,
  WorkRing,
} from '../../core/index.ts'
import type { WaitResult } from '../../core/memory.ts'
import { openQueue } from '../../core/node-index.ts'
import { canMap, newFiles } from './peers.ts'

const ways = ['park', 'yield', 'spin'] as const
const item = Uint8Array.of(1)
const record = { bytes: 64 }
const shape = { capacity: 1, itemBytes: 1 }

interface Waiter {
  readonly name: string
  readonly words: number
  readonly create: (memory: Memory) => unknown
  /** Waits in vain, and returns whether it said so. */
  readonly waits: (memory: Memory, options: WaitOptions, timeoutMs: number) => boolean
}

/** A thread with options of a structure that it waits for in vain. */
const waiters: readonly Waiter[] = [
  {
    name: 'Ring.source',
    words: Ring.words(shape),
    create: (memory) => Ring.create(memory, shape),
    waits: (memory, options, ms) => !Ring.attach(memory).source(options).pop(Uint8Array.of(0), ms),
  },
  {
    name: 'Ring.sink',
    words: Ring.words(shape),
    create: (memory) => Ring.create(memory, shape),
    waits: (memory, options, ms) => {
      const sink = Ring.attach(memory).sink(options)
      return sink.tryPush(item) && !sink.push(item, ms)
    },
  },
  {
    name: 'LossyRing.source',
    words: LossyRing.words(shape),
    create: (memory) => LossyRing.create(memory, shape),
    waits: (memory, options, ms) => !LossyRing.attach(memory).source(options).pop(Uint8Array.of(0), ms),
  },
  {
    name: 'RecordRing.source',
    words: RecordRing.words(record),
    create: (memory) => RecordRing.create(memory, record),
    waits: (memory, options, ms) => RecordRing.attach(memory).source(options).pop(ms) === undefined,
  },
  {
    name: 'WorkRing.attach',
    words: WorkRing.words(shape),
    create: (memory) => WorkRing.create(memory, shape),
    waits: (memory, options, ms) => !WorkRing.attach(memory, 0, options).pop(Uint8Array.of(0), ms),
  },
  {
    name: 'Mutex.attach',
    words: Mutex.words(),
    create: (memory) => Mutex.create(memory).lock(),
    waits: (memory, options, ms) => Mutex.attach(memory, 0, options).lock(ms) === 'timed-out',
  },
  {
    name: 'ReadWriteLock.attach',
    words: ReadWriteLock.words({ readers: 1 }),
    create: (memory) => ReadWriteLock.create(memory, { readers: 1 }).writeLock(),
    waits: (memory, options, ms) => ReadWriteLock.attach(memory, 0, options).readLock(ms) === 'timed-out',
  },
  {
    name: 'Semaphore.attach',
    words: Semaphore.words(),
    create: (memory) => Semaphore.create(memory, { permits: 0 }),
    waits: (memory, options, ms) => !Semaphore.attach(memory, 0, options).acquire(1, ms),
  },
  {
    name: 'Event.attach',
    words: Event.words(),
    create: (memory) => Event.create(memory),
    waits: (memory, options, ms) => !Event.attach(memory, 0, options).wait(ms),
  },
  {
    name: 'Barrier.attach',
    words: Barrier.words(),
    create: (memory) => Barrier.create(memory, { parties: 2 }),
    waits: (memory, options, ms) => Barrier.attach(memory, 0, options).wait(ms) === 'timed-out',
  },
  {
    name: 'Once.attach',
    words: Once.words(),
    // The first run never ends: its thread is another one, that stands still.
    create: (memory) => {
      Once.create(memory)
      memory.store(32, 2 * 7)
    },
    waits: (memory, options, ms) => Once.attach(memory, 0, options).run(() => {}, ms) === 'timed-out',
  },
]

/** Notes what is done for waiting, on a clock that goes on by a millisecond at each look. */
class Clocked extends ForwardingMemory {
  readonly sleeps: number[] = []
  announcements = 0
  pauses = 0
  private ms = 0

  override now(): number {
    return this.ms++
  }

  override wait(word: number, expected: number, timeoutMs: number = Infinity): WaitResult {
    if (timeoutMs === Infinity) throw new Error('nobody wakes this thread')
    this.sleeps.push(timeoutMs)
    return super.load(word) === expected ? 'timed-out' : 'not-equal'
  }

  override pause(): void {
    this.pauses++
  }

  override compareExchange(word: number, expected: number, replacement: number): number {
    const old = super.compareExchange(word, expected, replacement)
    if (old === expected && replacement === (expected | 1) && replacement !== expected) this.announcements++
    return old
  }
}

/** A thread that is somebody, and knows who is dead. */
class Mortal extends ForwardingMemory {
  override readonly liveness: NonNullable<Memory['liveness']>

  constructor(memory: Memory, self: number, alive: (participant: number) => boolean) {
    super(memory)
    this.liveness = { self, alive }
  }
}

describe.each(waiters.map((waiter) => [waiter.name, waiter] as const))('%s', (name, { words, create, waits }) => {
  function fresh(): SharedMemory {
    const memory = new SharedMemory(words)
    create(memory)
    return memory
  }

  it.each(ways)('gives up when its time is over, waiting by %s', (wait) => {
    expect(waits(fresh(), { wait }, 3)).toBe(true)
    expect(waits(fresh(), { wait }, 0)).toBe(true)
  })

  it('announces that it sleeps only where it parks', () => {
    const seen = ways.map((wait) => {
      const memory = new Clocked(fresh())
      expect(waits(memory, { wait, spins: 1 }, 20)).toBe(true)
      return { announcements: memory.announcements, sleeps: memory.sleeps }
    })
    const [park, yields, spin] = seen
    expect([park?.announcements, park?.sleeps.length]).toEqual([1, 1])
    expect(yields?.announcements).toBe(0)
    expect(yields?.sleeps.slice(0, 7)).toEqual([0.05, 0.1, 0.2, 0.4, 0.8, 1, 1])
    expect(spin).toEqual({ announcements: 0, sleeps: [] })
  })

  it('refuses ways to wait that there are not, and to spin without a look', () => {
    for (const wait of ['sleep', '', null, 1] as never[]) {
      expect(() => waits(fresh(), { wait }, 0)).toThrow(`${name}: wait: expected 'park', 'yield' or 'spin', found `)
    }
    expect(() => waits(fresh(), { wait: 'spin', spins: 0 }, 0)).toThrow(`${name}: spins: expected an integer from 1 to`)
    expect(waits(fresh(), { wait: 'yield', spins: 0 }, 1)).toBe(true)
  })

  it.each(['yield', 'spin'] as const)('does not hold an event loop up by %s', async (wait) => {
    const memory = new AsyncMemory(fresh())
    const wrapped = new ForwardingMemory(memory)
    const call = memory.call(() => waits(wrapped, { wait }, Infinity))
    await expect(call).rejects.toThrow(`wait: '${wait}' would hold up the event loop of this memory; give the end the default`)
  })
})

describe.runIf(canMap)('a queue', () => {
  const newFile = newFiles()

  // Longer than the slices of those who park where it is known who lives.
  it.each(ways)('gives up to send and to receive when its time is over, waiting by %s', (wait) => {
    using queue = openQueue(newFile(), { limits: { items: 1 }, segmentBytes: 4096, wait })
    const [producer, consumer] = [queue.producer(), queue.consumer()]
    expect([producer.send(item), producer.send(item, 120)]).toEqual(['sent', 'full'])
    expect([consumer.receive(), consumer.receive(120)]).toEqual([expect.anything(), undefined])
  })

  it('refuses ways to wait that there are not', () => {
    expect(() => openQueue(newFile(), { wait: 'sleep' as never })).toThrow("Queue: wait: expected 'park', 'yield' or 'spin'")
  })
})

describe('who yields', () => {
  it('is one of those that have announced themselves, once a notify has woken it in their place', () => {
    const memory = new SharedMemory(Mutex.words())
    const holder = Mutex.create(memory)
    holder.lock()
    const held = memory.load(32)
    const seen: { readonly expected: number; readonly timeoutMs: number }[] = []
    /** The first sleep is ended by a notify; after the second one the lock is free. */
    class Woken extends ForwardingMemory {
      override wait(_: number, expected: number, timeoutMs: number = Infinity): WaitResult {
        seen.push({ expected, timeoutMs })
        if (seen.length === 2) holder.unlock()
        return 'ok'
      }
    }
    const mutex = Mutex.attach(new Woken(memory), 0, { wait: 'yield', spins: 0 })
    expect(mutex.lock()).toBe('acquired')
    expect(seen).toEqual([
      { expected: held, timeoutMs: 0.05 },
      { expected: held | 1, timeoutMs: Infinity },
    ])
    // Others may sleep: they stay announced.
    expect(memory.load(32) & 1).toBe(1)
  })

  it('takes a lock without an announcement otherwise', () => {
    const memory = new SharedMemory(Mutex.words())
    const holder = Mutex.create(memory)
    holder.lock()
    class Freed extends ForwardingMemory {
      override wait(): WaitResult {
        holder.unlock()
        return 'timed-out'
      }
    }
    expect(Mutex.attach(new Freed(memory), 0, { wait: 'yield', spins: 0 }).lock()).toBe('acquired')
    expect(memory.load(32) & 1).toBe(0)
  })

  it('looks no more between its sleeps than the caller does', () => {
    const memory = new Clocked(new SharedMemory(Event.words()))
    Event.create(memory)
    expect(Event.attach(memory, 0, { wait: 'yield', spins: 5 }).wait(10)).toBe(false)
    expect([memory.pauses, memory.sleeps.length]).toEqual([5, 9])
  })
})

describe.each(['yield', 'spin'] as const)('where it is known who lives, who waits by %s', (wait) => {
  it('notices a death that nobody tells of', () => {
    const memory = new SharedMemory(Mutex.words())
    let looks = 0
    const alive = (participant: number) => participant !== 0 || ++looks < 5
    Mutex.create(new Mortal(memory, 0, alive)).lock()
    expect(Mutex.attach(new Mortal(memory, 1, alive), 0, { wait, spins: 3 }).lock()).toBe('abandoned')
    expect(looks).toBe(5)
  })
})
