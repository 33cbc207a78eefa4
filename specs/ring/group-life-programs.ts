import { guarantee } from '../../checker/guarantee.ts'
import { nobody } from '../../core/holder.ts'
import { lineWords } from '../../core/layout.ts'
import type { Memory } from '../../core/memory.ts'
import { isClosed } from '../../core/position.ts'
import { type MemberOptions, Ring } from '../../core/ring.ts'
import { type RingOptions, vacant } from '../../core/ring-layout.ts'
import type { Member } from '../../core/ring-member.ts'
import type { From } from '../../core/ring-seats.ts'
import { type Mark, type Program, program } from '../../model/program.ts'
import { AnonymousMemory, SlicedMemory } from '../memories.ts'
import { claimedIn, claims, memberOf, ownWord, triesToPush, writtenIn } from './group-programs.ts'
import type { Guarantee } from './guarantees.ts'
import { description, granted, isAlive, itemsBefore, sinkOf } from './life-programs.ts'
import { anonymous, itemBytes, itemOf, type Shape, words } from './programs.ts'

/** Programs of a group whose members come and go, and of who stands behind it, or before. Nobody reads: what goes wrong is no data race. */

type Numbers = Record<string, number>

/** A seat in which a participant sits. */
const seatOf = (participant: number): number => (participant + 1) << 1

/** A program in which threads may be killed. They sleep in slices. */
function deadly(description: Program<Numbers>): Program<Numbers> {
  const threads = Object.entries(description.threads).map(([name, body]) => [
    name,
    (memory: Memory, mark: Mark) => body(new SlicedMemory(memory), mark),
  ])
  return program<Numbers>({ ...description, threads: Object.fromEntries(threads) })
}

/** The words of a ring, and a line for the program. */
function described(shape: Shape, name: string, options: Partial<RingOptions> = {}): ReturnType<typeof description> {
  const { words: ringWords, ...rest } = description(shape, name, options)
  return { ...rest, words: ringWords + lineWords }
}

const comes = (memory: Memory, options: MemberOptions = {}): Member | undefined =>
  granted(() => Ring.attach(memory).member({ spins: 0, ...options }))

/** So many threads ask at the same time for seats of one group, and one may be killed. */
export function entering(shape: Shape, threads: number, isKilled = false): Program<Numbers> {
  const enters = (memory: Memory): number => (comes(memory) === undefined ? 0 : 1)
  const { members = 0 } = shape
  const names = Array.from({ length: threads }, (_, i) => `thread${i}`)
  return (isKilled ? deadly : anonymous<Numbers>)({
    ...described(shape, `enter${threads}${isKilled ? '-killed' : ''}`),
    threads: Object.fromEntries(names.map((name) => [name, enters])),
    ...(isKilled && { faults: { kill: ['thread0'] } }),
    sometimes: { 'the last comes first': (_, results) => results[`thread${threads - 1}`] === 1 },
    finally: (memory, results) => {
      const slug = 'ring/handed-out-once' satisfies Guarantee
      const living = names.reduce((sum, name) => sum + (results[name] ?? 0), 0)
      const dead = names.filter((name) => results[name] === undefined).length
      const fit = Math.min(members, threads)
      guarantee(slug, living <= members, `${living} living threads have ${members} seats`)
      guarantee(slug, living >= fit - dead, `${living} of ${threads} threads got a seat`)
      for (let member = 0; member < fit - dead; member++) {
        guarantee(slug, memory.load(words.memberSeat(member)) !== 0, `nobody sits in seat ${member}`)
      }
    },
  })
}

/** The writer pushes all items and closes; the only member claims so many, and leaves with the last one in its hands. */
export function memberLeaves(shape: Shape, items: number, claimed: number): Program<Numbers> {
  return anonymous<Numbers>({
    ...described(shape, `push${items}-close-member-leaves${claimed}`),
    threads: {
      writer: (memory) => {
        const sink = sinkOf(memory)
        for (let n = 1; n <= items; n++) sink.push(itemOf(n))
        sink.close()
        return items
      },
      member0: (memory) => {
        const member = memberOf(memory, shape, 0)
        for (let i = 1; i <= claimed; i++) {
          member.claim()
          if (i < claimed) member.advance()
        }
        member.close()
        return claimed
      },
    },
    finally: (memory) => {
      const pushed = writtenIn(memory, shape)
      guarantee('ring/leaves' satisfies Guarantee, pushed === items, `the writer stopped after ${pushed} items`)
    },
  })
}

/** Member 1 claims and leaves; member 0 stays, and claims, too. The writer only tries. */
export function memberLeavesOthers(shape: Shape, tries: number): Program<Numbers> {
  return anonymous<Numbers>({
    ...described(shape, `try${tries}-member-leaves-others`),
    threads: {
      writer: (memory) => triesToPush(memory, shape, tries),
      member0: (memory) => {
        const member = memberOf(memory, shape, 0)
        const items = claims(memory, shape, member, 1)
        member.advance()
        return items.length
      },
      member1: (memory) => {
        const member = memberOf(memory, shape, 1)
        const items = claims(memory, shape, member, 1)
        member.close()
        return items.length
      },
    },
    sometimes: { 'each gets one': (_, { member0, member1 }) => member0 === 1 && member1 === 1 },
    finally: (memory, { member0 = 0, member1 = 0 }) => {
      const slug = 'ring/leaves' satisfies Guarantee
      guarantee(slug, !isClosed(memory.load(words.cursor)), 'the group is gone, and a member is there')
      guarantee(slug, claimedIn(memory, shape) === member0 + member1, 'items were skipped')
      for (const word of [words.member(0), words.member(1)]) {
        guarantee(slug, isClosed(memory.load(word)), 'one that is done holds the writer back')
      }
      const heir = comes(new AnonymousMemory(memory))
      guarantee(slug, heir !== undefined, 'the seat of the one that left is not free')
    },
  })
}

/** Member 0 comes, claims what it can and leaves, the last one; the heir comes at some time, and what it gets is held for it. */
export function groupBegunAnew(shape: Shape, tries: number, from?: From): Program<Numbers> {
  const position = typeof from === 'number' ? ((shape.start ?? 0) + from) % 2 ** 30 : from
  const slug = 'ring/leaves' satisfies Guarantee
  return anonymous<Numbers>({
    ...described(shape, `try${tries}-group-anew${from === undefined ? '' : `-${from}`}`),
    threads: {
      writer: (memory) => triesToPush(memory, shape, tries),
      member0: (memory) => {
        const member = comes(memory)
        const items = member === undefined ? [] : claims(memory, shape, member, 1)
        member?.close()
        memory.store(ownWord(shape, 1), 1)
        return items.length
      },
      heir: (memory) => {
        const hasLeft = memory.load(ownWord(shape, 1)) === 1
        const member = comes(memory, position === undefined ? {} : { from: position })
        guarantee(slug, member !== undefined || !hasLeft || typeof from === 'number', 'the seat of the one that left is not free')
        return member === undefined ? -1 : (claims(memory, shape, member, 1, 'ring/joins')[0] ?? 0)
      },
    },
    sometimes: {
      'the heir gets an item': (_, { heir }) => (heir ?? 0) > 0,
      'the heir gets nothing': (_, { heir }) => (heir ?? 0) === 0,
    },
    finally: (memory, { heir = -1 }) => {
      const seats = Array.from({ length: shape.members ?? 0 }, (_, index) => memory.load(words.memberSeat(index)))
      const isThere = !isClosed(memory.load(words.cursor)) && seats.some((seat) => seat !== vacant && seat !== nobody)
      guarantee(slug, heir < 0 || isThere, 'somebody is in the group, and it is gone')
      guarantee(slug, heir >= 0 || isClosed(memory.load(words.cursor)), 'nobody is there, and the writer is held back')
    },
  })
}

/** The writer tries; the group comes at some time, nobody having waited for it, and begins there. */
export function groupJoins(shape: Shape, tries: number, from: From = 'latest'): Program<Numbers> {
  const position = typeof from === 'number' ? ((shape.start ?? 0) + from) % 2 ** 30 : from
  const slug = 'ring/joins' satisfies Guarantee
  return anonymous<Numbers>({
    ...described(shape, `try${tries}-group-joins-${from}`, { awaitReaders: false }),
    threads: {
      writer: (memory) => triesToPush(memory, shape, tries),
      member0: (memory) => {
        const found = writtenIn(memory, shape)
        const member = comes(memory, { from: position })
        if (member === undefined) {
          const isRight = typeof from === 'number' && (found < from || writtenIn(memory, shape) > from)
          guarantee(slug, isRight, `there are ${found} items, and it cannot begin after ${from}`)
          return -1
        }
        const begun = claimedIn(memory, shape)
        guarantee(slug, typeof from !== 'number' || begun === from, `it begins after ${begun} items`)
        guarantee(slug, from !== 'latest' || begun >= found, `it begins after ${begun} items, and there were ${found}`)
        for (let i = 0; i < 2; i++) {
          const unclaimed = writtenIn(memory, shape) - begun
          guarantee(slug, unclaimed >= 0 && unclaimed <= shape.capacity, `${unclaimed} items in a ring of ${shape.capacity}`)
        }
        return begun
      },
    },
    sometimes: {
      ...(typeof from === 'number' && { 'it is not there': (_: unknown, { member0 }: Partial<Numbers>) => member0 === -1 }),
      'it is there': (_, { member0 }) => (member0 ?? -1) >= 0,
    },
    finally: (memory, { member0 = -1 }) => {
      if (member0 < 0) guarantee(slug, isClosed(memory.load(words.cursor)), 'nobody is there, and the writer is held back')
    },
  })
}

/** As a program of the dead: member 0 claims what there is, lets go of the first item and may die at any step. */
const dies =
  (shape: Shape, batch: number, closes = false) =>
  (memory: Memory): number => {
    const member = memberOf(memory, shape, 0)
    const items = claims(memory, shape, member, batch, 'ring/survives-member')
    if (items.length > 0) {
      // Attended to, so far as anybody knows.
      memory.store(ownWord(shape, 1), items[0] as number)
      member.advance(1)
    }
    if (closes) member.close()
    else member.advance()
    return items.length
  }

/** Waits until member 0 came, or died. Returns whether it came. */
function hasCome(memory: Memory, shape: Shape): boolean {
  while (memory.load(ownWord(shape, 0)) === 0) {
    if (!isAlive(memory, 1)) return false
    memory.pause()
  }
  return true
}

/**
 * Member 0 may die; member 1, which came after it, claims so often while it can. Once member 0 is dead, nothing is left that nobody
 * attended to.
 */
export function memberDies(shape: Shape, tries: number, batch: number, closes = false): Program<Numbers> {
  const slug = 'ring/survives-member' satisfies Guarantee
  return deadly({
    ...described(shape, `try${tries}-claim${batch}-killed-member0${closes ? '-leaving' : ''}`),
    threads: {
      writer: (memory) => triesToPush(memory, shape, tries),
      member0: dies(shape, batch, closes),
      member1: (memory) => {
        if (!hasCome(memory, shape)) return -1
        const member = memberOf(memory, shape, 1)
        const isDead = !isAlive(memory, 1)
        const attended = memory.load(ownWord(shape, 1))
        const pushed = writtenIn(memory, shape)
        const got = new Set<number>()
        for (let i = 0; i < tries; i++) {
          for (const n of claims(memory, shape, member, 1, 'ring/survives-member')) {
            guarantee(slug, !got.has(n) || member.redelivered, `item ${n} comes again, and does not say so`)
            got.add(n)
          }
          member.advance()
        }
        const isHeir = isDead && !closes && tries <= shape.capacity
        for (let n = attended + 1; isHeir && n <= pushed; n++) guarantee(slug, got.has(n), `nobody attended to item ${n}`)
        guarantee(slug, !isDead || member.end() === undefined, 'the writer lives, and the stream has ended')
        return got.size
      },
    },
    faults: { kill: ['member0'] },
    sometimes: {
      'the survivor gets everything': (_, { member0, member1 }) => member0 === undefined && member1 === tries,
    },
    finally: (memory, { member0, member1 }) => {
      if (member1 === undefined || member1 < 0) return
      const isKept = [0, 1].every((index) => memory.load(words.memberSeat(index)) === seatOf(2))
      const isDone = !isKept || !isClosed(memory.load(words.member(0)))
      guarantee(slug, isDone, 'the survivor keeps the seat of the dead one, and is done with what that one claimed')
      const claimed = claimedIn(memory, shape)
      const isExact = member0 === undefined || closes || member0 + member1 === claimed
      guarantee(
        'ring/shares' satisfies Guarantee,
        isExact,
        `${claimed} items were claimed, the members got ${member0} and ${member1}`,
      )
    },
  })
}

/** The only member may die, or leave. Once the writer knows that, there is room. */
export function groupDies(shape: Shape, tries: number, closes = false): Program<Numbers> {
  const slug = 'ring/survives-member' satisfies Guarantee
  return deadly({
    ...described(shape, `try${tries}-killed-group${closes ? '-leaving' : ''}`),
    threads: {
      writer: (memory) => {
        const sink = sinkOf(memory)
        for (let i = 0; i < tries; i++) sink.tryPush(itemOf(i + 1))
        if (!isAlive(memory, 1) && memory.load(words.memberSeat(0)) !== 0) {
          guarantee(slug, sink.tryPush(itemOf(0)), 'there is no room beside the dead')
        }
        return itemsBefore(shape, sink.position)
      },
      member0: dies(shape, 1, closes),
    },
    faults: { kill: ['member0'] },
    sometimes: {
      'the writer passes the dead': (memory, { writer, member0 }) =>
        member0 === undefined && isClosed(memory.load(words.cursor)) && (writer ?? 0) > shape.capacity,
    },
  })
}

/**
 * The only member may die; then the heir comes, and goes on with what that one was not done with, unless the writer needed the room.
 *
 * @param claimed how many items the member claims
 */
export function groupReplaced(shape: Shape, tries: number, claimed: 0 | 1): Program<Numbers> {
  const slug = 'ring/survives-member' satisfies Guarantee
  return deadly({
    ...described(shape, `try${tries}-claim${claimed}-group-heir`),
    threads: {
      writer: (memory) => triesToPush(memory, shape, tries),
      member0: (memory) => (claimed === 0 ? Number(comes(memory) !== undefined) : dies(shape, claimed)(memory)),
      heir: (memory) => {
        if (isAlive(memory, 1)) return -1
        const attended = memory.load(ownWord(shape, 1))
        const member = comes(memory)
        guarantee(slug, member !== undefined, 'the seat of the dead is not free')
        if (claimed === 0 || member === undefined) return 0
        const [first = attended] = claims(memory, shape, member, 1, slug)
        guarantee(slug, first >= attended, `item ${first} comes again, that was done with`)
        return first
      },
    },
    faults: { kill: ['member0'] },
    sometimes: { 'the heir comes': (_, { heir, member0 }) => member0 === undefined && (heir ?? -1) >= claimed },
    finally: (memory, { heir }) => {
      guarantee(slug, !((heir ?? -1) >= 0) || !isClosed(memory.load(words.cursor)), 'the heir is there, and its group is gone')
    },
  })
}

/** Member 0 may die having claimed an item, and two others, who came before, look for it: one of them gets it. */
export function twoHeirs(): Program<Numbers> {
  const shape: Shape = { capacity: 1, readers: 0, groups: 1, members: 3 }
  const looks =
    (index: number) =>
    (memory: Memory): number => {
      const member = memberOf(memory, shape, index)
      return memory.load(ownWord(shape, 1)) === 0 || isAlive(memory, 0) ? 0 : member.tryClaim()
    }
  return deadly({
    ...described(shape, 'two-heirs'),
    threads: {
      member0: (memory) => {
        triesToPush(memory, shape, 1)
        const claimed = memberOf(memory, shape, 2).tryClaim()
        memory.store(ownWord(shape, 1), 1)
        // A step more, before which it may die.
        memory.load(ownWord(shape, 1))
        return claimed
      },
      member1: looks(0),
      member2: looks(1),
    },
    faults: { kill: ['member0'] },
    sometimes: { 'the last one gets it': (_, { member2 }) => member2 === 1 },
    finally: (_, { member1 = 0, member2 = 0 }) => {
      guarantee('ring/shares' satisfies Guarantee, member1 + member2 <= 1, 'two have what one left')
    },
  })
}

/**
 * Member 0 may die while it claims; member 1 claims the same item, and lets go of it, so that the writer writes over it. What member
 * 1 gets after that is held for it.
 */
export function claimsOfDead(shape: Shape): Program<Numbers> {
  const slug = 'ring/survives-member' satisfies Guarantee
  return deadly({
    ...described(shape, 'try2-claims-of-dead'),
    threads: {
      writer: (memory) => triesToPush(memory, shape, 2),
      member0: (memory) => memberOf(memory, shape, 0).tryClaim(),
      member1: (memory) => {
        if (!hasCome(memory, shape)) return -1
        const member = memberOf(memory, shape, 1)
        const items = claims(memory, shape, member, 1, slug)
        member.advance()
        if (isAlive(memory, 1)) return -1
        return items.length + claims(memory, shape, member, 1, slug).length
      },
    },
    faults: { kill: ['member0'] },
    sometimes: { 'the survivor claims twice': (_, { member1 }) => member1 === 2 },
  })
}

const behindGroup: Shape = { capacity: 1, readers: 1, groups: 1, members: 1 }

/** Where the program says of each item that it was attended to. */
const attendedTo = (shape: Shape, n: number): number => ownWord(shape, 8 + n)

/** The reader stands behind the group: it sees what the members have advanced past, and not what they have claimed. */
export function behindGroupTried(members: number, tries: number, isKilled = false): Program<Numbers> {
  const shape = { ...behindGroup, members, capacity: 2 }
  const slug = 'ring/gated' satisfies Guarantee
  const attends =
    (index: number) =>
    (memory: Memory): number => {
      const member = memberOf(memory, shape, index)
      const claimed = member.tryClaim()
      if (claimed > 0) memory.store(attendedTo(shape, itemsBefore(shape, member.position) + 1), 1)
      member.advance()
      return claimed
    }
  const names = Array.from({ length: members }, (_, index) => `member${index}`)
  return (isKilled ? deadly : anonymous<Numbers>)({
    ...described(shape, `try${tries}-behind-group${isKilled ? '-killed' : ''}`),
    threads: {
      writer: (memory) => triesToPush(memory, shape, tries),
      ...Object.fromEntries(names.map((name, index) => [name, attends(index)])),
      reader0: (memory) => {
        const source = Ring.attach(memory).source({ spins: 0, after: [{ group: 0 }] })
        const isDead = isKilled && memory.load(ownWord(shape, 0)) === members && !isAlive(memory, 1)
        const found = writtenIn(memory, shape)
        const seen = source.available()
        guarantee(slug, !isDead || seen >= found, `a dead group leaves ${seen} of ${found} items`)
        for (let n = 1; n <= seen && !isKilled; n++) {
          guarantee(slug, memory.load(attendedTo(shape, n)) === 1, `item ${n} is seen, and was not attended to`)
        }
        if (seen > 0 && !isKilled) {
          const known = source.attended()
          guarantee('ring/attended' satisfies Guarantee, known === seen, `${known} of ${seen} items were attended to`)
        }
        return seen
      },
    },
    ...(isKilled && { faults: { kill: ['member0'] } }),
    sometimes: { 'an item comes through': (_, { reader0 }) => (reader0 ?? 0) > 0 },
  })
}

/** The only member claims one item and leaves: who stands behind it knows which items it attended to. */
export function behindGroupLeft(tries: number): Program<Numbers> {
  const shape = { ...behindGroup, capacity: 2 }
  return anonymous<Numbers>({
    ...described(shape, `try${tries}-behind-group-left`),
    threads: {
      writer: (memory) => triesToPush(memory, shape, tries),
      member0: (memory) => {
        const member = memberOf(memory, shape, 0)
        const claimed = member.tryClaim()
        if (claimed > 0) memory.store(attendedTo(shape, 1), 1)
        member.advance()
        member.close()
        return claimed
      },
      reader0: (memory) => {
        const source = Ring.attach(memory).source({ spins: 0, after: [{ group: 0 }] })
        const known = source.attended()
        for (let n = 1; n <= known; n++) {
          const isTrue = memory.load(attendedTo(shape, n)) === 1
          guarantee('ring/attended' satisfies Guarantee, isTrue, `nobody attended to item ${n}`)
        }
        return source.available() - known
      },
    },
    sometimes: { 'nobody attended to an item': (_, { reader0 }) => (reader0 ?? 0) > 0 },
  })
}

/** The only member leaves what it has claimed: who stands behind it knows that nobody attended to that. */
export function behindClaimLeft(): Program<Numbers> {
  const shape = behindGroup
  return program<Numbers>({
    ...described(shape, 'behind-claim-left'),
    threads: {
      member0: (memory) => {
        sinkOf(memory).push(itemOf(1))
        const member = memberOf(memory, shape, 0)
        const claimed = member.tryClaim()
        member.close()
        return claimed
      },
      reader0: (memory) => {
        const source = Ring.attach(memory).source({ spins: 0, after: [{ group: 0 }] })
        const known = source.attended()
        guarantee('ring/attended' satisfies Guarantee, known === 0, 'nobody attended to the item')
        return source.available()
      },
    },
    sometimes: { 'it comes through': (_, { reader0 }) => reader0 === 1, 'it does not': (_, { reader0 }) => reader0 === 0 },
  })
}

/** The member stands behind the reader: it claims what that one has advanced past. */
export function groupBehindTried(tries: number): Program<Numbers> {
  const shape = behindGroup
  return anonymous<Numbers>({
    ...described(shape, `try${tries}-group-behind`),
    threads: {
      writer: (memory) => triesToPush(memory, shape, tries),
      reader0: (memory) => {
        const source = Ring.attach(memory).source({ spins: 0 })
        const seen = source.available()
        if (seen > 0) memory.store(attendedTo(shape, 1), 1)
        source.advance(seen)
        return seen
      },
      member0: (memory) => {
        const member = memberOf(memory, shape, 0, { after: [0] })
        const claimed = member.tryClaim()
        const isDone = claimed === 0 || memory.load(attendedTo(shape, 1)) === 1
        guarantee('ring/gated' satisfies Guarantee, isDone, 'an item is claimed that the reader ahead is not done with')
        member.advance()
        return claimed
      },
    },
    sometimes: { 'an item comes through': (_, { member0 }) => member0 === 1 },
  })
}

/** The reader takes one of two items, leaves, and begins anew after both: the member behind it knows that nobody attended to the second. */
export function groupBehindLeft(): Program<Numbers> {
  const shape = { ...behindGroup, capacity: 2 }
  const { setup, ...rest } = described(shape, 'group-behind-left')
  return anonymous<Numbers>({
    ...rest,
    setup: (memory) => {
      setup(memory)
      sinkOf(memory).pushBatch(Uint8Array.of(...itemOf(1), ...itemOf(2)))
    },
    threads: {
      reader0: (memory) => {
        const source = Ring.attach(memory).source({ spins: 0 })
        source.available()
        memory.store(attendedTo(shape, 1), 1)
        source.advance(1)
        source.close()
        return itemsBefore(shape, Ring.attach(memory).source({ spins: 0, from: 'latest' }).position)
      },
      member0: (memory) => {
        const member = memberOf(memory, shape, 0, { after: [0] })
        const claimed = member.tryClaim(2)
        const known = member.attended()
        for (let n = 1; n <= known; n++) {
          const isTrue = memory.load(attendedTo(shape, n)) === 1
          guarantee('ring/attended' satisfies Guarantee, isTrue, `nobody attended to item ${n}`)
        }
        return 10 * claimed + known
      },
    },
    sometimes: {
      'it knows what was attended to': (_, { member0 }) => member0 === 11,
      'it gets what nobody attended to': (_, { member0 = 0 }) => member0 >= 20,
    },
  })
}

/** A reader behind the group, or a member behind the reader, sleeps until the one ahead is done; the writer closes. */
export function gatedGroup(items: number, isBehind: 'reader' | 'group'): Program<Numbers> {
  const shape = behindGroup
  const target = (): Uint8Array => new Uint8Array(itemBytes)
  return anonymous<Numbers>({
    ...described(shape, `push${items}-${isBehind === 'group' ? 'group-behind' : 'behind-group'}`),
    threads: {
      writer: (memory) => {
        const sink = sinkOf(memory)
        for (let n = 1; n <= items; n++) sink.push(itemOf(n))
        return items
      },
      reader0: (memory) => {
        const after = isBehind === 'reader' ? { after: [{ group: 0 }] } : {}
        const source = Ring.attach(memory).source({ spins: 0, ...after })
        for (let n = 1; n <= items; n++) source.pop(target())
        return items
      },
      member0: (memory) => {
        const member = memberOf(memory, shape, 0, isBehind === 'group' ? { after: [0] } : {})
        for (let n = 1; n <= items; n++) member.pop(target())
        return items
      },
    },
  })
}

/** The writer tries to push, and may die; the member claims what there is, and looks for the end. */
export function memberOfDeadWriter(shape: Shape, tries: number): Program<Numbers> {
  const slug = 'ring/survives-writer' satisfies Guarantee
  return deadly({
    ...described(shape, `try${tries}-killed-writer`),
    threads: {
      writer: (memory) => triesToPush(memory, shape, tries),
      member0: (memory) => {
        const member = memberOf(memory, shape, 0)
        const isDead = !isAlive(memory, 0) && memory.load(words.sinkSeat) !== 0
        member.tryClaim(shape.capacity)
        member.advance()
        const end = member.end()
        guarantee(slug, !isDead || end === 'abandoned', 'the writer is dead, and the stream goes on')
        guarantee(slug, end === undefined || !isAlive(memory, 0), 'the writer lives, and the stream was abandoned')
        const [claimed, pushed] = [claimedIn(memory, shape), writtenIn(memory, shape)]
        guarantee(slug, end === undefined || claimed === pushed, `${pushed} items were pushed, and ${claimed} claimed`)
        return end === undefined ? 0 : 1
      },
    },
    faults: { kill: ['writer'] },
    sometimes: { 'the stream was abandoned': (_, { member0 }) => member0 === 1 },
  })
}
