import { type ChildProcess, fork } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { DiskQueueOptions } from '../../core/node-queue.ts'
import { hasOpened, standingOf } from './queue-standing.ts'

const script = fileURLToPath(new URL('queue-killed.mjs', import.meta.url))

export type Role = 'producer' | 'consumer'

/** A process, which has joined the queue or is about to. */
interface Victim {
  readonly role: Role
  readonly id: number
  readonly child: ChildProcess
  readonly gone: Promise<void>
}

/** A process that has started, and waits for its job. */
interface Spare {
  readonly child: ChildProcess
  readonly ready: Promise<void>
  readonly gone: Promise<void>
}

/** What one has received, in the order in which it was noted. */
export interface Noted {
  readonly consumer: number
  readonly producer: number
  readonly n: number
}

/** How long nothing may move while a producer and a consumer live. */
const patienceMs = 60_000

/** Processes at one queue after the other, and how they are killed. */
export class Storm {
  /** How many kills hit which state. */
  readonly hits: Map<string, number> = new Map()
  /** How often only producers were killed, only consumers, and both at the same moment. */
  readonly strikes: Map<Role | 'both', number> = new Map()
  kills = 0
  /** The longest time until something moved again. */
  slowestMs = 0
  private readonly spares: Spare[] = []
  private living: Victim[] = []
  private path = ''
  private options: DiskQueueOptions<Uint8Array> = {}
  private ids = 0
  private readonly failures: string[] = []

  /** Goes on with another folder, in which there is no queue yet. */
  goTo(folder: string, options: DiskQueueOptions<Uint8Array>): void {
    this.path = join(folder, 'queue')
    this.options = options
    this.ids = 0
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'sent'), new Uint8Array(4 * 65_536))
    closeSync(openSync(join(folder, 'received'), 'a'))
  }

  /** One more process of that role. */
  async begin(role: Role): Promise<void> {
    while (this.spares.length < 4) this.spares.push(started())
    const { child, ready, gone } = this.spares.shift() as Spare
    this.spares.push(started())
    await ready
    const { path, options } = this
    const id = this.ids++
    child.on('message', (message) => this.failures.push(`${role} ${id}: ${message}`))
    this.living.push({ role, id, child, gone })
    child.send({ role, id, path, options, sent: join(path, '../sent'), received: join(path, '../received') })
  }

  /** Returns when the one that came last has the control file open: it is about to join, or to recover. */
  async opens(): Promise<void> {
    const { child } = this.living.at(-1) as Victim
    const end = performance.now() + 1000
    while (performance.now() < end && !hasOpened(this.path, child.pid as number)) await setTimeout(0)
  }

  count(role: Role): number {
    return this.living.filter((one) => one.role === role).length
  }

  /**
   * Kills the first processes that come under this, all at the same moment. Everybody is stopped for that, so that it can be said
   * in what they were interrupted.
   */
  async kill(
    which: (victim: { readonly role: Role; readonly isNewest: boolean }) => boolean,
    most: number = Infinity,
  ): Promise<void> {
    const { living } = this
    const newest = living.at(-1)
    const victims = living.filter((one) => which({ role: one.role, isNewest: one === newest })).slice(0, most)
    const asleep = new Set(victims.filter(({ child }) => isAsleep(child)))
    for (const { child } of living) child.kill('SIGSTOP')
    while (!living.every(({ child }) => isStopped(child))) await setTimeout(0)
    const roles = new Set(victims.map(({ role }) => role))
    const whom = roles.size === 2 ? 'both' : [...roles][0]
    if (whom !== undefined) this.strikes.set(whom, (this.strikes.get(whom) ?? 0) + 1)
    for (const victim of victims) {
      const { role, child } = victim
      const state = `${role}: ${standingOf(this.path, child.pid as number, role) ?? (asleep.has(victim) ? 'asleep' : 'at work')}`
      this.hits.set(state, (this.hits.get(state) ?? 0) + 1)
      this.kills++
    }
    for (const { child } of victims) child.kill('SIGKILL')
    this.living = living.filter((one) => !victims.includes(one))
    for (const { child } of this.living) child.kill('SIGCONT')
    await Promise.all(victims.map(({ gone }) => gone))
    this.requireNoFailure()
  }

  /** Returns when something has been sent and received since the call. */
  async moves(): Promise<void> {
    const start = performance.now()
    const [sent, received] = [this.sentInAll, this.receivedBytes]
    while (this.sentInAll === sent || this.receivedBytes === received) {
      const ms = performance.now() - start
      this.requireNoFailure()
      if (ms > patienceMs) throw new Error(`nothing moves: ${this.describe()}`)
      await setTimeout(5)
    }
    this.slowestMs = Math.max(this.slowestMs, performance.now() - start)
  }

  /** How many items each producer said that it has sent. */
  sent(): Int32Array {
    const bytes = readFileSync(join(this.path, '../sent'))
    return new Int32Array(bytes.buffer, bytes.byteOffset, this.ids)
  }

  received(): Noted[] {
    const bytes = readFileSync(join(this.path, '../received'))
    const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2)
    return Array.from({ length: words.length >> 2 }, (_, i) => {
      const [consumer, producer, n] = words.subarray(4 * i) as unknown as [number, number, number]
      return { consumer, producer, n }
    })
  }

  /** Nobody is left. */
  async end(): Promise<void> {
    const all = [...this.living, ...this.spares.splice(0)]
    this.living = []
    for (const { child } of all) child.kill('SIGKILL')
    await Promise.all(all.map(({ gone }) => gone))
  }

  private get sentInAll(): number {
    return this.sent().reduce((sum, count) => sum + count, 0)
  }

  private get receivedBytes(): number {
    return statSync(join(this.path, '../received')).size
  }

  private requireNoFailure(): void {
    if (this.failures.length > 0) throw new Error(this.failures.join('\n'))
  }

  private describe(): string {
    const those = this.living.map(({ role, id, child }) => {
      const pid = child.pid as number
      return `${role} ${id}: ${isAsleep(child) ? 'asleep' : 'runs'}, ${standingOf(this.path, pid, role) ?? 'nothing special'}`
    })
    return those.join('; ')
  }
}

function started(): Spare {
  const child = fork(script, [], { execArgv: [] })
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const ready = new Promise<void>((resolve, reject) => {
    child.once('message', () => resolve())
    void gone.then(() => reject(new Error('a process ended before it began')))
  })
  ready.catch(() => {})
  return { child, ready, gone }
}

/** What the kernel says of a process: its state, and where in the kernel it waits. */
function ofProcess({ pid }: ChildProcess, file: 'stat' | 'wchan'): string {
  const path = `/proc/${pid}/${file}`
  return existsSync(path) ? readFileSync(path, 'utf8') : ''
}

function isStopped(child: ChildProcess): boolean {
  const stat = ofProcess(child, 'stat')
  return stat === '' || 'TZ'.includes(stat[stat.lastIndexOf(')') + 2] as string)
}

function isAsleep(child: ChildProcess): boolean {
  return ofProcess(child, 'wchan').includes('futex')
}
