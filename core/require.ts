/** Checks of arguments. Each error says what was expected, what was found, and what it was for. */

/**
 * @param what what the value is, as the first words of the error: `Ring: capacity`
 * @param value what the caller gave
 * @param from the smallest integer accepted
 * @param to the largest integer accepted
 * @throws RangeError when the value is anything but an integer in the range
 */
export function requireInteger(what: string, value: number, from: number, to: number): void {
  if (!Number.isInteger(value) || value < from || value > to) {
    throw new RangeError(`${what}: expected an integer from ${from} to ${to}, found ${show(value)}`)
  }
}

/**
 * @param who the first word of the error: `Ring`
 * @param timeoutMs milliseconds; zero and less mean "do not wait", `Infinity` means "for ever"
 * @throws RangeError when it is not a number
 */
export function requireTimeout(who: string, timeoutMs: number): void {
  if (typeof timeoutMs !== 'number' || Number.isNaN(timeoutMs)) {
    throw new RangeError(`${who}: expected timeoutMs to be a number of milliseconds, found ${show(timeoutMs)}`)
  }
}

/** A value as it stands in an error: strings are quoted, so that '3' is not taken for 3. */
export function show(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : String(value)
}
