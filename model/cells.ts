/**
 * What a machine knows of each word. Copies share what neither has changed since, and the key of a state is put together from parts
 * that are kept: both cost what the program touches, however large its memory is.
 */

/** An access to a word, for races. */
export interface Access {
  readonly thread: number
  /** The time of the thread at the access. */
  readonly time: number
  readonly mask: number
  readonly writes: boolean
  readonly plain: boolean
  /** The row of the access among those of the machine. */
  readonly row: number
  readonly earlier: Access | undefined
}

/** What is known of a word that somebody has touched. */
export interface Cell {
  readonly value: number
  /** The clock of the SeqCst write that is its value, if that is one. */
  readonly released: Int32Array | undefined
  /** The newest access. */
  readonly accesses: Access | undefined
  /** The row that wrote it; -1 for setup. */
  readonly writer: number
  /** The bytes that a killed thread has left undefined: bit 0 is the byte of least significance. */
  readonly torn: number
}

/** Neighbouring words. Only the owner may change them. */
interface Page {
  readonly owner: object
  readonly cells: (Cell | undefined)[]
  /** What is put into keys: without what orders races, and with it. */
  state: string | undefined
  order: string | undefined
}

/** A page has two to the power of that many words. */
const pageBits = 4
const inPage = (1 << pageBits) - 1

export class Cells {
  readonly #initial: Int32Array
  readonly #pages: (Page | undefined)[]
  /** Changes with each copy: from then on nobody owns what there is. */
  #owner: object = {}

  constructor(initial: Int32Array, from?: Cells) {
    this.#initial = initial
    this.#pages = from === undefined ? [] : from.#pages.slice()
  }

  copy(): Cells {
    this.#owner = {}
    return new Cells(this.#initial, this)
  }

  get words(): number {
    return this.#initial.length
  }

  value(word: number): number {
    return this.at(word)?.value ?? this.#initial[word]
  }

  /** What is known of a word; undefined if nobody has touched it. */
  at(word: number): Cell | undefined {
    return this.#pages[word >> pageBits]?.cells[word & inPage]
  }

  change(word: number, what: Partial<Cell>): void {
    const page = this.#own(word >> pageBits)
    const cell = page.cells[word & inPage]
    const { value = this.#initial[word], released, accesses, writer = -1, torn = 0 } = cell ?? {}
    page.cells[word & inPage] = { value, released, accesses, writer, torn, ...what }
    page.state = undefined
    page.order = undefined
  }

  #own(index: number): Page {
    const page = this.#pages[index]
    if (page?.owner === this.#owner) return page
    const own = { owner: this.#owner, cells: page?.cells.slice() ?? [], state: page?.state, order: page?.order }
    this.#pages[index] = own
    return own
  }

  /** The same for two memories exactly when they hold the same, and on request when also the same orders what comes next. */
  key(races: boolean): string {
    let key = ''
    for (const [index, page] of this.#pages.entries()) {
      if (page === undefined) continue
      page.state ??= this.#stateOf(page, index << pageBits)
      key += page.state
      if (!races) continue
      page.order ??= orderOf(page, index << pageBits)
      key += page.order
    }
    return key
  }

  #stateOf({ cells }: Page, first: number): string {
    let state = ''
    for (const [index, cell] of cells.entries()) {
      if (cell === undefined) continue
      if (cell.value !== this.#initial[first + index]) state += `;${first + index}:${cell.value}`
      if (cell.torn !== 0) state += `;${first + index}t${cell.torn}`
    }
    return state
  }
}

function orderOf({ cells }: Page, first: number): string {
  let order = ''
  for (const [index, cell] of cells.entries()) {
    if (cell?.released !== undefined) order += `;${first + index}=${cell.released.join()}`
  }
  return order
}
