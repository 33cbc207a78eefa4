import type { Check } from '../../checker/check.ts'
import { type Counted, enumerated, enumeratedOnce, formula } from '../counted.ts'
import { asItIs, dying, once, thrice, twice, two } from './article.ts'
import { mutants } from './mutants.ts'
import { summing } from './programs.ts'

/** Programs that hold, smallest first. */
export const counted: readonly Counted[] = [
  enumerated(2, thrice),

  // One sender that publishes m values: the receiver may look at any of the states 0 to m before it finds that the sender has
  // left, and looking again at one of them is spinning. 2^(m + 1) sets of states.
  ...[1, 2, 3, 4].map((m) => formula(`2^(m + 1), m = ${m}`, 2 ** (m + 1), summing({ senders: 1, messages: m }))),
  // The sender may also die after c values, for c from 0 to m. The receiver has then looked at some set of the states 0 to c,
  // and in its next look, after which it learns of the death, at one that is not before them: 2^(c + 2) - 2 ways.
  ...[1, 2, 3].map((m) =>
    formula(`5 * 2^(m + 1) - 2m - 6, m = ${m}`, 5 * 2 ** (m + 1) - 2 * m - 6, summing({ senders: 1, messages: m }, 1)),
  ),
  enumerated(44, summing({ senders: 2, messages: 1 })),
  enumerated(256, summing({ senders: 2, messages: 1 }, 1)),
  enumerated(420, summing({ senders: 2, messages: 1 }, 2)),
  enumeratedOnce(408, summing({ senders: 2, messages: 2 })),
  enumeratedOnce(2748, summing({ senders: 2, messages: 2 }, 1)),
  enumeratedOnce(4986, summing({ senders: 2, messages: 2 }, 2)),
  enumeratedOnce(1044, summing({ senders: 3, messages: 1 })),
]

const broken: readonly Check[] = [asItIs, once, twice, two].map((program) => ({ program, expect: { verdict: 'refuted' } }))

/** All checks: the protocol of the article and its repairs, then ours: programs that hold, and mistakes that are refuted. */
export const checks: readonly Check[] = [
  ...broken,
  { program: dying, expect: { verdict: 'refuted', failure: 'livelock' } },
  ...counted.map(({ program, executions }): Check => ({ program, expect: { verdict: 'holds', executions } })),
  ...mutants,
]
