/** The threads that explore checks together, seen from the main thread. */
import type { Worker } from 'node:worker_threads'
import { Agenda, type Explored, type Order, type Task } from './node-agenda.ts'
import { callBack, callWords, toShare } from './node-call.ts'
import { InputError } from './node-input-error.ts'
import type { LoadedCheck, SearchJob, SearchMessage } from './node-search.ts'
import type { Progress } from './report.ts'

/** Those who explore checks, wherever they are. */
export interface Explorers {
  /** The checks, once they are loaded. Rejects with `InputError` on bad input. */
  readonly checks: Promise<readonly LoadedCheck[]>
  /** Explores one of the checks, beside those that are being explored. */
  explore(check: number, loaded: LoadedCheck, task: Task): Promise<Explored>
  /** Has all checks saved that are being explored, all work done so far in it. Resolves when that is done. */
  collect(options?: { readonly leaving?: boolean }): Promise<void>
  /** How far the checks are that somebody has begun, by their numbers. */
  readonly standings: ReadonlyMap<number, Progress>
  /** Sends everybody away, in the middle of whatever they do. */
  close(): void | Promise<void>
}

export interface CrewOptions {
  readonly files: readonly string[]
  readonly only: string | undefined
  /** How many threads there may be. */
  readonly workers: number
  /** For how many milliseconds the first one works alone. */
  readonly aloneFor?: number
  /** Whether it is wanted what the checks depend on. */
  readonly content?: boolean
  /** After how many milliseconds, again and again, all is saved. */
  readonly saveEvery?: number | undefined
  /** Starts one. */
  hire(): Worker
}

interface Member {
  readonly thread: Worker
  readonly call: Int32Array
  loaded: boolean
  /** What it is working on. */
  serial: number | undefined
}

/** Short checks do not pay for threads that must be started. */
const defaultAloneFor = 200
/** How many threads may end for reasons of their own. */
const mostLost = 20

/**
 * Explores checks side by side. The first thread begins alone; the others come when there turns out to be much to do. A thread
 * that dies loses nothing but time.
 */
export class Crew implements Explorers {
  readonly #options: CrewOptions
  readonly #members = new Set<Member>()
  readonly #agenda = new Agenda((serial, how) => {
    for (const member of this.#members) if (member.serial === serial) callBack(member.call, serial, how)
  })
  readonly #loaded: Promise<readonly LoadedCheck[]>
  #heard: (checks: readonly LoadedCheck[]) => void = () => {}
  #refuse: (error: unknown) => void = () => {}
  readonly #saving: Saving
  #help: NodeJS.Timeout | undefined
  #helped = false
  #lost = 0
  #closed = false

  constructor(options: CrewOptions) {
    this.#options = options
    this.#saving = new Saving(() => this.collect(), options.saveEvery)
    this.#loaded = new Promise((resolve, reject) => {
      this.#heard = resolve
      this.#refuse = reject
    })
    this.#loaded.catch(() => {})
    this.#hire()
  }

  get checks(): Promise<readonly LoadedCheck[]> {
    return this.#loaded
  }

  get standings(): ReadonlyMap<number, Progress> {
    return this.#agenda.standings
  }

  explore(check: number, loaded: LoadedCheck, task: Task): Promise<Explored> {
    const explored = this.#agenda.explore(check, loaded, task)
    this.#help ??= setTimeout(() => {
      this.#helped = true
      this.#dispatch()
    }, this.#options.aloneFor ?? defaultAloneFor).unref()
    if (task.save !== undefined) this.#saving.begin()
    this.#dispatch()
    return explored
  }

  collect(options: { readonly leaving?: boolean } = {}): Promise<void> {
    const collected = this.#agenda.collect(options)
    return collected.then(() => this.#dispatch())
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#help)
    this.#saving.end()
    for (const { thread } of this.#members) void thread.terminate()
  }

  #fail(error: unknown): void {
    this.#refuse(error)
    this.#agenda.fail(error)
  }

  #hire(): void {
    const { files, only, hire, content = false } = this.#options
    const member: Member = { thread: hire(), call: callWords(), loaded: false, serial: undefined }
    // It is enough that the first one says so.
    const asked = content && this.#members.size === 0
    this.#members.add(member)
    member.thread.on('message', (message: SearchMessage) => this.#hear(member, message))
    member.thread.on('error', (error) => this.#fail(error))
    member.thread.on('exit', () => this.#lose(member))
    member.thread.postMessage({ kind: 'load', files, only, call: member.call, content: asked } satisfies SearchJob)
  }

  #lose(member: Member): void {
    this.#members.delete(member)
    if (this.#closed) return
    if (member.serial !== undefined) this.#agenda.lose(member.serial)
    if (this.#lost++ === mostLost) this.#fail(new Error(`${mostLost} threads that searched ended before their work was done`))
    else this.#hire()
    this.#dispatch()
  }

  #hear(member: Member, message: SearchMessage): void {
    if (message.kind === 'bad-input') this.#fail(new InputError(message.message))
    else if (message.kind === 'loaded') {
      member.loaded = true
      this.#heard(message.checks)
      this.#dispatch()
    } else if ('serial' in message) {
      if (message.kind !== 'told') member.serial = undefined
      this.#agenda.hear(message)
      if (message.kind !== 'told') this.#dispatch()
    }
  }

  /** Gives work to whoever has none, and asks those to share who have most. */
  #dispatch(): void {
    if (this.#closed) return
    this.#agenda.settle()
    const { room } = this.#agenda
    if (room === 0) {
      clearTimeout(this.#help)
      this.#help = undefined
      this.#helped = false
      this.#saving.end()
      return
    }
    if (this.#helped) while (this.#members.size < Math.min(this.#options.workers, room)) this.#hire()
    const idle = [...this.#members].filter(({ loaded, serial }) => loaded && serial === undefined)
    for (const [given, member] of idle.entries()) {
      const order = this.#agenda.next(idle.length - given)
      if (order !== undefined) {
        this.#give(member, order)
        continue
      }
      // Whoever was given something just now is among them.
      const wanted = this.#agenda.longest(idle.length - given)
      for (const { call, serial } of this.#members) {
        if (serial !== undefined && wanted.includes(serial)) callBack(call, serial, toShare)
      }
      return
    }
  }

  #give(member: Member, order: Order): void {
    member.serial = order.serial
    this.#agenda.begin(order.serial)
    member.thread.postMessage(order satisfies SearchJob)
  }
}

const defaultSaveEvery = 10_000
/** Or so many times as long as it takes. */
const sparing = 20
/** The first time after so many milliseconds, and then twice as late each time. */
const firstSave = 1000

/** Has all saved, again and again. */
export class Saving {
  readonly #save: () => Promise<void>
  readonly #every: number
  #timer: NodeJS.Timeout | undefined

  constructor(save: () => Promise<void>, every: number = defaultSaveEvery) {
    this.#save = save
    this.#every = every
  }

  begin(): void {
    if (this.#timer === undefined) this.#after(Math.min(firstSave, this.#every), 0)
  }

  end(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #after(delay: number, took: number): void {
    this.#timer = setTimeout(
      async () => {
        const start = performance.now()
        await this.#save()
        if (this.#timer !== undefined) this.#after(Math.min(2 * delay, this.#every), performance.now() - start)
      },
      Math.max(delay, sparing * took),
    ).unref()
  }
}
