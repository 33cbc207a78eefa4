/** The test of the test: explorers that are wrong about faults, each in one way, are found out by some random program. */

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { explore, exploreWith } from '../../checker/explore.ts'
import { Search } from '../../checker/search.ts'
import { ForwardingMemory } from '../../core/index.ts'
import type { Memory } from '../../core/memory.ts'
import { KILLED, WAIT } from '../../model/operation.ts'
import type { Faults, Program } from '../../model/program.ts'
import type { BruteForceResult } from '../oracle/brute-force.ts'
import { compare, type Explore, oracle } from '../oracle/compare.ts'
import { faultProfiles, type Sketch, sketches } from '../oracle/generate.ts'

/** At most this many programs of each profile. */
const programs = 200

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

class TakesKillsForMaximal extends Search {
  protected override isMaximal(event: number, write: number): boolean {
    return this.graph.node[event].kind === KILLED || super.isMaximal(event, write)
  }
}

class NeverRevisitsWaits extends Search {
  protected override canRevisit(read: number, write: number): boolean {
    return this.graph.node[read].kind !== WAIT && super.canRevisit(read, write)
  }
}

class OverlooksTornBytes extends Search {
  constructor(...given: ConstructorParameters<typeof Search>) {
    super(...given)
    this.graph.tornBelow = () => -1
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
  'kills are taken for maximal': withSearch(TakesKillsForMaximal),
  'waits are never revisited': withSearch(NeverRevisitsWaits),
  'torn bytes are overlooked': withSearch(OverlooksTornBytes),
}

/** Programs of all profiles in turn, the same for every mistake. */
const samples: readonly Sketch[] = (() => {
  const lists = faultProfiles.map((profile) => fc.sample(sketches(profile), { numRuns: programs, seed: 42 }))
  return Array.from({ length: programs }, (_, index) => lists.map((list) => list[index])).flat()
})()
const truths = new Map<Sketch, BruteForceResult>()

function truthOf(sketch: Sketch): BruteForceResult {
  const truth = truths.get(sketch) ?? oracle(sketch)
  truths.set(sketch, truth)
  return truth
}

/** The first program whose comparison with brute force goes wrong. */
function foundBy(explore: Explore): Sketch | undefined {
  const bounded: Explore = (program, options) => explore(program, { ...options, seconds: 2 })
  return samples.find((sketch) => !truthOf(sketch).limited && compare(sketch, truthOf(sketch), bounded) !== undefined)
}

describe('mistakes about faults', () => {
  it.each(Object.entries(mistakes))('%s: is noticed', { timeout: 120_000 }, (_, mistaken) => {
    const found = foundBy(mistaken)
    expect(found).toBeDefined()
    expect(compare(found as Sketch, truthOf(found as Sketch), explore), 'without the mistake').toBeUndefined()
  })
})
