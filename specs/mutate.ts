import { ForwardingMemory } from '../core/forwarding-memory.ts'
import type { Memory, WaitResult } from '../core/memory.ts'

/**
 * Deliberate mistakes, made by a `Memory` at a named place, so that the checked code itself stays as it is.
 *
 * `mutate(where, how)` gives what `Mutant.memory` wants. The place is an operation, a word, a thread, and which of the
 * calls there; the mistake is one of the functions below, or any function of the call.
 */

export type Operation =
  | 'load'
  | 'store'
  | 'add'
  | 'sub'
  | 'and'
  | 'or'
  | 'xor'
  | 'exchange'
  | 'compareExchange'
  | 'wait'
  | 'notify'
  | 'pause'
  | 'read'
  | 'write'
  | 'readBytes'
  | 'writeBytes'
  | 'guessBytes'
  | 'settle'
  | 'now'
  | 'alive'
  | 'flush'

/** Which calls are spoilt: those to which everything given here applies. */
export interface Where {
  readonly operation: Operation
  /** The word, or for bulk copies and flushes the word of the first byte. */
  readonly word?: number
  /** The name of the thread. */
  readonly thread?: string
  /** What else must be so; default: nothing. */
  when?(call: Call): boolean
  /** Functions that must be running: `'recover'`, `'Segment.publish'`; where several files have one, the class tells them apart. */
  readonly within?: readonly string[]
  /** Which of these calls of one thread, counting from 1; default: all of them. */
  readonly nth?: number
}

/** A call about to be made. */
export interface Call {
  readonly operation: Operation
  readonly args: readonly unknown[]
  /** The word, or for bulk copies and flushes the word of the first byte; -1 where there is none. */
  readonly word: number
  /** The memory underneath, which makes no mistakes. */
  readonly memory: Memory
  /** Makes the call as it was meant, or with other arguments, and returns its answer. */
  perform(...args: readonly unknown[]): unknown
}

/** A mistake: answers in place of the call. */
export type Mistake = (call: Call) => unknown

/** Makes a mistake for each thread, so that one that remembers something starts afresh in every run. */
export type MistakeMaker = () => Mistake

let watcher: ((call: Call) => void) | undefined

/** Tells `watch` of every call that is spoilt while `body` runs: this is how tests find which places mutants reach. */
export function watching<T>(watch: (call: Call) => void, body: () => T): T {
  watcher = watch
  try {
    return body()
  } finally {
    watcher = undefined
  }
}

/** A wrapper for `Mutant.memory` that makes the mistake at the place, and nowhere else. */
export function mutate(where: Where, how: MistakeMaker): (memory: Memory, thread: string) => Memory {
  return (memory, thread) => {
    if (where.thread !== undefined && where.thread !== thread) return memory
    const mistake = how()
    let calls = 0
    return new InterceptedMemory(memory, (call) => {
      if (call.operation !== where.operation) return call.perform(...call.args)
      if (where.word !== undefined && call.word !== where.word) return call.perform(...call.args)
      if (where.when?.(call) === false) return call.perform(...call.args)
      if (where.within !== undefined && !areRunning(where.within)) return call.perform(...call.args)
      calls++
      if (where.nth !== undefined && where.nth !== calls) return call.perform(...call.args)
      watcher?.(call)
      return mistake(call)
    })
  }
}

/** Whether all these functions are on the stack. */
function areRunning(names: readonly string[]): boolean {
  const { prepareStackTrace, stackTraceLimit } = Error
  Error.stackTraceLimit = 60
  Error.prepareStackTrace = (_, sites) => sites
  const sites = new Error().stack as unknown as readonly NodeJS.CallSite[]
  Object.assign(Error, { prepareStackTrace, stackTraceLimit })
  const missing = new Set(names)
  for (const site of sites) {
    const name = site.getFunctionName()?.replace(/^[gs]et /, '')
    if (name === undefined) continue
    for (const one of missing) if (one === name || one === `${site.getTypeName()}.${name}`) missing.delete(one)
    if (missing.size === 0) return true
  }
  return false
}

/** The call is not made: a store stores nothing, a notify wakes nobody, a read-modify-write only reads. */
export const dropped: MistakeMaker =
  () =>
  ({ operation, args, word, memory }) => {
    switch (operation) {
      case 'add':
      case 'sub':
      case 'and':
      case 'or':
      case 'xor':
      case 'exchange':
        return memory.load(word)
      case 'compareExchange':
        return args[1]
      case 'notify':
        return 0
      case 'wait':
        return 'ok'
      case 'load':
      case 'read':
      case 'now':
        return 0
      case 'alive':
        return true
      default:
        return undefined
    }
  }

/** A read-modify-write becomes a load and a store, between which others get in. */
export const torn: MistakeMaker =
  () =>
  ({ operation, args, word, memory }) => {
    const old = memory.load(word)
    if (operation === 'exchange') memory.store(word, args[1] as number)
    else if (operation === 'compareExchange') {
      if (old === ((args[1] as number) | 0)) memory.store(word, args[2] as number)
    } else throw new TypeError(`cannot tear a ${operation}`)
    return old
  }

/** The call is made, but the answer is the one to the spoilt call before it (the first one gets the true answer). */
export const stale: MistakeMaker = () => {
  let last: unknown
  return ({ perform, args }) => {
    const answer = perform(...args)
    const old = last ?? answer
    last = answer
    return old
  }
}

/** The call is made, but another answer is given. */
export function answering(change: (answer: number, call: Call) => unknown): MistakeMaker {
  return () => (call) => change(call.perform(...call.args) as number, call)
}

/** The call is made with another last argument: a value to store, a replacement, bytes, a time-out. */
export function giving(change: (argument: never) => unknown): MistakeMaker {
  return () => (call) => call.perform(...call.args.slice(0, -1), change(call.args.at(-1) as never))
}

/** The call is made with a position that stays at its greatest value instead of wrapping. */
export function saturatingAt(greatest: number): MistakeMaker {
  return giving((position: number) => (Math.sign(position) === Math.sign(greatest) ? position : greatest))
}

/** Any other mistake. */
export function instead(mistake: Mistake): MistakeMaker {
  return () => mistake
}

/**
 * A store changes places with the operation that the thread does next; the exchange of a position gives its old value at
 * once and stores later.
 */
export function swappedWithNext(where: Where): (memory: Memory, thread: string) => Memory {
  return (memory, thread) => {
    if (where.thread !== undefined && where.thread !== thread) return memory
    let pending: (() => void) | undefined
    let calls = 0
    return new InterceptedMemory(memory, (call) => {
      const late = pending
      pending = undefined
      let answer: unknown
      if (call.operation === where.operation && (where.word ?? call.word) === call.word && ++calls === (where.nth ?? calls)) {
        watcher?.(call)
        const value = call.args.at(-1) as number
        pending = () => memory.store(call.word, value)
        answer = call.operation === 'store' ? undefined : memory.load(call.word)
      } else {
        answer = call.perform(...call.args)
      }
      late?.()
      return answer
    })
  }
}

/** A memory whose every call goes through one function. */
class InterceptedMemory extends ForwardingMemory {
  declare readonly liveness?: NonNullable<Memory['liveness']>
  declare readonly durability?: NonNullable<Memory['durability']>
  private readonly intercept: Mistake

  constructor(memory: Memory, intercept: Mistake) {
    super(memory)
    this.intercept = intercept
    if (memory.liveness !== undefined) {
      this.liveness = { self: memory.liveness.self, alive: (participant) => this.through('alive', [participant]) as boolean }
    }
    if (memory.durability !== undefined) {
      this.durability = { flush: (byte, length) => void this.through('flush', [byte, length]) }
    }
  }

  private through(operation: Operation, args: readonly unknown[]): unknown {
    const { memory } = this
    const first = args[0] as number | undefined
    const bytes = ['readBytes', 'writeBytes', 'guessBytes', 'flush'].includes(operation)
    const nowhere = first === undefined || operation === 'alive' || operation === 'settle'
    const word = nowhere ? -1 : bytes ? first >> 2 : first
    const perform = (...given: readonly unknown[]) => {
      if (operation === 'alive') return memory.liveness?.alive(given[0] as number)
      if (operation === 'flush') return memory.durability?.flush(given[0] as number, given[1] as number)
      return (memory[operation] as (...a: unknown[]) => unknown).apply(memory, [...given])
    }
    return this.intercept({ operation, args, word, memory, perform })
  }

  override load(word: number): number {
    return this.through('load', [word]) as number
  }
  override store(word: number, value: number): void {
    this.through('store', [word, value])
  }
  override add(word: number, value: number): number {
    return this.through('add', [word, value]) as number
  }
  override sub(word: number, value: number): number {
    return this.through('sub', [word, value]) as number
  }
  override and(word: number, value: number): number {
    return this.through('and', [word, value]) as number
  }
  override or(word: number, value: number): number {
    return this.through('or', [word, value]) as number
  }
  override xor(word: number, value: number): number {
    return this.through('xor', [word, value]) as number
  }
  override exchange(word: number, value: number): number {
    return this.through('exchange', [word, value]) as number
  }
  override compareExchange(word: number, expected: number, replacement: number): number {
    return this.through('compareExchange', [word, expected, replacement]) as number
  }
  override wait(word: number, expected: number, timeoutMs: number = Infinity): WaitResult {
    return this.through('wait', [word, expected, timeoutMs]) as WaitResult
  }
  override notify(word: number, count: number = Infinity): number {
    return this.through('notify', [word, count]) as number
  }
  override pause(): void {
    this.through('pause', [])
  }
  override read(word: number): number {
    return this.through('read', [word]) as number
  }
  override write(word: number, value: number): void {
    this.through('write', [word, value])
  }
  override readBytes(byte: number, target: Uint8Array): void {
    this.through('readBytes', [byte, target])
  }
  override writeBytes(byte: number, source: Uint8Array): void {
    this.through('writeBytes', [byte, source])
  }
  override guessBytes(byte: number, target: Uint8Array): void {
    this.through('guessBytes', [byte, target])
  }
  override settle(valid: boolean): void {
    this.through('settle', [valid])
  }
  override now(): number {
    return this.through('now', []) as number
  }
}
