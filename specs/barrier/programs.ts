import { guarantee } from '../../checker/guarantee.ts'
import { Barrier, type BarrierResult } from '../../core/barrier.ts'
import { lineWords } from '../../core/layout.ts'
import type { Memory } from '../../core/memory.ts'
import { type Program, program } from '../../model/program.ts'
import type { Creation } from '../creation.ts'
import { AnonymousMemory, type Calls, CountingMemory, everyNotifyWasAskedFor, SlicedMemory, WitnessMemory } from '../memories.ts'
import type { Guarantee } from './guarantees.ts'

/** Small programs around a barrier. Each thread attaches by itself, and has a word in which it says in which round it is. */

/** Where the words are: the barrier at word 0, and then those of the program. */
export const words: { readonly arrivals: number; round(thread: number): number } = {
  arrivals: lineWords,
  round: (thread) => Barrier.words() + thread,
}

/** The word one generation below the wrap. */
export function belowWrap(parties: number): number {
  return 2 * (2 ** 30 - (2 ** 30 % parties) - parties)
}

/** What a thread returns. */
export interface Share extends Calls {
  readonly results: readonly BarrierResult[]
}

type Shares = Record<string, Share>
type Body = (memory: Memory) => Share

const names = ['first', 'second', 'third'] as const

/** In a program that crosses the wrap, what goes wrong is put down to the wrap. */
function together(start: number): Guarantee {
  return start === 0 ? 'barrier/together' : 'barrier/wraps'
}

function base(
  name: string,
  parties: number,
  start: number,
  threads: Record<string, Body>,
  extra: Partial<Program<Shares>> = {},
): Program<Shares> {
  return program<Shares>({
    name: `barrier/${name}${start === 0 ? '' : '-wrap'}`,
    words: Barrier.words() + lineWords,
    setup: (memory) => {
      Barrier.create(memory, { parties })
      memory.write(words.arrivals, start)
    },
    threads,
    ...extra,
    finally: (memory, results) => {
      const shares = Object.keys(threads).map((thread) => results[thread])
      everyNotifyWasAskedFor('barrier/notifies-sleepers-only' satisfies Guarantee, shares)
      if (shares.includes(undefined)) return
      const all = shares.flatMap((share) => share?.results ?? [])
      const went = all.filter((result) => result !== 'timed-out').length
      const lasts = all.filter((result) => result === 'last').length
      guarantee(together(start), went % parties === 0, `${went} went on, and ${parties} go together`)
      guarantee(together(start), lasts === went / parties, `${went} went on, and ${lasts} were the last`)
      const left = (((memory.load(words.arrivals) & ~1) - start) / 2) % parties
      guarantee('barrier/times-out' satisfies Guarantee, left === 0, `${left} are counted that gave up`)
    },
  })
}

/** How a program differs from the plainest one of its kind. */
interface Variant {
  readonly spins?: 0 | 1
  readonly plain?: boolean
  readonly spurious?: boolean
  readonly start?: number
}

/** As many threads as parties meet so many times; after each meeting they look how far the others are. */
export function meeting(parties: 2 | 3, rounds: number, variant: Variant = {}): Program<Shares> {
  const { spins = 0, plain = false, spurious = false, start = 0 } = variant
  const body =
    (self: number): Body =>
    (memory) => {
      const counting = new CountingMemory(new AnonymousMemory(memory))
      const barrier = Barrier.attach(counting, 0, { spins })
      const results: BarrierResult[] = []
      for (let round = 1; round <= rounds; round++) {
        if (plain) memory.write(words.round(self), round)
        else memory.store(words.round(self), round)
        const result = barrier.wait()
        guarantee('barrier/times-out' satisfies Guarantee, result !== 'timed-out', 'gave up without a time-out')
        for (let other = 0; other < parties; other++) {
          const found = plain ? memory.read(words.round(other)) : memory.load(words.round(other))
          guarantee(together(start), found >= round, `in round ${round}, and another one is in round ${found}`)
        }
        results.push(result)
      }
      return { results, ...counting.calls }
    }
  const threads = Object.fromEntries(names.slice(0, parties).map((name, self) => [name, body(self)]))
  const name = `meet${rounds}/${parties}p${spins === 1 ? '-spin1' : ''}${plain ? '-plain' : ''}${spurious ? '-spurious' : ''}`
  return base(name, parties, start, threads, {
    faults: { spurious },
    sometimes: {
      'somebody sleeps': (_, results) => Object.values(results).some((share) => (share?.announced ?? 0) > 0),
      'nobody sleeps': (_, results) => Object.values(results).every((share) => share?.announced === 0),
    },
  })
}

/** More threads than parties come, and do not wait: each is the last of two, or leaves. */
export function comingAndGoing(threads: 2 | 3, start = 0): Program<Shares> {
  const body: Body = (memory) => {
    const counting = new CountingMemory(new AnonymousMemory(memory))
    return { results: [Barrier.attach(counting).wait(0)], ...counting.calls }
  }
  return base(`come-and-go/${threads}t2p`, 2, start, Object.fromEntries(names.slice(0, threads).map((name) => [name, body])), {
    sometimes: {
      'two meet': (_, results) => Object.values(results).some((share) => share?.results[0] === 'last'),
      'all leave': (_, results) => Object.values(results).every((share) => share?.results[0] === 'timed-out'),
    },
  })
}

/**
 * Threads meet in twos, in time; one of them may be killed. Whoever gives up had not been joined by then.
 *
 * @param threads how many come: more than two are too many
 */
export function timesOut(threads: 2 | 3, mortal = false): Program<Shares> {
  const body: Body = (memory) => {
    const generation = (word: number) => Math.floor((word >> 1) / 2)
    const moved = (now: Memory, expected: number) => generation(now.load(words.arrivals)) !== generation(expected)
    const seen = mortal ? memory : new AnonymousMemory(memory)
    const slug: Guarantee = mortal ? 'barrier/robust' : 'barrier/times-out'
    const witness = new WitnessMemory(seen, slug, moved)
    const barrier = Barrier.attach(witness, 0, { spins: 0 })
    const result = witness.attempt(
      'all had come in time',
      (timeoutMs) => barrier.wait(timeoutMs),
      (r) => r === 'timed-out',
    )
    return { results: [result], ...witness.calls }
  }
  const name = mortal ? `dying-while-waiting/${threads}t2p` : `times-out/${threads}t2p`
  return base(name, 2, 0, Object.fromEntries(names.slice(0, threads).map((thread) => [thread, body])), {
    faults: { kill: mortal ? ['first'] : [] },
    sometimes: {
      'they meet': (_, { second }) => second?.results[0] === 'passed',
      'somebody gives up': (_, results) => Object.values(results).some((share) => share?.results[0] === 'timed-out'),
      'somebody gives up after sleeping': (_, { second }) => second?.results[0] === 'timed-out' && second.announced > 0,
    },
  })
}

/** Nobody else comes. Everything gives up in time. */
export function givesUpAlone(): Program<Shares> {
  return base('gives-up-alone', 2, 0, {
    alone: (memory) => {
      const witness = new WitnessMemory(new AnonymousMemory(memory), 'barrier/times-out' satisfies Guarantee, () => false)
      const barrier = Barrier.attach(witness, 0, { spins: 0 })
      const result = witness.attempt(
        'nobody came',
        (timeoutMs) => barrier.wait(timeoutMs),
        (r) => r === 'timed-out',
      )
      const results = [result, barrier.wait(0), barrier.wait(-1)]
      guarantee(
        'barrier/times-out' satisfies Guarantee,
        results.every((r) => r === 'timed-out'),
        `returned ${results.join()}`,
      )
      return { results, ...witness.calls }
    },
  })
}

/**
 * A thread waits for one more. That one may die, perhaps after it came and before it woke anybody; if it did not come, a third
 * one does.
 */
export function dying(): Program<Shares> {
  const generation = (memory: Memory) => memory.load(words.arrivals) >>> 2
  const someoneWaits = (memory: Memory) => memory.load(words.arrivals) >>> 1 === 1
  const arriving = (memory: Memory, isWanted: () => boolean): Share => {
    while (generation(memory) === 0 && !(someoneWaits(memory) && isWanted())) memory.pause()
    const results = generation(memory) === 0 ? [Barrier.attach(memory).wait(0)] : []
    return { results, announced: 1, notified: 0 }
  }
  return base(
    'dying-last',
    2,
    0,
    {
      mortal: (memory) => arriving(memory, () => true),
      other: (memory) => arriving(memory, () => memory.liveness?.alive(0) === false),
      waiter: (memory) => {
        const barrier = Barrier.attach(new SlicedMemory(memory), 0, { spins: 0 })
        return { results: [barrier.wait()], announced: 1, notified: 0 }
      },
    },
    {
      faults: { kill: ['mortal'] },
      sometimes: {
        'the last dies': (_, { mortal, other }) => mortal === undefined && other?.results.length === 0,
        'another one comes in its place': (_, { other }) => other?.results[0] === 'last',
      },
    },
  )
}

/** How it is made. */
export const creation: Creation = {
  slug: 'barrier/attaches' satisfies Guarantee,
  name: 'Barrier',
  words: Barrier.words(),
  create: (memory) => void Barrier.create(memory, { parties: 1 }),
  attach: (memory) => {
    const barrier = Barrier.attach(memory)
    return `${barrier.parties} ${barrier.wait(0)} ${memory.load(words.arrivals)}`
  },
  found: '1 last 2',
  parameters: ['parties'],
  state: { 'that nobody has come': words.arrivals },
}
