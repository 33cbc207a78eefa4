import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  Barrier,
  Event,
  LossyRing,
  lineWords,
  type Memory,
  Mutex,
  Once,
  ReadWriteLock,
  RecordRing,
  Ring,
  Semaphore,
  SharedMemory,
  WorkRing,
} from '../../core/index.ts'
import { MappedMemory } from '../../core/node-index.ts'
import { seed } from '../seed.ts'
import type { Mistake } from './mistaken.ts'
import { canMap, endPeers, newFiles, type Peer, startProcess, startWorker, until } from './peers.ts'
import { together } from './twins.ts'

/**
 * What the tests between processes do where one is killed, done by a process that makes a mistake: it must be noticed, or these tests
 * would notice nothing. Where there is none, and everything else is the same, nothing is noticed.
 *
 * One process stops somewhere in each of the files, and is killed there: so it is dead in all of them at once.
 */

interface File {
  readonly path: string
  readonly memory: MappedMemory
  /** Words of its own for whoever tells how far it is. */
  readonly progress: number
}

interface Scenario {
  readonly words: number
  create(memory: Memory): unknown
  /** What a process attaches itself to. */
  readonly attach: readonly [task: string, ...args: unknown[]]
  /** What one does that is killed then, and where it stops; default: at the end. */
  readonly dies?: { readonly task: string; readonly args: readonly unknown[]; readonly at?: string }
  /** What the others do, of whom the first makes the mistake. */
  live(one: Peer, two: Peer, file: File): readonly Promise<unknown>[]
  /** What the second one does otherwise than all others. */
  readonly second?: string
  /** What comes of it. */
  readonly right: readonly unknown[]
}

const afterSix = { at: 'it stops before its 7th copy' }
const ringOptions = { capacity: 8, itemBytes: 61 }
const ring = {
  words: Ring.words(ringOptions),
  create: (memory: Memory) => Ring.create(memory, ringOptions),
  attach: ['attachRing'],
} as const
const workOptions = { capacity: 8, itemBytes: 61 }
const workRing = {
  words: WorkRing.words(workOptions),
  // This process takes the first seat, for another one to take over: so nobody takes that of the one that is killed.
  create: (memory: Memory) => WorkRing.create(memory, workOptions).tryPop(new Uint8Array(workOptions.itemBytes)),
  attach: ['join', 'WorkRing'],
} as const
const recordOptions = { bytes: 2048, sinks: 4 }
const recordRing = {
  words: RecordRing.words(recordOptions),
  // As above, two.
  create: (memory: Memory) => {
    const made = RecordRing.create(memory, recordOptions)
    return [made.sink(), made.sink()]
  },
  attach: ['attachRecordRing'],
} as const
const lossyOptions = { capacity: 8, itemBytes: 61, block: 2 }
const mutex = {
  words: Mutex.words() + 2 * lineWords,
  create: (memory: Memory) => Mutex.create(memory),
  attach: ['join', 'Mutex'],
} as const

/** Pushes so many, and closes the ring. */
async function pushedAll(pusher: Peer, { memory, progress }: File, items: number): Promise<unknown> {
  const pushed = await pusher.ask('pushNumbers', 1, items, progress)
  WorkRing.attach(memory).close()
  return pushed
}

/** Pushes so many, and pops all; the stream does not end before. */
function recordsThrough(records: number): Scenario['live'] {
  return (one, two, { memory }) => {
    const gate = RecordRing.attach(memory).sink()
    return [one.ask('popRecords'), two.ask('pushRecords', 1, records).finally(() => gate.close())]
  }
}

const scenarios: Readonly<Record<string, Scenario>> = {
  'a ring whose reader dies': {
    ...ring,
    dies: { task: 'takeSource', args: [0] },
    live: (one) => [one.ask('write', 100)],
    right: [0],
  },
  'a ring whose writer dies': {
    ...ring,
    dies: { task: 'write', args: [2 ** 30], ...afterSix },
    live: (one, two, { progress }) => [one.ask('write', 300), two.ask('read', 0, progress)],
    right: [6, { from: 0, to: 300 }],
  },
  'a ring where all live': {
    ...ring,
    second: 'it takes long for its 7th read',
    live: (one, two, { progress }) => [one.ask('write', 1000), two.ask('read', 0, progress)],
    right: [0, { from: 0, to: 1000 }],
  },
  'a work ring where one that pushes dies': {
    ...workRing,
    dies: { task: 'pushNumbers', args: [0, 2 ** 30, workRing.words], ...afterSix },
    // So few that it does not come to the place of the dead one itself.
    live: (one, two, file) => [one.ask('popNumbers', file.progress + 1), pushedAll(two, file, 1)],
    right: [{ 0: { items: 6, last: 5 }, 1: { items: 1, last: 0 } }, 1],
  },
  'a work ring where all live': {
    ...workRing,
    second: 'it takes its time for each copy',
    live: (one, two, file) => [one.ask('popNumbers', file.progress + 1), pushedAll(two, file, 20)],
    right: [{ 1: { items: 20, last: 19 } }, 20],
  },
  'a record ring where one that pushes dies': {
    ...recordRing,
    dies: { task: 'pushRecords', args: [0, 2 ** 30], ...afterSix },
    live: recordsThrough(100),
    right: [{ 0: 6, 1: 100 }, 100],
  },
  'a record ring where all live': {
    ...recordRing,
    second: 'it takes its time for each copy',
    live: recordsThrough(20),
    right: [{ 1: 20 }, 20],
  },
  'a lossy ring whose writer dies': {
    words: LossyRing.words(lossyOptions),
    create: (memory) => LossyRing.create(memory, lossyOptions),
    attach: ['attachLossyRing'],
    dies: { task: 'write', args: [2 ** 30], ...afterSix },
    live: (one, two, { progress }) => [
      one.ask('write', 100),
      two
        .ask('readLossy', 0, progress)
        .then((read) => read as { received: number; lost: number; position: number })
        .then(({ received, lost, position }) => [received + lost, position]),
    ],
    right: [6, [100, 100]],
  },
  'a mutex whose holder dies': {
    ...mutex,
    dies: { task: 'change', args: [2 ** 30], at: 'it stops before the second word' },
    live: (one, two) => [
      one
        .ask('change', 20)
        .then((repaired) => [repaired, two])
        .then(([repaired]) => repaired),
    ],
    right: [1],
  },
  'a mutex whose holders live': {
    ...mutex,
    second: 'it takes its time before the second word',
    live: (one, two, { memory }) => [
      until(() => memory.load(2 * lineWords) > 1).then(() => one.ask('change', 20)),
      two.ask('change', 100),
    ],
    right: [0, 0],
  },
}

const vain = /goes on in vain/
/** What was not yet published is passed over, and whoever publishes it later may wait for ever. */
const vainOrPassed = /goes on in vain|^\[\{("1":1?\d)?\},/
const lost = /"items":1?\d,|goes on in vain|is torn|came after/
const dead = { name: 'the dead are taken for living' }
const living = { name: 'the living are taken for dead' }

const mistakes: readonly (readonly [scenario: string, mistake: Mistake, shows: RegExp])[] = [
  ['a ring whose reader dies', dead, vain],
  ['a ring whose writer dies', dead, vain],
  [
    'a ring whose writer dies',
    { structure: 'ring', name: 'the sink begins one item too far', thread: 'writer' },
    /item 6 holds the bytes/,
  ],
  ['a ring where all live', living, /holds the bytes/],
  ['a work ring where one that pushes dies', dead, vain],
  ['a work ring where all live', living, lost],
  ['a record ring where one that pushes dies', dead, vain],
  ['a record ring where all live', living, vainOrPassed],
  ['a lossy ring whose writer dies', dead, vain],
  [
    'a lossy ring whose writer dies',
    { structure: 'lossy-ring', name: 'who takes the place of a dead writer begins one item too late', thread: 'successor' },
    /^\[7,/,
  ],
  ['a mutex whose holder dies', dead, vain],
  ['a mutex whose holder dies', { name: 'a lock of the dead is set free, and then taken' }, /and the lock was acquired/],
  ['a mutex whose holders live', living, /lock was acquired|^\[[1-9]/],
]

describe.runIf(canMap)('between processes', () => {
  const newFile = newFiles()
  const runs = [
    ...Object.keys(scenarios).map((scenario) => ({ scenario, mistake: undefined, shows: undefined })),
    ...mistakes.map(([scenario, mistake, shows]) => ({ scenario, mistake, shows })),
  ].map((run) => ({ ...run, title: run.mistake?.name ?? 'no mistake', path: '' }))
  let one: Peer
  let two: Peer

  /** A new file with what the scenario is about. */
  function created({ words, create }: Scenario): { readonly path: string; readonly memory: MappedMemory } {
    const path = newFile()
    const memory = MappedMemory.create(path, { words: words + 2 * lineWords })
    create(memory)
    return { path, memory }
  }

  async function joined(peer: Peer, path: string, { attach }: Scenario, mistake?: Mistake): Promise<void> {
    await peer.ask('open', path)
    await peer.ask('err', mistake)
    await peer.ask(...attach)
  }

  beforeAll(async () => {
    const [doomed, ...others] = await Promise.all([startProcess(), startProcess(), startProcess()])
    ;[one, two] = others
    for (const run of runs) {
      const scenario = scenarios[run.scenario] as Scenario
      const { dies } = scenario
      const { path, memory } = created(scenario)
      run.path = path
      if (dies !== undefined) {
        await joined(doomed, run.path, scenario, dies.at === undefined ? undefined : { name: dies.at })
        const done = await doomed.ask(dies.task, ...dies.args).catch((error: Error) => error.message)
        if (dies.at !== undefined) expect(done).toBe('Error: it stops here')
        await doomed.ask('keep')
      }
      memory.close()
    }
    await doomed.kill()
  })
  afterAll(endPeers)

  /** What comes of a scenario on such a file. */
  async function played(scenario: Scenario, path: string, patienceMs: number, mistake?: Mistake): Promise<unknown[]> {
    const memory = MappedMemory.open(path)
    await joined(one, path, scenario, mistake)
    await joined(two, path, scenario, scenario.second === undefined ? undefined : { name: scenario.second })
    const came = await together(memory, scenario.live(one, two, { path, memory, progress: scenario.words }), patienceMs)
    memory.close()
    return came
  }

  it.each(runs)('$scenario: $title', async ({ scenario: name, mistake, shows, path }) => {
    const scenario = scenarios[name] as Scenario
    const patienceMs = shows === vain || shows === vainOrPassed ? 500 : 30_000
    let came = await played(scenario, path, patienceMs, mistake)
    if (shows === undefined) {
      expect(came).toEqual(scenario.right)
      return
    }
    // Where nobody has died, it takes a schedule that shows it: the others must come while one is at it.
    for (let round = 1; scenario.dies === undefined && round < 20 && !shows.test(JSON.stringify(came)); round++) {
      const { path, memory } = created(scenario)
      memory.close()
      came = await played(scenario, path, patienceMs, mistake)
    }
    expect(came).not.toEqual(scenario.right)
    expect(JSON.stringify(came)).toMatch(shows)
  })
})

/** What threads do with a part (`part-peer.mjs`), so often. */
interface Part {
  readonly task: string
  readonly words: number
  create(memory: Memory): unknown
  readonly times: number
  /** Default: 3. */
  readonly threads?: number
}

const readers = { readers: 3 }
const onces = 20
const parts: Readonly<Record<string, Part>> = {
  mutex: { task: 'lock', words: Mutex.words(), create: (memory) => Mutex.create(memory), times: 200 },
  'read-write-lock': {
    task: 'readAndWrite',
    words: ReadWriteLock.words(readers),
    create: (memory) => ReadWriteLock.create(memory, readers),
    times: 200,
  },
  semaphore: {
    task: 'acquire',
    words: Semaphore.words(),
    create: (memory) => Semaphore.create(memory, { permits: 3, permitsMax: 3 }),
    times: 200,
  },
  barrier: { task: 'meet', words: Barrier.words(), create: (memory) => Barrier.create(memory, { parties: 3 }), times: 50 },
  event: {
    task: 'signal',
    words: 2 * Event.words(),
    create: (memory) => [Event.create(memory), Event.create(memory, {}, Event.words())],
    times: 50,
    threads: 2,
  },
  once: {
    task: 'runOnce',
    words: onces * Once.words(),
    create: (memory) => Array.from({ length: onces }, (_, i) => Once.create(memory, {}, i * Once.words())),
    times: onces,
  },
}

const partMistakes: readonly (readonly [structure: string, name: string, shows: RegExp, thread: string])[] = [
  ['mutex', 'the lock is taken although it is held', /another thread is at it/, 'any'],
  ['mutex', 'an unlock changes nothing', vain, 'any'],
  ['read-write-lock', 'a writer sees the seat free', /a writer is at it|nobody died/, 'writer0'],
  ['semaphore', 'a thread that changes the permits does not notify', vain, 'giver'],
  ['barrier', 'an arrival is not counted', vain, 'any'],
  ['event', 'a change is not made', vain, 'any'],
  ['once', 'the end is not told', vain, 'any'],
]

describe('between threads', () => {
  let crew: readonly Peer[] = []
  beforeAll(async () => {
    const script = new URL('part-peer.mjs', import.meta.url)
    crew = await Promise.all([startWorker(script), startWorker(script), startWorker(script)])
  })
  afterAll(endPeers)

  /** What comes of it; those that work in vain are stopped. */
  function run(structure: string, seed: number, patienceMs: number, mistake?: Mistake): Promise<unknown[]> {
    const { task, words, create, times, threads = 3 } = parts[structure] as Part
    const memory = new SharedMemory(words + 3 * lineWords)
    create(memory)
    const answers = crew
      .slice(0, threads)
      .map((thread, self) =>
        thread.ask(task, memory.buffer, words, times, { spins: 0 }, self, { mistake, seed: seed + self, together: threads }),
      )
    return together(memory, answers, patienceMs)
  }

  it.each(Object.keys(parts))('%s: no mistake', async (structure) => {
    expect((await run(structure, seed, 30_000)).filter((came) => typeof came === 'string')).toEqual([])
  })

  it.each(partMistakes)('%s: %s', async (structure, name, shows, thread) => {
    let came = ''
    // It takes a schedule that shows it; most do.
    for (let round = 0; round < 20 && !shows.test(came); round++) {
      came = JSON.stringify(await run(structure, seed + 3 * round, shows === vain ? 700 : 30_000, { structure, name, thread }))
    }
    expect(came).toMatch(shows)
  })
})
