import type { Check } from '../../checker/check.ts'
import { refuted } from '../mutants.ts'
import { answering, dropped, giving, mutate, torn } from '../mutate.ts'
import type { Guarantee } from './guarantees.ts'
import { claimantReplacedJoined, joiningFromTried, keepingTried, skipping } from './join-programs.ts'
import { readerReplacedTried } from './life-programs.ts'
import { words } from './programs.ts'

/** Deliberate mistakes about the limit, and about where readers begin. As in `mutants.ts`, none makes a data race. */

const one = (capacity: number) => ({ capacity, readers: 1 })
const { limit, written } = words
const read0 = words.read(0)
const step = 4

export const joinMutants: readonly Check[] = [
  refuted<Guarantee>(
    'ring/joins',
    'the writer does not say how far it writes',
    joiningFromTried(one(1), 3, 'oldest'),
    mutate({ operation: 'exchange', word: limit, thread: 'writer' }, dropped),
  ),
  refuted<Guarantee>(
    'ring/joins',
    'the limit is raised in two steps',
    joiningFromTried(one(1), 3, 'oldest'),
    mutate({ operation: 'exchange', word: limit, thread: 'writer' }, torn),
  ),
  refuted<Guarantee>(
    'ring/joins',
    'the writer does not see that somebody joined',
    joiningFromTried(one(1), 3, 'oldest'),
    mutate(
      { operation: 'exchange', word: limit, thread: 'writer' },
      answering((old) => old & ~1),
    ),
  ),
  refuted<Guarantee>(
    'ring/keeps',
    'the limit is raised further than there is need',
    keepingTried(one(2), 3),
    mutate(
      { operation: 'exchange', word: limit, thread: 'writer' },
      giving((position: number) => position + step),
    ),
  ),
  refuted<Guarantee>(
    'ring/joins',
    'a reader does not say that it joins',
    joiningFromTried(one(1), 3, 'oldest'),
    mutate({ operation: 'or', word: limit, thread: 'reader0' }, dropped),
  ),
  refuted<Guarantee>(
    'ring/joins',
    'a reader sees a lower limit',
    joiningFromTried(one(1), 3, 'oldest'),
    mutate(
      { operation: 'or', word: limit, thread: 'reader0' },
      answering((position) => position - step),
    ),
  ),
  refuted<Guarantee>(
    'ring/keeps',
    'a reader that joins takes the second oldest item for the oldest',
    keepingTried(one(2), 3),
    mutate(
      { operation: 'load', word: limit, thread: 'reader0' },
      answering((position) => position + step),
    ),
  ),
  refuted<Guarantee>(
    'ring/joins',
    'a reader takes an item that was written for one that was not',
    joiningFromTried(one(2), 3, 1),
    mutate(
      { operation: 'load', word: written, thread: 'reader0', nth: 2 },
      answering((position) => position - step),
    ),
  ),
  refuted<Guarantee>(
    'ring/joins',
    'a sink takes what the one before may have written for what it did not',
    claimantReplacedJoined(one(2)),
    mutate(
      { operation: 'load', word: limit, thread: 'heir' },
      answering((position) => position + step),
    ),
  ),
  refuted<Guarantee>(
    'ring/joins',
    'a reader joins where the writer is about to close a position',
    readerReplacedTried(one(1), 2, 'oldest'),
    mutate(
      { operation: 'load', word: written, thread: 'heir', nth: 1 },
      answering((position) => position - step),
    ),
  ),
  refuted<Guarantee>(
    'ring/wakes',
    'a reader that skips what waited does not wake the writer',
    skipping(one(1), 2),
    mutate({ operation: 'notify', word: read0, thread: 'reader0', nth: 1 }, dropped),
    'deadlock',
  ),
]
