import {
  fourLetters,
  lineWords,
  publishHeader,
  readHeader,
  requirePlace,
  requireWords,
  wholeLines,
  writeHeader,
} from './layout.ts'
import type { Memory } from './memory.ts'
import { requireInteger } from './require.ts'

/**
 * A roster: who takes part on a memory that cannot tell by itself who is alive, as `SharedMemory` cannot.
 *
 * Whoever starts a thread enters it, and strikes it off when it has seen the thread end. Structures on a memory with the
 * `liveness` of a roster survive their users, as they do on a mapped file.
 *
 * ```
 *   word
 *   0       header    parameters: seats
 *   32 ..   seats     for each: 2 * incarnation, + 1 while somebody sits there
 * ```
 *
 * A participant is the number `incarnation * seats + seat`. Incarnations of a seat only rise: a number never comes again. A seat
 * whose numbers are used up stays empty; there are 2^29 in the life of a roster.
 */
export interface RosterOptions {
  /** How many can take part at a time, from 1 to 1024; default 64. */
  readonly seats?: number
}

const kind = fourLetters('ROST')
const seatsMax = 1024
const participantsMax = 2 ** 29
const seatsAt = lineWords

/**
 * The roster as one thread sees it.
 *
 * ```ts
 * // Who starts the threads.
 * const memory = new SharedMemory(Roster.words() + Ring.words(shape))
 * const roster = Roster.create(memory)
 * Ring.create(memory, shape, Roster.words())
 * const participant = roster.enter()
 * const worker = new Worker(file, { workerData: { buffer: memory.buffer, participant } })
 * worker.once('exit', () => roster.strike(participant))
 * // In a browser, where a worker that is terminated may run on for a while: when it no longer holds a lock that it took first of all.
 * navigator.locks.request(nameOfItsLock, () => roster.strike(participant))
 *
 * // Each thread, before it attaches to anything else.
 * const memory = new SharedMemory(workerData.buffer)
 * memory.liveness = Roster.attach(memory).livenessOf(workerData.participant)
 * ```
 */
export class Roster {
  /** How many can take part at a time. */
  readonly seats: number
  private readonly memory: Memory
  private readonly seatsAt: number

  private constructor(memory: Memory, at: number, seats: number) {
    this.memory = memory
    this.seats = seats
    this.seatsAt = at + seatsAt
  }

  /**
   * How many words a roster takes: a multiple of `lineWords`.
   *
   * @throws RangeError when an option is out of its range
   */
  static words(options: RosterOptions = {}): number {
    return wordsOf(requireSeats(options))
  }

  /**
   * Makes a roster. One thread does this, before any other attaches.
   *
   * @param at the word where the roster begins, a multiple of `lineWords` (32); whatever these words held is overwritten
   * @throws RangeError when an option is out of its range, or the memory too short
   */
  static create(memory: Memory, options: RosterOptions = {}, at = 0): Roster {
    const seats = requireSeats(options)
    const words = wordsOf(seats)
    requirePlace('Roster.create', memory, at, words)
    writeHeader(memory, at, kind, words, [seats])
    // Plain, for `publishHeader` publishes it.
    // Safety: roster/attaches
    for (let seat = 0; seat < seats; seat++) memory.write(at + seatsAt + seat, 0)
    publishHeader(memory, at)
    return new Roster(memory, at, seats)
  }

  /**
   * Joins a roster that another thread created. Any number of threads may.
   *
   * @throws Error when no roster stands there
   */
  static attach(memory: Memory, at = 0): Roster {
    const { words, parameters } = readHeader('Roster.attach', memory, at, kind, 1)
    const seats = requireSeats({ seats: parameters[0] as number })
    requireWords('Roster.attach', words, wordsOf(seats))
    return new Roster(memory, at, seats)
  }

  /**
   * Enters somebody who is about to take part. Any thread may, for itself or for another one. Lock-free.
   *
   * @returns its number, which nobody else has had or will have
   * @throws Error when all seats are taken
   */
  enter(): number {
    const { memory, seats } = this
    for (let seat = 0; seat < seats; seat++) {
      // Safety: roster/one-each
      for (let state = memory.load(this.seatsAt + seat); !isTaken(state); ) {
        const participant = (state >> 1) * seats + seat
        if (participant >= participantsMax) break
        // The number is the caller's that turned this very state into taken: a state that was left is not seen again.
        // Safety: roster/one-each
        const found = memory.compareExchange(this.seatsAt + seat, state, state + 1)
        if (found === state) return participant
        state = found
      }
    }
    throw new Error(`Roster.enter: all ${seats} seats are taken; strike off who has ended, or create it with more seats`)
  }

  /**
   * Strikes somebody off, for good: it takes no part any more, and whoever finds it in its way goes on in its place. Called when its
   * thread has ended, by any other; or by itself, as the last thing it does. Doing so again does nothing. Wait-free.
   *
   * A thread that still runs must not be struck off: what it does then would meet what is done in its place.
   *
   * @throws RangeError for a number that nobody has had
   */
  strike(participant: number): void {
    const taken = this.takenBy(participant)
    // Whoever sits there later has another number, and stays.
    // Safety: roster/final
    if (this.memory.compareExchange(this.seatOf(participant), taken, taken + 1) < taken) this.refuse(participant)
  }

  /**
   * Whether somebody takes part. False is final, and what it did is visible to whoever finds that. Wait-free; costs one load.
   *
   * @throws RangeError for a number that nobody has had
   */
  alive(participant: number): boolean {
    const taken = this.takenBy(participant)
    // Safety: roster/final, roster/visible
    const state = this.memory.load(this.seatOf(participant))
    if (state < taken) this.refuse(participant)
    return state === taken
  }

  /**
   * What a memory needs so that structures on it know who is alive: give it to `SharedMemory` as its `liveness`.
   *
   * @param participant the number of the calling thread
   * @throws RangeError for a number that nobody has had
   * @throws Error when it has been struck off
   */
  livenessOf(participant: number): NonNullable<Memory['liveness']> {
    if (!this.alive(participant)) throw new Error(`Roster: participant ${participant} was struck off; enter it anew`)
    return { self: participant, alive: (other) => this.alive(other) }
  }

  private seatOf(participant: number): number {
    return this.seatsAt + (participant % this.seats)
  }

  /** The state of its seat while it sits there. */
  private takenBy(participant: number): number {
    requireInteger('Roster: participant', participant, 0, participantsMax - 1)
    return 2 * Math.floor(participant / this.seats) + 1
  }

  private refuse(participant: number): never {
    throw new RangeError(`Roster: expected a participant that was entered, found ${participant}`)
  }
}

function isTaken(state: number): boolean {
  return (state & 1) !== 0
}

function requireSeats({ seats = 64 }: RosterOptions): number {
  requireInteger('Roster: seats', seats, 1, seatsMax)
  return seats
}

function wordsOf(seats: number): number {
  return seatsAt + wholeLines(seats)
}
