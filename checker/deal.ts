import { type Place, pursue, wholePlace } from './coordinator.ts'
import type { Exploration } from './exploration.ts'
import { sum } from './tally.ts'

/** One of the parts that a tree is dealt out in, the first being 1. */
export interface Shard {
  readonly index: number
  readonly of: number
}

/** How many pieces there are for each shard, if the tree is that large. */
const piecesEach = 16
/** How far the largest piece is explored before its rest is cut up. */
const paths = 16
/** How often that is done at most, for each shard. */
const cutsEach = 64

/**
 * Cuts a tree up into pieces, in the order of the search: the same ones whenever and wherever it is done. Nothing here knows
 * the time; what is cut up next depends only on what was found so far.
 *
 * @param exploration one that is new: what it has learned could show
 */
export function cutUp(exploration: Exploration, shards: number): Place[] {
  const places: Place[] = [wholePlace]
  for (let cuts = 0; cuts < cutsEach * shards && places.length < piecesEach * shards; cuts++) {
    const largest = places.reduce((best, place, at) => (massOf(place) > massOf(places[best]) ? at : best), 0)
    const { tally, subtrees } = places[largest]
    if (subtrees.length === 0) break
    const { found, ...answer } = pursue(exploration, { subtrees, witnessed: [] }, { stop: () => true, askEvery: paths })
    // Who explores this piece will meet it again.
    if (found !== undefined) break
    const [first, ...rest] = answer.rest.map((subtree) => ({ ...wholePlace, subtrees: [subtree] }))
    const before = sum([tally, answer.tally])
    places.splice(largest, 1, { ...wholePlace, subtrees: first?.subtrees ?? [], tally: before }, ...rest)
  }
  return places.map((place, piece) => ({ ...place, piece }))
}

/** The pieces of one shard: large ones are dealt first, each to whoever has least. */
export function shardOf(places: readonly Place[], { index, of }: Shard): Place[] {
  const loads = Array.from({ length: of }, () => 0)
  const own: Place[] = []
  for (const place of [...places].sort((a, b) => massOf(b) - massOf(a) || a.piece - b.piece)) {
    const least = loads.indexOf(Math.min(...loads))
    // What is explored already weighs next to nothing, but need not all lie with one.
    loads[least] += massOf(place) + 1e-9
    if (least === index - 1) own.push(place)
  }
  return own.sort((a, b) => a.piece - b.piece)
}

function massOf({ subtrees }: Place): number {
  return subtrees.reduce((all, { mass }) => all + mass, 0)
}
