import { role, type ScenarioBounds, type Subject } from '../../checker/scenario.ts'
import { WorkRing } from '../../core/work-ring.ts'
import { AnonymousMemory } from '../memories.ts'
import { itemBytes, itemOf } from '../ring/programs.ts'
import { belowSignChange, belowWrap, queueOf, type Shape } from './programs.ts'

/** The work ring as scenarios use it: whoever shares it pushes, pops and closes, and it is a plain queue. */

const giveUpMs = 5

function pops(pop: (target: Uint8Array) => boolean): number | string | false {
  const target = new Uint8Array(itemBytes)
  if (!pop(target)) return false
  const n = target[0] as number
  return target.join() === itemOf(n).join() ? n : `the bytes ${target.join(' ')}`
}

const operations = {
  tryPush: { call: (ring: WorkRing, item: number) => ring.tryPush(itemOf(item)), arguments: 'numbered' },
  push: { call: (ring: WorkRing, item: number) => ring.push(itemOf(item)), arguments: 'numbered' },
  pushOrGiveUp: { call: (ring: WorkRing, item: number) => ring.push(itemOf(item), giveUpMs), arguments: 'numbered' },
  tryPop: { call: (ring: WorkRing) => pops((target) => ring.tryPop(target)) },
  pop: { call: (ring: WorkRing) => pops((target) => ring.pop(target)) },
  popOrGiveUp: { call: (ring: WorkRing) => pops((target) => ring.pop(target, giveUpMs)) },
  close: { call: (ring: WorkRing) => ring.close() },
} as const

function workRing(name: string, shape: Shape, chosen: readonly (keyof typeof operations)[]): Subject {
  const options = { seats: 1, ...shape, itemBytes }
  const queue = queueOf(shape)
  const { tryPush, tryPop } = queue.operations
  return {
    name: `work-ring/${name}`,
    words: WorkRing.words(options),
    setup: (memory) => void WorkRing.create(memory, options),
    history: {
      // Who gives up does so only when there is nothing to do.
      specification: { ...queue, operations: { ...queue.operations, pushOrGiveUp: tryPush, popOrGiveUp: tryPop } },
      mayWait: true,
    },
    roles: {
      user: role<WorkRing>({
        attach: (memory) => WorkRing.attach(new AnonymousMemory(memory), 0, { spins: 0 }),
        operations: Object.fromEntries(chosen.map((key) => [key, operations[key]])),
      }),
    },
  }
}

/** The work ring in all the ways in which scenarios use it, and how large they are to be. */
export const subjects: readonly (readonly [Subject, ScenarioBounds])[] = [
  [workRing('tries', { capacity: 1 }, ['tryPush', 'tryPop']), { threads: 2, operations: 2 }],
  [workRing('tries-together', { capacity: 2 }, ['tryPush', 'tryPop']), { threads: 3, operations: 1 }],
  [workRing('wrap', { capacity: 1, start: belowWrap }, ['tryPush', 'tryPop']), { threads: 2, operations: 2 }],
  [workRing('sign-change', { capacity: 1, start: belowSignChange }, ['tryPush', 'tryPop']), { threads: 2, operations: 2 }],
  [workRing('waits', { capacity: 1 }, ['push', 'pop']), { threads: 2, operations: 2 }],
  [workRing('waits-together', { capacity: 1 }, ['push', 'pop']), { threads: 3, operations: 1 }],
  [workRing('gives-up', { capacity: 1 }, ['pushOrGiveUp', 'popOrGiveUp']), { threads: 2, operations: 2 }],
  [workRing('closes', { capacity: 1 }, ['push', 'pop', 'close']), { threads: 2, operations: 2 }],
  [workRing('closes-together', { capacity: 1 }, ['push', 'pop', 'close']), { threads: 3, operations: 1 }],
]
