import { conclude, coveredBy } from './conclude.ts'
import { type Answer, Coordinator, type Doubt } from './coordinator.ts'
import type { Shard } from './deal.ts'
import type { ShardFindings } from './merge.ts'
import { atOnce } from './node-call.ts'
import { InputError } from './node-input-error.ts'
import type { DealOrder, ExploreOrder, Hand, LoadedCheck, SearchMessage } from './node-search.ts'
import type { Bounds, Estimate, Progress, Report } from './report.ts'
import { emptyTally } from './tally.ts'

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
}

/** A check that is not explored to its end. */
export interface Left extends Hand {
  readonly doubts?: readonly Doubt[]
  readonly seconds: number
  readonly sampled?: Estimate
}

/** What came of a check. */
export interface Explored {
  readonly report: Report
  /** What is left of it, where a bound on seconds or executions was hit. */
  readonly left?: Left
  /** Of a shard: what was found in each of its pieces. */
  readonly findings?: Pick<ShardFindings, 'pieces' | 'doubts'> & Pick<Hand, 'cut'>
}

/** Something to do, for one who has nothing to do. */
export type Order = ExploreOrder | DealOrder

/** What becomes of an order. */
export type OrderMessage = Extract<SearchMessage, { readonly serial: number }>

/** A check that is being explored, or waits for it. */
interface Current extends Task {
  readonly check: number
  readonly loaded: LoadedCheck
  /** When somebody was first given some of it. */
  begun: number | undefined
  /** Once it is known what is to be explored. */
  coordinator: Coordinator | undefined
  cut: string
  sampled: Estimate | undefined
  /** Why nobody shall go on with it. */
  bound: 'executions' | 'seconds' | undefined
  resolve(explored: Explored): void
  reject(error: unknown): void
}

interface Given {
  readonly current: Current
  /** Without a job it deals. */
  readonly job: number | undefined
}

/**
 * The checks that are explored side by side, in the order in which they were asked for: what is to be done next, what came of
 * what was done, and how each check ends. Whoever has nothing to do goes on with the first check that has something open, so that
 * a short check is explored by one alone while others are at the next ones, and a long one is shared once there are no others.
 * Knows nobody who explores, only orders by their numbers.
 */
export class Agenda {
  readonly #callBack: (serial: number, how: number) => void
  #currents: readonly Current[] = []
  /** Those of which nobody knows yet whether they are at their end: there can be a thousand that wait. */
  readonly #open = new Set<Current>()
  readonly #given = new Map<number, Given>()
  #serial = 0
  /** Everybody is to come back, so that all there is to know is in one place; then these are told. */
  readonly #collecting: (() => void)[] = []
  /** Nobody goes on after that. */
  #leaving = false

  /** @param callBack tells whoever has the order of this number to come back, and how: see `node-call.ts` */
  constructor(callBack: (serial: number, how: number) => void) {
    this.#callBack = callBack
  }

  explore(check: number, loaded: LoadedCheck, task: Task): Promise<Explored> {
    const { shard, left } = task
    return new Promise((resolve, reject) => {
      const current: Current = {
        ...task,
        check,
        loaded,
        begun: undefined,
        coordinator: left === undefined && shard !== undefined ? undefined : new Coordinator(left?.places, left?.doubts),
        cut: left?.cut ?? '',
        sampled: left?.sampled,
        bound: undefined,
        resolve,
        reject,
      }
      this.#currents = [...this.#currents, current]
      this.#open.add(current)
    })
  }

  /** How many can be at work at the same time; as many executions as are allowed are the first ones, and those only one finds. */
  get room(): number {
    if (this.#currents.some(({ bounds }) => bounds.executions === undefined)) return Number.POSITIVE_INFINITY
    return this.#currents.length
  }

  /** How many checks nobody was given any of. */
  get unbegun(): number {
    const given = new Set([...this.#given.values()].map(({ current }) => current))
    return this.#currents.filter((current) => current.begun === undefined && !given.has(current)).length
  }

  /** How far the checks are that somebody has begun, by their numbers. */
  get standings(): Map<number, Progress> {
    const begun = this.#currents.filter(({ begun }) => begun !== undefined)
    return new Map(begun.map((current) => [current.check, standingOf(current)]))
  }

  /**
   * An order for somebody; `undefined` while there is none.
   *
   * @param idle how many have nothing to do: they share what there is
   */
  next(idle: number): Order | undefined {
    if (this.#collecting.length > 0 || this.#leaving) return undefined
    for (const current of this.#currents) {
      const order = this.#orderOf(current, idle)
      if (order !== undefined) return order
    }
    return undefined
  }

  /** The orders that should come back because so many have nothing to do: those that will take longest. */
  longest(count: number): number[] {
    const now = performance.now()
    const lasting = this.#currents.flatMap((current) => {
      const { coordinator, begun = now, bounds } = current
      if (coordinator === undefined || bounds.executions !== undefined) return []
      const pace = (now - begun) / Math.max(coordinator.tally.share, Number.MIN_VALUE)
      const left = new Map(coordinator.taken.map(({ id, left }) => [id, left]))
      return this.#ordersOn(current).map(([serial, { job }]) => ({ serial, lasts: pace * (left.get(job as number) ?? 0) }))
    })
    return lasting
      .sort((a, b) => b.lasts - a.lasts)
      .slice(0, count)
      .map(({ serial }) => serial)
  }

  /** Somebody is at work on the order. */
  begin(serial: number, since: number = performance.now()): void {
    const current = this.#given.get(serial)?.current
    if (current === undefined) return
    current.begun ??= since
    this.#open.add(current)
  }

  /** Takes what somebody says of an order. The same may be said twice, and of orders that nobody waits for any more. */
  hear(message: OrderMessage): void {
    const { serial } = message
    const given = this.#given.get(serial)
    if (message.kind !== 'told') this.#given.delete(serial)
    if (given === undefined || !this.#currents.includes(given.current)) return
    const { current, job } = given
    if (message.kind === 'refused') this.#leave(current, () => current.reject(new InputError(message.message)))
    else if (message.kind === 'dealt') {
      current.coordinator ??= new Coordinator(message.places)
      current.cut = message.cut
    } else {
      current.sampled ??= message.sampled
      if (message.kind === 'told') current.coordinator?.tell(job as number, message.tally)
      else this.#answer(current, job as number, message.answer, message.late)
      current.hear?.(standingOf(current))
    }
    if (message.kind !== 'told') this.settle()
  }

  /** Whoever had the order will not answer: somebody else is to do it. */
  lose(serial: number): void {
    const { current, job } = this.#given.get(serial) ?? {}
    this.#given.delete(serial)
    if (job !== undefined) current?.coordinator?.lose(job)
    this.settle()
  }

  /** Ends what is at its end, and saves once everybody has come back for it. */
  settle(): void {
    for (const current of this.#open) {
      this.#settle(current)
      if (current.begun === undefined) this.#open.delete(current)
    }
    if (this.#collecting.length === 0 || this.#currents.some((current) => this.#ordersOn(current).length > 0)) return
    for (const current of this.#currents) {
      if (current.begun === undefined || current.coordinator === undefined) continue
      try {
        current.save?.(leftOf(current))
      } catch (error) {
        this.#leave(current, () => current.reject(error))
      }
    }
    for (const told of this.#collecting.splice(0)) told()
  }

  /** Has all checks saved that are being explored, all work done so far in it. Resolves when that is done. */
  collect({ leaving = false }: { readonly leaving?: boolean } = {}): Promise<void> {
    if (leaving) this.#leaving = true
    return new Promise((resolve) => {
      this.#collecting.push(resolve)
      for (const current of this.#currents) this.#callAll(current)
      this.settle()
    })
  }

  /** Gives everything up. */
  fail(error: unknown): void {
    for (const current of this.#currents) this.#leave(current, () => current.reject(error))
  }

  #ordersOn(wanted: Current): [serial: number, given: Given][] {
    return [...this.#given].filter(([, { current }]) => current === wanted)
  }

  #callAll(current: Current): void {
    for (const [serial] of this.#ordersOn(current)) this.#callBack(serial, atOnce)
  }

  #orderOf(current: Current, idle: number): Order | undefined {
    const { coordinator, shard, bounds, check, sampled } = current
    const alone = coordinator === undefined || bounds.executions !== undefined
    if (current.bound !== undefined || (alone && this.#ordersOn(current).length > 0)) return undefined
    if (coordinator === undefined) {
      const serial = this.#give(current, undefined)
      return { kind: 'deal', serial, check, shard: shard as Shard, bounds }
    }
    const job = coordinator.take(idle)
    if (job === undefined) return undefined
    const serial = this.#give(current, job.id)
    const left = {
      ...bounds,
      ...(bounds.seconds === undefined ? {} : { seconds: bounds.seconds - workedOn(current) }),
      ...(bounds.executions === undefined ? {} : { executions: bounds.executions - coordinator.tally.executions }),
    }
    // Random walks are made once.
    return { kind: 'explore', serial, check, job, bounds: left, sample: sampled === undefined && job.id === 0 }
  }

  #give(current: Current, job: number | undefined): number {
    this.#open.add(current)
    this.#given.set(++this.#serial, { current, job })
    return this.#serial
  }

  #answer(current: Current, job: number, answer: Answer, late: boolean): void {
    current.coordinator?.answer(job, answer)
    if (answer.more) current.bound = 'executions'
    else if (late) current.bound ??= 'seconds'
  }

  #settle(current: Current): void {
    const { coordinator, shard, bounds } = current
    if (coordinator === undefined) return
    let settled = coordinator.settle()
    // Whether the failure counts is known when all parts are.
    for (; shard !== undefined && settled !== undefined && settled !== 'explored' && settled.sometimes !== undefined; ) {
      coordinator.doubt(settled.sometimes)
      settled = coordinator.settle()
    }
    if (settled !== undefined && current.bound !== 'executions') {
      this.#end(current, settled === 'explored' ? { bound: shard && 'shard' } : { failure: settled.failure })
      return
    }
    if (workedOn(current) >= (bounds.seconds ?? Number.POSITIVE_INFINITY)) current.bound ??= 'seconds'
    if (current.bound !== undefined && this.#ordersOn(current).length === 0) this.#end(current, { bound: current.bound })
  }

  #end(current: Current, how: Pick<Parameters<typeof conclude>[1], 'failure' | 'bound'>): void {
    const { sampled, loaded, bound, shard, cut } = current
    const { tally, pieces, doubts } = current.coordinator as Coordinator
    const explored: Explored = {
      report: conclude(loaded.outline, { tally, seconds: secondsOf(current), sampled, ...how }),
      ...(bound === undefined ? {} : { left: leftOf(current) }),
      ...(shard === undefined ? {} : { findings: { pieces, doubts, cut } }),
    }
    this.#leave(current, () => current.resolve(explored))
  }

  /** Whoever is at work on it need not go on. */
  #leave(current: Current, tell: () => void): void {
    this.#callAll(current)
    this.#currents = this.#currents.filter((other) => other !== current)
    this.#open.delete(current)
    tell()
  }
}

/** For how many seconds a check has been explored by those who are at it now. */
function workedOn({ begun }: Current): number {
  return begun === undefined ? 0 : (performance.now() - begun) / 1000
}

/** The same, with those before it was left. */
function secondsOf(current: Current): number {
  return (current.left?.seconds ?? 0) + workedOn(current)
}

function standingOf(current: Current): Progress {
  const { coordinator, sampled } = current
  const tally = coordinator?.tally ?? emptyTally
  const walked = sampled === undefined ? {} : { sampled }
  return { executions: tally.executions, seconds: secondsOf(current), ...coveredBy(tally, sampled), ...walked }
}

function leftOf(current: Current): Left {
  const { coordinator, cut, sampled } = current
  const { doubts } = coordinator as Coordinator
  const places = (coordinator as Coordinator).save()
  return { places, doubts, cut, seconds: secondsOf(current), ...(sampled === undefined ? {} : { sampled }) }
}
