/** A longer array that begins like this one. */
export function grown(array: Int32Array, length: number): Int32Array {
  const longer = new Int32Array(length)
  longer.set(array)
  return longer
}
