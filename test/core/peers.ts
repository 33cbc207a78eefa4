import { fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { afterAll } from 'vitest'

/** Mapped files are for Linux on these processors; elsewhere only the refusal can be tested. */
export const canMap: boolean = process.platform === 'linux' && ['x64', 'arm64'].includes(process.arch)

/** Names of new files in a folder that goes away after the tests. */
export function newFiles(): () => string {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-mapped-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  let count = 0
  return () => join(folder, `file-${count++}`)
}

/** What a peer threw. */
export class PeerError extends Error {
  readonly reason: string | undefined

  constructor({ name, message, reason }: { readonly name: string; readonly message: string; readonly reason?: string }) {
    super(`${name}: ${message}`)
    this.reason = reason
  }
}

/** Another process, or a worker thread of this one, that does what it is told (`mapped-peer.mjs`). */
export interface Peer {
  /** Begins a task; the answer, when it is done. */
  ask(task: string, ...args: readonly unknown[]): Promise<unknown>
  /** SIGKILL for a process, `terminate` for a worker; resolves when it is gone. */
  kill(): Promise<void>
}

const script = new URL('mapped-peer.mjs', import.meta.url)

type Answer = { readonly value?: unknown; readonly error?: ConstructorParameters<typeof PeerError>[0] }

/** Answers come in the order of the questions. */
function peer(send: (message: unknown) => void, kill: () => Promise<void>) {
  const waiting: { resolve(value: unknown): void; reject(error: Error): void }[] = []
  const next = (): Promise<unknown> => new Promise((resolve, reject) => waiting.push({ resolve, reject }))
  return {
    ready: next(),
    answered({ value, error }: Answer): void {
      const { resolve, reject } = waiting.shift()!
      if (error === undefined) resolve(value)
      else reject(new PeerError(error))
    },
    gone(why: string): void {
      for (const { reject } of waiting.splice(0)) reject(new Error(why))
    },
    peer: {
      ask(task, ...args) {
        const result = next()
        // A peer may be killed while nobody looks at its answer.
        result.catch(() => {})
        send({ task, args })
        return result
      },
      kill,
    } satisfies Peer as Peer,
  }
}

const peers: Peer[] = []

/** @param through the command that runs the peer, which takes the path of its script; default: this Node */
export async function startProcess(
  through: readonly string[] = [process.execPath],
  env: NodeJS.ProcessEnv = process.env,
): Promise<Peer> {
  const [execPath, ...execArgv] = through
  const child = fork(fileURLToPath(script), { execPath, execArgv, env, serialization: 'advanced' })
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const {
    ready,
    answered,
    gone,
    peer: made,
  } = peer(
    (message) => child.send(message as object),
    () => {
      child.kill('SIGKILL')
      return exited
    },
  )
  child.on('message', (message) => answered(message as Answer))
  child.once('exit', (code, signal) => gone(`the process ended (${signal ?? code})`))
  peers.push(made)
  await ready
  return made
}

/** @param entry what the worker runs */
export async function startWorker(entry: URL = script): Promise<Peer> {
  const worker = new Worker(entry, { execArgv: [] })
  const {
    ready,
    answered,
    gone,
    peer: made,
  } = peer(
    (message) => worker.postMessage(message),
    async () => void (await worker.terminate()),
  )
  worker.on('message', answered)
  worker.once('error', (error) => gone(String(error)))
  worker.once('exit', () => gone('the worker ended'))
  peers.push(made)
  await ready
  return made
}

/** To be called after all tests of a file: no process outlives it. */
export async function endPeers(): Promise<void> {
  await Promise.all(peers.splice(0).map((each) => each.kill()))
}

/** Tries again and again, without blocking this thread, until `done` gives true. */
export async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => setTimeout(resolve, 1))
}
