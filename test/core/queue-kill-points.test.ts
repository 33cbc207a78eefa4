import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { openQueue } from '../../core/node-queue.ts'
import type { Queue } from '../../core/queue.ts'
import { seed } from '../seed.ts'
import { canMap } from './peers.ts'
import { statesLeftIn } from './queue-states.ts'

/**
 * A process at a queue in a folder is killed before an operation of its session, which makes the queue, sends, rolls, flushes,
 * receives, acknowledges, retires and closes: what the explorer does on a simulated folder, with SIGKILL and real files.
 */

const everyPoint = process.env.HEDDLE_SLOW === '1'
const script = fileURLToPath(new URL('queue-victim.mjs', import.meta.url))
// In memory where there is such a place: what is killed here are processes, and a disk would only be slower.
const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'heddle-queue-points-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Runs the session up to a point. Its lines, and whether it was killed there. */
function session(path: string, point: number): { readonly lines: readonly string[]; readonly killed: boolean } {
  const ledger = join(path, '..', 'ledger')
  const { signal, status, stderr } = spawnSync(process.execPath, [script, path, ledger, String(point)], { encoding: 'utf8' })
  if (signal !== 'SIGKILL' && status !== 0) throw new Error(stderr)
  const text = existsSync(ledger) ? readFileSync(ledger, 'utf8') : ''
  return { lines: text.split('\n').filter(Boolean), killed: signal === 'SIGKILL' }
}

function newQueue(): string {
  const path = join(mkdtempSync(join(folder, 'one-')), 'queue')
  mkdirSync(path)
  return path
}

/** What the kills have hit, and how often. */
const hits: Record<string, number> = {}

/** Everything that comes now. */
function drained(queue: Queue<Uint8Array>): number[] {
  using consumer = queue.consumer()
  const items: number[] = []
  for (let next = consumer.tryReceive(); next !== undefined; next = consumer.tryReceive()) {
    items.push(new Int32Array(next.item.slice().buffer)[0] as number)
  }
  expect(consumer.lost).toBe(0)
  return items
}

/**
 * @param witnessed whether somebody else has the queue open meanwhile: then nobody recovers it, and the next one at each lock has
 * to go on from what the dead one has left
 */
function killAt(point: number, witnessed: boolean): boolean {
  const path = newQueue()
  const options = { segmentBytes: 4 * (128 + 2 * 5), members: 4 }
  const witness = witnessed ? openQueue(path, options) : undefined
  const { lines, killed } = session(path, point)
  const count = (what: string): number => lines.filter((line) => line.startsWith(`${what} `)).length
  if (killed) for (const state of statesLeftIn(path)) hits[state] = (hits[state] ?? 0) + 1
  {
    using queue = witness ?? openQueue(path, options)
    const items = drained(queue)
    // What was being sent may be there or not, what was being acknowledged may come again or not.
    const [sent, sending] = [count('sent'), count('sending')]
    const [done, doing] = [count('acknowledged'), count('acknowledging')]
    const first = items[0] ?? Math.max(sent, done)
    expect(items).toEqual(Array.from(items, (_, i) => first + i))
    const end = first + items.length
    expect([first >= done, first <= doing, end >= sent, end <= sending], lines.at(-1)).toEqual([true, true, true, true])
    queue.producer().send(new Uint8Array(Int32Array.of(99).buffer))
    expect(drained(queue)).toEqual([99])
  }
  rmSync(join(path, '..'), { recursive: true })
  return killed
}

describe.runIf(canMap)(`a process that is killed before an operation of its own (HEDDLE_SEED=${seed})`, () => {
  const [last] = session(newQueue(), 0).lines.slice(-1)
  const steps = Number(last?.split(' ')[1])
  const some = [1, 2, 3, 4].map((n) => 1 + ((seed + Math.floor((n * steps) / 4)) % steps))

  it('leaves a queue that goes on with all that was sent', () => {
    expect(steps).toBeGreaterThan(400)
    if (everyPoint) return
    for (const [index, point] of some.entries()) {
      const witnessed = index % 2 === 1
      expect(killAt(point, witnessed) || witnessed).toBe(true)
    }
  })

  it.runIf(everyPoint)(
    'at whichever',
    () => {
      for (let point = 1; point <= steps; point++) {
        expect(killAt(point, false)).toBe(true)
        // Whoever finds the queue there does a little less.
        killAt(point, true)
      }
      console.info('kills hit', hits)
      expect(Object.keys(hits).sort()).toEqual([
        'at rest',
        'before there is a control file',
        'before there is a segment',
        'being the consumer',
        'between making a segment and saying so',
        'between publishing a record and counting it',
        'between the two words of an acknowledgement',
        'between the two words of the first segment',
        'between the two words of the last segment',
        'between writing a record and publishing it',
        'flushing',
        'holding the lock',
        'in an acknowledgement',
        'making the control file',
        'retiring segments',
      ])
    },
    36_000_000,
  )
})
