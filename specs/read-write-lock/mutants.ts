import type { Check } from '../../checker/check.ts'
import { creationMutants } from '../creation.ts'
import { type Equivalent, refuted as refutedBy } from '../mutants.ts'
import { answering, type Call, dropped, giving, instead, mutate, torn } from '../mutate.ts'
import { isAnnouncement, type Sleeping, sleepingMutants, spinningEquivalents } from '../sleeping.ts'
import type { Guarantee } from './guarantees.ts'
import {
  abandoning,
  creation,
  dying,
  dyingWhileWaiting,
  givesUpAlone,
  locking,
  timesOut,
  trying,
  waitingForASeat,
  words,
  writerWaits,
} from './programs.ts'

/**
 * Deliberate mistakes, at least one for every place where a read-write lock touches shared memory. None makes a data race:
 * each must be refuted by the guarantee that it breaks, and not by the race detector.
 */

const refuted = refutedBy<Guarantee>
const { writer } = words
const seat = words.seat(0)

const structure = 'read-write-lock'

/** Threads sleep on the writer's word, for reading and for writing, and on seats, to sit down and to write. */
const sleeping: readonly Sleeping[] = [
  {
    structure,
    what: 'the writer (and wants to read)',
    word: writer,
    blocking: locking(1, 1, 1),
    sleeper: 'reader0',
    waker: 'writer0',
    timing: givesUpAlone(),
    timed: 'alone',
    deadlineNow: 8,
    timedWait: 1,
    spinning: locking(1, 1, 1, { spins: 1 }),
    spinner: 'reader0',
    spinLoad: 2,
  },
  {
    structure,
    what: 'the writer (and wants to write)',
    word: writer,
    blocking: locking(0, 2, 1),
    sleeper: 'writer1',
    waker: 'writer0',
    timing: givesUpAlone(),
    timed: 'alone',
    deadlineNow: 11,
    timedWait: 2,
    spinning: locking(0, 2, 1, { spins: 1 }),
    spinner: 'writer1',
    spinLoad: 1,
  },
  {
    structure,
    what: 'the seat (and wants to write)',
    word: seat,
    blocking: locking(1, 1, 1),
    sleeper: 'writer0',
    waker: 'reader0',
    timing: givesUpAlone(),
    timed: 'alone',
    deadlineNow: 2,
    timedWait: 1,
    spinning: locking(1, 1, 1, { spins: 1 }),
    spinner: 'writer0',
    spinLoad: 2,
  },
  {
    structure,
    what: 'the seat (and wants to read)',
    word: seat,
    blocking: waitingForASeat(),
    sleeper: 'second',
    waker: 'first',
    timing: givesUpAlone(1),
    timed: 'alone',
    deadlineNow: 5,
    timedWait: 2,
    spinning: waitingForASeat(1),
    spinner: 'second',
    spinLoad: 1,
  },
]

const isTake = (call: Call) => !isAnnouncement(call) && call.args[2] !== 0
const takes = (word: number) => ({ operation: 'compareExchange', word, when: isTake }) as const
const replaces = ({ args }: Call) => args[1] !== 0 && args[2] !== 0 && (args[1] as number) >>> 1 !== (args[2] as number) >>> 1

/** Every mistake that must be refuted. */
export const mutants: readonly Check[] = [
  refuted('read-write-lock/excludes', "the writer's word is taken in two steps", locking(0, 2, 1), mutate(takes(writer), torn)),
  refuted(
    'read-write-lock/excludes',
    "the writer's word is taken, and left as it was",
    locking(1, 1, 1),
    mutate(takes(writer), dropped),
  ),
  refuted('read-write-lock/excludes', 'a seat is taken, and left free', locking(1, 1, 1), mutate(takes(seat), dropped)),
  refuted('read-write-lock/excludes', 'a seat is taken in two steps', trying(2, 1, 1), mutate(takes(seat), torn)),
  refuted(
    'read-write-lock/excludes',
    'a reader that sat down sees no writer',
    locking(1, 1, 1),
    mutate(
      { operation: 'load', word: writer, thread: 'reader0', nth: 1 },
      answering(() => 0),
    ),
  ),
  refuted(
    'read-write-lock/writers-first',
    'a reader that comes late sees no writer',
    writerWaits(),
    mutate(
      { operation: 'load', word: writer, thread: 'late', nth: 2 },
      answering(() => 0),
    ),
  ),
  refuted(
    'read-write-lock/times-out',
    'a reader whose time is over sees the writer that was there before',
    timesOut('writing', 'reading'),
    mutate(
      { operation: 'load', word: writer, thread: 'waiter', nth: 2 },
      answering(() => -2),
    ),
  ),
  refuted(
    'read-write-lock/excludes',
    'a writer sees the seat free',
    locking(1, 1, 1),
    mutate(
      { operation: 'load', word: seat, thread: 'writer0' },
      answering(() => 0),
    ),
  ),
  refuted(
    'read-write-lock/wakes',
    'a reader does not stand up',
    locking(1, 1, 1),
    mutate({ operation: 'exchange', word: seat }, dropped),
  ),
  refuted(
    'read-write-lock/wakes',
    'a reader stands up in two steps',
    locking(1, 1, 1),
    mutate({ operation: 'exchange', word: seat }, torn),
    'deadlock',
  ),
  refuted(
    'read-write-lock/wakes',
    'a writer does not go',
    locking(1, 1, 1),
    mutate({ operation: 'exchange', word: writer }, dropped),
    'deadlock',
  ),
  refuted(
    'read-write-lock/wakes',
    'a writer goes in two steps',
    locking(1, 1, 1),
    mutate({ operation: 'exchange', word: writer }, torn),
    'deadlock',
  ),
  refuted(
    'read-write-lock/notifies-sleepers-only',
    'who goes sees somebody asleep',
    trying(1, 1, 1),
    mutate(
      { operation: 'exchange' },
      answering((old) => old | 1),
    ),
  ),
  refuted(
    'read-write-lock/wakes',
    'a writer wakes one of two',
    locking(2, 1, 2),
    mutate(
      { operation: 'notify', word: writer },
      instead(({ memory }) => memory.notify(writer, 1)),
    ),
    'deadlock',
  ),
  refuted(
    'read-write-lock/shares',
    'the first seat is the only one',
    givesUpAlone(),
    mutate(
      { operation: 'compareExchange', word: words.seat(1) },
      answering(() => -2),
    ),
  ),
  ...sleeping.flatMap(sleepingMutants),

  refuted(
    'read-write-lock/robust',
    'a writer gives up, and says that it has finished',
    abandoning(),
    mutate(
      { operation: 'exchange', word: writer, nth: 1 },
      giving(() => 0),
    ),
  ),
  refuted(
    'read-write-lock/robust',
    'a repair for which there was no time counts as done',
    abandoning(),
    mutate(
      { operation: 'exchange', word: writer, nth: 2 },
      giving(() => 0),
    ),
  ),
  refuted(
    'read-write-lock/robust',
    'a dead writer is taken for alive by a reader',
    dying('Wr', 1),
    mutate({ operation: 'alive', thread: 'reader1' }, dropped),
    'livelock',
  ),
  refuted(
    'read-write-lock/robust',
    'a dead writer is taken for alive by a writer',
    dying('Ww', 1),
    mutate({ operation: 'alive', thread: 'writer1' }, dropped),
    'livelock',
  ),
  refuted(
    'read-write-lock/robust',
    'a dead reader is taken for alive by a writer',
    dying('Rw', 1),
    mutate({ operation: 'alive', thread: 'writer1' }, dropped),
    'livelock',
  ),
  refuted(
    'read-write-lock/robust',
    'a dead reader keeps its seat',
    dying('Rr', 1),
    mutate({ operation: 'alive', thread: 'reader1' }, dropped),
    'livelock',
  ),
  refuted(
    'read-write-lock/times-out',
    'a dead writer is taken for alive when the time is over',
    dyingWhileWaiting('writing', 'writing'),
    // After the look before sleeping, and that of the program.
    mutate({ operation: 'alive', thread: 'waiter', nth: 3 }, dropped),
  ),
  refuted(
    'read-write-lock/robust',
    'a writer that lives is taken for dead',
    dying('Wr', 1),
    mutate(
      { operation: 'alive' },
      answering(() => false),
    ),
  ),
  refuted(
    'read-write-lock/robust',
    'a reader does not take the place of a dead writer',
    dying('Wr', 1),
    mutate(
      { operation: 'compareExchange', word: writer, thread: 'reader1', when: replaces },
      answering((found) => found ^ 1),
    ),
    'livelock',
  ),
  ...creationMutants(creation),
]

/** Places where no mistake shows: the guarantees do not rest on them. The checks hold. */
export const equivalents: readonly Equivalent[] = sleeping.flatMap(spinningEquivalents)
