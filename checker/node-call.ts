/** How the main thread calls an explorer back, which hears nothing while it works: by two words that both see. */

/** With what is left, since somebody has nothing to do; but not sooner than it pays. */
export const toShare = 0
export const atOnce = 1

const serialAt = 0
const howAt = 1

/** The words of one explorer. */
export function callWords(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(8))
}

/** Calls back whoever works on the order of this number. */
export function callBack(call: Int32Array, serial: number, how: number): void {
  Atomics.store(call, howAt, how)
  Atomics.store(call, serialAt, serial)
}

/** Whether the order is called back: how, or `undefined`. */
export function isCalled(call: Int32Array, serial: number): number | undefined {
  return Atomics.load(call, serialAt) === serial ? Atomics.load(call, howAt) : undefined
}
