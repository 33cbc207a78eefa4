/** The threads that explore checks together, seen from the main thread. */
import type { Worker } from 'node:worker_threads'
import { conclude, coveredBy } from './conclude.ts'
import { Coordinator } from './coordinator.ts'
import type { Shard } from './deal.ts'
import type { ShardFindings } from './merge.ts'
import { atOnce, callBack, callWords, toShare } from './node-call.ts'
import { InputError } from './node-input-error.ts'
import type { ExploreOrder, Hand, LoadedCheck, SearchJob, SearchMessage } from './node-search.ts'
import type { Bounds, Estimate, Progress, Report } from './report.ts'
import { emptyTally } from './tally.ts'

export interface CrewOptions {
  readonly files: readonly string[]
  readonly only: string | undefined
  /** How many threads there may be. */
  readonly workers: number
  /** For how many milliseconds the first one works on a check alone. */
  readonly aloneFor?: number
  /** Whether it is wanted what the checks depend on. */
  readonly content?: boolean
  /** Starts one. */
  hire(): Worker
}

/** How one check is to be explored. */
export interface Task {
  readonly bounds: Bounds
  /** Only this part of it. */
  readonly shard?: Shard | undefined
  /** Where somebody has left it. */
  readonly left?: Left | undefined
  /** Hears how far it is. */
  hear?(progress: Progress): void
  /** Is given, now and then, what is needed to go on with it. */
  save?(left: Left): void
  /** After how many milliseconds, again and again. */
  readonly saveEvery?: number
}

/** A check that is not explored to its end. */
export interface Left extends Hand {
  readonly seconds: number
  readonly sampled?: Estimate
}

/** What came of a check. */
export interface Explored {
  readonly report: Report
  /** What is left of it, where a bound on seconds or executions was hit. */
  readonly left?: Left
  /** Of a shard: what was found in each of its pieces. */
  readonly findings?: Pick<ShardFindings, 'pieces'> & Pick<Hand, 'cut'>
}

interface Member {
  readonly thread: Worker
  readonly call: Int32Array
  loaded: boolean
  /** What it is working on; without a job it deals. */
  order: { readonly serial: number; readonly check: number; readonly job: number | undefined } | undefined
}

/** A check that is being explored. */
interface Current extends Task {
  readonly check: number
  readonly loaded: LoadedCheck
  readonly begun: number
  /** Once it is known what is to be explored. */
  coordinator: Coordinator | undefined
  cut: string
  sampled: Estimate | undefined
  /** Why nobody shall go on with it. */
  bound: 'executions' | 'seconds' | undefined
  /** Everybody is to come back, so that all there is to know is in one place; then these are told. */
  collecting: (() => void)[]
  /** Nobody goes on after that. */
  leaving: boolean
  resolve(explored: Explored): void
}

/** Short checks do not pay for threads that must be started. */
const defaultAloneFor = 200
/** How many threads may end for reasons of their own. */
const mostLost = 20
const defaultSaveEvery = 10_000
/** Or so many times as long as it takes. */
const sparing = 20

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
  explore(check: number, loaded: LoadedCheck, task: Task): Promise<Explored> {
    const { shard, left, save, saveEvery = defaultSaveEvery } = task
    const help = setTimeout(() => this.#hireAll(), this.#options.aloneFor ?? defaultAloneFor).unref()
    let saving: NodeJS.Timeout | undefined
    const saveAfter = (delay: number): void => {
      saving = setTimeout(async () => {
        const start = performance.now()
        await this.collect()
        saveAfter(Math.max(saveEvery, sparing * (performance.now() - start)))
      }, delay).unref()
    }
    if (save !== undefined) saveAfter(saveEvery)
    const explored = new Promise<Explored>((resolve, reject) => {
      this.#fail = reject
      this.#current = {
        ...task,
        check,
        loaded,
        begun: performance.now(),
        coordinator: left === undefined && shard !== undefined ? undefined : new Coordinator(left?.places),
        cut: left?.cut ?? '',
        sampled: left?.sampled,
        bound: undefined,
        collecting: [],
        leaving: false,
        resolve,
      }
      this.#dispatch()
    })
    return explored.finally(() => {
      clearTimeout(help)
      clearTimeout(saving)
    })
  }

  /** Has the check that is being explored saved, all work done so far in it. Resolves when that is done, or it has ended. */
  collect({ leaving = false }: { readonly leaving?: boolean } = {}): Promise<void> {
    const current = this.#current
    if (current?.coordinator === undefined) return Promise.resolve()
    if (leaving) current.leaving = true
    return new Promise((resolve) => {
      current.collecting.push(resolve)
      for (const { call, order } of this.#busy(current)) callBack(call, order.serial, atOnce)
      this.#dispatch()
    })
  }

  /** Sends everybody away, in the middle of whatever they do. */
  close(): void {
    this.#closed = true
    for (const { thread } of this.#members) void thread.terminate()
  }

  /** How far the check is that is being explored. */
  get standing(): Progress | undefined {
    if (this.#current === undefined) return undefined
    const { coordinator, sampled } = this.#current
    const tally = coordinator?.tally ?? emptyTally
    const seconds = secondsOf(this.#current)
    const walked = sampled === undefined ? {} : { sampled }
    return { executions: tally.executions, seconds, ...coveredBy(tally, sampled), ...walked }
  }

  #hireAll(): void {
    // As many executions as are allowed are the first ones, and those only one thread finds.
    if (this.#closed || this.#current?.bounds.executions !== undefined) return
    while (this.#members.size < this.#options.workers) this.#hire()
  }

  #hire(): void {
    const { files, only, hire, content = false } = this.#options
    const member: Member = { thread: hire(), call: callWords(), loaded: false, order: undefined }
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
    const { order } = member
    if (order?.job !== undefined && order.check === this.#current?.check) this.#current.coordinator?.lose(order.job)
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
    if (message.kind !== 'told' && message.kind !== 'answered' && message.kind !== 'dealt') return
    const { order } = member
    if (message.kind !== 'told') member.order = undefined
    const current = this.#current
    if (current !== undefined && order?.check === current.check) {
      if (message.kind === 'dealt') {
        current.coordinator ??= new Coordinator(message.places)
        current.cut = message.cut
      } else this.#note(current, order.job as number, message)
    }
    if (message.kind !== 'told') this.#dispatch()
  }

  /** What somebody says of the check that is being explored. */
  #note(current: Current, job: number, message: SearchMessage & { readonly kind: 'told' | 'answered' }): void {
    current.sampled ??= message.sampled
    if (message.kind === 'told') {
      current.coordinator?.tell(job, message.tally)
      current.hear?.(this.standing as Progress)
      return
    }
    const { answer, late } = message
    current.coordinator?.answer(job, answer)
    if (answer.more) current.bound = 'executions'
    else if (late) {
      current.bound ??= 'seconds'
      current.hear?.(this.standing as Progress)
    }
  }

  #busy({ check }: Current): (Member & { readonly order: object })[] {
    return [...this.#members].filter(
      (member): member is Member & { readonly order: NonNullable<Member['order']> } => member.order?.check === check,
    )
  }

  /** Gives work to whoever has none, and ends the check when it is at its end. */
  #dispatch(): void {
    const current = this.#current
    if (current === undefined) return
    const { coordinator, shard, bounds, begun } = current
    const idle = [...this.#members].filter(({ loaded, order }) => loaded && order === undefined)
    const busy = this.#busy(current)
    if (coordinator === undefined) {
      if (idle.length > 0 && busy.length === 0) this.#deal(idle[0], current, shard as Shard)
      return
    }
    const settled = coordinator.settle()
    if (settled !== undefined && current.bound !== 'executions') {
      this.#end(current, settled === 'explored' ? { bound: shard && 'shard' } : { failure: settled.failure })
      return
    }
    const seconds = (bounds.seconds ?? Number.POSITIVE_INFINITY) - (performance.now() - begun) / 1000
    if (seconds <= 0) current.bound ??= 'seconds'
    if (current.bound !== undefined) {
      if (busy.length === 0) this.#end(current, { bound: current.bound })
      return
    }
    if (current.collecting.length > 0) {
      if (busy.length > 0) return
      try {
        current.save?.(leftOf(current))
      } catch (error) {
        this.#fail(error)
      }
      for (const told of current.collecting.splice(0)) told()
    }
    if (current.leaving) return
    for (let waiting = idle.length; waiting > 0; waiting--) {
      if (!this.#give(idle[idle.length - waiting], waiting, current, seconds)) {
        const wanted = coordinator.heaviest(waiting)
        // Whoever was given something just now is among them.
        for (const { call, order } of this.#busy(current)) {
          if (wanted.includes(order.job as number)) callBack(call, order.serial, toShare)
        }
        return
      }
    }
  }

  #deal(member: Member, { check, bounds }: Current, shard: Shard): void {
    const serial = ++this.#serial
    member.order = { serial, check, job: undefined }
    member.thread.postMessage({ kind: 'deal', serial, check, shard, bounds } satisfies SearchJob)
  }

  #give(member: Member, waiting: number, current: Current, seconds: number): boolean {
    const { check, bounds, sampled } = current
    const coordinator = current.coordinator as Coordinator
    const job = coordinator.take(waiting)
    if (job === undefined) return false
    const serial = ++this.#serial
    member.order = { serial, check, job: job.id }
    // Random walks are made once.
    const sample = sampled === undefined && job.id === 0
    const left = {
      ...bounds,
      ...(bounds.seconds === undefined ? {} : { seconds }),
      ...(bounds.executions === undefined ? {} : { executions: bounds.executions - coordinator.tally.executions }),
    }
    member.thread.postMessage({ kind: 'explore', serial, check, job, bounds: left, sample } satisfies ExploreOrder)
    return true
  }

  #end(current: Current, how: Pick<Parameters<typeof conclude>[1], 'failure' | 'bound'>): void {
    this.#current = undefined
    for (const { call, order } of this.#members) if (order !== undefined) callBack(call, order.serial, atOnce)
    const { sampled, loaded, bound, shard, cut } = current
    const { tally, pieces } = current.coordinator as Coordinator
    const report = conclude(loaded.outline, { tally, seconds: secondsOf(current), sampled, ...how })
    current.resolve({
      report,
      ...(bound === undefined ? {} : { left: leftOf(current) }),
      ...(shard === undefined ? {} : { findings: { pieces, cut } }),
    })
    for (const told of current.collecting.splice(0)) told()
  }
}

/** For how long a check has been explored, before it was left and now. */
function secondsOf({ begun, left }: Current): number {
  return (left?.seconds ?? 0) + (performance.now() - begun) / 1000
}

function leftOf(current: Current): Left {
  const { coordinator, cut, sampled } = current
  const places = (coordinator as Coordinator).save()
  return { places, cut, seconds: secondsOf(current), ...(sampled === undefined ? {} : { sampled }) }
}
