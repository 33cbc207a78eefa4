import { lineWords } from '../core/layout.ts'
import type { Memory } from '../core/memory.ts'
import { SharedMemory } from '../core/shared-memory.ts'

/** Where rounds of a program run: instances of its memory, and beside them what its threads tell each other. */
export interface Arena {
  readonly threads: number
  /** Words of one instance. */
  readonly words: number
  /** Rounds of a batch, at most. There are two batches' worth of instances: one is judged while the other runs. */
  readonly capacity: number
  /** From one instance to the next, in bytes. */
  readonly stride: number
  readonly instances: SharedArrayBuffer
  /** A line for each thread (`progressAt`), then those of each `Round`. */
  readonly control: SharedArrayBuffer
}

/** The word of `control` that grows whenever a thread enters the program, and whenever it leaves it. */
export function progressAt(thread: number): number {
  return thread * lineWords
}

/** @param bytes what all instances take together, unless two of them take more */
export function newArena(threads: number, words: number, bytes: number, roundsMax: number): Arena {
  const stride = 4 * Math.ceil(words / lineWords) * lineWords
  const capacity = Math.max(1, Math.min(roundsMax, Math.floor(bytes / 2 / stride)))
  return {
    threads,
    words,
    capacity,
    stride,
    instances: new SharedArrayBuffer(2 * capacity * stride),
    control: new SharedArrayBuffer(4 * (threads * lineWords + 2 * capacity * roundWords(threads))),
  }
}

/** Makes a batch as if it had never run. */
export function clear(arena: Arena, slot: number, rounds: number): void {
  const { instances, control, stride } = arena
  const from = firstByte(arena, slot, 0)
  new Uint8Array(instances, from, rounds * stride).fill(0)
  new Int32Array(control).fill(0, firstWord(arena, slot, 0), firstWord(arena, slot, rounds))
}

/** The instance of round `number` of batch `slot` (0 or 1), as it is before and after the threads. */
export function instance(arena: Arena, slot: number, number: number): SharedMemory {
  return new SharedMemory(arena.instances, firstByte(arena, slot, number), arena.words)
}

/** The same as one of the threads has it. */
export class ParticipantMemory extends SharedMemory {
  override readonly liveness: NonNullable<Memory['liveness']>

  constructor(arena: Arena, slot: number, number: number, self: number) {
    super(arena.instances, firstByte(arena, slot, number), arena.words)
    const round = new Round(arena, slot, number)
    this.liveness = { self, alive: (participant) => round.alive(participant) }
  }
}

// The words of a round.
const arrived = 0
const awake = 1
const killed = 2
/** From here on a word for each thread: 1 when it is dead. */
const deaths = 3

/** Turns of a loop before a thread that waits for others goes to sleep, and again before it does not wait for them to wake. */
const spins = 2000

/** How the threads of a round meet, and who of them is dead. */
export class Round {
  readonly #control: Int32Array
  readonly #at: number
  readonly #threads: number

  constructor(arena: Arena, slot: number, number: number) {
    this.#control = new Int32Array(arena.control)
    this.#at = firstWord(arena, slot, number)
    this.#threads = arena.threads
  }

  /**
   * Waits until all threads stand before the round: spins, because the others are near, then sleeps. Who slept takes long to
   * wake, and the others would be through by then: so all say that they are awake, and wait for that a little.
   */
  meet(): void {
    const control = this.#control
    const threads = this.#threads
    const at = this.#at + arrived
    if (Atomics.add(control, at, 1) === threads - 1) {
      Atomics.notify(control, at)
    } else {
      let here = 0
      for (let i = 0; i < spins && here !== threads; i++) here = Atomics.load(control, at)
      // Only the last one notifies. Whoever counts in between makes `wait` return at once or leaves the sleepers to the last.
      for (; here < threads; here = Atomics.load(control, at)) Atomics.wait(control, at, here)
    }
    Atomics.add(control, this.#at + awake, 1)
    for (let i = 0; i < spins * 5 && Atomics.load(control, this.#at + awake) !== threads; i++);
  }

  alive(participant: number): boolean {
    if (!Number.isInteger(participant) || participant < 0 || participant >= this.#threads) {
      throw new RangeError(`there is no participant ${participant}: expected an integer from 0 to ${this.#threads - 1}`)
    }
    return Atomics.load(this.#control, this.#at + deaths + participant) === 0
  }

  /** Kills a thread, unless `most` have been killed. What it does not do from now on is all that the others can see of it. */
  kill(thread: number, most: number): boolean {
    const control = this.#control
    const at = this.#at + killed
    for (let kills = Atomics.load(control, at); kills < most; kills = Atomics.load(control, at)) {
      if (Atomics.compareExchange(control, at, kills, kills + 1) !== kills) continue
      Atomics.store(control, this.#at + deaths + thread, 1)
      return true
    }
    return false
  }
}

function roundWords(threads: number): number {
  return Math.ceil((deaths + threads) / lineWords) * lineWords
}

function firstWord({ threads, capacity }: Arena, slot: number, number: number): number {
  return threads * lineWords + (slot * capacity + number) * roundWords(threads)
}

function firstByte({ capacity, stride }: Arena, slot: number, number: number): number {
  return (slot * capacity + number) * stride
}
