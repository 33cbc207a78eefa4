/** Known lock-free structures and locks at the sizes that the benchmark explores, and smaller. */

import { guarantee } from '../../checker/guarantee.ts'
import type { Memory } from '../../core/memory.ts'
import type { Program } from '../../model/program.ts'
import { crowd } from './family.ts'
import { dekkerLock, petersonLock, readWriteLock, semaphore, sleepingLock } from './locks.ts'
import { chaseLevDeque, michaelScottQueue } from './queues.ts'
import { treiberStack } from './treiber-stack.ts'
import { countingUnder } from './waiting.ts'

/**
 * Items are numbered from 1 to at most 9. A tally counts how often each was delivered, one octal digit for each item: a
 * number, so that to judge an execution costs next to nothing beside exploring it.
 */
function tally(item: number | undefined): number {
  return item === undefined ? 0 : 8 ** item
}

/** The tally of the items from 1 to `count`, each once. */
function eachOnce(count: number): number {
  let all = 0
  for (let item = 1; item <= count; item++) all += tally(item)
  return all
}

/** The tally of what `take` delivers until it has nothing more. */
function tallyAll(take: () => number | undefined): number {
  let all = 0
  for (let item = take(); item !== undefined; item = take()) all += tally(item)
  return all
}

/** The tallies that the threads returned, together. */
function together(results: Readonly<Record<string, number>>): number {
  let all = 0
  for (const thread in results) all += results[thread]
  return all
}

/** `pushers` threads push once, each failed attempt counted. */
export function treiberPushes(pushers: number): Program<Record<string, void>> {
  const expected = eachOnce(pushers)
  return {
    name: `treiber-pushes-with-links(${pushers})`,
    words: treiberStack.words(pushers),
    threads: crowd(pushers, 'pusher', (m, i) => treiberStack.attach(m).push(i + 1, i + 1)),
    finally: (m) => guarantee('each-once', tallyAll(treiberStack.attach(m).pop) === expected),
  }
}

/** Each of `n` threads pushes and then pops. */
export function treiberPushPop(n: number): Program<Record<string, number>> {
  const expected = eachOnce(n)
  return {
    name: `treiber-push-pop(${n})`,
    words: treiberStack.words(n),
    threads: crowd(n, 'thread', (m, i) => {
      const stack = treiberStack.attach(m)
      stack.push(i + 1, i + 1)
      return tally(stack.pop())
    }),
    finally: (_, results) => guarantee('each-once', together(results as Record<string, number>) === expected),
  }
}

/** `pushers` threads push twice, `poppers` threads pop twice. */
export function treiberMixed(pushers: number, poppers: number): Program<Record<string, number>> {
  const expected = eachOnce(2 * pushers)
  return {
    name: `treiber(${pushers} push 2, ${poppers} pop 2)`,
    words: treiberStack.words(2 * pushers),
    threads: {
      ...crowd(pushers, 'pusher', (m, i) => {
        const stack = treiberStack.attach(m)
        stack.push(2 * i + 1, 2 * i + 1)
        stack.push(2 * i + 2, 2 * i + 2)
        return 0
      }),
      ...crowd(poppers, 'popper', (m) => {
        const stack = treiberStack.attach(m)
        return tally(stack.pop()) + tally(stack.pop())
      }),
    },
    finally: (m, results) => {
      const left = tallyAll(treiberStack.attach(m).pop)
      guarantee('each-once', together(results as Record<string, number>) + left === expected)
    },
  }
}

/** `writers` threads enqueue `each` items, `readers` threads dequeue `each` times. */
export function michaelScott(writers: number, readers: number, each: number): Program<Record<string, number>> {
  const expected = eachOnce(writers * each)
  return {
    name: `michael-scott(${writers} enqueue ${each}, ${readers} dequeue ${each})`,
    words: michaelScottQueue.words(1 + writers * each),
    setup: michaelScottQueue.create,
    threads: {
      ...crowd(writers, 'writer', (m, i) => {
        const queue = michaelScottQueue.attach(m)
        for (let k = 0; k < each; k++) queue.enqueue(2 + i * each + k, 1 + i * each + k)
        return 0
      }),
      ...crowd(readers, 'reader', (m) => {
        const queue = michaelScottQueue.attach(m)
        let got = 0
        for (let k = 0; k < each; k++) got += tally(queue.dequeue())
        return got
      }),
    },
    finally: (m, results) => {
      const left = tallyAll(michaelScottQueue.attach(m).dequeue)
      guarantee('each-once', together(results as Record<string, number>) + left === expected)
    },
  }
}

/** The owner pushes `pushes` items and takes `takes` times; each thief tries to steal once. */
export function chaseLev(pushes: number, takes: number, thieves: number): Program<Record<string, number>> {
  const expected = eachOnce(pushes)
  return {
    name: `chase-lev(push ${pushes}, take ${takes}, ${thieves} thieves)`,
    words: chaseLevDeque.words(pushes),
    threads: {
      owner: (m) => {
        const deque = chaseLevDeque.attach(m)
        for (let item = 1; item <= pushes; item++) deque.push(item)
        let got = 0
        for (let k = 0; k < takes; k++) got += tally(deque.take())
        return got
      },
      ...crowd(thieves, 'thief', (m) => tally(chaseLevDeque.attach(m).steal())),
    },
    finally: (m, results) => {
      const left = tallyAll(chaseLevDeque.attach(m).take)
      guarantee('each-once', together(results as Record<string, number>) + left === expected)
    },
  }
}

const IN_USE = 0
const PERMITS = 1

/** `n` threads share `permits` permits and count how many hold one. */
export function semaphored(n: number, permits: number): Program {
  return {
    name: `semaphore(${n} threads, ${permits} permits)`,
    words: 2,
    setup: (m) => m.store(PERMITS, permits),
    threads: crowd(n, 'thread', (m) => {
      const gate = semaphore(m, PERMITS)
      gate.acquire()
      guarantee('bounded', m.add(IN_USE, 1) < permits)
      m.sub(IN_USE, 1)
      gate.release()
    }),
  }
}

/** Writers add one to a plain word under the lock, readers read it under the lock. */
export function readersAndWriters(readers: number, writers: number): Program {
  const DATA = 0
  const LOCK = 1
  return {
    name: `rw-lock(${readers} readers, ${writers} writers)`,
    words: 2,
    threads: {
      ...crowd(readers, 'reader', (m) => {
        const { reading } = readWriteLock(m, LOCK)
        reading.lock()
        const seen = m.read(DATA)
        reading.unlock()
        return seen
      }),
      ...crowd(writers, 'writer', (m) => {
        const { writing } = readWriteLock(m, LOCK)
        writing.lock()
        m.write(DATA, m.read(DATA) + 1)
        writing.unlock()
      }),
    },
    finally: (m) => guarantee('exclusive-writers', m.load(DATA) === writers),
  }
}

/** Two threads count `times` each under a lock for two. */
function countingInTurns(
  name: string,
  times: number,
  lockOf: (memory: Memory, at: number, self: number) => { lock(): void; unlock(): void },
): Program {
  return {
    name: `${name}(${times} times)`,
    words: 4,
    threads: crowd(2, 'thread', (m, self) => {
      const lock = lockOf(m, 1, self)
      for (let i = 0; i < times; i++) {
        lock.lock()
        m.write(0, m.read(0) + 1)
        lock.unlock()
      }
    }),
    finally: (m) => guarantee('mutual-exclusion', m.load(0) === 2 * times),
  }
}

export const peterson = (times: number): Program => countingInTurns('peterson', times, petersonLock)
export const dekker = (times: number): Program => countingInTurns('dekker', times, dekkerLock)
/** Two threads that take a sleeping lock `times` times each. */
export const sleepingInTurns = (times: number): Program => countingInTurns('sleeping-lock-in-turns', times, sleepingLock)
export const sleeping = (n: number): Program => countingUnder('sleeping-lock', n, sleepingLock)

/** A program and the number of its executions, counted by another search than ours. */
export interface Counted {
  readonly program: Program
  readonly executions: number
}

/**
 * No formula is known for these. The counts are those of the throw-away graph search of the design (it knows neither
 * races nor waiting lists, and reads plain words as if they were atomic, which changes nothing where there is no race);
 * for those who sleep, of the brute force in `test/oracle`, which agrees on all the others up to a thousand.
 */
export const counted: readonly Counted[] = [
  { program: treiberPushes(2), executions: 4 },
  { program: treiberPushes(3), executions: 60 },
  { program: treiberPushes(4), executions: 3120 },
  { program: treiberPushPop(2), executions: 46 },
  { program: treiberMixed(1, 1), executions: 11 },
  { program: treiberMixed(1, 2), executions: 477 },
  { program: treiberMixed(2, 1), executions: 16020 },
  { program: michaelScott(1, 1, 1), executions: 4 },
  { program: michaelScott(1, 1, 2), executions: 24 },
  { program: michaelScott(2, 1, 1), executions: 64 },
  { program: michaelScott(2, 2, 1), executions: 2024 },
  { program: michaelScott(3, 1, 1), executions: 5112 },
  { program: chaseLev(1, 1, 1), executions: 8 },
  { program: chaseLev(2, 2, 1), executions: 17 },
  { program: chaseLev(2, 2, 2), executions: 288 },
  { program: chaseLev(3, 2, 2), executions: 457 },
  { program: chaseLev(3, 2, 3), executions: 13882 },
  { program: semaphored(2, 1), executions: 4 },
  { program: semaphored(3, 1), executions: 36 },
  { program: semaphored(3, 2), executions: 1188 },
  { program: readersAndWriters(1, 1), executions: 3 },
  { program: readersAndWriters(1, 2), executions: 12 },
  { program: readersAndWriters(2, 1), executions: 34 },
  { program: readersAndWriters(2, 2), executions: 188 },
  { program: readersAndWriters(3, 1), executions: 948 },
  { program: peterson(1), executions: 4 },
  { program: peterson(2), executions: 48 },
  { program: peterson(3), executions: 588 },
  { program: dekker(1), executions: 4 },
  { program: dekker(2), executions: 71 },
  { program: dekker(3), executions: 1344 },
  { program: sleeping(2), executions: 8 },
  { program: sleeping(3), executions: 1260 },
  { program: sleepingInTurns(2), executions: 298 },
]
