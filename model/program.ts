import type { Memory } from '../core/memory.ts'
import type { HistoryPromise } from './sequential.ts'

/** What an invariant may do with the memory: look. */
export type Readable = Pick<Memory, 'words' | 'load' | 'read' | 'readBytes'>

/** Notes a step of a history: an operation called, returned, or acknowledged. Never branches and costs no execution. */
export type Mark = (kind: 'call' | 'return' | 'ack', name: string, value?: unknown) => void

/** What may go wrong besides the schedule. `SEMANTICS.md` says exactly what each is. */
export interface Faults<Thread> {
  /** Threads that may stop for ever before any of their SeqCst operations. Others learn of it by `memory.liveness`. */
  readonly kill?: readonly Thread[]
  /** How many of them in one execution, at most. Default: 1. */
  readonly kills?: number
  /** A `wait` may come back with `'ok'` for no reason, once for each thread. */
  readonly spurious?: boolean
  /** The memory is a mapped file, and everything may stop at any time: all processes, or the machine. Needs `recover`. */
  readonly crash?: 'kill' | 'power'
  /** How much the disk writes back at once, when the power fails: 4, 512 or 4096 bytes. Default: a word, which assumes least. */
  readonly unit?: 'word' | 'sector' | 'page'
}

/**
 * A small concurrent program: what the checker takes through every interleaving.
 *
 * Threads share nothing but `Memory`; each attaches to its structure by itself, as a worker or a process would. A thread
 * is synchronous and deterministic: what it does next depends only on the values it was given. What it wants to show it
 * returns, as plain data.
 */
// biome-ignore lint/suspicious/noExplicitAny: a list of programs with different results is a list of Program<any>
export interface Program<R extends Record<string, unknown> = any> {
  readonly name: string
  /** Size of the shared memory in 32-bit words. */
  readonly words: number
  /** Runs alone, before the threads. The memory holds zeros. */
  setup?(memory: Memory): void
  readonly threads: { readonly [T in keyof R]: (memory: Memory, mark: Mark) => R[T] }
  /** Throws when broken. Judged in every reachable state. */
  always?(memory: Readable): void
  /** Each must be witnessed by some execution. */
  readonly sometimes?: Readonly<Record<string, (memory: Readable, results: Partial<R>) => boolean>>
  /** Runs alone, after the threads. Throws when broken. Once for all executions that leave the same memory and results. */
  finally?(memory: Memory, results: Partial<R>): void
  /** What the calls and returns that threads mark must look like. Judged in every execution, in every order that it allows. */
  readonly history?: HistoryPromise
  readonly faults?: Faults<keyof R>
  /**
   * Runs alone after a crash, on what the disk kept: the code that opens the file again. Throws when broken. Judged after
   * every crash of every execution, and again after every crash of its own.
   *
   * @param acknowledged what threads had marked with `ack` before the crash
   */
  recover?(memory: Memory, acknowledged: ReadonlySet<string>): void
}

/** Describes a program; only helps TypeScript to infer the results of its threads. */
export function program<R extends Record<string, unknown>>(description: Program<R>): Program<R> {
  return description
}
