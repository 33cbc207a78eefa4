import type { Check } from '../../checker/check.ts'
import { creationMutants } from '../creation.ts'
import { type Equivalent, refuted as refutedBy } from '../mutants.ts'
import { answering, type Call, dropped, giving, mutate, torn } from '../mutate.ts'
import { isAnnouncement, type Sleeping, sleepingMutants, spinningEquivalents } from '../sleeping.ts'
import type { Guarantee } from './guarantees.ts'
import { abandoning, creation, dying, dyingWhileWaiting, givesUpAlone, locking, trying, wokenTooLate, words } from './programs.ts'

/**
 * Deliberate mistakes, at least one for every place where a mutex touches shared memory. None makes a data race: each must be
 * refuted by the guarantee that it breaks, and not by the race detector.
 */

const refuted = refutedBy<Guarantee>
const { holder } = words

const sleeping: Sleeping = {
  structure: 'mutex',
  what: 'the lock',
  word: holder,
  blocking: locking(2, 1),
  sleeper: 'second',
  waker: 'first',
  timing: givesUpAlone(),
  timed: 'alone',
  deadlineNow: 3,
  timedWait: 1,
  spinning: locking(2, 1, { spins: 1 }),
  spinner: 'second',
  spinLoad: 1,
}

const isTake = (call: Call) => !isAnnouncement(call)
const taking = { operation: 'compareExchange', word: holder, when: isTake } as const
const replacing = {
  ...taking,
  when: ({ args }: Call) => args[1] !== 0 && (args[1] as number) >>> 1 !== (args[2] as number) >>> 1,
}
const releasing = { operation: 'exchange', word: holder } as const

/** Every mistake that must be refuted. */
export const mutants: readonly Check[] = [
  refuted('mutex/excludes', 'the lock is taken in two steps', locking(2, 1), mutate(taking, torn)),
  refuted('mutex/excludes', 'the lock is taken, and left as it was', locking(2, 1), mutate(taking, dropped)),
  refuted(
    'mutex/excludes',
    'the lock is taken although it is held',
    locking(2, 1),
    mutate(
      taking,
      answering(() => 0),
    ),
  ),
  refuted('mutex/wakes', 'an unlock changes nothing', locking(2, 1), mutate(releasing, dropped), 'deadlock'),
  refuted('mutex/wakes', 'an unlock is torn', locking(2, 1), mutate(releasing, torn), 'deadlock'),
  refuted(
    'mutex/notifies-sleepers-only',
    'an unlock notifies always',
    trying(2, 1),
    mutate(
      releasing,
      answering((old) => old | 1),
    ),
  ),
  refuted(
    'mutex/wakes',
    'an unlock leaves the announcement',
    locking(2, 1),
    mutate(
      releasing,
      giving((next: number) => next | 1),
    ),
    'deadlock',
  ),
  refuted(
    'mutex/wakes',
    'a thread that was woken takes the lock without an announcement',
    locking(3, 1),
    mutate(
      taking,
      giving((self: number) => self & ~1),
    ),
    'deadlock',
  ),
  refuted(
    'mutex/wakes',
    'a thread that was woken gives up without an announcement',
    wokenTooLate(2),
    mutate({ operation: 'compareExchange', word: holder, thread: 'waiter', when: isAnnouncement, nth: 2 }, dropped),
    'deadlock',
  ),
  ...sleepingMutants(sleeping),

  refuted(
    'mutex/robust',
    'a thread gives up, and says that it has finished',
    abandoning(),
    mutate(
      { ...releasing, thread: 'first' },
      giving(() => 0),
    ),
  ),
  refuted(
    'mutex/robust',
    'who comes next does not replace one that gave up',
    abandoning(),
    mutate(
      { ...replacing, thread: 'second' },
      answering(() => -2),
    ),
    'deadlock',
  ),
  refuted(
    'mutex/robust',
    'a dead holder is taken for alive',
    dying(2, ['first'], 1),
    mutate({ operation: 'alive' }, dropped),
    'livelock',
  ),
  refuted(
    'mutex/times-out',
    'a dead holder is taken for alive when the time is over',
    dyingWhileWaiting(),
    mutate({ operation: 'alive', thread: 'waiter', nth: 3 }, dropped),
  ),
  refuted(
    'mutex/robust',
    'a holder that lives is taken for dead',
    dying(2, ['first'], 1),
    mutate(
      { operation: 'alive' },
      answering(() => false),
    ),
  ),
  refuted('mutex/robust', 'a dead holder is replaced in two steps', dying(3, ['first'], 1), mutate(replacing, torn)),
  refuted(
    'mutex/robust',
    'who replaces a dead holder does not name itself',
    dying(3, ['first', 'second'], 2),
    mutate(
      replacing,
      giving(() => -2),
    ),
    'livelock',
  ),

  ...creationMutants(creation),
]

/** Places where no mistake shows: the guarantees do not rest on them. The checks hold. */
export const equivalents: readonly Equivalent[] = spinningEquivalents(sleeping)
