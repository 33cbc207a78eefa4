import type { Acceptor } from './acceptor.ts'

/**
 * What may be true at a moment of a history: the state of the specification, and who has taken effect without having
 * returned. An operation takes effect as late as possible, when its return or that of another one needs it ("just in time
 * linearization": Lowe, "Testing for linearizability", 2017).
 */

/** An operation that has been called and has not returned. */
export interface Open {
  /** A number that it has to itself among those that are open. */
  readonly slot: number
  readonly letter: number
}

export interface Configuration {
  /** The same for configurations that are the same. */
  readonly number: number
  readonly state: number
  /** The slots of those who have taken effect, ascending. */
  readonly done: readonly number[]
}

/** A configuration, and who took effect on the way to it. */
export interface Reached {
  readonly configuration: Configuration
  readonly slots: readonly number[]
}

export class Configurations {
  readonly acceptor: Acceptor
  readonly #known = new Map<string, Configuration>()

  constructor(acceptor: Acceptor) {
    this.acceptor = acceptor
  }

  get initial(): Configuration {
    return this.#intern(this.acceptor.initial, [])
  }

  /** Forgets what it knows where that has become much. Configurations from before must not be used afterwards. */
  trim(): void {
    if (this.#known.size > 100_000) this.#known.clear()
  }

  /** What may be true when one more of the open operations has taken effect. */
  after({ state, done }: Configuration, { slot, letter }: Open): readonly Configuration[] {
    const next = this.acceptor.next(state, letter)
    return next.map((after) =>
      this.#intern(
        after,
        [...done, slot].sort((a, b) => a - b),
      ),
    )
  }

  /** The same when an operation that has taken effect is no longer open. */
  closed({ state, done }: Configuration, slot: number): Configuration {
    return this.#intern(
      state,
      done.filter((other) => other !== slot),
    )
  }

  /** Where a history may be when the operation of a slot returns: it has taken effect by then, perhaps after others. */
  returned(from: Configuration, open: readonly Open[], slot: number): readonly Reached[] {
    const found: Reached[] = []
    for (const reached of this.#reach(from, open, slot)) {
      if (!reached.configuration.done.includes(slot)) continue
      found.push({ configuration: this.closed(reached.configuration, slot), slots: reached.slots })
    }
    return found
  }

  /** What may be true when some of the open operations have taken effect. */
  settled(from: Configuration, open: readonly Open[]): readonly Configuration[] {
    return this.#reach(from, open, -1).map(({ configuration }) => configuration)
  }

  /** Who takes effect before the end of a history; `undefined` where it cannot end like this. */
  ended(from: Configuration, open: readonly Open[]): readonly number[] | undefined {
    if (this.acceptor.accepts(from.state)) return []
    for (const { configuration, slots } of this.#reach(from, open, -1)) {
      if (this.acceptor.accepts(configuration.state)) return slots
    }
    return undefined
  }

  /** Every configuration in which some of the open operations have taken effect, up to `last`, each once. */
  #reach(from: Configuration, open: readonly Open[], last: number): readonly Reached[] {
    const all: Reached[] = [{ configuration: from, slots: [] }]
    if (from.done.includes(last)) return all
    const seen = new Set([from.number])
    for (const { configuration, slots } of all) {
      if (configuration.done.includes(last)) continue
      for (const one of open) {
        if (configuration.done.includes(one.slot)) continue
        for (const next of this.after(configuration, one)) {
          if (seen.has(next.number)) continue
          seen.add(next.number)
          all.push({ configuration: next, slots: [...slots, one.slot] })
        }
      }
    }
    return all
  }

  #intern(state: number, done: readonly number[]): Configuration {
    const key = `${state}:${done.join()}`
    let configuration = this.#known.get(key)
    if (configuration === undefined) {
      configuration = { number: this.#known.size, state, done }
      this.#known.set(key, configuration)
    }
    return configuration
  }
}
