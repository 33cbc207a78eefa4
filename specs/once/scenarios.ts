import { role, type ScenarioBounds, type Subject } from '../../checker/scenario.ts'
import type { Memory } from '../../core/memory.ts'
import { Once } from '../../core/once.ts'
import { type Outcome, sequential } from '../../model/sequential.ts'
import { AnonymousMemory } from '../memories.ts'

/**
 * What a once does when its operations come one after the other, and the once as scenarios use it. Each body writes a number of
 * its own; what is there after `run` is the result.
 */

const numberAt = Once.words()

/** The number that was written, and how often a body threw before. */
interface Work {
  readonly number?: number
  readonly failures: number
}

function run(work: Work, number: number): Outcome<Work> {
  if (work.number !== undefined) return { state: work, result: ['done', work.number] }
  return { state: { ...work, number }, result: [work.failures === 0 ? 'ran' : 'ran again', number] }
}

const specification = sequential<Work>({
  initial: { failures: 0 },
  operations: {
    run,
    // While another one is at it: nothing has come of that yet.
    tryRun: (work, number: number) =>
      work.number === undefined ? [run(work, number), { state: work, result: ['busy'] }] : run(work, number),
    runAndThrow: (work) =>
      work.number === undefined
        ? { state: { failures: work.failures + 1 }, result: ['threw'] }
        : { state: work, result: ['done', work.number] },
    isDone: (work) => ({ state: work, result: work.number !== undefined }),
  },
})

interface User {
  readonly once: Once
  readonly memory: Memory
}

function running(how: 'run' | 'tryRun', throws = false) {
  return ({ once, memory }: User, number: number): readonly unknown[] => {
    let ran = 'ran'
    try {
      const result = once[how]((again) => {
        if (again) ran = 'ran again'
        if (throws) throw new RangeError('half-way')
        memory.write(numberAt, number)
      })
      if (result === 'busy') return ['busy']
      return [result === 'ran' ? ran : result, memory.read(numberAt)]
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      return ['threw']
    }
  }
}

const operations = {
  run: { call: running('run'), arguments: 'numbered' },
  tryRun: { call: running('tryRun'), arguments: 'numbered' },
  runAndThrow: { call: running('run', true), arguments: 'numbered' },
  isDone: { call: ({ once }: User) => once.isDone() },
} as const

function once(name: string, chosen: readonly (keyof typeof operations)[]): Subject {
  return {
    name: `once/${name}`,
    words: numberAt + 1,
    setup: (memory) => void Once.create(memory),
    history: { specification },
    roles: {
      user: role<User>({
        attach: (memory) => ({ memory, once: Once.attach(new AnonymousMemory(memory), 0, { spins: 0 }) }),
        operations: Object.fromEntries(chosen.map((key) => [key, operations[key]])),
      }),
    },
  }
}

/** The once in all the ways in which scenarios use it, and how large they are to be. */
export const subjects: readonly (readonly [Subject, ScenarioBounds])[] = [
  [once('runs', ['run', 'isDone']), { threads: 3, operations: 2, total: 4 }],
  [once('tries', ['tryRun', 'isDone']), { threads: 3, operations: 2, total: 4 }],
  [once('throws', ['run', 'runAndThrow']), { threads: 3, operations: 1 }],
]
