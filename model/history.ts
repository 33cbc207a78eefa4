import { faultsOf, noFaults, type ThreadFaults } from './faults.ts'
import { asThread, NonDeterminismError } from './guards.ts'
import {
  ALIVE,
  COMPARE_EXCHANGE,
  DONE,
  FLUSH,
  GUESS_BYTES,
  KILLED,
  LOAD,
  NOTIFY,
  operationNames,
  PAUSE,
  READ,
  READ_BYTES,
  SETTLE,
  STORE,
  THROWN,
  updated,
  WAIT,
  WRITE,
  WRITE_BYTES,
} from './operation.ts'
import { canonical, frozen, snapshot } from './plain-data.ts'
import type { Mark, Program } from './program.ts'
import { SimulatedMemory } from './simulated-memory.ts'

/**
 * A thread as a trie of histories.
 *
 * A thread is deterministic, so what it does next is a function of the answers it got so far. A node of the trie is "the
 * thread after these answers" and holds its next operation, or its result. User code runs only when a history is new;
 * from then on a search walks nodes, and switching threads is free.
 */

/** What an operation answered: a number, or the bytes of a bulk read, or of settled guesses, as a string. */
export type Answer = number | string

/** A mark as it was made, between the operation before and the one of its node. */
export interface Marked {
  readonly kind: 'call' | 'return' | 'ack'
  readonly name: string
  readonly value: unknown
}

/** A thread after some answers, about to do its next operation. Nodes are made by `Thread`, once each. */
export class History {
  readonly parent: History | null
  /** What the operation of the parent answered. */
  readonly answer: Answer
  /** How many operations came before. */
  readonly depth: number
  /** The depth at which the current spin iteration began: after the last `pause` or shared write. */
  readonly iteration: number

  kind = 0
  /** The word; for bulk copies the first byte. */
  word = 0
  a = 0
  b = 0
  bytes = ''
  /** For `PAUSE`: the thread would only repeat its iteration, so it parks here. */
  parks = false
  /** For `DONE` what the thread returned, for `THROWN` what it threw. */
  result: unknown = undefined
  /** For who compares results (`checker/ends.ts`): a number that stands for this one, from 1; 0: none yet. */
  resultNumber = 0
  marks: readonly Marked[] = noMarks
  /** A number of its own for each node, in the order they were made. */
  readonly serial: number

  /** The children in a list, the one that was asked for last in front: a search comes back to it soon. */
  #child: History | undefined
  // biome-ignore lint/style/useReadonlyClassProperties: it is written by the parent
  #sibling: History | undefined
  #count = 0
  /** All of them, once they are many; there is no list then. */
  #children: Map<Answer, History> | undefined
  #killed: History | undefined

  constructor(parent: History | null, answer: Answer, serial: number) {
    this.parent = parent
    this.answer = answer
    this.serial = serial
    this.depth = parent === null ? 0 : parent.depth + 1
    this.iteration = parent === null ? 0 : endsIteration(parent, answer) ? this.depth : parent.iteration
  }

  get finished(): boolean {
    return this.kind >= DONE
  }

  /** The thread when it is killed here: it does nothing more. */
  get killed(): History {
    if (this.#killed === undefined) {
      this.#killed = new History(this, 0, -1)
      this.#killed.kind = KILLED
    }
    return this.#killed
  }

  /** The node after this operation answered `answer`, if user code has run that far. */
  child(answer: Answer): History | undefined {
    const child = this.#child
    return child === undefined || child.answer === answer ? child : this.#find(answer, child)
  }

  #find(answer: Answer, front: History): History | undefined {
    if (this.#children !== undefined) {
      const child = this.#children.get(answer)
      if (child !== undefined) this.#child = child
      return child
    }
    for (let before = front, child = front.#sibling; child !== undefined; before = child, child = child.#sibling) {
      if (child.answer !== answer) continue
      before.#sibling = child.#sibling
      child.#sibling = front
      this.#child = child
      return child
    }
    return undefined
  }

  /** Takes a child in. */
  adopt(child: History): void {
    if (this.child(child.answer) === child) return
    if (this.#children === undefined) {
      child.#sibling = this.#child
      if (++this.#count === many) this.#children = this.#unlink(child)
    } else this.#children.set(child.answer, child)
    this.#child = child
  }

  /** Takes a list of children apart. */
  #unlink(front: History | undefined): Map<Answer, History> {
    const children = new Map<Answer, History>()
    for (let child = front; child !== undefined; ) {
      const next: History | undefined = child.#sibling
      children.set(child.answer, child)
      child.#sibling = undefined
      child = next
    }
    return children
  }

  /** Forgets what comes after. The nodes stay valid for whoever holds them. */
  forget(): void {
    this.#unlink(this.#child)
    this.#child = undefined
    this.#count = 0
    this.#children = undefined
  }

  /** Whether this node's operation is the one described. */
  matches(kind: number, word: number, a: number, b: number, bytes: string): boolean {
    return this.kind === kind && this.word === word && this.a === a && this.b === b && this.bytes === bytes
  }
}

/** From so many children on they are looked up in a map. */
const many = 12

const noMarks: readonly Marked[] = []

/** Whether the operation of `node`, answered so, is a `pause` that did nothing or a shared write: a new spin iteration begins. */
function endsIteration(node: History, answer: Answer): boolean {
  switch (node.kind) {
    case LOAD:
    case READ:
    case READ_BYTES:
    case GUESS_BYTES:
    case SETTLE:
    case ALIVE:
      return false
    case COMPARE_EXCHANGE:
      return answer === node.a
    case WAIT:
      return answer !== 0
    case NOTIFY:
      return answer !== 0
    default:
      return true
  }
}

/** Thrown through user code to leave it. Whoever catches it must let it pass. */
const stop: unique symbol = Symbol('the checker leaves this thread here; rethrow what you did not expect')

/** A thread that did something else when it was given the same answers again. */
export class DivergedError extends NonDeterminismError {
  readonly thread: string

  constructor(thread: string, message: string) {
    super(message)
    this.thread = thread
  }
}

/** The memory of one run of a thread: answers from a history, then notes the next operation and leaves. */
class RunMemory extends SimulatedMemory {
  /** The history, and behind it what the run has gone on to. */
  readonly #path: readonly History[]
  readonly #length: number
  readonly #answers: readonly Answer[]
  /** After the history, go on answering the operations from this index of the path to its end, again and again. -1: do not. */
  readonly #cycle: number
  readonly #limit: number
  #position = 0
  /** The user code has been left; whatever it still does in `finally` blocks is not heard. */
  left = false
  /** The first operation that differs from the path. */
  differs: { at: number; kind: number; word: number; a: number; b: number } | undefined
  /** Whether the cycle went on to the limit. */
  cycled = false
  readonly next = { kind: 0, word: 0, a: 0, b: 0, bytes: '' }
  marks: readonly Marked[] = noMarks
  /** When given, told before each operation of the path. */
  readonly #observe: ((index: number) => void) | undefined
  /** When given, told each operation behind the path, and may answer it. */
  readonly #goOn: ((memory: RunMemory) => Answer | undefined) | undefined

  constructor(
    words: number,
    participant: { readonly self: number; readonly count: number },
    durable: boolean,
    path: readonly History[],
    answers: readonly Answer[],
    cycle: number,
    limit: number,
    observe?: (index: number) => void,
    goOn?: (memory: RunMemory) => Answer | undefined,
  ) {
    super(words, participant, durable)
    this.#path = path
    this.#length = path.length
    this.#answers = answers
    this.#cycle = cycle
    this.#limit = limit
    this.#observe = observe
    this.#goOn = goOn
  }

  protected operate(kind: number, word: number, a: number, b: number, bytes: string): Answer {
    if (this.left) throw stop
    let index = this.#position++
    const length = this.#length
    if (index >= length) {
      if (this.#cycle < 0) return this.#beyond(kind, word, a, b, bytes)
      if (index >= this.#limit) {
        this.cycled = true
        return this.#leave(kind, word, a, b, bytes)
      }
      index = this.#cycle + ((index - length) % (length - this.#cycle))
    }
    if (!this.#path[index].matches(kind, word, a, b, bytes)) {
      this.differs = { at: index, kind, word, a, b }
      return this.#leave(kind, word, a, b, bytes)
    }
    if (this.#observe !== undefined) this.#observe(index)
    this.marks = noMarks
    return this.#answers[index]
  }

  #beyond(kind: number, word: number, a: number, b: number, bytes: string): Answer {
    const { next } = this
    next.kind = kind
    next.word = word
    next.a = a
    next.b = b
    next.bytes = bytes
    const answer = this.#goOn?.(this)
    if (answer === undefined) {
      this.left = true
      throw stop
    }
    this.marks = noMarks
    return answer
  }

  /** Whether the whole path was walked. */
  get arrived(): boolean {
    return this.#position >= this.#length
  }

  #leave(kind: number, word: number, a: number, b: number, bytes: string): never {
    Object.assign(this.next, { kind, word, a, b, bytes })
    this.left = true
    throw stop
  }
}

/** How a run ended. Neither returned nor thrown: it was left. */
interface Ended {
  readonly memory: RunMemory
  readonly returned: boolean
  readonly thrown: boolean
  readonly result: unknown
}

/** How many operations a run goes on by predictions: a thread that spins without a `pause` must end. */
const mostPredicted = 64

/** What an operation would be answered, if the words that this run has not written hold what `predict` says. */
function foresee(
  kind: number,
  word: number,
  a: number,
  b: number,
  written: Map<number, number>,
  predict: (word: number) => number | undefined,
): Answer | undefined {
  switch (kind) {
    case STORE:
    case WRITE:
      written.set(word, a)
      return 0
    case WAIT:
    case NOTIFY:
    case PAUSE:
    case READ_BYTES:
    case WRITE_BYTES:
      return undefined
    case ALIVE:
      return 1
    case FLUSH:
    case GUESS_BYTES:
      return 0
    case SETTLE:
      return word === 0 ? '' : undefined
  }
  const old = written.get(word) ?? predict(word)
  if (old === undefined || kind === LOAD || kind === READ) return old
  if (kind !== COMPARE_EXCHANGE || old === a) written.set(word, updated(kind, old, a, b))
  return old
}

export class Thread {
  readonly name: string
  /** What may happen to it besides the schedule. */
  readonly faults: ThreadFaults
  /** What a word holds right now, as far as a search knows; when given, user code runs less often. */
  predict: ((word: number) => number | undefined) | undefined
  readonly #body: (memory: SimulatedMemory, mark: Mark) => unknown
  readonly #participant: { readonly self: number; readonly count: number }
  readonly #words: number
  readonly #events: number
  #root: History | undefined
  /** How often user code ran. */
  runs = 0
  /** How many nodes there are. */
  nodes = 0

  /**
   * @param participant its number, and how many threads there are
   * @param events how many operations decide that a spin iteration repeats for ever
   */
  constructor(
    name: string,
    body: (memory: SimulatedMemory, mark: Mark) => unknown,
    participant: { readonly self: number; readonly count: number },
    words: number,
    events: number,
    faults: ThreadFaults = noFaults,
  ) {
    this.name = name
    this.faults = faults
    this.#body = body
    this.#participant = participant
    this.#words = words
    this.#events = events
  }

  /** The thread before its first operation. */
  get root(): History {
    this.#root ??= this.#expand(null, 0)
    return this.#root
  }

  /** The thread after the operation of `node` answered `answer`. Runs user code when nobody has been there before. */
  after(node: History, answer: Answer): History {
    return node.child(answer) ?? this.#expand(node, answer)
  }

  /** Runs the thread along the operations that lead to `node`, telling `observe` before each one, from inside user code. */
  retrace(node: History, observe: (node: History) => void): void {
    const { path, answers } = pathTo(node)
    // `node` itself is part of what is observed: it is the operation at which the run leaves the user code.
    const whole = node.finished ? path : [...path, node]
    this.#run(whole, [...answers, 0], -1, (index) => observe(whole[index]))
  }

  /**
   * Runs the thread to its next operation, and on as long as `predict` knows what that would be answered: one run then makes
   * a whole path of nodes. A prediction need not come true; the path is one that could.
   */
  #expand(parent: History | null, answer: Answer): History {
    const { path, answers } = parent === null ? { path: [], answers: [] } : pathTo(parent)
    if (parent !== null) {
      path.push(parent)
      answers.push(answer)
    }
    const first = new History(parent, answer, this.nodes++)
    let node = first
    const { predict } = this
    const written = new Map<number, number>()
    const goOn = (memory: RunMemory): Answer | undefined => {
      const { kind, word, a, b, bytes } = memory.next
      node.kind = kind
      node.word = word
      node.a = a
      node.b = b
      node.bytes = bytes
      node.marks = memory.marks
      if (predict === undefined || path.length - first.depth > mostPredicted) return undefined
      const next = foresee(kind, word, a, b, written, predict)
      if (next === undefined) return undefined
      path.push(node)
      answers.push(next)
      const child = new History(node, next, this.nodes++)
      node.adopt(child)
      node = child
      return next
    }
    const run = this.#run(path, answers, -1, undefined, goOn)
    if (run.returned || run.thrown) {
      this.#end(node, run, path, answers)
    } else if (node.kind === PAUSE) node.parks = this.#repeats(node, path, answers)
    parent?.adopt(first)
    return first
  }

  /** Notes how a thread ended, if it ends so again. */
  #end(node: History, run: Ended, path: readonly History[], answers: readonly Answer[]): void {
    node.kind = run.thrown ? THROWN : DONE
    node.result = run.result
    node.marks = run.memory.marks
    const again = this.#run(path, answers, -1)
    if (again.returned === run.returned && (Object.is(again.result, run.result) || describe(again) === describe(run))) return
    throw new DivergedError(
      this.name,
      `thread ${this.name} is not deterministic: given the same answers it ended with ${describe(run)}, then with ${describe(again)}. A thread must keep no state outside itself`,
    )
  }

  /** Whether a thread that pauses would, given the same values again and again, only repeat the iteration it has just done. */
  #repeats(node: History, path: readonly History[], answers: readonly Answer[]): boolean {
    const { memory } = this.#run([...path, node], [...answers, 0], node.iteration)
    return memory.cycled
  }

  #run(
    path: readonly History[],
    answers: readonly Answer[],
    cycle: number,
    observe?: (index: number) => void,
    goOn?: (memory: RunMemory) => Answer | undefined,
  ): Ended {
    this.runs++
    const { length } = path
    const memory = new RunMemory(
      this.#words,
      this.#participant,
      this.faults.durable,
      path,
      answers,
      cycle,
      this.#events,
      observe,
      goOn,
    )
    const mark: Mark = (kind, name, value) => {
      if (!memory.left) memory.marks = [...memory.marks, { kind, name, value: snapshot(value, `mark ${name}`) }]
    }
    let returned = false
    let thrown = false
    let result: unknown
    try {
      result = asThread(() => this.#body(memory, mark))
      returned = true
    } catch (error) {
      if (error !== stop) {
        result = error
        thrown = true
      }
    }
    if (memory.differs !== undefined && cycle < 0) this.#diverged(path, memory.differs)
    if (memory.left && (returned || thrown)) {
      returned = false
      thrown = true
      result = new Error(
        `thread ${this.name} caught the signal by which the checker leaves it: a catch block must rethrow what it did not expect`,
      )
    }
    if (returned) {
      try {
        if (result instanceof Promise) throw new TypeError('a thread must be synchronous, but this one returned a promise')
        frozen(result)
      } catch (error) {
        returned = false
        thrown = true
        result = error
      }
    }
    if ((returned || thrown) && cycle < 0 && !memory.arrived) {
      this.#diverged(path, { at: length - 1, kind: returned ? DONE : THROWN, word: 0, a: 0, b: 0 })
    }
    return { memory, returned, thrown, result }
  }

  #diverged(path: readonly History[], found: { at: number; kind: number; word: number; a: number; b: number }): never {
    const expected = path[found.at]
    throw new DivergedError(
      this.name,
      `thread ${this.name} is not deterministic: given the same answers again, its operation ${found.at + 1} was first ${
        operationNames[expected.kind]
      }(${expected.word}) with ${expected.a}, then ${operationNames[found.kind]}(${found.word}) with ${found.a}. A thread must keep no state outside itself`,
    )
  }
}

function describe(end: { returned: boolean; result: unknown }): string {
  return end.returned ? (canonical(end.result) ?? 'undefined') : `the error ${String(end.result)}`
}

/** The nodes before `node`, first to last, and what each answered on the way to it. */
export function pathTo(node: History): { path: History[]; answers: Answer[] } {
  const path = new Array<History>(node.depth)
  const answers = new Array<Answer>(node.depth)
  for (let at = node; at.parent !== null; at = at.parent) {
    path[at.depth - 1] = at.parent
    answers[at.depth - 1] = at.answer
  }
  return { path, answers }
}

/** The threads of a program, in the order in which it lists them. */
export function threadsOf(program: Program, events: number): Thread[] {
  const bodies = Object.entries(program.threads)
  return bodies.map(([name, body], self) => {
    const participant = { self, count: bodies.length }
    const run = body as (memory: SimulatedMemory, mark: Mark) => unknown
    return new Thread(name, run, participant, program.words, events, faultsOf(program, name))
  })
}
