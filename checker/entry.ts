import { History } from '../model/history.ts'

const nobody = new History(null, 0, -1)

/**
 * One place of a sequence, and what stands there. Made once and used for whatever comes to stand there next, so that a search
 * allocates nothing on its way; and linked to others directly, so that it looks nothing up.
 *
 * `Sequence.nothing` is the entry that there is not: what comes before the first one of a thread or a location. It happens
 * before everything.
 */
export class Entry {
  /** Its index in the sequence; -1 for `nothing`. */
  readonly place: number
  /** Where its clock begins. */
  readonly at: number

  // What the sequence knows.
  thread = 0
  /** One of `step-kinds.ts`. */
  what = 0
  /** Twice the location that it touches, and one more if it writes; below zero for what is no step. */
  op = -1
  /** What its thread did, or had before it. */
  node: History = nobody
  /** Which one it is of its thread, from 1. */
  position = 0
  /** The one before in its thread. */
  previous: Entry
  /** What its location held. */
  old = 0
  /** The last write of its location before it, and the last read since that. */
  writeBefore: Entry
  readBefore: Entry
  /** For a `wait` that found what it expects, where it fell asleep. */
  partner: Entry
  /** The threads that were running, and asleep. */
  runningBefore = 0
  sleepingBefore = 0

  // What was noted before it of what is done Unordered.
  writesBefore = 0
  accessesBefore = 0
  guessesBefore = 0

  // What the search knows.
  /** How it came to be where it is. */
  how = 0
  /** To what its thread was bound. */
  boundBefore = 0
  /** To what its thread is bound if something comes before this step after all. */
  choice = 0
  /** For a head the place before what was brought forward with it, whose turn it was there, and what that step would have done. */
  from: Entry
  turn = 0
  turnOp = 0

  // What the search knows of the place before it.
  /** The last entry before it that was brought forward, or was a choice. */
  foreign: Entry
  /** The head, if what stands before was brought forward. */
  chain: Entry
  /** If something was brought forward from here, or chosen, the numbers of that, and the place behind. */
  broughtStart = 0
  broughtLength = 0
  broughtEnd = 0

  constructor(place: number, count: number, nothing?: Entry) {
    this.place = place
    this.at = (place + 1) * count
    this.previous = nothing ?? this
    this.writeBefore = nothing ?? this
    this.readBefore = nothing ?? this
    this.partner = nothing ?? this
    this.from = nothing ?? this
    this.foreign = nothing ?? this
    this.chain = nothing ?? this
  }
}
