import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { AsyncMemory, lineWords, RecordRing, type RecordRingOptions } from '../../core/index.ts'
import { MappedMemory } from '../../core/node-index.ts'
import { canMap, newFiles, until } from './peers.ts'

describe.runIf(canMap)('a record ring between processes', () => {
  const newFile = newFiles()
  const children: ChildProcess[] = []
  afterAll(() => {
    for (const child of children) child.kill('SIGKILL')
  })

  // `HEDDLE_SLOW=1`: 200 kills.
  const slow = process.env.HEDDLE_SLOW === '1'
  const kills = slow ? 200 : 3
  const timeout = slow ? 900_000 : undefined

  /** A ring on a new file, and a line for each process to say in how far it is. */
  function created(options: RecordRingOptions) {
    const path = newFile()
    const words = RecordRing.words(options)
    const memory = MappedMemory.create(path, { words: words + 512 * lineWords })
    return { path, memory, ring: RecordRing.create(memory, options), progress: (id: number) => words + id * lineWords }
  }

  /** A process that pushes or reads until it is killed. Resolves when it has its end. */
  async function started(path: string, role: 'push' | 'read', number: number, progress: number) {
    const script = fileURLToPath(new URL('record-ring-peer.mjs', import.meta.url))
    const child = fork(script, [path, role, String(number), String(progress)])
    children.push(child)
    const failures: string[] = []
    let said: unknown
    const ready = new Promise<void>((resolve, reject) => {
      child.on('message', (message: { readonly error?: string } | string) => {
        if (message === 'ready') resolve()
        else if (typeof message === 'object') failures.push(message.error ?? '')
        else said = message
        if (typeof message === 'object') reject(new Error(message.error))
      })
    })
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    await ready
    return {
      gone,
      failures,
      said: () => said,
      kill: () => {
        child.kill('SIGKILL')
        return gone
      },
    }
  }

  /** What it was just pushing is there or not; of four that may not have fitted together, the first ones. */
  function expectBetween(came: number, said: number): void {
    expect(came).toBeGreaterThanOrEqual(said)
    expect(came).toBeLessThanOrEqual(said + (said % 3 === 2 ? 4 : 1))
  }

  it(
    'loses nothing while those who push are killed at any moment',
    async () => {
      const { path, memory, ring, progress } = created({ bytes: 2048, sinks: 4 })
      const waiting = new AsyncMemory(memory)
      const source = RecordRing.attach(waiting).source({ spins: 0 })
      const gate = ring.sink()
      const came = new Map<number, number>()
      const reads = (async () => {
        for await (const record of waiting.items(source)) {
          const view = new DataView(record.buffer, record.byteOffset)
          const [sink, n] = [view.getUint32(0, true), view.getUint32(4, true)]
          expect(n).toBe(came.get(sink) ?? 0)
          expect(record.subarray(8).every((byte) => byte === (n & 0xff))).toBe(true)
          came.set(sink, n + 1)
        }
      })()
      let ids = 0
      const begin = () => started(path, 'push', ids, progress(ids++))
      const peers = [await begin(), await begin()]
      for (let kill = 0; kill < kills; kill++) {
        const doomed = ids - 2
        await until(() => memory.load(progress(doomed)) > 50)
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 10))
        await peers.shift()?.kill()
        peers.push(await begin())
      }
      await Promise.all(peers.map((peer) => peer.kill()))
      gate.close()
      await reads
      expect(['closed', 'abandoned']).toContain(source.end())
      for (let id = 0; id < ids; id++) {
        expectBetween(came.get(id) ?? 0, memory.load(progress(id)))
      }
      memory.close()
    },
    timeout,
  )

  it(
    'goes on where one stopped while those who read are killed at any moment',
    async () => {
      const { path, memory, progress } = created({ bytes: 1024, sinks: 1 })
      const pusher = await started(path, 'push', 0, progress(0))
      const reader = () => started(path, 'read', 0, progress(1))
      let last = await reader()
      for (let kill = 0; kill < kills; kill++) {
        const before = memory.load(progress(1))
        await until(() => memory.load(progress(1)) > before + 50)
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 10))
        await last.kill()
        expect(last.failures).toEqual([])
        last = await reader()
      }
      await pusher.kill()
      await last.gone
      expect([last.failures, last.said()]).toEqual([[], 'abandoned'])
      expectBetween(memory.load(progress(1)), memory.load(progress(0)))
      memory.close()
    },
    timeout,
  )
})
