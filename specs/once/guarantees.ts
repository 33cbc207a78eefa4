/** The names of the guarantees. Anchors on the page of the once, and what comments in `core` cite. */
export type Guarantee =
  | 'once/runs-once'
  | 'once/wakes'
  | 'once/notifies-sleepers-only'
  | 'once/times-out'
  | 'once/robust'
  | 'once/attaches'

/** What a once promises: the slug by which code, programs and mutants name it, and the sentence that stands for it. */
export const guarantees: Readonly<Record<Guarantee, string>> = {
  'once/runs-once':
    'The body runs to its end once, and once more only if its runner died before it could say so; never twice at the same time; whoever is told that it is done finds all that it did.',
  'once/wakes': 'No wake-up is lost: nobody sleeps for ever once it is done.',
  'once/notifies-sleepers-only': 'A notify is called only for an announced sleeper, and at most once for each announcement.',
  'once/times-out':
    'With a time-out, run returns: not before the time is over, and not in vain if it was done, or nobody was at it, by then.',
  'once/robust':
    'A runner that died or threw is replaced by exactly one thread, whose body is told so, and so on if that one fails, too.',
  'once/attaches': 'Who attaches finds the whole once as it was created, or gets an error while it is not there yet.',
}
