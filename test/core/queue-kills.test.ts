import { randomInt } from 'node:crypto'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterAll, describe, expect, it } from 'vitest'
import { openQueue } from '../../core/node-queue.ts'
import { canMap } from './peers.ts'
import { type Noted, Storm } from './queue-storm.ts'

/** Kills; `HEDDLE_KILLS=3000` makes so many. */
const kills = Number(process.env.HEDDLE_KILLS ?? (process.env.HEDDLE_SLOW === '1' ? 2000 : 24))
/** Of one queue. */
const killsOfOne = 200
// In memory where there is such a place: what is killed here are processes, and a disk would only be slower.
const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'heddle-queue-kills-'))
const storm = new Storm()

afterAll(async () => {
  await storm.end()
  rmSync(folder, { recursive: true, force: true })
})

/** Small segments, and few: they are made, retired and used again all the time, and who sends has to wait. */
const options = { segmentBytes: 16_384, members: 16, limits: { segments: 4 } }
const heir = -1

async function refill(): Promise<void> {
  while (storm.count('producer') < 2) await storm.begin('producer')
  while (storm.count('consumer') < 2) await storm.begin('consumer')
}

/** Kills some at a random moment, whichever they are, and puts others in their places. */
async function strike(): Promise<void> {
  const dice = randomInt(100)
  if (dice < 25) await storm.kill(({ role }) => role === 'producer', 1)
  else if (dice < 55) await storm.kill(({ role }) => role === 'consumer', 1)
  else if (dice < 70) await storm.kill(() => true, 3)
  else if (dice < 85) {
    // One that comes to the others, and has not joined them yet.
    await storm.kill(({ role }) => role === 'producer', 1)
    await storm.begin('producer')
    await storm.opens()
    await storm.kill(({ isNewest }) => isNewest)
  } else {
    await storm.kill(() => true)
    // One that finds nobody, and brings the queue in order.
    await storm.begin('producer')
    if (dice < 97) await storm.opens()
    if (dice < 91) await setTimeout(randomInt(3))
    await storm.kill(() => true)
  }
  await refill()
}

/**
 * What was received once the same ones are left out that came again: who follows a consumer that was killed gets the item again
 * that this one had noted and not acknowledged.
 */
function once(noted: readonly Noted[]): readonly Noted[] {
  return noted.filter((one, i) => {
    const before = noted[i - 1]
    const isAgain = before?.producer === one.producer && before.n === one.n
    if (isAgain) expect(one.consumer).not.toBe(before.consumer)
    return !isAgain
  })
}

/** Everybody is dead: looks whether all is there, and nothing twice. Returns how many came again. */
function settle(path: string): { readonly items: number; readonly again: number } {
  const rest: Noted[] = []
  {
    using queue = openQueue(path, options)
    expect(queue.recovered?.lost).toBe(0)
    using consumer = queue.consumer()
    for (let next = consumer.tryReceive(); next !== undefined; next = consumer.tryReceive()) {
      const view = new DataView(next.item.buffer, next.item.byteOffset)
      rest.push({ consumer: heir, producer: view.getInt32(0, true), n: view.getInt32(4, true) })
    }
    expect(consumer.lost).toBe(0)
  }
  const all = [...storm.received(), ...rest]
  const received = once(all)
  const next = new Map<number, number>()
  for (const { producer, n } of received) {
    if (n !== (next.get(producer) ?? 0))
      throw new Error(`item ${n} of producer ${producer} came where ${next.get(producer)} was next`)
    next.set(producer, n + 1)
  }
  for (const [producer, said] of storm.sent().entries()) {
    // Perhaps one more than it could say.
    expect([said, said + 1]).toContain(next.get(producer) ?? 0)
  }
  return { items: received.length, again: all.length - received.length }
}

describe.runIf(canMap)('a queue between processes that are killed', () => {
  it(`loses nothing that was sent, and gives nothing twice but what was not acknowledged (HEDDLE_KILLS=${kills})`, async () => {
    let items = 0
    let again = 0
    for (let round = 0; storm.kills < kills; round++) {
      const place = join(folder, String(round))
      storm.goTo(place, options)
      const end = Math.min(kills, storm.kills + killsOfOne)
      await storm.begin('producer')
      for (let strikes = 0; storm.kills < end; strikes++) {
        // Mostly when all are at work, and sometimes while they come.
        if (strikes % 4 !== 0) await storm.moves()
        await setTimeout(randomInt(8))
        await strike()
      }
      await storm.moves()
      await storm.kill(() => true)
      const settled = settle(join(place, 'queue'))
      items += settled.items
      again += settled.again
      rmSync(place, { recursive: true })
    }
    expect(items).toBeGreaterThan(kills)
    if (kills < 100) return
    const states = [...storm.hits].sort(([a], [b]) => (a < b ? -1 : 1))
    console.info(
      `${storm.kills} kills, ${items} items, ${again} came again, at most ${Math.round(storm.slowestMs)} ms until it went on`,
    )
    console.table(Object.fromEntries([...storm.strikes].map(([whom, count]) => [`at once: ${whom}`, count])))
    console.table(Object.fromEntries(states))
  }, 7_200_000)
})
