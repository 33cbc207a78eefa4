import { describe, expect, it } from 'vitest'
import { seed } from '../seed.ts'
import { stressLossyRing } from './lossy-ring-stress.ts'
import { stressRecordRing } from './record-ring-stress.ts'
import { stressRing, stressRingWithVisitor } from './ring-stress.ts'
import { inThreads } from './stress.ts'
import type { Twin } from './stress-thread.ts'
import { stressWorkRing } from './work-ring-stress.ts'

/**
 * The stress tests between threads, run on a memory that makes a mistake: each must notice it, or it would notice nothing. Where
 * there is none, and everything else is the same, nothing is noticed.
 */

const hangs = /nobody wakes it|goes on for ever/
const wrong = /is torn|came where|came after|came twice/
const any = new RegExp(`${hangs.source}|${wrong.source}|never came|before the end|were pushed|was refused`)

const stresses: Readonly<Record<string, (twin: Twin) => Promise<unknown>>> = {
  'a ring': (twin) => stressRing(inThreads, { capacity: 2, itemBytes: 40, readers: 2, items: 1000, batch: 0, spins: 0 }, twin),
  'a ring with batches': (twin) =>
    stressRing(inThreads, { capacity: 8, itemBytes: 40, readers: 1, items: 1000, batch: 5, spins: 0 }, twin),
  'a ring where a reader comes and goes': (twin) =>
    stressRingWithVisitor(inThreads, { capacity: 4, itemBytes: 40, items: 1000, batch: 0, spins: 20 }, twin),
  'a work ring': (twin) =>
    stressWorkRing(inThreads, { capacity: 1, itemBytes: 40, seats: 1, pushers: 2, poppers: 2, items: 1000, spins: 0 }, twin),
  'a work ring with batches': (twin) =>
    stressWorkRing(inThreads, { capacity: 4, itemBytes: 40, pushers: 2, poppers: 2, items: 1000, spins: 0, batch: 5 }, twin),
  'a record ring': (twin) => stressRecordRing(inThreads, { bytes: 512, sinks: 2, records: 1000, spins: 0 }, twin),
  'a lossy ring': (twin) =>
    stressLossyRing(inThreads, { capacity: 1, itemBytes: 4096, start: 0, items: 3000, batch: 0, naps: [0, 0] }, twin),
}

const mistakes: readonly (readonly [stress: string, mistake: string, shows: RegExp])[] = [
  ['a ring', 'the writer does not notify', hangs],
  ['a ring', 'the exchange of written is torn', any],
  ['a ring', 'the exchange of read is torn', any],
  ['a ring', 'the announcement of a reader is torn', any],
  ['a ring', 'the writer does not look at the second reader', wrong],
  ['a ring', 'the writer sees read one item further than it is', wrong],
  ['a ring', 'a reader sees written one item further than it is', wrong],
  ['a ring', 'what is written comes after it was published', wrong],
  ['a ring', 'what is read is copied after it was given back', wrong],
  ['a ring with batches', 'a batch does not write its part at the beginning of the ring', wrong],
  ['a ring with batches', 'what is written comes after it was published', wrong],
  ['a ring where a reader comes and goes', 'the writer does not say how far it writes', wrong],
  ['a ring where a reader comes and goes', 'a reader does not say that it joins', wrong],
  ['a ring where a reader comes and goes', 'a reader does not wake the one behind', hangs],
  ['a work ring', 'an item is claimed in two steps', any],
  ['a work ring', 'a push claims two slots', any],
  ['a work ring', 'the exchange of a slot is torn', any],
  ['a work ring', 'who closes does not say so', hangs],
  ['a work ring', 'what is written comes after it was published', wrong],
  ['a work ring', 'what is read is copied after it was given back', wrong],
  ['a work ring with batches', 'a batch is claimed in two steps', any],
  ['a work ring with batches', 'a pop wakes one of those who sleep', hangs],
  ['a record ring', 'a thread that changes the head does not notify', hangs],
  ['a record ring', 'the exchange of the head is torn', any],
  ['a record ring', 'a seat is taken in two steps', any],
  ['a record ring', 'a push claims a slot too many', any],
  ['a record ring', 'what is written comes after it was published', wrong],
  ['a record ring', 'what is read is copied after it was given back', wrong],
  ['a lossy ring', 'the exchange of the position is torn', any],
  ['a lossy ring', 'a push is not published', hangs],
  ['a lossy ring', 'what is guessed is copied after it was found undisturbed', wrong],
  ['a lossy ring', 'what is written comes after it was published', wrong],
]

describe(`between threads (HEDDLE_SEED=${seed})`, () => {
  it.each(Object.keys(stresses))('%s goes on without one', async (stress) => {
    const run = stresses[stress]?.({ mistake: undefined, seed })
    expect(await run?.then(() => 'nothing', String)).toBe('nothing')
  })

  it.each(mistakes)('%s: %s', async (stress, mistake, shows) => {
    let noticed = 'nothing'
    // It takes a schedule that shows it; most do. On a busy machine who only is slow is taken for one who hangs.
    for (let round = 0; round < 20 && !shows.test(noticed); round++) {
      await stresses[stress]?.({ mistake, seed: seed + round }).catch((error: Error) => {
        noticed = error.message
      })
    }
    expect(noticed).toMatch(shows)
  })
})
