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
  /** Each is written anew where it changes: cuts share what they have in common. */
  readonly #units: Map<number, Bounds>

  constructor(deeds: Deeds, unitBytes: UnitBytes, from?: Cut) {
    this.#deeds = deeds
    this.#unitBytes = unitBytes
    this.#happened = from === undefined ? unknown(deeds) : copyOf(from.#happened)
    this.#units = new Map(from === undefined ? [] : from.#units)
  }

  /** The least that has happened. */
  get least(): Int32Array {
    return this.#happened.least
  }

  /** Chooses that a word holds what a write left, or `setup` for -1. Undefined if that cannot be. */
  holding(word: number, write: number): Cut | undefined {
    const writes = this.#deeds.writesOf(word)
    // Nobody wrote it: that it holds what it held says nothing.
    if (writes.length === 0) return this
    const cut = new Cut(this.#deeds, this.#unitBytes, this)
    const unit = this.#unitBytes === 0 ? undefined : Math.floor((4 * word) / this.#unitBytes)
    const bounds = unit === undefined ? cut.#happened : cut.#change(unit)
    if (write >= 0) raise(bounds.least, this.#deeds.past(writes[write]))
    const next = writes[write + 1]
    if (next !== undefined) lower(bounds.most, next)
    return cut.#close(this, unit) ? cut : undefined
  }

  /** Chooses whether something had been acknowledged. Undefined if that cannot be. */
  acknowledging(name: string, had: boolean): Cut | undefined {
    const place = this.#deeds.acknowledged.get(name)
    if (place === undefined) return had ? undefined : this
    const cut = new Cut(this.#deeds, this.#unitBytes, this)
    if (had) raise(cut.#happened.least, this.#deeds.past(place))
    else lower(cut.#happened.most, place)
    return cut.#close(this, undefined) ? cut : undefined
  }

  #change(unit: number): Bounds {
    const bounds = this.#units.get(unit)
    const own = bounds === undefined ? unknown(this.#deeds) : copyOf(bounds)
    this.#units.set(unit, own)
    return own
  }

  /**
   * Draws all conclusions from what was chosen, in a cut where all had been drawn. False when what must have happened has not:
   * otherwise, a crash where no more has happened and been written back than must, is one.
   *
   * @param touched the unit of which something was chosen
   */
  #close(before: Cut, touched: number | undefined): boolean {
    const { least, most } = this.#happened
    const changed = new Set<number>()
    if (touched !== undefined) {
      changed.add(touched)
      raise(least, (this.#units.get(touched) as Bounds).least)
    }
    for (const flush of this.#deeds.flushes) {
      const { thread, at, from, to } = flush
      if (least[thread] <= at) continue
      const past = this.#deeds.past(flush)
      // What it says of other units was known before, if it had returned before.
      const units = before.least[thread] <= at ? this.#units.keys() : touched === undefined ? [] : [touched]
      for (const unit of units) {
        if (to <= unit * this.#unitBytes || from >= (unit + 1) * this.#unitBytes) continue
        const bounds = changed.has(unit) ? (this.#units.get(unit) as Bounds) : this.#change(unit)
        changed.add(unit)
        raise(bounds.least, past)
      }
    }
    if (exceeds(least, most)) return false
    for (const unit of changed) {
      const bounds = this.#units.get(unit) as Bounds
      if (exceeds(bounds.least, bounds.most)) return false
    }
    return true
  }
}

/** Anything can have happened. */
function unknown({ threads, everything }: Deeds): Bounds {
  return { least: new Int32Array(threads), most: everything.slice() }
}

function copyOf({ least, most }: Bounds): Bounds {
  return { least: least.slice(), most: most.slice() }
}

function raise(counts: Int32Array, to: Int32Array): void {
  for (let thread = 0; thread < counts.length; thread++) counts[thread] = Math.max(counts[thread], to[thread])
}

function lower(counts: Int32Array, { thread, at }: Place): void {
  counts[thread] = Math.min(counts[thread], at)
}

function exceeds(counts: Int32Array, most: Int32Array): boolean {
  for (let thread = 0; thread < counts.length; thread++) if (counts[thread] > most[thread]) return true
  return false
}
