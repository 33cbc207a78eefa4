/** The names of the guarantees. Anchors on the page of the record ring, and what comments in `core` cite. */
export type Guarantee =
  | 'record-ring/whole'
  | 'record-ring/in-order'
  | 'record-ring/linearizable'
  | 'record-ring/batch-at-once'
  | 'record-ring/wakes'
  | 'record-ring/notifies-sleepers-only'
  | 'record-ring/times-out'
  | 'record-ring/ends'
  | 'record-ring/refuses'
  | 'record-ring/attaches'
  | 'record-ring/handed-out-once'
  | 'record-ring/survives-sink'
  | 'record-ring/survives-source'
  | 'record-ring/wraps'

/** What a record ring promises: the slug by which code, programs and mutants name it, and the sentence that stands for it. */
export const guarantees: Readonly<Record<Guarantee, string>> = {
  'record-ring/whole': 'Every record is read with the length and all the bytes that were pushed.',
  'record-ring/in-order': 'Every record is read once, in the order in which room was claimed for it.',
  'record-ring/linearizable':
    'All results are those of a plain queue in which room is claimed, filled and freed, each at one moment: what is claimed is ' +
    'in its place at once, and is read when it is committed, never when it is aborted.',
  'record-ring/batch-at-once': 'What is pushed as one batch is there all at once, with nothing in between.',
  'record-ring/wakes': 'No wake-up is lost: nobody sleeps for ever while there is a record, or room, or the end.',
  'record-ring/notifies-sleepers-only':
    'A notify is called only for an announced sleeper, and at most once for each announcement.',
  'record-ring/times-out':
    'With a time-out, push, claim and pop return: not before the time is over, and not in vain if there was what they wait for by then.',
  'record-ring/ends':
    'When the last sink has closed, the source gets all that was pushed and then the end; no sink comes after that.',
  'record-ring/refuses': 'After the source has closed, whoever pushes or claims, or waits to, gets an error.',
  'record-ring/attaches': 'Who attaches finds the whole ring as it was created, or gets an error while it is not there yet.',
  'record-ring/handed-out-once':
    'Each end belongs to one living thread; those of the dead, and of who left, are given to others.',
  'record-ring/survives-sink':
    'A sink that dies holds nobody up: what it was just pushing is there or not, all else is, and nobody who lives loses anything.',
  'record-ring/survives-source': 'Who follows a dead source goes on with the first record that this one had not advanced over.',
  'record-ring/wraps': 'All of this holds on where positions wrap.',
}
