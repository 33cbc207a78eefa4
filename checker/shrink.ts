import type { Thread } from '../model/history.ts'
import { Machine } from '../model/machine.ts'
import type { Program } from '../model/program.ts'
import { type Finding, judgeEnd, judgeState } from './run.ts'
import { switches } from './schedule.ts'

/**
 * The same failure with the fewest context switches: a search over states, those with fewer switches first. Two ways into
 * the same state are one. Gives up, and keeps the schedule it was given, after `budget` states.
 */
export function shrink(
  program: Program,
  threads: readonly Thread[],
  initial: Int32Array,
  schedule: readonly number[],
  target: Finding,
  budget = 20_000,
): readonly number[] {
  if (target.kind === 'non-determinism') return schedule
  const races = target.kind === 'data-race'
  const most = switches(schedule)
  const start: State = { machine: new Machine(threads, initial), last: -1, steps: undefined }
  /** States to look at, by how many switches lead to them. */
  let level: State[] = [start]
  const seen = new Set<string>()
  for (let count = 0; count < most && level.length > 0; count++) {
    const later: State[] = []
    for (let state = level.pop(); state !== undefined; state = level.pop()) {
      const key = `${state.last}|${state.machine.key(races)}`
      if (seen.has(key)) continue
      seen.add(key)
      if (seen.size > budget) return schedule
      const found = judgeState(program, state.machine) ?? (canMove(state.machine) ? undefined : judgeEnd(program, state.machine))
      if (found !== undefined) {
        if (found.kind === target.kind && found.guarantee === target.guarantee) return stepsOf(state)
        continue
      }
      for (let thread = 0; thread < threads.length; thread++) {
        if (!state.machine.canStep(thread) || state.machine.wouldPark(thread)) continue
        const machine = state.machine.copy()
        machine.step(thread)
        const next = { machine, last: thread, steps: { thread, earlier: state.steps } }
        if (state.last < 0 || state.last === thread) level.push(next)
        else later.push(next)
      }
    }
    level = later
  }
  return schedule
}

interface Steps {
  readonly thread: number
  readonly earlier: Steps | undefined
}

interface State {
  readonly machine: Machine
  readonly last: number
  readonly steps: Steps | undefined
}

function canMove(machine: Machine): boolean {
  return machine.threads.some((_, thread) => machine.canStep(thread) && !machine.wouldPark(thread))
}

function stepsOf(state: State): number[] {
  const steps: number[] = []
  for (let at = state.steps; at !== undefined; at = at.earlier) steps.push(at.thread)
  return steps.reverse()
}
