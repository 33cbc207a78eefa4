/** What is wrong with a queue. */
export type QueueErrorReason =
  | 'exists' // a new queue was asked for, and there is one
  | 'missing' // there is no queue, or one of its files is gone
  | 'foreign' // the folder holds a file that does not belong to the queue
  | 'damaged' // a file is not what it was
  | 'corrupt' // a record is not what was sent; `skip` goes on behind it
  | 'retired' // a reader asks for what is no longer kept; `skip` goes on with the oldest that is
  | 'in-use' // somebody living stands in the way
  | 'too-long' // an item that no segment can hold
  | 'failed' // the disk did not take what was written; nothing is accepted until the queue is opened anew
  | 'cancelled' // the consumer wants no more
  | 'closed' // closed by the caller

/** A place in a queue: which segment, and how many bytes into it. */
export interface Place {
  readonly segment: number
  readonly byte: number
}

/** A queue that cannot do what it was asked for. The message says what is wrong and what to do. */
export class QueueError extends Error {
  override readonly name = 'QueueError'
  readonly reason: QueueErrorReason
  /** Where in the queue, for `'corrupt'` and `'retired'`. */
  readonly place: Place | undefined

  constructor(reason: QueueErrorReason, message: string, options: ErrorOptions & { readonly place?: Place } = {}) {
    super(`Queue: ${message}`, options)
    this.reason = reason
    this.place = options.place
  }
}
