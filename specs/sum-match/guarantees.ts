/** The names of the guarantees. Anchors on the page, and what comments in `protocol.ts` cite. */
export type Guarantee = 'sum-match/sums' | 'sum-match/all-sent' | 'sum-match/ends'

/** What the protocol promises: the slug by which code, programs and mutants name it, and the sentence that stands for it. */
export const guarantees: Readonly<Record<Guarantee, string>> = {
  'sum-match/sums': 'For each sender, the receiver comes to the sum of all that this sender has published.',
  'sum-match/all-sent': 'A sender that was not killed has published all of its values.',
  'sum-match/ends': 'When every sender has left or is dead, the receiver comes to an end.',
}
