/** The names of the guarantees. Anchors on the page of the work ring, and what comments in `core` cite. */
export type Guarantee =
  | 'work-ring/each-once'
  | 'work-ring/linearizable'
  | 'work-ring/wakes'
  | 'work-ring/notifies-sleepers-only'
  | 'work-ring/times-out'
  | 'work-ring/closes'
  | 'work-ring/attaches'
  | 'work-ring/seats'
  | 'work-ring/survives'
  | 'work-ring/wraps'

/** What a work ring promises: the slug by which code, programs and mutants name it, and the sentence that stands for it. */
export const guarantees: Readonly<Record<Guarantee, string>> = {
  'work-ring/each-once': 'Every item that was pushed is popped once, by one thread, with all the bytes that were pushed.',
  'work-ring/linearizable':
    'Whatever threads push, pop and close, all results are those of a plain queue to which it happens one after the other.',
  'work-ring/wakes': 'No wake-up is lost: nobody sleeps for ever while there is an item, or room, or the end.',
  'work-ring/notifies-sleepers-only': 'A notify is called only for an announced sleeper, and at most once for each announcement.',
  'work-ring/times-out':
    'With a time-out, push and pop return: not before the time is over, and not in vain if there was room, or an item, by then.',
  'work-ring/closes': 'After a close nothing is pushed; what was pushed is popped, and then everybody finds the end.',
  'work-ring/attaches': 'Who attaches finds the whole ring as it was created, or gets an error while it is not there yet.',
  'work-ring/seats': 'Each living thread has a seat of its own; those of the dead, and of who left, are given to others.',
  'work-ring/survives':
    'A thread that dies in a push or a pop holds nobody up: its item (of a batch those that it was not done with) is not there, and all others are.',
  'work-ring/wraps': 'All of this holds on where positions wrap.',
}
