/**
 * Who sleeps on a word, in the order they fell asleep. A queue is interned, so that a search can hold it as one integer:
 * 0 is the empty queue, and two queues are the same exactly when their numbers are.
 */
export class Waiters {
  readonly #queues: number[][] = [[]]
  readonly #numbers = new Map<string, number>([['', 0]])

  /** The sleepers of a queue, first to be woken first. */
  sleepers(queue: number): readonly number[] {
    return this.#queues[queue]
  }

  contains(queue: number, thread: number): boolean {
    return this.#queues[queue].includes(thread)
  }

  /** The queue after `thread` fell asleep. */
  enqueue(queue: number, thread: number): number {
    return this.#intern([...this.#queues[queue], thread])
  }

  /** The queue after its first `count` sleepers were woken. */
  wake(queue: number, count: number): number {
    return this.#intern(this.#queues[queue].slice(Math.min(count, this.#queues[queue].length)))
  }

  /** How many a notify of `count` wakes. */
  woken(queue: number, count: number): number {
    return Math.min(count, this.#queues[queue].length)
  }

  /** The queue after `thread` gave up. */
  remove(queue: number, thread: number): number {
    return this.#intern(this.#queues[queue].filter((sleeper) => sleeper !== thread))
  }

  #intern(sleepers: number[]): number {
    const key = sleepers.join()
    let number = this.#numbers.get(key)
    if (number === undefined) {
      number = this.#queues.length
      this.#numbers.set(key, number)
      this.#queues.push(sleepers)
    }
    return number
  }
}
