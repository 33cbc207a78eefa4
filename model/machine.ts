import { Cells } from './cells.ts'
import type { Answer, History, Thread } from './history.ts'
import {
  ALIVE,
  COMPARE_EXCHANGE,
  DONE,
  FLUSH,
  GUESS_BYTES,
  isStep,
  LOAD,
  NOT_EQUAL,
  NOTIFY,
  OK,
  PAUSE,
  READ,
  READ_BYTES,
  SETTLE,
  STORE,
  THROWN,
  TIMED_OUT,
  updated,
  WAIT,
  WRITE,
  WRITE_BYTES,
} from './operation.ts'
import { isKill, isSpurious, threadOf } from './step.ts'

/**
 * One interleaving, step by step: what a schedule does. Threads are tries of histories, so a step costs no user code when
 * somebody has been there. Made to be copied: a search for a shorter schedule keeps many.
 */

/** Bytes that a thread has copied, and not settled yet. */
interface Guess {
  /** The first one. */
  readonly byte: number
  /** What was there, as a string of char codes. */
  readonly bytes: string
  /** The time of the thread at the guess. */
  readonly time: number
  readonly row: number
  /** What makes it wrong to claim that nothing raced with it. */
  readonly spoilt: Race | undefined
}

/** One operation that was done. */
export interface Row {
  readonly thread: number
  readonly node: History
  readonly answer: Answer
  /** What a read-modify-write left. */
  readonly wrote: number | undefined
  /** The row that wrote what was read; -1 for setup; undefined where nothing was read. */
  readonly from: number | undefined
  /** Set for what became of a thread without a call of its own, and for a `wait` that came back for no reason. */
  readonly event: 'woken' | 'timed-out' | 'spurious' | 'killed' | undefined
}

export interface Race {
  readonly thread: number
  readonly word: number
  /** The rows of the two accesses. */
  readonly rows: readonly [number, number]
  /** The first wrote bytes of which a kill has made nobody knows what; the second reads them. */
  readonly torn: boolean
}

/** What was done, the newest first: copies share what came before. */
interface Rows {
  readonly row: Row
  readonly before: Rows | undefined
}

export class Machine {
  readonly threads: readonly Thread[]
  /** What each thread does next; for a sleeper the `wait` in which it is. */
  readonly next: (History | undefined)[]
  readonly asleep: boolean[]
  readonly queues: Map<number, readonly number[]>
  race: Race | undefined
  /** For each thread what it knows to have happened. */
  readonly #clocks: Int32Array[]
  readonly #cells: Cells
  #rows: Rows | undefined
  #rowCount: number
  /** The guesses that each thread has not settled. */
  readonly #guesses: (readonly Guess[])[]
  /** For each killed thread the row of the kill, for each other -1. */
  readonly #killed: Int32Array
  /** Threads whose `wait` has come back for no reason. */
  readonly #startled: Uint8Array

  constructor(threads: readonly Thread[], initial: Int32Array | Machine) {
    const from = initial instanceof Machine ? initial : undefined
    this.threads = threads
    this.next = from === undefined ? threads.map(() => undefined) : [...from.next]
    this.asleep = from === undefined ? threads.map(() => false) : [...from.asleep]
    this.queues = new Map(from?.queues)
    this.race = from?.race
    this.#clocks =
      from === undefined ? threads.map(() => new Int32Array(threads.length)) : from.#clocks.map((clock) => clock.slice())
    this.#cells = initial instanceof Machine ? initial.#cells.copy() : new Cells(initial)
    this.#rows = from === undefined ? undefined : from.#rows
    this.#rowCount = from === undefined ? 0 : from.#rowCount
    this.#guesses = from === undefined ? threads.map(() => []) : [...from.#guesses]
    this.#killed = from === undefined ? new Int32Array(threads.length).fill(-1) : from.#killed.slice()
    this.#startled = from === undefined ? new Uint8Array(threads.length) : from.#startled.slice()
    if (from !== undefined) return
    for (let thread = 0; thread < threads.length; thread++) this.#arrive(thread, threads[thread].root)
  }

  copy(): Machine {
    return new Machine(this.threads, this)
  }

  /** Lets threads that come to something new run on with what the words hold here: user code runs less often then. */
  lead(): void {
    for (const thread of this.threads) thread.predict = (word) => this.load(word)
  }

  get words(): number {
    return this.#cells.words
  }

  /** What a word holds. */
  load(word: number): number {
    return this.#cells.value(word)
  }

  /** What was done, in order. */
  get rows(): readonly Row[] {
    const rows = new Array<Row>(this.#rowCount)
    for (let at = this.#rows, row = this.#rowCount - 1; at !== undefined; at = at.before) rows[row--] = at.row
    return rows
  }

  /** What the thread that threw threw, if one did. */
  get thrown(): { readonly thread: number; readonly error: unknown } | undefined {
    const thread = this.next.findIndex((node) => node?.kind === THROWN)
    return thread < 0 ? undefined : { thread, error: (this.next[thread] as History).result }
  }

  get finished(): boolean {
    return this.next.every((node, thread) => !this.asleep[thread] && (node as History).finished)
  }

  /** Whether a step can be done now. A sleeper can go on if its time can be over. */
  canStep(step: number): boolean {
    const thread = threadOf(step)
    const node = this.next[thread] as History
    if (isKill(step)) return this.#canKill(thread, node)
    if (isSpurious(step)) return this.#canStartle(thread, node)
    if (this.asleep[thread]) return node.b !== Number.POSITIVE_INFINITY
    return !node.finished && node.kind !== PAUSE
  }

  #canKill(thread: number, node: History): boolean {
    if (this.asleep[thread] || this.#killed.filter((row) => row >= 0).length >= this.threads[thread].faults.kills) return false
    return isStep(node.kind) || (node.kind === DONE && this.#sinceStep(thread).some(({ node: { kind } }) => isPlainWrite(kind)))
  }

  #canStartle(thread: number, node: History): boolean {
    if (!this.threads[thread].faults.spurious || this.asleep[thread] || this.#startled[thread] === 1) return false
    return node.kind === WAIT && this.load(node.word) === node.a
  }

  /** What a thread has done Unordered since its last step, the newest first. */
  #sinceStep(thread: number): Row[] {
    const since: Row[] = []
    for (let at = this.#rows; at !== undefined; at = at.before) {
      if (at.row.thread !== thread) continue
      if (at.row.event !== undefined || isStep(at.row.node.kind)) break
      since.push(at.row)
    }
    return since
  }

  /** Whether a step changes nothing, and its thread would park after it. */
  wouldPark(step: number): boolean {
    const thread = threadOf(step)
    if (step !== thread || this.asleep[thread]) return false
    const node = this.next[thread] as History
    const answer = this.#answerInVain(node)
    if (answer === undefined) return false
    const after = this.threads[thread].after(node, answer)
    return after.kind === PAUSE && after.parks
  }

  /** What an operation would be answered now, if it would change nothing. */
  #answerInVain(node: History): Answer | undefined {
    const { kind, word, a } = node
    switch (kind) {
      case LOAD:
        return this.load(word)
      case COMPARE_EXCHANGE:
        return this.load(word) === a ? undefined : this.load(word)
      case WAIT:
        return this.load(word) === a ? undefined : NOT_EQUAL
      case NOTIFY:
        return this.#wakes(node) === 0 ? 0 : undefined
      case ALIVE:
        return this.#lifeOf(word)
      default:
        return undefined
    }
  }

  /** How many sleepers a notify would wake now. */
  #wakes({ word, a }: History): number {
    return Math.min(a, (this.queues.get(word) ?? []).length)
  }

  /**
   * Whether somebody who spins has read something that was written since, earlier in the iteration that it ends with: it
   * would look again. (No execution has that iteration, and one without it leads to the same.)
   */
  get looksAgain(): boolean {
    return this.next.some((node, thread) => {
      if (this.asleep[thread] || (node as History).finished) return false
      for (let after = node as History, at = after.parent; at !== null && at.depth >= (node as History).iteration; ) {
        if (!this.#answersStill(at, after.answer)) return true
        after = at
        at = at.parent
      }
      return false
    })
  }

  /** Whether a read would be answered as it was. */
  #answersStill(read: History, answer: Answer): boolean {
    switch (read.kind) {
      case LOAD:
      case COMPARE_EXCHANGE:
        return this.load(read.word) === answer
      case WAIT:
        return this.load(read.word) !== read.a
      case NOTIFY:
        return this.#wakes(read) === 0
      case ALIVE:
        return this.#lifeOf(read.word) === answer
      default:
        return true
    }
  }

  /** 1, or 0 when the participant has been killed. */
  #lifeOf(participant: number): number {
    return this.#killed[participant] >= 0 ? 0 : 1
  }

  /** Does one step: a SeqCst operation of a thread and the Unordered ones that follow it, or a fault. */
  step(step: number): void {
    const thread = threadOf(step)
    const node = this.next[thread] as History
    this.#clocks[thread][thread]++
    if (isKill(step)) {
      this.#kill(thread, node)
      return
    }
    if (isSpurious(step)) {
      this.#startled[thread] = 1
      this.#read(thread, node, this.load(node.word), undefined, OK)
      return
    }
    if (this.asleep[thread]) {
      const queue = this.queues.get(node.word) ?? []
      this.queues.set(
        node.word,
        queue.filter((sleeper) => sleeper !== thread),
      )
      this.asleep[thread] = false
      this.#note(thread, node, TIMED_OUT, undefined, undefined, 'timed-out')
      this.#go(thread, node, TIMED_OUT)
      return
    }
    const { kind, word, a, b } = node
    switch (kind) {
      case LOAD:
        this.#read(thread, node, this.load(word), undefined)
        return
      case STORE:
        this.#access(thread, word, 15, true, false)
        this.#write(thread, word, a)
        this.#note(thread, node, 0, undefined, undefined, undefined)
        this.#go(thread, node, 0)
        return
      case WAIT:
        this.#wait(thread, node)
        return
      case ALIVE:
        this.#askAlive(thread, node)
        return
      case NOTIFY:
        this.#notify(thread, node)
        return
      default: {
        const old = this.load(word)
        if (kind === COMPARE_EXCHANGE && old !== a) {
          this.#read(thread, node, old, undefined)
          return
        }
        const value = updated(kind, old, a, b)
        this.#read(thread, node, old, value)
      }
    }
  }

  /** A string that is the same for two machines exactly when they can do the same from here on. */
  key(races: boolean): string {
    let key = ''
    for (let thread = 0; thread < this.threads.length; thread++) {
      key += `${(this.next[thread] as History).serial}${this.asleep[thread] ? 's' : ''},`
    }
    key += this.#cells.key(races)
    for (const [word, queue] of inOrder(this.queues)) if (queue.length > 0) key += `;${word}:${queue.join()}`
    for (const row of this.#killed) if (row >= 0) key += 'k'
    for (const [thread, guesses] of this.#guesses.entries()) {
      for (const { bytes, spoilt } of guesses) key += `;${thread}g${bytes}${spoilt === undefined ? '' : '!'}`
    }
    if (this.#startled.includes(1)) key += `;${this.#startled.join()}`
    if (races) key += `|${this.#clocks.join('/')}`
    return key
  }

  #kill(thread: number, node: History): void {
    for (const { node: plain } of this.#sinceStep(thread)) {
      if (!isPlainWrite(plain.kind)) continue
      const bytes = plain.kind === WRITE_BYTES
      const from = bytes ? plain.word : 4 * plain.word
      const to = bytes ? from + plain.a : from + 4
      for (let byte = from; byte < to; byte++) {
        const word = byte >> 2
        this.#cells.change(word, { torn: this.tornBytes(word) | (1 << (byte & 3)) })
      }
    }
    this.#killed[thread] = this.#rowCount
    this.#note(thread, node, 0, undefined, undefined, 'killed')
    this.next[thread] = node.killed
  }

  #askAlive(thread: number, node: History): void {
    const row = this.#killed[node.word]
    if (row >= 0) this.#join(thread, this.#clocks[node.word])
    const life = this.#lifeOf(node.word)
    this.#note(thread, node, life, undefined, row < 0 ? undefined : row, undefined)
    this.#go(thread, node, life)
  }

  #read(
    thread: number,
    node: History,
    value: number,
    wrote: number | undefined,
    answer: Answer = node.kind === WAIT ? NOT_EQUAL : value,
  ): void {
    const { word } = node
    const released = this.#cells.at(word)?.released
    if (released !== undefined) this.#join(thread, released)
    this.#readTorn(thread, word, 15)
    this.#access(thread, word, 15, wrote !== undefined, false)
    const from = this.#writerOf(word)
    if (wrote !== undefined) this.#write(thread, word, wrote)
    this.#note(thread, node, value, wrote, from, node.kind === WAIT && answer === OK ? 'spurious' : undefined)
    this.#go(thread, node, answer)
  }

  #wait(thread: number, node: History): void {
    const value = this.load(node.word)
    if (value !== node.a) {
      this.#read(thread, node, value, undefined)
      return
    }
    const released = this.#cells.at(node.word)?.released
    if (released !== undefined) this.#join(thread, released)
    this.#readTorn(thread, node.word, 15)
    this.#access(thread, node.word, 15, false, false)
    this.#note(thread, node, value, undefined, this.#writerOf(node.word), undefined)
    this.queues.set(node.word, [...(this.queues.get(node.word) ?? []), thread])
    this.asleep[thread] = true
  }

  #notify(thread: number, node: History): void {
    const queue = this.queues.get(node.word) ?? []
    const woken = queue.slice(0, Math.min(node.a, queue.length))
    this.queues.set(node.word, queue.slice(woken.length))
    this.#note(thread, node, woken.length, undefined, undefined, undefined)
    for (const sleeper of woken) {
      const wait = this.next[sleeper] as History
      this.asleep[sleeper] = false
      this.#clocks[sleeper][sleeper]++
      this.#join(sleeper, this.#clocks[thread])
      this.#note(sleeper, wait, OK, undefined, this.#rowCount - 1, 'woken')
    }
    this.#go(thread, node, woken.length)
    for (const sleeper of woken) this.#go(sleeper, this.next[sleeper] as History, OK)
  }

  #go(thread: number, node: History, answer: Answer): void {
    this.#arrive(thread, this.threads[thread].after(node, answer))
  }

  /** Does the Unordered operations before the next SeqCst one. */
  #arrive(thread: number, node: History): void {
    let at = node
    for (;;) {
      this.next[thread] = at
      let answer: Answer = 0
      switch (at.kind) {
        case READ:
          this.#clocks[thread][thread]++
          this.#readTorn(thread, at.word, 15)
          this.#access(thread, at.word, 15, false, true)
          answer = this.load(at.word)
          this.#note(thread, at, answer, undefined, this.#writerOf(at.word), undefined)
          break
        case WRITE:
          this.#clocks[thread][thread]++
          this.#access(thread, at.word, 15, true, true)
          this.#cells.change(at.word, { value: at.a, released: undefined, writer: this.#rowCount })
          this.#note(thread, at, 0, undefined, undefined, undefined)
          break
        case READ_BYTES:
        case WRITE_BYTES:
          this.#clocks[thread][thread]++
          answer = this.#bulk(thread, at)
          break
        case GUESS_BYTES:
          this.#clocks[thread][thread]++
          this.#guess(thread, at)
          break
        case SETTLE:
          answer = this.#settle(thread, at)
          break
        case FLUSH:
          this.#note(thread, at, 0, undefined, undefined, undefined)
          break
        case PAUSE:
          if (at.parks) return
          break
        default:
          return
      }
      at = this.threads[thread].after(at, answer)
    }
  }

  #bulk(thread: number, node: History): Answer {
    const writes = node.kind === WRITE_BYTES
    const from = this.#writerOf(node.word >> 2)
    let bytes = ''
    for (let i = 0; i < node.a; i++) {
      const byte = node.word + i
      const word = byte >> 2
      const shift = 8 * (byte & 3)
      if (!writes) this.#readTorn(thread, word, 1 << (byte & 3))
      this.#access(thread, word, 1 << (byte & 3), writes, true)
      if (writes) {
        const value = (this.load(word) & ~(255 << shift)) | (node.bytes.charCodeAt(i) << shift)
        this.#cells.change(word, { value, released: undefined, writer: this.#rowCount })
      } else bytes += String.fromCharCode((this.load(word) >>> shift) & 255)
    }
    this.#note(thread, node, writes ? 0 : bytes, undefined, writes ? undefined : from, undefined)
    return writes ? 0 : bytes
  }

  #guess(thread: number, node: History): void {
    const row = this.#rowCount
    let bytes = ''
    let spoilt: Race | undefined
    for (let byte = node.word; byte < node.word + node.a; byte++) {
      const word = byte >> 2
      const mask = 1 << (byte & 3)
      bytes += String.fromCharCode((this.load(word) >>> (8 * (byte & 3))) & 255)
      spoilt ??= this.#tornRead(thread, word, mask) ?? this.#racing(thread, word, mask, false, true)
    }
    const time = this.#clocks[thread][thread]
    this.#guesses[thread] = [...this.#guesses[thread], { byte: node.word, bytes, time, row, spoilt }]
    this.#note(thread, node, 0, undefined, undefined, undefined)
  }

  /** If nothing raced with the guesses, they are reads: made at the time of the guess, not now. */
  #settle(thread: number, node: History): Answer {
    const guesses = node.word === 1 ? this.#guesses[thread] : []
    const answer = guesses.map(({ bytes }) => bytes).join('')
    this.#guesses[thread] = []
    this.#note(thread, node, answer, undefined, undefined, undefined)
    for (const { byte: from, bytes, time, row, spoilt } of guesses) {
      this.race ??= spoilt
      for (let byte = from; byte < from + bytes.length; byte++) {
        const earlier = this.#cells.at(byte >> 2)?.accesses
        const accesses = { thread, time, mask: 1 << (byte & 3), writes: false, plain: true, row, earlier }
        this.#cells.change(byte >> 2, { accesses })
      }
    }
    return answer
  }

  /** A write spoils the guesses of those bytes that it does not know of. */
  #spoil(thread: number, word: number, mask: number): void {
    const clock = this.#clocks[thread]
    for (const [other, guesses] of this.#guesses.entries()) {
      if (other === thread || guesses.length === 0) continue
      this.#guesses[other] = guesses.map((guess) => {
        if (guess.spoilt !== undefined || guess.time <= clock[other] || !covers(guess, word, mask)) return guess
        return { ...guess, spoilt: { thread, word, rows: [guess.row, this.#rowCount], torn: false } }
      })
    }
  }

  #note(
    thread: number,
    node: History,
    answer: Answer,
    wrote: number | undefined,
    from: number | undefined,
    event: Row['event'],
  ): void {
    this.#rows = { row: { thread, node, answer, wrote, from, event }, before: this.#rows }
    this.#rowCount++
  }

  #join(thread: number, clock: Int32Array): void {
    const own = this.#clocks[thread]
    for (let t = 0; t < own.length; t++) if (clock[t] > own[t]) own[t] = clock[t]
  }

  /** A thread writes a word SeqCst. */
  #write(thread: number, word: number, value: number): void {
    this.#cells.change(word, { value, released: this.#clocks[thread].slice(), writer: this.#rowCount })
  }

  /** The row that wrote a word; -1 for setup. */
  #writerOf(word: number): number {
    return this.#cells.at(word)?.writer ?? -1
  }

  #readTorn(thread: number, word: number, mask: number): void {
    this.race ??= this.#tornRead(thread, word, mask)
  }

  #tornRead(thread: number, word: number, mask: number): Race | undefined {
    if ((this.tornBytes(word) & mask) === 0) return undefined
    return { thread, word, rows: [this.#writerOf(word), this.#rowCount], torn: true }
  }

  /** The bytes of a word that a killed thread has left undefined: bit 0 is the byte of least significance. */
  tornBytes(word: number): number {
    return this.#cells.at(word)?.torn ?? 0
  }

  #access(thread: number, word: number, mask: number, writes: boolean, plain: boolean): void {
    this.race ??= this.#racing(thread, word, mask, writes, plain)
    if (writes) this.#spoil(thread, word, mask)
    const time = this.#clocks[thread][thread]
    const { accesses: earlier, torn = 0 } = this.#cells.at(word) ?? {}
    const accesses = { thread, time, mask, writes, plain, row: this.#rowCount, earlier }
    this.#cells.change(word, { accesses, torn: writes ? torn & ~mask : torn })
  }

  /** What an access races with, the newest first. */
  #racing(thread: number, word: number, mask: number, writes: boolean, plain: boolean): Race | undefined {
    const clock = this.#clocks[thread]
    for (let other = this.#cells.at(word)?.accesses; other !== undefined; other = other.earlier) {
      if (other.thread === thread || (other.mask & mask) === 0) continue
      if (!(writes || other.writes) || !(plain || other.plain)) continue
      if (other.time > clock[other.thread]) return { thread, word, rows: [other.row, this.#rowCount], torn: false }
    }
    return undefined
  }
}

/** Whether some of these bytes of a word were guessed. */
function covers({ byte, bytes }: Guess, word: number, mask: number): boolean {
  for (let i = 0; i < bytes.length; i++) if ((byte + i) >> 2 === word && (mask >> ((byte + i) & 3)) & 1) return true
  return false
}

function isPlainWrite(kind: number): boolean {
  return kind === WRITE || kind === WRITE_BYTES
}

/** The entries of a map from words, in the order of the words and not of their coming: states that are equal have one key. */
function inOrder<T>(map: ReadonlyMap<number, T>): (readonly [number, T])[] {
  return map.size < 2 ? [...map] : [...map].sort(([one], [other]) => one - other)
}
