/** Searches with one mistake each: what the comparison with brute force must notice. */

import type { MakeSearch } from '../../checker/exploration.ts'
import { explore, exploreWith } from '../../checker/explore.ts'
import { Search } from '../../checker/search.ts'
import type { Explore } from '../oracle/compare.ts'

class RevisitsWhatIsNotMaximal extends Search {
  protected override canRevisit(): boolean {
    return true
  }
}

class RevisitsLookingAtTheReadOnly extends Search {
  protected override canRevisit(read: number, write: number): boolean {
    return this.isMaximal(read, write)
  }
}

class NeverRevisits extends Search {
  protected override canRevisit(): boolean {
    return false
  }
}

class ForgetsWhomAWriteServes extends Search {
  protected override servesOlder(): boolean {
    return false
  }
}

class ForgetsLaterWrites extends Search {
  protected override isOvertaken(): boolean {
    return false
  }
}

class TakesEverythingForStaying extends Search {
  protected override stays(): boolean {
    return true
  }
}

class SeesOnlyTheNewest extends Search {
  protected override earliest(_thread: number, location: number): number {
    return this.graph.lastWrite[location]
  }
}

class SeesWhatCausesOnly extends Search {
  protected override earliest(thread: number, location: number): number {
    const { graph } = this
    let write = graph.lastWrite[location]
    while (!graph.knownTo(write, thread)) write = graph.coPrevious[write]
    return write
  }
}

class SleepsAfterTheFact extends Search {
  protected override sleepsConsistently(): boolean {
    return true
  }
}

const searches = {
  RevisitsWhatIsNotMaximal,
  RevisitsLookingAtTheReadOnly,
  NeverRevisits,
  ForgetsWhomAWriteServes,
  ForgetsLaterWrites,
  TakesEverythingForStaying,
  SeesOnlyTheNewest,
  SeesWhatCausesOnly,
  SleepsAfterTheFact,
}

/** Explorers with a mistake, by name; `none` has none. */
export const explorers: Readonly<Record<string, Explore>> = {
  none: explore,
  ...Object.fromEntries(
    Object.entries(searches).map(([name, Mistaken]) => {
      const make: MakeSearch = (threads, initial, events, room) => new Mistaken(threads, initial, events, room)
      const mistaken: Explore = (program, options) => exploreWith(make, program, options ?? {})
      return [name, mistaken]
    }),
  ),
}
