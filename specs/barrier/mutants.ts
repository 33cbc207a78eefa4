import type { Check } from '../../checker/check.ts'
import { creationMutants } from '../creation.ts'
import { AnonymousMemory } from '../memories.ts'
import { type Equivalent, equivalent, refuted as refutedBy } from '../mutants.ts'
import { answering, type Call, dropped, giving, instead, mutate, torn } from '../mutate.ts'
import { isAnnouncement, type Sleeping, sleepingMutants, spinningEquivalents } from '../sleeping.ts'
import type { Guarantee } from './guarantees.ts'
import { belowWrap, comingAndGoing, creation, dying, givesUpAlone, meeting, timesOut, words } from './programs.ts'

/**
 * Deliberate mistakes, at least one for every place where a barrier touches shared memory. None makes a data race: each must
 * be refuted by the guarantee that it breaks, and not by the race detector.
 */

const refuted = refutedBy<Guarantee>
const { arrivals } = words

const sleeping: Sleeping = {
  structure: 'barrier',
  what: 'the arrivals',
  word: arrivals,
  blocking: meeting(2, 1),
  sleeper: 'first',
  waker: 'second',
  timing: givesUpAlone(),
  timed: 'alone',
  deadlineNow: 2,
  timedWait: 1,
  spinning: meeting(2, 1, { spins: 1 }),
  spinner: 'first',
  spinLoad: 3,
}

const arriving = {
  operation: 'compareExchange',
  word: arrivals,
  when: (call: Call) => !isAnnouncement(call) && (call.args[2] as number) > (call.args[1] as number),
} as const
const leaving = { ...arriving, when: ({ args }: Call) => args[2] === (args[1] as number) - 2 }

/** Every mistake that must be refuted. */
export const mutants: readonly Check[] = [
  refuted('barrier/wakes', 'an arrival is counted in two steps', meeting(2, 1), mutate(arriving, torn), 'deadlock'),
  refuted('barrier/wakes', 'an arrival is not counted', meeting(2, 1), mutate(arriving, dropped), 'deadlock'),
  refuted(
    'barrier/together',
    'an arrival counts twice',
    meeting(3, 1),
    mutate(
      { ...arriving, nth: 1 },
      giving((next: number) => next + 2),
    ),
  ),
  refuted(
    'barrier/together',
    'a thread that is not the last is told that it is',
    meeting(2, 1),
    mutate(
      { ...arriving, thread: 'first' },
      instead(({ perform, args }) => (perform(...args) === args[1] && args[2] === 2 ? -3 : args[1])),
    ),
  ),
  refuted('barrier/together', 'who gives up goes on counting', comingAndGoing(2), mutate(leaving, dropped)),
  refuted('barrier/together', 'who gives up leaves in two steps', timesOut(2), mutate(leaving, torn)),
  refuted(
    'barrier/together',
    'a thread sees that all have come when they have not',
    timesOut(2),
    mutate(
      { operation: 'load', word: arrivals, thread: 'first', nth: 2 },
      answering((word) => word + 4),
    ),
  ),
  refuted(
    'barrier/wakes',
    'the last wakes one of two',
    meeting(3, 1),
    mutate(
      { operation: 'notify', word: arrivals },
      instead(({ memory }) => memory.notify(arrivals, 1)),
    ),
    'deadlock',
  ),
  refuted(
    'barrier/notifies-sleepers-only',
    'who arrives announces a sleeper',
    comingAndGoing(2),
    mutate(
      { ...arriving, when: (call: Call) => call.args[2] === 2 },
      instead(({ memory, args }) => memory.compareExchange(arrivals, args[1] as number, 3)),
    ),
  ),
  ...sleepingMutants(sleeping),
  refuted(
    'barrier/robust',
    'a waiter sleeps until it is woken, by one that died',
    dying(),
    (memory, thread) => (thread === 'waiter' ? new AnonymousMemory(memory) : memory),
    'deadlock',
  ),
  refuted(
    'barrier/wraps',
    'the count goes on past the wrap',
    meeting(3, 1, { start: belowWrap(3) }),
    mutate(
      { operation: 'compareExchange', word: arrivals, when: (call: Call) => call.args[2] === 0 },
      giving(() => 2 ** 31 - 4),
    ),
    'deadlock',
  ),
  ...creationMutants(creation),
]

/** Places where no mistake shows: the guarantees do not rest on them. The checks hold. */
export const equivalents: readonly Equivalent[] = [
  ...spinningEquivalents(sleeping),
  ...[0, 3].map((guess) =>
    equivalent<Guarantee>(
      'the first look is a guess: the compare-exchange that counts the arrival tells what there is',
      'barrier/together',
      `who comes takes the word for ${guess}`,
      meeting(2, 1),
      mutate(
        { operation: 'load', word: arrivals, nth: 1 },
        answering(() => guess),
      ),
    ),
  ),
]
