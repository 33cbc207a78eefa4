/** What was found in a part of a search tree: plain data, and parts add up to the whole, whoever explored them. */
export interface Tally {
  readonly executions: number
  readonly blocked: number
  readonly discarded: number
  /** Estimated share of the whole tree. */
  readonly share: number
  /** Whether some thread did as many operations as it may. */
  readonly cut: boolean
  /** Which `sometimes` had a witness. */
  readonly witnessed: readonly string[]
  /** The distinct outcomes, if they are wanted. */
  readonly outcomes?: readonly string[]
  /** What the distinct recoveries after a crash saw, if there are crashes. */
  readonly recoveries?: readonly string[]
}

/** What is found in nothing. */
export const emptyTally: Tally = { executions: 0, blocked: 0, discarded: 0, share: 0, cut: false, witnessed: [] }

/** What is found in several parts together. */
export function sum(parts: Iterable<Tally>): Tally {
  let { executions, blocked, discarded, share, cut } = emptyTally
  const witnessed = new Set<string>()
  let outcomes: Set<string> | undefined
  let recoveries: Set<string> | undefined
  for (const part of parts) {
    executions += part.executions
    blocked += part.blocked
    discarded += part.discarded
    share += part.share
    cut ||= part.cut
    for (const name of part.witnessed) witnessed.add(name)
    if (part.outcomes !== undefined) outcomes = new Set([...(outcomes ?? []), ...part.outcomes])
    if (part.recoveries !== undefined) recoveries = new Set([...(recoveries ?? []), ...part.recoveries])
  }
  return {
    executions,
    blocked,
    discarded,
    share,
    cut,
    witnessed: [...witnessed],
    ...(outcomes === undefined ? {} : { outcomes: [...outcomes] }),
    ...(recoveries === undefined ? {} : { recoveries: [...recoveries] }),
  }
}
