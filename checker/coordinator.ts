import type { Exploration, Found } from './exploration.ts'
import { type Parcel, wholeParcel } from './parcel.ts'
import type { Failure } from './report.ts'
import { emptyTally, sum, type Tally } from './tally.ts'

/**
 * Many explore one program: who explores what, and what they found together. Knows no threads and no clocks.
 *
 * The tree is a list of places in the order of the sequential search. What somebody leaves of a place stays where it was, so
 * that the failure that counts is the first in that order, whoever found it first: a failure is the program's once everything
 * before it is done. The order inside a place is that of who explores it. It can differ from the sequential one only where
 * threads spin: a search adds the loads later of which it has learned that threads spin on them.
 */

/** What somebody is to explore: subtrees, one after the other. */
export interface Job {
  readonly id: number
  readonly subtrees: readonly Parcel[]
  /** Which `sometimes` had a witness before. */
  readonly witnessed: readonly string[]
}

/** What came of it. */
export interface Answer {
  readonly tally: Tally
  /** What is left. */
  readonly rest: readonly Parcel[]
  /** What is wrong with the next execution. */
  readonly found?: Found
  /** There are more executions than it was allowed to see. */
  readonly more?: boolean
}

/** When a job comes back with work left. */
export interface Patience {
  /** Asked after every `askEvery` ends of paths. */
  stop(): boolean
  readonly askEvery?: number
  /** Asked while the crashes of one execution are judged, too. */
  isLate?(): boolean
  /** How many executions it may see. */
  readonly executions?: number | undefined
}

/** Explores until nothing is left, something is wrong, or patience ends. */
export function pursue(exploration: Exploration, job: Omit<Job, 'id'>, patience: Patience): Answer {
  exploration.enter(job.subtrees, job.witnessed)
  const pause = exploration.run(patience.stop, patience.executions, patience.askEvery, patience.isLate)
  const { tally, found } = exploration
  return {
    tally,
    rest: pause === 'failed' ? [] : exploration.rest(),
    ...(found === undefined ? {} : { found }),
    ...(pause === 'executions' ? { more: true } : {}),
  }
}

/** Some of the tree, as it can be saved: what was found in it, and then what is left to be explored. */
export interface Place {
  /** The part of the tree that it belongs to, where the tree was dealt out; what was found is told apart by it. */
  readonly piece: number
  readonly tally: Tally
  readonly subtrees: readonly Parcel[]
}

/** The whole tree, not begun. */
export const wholePlace: Place = { piece: 0, tally: emptyTally, subtrees: [wholeParcel] }

interface Taken {
  readonly id: number
  /** What was found so far, as it was told. */
  tally: Tally
}

/** A place, and who is there or what is wrong there. */
interface State extends Place {
  readonly taken?: Taken
  /** `tally` is then that of the place before, and this what came until it failed. */
  readonly failed?: { readonly found: Found; readonly tally: Tally }
}

/** A `sometimes` that failed, and counts if nothing before it was a witness: of a part of the tree only the whole knows. */
export interface Doubt {
  readonly sometimes: string
  readonly failure: Failure
  /** The piece in which it failed, and what was found in it until then. */
  readonly piece: number
  readonly tally: Tally
}

export class Coordinator {
  readonly #places: State[]
  readonly #doubts: Doubt[]
  #jobs = 0

  constructor(places: readonly Place[] = [wholePlace], doubts: readonly Doubt[] = []) {
    this.#places = [...places]
    this.#doubts = [...doubts]
  }

  /** What was passed over, in order. */
  get doubts(): readonly Doubt[] {
    return this.#doubts
  }

  /**
   * A job for somebody who has nothing to do; `undefined` while there is none.
   *
   * @param idle how many have nothing to do: they share what there is
   */
  take(idle = 1): Job | undefined {
    const open = this.#pending.filter(({ taken }) => taken === undefined)
    if (open.length === 0) return undefined
    const [place] = open
    const wanted = sumOf(open.map(massOf)) / idle
    const { piece, subtrees } = place
    let count = 1
    // One that is more than what is wanted is left to the others: with a search that goes deep first, it is often nearly all.
    for (let mass = subtrees[0].mass; count < subtrees.length; count++) {
      mass += subtrees[count].mass
      if (mass > wanted) break
    }
    const job = { id: this.#jobs++, subtrees: subtrees.slice(0, count), witnessed: [...this.#witnessedBefore(place)] }
    const taken = { ...place, subtrees: job.subtrees, taken: { id: job.id, tally: emptyTally } }
    const rest = { piece, tally: emptyTally, subtrees: subtrees.slice(count) }
    this.#replace(place, rest.subtrees.length > 0 ? [taken, rest] : [taken])
    return job
  }

  /** Takes note of what was found so far. */
  tell(id: number, tally: Tally): void {
    const taken = this.#placeOf(id)?.taken
    if (taken !== undefined) taken.tally = tally
  }

  /** Takes an answer; not twice. */
  answer(id: number, { tally, rest, found }: Answer): void {
    const place = this.#placeOf(id)
    if (place === undefined) return
    const { taken: _, ...left } = place
    this.#replace(place, [
      found === undefined
        ? { ...left, tally: sum([place.tally, tally]), subtrees: rest }
        : { ...left, failed: { found, tally: sum([place.tally, tally]) } },
    ])
  }

  /** Whoever had a job will not answer: somebody else is to do it. */
  lose(id: number): void {
    const place = this.#placeOf(id)
    if (place === undefined) return
    const { taken: _, ...left } = place
    this.#replace(place, [left])
  }

  /** The jobs on which the end waits, and about how much of the tree is left in each. */
  get taken(): { readonly id: number; readonly left: number }[] {
    return this.#pending.flatMap((place) => {
      const { taken } = place
      return taken === undefined ? [] : [{ id: taken.id, left: massOf(place) - taken.tally.share }]
    })
  }

  /** How it ended, if it has: with the first failure, or with everything explored. */
  settle(): 'explored' | Found | undefined {
    const witnessed = new Set<string>()
    for (const place of this.#places) {
      for (const name of place.tally.witnessed) witnessed.add(name)
      const { failed, ...rest } = place
      if (failed !== undefined) {
        const { sometimes } = failed.found
        if (sometimes === undefined || !(witnessed.has(sometimes) || this.#isDoubted(sometimes))) return failed.found
        // Nobody would have asked: it had a witness.
        this.#replace(place, [rest])
        return undefined
      }
      if (place.subtrees.length > 0) return undefined
    }
    return 'explored'
  }

  /** Goes on after the first failure, that of a `sometimes`, as if it had had a witness before. */
  doubt(sometimes: string): void {
    const place = this.#places.find(({ failed }) => failed !== undefined)
    if (place?.failed === undefined) return
    const { failed, ...rest } = place
    const { piece, tally } = this.pieces[this.pieces.length - 1]
    this.#doubts.push({ sometimes, failure: failed.found.failure, piece, tally })
    this.#replace(place, [rest])
  }

  /** What was found, up to the first failure. While somebody is at work, as far as is known. */
  get tally(): Tally {
    return sum(this.pieces.map(({ tally }) => tally))
  }

  /** The same by pieces, in their order. */
  get pieces(): { readonly piece: number; readonly tally: Tally }[] {
    const tallies = new Map<number, Tally[]>()
    for (const { piece, tally, taken, failed } of this.#places) {
      const own = tallies.get(piece) ?? []
      tallies.set(piece, own)
      own.push(failed?.tally ?? tally)
      if (taken !== undefined) own.push(taken.tally)
      if (failed !== undefined) break
    }
    return [...tallies].map(([piece, found]) => ({ piece, tally: sum(found) }))
  }

  /** All there is to know, but for what is being done now and what has failed: those are to be done again. */
  save(): Place[] {
    return this.#places.map(({ piece, tally, subtrees }) => ({ piece, tally, subtrees }))
  }

  /** The places before the first failure where something is left to be done. */
  get #pending(): State[] {
    const end = this.#places.findIndex(({ failed }) => failed !== undefined)
    return this.#places.slice(0, end < 0 ? undefined : end).filter(({ subtrees }) => subtrees.length > 0)
  }

  #placeOf(id: number): State | undefined {
    return this.#places.find(({ taken }) => taken?.id === id)
  }

  #witnessedBefore(place: State): Set<string> {
    const before = this.#places.slice(0, this.#places.indexOf(place) + 1)
    return new Set([...before.flatMap(({ tally }) => tally.witnessed), ...this.#doubts.map(({ sometimes }) => sometimes)])
  }

  #isDoubted(name: string): boolean {
    return this.#doubts.some(({ sometimes }) => sometimes === name)
  }

  /** Puts places where one was, and makes one of neighbours where nothing is lost by it. */
  #replace(place: State, by: readonly State[]): void {
    const at = this.#places.indexOf(place)
    this.#places.splice(at, 1, ...by)
    for (let i = at + by.length; i >= at; i--) {
      const [first, second] = [this.#places[i - 1], this.#places[i]]
      if (first === undefined || second === undefined || !areOne(first, second)) continue
      const tally = sum([first.tally, second.tally])
      const { piece } = first
      this.#places.splice(i - 1, 2, { piece, tally, subtrees: [...first.subtrees, ...second.subtrees] })
    }
  }
}

/** Whether nothing is to be explored between what was found in one place and what was found in the next. */
function areOne(first: State, second: State): boolean {
  if (first.piece !== second.piece || [first, second].some(({ taken, failed }) => (taken ?? failed) !== undefined)) return false
  const { executions, blocked, discarded, cut } = second.tally
  return first.subtrees.length === 0 || (executions + blocked + discarded === 0 && !cut)
}

function massOf({ subtrees }: Place): number {
  return sumOf(subtrees.map(({ mass }) => mass))
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0)
}
