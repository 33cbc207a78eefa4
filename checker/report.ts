/** What a search has to say: plain data, so that tests, the command line, CI and pages read the same thing. */

export type Verdict = 'holds' | 'refuted' | 'inconclusive'

export type FailureKind =
  | 'assertion'
  | 'data-race'
  | 'deadlock'
  | 'livelock'
  | 'unwitnessed'
  | 'out-of-range'
  | 'non-determinism'
  | 'thrown'

/** One line of a trace: what a thread did, in the order in which it happened. */
export interface TraceStep {
  /** The name of the thread. */
  readonly thread: string
  /**
   * The call on `Memory` (`load`, `compareExchange`, `writeBytes` ...), or what became of a sleeper: `woken`, `timed-out`,
   * `spurious`; or of anybody: `killed`, before the call at `source`.
   */
  readonly operation: string
  /** The word accessed; for bulk copies the word of the first byte. */
  readonly word?: number
  /** Whom `alive` asks about. */
  readonly participant?: number
  /** What was read, or for `store`, `write` and `writeBytes` what was written; for `settle` what had been guessed, or `nothing`. */
  readonly value?: number | string
  /** What a read-modify-write left in the word. */
  readonly wrote?: number
  /** Where the value that was read had been written: `setup`, or `thread #step` counting from 1. */
  readonly from?: string
  /** `file:line` of the call. */
  readonly source?: string
}

export interface Failure {
  readonly kind: FailureKind
  /** The guarantee that was broken, if the program named it. */
  readonly guarantee?: string
  readonly message: string
  /** Reproduces the failure with `replay`: run-length interleaving of threads and a fingerprint of the program. */
  readonly schedule: string
  readonly trace: readonly TraceStep[]
}

export interface Report {
  readonly program: string
  readonly verdict: Verdict
  /** Complete and distinct executions: one for each Mazurkiewicz trace, never the same one twice (unless at `random` or by `preemptions`). */
  readonly executions: number
  /** Graphs in which a parked thread had read a value that was not the newest: cost of the search, never a result. */
  readonly blocked: number
  /** Graphs given up half-way: cost of the search. */
  readonly discarded: number
  readonly seconds: number
  /** The bound that was hit, when the verdict is `inconclusive`; `shard` where others have the rest. */
  readonly bound?: keyof Bounds | 'shard' | 'runs' | 'preemptions' | 'states'
  /** How far the search was when it hit a bound on executions or seconds. */
  readonly covered?: Covered
  /** Canonical JSON of the distinct results and final values, on request. */
  readonly outcomes?: readonly string[]
  /** How many recoveries differ in what they saw after a crash of the threads, where there are crashes. */
  readonly recoveries?: number
  /** Set where executions were chosen at random. */
  readonly random?: AtRandom
  /** Set where only executions with few preemptions were looked for: `executions` are then ends that differ in anything. */
  readonly preemptions?: ByPreemptions
  readonly failure?: Failure
}

/** How executions were chosen at random. */
export interface AtRandom {
  /** Brings the same runs again. */
  readonly seed: number
  readonly runs: number
  /** How many steps the longest run had. */
  readonly steps: number
  readonly depth?: number
  /**
   * With a `depth`: the probability, at least, with which a bug of that depth that needs no faults would have been found, provided
   * that no execution has more than `steps` steps. With n threads one run finds it with at least 1 / (n * steps^(depth - 1)).
   */
  readonly found?: number
}

/** Which executions were seen, by their preemptions. */
export interface ByPreemptions {
  /** With more of them nothing was looked for. */
  readonly most: number
  /** All executions with so many, or fewer, were seen; -1: not all without one. */
  readonly covered: number
  /** No execution needs more: all were seen. */
  readonly all: boolean
  /** How many states there were. */
  readonly states: number
}

/** How far a search may go. A bound that is hit makes the verdict `inconclusive`. */
export interface Bounds {
  /** At most this many complete executions (a positive integer). */
  readonly executions?: number
  /** At most this many seconds (a positive number). */
  readonly seconds?: number
  /** At most this many operations in one thread (a positive integer; default 1000). */
  readonly events?: number
}

/** How many executions there are, by random walks. */
export interface Estimate {
  /** The mean of the walks. */
  readonly executions: number
  /** Its standard error. */
  readonly spread: number
  readonly walks: number
}

/** How much of a program was searched: estimates both. */
export interface Covered {
  /** How much of the search tree is done, from 0 to 1. */
  readonly share: number
  /** How many executions there will be: by random walks while little is done, then by what was found in the share that is done. */
  readonly estimate: number
}

/** From this share of the tree on, what was found there says more of the rest than random walks do. */
export const shareEnough = 0.05

/** How far a search is. */
export interface Progress extends Covered {
  readonly executions: number
  readonly seconds: number
  /** The random walks, made when the search turned out to be long. */
  readonly sampled?: Estimate
}

/** Seeds are from 0 on, and this many. */
export const seeds: number = 2 ** 32

export interface FewPreemptionsOptions {
  /** At most this many in one execution (an integer from 0 on). */
  readonly preemptions: number
  /** At most this many states are kept (a positive integer; default 1,000,000, which take some hundred megabytes). */
  readonly states?: number
  /** At most this many seconds (a positive number). */
  readonly seconds?: number
  /** At most this many operations in one thread (a positive integer; default 1000). */
  readonly events?: number
}

export interface RandomOptions {
  /** How many runs (a positive integer; default 1000). */
  readonly runs?: number
  /** At most this many seconds (a positive number). */
  readonly seconds?: number
  /** At most this many operations in one thread (a positive integer; default 1000). */
  readonly events?: number
  /** The same seed gives the same runs (an integer from 0 to 2^32 - 1); by default another one each time. */
  readonly seed?: number
  /**
   * Looks for bugs of this depth, or less: those that show when so many pairs of steps come in a certain order (a positive
   * integer). Without it every interleaving is as likely as every other one, as far as it is known how long the threads are.
   */
  readonly depth?: number
}

export interface ExploreOptions extends Bounds {
  /** Collect the distinct outcomes. */
  readonly outcomes?: boolean
  /** Called about ten times a second. */
  progress?(progress: Progress): void
}
