/** The steps that lead to a state, the last one first, so that states that begin alike share them. */
export interface Path {
  readonly step: number
  readonly before: Path | undefined
}

export function stepsOf(path: Path | undefined): number[] {
  const steps: number[] = []
  for (let at = path; at !== undefined; at = at.before) steps.push(at.step)
  return steps.reverse()
}
