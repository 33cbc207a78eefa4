/** Explores checks on other machines: puts orders as jobs on a queue, and hears what becomes of them. */
import { randomUUID } from 'node:crypto'
import type { Job, Queue, QueueEventsProducer } from 'bullmq'
import { Agenda, type Explored, type Order, type OrderMessage, type Task } from './node-agenda.ts'
import { Broker, type BrokerOptions, type Done, jobName, type News, own, portable, sourceHere, type Work } from './node-broker.ts'
import { atOnce, toShare } from './node-call.ts'
import { Crew, type Explorers, Saving } from './node-crew.ts'
import type { LoadedCheck } from './node-search.ts'
import { takeSearcher } from './node-searcher.ts'
import { complain } from './node-terminal.ts'
import type { Progress } from './report.ts'

export interface BrokerCrewOptions extends BrokerOptions {
  readonly files: readonly string[]
  readonly only: string | undefined
}

/** A job on the queue. */
interface Put {
  readonly id: string
  readonly serials: readonly number[]
  /** Somebody has taken it. */
  active: boolean
  readonly since: number
}

/** So many jobs wait for whoever comes, if there is so much to do; or as many as there are taken. */
const leastWaiting = 2
/** How many checks that nobody has begun are one job at most. */
const mostInOne = 16
const lookEvery = 5000

/**
 * Keeps jobs waiting for as many workers as there seem to be, and asks those to share who have most when there are none.
 * Who takes a job, or whether two do, makes no difference: what is said of an order counts once.
 */
export class BrokerCrew implements Explorers {
  readonly #options: BrokerCrewOptions
  readonly #agenda = new Agenda((serial, how) => void this.#call(serial, how))
  readonly #run = randomUUID()
  readonly #puts = new Map<string, Put>()
  readonly #saving = new Saving(() => this.collect())
  readonly #refusals = new Set<string>()
  readonly checks: Promise<readonly LoadedCheck[]>
  #loaded: readonly LoadedCheck[] = []
  #broker: Broker | undefined
  #queue: Queue | undefined
  #caller: QueueEventsProducer | undefined
  #release: (() => Promise<void>) | undefined
  #looking: NodeJS.Timeout | undefined
  #jobs = 0
  #taken = false
  #lonely = false
  #closed = false

  constructor(options: BrokerCrewOptions) {
    this.#options = options
    this.checks = this.#open()
    this.checks.catch(() => {})
  }

  get standings(): ReadonlyMap<number, Progress> {
    return this.#agenda.standings
  }

  explore(check: number, loaded: LoadedCheck, task: Task): Promise<Explored> {
    const explored = this.#agenda.explore(check, loaded, task)
    if (task.save !== undefined) this.#saving.begin()
    // Those that are asked for at the same time are dealt out together.
    queueMicrotask(() => this.#dispatch())
    return explored
  }

  collect(options: { readonly leaving?: boolean } = {}): Promise<void> {
    return this.#agenda.collect(options).then(() => this.#dispatch())
  }

  /** Takes from the queue what nobody has begun; whoever is at work hears that it is for nothing. */
  async close(): Promise<void> {
    this.#closed = true
    this.#saving.end()
    clearInterval(this.#looking)
    const [queue, caller] = [this.#queue, this.#caller]
    const tidy = async (): Promise<void> => {
      await this.#release?.()
      await caller?.publishEvent({ eventName: 'call', run: this.#run, serial: '0', how: String(atOnce) })
      await Promise.all([...this.#puts.keys()].map((id) => queue?.remove(id).catch(() => 0)))
    }
    await Promise.race([tidy().catch(() => {}), new Promise((resolve) => setTimeout(resolve, 2000).unref())])
    await this.#broker?.close()
  }

  async #open(): Promise<readonly LoadedCheck[]> {
    const { files, only } = this.#options
    const loader = new Crew({ files, only, workers: 1, content: true, hire: takeSearcher })
    try {
      for (const file of files) portable(file)
      const broker = await Broker.open(this.#options)
      this.#broker = broker
      this.#loaded = await loader.checks
      this.#queue = broker.jobs()
      this.#caller = broker.caller()
      const events = broker.events()
      events.on('active', ({ jobId }) => this.#note(jobId, true))
      events.on('waiting', ({ jobId }) => this.#note(jobId, false))
      events.on('progress', ({ jobId, data }) => this.#listen(jobId, data as unknown as News))
      events.on('completed', ({ jobId, returnvalue }) => this.#take(jobId, returnvalue as unknown as Done))
      events.on('failed', ({ jobId, failedReason }) => this.#fail(jobId, failedReason))
      await broker.ready()
      await this.#sweep(this.#queue)
      this.#release = await broker.hold(this.#queue, this.#run)
      this.#looking = setInterval(() => this.#look().catch(() => {}), lookEvery).unref()
      return this.#loaded
    } finally {
      loader.close()
    }
  }

  /** Removes what runs have left that were killed. */
  async #sweep(queue: Queue): Promise<void> {
    const client = await queue.client
    const alive = new Map<string, boolean>()
    for (const job of (await queue.getJobs(['waiting', 'failed', 'completed'])) as (Job<Work> | undefined)[]) {
      const run = job?.data?.run
      if (job === undefined || run === undefined) continue
      if (!alive.has(run)) alive.set(run, (await client.get((this.#broker as Broker).leaseOf(run))) !== null)
      if (!alive.get(run)) await job.remove().catch(() => {})
    }
  }

  #dispatch(): void {
    if (this.#closed) return
    this.#agenda.settle()
    if (this.#agenda.room === 0) {
      this.#saving.end()
      return
    }
    const puts = [...this.#puts.values()]
    const active = puts.filter(({ active }) => active).length
    const wanted = Math.max(leastWaiting, active)
    let waiting = puts.length - active
    for (; waiting < wanted; waiting++) {
      const orders = this.#bundle(wanted - waiting)
      if (orders.length === 0) break
      this.#put(orders)
    }
    // Nobody knows whether anybody has nothing to do; but whoever comes next would have nothing.
    if (waiting === 0) for (const serial of this.#agenda.longest(Math.ceil(active / 4))) void this.#call(serial, toShare)
  }

  /** What becomes one job: one order, or several checks that nobody has begun, as they may be short. */
  #bundle(idle: number): Order[] {
    const most = Math.min(mostInOne, Math.floor(this.#agenda.unbegun / (4 * idle)))
    const orders: Order[] = []
    for (let i = 0; i < Math.max(most, 1); i++) {
      const order = this.#agenda.next(idle)
      if (order === undefined) break
      orders.push(order)
      if (order.kind !== 'explore' || order.job.id !== 0) break
    }
    return orders
  }

  #put(orders: readonly Order[]): void {
    const put: Put = {
      id: `${this.#run}-${++this.#jobs}`,
      serials: orders.map(({ serial }) => serial),
      active: false,
      since: performance.now(),
    }
    this.#puts.set(put.id, put)
    const { files, only } = this.#options
    const work: Work = {
      run: this.#run,
      ...own,
      files: files.map(portable),
      ...(only === undefined ? {} : { only }),
      orders: orders.map((order) => {
        const { name, content = '' } = this.#loaded[order.check]
        return { order, name, content }
      }),
    }
    const options = { jobId: put.id, removeOnComplete: true, removeOnFail: true, attempts: 20 }
    // Where it could not be put there it is missing, and put there again.
    this.#queue?.add(jobName, work, options).catch(() => {})
  }

  /** Calls an order back: from the queue, or from whoever has taken it. */
  async #call(serial: number, how: number): Promise<void> {
    const put = [...this.#puts.values()].find(({ serials }) => serials.includes(serial))
    if (put === undefined || this.#closed) return
    try {
      if (!put.active) {
        if (how === toShare) return
        if ((await this.#queue?.remove(put.id)) === 1) {
          this.#drop(put)
          return
        }
      }
      await this.#caller?.publishEvent({ eventName: 'call', run: this.#run, serial: String(serial), how: String(how) })
    } catch {
      // Nobody hears it: then it takes longer.
    }
  }

  /** The job is not there any more: what it was to do is to be done. */
  #drop(put: Put): void {
    if (!this.#puts.delete(put.id)) return
    for (const serial of put.serials) this.#agenda.lose(serial)
    this.#dispatch()
  }

  #note(id: string, active: boolean): void {
    const put = this.#puts.get(id)
    if (put === undefined) return
    if (active) this.#taken = true
    put.active = active
    if (active) this.#dispatch()
  }

  #listen(id: string, news: News): void {
    if (!this.#puts.has(id)) return
    if ('told' in news) {
      this.#agenda.begin(news.told.serial)
      this.#agenda.hear(news.told)
      return
    }
    const text = `${news.by} refuses this work: ${news.refused}`
    if (this.#refusals.has(text)) return
    this.#refusals.add(text)
    complain(text)
  }

  #take(id: string, { done }: Done): void {
    const put = this.#puts.get(id)
    if (put === undefined) return
    for (const { message, took } of done) {
      this.#agenda.begin(message.serial, performance.now() - took)
      this.#agenda.hear(asHere(message))
    }
    // Of the others nobody has begun: what is lost is given to somebody else.
    this.#drop(put)
  }

  #fail(id: string, reason: string): void {
    if (this.#puts.has(id)) this.#agenda.fail(new Error(`a job was tried again and again: ${reason}`))
  }

  /** Puts again what the server has lost, and says so when nobody takes anything. */
  async #look(): Promise<void> {
    const old = [...this.#puts.values()].filter(({ since }) => performance.now() - since > lookEvery)
    if (old.length > 0 && !this.#taken && !this.#lonely) {
      this.#lonely = true
      complain(`nobody takes work from ${this.#broker?.place} yet: start heddle work --queue where this package is`)
    }
    const missing: Put[] = []
    for (const put of old) if ((await this.#queue?.getJobState(put.id)) === 'unknown') missing.push(put)
    // What is just done is not there either, and is told of first.
    setTimeout(() => {
      for (const put of missing) this.#drop(put)
    }, 1000).unref()
  }
}

/** What somebody has said elsewhere: the lines of a trace are those of our files. */
function asHere(message: OrderMessage): OrderMessage {
  if (message.kind !== 'answered' || message.answer.found === undefined) return message
  const { found } = message.answer
  const trace = found.failure.trace.map((step) =>
    step.source === undefined ? step : { ...step, source: sourceHere(step.source) },
  )
  return { ...message, answer: { ...message.answer, found: { ...found, failure: { ...found.failure, trace } } } }
}
