/** `heddle work`: takes jobs from a queue and carries them out in threads, until told to stop. */
import { availableParallelism, hostname } from 'node:os'
import type { Worker as Thread } from 'node:worker_threads'
import type { Job, Queue } from 'bullmq'
import type { OrderMessage } from './node-agenda.ts'
import {
  Broker,
  type BrokerOptions,
  base,
  type Call,
  type Done,
  type News,
  own,
  type RemoteOrder,
  type Work,
} from './node-broker.ts'
import { atOnce, callBack, callWords } from './node-call.ts'
import { InputError } from './node-input-error.ts'
import type { LoadedCheck, SearchJob, SearchMessage } from './node-search.ts'
import { complain, exit, print } from './node-terminal.ts'
import { startThread } from './node-thread.ts'

export interface WorkOptions extends BrokerOptions {
  /** How many jobs at a time; by default as many as there are processors. */
  readonly workers?: number
  /** After how many seconds without work it ends. */
  readonly idle?: number
  /** After how many seconds without a sign of life its jobs are given to others. */
  readonly lease: number
  readonly json?: boolean
}

/** Works until Ctrl-C, and returns the exit code. What is being done then is given back half done, and nothing is lost. */
export async function workCommand(options: WorkOptions): Promise<number> {
  const { workers = availableParallelism(), json } = options
  // Sources in traces are named from here, on all machines.
  process.chdir(base())
  const broker = await Broker.open(options)
  const workshop = new Workshop(broker, workers)
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, resolve)
  })
  await workshop.run(options, stopped)
  const { jobs, executions } = workshop
  if (json) print(JSON.stringify({ command: 'work', exit: exit.ok, jobs, executions }))
  else print(`${jobs.toLocaleString('en')} jobs, ${executions.toLocaleString('en')} executions`)
  return exit.ok
}

/** A thread that has loaded the checks of a run. */
interface Hand {
  readonly run: string
  readonly thread: Thread
  readonly call: Int32Array
  readonly checks: Promise<readonly LoadedCheck[]>
  /** The order that it is at. */
  serial: number | undefined
  hear: (message: SearchMessage) => void
  fail: (error: unknown) => void
}

/** What is to be done, and who does it. */
interface Task {
  readonly run: string
  readonly serials: readonly number[]
  hand: Hand | undefined
  /** How it was called back. */
  called: number | undefined
}

/** This worker cannot do it; others perhaps can. */
class Misfit extends Error {
  override readonly name = 'Misfit'
}

const tellEvery = 1000
/** After how many milliseconds a job is given back if other runs wait. */
const turn = 500
const lookEvery = 5000
/** For how many milliseconds whoever has refused something takes nothing, at first and at most. */
const shyFirst = 500
const shyMost = 30_000

class Workshop {
  jobs = 0
  executions = 0
  readonly #broker: Broker
  readonly #queue: Queue
  readonly #by = `${hostname()}:${process.pid}`
  readonly #workers: number
  readonly #hands = new Set<Hand>()
  readonly #tasks = new Set<Task>()
  #lastDone = performance.now()
  #shy = shyFirst
  #nextLook = 0
  #stopping = false

  constructor(broker: Broker, workers: number) {
    this.#broker = broker
    this.#queue = broker.jobs()
    this.#workers = workers
  }

  async run({ idle, lease }: WorkOptions, stopped: Promise<void>): Promise<void> {
    const { WaitingError } = this.#broker.bullmq
    const worker = this.#broker.worker(
      async (job: Job<Work>, token): Promise<Done> => {
        try {
          const done = await this.#carryOut(job)
          this.#shy = shyFirst
          return done
        } catch (error) {
          if (!(error instanceof Misfit)) throw error
          await worker.pause(true)
          await job.moveToWait(token)
          await job.updateProgress({ by: this.#by, refused: error.message } satisfies News).catch(() => {})
          // The others first.
          setTimeout(() => !this.#stopping && worker.resume(), this.#shy).unref()
          this.#shy = Math.min(2 * this.#shy, shyMost)
          throw new WaitingError()
        }
      },
      { concurrency: this.#workers, lease: 1000 * lease, name: this.#by },
    )
    const calls = this.#broker.calls()
    calls.on<Call, 'call'>('call', ({ run, serial, how }) => this.#called(run, Number(serial), Number(how)))
    await this.#broker.ready()
    const many = this.#workers === 1 ? 'one job' : `${this.#workers} jobs`
    complain(`working for ${this.#broker.place}, ${many} at a time; Ctrl-C stops it`)
    this.#lastDone = performance.now()
    const looking = setInterval(() => this.#look().catch(() => {}), lookEvery)
    const bored = new Promise<void>((resolve) => {
      if (idle === undefined) return
      const look = setInterval(() => {
        if (this.#tasks.size > 0 || performance.now() - this.#lastDone < 1000 * idle) return
        clearInterval(look)
        resolve()
      }, 100).unref()
    })
    await Promise.race([stopped, bored])
    this.#stopping = true
    clearInterval(looking)
    for (const task of this.#tasks) this.#callTask(task, atOnce)
    await Promise.race([worker.close(), new Promise((resolve) => setTimeout(resolve, 5000).unref())])
    for (const hand of this.#hands) this.#dismiss(hand)
    await this.#broker.close()
  }

  async #carryOut(job: Job<Work>): Promise<Done> {
    const work = job.data
    if (this.#stopping || !(await this.#isAlive(work.run))) return { done: [] }
    refuseOther('heddle', work.heddle, own.heddle)
    refuseOther('Node', work.node, own.node)
    if (work.files.some((file) => file.split('/').includes('..'))) throw new Misfit('it names files outside of the package')
    const task: Task = {
      run: work.run,
      serials: work.orders.map(({ order }) => order.serial),
      hand: undefined,
      called: undefined,
    }
    this.#tasks.add(task)
    try {
      const hand = this.#handFor(work)
      task.hand = hand
      refuseStrangers(work.orders, await loadedBy(hand))
      const done: Done['done'][number][] = []
      for (const { order } of work.orders) {
        if (task.called !== undefined) break
        const start = performance.now()
        const message = await this.#give(hand, order, job, task)
        done.push({ message, took: performance.now() - start })
        if (message.kind === 'answered') this.executions += message.answer.tally.executions
      }
      this.jobs++
      return { done }
    } catch (error) {
      // What it has loaded may be mended by the time it is asked again.
      if (task.hand !== undefined) this.#dismiss(task.hand)
      throw error
    } finally {
      this.#tasks.delete(task)
      this.#lastDone = performance.now()
      if (task.hand !== undefined) task.hand.serial = undefined
    }
  }

  /** Has an order carried out, and tells now and then how far it is. */
  #give(hand: Hand, order: RemoteOrder['order'], job: Job<Work>, task: Task): Promise<OrderMessage> {
    const start = performance.now()
    let told = start
    hand.serial = order.serial
    hand.thread.postMessage(order satisfies SearchJob)
    return new Promise((resolve, reject) => {
      hand.fail = reject
      hand.hear = (message) => {
        if (!('serial' in message)) return
        if (message.kind !== 'told') {
          resolve(message)
          return
        }
        if (performance.now() - start > turn) void this.#giveWay(task)
        if (performance.now() - told > tellEvery) {
          told = performance.now()
          const { recoveries: _, ...tally } = message.tally
          // Where nobody can be told somebody else has the job by now: it is no use to go on.
          job
            .updateProgress({ by: this.#by, told: { ...message, tally } } satisfies News)
            .catch(() => this.#callTask(task, atOnce))
        }
      }
    })
  }

  async #giveWay(task: Task): Promise<void> {
    if (performance.now() < this.#nextLook) return
    this.#nextLook = performance.now() + turn
    const waiting = await this.#queue.getRanges(['waiting'], 0, 99).catch(() => [])
    if (waiting.some((id) => !id.startsWith(task.run))) this.#callTask(task, atOnce)
  }

  /** A thread that has nothing to do, and has loaded what is needed, or will have. */
  #handFor({ run, files, only }: Work): Hand {
    const busy = new Set([...this.#tasks].map(({ hand }) => hand))
    const idle = [...this.#hands].filter((hand) => !busy.has(hand))
    const known = idle.find((hand) => hand.run === run)
    if (known !== undefined) return known
    if (this.#hands.size >= this.#workers && idle.length > 0) this.#dismiss(idle[0])
    const thread = startThread('./node-search', import.meta.url)
    const call = callWords()
    let fail: Hand['fail'] = () => {}
    let hear: Hand['hear'] = () => {}
    const checks = new Promise<readonly LoadedCheck[]>((resolve, reject) => {
      fail = reject
      hear = (message) => {
        if (message.kind === 'loaded') resolve(message.checks)
        else if (message.kind === 'bad-input') reject(new InputError(message.message))
      }
    })
    checks.catch(() => {})
    const hand: Hand = { run, thread, call, checks, serial: undefined, hear, fail }
    this.#hands.add(hand)
    thread.on('message', (message: SearchMessage) => hand.hear(message))
    thread.on('error', (error) => hand.fail(error))
    thread.on('exit', () => {
      this.#hands.delete(hand)
      hand.fail(new Error('the thread that searched ended before its work was done'))
    })
    thread.postMessage({ kind: 'load', files, only, call, content: true } satisfies SearchJob)
    return hand
  }

  #dismiss(hand: Hand): void {
    this.#hands.delete(hand)
    void hand.thread.terminate()
  }

  async #isAlive(run: string): Promise<boolean> {
    const client = await this.#queue.client
    return (await client.get(this.#broker.leaseOf(run))) !== null
  }

  /** An order is called back, or, with no order of this number, a whole run. */
  #called(run: string, serial: number, how: number): void {
    for (const task of this.#tasks) {
      if (task.run === run && (serial === 0 || task.serials.includes(serial))) this.#callTask(task, how)
    }
    if (serial === 0) this.#forget(run)
  }

  #callTask(task: Task, how: number): void {
    task.called = how
    const { hand } = task
    if (hand?.serial !== undefined) callBack(hand.call, hand.serial, how)
  }

  /** Sends those away who have nothing to do for a run that is over. */
  #forget(run: string): void {
    const busy = new Set([...this.#tasks].map(({ hand }) => hand))
    for (const hand of this.#hands) if (hand.run === run && !busy.has(hand)) this.#dismiss(hand)
  }

  /** Gives up what is done for runs that nobody has heard of for long. */
  async #look(): Promise<void> {
    for (const run of new Set([...this.#hands].map(({ run }) => run))) {
      if (await this.#isAlive(run)) continue
      for (const task of this.#tasks) if (task.run === run) this.#callTask(task, atOnce)
      this.#forget(run)
    }
  }
}

/** What a thread has loaded; what it cannot load, others perhaps can. */
async function loadedBy({ checks }: Hand): Promise<readonly LoadedCheck[]> {
  try {
    return await checks
  } catch (error) {
    if (error instanceof InputError) throw new Misfit(error.message)
    throw error
  }
}

function refuseOther(what: string, theirs: string, ours: string): void {
  if (theirs !== ours) throw new Misfit(`${what} is ${ours} here, and ${theirs} where the check was started`)
}

function refuseStrangers(orders: readonly RemoteOrder[], checks: readonly LoadedCheck[]): void {
  for (const { order, name, content } of orders) {
    const ours = checks[order.check]
    if (ours?.name !== name) throw new Misfit(`${name} is not here, or in another place`)
    if (ours.content !== content) throw new Misfit(`${ours.file} here is not the same, or something that it imports`)
  }
}
