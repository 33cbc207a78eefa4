/** The names of the guarantees. Anchors on the page of the semaphore, and what comments in `core` cite. */
export type Guarantee =
  | 'semaphore/bounded'
  | 'semaphore/wakes'
  | 'semaphore/notifies-sleepers-only'
  | 'semaphore/times-out'
  | 'semaphore/robust'
  | 'semaphore/attaches'

/** What a semaphore promises: the slug by which code, programs and mutants name it, and the sentence that stands for it. */
export const guarantees: Readonly<Record<Guarantee, string>> = {
  'semaphore/bounded':
    'Each permit is taken once, there are never more than the most allowed, and who takes one finds all that was done before it was given.',
  'semaphore/wakes': 'No wake-up is lost: nobody sleeps for ever while there are as many permits as it wants.',
  'semaphore/notifies-sleepers-only': 'A notify is called only for an announced sleeper, and at most once for each announcement.',
  'semaphore/times-out':
    'With a time-out, acquire returns: not before the time is over, and not in vain if there were enough permits by then.',
  'semaphore/robust': 'Who sleeps gets what was released also when the releaser died before it could wake anybody.',
  'semaphore/attaches': 'Who attaches finds the whole semaphore as it was created, or gets an error while it is not there yet.',
}
