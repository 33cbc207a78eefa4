/** The names of the guarantees. Anchors on the page of the event, and what comments in `core` cite. */
export type Guarantee =
  | 'event/releases'
  | 'event/wakes'
  | 'event/notifies-sleepers-only'
  | 'event/times-out'
  | 'event/wraps'
  | 'event/robust'
  | 'event/attaches'

/** What an event promises: the slug by which code, programs and mutants name it, and the sentence that stands for it. */
export const guarantees: Readonly<Record<Guarantee, string>> = {
  'event/releases':
    'Who waits goes on once it is set, also when it is reset at once, and not before; and finds all that was done before it was set.',
  'event/wakes': 'No wake-up is lost: nobody sleeps for ever once it is set.',
  'event/notifies-sleepers-only': 'A notify is called only for an announced sleeper, and at most once for each announcement.',
  'event/times-out': 'With a time-out, wait returns: not before the time is over, and not in vain if it was set by then.',
  'event/wraps': 'All of this holds on where the count of changes wraps.',
  'event/robust': 'Who sleeps goes on also when the setter died before it could wake anybody.',
  'event/attaches': 'Who attaches finds the whole event as it was created, or gets an error while it is not there yet.',
}
