import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { openQueue } from '../../core/node-queue.ts'
import { canMap } from './peers.ts'

/** Who counts as dead: locks of the kernel say so, and not the numbers of processes. */

const folder = mkdtempSync(join(tmpdir(), 'heddle-queue-liveness-'))
const started: ChildProcess[] = []
afterAll(() => {
  for (const { pid } of started) {
    try {
      process.kill(-(pid as number), 'SIGKILL')
    } catch (error) {
      if ((error as { code?: string }).code !== 'ESRCH') throw error
    }
  }
  rmSync(folder, { recursive: true, force: true })
})

const index = fileURLToPath(new URL('../../core/node-index.ts', import.meta.url))
const holder = `import { openQueue } from ${JSON.stringify(index)}
  const queue = openQueue(process.env.FOLDER)
  queue.producer().send(new Uint8Array(1))
  const consumer = queue.consumer()
  console.log(process.pid)
  setInterval(() => consumer.peek(), 1000)`
const node = '"$NODE" --import "$TSX" --input-type=module -e "$HOLDER"'

/** Runs a script of the shell, in which `node` is a process that is the consumer of a queue; the first line that it prints. */
async function shell(path: string, command: readonly string[], script: string): Promise<string> {
  const [file = '', ...args] = [...command, 'bash', '-c', script]
  const env = { ...process.env, FOLDER: path, NODE: process.execPath, HOLDER: holder, TSX: import.meta.resolve('tsx') }
  const child = spawn(file, args, { env, detached: true, stdio: ['ignore', 'pipe', 'inherit'] })
  started.push(child)
  for await (const line of createInterface(child.stdout)) {
    child.stdout.destroy()
    child.unref()
    return line
  }
  throw new Error('it ended and said nothing')
}

/** Whether somebody living is the consumer. */
function isTaken(path: string): boolean {
  using queue = openQueue(path)
  try {
    queue.consumer({ acknowledge: 'manual' }).close()
    return false
  } catch (error) {
    if ((error as { reason?: string }).reason !== 'in-use') throw error
    return true
  }
}

const isolated = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child']
const canIsolate = spawnSync('unshare', [...isolated.slice(1), 'true']).status === 0
const canChoose =
  canIsolate && spawnSync('unshare', [...isolated.slice(1), 'sh', '-c', 'echo 1 > /proc/sys/kernel/ns_last_pid']).status === 0

describe.runIf(canMap)('the consumer of a queue', () => {
  it('that was killed is dead, although nobody has waited for its process', async () => {
    const path = join(folder, 'zombie')
    // Its parent becomes a program that waits for nobody.
    const pid = Number(await shell(path, [], `${node} & exec sleep 1000`))
    expect(isTaken(path)).toBe(true)
    process.kill(pid, 'SIGKILL')
    const state = (): string | undefined => /^State:\s+(\w)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    while (state() !== 'Z') await new Promise((resolve) => setTimeout(resolve, 5))
    // Its first thread may be one before the last of the others has gone, with which the kernel closes the files.
    while (isTaken(path)) await new Promise((resolve) => setTimeout(resolve, 5))
    expect(state()).toBe('Z')
  })

  it.runIf(canIsolate)(
    'is alive where its process has a number that means another one here, and dead when it was killed',
    async () => {
      const path = join(folder, 'namespace')
      const pid = Number(await shell(path, isolated, node))
      expect(pid).toBeLessThan(100)
      expect(isTaken(path)).toBe(true)
      const parent = started.at(-1)
      const gone = new Promise((resolve) => parent?.once('exit', resolve))
      parent?.kill('SIGKILL')
      await gone
      // The kernel kills all of them when the first one goes.
      while (isTaken(path)) await new Promise((resolve) => setTimeout(resolve, 5))
      using queue = openQueue(path)
      expect(queue.consumer().tryReceive()?.item).toEqual(new Uint8Array(1))
    },
  )

  it.runIf(canChoose)('is dead, although its process has its number again', async () => {
    const path = join(folder, 'again')
    const script = `coproc ${node}; read -r pid <&"\${COPROC[0]}"; kill -9 "$pid"; wait "$pid" 2>/dev/null
      for try in {1..50}; do
        echo $((pid - 1)) > /proc/sys/kernel/ns_last_pid; sleep 1000 & again=$!
        [ "$again" = "$pid" ] && break
        kill "$again"
      done
      echo "$pid $again"; wait`
    const [pid, again] = (await shell(path, isolated, script)).split(' ')
    expect(again).toBe(pid)
    expect(isTaken(path)).toBe(false)
  })
})
