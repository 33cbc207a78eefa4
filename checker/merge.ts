import { conclude, type Outline } from './conclude.ts'
import type { Doubt } from './coordinator.ts'
import type { Failure, Report } from './report.ts'
import { sum, type Tally } from './tally.ts'

/** What one shard found of a program. */
export interface ShardFindings {
  readonly outline: Outline
  /** What was found in each of its pieces, in their order; the last one is where it failed, if it did. */
  readonly pieces: readonly Piece[]
  /** Each `sometimes` that failed in it, and counts if no piece before was a witness. */
  readonly doubts?: readonly Doubt[]
  readonly report: Report
}

interface Piece {
  readonly piece: number
  readonly tally: Tally
}

/** Something wrong, and what was found in its piece until then. */
interface Wrong extends Piece {
  readonly failure: Failure
  readonly sometimes?: string
}

/**
 * The report on a program of which each shard has explored its part. The failure is the first in the order of the pieces, and
 * what was found behind it counts for nothing: as if nobody had looked there.
 */
export function mergeShards(shards: readonly ShardFindings[]): Report {
  const pieces = shards.flatMap(({ pieces }) => pieces)
  const before = (last: number): Tally[] => pieces.filter(({ piece }) => piece < last).map(({ tally }) => tally)
  // Of one piece, what was passed over comes before what was not.
  const first = shards
    .flatMap((shard): Wrong[] => [...(shard.doubts ?? []), ...failureOf(shard)])
    .sort((a, b) => a.piece - b.piece)
    .find(({ sometimes, piece }) => sometimes === undefined || !sum(before(piece)).witnessed.includes(sometimes))
  const late = shards.some(({ report }) => report.bound === 'seconds')
  return conclude(shards[0].outline, {
    tally: sum(first === undefined ? pieces.map(({ tally }) => tally) : [...before(first.piece), first.tally]),
    seconds: shards.reduce((all, { report }) => all + report.seconds, 0),
    failure: first?.failure,
    bound: late ? 'seconds' : undefined,
  })
}

function failureOf({ report: { failure }, pieces }: ShardFindings): Wrong[] {
  return failure === undefined ? [] : [{ ...pieces[pieces.length - 1], failure }]
}
