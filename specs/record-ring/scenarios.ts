import { role, type ScenarioBounds, type Subject } from '../../checker/scenario.ts'
import { RecordRing } from '../../core/record-ring.ts'
import type { RecordSink } from '../../core/record-ring-sink.ts'
import type { RecordSource } from '../../core/record-ring-source.ts'
import type { Sequential } from '../../model/sequential.ts'
import { AnonymousMemory } from '../memories.ts'
import {
  belowSignChange,
  belowWrap,
  createTaken,
  numberOf,
  optionsOf,
  queueOf,
  reader,
  recordOf,
  type Shape,
  sinkOf,
  sourceOf,
} from './programs.ts'

/** The record ring as scenarios use it: any of two senders, one receiver, and it is a plain queue of records. */

const sinks = 2
const long = 69
const giveUpMs = 5

const sending = {
  tryPush: { call: (sink: RecordSink, n: number) => sink.tryPush(recordOf(n)), arguments: 'numbered' },
  tryPushLong: { call: (sink: RecordSink, n: number) => sink.tryPush(recordOf(n, long)), arguments: 'numbered' },
  push: { call: (sink: RecordSink, n: number) => sink.push(recordOf(n)), arguments: 'numbered' },
  pushOrGiveUp: { call: (sink: RecordSink, n: number) => sink.push(recordOf(n), giveUpMs), arguments: 'numbered' },
} as const

const number = (record: Uint8Array | undefined): number | false => record !== undefined && numberOf(record)

const receiving = {
  tryPop: { call: (source: RecordSource) => number(source.tryPop()) },
  pop: { call: (source: RecordSource) => number(source.pop()) },
  popOrGiveUp: { call: (source: RecordSource) => number(source.pop(giveUpMs)) },
  drain: {
    call: (source: RecordSource) => {
      const drained: number[] = []
      source.drain((_, length) => {
        const target = new Uint8Array(length)
        source.readInto(target, drained.length)
        drained.push(numberOf(target))
      })
      return drained.join()
    },
  },
} as const

/** A plain queue; whoever gives up does so where one that tries finds nothing. */
function specificationOf(shape: Shape, senders: number): Sequential<unknown> {
  const queue = queueOf(shape, sinks, senders > 1)
  const { tryPush, tryPop } = queue.operations
  return { ...queue, operations: { ...queue.operations, pushOrGiveUp: tryPush, popOrGiveUp: tryPop } } as Sequential<unknown>
}

function recordRing(
  name: string,
  shape: Shape,
  sends: readonly (keyof typeof sending)[],
  receives: readonly (keyof typeof receiving)[],
  senders = sinks,
): Subject {
  const whole = { ...shape, sinks }
  return {
    name: `record-ring/${name}`,
    words: RecordRing.words(optionsOf(whole)),
    setup: (memory) => createTaken(memory, whole),
    history: { specification: specificationOf(shape, senders), mayWait: true },
    roles: {
      sink: role<RecordSink>({
        most: senders,
        attach: (memory, { index }) => sinkOf(new AnonymousMemory(memory), whole, index),
        operations: Object.fromEntries(sends.map((key) => [key, sending[key]])),
      }),
      [reader]: role<RecordSource>({
        most: 1,
        attach: (memory) => sourceOf(new AnonymousMemory(memory), whole),
        operations: Object.fromEntries(receives.map((key) => [key, receiving[key]])),
      }),
    },
  }
}

const both = ['tryPush', 'tryPushLong'] as const

/** The record ring in all the ways in which scenarios use it, and how large they are to be. */
export const subjects: readonly (readonly [Subject, ScenarioBounds])[] = [
  [recordRing('tries', { slots: 4 }, both, ['tryPop', 'drain'], 1), { threads: 2, operations: 3 }],
  [recordRing('pads', { slots: 4, start: 3 }, both, ['tryPop'], 1), { threads: 2, operations: 3 }],
  [recordRing('tries-together', { slots: 2 }, ['tryPush'], ['tryPop']), { threads: 3, operations: 2, total: 4 }],
  [recordRing('pads-together', { slots: 4, start: 3 }, both, ['tryPop']), { threads: 3, operations: 2, total: 4 }],
  [recordRing('wrap', { slots: 1, start: belowWrap }, ['tryPush'], ['tryPop']), { threads: 3, operations: 2, total: 4 }],
  [recordRing('sign-change', { slots: 1, start: belowSignChange }, ['tryPush'], ['tryPop']), { threads: 2, operations: 3 }],
  [recordRing('waits', { slots: 1 }, ['push'], ['pop'], 1), { threads: 2, operations: 2 }],
  [recordRing('waits-together', { slots: 1 }, ['push'], ['pop']), { threads: 3, operations: 2, total: 4 }],
  [recordRing('gives-up', { slots: 1 }, ['pushOrGiveUp'], ['popOrGiveUp']), { threads: 2, operations: 2 }],
]
