/**
 * What is known of a crash while it is being chosen: how much of each thread had happened at least, and at most; and after a
 * power failure the same for what had been written back of each unit of the disk. Nothing is chosen before somebody
 * asks: most crashes look the same to a recovery that reads little.
 *
 * - What had happened is closed under what comes before, and a unit holds nothing that had not happened.
 * - A flush that had returned is in every unit that it covers, with all that came before it.
 *
 * After Jaaru (Gorjiara, Xu, Demsky, ASPLOS 2021) and PerSeVerE (Kokologiannakis, Kaysin, Raad, Vafeiadis, POPL 2021).
 */

/** A place in what a thread did. */
export interface Place {
  readonly thread: number
  readonly at: number
}

/** A flush that returned, and the bytes that it made durable. */
export interface Flush extends Place {
  readonly from: number
  readonly to: number
}

/** A write of a word, and the value of the whole word after it. */
export interface Written extends Place {
  readonly value: number
}

/** What was done to a disk. */
export interface Deeds {
  readonly threads: number
  readonly flushes: readonly Flush[]
  /** For each name that was acknowledged, where first. */
  readonly acknowledged: ReadonlyMap<string, Place>
  /** How many places each thread has. */
  readonly everything: Int32Array
  /** The writes of a word in coherence order. */
  writesOf(word: number): readonly Written[]
  /** For each thread how many places must have been passed when this one has. */
  past(place: Place): Int32Array
}

/** For each thread how many places had been passed at least, closed under what comes before, and at most. */
interface Bounds {
  readonly least: Int32Array
  readonly most: Int32Array
}

/** How many bytes are written back together; 0 when everything is, because only processes die. */
export type UnitBytes = 0 | 4 | 512 | 4096

export class Cut {
  readonly #deeds: Deeds
  readonly #unitBytes: UnitBytes
  readonly #happened: Bounds
  readonly #units: Map<number, Bounds>

  constructor(deeds: Deeds, unitBytes: UnitBytes, from?: Cut) {
    this.#deeds = deeds
    this.#unitBytes = unitBytes
    this.#happened =
      from === undefined ? { least: new Int32Array(deeds.threads), most: deeds.everything.slice() } : copyOf(from.#happened)
    this.#units = new Map([...(from === undefined ? [] : from.#units)].map(([unit, bounds]) => [unit, copyOf(bounds)]))
  }

  /** The least that has happened. */
  get least(): Int32Array {
    return this.#happened.least
  }

  /** Chooses that a word holds what a write left, or `setup` for -1. Undefined if that cannot be. */
  holding(word: number, write: number): Cut | undefined {
    const writes = this.#deeds.writesOf(word)
    const cut = new Cut(this.#deeds, this.#unitBytes, this)
    const bounds = cut.#boundsOf(word)
    if (write >= 0) raise(bounds.least, this.#deeds.past(writes[write]))
    const next = writes[write + 1]
    if (next !== undefined) lower(bounds.most, next)
    return cut.#close() ? cut : undefined
  }

  /** Chooses whether something had been acknowledged. Undefined if that cannot be. */
  acknowledging(name: string, had: boolean): Cut | undefined {
    const place = this.#deeds.acknowledged.get(name)
    if (place === undefined) return had ? undefined : this
    const cut = new Cut(this.#deeds, this.#unitBytes, this)
    if (had) raise(cut.#happened.least, this.#deeds.past(place))
    else lower(cut.#happened.most, place)
    return cut.#close() ? cut : undefined
  }

  #boundsOf(word: number): Bounds {
    if (this.#unitBytes === 0) return this.#happened
    const unit = Math.floor((4 * word) / this.#unitBytes)
    let bounds = this.#units.get(unit)
    if (bounds === undefined) {
      bounds = { least: new Int32Array(this.#deeds.threads), most: this.#deeds.everything.slice() }
      this.#units.set(unit, bounds)
    }
    return bounds
  }

  /**
   * Draws all conclusions. False when what must have happened has not: otherwise, a crash where no more has happened and been
   * written back than must, is one.
   */
  #close(): boolean {
    const deeds = this.#deeds
    const { least, most } = this.#happened
    for (const bounds of this.#units.values()) raise(least, bounds.least)
    for (let changed = true; changed; ) {
      changed = false
      for (const flush of deeds.flushes) {
        const { thread, at, from, to } = flush
        if (least[thread] <= at) continue
        const past = deeds.past(flush)
        for (const [unit, bounds] of this.#units) {
          if (to <= unit * this.#unitBytes || from >= (unit + 1) * this.#unitBytes) continue
          changed = raise(bounds.least, past) || changed
        }
      }
    }
    if (exceeds(least, most)) return false
    for (const bounds of this.#units.values()) if (exceeds(bounds.least, bounds.most)) return false
    return true
  }
}

function copyOf({ least, most }: Bounds): Bounds {
  return { least: least.slice(), most: most.slice() }
}

function raise(counts: Int32Array, to: Int32Array): boolean {
  let changed = false
  for (let thread = 0; thread < counts.length; thread++) {
    if (counts[thread] >= to[thread]) continue
    counts[thread] = to[thread]
    changed = true
  }
  return changed
}

function lower(counts: Int32Array, { thread, at }: Place): void {
  counts[thread] = Math.min(counts[thread], at)
}

function exceeds(counts: Int32Array, most: Int32Array): boolean {
  for (let thread = 0; thread < counts.length; thread++) if (counts[thread] > most[thread]) return true
  return false
}
