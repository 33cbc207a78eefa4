/**
 * The oracle: every schedule of a small program, tried one after the other.
 *
 * It shares no idea and no code with the explorer. A state is what memory, waiter lists and threads hold; a step is one
 * SeqCst operation of one thread, with the Unordered operations that follow it, or its death. States are merged only when
 * the whole trace that led to them is the same (the steps of each thread with what they read from, and the order of the
 * writes of each location), so no execution can be lost.
 */

import type { FailureKind } from '../../checker/report.ts'
import type { Memory, WaitResult } from '../../core/memory.ts'
import type { Program } from '../../model/program.ts'

/** Where a program is too big for brute force. */
export interface Limits {
  /** At most this many distinct states (default 20,000). */
  readonly states?: number
  /** At most this many operations and pauses in one thread (default 100). */
  readonly operations?: number
}

export interface BruteForceResult {
  /** One text for each distinct complete execution: numbers that stand for its trace. */
  readonly executions: ReadonlySet<string>
  /** Canonical JSON of the results and final words of the complete executions. */
  readonly outcomes: ReadonlySet<string>
  /** What memory holds in the reachable states (words joined by commas); a state after a race is none. */
  readonly contents: ReadonlySet<string>
  /** The kinds of failure that some schedule has. What comes after a data race is not looked at. */
  readonly failures: ReadonlySet<FailureKind>
  /** Maximal schedules; one that has a race ends there. */
  readonly schedules: number
  readonly states: number
  /** Some thread slept in some schedule. */
  readonly slept: boolean
  /** Some sleeping thread was woken in some schedule. */
  readonly woken: boolean
  /** Some thread parked at a pause in some schedule. */
  readonly parked: boolean
  /** Some thread read or wrote plain data in some schedule. */
  readonly plain: boolean
  /** Some thread settled guesses as valid in some schedule, without a race. */
  readonly guessed: boolean
  /** Some thread was killed in some schedule. */
  readonly killed: boolean
  /** Some thread saw that another one is dead in some schedule. */
  readonly mourned: boolean
  /** Some wait came back for no reason in some schedule. */
  readonly spurious: boolean
  /** The bytes that are torn at the end of some complete execution. */
  readonly torn: ReadonlySet<number>
  /** The program was too big: nothing above can be trusted. */
  readonly limited: boolean
}

type Modify = 'add' | 'sub' | 'and' | 'or' | 'xor' | 'exchange'

/** What a thread asks for next. Flushes and acknowledgements there are only for `every-crash.ts`. */
export type Request =
  | { readonly kind: 'load'; readonly word: number }
  | { readonly kind: 'store' | Modify; readonly word: number; readonly value: number }
  | { readonly kind: 'compareExchange'; readonly word: number; readonly expected: number; readonly replacement: number }
  | { readonly kind: 'wait'; readonly word: number; readonly expected: number; readonly finite: boolean }
  | { readonly kind: 'notify'; readonly word: number; readonly count: number }
  | { readonly kind: 'alive'; readonly participant: number }
  | { readonly kind: 'pause' }
  | { readonly kind: 'read'; readonly byte: number; readonly length: number }
  | { readonly kind: 'write'; readonly byte: number; readonly bytes: readonly number[] }
  | { readonly kind: 'guess'; readonly byte: number; readonly length: number }
  | { readonly kind: 'settle'; readonly valid: boolean }
  | { readonly kind: 'flush'; readonly byte: number; readonly length: number }
  | { readonly kind: 'ack'; readonly name: string }

export type Answer = number | boolean | WaitResult | readonly number[] | readonly (readonly number[])[] | undefined

/** What became of a thread that was given some answers: it asks for more, or is at its end. */
type Next = { readonly request: Request } | { readonly result: unknown } | { readonly error: unknown }

/** Thrown into a thread at the first request without an answer. */
class Stop {
  readonly request: Request
  constructor(request: Request) {
    this.request = request
  }
}

export const modifications: { readonly [M in Modify]: (old: number, value: number) => number } = {
  add: (old, value) => (old + value) | 0,
  sub: (old, value) => (old - value) | 0,
  and: (old, value) => old & value,
  or: (old, value) => old | value,
  xor: (old, value) => old ^ value,
  exchange: (_, value) => value,
}

/** Which participant a thread is, of how many. */
interface Place {
  readonly self: number
  readonly participants: number
  /** Whether it can flush. */
  readonly durable?: boolean
}

/** A memory that turns every call into a request and returns what `ask` answers. Without a place it has no liveness. */
export function scripted(words: number, ask: (request: Request) => Answer, place?: Place): Memory {
  const inRange = (word: number): number => {
    if (!Number.isInteger(word) || word < 0 || word >= words) throw new RangeError(`no word ${word}`)
    return word
  }
  const bytesInRange = (byte: number, length: number): number => {
    if (!Number.isInteger(byte) || byte < 0 || byte + length > 4 * words) throw new RangeError(`no bytes at ${byte}`)
    return byte
  }
  const known = (participant: number, { participants }: Place): number => {
    if (Number.isInteger(participant) && participant >= 0 && participant < participants) return participant
    throw new RangeError(`no participant ${participant}`)
  }
  const modify = (kind: Modify) => (word: number, value: number) => ask({ kind, word: inRange(word), value: value | 0 }) as number
  const guesses: Uint8Array[] = []
  return {
    words,
    load: (word) => ask({ kind: 'load', word: inRange(word) }) as number,
    store: (word, value) => void ask({ kind: 'store', word: inRange(word), value: value | 0 }),
    add: modify('add'),
    sub: modify('sub'),
    and: modify('and'),
    or: modify('or'),
    xor: modify('xor'),
    exchange: modify('exchange'),
    compareExchange: (word, expected, replacement) =>
      ask({ kind: 'compareExchange', word: inRange(word), expected: expected | 0, replacement: replacement | 0 }) as number,
    wait: (word, expected, timeoutMs = Number.POSITIVE_INFINITY) => {
      const finite = timeoutMs < Number.POSITIVE_INFINITY
      return ask({ kind: 'wait', word: inRange(word), expected: expected | 0, finite }) as WaitResult
    },
    notify: (word, count = Number.POSITIVE_INFINITY) => ask({ kind: 'notify', word: inRange(word), count }) as number,
    pause: () => void ask({ kind: 'pause' }),
    read: (word) => wordOf(ask({ kind: 'read', byte: 4 * inRange(word), length: 4 }) as readonly number[]),
    write: (word, value) => void ask({ kind: 'write', byte: 4 * inRange(word), bytes: bytesOf(value | 0) }),
    readBytes: (byte, target) => {
      const { length } = target
      bytesInRange(byte, length)
      // A copy of nothing touches nothing: it is no operation.
      if (length > 0) target.set(ask({ kind: 'read', byte, length }) as readonly number[])
    },
    writeBytes: (byte, source) => {
      bytesInRange(byte, source.length)
      if (source.length > 0) ask({ kind: 'write', byte, bytes: Array.from(source) })
    },
    guessBytes: (byte, target) => {
      const { length } = target
      bytesInRange(byte, length)
      if (length === 0) return
      ask({ kind: 'guess', byte, length })
      // What is not settled is 255, 254, ... 128, and again.
      for (const i of target.keys()) target[i] = 255 - (i % 128)
      guesses.push(target)
    },
    settle: (valid) => {
      if (guesses.length === 0) return
      const bytes = ask({ kind: 'settle', valid }) as readonly (readonly number[])[]
      if (valid) for (const [index, target] of guesses.entries()) target.set(bytes[index])
      guesses.length = 0
    },
    now: () => 0,
    ...(place?.durable === true && {
      durability: {
        flush: (byte, length) => {
          bytesInRange(byte, length)
          if (length > 0) ask({ kind: 'flush', byte, length })
        },
      },
    }),
    ...(place !== undefined && {
      liveness: {
        self: place.self,
        alive: (participant) => ask({ kind: 'alive', participant: known(participant, place) }) as boolean,
      },
    }),
  }
}

export function bytesOf(value: number): number[] {
  return [value & 255, (value >> 8) & 255, (value >> 16) & 255, (value >> 24) & 255]
}

export function wordOf([a, b, c, d]: readonly number[]): number {
  return a | (b << 8) | (c << 16) | (d << 24)
}

/** Whether the operation, so answered, was a shared write. A wait that came back for no reason passes for one that slept. */
export function wrote(request: Request, answer: Answer): boolean {
  switch (request.kind) {
    case 'load':
    case 'read':
    case 'guess':
    case 'settle':
    case 'alive':
    case 'pause':
      return false
    case 'compareExchange':
      return answer === request.expected
    case 'wait':
      return answer !== 'not-equal'
    case 'notify':
      return (answer as number) > 0
    default:
      return true
  }
}

/** A thread after the answers on the way from the root to here. */
export class Point {
  readonly next: Next
  readonly previous: Point | undefined
  /** The answer that led here from `previous`. */
  readonly answer: Answer
  readonly depth: number
  readonly after: Map<string, Point> = new Map()
  /** Whether a thread that stands before a `pause` here would spin for ever. Computed on demand. */
  spins: boolean | undefined

  constructor(next: Next, previous: Point | undefined, answer: Answer) {
    this.next = next
    this.previous = previous
    this.answer = answer
    this.depth = previous === undefined ? 0 : previous.depth + 1
  }
}

/** A thread as a function from the answers so far to its next request; re-run from its start for each new list. */
export class Body {
  readonly words: number
  readonly place: Place
  readonly run: (memory: Memory, ask: (request: Request) => Answer) => unknown
  readonly start: Point

  constructor(words: number, place: Place, run: Body['run']) {
    this.words = words
    this.place = place
    this.run = run
    this.start = new Point(this.next([]), undefined, undefined)
  }

  next(answers: readonly Answer[]): Next {
    let position = 0
    return this.trial((request) => {
      if (position === answers.length) throw new Stop(request)
      return answers[position++]
    })
  }

  trial(ask: (request: Request) => Answer): Next {
    // A body that cleans up after what is thrown into it asks for more: the first request without an answer counts.
    let stopped: { readonly by: unknown } | undefined
    const askUntilStopped = (request: Request): Answer => {
      if (stopped !== undefined) throw stopped.by
      try {
        return ask(request)
      } catch (by) {
        stopped = { by }
        throw by
      }
    }
    let end: Next
    try {
      end = { result: this.run(scripted(this.words, askUntilStopped, this.place), askUntilStopped) }
    } catch (error) {
      end = { error }
    }
    if (stopped === undefined) return end
    const { by } = stopped as { readonly by: unknown }
    return by instanceof Stop ? { request: by.request } : { error: by }
  }

  advance(point: Point, answer: Answer): Point {
    const key = JSON.stringify(answer) ?? 'undefined'
    const known = point.after.get(key)
    if (known !== undefined) return known
    const created = new Point(this.next([...answersOf(point), answer]), point, answer)
    point.after.set(key, created)
    return created
  }

  /**
   * Whether the thread, standing before a `pause`, only repeats its iteration when it gets the same values again and
   * again: tried until it has done `events` operations or pauses.
   */
  spins(point: Point, events = 1000): boolean {
    if (point.spins !== undefined) return point.spins
    const iteration = iterationBefore(point)
    const answers = answersOf(point)
    let position = 0
    let forEver = false
    const left = new Error('the thread left its iteration')
    const end = this.trial((request) => {
      if (position < answers.length) return answers[position++]
      if (position === events + answers.length) {
        forEver = true
        throw left
      }
      const phase = (position++ - answers.length) % (iteration.length + 1)
      if (phase === 0) {
        if (request.kind !== 'pause') throw left
        return undefined
      }
      const expected = iteration[phase - 1]
      if (JSON.stringify(request) !== JSON.stringify(expected.request)) throw left
      return expected.answer
    })
    point.spins = forEver && 'error' in end && end.error === left
    return point.spins
  }
}

function answersOf(point: Point): Answer[] {
  const answers: Answer[] = []
  for (let at = point; at.previous !== undefined; at = at.previous) answers.unshift(at.answer)
  return answers
}

/** The operations of the current iteration: those after the last `pause` that returned and the last shared write. */
function iterationBefore(point: Point): { readonly request: Request; readonly answer: Answer }[] {
  const iteration: { readonly request: Request; readonly answer: Answer }[] = []
  for (let at = point; at.previous !== undefined; at = at.previous) {
    const { request } = at.previous.next as { readonly request: Request }
    if (request.kind === 'pause' || wrote(request, at.answer)) break
    iteration.unshift({ request, answer: at.answer })
  }
  return iteration
}

/** Knowledge of the releases (SeqCst writes, notifies that woke) of each thread: how many of them happened before. */
type Clock = readonly number[]

function join(a: Clock, b: Clock): Clock {
  return a.map((value, thread) => Math.max(value, b[thread]))
}

/** Bytes that were copied, until they are settled. */
interface Guess {
  /** How many operations of the thread came before it, and so which guess of the thread it is. */
  readonly depth: number
  readonly byte: number
  readonly bytes: readonly number[]
  /** What the thread knew then. */
  readonly clock: Clock
}

interface Thread {
  readonly at: Point
  readonly status: 'ready' | 'asleep' | 'parked' | 'finished' | 'thrown' | 'killed'
  /** What it did: one text for each SeqCst step. */
  readonly steps: Trail
  readonly clock: Clock
  /** The bytes written Unordered since the last SeqCst step: a kill tears them. */
  readonly fresh: readonly number[]
  /** Whether one of its waits came back for no reason. */
  readonly roused: boolean
  /** What it has not settled. */
  readonly guesses: readonly Guess[]
  /** The current iteration: where it began, and what its SeqCst reads read from. */
  readonly iteration: {
    readonly at: Point
    readonly steps: Trail
    readonly clock: Clock
    readonly fresh: readonly number[]
    readonly guesses: readonly Guess[]
    readonly reads: readonly { readonly location: string; readonly source: string }[]
  }
}

/** Texts one after the other. Those that are equal, and of one root, are one object and have one number. */
class Trail {
  readonly last: string | undefined
  readonly length: number
  readonly number: number
  readonly #numbers: { next: number }
  readonly #after = new Map<string, Trail>()

  constructor(numbers: { next: number }, last?: string, length = 0) {
    this.#numbers = numbers
    this.last = last
    this.length = length
    this.number = numbers.next++
  }

  and(text: string): Trail {
    let longer = this.#after.get(text)
    if (longer === undefined) {
      longer = new Trail(this.#numbers, text, this.length + 1)
      this.#after.set(text, longer)
    }
    return longer
  }
}

/** Who has accessed the bytes of a word: logs that are equal are one object and have one number. */
interface Log {
  /** For each byte, thread and class of access: the last epoch (releases done before) in which it was made, or -1. */
  readonly epochs: Int16Array
  readonly number: number
}

class Logs {
  readonly empty: Log
  readonly #known = new Map<string, Log>()
  readonly #after = new Map<string, Log>()

  constructor(threads: number) {
    this.empty = this.#intern(new Int16Array(4 * threads * 4).fill(-1))
  }

  #intern(epochs: Int16Array): Log {
    const text = epochs.join()
    const log = this.#known.get(text) ?? { epochs, number: this.#known.size }
    this.#known.set(text, log)
    return log
  }

  /** A log in which one epoch is another one. */
  with(log: Log, at: number, epoch: number): Log {
    if (log.epochs[at] === epoch) return log
    const change = `${log.number} ${at} ${epoch}`
    const known = this.#after.get(change)
    if (known !== undefined) return known
    const changed = this.#intern(log.epochs.with(at, epoch))
    this.#after.set(change, changed)
    return changed
  }
}

/** Owned by one path of the search; everything but the arrays that `clone` copies is immutable. */
interface State {
  readonly words: Int32Array
  readonly bytes: Uint8Array
  /** The writes of each location (`word 0`, `list 0`, `life 0`) in order. */
  readonly writes: Map<string, Trail>
  /** What the last SeqCst write of each word released. */
  readonly released: Clock[]
  /** The threads asleep on each word. */
  readonly sleepers: (readonly number[])[]
  readonly threads: Thread[]
  /** What each killed thread knew. */
  readonly deaths: (Clock | undefined)[]
  /** Bytes that a killed thread left undefined. */
  readonly torn: Set<number>
  /** The accesses of each word, by its number among those that are touched; none where nobody has accessed it. */
  readonly accesses: Log[]
  /** The guesses, by thread and depth, that race with a write. */
  readonly spoilt: Set<string>
  race: boolean
}

const atomicRead = 0
const atomicWrite = 1
const plainRead = 2
const plainWrite = 3
/** Which classes of access conflict with a class: at least one writes, not both are SeqCst. */
const conflicts: readonly (readonly number[])[] = [
  [plainWrite],
  [plainRead, plainWrite],
  [atomicWrite, plainWrite],
  [atomicRead, atomicWrite, plainRead, plainWrite],
]

/** What a thread may do next: its next step, the same as a wait that comes back for no reason, or die. */
type Move = 'step' | 'rouse' | 'kill'

class TooBig extends Error {}

/** Runs every schedule of `program`. Invariants, witnesses and `finally` of the program are not looked at. */
export function bruteForce(program: Program, limits: Limits = {}): BruteForceResult {
  return new BruteForce(program, limits).result()
}

class BruteForce {
  readonly names: readonly string[]
  readonly bodies: readonly Body[]
  readonly initial: Int32Array
  /** Which threads may be killed, and how many of them. */
  readonly mortal: readonly boolean[]
  readonly kills: number
  readonly rouses: boolean
  readonly maxStates: number
  readonly maxOperations: number
  readonly executions: Map<string, string> = new Map()
  /** What words hold other than at the start. */
  readonly contents: Set<string> = new Set()
  readonly logs: Logs
  /** The numbers of the words that somebody has touched: states know nothing of others. */
  readonly touched: Map<number, number> = new Map()
  readonly numbers: { next: number } = { next: 0 }
  /** Where the trails of each thread and of each location begin. */
  readonly trails: Map<string, Trail> = new Map()
  readonly failures: Set<FailureKind> = new Set()
  /** The number of schedules from each state on. */
  readonly visited: Map<string, number> = new Map()
  slept = false
  woken = false
  parked = false
  plain = false
  guessed = false
  killed = false
  mourned = false
  spurious = false
  readonly torn: Set<number> = new Set()

  constructor(program: Program, limits: Limits) {
    this.names = Object.keys(program.threads)
    this.bodies = Object.values(program.threads).map((body, self) => {
      const run = (memory: Memory): unknown => (body as (m: Memory, mark: () => void) => unknown)(memory, () => {})
      return new Body(program.words, { self, participants: this.names.length }, run)
    })
    this.initial = new Int32Array(program.words)
    const { kill = [], kills = 1, spurious = false } = program.faults ?? {}
    this.mortal = this.names.map((name) => kill.includes(name))
    this.kills = kills
    this.rouses = spurious
    this.maxStates = limits.states ?? 20_000
    this.maxOperations = limits.operations ?? 100
    this.logs = new Logs(this.names.length)
    program.setup?.(alone(this.initial))
  }

  result(): BruteForceResult {
    let schedules = 0
    let limited = false
    try {
      schedules = this.visit(this.start())
    } catch (error) {
      if (!(error instanceof TooBig)) throw error
      limited = true
    }
    const { contents, initial } = this
    return {
      executions: new Set(this.executions.keys()),
      outcomes: new Set(this.executions.values()),
      get contents() {
        return new Set([...contents].map((changes) => contentAfter(initial, changes)))
      },
      failures: this.failures,
      schedules,
      states: this.visited.size,
      slept: this.slept,
      woken: this.woken,
      parked: this.parked,
      plain: this.plain,
      guessed: this.guessed,
      killed: this.killed,
      mourned: this.mourned,
      spurious: this.spurious,
      torn: this.torn,
      limited,
    }
  }

  start(): State {
    const words = this.initial.slice()
    const none: Clock = this.names.map(() => 0)
    const state: State = {
      words,
      bytes: new Uint8Array(words.buffer),
      writes: new Map(),
      released: Array.from(words, () => none),
      sleepers: Array.from(words, () => []),
      threads: this.bodies.map(({ start }, thread) => ({
        at: start,
        status: 'ready',
        steps: this.trailOf(`thread ${thread}`),
        clock: none,
        fresh: [],
        roused: false,
        guesses: [],
        iteration: { at: start, steps: this.trailOf(`thread ${thread}`), clock: none, fresh: [], guesses: [], reads: [] },
      })),
      deaths: this.names.map(() => undefined),
      torn: new Set(),
      accesses: [],
      spoilt: new Set(),
      race: false,
    }
    for (const thread of this.names.keys()) this.goOn(state, thread)
    return state
  }

  /** All schedules from a state on. Returns how many there are. */
  visit(state: State): number {
    const { threads } = state
    if (state.race) {
      this.failures.add('data-race')
      return 1
    }
    const execution = this.execution(state)
    const seen = state.accesses.map(({ number }) => String.fromCharCode(number >>> 15, number & 0x7fff))
    const key = `${execution}|${threads.map(({ status }) => status)}|${[...state.spoilt].sort()}|${seen.join('')}`
    const known = this.visited.get(key)
    if (known !== undefined) return known
    if (this.visited.size >= this.maxStates) throw new TooBig()

    this.contents.add(this.changesIn(state))
    let schedules = 0
    // Nobody has to be killed: where only kills are possible, the schedule may end as well.
    let ended = true
    for (const [thread, { at }] of threads.entries()) {
      if (at.depth > this.maxOperations) throw new TooBig()
      for (const move of this.moves(state, thread)) {
        if (move !== 'kill') ended = false
        schedules += this.visit(this.move(state, thread, move))
      }
    }
    if (ended) {
      schedules++
      if (threads.every(({ status }) => status === 'finished' || status === 'killed')) {
        const outcome = this.outcome(state)
        if ((this.executions.get(execution) ?? outcome) !== outcome) throw new Error(`one execution, two outcomes: ${execution}`)
        this.executions.set(execution, outcome)
        for (const byte of state.torn) this.torn.add(byte)
      } else if (threads.every(({ status }) => status !== 'thrown')) {
        this.failures.add(threads.some(({ status }) => status === 'asleep') ? 'deadlock' : 'livelock')
      }
    }
    this.visited.set(key, schedules)
    return schedules
  }

  /** The trace that led to a state: the steps of each thread, and the order of the writes of each location. */
  execution(state: State): string {
    const steps = state.threads.map((thread) => thread.steps.number)
    const writes = [...state.writes.values()].map(({ number }) => number).sort((a, b) => a - b)
    return `${steps}|${writes}`
  }

  trailOf(name: string): Trail {
    const trail = this.trails.get(name) ?? new Trail(this.numbers)
    this.trails.set(name, trail)
    return trail
  }

  changesIn({ words }: State): string {
    let changes = ''
    for (const word of this.touched.keys()) if (words[word] !== this.initial[word]) changes += `${word}=${words[word]};`
    return changes
  }

  outcome(state: State): string {
    const results = state.threads.flatMap(({ at, status }, index) => {
      return status === 'killed' ? [] : [[this.names[index], (at.next as { readonly result: unknown }).result]]
    })
    return canonicalOutcome(Object.fromEntries(results), state.words)
  }

  moves(state: State, thread: number): Move[] {
    const { at, status, fresh, roused } = state.threads[thread]
    const request = 'request' in at.next ? at.next.request : undefined
    const moves: Move[] = []
    if (status === 'ready' || (status === 'asleep' && request?.kind === 'wait' && request.finite)) moves.push('step')
    const wouldSleep = status === 'ready' && request?.kind === 'wait' && state.words[request.word] === request.expected
    if (wouldSleep && this.rouses && !roused) moves.push('rouse')
    const dead = state.deaths.filter((death) => death !== undefined).length
    const canDie = status === 'ready' || (status === 'finished' && fresh.length > 0)
    if (canDie && this.mortal[thread] && dead < this.kills) moves.push('kill')
    return moves
  }

  /** The state after thread `thread` made a move. */
  move(from: State, thread: number, move: Move): State {
    const words = from.words.slice()
    const state: State = {
      words,
      bytes: new Uint8Array(words.buffer),
      writes: new Map(from.writes),
      released: [...from.released],
      sleepers: [...from.sleepers],
      threads: [...from.threads],
      deaths: [...from.deaths],
      torn: new Set(from.torn),
      accesses: [...from.accesses],
      spoilt: new Set(from.spoilt),
      race: false,
    }
    const { at, status } = state.threads[thread]
    const { request } = at.next as { readonly request: Request }
    if (move === 'kill') this.kill(state, thread)
    else if (move === 'rouse') this.rouse(state, thread, request)
    else if (status === 'asleep') this.timeOut(state, thread, request)
    else this.perform(state, thread, request)
    this.unpark(state)
    return state
  }

  kill(state: State, thread: number): void {
    this.killed = true
    for (const byte of state.threads[thread].fresh) state.torn.add(byte)
    this.note(state, thread, 'killed', [], [`life ${thread}`])
    this.countRelease(state, thread)
    const me = state.threads[thread]
    state.threads[thread] = { ...me, status: 'killed' }
    state.deaths[thread] = me.clock
  }

  /** A wait that comes back for no reason: it reads the word, and the list does not matter. */
  rouse(state: State, thread: number, request: Request): void {
    this.spurious = true
    const { word } = request as { readonly word: number }
    this.acquire(state, thread, word)
    this.note(state, thread, `spurious wait ${word}`, [`word ${word}`], [])
    state.threads[thread] = { ...state.threads[thread], roused: true }
    this.answer(state, thread, 'ok')
  }

  timeOut(state: State, thread: number, request: Request): void {
    const { word } = request as { readonly word: number }
    state.sleepers[word] = state.sleepers[word].filter((sleeper) => sleeper !== thread)
    state.threads[thread] = { ...state.threads[thread], status: 'ready' }
    this.note(state, thread, `timed-out ${word}`, [], [`list ${word}`])
    this.answer(state, thread, 'timed-out')
  }

  perform(state: State, thread: number, request: Request): void {
    if (request.kind === 'alive') {
      this.lookAt(state, thread, request.participant)
      return
    }
    if (!('word' in request)) throw new Error('not a step')
    const { kind, word } = request
    const old = state.words[word]
    const ofWord = [`word ${word}`]
    const ofList = [`list ${word}`]
    if (kind === 'store') {
      this.note(state, thread, `store ${word}`, [], ofWord)
      this.release(state, thread, word, request.value)
      this.answer(state, thread, undefined)
    } else if (kind === 'notify') {
      this.notify(state, thread, word, request.count)
    } else {
      // All others read the word, and then may write it or fall asleep.
      this.acquire(state, thread, word)
      if (kind === 'load') {
        this.note(state, thread, `load ${word}`, ofWord, [])
        this.answer(state, thread, old)
      } else if ('expected' in request && old !== request.expected) {
        this.note(state, thread, `failed ${kind} ${word}`, ofWord, [])
        this.answer(state, thread, kind === 'wait' ? 'not-equal' : old)
      } else if (kind === 'wait') {
        this.note(state, thread, `wait ${word}`, ofWord, ofList)
        state.sleepers[word] = [...state.sleepers[word], thread]
        state.threads[thread] = { ...state.threads[thread], status: 'asleep' }
        this.slept = true
      } else {
        this.note(state, thread, `${kind} ${word}`, ofWord, ofWord)
        const value = kind === 'compareExchange' ? request.replacement : modifications[kind](old, request.value)
        this.release(state, thread, word, value)
        this.answer(state, thread, old)
      }
    }
  }

  /** Whoever sees a death has learned all that the dead thread knew. */
  lookAt(state: State, thread: number, participant: number): void {
    const death = state.deaths[participant]
    this.note(state, thread, `alive ${participant}`, [`life ${participant}`], [])
    if (death !== undefined) {
      this.mourned = true
      const me = state.threads[thread]
      state.threads[thread] = { ...me, clock: join(me.clock, death) }
    }
    this.answer(state, thread, death === undefined)
  }

  notify(state: State, thread: number, word: number, count: number): void {
    const list = [`list ${word}`]
    const woken = state.sleepers[word].slice(0, count)
    this.note(state, thread, `notify ${word}`, list, woken.length > 0 ? list : [])
    state.sleepers[word] = state.sleepers[word].slice(woken.length)
    if (woken.length > 0) {
      this.woken = true
      this.countRelease(state, thread)
    }
    const { clock } = state.threads[thread]
    this.answer(state, thread, woken.length)
    for (const sleeper of woken) {
      const asleep = state.threads[sleeper]
      state.threads[sleeper] = { ...asleep, status: 'ready', clock: join(asleep.clock, clock) }
      this.answer(state, sleeper, 'ok')
    }
  }

  /** Appends a step to the trace: which locations it reads and which it writes. */
  note(state: State, thread: number, what: string, reads: readonly string[], writes: readonly string[]): void {
    const me = state.threads[thread]
    const id = `${this.names[thread]}${me.steps.length + 1}`
    const from = reads.map((location) => ({ location, source: state.writes.get(location)?.last ?? 'setup' }))
    for (const location of writes) state.writes.set(location, (state.writes.get(location) ?? this.trailOf(location)).and(id))
    const text = from.length === 0 ? what : `${what} from ${from.map(({ source }) => source)}`
    const iteration = { ...me.iteration, reads: [...me.iteration.reads, ...from] }
    state.threads[thread] = { ...me, steps: me.steps.and(text), fresh: [], iteration }
  }

  acquire(state: State, thread: number, word: number): void {
    const me = state.threads[thread]
    state.threads[thread] = { ...me, clock: join(me.clock, state.released[word]) }
    this.access(state, thread, 4 * word, 4, atomicRead)
  }

  release(state: State, thread: number, word: number, value: number): void {
    this.access(state, thread, 4 * word, 4, atomicWrite)
    state.words[word] = value
    this.countRelease(state, thread)
    state.released[word] = state.threads[thread].clock
  }

  countRelease(state: State, thread: number): void {
    const me = state.threads[thread]
    state.threads[thread] = { ...me, clock: me.clock.map((value, index) => (index === thread ? value + 1 : value)) }
  }

  /** Notes an access and looks for races with what the other threads did. Reading a torn byte is a race whatever is known. */
  access(state: State, thread: number, byte: number, length: number, kind: number): void {
    const { clock } = state.threads[thread]
    const count = this.names.length
    const writes = kind === atomicWrite || kind === plainWrite
    for (let at = byte; at < byte + length; at++) {
      if (writes) state.torn.delete(at)
      else if (state.torn.has(at)) state.race = true
      for (let other = 0; other < count; other++) {
        if (other === thread) continue
        // An access of another thread happened before this one if a release after it did.
        if (conflicts[kind].some((conflict) => this.epochOf(state, at, other, conflict) >= clock[other])) state.race = true
      }
      this.noteEpoch(state, at, thread, kind, clock[thread])
    }
    if (writes) this.spoil(state, thread, byte, length)
  }

  /** The last epoch in which a thread accessed a byte so, or -1. */
  epochOf(state: State, byte: number, thread: number, kind: number): number {
    const number = this.touched.get(byte >> 2)
    const log = number === undefined ? undefined : state.accesses[number]
    return log === undefined ? -1 : log.epochs[((byte & 3) * this.names.length + thread) * 4 + kind]
  }

  noteEpoch(state: State, byte: number, thread: number, kind: number, epoch: number): void {
    const word = byte >> 2
    const number = this.touched.get(word) ?? this.touched.size
    this.touched.set(word, number)
    while (state.accesses.length <= number) state.accesses.push(this.logs.empty)
    const at = ((byte & 3) * this.names.length + thread) * 4 + kind
    state.accesses[number] = this.logs.with(state.accesses[number], at, epoch)
  }

  guess(state: State, thread: number, byte: number, length: number): void {
    const { at, clock, guesses } = state.threads[thread]
    const name = `${thread}/${at.depth}`
    state.spoilt.delete(name)
    const count = this.names.length
    for (let each = byte; each < byte + length; each++) {
      if (state.torn.has(each)) state.spoilt.add(name)
      for (let other = 0; other < count; other++) {
        if (other === thread) continue
        const written = [atomicWrite, plainWrite].map((kind) => this.epochOf(state, each, other, kind))
        if (Math.max(...written) >= clock[other]) state.spoilt.add(name)
      }
    }
    const bytes = Array.from(state.bytes.subarray(byte, byte + length))
    state.threads[thread] = { ...state.threads[thread], guesses: [...guesses, { depth: at.depth, byte, bytes, clock }] }
  }

  /** Who writes what another thread has guessed must know of it: that thread must have released since. */
  spoil(state: State, thread: number, byte: number, length: number): void {
    const { clock } = state.threads[thread]
    for (const [other, { guesses }] of state.threads.entries()) {
      if (other === thread) continue
      for (const guess of guesses) {
        const common = Math.min(byte + length, guess.byte + guess.bytes.length) > Math.max(byte, guess.byte)
        if (common && guess.clock[other] >= clock[other]) state.spoilt.add(`${other}/${guess.depth}`)
      }
    }
  }

  settle(state: State, thread: number, valid: boolean): readonly (readonly number[])[] {
    const { guesses } = state.threads[thread]
    state.threads[thread] = { ...state.threads[thread], guesses: [] }
    if (!valid) return []
    this.guessed = true
    for (const { depth, byte, bytes, clock } of guesses) {
      if (state.spoilt.has(`${thread}/${depth}`)) state.race = true
      for (let at = byte; at < byte + bytes.length; at++) {
        const epoch = Math.max(this.epochOf(state, at, thread, plainRead), clock[thread])
        this.noteEpoch(state, at, thread, plainRead, epoch)
      }
    }
    return guesses.map(({ bytes }) => bytes)
  }

  /** Gives a thread the answer to its request, and runs the Unordered operations that follow. */
  answer(state: State, thread: number, answer: Answer): void {
    const me = state.threads[thread]
    const { request } = me.at.next as { readonly request: Request }
    const at = this.bodies[thread].advance(me.at, answer)
    const begins = request.kind === 'pause' || wrote(request, answer)
    const { steps, clock, fresh, guesses } = me
    const iteration = begins ? { at, steps, clock, fresh, guesses, reads: [] } : me.iteration
    state.threads[thread] = { ...me, at, iteration }
    this.goOn(state, thread)
  }

  /** Takes a thread to its next SeqCst operation, to its end, or to a pause where it parks. */
  goOn(state: State, thread: number): void {
    const me = state.threads[thread]
    const { next, depth } = me.at
    if (depth > this.maxOperations) throw new TooBig()
    if ('result' in next) {
      state.threads[thread] = { ...me, status: 'finished' }
    } else if ('error' in next) {
      state.threads[thread] = { ...me, status: 'thrown' }
      this.failures.add(kindOf(next.error))
    } else if (next.request.kind === 'pause') {
      if (this.bodies[thread].spins(me.at)) {
        this.parked = true
        state.threads[thread] = { ...me, status: 'parked' }
      } else {
        this.answer(state, thread, undefined)
      }
    } else if (next.request.kind === 'read') {
      this.plain = true
      const { byte, length } = next.request
      this.access(state, thread, byte, length, plainRead)
      this.answer(state, thread, Array.from(state.bytes.subarray(byte, byte + length)))
    } else if (next.request.kind === 'write') {
      this.plain = true
      const { byte, bytes } = next.request
      this.access(state, thread, byte, bytes.length, plainWrite)
      state.bytes.set(bytes, byte)
      state.threads[thread] = { ...me, fresh: [...me.fresh, ...bytes.map((_, index) => byte + index)] }
      this.answer(state, thread, undefined)
    } else if (next.request.kind === 'guess') {
      this.plain = true
      this.guess(state, thread, next.request.byte, next.request.length)
      this.answer(state, thread, undefined)
    } else if (next.request.kind === 'settle') {
      const bytes = this.settle(state, thread, next.request.valid)
      this.answer(state, thread, bytes)
    }
  }

  /** Erases the iterations of parked threads that read something older than the newest write, and retries them. */
  unpark(state: State): void {
    for (const [thread, me] of state.threads.entries()) {
      if (me.status !== 'parked') continue
      const { at, steps, clock, fresh, guesses, reads } = me.iteration
      if (reads.every(({ location, source }) => (state.writes.get(location)?.last ?? 'setup') === source)) continue
      const iteration = { at, steps, clock, fresh, guesses, reads: [] }
      const again = { at, status: 'ready' as const, steps, clock, fresh, guesses, iteration }
      state.threads[thread] = { ...me, ...again }
      this.goOn(state, thread)
    }
  }
}

/** The words, joined by commas, when some have changed. */
function contentAfter(initial: Int32Array, changes: string): string {
  const words = initial.slice()
  for (const [, word, value] of changes.matchAll(/(\d+)=(-?\d+);/g)) words[Number(word)] = Number(value)
  return words.join()
}

function kindOf(error: unknown): FailureKind {
  if (error instanceof RangeError) return 'out-of-range'
  return error instanceof Error && error.name === 'GuaranteeError' ? 'assertion' : 'thrown'
}

/** The memory that `setup` sees: it runs alone, so every call simply happens. */
export function alone(words: Int32Array): Memory {
  const bytes = new Uint8Array(words.buffer)
  let guesses: number[][] = []
  return scripted(words.length, (request) => {
    switch (request.kind) {
      case 'load':
        return words[request.word]
      case 'store':
        words[request.word] = request.value
        return undefined
      case 'compareExchange': {
        const old = words[request.word]
        if (old === request.expected) words[request.word] = request.replacement
        return old
      }
      case 'wait':
        if (words[request.word] !== request.expected) return 'not-equal'
        throw new Error('setup sleeps for ever')
      case 'notify':
        return 0
      case 'alive':
        throw new Error('setup is no participant')
      case 'pause':
      case 'flush':
      case 'ack':
        return undefined
      case 'read':
        return Array.from(bytes.subarray(request.byte, request.byte + request.length))
      case 'write':
        bytes.set(request.bytes, request.byte)
        return undefined
      case 'guess':
        guesses.push(Array.from(bytes.subarray(request.byte, request.byte + request.length)))
        return undefined
      case 'settle': {
        const settled = guesses
        guesses = []
        return settled
      }
      default: {
        const old = words[request.word]
        words[request.word] = modifications[request.kind](old, request.value)
        return old
      }
    }
  })
}

/** `{"results":{...},"words":{...}}` with sorted keys, without the words that hold zero. */
export function canonicalOutcome(results: Readonly<Record<string, unknown>>, words: Int32Array): string {
  const nonZero = [...words.entries()].filter(([, value]) => value !== 0)
  return canonicalJson({ results, words: Object.fromEntries(nonZero) })
}

function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join()}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  const isIndex = (key: string): boolean => /^(0|[1-9][0-9]*)$/.test(key)
  const defined = Object.entries(value).filter(([, inner]) => inner !== undefined)
  const entries = defined.sort(([a], [b]) => (isIndex(a) && isIndex(b) ? Number(a) - Number(b) : a < b ? -1 : 1))
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${canonicalJson(inner)}`).join()}}`
}
