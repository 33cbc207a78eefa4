import { guarantee } from '../../checker/guarantee.ts'
import { reasonOf } from '../../core/folder.ts'
import type { Memory } from '../../core/memory.ts'
import { type Mark, type Program, program } from '../../model/program.ts'
import type { Guarantee } from './guarantees.ts'

/** Nothing was done to the files of these programs but what the queue and crashes do: whoever is told otherwise was misled. */
const broken: Readonly<Record<string, readonly [inThread: Guarantee, inRecovery: Guarantee]>> = {
  corrupt: ['queue/whole', 'queue/recovers'],
  damaged: ['queue/opens', 'queue/recovers'],
  missing: ['queue/opens', 'queue/recovers'],
  exists: ['queue/opens', 'queue/recovers'],
  'in-use': ['queue/survives', 'queue/recovers'],
}

/** A program in which an error that the queue, or its folder, should not have thrown breaks a guarantee. */
export function judged<R extends Record<string, unknown>>(spec: Program<R>): Program<R> {
  const threads = Object.entries(spec.threads).map(([name, body]) => [
    name,
    (memory: Memory, mark: Mark) => watched(0, () => body(memory, mark)),
  ])
  const { recover, finally: last } = spec
  return program<R>({
    ...spec,
    threads: Object.fromEntries(threads),
    ...(last && { finally: (memory, results) => watched(0, () => last(memory, results)) }),
    ...(recover && { recover: (memory, acknowledged) => watched(1, () => recover(memory, acknowledged)) }),
  })
}

function watched<T>(where: 0 | 1, body: () => T): T {
  try {
    return body()
  } catch (error) {
    const slug = broken[reasonOf(error) ?? '']?.[where]
    if (slug !== undefined) guarantee(slug, false, (error as Error).message)
    throw error
  }
}
