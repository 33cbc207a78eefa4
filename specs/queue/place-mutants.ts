import type { Check } from '../../checker/check.ts'
import type { FailureKind } from '../../checker/report.ts'
import { lineWords } from '../../core/layout.ts'
import { controlPlaces } from '../../core/queue-control.ts'
import { recordHeaderWords, recordWords } from '../../core/record.ts'
import { acknowledgedAt, durableAt, recordsAt, tailAt } from '../../core/segment.ts'
import type { Program } from '../../model/program.ts'
import { type Equivalent, equivalent as equivalentOf, refuted as refutedBy, type Wrap } from '../mutants.ts'
import { answering, type Call, dropped, giving, instead, type MistakeMaker, mutate, torn, type Where } from '../mutate.ts'
import { preparing } from './ahead-programs.ts'
import { acknowledging, appending, creating, recoveringTwice, resurrecting, syncing, wipingHalf } from './crash-programs.ts'
import { dropperDies, peekingConsumerDies } from './drop-programs.ts'
import { drafts, entryOf, places, spareEntry } from './folder.ts'
import type { Guarantee } from './guarantees.ts'
import {
  cancels,
  consumerDies,
  dying,
  ending,
  fullAndEmpty,
  handsOver,
  limitedMeanwhile,
  madeAtOnce,
  memberDies,
  rollsMeanwhile,
  sending,
  twoConsumers,
} from './programs.ts'
import {
  beheaded,
  diskFails,
  diskForgets,
  dropping,
  droppingUnseen,
  failingTwice,
  flushingInTime,
  givingUp,
  goingRound,
  leftBehind,
  limited,
  longItems,
  madeAhead,
  madeMeanwhile,
  retiring,
  retiringForgotten,
  rollFails,
  scribbledOver,
  wiping,
} from './solo-programs.ts'

/** Mistakes at the places where the queue touches its files, one after the other, as far as `mutants.ts` has none there. */

type Line = readonly [Guarantee, string, Program, Where, MistakeMaker, FailureKind?]

const one = sending(1, 1)
/** The third item is the first of a new segment. */
const three = sending(1, 3)
const items = limited({ items: 3 }, 2, [3, 3])
const bytes = limited({ bytes: 12 * recordWords(4) }, 2, [3, 3, 3])
const dead = dying(1, 1)
const created = creating('kill')
const bothSleep = fullAndEmpty(2)
const halfWiped = wipingHalf('power')
const newest = dropping('drop-newest')
const torn2 = resurrecting(false)

const nothing = answering(() => 0)
const wrong = giving((value: number) => value ^ 5)
const control = (word: number): number => places.control(word)
const flushedAt = control(controlPlaces.sequence + 2)
const failedAt = control(controlPlaces.sequence + 3)
const refusedAt = control(controlPlaces.sequence + 5)
const [droppedAt, droppedNextAt, droppedFirstAt] = [0, 1, 2].map((i) => control(controlPlaces.dropped + i)) as [
  number,
  number,
  number,
]
const doneAt = control(controlPlaces.done)
const joinedAt = control(controlPlaces.sequence + 1)
const consumerAt = control(controlPlaces.consumer)
const { first, last } = { first: control(controlPlaces.first), last: control(controlPlaces.last) }
const flushLock = control(controlPlaces.lock + 2 * lineWords)
const tail = places.segment(1, tailAt)
const isSleptOn = ({ word }: Call): boolean => word === tail || word === control(controlPlaces.acknowledged)
const record = (word: number): number => places.segment(1, recordsAt + word)
const isDurable = ({ word }: Call): boolean => word >= places.segment(1, durableAt) && word < record(0)
const isAnnouncement = ({ args: [, expected, next] }: Call): boolean => next !== expected && next === ((expected as number) | 1)
const whatever = instead(({ memory, args, word }) => memory.wait(word, memory.load(word), args[2] as number))

const inFolder = (call: string, from: string): readonly string[] => [`SimulatedFolder.${call}`, from]

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
  ['queue/opens', 'whose queue it is is not seen', one, { operation: 'read', word: control(6), thread: 'consumer' }, nothing],
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
    'queue/recovers',
    'the number of the first segment, turned over, is that of another one',
    created,
    { operation: 'write', word: first + 1 },
    giving(() => ~3),
  ],
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
    'queue/opens',
    'the first segment stays the first',
    retiring(),
    { operation: 'store', within: ['Control.keepFirst'] },
    dropped,
  ],
  [
    'queue/recovers',
    'files go before that is on the disk',
    acknowledging('power', 2, false, 1),
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
  ['queue/bounded', 'what was dropped is not seen', newest, { operation: 'load', word: refusedAt }, nothing],
  [
    'queue/bounded',
    'the oldest items that are dropped are not counted',
    droppingUnseen(),
    { operation: 'store', word: droppedNextAt },
    dropped,
  ],
  ...(
    [
      ['what will be dropped counts before it is', droppedFirstAt],
      ['what was dropped before is forgotten while something is', droppedAt],
    ] as const
  ).map(([what, word]): Line => ['queue/counted', what, dropperDies(), { operation: 'store', word }, dropped]),
  ...(
    [
      ['from when on what will be dropped counts is not seen', droppedFirstAt],
      ['what was dropped together with this is not seen', droppedNextAt],
    ] as const
  ).map(([what, word]): Line => ['queue/counted', what, dropperDies(), { operation: 'load', word }, nothing]),
  [
    'queue/counted',
    'a consumer does not say what it is done with',
    peekingConsumerDies(),
    { operation: 'store', word: doneAt, thread: 'first' },
    dropped,
  ],
  [
    'queue/bounded',
    'that there is no consumer is not seen by who drops',
    droppingUnseen(),
    { operation: 'load', within: ['Control.hasConsumer'] },
    answering(() => 2),
  ],
  [
    'queue/bounded',
    'that the consumer is dead is not seen by who drops',
    peekingConsumerDies(),
    { operation: 'alive', within: ['Control.hasConsumer'] },
    answering(() => true),
  ],
  [
    'queue/bounded',
    'how far the last consumer was is not seen by the next one',
    droppingUnseen(),
    { operation: 'load', within: ['Control.backlogBefore'] },
    nothing,
  ],
  ['queue/bounded', 'what is dropped is not counted', newest, { operation: 'add', word: refusedAt }, dropped],
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
    'the consumer takes the segment where it was for the one where it is',
    bytes,
    { operation: 'load', word: consumerAt + 1, within: ['Control.acknowledge'] },
    answering(() => 2),
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
      ['room that the consumer has made', control(controlPlaces.acknowledged)],
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
  [
    'queue/recovers',
    'what consumers are said to be done with is left as it was',
    scribbledOver(),
    { operation: 'store', word: doneAt, within: ['Control.clear'] },
    dropped,
  ],
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
  [
    'queue/recovers',
    'from where on records are new is not seen',
    torn2,
    { operation: 'load', within: ['Segment.durables'], thread: 'recover', when: isDurable },
    nothing,
  ],
  [
    'queue/recovers',
    'that this is known is taken for damaged',
    torn2,
    {
      operation: 'load',
      within: ['Segment.durables'],
      thread: 'recover',
      when: (call) => isDurable(call) && (call.word - places.segment(1, durableAt)) % 4 === 3,
    },
    nothing,
  ],
  [
    'queue/wakes',
    'a consumer sleeps on a tail that it has not seen',
    rollsMeanwhile(),
    { operation: 'load', word: tail, within: ['Segment.tailWord'], thread: 'consumer', nth: 1 },
    answering((word) => word | 2),
    'deadlock',
  ],
  ...['length', 'sequence', 'epoch', 'checksum'].flatMap((what, i): Line[] => [
    ['queue/whole', `the ${what} of a record is not written`, sending(1, 2), { operation: 'write', word: record(5 + i) }, wrong],
    [
      'queue/whole',
      `the ${what} of a record is read as another one`,
      one,
      { operation: 'read', word: record(i), thread: 'consumer' },
      answering((word) => word + 1),
    ],
  ]),
  [
    'queue/whole',
    'the payload is not read',
    one,
    { operation: 'read', word: record(recordHeaderWords), thread: 'consumer' },
    nothing,
  ],
  ['queue/whole', 'a long payload is not written', longItems(), { operation: 'writeBytes' }, dropped],
  ['queue/whole', 'a long payload is not read', longItems(), { operation: 'readBytes' }, dropped],
  [
    'queue/recovers',
    'a recovery takes no record for one that follows',
    appending('kill', 1, false, 2),
    { operation: 'load', within: ['Records.readExpected'], thread: 'recover', when: ({ word }) => word === record(1) },
    answering((sequence) => sequence + 1),
  ],
  [
    'queue/durable',
    'a recovery takes no record for one of this epoch',
    appending('kill', 1, false),
    { operation: 'load', within: ['Records.readExpected'], thread: 'recover', when: ({ word }) => word === record(2) },
    nothing,
  ],
]

/** Locks and the folder. */
const files: readonly Line[] = [
  [
    'queue/opens',
    'who opens the queue does not wait for the lock',
    madeAtOnce(),
    { operation: 'compareExchange', word: control(controlPlaces.lock + lineWords), thread: 'other', nth: 1 },
    dropped,
  ],
  [
    'queue/opens',
    'the control file is not seen',
    one,
    { operation: 'load', word: entryOf(0), within: inFolder('list', 'open'), thread: 'consumer' },
    nothing,
  ],
  [
    'queue/opens',
    'a segment is not found',
    one,
    { operation: 'load', word: entryOf(1), within: inFolder('open', 'Queue.consumer'), thread: 'consumer' },
    nothing,
  ],
  [
    'queue/recovers',
    'the name of a segment is not brought to the disk',
    appending('power', 1, false, 2),
    { operation: 'flush', within: inFolder('sync', 'Log.roll') },
    dropped,
  ],
  [
    'queue/retires',
    'files to retire are not seen',
    retiring(),
    { operation: 'load', word: entryOf(1), within: inFolder('list', 'Log.retireLocked') },
    nothing,
  ],
  [
    'queue/retires',
    'drafts are not seen',
    created,
    { operation: 'load', within: inFolder('list', 'recover'), thread: 'recover', when: ({ word }) => drafts.includes(word) },
    nothing,
  ],
  [
    'queue/durable',
    'the flush lock is never free',
    diskFails(),
    { operation: 'compareExchange', word: flushLock + lineWords },
    answering(() => 2),
    'livelock',
  ],
  ['queue/durable', 'records are not flushed', syncing('power'), { operation: 'flush', within: ['Log.flushSegment'] }, dropped],
  [
    'queue/survives',
    'the lock is kept after an error',
    diskFails(),
    { operation: 'exchange', within: ['Mutex.unlock', 'Log.flush'], word: flushLock + lineWords },
    dropped,
    'livelock',
  ],
  [
    'queue/survives',
    'the lock is kept after a roll that failed',
    rollFails(),
    { operation: 'exchange', within: ['Mutex.abandon'] },
    dropped,
    'livelock',
  ],
  [
    'queue/survives',
    'the lock is kept',
    one,
    { operation: 'exchange', within: ['Mutex.unlock'], thread: 'producer0' },
    dropped,
    'livelock',
  ],
  [
    'queue/survives',
    'who has sent keeps the lock',
    sending(1, 2),
    { operation: 'exchange', within: ['Mutex.unlock', 'Log.locked'], thread: 'producer0' },
    dropped,
    'livelock',
  ],
  [
    'queue/opens',
    'segments are not seen before a control file is made',
    beheaded(),
    { operation: 'load', word: entryOf(1), within: ['createControl'] },
    nothing,
  ],
  [
    'queue/opens',
    'a control file that was made meanwhile is not seen',
    madeMeanwhile(2),
    { operation: 'load', word: entryOf(0), within: inFolder('list', 'createControl') },
    nothing,
  ],
  [
    'queue/opens',
    'a control file is not made',
    created,
    { operation: 'compareExchange', within: inFolder('create', 'createControl'), thread: 'creator' },
    dropped,
  ],
  [
    'queue/opens',
    'a control file gets no name',
    created,
    { operation: 'compareExchange', within: inFolder('link', 'createControl'), thread: 'creator' },
    dropped,
  ],
  [
    'queue/opens',
    'the control file is not found',
    one,
    { operation: 'load', within: inFolder('open', 'attachControl'), thread: 'consumer' },
    nothing,
  ],
  [
    'queue/opens',
    'a segment gets no name',
    three,
    { operation: 'compareExchange', word: entryOf(2), within: ['createAnew'] },
    dropped,
  ],
  [
    'queue/opens',
    'a segment gets no name after the file of a dead one was removed',
    dying(1, 3),
    { operation: 'compareExchange', within: inFolder('create', 'createAnew'), thread: 'consumer' },
    dropped,
  ],
  [
    'queue/opens',
    'a file that is used again gets no name',
    goingRound(),
    { operation: 'store', within: inFolder('rename', 'Log.reuse') },
    dropped,
  ],
  [
    'queue/bounded',
    'a file that is made ahead gets no name',
    madeAhead(),
    { operation: 'compareExchange', word: spareEntry, within: inFolder('create', 'Log.prepare') },
    dropped,
  ],
  [
    'queue/retires',
    'segments that are no part of the log stay',
    leftBehind(),
    { operation: 'exchange', within: ['Log.removeSegments'] },
    dropped,
  ],
  ['queue/retires', 'drafts stay', leftBehind(), { operation: 'exchange', within: ['Log.removeRest'] }, dropped],
  [
    'queue/opens',
    'the file of one who died while it rolled stays',
    dying(1, 3),
    { operation: 'exchange', within: inFolder('remove', 'createAnew') },
    dropped,
  ],
  [
    'queue/opens',
    'who wipes does not see the control file',
    wiping(),
    { operation: 'load', word: entryOf(0), within: inFolder('list', 'wipe') },
    nothing,
  ],
  [
    'queue/opens',
    'who wipes leaves the control file',
    wiping(),
    { operation: 'exchange', word: entryOf(0), within: ['wipe'] },
    dropped,
  ],
  [
    'queue/recovers',
    'who wipes does not say that there are no segments any more',
    halfWiped,
    { operation: 'store', within: ['Control.keepFirst', 'wipe'] },
    dropped,
  ],
  [
    'queue/recovers',
    'segments come back when the control file is gone',
    halfWiped,
    { operation: 'flush', within: inFolder('sync', 'wipe'), nth: 1 },
    dropped,
  ],
  [
    'queue/opens',
    'who wipes leaves segments',
    wiping(),
    { operation: 'exchange', within: ['wipe'], when: ({ word }) => word !== entryOf(0) },
    dropped,
  ],
  [
    'queue/recovers',
    'the name of the first segment is not brought to the disk',
    creating('power'),
    { operation: 'flush', within: inFolder('sync', 'startOver'), thread: 'creator' },
    dropped,
  ],
  [
    'queue/recovers',
    'a recovery sees no segments',
    appending('kill', 1, false, 2),
    { operation: 'load', word: entryOf(1), within: inFolder('list', 'requireSegments') },
    nothing,
  ],
]

/** Sleeping, and giving up. */
const sleeping: readonly Line[] = (['Cursor.sleep', 'Producer.send'] as const).flatMap((where): Line[] => {
  const [who, nth] = where === 'Cursor.sleep' ? (['consumer', 0] as const) : (['producer', 0] as const)
  return [
    [
      'queue/wakes',
      `the announcement of a ${who} is torn`,
      bothSleep,
      { operation: 'compareExchange', within: [where, 'Patience.sleep'], when: isAnnouncement },
      torn,
      'deadlock',
    ],
    [
      'queue/wakes',
      `a ${who} sleeps, whatever has changed`,
      bothSleep,
      { operation: 'wait', within: [where] },
      whatever,
      'deadlock',
    ],
    [
      'queue/times-out',
      `a ${who} gives up before it has slept`,
      givingUp(),
      { operation: 'now', within: [where, 'Patience.sleep'] },
      answering(() => 1000 + nth),
    ],
  ]
})

const deadlines: readonly Line[] = [
  ...['begins', 'comes to sleep'].map(
    (when, i): Line => [
      'queue/times-out',
      `the clock goes wrong when a consumer ${when}`,
      givingUp(),
      { operation: 'now', within: ['Consumer.receive'], nth: i + 1 },
      answering(() => (i === 0 ? -1000 : 1000)),
    ],
  ),
  [
    'queue/durable',
    'the time never comes to bring items to the disk',
    flushingInTime(),
    { operation: 'now', within: ['Producer.flushInTime'], nth: 2 },
    answering(() => -1000),
  ],
]

const lines = [...making, ...keeping, ...now, ...members, ...segments, ...files, ...sleeping, ...deadlines]

const epoch = control(controlPlaces.epoch)
const epochs = ({ word }: Call): boolean => word === epoch || word === epoch + 1

/** How those saw the memory who were there before the power failed. */
const sessions: readonly (readonly [string, Where, MistakeMaker])[] = [
  ['the epoch is not seen', { operation: 'load', when: epochs }, answering((_, { word }) => (word === epoch ? 0 : ~0))],
  ['the epoch does not rise', { operation: 'store', when: epochs }, dropped],
  ['the epoch is not brought to the disk', { operation: 'flush', word: epoch }, dropped],
  [
    'where a recovery found the end is not on the disk when records are behind it',
    { operation: 'flush', within: ['Segment.foundEnd'] },
    dropped,
  ],
]

/** How those saw the memory whose disk refused something. */
const refusals: readonly (readonly [Guarantee, string, Where, MistakeMaker])[] = [
  [
    'queue/whole',
    'records that the disk refused are not written again',
    { operation: 'store', word: record(0), within: ['Segment.writeAgain'] },
    dropped,
  ],
  [
    'queue/durable',
    'what was acknowledged and the disk refused is not written again',
    { operation: 'store', word: places.segment(1, acknowledgedAt), within: ['Segment.writeAgain'] },
    dropped,
  ],
  ['queue/durable', 'something else is written again', { operation: 'load', within: ['Segment.writeAgain'] }, nothing],
]

/** A program in which those make the mistake who were there before. */
function spoilt(guarantee: Guarantee, name: string, program: Program): Check {
  return { program, mutant: { name, guarantee }, expect: { verdict: 'refuted' } }
}

/** Every mistake that must be refuted. */
export const placeMutants: readonly Check[] = [
  ...lines.map(([guarantee, name, program, where, how, failure]) =>
    refutedBy<Guarantee>(guarantee, name, program, mutate(where, how), failure),
  ),
  ...sessions.map(([name, where, how]) => spoilt('queue/recovers', name, failingTwice(mutate(where, how)))),
  spoilt(
    'queue/retires',
    'files that were to go stay',
    retiringForgotten(mutate({ operation: 'exchange', within: inFolder('remove', 'settleFirst') }, dropped)),
  ),
  spoilt(
    'queue/opens',
    'that files are to go is not brought to the disk once more before they do',
    retiringForgotten(mutate({ operation: 'flush', word: first, within: ['settleFirst'] }, dropped)),
  ),
  ...refusals.map(([guarantee, name, where, how]) => ({
    ...spoilt(guarantee, name, diskForgets(mutate(where, how))),
    bounds: { events: 5000 },
  })),
]

const spinning = fullAndEmpty(2, 1)
const hint = 'a look while spinning is a hint: whatever it says, the caller looks again and decides by that'

type Excuse = readonly [why: string, Guarantee, string, Program, Where, MistakeMaker]
const excuses: readonly Excuse[] = [
  [
    'the first recovery, which is part of making a queue, sets the epoch before there is a record',
    'queue/recovers',
    'the epoch is not written',
    created,
    { operation: 'write', word: control(controlPlaces.epoch + 1) },
    dropped,
  ],
  [
    'a place before the first record is taken for that of the first record',
    'queue/kept',
    'a segment does not say that nothing is acknowledged',
    sending(1, 3),
    { operation: 'write', when: ({ word }) => [0, 1].includes(word - places.segment(2, acknowledgedAt)) },
    dropped,
  ],
  [
    'who is dead is replaced anyway',
    'queue/recovers',
    'the dead keep their places',
    scribbledOver(),
    { operation: 'store', within: ['Control.clear'], when: ({ word }) => word >= control(controlPlaces.members) },
    dropped,
  ],
  [
    'a new file does as well, and the old one waits for the next time',
    'queue/order',
    'the file that can be used again is not found',
    goingRound(),
    { operation: 'load', within: inFolder('open', 'Log.reuse') },
    nothing,
  ],
  [
    'a file that somebody still has open is looked at again, or replaced by the next one',
    'queue/order',
    'a file that cannot be used again keeps its name',
    dropping('drop-oldest'),
    { operation: 'exchange', within: inFolder('remove', 'Log.reuse') },
    dropped,
  ],
  [
    'who makes one then finds that its name is taken',
    'queue/whole',
    'that there is a file for the next segment is not seen',
    preparing(0),
    { operation: 'load', word: spareEntry, within: inFolder('list', 'Log.prepare') },
    nothing,
  ],
  [
    'files that come back are before the first segment, and go when the queue is opened',
    'queue/recovers',
    'that files were retired is not brought to the disk',
    acknowledging('power', 2, false, 1),
    { operation: 'flush', within: inFolder('sync', 'Log.retireLocked') },
    dropped,
  ],
  [
    'whoever makes the control file opens it next, and takes drafts away',
    'queue/retires',
    'the draft of a control file is not removed',
    created,
    { operation: 'exchange', within: inFolder('remove', 'createControl'), thread: 'creator' },
    dropped,
  ],
  [
    'a segment is made next, and its name brought to the disk together with this one',
    'queue/recovers',
    'the name of the control file is not brought to the disk',
    creating('power', false),
    { operation: 'flush', within: inFolder('sync', 'createControl'), thread: 'creator' },
    dropped,
  ],
  [
    'a control file is made next, and its name brought to the disk together with what has gone',
    'queue/opens',
    'that all is gone is not brought to the disk',
    halfWiped,
    { operation: 'flush', within: inFolder('sync', 'wipe'), nth: 2 },
    dropped,
  ],
  [
    'the numbers of the first and the last segment are on the disk: files that come back go again',
    'queue/recovers',
    'what a recovery removes is not brought to the disk',
    recoveringTwice(),
    { operation: 'flush', within: inFolder('sync', 'recover') },
    dropped,
  ],
  [
    hint,
    'queue/wakes',
    'who spins sees nothing',
    spinning,
    { operation: 'load', when: isSleptOn, within: ['Patience.sleep'] },
    nothing,
  ],
  [
    'pause says nothing to other threads; it spares the processor',
    'queue/wakes',
    'who spins does not pause',
    spinning,
    { operation: 'pause', within: ['Patience.sleep'] },
    dropped,
  ],
]

/** Mistakes that change nothing: no guarantee rests on these places. */
export const equivalents: readonly Equivalent[] = excuses.map(([why, guarantee, name, program, where, how]) =>
  equivalentOf<Guarantee>(why, guarantee, name, program, mutate(where, how) satisfies Wrap),
)
