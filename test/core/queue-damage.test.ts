import { spawnSync } from 'node:child_process'
import { appendFileSync, chmodSync, mkdtempSync, readdirSync, readlinkSync, rmSync, statSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { openQueue } from '../../core/node-queue.ts'
import { QueueError } from '../../core/queue-error.ts'
import { SharedMemory } from '../../core/shared-memory.ts'
import { folderWords, open, places } from '../../specs/queue/folder.ts'
import { SurvivorMemory } from '../../specs/queue/memories.ts'
import { canMap } from './peers.ts'

const folder = mkdtempSync(join(tmpdir(), 'heddle-queue-damage-'))
let count = 0
const newPath = (): string => join(folder, `queue-${count++}`)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const sent = [1, 2, 3, 4, 5]

/** The bytes of a queue that was closed, whose consumer is done with the first item. */
function closedQueue(): Uint8Array {
  const memory = new SharedMemory(folderWords)
  const queue = open(new SurvivorMemory(memory, 1))
  const producer = queue.producer()
  for (const item of sent) producer.trySend(item)
  const consumer = queue.consumer({ acknowledge: 'manual' })
  consumer.tryReceive()
  consumer.acknowledge()
  queue.close()
  const bytes = new Uint8Array(4 * folderWords)
  memory.readBytes(0, bytes)
  return bytes
}

/** Opens what is left, and receives all that comes; whether anything was said of a loss. */
function salvage(bytes: Uint8Array): { items: number[]; told: boolean } {
  const memory = new SharedMemory(folderWords)
  memory.writeBytes(0, bytes)
  const items: number[] = []
  let told = false
  try {
    const queue = open(new SurvivorMemory(memory, 2), { openTimeoutMs: 5 })
    told = (queue.recovered?.lost ?? 0) > 0
    const consumer = queue.consumer()
    for (let more = true; more; ) {
      try {
        const received = consumer.tryReceive()
        more = received !== undefined
        if (received !== undefined) items.push(received.item)
      } catch (error) {
        if (!(error instanceof QueueError && error.reason === 'corrupt')) throw error
        told = true
        consumer.skip()
      }
    }
    told ||= consumer.lost > 0
  } catch (error) {
    if (!(error instanceof QueueError)) throw error
    told = true
  }
  return { items, told }
}

describe('a queue whose bytes were changed', () => {
  const image = closedQueue()
  const cases: [string, (byte: number) => number][] = [
    ['turned over', (byte) => byte ^ 0xff],
    ['changed in its lowest bit', (byte) => byte ^ 1],
    ['changed in its highest bit', (byte) => byte ^ 0x80],
    ['cleared', () => 0],
  ]

  it('is as it was when they were not', () => {
    expect(salvage(image)).toEqual({ items: [2, 3, 4, 5], told: false })
  })

  it.each(cases)('each byte %s: nothing comes that was not sent, and nothing is lost in silence', (_, change) => {
    for (let byte = 4 * places.control(0); byte < image.length; byte++) {
      const changed = image.slice()
      changed[byte] = change(changed[byte] as number)
      const { items, told } = salvage(changed)
      const inOrder = items.every((item, i) => sent.includes(item) && (i === 0 || item > (items[i - 1] as number)))
      const complete = [2, 3, 4, 5].every((item) => items.includes(item))
      if (!inOrder || !(complete || told)) expect({ byte, items, told }).toBe('in order, and complete or told')
    }
  })
})

/** A queue of 100 items in five segments, closed. */
function someQueue(): string {
  const path = newPath()
  using queue = openQueue(path, { segmentBytes: 4096 })
  const producer = queue.producer()
  for (let n = 0; n < 100; n++) producer.send(new Uint8Array(150).fill(n))
  return path
}

describe.runIf(canMap)('a queue whose files were changed', () => {
  it('says which file was cut', () => {
    for (const length of [0, 1, 64, 65_536, 69_000]) {
      const path = someQueue()
      truncateSync(join(path, '0000000005.segment'), length)
      expect(() => openQueue(path)).toThrow(/0000000005\.segment|segment 5/)
    }
  })

  it('does not mind what was appended', () => {
    const path = someQueue()
    for (const name of readdirSync(path)) appendFileSync(join(path, name), Buffer.alloc(5000, 7))
    using queue = openQueue(path)
    const consumer = queue.consumer()
    let items = 0
    while (consumer.tryReceive() !== undefined) items++
    expect(items).toBe(100)
  })

  it('says that a segment is that of another queue', () => {
    const [path, other] = [someQueue(), someQueue()]
    const name = '0000000005.segment'
    spawnSync('cp', [join(other, name), join(path, name)])
    expect(() => openQueue(path)).toThrow('a segment of another queue')
  })
})

/** The files in a folder that this process has open. */
function openIn(path: string): string[] {
  const targetOf = (fd: string): string => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`)
    } catch {
      // Closed since: that of the list itself.
      return ''
    }
  }
  return readdirSync('/proc/self/fd')
    .map(targetOf)
    .filter((target) => target.startsWith(path))
}

/** Runs a script of the queue in a process of its own, through a command that takes away what it needs. */
function run(wrapper: string, body: string): { readonly out: string; readonly code: number | null } {
  const index = fileURLToPath(new URL('../../core/node-index.ts', import.meta.url))
  const script = `import { openQueue } from ${JSON.stringify(index)}; const path = process.env.FOLDER + '/queue'; ${body}`
  const { stdout, stderr, status } = spawnSync('bash', ['-c', wrapper], {
    env: { ...process.env, FOLDER: folder, NODE: process.execPath, SCRIPT: script, TSX: import.meta.resolve('tsx') },
    encoding: 'utf8',
  })
  return { out: `${stdout}${stderr}`, code: status }
}

const node = '"$NODE" --import "$TSX" --input-type=module -e "$SCRIPT"'
const canMount = spawnSync('unshare', ['-m', 'bash', '-c', `mount -t tmpfs -o size=1m none ${folder}`]).status === 0

describe.runIf(canMap)('a queue that cannot have what it needs', () => {
  it.runIf(canMount)('on a full disk: is full, keeps all it has, and goes on when there is room', () => {
    const { out } = run(
      `unshare -m bash -c 'mount -t tmpfs -o size=1m none "$FOLDER" && exec ${node}'`,
      `const queue = openQueue(path, { segmentBytes: 131072 })
       const producer = queue.producer(), consumer = queue.consumer()
       let sent = 0, received = 0, full = 0
       for (let n = 0; n < 5000; n++) {
         const item = new Uint8Array(1000).fill(n)
         while (producer.trySend(item) === 'full') {
           full++
           for (let i = 0; i < 200; i++) if (consumer.tryReceive()?.item[7] === (received & 255)) received++
         }
         sent++
       }
       for (let next = consumer.tryReceive(); next !== undefined; next = consumer.tryReceive()) if (next.item[7] === (received & 255)) received++
       console.log(sent, received, full > 3)`,
    )
    expect(out.trim()).toBe('5000 5000 true')
  })

  it('without a file to open: says so, keeps what it has, and goes on when there is one', () => {
    const path = newPath()
    using queue = openQueue(path, { segmentBytes: 4096 })
    const producer = queue.producer()
    const { out } = run(
      `ulimit -n 64; ${node}`,
      `const { openSync, closeSync } = await import('node:fs')
       const queue = openQueue(path, { segmentBytes: 4096 })
       const producer = queue.producer(), consumer = queue.consumer()
       let sent = 0, failed = 0
       const files = []
       for (let round = 0; round < 3; round++) {
         try { for (;;) files.push(openSync('/dev/null', 'r')) } catch {}
         try { for (;;) { producer.trySend(Uint8Array.of(sent)); sent++ } } catch (error) { failed += Number(/EMFILE/.test(error.message)) }
         for (const file of files.splice(0)) closeSync(file)
         producer.trySend(Uint8Array.of(sent)); sent++
       }
       let received = 0
       for (let next = consumer.tryReceive(); next !== undefined; next = consumer.tryReceive()) if (next.item[0] === (received & 255)) received++
       console.log(failed, sent > 500, sent === received)`,
    )
    expect(out.trim()).toBe('3 true true')
    expect(producer.trySend(Uint8Array.of(1))).toBe('sent')
  })

  it.runIf(process.getuid?.() !== 0)('in a folder that may not be written: says so', () => {
    const path = newPath()
    openQueue(path).close()
    chmodSync(path, 0o500)
    expect(() => openQueue(join(path, 'inner'))).toThrow('may not be')
    chmodSync(path, 0o700)
  })

  it('leaves no file open when it cannot be opened', () => {
    const path = someQueue()
    rmSync(join(path, '0000000003.segment'))
    for (let i = 0; i < 5; i++) expect(() => openQueue(path)).toThrow('segment 3 is gone')
    expect(openIn(path)).toEqual([])
    const other = newPath()
    using queue = openQueue(other)
    expect([queue.metrics().depth, openIn(other).length > 0]).toEqual([0, true])
    expect(statSync(join(path, 'control')).size).toBeGreaterThan(65_536)
  })
})
