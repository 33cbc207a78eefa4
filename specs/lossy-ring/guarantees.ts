/** The names of the guarantees. Anchors on the page of the lossy ring, and what comments in `core` cite. */
export type Guarantee =
  | 'lossy-ring/whole-items'
  | 'lossy-ring/in-order'
  | 'lossy-ring/counts'
  | 'lossy-ring/keeps'
  | 'lossy-ring/newest'
  | 'lossy-ring/never-waits'
  | 'lossy-ring/publishes'
  | 'lossy-ring/batch-at-once'
  | 'lossy-ring/claims'
  | 'lossy-ring/wakes'
  | 'lossy-ring/notifies-sleepers-only'
  | 'lossy-ring/times-out'
  | 'lossy-ring/handed-out-once'
  | 'lossy-ring/attaches'
  | 'lossy-ring/joins'
  | 'lossy-ring/ends'
  | 'lossy-ring/survives-writer'
  | 'lossy-ring/wraps'

/** What a lossy ring promises: the slug by which code, programs and mutants name it, and the sentence that stands for it. */
export const guarantees: Readonly<Record<Guarantee, string>> = {
  'lossy-ring/whole-items': 'What a reader gets are the bytes that were pushed, all of them, however fast the writer is.',
  'lossy-ring/in-order': 'Every reader gets items in the order in which they were pushed, and none twice.',
  'lossy-ring/counts': 'What a reader received, lost and skipped are all the items up to its position: each is counted once.',
  'lossy-ring/keeps': 'No item is lost before the writer needs its block: the newest capacity - block items can be read.',
  'lossy-ring/newest': 'A reader that looks while the writer pauses gets the newest item, however many it has lost.',
  'lossy-ring/never-waits': 'A push does the same few operations whatever readers do, and whether they live.',
  'lossy-ring/publishes': 'Once a push has returned, every reader finds its item, or one that is newer.',
  'lossy-ring/batch-at-once': 'A batch that fits becomes readable at once: no reader finds only a part of it.',
  'lossy-ring/claims':
    'What is claimed is seen by nobody before it is committed; aborted, or claimed by a writer that dies, it leaves no trace.',
  'lossy-ring/wakes': 'No wake-up is lost: no reader sleeps for ever while there is an item, or the end.',
  'lossy-ring/notifies-sleepers-only':
    'A notify is called only for an announced sleeper, and at most once for each announcement.',
  'lossy-ring/times-out':
    'With a time-out, pop returns: not before the time is over, and not in vain if there was an item by then.',
  'lossy-ring/handed-out-once': 'The sink is handed out to one living thread at a time, whichever ask for it.',
  'lossy-ring/attaches': 'Who attaches finds the whole ring as it was created, or gets an error while it is not there yet.',
  'lossy-ring/joins':
    'A reader begins where it asked to, and has lost nothing by that but what is gone from a position it named.',
  'lossy-ring/ends': 'When the writer closes the stream, every reader gets what it has not lost, and then the end.',
  'lossy-ring/survives-writer':
    'Readers get everything that a dead writer pushed, and then the end; who takes its place goes on where it stopped.',
  'lossy-ring/wraps': 'All of this holds on where positions wrap, and for a reader that looks away while they do.',
}
