import { lineWords, wholeLines } from '../../core/layout.ts'
import type { Memory } from '../../core/memory.ts'

/**
 * Many senders write integers, one receiver sums them up and stops when there is nothing more to come, also when senders
 * have died.
 *
 * ```
 *   word
 *   0        live        a bit for each sender that may still publish
 *   32 ..    lanes       one for each sender:
 *     + 0    participant   who the sender is, as `liveness` knows it
 *     + 1    published     how many of its values may be read
 *     + 32   values
 * ```
 *
 * A lane has room for all values of its sender, and one writer: what was published never changes again.
 */
/** One bit of a word for each of them. */
export const sendersMax = 32

export interface Shape {
  readonly senders: number
  /** How many values each sender has. */
  readonly messages: number
}

/** Where the words are. */
export const words: {
  readonly live: number
  participant(sender: number, shape: Shape): number
  published(sender: number, shape: Shape): number
  value(sender: number, n: number, shape: Shape): number
} = {
  live: 0,
  participant: (sender, { messages }) => laneAt(sender, messages),
  published: (sender, { messages }) => laneAt(sender, messages) + 1,
  value: (sender, n, { messages }) => laneAt(sender, messages) + lineWords + n,
}

function laneAt(sender: number, messages: number): number {
  return lineWords + sender * (lineWords + wholeLines(messages))
}

/** How many words there are. */
export function wordsOf({ senders, messages }: Shape): number {
  return laneAt(senders, messages)
}

/**
 * Makes the memory ready. Whoever does this starts senders and receiver afterwards, so that nobody finds it half made, and
 * nobody can take a sender that has not begun for one that has left.
 *
 * @param participants who the senders are
 */
export function prepare(memory: Memory, shape: Shape, participants: readonly number[]): void {
  for (const [sender, participant] of participants.entries()) memory.store(words.participant(sender, shape), participant)
  memory.store(words.live, -1 >>> (sendersMax - participants.length))
}

/** A sender, from its first value to its last. */
export function send(memory: Memory, shape: Shape, sender: number, valueAt: (n: number) => number): void {
  const published = words.published(sender, shape)
  const firstValue = words.value(sender, 0, shape)
  for (let n = 0; n < shape.messages; n++) {
    memory.write(firstValue + n, valueAt(n))
    // The value is this sender's until this store and the receiver's after it; nobody else comes to this lane.
    // Observed by the load of `published` in `receive`. A sender that dies before has not published it.
    // Safety: sum-match/sums, sum-match/all-sent
    memory.store(published, n + 1)
  }
  leave(memory, sender)
}

/** The receiver: the sum of what each sender has published. Returns when all senders have left or are dead. */
export function receive(memory: Memory, shape: Shape): number[] {
  const lanes = Array.from({ length: shape.senders }, (_, sender) => new Lane(memory, shape, sender))
  for (;;) {
    // Before the lanes: whoever is missing here has published its last value, so that what the lanes show after this is all.
    // Safety: sum-match/sums
    const live = memory.load(words.live)
    for (const lane of lanes) lane.read()
    if (live === 0) return lanes.map(({ sum }) => sum)
    // The dead cannot leave by themselves.
    // Safety: sum-match/ends
    for (const lane of lanes) if ((live & bitOf(lane.sender)) !== 0 && lane.isDead()) leave(memory, lane.sender)
    memory.pause()
  }
}

/** What the receiver knows of a sender. */
class Lane {
  readonly sender: number
  sum = 0
  private readonly memory: Memory
  private readonly participant: number
  private readonly published: number
  private readonly firstValue: number
  private count = 0

  constructor(memory: Memory, shape: Shape, sender: number) {
    this.memory = memory
    this.sender = sender
    this.participant = memory.load(words.participant(sender, shape))
    this.published = words.published(sender, shape)
    this.firstValue = words.value(sender, 0, shape)
  }

  /** Takes in what has been published since. */
  read(): void {
    const { memory, firstValue } = this
    // Values below this count are the receiver's to read: they were written before it went up to there.
    // Safety: sum-match/sums
    const published = memory.load(this.published)
    for (; this.count < published; this.count++) this.sum += memory.read(firstValue + this.count)
  }

  /** Whether the sender was killed. It publishes nothing after that, but it may have done so since this lane was read. */
  isDead(): boolean {
    return this.memory.liveness?.alive(this.participant) === false
  }
}

/**
 * After the last value of a sender, by itself or on behalf of a dead one; twice is as good as once. Observed by the load of
 * `live` in `receive`, which then reads the lane for the last time.
 */
function leave(memory: Memory, sender: number): void {
  // Safety: sum-match/sums, sum-match/ends
  memory.and(words.live, ~bitOf(sender))
}

function bitOf(sender: number): number {
  return 1 << sender
}
