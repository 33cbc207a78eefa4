import type { Check } from '../checker/check.ts'
import type { Program } from '../model/program.ts'
import { type Equivalent, equivalent, refuted } from './mutants.ts'
import { answering, type Call, dropped, giving, instead, mutate, torn } from './mutate.ts'

/**
 * The mistakes that can be made in sleeping and waking as `core/patience.ts` does it: tried with each structure that does,
 * at each word that threads sleep on.
 */
export interface Sleeping {
  /** The structure, as guarantees begin. */
  readonly structure: string
  /** What the word is, where a structure has several: part of the names of mutants. */
  readonly what: string
  readonly word: number
  /** A program in which `sleeper` may sleep on the word, and `waker` wakes it. Nobody has a time-out. */
  readonly blocking: Program
  readonly sleeper: string
  readonly waker: string
  /** A program in which a thread sleeps on the word, and its time is over. */
  readonly timing: Program
  readonly timed: string
  /** Which of the calls of `now` in that thread computes the deadline; the next one looks at the clock again. */
  readonly deadlineNow: number
  /** Which of the calls of `wait` in that thread. */
  readonly timedWait: number
  /** A program in which `spinner` looks once more before it sleeps on the word. */
  readonly spinning: Program
  readonly spinner: string
  /** Which of the loads of the word in that thread is the second look. */
  readonly spinLoad: number
}

/** Whether this compare-exchange announces a sleeper, and does nothing else. */
export function isAnnouncement({ args: [, expected, replacement] }: Call): boolean {
  return replacement === ((expected as number) | 1) && replacement !== expected
}

/** Mistakes that must be refuted. */
export function sleepingMutants(where: Sleeping): readonly Check[] {
  const { structure, what, word, blocking, sleeper, waker, timing, timed, deadlineNow, timedWait } = where
  const wakes = `${structure}/wakes`
  const timesOut = `${structure}/times-out`
  return [
    refuted(
      wakes,
      `a thread that changes ${what} does not notify`,
      blocking,
      mutate({ operation: 'notify', word, thread: waker }, dropped),
      'deadlock',
    ),
    refuted(
      wakes,
      `the announcement in ${what} is torn`,
      blocking,
      mutate({ operation: 'compareExchange', word, thread: sleeper, when: isAnnouncement }, torn),
      'deadlock',
    ),
    refuted(
      wakes,
      `a thread sleeps on ${what}, whatever it is`,
      blocking,
      mutate(
        { operation: 'wait', word, thread: sleeper },
        instead(({ memory, args }) => memory.wait(word, memory.load(word), args[2] as number)),
      ),
      'deadlock',
    ),
    refuted(
      timesOut,
      `a thread sleeps on ${what} without its time-out`,
      timing,
      mutate(
        { operation: 'wait', word, thread: timed, nth: timedWait },
        giving(() => Infinity),
      ),
      'deadlock',
    ),
    refuted(
      timesOut,
      `the deadline for ${what} is too early`,
      timing,
      mutate(
        { operation: 'now', thread: timed, nth: deadlineNow },
        answering((now) => now - 6),
      ),
    ),
    refuted(
      timesOut,
      `a thread gives up before it slept on ${what}`,
      timing,
      mutate(
        { operation: 'now', thread: timed, nth: deadlineNow + 1 },
        answering((now) => now + 6),
      ),
    ),
  ]
}

/** Mistakes that change nothing: those made while spinning. */
export function spinningEquivalents(where: Sleeping): readonly Equivalent[] {
  const { structure, what, word, spinning, spinner, spinLoad } = where
  const wakes = `${structure}/wakes`
  const hint = 'a look while spinning is a hint: whatever it says, the caller looks again and decides by that'
  const look = { operation: 'load', word, thread: spinner, nth: spinLoad } as const
  return [
    equivalent(
      hint,
      wakes,
      `a thread that spins misses a change of ${what}`,
      spinning,
      mutate(
        look,
        instead(({ memory }) => memory.load(word) & 0),
      ),
    ),
    equivalent(
      hint,
      wakes,
      `a thread that spins sees a change of ${what} that was not`,
      spinning,
      mutate(
        look,
        answering((value) => value + 0x100),
      ),
    ),
    equivalent(
      'pause says nothing to other threads; it spares the processor',
      wakes,
      `a thread does not pause before it looks at ${what} again`,
      spinning,
      mutate({ operation: 'pause', thread: spinner }, dropped),
    ),
  ]
}
