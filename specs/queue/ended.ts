import { guarantee } from '../../checker/guarantee.ts'
import type { Program } from '../../model/program.ts'
import { judged } from './errors.ts'
import { folderWords, open } from './folder.ts'
import type { Guarantee } from './guarantees.ts'
import { ScratchMemory, SurvivorMemory } from './memories.ts'

/** A producer comes, and the power fails. Whoever receives after that waits for nobody: the stream has ended. */
export function endedByPower(): Program {
  return judged({
    name: 'queue/ended-by-power',
    words: folderWords,
    setup: (memory) => void open(new SurvivorMemory(memory, 0)),
    threads: {
      producer: (memory, mark) => {
        open(memory).producer()
        mark('ack', 'came')
      },
    },
    faults: { crash: 'power' },
    recover: (memory, acknowledged) => {
      const consumer = open(new SurvivorMemory(new ScratchMemory(memory), 9)).consumer()
      const nothing = consumer.tryReceive() === undefined
      guarantee('queue/recovers' satisfies Guarantee, nothing, 'something came that was not sent')
      guarantee('queue/ends' satisfies Guarantee, consumer.ended || !acknowledged.has('came'), 'it waits for ever')
    },
  })
}
