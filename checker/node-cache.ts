/** What `--cached` remembers of each check of a package: its last result, and what that depended on. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { Explored } from './node-agenda.ts'
import { packageRoot } from './node-files.ts'
import { hashOf, inputsOf } from './node-imports.ts'
import { InputError, oneLine } from './node-input-error.ts'
import type { LoadedCheck } from './node-search.ts'
import type { Bounds, Report } from './report.ts'

interface Entry {
  readonly inputs: string
  readonly report: Report
}

export class Cache {
  readonly #root: string
  readonly #folder: string

  constructor() {
    const root = packageRoot(process.cwd())
    if (root === undefined) throw new InputError(`--cached: no package.json in ${process.cwd()} or above`)
    this.#root = root
    this.#folder = join(root, 'node_modules/.cache/heddle')
    try {
      mkdirSync(this.#folder, { recursive: true })
    } catch (error) {
      throw new InputError(`--cached: ${oneLine(error)}`)
    }
  }

  /** The result of a check, if nothing has changed since. */
  find(check: LoadedCheck, bounds: Bounds): Report | undefined {
    let entry: Entry
    try {
      entry = JSON.parse(readFileSync(this.#fileOf(check), 'utf8'))
    } catch {
      // Never recorded, or damaged.
      return undefined
    }
    return entry.inputs === inputsOf(check, bounds) ? entry.report : undefined
  }

  /** Where the search ended because its time was over it would end elsewhere today: that is not remembered. */
  put(check: LoadedCheck, bounds: Bounds, { report }: Explored): void {
    if (report.bound === 'seconds') return
    const file = this.#fileOf(check)
    const entry: Entry = { inputs: inputsOf(check, bounds), report }
    writeFileSync(`${file}.${process.pid}`, JSON.stringify(entry))
    renameSync(`${file}.${process.pid}`, file)
  }

  #fileOf({ file, name }: LoadedCheck): string {
    return join(this.#folder, `${hashOf(JSON.stringify([relative(this.#root, file), name]))}.json`)
  }
}
