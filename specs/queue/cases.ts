import type { Case } from '../cases.ts'

/**
 * By the numbers that the design gave them. MC30, that each check can fail, `test/specs/structure.ts` sees to: each place where the
 * queue touches shared memory or its folder is spoilt by a mistake that is refuted, or says why none can be.
 */
export const cases: Readonly<Record<string, Case>> = {
  MC1: {
    what: 'A segment cannot be made, and then it can: nothing is skipped, and no segment goes that was not read.',
    programs: ['queue/roll-fails', 'queue/acknowledging-kill-3i'],
    mutants: ['the lock is kept after a roll that failed', 'nothing leads to a new segment'],
    tests: { 'queue-damage.test.ts': 'without a file to open: says so, keeps what it has, and goes on when there is one' },
  },
  MC2: {
    what: 'The last item comes although nothing is sent after it, also when its producer is gone.',
    programs: ['queue/sending-1p1i', 'queue/ending-1p1i', 'queue/dying-1p1i'],
    mutants: ['a record is not published', 'the tail is not seen', 'the producer does not notify'],
  },
  MC3: {
    what: 'The last producer closes while the consumer is about to sleep, and the consumer makes room or goes while a producer is.',
    programs: ['queue/ending-1p1i', 'queue/full-and-empty-2', 'queue/cancels', 'queue/hands-over'],
    mutants: ['who closes is still there', 'the consumer does not notify', 'the consumer does not say so'],
  },
  MC4: {
    what: 'Items keep their order from one segment to the next, and at a full queue none comes twice.',
    programs: ['queue/sending-1p3i', 'queue/rolls-meanwhile', 'queue/full-and-empty-2', 'queue/going-round'],
    mutants: ['nothing leads to a new segment', 'the number of the last segment is an old one'],
  },
  MC5: {
    what: 'A record is published while the consumer is about to sleep: no wake-up is lost.',
    programs: ['queue/full-and-empty-2', 'queue/rolls-meanwhile'],
    mutants: [
      'a consumer sleeps on the tail that it sees later',
      'a consumer sleeps on a tail that it has not seen',
      'the announcement of a consumer is torn',
      'the announcement of a producer is torn',
    ],
  },
  MC6: {
    what: 'The next segment is there before the reader of this one has seen its last records.',
    programs: ['queue/sending-1p3i', 'queue/rolls-meanwhile', 'queue/reusing'],
    mutants: ['a segment is not closed', 'nobody is told that a segment is closed', 'a segment is not said to be whole'],
  },
  MC7: {
    what: 'A crash at each operation of sending, rolling, retiring and acknowledging, and in the recovery after it.',
    programs: [
      'queue/creating-power',
      'queue/appending-power-2+1i-durable',
      'queue/acknowledging-power-3i',
      'queue/reusing-power',
      'queue/recovering-kill-3i',
      'queue/recovering-twice',
      'queue/failing-twice',
      'queue/resurrecting-acknowledged',
    ],
    mutants: [
      'a segment is not on the disk when something leads to it',
      'files go before that is on the disk',
      'the epoch is not brought to the disk',
      'a recovery leaves the tail as it was',
    ],
    tests: { 'queue-kill-points.test.ts': 'leaves a queue that goes on with all that was sent' },
  },
  MC8: {
    what: 'A producer comes while the consumer looks whether all have gone.',
    programs: ['queue/hands-over', 'queue/ending-1p1i', 'queue/ended-by-power'],
    mutants: ['who looks for producers does not see that one came meanwhile', 'that a producer came is not said'],
  },
  MC9: {
    what: 'What is written and not yet published is not read, whoever else publishes.',
    programs: ['queue/sending-2p1i', 'queue/dying-together-2'],
    mutants: ['a record is not published', 'the lock is never free'],
  },
  MC10: {
    what: 'The tail is published after the record, and seen with it.',
    programs: ['queue/sending-1p1i', 'queue/dying-1p1i'],
    mutants: ['the payload is not written', 'the length of a record is not written'],
  },
  MC17: {
    what: 'Sequences wrap at 2^32, the word that producers sleep on at 2^30, and the numbers of segments pass 2^31.',
    programs: [
      'queue/wrapping-1-1073741821',
      'queue/wrapping-2147483647-4294967293',
      'queue/wrapping-kill-2147483647-4294967295',
    ],
    mutants: [
      'the number of items stays at the greatest',
      'the consumer stays at the greatest number',
      'the number of a segment stays at the greatest',
    ],
  },
  MC25: {
    what: 'Room for one item, segments of one and two, items of no bytes, as long as a segment, longer.',
    programs: ['queue/full-and-empty-2', 'queue/sending-1p3i', 'queue/limited-bytes', 'queue/drop-newest'],
    mutants: ['the consumer does not say how far it is', 'the place of the consumer is not seen'],
    tests: {
      'queue.test.ts': 'takes items of no bytes, and items that just fit',
      'queue-hopper.test.ts': 'an item larger than a file can be is refused, and those before and after it come',
    },
  },
  MC26: {
    what: 'A file gets another name, and becomes another segment, while somebody reads it or waits in it.',
    programs: ['queue/reusing', 'queue/reusing-kill'],
    mutants: [
      'a file becomes a new segment while a reader has it open',
      'a reader that has opened a file does not look whether it is retired',
    ],
    tests: { 'queue-files.test.ts': 'one that somebody reads is left to the reader, who finds in it what was there' },
  },
  MC27: {
    what: 'Who holds the lock dies, or is a member, or the consumer: its place is free, and its number may be that of another one.',
    programs: ['queue/dying-1p1i', 'queue/member-dies', 'queue/consumer-dies'],
    mutants: ['a dead member is taken for alive', 'a consumer that lives is taken for dead'],
    tests: {
      'queue-kills.test.ts': 'loses nothing that was sent, and gives nothing twice but what was not acknowledged',
      'queue-liveness.test.ts': 'is dead, although its process has its number again',
    },
  },
  MC29: {
    what: 'A producer sends, closes and goes before any consumer comes: its items remain.',
    programs: ['queue/retiring', 'queue/consumer-dies', 'queue/returning'],
    mutants: ['what is acknowledged is not kept', 'the number of the first segment is an old one'],
    tests: { 'queue.test.ts': 'keeps what a producer sent that left before any consumer came' },
  },
}
