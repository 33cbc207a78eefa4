import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MappedMemory } from '../../core/node-index.ts'
import { participantsMax } from '../../core/node-participants.ts'
import { canMap, endPeers, newFiles, type Peer, startProcess, startWorker, until } from './peers.ts'

describe.runIf(canMap)('processes on one file', () => {
  const newFile = newFiles()
  let one: Peer
  let two: Peer
  let worker: Peer
  beforeAll(async () => {
    ;[one, two, worker] = await Promise.all([startProcess(), startProcess(), startWorker()])
  })
  afterAll(endPeers)

  /** A memory that this process has open, and the participants that these peers are in it. */
  async function opened(peers: readonly Peer[], words = 4): Promise<[MappedMemory, string, ...number[]]> {
    const path = newFile()
    const memory = MappedMemory.create(path, { words })
    const participants = await Promise.all(peers.map((peer) => peer.ask('open', path)))
    return [memory, path, ...(participants as number[])]
  }

  describe('adding to the same words', () => {
    // Another release of Node takes part where this names its executable.
    const otherNode = process.env.HEDDLE_OTHER_NODE

    it.each([2, 4])('%i of them lose nothing', async (count) => {
      const others = await Promise.all(
        Array.from({ length: count - 2 }, (_, i) => startProcess([i === 0 && otherNode ? otherNode : process.execPath])),
      )
      const adders = [one, two, ...others]
      const [memory] = await opened(adders)
      const times = 250_000
      await Promise.all(adders.flatMap((peer) => [peer.ask('add', 0, times), peer.ask('add', 3, times)]))
      expect([0, 1, 2, 3].map((word) => memory.load(word))).toEqual([count * times, 0, 0, count * times])
      memory.close()
    })
  })

  describe('creating the same file at once', () => {
    const rounds = 40

    it('one succeeds, and the other is told that the file exists', async () => {
      const [memory, path] = await opened([one, two])
      const results = await Promise.all([one, two].map((peer) => peer.ask('race', 2, rounds, 'create', path)))
      const pairs = Array.from({ length: rounds }, (_, round) => results.map((list) => (list as unknown[])[round]).sort())
      expect(pairs).toEqual(Array(rounds).fill([0, 'exists']))
      memory.close()
    })

    it('or opening it: one creates it, and both have the same', async () => {
      const [memory, path] = await opened([one, two])
      const results = await Promise.all([one, two].map((peer) => peer.ask('race', 2, rounds, 'openOrCreate', path)))
      const pairs = Array.from({ length: rounds }, (_, round) => results.map((list) => (list as unknown[])[round]).sort())
      expect(pairs).toEqual(Array(rounds).fill([0, 1]))
      memory.close()
    })
  })

  describe('waiting', () => {
    // A sleeper that looks up at that moment is woken uncounted: what has to be counted is tried until it is.
    it('is ended by a notify in another process, which counts whom it woke', async () => {
      const [memory] = await opened([one])
      for (let counted = 0; counted === 0; ) {
        const wait = one.ask('call', 'wait', 1, 0)
        await until(() => sleepers(memory) === 1)
        counted = memory.notify(1)
        expect(await wait).toBe('ok')
        expect([0, 1]).toContain(counted)
      }
      expect(memory.notify(1)).toBe(0)
      memory.close()
    })

    it('by several is ended for as many as the notify asks for', async () => {
      const [memory] = await opened([one, two])
      await worker.ask('from', memory.share())
      for (let counted = 0; counted < 3; ) {
        const waits = [one, two, worker].map((peer) => peer.ask('call', 'wait', 1, 0))
        await until(() => sleepers(memory) === 3)
        expect(memory.notify(1, 0)).toBe(0)
        const answers = [memory.notify(1, 1), memory.notify(1)]
        counted = answers[0] + answers[1]
        expect(answers[0]).toBeLessThanOrEqual(1)
        expect(await Promise.all(waits)).toEqual(['ok', 'ok', 'ok'])
      }
      memory.close()
    })

    it('is ended by a notify that comes while the sleeper looks up', async () => {
      const [memory] = await opened([one])
      const wait = one.ask('call', 'wait', 1, 0)
      await until(() => sleepers(memory) === 1)
      // As far as the sleeper can tell: the bell was rung, and the kernel found nobody to wake.
      for (const bell of bells(memory)) Atomics.add(bell, 0, 1)
      expect(await wait).toBe('ok')
      memory.close()
    })

    it('lasts no longer than its timeout, and not at all for another value', async () => {
      const [memory] = await opened([one])
      for (const timeout of [0, 1, 49, 51, 120]) expect(await one.ask('call', 'wait', 1, 0, timeout)).toBe('timed-out')
      expect(await one.ask('call', 'wait', 1, 1, 1000)).toBe('not-equal')
      memory.close()
    })

    it('is ended by a change of the word alone, when the sleeper looks up', async () => {
      const [memory] = await opened([one])
      const wait = one.ask('call', 'wait', 1, 0)
      await until(() => sleepers(memory) === 1)
      memory.store(1, 1)
      // Not equal, had it not come as far as the kernel.
      expect(['ok', 'not-equal']).toContain(await wait)
      memory.close()
    })

    it('goes on for others when a sleeper is killed', async () => {
      const doomed = await startProcess()
      const [memory] = await opened([one, doomed])
      const waits = [doomed.ask('call', 'wait', 1, 0), one.ask('call', 'wait', 1, 0)]
      await until(() => sleepers(memory) === 2)
      await doomed.kill()
      await expect(waits[0]).rejects.toThrow('SIGKILL')
      memory.notify(1)
      expect(await waits[1]).toBe('ok')
      // The dead sleeper stays counted, and is not woken.
      expect([sleepers(memory), memory.notify(1)]).toEqual([1, 0])
      memory.close()
    })

    it('for somebody who dies is ended by the death', async () => {
      const doomed = await startProcess()
      const [memory, , participant] = await opened([doomed])
      await worker.ask('from', memory.share())
      const wait = worker.ask('call', 'wait', 1, 0, undefined, participant)
      await until(() => sleepers(memory) === 1)
      await doomed.kill()
      expect(await wait).toBe('ok')
      expect(memory.liveness.alive(participant)).toBe(false)
      expect(memory.wait(1, 0, undefined, participant)).toBe('ok')
      memory.close()
    })

    it('for ever does not keep a worker from being terminated', async () => {
      const [memory] = await opened([])
      const doomed = await startWorker()
      const participant = (await doomed.ask('from', memory.share())) as number
      void doomed.ask('call', 'wait', 1, 0)
      await until(() => sleepers(memory) === 1)
      await doomed.kill()
      expect(memory.liveness.alive(participant)).toBe(false)
      memory.close()
    })
  })

  describe('liveness', () => {
    it('tells who has the file open, wherever it is', async () => {
      const [memory, , first, second] = await opened([one, two])
      const third = (await worker.ask('from', memory.share())) as number
      const all = [memory.liveness.self, first, second, third]
      expect(new Set(all).size).toBe(4)
      for (const participant of all) {
        expect(memory.liveness.alive(participant)).toBe(true)
        for (const peer of [one, two, worker]) expect(await peer.ask('alive', participant)).toBe(true)
      }
      const seen = memory.participants()
      expect(seen.map(({ participant }) => participant).sort()).toEqual([...all].sort())
      expect(seen.filter(({ process: number }) => number === process.pid)).toHaveLength(2)
      for (const { since } of seen) {
        expect(since.getTime()).toBeGreaterThan(Date.now() - 600_000)
        expect(since.getTime()).toBeLessThanOrEqual(Date.now())
      }
      memory.close()
    })

    it('ends with a process that is killed, and what it stored is there', async () => {
      const doomed = await startProcess()
      const [memory, , participant] = await opened([doomed, one])
      void doomed.ask('count', 0)
      await until(() => memory.load(0) > 1000)
      expect(memory.liveness.alive(participant)).toBe(true)
      await doomed.kill()
      expect(memory.liveness.alive(participant)).toBe(false)
      expect(await one.ask('alive', participant)).toBe(false)
      const last = memory.load(0)
      expect(last).toBeGreaterThan(1000)
      expect(memory.participants()).toHaveLength(2)
      expect(memory.load(0)).toBe(last)
      memory.close()
    })

    it.each(['terminated', 'asked to exit'])('ends with a worker that is %s', async (how) => {
      const [memory] = await opened([])
      const doomed = await startWorker()
      const participant = (await doomed.ask('from', memory.share())) as number
      expect(memory.liveness.alive(participant)).toBe(true)
      if (how === 'terminated') void doomed.ask('count', 0)
      else await expect(doomed.ask('exit')).rejects.toThrow('the worker ended')
      await doomed.kill()
      expect(memory.liveness.alive(participant)).toBe(false)
      memory.close()
    })

    it('is not ended by closing the same file elsewhere in the process', async () => {
      const [memory, path] = await opened([one])
      MappedMemory.open(path).close()
      readFileSync(path)
      expect(await one.ask('alive', memory.liveness.self)).toBe(true)
      memory.close()
      const other = MappedMemory.open(path)
      expect(other.liveness.alive(memory.liveness.self)).toBe(false)
      other.close()
    })

    it('stays ended for a participant whose seat somebody else takes', async () => {
      const path = newFile()
      const memory = MappedMemory.create(path, { words: 1, seats: 2 })
      const seen: number[] = []
      for (let round = 0; round < 20; round++) {
        const other = MappedMemory.open(path)
        seen.push(other.liveness.self)
        expect(seen.map((participant) => memory.liveness.alive(participant))).toEqual(seen.map((_, i) => i === round))
        other.close()
      }
      expect(new Set(seen).size).toBe(20)
      expect(seen.map((participant) => memory.liveness.alive(participant))).toEqual(Array(20).fill(false))
      const doomed = await startProcess()
      const dead = (await doomed.ask('open', path)) as number
      await doomed.kill()
      // Whether anybody looked in between or not.
      const next = (await one.ask('open', path)) as number
      expect([dead, next].map((participant) => memory.liveness.alive(participant))).toEqual([false, true])
      memory.close()
    })

    it('is refused for numbers that nobody has had', () => {
      const memory = MappedMemory.create(newFile(), { words: 1 })
      const { self, alive } = memory.liveness
      for (const wrong of [-1, 0, 1, 1.5, Number.NaN, Infinity, self + 1, self + 256, self + 512, 2 ** 31]) {
        expect(() => alive(wrong), String(wrong)).toThrow(RangeError)
      }
      memory.close()
    })

    it('leaves a free or a dead seat to exactly one, when all others are taken', async () => {
      const doomed = await startProcess()
      const path = newFile()
      const rounds = 30
      const full = MappedMemory.create(path, { words: 1, seats: 2 })
      const dead = (await doomed.ask('open', path)) as number
      expect(() => MappedMemory.open(path)).toThrow(
        `MappedMemory: ${path}: all its 2 seats are taken; close a memory elsewhere, or create the file with more seats`,
      )
      await doomed.kill()
      const [start] = await opened([one, two])
      // The seat of the dead one in the first round; in the others, that of the one who had it and left.
      const results = await Promise.all([one, two].map((peer) => peer.ask('race', 2, rounds, 'seat', path)))
      const winners = Array.from({ length: rounds }, (_, round) => results.map((list) => (list as unknown[])[round]))
      expect(winners.map((pair) => pair.filter((result) => result === 'no-seat').length)).toEqual(Array(rounds).fill(1))
      expect(winners.map((pair) => pair.find((result) => result !== 'no-seat'))).toEqual(
        Array.from({ length: rounds }, (_, i) => i),
      )
      expect(full.liveness.alive(dead)).toBe(false)
      expect(full.participants()).toHaveLength(1)
      full.close()
      start.close()
    })

    it('never gives a number twice: a seat is empty for ever when its numbers are used up', () => {
      const path = newFile()
      const seats = 2
      const memory = MappedMemory.create(path, { words: 1, seats })
      const states = new Int32Array(memory.share().control, 16384)
      const last = participantsMax / seats - 1
      Atomics.store(states, 8, 2 * (last - 1))
      const other = MappedMemory.open(path)
      expect(other.liveness.self).toBe(participantsMax - 1)
      expect(memory.liveness.alive(participantsMax - 1)).toBe(true)
      other.close()
      expect(memory.liveness.alive(participantsMax - 1)).toBe(false)
      expect(() => MappedMemory.open(path)).toThrow('1 of its 2 seats are worn out and the others taken; create a new file')
      memory.close()
      const after = MappedMemory.open(path)
      expect(after.liveness.self).toBe(2 * seats)
      after.close()
    })
  })
})

/** In the control part: how often each bell was rung, and how many sleep there. */
function bells(memory: MappedMemory): readonly Int32Array[] {
  return Array.from({ length: 64 }, (_, bell) => new Int32Array(memory.share().control, 256 + 128 * bell, 2))
}

/** How many sleep, on all words together. */
function sleepers(memory: MappedMemory): number {
  return bells(memory).reduce((sum, bell) => sum + Atomics.load(bell, 1), 0)
}
