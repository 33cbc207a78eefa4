import type { Case } from '../cases.ts'

/**
 * By the numbers that the design gave them; most come from Agrona's many-to-one ring and Aeron's logs. MC30, that each check can fail,
 * `test/specs/structure.ts` sees to: each place where the ring touches shared memory is spoilt by a mistake that is refuted; and each
 * stress test between threads runs on memories that make mistakes, too (`test/core/broken-twins.test.ts`).
 */
export const cases: Readonly<Record<string, Case>> = {
  MC3: {
    what: 'The last sink closes while the source is about to sleep; the source closes while a sink sleeps on a full ring.',
    programs: ['push1-close', 'two-close', 'push-refused'],
    mutants: ['the end wakes nobody', 'the mark of the end is torn', 'a source that closes wakes nobody'],
  },
  MC5: {
    what: 'A push on an empty ring, a pop on a full one, while the other is about to sleep, each for more or less room: no wake-up is lost.',
    programs: ['push2-pop2/slots1', 'two-push1-pop2', 'push-long-push1-pop2'],
    mutants: ['the exchange of a frame word is torn', 'the exchange of the head is torn'],
  },
  MC9: {
    what: 'What is claimed and not yet written is not read, also when others publish behind it.',
    programs: ['claim-commit-try2', 'claim-abort-try2', 'holding', 'two-sinks-try2'],
    mutants: ['a source takes an empty slot for a frame', 'push writes nothing'],
  },
  MC10: {
    what: 'The length and the bytes are there when the frame is.',
    programs: ['try2/slots1', 'long/slots4'],
    mutants: ['push does not write the length', 'put writes nothing'],
  },
  MC11: {
    what: 'A sink dies after its claim, before it says how long it is: the source passes over it. One that is only slow is waited for, and nothing of it is written over.',
    programs: ['doomed-tryPush-tryPop-tryPop', 'doomed-tryPushLong-tryPush-tryPop', 'both-doomed-tryPushLong-tryPush', 'holding'],
    mutants: [
      'who pushes does not say where it claims',
      'the living are taken for dead',
      'the dead are taken for living',
      'what was published behind the dead is passed over, too',
    ],
    tests: { 'record-ring.test.ts': 'who lives and has claimed something is waited for, however long' },
  },
  MC12: {
    what: 'The dead leave a ring that is exactly full; padding of a single slot, and padding that ends at the wrap; no room at either end.',
    programs: [
      'doomed-tryPush-tryPush-tryPop/slots1',
      'doomed-tryPushLong-tryPush-tryPop/slots4-from3',
      'fit-exactlong-exact-empty/slots4-from3',
      'fit-exactlong-exact-exactlong/slots4-from1',
    ],
    mutants: ['what the dead had claimed is no padding', 'the frame is longer than what the dead had claimed'],
  },
  MC14: {
    what: 'The source dies, and another one takes its place; a seat of a dead sink is taken while others push.',
    programs: ['doomed-source-tryPop', 'seat-of-doomed', 'one-source'],
    mutants: [
      'who follows a dead source begins one record too late',
      'who takes the seat of a dead one seems to claim what that had claimed',
    ],
  },
  MC15: {
    what: 'Whoever looks at an old head errs on the safe side, also after all positions went by.',
    programs: ['try3/slots2', 'idle-for-long'],
    mutants: ['a sink takes a full ring for one with room', 'a sink takes the last free slot for taken'],
  },
  MC16: {
    what: 'Two ask for the only source, or for the same seat, one of them after the death of its owner.',
    programs: ['one-source', 'two-seats'],
    mutants: ['a seat is taken in two steps', 'the seat of the living is taken'],
  },
  MC17: {
    what: 'Positions wrap, and change their sign.',
    programs: ['-wrap', '-sign', 'idle-for-long'],
    mutants: ['a sink does not see that an era went by', 'a new era is not said'],
  },
  MC25: {
    what: 'A ring of one slot and of two, records without bytes, such that fit to the last byte, and such that are a byte over.',
    programs: ['fit-empty-empty/slots1', 'fit-exact-exact-exact/slots2', 'fit-over-exact-over', 'fit-empty-over-exactlong'],
    mutants: ['a record without bytes is taken for padding', 'the length is read as one more'],
    tests: { 'record-ring.test.ts': 'refuses what makes no sense' },
  },
  starvation: {
    what: 'A long record waits, and short ones keep taking the room that becomes free.',
    programs: ['push-long-push1-pop2'],
    mutants: ['the exchange of the head is torn'],
    tests: { 'record-ring.test.ts': 'a long record waits for as long as short ones take the room' },
    open: 'It may wait for ever: room goes to whoever claims it first. That it is woken and goes through when the others leave room is checked.',
  },
}
