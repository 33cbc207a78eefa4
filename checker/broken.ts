/** Thrown by a search at the first failure; what it has done until then shows it. */
export class Broken extends Error {
  readonly kind: 'data-race' | 'thrown'
  /** What the thread threw. */
  readonly error: unknown

  constructor(kind: 'data-race' | 'thrown', error?: unknown) {
    super(kind)
    this.kind = kind
    this.error = error
  }
}
