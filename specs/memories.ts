import { guarantee } from '../checker/guarantee.ts'
import { AsyncMemory } from '../core/async-memory.ts'
import { ForwardingMemory } from '../core/forwarding-memory.ts'
import { lineWords } from '../core/layout.ts'
import type { Memory, WaitResult } from '../core/memory.ts'

/** Ways to see a memory, for the threads of programs. None changes what the memory promises. */

/** A memory that cannot tell who is alive, as that of one process. Sleepers then sleep until they are woken. */
export class AnonymousMemory extends ForwardingMemory {
  constructor(memory: Memory) {
    super(memory)
    delete (this as { liveness?: unknown }).liveness
  }
}

/**
 * A memory on which sleeping in slices is spinning slowly: a slice is a pause, after which its time is over.
 *
 * A thread that sleeps in slices for ever may be timed out any number of times: no search would come to an end. Here the
 * checker parks it until something that it looked at has changed, the word or a life, as it parks whoever spins. Nobody is
 * ever woken here; that wake-ups arrive, programs without this memory show.
 */
export class SlicedMemory extends ForwardingMemory {
  override wait(word: number, expected: number, timeoutMs: number = Infinity): WaitResult {
    if (timeoutMs === Infinity) return super.wait(word, expected)
    this.pause()
    return 'timed-out'
  }
}

/** A memory on which calls are made as on an event loop: each up to where it would sleep, and then again. */
export class RetryingMemory extends AsyncMemory {
  constructor(memory: Memory) {
    // What sleeps here is the thread.
    super(Object.assign(memory, { waitAsync: () => Promise.reject(new Error('this memory does not answer later')) }))
  }

  /** As `AsyncMemory.call`, where the thread itself may sleep. */
  retried<T>(operation: () => T): T {
    for (;;) {
      const outcome = this.attempt(operation)
      if ('result' in outcome) return outcome.result
      this.wait(outcome.word, outcome.expected, outcome.timeoutMs)
    }
  }
}

/** A memory on which each wait with a time-out ends by being woken, and with that the time is over. */
export class LateMemory extends ForwardingMemory {
  private late = 0

  override wait(word: number, expected: number, timeoutMs: number = Infinity): WaitResult {
    const result = super.wait(word, expected)
    if (timeoutMs < Infinity) this.late += timeoutMs
    return result
  }

  override now(): number {
    return super.now() + this.late
  }
}

/** Counts announcements made and notifies called. The words that threads sleep on stand at the beginning of lines. */
export class CountingMemory extends ForwardingMemory {
  private announced = 0
  private notified = 0

  get calls(): Calls {
    return { announced: this.announced, notified: this.notified }
  }

  override compareExchange(word: number, expected: number, replacement: number): number {
    const old = super.compareExchange(word, expected, replacement)
    if (old === expected && this.announces(word, expected, replacement)) this.announced++
    return old
  }

  /** Whether this says that the thread is about to sleep. */
  protected announces(word: number, expected: number, replacement: number): boolean {
    return word % lineWords === 0 && (replacement & ~expected & 1) !== 0
  }

  override notify(word: number, count?: number): number {
    this.notified++
    return super.notify(word, count)
  }
}

/** Notes when the time of a wait is over, and whether by then there was what the thread waits for. */
export class WitnessMemory extends CountingMemory {
  private readonly slug: string
  private readonly isThere: (memory: Memory, expected: number) => boolean
  private timedOut = false
  private inTime = false

  /**
   * @param slug the guarantee that time-outs are what they should be
   * @param isThere whether a thread that has slept on a word with this value, and looks now, must not give up
   */
  constructor(memory: Memory, slug: string, isThere: (memory: Memory, expected: number) => boolean) {
    super(memory)
    this.slug = slug
    this.isThere = isThere
  }

  override wait(word: number, expected: number, timeoutMs?: number): WaitResult {
    const result = super.wait(word, expected, timeoutMs)
    if (result === 'timed-out') {
      this.timedOut = true
      this.inTime = this.isThere(this.memory, expected)
    }
    return result
  }

  /**
   * Checks the outcome of one call with a time-out. In the checker the clock stands still: there only a wait tells that the
   * time is over. Real time may also be over before the thread comes to sleep.
   *
   * @param missed what it means when the call gave up although there was what it waited for
   */
  attempt<T>(missed: string, call: (timeoutMs: number) => T, gaveUp: (result: T) => boolean): T {
    const timeoutMs = 5
    const start = this.now()
    this.timedOut = false
    this.inTime = false
    const result = call(timeoutMs)
    if (!gaveUp(result)) return result
    const over = this.timedOut || this.now() - start >= timeoutMs
    guarantee(this.slug, over, 'gave up before the time was over')
    guarantee(this.slug, !this.inTime, missed)
    return result
  }
}

/** What a thread has had to do with sleeping. */
export interface Calls {
  readonly announced: number
  readonly notified: number
}

/**
 * Checks that a notify is called only when somebody has announced that it sleeps.
 *
 * @param threads what each of them returned; where one was killed its announcements are not known, and nothing is checked
 */
export function everyNotifyWasAskedFor(slug: string, threads: readonly (Calls | undefined)[]): void {
  if (threads.includes(undefined)) return
  const sum = (key: keyof Calls) => threads.reduce((total, calls) => total + (calls?.[key] ?? 0), 0)
  guarantee(slug, sum('notified') <= sum('announced'), `${sum('notified')} notifies for ${sum('announced')} announcements`)
}
