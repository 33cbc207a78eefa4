import { guarantee } from '../../checker/guarantee.ts'
import { lineWords } from '../../core/layout.ts'
import type { Memory } from '../../core/memory.ts'
import type { LockResult } from '../../core/mutex.ts'
import { ReadWriteLock } from '../../core/read-write-lock.ts'
import { type Program, program } from '../../model/program.ts'
import type { Creation } from '../creation.ts'
import { AnonymousMemory, type Calls, CountingMemory, everyNotifyWasAskedFor, SlicedMemory, WitnessMemory } from '../memories.ts'
import type { Guarantee } from './guarantees.ts'

/**
 * Small programs around a read-write lock. Each thread attaches by itself. The lock protects two words, which agree whenever no
 * writer is at them.
 */

/** Where the words are: a lock with two seats at word 0, and then those of the program. */
export const words: { readonly writer: number; seat(seat: number): number; readonly count: number; readonly copy: number } = {
  writer: lineWords,
  seat: (seat) => (2 + seat) * lineWords,
  count: ReadWriteLock.words({ readers: 2 }),
  copy: ReadWriteLock.words({ readers: 2 }) + 1,
}

/** What a thread returns. */
export interface Share extends Calls {
  readonly results: readonly (LockResult | 'busy')[]
}

type Shares = Record<string, Share>
type Body = (memory: Memory) => Share

/** Counts up, both words: in a hurry, if another one does the same at once, counts are lost. */
function write(memory: Memory): void {
  const n = memory.load(words.count)
  guarantee('read-write-lock/excludes' satisfies Guarantee, memory.load(words.copy) === n, 'another writer is at it')
  memory.store(words.count, n + 1)
  memory.store(words.copy, n + 1)
}

function read(memory: Memory): void {
  const n = memory.load(words.count)
  guarantee('read-write-lock/excludes' satisfies Guarantee, memory.load(words.copy) === n, 'a writer is at it')
}

/** The same with plain operations: free of data races, if what writers did is visible. */
function writePlainly(memory: Memory): void {
  memory.write(words.count, memory.read(words.count) + 1)
}

function readPlainly(memory: Memory): void {
  memory.read(words.count)
}

function base(name: string, seats: 1 | 2, threads: Record<string, Body>, extra: Partial<Program<Shares>> = {}): Program<Shares> {
  const { finally: alsoFinally, ...rest } = extra
  return program<Shares>({
    name: `read-write-lock/${name}/${seats}s`,
    words: words.count + lineWords,
    setup: (memory) => void ReadWriteLock.create(memory, { readers: seats }),
    threads,
    ...rest,
    finally: (memory, results) => {
      const shares = Object.keys(threads).map((thread) => results[thread])
      everyNotifyWasAskedFor('read-write-lock/notifies-sleepers-only' satisfies Guarantee, shares)
      if (!shares.includes(undefined)) {
        const free = ReadWriteLock.attach(memory).tryWriteLock()
        guarantee('read-write-lock/wakes' satisfies Guarantee, free === 'acquired', `all are done, and the lock is ${free}`)
      }
      alsoFinally?.(memory, results)
    },
  })
}

/** How a program differs from the plainest one of its kind. */
interface Variant {
  readonly spins?: 0 | 1
  readonly plain?: boolean
  readonly spurious?: boolean
}

/** Readers and writers, each of which takes the lock once, and waits for it. */
export function locking(readers: 0 | 1 | 2, writers: 1 | 2, seats: 1 | 2, variant: Variant = {}): Program<Shares> {
  const { spins = 0, plain = false, spurious = false } = variant
  const body =
    (reads: boolean): Body =>
    (memory) => {
      const counting = new CountingMemory(new AnonymousMemory(memory))
      const lock = ReadWriteLock.attach(counting, 0, { spins })
      const result = reads ? lock.readLock() : lock.writeLock()
      guarantee('read-write-lock/times-out' satisfies Guarantee, result !== 'timed-out', 'gave up without a time-out')
      guarantee('read-write-lock/robust' satisfies Guarantee, result !== 'abandoned', 'nobody died')
      if (plain) (reads ? readPlainly : writePlainly)(memory)
      else (reads ? read : write)(memory)
      lock.unlock()
      return { results: [result], ...counting.calls }
    }
  const threads: Record<string, Body> = {}
  for (let i = 0; i < writers; i++) threads[`writer${i}`] = body(false)
  for (let i = 0; i < readers; i++) threads[`reader${i}`] = body(true)
  const name = `lock/${readers}r${writers}w${spins === 1 ? '-spin1' : ''}${plain ? '-plain' : ''}${spurious ? '-spurious' : ''}`
  return base(name, seats, threads, {
    faults: { spurious },
    sometimes: {
      'somebody sleeps': (_, results) => Object.values(results).some((share) => (share?.announced ?? 0) > 0),
      'nobody sleeps': (_, results) => Object.values(results).every((share) => share?.announced === 0),
    },
    finally: (memory) => {
      const found = memory.read(words.count)
      guarantee('read-write-lock/excludes' satisfies Guarantee, found === writers, `${writers} wrote, counted ${found}`)
    },
  })
}

/** Two readers and a single seat: one waits for the other's. */
export function waitingForASeat(spins: 0 | 1 = 0): Program<Shares> {
  const body: Body = (memory) => {
    const counting = new CountingMemory(new AnonymousMemory(memory))
    const lock = ReadWriteLock.attach(counting, 0, { spins })
    const result = lock.readLock()
    guarantee('read-write-lock/times-out' satisfies Guarantee, result === 'acquired', `${result} without a time-out or a writer`)
    lock.unlock()
    return { results: [result], ...counting.calls }
  }
  return base(`wait-for-a-seat${spins === 1 ? '-spin1' : ''}`, 1, { first: body, second: body })
}

/** Everybody tries; nobody waits. */
export function trying(readers: 1 | 2, writers: 1 | 2, seats: 1 | 2): Program<Shares> {
  const body =
    (reads: boolean): Body =>
    (memory) => {
      const counting = new CountingMemory(new AnonymousMemory(memory))
      const lock = ReadWriteLock.attach(counting)
      const result = reads ? lock.tryReadLock() : lock.tryWriteLock()
      if (result !== 'busy') {
        ;(reads ? read : write)(memory)
        lock.unlock()
      }
      return { results: [result], ...counting.calls }
    }
  const threads: Record<string, Body> = {}
  for (let i = 0; i < writers; i++) threads[`writer${i}`] = body(false)
  for (let i = 0; i < readers; i++) threads[`reader${i}`] = body(true)
  return base(`try/${readers}r${writers}w`, seats, threads, {
    sometimes: {
      'a writer finds it busy': (_, { writer0 }) => writer0?.results[0] === 'busy',
      'a reader finds it busy': (_, { reader0 }) => reader0?.results[0] === 'busy',
      'all get it': (_, results) => Object.values(results).every((share) => share?.results[0] === 'acquired'),
    },
  })
}

/** A thread reads, a writer waits for it in time, and meanwhile another reader tries. */
export function writerWaits(): Program<Shares> {
  return base('writer-waits', 2, {
    reader: (memory) => {
      const counting = new CountingMemory(new AnonymousMemory(memory))
      const lock = ReadWriteLock.attach(counting)
      const result = lock.tryReadLock()
      if (result === 'acquired') lock.unlock()
      return { results: [result], ...counting.calls }
    },
    writer: (memory) => {
      const counting = new CountingMemory(new AnonymousMemory(memory))
      const lock = ReadWriteLock.attach(counting, 0, { spins: 0 })
      const result = lock.writeLock(5)
      // So that there is a time after which a reader may come.
      if (result === 'acquired') lock.unlock()
      memory.store(words.count, 1)
      return { results: [result], ...counting.calls }
    },
    late: (memory) => {
      const counting = new CountingMemory(new AnonymousMemory(memory))
      const lock = ReadWriteLock.attach(counting)
      const writing = memory.load(words.writer) !== 0
      const result = lock.tryReadLock()
      const since = memory.load(words.count) === 1
      const first = !(writing && !since && result === 'acquired' && memory.load(words.writer) !== 0)
      guarantee('read-write-lock/writers-first' satisfies Guarantee, first, 'a reader got past a writer that waits')
      if (result === 'acquired') lock.unlock()
      return { results: [result], ...counting.calls }
    },
  })
}

/** One thread holds the lock for a while, another one wants it in time: if it gives up, the lock was held all the time. */
export function timesOut(holds: 'reading' | 'writing', wants: 'reading' | 'writing'): Program<Shares> {
  const freedAt = words.copy + 1
  return base(
    `times-out/${holds}-${wants}`,
    2,
    {
      holder: (memory) => {
        const counting = new CountingMemory(new AnonymousMemory(memory))
        const lock = ReadWriteLock.attach(counting, 0, { spins: 0 })
        const result = holds === 'reading' ? lock.readLock() : lock.writeLock()
        lock.unlock()
        memory.store(freedAt, 1)
        return { results: [result], ...counting.calls }
      },
      waiter: (memory) => {
        const isFree = (now: Memory) => now.load(freedAt) === 1
        const witness = new WitnessMemory(new AnonymousMemory(memory), 'read-write-lock/times-out' satisfies Guarantee, isFree)
        const lock = ReadWriteLock.attach(witness, 0, { spins: 0 })
        const result = witness.attempt(
          'the lock had been free in time',
          (timeoutMs) => (wants === 'reading' ? lock.readLock(timeoutMs) : lock.writeLock(timeoutMs)),
          (r) => r === 'timed-out',
        )
        if (result !== 'timed-out') lock.unlock()
        return { results: [result], ...witness.calls }
      },
    },
    {
      sometimes: {
        'the waiter gets it': (_, { waiter }) => waiter?.results[0] === 'acquired',
        'the waiter gives up': (_, { waiter }) => waiter?.results[0] === 'timed-out',
      },
    },
  )
}

/** One thread has the lock several times: what it holds by one, it cannot have by the other. Everything gives up in time. */
export function givesUpAlone(seats: 1 | 2 = 2): Program<Shares> {
  return base('gives-up-alone', seats, {
    alone: (memory) => {
      const slug: Guarantee = 'read-write-lock/times-out'
      const witness = new WitnessMemory(new AnonymousMemory(memory), slug, () => false)
      const [one, other, third] = Array.from({ length: 3 }, () => ReadWriteLock.attach(witness, 0, { spins: 0 })) as [
        ReadWriteLock,
        ReadWriteLock,
        ReadWriteLock,
      ]
      const results: Share['results'][number][] = []
      const attempt = (call: (timeoutMs: number) => LockResult) =>
        results.push(witness.attempt('it was not free', call, (r) => r === 'timed-out'))
      results.push(one.readLock(), other.tryReadLock())
      guarantee('read-write-lock/shares' satisfies Guarantee, results[1] === (seats === 2 ? 'acquired' : 'busy'), `${results[1]}`)
      attempt((timeoutMs) => third.writeLock(timeoutMs))
      attempt((timeoutMs) => third.readLock(timeoutMs))
      results.push(third.tryWriteLock(), third.tryReadLock())
      one.unlock()
      if (seats === 2) other.unlock()
      results.push(third.writeLock())
      attempt((timeoutMs) => one.readLock(timeoutMs))
      attempt((timeoutMs) => one.writeLock(timeoutMs))
      third.abandon()
      // A reader holds up the repair, for which there is no time: it is still to be done.
      results.push(one.readLock())
      one.abandon()
      results.push(other.writeLock())
      other.unlock()
      const expected = [
        ...['acquired', seats === 2 ? 'acquired' : 'busy', 'timed-out', 'timed-out', 'busy', 'busy'],
        ...['acquired', 'timed-out', 'timed-out', 'abandoned', 'abandoned'],
      ]
      guarantee(slug, results.join() === expected.join(), `got ${results.join()}`)
      return { results, ...witness.calls }
    },
  })
}

/** Repairs what a dead writer left half-changed, or checks that all is whole. */
function repairOrCheck(memory: Memory, result: LockResult): void {
  const n = memory.load(words.count)
  if (result === 'abandoned') memory.store(words.copy, n)
  else guarantee('read-write-lock/robust' satisfies Guarantee, memory.load(words.copy) === n, 'half-changed, and nobody was told')
}

/**
 * Threads of which some may die, wherever they are; the others find the lock usable, whole or with a word that it is not.
 *
 * @param who a letter for each thread: `r` reads, `w` writes; a capital one may be killed
 * @param kills how many may be killed in one execution
 */
export function dying(who: string, seats: 1 | 2, kills = 1): Program<Shares> {
  const body =
    (reads: boolean): Body =>
    (memory) => {
      const counting = new CountingMemory(new SlicedMemory(memory))
      const lock = ReadWriteLock.attach(counting, 0, { spins: 0 })
      const result = reads ? lock.readLock() : lock.writeLock()
      guarantee('read-write-lock/times-out' satisfies Guarantee, result !== 'timed-out', 'gave up without a time-out')
      repairOrCheck(memory, result)
      if (!reads) write(memory)
      lock.unlock()
      return { results: [result], ...counting.calls }
    }
  const named = [...who].map((letter, i) => [`${letter.toLowerCase() === 'r' ? 'reader' : 'writer'}${i}`, letter] as const)
  const mortal = named.filter(([, letter]) => letter === letter.toUpperCase())
  const threads = Object.fromEntries(named.map(([name, letter]) => [name, body(letter.toLowerCase() === 'r')]))
  const writerMayDie = mortal.some(([, letter]) => letter === 'W')
  const count = (letter: string) => `${[...who].filter((other) => other === letter).length}${letter}`
  return base(`dying${kills}/${[...'RrWw'].map(count).join('')}`, seats, threads, {
    faults: { kill: mortal.map(([name]) => name), kills },
    sometimes: {
      ...(writerMayDie && {
        'somebody repairs': (_: unknown, results: Partial<Shares>) =>
          Object.values(results).some((share) => share?.results[0] === 'abandoned'),
      }),
      'nobody need repair': (_, results) => Object.values(results).every((share) => share?.results[0] === 'acquired'),
    },
    finally: (memory, results) => {
      const wrote = Object.keys(results).filter((name) => name.startsWith('writer')).length
      const writers = named.filter(([name]) => name.startsWith('writer')).length
      const n = memory.load(words.count)
      guarantee('read-write-lock/excludes' satisfies Guarantee, n >= wrote && n <= writers, `${wrote} wrote, counted ${n}`)
      const told = Object.values(results).filter((share) => share?.results[0] === 'abandoned').length
      const dead = named.length - Object.keys(results).length
      guarantee('read-write-lock/robust' satisfies Guarantee, told <= dead, `${dead} died, ${told} were told`)
    },
  })
}

/**
 * One thread may die while it holds the lock; another wants it in time, and gets it if the first is dead when its time is over.
 */
export function dyingWhileWaiting(holds: 'reading' | 'writing', wants: 'reading' | 'writing'): Program<Shares> {
  return base(
    `dying-while-waiting/${holds}-${wants}`,
    2,
    {
      holder: (memory) => {
        const counting = new CountingMemory(new SlicedMemory(memory))
        const lock = ReadWriteLock.attach(counting, 0, { spins: 0 })
        const result = holds === 'reading' ? lock.readLock() : lock.writeLock()
        lock.unlock()
        return { results: [result], ...counting.calls }
      },
      waiter: (memory) => {
        const slug: Guarantee = 'read-write-lock/times-out'
        const witness = new WitnessMemory(memory, slug, (now) => !now.liveness?.alive(0))
        const lock = ReadWriteLock.attach(witness, 0, { spins: 0 })
        const result = witness.attempt(
          'the holder was dead',
          (timeoutMs) => (wants === 'reading' ? lock.readLock(timeoutMs) : lock.writeLock(timeoutMs)),
          (r) => r === 'timed-out',
        )
        if (result !== 'timed-out') lock.unlock()
        return { results: [result], ...witness.calls }
      },
    },
    {
      faults: { kill: ['holder'] },
      sometimes: {
        'the waiter sleeps beside a dead one': (_, { holder, waiter }) => holder === undefined && (waiter?.announced ?? 0) > 0,
        'the waiter gives up': (_, { waiter }) => waiter?.results[0] === 'timed-out',
      },
    },
  )
}

/** A writer gives up; another one, which is told, gives up in turn, because a reader is in its way; the next one is told. */
export function abandoning(): Program<Shares> {
  return base('abandon', 1, {
    alone: (memory) => {
      const counting = new CountingMemory(new AnonymousMemory(memory))
      const [one, other] = [ReadWriteLock.attach(counting, 0, { spins: 0 }), ReadWriteLock.attach(counting, 0, { spins: 0 })]
      const results: Share['results'][number][] = [one.writeLock()]
      one.abandon()
      // Somebody sits down, and will see the writer's word only later.
      memory.store(words.seat(0), 2)
      results.push(other.writeLock(5), other.tryWriteLock())
      memory.store(words.seat(0), 0)
      results.push(other.tryReadLock())
      other.unlock()
      results.push(one.tryReadLock())
      one.unlock()
      const expected = 'acquired,timed-out,busy,abandoned,acquired'
      guarantee('read-write-lock/robust' satisfies Guarantee, results.join() === expected, `got ${results.join()}`)
      return { results, ...counting.calls }
    },
  })
}

/** How it is made. */
export const creation: Creation = {
  slug: 'read-write-lock/attaches' satisfies Guarantee,
  name: 'ReadWriteLock',
  words: ReadWriteLock.words({ readers: 2 }),
  create: (memory) => void ReadWriteLock.create(memory, { readers: 2 }),
  attach: (memory) => {
    const lock = ReadWriteLock.attach(memory)
    const other = ReadWriteLock.attach(memory)
    const found = `${lock.readers} ${lock.tryReadLock()} ${other.tryReadLock()}`
    lock.unlock()
    other.unlock()
    return found
  },
  found: '2 acquired acquired',
  parameters: ['readers'],
  state: {
    'that nobody writes': words.writer,
    'that the first seat is free': words.seat(0),
    'that the last seat is free': words.seat(1),
  },
}
