/** Searches with one mistake each: what the comparison with brute force must notice. */

import type { Entry } from '../../checker/entry.ts'
import type { MakeSearch } from '../../checker/exploration.ts'
import { explore, exploreWith } from '../../checker/explore.ts'
import { Search } from '../../checker/search.ts'
import type { Explore } from '../oracle/compare.ts'

class NeverReverses extends Search {
  protected override reverse(): void {}
}

class ReversesEverywhere extends Search {
  protected override lastForeign(): Entry {
    return this.sequence.nothing
  }
}

class ReversesWithNothingBroughtBefore extends Search {
  protected override isCause(): boolean {
    return false
  }
}

class TakesAllForTheFirst extends Search {
  protected override isFirst(): boolean {
    return true
  }
}

class ForgetsWhomAWriteStops extends Search {
  protected override findStopped(): void {}
}

class ForgetsWhoComesTooLate extends Search {
  protected override findMissed(): void {}
}

class ForgetsThatTimeIsOver extends Search {
  protected override findExpired(): void {}
}

class LetsSleepersBeWrittenUnder extends Search {
  protected override endOf(step: Entry): Entry {
    return step
  }
}

const searches = {
  NeverReverses,
  ReversesEverywhere,
  ReversesWithNothingBroughtBefore,
  TakesAllForTheFirst,
  ForgetsWhomAWriteStops,
  ForgetsWhoComesTooLate,
  ForgetsThatTimeIsOver,
  LetsSleepersBeWrittenUnder,
}

/** Explorers with a mistake, by name; `none` has none. */
export const explorers: Readonly<Record<string, Explore>> = {
  none: explore,
  ...Object.fromEntries(
    Object.entries(searches).map(([name, Mistaken]) => {
      const make: MakeSearch = (threads, initial, events) => new Mistaken(threads, initial, events)
      const mistaken: Explore = (program, options) => exploreWith(make, program, options ?? {})
      return [name, mistaken]
    }),
  ),
}
