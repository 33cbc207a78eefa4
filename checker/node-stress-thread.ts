/** One thread of a program under stress, in a worker of its own that stays for many rounds. */
import { parentPort, workerData } from 'node:worker_threads'
import type { Memory } from '../core/memory.ts'
import { faultsOf, type ThreadFaults } from '../model/faults.ts'
import type { Mark } from '../model/program.ts'
import { oneLine } from './node-input-error.ts'
import { loadChecks } from './node-load.ts'
import { threadData } from './node-thread.ts'
import { Dice, dawdle, type Fate, killed, WatchedMemory } from './stress.ts'
import { type Arena, ParticipantMemory, progressAt, Round } from './stress-arena.ts'

/** How a batch runs: as in production; counted; or counted and disturbed, with the faults that the program allows. */
export type Mode = 'plain' | 'counted' | 'disturbed'

export type StressOrder =
  | { readonly kind: 'program'; readonly index: number; readonly thread: string; readonly arena: Arena }
  | { readonly kind: 'batch'; readonly slot: number; readonly rounds: number; readonly mode: Mode }

export type StressAnswer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'finished'; readonly results: readonly unknown[]; readonly operations: number }
  | { readonly kind: 'thrown'; readonly message: string }

interface Role {
  readonly self: number
  readonly control: Int32Array
  readonly rounds: readonly (readonly { readonly meeting: Round; readonly memory: ParticipantMemory }[])[]
  readonly faults: ThreadFaults
  body(memory: Memory, mark: Mark): unknown
  /** How many SeqCst operations it did when it last came to its end. */
  steps: number
}

const noMark: Mark = () => {}
const dice = new Dice(Math.floor(Math.random() * 2 ** 31))

async function take({ arena, index, thread }: StressOrder & { kind: 'program' }): Promise<Role> {
  const checks = await loadChecks([threadData<{ file: string }>(workerData).file])
  const { program } = checks[index].check
  const self = Object.keys(program.threads).indexOf(thread)
  const rounds = [0, 1].map((slot) =>
    Array.from({ length: arena.capacity }, (_, number) => ({
      meeting: new Round(arena, slot, number),
      memory: new ParticipantMemory(arena, slot, number, self),
    })),
  )
  const control = new Int32Array(arena.control)
  return { self, control, rounds, faults: faultsOf(program, thread), body: program.threads[thread], steps: 0 }
}

/** What happens to the thread in its next disturbed round: in about half of them it dies somewhere, if it may. */
function fateOf({ self, faults, steps }: Role, meeting: Round): Fate {
  const { kills, spurious } = faults
  const deathAt = kills > 0 ? dice.below(2 * steps + 2) : Infinity
  return { deathAt, die: () => meeting.kill(self, kills), spurious }
}

function runBatch(role: Role, { slot, rounds, mode }: StressOrder & { kind: 'batch' }): StressAnswer {
  const { self, control, body } = role
  const results: unknown[] = []
  let operations = 0
  for (const { meeting, memory } of role.rounds[slot].slice(0, rounds)) {
    meeting.meet()
    // Mostly close together, sometimes far apart: up to some microseconds.
    if (dice.below(4) !== 0) dawdle(dice.below(2 << dice.below(12)))
    Atomics.add(control, progressAt(self), 1)
    if (mode === 'plain') {
      results.push(body(memory, noMark))
    } else {
      const watched = mode === 'disturbed' ? new WatchedMemory(memory, dice, fateOf(role, meeting)) : new WatchedMemory(memory)
      const result = watched.run((watching) => body(watching, noMark))
      operations += watched.operations
      if (result !== killed) role.steps = watched.steps
      // The judge sees by itself who was killed.
      results.push(result === killed ? undefined : result)
    }
    Atomics.add(control, progressAt(self), 1)
  }
  return { kind: 'finished', results, operations }
}

let role: Role | undefined

async function obey(order: StressOrder): Promise<StressAnswer> {
  if (order.kind === 'program') {
    role = await take(order)
    return { kind: 'ready' }
  }
  try {
    return runBatch(role as Role, order)
  } catch (error) {
    return { kind: 'thrown', message: oneLine(error) }
  }
}

parentPort?.on('message', async (order: StressOrder) => {
  parentPort?.postMessage(await obey(order))
})
