/** Shows how far a search is: on a terminal on one line, rewritten in place; elsewhere only when asked, a line a second. */
import { progressText, secondsLeft } from './format.ts'
import { ProgressLine } from './node-terminal.ts'
import type { Progress } from './report.ts'

export interface ProgressOptions {
  /** Wanted although no terminal reads it. */
  readonly progress?: boolean
  /** Then as lines of JSON. */
  readonly json?: boolean
}

const everyMs = 1000

/** Takes the standing of one check after the other. */
export class ProgressReader {
  readonly #options: ProgressOptions
  readonly #line = new ProgressLine()
  #said: string | undefined
  #saidAt = 0

  constructor(options: ProgressOptions) {
    this.#options = options
  }

  /** @param index the place of the check among `names`, from 0 */
  show(names: readonly string[], index: number, standing: Progress): void {
    const { progress, json } = this.#options
    const name = names[index]
    const place = `[${index + 1}/${names.length}]`
    if (!progress || (!json && this.#line.seen)) {
      this.#line.show(progressText(place, name, standing, this.#line.columns))
      return
    }
    const now = performance.now()
    if (this.#said === name && now < this.#saidAt + everyMs) return
    this.#said = name
    this.#saidAt = now
    const left = secondsLeft(standing)
    const document = { check: name, place: index + 1, of: names.length, ...standing, left }
    process.stderr.write(`${json ? JSON.stringify(document) : progressText(place, name, standing)}\n`)
  }

  clear(): void {
    this.#line.clear()
  }
}
