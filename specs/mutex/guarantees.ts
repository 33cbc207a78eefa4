/** The names of the guarantees. Anchors on the page of the mutex, and what comments in `core` cite. */
export type Guarantee =
  | 'mutex/excludes'
  | 'mutex/wakes'
  | 'mutex/notifies-sleepers-only'
  | 'mutex/times-out'
  | 'mutex/robust'
  | 'mutex/attaches'

/** What a mutex promises: the slug by which code, programs and mutants name it, and the sentence that stands for it. */
export const guarantees: Readonly<Record<Guarantee, string>> = {
  'mutex/excludes': 'At most one thread holds the lock, and it finds all that the holders before it have done.',
  'mutex/wakes': 'No wake-up is lost: nobody sleeps for ever while the lock is free.',
  'mutex/notifies-sleepers-only': 'A notify is called only for an announced sleeper, and at most once for each announcement.',
  'mutex/times-out':
    'With a time-out, lock returns: not before the time is over, and not in vain if the lock was free, or its holder dead, by then.',
  'mutex/robust':
    'A holder that died, or gave up, is replaced by exactly one thread, which is told so, and so on if that one dies, too; and nobody waits for the dead for ever.',
  'mutex/attaches': 'Who attaches finds the whole mutex as it was created, or gets an error while it is not there yet.',
}
