/** Thrown by `guarantee`. Recognised by `name`, so that two copies of this module (compiled and TypeScript) agree. */
export class GuaranteeError extends Error {
  override readonly name = 'GuaranteeError'
  readonly guarantee: string

  constructor(slug: string, message: string) {
    super(message)
    this.guarantee = slug
  }
}

/**
 * Asserts, inside a program, that a named guarantee holds.
 *
 * @param slug the guarantee, such as `ring/in-order`: reports and mutants name it
 * @param condition broken when falsy
 * @param message what was seen instead
 */
export function guarantee(slug: string, condition: unknown, message?: string): asserts condition {
  if (!condition) throw new GuaranteeError(slug, message ?? `${slug} is broken`)
}
