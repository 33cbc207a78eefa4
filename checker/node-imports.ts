/** What a module depends on: the content of everything that it imports, of Heddle, and the version of Node. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { createRequire, register } from 'node:module'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import type { LoadedCheck } from './node-search.ts'
import type { Bounds } from './report.ts'

type Edge = readonly [from: string | undefined, to: string]

// Runs where Node resolves imports, which is a thread of its own.
const hook = `
let port
export function initialize(data) { port = data.port }
export async function resolve(specifier, context, next) {
  const found = await next(specifier, context)
  port.postMessage([context.parentURL, found.url])
  return found
}`

/** Takes note of what this thread imports from now on. What a module reads by itself is no import. */
export class Imports {
  readonly #port: MessagePort
  readonly #edges = new Map<string, Set<string>>()
  readonly #hashes = new Map<string, string>()

  constructor() {
    const { port1, port2 } = new MessageChannel()
    this.#port = port1 as unknown as MessagePort
    register(`data:text/javascript,${encodeURIComponent(hook)}`, {
      parentURL: import.meta.url,
      data: { port: port2 },
      transferList: [port2],
    })
  }

  /** For each of the modules that were loaded a hash that changes with anything that it depends on. */
  contentsOf(files: readonly string[]): string[] {
    this.#drain()
    const known = files.map((file) => this.#reachable(file))
    // Who required what is not always known: what nobody seems to have required counts for everybody.
    const orphans = Object.keys(createRequire(import.meta.url).cache).filter((path) => !known.some((paths) => paths.has(path)))
    return known.map((paths, i) => {
      const hashes = [...paths, ...orphans].map((path) => this.#hashOf(path)).sort()
      return hashOf(JSON.stringify([process.version, ownContent(), this.#hashOf(files[i]), hashes]))
    })
  }

  #drain(): void {
    for (;;) {
      const news = receiveMessageOnPort(this.#port)
      if (news === undefined) break
      const [from, to] = news.message as Edge
      if (from !== undefined) this.#note(pathOf(from), pathOf(to))
    }
    for (const module of Object.values(createRequire(import.meta.url).cache)) {
      for (const { filename } of module?.children ?? []) this.#note(module?.filename as string, filename)
    }
  }

  #note(from: string, to: string): void {
    const known = this.#edges.get(from) ?? new Set()
    this.#edges.set(from, known.add(to))
  }

  #reachable(file: string): Set<string> {
    const found = new Set([file])
    for (const path of found) for (const next of this.#edges.get(path) ?? []) found.add(next)
    return found
  }

  #hashOf(path: string): string {
    const known = this.#hashes.get(path)
    if (known !== undefined) return known
    // Modules of Node, and those whose text is in their name.
    const isFile = statSync(path, { throwIfNoEntry: false })?.isFile() === true
    const hash = hashOf(isFile ? readFileSync(path) : path)
    this.#hashes.set(path, hash)
    return hash
  }
}

/** The path of a module that is a file, and otherwise its URL. */
function pathOf(url: string): string {
  if (!url.startsWith('file:')) return url
  const { href, search, hash } = new URL(url)
  return fileURLToPath(href.slice(0, href.length - search.length - hash.length))
}

let own: string | undefined

/** Heddle's own code: whatever of it a module imports, this is what explores it. */
function ownContent(): string {
  own ??= hashOf(
    JSON.stringify(
      ['../core/', '../model/', './'].map((folder) => {
        const url = new URL(folder, import.meta.url)
        const files = readdirSync(url).filter((name) => extname(name) === extname(pathOf(import.meta.url)))
        return files.sort().map((name) => [name, hashOf(readFileSync(new URL(name, url)))])
      }),
    ),
  )
  return own
}

/** A hash that changes with anything that the result of a check depends on, but for when it ends. */
export function inputsOf({ name, content }: LoadedCheck, { events, executions }: Bounds): string {
  return hashOf(JSON.stringify([name, content, events, executions]))
}

export function hashOf(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex')
}
