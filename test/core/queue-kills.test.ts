import { type ChildProcess, fork } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { lineWords } from '../../core/layout.ts'
import { MappedMemory } from '../../core/node-mapped-memory.ts'
import { openQueue } from '../../core/node-queue.ts'
import { controlPlaces } from '../../core/queue-control.ts'
import { canMap } from './peers.ts'

/** Rounds with kills; `HEDDLE_KILLS=1000` makes so many. */
const rounds = Number(process.env.HEDDLE_KILLS ?? 4)
const script = fileURLToPath(new URL('queue-peer.mjs', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'heddle-queue-kills-'))
const children = new Set<ChildProcess>()

afterAll(() => {
  for (const child of children) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

interface Peer {
  readonly name: string
  readonly ready: Promise<unknown>
  readonly ended: Promise<'SIGKILL' | number | null>
  begin(): void
  kill(): void
}

function start(role: 'producer' | 'consumer', path: string, name: string, count: number): Peer {
  const child = fork(script, [role, path, join(path, '..', name), name, String(count)], { execArgv: [] })
  children.add(child)
  const ended = new Promise<'SIGKILL' | number | null>((resolve) => {
    child.once('exit', (code, signal) => {
      children.delete(child)
      resolve(signal === 'SIGKILL' ? signal : code)
    })
  })
  return {
    name,
    ready: Promise.race([new Promise((resolve) => child.once('message', resolve)), ended]),
    ended,
    begin: () => child.send('begin'),
    kill: () => child.kill('SIGKILL'),
  }
}

/** Whole lines: the last one may have been cut by a kill. */
function linesOf(path: string, name: string): string[] {
  const file = join(path, '..', name)
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : []
}

/** What the kills hit. */
const hits: Record<string, number> = {}
const hit = (what: string): void => {
  hits[what] = (hits[what] ?? 0) + 1
}

/** Looks at what the dead have left. */
function lookAround(path: string): void {
  const control = MappedMemory.open(join(path, 'control'))
  if (control.load(controlPlaces.lock + lineWords) !== 0) hit('a holder of the lock')
  if (control.load(controlPlaces.consumer) !== 0) hit('a consumer')
  control.close()
}

async function round(number: number, victims: ReadonlySet<string>): Promise<void> {
  const path = join(folder, String(number), 'queue')
  mkdirSync(path, { recursive: true })
  {
    // A stream that nobody has joined yet does not end, and producers may be killed before they have.
    using queue = openQueue(path, { mode: 'new', segmentBytes: 16_384 })
    queue.producer().close()
  }
  const names = ['producer0', 'producer1']
  const count = 2000
  const peers = [...names.map((name) => start('producer', path, name, count)), start('consumer', path, 'consumer', 0)]
  await Promise.all(peers.map(({ ready }) => ready))
  const [consumer, ...producers] = peers.reverse() as [Peer, ...Peer[]]
  for (const peer of producers) peer.begin()
  await Promise.race([setTimeout(randomInt(60)), ...producers.map(({ ended }) => ended)])
  consumer.begin()
  for (const peer of peers) {
    if (!victims.has(peer.name)) continue
    void setTimeout(randomInt(60)).then(() => {
      hit('a process')
      peer.kill()
    })
  }
  const ends = await Promise.all(peers.map(({ ended }) => ended))
  for (const [index, end] of ends.entries()) {
    if (!victims.has((peers[index] as Peer).name)) expect([end, 'SIGKILL']).toContain(0)
  }
  lookAround(path)
  const noted = linesOf(path, 'consumer')
  const rest: string[] = []
  {
    using queue = openQueue(path, { mode: 'existing' })
    expect(queue.recovered?.lost).toBe(0)
    using heir = queue.consumer()
    for (let next = heir.tryReceive(); next !== undefined; next = heir.tryReceive()) {
      rest.push(Buffer.from(next.item).toString())
    }
    expect(heir.lost).toBe(0)
  }
  if (noted.at(-1) !== undefined && noted.at(-1) === rest[0]) {
    // What was received last and not acknowledged comes again, if the consumer was killed.
    expect(victims.has('consumer')).toBe(true)
    hit('a consumer between two items')
    rest.shift()
  }
  const received = [...noted, ...rest]
  for (const name of names) {
    const own = received.filter((item) => item.startsWith(`${name} `))
    expect(own).toEqual(own.map((_, n) => `${name} ${n} ${'x'.repeat(n % 97)}`))
    const sent = linesOf(path, name).length
    expect(own.length - sent).toBeGreaterThanOrEqual(0)
    // What was sent when it was killed and could not be noted any more.
    expect(own.length - sent).toBeLessThanOrEqual(1)
    if (own.length > sent) hit('a producer between sending and noting it')
    if (!victims.has(name)) expect(own).toHaveLength(count)
  }
  expect(received).toHaveLength(
    names.reduce((sum, name) => sum + received.filter((item) => item.startsWith(`${name} `)).length, 0),
  )
  rmSync(join(folder, String(number)), { recursive: true })
}

describe.runIf(canMap)('a queue between processes that are killed', () => {
  const all = ['producer0', 'producer1', 'consumer']
  const cases = [['producer0'], ['consumer'], ['producer0', 'producer1'], all]

  it(`loses nothing that was sent, and gives nothing twice but what was not acknowledged (HEDDLE_KILLS=${rounds})`, async () => {
    for (let number = 0; number < rounds; number++) await round(number, new Set(cases[number % cases.length]))
    expect(hits['a process']).toBeGreaterThanOrEqual(rounds)
    if (process.env.HEDDLE_KILLS !== undefined) console.info('kills hit', hits)
  }, 3_600_000)
})
