import type { Check } from '../../checker/check.ts'
import { refuted as refutedBy } from '../mutants.ts'
import { answering, dropped, giving, mutate, stale, swappedWithNext } from '../mutate.ts'
import type { Guarantee } from './guarantees.ts'
import { summing } from './programs.ts'
import { words } from './protocol.ts'

/**
 * Deliberate mistakes, at least one for every place where sender and receiver touch shared memory. None makes a data race,
 * except where the checker has to find one.
 */

const refuted = refutedBy<Guarantee>

const shape = { senders: 1, messages: 1 }
const one = summing(shape)
const oneOfTwo = summing({ senders: 1, messages: 2 })
const two = summing({ senders: 2, messages: 1 })
const oneOfTwoDies = summing({ senders: 2, messages: 1 }, 1)
const mortal = summing(shape, 1)

const { live } = words
const published = words.published(0, shape)
const publishing = { operation: 'store', word: published, thread: 'sender0' } as const
const leaving = { operation: 'and', word: live, thread: 'sender0' } as const
const burying = { operation: 'and', word: live, thread: 'receiver' } as const
const asking = { operation: 'alive', thread: 'receiver' } as const

/** Everybody's bit is taken away. */
const clearing = giving(() => 0)

/** Every mistake that must be refuted. */
export const mutants: readonly Check[] = [
  refuted('sum-match/sums', 'the value is not written', one, mutate({ operation: 'write', thread: 'sender0' }, dropped)),
  refuted(
    'sum-match/sums',
    'the count goes up before the value is there',
    one,
    swappedWithNext({ operation: 'write', thread: 'sender0' }),
    'data-race',
  ),
  refuted('sum-match/all-sent', 'the count does not go up', one, mutate(publishing, dropped)),
  refuted('sum-match/sums', 'the sender leaves before its last value is published', one, swappedWithNext(publishing)),
  refuted('sum-match/ends', 'the sender does not leave', one, mutate(leaving, dropped), 'livelock'),
  refuted('sum-match/sums', 'who leaves takes the others along', two, mutate(leaving, clearing)),
  refuted(
    'sum-match/sums',
    'a sender is not waited for',
    one,
    mutate(
      { operation: 'load', word: live, thread: 'receiver' },
      answering(() => 0),
    ),
  ),
  refuted(
    'sum-match/sums',
    'the receiver sees a count as it was before',
    one,
    mutate({ operation: 'load', word: published, thread: 'receiver' }, stale),
  ),
  refuted(
    'sum-match/sums',
    'the receiver reads the value before',
    oneOfTwo,
    mutate({ operation: 'read', thread: 'receiver' }, stale),
  ),
  refuted(
    'sum-match/ends',
    'the dead pass for living',
    mortal,
    mutate(
      asking,
      answering(() => true),
    ),
    'livelock',
  ),
  refuted(
    'sum-match/sums',
    'the living pass for dead',
    one,
    mutate(
      asking,
      answering(() => false),
    ),
  ),
  refuted('sum-match/ends', 'nobody leaves for the dead', mortal, mutate(burying, dropped), 'livelock'),
  refuted('sum-match/sums', 'who leaves for the dead takes the others along', oneOfTwoDies, mutate(burying, clearing)),
  refuted(
    'sum-match/sums',
    'the receiver takes one sender for another',
    oneOfTwoDies,
    mutate(
      { operation: 'load', word: words.participant(0, shape), thread: 'receiver' },
      answering(() => 1),
    ),
  ),
]
