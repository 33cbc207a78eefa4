import type { Check } from '../../checker/check.ts'
import { refuted } from '../mutants.ts'
import { answering, dropped, giving, instead, mutate, stale, swappedWithNext, torn } from '../mutate.ts'
import type { Guarantee } from './guarantees.ts'
import {
  closing,
  closingTried,
  joinerReplacedTried,
  joining,
  joiningTried,
  leaving,
  oneSinkLeft,
  readerDiesTried,
  readerReplacedTried,
  rejoining,
  rejoiningTried,
  writerDiesTried,
} from './life-programs.ts'
import { words } from './programs.ts'

/** Deliberate mistakes in closing, joining, and surviving the dead. As in `mutants.ts`, none makes a data race. */

const one = (capacity: number) => ({ capacity, readers: 1 })
const { written, sinkSeat } = words
const read0 = words.read(0)
const seat0 = words.sourceSeat(0)
const step = 4
/** A seat in which a participant sits. */
const seatOf = (participant: number) => (participant + 1) << 1

/** A compare-exchange that stores whatever the word holds. */
const unconditional = instead(({ memory, word, args }) => {
  memory.exchange(word, args[2] as number)
  return args[1]
})

/** Mistakes in closing either end. */
const closings: readonly Check[] = [
  refuted<Guarantee>(
    'ring/ends',
    'the end of the stream is not published',
    closing(one(1), 1),
    mutate({ operation: 'exchange', word: written, thread: 'writer', nth: 2 }, dropped),
    'deadlock',
  ),
  refuted<Guarantee>(
    'ring/ends',
    'the stream ends one item too early',
    closingTried(one(2), 2, 2),
    mutate(
      { operation: 'exchange', word: written, thread: 'writer', nth: 3 },
      giving((position: number) => position - step),
    ),
  ),
  refuted<Guarantee>(
    'ring/wakes',
    'the end of the stream wakes nobody',
    closing(one(1), 1),
    mutate({ operation: 'notify', word: written, thread: 'writer', nth: 2 }, dropped),
    'deadlock',
  ),
  refuted<Guarantee>(
    'ring/leaves',
    'a reader that leaves does not say so',
    leaving(one(1), 2, 0),
    mutate({ operation: 'exchange', word: read0, thread: 'reader0' }, dropped),
    'deadlock',
  ),
  refuted<Guarantee>(
    'ring/wakes',
    'a reader that leaves does not wake the writer',
    leaving(one(1), 2, 0),
    mutate({ operation: 'notify', word: read0, thread: 'reader0' }, dropped),
    'deadlock',
  ),
  refuted<Guarantee>(
    'ring/leaves',
    'a reader that leaves keeps its seat',
    rejoining(one(1), 1),
    mutate({ operation: 'store', word: seat0, thread: 'reader0', nth: 2 }, dropped),
    'livelock',
  ),
  refuted<Guarantee>(
    'ring/survives-reader',
    'a reader that dies while it leaves seems to be reading',
    readerReplacedTried(one(1), 2),
    mutate({ operation: 'store', word: seat0, thread: 'reader0', nth: 1 }, dropped),
  ),
  refuted<Guarantee>(
    'ring/joins',
    'a reader gives its seat up before it lets the writer go',
    rejoiningTried(one(1), 3),
    swappedWithNext({ operation: 'exchange', word: read0, thread: 'reader0' }),
  ),
]

/** Mistakes in joining. */
const joinings: readonly Check[] = [
  refuted<Guarantee>(
    'ring/joins',
    'a reader that joins does not hold the writer back at first',
    joiningTried(one(1), 3),
    mutate({ operation: 'exchange', word: read0, thread: 'reader0', nth: 1 }, dropped),
  ),
  refuted<Guarantee>(
    'ring/joins',
    'a reader that joins first asks for one item too few',
    joiningTried(one(1), 3),
    mutate(
      { operation: 'load', word: written, thread: 'reader0', nth: 1 },
      answering((position) => position + step),
    ),
  ),
  refuted<Guarantee>(
    'ring/joins',
    'a reader that joins takes the first look for the second',
    joiningTried(one(1), 3),
    mutate(
      { operation: 'load', word: written, thread: 'reader0', nth: 2 },
      answering(() => 0),
    ),
  ),
  refuted<Guarantee>(
    'ring/joins',
    'a reader that joins does not say where it begins',
    joiningTried(one(1), 3),
    mutate({ operation: 'exchange', word: read0, thread: 'reader0', nth: 2 }, dropped),
  ),
  refuted<Guarantee>(
    'ring/wakes',
    'a reader that joins does not wake the writer',
    joining(one(1), 2),
    mutate({ operation: 'notify', word: read0, thread: 'reader0', nth: 1 }, dropped),
    'deadlock',
  ),
]

/** Mistakes about those who die while they join. */
const deadJoiners: readonly Check[] = [
  refuted<Guarantee>(
    'ring/joins',
    'a reader that dies while it joins seems to have joined',
    joinerReplacedTried(one(1), 2),
    mutate(
      { operation: 'compareExchange', word: seat0, thread: 'reader0' },
      giving((seat: number) => seat & ~1),
    ),
  ),
  refuted<Guarantee>(
    'ring/survives-reader',
    'a reader that has joined seems to be joining',
    joinerReplacedTried(one(2), 2),
    mutate({ operation: 'store', word: seat0, thread: 'reader0' }, dropped),
  ),
]

/** Mistakes about the dead. */
const deaths: readonly Check[] = [
  refuted<Guarantee>(
    'ring/survives-writer',
    'a reader takes the sink for its own',
    writerDiesTried(one(2), 2),
    mutate(
      { operation: 'load', word: sinkSeat, thread: 'reader0' },
      answering((seat) => (seat === 0 ? 0 : seatOf(1))),
    ),
  ),
  refuted<Guarantee>(
    'ring/survives-writer',
    'a reader takes a dead writer for a living one',
    writerDiesTried(one(2), 2),
    mutate(
      { operation: 'alive', thread: 'reader0', nth: 2 },
      answering(() => true),
    ),
  ),
  refuted<Guarantee>(
    'ring/survives-writer',
    'a reader takes a living writer for a dead one',
    writerDiesTried(one(2), 2),
    mutate(
      { operation: 'alive', thread: 'reader0', nth: 2 },
      answering(() => false),
    ),
  ),
  refuted<Guarantee>(
    'ring/survives-writer',
    'a reader does not look again at what a dead writer pushed',
    writerDiesTried(one(2), 2),
    mutate({ operation: 'load', word: written, thread: 'reader0' }, stale),
  ),
  refuted<Guarantee>(
    'ring/handed-out-once',
    'the sink of the dead is taken in two steps',
    oneSinkLeft(),
    mutate({ operation: 'compareExchange', word: sinkSeat, nth: 2 }, torn),
  ),
  refuted<Guarantee>(
    'ring/handed-out-once',
    'the sink of the living is taken',
    oneSinkLeft(),
    mutate(
      { operation: 'alive' },
      answering(() => false),
    ),
  ),
  refuted<Guarantee>(
    'ring/survives-reader',
    'the writer takes the place of a reader for its own',
    readerDiesTried(one(1), 1),
    mutate(
      { operation: 'load', word: seat0, thread: 'writer' },
      answering((seat) => (seat === 0 ? 0 : seatOf(0))),
    ),
  ),
  refuted<Guarantee>(
    'ring/survives-reader',
    'the writer takes a dead reader for a living one',
    readerDiesTried(one(1), 1),
    mutate(
      { operation: 'alive', thread: 'writer', nth: 2 },
      answering(() => true),
    ),
  ),
  refuted<Guarantee>(
    'ring/survives-reader',
    'the writer takes a living reader for a dead one',
    readerReplacedTried(one(1), 2),
    mutate(
      { operation: 'alive', thread: 'writer' },
      answering(() => false),
    ),
  ),
  refuted<Guarantee>(
    'ring/survives-reader',
    'the seat of a dead reader is cleared in two steps',
    readerReplacedTried(one(1), 2),
    mutate({ operation: 'compareExchange', word: seat0, thread: 'writer' }, torn),
  ),
  refuted<Guarantee>(
    'ring/survives-reader',
    'the position of a dead reader is closed, whoever has it now',
    readerReplacedTried(one(1), 3),
    mutate({ operation: 'compareExchange', word: read0, thread: 'writer' }, unconditional),
  ),
]

/** Every mistake that must be refuted. */
export const lifeMutants: readonly Check[] = [...closings, ...joinings, ...deadJoiners, ...deaths]
