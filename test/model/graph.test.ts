/** The graph that a search changes in place and changes back: at every end of a path it must be a consistent whole. */

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Broken } from '../../checker/broken.ts'
import { Search } from '../../checker/search.ts'
import { type Graph, isUpdate, PLAIN_READ, PLAIN_WRITE, SHARED_WRITE, WAIT_TEST, WAKE } from '../../model/graph.ts'
import { withGuards } from '../../model/guards.ts'
import { threadsOf } from '../../model/history.ts'
import type { Program } from '../../model/program.ts'
import { profiles, programOf, sketches } from '../oracle/generate.ts'

const writes = (kind: number): boolean => kind === SHARED_WRITE || kind === PLAIN_WRITE || isUpdate(kind)

function eventsOf(graph: Graph): number[] {
  return graph.order.flatMap((order, thread) => [...order.subarray(0, graph.length[thread])])
}

/** What is wrong with the lists of a graph; undefined when nothing is. */
function brokenList(graph: Graph): string | undefined {
  const live = new Set(eventsOf(graph))
  const placed = new Set<number>()
  const read = new Set<number>()
  for (let location = 0; location < graph.locations; location++) {
    let previous = -1
    for (let write = location; write >= 0; write = graph.coNext[write]) {
      if (previous >= 0 && graph.coPrevious[write] !== previous) return `write ${write} does not know what it follows`
      if (write !== location) placed.add(write)
      for (let reader = graph.firstReader[write]; reader >= 0; reader = graph.nextReader[reader]) {
        if (graph.rf[reader] !== write) return `reader ${reader} of ${write} reads from ${graph.rf[reader]}`
        read.add(reader)
      }
      previous = write
    }
    if (graph.lastWrite[location] !== previous) return `location ${location} does not know its last write`
  }
  for (const event of live) {
    if (writes(graph.kind[event]) ? !placed.has(event) : !read.has(event)) return `event ${event} is in no list`
  }
  return placed.size + read.size === live.size ? undefined : 'a list holds an event that is gone'
}

/** Whether po, rf, co and fr have a cycle, a wait that falls asleep being one event. */
function hasCycle(graph: Graph): boolean {
  const group = (event: number): number => {
    const order = graph.order[graph.thread[event]]
    const index = graph.index[event]
    for (const back of [1, 2]) if (index >= back && graph.kind[order[index - back]] === WAIT_TEST) return order[index - back]
    return event
  }
  const after = new Map<number, Set<number>>()
  const edge = (from: number, to: number): void => {
    if (graph.thread[from] < 0 || group(from) === group(to)) return
    const set = after.get(group(from)) ?? new Set()
    after.set(group(from), set.add(group(to)))
  }
  for (const event of eventsOf(graph)) {
    const order = graph.order[graph.thread[event]]
    if (graph.index[event] > 0) edge(order[graph.index[event] - 1], event)
    const kind = graph.kind[event]
    if (kind === PLAIN_READ || kind === PLAIN_WRITE) continue
    if (writes(kind)) {
      edge(graph.coPrevious[event], event)
      continue
    }
    edge(graph.rf[event], event)
    if (kind !== WAKE && graph.coNext[graph.rf[event]] >= 0) edge(event, graph.coNext[graph.rf[event]])
  }
  const state = new Map<number, 'open' | 'done'>()
  const visit = (event: number): boolean => {
    if (state.get(event) === 'done') return false
    if (state.get(event) === 'open') return true
    state.set(event, 'open')
    for (const next of after.get(event) ?? []) if (visit(next)) return true
    state.set(event, 'done')
    return false
  }
  return [...after.keys()].some(visit)
}

/** A string that is the same for two graphs exactly when they are the same execution. */
function keyOf(graph: Graph): string {
  const name = (event: number): string => (graph.thread[event] < 0 ? `i${event}` : `${graph.thread[event]}.${graph.index[event]}`)
  const parts = eventsOf(graph).map((event) => {
    const from = writes(graph.kind[event]) ? graph.coPrevious[event] : graph.rf[event]
    return `${name(event)}:${graph.kind[event]}<${name(from)}`
  })
  return parts.sort().join()
}

function searchOf(program: Program, histories?: number): Search {
  return new Search(threadsOf(program, 200), new Int32Array(program.words), 200, histories)
}

/** Walks all paths of a program. Returns how many executions there are. */
function walk(program: Program, judge: (graph: Graph, complete: boolean) => void, histories?: number): number {
  const search = searchOf(program, histories)
  let executions = 0
  for (let leaves = 0; leaves < 500; leaves++) {
    const leaf = search.advance()
    if (leaf === undefined) break
    if (leaf !== 'complete' && leaf !== 'blocked' && leaf !== 'stuck') continue
    judge(search.graph, leaf === 'complete')
    if (leaf === 'complete') executions++
  }
  return executions
}

describe.each(profiles)('on random programs of profile %s', (profile) => {
  it('every end of a path is consistent, its lists are whole, and no execution comes twice', () => {
    let graphs = 0
    fc.assert(
      fc.property(sketches(profile), (sketch) => {
        const seen = new Set<string>()
        try {
          withGuards(() =>
            walk(programOf(sketch), (graph, complete) => {
              graphs++
              expect(brokenList(graph)).toBeUndefined()
              expect(hasCycle(graph)).toBe(false)
              if (!complete) return
              const key = keyOf(graph)
              expect(seen.has(key)).toBe(false)
              seen.add(key)
            }),
          )
        } catch (error) {
          if (!(error instanceof Broken)) throw error // A program that fails is judged elsewhere.
        }
      }),
      { numRuns: 100 },
    )
    expect(graphs).toBeGreaterThan(20)
  })
})

describe('forgetting histories', () => {
  it('costs runs of user code and nothing else', () => {
    const adders: Program = {
      name: 'adders',
      words: 1,
      threads: Object.fromEntries(
        [1, 10, 100].map((step) => [
          `by${step}`,
          (memory) => {
            for (let i = 0; i < 3; i++) memory.add(0, step)
          },
        ]),
      ),
    }
    const whole = searchOf(adders)
    while (whole.advance() !== undefined);
    const runs = whole.threads.reduce((sum, thread) => sum + thread.runs, 0)
    const forgetful = searchOf(adders, 3)
    let executions = 0
    for (let leaf = forgetful.advance(); leaf !== undefined; leaf = forgetful.advance()) if (leaf === 'complete') executions++
    expect(executions).toBe(1680)
    expect(forgetful.threads.reduce((sum, thread) => sum + thread.runs, 0)).toBeGreaterThan(runs)
  })
})
