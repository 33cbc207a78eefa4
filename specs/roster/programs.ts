import { guarantee } from '../../checker/guarantee.ts'
import { lineWords } from '../../core/layout.ts'
import type { Memory } from '../../core/memory.ts'
import { Roster } from '../../core/roster.ts'
import { type Program, program } from '../../model/program.ts'
import type { Creation } from '../creation.ts'
import type { Guarantee } from './guarantees.ts'

/** Small programs around a roster. Each thread attaches by itself. */

/** Where the words are: the roster at word 0, and then those of the program. */
export const words: { seat(seat: number): number; readonly item: number } = {
  seat: (seat) => lineWords + seat,
  item: Roster.words(),
}

/** The last number that a roster gives. */
const last = 2 ** 29 - 1

/** What a thread returns: the numbers that it got. */
type Numbers = readonly number[]
type Shares = Record<string, Numbers>

interface Shape {
  readonly seats: number
  /** Who is there from the start: the numbers from 0 on. */
  readonly entered?: number
  /** What the states of the seats begin with, without those who are there. */
  readonly state?: number
}

function base(
  name: string,
  { seats, entered = 0, state = 0 }: Shape,
  threads: Record<string, (memory: Memory) => Numbers>,
  extra: Partial<Program<Shares>> = {},
): Program<Shares> {
  return program<Shares>({
    name: `roster/${name}`,
    words: Roster.words() + lineWords,
    setup: (memory) => {
      const roster = Roster.create(memory, { seats })
      for (let seat = 0; seat < seats; seat++) memory.write(words.seat(seat), state)
      for (let i = 0; i < entered; i++) roster.enter()
    },
    threads,
    ...extra,
  })
}

/** Enters, if there is room. */
function entered(roster: Roster): Numbers {
  try {
    return [roster.enter()]
  } catch (error) {
    // An error of the roster is an answer, and one of the memory is not.
    if (!(error instanceof Error && error.message.startsWith('Roster.enter'))) throw error
    return []
  }
}

/** A number that was given is known. */
function isAlive(roster: Roster, number: number): boolean {
  try {
    return roster.alive(number)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    guarantee('roster/final' satisfies Guarantee, false, `${number} was given, and is not known: ${error.message}`)
    return false
  }
}

function differ(shares: Partial<Shares>): Numbers {
  const all = Object.values(shares).flatMap((numbers) => numbers ?? [])
  guarantee('roster/one-each' satisfies Guarantee, new Set(all).size === all.length, `the numbers ${all.join()} were given`)
  return all
}

/** Some enter at the same time: as many as there are seats get a number. */
export function entering(threads: 2 | 3, seats: 1 | 2 | 3): Program<Shares> {
  const body = (memory: Memory) => entered(Roster.attach(memory))
  const names = ['first', 'second', 'third'].slice(0, threads)
  return base(`enter/${threads}t${seats}s`, { seats }, Object.fromEntries(names.map((name) => [name, body])), {
    finally: (memory, shares) => {
      const all = differ(shares)
      const room = Math.min(threads, seats)
      guarantee('roster/one-each' satisfies Guarantee, all.length === room, `${all.length} got one of ${seats} seats`)
      const roster = Roster.attach(memory)
      for (const number of all) guarantee('roster/final' satisfies Guarantee, isAlive(roster, number), `${number} is not alive`)
    },
  })
}

/** Two come and go, twice each, where there is one seat: a number never comes again. */
export function comingAndGoing(): Program<Shares> {
  const body = (memory: Memory): Numbers => {
    const roster = Roster.attach(memory)
    return [0, 1].flatMap(() => {
      const numbers = entered(roster)
      for (const number of numbers) {
        guarantee('roster/final' satisfies Guarantee, isAlive(roster, number), `${number} was struck off by another one`)
        roster.strike(number)
        guarantee('roster/final' satisfies Guarantee, !isAlive(roster, number), `${number} is alive after it was struck off`)
      }
      return numbers
    })
  }
  return base(
    'enter-strike-twice/2t',
    { seats: 1 },
    { first: body, second: body },
    {
      finally: (memory, shares) => {
        const all = differ(shares)
        const roster = Roster.attach(memory)
        for (const number of all) guarantee('roster/final' satisfies Guarantee, !isAlive(roster, number), `${number} is alive`)
      },
      sometimes: {
        'both get two': (_, { first, second }) => first?.length === 2 && second?.length === 2,
        'one finds no seat': (_, { first }) => first?.length === 0,
      },
    },
  )
}

/** Two strike the same one off, and one of them then enters in its seat. */
export function strikingTwice(): Program<Shares> {
  return base(
    'strike-strike-enter',
    { seats: 1, entered: 1 },
    {
      first: (memory) => {
        const roster = Roster.attach(memory)
        roster.strike(0)
        return entered(roster)
      },
      second: (memory) => {
        const roster = Roster.attach(memory)
        roster.strike(0)
        guarantee('roster/final' satisfies Guarantee, !roster.alive(0), '0 is alive after it was struck off')
        return []
      },
    },
    {
      finally: (memory, shares) => {
        guarantee('roster/one-each' satisfies Guarantee, differ(shares).join() === '1', 'the seat was not free')
        guarantee('roster/final' satisfies Guarantee, isAlive(Roster.attach(memory), 1), '1 was struck off by mistake')
      },
    },
  )
}

/** Somebody writes and is struck off; another one waits for that, and reads. Or both plainly, and the other one looks once. */
export function leaving(waits: boolean): Program<Shares> {
  return base(
    waits ? 'strike-waited-for' : 'strike-looked-for-plain',
    { seats: 2, entered: 2 },
    {
      leaver: (memory) => {
        if (waits) memory.store(words.item, 7)
        else memory.write(words.item, 7)
        Roster.attach(memory).strike(1)
        return []
      },
      looker: (memory) => {
        const { alive } = Roster.attach(memory).livenessOf(0)
        while (waits && alive(1)) memory.pause()
        if (alive(1)) return []
        const found = waits ? memory.load(words.item) : memory.read(words.item)
        guarantee('roster/visible' satisfies Guarantee, found === 7, `found ${found}`)
        return [found]
      },
    },
    {
      sometimes: {
        'it is gone': (_, { looker }) => looker?.length === 1,
        ...(waits ? {} : { 'it is there': (_: unknown, { looker }: Partial<Shares>) => looker?.length === 0 }),
      },
    },
  )
}

/** Two want the last number that there is. */
export function usingUp(): Program<Shares> {
  const body = (memory: Memory): Numbers => {
    const roster = Roster.attach(memory)
    const numbers = entered(roster)
    for (const number of numbers) roster.strike(number)
    return numbers
  }
  return base(
    'last-number/2t',
    { seats: 1, state: 2 * last },
    { first: body, second: body },
    {
      finally: (memory, shares) => {
        const all = differ(shares)
        guarantee('roster/one-each' satisfies Guarantee, all.join() === `${last}`, `the numbers ${all.join()} were given`)
        guarantee('roster/final' satisfies Guarantee, !isAlive(Roster.attach(memory), last), 'the last one is alive')
      },
    },
  )
}

/** Numbers that nobody has had are refused, and who was struck off takes no part. */
export function refusing(): Program<Shares> {
  const isRefused = (call: () => unknown): boolean => {
    try {
      call()
      return false
    } catch (error) {
      // An error of the roster is an answer, and one of the memory is not.
      if (!(error instanceof Error && error.message.startsWith('Roster'))) throw error
      return true
    }
  }
  return base(
    'refuses',
    { seats: 2, entered: 1 },
    {
      alone: (memory) => {
        const roster = Roster.attach(memory)
        const strange = [1, 2, -1, 0.5, 2 ** 29].flatMap((number) => [
          isRefused(() => roster.alive(number)),
          isRefused(() => roster.strike(number)),
        ])
        guarantee('roster/final' satisfies Guarantee, !strange.includes(false), `refused: ${strange.join()}`)
        guarantee('roster/final' satisfies Guarantee, roster.alive(0), '0 is not alive')
        roster.strike(0)
        guarantee(
          'roster/final' satisfies Guarantee,
          isRefused(() => roster.livenessOf(0)),
          '0 takes part after its end',
        )
        return []
      },
    },
  )
}

/** How it is made. */
export const creation: Creation = {
  slug: 'roster/attaches' satisfies Guarantee,
  name: 'Roster',
  words: Roster.words({ seats: 1 }),
  create: (memory) => void Roster.create(memory, { seats: 1 }),
  attach: (memory) => {
    const roster = Roster.attach(memory)
    return `${roster.seats} ${roster.enter()} ${roster.alive(0)}`
  },
  found: '1 0 true',
  parameters: ['seats'],
  state: { 'that the seat is free': words.seat(0) },
}
