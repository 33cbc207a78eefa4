import { guarantee } from '../../checker/guarantee.ts'
import { lineWords } from '../../core/layout.ts'
import type { Memory } from '../../core/memory.ts'
import { isClosed, itemAt, positionIn } from '../../core/position.ts'
import { type MemberOptions, Ring } from '../../core/ring.ts'
import type { Member } from '../../core/ring-member.ts'
import type { StreamEnd } from '../../core/ring-source.ts'
import type { Program, Readable } from '../../model/program.ts'
import { type Calls, CountingMemory, everyNotifyWasAskedFor, WitnessMemory } from '../memories.ts'
import type { Guarantee } from './guarantees.ts'
import { description, itemsBefore, sinkOf } from './life-programs.ts'
import { anonymous, itemBytes, itemOf, itemsOf, optionsOf, type Shape, words } from './programs.ts'

/**
 * Programs of a ring with one group and no reader. Threads are called `writer` and `member0`, `member1`.
 *
 * Members come one after the other, so that each has the seat of its number; how they come at the same time, other programs show.
 */

/** What a member got, in order; and how the stream ended for it. */
export interface Part extends Calls {
  readonly items: readonly number[]
  readonly end?: StreamEnd | undefined
}

export interface Pushed extends Calls {
  readonly pushed: number
}

type Parts = Record<string, Pushed | Part>

export const group = (capacity: number, members: number, start = 0): Shape => ({
  capacity,
  readers: 0,
  groups: 1,
  members,
  start,
})

/** Words of the program's own, after the ring. */
export const ownWord = (shape: Shape, index: number): number => Ring.words(optionsOf(shape)) + index

/** Comes to the group once the one before has come. */
export function memberOf(memory: Memory, shape: Shape, index: number, options: MemberOptions = {}): Member {
  const comeAt = ownWord(shape, 0)
  while (memory.load(comeAt) < index) memory.pause()
  const member = Ring.attach(memory).member({ spins: 0, ...options })
  memory.store(comeAt, index + 1)
  return member
}

/** Which item these bytes are. */
export function numberOf(bytes: Uint8Array): number {
  const [n] = bytes
  guarantee(
    'ring/whole-items' satisfies Guarantee,
    n !== 0 && bytes.join() === itemOf(n).join(),
    `the bytes ${bytes} are no item`,
  )
  return n
}

/** Items of several, one by one, by number. */
export function numbersOf(bytes: Uint8Array, count: number): number[] {
  return Array.from({ length: count }, (_, i) => numberOf(bytes.subarray(i * itemBytes, (i + 1) * itemBytes)))
}

const partsOf = (results: Record<string, unknown>): Part[] =>
  Object.values(results).filter((result): result is Part => result !== undefined && 'items' in (result as object))

/** Each item went to one member, in order, and none was left out. */
function isShared(results: Record<string, unknown>, claimed: number): void {
  const slug = 'ring/shares' satisfies Guarantee
  const parts = partsOf(results).map(({ items }) => items)
  for (const items of parts) {
    for (const [i, n] of items.entries())
      guarantee(slug, i === 0 || n > items[i - 1], `item ${n} came after item ${items[i - 1]}`)
  }
  const all = parts.flat().toSorted((a, b) => a - b)
  for (const [i, n] of all.entries()) guarantee(slug, n === i + 1, `the members got the items ${all}`)
  guarantee(slug, all.length === claimed, `${claimed} items were claimed, and the members got ${all.length}`)
}

export const itemsAt = (memory: Readable, shape: Shape, word: number): number =>
  itemsBefore(shape, itemAt(positionIn(memory.load(word))))

export const claimedIn = (memory: Readable, shape: Shape): number => itemsAt(memory, shape, words.cursor)
export const writtenIn = (memory: Readable, shape: Shape): number => itemsAt(memory, shape, words.written)

/** What nobody has claimed fits. */
function neverMoreThanCapacity(memory: Readable, shape: Shape): void {
  const unclaimed = writtenIn(memory, shape) - claimedIn(memory, shape)
  guarantee('ring/back-pressure' satisfies Guarantee, unclaimed >= 0 && unclaimed <= shape.capacity, `${unclaimed} unclaimed`)
}

/** What a member has claimed is not written over: looks twice. */
export function isHeld(memory: Memory, shape: Shape, member: Member, slug: Guarantee): void {
  const before = itemsBefore(shape, member.position)
  for (let i = 0; i < 2; i++) {
    const written = writtenIn(memory, shape)
    const isThere = before < written && written - before <= shape.capacity
    guarantee(slug, isThere, `item ${before + 1} of ${written} is claimed in a ring of ${shape.capacity}`)
  }
}

/** Claims up to so many, and returns their numbers; nothing is read, so that whatever goes wrong is no data race. */
export function claims(
  memory: Memory,
  shape: Shape,
  member: Member,
  count: number,
  slug: Guarantee = 'ring/back-pressure',
): number[] {
  const claimed = member.tryClaim(count)
  const first = itemsBefore(shape, member.position) + 1
  if (claimed > 0) isHeld(memory, shape, member, slug)
  return Array.from({ length: claimed }, (_, i) => first + i)
}

type Does = (member: Member, got: number[], memory: Memory) => StreamEnd | undefined

/** A program in which one thread writes and the others are the members. */
function writerAndMembers(
  name: string,
  shape: Shape,
  writes: (memory: Memory) => number,
  does: Does | readonly Does[],
  extra: Partial<Program<Parts>> & { readonly options?: MemberOptions } = {},
): Program<Parts> {
  const { members = 0 } = shape
  const { finally: alsoFinally, options, ...rest } = extra
  const { words: ringWords, ...described } = description(shape, name)
  const threads: Record<string, (memory: Memory) => Pushed | Part> = {
    writer: (memory) => {
      const counting = new CountingMemory(memory)
      const pushed = writes(counting)
      return { pushed, ...counting.calls }
    },
  }
  for (let index = 0; index < members; index++) {
    const body = typeof does === 'function' ? does : (does[index] as Does)
    threads[`member${index}`] = (memory) => {
      const counting = new CountingMemory(memory)
      const items: number[] = []
      const end = body(memberOf(counting, shape, index, options), items, counting)
      return { items, ...(end === undefined ? {} : { end }), ...counting.calls }
    }
  }
  return anonymous<Parts>({
    ...described,
    words: ringWords + lineWords,
    threads,
    always: (memory) => neverMoreThanCapacity(memory, shape),
    ...rest,
    finally: (memory, results) => {
      everyNotifyWasAskedFor('ring/notifies-sleepers-only' satisfies Guarantee, Object.values(results))
      isShared(results, claimedIn(memory, shape))
      for (let index = 0; index < members; index++) {
        const isIdle = isClosed(memory.load(words.member(index)))
        guarantee('ring/publishes' satisfies Guarantee, isIdle, `member ${index} is done, and holds the writer back`)
      }
      alsoFinally?.(memory, results)
    },
  })
}

export function triesToPush(memory: Memory, shape: Shape, tries: number): number {
  const sink = sinkOf(memory)
  for (let i = 0; i < tries; i++) sink.tryPush(itemOf(itemsBefore(shape, sink.position) + 1))
  return itemsBefore(shape, sink.position)
}

/** The writer tries to push so many times, each member tries to pop so many times; nobody waits. */
export function sharedTried(shape: Shape, tries: number): Program<Parts> {
  return writerAndMembers(
    `try${tries}-shared`,
    shape,
    (memory) => triesToPush(memory, shape, tries),
    (member, got) => {
      const target = new Uint8Array(itemBytes)
      for (let i = 0; i < tries; i++) if (member.tryPop(target)) got.push(numberOf(target))
      return undefined
    },
    {
      sometimes: {
        'a member gets the first item': (_, { member0 }) => (member0 as Part | undefined)?.items[0] === 1,
        'a member gets nothing': (_, { member0 }) => (member0 as Part | undefined)?.items.length === 0,
      },
    },
  )
}

/**
 * As before, members claiming so many at a time without reading them, and letting go of them one by one.
 *
 * @param tries how often the writer tries to push, and each member to claim
 */
export function claimedTried(shape: Shape, tries: readonly [number, ...number[]], batch: number): Program<Parts> {
  const [pushes, ...claimings] = tries
  return writerAndMembers(
    `try${tries.join('+')}-claim${batch}`,
    shape,
    (memory) => triesToPush(memory, shape, pushes),
    claimings.map(
      (count): Does =>
        (member, got, memory) => {
          for (let i = 0; i < count; i++) {
            const items = claims(memory, shape, member, batch)
            got.push(...items)
            for (const _ of items) member.advance(1)
          }
        },
    ),
    {
      sometimes: {
        'a member gets the first item': (_, { member0 }) => (member0 as Part | undefined)?.items[0] === 1,
        'a member gets a batch': (_, results) => partsOf(results).some(({ items }) => items.length >= Math.min(batch, pushes)),
      },
    },
  )
}

/** The writer pushes all items and closes; member 0 pops to the end of the stream, and the others try to claim once. */
export function shared(shape: Shape, items: number, popped = 1): Program<Parts> {
  const doneAt = ownWord(shape, 1)
  const pops: Does = (member, got, memory) => {
    const target = new Uint8Array(popped * itemBytes)
    for (;;) {
      const count = popped === 1 ? Number(member.pop(target)) : member.popBatch(target)
      if (count === 0) break
      got.push(...numbersOf(target, count))
    }
    const end = member.end()
    const done = memory.load(doneAt) + got.length
    guarantee('ring/ends' satisfies Guarantee, end === 'closed', 'pop gave up, and the stream goes on')
    guarantee('ring/ends' satisfies Guarantee, done === items, `the end came when ${done} items were done with`)
    return end
  }
  const claimsOnce: Does = (member, got, memory) => {
    got.push(...claims(memory, shape, member, 1))
    memory.add(doneAt, got.length)
    member.advance()
    return undefined
  }
  return writerAndMembers(
    `push${items}-close-shared${popped === 1 ? '' : popped}`,
    shape,
    (memory) => {
      const sink = sinkOf(memory)
      for (let n = 1; n <= items; n++) sink.push(itemOf(n))
      sink.close()
      return items
    },
    Array.from({ length: shape.members ?? 0 }, (_, index) => (index === 0 ? pops : claimsOnce)),
    {
      sometimes: {
        'one member gets all': (_, { member0 }) => (member0 as Part | undefined)?.items.length === items,
      },
    },
  )
}

/** The writer pushes so many items, the members pop so many; nobody closes. */
export function popped(shape: Shape, items: number, pops: readonly number[], spins: 0 | 1 = 0): Program<Parts> {
  return writerAndMembers(
    `push${items}-popped${pops.join('+')}${spins === 1 ? '-spin1' : ''}`,
    shape,
    (memory) => {
      const sink = sinkOf(memory)
      for (let n = 1; n <= items; n++) sink.push(itemOf(n))
      return items
    },
    pops.map(
      (count): Does =>
        (member, got) => {
          const target = new Uint8Array(itemBytes)
          for (let i = 0; i < count; i++) {
            guarantee('ring/times-out' satisfies Guarantee, member.pop(target), 'pop gave up without a time-out')
            got.push(numberOf(target))
          }
        },
    ),
    { options: { spins } },
  )
}

const nothing = (result: boolean | number): boolean => Number(result) === 0

/** The member pops with a time-out, whatever the writer does meanwhile; what was pushed in time is not missed. */
export function memberTimesOut(shape: Shape): Program<Parts> {
  const pushedAt = ownWord(shape, 1)
  return anonymous<Parts>({
    ...description(shape, 'pop-times-out'),
    words: Ring.words(optionsOf(shape)) + lineWords,
    threads: {
      writer: (memory) => {
        const counting = new CountingMemory(memory)
        sinkOf(counting).push(itemOf(1))
        memory.store(pushedAt, 1)
        return { pushed: 1, ...counting.calls }
      },
      member0: (memory) => {
        const witness = new WitnessMemory(memory, 'ring/times-out' satisfies Guarantee, (now) => now.load(pushedAt) === 1)
        const member = memberOf(witness, shape, 0)
        const target = new Uint8Array(itemBytes)
        const missed = 'an item that came in time was missed'
        const found = witness.attempt<boolean | number>(missed, (timeoutMs) => member.pop(target, timeoutMs), nothing)
        return { items: found ? [numberOf(target)] : [], ...witness.calls }
      },
    },
    sometimes: {
      'pop gets the item': (_, { member0 }) => (member0 as Part | undefined)?.items.length === 1,
      'pop gives up': (_, { member0 }) => (member0 as Part | undefined)?.items.length === 0,
    },
    finally: (_, results) => {
      everyNotifyWasAskedFor('ring/notifies-sleepers-only' satisfies Guarantee, Object.values(results))
    },
  })
}

/** One member, and nobody who pushes: everything gives up in time. */
export function memberGivesUpAlone(): Program<{ alone: readonly (boolean | number)[] }> {
  const shape = group(1, 1)
  return anonymous<{ alone: readonly (boolean | number)[] }>({
    ...description(shape, 'member-gives-up-alone'),
    words: Ring.words(optionsOf(shape)) + lineWords,
    threads: {
      alone: (memory) => {
        const witness = new WitnessMemory(
          memory,
          'ring/times-out' satisfies Guarantee,
          (now) => now.load(ownWord(shape, 1)) === 1,
        )
        const member = memberOf(witness, shape, 0)
        const target = new Uint8Array(itemBytes)
        const calls: readonly ((timeoutMs: number) => boolean | number)[] = [
          (timeoutMs) => member.pop(target, timeoutMs),
          (timeoutMs) => member.popBatch(target, timeoutMs),
          (timeoutMs) => member.claim(1, timeoutMs),
        ]
        return calls.map((call) => witness.attempt('a word that nobody writes was set', call, nothing))
      },
    },
    finally: (_, { alone }) =>
      guarantee('ring/times-out' satisfies Guarantee, alone?.join() === 'false,0,0', `returned ${alone?.join()}`),
  })
}

/** One thread makes a ring with a group on used words while another comes to the group and looks. */
export function attachGroupWhileCreated(): Program<Record<'creator' | 'joiner', boolean>> {
  const shape = group(2, 2)
  const size = Ring.words(optionsOf(shape))
  return anonymous<Record<'creator' | 'joiner', boolean>>({
    name: 'ring/attach-group-while-created',
    words: size + lineWords,
    setup: (memory) => {
      for (let word = 1; word < size; word++) memory.write(word, 5)
    },
    threads: {
      creator: (memory) => {
        Ring.create(memory, optionsOf(shape))
        memory.store(ownWord(shape, 1), 1)
        return true
      },
      joiner: (memory) => {
        const created = memory.load(ownWord(shape, 1)) === 1
        const slug = 'ring/attaches' satisfies Guarantee
        let found = 'nothing'
        const attached = attaches(() => {
          const ring = Ring.attach(memory)
          const lines = [words.cursor, words.cursorBegan, words.member(0)].map((word) => memory.read(word))
          const first = ring.member()
          const second = ring.member()
          const claimed = [ring.sink().free(), first.tryClaim(), second.tryClaim()]
          found = [ring.groups, ring.members, ...lines, ...claimed].join(' ')
        })
        guarantee(slug, attached || !created, 'the ring was created and cannot be used')
        guarantee(slug, !attached || found === '1 2 0 0 2 2 0 0', `found ${found}`)
        return attached
      },
    },
    sometimes: { 'too early': (_, { joiner }) => joiner === false, 'in time': (_, { joiner }) => joiner === true },
  })
}

/** Whether the body returns: an error of the ring, or of its locks, is an answer, and one of the memory is not. */
function attaches(body: () => void): boolean {
  try {
    body()
    return true
  } catch (error) {
    if (error instanceof Error && /^(Ring|Mutex)/.test(error.message)) return false
    throw error
  }
}

/** The writer tries a batch that lies at both ends of the ring; the member tries to pop it. */
export function batchShared(shape: Shape): Program<Parts> {
  return writerAndMembers(
    'try-batch2-shared',
    shape,
    (memory) => sinkOf(memory).tryPushBatch(itemsOf(1, 2)),
    (member, got) => {
      const target = new Uint8Array(2 * itemBytes)
      got.push(...numbersOf(target, member.tryPopBatch(target)))
      return undefined
    },
    { sometimes: { 'all is popped at once': (_, { member0 }) => (member0 as Part | undefined)?.items.length === 2 } },
  )
}
