import type { Check } from '../../checker/check.ts'
import type { FailureKind } from '../../checker/report.ts'
import { lineWords } from '../../core/layout.ts'
import { controlPlaces } from '../../core/queue-control.ts'
import { recordWords } from '../../core/record.ts'
import { acknowledgedAt, recordsAt } from '../../core/segment.ts'
import type { Program } from '../../model/program.ts'
import { refuted as refutedBy } from '../mutants.ts'
import { answering, dropped, giving, instead, type MistakeMaker, mutate, torn, type Where } from '../mutate.ts'
import { acknowledging, appending, creating, syncing } from './crash-programs.ts'
import { places } from './folder.ts'
import type { Guarantee } from './guarantees.ts'
import {
  cancels,
  consumerDies,
  dying,
  ending,
  handsOver,
  limitedMeanwhile,
  memberDies,
  rollsMeanwhile,
  sending,
  twoConsumers,
} from './programs.ts'
import { diskFails, dropping, limited, retiring, scribbledOver } from './solo-programs.ts'

/** Mistakes at the places where the queue touches its files, one after the other, as far as `mutants.ts` has none there. */

type Line = readonly [Guarantee, string, Program, Where, MistakeMaker, FailureKind?]

const one = sending(1, 1)
/** The third item is the first of a new segment. */
const three = sending(1, 3)
const items = limited({ items: 3 }, 2, [3, 3])
const bytes = limited({ bytes: 12 * recordWords(4) }, 2, [3, 3, 3])
const dead = dying(1, 1)
const created = creating('kill')
const newest = dropping('drop-newest')

const nothing = answering(() => 0)
const wrong = giving((value: number) => value ^ 5)
const control = (word: number): number => places.control(word)
const flushedAt = control(controlPlaces.sequence + 2)
const failedAt = control(controlPlaces.sequence + 3)
const droppedAt = control(controlPlaces.sequence + 5)
const joinedAt = control(controlPlaces.sequence + 1)
const consumerAt = control(controlPlaces.consumer)
const { first, last } = { first: control(controlPlaces.first), last: control(controlPlaces.last) }

/** Headers, and what is written when files are made. */
const making: readonly Line[] = [
  ...['version', 'kind', 'size', 'number', 'sequence', 'epoch', 'identity', 'checksum'].map(
    (what, i): Line => [
      'queue/opens',
      `the ${what} of a segment is another one`,
      three,
      { operation: 'write', word: places.segment(2, 1 + i), thread: 'producer0' },
      wrong,
    ],
  ),
  ['queue/opens', 'a segment is not said to be whole', three, { operation: 'store', within: ['publishHeader'] }, dropped],
  ['queue/opens', 'there is no header', one, { operation: 'load', within: ['readHeader'], thread: 'consumer' }, nothing],
  ...['version', 'kind', 'size'].map(
    (what, i): Line => [
      'queue/opens',
      `the ${what} of the control file is not seen`,
      one,
      { operation: 'read', word: control(1 + i), thread: 'consumer' },
      nothing,
    ],
  ),
  ...['lock', 'flush lock'].flatMap((what, i): Line[] => {
    const word = control(controlPlaces.lock + 2 * i * lineWords)
    return [
      ['queue/opens', `the ${what} is not found`, one, { operation: 'load', word, thread: 'consumer' }, nothing],
      ['queue/opens', `the ${what} is not made`, created, { operation: 'write', word: word + 1 }, dropped],
    ]
  }),
  ...['first segment'].map(
    (what, i): Line => [
      'queue/opens',
      `the number of the ${what} is not written`,
      created,
      { operation: 'write', word: first + i },
      dropped,
    ],
  ),
  [
    'queue/opens',
    'the number of the last segment, turned over, is not written',
    created,
    { operation: 'write', word: last + 1 },
    dropped,
  ],
  [
    'queue/recovers',
    'a control file gets its name before it is on the disk',
    creating('power'),
    { operation: 'flush', within: ['createControl'], word: control(0) },
    dropped,
  ],
  [
    'queue/survives',
    'a segment does not say that it is empty',
    dying(1, 3),
    { operation: 'write', word: places.segment(2, lineWords) },
    dropped,
  ],
  [
    'queue/recovers',
    'a segment is not on the disk when something leads to it',
    appending('power', 1, true, 2),
    { operation: 'flush', word: places.segment(2, 0) },
    dropped,
  ],
]

/** What the control file keeps. */
const keeping: readonly Line[] = [
  ...[1, ~1].map(
    (value, i): Line => [
      'queue/opens',
      `the number of the first segment${i === 1 ? ', turned over,' : ''} is an old one`,
      consumerDies(),
      { operation: 'load', word: first + i, thread: 'heir' },
      answering(() => value),
    ],
  ),
  [
    'queue/bounded',
    'the first segment stays the first',
    retiring(),
    { operation: 'store', within: ['Control.keepFirst'] },
    dropped,
  ],
  [
    'queue/recovers',
    'files go before that is on the disk',
    acknowledging('power', 3, false),
    { operation: 'flush', within: ['Control.keepFirst'], thread: 'consumer' },
    dropped,
  ],
  ...[1, ~1].map(
    (value, i): Line => [
      'queue/order',
      `the number of the last segment${i === 1 ? ', turned over,' : ''} is an old one`,
      three,
      { operation: 'load', word: last + i, thread: 'consumer' },
      answering(() => value),
      'livelock',
    ],
  ),
  [
    'queue/order',
    'nothing leads to a new segment',
    three,
    { operation: 'store', within: ['Control.keepLast'], thread: 'producer0' },
    dropped,
    'livelock',
  ],
]

/** What it says of now. */
const now: readonly Line[] = [
  [
    'queue/whole',
    'the sequence is not seen',
    sending(1, 2),
    { operation: 'load', word: control(controlPlaces.sequence), thread: 'producer0' },
    nothing,
  ],
  [
    'queue/durable',
    'one segment more is taken for flushed',
    syncing('power'),
    { operation: 'load', word: flushedAt, thread: 'producer' },
    answering((number) => number + 1),
  ],
  [
    'queue/durable',
    'one segment more is said to be flushed',
    appending('power', 2, true),
    { operation: 'store', word: flushedAt, thread: 'producer' },
    giving((number: number) => number + 1),
  ],
  ['queue/durable', 'that the disk refused is not seen', diskFails(), { operation: 'load', word: failedAt }, nothing],
  [
    'queue/durable',
    'that the disk refused is not said',
    diskFails(),
    { operation: 'store', word: failedAt, within: ['Control.failed'] },
    dropped,
  ],
  [
    'queue/cancels',
    'that the consumer wants no more is not seen',
    cancels(),
    { operation: 'load', word: control(controlPlaces.cancelled) },
    nothing,
  ],
  ['queue/bounded', 'what was dropped is not seen', newest, { operation: 'load', word: droppedAt }, nothing],
  ['queue/bounded', 'what is dropped is not counted', newest, { operation: 'add', word: droppedAt }, dropped],
  ['queue/bounded', 'the segment of the consumer is not seen', bytes, { operation: 'load', word: consumerAt + 1 }, nothing],
  ['queue/bounded', 'the place of the consumer is not seen', bytes, { operation: 'load', word: consumerAt + 2 }, nothing],
  [
    'queue/bounded',
    'what the consumer is done with is not seen',
    items,
    { operation: 'load', within: ['Control.acknowledgedWord'] },
    nothing,
  ],
  [
    'queue/bounded',
    'the consumer does not say that it is in another segment',
    bytes,
    { operation: 'store', word: consumerAt + 1, within: ['Control.acknowledge'] },
    dropped,
  ],
  [
    'queue/bounded',
    'the consumer does not say where it is',
    bytes,
    { operation: 'store', word: consumerAt + 2, within: ['Control.acknowledge'] },
    dropped,
  ],
  [
    'queue/bounded',
    'the consumer is in a new segment where it was in the old one',
    limitedMeanwhile(),
    {
      operation: 'store',
      word: consumerAt + 2,
      within: ['Control.acknowledge'],
      thread: 'consumer',
      when: ({ args }) => args[1] === 0,
    },
    dropped,
  ],
]

/** Who is there. */
const members: readonly Line[] = [
  [
    'queue/one-consumer',
    'a consumer that lives is taken for dead',
    twoConsumers(),
    { operation: 'alive', within: ['Control.becomeConsumer'] },
    answering(() => false),
  ],
  [
    'queue/one-consumer',
    'a consumer that leaves is still there',
    consumerDies(),
    { operation: 'store', within: ['Control.leaveConsumer'] },
    dropped,
  ],
  [
    'queue/ends',
    'a member has the place of another one',
    dead,
    { operation: 'compareExchange', within: ['Control.join'], thread: 'producer0' },
    dropped,
    'livelock',
  ],
  [
    'queue/survives',
    'a dead member is taken for alive',
    memberDies(),
    { operation: 'alive', within: ['Control.join'], thread: 'heir' },
    answering(() => true),
  ],
  [
    'queue/ends',
    'who takes the place of a dead member has its producers',
    memberDies(),
    { operation: 'store', within: ['Control.join'], thread: 'heir' },
    dropped,
  ],
  ['queue/ends', 'that a producer came is not said', ending(1, 1), { operation: 'add', word: joinedAt }, dropped, 'livelock'],
  ['queue/ends', 'that a producer came is not seen', ending(1, 1), { operation: 'load', word: joinedAt }, nothing, 'livelock'],
  [
    'queue/ends',
    'a member is taken for one without producers',
    ending(1, 1),
    { operation: 'load', within: ['Control.hasEnded'], when: ({ word }) => word > control(controlPlaces.members) },
    nothing,
  ],
  [
    'queue/ends',
    'who looks for producers does not see that one came meanwhile',
    handsOver(),
    { operation: 'load', word: joinedAt, nth: 2, thread: 'consumer' },
    answering((count) => count - 1),
  ],
  [
    'queue/ends',
    'a member is not seen',
    ending(1, 1),
    { operation: 'load', within: ['Control.members', 'Control.hasEnded'] },
    nothing,
  ],
  [
    'queue/ends',
    'a producer that is dead is taken for alive',
    dead,
    { operation: 'alive', within: ['Control.members', 'Control.hasEnded'] },
    answering(() => true),
    'livelock',
  ],
  [
    'queue/recovers',
    'what was cancelled, or failed, or dropped stays so',
    scribbledOver(),
    { operation: 'store', within: ['Control.clear'], when: ({ word }) => word < consumerAt },
    dropped,
  ],
  ...(
    [
      ['segment of the consumer', consumerAt + 1],
      ['place of the consumer', consumerAt + 2],
      ['sequence that the consumer is done with', control(controlPlaces.acknowledged)],
    ] as const
  ).map(
    ([what, word]): Line => [
      'queue/recovers',
      `the ${what} is left as it was`,
      scribbledOver(),
      { operation: 'store', within: ['Control.clear'], word },
      dropped,
    ],
  ),
]

/** Segments and their records. */
const segments: readonly Line[] = [
  [
    'queue/order',
    'the tail is not seen',
    one,
    { operation: 'load', within: ['Segment.tail'], thread: 'consumer' },
    nothing,
    'livelock',
  ],
  [
    'queue/wakes',
    'a consumer sleeps on the tail that it sees later',
    rollsMeanwhile(),
    { operation: 'compareExchange', within: ['Cursor.sleep'], thread: 'consumer' },
    torn,
    'deadlock',
  ],
  [
    'queue/wakes',
    'a segment is taken for one that is closed',
    rollsMeanwhile(),
    { operation: 'load', within: ['Segment.seal'] },
    answering((word) => word | 2),
    'deadlock',
  ],
  [
    'queue/wakes',
    'a segment is not closed',
    rollsMeanwhile(),
    { operation: 'exchange', within: ['Segment.seal'] },
    dropped,
    'deadlock',
  ],
  [
    'queue/wakes',
    'nobody is told that a segment is closed',
    rollsMeanwhile(),
    { operation: 'notify', within: ['Segment.seal'] },
    dropped,
    'deadlock',
  ],
  [
    'queue/durable',
    'the tail of a segment that is full is not brought to the disk',
    syncing('power'),
    { operation: 'flush', within: ['Segment.flushTail'], thread: 'producer' },
    dropped,
  ],
  [
    'queue/once',
    'what was acknowledged is not seen',
    consumerDies(),
    { operation: 'load', within: ['Segment.acknowledged'], thread: 'heir' },
    instead(({ word }) => ((word - places.segment(1, acknowledgedAt)) % 2 === 0 ? recordsAt : ~recordsAt)),
  ],
]

const lines = [...making, ...keeping, ...now, ...members, ...segments]

/** Every mistake that must be refuted. */
export const placeMutants: readonly Check[] = lines.map(([guarantee, name, program, where, how, failure]) =>
  refutedBy<Guarantee>(guarantee, name, program, mutate(where, how), failure),
)
