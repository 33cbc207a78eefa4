import { guarantee } from '../../checker/guarantee.ts'
import { lineWords } from '../../core/layout.ts'
import type { Memory } from '../../core/memory.ts'
import { Semaphore, type SemaphoreOptions } from '../../core/semaphore.ts'
import { type Program, program } from '../../model/program.ts'
import type { Creation } from '../creation.ts'
import { AnonymousMemory, type Calls, CountingMemory, everyNotifyWasAskedFor, SlicedMemory, WitnessMemory } from '../memories.ts'
import type { Guarantee } from './guarantees.ts'

/** Small programs around a semaphore. Each thread attaches by itself. Takers take permits, givers give them. */

/** Where the words are: the semaphore at word 0, and then those of the program. */
export const words: { readonly permits: number; readonly item: number; readonly given: number } = {
  permits: lineWords,
  item: Semaphore.words(),
  given: Semaphore.words() + 1,
}

/** What a thread returns: by how many permits there are more, or fewer, through it. */
export interface Share extends Calls {
  readonly balance: number
}

type Shares = Record<string, Share>
type Body = (memory: Memory) => Share

function base(name: string, options: SemaphoreOptions, threads: Record<string, Body>, extra: Partial<Program<Shares>> = {}) {
  return program<Shares>({
    name: `semaphore/${name}`,
    words: Semaphore.words() + lineWords,
    setup: (memory) => void Semaphore.create(memory, options),
    threads,
    ...extra,
    finally: (memory, results) => {
      const shares = Object.keys(threads).map((thread) => results[thread])
      everyNotifyWasAskedFor('semaphore/notifies-sleepers-only' satisfies Guarantee, shares)
      if (shares.includes(undefined)) return
      const expected = shares.reduce((sum, share) => sum + (share?.balance ?? 0), options.permits)
      const found = Semaphore.attach(memory).available()
      guarantee('semaphore/bounded' satisfies Guarantee, found === expected, `expected ${expected} permits, found ${found}`)
    },
  })
}

const noTimeOut = 'gave up without a time-out'

function taking(count: number, { spins = 0 as 0 | 1, body = (_: Memory): void => {} } = {}): Body {
  return (memory) => {
    const counting = new CountingMemory(new AnonymousMemory(memory))
    const taken = Semaphore.attach(counting, 0, { spins }).acquire(count)
    guarantee('semaphore/times-out' satisfies Guarantee, taken, noTimeOut)
    body(memory)
    return { balance: -count, ...counting.calls }
  }
}

function giving(counts: readonly number[], body = (_: Memory): void => {}): Body {
  return (memory) => {
    const counting = new CountingMemory(new AnonymousMemory(memory))
    const semaphore = Semaphore.attach(counting)
    body(memory)
    for (const count of counts) semaphore.release(count)
    return { balance: counts.reduce((sum, count) => sum + count, 0), ...counting.calls }
  }
}

const somebodySleeps: NonNullable<Program<Shares>['sometimes']> = {
  'somebody sleeps': (_, results) => Object.values(results).some((share) => (share?.announced ?? 0) > 0),
  'nobody sleeps': (_, results) => Object.values(results).every((share) => share?.announced === 0),
}

/** One thread makes something and says so by a permit, another takes the permit and finds it. */
export function handing(spins: 0 | 1 = 0, spurious = false): Program<Shares> {
  const threads = {
    giver: giving([1], (memory) => memory.write(words.item, 7)),
    taker: taking(1, {
      spins,
      body: (memory) => {
        const item = memory.read(words.item)
        guarantee('semaphore/bounded' satisfies Guarantee, item === 7, `found ${item}`)
      },
    }),
  }
  const name = `hand-over${spins === 1 ? '-spin1' : ''}${spurious ? '-spurious' : ''}`
  return base(name, { permits: 0 }, threads, { sometimes: somebodySleeps, faults: { spurious } })
}

/** Takers of one permit each, a giver that gives one at a time. */
export function sharing(takers: 2 | 3, permits: number): Program<Shares> {
  const threads: Record<string, Body> = { giver: giving(Array.from({ length: takers - permits }, () => 1)) }
  for (let i = 0; i < takers; i++) threads[`taker${i}`] = taking(1)
  return base(`share${permits}/${takers}t`, { permits }, threads, { sometimes: somebodySleeps })
}

/** One taker wants two permits, the other one; a giver gives three at once. */
export function wantingMore(): Program<Shares> {
  return base(
    'want-2-and-1',
    { permits: 0 },
    { two: taking(2), one: taking(1), giver: giving([3]) },
    { sometimes: somebodySleeps },
  )
}

/** Threads try to take one permit, and give it back; nobody waits. */
export function trying(threads: 2 | 3): Program<Shares> {
  const body: Body = (memory) => {
    const counting = new CountingMemory(new AnonymousMemory(memory))
    const semaphore = Semaphore.attach(counting)
    const before = semaphore.available()
    guarantee('semaphore/bounded' satisfies Guarantee, before === 0 || before === 1, `${before} permits of one`)
    if (!semaphore.tryAcquire()) return { balance: 0, ...counting.calls }
    const inside = memory.exchange(words.item, 1)
    guarantee('semaphore/bounded' satisfies Guarantee, inside === 0, 'one permit was taken twice')
    memory.store(words.item, 0)
    semaphore.release()
    return { balance: 0, ...counting.calls }
  }
  const names = ['first', 'second', 'third'].slice(0, threads)
  return base(`try/${threads}t`, { permits: 1 }, Object.fromEntries(names.map((name) => [name, body])))
}

/** Two threads give a permit each, where there can be one. One of them is refused. */
export function givingTooMany(): Program<Shares> {
  const body: Body = (memory) => {
    const counting = new CountingMemory(new AnonymousMemory(memory))
    const semaphore = Semaphore.attach(counting)
    try {
      semaphore.release()
      return { balance: 1, ...counting.calls }
    } catch (error) {
      if (!(error instanceof RangeError && error.message.startsWith('Semaphore'))) throw error
      return { balance: 0, ...counting.calls }
    }
  }
  const given = ({ first, second }: Partial<Shares>) => (first?.balance ?? 0) + (second?.balance ?? 0)
  const both = base('give-too-many', { permits: 0, permitsMax: 1 }, { first: body, second: body })
  return {
    ...both,
    finally: (memory, results) => {
      guarantee('semaphore/bounded' satisfies Guarantee, given(results) === 1, `${given(results)} of 1 given`)
      both.finally?.(memory, results)
    },
  }
}

/** One thread gives a permit, and may be killed; another waits for it in time. */
export function timesOut(mortal = false): Program<Shares> {
  return base(
    mortal ? 'dying-while-waiting' : 'times-out',
    { permits: 0 },
    {
      giver: giving([1]),
      taker: (memory) => {
        const enough = (now: Memory) => now.load(words.permits) >>> 1 >= 1
        const seen = mortal ? memory : new AnonymousMemory(memory)
        const witness = new WitnessMemory(seen, 'semaphore/times-out' satisfies Guarantee, enough)
        const semaphore = Semaphore.attach(witness, 0, { spins: 0 })
        const taken = witness.attempt(
          'there was a permit in time',
          (timeoutMs) => semaphore.acquire(1, timeoutMs),
          (result) => !result,
        )
        return { balance: taken ? -1 : 0, ...witness.calls }
      },
    },
    {
      faults: { kill: mortal ? ['giver'] : [] },
      sometimes: {
        'the taker gets it': (_, { taker }) => taker?.balance === -1,
        'the taker gives up': (_, { taker }) => taker?.balance === 0,
        'the taker sleeps': (_, { taker }) => taker?.announced === 1,
      },
    },
  )
}

/** Nobody gives anything. Everything gives up in time. */
export function givesUpAlone(): Program<Shares> {
  return base(
    'gives-up-alone',
    { permits: 1 },
    {
      alone: (memory) => {
        const witness = new WitnessMemory(new AnonymousMemory(memory), 'semaphore/times-out' satisfies Guarantee, () => false)
        const semaphore = Semaphore.attach(witness, 0, { spins: 0 })
        const results = [semaphore.acquire(1, 0)]
        results.push(
          witness.attempt(
            'there was none',
            (timeoutMs) => semaphore.acquire(1, timeoutMs),
            (result) => !result,
          ),
        )
        results.push(semaphore.tryAcquire(), semaphore.acquire(1, -1))
        semaphore.release(2)
        results.push(semaphore.acquire(2))
        const expected = 'true,false,false,false,true'
        guarantee('semaphore/times-out' satisfies Guarantee, results.join() === expected, `returned ${results.join()}`)
        return { balance: -1, ...witness.calls }
      },
    },
  )
}

/** Two threads give a permit each, one of which may die, perhaps after it gave and before it woke anybody; a third takes one. */
export function dying(): Program<Shares> {
  return base(
    'dying-giver',
    { permits: 0 },
    {
      mortal: giving([1]),
      giver: giving([1]),
      taker: (memory) => {
        const semaphore = Semaphore.attach(new SlicedMemory(memory), 0, { spins: 0 })
        guarantee('semaphore/times-out' satisfies Guarantee, semaphore.acquire(), noTimeOut)
        return { balance: -1, announced: 1, notified: 0 }
      },
    },
    { faults: { kill: ['mortal'] } },
  )
}

/** How it is made. */
export const creation: Creation = {
  slug: 'semaphore/attaches' satisfies Guarantee,
  name: 'Semaphore',
  words: Semaphore.words(),
  create: (memory) => void Semaphore.create(memory, { permits: 2, permitsMax: 3 }),
  attach: (memory) => {
    const semaphore = Semaphore.attach(memory)
    const found = `${semaphore.permitsMax} ${semaphore.available()} ${semaphore.tryAcquire(2)}`
    semaphore.release(2)
    return found
  },
  found: '3 2 true',
  parameters: ['most permits'],
  state: { 'the permits': words.permits },
}
