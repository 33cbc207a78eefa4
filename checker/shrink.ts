import type { Thread } from '../model/history.ts'
import { Machine } from '../model/machine.ts'
import type { Program } from '../model/program.ts'
import { isKill, isSpurious, killOf, spuriousOf } from '../model/step.ts'
import { judgeOf } from './history-judge.ts'
import { type Path, stepsOf } from './path.ts'
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
  const start: State = { machine: new Machine(threads, initial), last: undefined, path: undefined }
  // Faults are tried only if the failure that is known has any.
  const steps = threads.map((_, thread) => thread)
  if (schedule.some(isKill)) steps.push(...threads.map((_, thread) => killOf(thread)))
  if (schedule.some(isSpurious)) steps.push(...threads.map((_, thread) => spuriousOf(thread)))
  /** States to look at, by how many switches lead to them. */
  let level: State[] = [start]
  const seen = new Set<string>()
  for (let count = 0; count < most && level.length > 0; count++) {
    const later: State[] = []
    for (let state = level.pop(); state !== undefined; state = level.pop()) {
      const history = program.history === undefined ? '' : judgeOf(program.history).keyOf(state.machine)
      const key = `${state.last}|${history}|${state.machine.key(races)}`
      if (seen.has(key)) continue
      seen.add(key)
      if (seen.size > budget) return schedule
      const found = judgeState(program, state.machine) ?? (canMove(state.machine) ? undefined : judgeEnd(program, state.machine))
      if (found !== undefined) {
        if (found.kind === target.kind && found.guarantee === target.guarantee) return stepsOf(state.path)
        continue
      }
      const able = steps.filter((step) => state.machine.canStep(step) && !state.machine.wouldPark(step))
      for (const step of able) {
        // Nobody needs the machine behind the last one.
        const machine = step === able.at(-1) ? state.machine : state.machine.copy()
        machine.step(step)
        const next = { machine, last: step, path: { step, before: state.path } }
        if (state.last === undefined || state.last === step) level.push(next)
        else later.push(next)
      }
    }
    level = later
  }
  return schedule
}

interface State {
  readonly machine: Machine
  readonly last: number | undefined
  readonly path: Path | undefined
}

function canMove(machine: Machine): boolean {
  return machine.threads.some((_, thread) => machine.canStep(thread) && !machine.wouldPark(thread))
}
