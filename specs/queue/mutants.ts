import type { Check } from '../../checker/check.ts'
import { lineWords } from '../../core/layout.ts'
import { controlPlaces } from '../../core/queue-control.ts'
import { recordHeaderWords, recordWords } from '../../core/record.ts'
import { acknowledgedAt, durableAt, recordsAt, tailAt } from '../../core/segment.ts'
import { refuted as refutedBy, type Wrap } from '../mutants.ts'
import { answering, dropped, giving, instead, mutate } from '../mutate.ts'
import { preparingLate } from './ahead-programs.ts'
import { acknowledging, appending, recoveringTwice, resurrecting } from './crash-programs.ts'
import { appendingTogether, syncingBeside, syncingTogether } from './crash-together-programs.ts'
import { endedByPower } from './ended.ts'
import { entryOf, places, spareEntry } from './folder.ts'
import type { Guarantee } from './guarantees.ts'
import { cancels, consumerDies, dying, ending, fullAndEmpty, sending, twoConsumers } from './programs.ts'
import { reusing } from './reuse.ts'
import { givingUp, limited, madeMeanwhile, retiring, returning } from './solo-programs.ts'
import { wrapping } from './wrap-programs.ts'

/** Deliberate mistakes: some for each guarantee. */

const refuted = refutedBy<Guarantee>

const tailOf = (segment: number): number => places.segment(segment, tailAt)
const control = Object.fromEntries(
  Object.entries(controlPlaces).map(([name, word]) => [name, places.control(word)]),
) as typeof controlPlaces

/** Two mistakes. */
function both(one: Wrap, other: Wrap): Wrap {
  return (memory, thread) => one(other(memory, thread), thread)
}

const oneOfOne = sending(1, 1)
const producing = { thread: 'producer0' } as const

/** The second item is the first of a new segment. */
const rolling = appending('power', 1, true, 2)

export { equivalents } from './place-mutants.ts'

export const mutants: readonly Check[] = [
  refuted(
    'queue/order',
    'a record is not published',
    oneOfOne,
    mutate({ operation: 'exchange', word: tailOf(1), ...producing }, dropped),
    'livelock',
  ),
  refuted(
    'queue/survives',
    'the lock is never free',
    oneOfOne,
    mutate(
      { operation: 'compareExchange', word: control.lock + lineWords, within: ['Log.locked'], ...producing },
      answering(() => 2),
    ),
    'livelock',
  ),
  refuted(
    'queue/whole',
    'sequences are given twice',
    sending(1, 2),
    mutate({ operation: 'store', word: control.sequence, ...producing }, dropped),
  ),
  refuted(
    'queue/once',
    'what is acknowledged is not kept',
    consumerDies(),
    mutate({ operation: 'store', word: places.segment(2, acknowledgedAt), thread: 'first' }, dropped),
  ),
  refuted(
    'queue/whole',
    'the payload is not written',
    oneOfOne,
    mutate(
      { operation: 'write', word: places.segment(1, recordsAt + recordHeaderWords), ...producing },
      giving(() => 7),
    ),
  ),
  refuted(
    'queue/whole',
    'a file becomes a new segment while a reader has it open',
    reusing(),
    mutate(
      { operation: 'load', word: places.holder(2, 1), thread: 'mover' },
      answering(() => 0),
    ),
  ),
  refuted(
    'queue/whole',
    'a reader that has opened a file does not look whether it is retired',
    reusing(),
    mutate(
      {
        operation: 'load',
        thread: 'reader',
        when: ({ word, memory }) => [0, 1].includes(word - control.first) && memory.load(places.holder(2, 1)) > 0,
      },
      instead(({ word }) => (word === control.first ? 1 : ~1)),
    ),
  ),
  refuted(
    'queue/kept',
    'more is acknowledged than was received',
    acknowledging('kill', 2, false),
    mutate(
      { operation: 'store', thread: 'consumer', when: ({ word }) => [0, 1].includes(word - places.segment(1, acknowledgedAt)) },
      instead(({ args, perform }) => perform(args[0], (args[1] as number) + ((args[1] as number) > 0 ? 5 : -5))),
    ),
  ),
  refuted(
    'queue/whole',
    'who takes the lock from a dead one does not count again',
    dying(1, 1),
    mutate({ operation: 'store', word: control.sequence, thread: 'consumer', nth: 1 }, dropped),
  ),
  refuted(
    'queue/survives',
    'who leaves keeps its place',
    returning(),
    mutate({ operation: 'store', within: ['Control.leave'] }, dropped),
  ),
  refuted(
    'queue/bounded',
    'the consumer does not say how far it is',
    limited({ items: 3 }, 2, [3, 3]),
    mutate({ operation: 'exchange', within: ['Control.acknowledge'] }, dropped),
  ),
  refuted(
    'queue/times-out',
    'the deadline is too early',
    givingUp(),
    mutate(
      { operation: 'now', within: ['Control.patience'] },
      answering(() => -1000),
    ),
  ),
  refuted(
    'queue/retires',
    'the file of a segment keeps its name',
    retiring(),
    // Whether it is removed or gets another one.
    both(mutate({ operation: 'exchange', word: entryOf(1) }, dropped), mutate({ operation: 'store', word: entryOf(1) }, dropped)),
  ),
  refuted(
    'queue/ends',
    'who closes is still there',
    ending(1, 1),
    mutate({ operation: 'sub', ...producing }, dropped),
    'livelock',
  ),
  refuted(
    'queue/ends',
    'nobody knows that a producer came',
    ending(1, 1),
    mutate({ operation: 'add', when: ({ word }) => word > control.members, ...producing }, dropped),
  ),
  refuted(
    'queue/ends',
    'that a producer came is not brought to the disk',
    endedByPower(),
    mutate({ operation: 'flush', word: control.joined }, dropped),
  ),
  refuted(
    'queue/wakes',
    'the producer does not notify',
    fullAndEmpty(2),
    mutate({ operation: 'notify', word: tailOf(1), thread: 'producer' }, dropped),
    'deadlock',
  ),
  refuted(
    'queue/wakes',
    'the consumer does not notify',
    fullAndEmpty(2),
    mutate({ operation: 'notify', word: control.acknowledged, thread: 'consumer' }, dropped),
    'deadlock',
  ),
  refuted(
    'queue/one-consumer',
    'a consumer does not look whether there is one',
    twoConsumers(),
    mutate(
      { operation: 'compareExchange', word: control.consumer },
      answering(() => 0),
    ),
  ),
  refuted(
    'queue/cancels',
    'the consumer does not say so',
    cancels(),
    mutate({ operation: 'store', word: control.cancelled, thread: 'consumer', nth: 2 }, dropped),
  ),
  refuted(
    'queue/opens',
    'a control file takes the place of another one',
    madeMeanwhile('named'),
    mutate(
      { operation: 'compareExchange', word: entryOf(0) },
      instead(({ args, memory }) => {
        memory.store(entryOf(0), args[2] as number)
        return 0
      }),
    ),
  ),
  refuted(
    'queue/opens',
    'a file that is made ahead takes the place of another one',
    preparingLate(),
    mutate(
      { operation: 'compareExchange', word: spareEntry },
      instead(({ args, memory }) => {
        memory.store(spareEntry, args[2] as number)
        return 0
      }),
    ),
  ),
  refuted(
    'queue/durable',
    'records are not brought to the disk',
    appending('power', 1, true),
    mutate({ operation: 'flush', within: ['Log.flushSegment'] }, dropped),
  ),
  refuted(
    'queue/durable',
    'a new segment is used before it is known to be there',
    rolling,
    mutate({ operation: 'flush', word: control.last }, dropped),
  ),
  refuted(
    'queue/durable',
    'what was acknowledged is not brought to the disk',
    acknowledging('power', 1, true),
    mutate({ operation: 'flush', word: places.segment(1, acknowledgedAt) }, dropped),
  ),
  refuted(
    'queue/recovers',
    'a recovery leaves the tail as it was',
    recoveringTwice(),
    mutate({ operation: 'store', word: tailOf(1), thread: 'recover' }, dropped),
  ),
  refuted(
    'queue/durable',
    'who goes on for one who died while it sent gives its number again',
    appendingTogether({ crash: 'kill', before: 0, kill: true }),
    mutate({ operation: 'store', word: control.sequence, within: ['Log.repair'], thread: 'other' }, dropped),
  ),
  refuted(
    'queue/durable',
    'who shares a flush believes in one that came too early',
    syncingBeside({ crash: 'power', before: 0 }),
    mutate(
      { operation: 'load', word: tailOf(1), within: ['Log.flush'], thread: 'other' },
      answering(() => 4 * (recordsAt + recordWords(4))),
    ),
  ),
  refuted(
    'queue/durable',
    'who shares a flush believes in one that was not made',
    syncingTogether({ crash: 'power', before: 0 }),
    mutate({ operation: 'flush', within: ['Log.flushSegment'], thread: 'one' }, dropped),
  ),
  ...(
    [
      [
        'queue/bounded',
        'the number of items stays at the greatest',
        control.sequence,
        'store',
        2 ** 32 - 3,
        (n) => (n === 0 ? -1 : n),
      ],
      [
        'queue/bounded',
        'the consumer stays at the greatest number',
        control.acknowledged,
        'exchange',
        2 ** 30 - 3,
        (n) => (n >= 0 && n < 64 ? -4 : n),
      ],
      [
        'queue/order',
        'the number of a segment stays at the greatest',
        control.last,
        'store',
        2 ** 31 - 3,
        (n) => Math.min(n, 2 ** 31 - 1),
      ],
    ] as const satisfies readonly (readonly [Guarantee, string, number, 'store' | 'exchange', number, (n: number) => number])[]
  ).map(
    ([guarantee, name, word, operation, sequence, stays]): Check => ({
      ...refuted(
        guarantee,
        name,
        wrapping({ segment: 2 ** 31 - 1, sequence }),
        mutate({ operation, word, thread: 'alone' }, giving(stays)),
      ),
      bounds: { events: 5000 },
    }),
  ),
  {
    program: resurrecting(
      false,
      mutate(
        { operation: 'store', when: ({ word }) => word > places.segment(1, durableAt) && word < places.segment(1, recordsAt) },
        dropped,
      ),
    ),
    mutant: { name: 'a recovery does not say from where on records are new', guarantee: 'queue/recovers' satisfies Guarantee },
    expect: { verdict: 'refuted' },
  },
]
