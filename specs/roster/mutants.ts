import type { Check } from '../../checker/check.ts'
import { creationMutants } from '../creation.ts'
import { type Equivalent, equivalent, refuted as refutedBy } from '../mutants.ts'
import { answering, dropped, giving, instead, mutate, torn } from '../mutate.ts'
import type { Guarantee } from './guarantees.ts'
import { comingAndGoing, creation, entering, leaving, refusing, strikingTwice, usingUp, words } from './programs.ts'

/**
 * Deliberate mistakes, at least one for every place where a roster touches shared memory. None makes a data race: each must be
 * refuted by the guarantee that it breaks, and not by the race detector.
 */

const refuted = refutedBy<Guarantee>
const seat = words.seat(0)
const take = { operation: 'compareExchange', word: seat, within: ['enter'] } as const
const strike = { operation: 'compareExchange', word: seat, within: ['strike'] } as const
const look = { operation: 'load', word: seat, within: ['enter'] } as const
const alive = { operation: 'load', within: ['alive'] } as const

/** Every mistake that must be refuted. */
export const mutants: readonly Check[] = [
  refuted('roster/one-each', 'a seat is taken in two steps', entering(2, 1), mutate(take, torn)),
  refuted('roster/one-each', 'a seat is not taken', entering(2, 2), mutate(take, dropped)),
  refuted(
    'roster/one-each',
    'who enters sees somebody there',
    entering(2, 1),
    mutate(
      look,
      answering((state) => state | 1),
    ),
  ),
  refuted(
    'roster/one-each',
    'after the last number comes the first',
    usingUp(),
    mutate(
      strike,
      giving((state: number) => state & (2 ** 30 - 1)),
    ),
  ),
  refuted('roster/final', 'who is struck off stays', comingAndGoing(), mutate(strike, dropped)),
  refuted('roster/final', 'somebody is struck off in two steps', strikingTwice(), mutate(strike, torn)),
  refuted(
    'roster/final',
    'who sits there is struck off, whoever it is',
    strikingTwice(),
    mutate(
      strike,
      instead(({ memory, args }) => {
        memory.store(seat, (memory.load(seat) + 1) & ~1)
        return args[1]
      }),
    ),
  ),
  refuted(
    'roster/final',
    'who was struck off seems to be there',
    comingAndGoing(),
    mutate(
      { ...alive, word: seat },
      answering((state) => (state - 1) | 1),
    ),
  ),
  refuted(
    'roster/final',
    'who never came seems to have been there',
    refusing(),
    mutate(
      { ...alive, word: words.seat(1) },
      answering(() => 1),
    ),
  ),
  refuted(
    'roster/visible',
    'somebody is struck off early',
    leaving(true),
    mutate(
      { operation: 'store', word: words.item },
      instead(({ memory, word, args }) => {
        memory.compareExchange(words.seat(1), 1, 2)
        memory.store(word, args[1] as number)
      }),
    ),
  ),
  ...creationMutants(creation),
]

/** Places where no mistake shows: the guarantees do not rest on them. The checks hold. */
export const equivalents: readonly Equivalent[] = [
  equivalent<Guarantee>(
    'The compare-exchange is the look on which it rests: it fails, and says what the state is.',
    'roster/one-each',
    'who enters sees nobody there',
    comingAndGoing(),
    mutate(
      look,
      answering((state) => state & ~1),
    ),
  ),
]
