import type { Check } from '../../checker/check.ts'
import { recordWords } from '../../core/record.ts'
import { type Counted, enumerated, enumeratedOnce } from '../counted.ts'
import { preparing, preparingLate } from './ahead-programs.ts'
import {
  acknowledging,
  appending,
  creating,
  recovering,
  recoveringTwice,
  reopening,
  resurrecting,
  syncing,
  wipingAway,
  wipingHalf,
} from './crash-programs.ts'
import { appendingBeside, appendingTogether, passing, syncingBeside, syncingTogether } from './crash-together-programs.ts'
import { dropperDies, droppingCrashed, droppingMeanwhile, peekingConsumerDies } from './drop-programs.ts'
import { endedByPower } from './ended.ts'
import { equivalents, mutants } from './mutants.ts'
import { placeMutants } from './place-mutants.ts'
import {
  cancels,
  consumerDies,
  dying,
  dyingTogether,
  ending,
  fullAndEmpty,
  handsOver,
  limitedMeanwhile,
  madeAtOnce,
  memberDies,
  openedAtOnce,
  rollsMeanwhile,
  sending,
  twoConsumers,
} from './programs.ts'
import { reusing, reusingCrashed } from './reuse.ts'
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
  returning,
  rollFails,
  saidByHeir,
  scribbledOver,
  wiping,
} from './solo-programs.ts'

import { wrapping, wrappingCrashed } from './wrap-programs.ts'

/** Programs that hold, with their numbers of executions. */
export const counted: readonly Counted[] = [
  enumerated(2, sending(1, 1)),
  enumerated(4, sending(1, 2)),
  enumerated(2, sending(1, 1, { ahead: true })),
  enumerated(6, twoConsumers()),
  enumerated(3, cancels()),
  enumerated(19, ending(1, 1)),
  enumerated(6, appendingTogether({ crash: 'kill', before: 0 })),
  enumeratedOnce(30, passing('power')),
  enumeratedOnce(74, appendingBeside({ crash: 'power', before: 0 })),
  enumeratedOnce(4, sending(1, 2, { ahead: true })),
  enumeratedOnce(156, preparing(0)),
  enumerated(80, sending(1, 3)),
  enumeratedOnce(80, sending(1, 3, { ahead: true })),
  enumeratedOnce(96, sending(2, 1)),
]

/** Just below the greatest number of a word with a sign, of one without, and of a word that has two bits for something else. */
const wraps = [
  { segment: 2 ** 31 - 2, sequence: 2 ** 31 - 3 },
  { segment: 2 ** 31 - 1, sequence: 2 ** 32 - 3 },
  { segment: 1, sequence: 2 ** 30 - 3 },
]

/** Programs of one thread: there is one execution. */
const alone = [
  limited({ items: 3 }, 2, [3, 3]),
  limited({ bytes: 12 * recordWords(4) }, 2, [3, 3, 3]),
  limited({ segments: 2 }, 3, [4, 3]),
  dropping('drop-newest'),
  dropping('drop-oldest'),
  droppingUnseen(),
  saidByHeir(),
  retiring(),
  retiringForgotten(),
  scribbledOver(),
  returning(),
  beheaded(),
  madeMeanwhile(1),
  madeMeanwhile(2),
  madeMeanwhile('named'),
  wiping(),
  diskFails(),
  diskForgets(),
  rollFails(),
  givingUp(),
  failingTwice(),
  leftBehind(),
  flushingInTime(),
  goingRound(),
  madeAhead(),
  longItems(),
]

/** Programs that hold, whose executions nobody has counted by other means. */
const uncounted = [
  sending(1, 3, { batch: true }),
  dying(1, 1),
  dying(1, 3),
  dyingTogether(1),
  dyingTogether(2),
  fullAndEmpty(2),
  rollsMeanwhile(),
  limitedMeanwhile(),
  handsOver(),
  memberDies(),
  consumerDies(),
  dropperDies(),
  peekingConsumerDies(),
  droppingMeanwhile(1),
  droppingMeanwhile(2),
  droppingCrashed('kill'),
  droppingCrashed('power'),
  openedAtOnce(),
  madeAtOnce(),
  creating('kill'),
  creating('power'),
  wipingAway('kill'),
  wipingAway('power'),
  wipingHalf('kill'),
  wipingHalf('power'),
  reopening('kill'),
  reopening('power'),
  syncing('power'),
  appending('kill', 1, false),
  appending('kill', 3, false),
  appending('power', 1, false),
  appending('power', 1, true),
  appending('power', 2, false),
  appending('power', 1, false, 2),
  appending('power', 1, true, 2),
  appending('kill', 3, false, 0, true),
  appending('power', 1, false, 0, true),
  appending('power', 1, false, 2, true),
  acknowledging('kill', 3, false),
  acknowledging('power', 1, true),
  acknowledging('power', 3, false),
  acknowledging('power', 2, false, 1),
  acknowledging('power', 3, true),
  appendingTogether({ crash: 'kill', before: 1, kill: true }),
  appendingTogether({ crash: 'power', before: 1, kill: true }),
  appendingBeside({ crash: 'kill', before: 0, kill: true }),
  syncingTogether({ crash: 'kill', before: 0, kill: true }),
  syncingBeside({ crash: 'power', before: 0 }),
  passing('kill', true),
  recovering(1),
  recovering(3),
  recoveringTwice(),
  resurrecting(false),
  resurrecting(true),
  endedByPower(),
  preparing(1),
  preparingLate(),
  reusing(),
  reusingCrashed('kill'),
  reusingCrashed('power'),
  wrappingCrashed({ segment: 2 ** 31 - 1, sequence: 2 ** 32 - 1 }),
  wrappingCrashed({ segment: 1, sequence: 2 ** 31 - 2 }),
]

/** All checks: programs that hold, and mistakes that are refuted. */
export const checks: readonly Check[] = [
  ...counted.map(({ program, executions }): Check => ({ program, expect: { verdict: 'holds', executions } })),
  ...alone.map((program): Check => ({ program, expect: { verdict: 'holds', executions: 1 } })),
  ...wraps.map(
    (begun): Check => ({ program: wrapping(begun), expect: { verdict: 'holds', executions: 1 }, bounds: { events: 5000 } }),
  ),
  ...uncounted.map((program): Check => ({ program, expect: { verdict: 'holds' } })),
  ...mutants,
  ...placeMutants,
  ...equivalents.map(({ check }) => check),
]
