/** The names of the guarantees. Anchors on the page of the barrier, and what comments in `core` cite. */
export type Guarantee =
  | 'barrier/together'
  | 'barrier/wakes'
  | 'barrier/notifies-sleepers-only'
  | 'barrier/times-out'
  | 'barrier/wraps'
  | 'barrier/robust'
  | 'barrier/attaches'

/** What a barrier promises: the slug by which code, programs and mutants name it, and the sentence that stands for it. */
export const guarantees: Readonly<Record<Guarantee, string>> = {
  'barrier/together':
    'Nobody goes on before all have come; then each finds all that the others did before they came, and exactly one is told that it was the last.',
  'barrier/wakes': 'No wake-up is lost: nobody sleeps for ever once all have come.',
  'barrier/notifies-sleepers-only': 'A notify is called only for an announced sleeper, and at most once for each announcement.',
  'barrier/times-out':
    'With a time-out, wait returns: not before the time is over, and not in vain if all had come by then; who gave up counts no longer.',
  'barrier/wraps': 'All of this holds on where the count of arrivals wraps.',
  'barrier/robust': 'Who waits in time goes on once all have come, also when the last one died before it could wake anybody.',
  'barrier/attaches': 'Who attaches finds the whole barrier as it was created, or gets an error while it is not there yet.',
}
