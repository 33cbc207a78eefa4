import type { Check } from '../../checker/check.ts'
import { creationMutants } from '../creation.ts'
import { type Equivalent, refuted as refutedBy } from '../mutants.ts'
import { answering, type Call, dropped, giving, instead, mutate, torn } from '../mutate.ts'
import { isAnnouncement, type Sleeping, sleepingMutants, spinningEquivalents } from '../sleeping.ts'
import type { Guarantee } from './guarantees.ts'
import { creation, dying, givesUpAlone, running, throwing, timesOut, trying, words } from './programs.ts'

/**
 * Deliberate mistakes, at least one for every place where a once touches shared memory. None makes a data race: each must be
 * refuted by the guarantee that it breaks, and not by the race detector.
 */

const refuted = refutedBy<Guarantee>
const { runner } = words

const sleeping: Sleeping = {
  structure: 'once',
  what: 'the once',
  word: runner,
  blocking: running(2),
  sleeper: 'second',
  waker: 'first',
  timing: givesUpAlone(),
  timed: 'alone',
  deadlineNow: 2,
  timedWait: 1,
  spinning: running(2, { spins: 1 }),
  spinner: 'second',
  spinLoad: 2,
}

const taking = { operation: 'compareExchange', word: runner, when: (call: Call) => !isAnnouncement(call) } as const
const replacing = {
  ...taking,
  when: ({ args }: Call) => args[1] !== 0 && (args[1] as number) >>> 1 !== (args[2] as number) >>> 1,
}
const ending = { operation: 'exchange', word: runner } as const

/** Every mistake that must be refuted. */
export const mutants: readonly Check[] = [
  refuted('once/runs-once', 'the run is taken in two steps', running(2), mutate(taking, torn)),
  refuted('once/runs-once', 'the run is taken, and left there', trying(2), mutate(taking, dropped)),
  refuted('once/wakes', 'the end is not told', running(2), mutate(ending, dropped), 'deadlock'),
  refuted('once/wakes', 'the end is told in two steps', running(2), mutate(ending, torn), 'deadlock'),
  refuted(
    'once/notifies-sleepers-only',
    'the runner sees somebody asleep',
    trying(2),
    mutate(
      ending,
      answering((old) => old | 1),
    ),
  ),
  refuted(
    'once/robust',
    'a body that threw counts as done',
    throwing(),
    mutate(
      { ...ending, thread: 'first' },
      giving(() => 0),
    ),
  ),
  refuted(
    'once/wakes',
    'the runner wakes one of two',
    running(3),
    mutate(
      { operation: 'notify', word: runner },
      instead(({ memory }) => memory.notify(runner, 1)),
    ),
    'deadlock',
  ),
  refuted(
    'once/runs-once',
    'a run is seen as done while it goes on',
    running(2),
    mutate(
      { operation: 'load', word: runner },
      answering((word) => (word === 0 ? 0 : 0x7ffffffd << 1)),
    ),
  ),
  refuted(
    'once/runs-once',
    'isDone sees it done before it is',
    trying(2),
    mutate(
      { operation: 'load', word: runner, nth: 1 },
      answering((word) => (word === 0 ? 0 : 0x7ffffffd << 1)),
    ),
  ),
  ...sleepingMutants(sleeping),

  refuted(
    'once/robust',
    'a dead runner is taken for alive',
    dying(2, ['first'], 1),
    mutate({ operation: 'alive' }, dropped),
    'livelock',
  ),
  refuted(
    'once/times-out',
    'a dead runner is taken for alive when the time is over',
    timesOut(true),
    // After the look before sleeping, and that of the program.
    mutate({ operation: 'alive', thread: 'waiter', nth: 3 }, dropped),
  ),
  refuted(
    'once/runs-once',
    'a runner that lives is taken for dead',
    dying(2, ['first'], 1),
    mutate(
      { operation: 'alive' },
      answering(() => false),
    ),
  ),
  refuted('once/runs-once', 'a dead runner is replaced in two steps', dying(3, ['first'], 1), mutate(replacing, torn)),
  ...creationMutants(creation),
]

/** Places where no mistake shows: the guarantees do not rest on them. The checks hold. */
export const equivalents: readonly Equivalent[] = spinningEquivalents(sleeping)
