/** Who goes on next, where chance decides. */

/** Random integers from 0 to n - 1. */
export type Pick = (n: number) => number

export interface Scheduler {
  /** One of the threads that can go on. */
  choose(able: readonly number[]): number
}

/**
 * Every interleaving is as likely as every other one, if each thread does as many steps as is said: a thread goes on with the
 * share that it has in all steps that are left. Where threads wait, or do more in one interleaving than in another, some are
 * likelier than others, and none is left out.
 */
export function uniform(lengths: readonly number[], pick: Pick): Scheduler {
  const left = [...lengths]
  return {
    choose(able) {
      // A thread that does more than was said is not left out.
      const weights = able.map((thread) => Math.max(left[thread], 1))
      let at = pick(weights.reduce((sum, weight) => sum + weight, 0))
      let chosen = 0
      for (; at >= weights[chosen]; chosen++) at -= weights[chosen]
      left[able[chosen]]--
      return able[chosen]
    },
  }
}

/**
 * Probabilistic concurrency testing (Burckhardt, Kothari, Musuvathi, Nagarakatte, ASPLOS 2010): threads have priorities in
 * random order, the first that can go on goes on, and before `depth - 1` random steps whoever is about to do one comes last.
 *
 * A bug of depth d shows if d pairs of steps, or fewer, come in a certain order. With n threads, and if no interleaving has
 * more than k steps, one run finds it with a probability of at least 1 / (n * k^(d - 1)).
 */
export function prioritized(threads: number, steps: number, depth: number, pick: Pick): Scheduler {
  // Higher than all that come by changes, which are from 1 to depth - 1.
  const order = Array.from({ length: threads }, (_, thread) => thread)
  for (let i = threads - 1; i > 0; i--) {
    const other = pick(i + 1)
    order.splice(i, 1, ...order.splice(other, 1, order[i]))
  }
  const priorities = order.map((rank) => depth + rank)
  const changes = Array.from({ length: depth - 1 }, () => 1 + pick(steps))
  let step = 0
  const first = (able: readonly number[]): number => able.reduce((a, b) => (priorities[b] > priorities[a] ? b : a))
  return {
    choose(able) {
      step++
      for (const [i, change] of changes.entries()) if (change === step) priorities[first(able)] = i + 1
      return first(able)
    },
  }
}

/** With which probability one run of `prioritized` finds a bug, at least. */
export function chanceOf(threads: number, steps: number, depth: number): number {
  return 1 / (threads * steps ** (depth - 1))
}

/** Random integers from 0 to n - 1, the same for the same seed (mulberry32). */
export function picker(seed: number): Pick {
  let state = seed >>> 0
  return (n) => {
    state = (state + 0x6d2b79f5) >>> 0
    let bits = Math.imul(state ^ (state >>> 15), state | 1)
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61)
    return Math.floor((((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32) * n)
  }
}
