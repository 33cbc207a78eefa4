import { guarantee } from '../../checker/guarantee.ts'
import { ForwardingMemory } from '../../core/forwarding-memory.ts'
import { lineWords } from '../../core/layout.ts'
import type { Memory, WaitResult } from '../../core/memory.ts'
import { type LockResult, Mutex } from '../../core/mutex.ts'
import type { Waiting } from '../../core/patience.ts'
import { Ring } from '../../core/ring.ts'
import { WorkRing } from '../../core/work-ring.ts'
import { type Program, program } from '../../model/program.ts'
import { AnonymousMemory, type Calls, CountingMemory, everyNotifyWasAskedFor } from '../memories.ts'
import type { Guarantee } from './guarantees.ts'

/** Small programs in which threads wait for each other, each in its own way. */

export type Way = Waiting['wait']

/** Never more than one look at a time: a bounded loop unrolls. */
function waitingBy(wait: Way): Waiting {
  return { wait, spins: wait === 'spin' ? 1 : 0 }
}

/** The time-out of calls that have one, in ms. */
const patienceMs = 2

/**
 * A memory on which a thread sleeps for a short moment once; after that each such sleep is a pause, and its time is over. Who
 * yields for ever may be timed out any number of times: no search would come to an end.
 */
class NappingMemory extends ForwardingMemory {
  naps = 0
  /** How often a notify ended a short sleep. */
  woken = 0

  override wait(word: number, expected: number, timeoutMs: number = Infinity): WaitResult {
    if (timeoutMs === Infinity) return super.wait(word, expected)
    if (this.naps > 0) {
      this.pause()
      return 'timed-out'
    }
    this.naps++
    const result = super.wait(word, expected, timeoutMs)
    if (result === 'ok') this.woken++
    return result
  }
}

/** A memory on which the time is over as soon as the thread is woken. */
class LateMemory extends ForwardingMemory {
  private isLate = false

  override wait(word: number, expected: number, timeoutMs?: number): WaitResult {
    const result = super.wait(word, expected, timeoutMs)
    this.isLate ||= result === 'ok'
    return result
  }

  override now(): number {
    return super.now() + (this.isLate ? patienceMs : 0)
  }
}

/** A memory whose clock goes on by a millisecond at each look, and which notes what was so when the time was over. */
class ClockMemory extends ForwardingMemory {
  /** Whether there was what the thread waits for. */
  inTime = false
  time = -1
  private readonly isThere: (memory: Memory) => boolean

  constructor(memory: Memory, isThere: (memory: Memory) => boolean) {
    super(memory)
    this.isThere = isThere
  }

  override now(): number {
    this.time++
    if (this.time === patienceMs) this.inTime = this.isThere(this.memory)
    return super.now() + this.time
  }
}

/** What a thread returns: how often it slept for a moment, too. */
export interface Share extends Calls {
  readonly results: readonly (LockResult | number)[]
  readonly naps: number
  readonly woken: number
}

export type Shares = Record<string, Share>
type Thread = (memory: Memory) => Share

/** A thread that waits in this way, and leaves the words alone if it should. */
function thread(wait: Way, body: (memory: Memory, waiting: Waiting) => Share['results']): Thread {
  return (memory) => {
    const napping = new NappingMemory(memory)
    const counting = new CountingMemory(napping)
    const results = body(counting, waitingBy(wait))
    const { announced } = counting.calls
    const isSilent = wait === 'park' || announced === 0 || napping.woken > 0
    guarantee('waiting/silent' satisfies Guarantee, isSilent, `announced itself ${announced} times`)
    return { results, ...counting.calls, naps: napping.naps, woken: napping.woken }
  }
}

/** The thread where nobody can tell who is alive: who parks sleeps until it is woken. */
function anonymous(wait: Way, body: (memory: Memory, waiting: Waiting) => Share['results']): Thread {
  return (memory) => thread(wait, body)(new AnonymousMemory(memory))
}

function base(
  name: string,
  words: number,
  setup: (memory: Memory) => unknown,
  threads: Program<Shares>['threads'],
  extra: Partial<Program<Shares>> = {},
): Program<Shares> {
  const { finally: alsoFinally, ...rest } = extra
  return program<Shares>({
    name: `waiting/${name}`,
    words,
    setup: (memory) => void setup(memory),
    threads,
    ...rest,
    finally: (memory, results) => {
      everyNotifyWasAskedFor(
        'waiting/silent' satisfies Guarantee,
        Object.keys(threads).map((name) => results[name]),
      )
      alsoFinally?.(memory, results)
    },
  })
}

const some = (results: Partial<Shares>, is: (share: Share) => boolean) =>
  Object.values(results).some((share) => share !== undefined && is(share))

// The mutex: an unlock wakes one thread only.

/** Where the words are: the mutex at word 0, and then those of the program. */
export const words: { readonly holder: number; readonly count: number; readonly told: number } = {
  holder: lineWords,
  count: Mutex.words(),
  told: Mutex.words() + 1,
}
const mutexWords = Mutex.words() + lineWords
const makeMutex = (memory: Memory) => Mutex.create(memory)

/** Counts, plainly: free of data races, if one holds the lock at a time. */
function count(memory: Memory): void {
  memory.write(words.count, memory.read(words.count) + 1)
}

function lockAndCount(memory: Memory, waiting: Waiting, timeoutMs = Infinity): LockResult {
  const mutex = Mutex.attach(memory, 0, waiting)
  const result = mutex.lock(timeoutMs)
  if (result !== 'timed-out') {
    count(memory)
    mutex.unlock()
  }
  return result
}

function everybodyCounted(memory: Memory, results: Partial<Shares>): void {
  const times = Object.values(results).flatMap((share) => share?.results.filter((result) => result === 'acquired') ?? [])
  const counted = memory.read(words.count)
  guarantee('waiting/wakes' satisfies Guarantee, counted === times.length, `${times.length} got the lock, ${counted} counted`)
}

const names = ['first', 'second', 'third'] as const

/** Each thread locks, counts and unlocks. */
export function locking(...ways: readonly Way[]): Program<Shares> {
  const threads = ways.map((way, index) => {
    const body = (memory: Memory, waiting: Waiting) => [lockAndCount(memory, waiting)]
    return [names[index] as string, anonymous(way, body)] as const
  })
  const yields = ways.includes('yield')
  const parks = ways.includes('park')
  return base(`lock/${ways.join('+')}`, mutexWords, makeMutex, Object.fromEntries(threads), {
    sometimes: {
      ...(yields && { 'who yields sleeps for a moment': (_, results) => some(results, ({ naps }) => naps > 0) }),
      ...(yields &&
        parks &&
        ways.length > 2 && {
          'who yields is woken in the place of another one': (_, results) => some(results, ({ woken }) => woken > 0),
        }),
    },
    finally: everybodyCounted,
  })
}

/** One thread tries for the lock so many times; one yields, and when it is woken its time is over; one parks. */
export function wokenTooLate(tries: 1 | 2): Program<Shares> {
  return base(
    `woken-too-late-${tries}`,
    mutexWords,
    makeMutex,
    {
      holder: anonymous('park', (memory, waiting) => Array.from({ length: tries }, () => lockAndCount(memory, waiting, 0))),
      waiter: anonymous('yield', (memory, waiting) => [lockAndCount(new LateMemory(memory), waiting, patienceMs)]),
      sleeper: anonymous('park', (memory, waiting) => [lockAndCount(memory, waiting)]),
    },
    {
      finally: everybodyCounted,
      sometimes: tries === 1 ? {} : { 'the waiter gives up': (_, { waiter }) => waiter?.results[0] === 'timed-out' },
    },
  )
}

/** One thread holds the lock for a while, another one locks with a time-out: if it gives up, the lock was held when that was over. */
export function timesOut(way: Way): Program<Shares> {
  return base(
    `times-out/${way}`,
    mutexWords,
    makeMutex,
    {
      holder: anonymous('park', (memory, waiting) => {
        const result = lockAndCount(memory, waiting)
        memory.store(words.told, 1)
        return [result]
      }),
      waiter: anonymous(way, (memory, waiting) => {
        const clock = new ClockMemory(memory, (now) => now.load(words.told) === 1)
        const result = lockAndCount(clock, waiting, patienceMs)
        if (result === 'timed-out') {
          guarantee('waiting/times-out' satisfies Guarantee, clock.time >= patienceMs, 'gave up before the time was over')
          guarantee('waiting/times-out' satisfies Guarantee, !clock.inTime, 'the lock had been free in time')
        }
        return [result]
      }),
    },
    {
      finally: everybodyCounted,
      sometimes: {
        'the waiter gets it': (_, { waiter }) => waiter?.results[0] === 'acquired',
        'the waiter gives up': (_, { waiter }) => waiter?.results[0] === 'timed-out',
      },
    },
  )
}

/** A holder may die; who waits for it takes its place. */
export function dying(way: Way): Program<Shares> {
  const body = (memory: Memory, waiting: Waiting): Share['results'] => {
    const mutex = Mutex.attach(memory, 0, waiting)
    const result = mutex.lock()
    memory.add(words.told, 1)
    mutex.unlock()
    return [result]
  }
  return base(
    `dying/${way}`,
    mutexWords,
    makeMutex,
    { holder: thread('park', body), waiter: thread(way, body) },
    {
      faults: { kill: ['holder'] },
      sometimes: {
        'the waiter takes the place of a dead one': (_, { waiter }) => waiter?.results[0] === 'abandoned',
        'nobody died': (_, { holder, waiter }) => holder !== undefined && waiter?.results[0] === 'acquired',
      },
      finally: (_, { holder, waiter }) => {
        const told = waiter?.results[0] === 'abandoned'
        guarantee('waiting/robust' satisfies Guarantee, holder === undefined || !told, 'nobody died, and the waiter was told so')
      },
    },
  )
}

// Rings: a change wakes all that sleep.

/** The writer pushes so many items through a ring for one, each reader pops them. */
export function passing(items: number, writer: Way, ...readers: readonly Way[]): Program<Shares> {
  const shape = { capacity: 1, itemBytes: 1, readers: readers.length }
  const threads: Record<string, Thread> = {
    writer: anonymous(writer, (memory, waiting) => {
      const sink = Ring.attach(memory).sink(waiting)
      for (let n = 1; n <= items; n++) sink.push(Uint8Array.of(n))
      return [items]
    }),
  }
  for (const [reader, way] of readers.entries()) {
    threads[`reader${reader}`] = anonymous(way, (memory, waiting) => {
      const source = Ring.attach(memory).source({ reader, ...waiting })
      return popAll(items, (target) => source.pop(target))
    })
  }
  const name = `pass${items}/${writer}-${readers.join('+')}`
  return base(name, Ring.words(shape), (memory) => Ring.create(memory, shape), threads)
}

/** One thread puts so many items into a work ring for one, another one takes them out. */
export function sharing(items: number, pusher: Way, popper: Way): Program<Shares> {
  const shape = { capacity: 1, itemBytes: 1 }
  const threads: Record<string, Thread> = {
    pusher: anonymous(pusher, (memory, waiting) => {
      const ring = WorkRing.attach(memory, 0, waiting)
      for (let n = 1; n <= items; n++) ring.push(Uint8Array.of(n))
      return [items]
    }),
    popper: anonymous(popper, (memory, waiting) => {
      const ring = WorkRing.attach(memory, 0, waiting)
      return popAll(items, (target) => ring.pop(target))
    }),
  }
  const name = `share${items}/${pusher}-${popper}`
  return base(name, WorkRing.words(shape), (memory) => WorkRing.create(memory, shape), threads)
}

function popAll(items: number, pop: (target: Uint8Array) => boolean): Share['results'] {
  const target = new Uint8Array(1)
  for (let n = 1; n <= items; n++) {
    guarantee('waiting/times-out' satisfies Guarantee, pop(target), 'gave up without a time-out')
    guarantee('waiting/wakes' satisfies Guarantee, target[0] === n, `expected item ${n}, got item ${target[0]}`)
  }
  return [items]
}
