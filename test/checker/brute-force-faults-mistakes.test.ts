/** The test of the test: explorers that are wrong about faults, each in one way, are found out by some random program. */

import { describe, expect, it } from 'vitest'
import { explore, exploreWith } from '../../checker/explore.ts'
import { Search } from '../../checker/search.ts'
import { ForwardingMemory } from '../../core/index.ts'
import type { Memory } from '../../core/memory.ts'
import type { History } from '../../model/history.ts'
import type { Faults, Program } from '../../model/program.ts'
import type { Explore } from '../oracle/compare.ts'
import { faultProfiles, type Sketch } from '../oracle/generate.ts'
import { Samples } from '../oracle/noticing.ts'

/** Explores the program as it would be with other faults. */
function withFaults(change: (faults: Faults<string>) => Faults<string>): Explore {
  return (program, options) => explore({ ...program, faults: change((program.faults ?? {}) as Faults<string>) }, options)
}

/** To whom everybody lives. */
function hopeful(memory: Memory): Memory {
  const { liveness } = memory
  if (liveness === undefined) throw new Error('a thread without liveness')
  const wrapped = new ForwardingMemory(memory)
  return Object.assign(wrapped, { liveness: { self: liveness.self, alive: (thread: number) => liveness.alive(thread) || true } })
}

function allHopeful(program: Program): Program {
  const threads = Object.entries(program.threads).map(([name, body]) => {
    return [name, (memory: Memory) => (body as (memory: Memory) => unknown)(hopeful(memory))]
  })
  return { ...program, threads: Object.fromEntries(threads) }
}

class BindsNobody extends Search {
  protected override boundBy(): number {
    return 0
  }
}

class ForgetsWhomAWriteCalms extends Search {
  protected override mayStartle(thread: number, node: History): boolean {
    return this.memory[node.word] === node.a && super.mayStartle(thread, node)
  }
}

class OverlooksTornBytes extends Search {
  constructor(...given: ConstructorParameters<typeof Search>) {
    super(...given)
    this.sequence.unordered.isTorn = () => false
  }
}

function withSearch(Mistaken: typeof Search): Explore {
  return (program, options) => exploreWith((...given) => new Mistaken(...given), program, options ?? {})
}

const mistakes: Readonly<Record<string, Explore>> = {
  'nobody is killed': withFaults(({ spurious }) => ({ ...(spurious && { spurious }) })),
  'one thread at most is killed': withFaults((faults) => ({ ...faults, ...(faults.kills && { kills: 1 }) })),
  'no wait comes back for no reason': withFaults(({ spurious, ...faults }) => faults),
  'everybody seems to live': (program, options) => explore(allHopeful(program), options),
  'who has chosen to be killed may choose again': withSearch(BindsNobody),
  'a wait comes back for no reason only where it stands': withSearch(ForgetsWhomAWriteCalms),
  'torn bytes are overlooked': withSearch(OverlooksTornBytes),
}

const samples = new Samples(faultProfiles, 200)

describe('mistakes about faults', () => {
  it.each(Object.entries(mistakes))('%s: is noticed', (_, mistaken) => {
    const found = samples.foundBy(mistaken)
    expect(found).toBeDefined()
    expect(samples.isWrong(found as Sketch, explore), 'without the mistake').toBe(false)
  })
})
