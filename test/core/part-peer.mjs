// A worker thread of parts-threads.test.ts: does what messages tell it with parts on a shared memory, and answers each.
// Entries must be JavaScript on Node 20; the TypeScript behind it is loaded through tsx.
import { parentPort } from 'node:worker_threads'
import { tsImport } from 'tsx/esm/api'

const core = await tsImport('../../core/index.ts', import.meta.url)
const { Barrier, Event, lineWords, Mutex, Once, ReadWriteLock, Semaphore, SharedMemory } = core

/** What a task breaks is an answer. */
function must(condition, message) {
  if (!condition) throw new Error(message)
}

/** Each is given a memory with the part at word 0, the first word after it, and how often to do it. */
const tasks = {
  /** Two words are equal whenever nobody holds the lock. */
  lock(memory, free, times, waiting) {
    const mutex = Mutex.attach(memory, 0, waiting)
    for (let i = 0; i < times; i++) {
      must(mutex.lock() === 'acquired', 'nobody died')
      const n = memory.read(free)
      must(memory.read(free + 1) === n, 'another thread is at it')
      memory.write(free, n + 1)
      memory.write(free + 1, n + 1)
      mutex.unlock()
    }
  },
  /** The same with time-outs: the times that it got the lock are counted. */
  lockInTime(memory, free, times, waiting) {
    const mutex = Mutex.attach(memory, 0, waiting)
    let got = 0
    for (let i = 0; i < times; i++) {
      if (mutex.lock(i % 3 === 0 ? 0 : 0.05) === 'timed-out') continue
      memory.write(free, memory.read(free) + 1)
      mutex.unlock()
      got++
    }
    return got
  },
  /** Writes once in four times. */
  readAndWrite(memory, free, times, waiting) {
    const lock = ReadWriteLock.attach(memory, 0, waiting)
    for (let i = 0; i < times; i++) {
      if (i % 4 === 0) {
        must(lock.writeLock() === 'acquired', 'nobody died')
        const n = memory.read(free)
        memory.write(free, n + 1)
        memory.write(free + 1, n + 1)
      } else {
        must(lock.readLock() === 'acquired', 'nobody died')
        must(memory.read(free) === memory.read(free + 1), 'a writer is at it')
      }
      lock.unlock()
    }
  },
  /** Takes one or two permits, as many as there can be inside. */
  acquire(memory, free, times, waiting) {
    const semaphore = Semaphore.attach(memory, 0, waiting)
    for (let i = 0; i < times; i++) {
      const count = 1 + (i % 2)
      semaphore.acquire(count)
      must(memory.add(free, count) + count <= semaphore.permitsMax, 'too many are inside')
      memory.sub(free, count)
      semaphore.release(count)
    }
  },
  /** All are in the same round, or one has just gone on. Says how often it was the last. */
  meet(memory, free, times, waiting, self) {
    const barrier = Barrier.attach(memory, 0, waiting)
    let lasts = 0
    for (let round = 1; round <= times; round++) {
      memory.write(free + self, round)
      if (barrier.wait() === 'last') lasts++
      for (let other = 0; other < barrier.parties; other++) must(memory.read(free + other) === round, 'not all have come')
      // Nobody goes on before all have looked.
      if (barrier.wait() === 'last') lasts++
    }
    return lasts
  },
  /** Two events, at word 0 and after it: one thread sets the first and waits for the second, the other one answers. */
  signal(memory, free, times, waiting, self) {
    const there = Event.attach(memory, self === 0 ? 0 : Event.words(), waiting)
    const back = Event.attach(memory, self === 0 ? Event.words() : 0, waiting)
    for (let i = 0; i < times; i++) {
      if (self === 0) {
        memory.write(free, i)
        there.set()
      }
      must(back.wait(), 'gave up')
      back.reset()
      must(memory.read(free) === i, 'it was not set yet')
      if (self === 1) there.set()
    }
  },
  /** As many onces as times: each body adds one to a word of its own. Says how many it ran. */
  runOnce(memory, free, times, waiting) {
    let ran = 0
    for (let i = 0; i < times; i++) {
      const once = Once.attach(memory, i * Once.words(), waiting)
      const result = once.run(() => memory.write(free + i, memory.read(free + i) + 1))
      must(memory.read(free + i) === 1, 'it is not done, or twice')
      if (result === 'ran') ran++
    }
    return ran
  },
}

let mistakes

/** A memory that makes a mistake, or none; slow, so that the others get in. All begin at the same time. */
async function spoilt(memory, { mistake, seed, together }) {
  mistakes ??= await tsImport('./mistaken.ts', import.meta.url)
  const spoiltMemory = await mistakes.mistaken(memory, mistake, seed)
  const comeAt = memory.words - 2
  memory.add(comeAt, 1)
  memory.notify(comeAt)
  for (let come = memory.load(comeAt); come < together; come = memory.load(comeAt)) memory.wait(comeAt, come)
  return spoiltMemory
}

parentPort.on('message', async ({ task, args: [buffer, free, times, waiting, self, twin] }) => {
  try {
    const memory = new SharedMemory(buffer)
    parentPort.postMessage({
      value: tasks[task](twin === undefined ? memory : await spoilt(memory, twin), free, times, waiting, self),
    })
  } catch (error) {
    parentPort.postMessage({ error: { name: error.name, message: error.message } })
  }
})
parentPort.postMessage({ value: `ready ${lineWords}` })
