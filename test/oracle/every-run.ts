/**
 * The oracle of the oracle: every run of a tiny program from its very start, nothing remembered, nothing merged.
 *
 * Written apart from `brute-force.ts`: happens-before is a set of events here, not a vector of counts, and executions are
 * read off the finished run. Exponential in everything.
 */

import type { FailureKind } from '../../checker/report.ts'
import type { Memory } from '../../core/memory.ts'
import type { Program } from '../../model/program.ts'

export interface EveryRunResult {
  readonly executions: ReadonlySet<string>
  readonly outcomes: ReadonlySet<string>
  readonly failures: ReadonlySet<FailureKind>
  /** The bytes that a complete execution leaves torn. */
  readonly torn: ReadonlySet<number>
  /** Maximal runs; a run ends at its first race. */
  readonly runs: number
  /** There were more than `maxRuns` runs: nothing above can be trusted. */
  readonly limited: boolean
}

interface Call {
  readonly name: string
  // biome-ignore lint/suspicious/noExplicitAny: the arguments of any call on Memory
  readonly args: readonly any[]
}

interface Event {
  readonly thread: number
  readonly call: Call
  readonly time: number
  answer: unknown
  /** Whether the thread has settled it, if it is a guess. */
  settled: boolean
  /** Events that happen before this one. */
  readonly past: Set<Event>
  readonly seqCst: boolean
  /** First byte and the byte after the last; empty where no byte is touched. */
  readonly from: number
  readonly to: number
  /** A guess reads once it was settled as valid. */
  readsBytes: boolean
  readonly writesBytes: boolean
  /** Locations read from, with the event that wrote each; `undefined` for the initial value. */
  readonly sources: readonly (readonly [string, Event | undefined])[]
  readonly writes: readonly string[]
}

interface Actor {
  /** What happened and still counts, erased iterations left out. */
  events: Event[]
  asleepOn: number | undefined
  parked: boolean
  killed: boolean
}

/** What a schedule lets happen to a thread. */
interface Turn {
  readonly thread: number
  /** `ok` is a `wait` that finds what it expects and comes back nevertheless. */
  readonly what: 'step' | 'ok' | 'kill'
}

interface Run {
  readonly words: Int32Array
  readonly actors: Actor[]
  /** Everything that happened, erased iterations too. */
  readonly all: Event[]
  /** The writes of each location in order. */
  readonly order: Map<string, Event[]>
  readonly lists: number[][]
  raced: boolean
  threw: Set<FailureKind>
}

const left: unique symbol = Symbol('left')
const unordered: readonly string[] = ['read', 'write', 'readBytes', 'writeBytes', 'guessBytes', 'settle']
/** Events of a sleeping thread: no calls of their own. */
const inWait: readonly string[] = ['woken', 'timed-out']
const modifying: readonly string[] = ['add', 'sub', 'and', 'or', 'xor', 'exchange']

/** A memory whose every call is `ask(name, args)`. A thread is one of `participants`. */
function asking(words: number, ask: (call: Call) => unknown, self = 0, participants = 0): Memory {
  const liveness = {
    self,
    alive(participant: number): unknown {
      if (!Array.from({ length: participants }, (_, i) => i).includes(participant)) throw new RangeError('nobody')
      return ask({ name: 'alive', args: [participant] })
    },
  }
  const targets: Uint8Array[] = []
  return new Proxy({} as Memory, {
    get: (_, name: string) => {
      if (name === 'words') return words
      if (name === 'liveness') return participants > 0 ? liveness : undefined
      if (name === 'now') return () => 0
      // biome-ignore lint/suspicious/noExplicitAny: any call on Memory
      return (...args: any[]) => {
        if (name.endsWith('Bytes') && args[1].length === 0) return undefined
        if (name === 'guessBytes') {
          ask({ name, args: [args[0], args[1].length] })
          for (const i of args[1].keys()) args[1][i] = 255 - (i % 128)
          targets.push(args[1])
          return undefined
        }
        if (name === 'settle') {
          const settled = targets.splice(0)
          if (settled.length === 0) return undefined
          const contents = ask({ name, args })
          if (args[0]) for (const [i, content] of (contents as number[][]).entries()) settled[i].set(content)
          return undefined
        }
        if (name === 'readBytes') {
          args[1].set(ask({ name, args: [args[0], args[1].length] }))
          return undefined
        }
        return ask({ name, args: name === 'writeBytes' ? [args[0], [...args[1]]] : args })
      }
    },
  })
}

export function everyRun(program: Program, maxRuns: number): EveryRunResult {
  const names = Object.keys(program.threads)
  const bodies = Object.values(program.threads) as ((memory: Memory, mark: () => void) => unknown)[]
  const executions = new Set<string>()
  const outcomes = new Set<string>()
  const failures = new Set<FailureKind>()
  const torn = new Set<number>()
  const { kill = [], kills = 1, spurious = false } = program.faults ?? {}
  let runs = 0

  const askingAs = (thread: number, ask: (call: Call) => unknown): Memory => asking(program.words, ask, thread, names.length)

  /** What a thread does after the answers it has. */
  function following(
    thread: number,
    answers: readonly unknown[],
  ): Call | { readonly result: unknown } | { readonly error: unknown } {
    let used = 0
    let next: Call | undefined
    try {
      const memory = askingAs(thread, (call) => {
        if (used < answers.length) return answers[used++]
        next ??= call
        throw left
      })
      return { result: bodies[thread](memory, () => {}) }
    } catch (error) {
      return next ?? { error }
    }
  }

  const isWrite = ({ writes, writesBytes }: Event): boolean => writes.length > 0 || writesBytes

  /** The events since the last write, pause or wake-up. */
  function iteration({ events }: Actor): Event[] {
    const ends = (event: Event): boolean => isWrite(event) || event.answer === 'ok' || event.call.name === 'pause'
    const last = events.findLastIndex((event) => ends(event) || event.call.name === 'woken')
    return events.slice(last + 1)
  }

  /** Whether the thread at a pause repeats its iteration for ever: five hundred more times, the programs being tiny. */
  function repeats(thread: number, actor: Actor): boolean {
    const again = iteration(actor)
    const answers: unknown[] = answersOf(actor)
    const expected: Call[] = []
    for (let round = 0; round < 500; round++) {
      answers.push(undefined, ...again.map(({ answer }) => answer))
      expected.push({ name: 'pause', args: [] }, ...again.map(({ call }) => call))
    }
    const done: Call[] = []
    try {
      const memory = askingAs(thread, (call) => {
        if (done.length === answers.length) throw left
        done.push(call)
        return answers[done.length - 1]
      })
      bodies[thread](memory, () => {})
      return false
    } catch {
      const tail = done.slice(done.length - expected.length)
      return done.length === answers.length && JSON.stringify(tail) === JSON.stringify(expected)
    }
  }

  function answersOf(actor: Actor): unknown[] {
    return actor.events.filter(({ call }) => !inWait.includes(call.name)).map(({ answer }) => answer)
  }

  function newest(run: Run, location: string): Event | undefined {
    return run.order.get(location)?.at(-1)
  }

  /** The bytes that a thread wrote Unordered and followed by no SeqCst event. */
  function unsettled({ events }: Actor): number[] {
    const bytes: number[] = []
    for (const event of events.filter(({ call }) => !['pause', 'kill'].includes(call.name))) {
      if (event.seqCst) bytes.length = 0
      else if (event.writesBytes) for (let byte = event.from; byte < event.to; byte++) bytes.push(byte)
    }
    return bytes
  }

  /** Whether the last to write the byte, up to some time, was killed before anything made that write definite. */
  function isTorn(run: Run, byte: number, until: number = Number.POSITIVE_INFINITY): boolean {
    const writer = run.all.findLast(({ writesBytes, from, to, time }) => writesBytes && from <= byte && byte < to && time < until)
    if (writer === undefined || writer.seqCst) return false
    const { killed, events } = run.actors[writer.thread]
    const later = events.filter(({ time, seqCst, call }) => time > writer.time && seqCst && call.name !== 'pause')
    return killed && later.every(({ call }) => call.name === 'kill')
  }

  const openGuesses = ({ events }: Actor): Event[] => events.filter(({ call, settled }) => call.name === 'guessBytes' && !settled)

  /** Whether a guess could have seen something else: nothing tells whether it came before or after some write. */
  function isSpoilt(run: Run, guess: Event): boolean {
    const knows = (event: Event, other: Event): boolean =>
      [...event.past].some(({ thread, time }) => thread === other.thread && time >= other.time)
    for (const other of run.all) {
      const common = Math.min(other.to, guess.to) > Math.max(other.from, guess.from)
      if (!common || !other.writesBytes || other.thread === guess.thread) continue
      if (!knows(guess, other) && !knows(other, guess)) return true
    }
    for (let byte = guess.from; byte < guess.to; byte++) if (isTorn(run, byte, guess.time)) return true
    return false
  }

  /** Lets one event happen. */
  function happen(run: Run, thread: number, call: Call, wokenBy?: Event, roused = false): Event {
    const actor = run.actors[thread]
    const [first] = call.args
    const { name } = call
    const bytes = new Uint8Array(run.words.buffer)
    const seqCst = !unordered.includes(name)
    const word = `word ${first}`
    const list = `list ${first}`
    const life = `life ${first}`
    const current = seqCst && first !== undefined ? run.words[first] : 0
    let answer: unknown
    let reads: readonly string[] = []
    let writes: readonly string[] = []
    let [from, to, readsBytes, writesBytes] = [4 * first, 4 * first + 4, false, false]
    if (name === 'pause') {
      from = to = 0
    } else if (name === 'kill') {
      writes = [`life ${thread}`]
      from = to = 0
      actor.killed = true
    } else if (name === 'alive') {
      reads = [life]
      from = to = 0
      answer = newest(run, life) === undefined
    } else if (name === 'timed-out') {
      writes = [list]
      from = to = 0
      run.lists[first] = run.lists[first].filter((other) => other !== thread)
    } else if (name === 'woken') {
      from = to = 0
    } else if (name === 'load') {
      reads = [word]
      readsBytes = true
      answer = current
    } else if (name === 'store') {
      writes = [word]
      writesBytes = true
      run.words[first] = call.args[1]
    } else if (modifying.includes(name)) {
      const operand = call.args[1] | 0
      reads = writes = [word]
      readsBytes = writesBytes = true
      answer = current
      if (name === 'add') run.words[first] += operand
      if (name === 'sub') run.words[first] -= operand
      if (name === 'and') run.words[first] &= operand
      if (name === 'or') run.words[first] |= operand
      if (name === 'xor') run.words[first] ^= operand
      if (name === 'exchange') run.words[first] = operand
    } else if (name === 'compareExchange') {
      reads = [word]
      readsBytes = true
      answer = current
      if (current === (call.args[1] | 0)) {
        writes = [word]
        writesBytes = true
        run.words[first] = call.args[2]
      }
    } else if (name === 'wait') {
      reads = [word]
      readsBytes = true
      if (roused) {
        answer = 'ok'
      } else if (current === (call.args[1] | 0)) {
        writes = [list]
        run.lists[first].push(thread)
        actor.asleepOn = first
      } else {
        answer = 'not-equal'
      }
    } else if (name === 'notify') {
      reads = [list]
      from = to = 0
      const count = call.args[1] === undefined ? 1e9 : call.args[1]
      answer = Math.min(count, run.lists[first].length)
      if (answer !== 0) writes = [list]
    } else if (name === 'read') {
      readsBytes = true
      answer = new Int32Array(run.words)[first]
    } else if (name === 'write') {
      writesBytes = true
      run.words[first] = call.args[1]
    } else if (name === 'readBytes') {
      readsBytes = true
      from = first
      to = first + call.args[1]
      answer = Array.from(bytes.slice(from, to))
    } else if (name === 'writeBytes') {
      writesBytes = true
      from = first
      to = first + call.args[1].length
      bytes.set(call.args[1], first)
    } else if (name === 'guessBytes') {
      from = first
      to = first + call.args[1]
      answer = Array.from(bytes.slice(from, to))
    } else if (name === 'settle') {
      from = to = 0
      const guesses = openGuesses(actor)
      for (const guess of guesses) guess.settled = true
      if (first) {
        answer = guesses.map((guess) => guess.answer)
        for (const guess of guesses) {
          guess.readsBytes = true
          if (isSpoilt(run, guess)) run.raced = true
        }
      }
    }

    const sources = reads.map((location) => [location, newest(run, location)] as const)
    const past = new Set<Event>()
    const before = [actor.events.at(-1), wokenBy, ...sources.filter(([at]) => at !== list).map(([, source]) => source)]
    for (const event of before) {
      if (event === undefined) continue
      past.add(event)
      for (const earlier of event.past) past.add(earlier)
    }
    const event: Event = {
      thread,
      call,
      time: run.all.length,
      answer,
      settled: false,
      past,
      seqCst,
      from,
      to,
      readsBytes,
      writesBytes,
      sources,
      writes,
    }
    for (const other of run.all) {
      const common = Math.min(other.to, to) > Math.max(other.from, from)
      if (other.thread === thread || (other.seqCst && seqCst) || !common) continue
      if (!(other.writesBytes || writesBytes) || !(readsBytes || writesBytes) || !(other.readsBytes || other.writesBytes))
        continue
      if ([...past].some((known) => known.thread === other.thread && known.time >= other.time)) continue
      run.raced = true
    }
    if (readsBytes) for (let byte = from; byte < to; byte++) run.raced ||= isTorn(run, byte)
    for (const location of writes) run.order.set(location, [...(run.order.get(location) ?? []), event])
    run.all.push(event)
    actor.events.push(event)

    if (name === 'notify') {
      for (const sleeper of run.lists[first].splice(0, answer as number)) {
        const other = run.actors[sleeper]
        other.asleepOn = undefined
        const waiting = other.events.at(-1) as Event
        waiting.answer = 'ok'
        happen(run, sleeper, { name: 'woken', args: [first] }, event)
        settle(run, sleeper)
      }
    }
    return event
  }

  /** Runs what is no scheduling point. */
  function settle(run: Run, thread: number): void {
    const actor = run.actors[thread]
    for (;;) {
      if (actor.asleepOn !== undefined) return
      const next = following(thread, answersOf(actor))
      if ('error' in next) {
        const { error } = next
        const kind = error instanceof RangeError ? 'out-of-range' : 'thrown'
        run.threw.add(error instanceof Error && error.name === 'GuaranteeError' ? 'assertion' : kind)
        return
      }
      if ('result' in next) return
      if (next.name === 'pause') {
        if (repeats(thread, actor)) {
          actor.parked = true
          return
        }
      } else if (!unordered.includes(next.name)) {
        return
      }
      happen(run, thread, next)
      if (actor.events.length > 200) throw new Error('a thread without end')
    }
  }

  /** Parked threads that have something new to see start their iteration again. */
  function retry(run: Run): void {
    for (const [thread, actor] of run.actors.entries()) {
      if (!actor.parked) continue
      const failed = iteration(actor)
      if (!failed.some(({ sources }) => sources.some(([location, source]) => newest(run, location) !== source))) continue
      actor.parked = false
      actor.events = actor.events.filter((event) => !failed.includes(event))
      settle(run, thread)
    }
  }

  /** The run in which these turns are taken. */
  function replay(schedule: readonly Turn[]): Run {
    const newActor = (): Actor => ({ events: [], asleepOn: undefined, parked: false, killed: false })
    const run: Run = {
      words: new Int32Array(program.words),
      actors: names.map(newActor),
      all: [],
      order: new Map(),
      lists: Array.from({ length: program.words }, () => []),
      raced: false,
      threw: new Set(),
    }
    if (program.setup !== undefined) {
      const prelude: Run = { ...run, actors: [newActor()] }
      program.setup(asking(program.words, (call) => happen(prelude, 0, call).answer))
      run.all.length = 0
      run.order.clear()
    }
    for (const thread of names.keys()) settle(run, thread)
    for (const { thread, what } of schedule) {
      const actor = run.actors[thread]
      if (what === 'kill') {
        happen(run, thread, { name: 'kill', args: [] })
        retry(run)
        continue
      }
      if (actor.asleepOn !== undefined) {
        const asleepOn = actor.asleepOn
        actor.asleepOn = undefined
        const waiting = actor.events.at(-1) as Event
        waiting.answer = 'timed-out'
        happen(run, thread, { name: 'timed-out', args: [asleepOn] })
      } else {
        happen(run, thread, following(thread, answersOf(actor)) as Call, undefined, what === 'ok')
      }
      settle(run, thread)
      retry(run)
    }
    return run
  }

  function canStep(run: Run, thread: number): boolean {
    const actor = run.actors[thread]
    if (actor.asleepOn !== undefined) {
      const timeout = actor.events.at(-1)?.call.args[2]
      return timeout !== undefined && timeout < Number.POSITIVE_INFINITY
    }
    if (actor.parked || actor.killed) return false
    return 'name' in following(thread, answersOf(actor))
  }

  function canWakeForNothing(run: Run, thread: number): boolean {
    const actor = run.actors[thread]
    if (!spurious || actor.asleepOn !== undefined || !canStep(run, thread)) return false
    const { name, args } = following(thread, answersOf(actor)) as Call
    if (name !== 'wait' || run.words[args[0]] !== (args[1] | 0)) return false
    // A wait that fell asleep wrote the list.
    return !actor.events.some((event) => event.answer === 'ok' && event.writes.length === 0)
  }

  function canDie(run: Run, thread: number): boolean {
    const actor = run.actors[thread]
    if (!kill.includes(names[thread]) || run.actors.filter(({ killed }) => killed).length === kills) return false
    if (actor.killed || actor.parked || actor.asleepOn !== undefined) return false
    const next = following(thread, answersOf(actor))
    return 'name' in next || ('result' in next && unsettled(actor).length > 0)
  }

  function explore(schedule: readonly Turn[]): void {
    if (runs > maxRuns) return
    const run = replay(schedule)
    for (const kind of run.threw) failures.add(kind)
    if (run.raced) {
      failures.add('data-race')
      runs++
      return
    }
    const threads = [...names.keys()]
    for (const thread of threads.filter((each) => canDie(run, each))) explore([...schedule, { thread, what: 'kill' }])
    for (const thread of threads.filter((each) => canWakeForNothing(run, each))) explore([...schedule, { thread, what: 'ok' }])
    const able = threads.filter((thread) => canStep(run, thread))
    for (const thread of able) explore([...schedule, { thread, what: 'step' }])
    if (able.length > 0) return
    runs++
    if (run.threw.size > 0) return
    const survivors = threads.filter((thread) => !run.actors[thread].killed)
    const ends = survivors.map((thread) => {
      const actor = run.actors[thread]
      return [names[thread], actor.asleepOn === undefined ? following(thread, answersOf(actor)) : undefined] as const
    })
    if (ends.every(([, end]) => end !== undefined && 'result' in end)) {
      executions.add(describe(run))
      for (let byte = 0; byte < 4 * program.words; byte++) if (isTorn(run, byte)) torn.add(byte)
      const results = ends.map(([name, end]) => [name, (end as { result: unknown }).result] as const)
      results.sort(([a], [b]) => (a < b ? -1 : 1))
      const words = [...run.words].map((value, word) => [word, value] as const).filter(([, value]) => value !== 0)
      outcomes.add(JSON.stringify({ results: Object.fromEntries(results), words: Object.fromEntries(words) }))
    } else {
      failures.add(run.actors.some(({ asleepOn }) => asleepOn !== undefined) ? 'deadlock' : 'livelock')
    }
  }

  function describe(run: Run): string {
    const kept = run.actors.map(({ events }) =>
      events.filter(({ seqCst, call }) => seqCst && !['pause', 'woken'].includes(call.name)),
    )
    const place = (event: Event | undefined): string =>
      event === undefined ? 'initial' : `${event.thread}.${kept[event.thread].indexOf(event)}`
    const threads = kept.map((events) =>
      events.map(({ call, answer, sources }) => [call, answer, sources.map(([location, source]) => [location, place(source)])]),
    )
    const order = [...run.order].map(([location, events]) => [location, events.map(place)]).sort()
    return JSON.stringify([threads, order])
  }

  explore([])
  return { executions, outcomes, failures, torn, runs, limited: runs > maxRuns }
}
