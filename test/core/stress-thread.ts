import type { Check } from '../../checker/check.ts'
import { Dice, WatchedMemory } from '../../checker/stress.ts'
import { ForwardingMemory } from '../../core/forwarding-memory.ts'
import type { Memory, WaitResult } from '../../core/memory.ts'
import { SharedMemory } from '../../core/shared-memory.ts'
import { mutants as lossyRing } from '../../specs/lossy-ring/mutants.ts'
import type { Wrap } from '../../specs/mutants.ts'
import { mutants as recordRing } from '../../specs/record-ring/mutants.ts'
import { gateMutants } from '../../specs/ring/gate-mutants.ts'
import { joinMutants } from '../../specs/ring/join-mutants.ts'
import { mutants as ring } from '../../specs/ring/mutants.ts'
import { mutants as workRing } from '../../specs/work-ring/mutants.ts'
import { lateCopies } from './late-copies.ts'
import { lossyRingRoles } from './lossy-ring-stress.ts'
import { recordRingRoles } from './record-ring-stress.ts'
import { ringRoles } from './ring-stress.ts'
import { workRingRoles } from './work-ring-stress.ts'

type Structure = 'ring' | 'workRing' | 'recordRing' | 'lossyRing'
type Roles = Readonly<Record<string, (memory: Memory, data: never) => unknown>>

const roles: Readonly<Record<Structure, Roles>> = {
  ring: ringRoles,
  workRing: workRingRoles,
  recordRing: recordRingRoles,
  lossyRing: lossyRingRoles,
}
const mutants: Readonly<Record<Structure, readonly Check[]>> = {
  ring: [...ring, ...joinMutants, ...gateMutants],
  workRing,
  recordRing,
  lossyRing,
}

/** What a thread does. */
export interface Job {
  readonly structure: Structure
  readonly role: string
  /** The name of the thread in the programs of the specs. */
  readonly thread: string
  readonly buffer: SharedArrayBuffer
  readonly data: unknown
}

/** A memory that makes a mistake. */
export interface Twin {
  /** By the name that it has in the specs, where the explorer refutes it, or in `late-copies.ts`; none: only the rest is done. */
  readonly mistake: string | undefined
  /** Of the moments that it takes over its operations. */
  readonly seed: number
}

/**
 * Runs each job in a thread of its own, all at the same time.
 *
 * @returns what they returned
 * @throws what was thrown first, when all are done
 */
export type Threads = (jobs: readonly Job[], twin?: Twin) => Promise<unknown[]>

/** Does a job on the memory itself, or on one that makes a mistake. */
export function work({ structure, role, thread, buffer, data }: Job, twin?: Twin): unknown {
  const shared = new SharedMemory(buffer)
  const memory = twin === undefined ? shared : mistaken(structure, shared, thread, twin)
  const play = roles[structure][role]
  if (play === undefined) throw new RangeError(`${structure} has no role '${role}'`)
  return play(memory, data as never)
}

function mistaken(structure: Structure, memory: Memory, thread: string, { mistake, seed }: Twin): Memory {
  // Beneath the mistake each operation may take a while: between the halves of one that is torn the others get in.
  const slow = new WatchedMemory(memory, new Dice(seed))
  if (mistake === undefined) return new ImpatientMemory(slow, 50 * patienceMs)
  return new ImpatientMemory(wrapOf(structure, mistake)(slow, thread), patienceMs)
}

function wrapOf(structure: Structure, mistake: string): Wrap {
  const mutant = mutants[structure].find((check) => check.mutant?.name === mistake)?.mutant
  const wrap = mutant?.memory ?? lateCopies[mistake]
  if (wrap === undefined) throw new RangeError(`no mistake of ${structure} is called '${mistake}'`)
  return wrap
}

/** With a mistake, who sleeps for so long sleeps for ever, and so does a job that takes three times as long. */
const patienceMs = 400

/** A memory on which what would not end throws: a thread that hangs says so, and can go on with the next job. */
class ImpatientMemory extends ForwardingMemory {
  private readonly patienceMs: number
  private readonly deadline: number

  constructor(memory: Memory, patienceMs: number) {
    super(memory)
    this.patienceMs = patienceMs
    this.deadline = memory.now() + 3 * patienceMs
  }

  override wait(word: number, expected: number, timeoutMs: number = Infinity): WaitResult {
    const result = super.wait(word, expected, Math.min(timeoutMs, this.patienceMs))
    if (result === 'timed-out' && timeoutMs > this.patienceMs) throw new Error('it sleeps, and nobody wakes it')
    return result
  }

  override load(word: number): number {
    if (this.now() > this.deadline) throw new Error('it looks again and again, and goes on for ever')
    return super.load(word)
  }
}
