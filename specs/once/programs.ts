import { guarantee } from '../../checker/guarantee.ts'
import { lineWords } from '../../core/layout.ts'
import type { Memory } from '../../core/memory.ts'
import { Once, type OnceResult } from '../../core/once.ts'
import { type Program, program } from '../../model/program.ts'
import type { Creation } from '../creation.ts'
import { AnonymousMemory, type Calls, CountingMemory, everyNotifyWasAskedFor, SlicedMemory, WitnessMemory } from '../memories.ts'
import type { Guarantee } from './guarantees.ts'

/** Small programs around a once. Each thread attaches by itself. The body sets two words, the second one last. */

/** Where the words are: the once at word 0, and then those of the program. */
export const words: { readonly runner: number; readonly begun: number; readonly ended: number } = {
  runner: lineWords,
  begun: Once.words(),
  ended: Once.words() + 1,
}

/** What a thread returns. `again` is what its body was told, if it ran. */
export interface Share extends Calls {
  readonly results: readonly (OnceResult | 'busy')[]
  readonly again: readonly boolean[]
}

type Shares = Record<string, Share>
type Body = (memory: Memory) => Share

const names = ['first', 'second', 'third'] as const

/** How a program differs from the plainest one of its kind. */
interface Variant {
  readonly spins?: 0 | 1
  readonly plain?: boolean
  readonly spurious?: boolean
}

/** The body: a run that did not finish has begun, and may have ended, if the runner died before it could say so. */
function work(memory: Memory, again: boolean): void {
  const [begun, ended] = [memory.load(words.begun), memory.load(words.ended)]
  guarantee('once/runs-once' satisfies Guarantee, ended === 0 || again, 'it was done')
  guarantee('once/robust' satisfies Guarantee, begun === 0 || again, 'an earlier run began, and nobody said so')
  memory.store(words.begun, begun + 1)
  memory.store(words.ended, 1)
}

function isDone(memory: Memory): void {
  guarantee('once/runs-once' satisfies Guarantee, memory.load(words.ended) === 1, 'it is not done')
}

function base(name: string, threads: Record<string, Body>, extra: Partial<Program<Shares>> = {}): Program<Shares> {
  const { finally: alsoFinally, ...rest } = extra
  return program<Shares>({
    name: `once/${name}`,
    words: Once.words() + lineWords,
    setup: (memory) => void Once.create(memory),
    threads,
    ...rest,
    finally: (memory, results) => {
      const shares = Object.keys(threads).map((thread) => results[thread])
      everyNotifyWasAskedFor('once/notifies-sleepers-only' satisfies Guarantee, shares)
      const ran = shares.filter((share) => share?.results.includes('ran')).length
      guarantee('once/runs-once' satisfies Guarantee, ran <= 1, `${ran} ran it to its end`)
      alsoFinally?.(memory, results)
    },
  })
}

function crowd(threads: 2 | 3, body: Body): Record<string, Body> {
  return Object.fromEntries(names.slice(0, threads).map((name) => [name, body]))
}

const somebodySleeps: NonNullable<Program<Shares>['sometimes']> = {
  'somebody sleeps': (_, results) => Object.values(results).some((share) => (share?.announced ?? 0) > 0),
  'nobody sleeps': (_, results) => Object.values(results).every((share) => share?.announced === 0),
}

/** Each thread sees to it that the work is done. */
export function running(threads: 2 | 3, { spins = 0, plain = false, spurious = false }: Variant = {}): Program<Shares> {
  const body: Body = (memory) => {
    const counting = new CountingMemory(new AnonymousMemory(memory))
    const again: boolean[] = []
    const result = Once.attach(counting, 0, { spins }).run((told) => {
      again.push(told)
      if (plain) memory.write(words.ended, memory.read(words.ended) + 1)
      else work(memory, told)
    })
    guarantee('once/times-out' satisfies Guarantee, result !== 'timed-out', 'gave up without a time-out')
    if (plain) guarantee('once/runs-once' satisfies Guarantee, memory.read(words.ended) === 1, 'it is not done')
    else isDone(memory)
    return { results: [result], again, ...counting.calls }
  }
  const name = `run/${threads}t${spins === 1 ? '-spin1' : ''}${plain ? '-plain' : ''}${spurious ? '-spurious' : ''}`
  return base(name, crowd(threads, body), {
    faults: { spurious },
    sometimes: somebodySleeps,
    finally: (_, results) => {
      const again = Object.values(results).flatMap((share) => share?.again ?? [])
      guarantee('once/robust' satisfies Guarantee, !again.includes(true), 'a body was told of a failure, and none failed')
    },
  })
}

/** Each thread looks, then tries; nobody waits. */
export function trying(threads: 2 | 3): Program<Shares> {
  const body: Body = (memory) => {
    const counting = new CountingMemory(new AnonymousMemory(memory))
    const once = Once.attach(counting)
    const wasDone = once.isDone()
    if (wasDone) isDone(memory)
    const result = once.tryRun((again) => work(memory, again))
    if (result === 'done') isDone(memory)
    guarantee('once/runs-once' satisfies Guarantee, !wasDone || result === 'done', `done, and then ${result}`)
    return { results: [result], again: [], ...counting.calls }
  }
  return base(`try/${threads}t`, crowd(threads, body), {
    sometimes: { 'somebody finds it busy': (_, results) => Object.values(results).some((share) => share?.results[0] === 'busy') },
  })
}

/** Two threads see to it; the body of the first one throws half-way. */
export function throwing(): Program<Shares> {
  const body =
    (throws: boolean): Body =>
    (memory) => {
      const counting = new CountingMemory(new AnonymousMemory(memory))
      const once = Once.attach(counting, 0, { spins: 0 })
      const again: boolean[] = []
      let results: OnceResult[] = []
      try {
        results = [
          once.run((told) => {
            again.push(told)
            if (throws) {
              memory.add(words.begun, 1)
              throw new RangeError('half-way')
            }
            work(memory, told)
          }),
        ]
      } catch (error) {
        if (!(error instanceof RangeError)) throw error
      }
      return { results, again, ...counting.calls }
    }
  return base(
    'throw/2t',
    { first: body(true), second: body(false) },
    {
      sometimes: {
        'the second runs again': (_, { second }) => second?.again[0] === true,
        'the second comes first': (_, { first }) => first?.results[0] === 'done',
        'the second sleeps': (_, { second }) => (second?.announced ?? 0) > 0,
      },
      finally: (memory, { first }) => {
        isDone(memory)
        const failed = first?.again.length === 1
        guarantee('once/robust' satisfies Guarantee, memory.load(words.begun) === (failed ? 2 : 1), 'a failure went unnoticed')
      },
    },
  )
}

/** One thread does it, and may be killed; another one waits for it in time. */
export function timesOut(mortal = false): Program<Shares> {
  return base(
    mortal ? 'dying-while-waiting' : 'times-out',
    {
      runner: (memory) => {
        const counting = new CountingMemory(mortal ? new SlicedMemory(memory) : new AnonymousMemory(memory))
        const once = Once.attach(counting, 0, { spins: 0 })
        return { results: [once.run((again) => work(memory, again))], again: [], ...counting.calls }
      },
      waiter: (memory) => {
        const seen = mortal ? memory : new AnonymousMemory(memory)
        const fine = (now: Memory) => (mortal ? !now.liveness?.alive(0) : Once.attach(now).isDone())
        const witness = new WitnessMemory(seen, 'once/times-out' satisfies Guarantee, fine)
        const once = Once.attach(witness, 0, { spins: 0 })
        const again: boolean[] = []
        const result = witness.attempt(
          mortal ? 'the runner was dead' : 'it was done in time',
          (timeoutMs) =>
            once.run((told) => {
              again.push(told)
              work(memory, told)
            }, timeoutMs),
          (r) => r === 'timed-out',
        )
        if (result === 'done') isDone(memory)
        return { results: [result], again, ...witness.calls }
      },
    },
    {
      faults: { kill: mortal ? ['runner'] : [] },
      sometimes: {
        'the waiter finds it done': (_, { waiter }) => waiter?.results[0] === 'done',
        'the waiter gives up': (_, { waiter }) => waiter?.results[0] === 'timed-out',
        'the waiter sleeps': (_, { waiter }) => (waiter?.announced ?? 0) > 0,
        ...(mortal && { 'the waiter runs again': (_: unknown, { waiter }: Partial<Shares>) => waiter?.again[0] === true }),
      },
    },
  )
}

/** While the body runs, nobody else can do it. Everything gives up in time. */
export function givesUpAlone(): Program<Shares> {
  return base('gives-up-alone', {
    alone: (memory) => {
      const witness = new WitnessMemory(new AnonymousMemory(memory), 'once/times-out' satisfies Guarantee, () => false)
      const once = Once.attach(witness, 0, { spins: 0 })
      const other = Once.attach(witness, 0, { spins: 0 })
      const inside: (OnceResult | 'busy')[] = []
      const nothing = () => {}
      const outside = [
        once.run(() => {
          inside.push(
            witness.attempt(
              'it was not done',
              (timeoutMs) => other.run(nothing, timeoutMs),
              (r) => r === 'timed-out',
            ),
          )
          inside.push(other.tryRun(nothing), other.run(nothing, -1))
        }),
        other.run(nothing),
        once.tryRun(nothing),
      ]
      const expected = 'timed-out,busy,timed-out,ran,done,done'
      const results = [...inside, ...outside]
      guarantee('once/times-out' satisfies Guarantee, results.join() === expected, `returned ${results.join()}`)
      return { results, again: [], ...witness.calls }
    },
  })
}

/**
 * Threads of which some may die, wherever they are; the others see to it that the work is done.
 *
 * @param mortal which of them may be killed
 * @param kills how many of these
 */
export function dying(threads: 2 | 3, mortal: readonly (typeof names)[number][], kills: number): Program<Shares> {
  const body: Body = (memory) => {
    const counting = new CountingMemory(new SlicedMemory(memory))
    const again: boolean[] = []
    const result = Once.attach(counting, 0, { spins: 0 }).run((told) => {
      again.push(told)
      work(memory, told)
    })
    isDone(memory)
    return { results: [result], again, ...counting.calls }
  }
  return base(`dying/${threads}t-${mortal.length}m${kills}k`, crowd(threads, body), {
    faults: { kill: mortal, kills },
    sometimes: {
      'somebody runs again': (_, results) => Object.values(results).some((share) => share?.again[0] === true),
      'nobody runs again': (_, results) => Object.values(results).every((share) => share?.again[0] !== true),
    },
  })
}

/** How it is made. */
export const creation: Creation = {
  slug: 'once/attaches' satisfies Guarantee,
  name: 'Once',
  words: Once.words(),
  create: (memory) => void Once.create(memory),
  attach: (memory) => {
    const once = Once.attach(memory)
    let told: boolean | undefined
    return `${once.isDone()} ${once.tryRun((again) => {
      told = again
    })} ${told}`
  },
  found: 'false ran false',
  parameters: [],
  state: { 'that it is not done': words.runner },
}
