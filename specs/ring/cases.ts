import type { Case } from '../cases.ts'

/**
 * By the numbers that the design gave them. MC30, that each check can fail, `test/specs/structure.ts` sees to: each place where the
 * ring touches shared memory is spoilt by a mistake that is refuted; and each stress test between threads runs on memories that make
 * mistakes, too (`test/core/broken-twins.test.ts`).
 */
export const cases: Readonly<Record<string, Case>> = {
  MC5: {
    what: 'A push on an empty ring, a pop on a full one, while the other is about to sleep: no wake-up is lost.',
    programs: ['ring/push2-pop2/1w2r-cap1', 'ring/push2-wait-get-advance', 'ring/push2-popped2'],
    mutants: [
      'the writer does not notify',
      'a member that is done does not wake the writer',
      'a reader sleeps on whatever the word holds',
      'the announcement of a reader is torn',
    ],
  },
  MC9: {
    what: 'What is claimed and not yet written is not read.',
    programs: ['ring/claim2-commit1', 'ring/try-push-batch2', 'ring/try-claim2-heir'],
    mutants: ['what is claimed and given back is committed', 'written moves item by item'],
  },
  MC10: {
    what: 'The count is published after the data, and seen with it.',
    programs: ['ring/visible', 'ring/try4/1w1r-cap1'],
    mutants: ['the exchange of written changes places with what the writer does next'],
  },
  MC14: {
    what: 'A reader dies, never comes, or comes while the writer looks for the slowest; a seat is taken again while it looks.',
    programs: [
      'close-killed-reader0',
      'close-join/',
      'join-oldest',
      'try2-reader-heir',
      'try3-rejoin',
      'join-heir',
      'killed-member0',
      'killed-group',
    ],
    mutants: [
      'the writer does not see that somebody joined',
      'a member does not say where its claim ends',
      'a reader joins where the writer is about to close a position',
    ],
  },
  MC15: {
    what: 'Whoever looks at an old position errs on the safe side.',
    programs: ['ring/try3/1w2r-cap2', 'try2-advance/1w2r-cap2', 'try2-claims-of-dead'],
    mutants: [
      'what a dead member may have claimed is taken, also if it is gone',
      'the writer sees read one item further than it is',
      'a reader sees written one item further than it is',
    ],
  },
  MC16: {
    what: 'Two ask for the only sink, one of them after the death of its owner; or for what a dead member has claimed.',
    programs: ['ring/one-sink', 'ring/one-sink-left', 'ring/enter2', 'ring/two-heirs'],
    mutants: [
      'who goes on in the place of a dead member does not say so',
      'the sink is taken in two steps',
      'the sink of the dead is taken in two steps',
    ],
  },
  MC17: {
    what: 'Positions wrap, and change their sign.',
    programs: ['-wrap', '-sign'],
    mutants: ['written stays at the greatest signed word', 'read stays at the greatest unsigned word'],
  },
  MC24: {
    what: 'Both ends close at the same time, and a seat that was left is taken once.',
    programs: ['close-leave1', 'close-rejoin', 'group-anew'],
    mutants: ['a reader gives its seat up before it lets the writer go', 'a reader that leaves does not say so'],
  },
  MC25: {
    what: 'A ring of one item and of two, batches larger than the ring, and batches that end exactly with it.',
    programs: ['push-batch3-pop-batch2/1w1r-cap2', 'push1-push-batch2-pop-batch', '1w1r-cap1'],
    mutants: ['a batch does not write its part at the beginning of the ring'],
  },
  MC29: {
    what: 'A writer pushes, closes and goes before any reader comes: its items remain.',
    programs: ['ring/push2-close/1w1r-cap1', 'push2-close-join-oldest', 'try3-keeps'],
    mutants: ['the limit is raised further than there is need', 'the end of the stream is not published'],
  },
}
