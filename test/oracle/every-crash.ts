/**
 * The oracle of crashes: what a recovery can find, by trying all that can be there.
 *
 * It shares no idea and no code with the explorer, which chooses what a word holds when a recovery reads it. Here every state is
 * visited that any order of the single operations leads to, one written word after the other; each knows all that each word of the
 * disk may hold should everything end now. The recovery then runs with each of these contents that it can tell apart.
 *
 * For programs without data races, of which nobody is killed before the crash. A word is what is written back together.
 */

import type { Memory } from '../../core/memory.ts'
import type { Program } from '../../model/program.ts'
import {
  type Answer,
  alone,
  Body,
  bytesOf,
  modifications,
  type Point,
  type Request,
  scripted,
  wordOf,
  wrote,
} from './brute-force.ts'

/** For each thread how many of its operations came before. */
type Clock = readonly number[]

/** A write whose value a word of the disk may hold. Nobody's is that of `setup`. */
interface Write {
  readonly thread: number
  /** How many operations of the thread there were with it. */
  readonly count: number
  readonly value: number
}

interface Thread {
  readonly at: Point
  readonly status: 'ready' | 'asleep' | 'parked' | 'ended'
  /** How many words of a bulk write are written. */
  readonly written: number
  readonly clock: Clock
  /** Where what it repeats while it spins began. */
  readonly iteration: { readonly at: Point; readonly clock: Clock }
}

interface State {
  readonly threads: readonly Thread[]
  /** What each word that was written may hold on the disk, the oldest first; in memory it holds the last. */
  readonly words: ReadonlyMap<number, readonly Write[]>
  /** For each word and list what the last write of it came after, and all reads since. */
  readonly writes: ReadonlyMap<string, Clock>
  readonly reads: ReadonlyMap<string, Clock>
  readonly sleepers: ReadonlyMap<number, readonly number[]>
  readonly acknowledged: ReadonlySet<string>
}

/** What a recovery asks; and what comes after each answer. At its end it asks nothing. */
interface Recovery {
  question: string
  readonly after: Map<number, Recovery>
}

export interface EveryCrashResult {
  /** How many recoveries differ in what they saw. */
  readonly recoveries: number
  readonly states: number
}

/** Crashes a program in every state, and lets it recover from all that can be left. Throws what `recover` throws. */
export function everyCrash(program: Program, states = 1_000_000): EveryCrashResult {
  return new EveryCrash(program, states).result()
}

class EveryCrash {
  readonly program: Program
  readonly bodies: readonly Body[]
  readonly initial: Int32Array
  readonly power: boolean
  readonly maxStates: number
  readonly numbers: Map<Point, number> = new Map()
  readonly visited: Set<string> = new Set()
  readonly judged: Set<string> = new Set()
  readonly start: Recovery = { question: '', after: new Map() }
  readonly ends: Set<Recovery> = new Set()

  constructor(program: Program, maxStates: number) {
    const { faults, words, setup, threads } = program
    if (faults?.crash === undefined || (faults.kill ?? []).length > 0 || faults.unit !== undefined) {
      throw new Error('only for programs that crash, with nobody killed before, and words written back one by one')
    }
    this.program = program
    this.power = faults.crash === 'power'
    this.maxStates = maxStates
    const participants = Object.keys(threads).length
    this.bodies = Object.values(threads).map((body, self) => {
      const run: Body['run'] = (memory, ask) => {
        const mark = (kind: string, name: string): void => {
          if (kind === 'ack') ask({ kind: 'ack', name })
        }
        return (body as (m: Memory, mark: unknown) => unknown)(memory, mark)
      }
      return new Body(words, { self, participants, durable: true }, run)
    })
    this.initial = new Int32Array(words)
    setup?.(alone(this.initial))
  }

  result(): EveryCrashResult {
    const clock: Clock = this.bodies.map(() => 0)
    const threads = this.bodies.map(
      ({ start }): Thread => ({ at: start, status: 'ready', written: 0, clock, iteration: { at: start, clock } }),
    )
    const nothing = new Map<never, never>()
    const first: State = { threads, words: nothing, writes: nothing, reads: nothing, sleepers: nothing, acknowledged: new Set() }
    const left = [this.bodies.reduce((state, _, thread) => this.settle(state, thread), first)]
    for (let state = left.pop(); state !== undefined; state = left.pop()) {
      const key = this.keyOf(state)
      if (this.visited.has(key)) continue
      if (this.visited.size === this.maxStates) throw new Error(`more than ${this.maxStates} states`)
      this.visited.add(key)
      this.crash(state)
      for (const thread of this.bodies.keys()) {
        const { at, status } = state.threads[thread]
        const mayGiveUp = 'request' in at.next && at.next.request.kind === 'wait' && at.next.request.finite
        if (status === 'ready' || (status === 'asleep' && mayGiveUp)) left.push(this.step(state, thread))
      }
    }
    return { recoveries: this.ends.size, states: this.visited.size }
  }

  keyOf({ threads, words, writes, reads, sleepers, acknowledged }: State): string {
    const points = threads.map(({ at, status, written, clock }) => {
      const number = this.numbers.get(at) ?? this.numbers.size
      this.numbers.set(at, number)
      return [number, status[0], written, ...(this.power ? clock : [])].join()
    })
    const disk = sorted(words).map(([word, all]) =>
      [word, ...all.flatMap(({ thread, count, value }) => [thread, count, value])].join(),
    )
    const orders = [writes, reads].map((clocks) => sorted(clocks).map(([place, clock]) => `${place}:${clock}`))
    const asleep = sorted(sleepers).map(([word, list]) => `${word}:${list}`)
    return [points, disk, orders, asleep, [...acknowledged].sort()].map((part) => part.join(';')).join('|')
  }

  valueOf({ words }: State, word: number): number {
    return words.get(word)?.at(-1)?.value ?? this.initial[word]
  }

  // Operations.

  /** The state after the next operation of a thread. */
  step(from: State, thread: number): State {
    const { at, status } = from.threads[thread]
    const { request } = at.next as { readonly request: Request }
    const state = this.count(from, thread)
    if (status === 'asleep') {
      const { word } = request as { readonly word: number }
      const list = (state.sleepers.get(word) ?? []).filter((sleeper) => sleeper !== thread)
      return this.answer(this.setSleepers(this.order(state, thread, `list ${word}`, true), word, list), thread, 'timed-out')
    }
    switch (request.kind) {
      case 'write':
        return this.writePart(state, thread, request.byte, request.bytes)
      case 'flush':
        return this.answer(
          this.flush(state, thread, request.byte >> 2, (request.byte + request.length - 1) >> 2),
          thread,
          undefined,
        )
      case 'ack':
        return this.answer({ ...state, acknowledged: new Set([...state.acknowledged, request.name]) }, thread, undefined)
      case 'notify':
        return this.notify(state, thread, request.word, request.count)
      case 'alive':
        return this.answer(state, thread, true)
      case 'load':
      case 'store':
      case 'compareExchange':
      case 'wait':
        return this.access(state, thread, request)
      case 'pause':
      case 'read':
      case 'guess':
      case 'settle':
        throw new Error('not an operation of its own')
      default:
        return this.access(state, thread, request)
    }
  }

  access(state: State, thread: number, request: Extract<Request, { readonly word: number }>): State {
    const { kind, word } = request
    const old = this.valueOf(state, word)
    const place = `word ${word}`
    if (kind === 'load') return this.answer(this.order(state, thread, place, false), thread, old)
    if (kind === 'store')
      return this.answer(this.write(this.order(state, thread, place, true), thread, word, request.value), thread, undefined)
    if ('expected' in request && old !== request.expected) {
      return this.answer(this.order(state, thread, place, false), thread, kind === 'wait' ? 'not-equal' : old)
    }
    if (kind === 'wait') {
      const ordered = this.order(this.order(state, thread, place, false), thread, `list ${word}`, true)
      const asleep = this.setSleepers(ordered, word, [...(state.sleepers.get(word) ?? []), thread])
      return this.change(asleep, thread, { status: 'asleep' })
    }
    if (kind === 'notify') throw new Error('not an access')
    const value = kind === 'compareExchange' ? request.replacement : modifications[kind](old, request.value)
    return this.answer(this.write(this.order(state, thread, place, true), thread, word, value), thread, old)
  }

  notify(from: State, thread: number, word: number, count: number): State {
    const list = from.sleepers.get(word) ?? []
    const woken = list.slice(0, count)
    let state = this.order(from, thread, `list ${word}`, woken.length > 0)
    state = this.answer(this.setSleepers(state, word, list.slice(woken.length)), thread, woken.length)
    const { clock } = from.threads[thread]
    for (const sleeper of woken) {
      const later = join(state.threads[sleeper].clock, join(clock, state.writes.get(`list ${word}`) ?? clock))
      state = this.answer(this.change(state, sleeper, { clock: later }), sleeper, 'ok')
    }
    return state
  }

  /** Writes what belongs to the next word of a copy. */
  writePart(from: State, thread: number, byte: number, bytes: readonly number[]): State {
    const word = (byte >> 2) + from.threads[thread].written
    const content = bytesOf(this.valueOf(from, word))
    for (let i = 0; i < 4; i++) content[i] = bytes[4 * word + i - byte] ?? content[i]
    const state = this.write(from, thread, word, wordOf(content))
    const written = from.threads[thread].written + 1
    const isDone = 4 * (word + 1) >= byte + bytes.length
    return isDone ? this.answer(state, thread, undefined) : this.change(state, thread, { written })
  }

  write(state: State, thread: number, word: number, value: number): State {
    const count = state.threads[thread].clock[thread]
    const before = this.power ? (state.words.get(word) ?? [{ thread: -1, count: 0, value: this.initial[word] }]) : []
    const all = [...before, this.power ? { thread, count, value } : { thread: -1, count: 0, value }]
    let written: State = { ...state, words: new Map(state.words).set(word, all) }
    // Who spins looks again.
    for (const [other, { status, iteration }] of state.threads.entries()) {
      if (status === 'parked') written = this.settle(this.change(written, other, { ...iteration, status: 'ready' }), other)
    }
    return written
  }

  /** What came before is on the disk: older values of these words are gone. */
  flush(state: State, thread: number, from: number, to: number): State {
    if (!this.power) return state
    const { clock } = state.threads[thread]
    const words = new Map(state.words)
    for (const [word, all] of state.words) {
      if (word < from || word > to) continue
      const last = all.findLastIndex(({ thread: writer, count }) => writer < 0 || count <= clock[writer])
      words.set(word, all.slice(Math.max(last, 0)))
    }
    return { ...state, words }
  }

  // What comes before what.

  count(state: State, thread: number): State {
    if (!this.power) return state
    const { clock } = state.threads[thread]
    return this.change(state, thread, { clock: clock.with(thread, clock[thread] + 1) })
  }

  /** A thread reads or writes a place SeqCst. */
  order(state: State, thread: number, place: string, writes: boolean): State {
    if (!this.power) return state
    let { clock } = state.threads[thread]
    clock = join(clock, state.writes.get(place) ?? clock)
    const read = state.reads.get(place) ?? clock
    if (writes) clock = join(clock, read)
    const ordered = this.change(state, thread, { clock })
    if (!writes) return { ...ordered, reads: new Map(state.reads).set(place, join(clock, read)) }
    const reads = new Map(state.reads)
    reads.delete(place)
    return { ...ordered, reads, writes: new Map(state.writes).set(place, clock) }
  }

  // Threads.

  change(state: State, thread: number, what: Partial<Thread>): State {
    return { ...state, threads: state.threads.with(thread, { ...state.threads[thread], ...what }) }
  }

  setSleepers(state: State, word: number, list: readonly number[]): State {
    const sleepers = new Map(state.sleepers)
    if (list.length > 0) sleepers.set(word, list)
    else sleepers.delete(word)
    return { ...state, sleepers }
  }

  answer(state: State, thread: number, answer: Answer): State {
    const { at, clock, iteration } = state.threads[thread]
    const { request } = at.next as { readonly request: Request }
    const after = this.bodies[thread].advance(at, answer)
    const begins = request.kind === 'pause' || wrote(request, answer)
    const next = { at: after, status: 'ready' as const, written: 0, iteration: begins ? { at: after, clock } : iteration }
    return this.settle(this.change(state, thread, next), thread)
  }

  /** What a thread does that nobody can come between: it ends, spins, or reads Unordered. */
  settle(state: State, thread: number): State {
    const { at } = state.threads[thread]
    if ('error' in at.next) throw at.next.error
    if (!('request' in at.next)) return this.change(state, thread, { status: 'ended' })
    const { request } = at.next
    if (request.kind === 'pause') {
      if (this.bodies[thread].spins(at)) return this.change(state, thread, { status: 'parked' })
      return this.answer(state, thread, undefined)
    }
    if (request.kind === 'guess' || request.kind === 'settle') throw new Error('guesses are not known here')
    if (request.kind !== 'read') return state
    const bytes = Array.from({ length: request.length }, (_, i) => {
      const byte = request.byte + i
      return bytesOf(this.valueOf(state, byte >> 2))[byte & 3]
    })
    return this.answer(state, thread, bytes)
  }

  // Crashes.

  /** Everything ends here. */
  crash({ words, acknowledged }: State): void {
    const contents = new Map([...words].map(([word, all]) => [word, [...new Set(all.map(({ value }) => value))]]))
    const key = `${sorted(contents).map(([word, values]) => `${word}:${values}`)}|${[...acknowledged].sort()}`
    if (this.judged.has(key)) return
    this.judged.add(key)
    const valuesFor = (question: string): readonly number[] => {
      const [what, name] = [question.slice(0, 5), question.slice(5)]
      if (what === 'name ') return [Number(acknowledged.has(name))]
      return contents.get(Number(name)) ?? [this.initial[Number(name)]]
    }
    if (this.start.question === '') this.recover([], valuesFor)
    const visit = (at: Recovery, answers: readonly number[]): void => {
      if (at.question === '') {
        this.ends.add(at)
        return
      }
      for (const value of valuesFor(at.question)) {
        if (!at.after.has(value)) this.recover([...answers, value], valuesFor)
        visit(at.after.get(value) as Recovery, [...answers, value])
      }
    }
    visit(this.start, [])
  }

  /** Runs the recovery with these answers, and then with the first of those that can be; notes what it asks on the way. */
  recover(answers: readonly number[], valuesFor: (question: string) => readonly number[]): void {
    let at = this.start
    let asked = 0
    const ask = (question: string): number => {
      at.question = question
      const answer = asked < answers.length ? answers[asked] : valuesFor(question)[0]
      asked++
      const next = at.after.get(answer) ?? { question: '', after: new Map<number, Recovery>() }
      at.after.set(answer, next)
      at = next
      return answer
    }
    const known = new Map<string, number>()
    const askOnce = (question: string): number => {
      const answer = known.get(question) ?? ask(question)
      known.set(question, answer)
      return answer
    }
    const had = new Set<string>()
    had.has = (name) => askOnce(`name ${name}`) === 1
    this.program.recover?.(
      disk(this.program.words, (word) => askOnce(`word ${word}`)),
      had,
    )
  }
}

/** The memory that `recover` sees: alone, and each word is asked for when it is read first. */
function disk(words: number, ask: (word: number) => number): Memory {
  const changed = new Map<number, number>()
  const read = (word: number): number => changed.get(word) ?? ask(word)
  const place = { self: 0, participants: 1, durable: true }
  const memory = scripted(
    words,
    (request): Answer => {
      switch (request.kind) {
        case 'load':
          return read(request.word)
        case 'store':
          changed.set(request.word, request.value)
          return undefined
        case 'compareExchange': {
          const old = read(request.word)
          if (old === request.expected) changed.set(request.word, request.replacement)
          return old
        }
        case 'wait':
          if (read(request.word) !== request.expected) return 'not-equal'
          if (request.finite) return 'timed-out'
          throw new Error('the recovery sleeps for ever')
        case 'notify':
          return 0
        case 'pause':
        case 'flush':
          return undefined
        case 'read':
          return Array.from({ length: request.length }, (_, i) => bytesOf(read((request.byte + i) >> 2))[(request.byte + i) & 3])
        case 'write':
          for (const [i, byte] of request.bytes.entries()) {
            const word = (request.byte + i) >> 2
            changed.set(word, wordOf(bytesOf(read(word)).with((request.byte + i) & 3, byte)))
          }
          return undefined
        case 'guess':
        case 'settle':
        case 'alive':
        case 'ack':
          throw new Error(`a recovery does not ${request.kind}`)
        default: {
          const old = read(request.word)
          changed.set(request.word, modifications[request.kind](old, request.value))
          return old
        }
      }
    },
    place,
  )
  const { liveness: _, ...withoutLiveness } = memory
  return withoutLiveness
}

function join(a: Clock, b: Clock): Clock {
  return a.map((value, thread) => Math.max(value, b[thread]))
}

function sorted<K, V>(map: ReadonlyMap<K, V>): [K, V][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1))
}
