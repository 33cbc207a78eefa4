import type { Check } from '../../checker/check.ts'
import { creationMutants } from '../creation.ts'
import { AnonymousMemory } from '../memories.ts'
import { type Equivalent, refuted as refutedBy } from '../mutants.ts'
import { answering, type Call, dropped, instead, mutate, torn } from '../mutate.ts'
import { isAnnouncement, type Sleeping, sleepingMutants, spinningEquivalents } from '../sleeping.ts'
import type { Guarantee } from './guarantees.ts'
import {
  creation,
  dying,
  givesUpAlone,
  givingTooMany,
  handing,
  sharing,
  timesOut,
  trying,
  wantingMore,
  words,
} from './programs.ts'

/**
 * Deliberate mistakes, at least one for every place where a semaphore touches shared memory. None makes a data race: each
 * must be refuted by the guarantee that it breaks, and not by the race detector.
 */

const refuted = refutedBy<Guarantee>
const { permits } = words

const sleeping: Sleeping = {
  structure: 'semaphore',
  what: 'the permits',
  word: permits,
  blocking: sharing(2, 1),
  sleeper: 'taker0',
  waker: 'giver',
  timing: givesUpAlone(),
  timed: 'alone',
  deadlineNow: 2,
  timedWait: 1,
  spinning: handing(1),
  spinner: 'taker',
  spinLoad: 2,
}

const changing = { operation: 'compareExchange', word: permits, when: (call: Call) => !isAnnouncement(call) } as const

/** Every mistake that must be refuted. */
export const mutants: readonly Check[] = [
  refuted('semaphore/bounded', 'a permit is taken in two steps', trying(2), mutate({ ...changing, nth: 1 }, torn)),
  refuted('semaphore/bounded', 'a permit is taken, and left there', trying(2), mutate({ ...changing, nth: 1 }, dropped)),
  refuted('semaphore/bounded', 'a permit is given in two steps', givingTooMany(), mutate(changing, torn)),
  refuted('semaphore/bounded', 'a permit that is given does not arrive', givingTooMany(), mutate(changing, dropped)),
  refuted(
    'semaphore/bounded',
    'available sees one permit too many',
    trying(2),
    mutate(
      { operation: 'load', word: permits, nth: 1 },
      answering((word) => word + 2),
    ),
  ),
  refuted(
    'semaphore/times-out',
    'acquire sees no permit',
    givesUpAlone(),
    mutate(
      { operation: 'load', word: permits, nth: 1 },
      answering(() => 0),
    ),
  ),
  refuted(
    'semaphore/times-out',
    'a permit that came in time is not seen',
    timesOut(),
    // After the first look, and that of the program.
    mutate(
      { operation: 'load', word: permits, thread: 'taker', nth: 3 },
      answering(() => 0),
    ),
  ),
  refuted(
    'semaphore/bounded',
    'release sees a permit that is not there',
    givingTooMany(),
    mutate(
      { operation: 'load', word: permits },
      answering(() => 2),
    ),
  ),
  refuted(
    'semaphore/wakes',
    'release wakes one of two',
    wantingMore(),
    mutate(
      { operation: 'notify', word: permits },
      instead(({ memory }) => memory.notify(permits, 1)),
    ),
    'deadlock',
  ),
  refuted(
    'semaphore/notifies-sleepers-only',
    'release sees somebody asleep',
    givesUpAlone(),
    mutate(
      changing,
      instead(({ memory, args }) => {
        const found = memory.compareExchange(permits, args[1] as number, (args[2] as number) | 1)
        return found
      }),
    ),
  ),
  ...sleepingMutants(sleeping),
  refuted(
    'semaphore/robust',
    'a taker sleeps until it is woken, by one that died',
    dying(),
    (memory, thread) => (thread === 'taker' ? new AnonymousMemory(memory) : memory),
    'deadlock',
  ),
  ...creationMutants(creation),
]

/** Places where no mistake shows: the guarantees do not rest on them. The checks hold. */
export const equivalents: readonly Equivalent[] = spinningEquivalents(sleeping)
