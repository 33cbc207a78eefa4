/**
 * The integers that the senders of the demonstration send. Any would do: these look random, and whoever knows how many were
 * sent can sum them up again. From 0 to 2^24 - 1, so that sums of up to 2^29 of them are exact.
 */
export function integerOf(sender: number, n: number): number {
  const mixed = Math.imul(n + 1, 0x9e3779b1) ^ Math.imul(sender + 1, 0x85ebca6b)
  return Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d) >>> 8
}
