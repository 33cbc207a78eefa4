import { afterAll, describe, expect, it } from 'vitest'
import { lineWords, Mutex, Ring, Roster, SharedMemory } from '../../core/index.ts'
import { endPeers, type Peer, startWorker } from './peers.ts'

describe('a roster', () => {
  const rosterOf = (seats: number) => Roster.create(new SharedMemory(Roster.words({ seats })), { seats })

  it('gives a number to whoever enters, and none that was given before', () => {
    const roster = rosterOf(2)
    expect([roster.enter(), roster.enter()]).toEqual([0, 1])
    expect(() => roster.enter()).toThrow('all 2 seats are taken')
    roster.strike(0)
    roster.strike(0)
    expect([roster.alive(0), roster.alive(1)]).toEqual([false, true])
    expect(roster.enter()).toBe(2)
    expect([roster.alive(0), roster.alive(2)]).toEqual([false, true])
  })

  it.each([-1, 0.5, 1, 2, 2 ** 29, Number.NaN])('refuses %s, which nobody has had', (number) => {
    const roster = rosterOf(2)
    roster.enter()
    expect(() => roster.alive(number)).toThrow(/expected/)
    expect(() => roster.strike(number)).toThrow(/expected/)
    expect(() => roster.livenessOf(number)).toThrow(/expected/)
    expect(roster.alive(0)).toBe(true)
  })

  it('lets nobody take part that was struck off', () => {
    const roster = rosterOf(1)
    roster.strike(roster.enter())
    expect(() => roster.livenessOf(0)).toThrow('participant 0 was struck off')
  })

  it.each([0, 1025, 1.5])('refuses %s seats', (seats) => {
    expect(() => Roster.words({ seats })).toThrow('Roster: seats')
  })

  it('is found by whoever attaches, and nothing else is', () => {
    const memory = new SharedMemory(Roster.words({ seats: 3 }) + Mutex.words())
    expect(() => Roster.attach(memory)).toThrow('found nothing')
    Roster.create(memory, { seats: 3 }).enter()
    Mutex.create(memory, {}, Roster.words({ seats: 3 }))
    const found = Roster.attach(memory)
    expect([found.seats, found.enter()]).toEqual([3, 1])
    expect(() => Roster.attach(memory, Roster.words({ seats: 3 }))).toThrow('expected a structure of kind ROST')
  })

  it('has room for seats that fill more than a line', () => {
    const roster = rosterOf(2 * lineWords + 1)
    const numbers = Array.from({ length: 2 * lineWords + 1 }, () => roster.enter())
    expect(numbers).toEqual(numbers.map((_, seat) => seat))
    expect(() => roster.enter()).toThrow('seats are taken')
  })
})

/** Worker threads that are terminated wherever they are. */
describe('threads that end', () => {
  afterAll(endPeers)
  const shape = { capacity: 2, itemBytes: 4, readers: 2 }
  const ringAt = Roster.words() + Mutex.words()

  /** A memory with a roster, a mutex and a ring, and a thread on it, which the roster knows. */
  async function together(): Promise<{ memory: SharedMemory; worker: Peer; end(): Promise<void> }> {
    const memory = new SharedMemory(ringAt + Ring.words(shape))
    const roster = Roster.create(memory)
    Mutex.create(memory, {}, Roster.words())
    Ring.create(memory, shape, ringAt)
    memory.liveness = roster.livenessOf(roster.enter())
    const participant = roster.enter()
    const worker = await startWorker(new URL('roster-peer.mjs', import.meta.url))
    await worker.ask('attach', memory.buffer, participant)
    const end = async () => {
      await worker.kill()
      roster.strike(participant)
    }
    return { memory, worker, end }
  }

  it('leave a lock to the next one, which is told', async () => {
    const { memory, worker, end } = await together()
    const mutex = Mutex.attach(memory, Roster.words(), { spins: 0 })
    expect(await worker.ask('lock')).toBe('acquired')
    expect(mutex.lock(10)).toBe('timed-out')
    await end()
    expect(mutex.lock(10_000)).toBe('abandoned')
    mutex.unlock()
    expect(mutex.tryLock()).toBe('acquired')
  })

  it('hold no writer up, and nobody who reads what they wrote', async () => {
    const { memory, worker, end } = await together()
    const ring = Ring.attach(memory, ringAt)
    // It writes until it sleeps, for want of the other reader.
    const source = ring.source({ reader: 0, spins: 0 })
    void worker.ask('push').catch(() => {})
    const item = new Uint8Array(4)
    expect(source.pop(item, 10_000)).toBe(true)
    expect(source.pop(item, 10_000)).toBe(true)
    expect([source.pop(item, 10), source.end()]).toEqual([false, undefined])
    await end()
    expect([source.pop(item, 10_000), source.end()]).toEqual([false, 'abandoned'])
    // The other reader dies, too.
    const other = await together()
    const sink = Ring.attach(other.memory, ringAt).sink({ spins: 0 })
    Ring.attach(other.memory, ringAt).source({ reader: 0 }).close()
    expect(await other.worker.ask('read')).toBe(1)
    expect([1, 2, 3].map(() => sink.push(item, 10))).toEqual([true, true, false])
    await other.end()
    expect(sink.push(item, 10_000)).toBe(true)
  })
})
