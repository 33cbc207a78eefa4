import type { Case } from '../cases.ts'

/**
 * By the numbers that the design gave them. MC30, that each check can fail, `test/specs/structure.ts` sees to: each place where the
 * ring touches shared memory is spoilt by a mistake that is refuted. That a reader validates by a read-modify-write, and not by a load,
 * is seen as a data race: `test/checker/guesses.test.ts`. And each stress test between threads runs on memories that make mistakes,
 * too: `test/core/broken-twins.test.ts`.
 */
export const cases: Readonly<Record<string, Case>> = {
  MC5: {
    what: 'A push, or the end, while a reader is about to sleep: no wake-up is lost.',
    programs: ['push1-wait-pop-batch/cap1', 'push2-close-pop/cap1'],
    mutants: ['the exchange of the position is torn', 'the end of the stream wakes nobody'],
  },
  MC9: {
    what: 'What is claimed and not yet written is not read; what is given back leaves no trace.',
    programs: ['claim1-try0', 'claim2-try2', 'push1-claim-all-try2'],
    mutants: ['what is claimed and given back is committed', 'a batch is published item by item'],
  },
  MC10: {
    what: 'The position is published after the item, and seen with it.',
    programs: ['visible2/cap1', 'push2-try2/cap2'],
    mutants: [
      'push writes nothing',
      'a push is not published',
      'a push is published as two, where the second slot holds an older item',
    ],
  },
  MC13: {
    what: 'The writer laps a reader while it copies: it looks afterwards whether it was lapped, and what was torn is never handed out.',
    programs: ['push2-try2/cap1', 'push3-try2/cap2', 'push5-try2/cap4-block2', 'push2-try1-2r'],
    mutants: [
      'the writer does not enter a block',
      'a reader uses what it copied before it is settled',
      'a reader takes a block for entered that was not',
    ],
    tests: { 'lossy-ring.test.ts': 'gives every reader what is still there, whole and in order, and counts the others' },
  },
  MC14: {
    what: 'A reader dies, or joins, while the writer pushes: nobody asks for it.',
    programs: ['push1-close-reader-dies/cap1', 'push3-join-oldest/cap2', 'push2-join-latest/cap1'],
    mutants: ['the writer sleeps before it enters a block again', 'who joins takes the oldest block for entered'],
  },
  MC15: {
    what: 'A reader that knows an old position, or the new one of a half that is still to come, reads nothing that is not there.',
    programs: ['visible3/cap2', 'push2-try2/cap1-wrap'],
    mutants: ['a reader sees the position as it was before'],
  },
  MC16: {
    what: 'Two ask for the only sink, one of them after the death of its owner.',
    programs: ['lossy-ring/one-sink', 'lossy-ring/one-sink-dies', 'push2-replaced-try1'],
    mutants: ['the sink is taken in two steps', 'the sink of the living is taken'],
  },
  MC17: {
    what: 'Positions wrap, and change their sign, also while a reader looks away.',
    programs: ['-wrap', '-sign'],
    mutants: ['who takes the place of a dead writer takes it to be in another half'],
    tests: { 'lossy-ring.test.ts': '5 * 2 ** 30 + 4' },
  },
  MC25: {
    what: 'A ring of one item and of two, batches larger than the ring, and batches that lie at its end and its beginning.',
    programs: ['push3-try2/cap1', 'push-batch4-try2-batch2/cap2', 'push1-push-batch2-look2/cap2'],
    mutants: [
      'a batch does not write its part at the end of the ring',
      'a batch does not write its part at the beginning of the ring',
    ],
  },
  MC29: {
    what: 'A writer pushes, closes and goes before any reader comes, or dies: what the ring still holds remains.',
    programs: ['push2-join-oldest/cap1', 'push2-close-pop/cap2-writer-dies', 'push2-replaced-try1/cap2'],
    mutants: ['the stream ends one item too early', 'a living writer is taken for dead'],
    open: 'Where all items lie in one block, a writer that dies right after it has entered that leaves nothing to be read: a block is given up as a whole. `LossyRingOptions.block` says so.',
  },
}
