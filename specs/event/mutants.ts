import type { Check } from '../../checker/check.ts'
import { creationMutants } from '../creation.ts'
import { AnonymousMemory } from '../memories.ts'
import { type Equivalent, refuted as refutedBy } from '../mutants.ts'
import { answering, type Call, dropped, giving, instead, mutate, torn } from '../mutate.ts'
import { isAnnouncement, type Sleeping, sleepingMutants, spinningEquivalents } from '../sleeping.ts'
import type { Guarantee } from './guarantees.ts'
import {
  belowSignChange,
  belowWrap,
  changing,
  creation,
  dying,
  givesUpAlone,
  pulsing,
  setting,
  timesOut,
  words,
} from './programs.ts'

/**
 * Deliberate mistakes, at least one for every place where an event touches shared memory. None makes a data race: each must be
 * refuted by the guarantee that it breaks, and not by the race detector.
 */

const refuted = refutedBy<Guarantee>
const { changes } = words

const sleeping: Sleeping = {
  structure: 'event',
  what: 'the event',
  word: changes,
  blocking: setting(1),
  sleeper: 'waiter0',
  waker: 'setter',
  timing: givesUpAlone(),
  timed: 'alone',
  deadlineNow: 2,
  timedWait: 1,
  spinning: setting(1, { spins: 1 }),
  spinner: 'waiter0',
  spinLoad: 2,
}

const change = { operation: 'compareExchange', word: changes, when: (call: Call) => !isAnnouncement(call) } as const

/** A count that stays at its greatest value instead of wrapping. */
const saturatingAt = (greatest: number) =>
  giving((word: number) => ((word | 0) !== word || (Math.sign(word) !== Math.sign(greatest) && word !== 0) ? greatest : word))

/** Every mistake that must be refuted. */
export const mutants: readonly Check[] = [
  refuted('event/releases', 'a change is made in two steps', changing(), mutate(change, torn)),
  refuted('event/releases', 'a change is not made', changing(), mutate(change, dropped)),
  refuted(
    'event/releases',
    'a set comes early',
    setting(1),
    mutate(
      { operation: 'store', word: words.item },
      instead(({ memory, word, args }) => {
        memory.compareExchange(changes, 0, 2)
        memory.store(word, args[1] as number)
      }),
    ),
  ),
  refuted(
    'event/releases',
    'set and reset see that there is nothing to do',
    changing(),
    mutate(
      { operation: 'load', word: changes, thread: 'first', nth: 2 },
      answering(() => 0),
    ),
  ),
  refuted(
    'event/releases',
    'wait sees it set',
    setting(1),
    mutate(
      { operation: 'load', word: changes, thread: 'waiter0', nth: 1 },
      answering(() => 2),
    ),
  ),
  refuted(
    'event/times-out',
    'isSet sees nothing',
    givesUpAlone(),
    mutate(
      { operation: 'load', word: changes },
      answering((word, { memory }) => (memory.load(changes) === 2 ? 0 : word)),
    ),
  ),
  refuted(
    'event/times-out',
    'a set that came in time is not seen',
    timesOut(),
    // After the first look, and that of the program.
    mutate(
      { operation: 'load', word: changes, thread: 'waiter', nth: 3 },
      answering(() => 0),
    ),
  ),
  refuted(
    'event/wakes',
    'reset takes the count back, as if it had never been set',
    pulsing(),
    mutate(
      { ...change, thread: 'pulser', nth: 2 },
      giving(() => 0),
    ),
    'deadlock',
  ),
  refuted(
    'event/wakes',
    'set wakes one of two',
    setting(2),
    mutate(
      { operation: 'notify', word: changes },
      instead(({ memory }) => memory.notify(changes, 1)),
    ),
    'deadlock',
  ),
  refuted(
    'event/notifies-sleepers-only',
    'reset sees somebody asleep',
    givesUpAlone(),
    mutate(
      change,
      giving((word: number) => word | 1),
    ),
  ),
  ...sleepingMutants(sleeping),
  refuted(
    'event/robust',
    'a waiter sleeps until it is woken, by one that died',
    dying(),
    (memory, thread) => (thread === 'waiter' ? new AnonymousMemory(memory) : memory),
    'deadlock',
  ),
  refuted(
    'event/wraps',
    'the count stays at the greatest signed word',
    changing(belowSignChange),
    mutate(change, saturatingAt(2 ** 31 - 2)),
  ),
  refuted('event/wraps', 'the count stays at the greatest unsigned word', changing(belowWrap), mutate(change, saturatingAt(-2))),
  ...creationMutants(creation),
]

/** Places where no mistake shows: the guarantees do not rest on them. The checks hold. */
export const equivalents: readonly Equivalent[] = spinningEquivalents(sleeping)
