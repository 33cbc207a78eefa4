/**
 * Results of threads are plain data, so that they can be compared, printed, frozen, and sent between workers: undefined,
 * null, booleans, numbers, strings, bigints, typed arrays, and arrays and plain objects of these.
 */

/** Freezes plain data through and through. Throws a `TypeError` that names what is not plain. */
export function frozen(value: unknown, path = 'result'): unknown {
  if (typeof value === 'function' || typeof value === 'symbol') throw new TypeError(notPlain(path, typeof value))
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value
  const prototype = Object.getPrototypeOf(value)
  if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null) {
    throw new TypeError(notPlain(path, `a ${prototype.constructor?.name ?? 'custom object'}`))
  }
  for (const [key, part] of Object.entries(value)) frozen(part, `${path}.${key}`)
  return Object.freeze(value)
}

/** A frozen copy: what is written to the original later does not show. Throws where `frozen` does. */
export function snapshot(value: unknown, path: string): unknown {
  frozen(typeof value === 'object' ? undefined : value, path)
  return typeof value === 'object' && value !== null ? frozen(structuredClone(value), path) : value
}

function notPlain(path: string, what: string): string {
  return `${path} is not plain data: expected numbers, strings, booleans, arrays and plain objects, found ${what}`
}

/** One string for each value, whatever the order of its keys: JSON with sorted keys. A bigint is written as a string like `"5n"`. */
export function canonical(value: unknown): string {
  if (typeof value === 'bigint') return `"${value}n"`
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : `"${value}"`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  if (ArrayBuffer.isView(value)) return `[${Array.from(value as unknown as ArrayLike<number | bigint>, canonical).join()}]`
  const entries = Object.entries(value).filter(([, part]) => part !== undefined)
  entries.sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, part]) => `${JSON.stringify(key)}:${canonical(part)}`).join()}}`
}
