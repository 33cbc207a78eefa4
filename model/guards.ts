/** Thrown where a thread asks for something that another run would answer differently. */
export class NonDeterminismError extends Error {
  override readonly name = 'NonDeterminismError'
}

/** How many thread bodies are running right now, nested ones included. Clocks and random numbers throw while there is one. */
let running = 0
let guarded = 0

const originals = { random: Math.random, date: Date.now, clock: performance.now }

/** Milliseconds, for the checker itself. */
export const clock: () => number = () => originals.clock.call(performance)

function forbid<T>(name: string, original: () => T): () => T {
  return () => {
    if (running === 0) return original()
    throw new NonDeterminismError(
      `${name} inside a thread: its answer differs from run to run. Use memory.now() for timeouts, or pass the value in`,
    )
  }
}

/** Runs `body` with guards on clocks and random numbers; they bite only inside `asThread`. */
export function withGuards<T>(body: () => T): T {
  if (guarded++ === 0) {
    Math.random = forbid('Math.random()', () => originals.random())
    Date.now = forbid('Date.now()', () => originals.date())
    performance.now = forbid('performance.now()', clock)
  }
  try {
    return body()
  } finally {
    if (--guarded === 0) {
      Math.random = originals.random
      Date.now = originals.date
      performance.now = originals.clock
    }
  }
}

/** Runs a thread body. */
export function asThread<T>(body: () => T): T {
  running++
  try {
    return body()
  } finally {
    running--
  }
}
