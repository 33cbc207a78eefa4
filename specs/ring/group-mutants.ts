import type { Check } from '../../checker/check.ts'
import { type Equivalent, refuted as refutedBy } from '../mutants.ts'
import { answering, dropped, mutate, stale, torn } from '../mutate.ts'
import { type Sleeping, sleepingMutants, spinningEquivalents } from '../sleeping.ts'
import {
  behindClaimLeft,
  behindGroupLeft,
  behindGroupTried,
  claimsOfDead,
  entering,
  gatedGroup,
  groupBegunAnew,
  groupBehindLeft,
  groupDies,
  groupReplaced,
  memberDies,
  memberLeaves,
  memberLeavesOthers,
  memberOfDeadWriter,
  twoHeirs,
} from './group-life-programs.ts'
import {
  attachGroupWhileCreated,
  batchShared,
  claimedTried,
  group,
  memberGivesUpAlone,
  popped,
  shared,
  sharedTried,
} from './group-programs.ts'
import type { Guarantee } from './guarantees.ts'
import { words } from './programs.ts'

/** Deliberate mistakes of groups and their members. As in `mutants.ts`, none makes a data race. */

const refuted = refutedBy<Guarantee>

const step = 4
const closed = 2
const { cursor, cursorBegan, written, sinkSeat, limit } = words
const member0 = words.member(0)
const member1 = words.member(1)
const seat0 = words.memberSeat(0)
const seat1 = words.memberSeat(1)
const lockOf1 = words.groupLock(1)
const lockOf2 = words.groupLock(2)
const killed = memberDies(group(1, 2), 1, 1)

/** Mistakes in claiming, and in letting go. */
const claiming: readonly Check[] = [
  refuted(
    'ring/ends',
    'a member takes an unclaimed item for a claimed one',
    shared(group(1, 1), 1),
    mutate(
      { operation: 'load', word: cursor, thread: 'member0', nth: 2 },
      answering((position) => position + step),
    ),
  ),
  refuted(
    'ring/shares',
    'a member claims in two steps',
    claimedTried(group(1, 2), [2, 1, 1], 1),
    mutate({ operation: 'compareExchange', word: cursor }, torn),
  ),
  refuted(
    'ring/back-pressure',
    'a member does not say what it claims',
    claimedTried(group(1, 1), [2, 1], 1),
    mutate({ operation: 'exchange', word: member0, thread: 'member0', nth: 1 }, dropped),
  ),
  refuted(
    'ring/wakes',
    'a member that says again what it claims does not wake the writer',
    popped(group(2, 2), 3, [1, 1]),
    mutate({ operation: 'notify', word: member1, thread: 'member1', within: ['Member.hold'] }, dropped),
    'deadlock',
  ),
  refuted(
    'ring/back-pressure',
    'a member sees written one item further than it is',
    claimedTried(group(2, 1), [2, 1], 2),
    mutate(
      { operation: 'load', word: written, thread: 'member0', nth: 2 },
      answering((position) => position + step),
    ),
  ),
  refuted(
    'ring/wakes',
    'a member that claims does not wake the writer',
    gatedGroup(1, 'reader'),
    mutate(
      { operation: 'notify', thread: 'member0', within: ['Member.claimNext'], when: ({ word }) => word === 4 * 32 },
      dropped,
    ),
    'deadlock',
  ),
  refuted(
    'ring/publishes',
    'a member that is done does not say so',
    claimedTried(group(1, 1), [2, 1], 1),
    mutate({ operation: 'exchange', word: member0, thread: 'member0', nth: 2 }, dropped),
  ),
  refuted(
    'ring/wakes',
    'a member that is done does not wake the writer',
    popped(group(1, 1), 2, [2]),
    mutate({ operation: 'notify', word: member0, thread: 'member0' }, dropped),
    'deadlock',
  ),
  refuted(
    'ring/whole-items',
    'a member reads nothing',
    sharedTried(group(1, 1), 2),
    mutate({ operation: 'readBytes', thread: 'member0' }, dropped),
  ),
  refuted(
    'ring/whole-items',
    'a member does not read the part at the beginning of the ring',
    batchShared(group(2, 1, 1)),
    mutate({ operation: 'readBytes', thread: 'member0', nth: 2 }, dropped),
  ),
  refuted(
    'ring/ends',
    'a member takes another one that has claimed for one that is done',
    shared(group(1, 2), 1),
    mutate(
      { operation: 'load', word: member1, thread: 'member0', within: ['Member.ending'] },
      answering((position) => position | closed),
    ),
  ),
  refuted(
    'ring/ends',
    'a member that looks for the end sees the cursor one item too early',
    shared(group(1, 1), 1),
    mutate(
      { operation: 'load', word: cursor, thread: 'member0', within: ['Member.end'] },
      answering((position) => position - step),
    ),
  ),
]

/** Mistakes in coming and going. */
const comings: readonly Check[] = [
  refuted(
    'ring/handed-out-once',
    'who comes to a group does not take the seat',
    entering(group(1, 1), 2),
    mutate({ operation: 'compareExchange', word: seat0 }, dropped),
  ),
  refuted(
    'ring/wakes',
    'who comes to a group does not unlock it',
    entering(group(1, 1), 2),
    mutate({ operation: 'exchange', word: lockOf1 }, dropped),
    'deadlock',
  ),
  refuted(
    'ring/leaves',
    'who comes to a group does not lock it',
    groupBegunAnew(group(1, 2), 1),
    mutate({ operation: 'compareExchange', word: lockOf2, thread: 'heir' }, dropped),
  ),
  refuted(
    'ring/shares',
    'who comes to a group that waits begins it anew, as if it were closed',
    claimedTried(group(1, 1), [2, 1], 1),
    mutate(
      { operation: 'load', word: cursor, thread: 'member0', nth: 1 },
      answering((position) => position | closed),
    ),
  ),
  refuted(
    'ring/shares',
    'who comes to a group that waits begins it anew, as if somebody else were about to',
    claimedTried(group(1, 1), [2, 1], 1),
    mutate(
      { operation: 'load', word: cursorBegan, thread: 'member0' },
      answering(() => 1),
    ),
  ),
  refuted(
    'ring/leaves',
    'who leaves a group does not lock it',
    groupBegunAnew(group(1, 2), 1),
    mutate({ operation: 'compareExchange', word: lockOf2, thread: 'member0', nth: 2 }, dropped),
  ),
  refuted(
    'ring/leaves',
    'who leaves others keeps the seat',
    memberLeavesOthers(group(1, 2), 2),
    mutate({ operation: 'store', word: seat1, thread: 'member1' }, dropped),
  ),
  refuted(
    'ring/leaves',
    'who leaves a group does not unlock it',
    groupBegunAnew(group(1, 1), 1),
    mutate({ operation: 'exchange', word: lockOf1, thread: 'member0', nth: 2 }, dropped),
    'deadlock',
  ),
  refuted(
    'ring/leaves',
    'the last one leaves the cursor open',
    memberLeaves(group(1, 1), 2, 0),
    mutate({ operation: 'exchange', word: cursor, thread: 'member0' }, dropped),
    'deadlock',
  ),
  refuted(
    'ring/wakes',
    'the last one leaves, and does not wake the writer',
    memberLeaves(group(1, 1), 2, 0),
    mutate({ operation: 'notify', word: cursor, thread: 'member0' }, dropped),
    'deadlock',
  ),
  refuted(
    'ring/leaves',
    'the last one leaves, and keeps the seat',
    groupBegunAnew(group(1, 1), 1),
    mutate({ operation: 'store', word: seat0, thread: 'member0' }, dropped),
  ),
  refuted(
    'ring/attended',
    'the last one leaves, and says that one item more was attended to',
    behindGroupLeft(2),
    mutate(
      { operation: 'load', word: 4 * 32, thread: 'member0', within: ['Group.clear'] },
      answering((position) => position + step),
    ),
  ),
]

/** Mistakes about the dead. */
const deaths: readonly Check[] = [
  refuted(
    'ring/survives-member',
    'a member takes the seat of a dead one for free',
    killed,
    mutate(
      { operation: 'load', word: seat0, thread: 'member1', within: ['Group.replace'] },
      answering(() => 0),
    ),
  ),
  refuted(
    'ring/survives-member',
    'a member takes a dead one for living',
    killed,
    mutate(
      { operation: 'alive', thread: 'member1', within: ['Group.replace'] },
      answering(() => true),
    ),
  ),
  refuted(
    'ring/shares',
    'who goes on in the place of a dead member does not say so',
    twoHeirs(),
    mutate({ operation: 'compareExchange', within: ['Group.replace'] }, dropped),
  ),
  refuted(
    'ring/survives-member',
    'who goes on in the place of a dead member finds nothing there',
    killed,
    mutate(
      { operation: 'load', word: member0, thread: 'member1', within: ['Member.adopt'] },
      answering((position) => position | closed),
    ),
  ),
  refuted(
    'ring/survives-member',
    'a member does not say where its claim ends',
    killed,
    mutate({ operation: 'store', word: words.end(0), thread: 'member0' }, dropped),
  ),
  refuted(
    'ring/survives-member',
    'a claim of a dead member ends where it begins',
    killed,
    mutate(
      { operation: 'load', word: words.end(0), thread: 'member1' },
      answering((end) => end - step),
    ),
  ),
  refuted(
    'ring/survives-member',
    'what a dead member claimed seems to be gone',
    killed,
    mutate(
      { operation: 'or', word: limit, thread: 'member1' },
      answering((position) => position + step),
    ),
  ),
  refuted(
    'ring/survives-member',
    'what a dead member may have claimed is taken, also if it is gone',
    claimsOfDead(group(1, 2)),
    mutate(
      { operation: 'or', word: limit, thread: 'member1', within: ['Member.adopt'] },
      answering((position) => position - step),
    ),
  ),
  refuted(
    'ring/survives-member',
    'what a dead member claimed seems to be unclaimed',
    killed,
    mutate(
      { operation: 'load', word: cursor, thread: 'member1', within: ['Member.adopt'] },
      answering((position) => position - step),
    ),
  ),
  refuted(
    'ring/survives-member',
    'who is done with what a dead one claimed keeps its seat',
    killed,
    mutate({ operation: 'store', word: seat0, thread: 'member1' }, dropped),
  ),
  refuted(
    'ring/survives-member',
    'the writer lets go of a group without its lock',
    groupReplaced(group(1, 1), 2, 0),
    mutate({ operation: 'compareExchange', word: lockOf1, thread: 'writer' }, dropped),
  ),
  refuted(
    'ring/survives-member',
    'the writer does not unlock a group that it let go of',
    groupReplaced(group(1, 1), 2, 0),
    mutate({ operation: 'exchange', word: lockOf1, thread: 'writer' }, dropped),
    'livelock',
  ),
  refuted(
    'ring/survives-member',
    'the writer takes a dead member for living',
    groupDies(group(1, 1), 2),
    mutate(
      { operation: 'alive', thread: 'writer', within: ['Group.letGo'] },
      answering(() => true),
    ),
  ),
  refuted(
    'ring/survives-writer',
    'a member takes a living writer for dead',
    memberOfDeadWriter(group(2, 1), 2),
    mutate(
      { operation: 'alive', thread: 'member0', within: ['Member.isAbandoned'] },
      answering(() => false),
    ),
  ),
  refuted(
    'ring/survives-writer',
    'a member takes the sink for free',
    memberOfDeadWriter(group(2, 1), 2),
    mutate(
      { operation: 'load', word: sinkSeat, thread: 'member0', within: ['Member.isAbandoned'] },
      answering(() => 0),
    ),
  ),
]

/** Mistakes of those who stand behind a group. */
const gates: readonly Check[] = [
  refuted(
    'ring/gated',
    'a reader behind a group does not see what a member has claimed',
    behindGroupTried(1, 1),
    mutate(
      { operation: 'load', word: 5 * 32, thread: 'reader0' },
      answering((position) => position | closed),
    ),
  ),
  refuted(
    'ring/attended',
    'a reader behind a group does not see that it was cleared meanwhile',
    behindClaimLeft(),
    mutate({ operation: 'load', word: 4 * 32, thread: 'reader0', within: ['Gates.look'] }, stale),
  ),
  refuted(
    'ring/attended',
    'a member takes a later beginner ahead for one that was there from the first item on',
    groupBehindLeft(),
    mutate(
      { operation: 'load', word: words.began(0), thread: 'member0' },
      answering(() => 0),
    ),
  ),
]

const lockMagic = lockOf2 - 32

/** Mistakes in creating a group, and in finding it. */
const creating: readonly Check[] = [
  ...(['groups', 'members'] as const).flatMap((name) => [
    refuted(
      'ring/attaches',
      `create does not write the ${name}`,
      attachGroupWhileCreated(),
      mutate({ operation: 'write', word: words[name], thread: 'creator' }, dropped),
    ),
  ]),
  ...[
    ['where a group is', cursor],
    ['where a group began', cursorBegan],
    ['that a member has claimed nothing', member0],
    ['that the seat of a member is free', seat1],
  ].map(([what, word]) =>
    refuted(
      'ring/attaches',
      `create does not write ${what}`,
      attachGroupWhileCreated(),
      mutate({ operation: 'write', word: word as number, thread: 'creator' }, dropped),
    ),
  ),
  refuted(
    'ring/attaches',
    'create does not write that nobody has the lock of a group',
    attachGroupWhileCreated(),
    mutate({ operation: 'write', word: lockOf2, thread: 'creator' }, dropped),
    'deadlock',
  ),
  refuted(
    'ring/attaches',
    'attach does not see the lock of a group',
    attachGroupWhileCreated(),
    mutate(
      { operation: 'load', word: lockMagic, thread: 'joiner' },
      answering(() => 0),
    ),
  ),
]

const sleeping: Sleeping = {
  structure: 'ring',
  what: 'what a member waits for',
  word: written,
  blocking: popped(group(1, 1), 1, [1]),
  sleeper: 'member0',
  waker: 'writer',
  timing: memberGivesUpAlone(),
  timed: 'alone',
  deadlineNow: 2,
  timedWait: 1,
  spinning: popped(group(1, 1), 1, [1], 1),
  spinner: 'member0',
  spinLoad: 2,
}

/** Every mistake that must be refuted. */
export const groupMutants: readonly Check[] = [
  ...claiming,
  ...comings,
  ...deaths,
  ...gates,
  ...creating,
  ...sleepingMutants(sleeping),
]

/** Places where no mistake shows. The checks hold. */
export const groupEquivalents: readonly Equivalent[] = spinningEquivalents(sleeping)
