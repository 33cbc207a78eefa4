/** The names of the guarantees. Anchors on the page of the roster, and what comments in `core` cite. */
export type Guarantee = 'roster/one-each' | 'roster/final' | 'roster/visible' | 'roster/attaches'

/** What a roster promises: the slug by which code, programs and mutants name it, and the sentence that stands for it. */
export const guarantees: Readonly<Record<Guarantee, string>> = {
  'roster/one-each': 'Whoever enters gets a number that nobody else has had, as long as a seat is free, and an error otherwise.',
  'roster/final': 'Who was struck off is not alive, for everybody and for ever; and nobody else is struck off by that.',
  'roster/visible': 'Who finds that somebody was struck off finds everything that was done before.',
  'roster/attaches': 'Who attaches finds the whole roster as it was created, or gets an error while it is not there yet.',
}
