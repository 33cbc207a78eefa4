/**
 * One string for each value that a thread may return (`model/plain-data.ts`), and another one for whatever a program could tell
 * from it: also `-0` from `0`, what is undefined from what is not there, and the order of keys.
 */
export function toldApart(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'bigint') return `${value}n`
  if (Object.is(value, -0)) return '-0'
  if (typeof value !== 'object' || value === null) return String(value)
  if (ArrayBuffer.isView(value)) {
    const { buffer, byteOffset, byteLength } = value
    return `${value.constructor.name}(${new Uint8Array(buffer, byteOffset, byteLength).join()})`
  }
  const kind = Array.isArray(value) ? value.length : Object.getPrototypeOf(value) === null ? 'null' : ''
  return `${kind}{${Object.entries(value).map(([key, part]) => `${JSON.stringify(key)}:${toldApart(part)}`)}}`
}
