/** The file of `--checkpoint`: what is known of a run, so that another one can go on with it. */
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import type { Shard } from './deal.ts'
import type { Explored, Left } from './node-agenda.ts'
import { inputsOf } from './node-imports.ts'
import { InputError, oneLine } from './node-input-error.ts'
import type { LoadedCheck } from './node-search.ts'
import type { Bounds } from './report.ts'

/** What is known of one check: where it was left, or all there is to know. */
interface Entry {
  readonly file: string
  readonly name: string
  readonly shard?: Shard | undefined
  /** Only where these are the same, it is the same check. */
  readonly inputs: string
  readonly left?: Left
  readonly explored?: Explored
}

/** Reads and writes the file. What it knows of checks that are not asked for stays in it. */
export class Checkpoint {
  readonly #file: string
  readonly #shard: Shard | undefined
  #entries: readonly Entry[]

  /** Throws `InputError` where the file is something else: that is nothing to be overwritten. */
  constructor(file: string, shard: Shard | undefined) {
    this.#file = file
    this.#shard = shard
    this.#entries = existsSync(file) ? read(file) : []
    // Whoever cannot write should know now and not after hours.
    this.#write()
  }

  /** What is known of a check; `stale` where the check has changed since. */
  find(check: LoadedCheck, bounds: Bounds): Pick<Entry, 'left' | 'explored'> | 'stale' | undefined {
    const entry = this.#entries.find((entry) => this.#isOf(check, entry))
    if (entry === undefined) return undefined
    return entry.inputs === this.#inputsOf(check, bounds) ? entry : 'stale'
  }

  put(check: LoadedCheck, bounds: Bounds, known: Pick<Entry, 'left' | 'explored'>): void {
    const { file, name } = check
    const entry: Entry = { file, name, shard: this.#shard, inputs: this.#inputsOf(check, bounds), ...known }
    this.#entries = [...this.#entries.filter((entry) => !this.#isOf(check, entry)), entry]
    this.#write()
  }

  /** Removes the file if nothing is left to be done. */
  finish(): void {
    if (this.#entries.every(({ left }) => left === undefined)) rmSync(this.#file, { force: true })
  }

  #isOf({ file, name }: LoadedCheck, entry: Entry): boolean {
    const { shard } = entry
    const sameShard = shard?.index === this.#shard?.index && shard?.of === this.#shard?.of
    return entry.file === file && entry.name === name && sameShard
  }

  /** Whoever may see more executions goes on where fewer were allowed. */
  #inputsOf(check: LoadedCheck, { events }: Bounds): string {
    return inputsOf(check, { ...(events === undefined ? {} : { events }) })
  }

  #write(): void {
    const draft = `${this.#file}.new`
    try {
      writeFileSync(draft, JSON.stringify({ heddleCheckpoint: this.#entries }), { flush: true })
      renameSync(draft, this.#file)
    } catch (error) {
      throw new InputError(`${this.#file}: cannot be written: ${oneLine(error)}`)
    }
  }
}

function read(file: string): Entry[] {
  let content: unknown
  try {
    content = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new InputError(`${file}: cannot be read as a checkpoint: ${oneLine(error)}`)
  }
  const entries = (content as { heddleCheckpoint?: unknown } | null)?.heddleCheckpoint
  if (!Array.isArray(entries)) throw new InputError(`${file}: is no checkpoint`)
  return entries
}
