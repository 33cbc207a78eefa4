import { describe, expect, it } from 'vitest'
import {
  Barrier,
  Event,
  ForwardingMemory,
  lineWords,
  type Memory,
  Mutex,
  Once,
  ReadWriteLock,
  Semaphore,
  SharedMemory,
  type WaitOptions,
} from '../../core/index.ts'

/** A part as all of them are made and joined, and all that can be done with it by one thread. */
interface Part {
  readonly name: string
  readonly words: number
  create(memory: Memory, at?: number, options?: WaitOptions): unknown
  attach(memory: Memory, at?: number, options?: WaitOptions): unknown
  /** Attaches, does everything, and leaves the part as it was created. */
  use(memory: Memory, at: number): void
  /** Waits in vain. */
  wait(memory: Memory, timeoutMs: number): unknown
  /** A parameter in the header that cannot be, and what is said of it. */
  readonly spoilt?: { readonly word: number; readonly value: number; readonly error: RegExp }
}

const parts: readonly Part[] = [
  {
    name: 'Mutex',
    words: Mutex.words(),
    create: (memory, at, options) => Mutex.create(memory, options, at),
    attach: Mutex.attach,
    use(memory, at) {
      const [mutex, other] = [Mutex.attach(memory, at), Mutex.attach(memory, at, { spins: 0 })]
      expect(mutex.lock()).toBe('acquired')
      expect(other.lock(1)).toBe('timed-out')
      mutex.abandon()
      expect(other.tryLock()).toBe('abandoned')
      other.unlock()
    },
    wait(memory, timeoutMs) {
      Mutex.attach(memory).lock()
      return Mutex.attach(memory, 0, { spins: 0 }).lock(timeoutMs)
    },
  },
  {
    name: 'ReadWriteLock',
    words: ReadWriteLock.words({ readers: 3 }),
    create: (memory, at, options) => ReadWriteLock.create(memory, { readers: 3, ...options }, at),
    attach: ReadWriteLock.attach,
    use(memory, at) {
      const locks = Array.from({ length: 4 }, () => ReadWriteLock.attach(memory, at, { spins: 0 }))
      expect(locks.map((lock) => lock.tryReadLock())).toEqual(['acquired', 'acquired', 'acquired', 'busy'])
      expect(locks[3]?.writeLock(1)).toBe('timed-out')
      for (const lock of locks.slice(0, 3)) lock.unlock()
      expect(locks[3]?.writeLock()).toBe('acquired')
      expect(locks[0]?.readLock(1)).toBe('timed-out')
      locks[3]?.unlock()
    },
    wait(memory, timeoutMs) {
      ReadWriteLock.attach(memory).writeLock()
      return ReadWriteLock.attach(memory, 0, { spins: 0 }).readLock(timeoutMs)
    },
    spoilt: { word: 4, value: 0, error: /ReadWriteLock: readers: expected an integer from 1 to 65536, found 0/ },
  },
  {
    name: 'Semaphore',
    words: Semaphore.words(),
    create: (memory, at, options) => Semaphore.create(memory, { permits: 2, permitsMax: 3, ...options }, at),
    attach: Semaphore.attach,
    use(memory, at) {
      const semaphore = Semaphore.attach(memory, at, { spins: 0 })
      expect([semaphore.acquire(2), semaphore.available(), semaphore.acquire(1, 1)]).toEqual([true, 0, false])
      semaphore.release(3)
      expect(semaphore.tryAcquire()).toBe(true)
    },
    wait: (memory, timeoutMs) => Semaphore.attach(memory, 0, { spins: 0 }).acquire(3, timeoutMs),
    spoilt: { word: 4, value: -1, error: /Semaphore: permitsMax: expected an integer/ },
  },
  {
    name: 'Event',
    words: Event.words(),
    create: (memory, at, options) => Event.create(memory, options, at),
    attach: Event.attach,
    use(memory, at) {
      const event = Event.attach(memory, at, { spins: 0 })
      expect([event.wait(1), event.set(), event.wait(), event.isSet(), event.reset()]).toEqual([false, true, true, true, true])
    },
    wait: (memory, timeoutMs) => Event.attach(memory, 0, { spins: 0 }).wait(timeoutMs),
  },
  {
    name: 'Barrier',
    words: Barrier.words(),
    create: (memory, at, options) => Barrier.create(memory, { parties: 2, ...options }, at),
    attach: Barrier.attach,
    use(memory, at) {
      const barrier = Barrier.attach(memory, at, { spins: 0 })
      expect([barrier.wait(1), barrier.wait(0)]).toEqual(['timed-out', 'timed-out'])
    },
    wait: (memory, timeoutMs) => Barrier.attach(memory, 0, { spins: 0 }).wait(timeoutMs),
    spoilt: { word: 4, value: 65537, error: /Barrier: parties: expected an integer from 1 to 65536, found 65537/ },
  },
  {
    name: 'Once',
    words: Once.words(),
    create: (memory, at, options) => Once.create(memory, options, at),
    attach: Once.attach,
    use(memory, at) {
      const [once, other] = [Once.attach(memory, at), Once.attach(memory, at, { spins: 0 })]
      expect(once.run(() => expect(other.run(() => {}, 1)).toBe('timed-out'))).toBe('ran')
      expect([other.isDone(), other.run(() => {})]).toEqual([true, 'done'])
    },
    wait(memory, timeoutMs) {
      let result: unknown
      const other = Once.attach(memory, 0, { spins: 0 })
      Once.attach(memory).run(() => {
        result = other.run(() => {}, timeoutMs)
      })
      return result
    },
  },
]

describe.each(parts.map((part) => [part.name, part] as const))('%s', (name, part) => {
  const { words } = part

  it('stands where it is told to, and touches no other words', () => {
    expect(words % lineWords).toBe(0)
    const memory = new SharedMemory(words + 2 * lineWords)
    for (let word = 0; word < memory.words; word++) memory.store(word, 0x55555555)
    part.create(memory, lineWords)
    part.use(memory, lineWords)
    for (let word = 0; word < lineWords; word++) {
      expect([memory.load(word), memory.load(lineWords + words + word)]).toEqual([0x55555555, 0x55555555])
    }
  })

  it('gives up when the time is over, and not before', () => {
    const memory = new SharedMemory(words)
    part.create(memory)
    const start = memory.now()
    expect(part.wait(memory, 20)).toSatisfy((result) => result === false || result === 'timed-out')
    expect(memory.now() - start).toBeGreaterThanOrEqual(19)
  })

  it('refuses places where it cannot stand, and where nothing or something else stands', () => {
    const memory = new SharedMemory(words)
    for (const at of [1, 16, 33, -32, 0.5, Number.NaN]) {
      expect(() => part.create(memory, at)).toThrow(/multiple of 32 words/)
      expect(() => part.attach(memory, at)).toThrow(/multiple of 32 words/)
    }
    expect(() => part.create(memory, lineWords)).toThrow(`${name}.create: expected ${words} words from word 32 on`)
    expect(() => part.attach(memory)).toThrow(`${name}.attach: expected a structure at word 0, found nothing`)
    for (const other of parts) {
      const room = new SharedMemory(Math.max(words, other.words))
      other.create(room)
      if (other === part) expect(() => part.attach(room)).not.toThrow()
      else expect(() => part.attach(room)).toThrow(/expected a structure of kind [A-Z]{4} at word 0, found [A-Z]{4}/)
    }
  })

  it('refuses a header that was overwritten', () => {
    const spoil = (word: number, value: number) => {
      const memory = new SharedMemory(2 * words)
      part.create(memory)
      memory.store(word, value)
      return () => part.attach(memory)
    }
    expect(spoil(0, 7)).toThrow(/found the foreign word 0x00000007/)
    expect(spoil(1, 9)).toThrow(/expected layout version 1, found 9/)
    expect(spoil(3, words + lineWords)).toThrow(/found .* in the header/)
    if (part.spoilt !== undefined) expect(spoil(part.spoilt.word, part.spoilt.value)).toThrow(part.spoilt.error)
  })

  it('refuses time-outs and spins that are no numbers', () => {
    for (const timeout of [Number.NaN, '5' as unknown as number, null as unknown as number]) {
      const memory = new SharedMemory(words)
      part.create(memory)
      expect(() => part.wait(memory, timeout)).toThrow(/: expected timeoutMs to be a number of milliseconds/)
    }
    const memory = new SharedMemory(words)
    for (const spins of [-1, 0.5, Number.NaN]) {
      expect(() => part.create(memory, 0, { spins })).toThrow(`${name}.create: spins: expected an integer`)
      expect(memory.load(0)).toBe(0)
    }
    part.create(memory)
    for (const spins of [-1, 0.5, Number.NaN]) {
      expect(() => part.attach(memory, 0, { spins })).toThrow(`${name}.attach: spins: expected an integer`)
    }
  })
})

/** Writes down what is done with shared memory. */
class Recording extends ForwardingMemory {
  readonly calls: string[] = []

  private note<T>(call: string, answer: T): T {
    this.calls.push(call)
    return answer
  }
  override load(word: number): number {
    return this.note('load', super.load(word))
  }
  override exchange(word: number, value: number): number {
    return this.note('exchange', super.exchange(word, value))
  }
  override compareExchange(word: number, expected: number, replacement: number): number {
    return this.note('compareExchange', super.compareExchange(word, expected, replacement))
  }
  override wait(...args: Parameters<Memory['wait']>) {
    return this.note('wait', super.wait(...args))
  }
  override notify(word: number, count?: number): number {
    return this.note('notify', super.notify(word, count))
  }
}

describe('without others', () => {
  const recording = new Recording(new SharedMemory(ReadWriteLock.words({ readers: 2 })))
  const during = (body: () => unknown) => {
    recording.calls.length = 0
    body()
    return recording.calls.join(' ')
  }

  it('a mutex takes one operation to lock and one to unlock', () => {
    const mutex = Mutex.create(recording)
    expect(during(() => mutex.lock())).toBe('compareExchange')
    expect(during(() => mutex.unlock())).toBe('exchange')
  })

  it('a read-write lock takes two operations to read, and one and a look at each seat to write', () => {
    const lock = ReadWriteLock.create(recording, { readers: 2 })
    expect(during(() => lock.readLock())).toBe('compareExchange load')
    expect(during(() => lock.unlock())).toBe('exchange')
    expect(during(() => lock.writeLock())).toBe('compareExchange load load')
    expect(during(() => lock.unlock())).toBe('exchange')
  })

  it('a semaphore, an event, a barrier and a once call nobody who does not sleep', () => {
    const semaphore = Semaphore.create(recording, { permits: 1 })
    expect(during(() => semaphore.acquire())).toBe('load compareExchange')
    expect(during(() => semaphore.release())).toBe('load compareExchange')
    const event = Event.create(recording)
    expect(during(() => event.set())).toBe('load compareExchange')
    expect(during(() => event.wait())).toBe('load')
    const barrier = Barrier.create(recording, { parties: 1 })
    expect(during(() => barrier.wait())).toBe('load compareExchange')
    const once = Once.create(recording)
    expect(during(() => once.run(() => {}))).toBe('load compareExchange exchange')
    expect(during(() => once.run(() => {}))).toBe('load')
  })
})

/** A memory that a participant sees, and a list of those that are dead. */
class Mortal extends ForwardingMemory {
  override readonly liveness: NonNullable<Memory['liveness']>

  constructor(memory: Memory, self: number, dead: ReadonlySet<number>) {
    super(memory)
    this.liveness = { self, alive: (participant) => !dead.has(participant) }
  }
}

describe('where it is known who lives', () => {
  const dead = new Set<number>()
  const memory = new SharedMemory(ReadWriteLock.words({ readers: 1 }))
  /** Participants that have come to the part that stands at word 0. */
  const come = <T>(attach: (memory: Memory, at: number, options: WaitOptions) => T, count: number): T[] => {
    dead.clear()
    return Array.from({ length: count }, (_, self) => attach(new Mortal(memory, self, dead), 0, { spins: 0 }))
  }

  it('a mutex goes from the dead to one that is told, as often as it takes', () => {
    Mutex.create(memory)
    const [a, b, c] = come(Mutex.attach, 3) as [Mutex, Mutex, Mutex]
    expect([a.lock(), b.tryLock()]).toEqual(['acquired', 'busy'])
    dead.add(0)
    expect([b.tryLock(), c.tryLock()]).toEqual(['abandoned', 'busy'])
    dead.add(1)
    expect(c.lock()).toBe('abandoned')
    c.unlock()
    expect(c.lock()).toBe('acquired')
  })

  it('a sleeper notices a death that nobody tells of', () => {
    Mutex.create(memory)
    const [a] = come(Mutex.attach, 1) as [Mutex]
    a.lock()
    class Fatal extends Mortal {
      override wait(...args: Parameters<Memory['wait']>) {
        dead.add(0)
        return super.wait(...args)
      }
    }
    expect(Mutex.attach(new Fatal(memory, 1, dead), 0, { spins: 0 }).lock()).toBe('abandoned')
  })

  it('a read-write lock forgets dead readers, and tells of dead writers, readers too', () => {
    ReadWriteLock.create(memory, { readers: 1 })
    const [a, b, c] = come(ReadWriteLock.attach, 3) as [ReadWriteLock, ReadWriteLock, ReadWriteLock]
    expect([a.readLock(), b.tryReadLock(), b.tryWriteLock()]).toEqual(['acquired', 'busy', 'busy'])
    dead.add(0)
    expect(b.tryReadLock()).toBe('acquired')
    b.unlock()
    expect([b.writeLock(), c.tryReadLock()]).toEqual(['acquired', 'busy'])
    dead.add(1)
    expect(c.readLock()).toBe('abandoned')
    c.abandon()
    expect(c.writeLock()).toBe('abandoned')
    c.unlock()
    expect(c.tryReadLock()).toBe('acquired')
  })

  it('a once whose runner died is run again, and the body is told', () => {
    Once.create(memory)
    const [a, b] = come(Once.attach, 2) as [Once, Once]
    const told: boolean[] = []
    a.run((again) => {
      told.push(again)
      expect(b.tryRun(() => {})).toBe('busy')
      dead.add(0)
      expect(b.run((late) => void told.push(late))).toBe('ran')
    })
    expect(told).toEqual([false, true])
  })

  it('a participant whose number does not fit is refused', () => {
    for (const self of [-1, 0.5, 2 ** 31]) {
      expect(() => Mutex.create(new Mortal(memory, self, dead))).toThrow(/Mutex.create: participant: expected an integer/)
    }
  })
})

describe('whoever does what cannot be right is told', () => {
  const memory = new SharedMemory(ReadWriteLock.words({ readers: 1 }))

  it('locking what one holds, and unlocking what one does not', () => {
    const mutex = Mutex.create(memory)
    expect(() => mutex.unlock()).toThrow('Mutex.unlock: this thread does not hold the lock')
    expect(() => mutex.abandon()).toThrow('Mutex.abandon: this thread does not hold the lock')
    mutex.lock()
    expect(() => mutex.lock()).toThrow('Mutex.lock: this thread holds the lock already')
    expect(() => mutex.tryLock()).toThrow(/holds the lock already/)
    mutex.unlock()

    const lock = ReadWriteLock.create(memory, { readers: 1 })
    expect(() => lock.unlock()).toThrow('ReadWriteLock.unlock: this thread does not hold the lock')
    lock.readLock()
    expect(() => lock.writeLock()).toThrow(/holds the lock already/)
    expect(() => lock.abandon()).toThrow('ReadWriteLock.abandon: this thread does not hold the lock for writing')
    lock.unlock()
    lock.writeLock()
    expect(() => lock.readLock()).toThrow(/holds the lock already/)
  })

  it('more permits than there can be, which changes nothing', () => {
    const semaphore = Semaphore.create(memory, { permits: 2, permitsMax: 3 })
    expect(() => semaphore.release(2)).toThrow('Semaphore.release: expected at most 3 permits, found 2 and 2 more')
    expect(semaphore.available()).toBe(2)
    for (const count of [0, -1, 0.5, 4]) {
      expect(() => semaphore.acquire(count)).toThrow('Semaphore.acquire: count: expected an integer from 1 to 3')
      expect(() => semaphore.release(count)).toThrow('Semaphore.release: count: expected an integer from 1 to 3')
    }
    expect(() => Semaphore.create(memory, { permits: 4, permitsMax: 3 })).toThrow('Semaphore: permits: expected')
    expect(() => Semaphore.create(memory, { permits: 1, permitsMax: 2 ** 30 })).toThrow('Semaphore: permitsMax: expected')
    const most = Semaphore.create(memory, { permits: 2 ** 30 - 1 })
    expect([most.available(), most.tryAcquire(2 ** 30 - 1), most.available()]).toEqual([2 ** 30 - 1, true, 0])
  })

  it('numbers of readers and parties that cannot be', () => {
    for (const n of [0, 1.5, 65537, Number.NaN]) {
      expect(() => ReadWriteLock.words({ readers: n })).toThrow(/ReadWriteLock: readers: expected an integer from 1 to 65536/)
      expect(() => Barrier.create(memory, { parties: n })).toThrow(/Barrier: parties: expected an integer from 1 to 65536/)
    }
  })

  it('a body that runs itself', () => {
    const once = Once.create(memory)
    expect(() => once.run(() => void once.run(() => {}))).toThrow('Once.run: called by the body that it runs')
    expect(once.isDone()).toBe(false)
  })
})

describe('once', () => {
  it('gives what the body throws to its caller, and the run to the next', () => {
    const once = Once.create(new SharedMemory(Once.words()))
    const fails = () => {
      throw new TypeError('half-way')
    }
    expect(() => once.run(fails)).toThrow(new TypeError('half-way'))
    expect(() => once.tryRun(fails)).toThrow(TypeError)
    const told: boolean[] = []
    expect(once.run((again) => void told.push(again))).toBe('ran')
    expect([told, once.tryRun(fails)]).toEqual([[true], 'done'])
  })
})
