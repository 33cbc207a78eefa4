import type { Check } from '../../checker/check.ts'
import { refuted } from '../mutants.ts'
import { answering, dropped, mutate, stale } from '../mutate.ts'
import { gateBegunTwiceTried, gated, gatedTried, gateJoinedTried, gateReplacedTried } from './gate-programs.ts'
import type { Guarantee } from './guarantees.ts'
import { words } from './programs.ts'

/** Deliberate mistakes of a reader that stands behind another, and of that one. As in `mutants.ts`, none makes a data race. */

const two = { capacity: 1, readers: 2 }
const read0 = words.read(0)
const seat0 = words.sourceSeat(0)
const began0 = words.began(0)
const turn0 = words.turn(0)
const step = 4

export const gateMutants: readonly Check[] = [
  refuted<Guarantee>(
    'ring/gated',
    'a reader sees the one ahead one item further than it is',
    gatedTried(two, 1),
    mutate(
      { operation: 'load', word: read0, thread: 'reader1', nth: 1 },
      answering((position) => position + step),
    ),
  ),
  refuted<Guarantee>(
    'ring/wakes',
    'a reader does not wake the one behind',
    gated(two, 1),
    mutate({ operation: 'notify', word: read0, thread: 'reader0' }, dropped),
    'deadlock',
  ),
  refuted<Guarantee>(
    'ring/wakes',
    'a reader that leaves does not wake the one behind',
    gated(two, 1, 0),
    mutate({ operation: 'notify', word: read0, thread: 'reader0' }, dropped),
    'deadlock',
  ),
  refuted<Guarantee>(
    'ring/gated',
    'a reader waits for one that is dead',
    gatedTried(two, 1, { kill: ['reader0'] }),
    mutate(
      { operation: 'load', word: seat0, thread: 'reader1', nth: 2 },
      answering(() => 0),
    ),
  ),
  refuted<Guarantee>(
    'ring/gated',
    'a reader takes a dead one ahead for a living one',
    gatedTried(two, 1, { kill: ['reader0'] }),
    mutate(
      { operation: 'alive', thread: 'reader1', nth: 2 },
      answering(() => true),
    ),
  ),
  refuted<Guarantee>(
    'ring/gated',
    'a reader takes a living one ahead for a dead one',
    gatedTried(two, 1, { kill: ['reader0'] }),
    mutate(
      { operation: 'alive', thread: 'reader1', nth: 2 },
      answering(() => false),
    ),
  ),
  refuted<Guarantee>(
    'ring/attended',
    'a reader takes a later beginner ahead for one that was there from the first item on',
    gateReplacedTried(two, 1),
    mutate(
      { operation: 'load', word: began0, thread: 'reader1' },
      answering(() => 0),
    ),
  ),
  refuted<Guarantee>(
    'ring/attended',
    'who begins anew does not say so first',
    gateReplacedTried(two, 1),
    mutate({ operation: 'store', word: began0, thread: 'heir', nth: 1 }, dropped),
  ),
  refuted<Guarantee>(
    'ring/attended',
    'who begins anew does not say where',
    gateJoinedTried(two, 1),
    mutate({ operation: 'store', word: began0, thread: 'reader0', nth: 2 }, dropped),
  ),
  refuted<Guarantee>(
    'ring/attended',
    'who begins anew does not count that',
    gateBegunTwiceTried(two),
    mutate({ operation: 'add', word: turn0, thread: 'reader0' }, dropped),
  ),
  refuted<Guarantee>(
    'ring/attended',
    'a reader does not look whether somebody ahead began anew meanwhile',
    gateBegunTwiceTried(two),
    mutate({ operation: 'load', word: turn0, thread: 'reader1' }, stale),
  ),
  refuted<Guarantee>(
    'ring/attended',
    'a reader takes one turn of those ahead for the one before',
    gateBegunTwiceTried(two),
    mutate(
      { operation: 'load', word: turn0, thread: 'reader1', nth: 1 },
      answering((turn) => turn + 1),
    ),
  ),
]
