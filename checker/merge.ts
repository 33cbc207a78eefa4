import { conclude, type Outline } from './conclude.ts'
import type { Report } from './report.ts'
import { sum, type Tally } from './tally.ts'

/** What one shard found of a program. */
export interface ShardFindings {
  readonly outline: Outline
  /** What was found in each of its pieces, in their order; the last one is where it failed, if it did. */
  readonly pieces: readonly { readonly piece: number; readonly tally: Tally }[]
  readonly report: Report
}

/**
 * The report on a program of which each shard has explored its part. The failure is the first in the order of the pieces, and
 * what was found behind it counts for nothing: as if nobody had looked there.
 */
export function mergeShards(shards: readonly ShardFindings[]): Report {
  const failed = shards
    .filter(({ report }) => report.failure !== undefined)
    .map(({ report, pieces }) => ({ failure: report.failure, piece: pieces[pieces.length - 1].piece }))
    .sort((a, b) => a.piece - b.piece)
  const [first] = failed
  const last = first?.piece ?? Number.POSITIVE_INFINITY
  const tallies = shards.flatMap(({ pieces }) => pieces.filter(({ piece }) => piece <= last).map(({ tally }) => tally))
  const late = shards.some(({ report }) => report.bound === 'seconds')
  return conclude(shards[0].outline, {
    tally: sum(tallies),
    seconds: shards.reduce((all, { report }) => all + report.seconds, 0),
    failure: first?.failure,
    bound: late ? 'seconds' : undefined,
  })
}
