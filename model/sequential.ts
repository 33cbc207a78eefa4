/**
 * What the operations of a structure do when they come one after the other: the measure for the histories that threads
 * record with `mark`.
 */

/** What an operation may do: the state that it leaves, and what it returns. */
export interface Outcome<State> {
  readonly state: State
  readonly result?: unknown
}

/**
 * A sequential specification. States, arguments and results are plain data, and a state is never changed: an operation
 * answers with another one.
 *
 * ```ts
 * const queue = sequential<readonly number[]>({
 *   initial: [],
 *   operations: {
 *     enqueue: (items, item) => ({ state: [...items, item] }),
 *     dequeue: (items) => ({ state: items.slice(1), result: items[0] }),
 *   },
 * })
 * ```
 */
// biome-ignore lint/suspicious/noExplicitAny: programs with specifications of different states stand in one list
export interface Sequential<State = any> {
  readonly initial: State
  /**
   * Each operation by its name: what it may do in a state when it is called with `argument` by `thread`. One outcome; a list
   * where there is a choice (an operation that may time out, or take any of several items); an empty list where it cannot
   * take effect: it waits, or this thread must not call it now.
   */
  readonly operations: Readonly<
    // biome-ignore lint/suspicious/noExplicitAny: each operation has an argument of its own type
    Record<string, (state: State, argument: any, thread: string) => Outcome<State> | readonly Outcome<State>[]>
  >
  /** Operations with different keys have nothing to do with one another, and are judged apart, each from `initial`. */
  // biome-ignore lint/suspicious/noExplicitAny: as above
  key?(argument: any, name: string): unknown
}

/** Describes a sequential specification; only helps TypeScript to infer. */
export function sequential<State>(specification: Sequential<State>): Sequential<State> {
  return specification
}

/**
 * How far the order that explains a history may be from what happened.
 *
 * - `linearizable`: each operation takes effect at one moment between its call and its return (Herlihy and Wing, 1990).
 * - `sequentially-consistent`: only the order within each thread counts (Lamport, 1979). A specification with keys is
 *   refused: what is sequentially consistent key by key need not be so as a whole.
 * - `quasi`: linearizable, but for operations of the named kinds that have changed places with others of their kind, each
 *   by at most so many places: `{ quasi: { dequeue: 1 } }` (Afek, Korland and Yanovsky, "Quasi-linearizability: relaxed
 *   consistency for improved concurrency", 2010). As there, an operation may so return what comes a little later; where it
 *   must not, write the choices into the specification and ask for linearizability.
 */
export type Condition = 'linearizable' | 'sequentially-consistent' | { readonly quasi: Readonly<Record<string, number>> }

/** What a program promises of its marked calls and returns: in every execution some order of them is explained. */
export interface HistoryPromise {
  readonly specification: Sequential
  /** Default: linearizable. */
  readonly condition?: Condition
  /** The guarantee that is broken otherwise, such as `queue/linearizable`; default: the name of the condition. */
  readonly guarantee?: string
  /**
   * Threads may wait for ever in operations that cannot take effect (the specification has an empty list for them): this is
   * then an end like any other, and no deadlock. Only where histories are to be linearizable.
   */
  readonly mayWait?: boolean
}
