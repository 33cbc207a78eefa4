import { canonical, frozen } from '../model/plain-data.ts'
import type { HistoryPromise, Outcome, Sequential } from '../model/sequential.ts'
import { ProgramError } from '../model/validate.ts'

/**
 * A sequential specification as an automaton that grows while it is used. States and operations become small integers, and
 * user code runs once for each pair of them; histories by the thousand then walk what is there.
 */

/** An operation as a history has it. */
export interface Called {
  readonly thread: string
  readonly name: string
  readonly argument?: unknown
  readonly result?: unknown
  /** It has not returned: whatever it would have returned is right, and so is that it never took effect. */
  readonly pending: boolean
}

/** What reads the operations of a history in some order, and says whether it is explained. */
export interface Acceptor {
  /** The number of the state in which everything begins. */
  readonly initial: number
  /** The number of an operation: the same for calls that are the same. */
  letter(called: Called): number
  /** The states that an operation may lead to. None: it cannot come here. */
  next(state: number, letter: number): readonly number[]
  /** Whether a history may end in a state. */
  accepts(state: number): boolean
}

/** The acceptor of what a promise allows; for sequential consistency that of the specification. */
export function acceptorOf({ specification, condition }: HistoryPromise): Acceptor {
  const exact = new Specified(specification)
  return typeof condition === 'object' ? new Quasi(exact, condition.quasi) : exact
}

class Specified implements Acceptor {
  readonly initial: number
  readonly #specification: Sequential
  readonly #states: unknown[] = []
  readonly #stateNumbers = new Map<string, number>()
  readonly #letters: (Called & { readonly returns: string })[] = []
  readonly #letterNumbers = new Map<string, number>()
  /** For each state its successors by letter. */
  readonly #next: Map<number, readonly number[]>[] = []

  constructor(specification: Sequential) {
    this.#specification = specification
    this.initial = this.#stateNumber(specification.initial)
  }

  letter(called: Called): number {
    const { thread, name, argument, result, pending } = called
    const returns = pending ? '' : canonical(result)
    const key = `${canonical([thread, name, argument])}${returns}`
    let letter = this.#letterNumbers.get(key)
    if (letter === undefined) {
      if (!Object.hasOwn(this.#specification.operations, name)) {
        const known = Object.keys(this.#specification.operations).join(', ')
        throw new ProgramError(`the history has an operation ${name}, but the specification only knows ${known}`)
      }
      letter = this.#letters.push({ ...called, returns }) - 1
      this.#letterNumbers.set(key, letter)
    }
    return letter
  }

  next(state: number, letter: number): readonly number[] {
    let next = this.#next[state].get(letter)
    if (next === undefined) {
      next = this.#step(state, letter)
      this.#next[state].set(letter, next)
    }
    return next
  }

  accepts(): boolean {
    return true
  }

  /** What an operation is called. */
  nameOf(letter: number): string {
    return this.#letters[letter].name
  }

  /** Whether an operation of this name has been called with an argument. */
  takesArguments(name: string): boolean {
    return this.#letters.some((letter) => letter.name === name && letter.argument !== undefined)
  }

  #step(state: number, letter: number): readonly number[] {
    const { thread, name, argument, pending, returns } = this.#letters[letter]
    const answer = this.#specification.operations[name](this.#states[state], argument, thread)
    const outcomes: readonly Outcome<unknown>[] = Array.isArray(answer) ? answer : [answer]
    const next = new Set<number>()
    for (const outcome of outcomes) {
      if (typeof outcome !== 'object' || outcome === null || !('state' in outcome)) {
        throw new ProgramError(
          `operation ${name} of the specification: expected { state, result }, or a list of them, found ${outcome}`,
        )
      }
      if (pending || canonical(outcome.result) === returns) next.add(this.#stateNumber(outcome.state))
    }
    return [...next]
  }

  #stateNumber(state: unknown): number {
    const key = canonical(frozen(state, 'state'))
    let number = this.#stateNumbers.get(key)
    if (number === undefined) {
      number = this.#states.push(state) - 1
      this.#stateNumbers.set(key, number)
      this.#next.push(new Map())
    }
    return number
  }
}

/** A place in the history: taken by the operation that stands there, or by any of its kind. */
type Place = { readonly letter: number } | { readonly kind: string }

/** An operation that may move, and by how many places it comes before (-) or after the first open place of its kind. */
interface Movable {
  readonly letter: number
  readonly offset: number
}

interface Moved {
  /** The state of the specification after all places that are filled. */
  readonly state: number
  /** Places that are still open, in order. */
  readonly open: readonly Place[]
  /** Operations of each kind that have no place yet. */
  readonly waiting: Readonly<Record<string, readonly Movable[]>>
}

/**
 * Accepts what the specification accepts after operations of some kinds have changed places with others of their kind.
 * It fills the places in order, as soon as all who may stand there have come.
 */
class Quasi implements Acceptor {
  readonly initial: number
  readonly #exact: Specified
  readonly #most: Readonly<Record<string, number>>
  readonly #states: Moved[] = []
  readonly #numbers = new Map<string, number>()
  readonly #next: Map<number, readonly number[]>[] = []

  constructor(exact: Specified, most: Readonly<Record<string, number>>) {
    this.#exact = exact
    this.#most = most
    this.initial = this.#number({ state: exact.initial, open: [], waiting: {} })
  }

  letter(called: Called): number {
    return this.#exact.letter(called)
  }

  next(state: number, letter: number): readonly number[] {
    let next = this.#next[state].get(letter)
    if (next === undefined) {
      next = [...new Set(this.#fill(this.#add(this.#states[state], letter), false).map((moved) => this.#number(moved)))]
      this.#next[state].set(letter, next)
    }
    return next
  }

  accepts(state: number): boolean {
    return this.#ends(this.#states[state], {})
  }

  /**
   * Whether a history may end so. An operation may stand where one will stand that has not been called yet; of a kind
   * without arguments, it is known enough to be tried.
   */
  #ends(moved: Moved, added: Readonly<Record<string, number>>): boolean {
    if (this.#fill(moved, true).length > 0) return true
    return Object.keys(moved.waiting).some((kind) => {
      const count = added[kind] ?? 0
      if (count === this.#most[kind] || this.#exact.takesArguments(kind)) return false
      const later = this.letter({ thread: '', name: kind, pending: true })
      return this.#ends(this.#add(moved, later), { ...added, [kind]: count + 1 })
    })
  }

  #add({ state, open, waiting }: Moved, letter: number): Moved {
    const kind = this.#exact.nameOf(letter)
    if (!Object.hasOwn(this.#most, kind)) return { state, open: [...open, { letter }], waiting }
    const offset = open.filter((place) => 'kind' in place && place.kind === kind).length
    const kin = [...(waiting[kind] ?? []), { letter, offset }]
    return { state, open: [...open, { kind }], waiting: { ...waiting, [kind]: kin } }
  }

  /** Fills places in every way, as long as it is known who may stand there: at the end, all of them. */
  #fill(moved: Moved, atEnd: boolean): Moved[] {
    const [place, ...open] = moved.open
    if (place === undefined) return [moved]
    if ('letter' in place) {
      const after = this.#exact.next(moved.state, place.letter)
      return after.flatMap((state) => this.#fill({ ...moved, state, open }, atEnd))
    }
    const most = this.#most[place.kind]
    const kin = moved.waiting[place.kind] ?? []
    const come = moved.open.filter((other) => 'kind' in other && other.kind === place.kind).length
    if (!atEnd && come <= most) return [moved]
    // Who would come too late at the next place has to stand here.
    const late = kin.filter(({ offset }) => offset <= -most)
    const candidates = (late.length > 0 ? late : kin).filter(({ offset }) => offset <= most)
    return candidates.flatMap((one) => {
      const rest = kin.filter((other) => other !== one).map(({ letter, offset }) => ({ letter, offset: offset - 1 }))
      const waiting = { ...moved.waiting, [place.kind]: rest }
      return this.#exact.next(moved.state, one.letter).flatMap((state) => this.#fill({ state, open, waiting }, atEnd))
    })
  }

  #number(moved: Moved): number {
    const key = canonical(moved)
    let number = this.#numbers.get(key)
    if (number === undefined) {
      number = this.#states.push(moved) - 1
      this.#numbers.set(key, number)
      this.#next.push(new Map())
    }
    return number
  }
}
