import { guarantee } from '../../checker/guarantee.ts'
import { lineWords } from '../../core/layout.ts'
import type { Memory } from '../../core/memory.ts'
import { WorkRing, type WorkRingOptions } from '../../core/work-ring.ts'
import { type Faults, type Mark, type Program, program } from '../../model/program.ts'
import { type Sequential, sequential } from '../../model/sequential.ts'
import type { Creation } from '../creation.ts'
import {
  AnonymousMemory,
  type Calls,
  CountingMemory,
  everyNotifyWasAskedFor,
  RetryingMemory,
  SlicedMemory,
  WitnessMemory,
} from '../memories.ts'
import { itemBytes, itemOf } from '../ring/programs.ts'
import type { Guarantee } from './guarantees.ts'

/** Small programs around a work ring. Each thread attaches by itself, and makes a few calls. Items are as the ring's. */

/** Positions count modulo 2^29, and a word changes its sign half-way: starts just below either place. */
export const belowSignChange: number = 2 ** 28 - 1
export const belowWrap: number = 2 ** 29 - 1

export interface Shape {
  readonly capacity: number
  readonly start?: number
  readonly seats?: number
}

function optionsOf(shape: Shape): Required<WorkRingOptions> {
  return { start: 0, seats: 1, ...shape, itemBytes }
}

/** Where the words of a ring at word 0 are. */
export interface Words {
  readonly tail: number
  readonly head: number
  holder(seat: number): number
  intent(seat: number): number
  slot(index: number): number
  /** A line of the program's own. */
  readonly own: number
}

export function wordsOf(shape: Shape): Words {
  const { capacity, seats } = optionsOf(shape)
  const slots = (3 + seats) * lineWords
  return {
    tail: lineWords,
    head: 2 * lineWords,
    holder: (seat: number) => (3 + seat) * lineWords,
    intent: (seat: number) => (3 + seat) * lineWords + 1,
    slot: (index: number) => slots + index * lineWords,
    own: slots + capacity * lineWords,
  }
}

/** What a thread did: the items that it pushed and popped, by number. */
export interface Share extends Calls {
  readonly pushed: readonly number[]
  readonly popped: readonly number[]
}

type Shares = Record<string, Share>

/** What threads can do. Each push has an item of its own, or two where it pushes a batch. */
export type Call = 'tryPush' | 'push' | 'tryPop' | 'pop' | 'close' | BatchCall
type BatchCall = 'tryPushBatch' | 'pushBatch' | 'tryPopBatch' | 'popBatch'

/** How many items a batch has at most. */
const batch = 2
const isBatch = (call: Call): call is BatchCall => call.endsWith('Batch')
const isPush = (call: Call): boolean => call.toLowerCase().includes('push')
const isPop = (call: Call): boolean => call.toLowerCase().includes('pop')

interface Contents {
  readonly items: readonly number[]
  readonly closed: boolean
}

/**
 * A plain queue of so many items, which can be closed. A batch happens at once.
 *
 * @param whole whether a batch is as large as it can be; otherwise it may be smaller, but not empty
 */
export function queueOf({ capacity }: Shape, whole: boolean = true): Sequential<Contents> {
  const tryPush = (contents: Contents, item: number) =>
    contents.closed || contents.items.length === capacity
      ? { state: contents, result: false }
      : { state: { ...contents, items: [...contents.items, item] }, result: true }
  const tryPop = (contents: Contents) => {
    const [first, ...items] = contents.items
    return first === undefined ? { state: contents, result: false } : { state: { ...contents, items }, result: first }
  }
  const sizes = (most: number): number[] =>
    most <= 0 ? [0] : whole ? [most] : Array.from({ length: most }, (_, smaller) => smaller + 1)
  const tryPushBatch = (contents: Contents, pushed: readonly number[]) =>
    sizes(contents.closed ? 0 : Math.min(pushed.length, capacity - contents.items.length)).map((size) => ({
      state: { ...contents, items: [...contents.items, ...pushed.slice(0, size)] },
      result: size,
    }))
  const tryPopBatch = (contents: Contents) =>
    sizes(Math.min(batch, contents.items.length)).map((size) => ({
      state: { ...contents, items: contents.items.slice(size) },
      result: contents.items.slice(0, size),
    }))
  return sequential<Contents>({
    initial: { items: [], closed: false },
    operations: {
      tryPush,
      // Waits while there is no room.
      push: (contents, item: number) => (contents.closed || contents.items.length < capacity ? tryPush(contents, item) : []),
      tryPop,
      pop: (contents) => (contents.closed || contents.items.length > 0 ? tryPop(contents) : []),
      tryPushBatch,
      tryPopBatch,
      popBatch: (contents) => (contents.closed || contents.items.length > 0 ? tryPopBatch(contents) : []),
      close: (contents) => ({ state: { ...contents, closed: true } }),
    },
  })
}

/** The number of an item, which must be whole. */
function numberOf(bytes: Uint8Array): number {
  const n = bytes[0] as number
  guarantee(
    'work-ring/each-once' satisfies Guarantee,
    bytes.join() === itemOf(n).join(),
    `the bytes ${bytes.join(' ')} are no item`,
  )
  return n
}

/** Makes the calls, and says of each what came of it. */
function makeCalls(
  ring: WorkRing,
  calls: readonly Call[],
  first: number,
  mark: Mark,
  make: <T>(call: () => T) => T,
): { pushed: number[]; popped: number[] } {
  const pushed: number[] = []
  const popped: number[] = []
  const target = new Uint8Array(itemBytes)
  let next = first
  for (const call of calls) {
    const size = isBatch(call) ? batch : 1
    const items = Array.from({ length: size }, (_, i) => next + i)
    if (isPush(call)) next += size
    mark('call', call, isBatch(call) ? items : items[0])
    let result: unknown
    if (call === 'close') {
      ring.close()
      guarantee('work-ring/closes' satisfies Guarantee, ring.isClosed(), 'it was closed, and is open')
    } else if (call === 'tryPushBatch' || call === 'pushBatch') {
      const count = make(() => ring[call](Uint8Array.from(items.flatMap((item) => [...itemOf(item)]))))
      pushed.push(...items.slice(0, count))
      result = count
    } else if (call === 'tryPopBatch' || call === 'popBatch') {
      const targets = new Uint8Array(batch * itemBytes)
      const count = make(() => ring[call](targets))
      const found = items.slice(0, count).map((_, i) => numberOf(targets.subarray(i * itemBytes, (i + 1) * itemBytes)))
      popped.push(...found)
      if (call === 'popBatch' && count === 0) requireEnd(ring)
      result = found
    } else if (call === 'push' || call === 'tryPush') {
      const item = items[0] as number
      result = make(() => ring[call](itemOf(item)))
      if (result === true) pushed.push(item)
    } else {
      result = make(() => ring[call](target)) && numberOf(target)
      if (typeof result === 'number') popped.push(result)
      else if (call === 'pop') requireEnd(ring)
    }
    mark('return', call, result)
  }
  return { pushed, popped }
}

function requireEnd(ring: WorkRing): void {
  guarantee('work-ring/closes' satisfies Guarantee, ring.isEnded(), 'pop gave up without an end')
}

interface Extra extends Pick<Program<Shares>, 'sometimes'> {
  readonly spins?: 0 | 1
  readonly faults?: Faults<string>
  /** Threads call as on an event loop. */
  readonly retries?: boolean
}

/** Threads make calls; whatever comes of it is what a plain queue would have done. */
function base(
  name: string,
  shape: Shape,
  threads: Readonly<Record<string, readonly Call[]>>,
  extra: Extra = {},
): Program<Shares> {
  const { spins = 0, faults, sometimes, retries = false } = extra
  const options = optionsOf(shape)
  const kills = faults?.kill !== undefined
  const all = Object.values(threads).flat()
  // A batch stops where somebody is copying: not where nobody copies in the other direction. A `pushBatch` is several.
  const whole = Object.keys(threads).length === 1 || !all.some(isPush) || !all.some(isPop)
  const judged = !kills && !all.includes('pushBatch')
  const bodies = Object.entries(threads).map(([thread, calls], index) => {
    const body = (memory: Memory, mark: Mark): Share => {
      const counting = new CountingMemory(kills ? new SlicedMemory(memory) : new AnonymousMemory(memory))
      const looping = new RetryingMemory(counting)
      const ring = WorkRing.attach(retries ? looping : counting, 0, { spins })
      const make = retries ? <T>(call: () => T): T => looping.retried(call) : <T>(call: () => T): T => call()
      return { ...makeCalls(ring, calls, 16 * (index + 1), mark, make), ...counting.calls }
    }
    return [thread, body]
  })
  return program<Shares>({
    name: `work-ring/${name}/cap${shape.capacity}${startName(shape)}`,
    words: WorkRing.words(options),
    setup: (memory) => void WorkRing.create(memory, options),
    threads: Object.fromEntries(bodies),
    ...(sometimes && { sometimes }),
    ...(faults && { faults }),
    ...(judged && {
      history: {
        specification: queueOf(shape, whole),
        guarantee: wraps(shape) ?? ('work-ring/linearizable' satisfies Guarantee),
      },
    }),
    finally: (memory, results) => {
      const shares = Object.keys(threads).map((thread) => results[thread])
      everyNotifyWasAskedFor('work-ring/notifies-sleepers-only' satisfies Guarantee, shares)
      eachOnce(shape, memory, shares, threads)
      if (!judged && !kills) {
        const inOrder = shares
          .flatMap((share) => share?.popped ?? [])
          .every((item, i, all) => i === 0 || item > (all[i - 1] as number))
        guarantee('work-ring/linearizable' satisfies Guarantee, inOrder, 'one thread pushes, one pops, and not in order')
      }
    },
  })
}

/** All that was pushed was popped, or is still there, once. What a killed thread pushed may be there; what it popped is gone. */
function eachOnce(
  shape: Shape,
  memory: Memory,
  shares: readonly (Share | undefined)[],
  threads: Readonly<Record<string, readonly Call[]>>,
): void {
  const slug: Guarantee = shares.includes(undefined)
    ? ('work-ring/survives' satisfies Guarantee)
    : (wraps(shape) ?? ('work-ring/each-once' satisfies Guarantee))
  const found = [...shares.flatMap((share) => share?.popped ?? []), ...itemsIn(shape, memory)]
  const pushed = shares.flatMap((share) => share?.pushed ?? [])
  guarantee(slug, new Set(found).size === found.length, `popped ${found.join()}`)
  const dead = shares.flatMap((share, i) => (share === undefined ? [16 * (i + 1)] : []))
  const isOfDead = (item: number) => dead.some((first) => item >= first && item < first + 16)
  for (const item of found) guarantee(slug, pushed.includes(item) || isOfDead(item), `nobody pushed item ${item}`)
  const missing = pushed.filter((item) => !found.includes(item))
  // Each thread's items are pushed in order, also where it died in the middle of a batch.
  const isBefore = (item: number) => isOfDead(item) && item % 16 !== 0 && !found.includes(item - 1)
  guarantee(slug, !found.some(isBefore), `item ${found.find(isBefore)} is there, and the one before it is not`)
  // A dead thread may have popped items, and then nobody else has.
  const mayPop = (call: Call) => (call === 'tryPop' ? 1 : call === 'tryPopBatch' ? batch : 0)
  const lost = Object.values(threads)
    .filter((_, i) => shares[i] === undefined)
    .flat()
    .reduce((sum, call) => sum + mayPop(call), 0)
  guarantee(slug, missing.length <= lost, `pushed ${pushed.join()}, popped ${found.join()}`)
}

/** What nobody has begun to pop, and was pushed to the end. */
function itemsIn(shape: Shape, memory: Memory): number[] {
  const { head, tail, slot } = wordsOf(shape)
  const numbers: number[] = []
  const target = new Uint8Array(itemBytes)
  for (let position = memory.load(head); position !== (memory.load(tail) & -8); position = (position + 8) | 0) {
    const at = slot((position >>> 3) & (shape.capacity - 1))
    if ((memory.load(at) & ~5) !== (position | 2)) continue
    memory.readBytes(4 * (at + 1), target)
    numbers.push(numberOf(target))
  }
  return numbers
}

/** In a program that crosses a wrap, what goes wrong is put down to the wrap. */
function wraps({ start }: Shape): Guarantee | undefined {
  return start === belowWrap || start === belowSignChange ? 'work-ring/wraps' : undefined
}

function startName({ start }: Shape): string {
  return start === belowWrap ? '-wrap' : start === belowSignChange ? '-sign' : ''
}

const times = (count: number, call: Call): readonly Call[] => Array.from({ length: count }, () => call)
const popped = (share: Share | undefined): number => share?.popped.length ?? 0
const pushed = (share: Share | undefined): number => share?.pushed.length ?? 0

/** One thread tries to push, one to pop, so many times. */
export function trying(shape: Shape, tries: number): Program<Shares> {
  return base(
    `try${tries}`,
    shape,
    { pusher: times(tries, 'tryPush'), popper: times(tries, 'tryPop') },
    {
      sometimes: {
        'all goes through': (_, { popper }) => popped(popper) === tries,
        'the ring is empty': (_, { popper }) => popped(popper) < tries,
        ...(tries > shape.capacity && { 'the ring is full': (_, { pusher }) => pushed(pusher) < tries }),
      },
    },
  )
}

/** Two threads try to push, one tries to pop. */
export function twoPushers(shape: Shape, tries: number): Program<Shares> {
  const threads = { first: times(1, 'tryPush'), second: times(1, 'tryPush'), popper: times(tries, 'tryPop') }
  return base(`two-pushers-try${tries}`, shape, threads, {
    sometimes: {
      'the second comes first': (_, { popper }) => popper?.popped[0] === 32,
      'one is popped': (_, { popper }) => popped(popper) === 1,
    },
  })
}

/** One thread tries to push two, two try to pop. */
export function twoPoppers(shape: Shape): Program<Shares> {
  const threads = { pusher: times(2, 'tryPush'), first: times(1, 'tryPop'), second: times(1, 'tryPop') }
  return base('two-poppers', shape, threads, {
    sometimes: {
      'one for each': (_, { first, second }) => popped(first) === 1 && popped(second) === 1,
      'the second comes first': (_, { second }) => second?.popped[0] === 16,
    },
  })
}

/** A thread pushes one more than fits, another pops all; both sleep. */
export function blocking(shape: Shape, items: number, spins: 0 | 1 = 0, faults: Faults<string> = {}): Program<Shares> {
  const name = `push${items}-pop${items}${spins === 1 ? '-spin1' : ''}${faults.spurious ? '-spurious' : ''}`
  return base(
    name,
    shape,
    { pusher: times(items, 'push'), popper: times(items, 'pop') },
    {
      spins,
      faults,
      sometimes: { 'somebody sleeps': (_, results) => Object.values(results).some((share) => (share?.announced ?? 0) > 0) },
    },
  )
}

/** `blocking`, each thread as on an event loop: what would sleep is called again. */
export function retrying(shape: Shape, items: number): Program<Shares> {
  return base(
    `push${items}-pop${items}-retrying`,
    shape,
    { pusher: times(items, 'push'), popper: times(items, 'pop') },
    {
      retries: true,
    },
  )
}

/** Two threads pop one each, sleeping, one pushes two. */
export function blockingPoppers(shape: Shape): Program<Shares> {
  return base('push2-two-pop1', shape, { pusher: times(2, 'push'), first: times(1, 'pop'), second: times(1, 'pop') })
}

/** Two threads push one each, sleeping, one pops two. */
export function blockingPushers(shape: Shape): Program<Shares> {
  return base('two-push1-pop2', shape, { first: times(1, 'push'), second: times(1, 'push'), popper: times(2, 'pop') })
}

/** A thread pushes, and closes; another pops to the end. */
export function closing(shape: Shape, items: number): Program<Shares> {
  const threads = { pusher: [...times(items, 'push'), 'close' as const], popper: times(items + 1, 'pop') }
  return base(`push${items}-close`, shape, threads, {
    sometimes: { 'all goes through': (_, { popper }) => popped(popper) === items },
  })
}

/** A thread pushes more than fits, and a third one closes. */
export function closingFull(shape: Shape): Program<Shares> {
  return base(
    'push-full-close',
    shape,
    { pusher: times(shape.capacity + 1, 'push'), closer: ['close'] },
    {
      sometimes: {
        'the close comes in time': (_, { pusher }) => pushed(pusher) < shape.capacity,
        'the close wakes': (_, { pusher }) => pushed(pusher) === shape.capacity && pusher?.announced === 1,
      },
    },
  )
}

/** Two threads push more than fits together, sleeping; a third one closes. */
export function closingTwoPushers(shape: Shape): Program<Shares> {
  return base(
    'two-push1-close',
    shape,
    { first: ['push'], second: ['push'], closer: ['close'] },
    {
      sometimes: {
        'the close comes first': (_, { first, second }) => pushed(first) + pushed(second) === 0,
        'the close wakes': (_, { second }) => pushed(second) === 0 && second?.announced === 1,
      },
    },
  )
}

/** Two threads pop, sleeping; a third one closes. */
export function closingEmpty(shape: Shape): Program<Shares> {
  return base('pop-empty-close', shape, { first: ['pop'], second: ['pop'], closer: ['close'] })
}

/** A thread that is killed tries to push, another one tries something too. Nobody is held up. */
export function pusherDies(shape: Shape, calls: readonly Call[]): Program<Shares> {
  return base(
    `doomed-push-${calls.join('-')}`,
    { seats: 2, ...shape },
    { doomed: times(1, 'tryPush'), other: calls },
    {
      faults: { kill: ['doomed'] },
      sometimes: {
        'the other one goes on': (_, { doomed, other }) => doomed === undefined && popped(other) + pushed(other) > 0,
      },
    },
  )
}

/** As before; one tries to push and one to pop, beside it. */
export function oneOfTwoPushersDies(shape: Shape): Program<Shares> {
  const threads = { doomed: times(1, 'tryPush'), pusher: times(1, 'tryPush'), popper: times(1, 'tryPop') }
  return base('two-pushers-doomed', { seats: 3, ...shape }, threads, {
    faults: { kill: ['doomed'] },
    sometimes: {
      'what the dead one pushed is popped': (_, { doomed, popper }) => doomed === undefined && popper?.popped[0] === 16,
      'what the other one pushed is popped': (_, { doomed, popper }) => doomed === undefined && popper?.popped[0] === 32,
    },
  })
}

/** A thread that is killed tries to pop, another one tries to push more than fits beside it. */
export function popperDies(shape: Shape, tries: number): Program<Shares> {
  const threads = { doomed: times(1, 'tryPop'), pusher: times(tries, 'tryPush') }
  return base(`doomed-pop-try${tries}`, { seats: 2, ...shape }, threads, {
    faults: { kill: ['doomed'] },
    sometimes: {
      'the item dies with who popped it': (_, { doomed, pusher }) => doomed === undefined && pushed(pusher) > shape.capacity,
    },
  })
}

/** One thread has the ring alone: each batch is as large as it can be. */
export function batchesAlone(shape: Shape): Program<Shares> {
  const full = ['tryPushBatch', 'tryPush'] as const
  const halfFull = ['tryPop', 'tryPushBatch', 'tryPopBatch', 'tryPush', 'tryPopBatch'] as const
  const calls: readonly Call[] = [...full, ...halfFull, 'tryPopBatch', 'close', 'tryPushBatch', 'popBatch']
  return base('batches-alone', shape, { alone: calls })
}

/** Two threads push a batch each: neither comes between the items of the other. */
export function twoBatchPushers(shape: Shape): Program<Shares> {
  return base(
    'two-push-batch',
    shape,
    { first: ['tryPushBatch'], second: ['tryPushBatch'] },
    {
      sometimes: {
        'one of them finds no room': (_, { first, second }) => pushed(first) + pushed(second) === shape.capacity,
        'the second comes first': (memory) => itemsIn(shape, memory as Memory)[0] === 32,
      },
    },
  )
}

/** A thread pushes a batch, two pop batches: it goes to one of them, or half to each. */
export function twoBatchPoppers(shape: Shape): Program<Shares> {
  const threads = { pusher: ['tryPushBatch'], first: ['tryPopBatch'], second: ['tryPopBatch'] } as const
  return base('two-pop-batch', shape, threads, {
    sometimes: {
      'one gets the batch': (_, { second }) => popped(second) === batch,
      'each gets an item': (_, { first, second }) => popped(first) === 1 && popped(second) === 1,
    },
  })
}

/** A thread pushes a batch and another one an item; a third one pops a batch. */
export function batchAndSingle(shape: Shape): Program<Shares> {
  const threads = { batch: ['tryPushBatch'], single: ['tryPush'], popper: ['tryPopBatch'] } as const
  return base('push-batch-push1-pop-batch', shape, threads, {
    sometimes: {
      'the batch comes first': (_, { popper }) => popper?.popped.join() === '16,17',
      'the single item comes first': (_, { popper }) => popper?.popped[0] === 32,
    },
  })
}

/** One thread tries to push batches, one to pop them, so many times. */
export function tryingBatches(shape: Shape, tries: number): Program<Shares> {
  const threads = { pusher: times(tries, 'tryPushBatch'), popper: times(tries, 'tryPopBatch') }
  return base(`batch-try${tries}`, shape, threads, {
    sometimes: {
      'all goes through': (_, { popper }) => popped(popper) === tries * batch,
      'a part goes through': (_, { popper }) => popped(popper) === 1,
    },
  })
}

/** A thread pushes two items as a batch, another pops batches; both sleep. */
export function blockingBatches(shape: Shape, pops: number): Program<Shares> {
  return base(`push-batch-pop-batch${pops}`, shape, { pusher: ['pushBatch'], popper: times(pops, 'popBatch') })
}

/** As before, and the first one closes: the other one comes to the end. */
export function closingBatches(shape: Shape, pops: number): Program<Shares> {
  return base(`push-batch-close-pop-batch${pops}`, shape, { pusher: ['pushBatch', 'close'], popper: times(pops, 'popBatch') })
}

/** A thread pushes a batch of more than fits, another one closes: the batch ends there. */
export function closingBatch(shape: Shape): Program<Shares> {
  return base(
    'push-batch-full-close',
    shape,
    { pusher: ['pushBatch'], closer: ['close'] },
    {
      sometimes: { 'a part was pushed': (_, { pusher }) => pushed(pusher) === 1 },
    },
  )
}

/** A thread pops a batch as on an event loop. */
export function retryingBatch(shape: Shape): Program<Shares> {
  return base('push2-pop-batch-retrying', shape, { pusher: ['push', 'push'], popper: ['popBatch'] }, { retries: true })
}

/** A thread that is killed pushes a batch; another one pops. */
export function batchPusherDies(shape: Shape, calls: readonly Call[]): Program<Shares> {
  return base(
    `doomed-push-batch-${calls.join('-')}`,
    { seats: 2, ...shape },
    { doomed: ['tryPushBatch'], other: calls },
    {
      faults: { kill: ['doomed'] },
      sometimes: {
        'a part of the batch is there': (_, { doomed, other }) => doomed === undefined && other?.popped.join() === '16',
      },
    },
  )
}

/** A thread that is killed pops a batch; another one pushes more than fits beside it. */
export function batchPopperDies(shape: Shape): Program<Shares> {
  const threads = { doomed: ['tryPopBatch'], pusher: ['tryPushBatch', 'tryPushBatch'] } as const
  return base('doomed-pop-batch', { seats: 2, ...shape }, threads, {
    faults: { kill: ['doomed'] },
    sometimes: {
      'the items die with who popped them': (_, { doomed, pusher }) => doomed === undefined && pushed(pusher) > shape.capacity,
    },
  })
}

/** One thread has the ring alone: what it cannot do, nobody will make possible. Everything gives up in time. */
export function givesUpAlone(spins: 0 | 1 = 0): Program<{ alone: readonly boolean[] }> {
  const shape: Shape = { capacity: 1 }
  return program<{ alone: readonly boolean[] }>({
    name: `work-ring/gives-up-alone${spins === 1 ? '-spin1' : ''}`,
    words: WorkRing.words(optionsOf(shape)),
    setup: (memory) => void WorkRing.create(memory, optionsOf(shape)),
    threads: {
      alone: (memory) => {
        const witness = new WitnessMemory(new AnonymousMemory(memory), 'work-ring/times-out' satisfies Guarantee, () => false)
        const ring = WorkRing.attach(witness, 0, { spins })
        const target = new Uint8Array(itemBytes)
        const attempt = (call: (timeoutMs: number) => boolean) =>
          witness.attempt('there was nothing to be missed', call, (result) => !result)
        return [
          attempt((timeoutMs) => ring.pop(target, timeoutMs)),
          attempt((timeoutMs) => ring.push(itemOf(1), timeoutMs)),
          attempt((timeoutMs) => ring.push(itemOf(2), timeoutMs)),
          ring.push(itemOf(2), 0),
          ring.pop(target, 0),
          ring.pop(target, 0),
        ]
      },
    },
    finally: (_, { alone }) => {
      const expected = 'false,true,false,false,true,false'
      guarantee('work-ring/times-out' satisfies Guarantee, alone?.join() === expected, `returned ${alone?.join()}`)
    },
  })
}

/** One thread has the ring alone, and gives up where a batch waits: in one time for all of it. */
export function batchGivesUpAlone(): Program<{ alone: readonly number[] }> {
  const shape: Shape = { capacity: 1 }
  return program<{ alone: readonly number[] }>({
    name: 'work-ring/batch-gives-up-alone',
    words: WorkRing.words(optionsOf(shape)),
    setup: (memory) => void WorkRing.create(memory, optionsOf(shape)),
    threads: {
      alone: (memory) => {
        const witness = new WitnessMemory(new AnonymousMemory(memory), 'work-ring/times-out' satisfies Guarantee, () => false)
        const ring = WorkRing.attach(witness, 0, { spins: 0 })
        const items = Uint8Array.from([...itemOf(1), ...itemOf(2)])
        const attempt = (call: (timeoutMs: number) => number, expected: number) =>
          witness.attempt('there was nothing to be missed', call, (result) => result === expected)
        return [
          attempt((timeoutMs) => ring.popBatch(items, timeoutMs), 0),
          attempt((timeoutMs) => ring.pushBatch(items, timeoutMs), 1),
          ring.pushBatch(items, 0),
          ring.popBatch(items, 0),
          ring.popBatch(items, 0),
          ring.pushBatch(items, 0),
        ]
      },
    },
    finally: (_, { alone }) => {
      guarantee('work-ring/times-out' satisfies Guarantee, alone?.join() === '0,1,0,1,0,1', `returned ${alone?.join()}`)
    },
  })
}

/** A thread pops with a time-out, another pushes and says so: what came in time is not missed. */
export function popTimesOut(): Program<{ pusher: Calls; popper: Calls & { readonly item: number } }> {
  const shape: Shape = { capacity: 1 }
  const { own } = wordsOf(shape)
  return program<{ pusher: Calls; popper: Calls & { readonly item: number } }>({
    name: 'work-ring/pop-times-out',
    words: WorkRing.words(optionsOf(shape)) + lineWords,
    setup: (memory) => void WorkRing.create(memory, optionsOf(shape)),
    threads: {
      pusher: (memory) => {
        const counting = new CountingMemory(new AnonymousMemory(memory))
        WorkRing.attach(counting, 0, { spins: 0 }).push(itemOf(1))
        memory.store(own, 1)
        return counting.calls
      },
      popper: (memory) => {
        const slug: Guarantee = 'work-ring/times-out'
        const witness = new WitnessMemory(new AnonymousMemory(memory), slug, (now) => now.load(own) === 1)
        const ring = WorkRing.attach(witness, 0, { spins: 0 })
        const target = new Uint8Array(itemBytes)
        const found = witness.attempt(
          'an item that came in time was missed',
          (timeoutMs) => ring.pop(target, timeoutMs),
          (result) => !result,
        )
        return { item: found ? numberOf(target) : 0, ...witness.calls }
      },
    },
    sometimes: {
      'pop gets the item': (_, { popper }) => popper?.item === 1,
      'pop gives up': (_, { popper }) => popper?.item === 0,
    },
    finally: (_, { pusher, popper }) =>
      everyNotifyWasAskedFor('work-ring/notifies-sleepers-only' satisfies Guarantee, [pusher, popper]),
  })
}

/** Three threads want one of two seats, and may die, or leave. */
export function seats(): Program<Record<'first' | 'second' | 'third', boolean>> {
  const shape: Shape = { capacity: 4, seats: 2 }
  const slug: Guarantee = 'work-ring/seats'
  const sits = (leaves: boolean) => (memory: Memory) => {
    const ring = WorkRing.attach(memory, 0, { spins: 0 })
    try {
      ring.tryPop(new Uint8Array(itemBytes))
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('WorkRing: all 2 seats'))) throw error
      return false
    }
    if (leaves) ring.leave()
    return true
  }
  return program<Record<'first' | 'second' | 'third', boolean>>({
    name: 'work-ring/two-seats',
    words: WorkRing.words(optionsOf(shape)),
    setup: (memory) => void WorkRing.create(memory, optionsOf(shape)),
    threads: { first: sits(true), second: sits(false), third: sits(false) },
    faults: { kill: ['second'] },
    sometimes: {
      'all get one': (_, results) => Object.values(results).every((has) => has === true),
      'the third does not': (_, { third }) => third === false,
      'the third gets that of the dead': (_, { first, second, third }) =>
        second === undefined && first === true && third === true,
    },
    finally: (memory, { first, second, third }) => {
      const { holder } = wordsOf(shape)
      const taken = [0, 1].filter((seat) => memory.load(holder(seat)) !== 0).length
      const sitting = Number(second === true) + Number(third === true)
      guarantee(slug, taken >= sitting, `${sitting} threads sit in ${taken} seats`)
      if (second === undefined) return
      guarantee(slug, taken === sitting, `${sitting} threads sit in ${taken} seats`)
      // With one that leaves, one of the others may be refused, and then the first had not left.
      guarantee(slug, first === true || second === false || third === true, 'two were refused')
    },
  })
}

/** A thread that is seated makes a ring on used words; nobody sits in it. */
export function createdWithSeats(): Program<Record<'creator' | 'bystander', boolean>> {
  const shape: Shape = { capacity: 1, seats: 1 }
  const words = WorkRing.words(optionsOf(shape))
  return program<Record<'creator' | 'bystander', boolean>>({
    name: 'work-ring/create-with-seats',
    words,
    setup: (memory) => {
      // As if participant 1 sat everywhere.
      for (let word = 0; word < words; word++) memory.write(word, 4)
    },
    threads: {
      creator: (memory) => {
        const ring = WorkRing.create(memory, optionsOf(shape), 0, { spins: 0 })
        let pushes = false
        try {
          pushes = ring.tryPush(itemOf(1))
        } catch (error) {
          if (!(error instanceof Error && error.message.startsWith('WorkRing'))) throw error
        }
        guarantee('work-ring/attaches' satisfies Guarantee, pushes, 'a new ring has no seat')
        return pushes
      },
      bystander: () => true,
    },
  })
}

/** How a work ring is made and joined. */
export const creation: Creation = {
  slug: 'work-ring/attaches' satisfies Guarantee,
  name: 'WorkRing',
  words: WorkRing.words(optionsOf({ capacity: 2 })),
  create: (memory) => void WorkRing.create(memory, optionsOf({ capacity: 2 })),
  attach: (memory) => {
    const ring = WorkRing.attach(memory, 0, { spins: 0 })
    const { tail, head, slot } = wordsOf({ capacity: 2 })
    const state = [tail, head, slot(0), slot(1)].map((word) => memory.load(word)).join()
    if (state !== '0,0,0,8') return state
    const target = new Uint8Array(itemBytes)
    const results = [ring.tryPop(target), ...[1, 2, 3].map((n) => ring.tryPush(itemOf(n))), ring.tryPop(target)]
    return [ring.capacity, ring.itemBytes, ring.seats, ...results, target[0]].join(' ')
  },
  found: `2 ${itemBytes} 1 false true true false true 1`,
  parameters: ['capacity', 'itemBytes', 'seats'],
  state: {
    'where pushing begins': wordsOf({ capacity: 2 }).tail,
    'where popping begins': wordsOf({ capacity: 2 }).head,
    'that the first slot is free': wordsOf({ capacity: 2 }).slot(0),
    'that the second slot is free': wordsOf({ capacity: 2 }).slot(1),
  },
}
