/** The names of the guarantees. Anchors on the page of the read-write lock, and what comments in `core` cite. */
export type Guarantee =
  | 'read-write-lock/excludes'
  | 'read-write-lock/shares'
  | 'read-write-lock/writers-first'
  | 'read-write-lock/wakes'
  | 'read-write-lock/notifies-sleepers-only'
  | 'read-write-lock/times-out'
  | 'read-write-lock/robust'
  | 'read-write-lock/attaches'

/** What a lock promises: the slug by which code, programs and mutants name it, and the sentence that stands for it. */
export const guarantees: Readonly<Record<Guarantee, string>> = {
  'read-write-lock/excludes':
    'While one thread holds the lock for writing nobody else holds it, and whoever holds it finds all that writers before have done.',
  'read-write-lock/shares': 'As many threads as there are seats hold the lock for reading at the same time.',
  'read-write-lock/writers-first':
    'A reader that comes while a writer has the lock or waits for it does not get it before the writer.',
  'read-write-lock/wakes':
    'No wake-up is lost: nobody sleeps for ever for a lock that is free, or for a seat after its reader has left.',
  'read-write-lock/notifies-sleepers-only':
    'A notify is called only for an announced sleeper, and at most once for each announcement.',
  'read-write-lock/times-out':
    'With a time-out, both return: not before the time is over, and not in vain if the lock was free, or its holder dead, by then.',
  'read-write-lock/robust':
    'A reader that died keeps nobody away; a writer that died, or gave up, is replaced by exactly one thread, which is told so and holds the lock for writing; and so on if that one dies, too.',
  'read-write-lock/attaches': 'Who attaches finds the whole lock as it was created, or gets an error while it is not there yet.',
}
