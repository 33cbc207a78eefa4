import { role, type ScenarioBounds, type Subject } from '../../checker/scenario.ts'
import { Event } from '../../core/event.ts'
import { sequential } from '../../model/sequential.ts'
import { AnonymousMemory } from '../memories.ts'

/** What an event does when its operations come one after the other, and the event as scenarios use it. */

const specification = sequential<boolean>({
  initial: false,
  operations: {
    set: (isSet) => ({ state: true, result: !isSet }),
    reset: (isSet) => ({ state: false, result: isSet }),
    isSet: (isSet) => ({ state: isSet, result: isSet }),
    wait: (isSet) => (isSet ? { state: isSet, result: true } : []),
    waitOrGiveUp: (isSet) => ({ state: isSet, result: isSet }),
  },
})

const operations = {
  set: { call: (event: Event) => event.set() },
  reset: { call: (event: Event) => event.reset() },
  isSet: { call: (event: Event) => event.isSet() },
  wait: { call: (event: Event) => event.wait() },
  waitOrGiveUp: { call: (event: Event) => event.wait(5) },
} as const

function event(name: string, chosen: readonly (keyof typeof operations)[]): Subject {
  return {
    name: `event/${name}`,
    words: Event.words(),
    setup: (memory) => void Event.create(memory),
    history: { specification, mayWait: true },
    roles: {
      user: role<Event>({
        attach: (memory) => Event.attach(new AnonymousMemory(memory), 0, { spins: 0 }),
        operations: Object.fromEntries(chosen.map((key) => [key, operations[key]])),
      }),
    },
  }
}

/** The event in all the ways in which scenarios use it, and how large they are to be. */
export const subjects: readonly (readonly [Subject, ScenarioBounds])[] = [
  [event('looks', ['set', 'reset', 'isSet']), { threads: 3, operations: 2, total: 4 }],
  [event('waits', ['set', 'reset', 'wait']), { threads: 3, operations: 2, total: 4 }],
  [event('gives-up', ['set', 'reset', 'waitOrGiveUp']), { threads: 2, operations: 2 }],
]
