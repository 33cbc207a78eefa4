/** The names of the guarantees. Anchors on the page of the ring, and what comments in `core` cite. */
export type Guarantee =
  | 'ring/in-order'
  | 'ring/whole-items'
  | 'ring/publishes'
  | 'ring/batch-at-once'
  | 'ring/claims'
  | 'ring/back-pressure'
  | 'ring/wakes'
  | 'ring/notifies-sleepers-only'
  | 'ring/times-out'
  | 'ring/handed-out-once'
  | 'ring/attaches'
  | 'ring/wraps'
  | 'ring/ends'
  | 'ring/leaves'
  | 'ring/joins'
  | 'ring/keeps'
  | 'ring/gated'
  | 'ring/attended'
  | 'ring/survives-reader'
  | 'ring/survives-writer'
  | 'ring/shares'
  | 'ring/survives-member'

/** What a ring promises: the slug by which code, programs and mutants name it, and the sentence that stands for it. */
export const guarantees: Readonly<Record<Guarantee, string>> = {
  'ring/in-order': 'Every reader gets every item exactly once, in the order in which they were pushed.',
  'ring/whole-items': 'What a reader gets are the bytes that were pushed, all of them.',
  'ring/publishes':
    'Once a push has returned, every reader finds its item; once every reader has advanced, the writer finds the room.',
  'ring/batch-at-once': 'A batch that is tried becomes readable at once: no reader sees only a part of it.',
  'ring/claims':
    'What is claimed is seen by nobody before it is committed; aborted, or claimed by a writer that dies, it leaves no trace.',
  'ring/back-pressure': 'No item is overwritten before every reader has advanced past it: at most capacity are unread.',
  'ring/wakes': 'No wake-up is lost: nobody sleeps for ever while there is an item, or room, to go on with.',
  'ring/notifies-sleepers-only': 'A notify is called only for an announced sleeper, and at most once for each announcement.',
  'ring/times-out':
    'With a time-out, push and pop return: not before the time is over, and not in vain if there was room, or an item, by then.',
  'ring/handed-out-once':
    'The sink, each source and each seat of a group are handed out to one living thread at a time, whichever ask for them.',
  'ring/attaches': 'Who attaches finds the whole ring as it was created, or gets an error while it is not there yet.',
  'ring/wraps': 'All of this holds on where positions wrap.',
  'ring/ends':
    'When the writer closes the stream, every reader gets all items, and then the end; a group once it is done with all of them.',
  'ring/leaves': 'A reader, or a group whose members have all closed, holds nobody back, and another thread can take its place.',
  'ring/joins':
    'Who joins gets every item from where it begins, whole and in order: the oldest that is there, the next, or the one it names.',
  'ring/keeps': 'What no writer needed the room for stays, for who joins at the oldest item.',
  'ring/gated':
    'Who stands behind other readers sees an item once they are past it, with all that they wrote before; the dead hold nobody up.',
  'ring/attended': 'What is said to be attended to has been read by every reader ahead.',
  'ring/survives-reader':
    'A dead reader does not hold the writer back; who takes its place goes on where it stopped, or joins if the room was needed.',
  'ring/survives-writer':
    'Readers get everything that a dead writer pushed, and then the end; who takes its place goes on where it stopped.',
  'ring/shares': 'Each item goes to exactly one member of a group, in order, if none dies; none is left out.',
  'ring/survives-member':
    'What a dead member was not done with comes to another one; a group of the dead holds nobody back, and waits for an heir.',
}
