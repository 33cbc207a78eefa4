/** The names of the guarantees. Anchors on the page, and what comments in `core` cite. */
export type Guarantee =
  | 'queue/order'
  | 'queue/once'
  | 'queue/whole'
  | 'queue/kept'
  | 'queue/survives'
  | 'queue/ends'
  | 'queue/wakes'
  | 'queue/one-consumer'
  | 'queue/cancels'
  | 'queue/opens'
  | 'queue/times-out'
  | 'queue/bounded'
  | 'queue/counted'
  | 'queue/retires'
  | 'queue/durable'
  | 'queue/recovers'

/** What the queue promises: the slug by which code, programs and mutants name it, and the sentence that stands for it. */
export const guarantees: Readonly<Record<Guarantee, string>> = {
  'queue/order':
    'Items come in one order, in which those of each producer are as it sent them, and nothing comes that was not sent.',
  'queue/once': 'While the consumer lives, each item comes once.',
  'queue/whole': 'An item that comes is, to the last byte, one that was sent.',
  'queue/kept': 'An item that was not acknowledged comes again to the next consumer, whatever happened to the last one.',
  'queue/survives': 'A producer that dies before any of its operations leaves a queue that the others go on with as before.',
  'queue/ends':
    'The stream ends when there have been producers and all have closed or are dead, after the last item, and not before.',
  'queue/wakes': 'Nobody sleeps who could go on: a consumer for whom there is an item, a producer for which there is room.',
  'queue/one-consumer': 'There is at most one living consumer.',
  'queue/cancels': 'After the consumer has said that it wants no more, nothing is sent.',
  'queue/opens': 'Of several who open a queue at once, whether it is there or not, all stand on the same one.',
  'queue/times-out':
    'A call with a time-out gives up when the time is over, not before, and not when there is what it waits for.',
  'queue/bounded': 'No more waits in the queue than its limits allow, and who is refused for that can go on when there is room.',
  'queue/counted':
    'What is dropped is counted once, whoever dies meanwhile, and the next consumer learns how many it has missed that none had acknowledged.',
  'queue/retires':
    'A file goes when nobody needs it: a segment when the consumer is done with it, a draft when its creator is dead.',
  'queue/durable': 'What `sync` has returned for, sent or acknowledged, is so after a power failure.',
  'queue/recovers':
    'After any crash, also of a recovery, whoever opens the queue finds what was sent up to some place, whole and in order, and goes on from there.',
}
