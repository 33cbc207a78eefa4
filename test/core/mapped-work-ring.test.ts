import { afterAll, describe, expect, it } from 'vitest'
import { lineWords, WorkRing, type WorkRingOptions } from '../../core/index.ts'
import { MappedMemory } from '../../core/node-index.ts'
import { canMap, endPeers, newFiles, type Peer, startProcess, until } from './peers.ts'

type Came = Readonly<Record<number, { readonly items: number; readonly last: number }>>

describe.runIf(canMap)('a work ring between processes', () => {
  const newFile = newFiles()
  afterAll(endPeers)

  const slow = process.env.HEDDLE_SLOW === '1'
  const kills = slow ? 100 : 3
  const forever = 2 ** 31
  const timeout = slow ? 900_000 : undefined

  /** A ring on a new file, and a line for each participant to say in how far it is. */
  function created(options: WorkRingOptions) {
    const path = newFile()
    const words = WorkRing.words(options)
    const memory = MappedMemory.create(path, { words: words + 512 * lineWords })
    return { path, memory, ring: WorkRing.create(memory, options), progress: (id: number) => words + id * lineWords }
  }

  async function joined(path: string): Promise<Peer> {
    const peer = await startProcess()
    await peer.ask('open', path)
    await peer.ask('join', 'WorkRing')
    return peer
  }

  it('takes everything from some to others, once', async () => {
    const { path, memory, ring, progress } = created({ capacity: 16, itemBytes: 45 })
    const items = 10_000
    const [first, second, third, fourth] = await Promise.all([joined(path), joined(path), joined(path), joined(path)])
    const pops = [first, second].map((peer, i) => peer.ask('popNumbers', progress(100 + i)))
    expect(
      await Promise.all([third.ask('pushNumbers', 0, items, progress(0)), fourth.ask('pushNumbers', 1, items, progress(1))]),
    ).toEqual([items, items])
    ring.close()
    const came = (await Promise.all(pops)) as Came[]
    for (const pusher of [0, 1]) {
      expect(came.reduce((sum, one) => sum + (one[pusher]?.items ?? 0), 0)).toBe(items)
      expect(Math.max(...came.map((one) => one[pusher]?.last ?? 0))).toBe(items - 1)
    }
    memory.close()
  })

  // `HEDDLE_SLOW=1`: 100 kills.
  it.each([{ batch: 1 }, { batch: 3 }])(
    'loses nothing while those who push are killed at any moment ($batch at a time)',
    async ({ batch }) => {
      const { path, memory, ring, progress } = created({ capacity: 4, itemBytes: 61 })
      const popper = await joined(path)
      const pops = popper.ask('popNumbers', progress(511))
      const peers: Peer[] = []
      let ids = 0
      const begin = async () => {
        const peer = await joined(path)
        void peer.ask('pushNumbers', ids, forever, progress(ids), batch)
        ids++
        peers.push(peer)
      }
      await Promise.all([begin(), begin()])
      for (let kill = 0; kill < kills; kill++) {
        const doomed = ids - 2
        await until(() => memory.load(progress(doomed)) > 50)
        await peers.shift()?.kill()
        await begin()
      }
      await Promise.all(peers.map((peer) => peer.kill()))
      ring.close()
      const came = (await pops) as Came
      for (let id = 0; id < ids; id++) {
        const said = memory.load(progress(id))
        const { items, last } = came[id] ?? { items: 0, last: -1 }
        // Nothing is missing between the first and the last; and the last is what it said, or one of a batch that it could not say.
        expect(last).toBe(items - 1)
        expect(items).toBeGreaterThanOrEqual(said)
        expect(items).toBeLessThanOrEqual(said + batch)
      }
      memory.close()
    },
    timeout,
  )

  it(
    'goes on, and gives nothing twice, while those who pop are killed at any moment',
    async () => {
      const { path, memory, ring, progress } = created({ capacity: 4, itemBytes: 61 })
      const pusher = await joined(path)
      const pushes = pusher.ask('pushNumbers', 0, forever, progress(0))
      const survivor = await joined(path)
      const pops = survivor.ask('popNumbers', progress(1))
      let said = 0
      let lost = 0
      for (let kill = 0; kill < kills; kill++) {
        const word = progress(2 + kill)
        const doomed = await joined(path)
        void doomed.ask('popNumbers', word)
        await until(() => memory.load(word) > 50)
        await doomed.kill()
        said += memory.load(word)
        // The one that it was popping, or had popped and could not say.
        lost++
      }
      ring.close()
      const pushed = (await pushes) as number
      const came = ((await pops) as Came)[0]
      const popped = said + (came?.items ?? 0)
      expect(popped).toBeLessThanOrEqual(pushed)
      expect(popped).toBeGreaterThanOrEqual(pushed - lost)
      memory.close()
    },
    timeout,
  )
})
