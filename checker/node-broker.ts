/**
 * The queue between `heddle check --queue` and `heddle work --queue`, on a Redis or Valkey server: BullMQ, which takes a job away
 * from whoever shows no sign of life and gives it to somebody else. What both sides agree on.
 */
import { isAbsolute, join, relative, resolve, sep } from 'node:path'
import type { Processor, Queue, QueueEvents, QueueEventsListener, QueueEventsProducer, RedisOptions, Worker } from 'bullmq'
import type { Order, OrderMessage } from './node-agenda.ts'
import { packageRoot, version } from './node-files.ts'
import { InputError, oneLine } from './node-input-error.ts'
import { complain } from './node-terminal.ts'

type BullMQ = typeof import('bullmq')

/** Which queue. */
export interface BrokerOptions {
  /** The address of the server. */
  readonly queue: string
  /** What the names of all keys begin with. */
  readonly prefix: string
}

/** An order, and what must be the same wherever it is carried out. */
export interface RemoteOrder {
  readonly order: Order
  readonly name: string
  readonly content: string
}

/** What one job holds. */
export interface Work {
  readonly run: string
  readonly heddle: string
  readonly node: string
  /** Relative to the root of the package. */
  readonly files: readonly string[]
  readonly only?: string
  readonly orders: readonly RemoteOrder[]
}

/** What a job returns: for each order what became of it, as far as it was begun. */
export interface Done {
  readonly done: readonly { readonly message: OrderMessage; readonly took: number }[]
}

/** What a job says on the way. */
export type News =
  | { readonly by: string; readonly told: OrderMessage & { readonly kind: 'told' } }
  | { readonly by: string; readonly refused: string }

/** How a run calls its orders back, or says that it is over. */
export interface Call extends QueueEventsListener {
  call(args: { readonly run: string; readonly serial: string; readonly how: string }, id: string): void
}

/** The name of a job, and of the queue. */
export const jobName = 'check'
const callsName = `${jobName}-calls`

/** A run that was not heard of for so many milliseconds is over. */
const leaseMs = 30_000
const sayEvery = leaseMs / 3
/** What is kept of what was said on a queue, in events. */
const eventsKept = 1000

/** The two sides must run the same. */
export const own: Pick<Work, 'heddle' | 'node'> = { heddle: version(), node: process.version }

/** Opens queues on one server, and closes them all. */
export class Broker {
  /** Where the server is, without its secrets. */
  readonly place: string
  readonly #bullmq: BullMQ
  readonly #connection: RedisOptions
  readonly #prefix: string
  readonly #opened: Opened[] = []
  #troubled = false

  /** Throws `InputError` where there is no server that lets us in. */
  static async open({ queue, prefix }: BrokerOptions): Promise<Broker> {
    const { place, connection } = parseAddress(queue)
    if (!/^[\w.-]+$/.test(prefix)) throw new InputError('--prefix: only letters, digits, and . - _')
    let bullmq: BullMQ
    try {
      bullmq = await import('bullmq')
    } catch {
      throw new InputError('--queue needs BullMQ: npm install --save-dev bullmq@5')
    }
    await knock(bullmq, connection, place, prefix)
    return new Broker(bullmq, connection, place, prefix)
  }

  private constructor(bullmq: BullMQ, connection: RedisOptions, place: string, prefix: string) {
    this.#bullmq = bullmq
    this.#connection = connection
    this.place = place
    this.#prefix = prefix
  }

  get bullmq(): BullMQ {
    return this.#bullmq
  }

  /** The queue of jobs. */
  jobs(): Queue {
    const { Queue } = this.#bullmq
    const streams = { events: { maxLen: eventsKept } }
    return this.#watch(new Queue(jobName, { ...this.#base, streams }))
  }

  /** What becomes of the jobs. */
  events(): QueueEvents {
    const { QueueEvents } = this.#bullmq
    // From the beginning: between two reads of what is new something could be said.
    return this.#watch(new QueueEvents(jobName, { ...this.#base, lastEventId: '0-0' }))
  }

  caller(): QueueEventsProducer {
    const { QueueEventsProducer } = this.#bullmq
    return this.#watch(new QueueEventsProducer(callsName, this.#base))
  }

  calls(): QueueEvents {
    const { QueueEvents } = this.#bullmq
    return this.#watch(new QueueEvents(callsName, { ...this.#base, lastEventId: '0-0' }))
  }

  /** @param lease after how many milliseconds without a sign of life a job of this worker is given to another one */
  worker(
    carryOut: Processor<Work, Done, string>,
    { concurrency, lease, name }: { readonly concurrency: number; readonly lease: number; readonly name: string },
  ): Worker<Work, Done, string> {
    const { Worker } = this.#bullmq
    const stalled = { lockDuration: lease, stalledInterval: lease / 2, maxStalledCount: 20 }
    return this.#watch(new Worker<Work, Done, string>(jobName, carryOut, { ...this.#base, ...stalled, concurrency, name }))
  }

  /** The key that is there as long as a run is. */
  leaseOf(run: string): string {
    return `${this.#prefix}:${jobName}:run:${run}`
  }

  /** Says again and again that a run is not over, until told to stop. */
  async hold(queue: Queue, run: string): Promise<() => Promise<void>> {
    const client = await queue.client
    const say = async (): Promise<void> => void (await client.set(this.leaseOf(run), own.heddle, { PX: leaseMs }))
    await say()
    const timer = setInterval(() => say().catch(() => {}), sayEvery).unref()
    return async () => {
      clearInterval(timer)
      await client.del(this.leaseOf(run))
    }
  }

  /** Resolves when all that was opened is connected: what is closed sooner complains. */
  async ready(): Promise<void> {
    await Promise.all(this.#opened.map((one) => one.waitUntilReady()))
  }

  /** Closes all that was opened, or gives up soon where the server does not answer. */
  async close(): Promise<void> {
    const closed = Promise.all(this.#opened.map((one) => one.close().catch(() => {})))
    await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, 2000).unref())])
  }

  get #base(): { readonly connection: RedisOptions; readonly prefix: string } {
    return { connection: this.#connection, prefix: this.#prefix }
  }

  /** Whatever is wrong with a connection, it is tried again; that is said once. */
  #watch<T extends Opened>(opened: T): T {
    this.#opened.push(opened)
    opened.on('error', (error) => {
      if (this.#troubled || !('code' in error)) return
      this.#troubled = true
      complain(`${this.place}: ${reasonOf(error)}; trying again`)
    })
    return opened
  }
}

interface Opened {
  waitUntilReady(): Promise<unknown>
  close(): Promise<void>
  on(event: 'error', listener: (error: Error) => void): unknown
}

/** The folder to which the names of files are relative on all machines: the root of the package, or where we are. */
export function base(): string {
  return packageRoot(process.cwd()) ?? process.cwd()
}

/** A file, named as it is on all machines. */
export function portable(file: string): string {
  const path = relative(base(), resolve(file))
  if (isAbsolute(path) || path.split(sep)[0] === '..') {
    throw new InputError(`${file}: is outside of the package, where workers would not find it`)
  }
  return path.split(sep).join('/')
}

/** The source line of a trace, as it is written where we are, from how it is written at the root of the package. */
export function sourceHere(source: string): string {
  const here = process.cwd()
  if (here === base()) return source
  const path = join(base(), source)
  return path.startsWith(`${here}${sep}`) ? path.slice(here.length + 1) : path.split(sep).slice(-2).join('/')
}

/** Reads an address. What it says wrong is not repeated: there may be a password in it. */
export function parseAddress(text: string): { readonly place: string; readonly connection: RedisOptions } {
  try {
    const { protocol, hostname, port, username, password, pathname, search, hash } = new URL(text)
    if (search === '' && hash === '') {
      const secrets = {
        ...(username === '' ? {} : { username: decodeURIComponent(username) }),
        ...(password === '' ? {} : { password: decodeURIComponent(password) }),
      }
      const database = /^\/?(\d*)$/.exec(pathname)?.[1]
      if ((protocol === 'redis:' || protocol === 'rediss:') && hostname !== '' && database !== undefined) {
        const host = hostname.replace(/^\[(.*)\]$/, '$1')
        const server = { host, port: Number(port || 6379), db: Number(database) }
        const tls = protocol === 'rediss:' ? { tls: { servername: host } } : {}
        return { place: `${protocol}//${hostname}:${server.port}/${server.db}`, connection: { ...server, ...secrets, ...tls } }
      }
      if (protocol === 'unix:' && hostname === '' && pathname.length > 1) {
        return { place: `unix://${pathname}`, connection: { path: decodeURIComponent(pathname), ...secrets } }
      }
    }
  } catch {
    // No URL at all.
  }
  throw new InputError('--queue: is not like redis://user:password@host:6379/0, rediss://... or unix:///path/of/socket')
}

/** Whether the server lets us in, before anything relies on it. */
async function knock(bullmq: BullMQ, connection: RedisOptions, place: string, prefix: string): Promise<void> {
  const once = { ...connection, connectTimeout: 5000, retryStrategy: () => null }
  const queue = new bullmq.Queue(jobName, { connection: once, prefix })
  let first: unknown
  queue.on('error', (error) => {
    first ??= error
  })
  try {
    await queue.waitUntilReady()
  } catch (error) {
    throw new InputError(`--queue: ${place}: ${reasonOf(first ?? error)}`)
  } finally {
    await queue.close().catch(() => {})
  }
}

const reasons: readonly (readonly [RegExp, string])[] = [
  [/ECONNREFUSED|ENOENT/, 'no server answers there'],
  [/ENOTFOUND|EAI_AGAIN/, 'no such host'],
  [/ETIMEDOUT|EHOSTUNREACH|ENETUNREACH/, 'cannot be reached'],
  [/ECONNRESET|EPIPE|Connection is closed/, 'the connection was lost'],
  [/WRONGPASS|invalid password|invalid username/, 'wrong user name or password'],
  [/NOAUTH/, 'wants a password'],
]

function reasonOf(error: unknown): string {
  const { code } = error as { readonly code?: string }
  const text = `${code ?? ''} ${oneLine(error)}`
  // What else a server says holds no secret: it is never told back what it was sent.
  return reasons.find(([pattern]) => pattern.test(text))?.[1] ?? oneLine(error)
}
