import { guarantee } from '../../checker/guarantee.ts'
import { lineWords } from '../../core/layout.ts'
import type { Memory } from '../../core/memory.ts'
import { type LockResult, Mutex } from '../../core/mutex.ts'
import { type Program, program } from '../../model/program.ts'
import type { Creation } from '../creation.ts'
import {
  AnonymousMemory,
  type Calls,
  CountingMemory,
  everyNotifyWasAskedFor,
  LateMemory,
  SlicedMemory,
  WitnessMemory,
} from '../memories.ts'
import type { Guarantee } from './guarantees.ts'

/** Small programs around a mutex. Each thread attaches by itself. The lock protects two counters, which agree whenever it is free. */

/** Where the words are: the mutex at word 0, and then those of the program. */
export const words: { readonly holder: number; readonly count: number; readonly copy: number; readonly told: number } = {
  holder: lineWords,
  count: Mutex.words(),
  copy: Mutex.words() + 1,
  told: Mutex.words() + 2,
}
const wordsAll = Mutex.words() + lineWords

/** What a thread returns. */
export interface Share extends Calls {
  readonly results: readonly (LockResult | 'busy')[]
}

export type Shares = Record<string, Share>

const names = ['first', 'second', 'third'] as const

/** Threads of the same kind. */
function alike(count: number, body: (memory: Memory) => Share): Program<Shares>['threads'] {
  return Object.fromEntries(names.slice(0, count).map((name) => [name, body]))
}

/** Counts up, both counters: in a hurry, if others do the same at once, counts are lost. */
function count(memory: Memory): void {
  const n = memory.load(words.count)
  guarantee('mutex/excludes' satisfies Guarantee, memory.load(words.copy) === n, 'another thread is at it')
  memory.store(words.count, n + 1)
  memory.store(words.copy, n + 1)
}

/** The same with plain operations: free of data races, if what the holders before did is visible. */
function countPlainly(memory: Memory): void {
  const n = memory.read(words.count)
  guarantee('mutex/excludes' satisfies Guarantee, memory.read(words.copy) === n, 'another thread is at it')
  memory.write(words.count, n + 1)
  memory.write(words.copy, n + 1)
}

/** How a program differs from the plainest one of its kind. */
interface Variant {
  /** Looks before sleeping: never more than one, for a bounded loop unrolls. */
  readonly spins?: 0 | 1
  readonly plain?: boolean
  /** Each thread may wake up once for no reason. */
  readonly spurious?: boolean
}

function nameOf({ spins = 0, plain = false, spurious = false }: Variant): string {
  return `${spins > 0 ? '-spin1' : ''}${plain ? '-plain' : ''}${spurious ? '-spurious' : ''}`
}

function base(name: string, threads: Program<Shares>['threads'], extra: Partial<Program<Shares>>): Program<Shares> {
  const { finally: alsoFinally, ...rest } = extra
  return program<Shares>({
    name: `mutex/${name}`,
    words: wordsAll,
    setup: (memory) => void Mutex.create(memory),
    threads,
    ...rest,
    finally: (memory, results) => {
      everyNotifyWasAskedFor(
        'mutex/notifies-sleepers-only' satisfies Guarantee,
        Object.keys(threads).map((name) => results[name]),
      )
      alsoFinally?.(memory, results)
    },
  })
}

function acquired(results: Partial<Shares>): number {
  return Object.values(results).reduce((sum, share) => sum + (share?.results.filter((r) => r === 'acquired').length ?? 0), 0)
}

/** Everybody who had the lock has counted, once for each time. */
function everybodyCounted(memory: Memory, results: Partial<Shares>): void {
  const [n, times] = [memory.read(words.count), acquired(results)]
  guarantee('mutex/excludes' satisfies Guarantee, n === times, `${times} times the lock was held, counted ${n} times`)
  guarantee('mutex/wakes' satisfies Guarantee, Mutex.attach(memory).tryLock() === 'acquired', 'the lock is not free')
}

/** Each thread locks, counts and unlocks so many times. */
export function locking(threads: 2 | 3, rounds: number, variant: Variant = {}): Program<Shares> {
  const { spins = 0, plain = false, spurious = false } = variant
  const body = (memory: Memory): Share => {
    const counting = new CountingMemory(new AnonymousMemory(memory))
    const mutex = Mutex.attach(counting, 0, { spins })
    const results: LockResult[] = []
    for (let round = 0; round < rounds; round++) {
      const result = mutex.lock()
      guarantee('mutex/times-out' satisfies Guarantee, result !== 'timed-out', 'gave up without a time-out')
      guarantee('mutex/robust' satisfies Guarantee, result !== 'abandoned', 'nobody died')
      ;(plain ? countPlainly : count)(memory)
      mutex.unlock()
      results.push(result)
    }
    return { results, ...counting.calls }
  }
  return base(`lock${rounds}/${threads}t${nameOf(variant)}`, alike(threads, body), {
    faults: { spurious },
    finally: everybodyCounted,
    sometimes: {
      'somebody sleeps': (_, results) => Object.values(results).some((share) => (share?.announced ?? 0) > 0),
      'nobody sleeps': (_, results) => Object.values(results).every((share) => share?.announced === 0),
    },
  })
}

function tryAndCount(memory: Memory, tries: number): Share {
  const counting = new CountingMemory(new AnonymousMemory(memory))
  const mutex = Mutex.attach(counting)
  const results: Share['results'][number][] = []
  for (let i = 0; i < tries; i++) {
    const result = mutex.tryLock()
    if (result === 'acquired') {
      count(memory)
      mutex.unlock()
    }
    results.push(result)
  }
  return { results, ...counting.calls }
}

/** Each thread tries so many times; nobody waits. */
export function trying(threads: 2 | 3, tries: number): Program<Shares> {
  return base(
    `try${tries}/${threads}t`,
    alike(threads, (memory) => tryAndCount(memory, tries)),
    {
      finally: everybodyCounted,
      sometimes: {
        'somebody finds it busy': (_, results) => acquired(results) < threads * tries,
        'all get it': (_, results) => acquired(results) === threads * tries,
      },
    },
  )
}

/** One thread holds the lock for a while, another one locks with a time-out: if it gives up, the lock was held all the time. */
export function timesOut(): Program<Shares> {
  const freedAt = words.told
  return base(
    'times-out',
    {
      holder: (memory) => {
        const share = lockAndCount(memory)
        memory.store(freedAt, 1)
        return share
      },
      waiter: (memory) => lockInTime(new AnonymousMemory(memory), (now) => now.load(freedAt) === 1),
    },
    { finally: everybodyCounted, sometimes: waiterSometimes },
  )
}

/**
 * One thread sleeps until it is woken, another one sleeps until it is woken, and then its time is over: if the lock is held
 * again, the one that was woken gives up, and the other one must be woken by somebody else.
 *
 * @param tries how often a third thread tries to hold the lock
 */
export function wokenTooLate(tries: 1 | 2): Program<Shares> {
  return base(
    `woken-too-late-${tries}`,
    {
      holder: (memory) => tryAndCount(memory, tries),
      waiter: (memory) => lockInTime(new LateMemory(new AnonymousMemory(memory)), () => false),
      sleeper: lockAndCount,
    },
    { finally: everybodyCounted, sometimes: tries === 1 ? {} : waiterSometimes },
  )
}

const waiterSometimes: NonNullable<Program<Shares>['sometimes']> = {
  'the waiter gets it': (_, { waiter }) => waiter?.results[0] === 'acquired',
  'the waiter gives up': (_, { waiter }) => waiter?.results[0] === 'timed-out',
}

function lockAndCount(memory: Memory): Share {
  const counting = new CountingMemory(new AnonymousMemory(memory))
  const mutex = Mutex.attach(counting, 0, { spins: 0 })
  const result = mutex.lock()
  count(memory)
  mutex.unlock()
  return { results: [result], ...counting.calls }
}

/** @param isFree whether the lock was free, so that nobody must give up */
function lockInTime(memory: Memory, isFree: (memory: Memory) => boolean): Share {
  const witness = new WitnessMemory(memory, 'mutex/times-out' satisfies Guarantee, isFree)
  const mutex = Mutex.attach(witness, 0, { spins: 0 })
  const result = witness.attempt(
    'the lock had been free in time',
    (timeoutMs) => mutex.lock(timeoutMs),
    (r) => r === 'timed-out',
  )
  if (result === 'acquired') {
    count(memory)
    mutex.unlock()
  }
  return { results: [result], ...witness.calls }
}

/** One thread has the mutex twice: what it holds by one, it cannot have by the other. Everything gives up in time. */
export function givesUpAlone(spins: 0 | 1 = 0): Program<Shares> {
  const alone = (memory: Memory): Share => {
    const witness = new WitnessMemory(new AnonymousMemory(memory), 'mutex/times-out' satisfies Guarantee, () => false)
    const one = Mutex.attach(witness, 0, { spins })
    const other = Mutex.attach(witness, 0, { spins })
    const results: Share['results'][number][] = []
    const attempt = (mutex: Mutex) =>
      results.push(
        witness.attempt(
          'it was not free',
          (timeoutMs) => mutex.lock(timeoutMs),
          (r) => r === 'timed-out',
        ),
      )
    attempt(one)
    attempt(other)
    results.push(other.tryLock(), other.lock(0), other.lock(-1))
    one.unlock()
    attempt(other)
    other.abandon()
    attempt(one)
    return { results, ...witness.calls }
  }
  return base(
    `gives-up-alone${spins === 1 ? '-spin1' : ''}`,
    { alone },
    {
      finally: (_, { alone: share }) => {
        const expected = 'acquired,timed-out,busy,timed-out,timed-out,acquired,abandoned'
        guarantee('mutex/times-out' satisfies Guarantee, share?.results.join() === expected, `got ${share?.results.join()}`)
      },
    },
  )
}

/** Two threads lock; the first one gives up half-way: it has counted, but not copied. Who comes next is told. */
export function abandoning(): Program<Shares> {
  const seeing = (memory: Memory): [CountingMemory, Mutex] => {
    const counting = new CountingMemory(new AnonymousMemory(memory))
    return [counting, Mutex.attach(counting, 0, { spins: 0 })]
  }
  return base(
    'abandon',
    {
      first: (memory) => {
        const [counting, mutex] = seeing(memory)
        const result = mutex.lock()
        memory.add(words.count, 1)
        mutex.abandon()
        return { results: [result], ...counting.calls }
      },
      second: (memory) => {
        const [counting, mutex] = seeing(memory)
        const result = mutex.lock()
        const whole = memory.load(words.count) === memory.load(words.copy)
        guarantee(
          'mutex/robust' satisfies Guarantee,
          whole === (result === 'acquired'),
          `${result}, and it is ${whole ? '' : 'not '}whole`,
        )
        if (!whole) memory.store(words.copy, memory.load(words.count))
        mutex.unlock()
        return { results: [result], ...counting.calls }
      },
    },
    {
      sometimes: {
        'the second repairs': (_, { second }) => second?.results[0] === 'abandoned',
        'the second comes first': (_, { second }) => second?.results[0] === 'acquired',
        'the second sleeps': (_, { second }) => (second?.announced ?? 0) > 0,
      },
    },
  )
}

/** How it is made. */
export const creation: Creation = {
  slug: 'mutex/attaches' satisfies Guarantee,
  name: 'Mutex',
  words: Mutex.words(),
  create: (memory) => void Mutex.create(memory),
  attach: (memory) => {
    const mutex = Mutex.attach(memory)
    const result = mutex.tryLock()
    if (result !== 'busy') mutex.unlock()
    return result
  },
  found: 'acquired',
  parameters: [],
  state: { 'that nobody holds it': words.holder },
}

/** Repairs what a dead holder left half-changed, or checks that all is whole. */
function repairOrCheck(memory: Memory, result: LockResult): void {
  const n = memory.load(words.count)
  if (result === 'abandoned') memory.store(words.copy, n)
  else guarantee('mutex/robust' satisfies Guarantee, memory.load(words.copy) === n, 'half-changed, and nobody was told')
}

/**
 * Threads of which some may die, wherever they are; the others find the lock usable, whole or with a word that it is not.
 *
 * @param mortal which of them may be killed
 * @param kills how many of these
 */
export function dying(threads: 2 | 3, mortal: readonly (typeof names)[number][], kills: number, rounds = 1): Program<Shares> {
  const body = (memory: Memory): Share => {
    const counting = new CountingMemory(new SlicedMemory(memory))
    const mutex = Mutex.attach(counting, 0, { spins: 0 })
    const results: LockResult[] = []
    for (let round = 0; round < rounds; round++) {
      const result = mutex.lock()
      guarantee('mutex/times-out' satisfies Guarantee, result !== 'timed-out', 'gave up without a time-out')
      repairOrCheck(memory, result)
      count(memory)
      mutex.unlock()
      results.push(result)
    }
    return { results, ...counting.calls }
  }
  const sometimes: Program<Shares>['sometimes'] = {
    'somebody repairs': (_, results) => Object.values(results).some((share) => share?.results.includes('abandoned')),
    'nobody need repair': (_, results) => Object.values(results).every((share) => !share?.results.includes('abandoned')),
  }
  return base(`dying${rounds}/${threads}t-${mortal.length}m${kills}k`, alike(threads, body), {
    faults: { kill: mortal, kills },
    sometimes,
    finally: (memory, results) => {
      const shares = Object.values(results) as Share[]
      const dead = threads - shares.length
      const [n, times] = [memory.load(words.count), shares.length * rounds]
      guarantee('mutex/excludes' satisfies Guarantee, n >= times && n <= times + dead * rounds, `${times} times, counted ${n}`)
      const repairs = shares.filter((share) => share.results.includes('abandoned')).length
      guarantee('mutex/robust' satisfies Guarantee, repairs <= dead, `${dead} died, ${repairs} were told`)
    },
  })
}

/** A holder may die, or an unlocker before its notify; a waiter with a time-out sleeps, and looks when its time is over. */
export function dyingWhileWaiting(): Program<Shares> {
  return base(
    'dying-while-waiting',
    {
      holder: (memory) => {
        const counting = new CountingMemory(new SlicedMemory(memory))
        const mutex = Mutex.attach(counting, 0, { spins: 0 })
        const result = mutex.lock()
        count(memory)
        mutex.unlock()
        return { results: [result], ...counting.calls }
      },
      waiter: (memory) => {
        const witness = new WitnessMemory(memory, 'mutex/times-out' satisfies Guarantee, (now) => !now.liveness?.alive(0))
        const mutex = Mutex.attach(witness, 0, { spins: 0 })
        const result = witness.attempt(
          'the holder was dead',
          (timeoutMs) => mutex.lock(timeoutMs),
          (r) => r === 'timed-out',
        )
        if (result !== 'timed-out') {
          repairOrCheck(memory, result)
          count(memory)
          mutex.unlock()
        }
        return { results: [result], ...witness.calls }
      },
    },
    {
      faults: { kill: ['holder'] },
      sometimes: {
        'the waiter repairs': (_, { waiter }) => waiter?.results[0] === 'abandoned',
        'the waiter sleeps beside a dead one': (_, { holder, waiter }) => holder === undefined && (waiter?.announced ?? 0) > 0,
        'the waiter gives up': (_, { waiter }) => waiter?.results[0] === 'timed-out',
      },
    },
  )
}
