/** Threads that are killed, that look whether others live, and that wake up for no reason. */

import { guarantee } from '../../checker/guarantee.ts'
import type { Memory } from '../../core/memory.ts'
import { binomial, crowd, type Family, factorial, upTo } from './family.ts'

type Liveness = NonNullable<Memory['liveness']>

/** The numbers of all other participants, whatever the order of the threads. */
function othersOf({ self }: Liveness, participants: number): readonly number[] {
  return upTo(participants).filter((participant) => participant !== self)
}

/** Whether all others are alive, looking at each of them. */
function allLive(memory: Memory, participants: number): boolean {
  const { liveness } = memory
  if (liveness === undefined) throw new Error('a thread has liveness')
  const seen = othersOf(liveness, participants).map((participant) => liveness.alive(participant))
  return !seen.includes(false)
}

function sum(from: number, to: number, term: (i: number) => number): number {
  let total = 0
  for (let i = from; i <= to; i++) total += term(i)
  return total
}

/** The names of the first `n` threads of a kind, as `crowd` gives them. */
function names(n: number, kind: string): readonly string[] {
  return upTo(n).map((i) => `${kind}${i}`)
}

const killedApart: Family = {
  name: 'killed-apart',
  parameters: 'threads, operations of each on its own word, kills',
  program: (n, k, kills) => ({
    name: `killed-apart(${n}, ${k}, ${kills})`,
    words: n,
    threads: crowd(n, 'thread', (m, i) => upTo(k).map(() => m.add(i, 1))),
    faults: { kill: names(n, 'thread'), kills },
  }),
  executions: (n, k, kills) => sum(0, kills, (dead) => binomial(n, dead) * k ** dead),
  source: 'which of them are killed, and before which of its k operations each',
  sizes: [
    [1, 1, 1],
    [1, 6, 1],
    [2, 3, 1],
    [2, 3, 2],
    [3, 2, 2],
    [3, 2, 3],
    [4, 3, 3],
  ],
}

const killedApartUneven: Family = {
  name: 'killed-apart-uneven',
  parameters: 'operations of one thread, of another, kills',
  program: (n, m, kills) => ({
    name: `killed-apart-uneven(${n}, ${m}, ${kills})`,
    words: 2,
    threads: {
      first: (memory) => upTo(n).map(() => memory.add(0, 1)),
      second: (memory) => upTo(m).map(() => memory.load(1)),
    },
    faults: { kill: ['first', 'second'], kills },
  }),
  executions: (n, m, kills) => (kills === 1 ? n + m + 1 : (n + 1) * (m + 1)),
  source: 'n + m places of one kill, or n + 1 and m + 1 of two',
  sizes: [
    [1, 2, 1],
    [1, 2, 2],
    [4, 3, 1],
    [4, 3, 2],
  ],
}

const killedTogether: Family = {
  name: 'killed-together',
  parameters: 'threads that add once to one word, kills',
  program: (n, kills) => ({
    name: `killed-together(${n}, ${kills})`,
    words: 1,
    threads: crowd(n, 'thread', (m) => m.add(0, 1)),
    faults: { kill: names(n, 'thread'), kills },
    finally: (m, results) => guarantee('as-many-as-survive', m.load(0) === Object.keys(results).length),
  }),
  executions: (n, kills) => sum(0, kills, (dead) => binomial(n, dead) * factorial(n - dead)),
  source: 'every order of those who survive',
  sizes: [
    [2, 1],
    [2, 2],
    [3, 1],
    [3, 3],
    [5, 2],
  ],
}

const killedAfterwards: Family = {
  name: 'killed-afterwards',
  parameters: 'operations of a thread that ends with a plain write, threads that look whether it lives, looks of each',
  program: (n, watchers, looks) => ({
    name: `killed-afterwards(${n}, ${watchers}, ${looks})`,
    words: 2,
    threads: {
      victim: (m) => {
        for (let i = 0; i < n; i++) m.add(0, 1)
        m.write(1, 1)
      },
      ...crowd(watchers, 'watcher', (m) => upTo(looks).map(() => allLive(m, watchers + 1))),
    },
    faults: { kill: ['victim'] },
  }),
  executions: (n, watchers, looks) => (n + 1) * (looks + 1) ** watchers + 1,
  source: 'as watched, with one place more: after the end, where it tears what it wrote',
  sizes: [
    [0, 0, 0],
    [3, 0, 0],
    [0, 1, 2],
    [2, 2, 1],
  ],
}

const watched: Family = {
  name: 'watched',
  parameters: 'operations of the thread that may be killed, threads that look whether it lives, looks of each',
  program: (n, watchers, looks) => ({
    name: `watched(${n}, ${watchers}, ${looks})`,
    words: 1,
    threads: {
      victim: (m) => {
        for (let i = 0; i < n; i++) m.add(0, 1)
      },
      ...crowd(watchers, 'watcher', (m) => {
        const seen = upTo(looks).map(() => allLive(m, watchers + 1))
        guarantee('death-is-final', seen.lastIndexOf(true) < seen.indexOf(false) || !seen.includes(false))
        return seen
      }),
    },
    faults: { kill: ['victim'] },
  }),
  executions: (n, watchers, looks) => n * (looks + 1) ** watchers + 1,
  source: 'before one of n operations, and for each watcher how many of its looks came before that; or not at all',
  sizes: [
    [1, 1, 1],
    [3, 1, 2],
    [2, 2, 2],
    [1, 3, 2],
  ],
}

const watchingEachOther: Family = {
  name: 'watching-each-other',
  parameters: 'looks of each of two threads at the other, kills',
  program: (looks, kills) => ({
    name: `watching-each-other(${looks}, ${kills})`,
    words: 1,
    threads: crowd(2, 'thread', (m) => upTo(looks).map(() => allLive(m, 2))),
    faults: { kill: names(2, 'thread'), kills },
  }),
  // Killed after i and j looks, one thread may have seen up to i times that the other one is dead, or that one up to j
  // times that this one is; both cannot have, since who sees a death dies later. The sum of i + j + 1 is k cubed.
  executions: (k, kills) => 1 + 2 * k * (k + 1) + (kills === 2 ? k ** 3 : 0),
  source: 'nobody killed; one, before one of k looks, with k + 1 ways for the other to see it; both: i + j + 1 ways',
  sizes: [
    [1, 1],
    [1, 2],
    [3, 1],
    [3, 2],
  ],
}

const signalOrDeath: Family = {
  name: 'signal-or-death',
  parameters: 'operations of a thread up to its signal, operations after it, threads that wait for the signal or its death',
  program: (before, after, waiters) => ({
    name: `signal-or-death(${before}, ${after}, ${waiters})`,
    words: 2,
    threads: {
      victim: (m) => {
        for (let i = 1; i < before; i++) m.add(1, 1)
        m.store(0, 1)
        for (let i = 0; i < after; i++) m.add(1, 1)
      },
      ...crowd(waiters, 'waiter', (m) => {
        for (;;) {
          if (!allLive(m, waiters + 1)) return 'death'
          if (m.load(0) === 1) return 'signal'
          m.pause()
        }
      }),
    },
    faults: { kill: ['victim'] },
  }),
  executions: (before, after, waiters) => 1 + before + after * 2 ** waiters,
  source: 'not killed: all see the signal; killed before it: all see the death; killed after it: each sees either',
  sizes: [
    [1, 0, 1],
    [2, 2, 1],
    [3, 1, 2],
    [1, 2, 3],
  ],
}

const inheritance: Family = {
  name: 'inheritance',
  parameters: 'plain words that are written before they are published',
  program: (n) => ({
    name: `inheritance(${n})`,
    words: n + 1,
    threads: {
      owner: (m) => {
        for (let word = 1; word <= n; word++) m.write(word, word)
        m.store(0, 1)
      },
      heir: (m) => {
        while (m.load(0) === 0 && allLive(m, 2)) m.pause()
        const published = m.load(0) === 1
        // What a dead owner did not publish is torn: it is written anew before it is read.
        if (!published) for (let word = 1; word <= n; word++) m.write(word, -word)
        return upTo(n).map((i) => m.read(i + 1))
      },
    },
    faults: { kill: ['owner'] },
    finally: (m) => {
      const sign = m.load(0) === 1 ? 1 : -1
      for (let word = 1; word <= n; word++) guarantee('whole', m.load(word) === sign * word)
    },
  }),
  executions: () => 2,
  source: 'killed before the store that publishes, or not',
  sizes: [[1], [4]],
}

const spuriousApart: Family = {
  name: 'spurious-apart',
  parameters: 'threads, waits of each on its own word, all of them with a time-out',
  program: (n, k) => ({
    name: `spurious-apart(${n}, ${k})`,
    words: n,
    threads: crowd(n, 'thread', (m, i) => upTo(k).map(() => m.wait(i, 0, 1))),
    faults: { spurious: true },
  }),
  executions: (n, k) => (k + 1) ** n,
  source: 'which of its waits, if any, comes back for no reason',
  sizes: [
    [1, 1],
    [1, 4],
    [3, 2],
  ],
}

const spuriousTogether: Family = {
  name: 'spurious-together',
  parameters: 'threads that wait once for one word, with a time-out',
  program: (n) => ({
    name: `spurious-together(${n})`,
    words: 1,
    threads: crowd(n, 'thread', (m) => m.wait(0, 0, 1)),
    faults: { spurious: true },
  }),
  // The others fall asleep and time out: two writes of the list each, in any order.
  executions: (n) => sum(0, n, (woken) => (binomial(n, woken) * factorial(2 * (n - woken))) / 2 ** (n - woken)),
  source: 'who comes back for no reason, and every order of falling asleep and giving up of the others',
  sizes: [[1], [2], [3], [4]],
}

const spuriousLoop: Family = {
  name: 'spurious-loop',
  parameters: 'threads that wait in a loop for a store and a notify',
  program: (n) => ({
    name: `spurious-loop(${n})`,
    words: 1,
    threads: {
      ...crowd(n, 'sleeper', (m) => {
        let waits = 0
        while (m.load(0) === 0) {
          m.wait(0, 0)
          waits++
        }
        return waits
      }),
      waker: (m) => {
        m.store(0, 1)
        m.notify(0)
      },
    },
    faults: { spurious: true },
  }),
  // A sleeper sees the store at a load, at a wait, or after the notify, each with or without a wake-up for no reason
  // before: of its six ways it sleeps in two. Those who sleep fall asleep in any order.
  executions: (n) => sum(0, n, (asleep) => binomial(n, asleep) * 2 ** asleep * factorial(asleep) * 4 ** (n - asleep)),
  source: 'where each sleeper sees the store, with or without a wake-up before, and the order of those who sleep',
  sizes: [[1], [2], [3]],
}

export const faults: readonly Family[] = [
  killedApart,
  killedApartUneven,
  killedTogether,
  killedAfterwards,
  watched,
  watchingEachOther,
  signalOrDeath,
  inheritance,
  spuriousApart,
  spuriousTogether,
  spuriousLoop,
]
