import { guarantee } from '../../checker/guarantee.ts'
import { Event } from '../../core/event.ts'
import { lineWords } from '../../core/layout.ts'
import type { Memory } from '../../core/memory.ts'
import { type Program, program } from '../../model/program.ts'
import type { Creation } from '../creation.ts'
import { AnonymousMemory, type Calls, CountingMemory, everyNotifyWasAskedFor, SlicedMemory, WitnessMemory } from '../memories.ts'
import type { Guarantee } from './guarantees.ts'

/** Small programs around an event. Each thread attaches by itself. */

/** Where the words are: the event at word 0, and then those of the program. */
export const words: { readonly changes: number; readonly item: number } = { changes: lineWords, item: Event.words() }

/** Words just below the places where the count wraps, and where the word changes its sign. In both it is not set. */
export const belowWrap = -4
export const belowSignChange: number = 2 ** 31 - 4

/** What a thread returns: what its calls answered. */
export interface Share extends Calls {
  readonly answers: readonly boolean[]
}

type Shares = Record<string, Share>
type Body = (memory: Memory) => Share

/** In a program that crosses a wrap, what goes wrong is put down to the wrap. */
function releases(start: number): Guarantee {
  return start === 0 ? 'event/releases' : 'event/wraps'
}

function base(name: string, start: number, threads: Record<string, Body>, extra: Partial<Program<Shares>> = {}): Program<Shares> {
  const { finally: alsoFinally, ...rest } = extra
  return program<Shares>({
    name: `event/${name}${start === belowWrap ? '-wrap' : start === belowSignChange ? '-sign' : ''}`,
    words: Event.words() + lineWords,
    setup: (memory) => {
      Event.create(memory)
      memory.write(words.changes, start)
    },
    threads,
    ...rest,
    finally: (memory, results) => {
      const shares = Object.keys(threads).map((thread) => results[thread])
      everyNotifyWasAskedFor('event/notifies-sleepers-only' satisfies Guarantee, shares)
      alsoFinally?.(memory, results)
    },
  })
}

function calling(calls: (event: Event, memory: Memory) => readonly boolean[], spins: 0 | 1 = 0): Body {
  return (memory) => {
    const counting = new CountingMemory(new AnonymousMemory(memory))
    return { answers: calls(Event.attach(counting, 0, { spins }), memory), ...counting.calls }
  }
}

/** Waits without a time-out, and looks for what was made before. */
function waiting(start: number, spins: 0 | 1): Body {
  return calling((event, memory) => {
    const answer = event.wait()
    guarantee('event/times-out' satisfies Guarantee, answer, 'gave up without a time-out')
    guarantee(releases(start), memory.load(words.item) === 7, 'it was not set yet')
    return [answer]
  }, spins)
}

const somebodySleeps: NonNullable<Program<Shares>['sometimes']> = {
  'somebody sleeps': (_, results) => Object.values(results).some((share) => (share?.announced ?? 0) > 0),
  'nobody sleeps': (_, results) => Object.values(results).every((share) => share?.announced === 0),
}

/** How a program differs from the plainest one of its kind. */
interface Variant {
  readonly start?: number
  readonly spins?: 0 | 1
  readonly spurious?: boolean
}

/** One thread makes something and sets the event; others wait for it. */
export function setting(waiters: 1 | 2, { start = 0, spins = 0, spurious = false }: Variant = {}): Program<Shares> {
  const threads: Record<string, Body> = {
    setter: calling((event, memory) => {
      memory.store(words.item, 7)
      return [event.set()]
    }),
  }
  for (let i = 0; i < waiters; i++) threads[`waiter${i}`] = waiting(start, spins)
  const name = `set/${waiters}w${spins === 1 ? '-spin1' : ''}${spurious ? '-spurious' : ''}`
  return base(name, start, threads, { sometimes: somebodySleeps, faults: { spurious } })
}

/** The same with plain operations: free of data races, if what the setter did is visible. */
export function settingPlainly(): Program<Shares> {
  const found = (item: number) => guarantee('event/releases' satisfies Guarantee, item === 7, `found ${item}`)
  return base('set-plain/1w', 0, {
    setter: calling((event, memory) => {
      memory.write(words.item, 7)
      return [event.set()]
    }),
    waiter: calling((event, memory) => {
      event.wait()
      found(memory.read(words.item))
      return []
    }),
    looker: calling((event, memory) => {
      const set = event.isSet()
      if (set) found(memory.read(words.item))
      return [set]
    }),
  })
}

/** Two threads set and reset it: each change is made by one of them. */
export function changing(start = 0): Program<Shares> {
  const both = calling((event) => [event.set(), event.reset()])
  return base(
    'set-reset/2t',
    start,
    { first: both, second: both },
    {
      finally: (memory, results) => {
        const answers = Object.values(results).flatMap((share) => share?.answers ?? [])
        const changes = answers.filter((answer) => answer).length
        const found = (memory.load(words.changes) - start) >> 1
        guarantee(releases(start), found === changes, `${changes} changes are claimed, ${found} were made`)
        guarantee(releases(start), !Event.attach(memory).isSet(), 'it is set after the last reset')
      },
      sometimes: {
        'both set it': (_, { first, second }) => first?.answers[0] === true && second?.answers[0] === true,
        'one finds it set': (_, { first }) => first?.answers[0] === false,
        'one finds it reset': (_, { first }) => first?.answers[1] === false,
      },
    },
  )
}

/** One thread sets it and perhaps resets it at once, and may be killed; another waits in time, and goes on if it slept by then. */
export function timesOut(variant: { pulse?: boolean; mortal?: boolean; start?: number } = {}): Program<Shares> {
  const { pulse = false, mortal = false, start = 0 } = variant
  const name = `times-out${pulse ? '-pulse' : ''}${mortal ? '-dying' : ''}`
  return base(
    name,
    start,
    {
      setter: calling((event) => (pulse ? [event.set(), event.reset()] : [event.set()])),
      waiter: (memory) => {
        const moved = (now: Memory, expected: number) => now.load(words.changes) >> 1 !== expected >> 1
        const seen = mortal ? memory : new AnonymousMemory(memory)
        const witness = new WitnessMemory(seen, start === 0 ? 'event/times-out' : ('event/wraps' satisfies Guarantee), moved)
        const event = Event.attach(witness, 0, { spins: 0 })
        const answer = witness.attempt(
          'it was set in time',
          (timeoutMs) => event.wait(timeoutMs),
          (result) => !result,
        )
        return { answers: [answer], ...witness.calls }
      },
    },
    {
      faults: { kill: mortal ? ['setter'] : [] },
      sometimes: {
        'the waiter goes on': (_, { waiter }) => waiter?.answers[0] === true,
        'the waiter gives up': (_, { waiter }) => waiter?.answers[0] === false,
        'the waiter sleeps': (_, { waiter }) => (waiter?.announced ?? 0) > 0,
      },
    },
  )
}

/** A thread that sleeps goes on when it is set, although it is reset at once; the one who does both waits until it sleeps. */
export function pulsing(start = 0): Program<Shares> {
  return base('pulse-when-asleep', start, {
    pulser: calling((event, memory) => {
      while ((memory.load(words.changes) & 1) === 0) memory.pause()
      return [event.set(), event.reset()]
    }),
    waiter: calling((event) => {
      const answer = event.wait()
      guarantee('event/times-out' satisfies Guarantee, answer, 'gave up without a time-out')
      return [answer]
    }),
  })
}

/** Nobody sets it. Everything gives up in time. */
export function givesUpAlone(): Program<Shares> {
  return base('gives-up-alone', 0, {
    alone: (memory) => {
      const witness = new WitnessMemory(new AnonymousMemory(memory), 'event/times-out' satisfies Guarantee, () => false)
      const event = Event.attach(witness, 0, { spins: 0 })
      const answers = [
        witness.attempt(
          'it was not set',
          (timeoutMs) => event.wait(timeoutMs),
          (result) => !result,
        ),
      ]
      answers.push(event.wait(0), event.isSet(), event.set(), event.wait(0), event.isSet(), event.set())
      answers.push(event.reset(), event.reset(), event.wait(-1))
      const expected = 'false,false,false,true,true,true,false,true,false,false'
      guarantee('event/times-out' satisfies Guarantee, answers.join() === expected, `returned ${answers.join()}`)
      return { answers, ...witness.calls }
    },
  })
}

/** Two threads set it, one of which may die, perhaps after it set it and before it woke anybody; a third waits. */
export function dying(): Program<Shares> {
  const sets = calling((event) => [event.set()])
  return base(
    'dying-setter',
    0,
    {
      mortal: sets,
      setter: sets,
      waiter: (memory) => {
        const event = Event.attach(new SlicedMemory(memory), 0, { spins: 0 })
        return { answers: [event.wait()], announced: 1, notified: 0 }
      },
    },
    { faults: { kill: ['mortal'] } },
  )
}

/** How it is made. */
export const creation: Creation = {
  slug: 'event/attaches' satisfies Guarantee,
  name: 'Event',
  words: Event.words(),
  create: (memory) => void Event.create(memory),
  attach: (memory) => {
    const event = Event.attach(memory)
    return `${event.isSet()} ${event.set()} ${event.wait(0)} ${event.reset()}`
  },
  found: 'false true true true',
  parameters: [],
  state: { 'that it is not set': words.changes },
}
