/** The threads that explore checks together, seen from the main thread. */
import type { Worker } from 'node:worker_threads'
import { conclude, coveredBy } from './conclude.ts'
import { Coordinator } from './coordinator.ts'
import { atOnce, callBack, callWords, toShare } from './node-call.ts'
import { InputError } from './node-input-error.ts'
import type { ExploreOrder, LoadedCheck, SearchJob, SearchMessage } from './node-search.ts'
import type { Bounds, Estimate, Progress, Report } from './report.ts'

export interface CrewOptions {
  readonly files: readonly string[]
  readonly only: string | undefined
  /** How many threads there may be. */
  readonly workers: number
  /** For how many milliseconds the first one works on a check alone. */
  readonly aloneFor?: number
  /** Starts one. */
  hire(): Worker
}

interface Member {
  readonly thread: Worker
  readonly call: Int32Array
  loaded: boolean
  /** What it is working on. */
  order: { readonly serial: number; readonly check: number; readonly id: number } | undefined
}

/** A check that is being explored. */
interface Current {
  readonly check: number
  readonly loaded: LoadedCheck
  readonly bounds: Bounds
  readonly coordinator: Coordinator
  readonly start: number
  sampled: Estimate | undefined
  /** Why nobody shall go on with it. */
  bound: 'executions' | 'seconds' | undefined
  hear(progress: Progress): void
  resolve(report: Report): void
}

/** Short checks do not pay for threads that must be started. */
const defaultAloneFor = 200
/** How many threads may end for reasons of their own. */
const mostLost = 20

/**
 * Explores one check after the other. The first thread begins alone; the others come when a check turns out to be long. A
 * thread that dies loses nothing but time.
 */
export class Crew {
  readonly #options: CrewOptions
  readonly #members = new Set<Member>()
  readonly #loaded: Promise<readonly LoadedCheck[]>
  #heard: (checks: readonly LoadedCheck[]) => void = () => {}
  #fail: (error: unknown) => void = () => {}
  #current: Current | undefined
  #serial = 0
  #lost = 0
  #closed = false

  constructor(options: CrewOptions) {
    this.#options = options
    this.#loaded = new Promise((resolve, reject) => {
      this.#heard = resolve
      this.#fail = reject
    })
    this.#hire()
  }

  /** The checks, once they are loaded. Rejects with `InputError` on bad input. */
  get checks(): Promise<readonly LoadedCheck[]> {
    return this.#loaded
  }

  /** Explores one of the checks, when no other is being explored. */
  explore(check: number, loaded: LoadedCheck, bounds: Bounds, hear: (progress: Progress) => void): Promise<Report> {
    const help = setTimeout(() => this.#hireAll(), this.#options.aloneFor ?? defaultAloneFor)
    const explored = new Promise<Report>((resolve, reject) => {
      this.#fail = reject
      const coordinator = new Coordinator()
      const start = performance.now()
      this.#current = { check, loaded, bounds, coordinator, start, sampled: undefined, bound: undefined, hear, resolve }
      this.#dispatch()
    })
    return explored.finally(() => clearTimeout(help))
  }

  /** Sends everybody away, in the middle of whatever they do. */
  close(): void {
    this.#closed = true
    for (const { thread } of this.#members) void thread.terminate()
  }

  #hireAll(): void {
    // As many executions as are allowed are the first ones, and those only one thread finds.
    if (this.#closed || this.#current?.bounds.executions !== undefined) return
    while (this.#members.size < this.#options.workers) this.#hire()
  }

  #hire(): void {
    const { files, only, hire } = this.#options
    const member: Member = {
      thread: hire(),
      call: callWords(),
      loaded: false,
      order: undefined,
    }
    this.#members.add(member)
    member.thread.on('message', (message: SearchMessage) => this.#hear(member, message))
    member.thread.on('error', (error) => this.#fail(error))
    member.thread.on('exit', () => this.#lose(member))
    member.thread.postMessage({ kind: 'load', files, only, call: member.call } satisfies SearchJob)
  }

  #lose(member: Member): void {
    this.#members.delete(member)
    if (this.#closed) return
    if (member.order !== undefined && member.order.check === this.#current?.check) {
      this.#current.coordinator.lose(member.order.id)
    }
    if (this.#lost++ === mostLost) this.#fail(new Error(`${mostLost} threads that searched ended before their work was done`))
    else this.#hire()
    this.#dispatch()
  }

  #hear(member: Member, message: SearchMessage): void {
    if (message.kind === 'bad-input') this.#fail(new InputError(message.message))
    if (message.kind === 'loaded') {
      member.loaded = true
      this.#heard(message.checks)
      this.#dispatch()
    }
    if (message.kind !== 'told' && message.kind !== 'answered') return
    const { order } = member
    if (message.kind === 'answered') member.order = undefined
    const current = this.#current
    if (current !== undefined && order !== undefined && order.check === current.check) this.#note(current, order.id, message)
    if (message.kind === 'answered') this.#dispatch()
  }

  /** What somebody says of the check that is being explored. */
  #note(current: Current, id: number, message: SearchMessage & { readonly kind: 'told' | 'answered' }): void {
    const { coordinator } = current
    current.sampled ??= message.sampled
    if (message.kind === 'told') {
      coordinator.tell(id, message.tally)
      current.hear(this.standing as Progress)
      return
    }
    const { answer, late } = message
    coordinator.answer(id, answer)
    if (answer.more) current.bound = 'executions'
    else if (late) current.bound ??= 'seconds'
  }

  /** How far the check is that is being explored. */
  get standing(): Progress | undefined {
    if (this.#current === undefined) return undefined
    const { coordinator, sampled, start } = this.#current
    const { tally } = coordinator
    const seconds = (performance.now() - start) / 1000
    const walked = sampled === undefined ? {} : { sampled }
    return { executions: tally.executions, seconds, ...coveredBy(tally, sampled), ...walked }
  }

  /** Gives work to whoever has none, and ends the check when it is at its end. */
  #dispatch(): void {
    const current = this.#current
    if (current === undefined) return
    const { coordinator } = current
    const settled = coordinator.settle()
    if (settled !== undefined && current.bound !== 'executions') {
      this.#end(current, settled === 'explored' ? {} : { failure: settled.failure })
      return
    }
    const busy = [...this.#members].filter(({ order }) => order?.check === current.check)
    const idle = [...this.#members].filter(({ loaded, order }) => loaded && order === undefined)
    const left = (current.bounds.seconds ?? Number.POSITIVE_INFINITY) - (performance.now() - current.start) / 1000
    if (left <= 0) current.bound ??= 'seconds'
    if (current.bound !== undefined) {
      if (busy.length === 0) this.#end(current, { bound: current.bound })
      return
    }
    for (let waiting = idle.length; waiting > 0; waiting--) {
      if (!this.#give(idle[idle.length - waiting], waiting, current, left)) {
        const wanted = coordinator.heaviest(waiting)
        for (const { call, order } of busy)
          if (wanted.includes(order?.id as number)) callBack(call, order?.serial as number, toShare)
        return
      }
    }
  }

  #give(member: Member, waiting: number, current: Current, seconds: number): boolean {
    const { check, bounds, coordinator, sampled } = current
    const job = coordinator.take(waiting)
    if (job === undefined) return false
    const serial = ++this.#serial
    member.order = { serial, check, id: job.id }
    // Random walks are made once.
    const sample = sampled === undefined && job.id === 0
    const own = bounds.seconds === undefined ? bounds : { ...bounds, seconds }
    member.thread.postMessage({ kind: 'explore', serial, check, job, bounds: own, sample } satisfies ExploreOrder)
    return true
  }

  #end(current: Current, how: Pick<Parameters<typeof conclude>[1], 'failure' | 'bound'>): void {
    this.#current = undefined
    for (const { call, order } of this.#members) if (order !== undefined) callBack(call, order.serial, atOnce)
    const { coordinator, start, sampled, loaded } = current
    const seconds = (performance.now() - start) / 1000
    current.resolve(conclude(loaded.outline, { tally: coordinator.tally, seconds, sampled, ...how }))
  }
}
