import type { Check } from '../../checker/check.ts'
import { type Equivalent, equivalent as equivalentFor, refuted as refutedBy } from '../mutants.ts'
import { answering, type Call, dropped, giving, instead, mutate, stale } from '../mutate.ts'
import { isAnnouncement } from '../sleeping.ts'
import type { Guarantee } from './guarantees.ts'
import { dying, locking, passing, sharing, timesOut, wokenTooLate, words } from './programs.ts'

/** Deliberate mistakes in yielding and spinning. Those in sleeping and waking are tried with each structure (`sleeping.ts`). */

const refuted = refutedBy<Guarantee>
const equivalent = equivalentFor<Guarantee>
const { holder } = words

const yielding = locking('park', 'yield')
const spinning = locking('park', 'spin')
const napping = { operation: 'wait', thread: 'second' } as const
const looking = { operation: 'load', word: holder, thread: 'second' } as const
const isTake = (call: Call) => !isAnnouncement(call)

const announced = instead(({ memory, word, args: [, expected, timeoutMs] }) => {
  const seen = expected as number
  if (memory.compareExchange(word, seen, seen | 1) !== seen) return 'not-equal'
  return memory.wait(word, seen | 1, timeoutMs as number)
})

/** Every mistake that must be refuted. */
export const mutants: readonly Check[] = [
  refuted(
    'waiting/wakes',
    'who yields does not know that it was woken in the place of another one',
    locking('park', 'yield', 'park'),
    mutate(
      napping,
      instead(({ perform, args }) => (perform(...args) === 'ok' ? 'timed-out' : 'not-equal')),
    ),
    'deadlock',
  ),
  refuted(
    'waiting/wakes',
    'who was woken in the place of another one gives up without a word',
    wokenTooLate(2),
    mutate({ operation: 'compareExchange', word: holder, thread: 'waiter', when: isAnnouncement }, dropped),
    'deadlock',
  ),
  refuted(
    'waiting/wakes',
    'who was woken in the place of another one takes the lock without a word',
    locking('park', 'yield', 'park'),
    mutate(
      { operation: 'compareExchange', word: holder, thread: 'second', when: isTake },
      giving((self: number) => self & ~1),
    ),
    'deadlock',
  ),
  refuted(
    'waiting/wakes',
    'who yields sleeps until it is woken',
    yielding,
    mutate(
      napping,
      giving(() => Infinity),
    ),
    'deadlock',
  ),
  refuted(
    'waiting/wakes',
    'who spins sleeps until it is woken',
    spinning,
    mutate(
      { operation: 'pause', thread: 'second' },
      instead(({ memory }) => memory.wait(holder, memory.load(holder))),
    ),
    'deadlock',
  ),
  refuted('waiting/silent', 'who yields announces itself', yielding, mutate(napping, announced)),
  refuted(
    'waiting/silent',
    'a reader that yields announces itself',
    passing(2, 'park', 'yield'),
    mutate({ operation: 'wait', thread: 'reader0' }, announced),
  ),
  refuted(
    'waiting/wakes',
    'a reader that yields sleeps until it is woken',
    passing(2, 'park', 'yield'),
    mutate(
      { operation: 'wait', thread: 'reader0' },
      giving(() => Infinity),
    ),
    'deadlock',
  ),
  refuted(
    'waiting/wakes',
    'a popper that yields sleeps until it is woken',
    sharing(2, 'yield', 'yield'),
    mutate(
      { operation: 'wait', thread: 'popper' },
      giving(() => Infinity),
    ),
    'deadlock',
  ),
  refuted(
    'waiting/silent',
    'a popper that yields announces itself',
    sharing(2, 'spin', 'yield'),
    mutate({ operation: 'wait', thread: 'popper' }, announced),
  ),
  ...(['yield', 'spin'] as const).flatMap((way) => [
    refuted(
      'waiting/silent',
      'a lock is taken with an announcement, and nobody sleeps',
      locking('park', way),
      mutate(
        { operation: 'compareExchange', word: holder, thread: 'second', when: isTake },
        giving((self: number) => self | 1),
      ),
    ),
    refuted(
      'waiting/times-out',
      'the deadline is too early',
      timesOut(way),
      mutate(
        { operation: 'now', thread: 'waiter', nth: 1 },
        answering((now) => now - 2),
      ),
    ),
    refuted(
      'waiting/times-out',
      'who waits gives up when it looks at the clock',
      timesOut(way),
      mutate(
        { operation: 'now', thread: 'waiter', nth: 2 },
        answering((now) => now + 2),
      ),
    ),
    refuted(
      'waiting/times-out',
      'who waits takes the last look from before its time was over',
      timesOut(way),
      mutate({ operation: 'compareExchange', word: holder, thread: 'waiter' }, stale),
    ),
    refuted(
      'waiting/robust',
      'a dead holder is taken for alive',
      dying(way),
      mutate({ operation: 'alive', thread: 'waiter' }, dropped),
      'livelock',
    ),
    refuted(
      'waiting/robust',
      'a holder that lives is taken for dead',
      dying(way),
      mutate(
        { operation: 'alive', thread: 'waiter' },
        answering(() => false),
      ),
    ),
  ]),
]

const hint = 'a look while spinning is a hint: whatever it says, the caller looks again and decides by that'

/** Mistakes that change nothing. */
export const equivalents: readonly Equivalent[] = [
  equivalent(
    'a short sleep ends by itself, whatever the word holds: it only lets time pass',
    'waiting/wakes',
    'who yields sleeps on whatever the word holds',
    yielding,
    mutate(
      napping,
      instead(({ memory, word, args }) => memory.wait(word, memory.load(word), args[2] as number)),
    ),
  ),
  equivalent(
    'a wait may end for no reason: then the thread announces itself, as if it had been woken in the place of another one',
    'waiting/wakes',
    'who yields does not sleep at first',
    yielding,
    mutate({ ...napping, nth: 1 }, dropped),
  ),
  equivalent(
    hint,
    'waiting/wakes',
    'who spins misses a change',
    spinning,
    mutate(
      looking,
      instead(({ memory }) => memory.load(holder) & 0),
    ),
  ),
  equivalent(
    hint,
    'waiting/wakes',
    'who spins sees a change that was not',
    spinning,
    mutate(
      looking,
      answering((value) => value + 0x100),
    ),
  ),
]
